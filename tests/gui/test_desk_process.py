"""The desk as a real process: asked through its pipe, answered with real keys on a real screen."""

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from tests.gui.test_desk_pages import ADDRESS, ROWS, WORDS, confirmation

from latchkey.errors import SignerError
from latchkey.vault.frames import USED, read_frame, write_frame

pytestmark = [
    pytest.mark.gui,
    pytest.mark.skipif(sys.platform != "linux" or not shutil.which("xdotool"), reason="types with xdotool"),
]
SETTLE = 0.6  # seconds
PASSPHRASE = "correct horse battery staple"


class Desk:
    """Speaks the signer's side of the pipe."""

    def __init__(self, stderr: Path) -> None:
        environment = {**os.environ, "QT_QPA_PLATFORM": "xcb", "LATCHKEY_APPEARANCE": "light"}
        self._stderr = stderr.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "latchkey", "desk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=environment,
        )
        self.answers: Queue[Any] = Queue()
        self.uses: Queue[Any] = Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._id = 0

    def _read(self) -> None:
        try:
            while (frame := read_frame(self.process.stdout)) is not None:
                (self.uses if frame == USED else self.answers).put(frame)
        except SignerError as error:
            self.answers.put(error)

    def ask(self, name: str, **fields: Any) -> None:
        self._id += 1
        write_frame(self.process.stdin, {"id": self._id, "ask": name, **fields})
        wait_for_focus("Latchkey desk")
        self.settle()

    def settle(self, seconds: float = SETTLE) -> None:
        """Until it has nothing to do any more: where a page replaces another, nothing else tells outside when it is there."""
        time.sleep(seconds)
        worked = -1
        while True:
            state, *fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
            now = int(fields[10]) + int(fields[11])
            if now == worked and state == "S":
                return
            worked = now
            time.sleep(0.1)

    def answer(self) -> Any:
        frame = self.answers.get(timeout=60)
        assert isinstance(frame, dict), frame
        assert frame["id"] == self._id
        return frame.get("answer") if "answer" in frame else ("declined", frame["declined"])

    def close(self) -> int:
        self.process.stdin.close()
        return self.process.wait(timeout=60)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._stderr):
            pipe.close()


@pytest.fixture
def desk(tmp_path: Path, qapp: Any) -> Iterator[Desk]:
    """`qapp` stays connected to the screen, which starts anew whenever its last client leaves."""
    desk = Desk(tmp_path / "stderr")
    try:
        yield desk
    finally:
        desk.end()
    said = (tmp_path / "stderr").read_text()
    assert said == ""


def xdotool(*arguments: str) -> str:
    return subprocess.run(["xdotool", *arguments], check=True, capture_output=True, text=True, timeout=30).stdout


def focused() -> str:
    """The name of the window that has the keyboard; "" while there is none."""
    asked = subprocess.run(["xdotool", "getwindowfocus", "getwindowname"], check=False, capture_output=True, text=True)
    return asked.stdout.strip()


def wait_for_focus(name: str) -> None:
    until = time.monotonic() + 60
    while focused() != name:
        assert time.monotonic() < until, f"{name!r} never got the keyboard"
        time.sleep(0.05)


def press(*keys: str) -> None:
    xdotool("key", "--delay", "20", *keys)


def type_text(text: str) -> None:
    xdotool("type", "--delay", "10", text)


def test_a_whole_import(desk: Desk) -> None:
    desk.ask("import")
    type_text(" ".join(WORDS) + " ")
    press("Return")
    assert desk.answer() == {"kind": "mnemonic", "words": " ".join(WORDS), "passphrase": b""}
    desk.ask("choose-address", rows=ROWS)
    press("Down", "Return")
    assert desk.answer() == {"index": 1}
    desk.ask("new-passphrase", purpose="It encrypts your vault.")
    type_text(PASSPHRASE)
    press("Tab")
    type_text(PASSPHRASE)
    press("Return")
    assert desk.answer() == {"passphrase": PASSPHRASE.encode()}
    desk.ask("say", text="Done.")
    press("Return")
    assert desk.answer() == {}
    assert desk.close() == 0


def test_creating_words_and_checking_them(desk: Desk) -> None:
    desk.ask("show-mnemonic", words=WORDS)
    press("space", "Tab", "Tab", "Return")
    assert desk.answer() == {}
    desk.ask("check-mnemonic", positions=[1, 12])
    type_text("test junk ")
    press("Return")
    assert desk.answer() == {"words": ["test", "junk"]}
    assert desk.close() == 0


def test_passphrase_again_after_a_wrong_one(desk: Desk) -> None:
    desk.ask("passphrase", purpose="To unlock.")
    type_text("wrong")
    press("Return")
    assert desk.answer() == {"passphrase": b"wrong"}
    assert desk.uses.qsize() == 1  # told once, not for every key
    desk.ask("passphrase", purpose="To unlock.", retry="That is not the passphrase.")
    type_text("right")
    press("Return")
    assert desk.answer() == {"passphrase": b"right"}
    assert desk.close() == 0


def test_confirm_with_the_keyboard(desk: Desk) -> None:
    desk.ask("confirm", **confirmation(lines=30))
    desk.settle(1)
    press("Tab", "Return")  # the yes is not to be had yet: Tab finds nothing else than Cancel
    assert desk.answer() == ("declined", True)
    desk.ask("confirm", **confirmation(lines=30))
    desk.settle(1)
    press("End", "Tab", "Return")
    assert desk.answer() == {}
    assert desk.close() == 0


def test_escape_declines(desk: Desk) -> None:
    desk.ask("confirm", **confirmation())
    press("Escape")
    assert desk.answer() == ("declined", True)
    desk.ask("reveal", address=ADDRESS, secret="0x" + "ab" * 32)
    press("Escape")
    assert desk.answer() == ("declined", True)
    assert desk.close() == 0


def test_an_ask_this_desk_does_not_know_is_declined(desk: Desk) -> None:
    write_frame(desk.process.stdin, {"id": 1, "ask": "tomorrow"})
    desk._id = 1
    assert desk.answer() == ("declined", True)
    assert desk.close() == 0


def test_a_broken_frame_ends_it(desk: Desk) -> None:
    desk.ask("say", text="Hello.")
    desk.process.stdin.write(b"\xff\xff\xff\xff")
    desk.process.stdin.flush()
    assert desk.process.wait(timeout=60) == 0
    assert desk.answers.empty(), desk.answers.get()


def test_the_end_of_the_pipe_ends_it_while_a_secret_is_shown(desk: Desk) -> None:
    desk.ask("show-mnemonic", words=WORDS)
    press("space")
    started = time.monotonic()
    assert desk.close() == 0
    assert time.monotonic() - started < 30


def test_no_core_dump_no_new_privileges(desk: Desk) -> None:
    desk.ask("say", text="Hello.")
    process = Path(f"/proc/{desk.process.pid}")
    assert resource.prlimit(desk.process.pid, resource.RLIMIT_CORE) == (0, 0)
    assert "NoNewPrivs:\t1" in (process / "status").read_text()
    assert desk.close() == 0


def test_it_loads_nothing_heavy() -> None:
    heavy = {"pydantic", "eth_account", "web3", "cryptography", "zxingcpp", "qrcode", "PySide6.QtNetwork", "sqlite3", "socket"}
    code = "import sys, latchkey.ui.desk.window, latchkey.vault.harden; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)
