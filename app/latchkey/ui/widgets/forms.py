"""Form rows: a label, an editor, a hint, and a place for what is wrong with it.

self.salt = Field("Salt", line_edit(placeholder="0"), hint="Leave 0 unless your wallet told you another number.")
self.salt.set_error("A salt is a whole number.")     # "" takes it away again
"""

from __future__ import annotations

from typing import Generic, TypeVar

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from latchkey.ui import theme
from latchkey.ui.widgets.text import Label, Muted, set_property
from latchkey.ui.widgets.toast import tell

W = TypeVar("W", bound=QWidget)


class Field(QWidget, Generic[W]):
    """One row of a form. `.editor` is the widget given; it gets its accessible name from the label."""

    def __init__(self, label: str, editor: W, *, hint: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editor = editor
        self._hint = hint
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(0.5))
        self.label = Label(label, size=theme.SMALL, weight=QFont.Weight.Medium, tone="muted")
        self.label.setBuddy(editor)
        self._below = Muted(hint)
        editor.setAccessibleName(label.replace("&", ""))
        editor.setAccessibleDescription(hint)
        rows.addWidget(self.label)
        rows.addWidget(editor)
        rows.addWidget(self._below)
        rows.addStretch(1)
        self._below.setVisible(bool(hint))

    @property
    def error(self) -> str:
        """What is wrong now, "" when nothing is."""
        return self._below.text() if self._below.property("tone") == "bad" else ""

    def set_hint(self, hint: str) -> None:
        self._hint = hint
        if not self.error:
            self.set_error("")

    def set_error(self, text: str) -> None:
        """Show what is wrong in place of the hint, mark the editor, tell assistive tools; "" takes it back."""
        if text and text != self.error and self.isVisible():
            tell(self.editor, text)
        self._below.set_tone("bad" if text else "muted")
        self._below.setText(text or self._hint)
        self._below.setVisible(bool(text or self._hint))
        self.editor.setAccessibleDescription(text or self._hint)
        set_property(self.editor, "invalid", bool(text))


def line_edit(text: str = "", *, placeholder: str = "", mono: bool = False, limit: int = 4096) -> QLineEdit:
    """A line to type in, capped at `limit` characters."""
    result = QLineEdit(text)
    result.setMaxLength(limit)
    result.setPlaceholderText(placeholder)
    result.setFont(theme.font(theme.BODY - (1 if mono else 0), mono=mono))
    return result


def text_edit(text: str = "", *, placeholder: str = "", mono: bool = True, lines: int = 5) -> QPlainTextEdit:
    """Room for some lines of plain text; Tab leaves it."""
    result = QPlainTextEdit(text)
    result.setPlaceholderText(placeholder)
    result.setTabChangesFocus(True)
    result.setFont(theme.font(theme.BODY - (1 if mono else 0), mono=mono))
    result.setFixedHeight(result.fontMetrics().lineSpacing() * lines + theme.space(3))
    return result
