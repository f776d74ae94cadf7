"""What the steps' pages share: they draw a view of the wizard and hand changed states back; nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from latchkey.core.account import Account, Mode
from latchkey.core.types import ZERO_ADDRESS
from latchkey.core.words_pieces import Names
from latchkey.flow.wizard import Problem, WizardState, World, chain_of, notes_for
from latchkey.store.records import KeptContract
from latchkey.ui import theme
from latchkey.ui.widgets import Banner, Field, Muted, Tile


@dataclass(frozen=True, slots=True)
class View:
    """What a page draws. `attempted`: the person pressed Next, so blanks are mistakes now. `keep`: keeps the functions of a contract by
    name, to be chosen from next time."""

    state: WizardState
    world: World
    problems: tuple[Problem, ...]
    attempted: bool
    keep: Callable[[KeptContract], object] = field(default=lambda _contract: None, compare=False)

    def fault(self, path: str, *, card: int | None = None) -> str:
        """What is wrong with a field, "" while it is merely not filled in yet."""
        return next((p.text for p in self.problems if p.card == card and p.path.endswith(path) and self.shows(p)), "")

    def shows(self, problem: Problem) -> bool:
        return self.attempted or not problem.blank


def names_of(view: View) -> Names:
    """How things are called for the chosen account, or for none yet."""
    account = view.state.account or Account(chain_of(view.state) or 1, ZERO_ADDRESS, "modular_account", Mode.ADDRESS)
    return Names(account, view.state.claims, notes_for(view.state, view.world))


class StepPage(QWidget):
    """One step. `edited(state)`: the person changed something. `onward`: Enter was pressed on a choice, which means "and go on"."""

    edited = Signal(object)
    onward = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.view: View | None = None
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(theme.space(2))

    def draw(self, view: View) -> None:
        """Show `view`. Fields that say so already are left alone, so that typing is never disturbed."""
        self.view = view
        self._draw(view)

    def redraw(self) -> None:
        """Draw again what is drawn, when a field was left."""
        if self.view is not None:
            self.draw(self.view)

    def _draw(self, view: View) -> None:
        raise NotImplementedError

    def first(self) -> QWidget:
        """What gets the focus when the page is entered."""
        raise NotImplementedError

    def change(self, **fields: Any) -> None:
        """Hand in the state with some fields replaced."""
        if self.view is not None:
            self.edited.emit(replace(self.view.state, **fields))


class Choice(Tile):
    """A tile on which Enter means "this one, and go on"; Space and the mouse only choose."""

    confirmed = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not self.isChecked():
                self.click()
            self.confirmed.emit()
        else:
            super().keyPressEvent(event)

    def set_text(self, text: str) -> None:
        """Replace the sentence under the title."""
        if self.accessibleDescription() != text:
            self.setAccessibleDescription(text)
            label = self.findChild(Muted)
            if label is not None:
                label.setText(text)


def show_text(editor: QLineEdit, text: str) -> None:
    """Put `text` into a line unless it stands there already, so that the cursor stays where it is."""
    if editor.text() != text:
        editor.setText(text)


def show_fault(field: Field[Any], text: str, *, attempted: bool) -> None:
    """A mistake is shown when the field is left or Next was pressed, not while the person is still typing."""
    typing = field.editor.hasFocus() and not attempted and not field.error
    field.set_error("" if typing else text)


def beside(field: Field[Any], *widgets: QWidget) -> QHBoxLayout:
    """A row of a field and what belongs beside its editor, not beside its label or its hint."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.space(1))
    row.addWidget(field, 1, Qt.AlignmentFlag.AlignTop)
    for widget in widgets:
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addSpacing(field.label.fontMetrics().height() + theme.space(0.5))
        column.addWidget(widget)
        column.addStretch(1)
        row.addLayout(column)
    return row


def show_banner(banner: Banner, text: str, level: str = "danger") -> None:
    """A judgement over the whole step; hidden when there is nothing to say."""
    banner.setVisible(bool(text))
    if text:
        banner.set(level, text)
