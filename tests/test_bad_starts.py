"""Real starts in bad surroundings: the program comes up, or ends with one sentence, and what a person owns is as it was.

Each is a process of its own with a home of its own. `start` drives the window through its event loop: it waits until the program said
something, writes what it sees as JSON, and closes it like a person would.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from latchkey.flow.accounts import from_address
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import NetworkSettings, Settings, save
from tests.counts import count

pytestmark = pytest.mark.gui
SOMEONE = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
SAMPLE = Path(__file__).parent / "vault" / "samples"

_DRIVER = """
import json, os, resource, sys
{before}
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox
from latchkey.ui import app as application
app = QApplication(["latchkey"])
seen = dict(page="", said=[], boxes=[], trouble="")
def look():
    from latchkey.ui.window import Window
    for widget in app.topLevelWidgets():
        if isinstance(widget, QMessageBox) and widget.isVisible():
            seen["boxes"].append(widget.text())
            widget.accept()
        if isinstance(widget, Window) and widget._rail is not None:
            from latchkey.ui.pages.trouble import TroublePage
            from latchkey.ui.widgets import Banner, Toast
            noticed = [banner.text for banner in widget.notices.findChildren(Banner)]
            seen["said"] = sorted({{*seen["said"], *noticed, *(t.text for t in widget.findChildren(Toast) if t.text)}})
            for page in widget.findChildren(TroublePage):
                seen["trouble"] = page.findChild(Banner).text
                finish(widget)
                return
            if widget._is_ready:
                seen["page"] = widget._page
                finish(widget)
def finish(window):
    timer.stop()
    QTimer.singleShot(200, window.close)
timer = QTimer(interval=50); timer.timeout.connect(look); timer.start()
QTimer.singleShot(25000, lambda: app.exit(9))
code = application.main({data})
print(json.dumps(dict(seen, code=code)))
"""


@dataclass(frozen=True)
class Seen:
    page: str
    said: list[str]
    boxes: list[str]
    trouble: str
    code: int
    stderr: str


def start(home: Path, *, data: Path | None = None, before: str = "", **environment: str) -> Seen:
    """`data`: the data folder, None for the usual place in `home`. `before`: code that runs first."""
    kept = {name: os.environ[name] for name in ("PATH", "DISPLAY", "QT_QPA_PLATFORM", "LC_ALL") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER.format(data=repr(str(data)) if data else None, before=before)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
        env={**kept, "QT_QPA_PLATFORM": "offscreen", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        cwd="/",
    )
    assert done.stdout.strip(), done.stderr
    return Seen(**json.loads(done.stdout.splitlines()[-1]), stderr=done.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> DataDir:
    """A folder that is in use: a vault, a book with an account, settings with an RPC."""
    made = DataDir.open(tmp_path / "data")
    made.vault.write_bytes(next(SAMPLE.glob("*.latchkey-vault")).read_bytes())
    made.vault.chmod(0o600)
    with Book.open(made.book) as book:
        book.add_account(from_address(8453, SOMEONE, label="Savings"))
    save(made.settings, Settings(networks=(NetworkSettings(8453, rpc="http://127.0.0.1:9/key"),)))
    return made


def content(folder: Path) -> dict[str, str]:
    """What is in the folder, but for what each start writes."""
    ours = ("log", "lock", "reports")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(ours)
    }


def some(*cases: Any) -> list[Any]:
    """The first two of them; all when soaking."""
    return list(cases[: count(2, len(cases))])


SPOILT_SETTINGS = (
    pytest.param(b"{", id="half"),
    pytest.param(b"\x00" * 4096, id="zeros"),
    pytest.param(b"", id="empty"),
    pytest.param(b'{"window": 5}', id="type"),
    pytest.param(b'{"appearance": "sepia"}', id="value"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b'{"window": "' + b"A" * 300_000 + b'"}', id="large"),
)


def test_a_good_start_to_compare_with(tmp_path: Path, folder: DataDir) -> None:
    before = content(folder.root)
    seen = start(tmp_path, data=folder.root)
    assert (seen.page, seen.said, seen.trouble, seen.code, seen.stderr) == ("sessions", [], "", 0, "")
    after = content(folder.root)
    assert {name: after[name] for name in before if name != "settings.json"} == {
        name: before[name]
        for name in before
        if name != "settings.json"  # where the window stood
    }


@pytest.mark.parametrize("spoilt", some(*SPOILT_SETTINGS))
def test_spoilt_settings(tmp_path: Path, folder: DataDir, spoilt: bytes) -> None:
    folder.settings.write_bytes(spoilt)
    seen = start(tmp_path, data=folder.root)
    assert (seen.page, seen.code, seen.stderr) == ("sessions", 0, "")
    [said] = seen.said
    assert said.startswith(
        "The settings could not be read; Latchkey starts with its defaults. They are kept as settings.json.damaged-"
    )
    [aside] = folder.root.glob("settings.json.damaged-*")
    assert aside.read_bytes() == spoilt


def test_settings_with_a_good_copy_come_back(tmp_path: Path, folder: DataDir) -> None:
    save(folder.settings, Settings(idle_minutes=7))  # the first ones are the good copy now
    folder.settings.write_bytes(b"{")
    seen = start(tmp_path, data=folder.root)
    assert seen.said == ["The settings file was damaged; those from before the last change are used."]
    assert b"127.0.0.1:9" in folder.settings.read_bytes() + folder.settings.with_name("settings.json.bak").read_bytes()


@pytest.mark.parametrize("state", some(b"\x01\xd9\xd0\xcb" + b"\xff" * 60, bytes(66), b"no state of a window")[: count(1, 9)])
def test_a_spoilt_window_state(tmp_path: Path, folder: DataDir, state: bytes) -> None:
    save(folder.settings, Settings(window=state))
    seen = start(tmp_path, data=folder.root)
    assert (seen.page, seen.said, seen.code, seen.stderr) == ("sessions", [], 0, "")


@pytest.mark.parametrize("keep", some(0.5, -1, 4096, 1))
def test_a_half_written_book(tmp_path: Path, folder: DataDir, keep: float) -> None:
    whole = folder.book.read_bytes()
    spoilt = {1: whole[:1], 4096: whole[:4096], 0.5: whole[: len(whole) // 2], -1: whole[:8192] + b"\xff" * 4096 + whole[12288:]}[
        keep
    ]
    folder.book.write_bytes(spoilt)
    before = content(folder.root)
    seen = start(tmp_path, data=folder.root)
    assert seen.trouble in ("book.sqlite is damaged or not a book.", "The book is damaged.")
    assert (seen.page, seen.code, seen.stderr) == ("", 0, "")
    after = content(folder.root)
    assert {n: h for n, h in after.items() if not n.startswith("settings")} == {
        n: h for n, h in before.items() if not n.startswith("settings")
    }


def test_a_spoilt_vault_is_said_and_left_alone(tmp_path: Path, folder: DataDir) -> None:
    folder.vault.write_bytes(folder.vault.read_bytes()[:50])
    spoilt = folder.vault.read_bytes()
    seen = start(tmp_path, data=folder.root)
    assert seen.code == 0
    assert seen.stderr == ""
    assert folder.vault.read_bytes() == spoilt


def test_no_fonts(tmp_path: Path, folder: DataDir) -> None:
    config = tmp_path / "fonts.conf"
    config.write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>')
    seen = start(tmp_path, data=folder.root, FONTCONFIG_FILE=str(config), XDG_DATA_HOME=str(tmp_path / "nothing"))
    assert (seen.page, seen.code) == ("sessions", 0)
    assert "No fonts are installed" in seen.stderr


@pytest.mark.parametrize("address", some("", "unix:path=/nonexistent/bus", "nonsense")[: count(1, 9)])
def test_no_message_bus(tmp_path: Path, folder: DataDir, address: str) -> None:
    bus = {"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/system", "XDG_RUNTIME_DIR": str(tmp_path / "nothing")}
    seen = start(tmp_path, data=folder.root, DBUS_SESSION_BUS_ADDRESS=address, **bus)
    assert (seen.page, seen.code) == ("sessions", 0)


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of two megabytes in memory. Skips the test where that may not be mounted."""
    place.mkdir()
    if os.name != "posix" or os.getuid() != 0 or not mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)):
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def mount(*arguments: str) -> bool:
    return shutil.which("mount") is not None and subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


def moved(folder: DataDir, to: Path) -> Path:
    shutil.copytree(folder.root, to, copy_function=shutil.copy)
    to.chmod(0o700)
    return to


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    """Root may write anywhere, so a file stands where the folder would be; the refusal takes the same way."""
    (tmp_path / ".local").write_text("in the way")
    seen = start(tmp_path)
    assert seen.code == 1
    [text] = seen.boxes
    assert text.startswith("The data folder ")
    assert "cannot be used" in text
    assert (tmp_path / ".local").read_text() == "in the way"


def test_a_folder_that_may_only_be_read(tmp_path: Path, folder: DataDir) -> None:
    with small_disk(tmp_path / "disk") as disk:
        data = moved(folder, disk / "data")
        before = content(data)
        assert mount("-o", "remount,ro", str(disk))
        seen = start(tmp_path, data=data)
        assert seen.code == 1
        assert seen.boxes == [f"The data folder {data} cannot be written: Read-only file system. Name another one with --data-dir."]
        assert content(data) == before


def test_a_full_disk(tmp_path: Path, folder: DataDir) -> None:
    """The folder lies on a disk without one free byte: what was there is there, and it is said."""
    with small_disk(tmp_path / "disk") as disk:
        data = moved(folder, disk / "data")
        _fill(disk / "filler")
        before = content(data)
        seen = start(tmp_path, data=data)
        assert (seen.code, seen.stderr) == (0, "")
        assert seen.page == "sessions" or "no room" in seen.trouble
        assert content(data) == before


def _fill(path: Path) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while os.write(fd, b"\xff" * 4096):
            pass
    os.close(fd)


def test_no_file_may_grow(tmp_path: Path, folder: DataDir) -> None:
    """The same without rights: every write beyond some bytes fails."""
    before = content(folder.root)
    limit = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))"
    seen = start(tmp_path, data=folder.root, before=limit)
    assert seen.code == 0
    assert seen.page == "sessions" or seen.trouble
    assert content(folder.root) == before


def test_a_new_book_in_place_of_a_spoilt_one(tmp_path: Path, folder: DataDir) -> None:
    folder.book.write_bytes(b"this is no book" * 1000)
    press = """
from PySide6.QtCore import QTimer as _T
def press():
    from PySide6.QtWidgets import QApplication
    from latchkey.ui.pages.trouble import TroublePage
    from latchkey.ui.widgets import Button, Dialog
    app = QApplication.instance()
    for window in (app.topLevelWidgets() if app else ()):
        for dialog in window.findChildren(Dialog):
            [b.click() for b in dialog.findChildren(Button) if b.text() == "Start with an empty book"]
            pressing.stop()
            return
        for page in window.findChildren(TroublePage):
            [b.click() for b in page.findChildren(Button) if b.text() == "Start with an empty book…"]
"""
    patch = press + "\nimport builtins\n"
    driver = _DRIVER.replace("for page in widget.findChildren(TroublePage):", "for page in ():").replace(
        "code = application.main",
        "pressing = _T(interval=100); pressing.timeout.connect(press); pressing.start()\ncode = application.main",
    )
    done = subprocess.run(
        [sys.executable, "-c", driver.format(data=repr(str(folder.root)), before=patch)],
        capture_output=True, text=True, timeout=250, check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
    )  # fmt: skip
    seen = json.loads(done.stdout.splitlines()[-1])
    assert (seen["page"], seen["code"]) == ("sessions", 0), done.stderr
    [aside] = folder.root.glob("book.sqlite.damaged-*")
    assert aside.read_bytes() == b"this is no book" * 1000
    with Book.open(folder.book) as book:
        assert book.accounts() == ()
