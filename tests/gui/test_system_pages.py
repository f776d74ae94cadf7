"""The pages that speak of the program itself: its log, its fault reports, the requests it can make."""

from __future__ import annotations

import os
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot
from tests.gui.conftest import names_missing

from latchkey.chain.outgoing import OUTGOING
from latchkey.store.journal import Event
from latchkey.store.paths import DataDir
from latchkey.store.reports import Reports, report
from latchkey.ui.pages.log import LogPage
from latchkey.ui.pages.settings_privacy import PrivacyCard
from latchkey.ui.pages.settings_system import KeyboardCard
from latchkey.ui.widgets import Button, Dialog
from latchkey.ui.window import Window

MakeWindow = Callable[..., Window]
SECRET = "https://rpc.example/v2/AbCdEf0123456789"


def press(root: QWidget, text: str) -> None:
    next(button for button in root.findChildren(Button) if text in (button.text(), button.accessibleName())).click()


def texts(root: QWidget) -> str:
    return "\n".join(label.text() for label in root.findChildren(QLabel))


def test_settings_lead_to_both(make_window: MakeWindow) -> None:
    window = make_window("settings")
    card = window.page.findChild(PrivacyCard)
    assert card is not None
    card.requests.click()
    assert window.page.accessibleName() == "Every request Latchkey can make"
    assert [entry.text() for entry in window.rail.entries.values() if entry.isChecked()] == ["Settings"]
    press(window.page, "Settings")
    card.log.click()
    assert isinstance(window.page, LogPage)


def test_settings_list_the_keys_of_the_window(make_window: MakeWindow) -> None:
    window = make_window("settings")
    card = window.page.findChild(KeyboardCard)
    assert card is not None
    listed = {label.text() for label in card.findChildren(QLabel)}
    own = {one.key().toString() for one in window.findChildren(QShortcut, options=Qt.FindChildOption.FindDirectChildrenOnly)}
    assert own - {f"Ctrl+{number}" for number in range(2, 10)} <= listed


def test_the_page_of_requests_holds_every_row(make_window: MakeWindow) -> None:
    window = make_window("privacy")
    shown = texts(window.page)
    for one in OUTGOING:
        assert all(text in shown for text in (one.what, one.to, one.when, one.reveals, *one.methods))
    assert names_missing(window) == []


def test_the_log_shows_what_was_noted_and_nothing_that_was_smuggled_in(make_window: MakeWindow, folder: DataDir) -> None:
    window = make_window()
    journal = window._context.journal
    journal.note(Event.ERROR, kind="Unreachable", code=SECRET)
    with folder.log.open("a") as file:
        file.write(f"2026-11-21T22:26:40Z error code={SECRET}\n{SECRET}\n")
    window.show_page("log")
    page = window.page
    assert isinstance(page, LogPage)
    lines = page.lines.toPlainText()
    assert "error kind=Unreachable code=?" in lines
    assert "page page=log" in lines
    assert SECRET not in lines
    page.copy.click()
    assert QApplication.clipboard().text() == lines
    assert names_missing(window) == []


def test_an_error_in_a_page_is_noted_by_its_code(make_window: MakeWindow, qtbot: QtBot) -> None:
    from latchkey.errors import ChainError

    window = make_window()

    def work(_job: object) -> None:
        raise ChainError("The RPC said: " + SECRET, code="TooSlow")

    window._context.tasks.run(work, failed=lambda _error: None)
    qtbot.waitUntil(lambda: "kind=ChainError code=TooSlow" in folder_log(window))
    assert SECRET not in folder_log(window)


def folder_log(window: Window) -> str:
    return window._context.journal.path.read_text()


def test_reports_are_shown_and_removed(make_window: MakeWindow, folder: DataDir, qtbot: QtBot) -> None:
    try:
        os.stat("/nonexistent/" + SECRET)  # noqa: PTH116
    except OSError as error:
        Reports(folder.reports).keep(report(error, now=0), now=0)
    window = make_window("log")
    page = window.page
    assert isinstance(page, LogPage)
    assert page.count.text() == "1 report is kept."
    press(page, "Show fault-19700101T000000Z.txt")
    [dialog] = window.findChildren(Dialog)
    press(dialog, "Copy report")
    assert "FileNotFoundError [ENOENT]" in QApplication.clipboard().text()
    press(dialog, "Close")
    page.remove.click()
    press(window.findChildren(Dialog)[-1], "Remove")
    qtbot.waitUntil(lambda: Reports(folder.reports).all() == ())
    assert page.count.text() == "No fault was met. Good."
