"""The icon in the tray and notifications, over a real message bus with stand-ins of a desktop's tray and its notifications."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtWidgets import QSystemTrayIcon
from pytestqt.qtbot import QtBot
from tests.gui.conftest import OWNER_KEY, PASSPHRASE
from tests.gui.request_pictures import PAGE, asked
from tests.gui.test_suspend import PYTHON
from tests.message_bus import message_bus, wait_for_name, wait_until

from latchkey.flow.keys import open_signer
from latchkey.flow.requests import Requests, Source
from latchkey.store.paths import DataDir
from latchkey.store.settings import Settings, save
from latchkey.ui import portal, tray
from latchkey.ui.context import REVOKE_ALL
from latchkey.ui.tray import Tray
from latchkey.ui.window import Window
from latchkey.vault.model import Prompt, PromptMode

MakeWindow = Callable[..., Window]

# --- in the window


def trayed(window: Window) -> Tray:
    window.tray = Tray(window._context, window)
    return window.tray


def came(window: Window, number: int, *, proven: bool) -> None:
    requests: Requests = window._context.requests
    if proven:
        requests.arrived(asked(number), Source.BRIDGE, origin=PAGE, proven=True, reply=lambda _answer: None)
    else:
        requests.arrived(asked(number, name="<b>You won</b>"), Source.LINK)


def test_the_menu_does_what_the_window_does(make_window: MakeWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    window = make_window()
    its, went, toggled = trayed(window), list[tuple[str, object]](), list[bool]()
    monkeypatch.setattr(window._context, "navigate", lambda page, payload=None: went.append((page, payload)))
    assert [action.text() for action in its.menu.actions() if action.text()] == [
        "Show Latchkey", "Requests", "Unlock…", "Revoke all…", "Quit",
    ]  # fmt: skip
    window.hide()
    its.revoke_all.trigger()
    assert window.isVisible()
    its.requests.trigger()
    assert went == [("sessions", REVOKE_ALL), ("requests", None)]
    monkeypatch.setattr(window._context.lock, "unlock", lambda: toggled.append(True))
    its.lock.trigger()
    assert toggled == [True]


def test_it_counts_what_is_new(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    its = trayed(window)
    before = its.icon.icon().pixmap(32).toImage()
    for number in range(2):
        came(window, number, proven=False)
    qtbot.waitUntil(lambda: its.requests.text() == "Requests (2)")
    assert its.icon.toolTip() == "Latchkey: 2 new requests"
    assert its.icon.icon().pixmap(32).toImage() != before
    for record in window._context.requests.open():
        window._context.requests.see(record.id)
    qtbot.waitUntil(lambda: its.requests.text() == "Requests")
    assert its.icon.icon().pixmap(32).toImage() == before


def test_notifications_hold_no_words_of_a_stranger(make_window: MakeWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window = make_window()
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(portal, "notify", lambda *words: told.append(words))
    its = trayed(window)
    monkeypatch.setattr(window, "isActiveWindow", lambda: True)
    came(window, 1, proven=True)
    qtbot.waitUntil(lambda: its._known == 1)
    assert told == []  # the person is looking
    monkeypatch.setattr(window, "isActiveWindow", lambda: False)
    window._context.requests.arrived(asked(5), Source.QR)  # the person has just scanned it
    qtbot.waitUntil(lambda: its._known == 2)
    assert told == []
    came(window, 2, proven=True)
    qtbot.waitUntil(lambda: len(told) == 1)
    came(window, 3, proven=False)
    qtbot.waitUntil(lambda: len(told) == 2)
    assert told[0] == ("A request waits for you", f"{PAGE} asks for something. It waits under Requests.")
    assert "won" not in told[1][1]
    program = "A program on this computer, “you have won”"
    window._context.requests.arrived(asked(4), Source.BRIDGE, origin=program, proven=True, reply=lambda _answer: None)
    qtbot.waitUntil(lambda: len(told) == 3)
    assert "won" not in told[2][1]
    its.notify("<i>Ti&tle</i>", "a\nb" + "x" * 500)
    title, text = told[3]
    assert not set("<>&\n") & set(title + text)
    assert len(text) == tray._LONGEST
    window._context.change_settings(notifications=False)
    its.notify("Title", "text")
    assert len(told) == 4


def test_closing_hides_only_where_one_can_come_back(make_window: MakeWindow, monkeypatch: pytest.MonkeyPatch, qapp: object) -> None:
    window = make_window(close_to_tray=True)
    its = trayed(window)
    assert not its.icon.isVisible()  # there is no tray here
    assert not its.holds_window
    monkeypatch.setattr(its.icon, "isVisible", lambda: True)
    window.close()
    assert not window.isVisible()
    assert not window._context.closed
    window.show()
    ended: list[bool] = []
    monkeypatch.setattr("latchkey.ui.window.QApplication.quit", lambda: ended.append(True))
    its.quit.trigger()
    assert ended == [True]


# --- on a desktop

# The window, told on its standard input what happens around it.
_WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication
from latchkey.core.permissions import GasLimit
from latchkey.core.request import Claims, SessionRequest
from latchkey.flow.keys import open_signer
from latchkey.flow.requests import Source
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import load
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.tray import Tray
from latchkey.ui.window import Window
from latchkey.vault.model import Prompt, PromptMode

say = lambda *words: print(*words, flush=True)
app = QApplication(["latchkey"])
theme.apply(app, "light")
prompt = Prompt(PromptMode.FD, int(sys.argv[2]), script=True)
folder = DataDir.open(Path(sys.argv[1]))
make = {"make_client": lambda where: open_signer(where, prompt), "make_book": lambda where: Book.open(where.book)}
context = Context(folder, load(folder.settings), **make)
context.load()
window = Window(context, "grants")
window.show()
window.ready()
window.tray = Tray(context, window)
context.navigated.connect(lambda page, payload: say("page", page, payload))
seen = [False]

def locking():
    if context.lock.unlocked is not seen[-1]:
        seen.append(context.lock.unlocked)
        say("unlocked", context.lock.unlocked)

context.lock.changed.connect(locking)
window.isActiveWindow = lambda: False

def heard():
    match sys.stdin.readline().split():
        case ["link"]:
            context.requests.arrived(SessionRequest((GasLimit(1),), "r-1", claims=Claims("<b>x</b>")), Source.LINK)
        case ["news"]:
            context.notify("News", "<b>a</b> & b")
        case ["close"]:
            window.close()
            QTimer.singleShot(300, lambda: say("visible", window.isVisible()))
        case ["visible"]:
            say("visible", window.isVisible())

notifier = QSocketNotifier(0, QSocketNotifier.Type.Read)
notifier.activated.connect(heard)
say("tray", window.tray.icon.isVisible())
app.exec()
context.close()
say("ended")
"""
_PRESS = """
import dbus, sys
bus = dbus.bus.BusConnection(sys.argv[1])
for name in (name for name in bus.list_names() if name.startswith(":") and name != bus.get_unique_name()):
    try:
        menu = dbus.Interface(bus.get_object(name, "/MenuBar", introspect=False), "com.canonical.dbusmenu")
        items = menu.GetLayout(0, -1, dbus.Array([], "s"), timeout=30)[1][2]
    except dbus.DBusException:
        continue
    for item in items:
        if str(item[1].get("label", "")).replace("_", "") == sys.argv[2]:
            menu.Event(item[0], "clicked", dbus.Int32(0, variant_level=1), dbus.UInt32(0))
            sys.exit(0)
sys.exit("no such entry")
"""


@dataclass
class Desktop:
    address: str
    log: Path
    window: subprocess.Popen[str]

    def tell(self, words: str) -> None:
        assert self.window.stdin is not None
        self.window.stdin.write(f"{words}\n")
        self.window.stdin.flush()

    def line(self) -> str:
        assert self.window.stdout is not None
        return self.window.stdout.readline().strip()

    def press(self, entry: str) -> None:
        subprocess.run([PYTHON, "-c", _PRESS, self.address, entry], check=True)

    def notified(self, count: int) -> list[list[str]]:
        """Title and text of each notification, once there are so many."""
        wait_until(lambda: self.log.read_text().count(" Notify ") == count)
        return [re.findall(r'"([^"]*)"', line)[2:4] for line in self.log.read_text().splitlines() if " Notify " in line]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[str]:
    with message_bus(tmp_path) as address:
        yield address


@pytest.fixture
def desktop(bus: str, tmp_path: Path, passphrases: Callable[[str], int]) -> Iterator[Desktop]:
    log = tmp_path / "notifications.log"
    started: list[subprocess.Popen[str]] = []

    def start(*command: str, **options: object) -> subprocess.Popen[str]:
        started.append(subprocess.Popen(command, text=True, **options))  # type: ignore[call-overload]
        return started[-1]

    environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus, "DBUS_SYSTEM_BUS_ADDRESS": bus, "QT_QPA_PLATFORM": "xcb"}
    with log.open("w") as written:
        start(PYTHON, "-m", "dbusmock", "--template", "notification_daemon", env=environment, stdout=written)
    watcher = "org.kde.StatusNotifierWatcher"
    start(PYTHON, "-m", "dbusmock", watcher, "/StatusNotifierWatcher", watcher, env=environment, stdout=subprocess.DEVNULL)
    for name in (watcher, "org.freedesktop.Notifications"):
        wait_for_name(bus, name)
    mock = ["dbus-send", f"--bus={bus}", "--print-reply", f"--dest={watcher}", "/StatusNotifierWatcher"]
    mocked = "org.freedesktop.DBus.Mock"
    taking = [f"{mocked}.AddMethod", f"string:{watcher}", "string:RegisterStatusNotifierItem", "string:s", "string:", "string:"]
    showing = [f"{mocked}.AddProperty", f"string:{watcher}", "string:IsStatusNotifierHostRegistered", "variant:boolean:true"]
    for call in (taking, showing):
        subprocess.run([*mock, *call], check=True, capture_output=True)
    folder = DataDir.open(tmp_path / "data")
    maker = open_signer(folder, Prompt(PromptMode.FD, passphrases(f"{PASSPHRASE}\n"), script=True))
    maker.import_key("Main key", source_fd=passphrases(OWNER_KEY))
    maker.close()
    save(folder.settings, Settings(close_to_tray=True))
    fd = passphrases(f"{PASSPHRASE}\n")
    window = start(
        sys.executable, "-c", _WINDOW, str(folder.root), str(fd), env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        pass_fds=(fd,),
    )  # fmt: skip
    yield Desktop(bus, log, window)
    for process in reversed(started):
        process.kill()
        process.communicate()


@pytest.mark.skipif(not shutil.which("Xvfb"), reason="a tray needs a display")
def test_a_desktop_with_a_tray(desktop: Desktop) -> None:
    assert desktop.line() == "tray True"
    desktop.tell("link")
    desktop.notified(1)
    desktop.tell("news")
    assert desktop.notified(2) == [
        ["A request waits for you", "Nothing proves who sent it. It waits under Requests."],
        ["News", "‹b›a‹/b› ＆ b"],
    ]
    desktop.press("Unlock…")
    assert desktop.line() == "unlocked True"
    desktop.press("Lock")
    assert desktop.line() == "unlocked False"
    desktop.tell("close")
    assert desktop.line() == "visible False"
    desktop.press("Requests (1)")
    assert desktop.line() == "page requests None"
    desktop.tell("visible")
    assert desktop.line() == "visible True"
    desktop.press("Revoke all…")
    assert desktop.line() == f"page sessions {REVOKE_ALL}"
    desktop.press("Quit")
    assert desktop.line() == "ended"
    assert desktop.window.wait(60) == 0


def test_the_portal_where_there_is_no_tray(bus: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus, "DBUS_SYSTEM_BUS_ADDRESS": bus}
    log = tmp_path / "portal.log"
    name, interface = "org.freedesktop.portal.Desktop", "org.freedesktop.portal.Notification"
    with log.open("w") as written:
        mock = subprocess.Popen(
            [PYTHON, "-m", "dbusmock", name, "/org/freedesktop/portal/desktop", interface], env=environment, stdout=written
        )
    try:
        wait_for_name(bus, name)
        add = [
            "org.freedesktop.DBus.Mock.AddMethod",
            f"string:{interface}",
            "string:AddNotification",
            "string:sa{sv}",
            "string:",
            "string:",
        ]
        call = ["dbus-send", f"--bus={bus}", "--print-reply", f"--dest={name}", "/org/freedesktop/portal/desktop", *add]
        subprocess.run(call, check=True, capture_output=True)
        code = (
            "from PySide6.QtCore import QCoreApplication as A, QTimer; a = A([]); from latchkey.ui.portal import notify; "
            "print(notify('A title', 'A text')); QTimer.singleShot(500, a.quit); a.exec()"
        )
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "True"
        wait_until(lambda: "AddNotification" in log.read_text())
        assert 'AddNotification "latchkey" {"body": "A text", "title": "A title"}' in log.read_text()
    finally:
        mock.kill()
        mock.communicate()


def test_no_tray_here() -> None:
    """The tests above that count on that would tell nothing otherwise."""
    assert not QSystemTrayIcon.isSystemTrayAvailable()


def test_settings_switch_it(make_window: MakeWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    window = make_window("settings")
    card = window.page.system
    assert not card.close_to_tray.isEnabled()  # nothing to close to
    assert card.none.isVisible()
    card.notifications.click()
    assert not window._context.settings.notifications
    kept, fault = window._context.data_dir.settings, window.page.fault
    kept.unlink()
    kept.mkdir()
    card.notifications.click()  # holds, and is said not to be kept, beside what was clicked
    assert window._context.settings.notifications
    assert "could not be written" in fault.text
    assert "until Latchkey is closed" in fault.text
    assert window.page.body.indexOf(fault) == window.page.body.indexOf(card) - 1
    kept.rmdir()
    card.notifications.click()
    assert fault.isHidden()
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    card.refresh()
    assert not card.none.isVisible()
    card.close_to_tray.click()
    card.tray.click()
    assert (window._context.settings.close_to_tray, window._context.settings.tray) == (True, False)
    qtbot.waitUntil(lambda: not card.close_to_tray.isEnabled())
