"""The window: what it shows first, where its keys lead, that it asks before something is lost, that it paints before it loads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from tests.gui.conftest import fill, names_missing

from latchkey.errors import StoreError
from latchkey.flow.keys import stand_in
from latchkey.store import atomic
from latchkey.store.paths import DataDir
from latchkey.store.settings import load
from latchkey.ui import app as application
from latchkey.ui import single
from latchkey.ui.context import Context
from latchkey.ui.pages.trouble import TroublePage
from latchkey.ui.single import Visits
from latchkey.ui.widgets import Banner, Button, Dialog, Toast
from latchkey.ui.widgets.intake import OpenDialog
from latchkey.ui.window import MIN_SIZE, Window

MakeWindow = Callable[..., Window]

# None of these may be loaded before the first paint.
HEAVY = (
    "pydantic",
    "web3",
    "eth_account",
    "eth_abi",
    "cryptography",
    "zxingcpp",
    "coincurve",
    "qrcode",
    "cbor2",
    "sqlite3",
    "keyring",
)


def test_it_opens_on_the_grants_and_is_never_too_small(make_window: MakeWindow) -> None:
    window = make_window()
    assert window.page.accessibleName() == "Grants"
    assert (window.minimumWidth(), window.minimumHeight()) == MIN_SIZE
    assert window.page.minimumSizeHint().width() <= MIN_SIZE[0] - window.rail.width()


@pytest.mark.parametrize(
    ("key", "page"), [("1", "Sessions"), ("3", "Requests"), ("4", "Grants"), ("5", "Accounts"), ("6", "Settings")]
)
def test_numbers_lead_to_pages(make_window: MakeWindow, qtbot: QtBot, key: str, page: str) -> None:
    window = make_window("settings" if page != "Settings" else "grants")
    press(window, qtbot, getattr(Qt.Key, f"Key_{key}"))
    assert window.page.accessibleName() == page
    assert marked(window) == [page]


@pytest.mark.parametrize("key", [Qt.Key.Key_N, Qt.Key.Key_2])
def test_a_new_session_is_one_key_away(make_window: MakeWindow, qtbot: QtBot, key: Qt.Key) -> None:
    window = make_window()
    press(window, qtbot, key)
    assert window.page.accessibleName() == "New session"


def test_the_rail_leads_by_mouse(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    qtbot.mouseClick(window.rail.entries["accounts"], Qt.MouseButton.LeftButton)
    assert window.page.accessibleName() == "Accounts"
    qtbot.mouseClick(window.rail.entries["accounts"], Qt.MouseButton.LeftButton)
    assert marked(window) == ["Accounts"]


def test_locking_when_locked_says_so(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    press(window, qtbot, Qt.Key.Key_L)
    assert window.findChild(Toast).text == "Your keys are locked already."


def test_the_foot_names_where_the_accounts_are(make_window: MakeWindow, folder: DataDir) -> None:
    fill(folder)
    window = make_window()
    assert window.rail.where.text() == "3 networks"
    for account in window._context.book.accounts()[1:]:
        window._context.book.remove_account(account)
    window._context.changed.emit("accounts")
    assert window.rail.where.text() == "Practice chain"


def test_welcome_stands_alone(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window("welcome")
    assert not window.rail.isVisible()
    press(window, qtbot, Qt.Key.Key_3)
    assert window.page.accessibleName() == "Welcome"
    press(window, qtbot, Qt.Key.Key_Q)
    assert not window.isVisible()


def test_what_is_pasted_on_the_window_is_opened(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    QApplication.clipboard().setText("no request")
    press(window, qtbot, Qt.Key.Key_V)
    dialog = window.findChild(OpenDialog)
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.isVisible() and bool([b for b in dialog.findChildren(Banner) if b.isVisible()]))


# --- leaving


class Unsaved(QWidget):
    """A page that has something to lose."""

    def may_leave(self) -> str:
        return "What you entered will be lost."


@pytest.fixture
def unsaved(make_window: MakeWindow) -> Window:
    window = make_window()
    window._pages["unsaved"] = Unsaved()
    window._stack.addWidget(window._pages["unsaved"])
    window.show_page("unsaved")
    return window


def test_leaving_a_page_with_something_to_lose_asks(unsaved: Window, qtbot: QtBot) -> None:
    page = unsaved.page
    unsaved._context.navigate("accounts")
    qtbot.waitUntil(lambda: bool(unsaved.findChildren(Dialog)))
    assert unsaved.page is page
    answer(unsaved, "Stay")
    assert unsaved.page is page
    unsaved._context.navigate("accounts")
    answer(unsaved, "Leave")
    assert unsaved.page.accessibleName() == "Accounts"


def test_closing_asks_too(unsaved: Window, qtbot: QtBot) -> None:
    unsaved.close()
    assert unsaved.isVisible()
    answer(unsaved, "Stay")
    assert unsaved.isVisible()
    unsaved.close()
    answer(unsaved, "Close")
    qtbot.waitUntil(lambda: not unsaved.isVisible())


def test_where_the_window_stood_is_kept(make_window: MakeWindow, folder: DataDir, qtbot: QtBot) -> None:
    window = make_window()
    window.resize(1000, 700)
    qtbot.waitUntil(lambda: window.width() == 1000)
    window.close()
    kept = load(folder.settings)
    assert kept.window
    again = make_window(window=kept.window)
    assert (again.width(), again.height()) == (1000, 700)


# --- what is brought


@pytest.mark.parametrize("kind", ["text", "url"])
def test_the_window_invites_what_is_dragged_over_it(make_window: MakeWindow, qtbot: QtBot, kind: str) -> None:
    window = make_window()
    data = QMimeData()
    data.setText("{}") if kind == "text" else data.setUrls(["file:///tmp/request.latchkey"])
    event = entering(data)
    window.dragEnterEvent(event)
    assert event.isAccepted()
    assert window._drop.isVisible()
    window.resize(950, 650)
    qtbot.waitUntil(lambda: window._drop.width() == 950 - 32)
    window.dragLeaveEvent(QDragLeaveEvent())
    assert not window._drop.isVisible()


def test_nothing_is_taken_from_an_empty_drag(make_window: MakeWindow) -> None:
    window, data = make_window(), QMimeData()
    event = entering(data)
    event.ignore()
    window.dragEnterEvent(event)
    assert not event.isAccepted()


# --- the lock's clock


def unlocked() -> SimpleNamespace:
    return SimpleNamespace(unlocked=True, keys=(), expert=False)


def test_the_clock_counts_down_and_locks(make_context: Callable[..., Context], qtbot: QtBot) -> None:
    context = make_context(idle_minutes=1)
    context.set_status(unlocked())
    lock = context.lock
    assert lock.sentence == "Unlocked · locks in 1 min"
    lock._tick()
    assert lock.sentence == "Unlocked · locks in 59 s"
    for _ in range(59):
        lock._tick()
    qtbot.waitUntil(lambda: not lock.unlocked)  # the real client has no signer to end and says: locked
    assert lock.sentence == "Keys are locked"


def test_use_starts_the_clock_anew(make_context: Callable[..., Context], qtbot: QtBot) -> None:
    context = make_context(idle_minutes=1)
    context.set_status(unlocked())
    for _ in range(30):
        context.lock._tick()
    context.lock.eventFilter(context, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier))
    context.lock._tick()
    assert context.lock.sentence == "Unlocked · locks in 59 s"


# --- starting


def test_a_vaults_copy_that_stands_in_is_told_until_it_is_put_away(folder: DataDir, make_window: MakeWindow, qtbot: QtBot) -> None:
    sample = (Path(__file__).parents[1] / "vault/samples/vault-1.latchkey-vault").read_bytes()
    atomic.last_good(folder.vault).write_bytes(sample)
    for spoilt, why in ((sample[:-1], "is damaged"), (None, "does not exist")):
        folder.vault.unlink(missing_ok=True) if spoilt is None else folder.vault.write_bytes(spoilt)
        window = make_window(loaded=False)
        application._load(window._context, window, Visits(window._context, window))
        qtbot.waitUntil(window.notices.isVisible)
        [banner] = window.notices.findChildren(Banner)
        assert why in banner.text
        assert "the passphrase may be the one before" in banner.text
        assert names_missing(window) == []
        [away] = window.notices.findChildren(Button)
        away.click()
        assert not window.notices.isVisible()
    folder.vault.write_bytes(sample)
    assert stand_in(folder) is None


def test_a_damaged_book_is_told_kindly_and_can_be_tried_again(folder: DataDir, make_window: MakeWindow, qtbot: QtBot) -> None:
    folder.book.write_bytes(b"this is no book" * 100)
    window = make_window(loaded=False)
    application._load(window._context, window, Visits(window._context, window))
    qtbot.waitUntil(lambda: bool(window.findChildren(TroublePage)))
    page = window.findChild(TroublePage)
    assert "book" in page.findChild(Banner).text
    folder.book.unlink()
    [again] = [button for button in page.findChildren(Button) if button.text() == "Try again"]
    again.click()
    qtbot.waitUntil(lambda: window._is_ready)
    assert window.page.isVisible()
    assert window.rail.isVisible()


def test_a_folder_in_use_is_refused_with_a_sentence(folder: DataDir, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> None:
    told: list[str] = []
    monkeypatch.setattr(application, "_tell_kindly", lambda _app, error: told.append(error.text))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(application, "qInstallMessageHandler", lambda _handler: None)
    monkeypatch.setattr(single, "_PATIENCE", 0.1)
    with folder.lock():
        assert application.run(folder.root) == 1
    assert told == ["Another Latchkey is using this data folder; close it first."]


def run_python(program: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=250, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("vault", [True, False], ids=["sessions", "welcome"])
def test_it_paints_before_anything_heavy_is_loaded(folder: DataDir, vault: bool) -> None:
    if vault:
        folder.vault.touch()
    program = f"""
import json, sys
from latchkey.ui.app import main
code = main({str(folder.root)!r})
print(json.dumps([code, [name for name in {HEAVY!r} if name in sys.modules]]))
"""
    first, page, rest = run_python(program, LATCHKEY_FIRST_PAINT="1").splitlines()
    times = [re.fullmatch(rf"{what} (\d+)", line) for what, line in (("first-paint", first), ("page-paint", page))]
    assert int(times[0][1]) <= int(times[1][1])
    assert json.loads(rest) == [0, []]


def test_settings_that_cannot_be_kept_are_no_reason_to_stay(make_window: MakeWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("No room.")

    monkeypatch.setattr("latchkey.store.settings.save", refuse)
    window = make_window()
    assert window.close()


# --- helpers


def entering(data: QMimeData) -> QDragEnterEvent:
    """The event does not keep `data`; the caller does."""
    return QDragEnterEvent(QPoint(9, 9), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)


def press(window: Window, qtbot: QtBot, key: Qt.Key) -> None:
    with qtbot.waitActive(window):
        window.activateWindow()
    QTest.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)


def marked(window: Window) -> list[str]:
    return [entry.text() for entry in window.rail.entries.values() if entry.isChecked()]


def answer(window: Window, text: str) -> None:
    """Press the button `text` of the question that is open."""
    dialog = window.findChildren(Dialog)[-1]
    [button] = [one for one in dialog.findChildren(Button) if one.text() == text]
    button.click()


def test_resources_are_found(tmp_path: Path) -> None:
    from latchkey.shipped import resource

    assert resource("icons/latchkey.svg").is_file()
