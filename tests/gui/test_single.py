"""One window for each data folder: real second starts hand over a link or a file and end; a crashed one's socket stops nobody."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from tests.gui.test_intake import RAW, TEXT

from latchkey.codec.link import to_link
from latchkey.store.paths import DataDir
from latchkey.ui import single
from latchkey.ui.single import MAX_LINE, Door, hand_over, place_of, read_line

Start = Callable[..., "subprocess.Popen[str]"]

# The program itself, which says what it is asked to open and by which page it is shown.
_PROGRAM = """
import sys
from latchkey.ui import app, context
navigate = context.Context.navigate
def said(self, page, payload=None):
    print("page", page, type(payload).__name__, getattr(payload, "source", ""), flush=True)
    navigate(self, page, payload)
context.Context.navigate = said
from latchkey.ui.window import Window
ready = Window.ready
def told(self):
    ready(self)
    print("ready", flush=True)
Window.ready = told
from latchkey import __main__
sys.exit(__main__.main(sys.argv[1:]))
"""


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lk") as path:  # a short name: the address of a socket has little room
        monkeypatch.setenv("XDG_RUNTIME_DIR", path)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
        yield Path(path)


@pytest.fixture
def start(runtime: Path) -> Iterator[Start]:
    made: list[subprocess.Popen[str]] = []

    def make(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _PROGRAM, *arguments]
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        made.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return made[-1]

    yield make
    for process in made:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_start_hands_over_and_ends(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "a request.json"
    file.write_text(json.dumps(json.loads(TEXT) | {"latchkey": {"requestId": "another"}}))
    first = start()
    assert line(first) == "ready"
    second = start("--link", "--", to_link(RAW))
    assert second.wait(60) == 0
    assert line(first) == "page wizard Record link"
    third = start("--open", os.path.relpath(file))
    assert third.wait(60) == 0
    assert line(first) == "page wizard Record file"
    assert start().wait(60) == 0  # nothing to open: the window comes to the front
    assert first.poll() is None


def test_a_crashed_window_leaves_nothing_in_the_way(start: Start, runtime: Path) -> None:
    first = start()
    assert line(first) == "ready"
    place = Path(place_of(DataDir.open()))
    assert place.parent == runtime
    assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0
    first.send_signal(signal.SIGKILL)
    first.wait(60)
    assert place.exists()
    second = start()
    assert line(second) == "ready"
    assert start("--link", "--", to_link(RAW)).wait(60) == 0
    assert line(second) == "page wizard Record link"


# --- the door


@pytest.fixture
def folder(tmp_path: Path, runtime: Path) -> DataDir:
    return DataDir.open(tmp_path / "data")


@pytest.fixture
def door(folder: DataDir, qtbot: QtBot) -> Iterator[tuple[Door, list[str]]]:
    made, asked = Door(folder), list[str]()
    made.asked.connect(asked.append)
    assert made.open()
    yield made, asked
    made.close()


def say(folder: DataDir, qtbot: QtBot, raw: bytes) -> bytes:
    """What the door answers to these bytes."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(place_of(folder))
        client.sendall(raw)
        client.setblocking(False)
        said = bytearray()

        def answered() -> bool:
            try:
                part = client.recv(100)
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
            said.extend(part)
            return not part

        qtbot.waitUntil(answered)
        return bytes(said)


def asking(**changes: object) -> bytes:
    return json.dumps({"open": "latchkey:grant/abc", "offline": False, "token": ""} | changes).encode() + b"\n"


def test_what_the_door_takes(folder: DataDir, door: tuple[Door, list[str]], qtbot: QtBot) -> None:
    for what in ("latchkey:grant/abc", "LATCHKEY:x", "/home/someone/a request.json", ""):
        assert say(folder, qtbot, asking(open=what)) == b"taken\n"
    assert door[1] == ["latchkey:grant/abc", "LATCHKEY:x", "/home/someone/a request.json", ""]


@pytest.mark.parametrize(
    "raw",
    [
        b"\n",
        b"hello\n",
        b"[]\n",
        b"{}\n",
        asking(open=None),
        asking(open=7),
        asking(open="relative.json"),
        asking(open="https://rooms.example"),
        asking(open="latchkey:" + "x" * 24_000),
        asking(open="/two\nlines"),
        asking(token="\x00"),
        asking(offline="no"),
        asking(more=1),
        b"\xff\xfe\n",
        b"x" * (MAX_LINE + 1),
    ],
)
def test_what_the_door_does_not_take(folder: DataDir, door: tuple[Door, list[str]], qtbot: QtBot, raw: bytes) -> None:
    assert say(folder, qtbot, raw) in (b"bad\n", b"")
    assert door[1] == []
    assert read_line(raw) is None
    assert say(folder, qtbot, asking()) == b"taken\n"


def test_whoever_says_nothing_is_shown_out(folder: DataDir, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a door that goes in the same moment takes nothing down with it."""
    monkeypatch.setattr(single, "_TAKES_MS", 20)
    for _ in range(20):
        made = Door(folder)
        assert made.open()
        assert say(folder, qtbot, b"{") == b""
        made.close()
        del made


def test_another_profile_does_not_take_it(folder: DataDir, door: tuple[Door, list[str]], qtbot: QtBot) -> None:
    assert say(folder, qtbot, asking(offline=True)) == b"other-profile\n"
    assert door[1] == []


def test_nobody_there(folder: DataDir) -> None:
    begun = time.monotonic()
    assert not hand_over(folder, "latchkey:grant/abc", patience=0.2)
    assert time.monotonic() - begun < 10
    Path(place_of(folder)).write_text("not a socket")
    assert not hand_over(folder, None, patience=0)


def test_where_it_listens(tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (DataDir.open(runtime / name) for name in ("one", "other"))
    assert place_of(one) != place_of(other)
    assert Path(place_of(one)).parent == runtime
    runtime.chmod(0o755)  # others could put a socket there
    assert Path(place_of(one)).parent == one.root
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert Path(place_of(one)).parent == one.root
    longest = single._MAX_PATH - len(Path(place_of(one)).name) - len(str(runtime)) - 2
    for length in (longest, longest + 1):
        folder = DataDir.open(runtime / ("x" * length))
        assert Door(folder).open() is bool(place_of(folder)) is (length == longest)
    deep = DataDir.open(tmp_path / ("x" * 120))
    assert place_of(deep) == ""
    made = Door(deep)
    assert not made.open()
    assert not hand_over(deep, None)
