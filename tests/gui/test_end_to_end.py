"""The whole job with real processes, a real screen, real keys and a real mouse: from nothing to a signed grant in a QR code.

Window, signer and desk run as they do for a person. The screen is photographed from outside, the animated code is read back from the
photographs, and its blob is the one that aa-sdk made for the same grant.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from tests.counts import count

from latchkey.codec import qr, ur
from latchkey.codec.hand_over import decode
from latchkey.core.types import to_hex
from latchkey.store.book import Book
from latchkey.store.records import GrantState

pytestmark = [
    pytest.mark.gui,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux" or not shutil.which("xdotool"), reason="types with xdotool"),
]

VECTOR = "native + erc20 + gas-limit + contract-access + expiry"
WORDS = "test test test test test test test test test test test junk"
PASSPHRASE = "a practice vault for everybody"
DESK = "Latchkey desk"
PICTURES = os.environ.get("LATCHKEY_PICTURES")
PATIENCE = 150  # seconds; the machine may be busy


def xdotool(*arguments: object) -> str:
    done = subprocess.run(["xdotool", *map(str, arguments)], check=False, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


def press(*keys: str) -> None:
    xdotool("key", "--delay", "30", *keys)


def type_text(text: str) -> None:
    xdotool("type", "--delay", "15", text)


def until(what: str, check: Callable[[], Any]) -> Any:
    """What `check` returns as soon as that is something."""
    end = time.monotonic() + PATIENCE
    while not (found := check()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.1)
    return found


class Latchkey:
    """The running program and the hands that use it."""

    def __init__(self, folder: Path, entity_id: int, nonce_key: int, scale: int = 1, appearance: str = "light") -> None:
        self.scale = scale
        command = [sys.executable, "-m", "tests.gui.driver", str(folder), str(entity_id), str(nonce_key)]
        environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "QT_SCALE_FACTOR": str(scale), "LATCHKEY_APPEARANCE": appearance}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self._desk = ""

    def end(self) -> None:
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    # --- the window

    def find(self, name: str) -> Any:
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def wait_for(self, name: str) -> Any:
        """The control, once it is there and can be used."""
        return until(name, lambda: (found := self.find(name)) and found["enabled"] and found)

    def click(self, name: str) -> None:
        """Bring it into sight with the wheel if need be, then press it with the mouse."""
        found = self.wait_for(name)
        for _ in range(30):
            if found["seen"]:
                break
            xdotool("mousemove", found["x"], 300 * self.scale, "click", 5)
            time.sleep(0.2)
            found = self.find(name)
        xdotool("mousemove", found["x"], found["y"], "click", 1)

    def press(self, keys: str) -> None:
        """Keys for the window. This screen has no window manager to give it the keyboard back after a dialog, so it is done here."""
        (window, *_) = xdotool("search", "--onlyvisible", "--name", "^Latchkey$").split()
        xdotool("windowfocus", "--sync", window)
        press(keys)

    # --- the desk

    def desk(self) -> tuple[int, int, int, int]:
        """Where its window is, once it has the keyboard and shows another page than before: pages differ in height."""
        self._desk = until("the desk's next page", self._changed_desk)
        time.sleep(0.5)
        shape = dict(line.split("=") for line in self._desk.splitlines())
        return int(shape["X"]), int(shape["Y"]), int(shape["WIDTH"]), int(shape["HEIGHT"])

    def _changed_desk(self) -> str:
        if xdotool("getwindowfocus", "getwindowname") != DESK:
            return ""
        shape = xdotool("getwindowfocus", "getwindowgeometry", "--shell")
        return shape if re.sub("(?m)^WINDOW.*$", "", shape) != re.sub("(?m)^WINDOW.*$", "", self._desk) else ""


@pytest.fixture
def grant(ma_vectors: Any) -> Any:
    return next(grant for grant in ma_vectors["grants"] if grant["name"] == VECTOR)


@pytest.fixture(params=[(1, "light"), (2, "dark")][: count(1, 2)], ids="at {0[0]}00 percent, {0[1]}".format)
def latchkey(tmp_path: Path, qapp: QApplication, grant: Any, request: pytest.FixtureRequest) -> Iterator[Latchkey]:
    """`qapp` keeps the screen, which starts anew whenever its last client leaves."""
    given = grant["input"]
    latchkey = Latchkey(tmp_path / "data", given["entityId"], int(given["nonceKey"]), *request.param)
    yield latchkey
    picture("at-the-end")
    latchkey.end()


def photograph(path: Path) -> QImage:
    subprocess.run(["import", "-silent", "-window", "root", str(path)], check=True)
    return QImage(str(path))


def picture(name: str) -> None:
    """Keep the screen for somebody to look at, where LATCHKEY_PICTURES names a folder."""
    if PICTURES:
        photograph(Path(PICTURES) / f"{name}.png")


def read(image: QImage) -> list[str]:
    gray = image.convertToFormat(QImage.Format.Format_Grayscale8)
    return qr.read_codes(gray.constBits(), gray.width(), gray.height(), gray.bytesPerLine())


def request(grant: Any) -> dict[str, Any]:
    """What a dApp's aa-sdk sends, with the vector's values."""
    given = grant["input"]
    return {
        "jsonrpc": "2.0", "id": 1, "method": "wallet_createSession",
        "params": [{
            "account": given["account"], "chainId": hex(given["chainId"]), "expirySec": given["deadline"],
            "key": {"publicKey": given["sessionKey"], "type": "secp256k1"}, "permissions": given["permissions"],
        }],
    }  # fmt: skip


def test_from_nothing_to_a_signed_grant(latchkey: Latchkey, grant: Any, tmp_path: Path) -> None:
    welcome(latchkey)
    open_request(latchkey, grant, tmp_path)
    wizard(latchkey)
    confirm(latchkey)
    latchkey.wait_for("Copy grant")
    picture("signed")
    message = from_the_screen(latchkey, tmp_path / "screen.ppm")
    envelope = decode(message)
    assert to_hex(envelope.blob) == grant["expected"]["blob"].lower()
    assert envelope.session_key == grant["input"]["sessionKey"]
    latchkey.click("Done")
    latchkey.wait_for("Grants")
    with Book.open(tmp_path / "data" / "book.sqlite") as book:
        (record,) = book.grants()
    assert record.envelope == message
    assert record.state is GrantState.HANDED_OVER


def welcome(latchkey: Latchkey) -> None:
    """Import the public test words at the desk, then name the account by owner and salt."""
    latchkey.click("Name of the key")
    type_text("Main key")
    latchkey.click("Import one…")
    latchkey.desk()
    type_text(WORDS + " ")
    picture("desk-import")
    press("Return")
    latchkey.desk()
    picture("desk-choose-address")
    press("Return")
    latchkey.desk()
    type_text(PASSPHRASE)
    press("Tab")
    type_text(PASSPHRASE)
    picture("desk-new-passphrase")
    press("Return")
    latchkey.click("Network")
    type_text("Practice")
    press("Return")
    latchkey.click("Name")
    type_text("Game account")
    picture("welcome-account")
    latchkey.click("Add this account")


def open_request(latchkey: Latchkey, grant: Any, folder: Path) -> None:
    path = folder / "request.json"
    path.write_text(json.dumps(request(grant)))
    latchkey.click("Open request…")
    latchkey.click("Choose file…")
    picture("open-request")
    latchkey.wait_for("File name:")
    type_text(str(path))
    press("Return")


def wizard(latchkey: Latchkey) -> None:
    """A request that leaves nothing open is there to be read at once; back through every step and on again, by keyboard and by mouse."""
    latchkey.wait_for("Step 5 of 5: Review")
    steps = ("Expiry", "Scope", "Key", "Account")
    for number, step in enumerate(steps):
        latchkey.press("alt+b") if number % 2 else latchkey.click("Back")
        latchkey.wait_for(f"Step {4 - number} of 5: {step}")
        picture(f"wizard-{step.lower()}")
    for number, step in enumerate((*steps[2::-1], "Review")):
        latchkey.wait_for("Next")
        latchkey.press("alt+n") if number % 2 else latchkey.click("Next")
        latchkey.wait_for(f"Step {2 + number} of 5: {step}")
    picture("review")
    latchkey.click("Sign")


def confirm(latchkey: Latchkey) -> None:
    """Read to the end with the wheel, then say yes with the mouse."""
    x, y, width, height = latchkey.desk()
    xdotool("mousemove", x + width // 2, y + height // 2, "click", "--repeat", 80, "--delay", 20, 5)
    picture("desk-confirm")
    say_yes(x, y, width, height, latchkey.scale)


def say_yes(x: int, y: int, width: int, height: int, scale: int = 1) -> None:
    """Press the right one of the desk's buttons, once it can be pressed: only then it has a colour."""
    right, foot = x + width - 55 * scale, y + height - 42 * scale
    part = f"24x16+{right - 12}+{foot - 8}"

    def coloured() -> bool:
        command = ["import", "-silent", "-window", "root", "-crop", part, "-depth", "8", "rgb:-"]
        seen = subprocess.run(command, check=True, capture_output=True).stdout
        return any(max(pixel) - min(pixel) > 100 for pixel in zip(seen[::3], seen[1::3], seen[2::3], strict=True))

    until("the desk's yes", coloured)
    xdotool("mousemove", right, foot, "click", 1)


def from_the_screen(latchkey: Latchkey, path: Path) -> bytes:
    decoder = ur.Decoder()
    for _ in range(3):
        latchkey.click("Slower")

    def complete() -> bytes | None:
        for text in read(photograph(path)):
            decoder.receive(text)
        return decoder.message

    return until("the whole code", complete)
