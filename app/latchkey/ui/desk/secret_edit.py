"""The field every secret is typed into.

Qt's password mode refuses to copy and to undo, but only while the text is hidden. This field keeps both promises while the text is
shown too; and as X11 copies whatever is selected, shown text cannot be selected. The one call that reads the field empties it.
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

_KEY = QKeySequence.StandardKey
_NEVER = (_KEY.Copy, _KEY.Cut, _KEY.Undo, _KEY.Redo, _KEY.DeleteEndOfLine)  # Qt copies what the last one deletes
_SELECTING = (
    _KEY.SelectAll, _KEY.SelectNextChar, _KEY.SelectPreviousChar, _KEY.SelectNextWord, _KEY.SelectPreviousWord, _KEY.SelectNextLine,
    _KEY.SelectPreviousLine, _KEY.SelectStartOfLine, _KEY.SelectEndOfLine, _KEY.SelectStartOfBlock, _KEY.SelectEndOfBlock,
    _KEY.SelectStartOfDocument, _KEY.SelectEndOfDocument, _KEY.Deselect,
)  # fmt: skip


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
        if event.matches(_KEY.DeleteCompleteLine):
            self.forget()
        elif not any(event.matches(key) for key in (_NEVER + _SELECTING if self._readable else _NEVER)):
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self._readable:
            super().mouseMoveEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._readable:
            super().mouseDoubleClickEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._readable:
            self.deselect()  # before Qt copies the selection
        super().mouseReleaseEvent(event)

    @property
    def _readable(self) -> bool:
        return self.echoMode() == QLineEdit.EchoMode.Normal
