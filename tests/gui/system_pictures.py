"""What the program says of itself: requests it can make, its log, a fault of its own, a book that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gui.pictures import NOW, Stage, picture

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def _privacy(stage: Stage) -> QWidget:
    window = stage.window()
    window.show_page("privacy")
    return window


def _log(stage: Stage) -> QWidget:
    from latchkey.store.journal import Event
    from latchkey.store.reports import Reports, report

    window = stage.window()
    context = window._context
    context.journal._clock = lambda: NOW
    context.journal.note(Event.STARTED, version="0.1.0", python="3.11.7", qt="6.11.3", system="Linux", offline="no")
    context.journal.note(Event.UNLOCKED)
    context.journal.note(Event.ERROR, kind="Unreachable", code="BadCertificate")
    Reports(context.data_dir.reports).keep(report(_fault(), now=NOW), now=NOW)
    window.show_page("log")
    return window


def _dialog(stage: Stage) -> QWidget:
    from latchkey.store.reports import Reports, report
    from latchkey.ui.fault_dialog import FaultDialog
    from latchkey.ui.faults import Faults

    window = stage.window()
    text = report(_fault(), now=NOW)
    kept = Reports(window._context.data_dir.reports).keep(text, now=NOW)
    dialog = FaultDialog(Faults(parent=window), window, text, kept)
    dialog.show()
    return dialog


def _trouble(stage: Stage) -> QWidget:
    from latchkey.errors import StoreError
    from latchkey.ui.pages.trouble import TroublePage

    window = stage.window(size=(1180, 700))
    error = StoreError("book.sqlite is damaged or not a book.", code="Damaged")
    window.show_trouble(TroublePage(error, window._context.data_dir.root, lambda: None, lambda: None))
    return window


def _fault() -> Exception:
    try:
        int("twelve")
    except ValueError as error:
        return error
    raise AssertionError


picture("privacy", _privacy)
picture("log", _log)
picture("fault", _dialog)
picture("trouble-book", _trouble)
