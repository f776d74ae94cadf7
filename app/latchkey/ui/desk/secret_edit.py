"""The field every secret is typed into.

Qt's password mode already refuses to copy and to undo, but only while the text is hidden. This field keeps both promises while
the text is shown too, never hands text to the X11 selection, and is emptied by the one call that reads it.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import QLineEdit, QWidget

HINTS = (
    Qt.InputMethodHint.ImhHiddenText
    | Qt.InputMethodHint.ImhSensitiveData
    | Qt.InputMethodHint.ImhNoPredictiveText
    | Qt.InputMethodHint.ImhNoAutoUppercase
)
MAX_LENGTH = 1024

_LEAKING = (
    QKeySequence.StandardKey.Copy,
    QKeySequence.StandardKey.Cut,
    QKeySequence.StandardKey.Undo,
    QKeySequence.StandardKey.Redo,
    QKeySequence.StandardKey.DeleteEndOfLine,  # Qt copies what it deletes
)


class SecretEdit(QLineEdit):
    """A line for a secret: hidden unless `show_text(True)`, pasted into but never copied from."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setDragEnabled(False)
        self.setAcceptDrops(False)
        self.setMaxLength(MAX_LENGTH)
        self.show_text(False)

    def show_text(self, shown: bool) -> None:
        self.deselect()
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
        # setEchoMode rewrites both for the visible mode; an input method must not see the text there either.
        self.setInputMethodHints(HINTS)
        self.setAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled, False)

    def take(self) -> str:
        """The text, once: the field and its edit history are empty afterwards."""
        text = self.text()
        self.forget()
        return text

    def forget(self) -> None:
        self.setText("")  # unlike clear(), setText drops the edit history

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.DeleteCompleteLine):
            self.forget()
        elif not any(event.matches(key) for key in _LEAKING):
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.echoMode() == QLineEdit.EchoMode.Normal:
            self.deselect()  # a selection of shown text would go to the X11 selection here
        super().mouseReleaseEvent(event)
