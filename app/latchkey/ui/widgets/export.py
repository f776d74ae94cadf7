"""What leaves the window by the clipboard or as a file, said either way at its foot."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from latchkey.language import tr
from latchkey.ui.widgets.toast import announce


def copy_text(source: QWidget, text: str, news: str = "") -> bool:
    """Put a text on the clipboard; whether it took it, which is looked at, for some do not."""
    clipboard = QGuiApplication.clipboard()
    clipboard.setText(text)
    if clipboard.text() == text:
        announce(source, news or tr("Copied."))
        return True
    announce(source, tr("The clipboard did not take it."), tone="bad")
    return False


def write_file(source: QWidget, path: Path, data: bytes) -> bool:
    """Write a file that only its owner reads, also where one was that others could read; whether it is there."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            with suppress(OSError, AttributeError):  # a stick's file system, or Windows, knows no modes
                os.fchmod(file.fileno(), 0o600)
            file.write(data)
    except OSError as error:
        announce(source, tr("The file could not be written: {reason}.", reason=error.strerror), tone="bad")
        return False
    announce(source, tr("Saved."))
    return True
