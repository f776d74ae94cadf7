"""The whole way of a dApp over the bridge, as people go it: Chromium, viem, aa-sdk and a bundler on one side, a window and a desk on
the other.

Connect, be let in, ask, be given less than asked, play on the practice chain, look at the sessions, ask for the end of one, be told of it.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from latchkey.codec.hand_over import decode
from latchkey.core.permissions import FunctionsOnContract
from latchkey.core.types import hex_bytes
from latchkey.flow.requests import Requests, RequestState
from latchkey.store.book import Book
from latchkey.store.records import GrantState
from tests.bridge.window import BridgeWindow, bridge_window
from tests.browser import bundle
from tests.browser.server import served
from tests.browser.test_browser import CHROMIUM, Browser
from tests.chain.errors import explain
from tests.chain.stage import Stage
from tests.clients.conftest import salt, stage  # noqa: F401
from tests.devnet.devnet import CHAIN_ID
from tests.devnet.places import GAME

pytestmark = [
    pytest.mark.gui,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("clients"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here (Debian: apt-get install chromium)"),
    pytest.mark.skipif(sys.platform != "linux" or not shutil.which("xdotool"), reason="types with xdotool"),
]

PLAYER = Path(bundle.__file__).with_name("aa_sdk_player.mjs")
DOCS = Path(__file__).parents[2] / "docs/dapps.md"


@pytest.fixture
def window(stage: Stage, salt: int, qapp: QApplication, tmp_path: Path) -> Iterator[BridgeWindow]:  # noqa: F811
    """`qapp` keeps the screen, which starts anew whenever its last client leaves."""
    account = stage.account(salt=salt)
    with bridge_window(tmp_path / "data", account, rpc=stage.net.url, bundler=stage.net.bundler_url) as found:
        yield found


def refusal(page: Browser, button: str) -> str:
    """What the bundler told the page, in words."""
    ended, reason = page.press(button)
    assert ended == "Refused"
    return explain(hex_bytes(reason.rpartition(" ")[2]))


def test_a_dapp_asks_plays_and_is_told(window: BridgeWindow, stage: Stage, tmp_path: Path) -> None:  # noqa: F811
    world = {"chainId": CHAIN_ID, "chain": stage.net.url, "game": GAME}
    files = {"/player.mjs": bundle.bundled(PLAYER)}
    with served(world, stage.net.bundler_url, files=files, bridge_port=window.port) as url, Browser(url) as page:
        page.do(click="#ask")
        window.let_in(page.do(read="#code", matching="[0-9]{6}"))

        window.wait_for("Step 5 of 5: Review")
        window.picture("bridge-review")
        window.click("Change: *buy()*")
        window.click("Allow buy()")
        window.click("Done: *")
        window.click("Sign")
        window.unlock()
        window.agree()
        assert page.do(read="#result", matching="^(Ready|Refused)").startswith("Ready")
        window.picture("bridge-signed")

        assert page.press("#list") == ("Sessions", "unused")
        assert page.press("#move")[0] == page.press("#move")[0] == "Done"
        assert refusal(page, "#spend").endswith("SelectorNotAllowed())")  # what it was not given
        window.click("Sessions")
        window.press("F5")
        page.do(read="#news", matching="active")
        assert page.press("#list") == ("Sessions", "active")

        page.do(click="#revoke")
        window.click("Revoke")
        window.agree()
        assert page.do(read="#result", matching="^(Ended|Refused)") == "Ended: revoked"
        page.do(read="#news", matching="revoked")
        window.click("Close")
        assert refusal(page, "#move").startswith("ValidationFunctionMissing")
    with Book.open(tmp_path / "data" / "book.sqlite") as book:
        (grant,) = book.grants()
        records = Requests(book, lambda: 0).all()
    assert grant.state is GrantState.HANDED_OVER
    told = decode(grant.envelope or b"")
    assert told.asked is not None  # the page knows that it got less than it asked for
    (asked,), given = told.asked.permissions, told.permissions
    assert isinstance(asked, FunctionsOnContract)
    assert FunctionsOnContract(asked.address, asked.functions[:1]) in given
    assert [record.state for record in records] == [RequestState.GRANTED, RequestState.GRANTED]
    assert all(record.origin == url.rstrip("/") and record.proven for record in records)


def test_the_page_makes_its_client_as_the_documents_say() -> None:
    made = [line.strip() for line in PLAYER.read_text().splitlines() if line.startswith(("  const signer", "  const client"))]
    assert len(made) == 2
    assert "\n".join(made) in DOCS.read_text()
