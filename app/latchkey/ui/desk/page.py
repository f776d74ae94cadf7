"""What every page of the desk shares: a title, a body, and a row with one way out and one way on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import Banner, Button, CheckBox, Label, PhraseLabel, Title

WIDTH = theme.space(76)
MARGIN, GAP = theme.space(3), theme.space(1.5)


class Page(QWidget):
    """One ask on screen: emits `answered` with the answer's map, or `declined`.

    `retry`: the signer's sentence on why it asks again. A subclass fills `body`, answers in `accept` and says what has the focus first.
    """

    answered = Signal(object)
    declined = Signal()
    lingers = False  # True where the answer mostly brings the next ask at once

    def __init__(self, title: str, lead: str = "", *, retry: str = "", go: str = tr("Continue"), may_stop: bool = True) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.body = QVBoxLayout()
        self.body.setSpacing(GAP)
        self.go = Button(go, self.accept, kind="primary")
        self.stop = Button(tr("Cancel"), self.declined.emit)
        self.stop.setVisible(may_stop)
        self.foot = QHBoxLayout()
        self.foot.setSpacing(GAP)
        self.foot.addStretch(1)
        self.foot.addWidget(self.stop)
        self.foot.addWidget(self.go)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        outer.setSpacing(GAP)
        outer.addWidget(Title(title))
        if lead:
            outer.addWidget(PhraseLabel(lead, tone="muted"))
        if retry:
            outer.addWidget(Banner("warning", retry))
        outer.addLayout(self.body, 1)
        outer.addSpacing(GAP)
        outer.addLayout(self.foot)

    def accept(self) -> None:
        """The way on was chosen."""
        self.answered.emit({})

    def first(self) -> QWidget:
        """What has the focus when the page appears."""
        return self.go

    def hide_secrets(self) -> None:
        """Called when the window loses the focus."""

    def forget(self) -> None:
        """Called once the ask is over: nothing typed or shown stays in a widget."""


def field(caption: str, edit: QWidget, parent: QVBoxLayout, note: QWidget | None = None) -> None:
    """A caption above an edit that already has its accessible name, and room below it for a note."""
    row = QVBoxLayout()
    row.setSpacing(theme.space(0.5))
    text = Label(caption, size=theme.SMALL, weight=QFont.Weight.Medium, tone="muted")
    text.setBuddy(edit)
    row.addWidget(text)
    row.addWidget(edit)
    if note is not None:
        row.addWidget(note)
    parent.addLayout(row)


def check_box(text: str, on_toggle: Callable[[bool], Any]) -> QCheckBox:
    made = CheckBox(text)
    made.toggled.connect(on_toggle)
    return made
