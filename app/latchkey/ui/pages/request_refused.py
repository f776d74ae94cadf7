"""What came in and is not heard: answered before, or one too many. Said where it must be read, with the way to the list."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from latchkey.errors import LatchkeyError
from latchkey.language import tr
from latchkey.ui.context import Context
from latchkey.ui.widgets import Banner, Dialog, primary, secondary


def show_refused(context: Context, window: QWidget, error: LatchkeyError) -> Dialog:
    dialog = Dialog(tr("This request is not opened"), window)
    dialog.body.addWidget(Banner("warning", error.text))
    close = primary(tr("&Close"), dialog.reject)
    dialog.buttons.addWidget(secondary(tr("Show the requests"), dialog.accept))
    dialog.buttons.addWidget(close)
    dialog.accepted.connect(lambda: context.navigate("requests"))
    close.setDefault(True)
    dialog.open()
    return dialog
