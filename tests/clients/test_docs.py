"""The snippets of docs/dapps.md, run as they are printed, but for the bridge's port: in Node, and in Chromium where there is one."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.system import system
from latchkey.chain.node import Node
from latchkey.chain.reading import read_account
from latchkey.codec.hand_over import decode, encode, from_json
from latchkey.codec.inbox import open_text
from latchkey.codec.link import to_link
from latchkey.core.account import Account
from latchkey.core.request import SessionRequest
from latchkey.core.types import Address, hex_bytes
from latchkey.store.requests import Source
from latchkey.vault.client import SignerClient
from tests.bridge.house import House, house
from tests.browser.server import BRIDGE_PORT, served
from tests.browser.test_browser import CHROMIUM, Browser
from tests.chain import abi
from tests.chain.stage import SESSION, Key, Stage
from tests.clients.dapp import Dapp
from tests.clients.test_aa_sdk_end_to_end import CONTRACT_ACCESS, Grant, dapp, grant
from tests.dapp.module import FOLDER
from tests.dapp.person import Person
from tests.devnet import node
from tests.devnet.devnet import CHAIN_ID
from tests.devnet.places import GAME
from tests.processes import started

__all__ = ["dapp", "grant"]

pytestmark = [pytest.mark.xdist_group("clients"), pytest.mark.timeout(300)]

DOCS = (Path(__file__).parents[2] / "docs/dapps.md").read_text()
SNIPPETS: list[tuple[str, str]] = re.findall(r"^```js (\w+)\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
AA_SDK, FETCH, LINKS, SEALED = (code for _, code in SNIPPETS)
in_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here (Debian: apt-get install chromium)")
PERMISSIONS = json.dumps([{"type": "functions-on-contract", "data": {"address": GAME, "functions": ["0x4e71d92d"]}}])
ANNOUNCED = """
    const { announce, connect } = await import("./latchkey.mjs");
    const wallet = await new Promise((done) => {
      addEventListener("eip6963:announceProvider", ({ detail }) => done(detail.info.name));
      announce(connect());
    });
    return { token, grant, wallet };"""
MADE = "new Promise((done) => setInterval(() => window.made && done(JSON.stringify(window.made)), 20))"
KEY = Key(bytes(31) + b"\x07")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


@pytest.fixture
def account(stage: Stage, salt: int) -> Account:
    """Not deployed: the first call does it."""
    return stage.account(salt=salt, deployed=False)


@pytest.fixture
def person(home: House, signer: SignerClient, account: Account) -> Person:
    return Person(home, signer, account)


def test_every_snippet_is_short_and_known() -> None:
    assert [runner for runner, _ in SNIPPETS] == ["node", "page", "page", "page"]
    assert max(len(code.strip().splitlines()) for _, code in SNIPPETS) <= 15
    assert set(re.findall(r"^```(.*)", DOCS, re.MULTILINE)) == {"js node", "js page", "json", ""}


def test_viem_and_aa_sdk(stage: Stage, home: House, person: Person, account: Account, tmp_path: Path) -> None:
    for file in FOLDER.glob("*.mjs"):
        (tmp_path / file.name).write_text(file.read_text().replace(BRIDGE_PORT, str(home.port)))
    code = (Path(__file__).with_name("snippet_prelude.mjs").read_text() + AA_SDK).replace(
        '"./latchkey', f'"{tmp_path.as_uri()}/latchkey'
    )
    world = {"chainId": CHAIN_ID, "chain": stage.net.url, "bundler": stage.net.bundler_url, "game": GAME}
    code += "await client.waitForUserOperationTransaction({ hash });\n"
    code += "console.log(JSON.stringify([grant, (await client.getUserOperationReceipt(hash)).success]));\n"
    command = [str(node.node()), "--input-type=module", "--eval", code, json.dumps(world)]
    with started(command, cwd=node.HERE, env=node.environment(), stdout=subprocess.PIPE, text=True) as running:
        shown, grant = person.lets_in(), person.grants()
        said, _ = running.communicate(timeout=250)
    assert running.returncode == 0
    first, last = said.strip().splitlines()
    assert first == f"Compare this with Latchkey: {shown}"
    given, done = json.loads(last)
    assert from_json(given) == decode(grant.envelope or b"")
    assert done
    assert stage.code(account.address)


@contextmanager
def page(code: str, home: House, *, before: str, after: str) -> Iterator[Browser]:
    """A page that runs `code` between what it is said to find and what it leaves in `window.left`."""
    imports = "".join(re.findall(r"^import .*\n", code, re.MULTILINE))
    body = code.removeprefix(imports)
    module = f"{imports}window.left = (async () => {{\n{before}\n{body}\n{after}\n}})();\n"
    html = '<!doctype html><a></a><textarea></textarea><script type="module" src="/snippet.mjs"></script>'
    files = {"/snippet.html": html, "/snippet.mjs": module}
    with served({}, files=files, bridge_port=home.port) as url, Browser(f"{url}snippet.html") as browser:
        yield browser


def left(browser: Browser) -> Any:
    return json.loads(browser.do(look="window.left.then(JSON.stringify)"))


@in_chromium
def test_plain_fetch(home: House, person: Person) -> None:
    request = f'const code = "123456", request = {{ key: {{ publicKey: "{KEY.address}" }}, permissions: {PERMISSIONS} }};'
    with page(FETCH, home, before=request, after=ANNOUNCED) as browser, ThreadPoolExecutor() as worker:
        answer = worker.submit(left, browser)
        assert person.lets_in() == "123456"
        grant = person.grants()
        found = answer.result(60)
        assert from_json(found["grant"]) == decode(grant.envelope or b"")
        assert home.call("eth_accounts", token=found["token"])["code"] == 4100  # it is the page's alone
        assert found["wallet"] == "Latchkey"


@in_chromium
def test_links_and_codes(home: House, person: Person, account: Account) -> None:
    before = f"""
        const chain = {{ id: {CHAIN_ID} }}, address = "{KEY.address}", permissions = {PERMISSIONS};
        const draw = (text) => {{ window.code = text; }}, granted = (made) => {{ window.made = made; }};"""
    with page(LINKS, home, before=before, after="return true;") as browser:
        assert left(browser) is True
        asked = open_text(browser.do(look="window.code"))
        assert isinstance(asked, SessionRequest)
        assert open_text(browser.do(look="document.querySelector('a').href")) == asked
        home.requests.arrived(asked, Source.QR)
        grant = person.grants()
        twin = decode(grant.envelope or b"")
        browser.do(fill="textarea", text=to_link(encode(twin)))
        browser.do(look="document.querySelector('textarea').blur()")
        made = json.loads(browser.do(look=MADE))
        assert made["deferredAction"] == "0x" + twin.blob.hex()
        assert Address.parse(made["accountAddress"]) == account.address


@in_chromium
def test_a_key_that_latchkey_makes(home: House, person: Person) -> None:
    before = f"const permissions = {PERMISSIONS}, show = (code) => {{ window.code = code; }};"
    with page(SEALED, home, before=before, after="return sessionKey;") as browser, ThreadPoolExecutor() as worker:
        answer = worker.submit(left, browser)
        person.lets_in()
        grant = person.grants()
        secret = hex_bytes(answer.result(60))
    assert Key(secret).address == grant.draft.session_key


# What it says of stock aa-sdk when a grant or a session has come to its end -------------------------------------------------------

CALL = CONTRACT_ACCESS.allowed[0]
MISSING = "ValidationFunctionMissing"


@pytest.fixture
def used(dapp: Dapp, grant: Grant) -> tuple[Any, Any]:
    """An account with a session at work, and its hand-over."""
    account, _, hand_over = grant(CONTRACT_ACCESS)
    dapp.take(hand_over, SESSION)
    assert dapp.call(account.address, CALL)[0] == "done"
    return account, hand_over


def test_after_a_cancel_it_sends_plain_operations_that_are_refused(dapp: Dapp, grant: Grant, stage: Stage) -> None:
    account, _, hand_over = grant(CONTRACT_ACCESS)
    cancel = abi.execute(ENTRY_POINT, 0, abi.call("incrementNonce(uint192)", int(hand_over["nonce"], 16) >> 64))
    assert stage.owner_tx(account, cancel).text == "done"
    dapp.take(hand_over, SESSION)
    refused = dapp.call(account.address, CALL)[0]
    assert "AA23" in refused
    assert MISSING in refused
    assert MISSING in DOCS


def test_after_a_revocation_the_same_error_comes(dapp: Dapp, used: tuple[Any, Any], stage: Stage) -> None:
    account, hand_over = used
    face = system("modular_account")
    session = next(one for one in read_account(Node(stage.net.url), account).sessions if one.entity_id == hand_over["entityId"])
    assert stage.owner_tx(account, face.together(account.address, [face.end_call(session)])).text == "done"
    for _ in range(2):
        refused = dapp.call(account.address, CALL)[0]
        assert "AA23" in refused
        assert MISSING in refused
        dapp.take(hand_over, SESSION)
