"""A page of the internet, loaded by https in a real Chromium, and the bridge: the browser's own rules are the ones that count."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.house import House, until
from tests.bridge.secure_page import NAME, browser_arguments, secure_page
from tests.devnet.needed import packages
from tests.devnet.program import Program
from tests.store.grants import ACCOUNT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.xdist_group("clients"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here (Debian: apt-get install chromium)"),
]

CALL = """
  const { url, token, method, params = [] } = given;
  const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  const said = await answer.json();
  return said.result === undefined ? said.error : said.result;
"""
SOCKET = """
  const { url, token } = given;
  const socket = new WebSocket(url.replace("http", "ws"));
  await new Promise((done, failed) => { socket.onopen = done; socket.onerror = () => failed(new Error("no socket")); });
  const ask = (method, params = []) => new Promise((done) => {
    socket.onmessage = ({ data }) => done(JSON.parse(data));
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: method, method, params }));
  });
  const before = await ask("eth_requestAccounts");
  const let_in = await ask("latchkey_authenticate", [{ token }]);
  return [before.error.code, let_in.result, (await ask("eth_requestAccounts")).result];
"""


class Page(Program):
    def __init__(self, port: int, *permissions: str) -> None:
        super().__init__(Path(__file__).with_name("drive.mjs"))
        self.origin = f"https://{NAME}:{port}"
        options = {"args": browser_arguments(port), "permissions": permissions, "program": CHROMIUM, "sandbox": os.getuid() != 0}
        answer = self.ask(open=f"{self.origin}/", **options)
        assert answer == {"value": True}, answer

    def run(self, script: str, **given: Any) -> Any:
        answer = self.ask(**{"run": script, "with": given})
        return answer.get("value", answer.get("error"))


@pytest.fixture(scope="module")
def page_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    packages()
    with secure_page(tmp_path_factory.mktemp("page")) as port:
        yield port


def test_a_page_of_the_internet(house: House, page_port: int) -> None:
    url = f"http://127.0.0.1:{house.port}/"
    with Page(page_port, "local-network-access") as page:
        assert page.run(CALL, url=url, method="eth_accounts") == []
        assert page.run(CALL, url=url, method="eth_requestAccounts")["code"] == 4100
        page.ask(
            **{"begin": CALL, "with": {"url": url, "method": "latchkey_pair", "params": [{"code": "042917", "name": "Rooms"}]}}
        )
        question = until(house.host.to_pair)[0]
        assert (question.origin, question.code) == (page.origin, "042917")
        house.host.pair(question, ACCOUNT)
        token = page.ask(end=True)["value"]["token"]
        assert page.run(CALL, url=url, token=token, method="eth_requestAccounts") == [ACCOUNT.address]
        assert page.run(CALL, url=url, token=token, method="eth_chainId") == "0x7a69"
        assert page.run(SOCKET, url=url, token=token) == [4100, True, [ACCOUNT.address]]
        other = url.replace("127.0.0.1", "localhost")
        assert "Failed to fetch" in page.run(CALL, url=other, token=token, method="eth_chainId")


def test_a_browser_that_was_not_allowed_lets_nothing_through(house: House, page_port: int) -> None:
    with Page(page_port) as page:
        said = page.run(CALL, url=f"http://127.0.0.1:{house.port}/", method="latchkey_pair", params=[{"code": "042917"}])
        assert "Failed to fetch" in said
        assert house.host.to_pair() == ()
