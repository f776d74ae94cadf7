"""A real window with the bridge on, its signer and its desk, used with real keys and a real mouse.

with bridge_window(folder, account, rpc=..., bundler=...) as window:      everything is set up; the vault is locked
    window.let_in("042917")           the page that shows these digits
    window.agree()                    at the desk, to what it shows next
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latchkey.core.account import Account
from latchkey.flow.keys import open_signer
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import NetworkSettings, Settings, save
from latchkey.vault.model import Prompt, PromptMode
from tests.bridge.house import free_port
from tests.gui.test_end_to_end import DESK, Latchkey, photograph, press, say_yes, type_text, until, xdotool

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "a practice vault for everybody"
OWNER_SECRET = b"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n"


class BridgeWindow(Latchkey):
    """The running program; `port`: where its bridge is."""

    def __init__(self, data: Path, port: int) -> None:
        self.port, self.scale, self._desk = port, 1, ""
        command = [sys.executable, "-m", "tests.bridge.window_driver", str(data)]
        environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "LATCHKEY_APPEARANCE": "light"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
        )

    def click(self, name: str) -> None:
        """In the window, once the desk is out of the way and the control stands still."""
        until("the desk to close", lambda: xdotool("getwindowfocus", "getwindowname") != DESK)
        self._desk = ""
        until(f"{name} to stand still", lambda: self.wait_for(name) == (time.sleep(0.2) or self.wait_for(name)))
        super().click(name)

    def let_in(self, code: str) -> None:
        """Compare the digits, and agree."""
        self.wait_for(f"Number: {' '.join(code)}")
        self.picture("bridge-pairing")
        self.click("Let in")

    def unlock(self) -> None:
        """Type the passphrase at the desk."""
        self.desk()
        self.picture("bridge-desk-unlock")
        type_text(PASSPHRASE)
        press("Return")

    def agree(self) -> None:
        """Read what the desk shows to its end, and say yes."""
        shape = self.desk()
        press("End")
        self.picture("bridge-desk-confirm")
        say_yes(*shape)

    def picture(self, name: str) -> None:
        """For a person to look at, where asked for."""
        if folder := os.environ.get("LATCHKEY_PICTURES"):
            photograph(Path(folder) / f"{name}.png")

    def is_listening(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def bridge_window(folder: Path, account: Account, *, rpc: str = "", bundler: str = "") -> Iterator[BridgeWindow]:
    """`account`: of the first public test key, whose vault is made here. Needs a screen and xdotool."""
    port = free_port()
    data = DataDir.open(folder)
    _make_vault(data)
    with Book.open(data.book) as book:
        book.add_account(account)
    networks = (NetworkSettings(account.chain_id, rpc, "", bundler),) if rpc else ()
    save(data.settings, Settings(networks=networks, bridge=True, bridge_port=port))
    window = BridgeWindow(data.root, port)
    try:
        until("the bridge", window.is_listening)
        yield window
        window.picture("bridge-at-the-end")
    finally:
        window.end()


def _make_vault(data: DataDir) -> None:
    passphrase, secret = (os.pipe() for _ in range(2))
    for (_, sink), text in ((passphrase, f"{PASSPHRASE}\n".encode() * 8), (secret, OWNER_SECRET)):
        os.write(sink, text)
        os.close(sink)
    client = open_signer(data, Prompt(PromptMode.FD, passphrase_fd=passphrase[0], script=True))
    try:
        client.import_key(label="Main key", source_fd=secret[0])
    finally:
        client.close()
        os.close(passphrase[0])
        os.close(secret[0])
