"""A web page with Latchkey's module, a real browser and Latchkey, with nothing between them but a photograph, a link and the clipboard.

The page makes its own key and shows its request as a QR code and as a link; that is photographed or followed, read and granted with the
careful limits; the page takes the grant back, as JSON, as a link or as a QR code's text, and plays with it, on an account that its first
call deploys. Over the bridge: tests/dapp and tests/bridge.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from latchkey.codec import ur
from latchkey.codec.hand_over import decode, encode, from_json, to_json
from latchkey.codec.inbox import open_text
from latchkey.codec.link import to_link
from latchkey.codec.qr import read_codes
from latchkey.core.account import Account
from latchkey.core.request import SessionRequest
from latchkey.core.types import hex_bytes
from latchkey.flow import wizard
from latchkey.flow.granting import Granting
from latchkey.flow.wizard import World
from latchkey.store.book import Book
from latchkey.vault.client import SignerClient
from tests.browser.server import served
from tests.chain.errors import explain
from tests.chain.stage import Stage
from tests.devnet.devnet import CHAIN_ID
from tests.devnet.places import GAME
from tests.devnet.program import Program

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
VIEM_PLAYER = Path(__file__).with_name("viem_player.mjs")

pytestmark = [
    pytest.mark.xdist_group("clients"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here (Debian: apt-get install chromium)"),
]


class Browser(Program):
    """The page, as somebody in front of it uses it."""

    def __init__(self, url: str) -> None:
        super().__init__(Path(__file__).with_name("drive.mjs"))
        self.do(open=url, program=CHROMIUM, sandbox=os.getuid() != 0)  # Chromium's sandbox does not work for root

    def do(self, **request: object) -> str:
        answer = self.ask(**request)
        assert "error" not in answer, answer
        assert not answer["problems"]
        return str(answer.get("text", ""))

    def press(self, button: str) -> tuple[str, str]:
        """How it ended, and the rest of what the page then says."""
        self.do(click=button)
        ended, _, text = self.do(read="#result", matching="^(?!Working)").partition(": ")
        return ended, text


@pytest.fixture
def page(stage: Stage) -> Iterator[Browser]:
    world = {"chainId": CHAIN_ID, "chain": stage.net.url, "game": GAME}
    files = {"/player.mjs": VIEM_PLAYER.read_text()}
    with served(world, stage.net.bundler_url, files=files) as url, Browser(url) as browser:
        yield browser


def photographed(browser: Browser, picture: Path) -> str:
    browser.do(shot="#request svg", path=str(picture))
    with Image.open(picture) as image:
        gray = image.convert("L")
    (text,) = read_codes(gray.tobytes(), gray.width, gray.height, gray.width)
    return text


def granted(request: SessionRequest, account: Account, signer: SignerClient, folder: Path) -> dict[str, object]:
    """What the wizard does when the owner just goes on: the JSON that "Copy grant" copies."""
    now = int(time.time())
    world = World((account,), expert=False, now=now)
    with Book.open(folder / "book.sqlite") as book:
        granting = Granting(book, lambda: signer, lambda: now)
        record = granting.keep(granting.sign(granting.prepare(wizard.start_from(request, world), world)))
    return to_json(decode(record.envelope or b""))


def by_photograph(page: Browser, folder: Path) -> str:
    return photographed(page, folder / "request.png")


def by_link(page: Browser, _folder: Path) -> str:
    return page.do(link="#link[href]")


FORMS = {
    "link": lambda twin: to_link(encode(from_json(twin))),
    "code": lambda twin: ur.encode(encode(from_json(twin))).upper(),
}


@pytest.mark.parametrize(("way", "form"), [(by_photograph, "code"), (by_link, "link")])
def test_a_page_asks_and_plays(
    way: Callable[[Browser, Path], str], form: str, page: Browser, stage: Stage, signer: SignerClient, tmp_path: Path, salt: int
) -> None:
    account = stage.account(salt=salt, deployed=False)
    request = open_text(way(page, tmp_path))
    assert isinstance(request, SessionRequest)
    assert request.claims.dapp_name == "Practice game"
    hand_over = granted(request, account, signer, tmp_path)

    page.do(fill="#grant", text=json.dumps(hand_over | {"key": {"publicKey": GAME}}))
    assert page.press("#take") == ("Refused", "This grant is for another key.")
    page.do(fill="#grant", text=FORMS[form](hand_over))
    ended, address = page.press("#take")
    assert (ended, address.lower()) == ("Ready", account.address.lower())
    before = stage.view(GAME, "(uint256)", "moves(address)", account.address)
    first, later = page.press("#move"), page.press("#move")
    assert (first[0], later[0]) == ("Done", "Done"), (first, later)
    assert stage.view(GAME, "(uint256)", "moves(address)", account.address) == before + 2

    ended, reason = page.press("#spend")
    limit = f"PreExecHookReverted(NativeTokenLimitModule:{hand_over['entityId']}, ExceededNativeTokenLimit())"
    assert (ended, explain(hex_bytes(reason.rpartition(" ")[2]))) == ("Refused", limit)
    assert stage.view(GAME, "(uint256)", "paid(address)", account.address) == 0
