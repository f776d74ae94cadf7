"""Sleep and screen locks lock the keys: told by a stand-in of logind (python-dbusmock) over a real message bus of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.gui.conftest import OWNER_KEY, PASSPHRASE
from tests.message_bus import message_bus, wait_for_name

from latchkey.flow.keys import open_signer
from latchkey.store.paths import DataDir
from latchkey.vault.model import Prompt, PromptMode

PYTHON = "/usr/bin/python3"  # Debian's, which has dbusmock; our own environment has no D-Bus bindings but Qt's

# The window's part: a context with an unlocked signer, and the lock that follows the system. It says what it sees, line by line.
_WINDOW = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from latchkey.flow.keys import open_signer
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import Settings
from latchkey.ui.context import Context
from latchkey.vault.model import Prompt, PromptMode

app = QApplication(["latchkey"])
prompt = Prompt(PromptMode.FD, int(sys.argv[2]), script=True)
make = {"make_client": lambda where: open_signer(where, prompt), "make_book": lambda where: Book.open(where.book)}
context = Context(DataDir.open(Path(sys.argv[1])), Settings(), **make)
context.load()
say = lambda text: print(text, flush=True)
context.lock.follow_system()
say(f"heard {context.lock.follows_system}")
seen = []
def status(what):
    if what == "status" and context.lock.unlocked not in seen[-1:]:
        seen.append(context.lock.unlocked)
        say(f"unlocked {context.lock.unlocked}")
        if context.lock.unlocked:
            global pid
            pid = context.client._signer.pid
context.changed.connect(status)
context.lock._suspend.away.connect(lambda: say(f"signer {'runs' if Path(f'/proc/{pid}').exists() else 'gone'} at {time.time():.4f}"))
context.lock.unlock()
QTimer.singleShot(30_000, app.quit)
app.exec()
"""


@dataclass
class Machine:
    """A bus with a logind, and the window's process on it."""

    address: str
    window: subprocess.Popen[str]

    def line(self) -> str:
        assert self.window.stdout is not None
        return self.window.stdout.readline().strip()

    def tell(self, path: str, signal: str, value: bool) -> None:
        """Send a signal over the bus, as logind and screen savers do."""
        told = ["dbus-send", f"--bus={self.address}", "--type=signal", path, signal, f"boolean:{str(value).lower()}"]
        subprocess.run(told, check=True, capture_output=True)


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with message_bus(tmp_path_factory.mktemp("bus")) as address:
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address, "DBUS_SESSION_BUS_ADDRESS": address}
        command = [PYTHON, "-m", "dbusmock", "--system", "--template", "logind"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as logind:
            wait_for_name(address, "login1")
            yield address
            logind.terminate()


@pytest.fixture
def machine(bus: str, tmp_path: Path, passphrases: Callable[[str], int]) -> Iterator[Machine]:
    folder = tmp_path / "data"
    maker = open_signer(DataDir.open(folder), Prompt(PromptMode.FD, passphrases(f"{PASSPHRASE}\n"), script=True))
    maker.import_key("Main key", source_fd=passphrases(OWNER_KEY))
    maker.close()
    fd = passphrases(f"{PASSPHRASE}\n")
    environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus, "DBUS_SESSION_BUS_ADDRESS": bus, "QT_QPA_PLATFORM": "offscreen"}
    window = subprocess.Popen(
        [sys.executable, "-c", _WINDOW, str(folder), str(fd)], env=environment, stdout=subprocess.PIPE, text=True, pass_fds=(fd,)
    )
    with window:
        yield Machine(bus, window)
        window.kill()


@pytest.mark.parametrize(
    ("path", "signal"),
    [
        ("/org/freedesktop/login1", "org.freedesktop.login1.Manager.PrepareForSleep"),
        ("/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver.ActiveChanged"),
    ],
    ids=["sleep", "screen saver"],
)
def test_locks_when_the_computer_goes_away(machine: Machine, path: str, signal: str) -> None:
    assert machine.line() == "heard True"
    assert machine.line() == "unlocked True"
    machine.tell(path, signal, False)  # awake, or shown again: nothing happens
    sent = time.time()
    machine.tell(path, signal, True)
    fate = machine.line()
    assert fate.startswith("signer gone at ")
    assert float(fate.split()[-1]) - sent < 1  # with the signal's way through two processes
    assert machine.line() == "unlocked False"


def test_without_a_bus_nothing_is_heard(tmp_path: Path) -> None:
    code = "from PySide6.QtCore import QCoreApplication as A; a = A([]); from latchkey.ui.suspend import Suspend; print(Suspend().heard)"
    nowhere = f"unix:path={tmp_path}/none"
    environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": nowhere, "DBUS_SESSION_BUS_ADDRESS": nowhere}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
