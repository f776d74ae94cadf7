"""The function picker: what was asked for to tick off, what was added to take away, and a place to type or paste more."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from latchkey.core.functions import Function, known_signature, read_functions
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.powers import PLAIN_PAYMENT
from latchkey.core.types import Address
from latchkey.errors import BadInput
from latchkey.flow.accounts import parse_label
from latchkey.language import tr
from latchkey.store.records import KeptContract
from latchkey.ui import theme
from latchkey.ui.pages.wizard.step_page import View, beside
from latchkey.ui.widgets import (
    Body,
    CheckBox,
    Dialog,
    Field,
    Muted,
    PhraseLabel,
    clear_layout,
    line_edit,
    link,
    primary,
    quiet,
    secondary,
    short_address,
    text_edit,
    visible,
)
from latchkey.ui.widgets.tabbing import parts

AT_ONCE = 8  # so many functions are added without asking which; more than that, and one chooses


class FunctionPicker(QWidget):
    """`changed(functions, pasted)`: the chosen functions and the text not yet added."""

    changed = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self._asked: tuple[Function, ...] = ()
        self._chosen: tuple[Function, ...] = ()
        self._drawn: object = None
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1))
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(0.5))
        rows.addLayout(self._list)
        self._line = _AddLine()
        self._line.setPlaceholderText("claim(uint256)   or   0xa9059cbb")
        self._line.setMaxLength(4096)
        self._line.setFont(theme.font(theme.BODY - 1, mono=True))
        self._line.wanted.connect(self._add_line)
        self._line.textEdited.connect(lambda text: self.changed.emit(self._chosen, text))
        self.field = Field(tr("Add &functions: a signature or a selector"), self._line)
        self._entry = QWidget()
        self._entry.setLayout(beside(self.field, secondary(tr("Add"), self._add_line), secondary(tr("Paste ABI…"), self._paste)))
        rows.addWidget(self._entry)
        self._kept_button = link(tr("From the functions you kept…"), self._choose_kept)
        self._keep_button = link(tr("&Keep these names for the contract…"), self._ask_name)
        below = QHBoxLayout()
        below.setSpacing(theme.space(2))
        below.addWidget(self._kept_button)
        below.addWidget(self._keep_button)
        below.addStretch(1)
        rows.addLayout(below)
        self._view: View | None = None
        self._place: tuple[int, Address] | None = None
        self._kept: KeptContract | None = None

    def show_functions(self, asked: tuple[Function, ...], chosen: tuple[Function, ...], pasted: str) -> None:
        """`asked`: the request's functions, which can only be ticked off; without a request the person adds their own."""
        self._asked, self._chosen = asked, chosen
        if self._drawn != (asked, chosen):
            self._draw_list()
        if self._line.text() != pasted:
            self._line.setText(pasted)
        self._entry.setVisible(not asked)

    def show_contract(self, chain_id: int | None, address: Address | None, view: View) -> None:
        """Which contract it is about: what was kept for it can be chosen from, what is named here can be kept for it."""
        self._view = view
        self._place = (chain_id, address) if chain_id is not None and address is not None else None
        self._kept = next((one for one in view.world.kept if (one.chain_id, one.address) == self._place), None)
        self._kept_button.setVisible(self._kept is not None and not self._asked)
        if self._kept is not None:
            text = tr("From “{label}”…", label=self._kept.label) if self._kept.label else tr("From the functions you kept…")
            self._kept_button.setText(text.replace("&", "&&"))
            self._kept_button.setAccessibleName(text)
        self._keep_button.setVisible(self._place is not None and not self._asked and bool(self._unkept()))

    def _unkept(self) -> tuple[Function, ...]:
        """Functions chosen by a name of the person's that is not kept for this contract yet."""
        have = {function.selector for function in self._kept.functions} if self._kept else set()
        return tuple(f for f in self._chosen if f.signature and not known_signature(f.selector) and f.selector not in have)

    def _keep(self, functions: tuple[Function, ...], name: str) -> None:
        if self._view is None or self._place is None:
            return
        have = self._kept.functions if self._kept else ()
        mine = tuple({f.selector: f for f in (*have, *functions)}.values())
        self._view.keep(KeptContract(*self._place, name or (self._kept.label if self._kept else ""), mine, self._view.world.now))

    def _ask_name(self) -> None:
        if self._place is not None:
            NameDialog(self, self._place[1], self._kept.label if self._kept else "", partial(self._keep, self._unkept())).open()

    def _choose_kept(self) -> None:
        if self._kept is not None:
            PasteDialog(self, self._add, found=self._kept.functions).open()

    def first(self) -> QWidget:
        """What is filled in first: the request's own functions, or the line to type in."""
        row = next(iter(parts(self._list)), None) if self._asked else None
        return row if isinstance(row, QWidget) else self._line

    def _draw_list(self) -> None:
        same_rows = bool(self._asked) and isinstance(self._drawn, tuple) and self._drawn[0] == self._asked
        self._drawn = (self._asked, self._chosen)
        if same_rows:
            self._tick()
            return
        clear_layout(self._list)
        for function in self._asked or self._chosen:
            row = self._asked_row(function) if self._asked else self._own_row(function)
            self._list.addWidget(row)
            row.show()  # now, not when events are next handled: it may be given the focus at once
        self._tick()

    def _asked_row(self, function: Function) -> QWidget:
        box = CheckBox(_title(function))
        box.setFont(theme.font(theme.BODY - 1, mono=True))
        box.setAccessibleName(tr("Allow {title}", title=_title(function)))
        box.setProperty("selector", str(function.selector))
        box.toggled.connect(lambda on, function=function: self._allow(function, on))
        return box

    def _own_row(self, function: Function) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.space(1))
        parts = [Part(_title(function), Style.CODE)]
        if function.signature:
            parts.append(Part(f"   {function.selector}", Style.CODE))
        line.addWidget(PhraseLabel(Phrase(tuple(parts))), 1, Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(
            quiet("", lambda: self._allow(function, False), icon_name="close", name=tr("Remove {title}", title=_title(function)))
        )
        return row

    def _tick(self) -> None:
        chosen = {str(function.selector) for function in self._chosen}
        for box in self.findChildren(QCheckBox):
            box.blockSignals(True)
            box.setChecked(box.property("selector") in chosen)
            box.blockSignals(False)

    def _allow(self, function: Function, on: bool) -> None:
        if on:
            wanted = {*(f.selector for f in self._chosen), function.selector}
            chosen = tuple(f for f in self._asked if f.selector in wanted)
        else:
            chosen = tuple(f for f in self._chosen if f.selector != function.selector)
        self.changed.emit(chosen, self._line.text())

    def _add_line(self) -> None:
        if not self._line.text().strip():
            self._line.setFocus()
            return
        try:
            found = read_functions(self._line.text())
        except BadInput as error:
            self.field.set_error(error.text)
            return
        self.field.set_error("")
        self._line.clear()
        self._line.setFocus()
        self._add(found)

    def _paste(self) -> None:
        place = self._place
        PasteDialog(self, self._add, address=place[1] if place else None, keep=self._keep).open()

    def _add(self, found: tuple[Function, ...]) -> None:
        have = {function.selector for function in self._chosen}
        self.changed.emit((*self._chosen, *(f for f in found if f.selector not in have)), self._line.text())


class _AddLine(QLineEdit):
    """A line on which Enter adds what is typed; Enter on the empty line is left to the page."""

    wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.text().strip():
            self.wanted.emit()
            event.accept()
        else:
            super().keyPressEvent(event)


class PasteDialog(Dialog):
    """Paste an ABI or Solidity; when it holds many functions, tick those that are meant. `add` gets the functions.

    `found`: functions to choose from at once. `address`: the contract they can be kept for, by `keep(functions, name)`.
    """

    def __init__(
        self,
        parent: QWidget,
        add: Callable[[tuple[Function, ...]], object],
        *,
        found: tuple[Function, ...] = (),
        address: Address | None = None,
        keep: Callable[[tuple[Function, ...], str], object] | None = None,
    ) -> None:
        super().__init__(tr("Functions you kept") if found else tr("Functions from an ABI"), parent.window())
        self._add, self._keep = add, keep
        self._found: tuple[Function, ...] = ()
        self._all: tuple[Function, ...] = ()
        self._text = Field(
            tr("ABI in JSON, Solidity source, signatures or selectors"),
            text_edit(placeholder='[{"type": "function", "name": "claim", "inputs": []}, …]', lines=8),
        )
        self._which = QWidget()
        which = QVBoxLayout(self._which)
        which.setContentsMargins(0, 0, 0, 0)
        which.addWidget(Body(tr("Which of them may the key call?")))
        self._choices = QListWidget()
        self._choices.setAccessibleName(tr("Functions found"))
        self._choices.setMinimumHeight(theme.space(28))
        which.addWidget(self._choices)
        which.addWidget(Muted(tr("Functions that only read are left out: they need no key.")))
        self._which.hide()
        self._next = primary(tr("&Read"), self._read)
        self.body.addWidget(self._text)
        self.body.addWidget(self._which)
        short = short_address(str(address)) if address else ""
        self._keeping = CheckBox(tr("&Keep them for {short}, to choose from next time", short=short))
        self._name = Field(tr("What do you &call this contract? (may stay empty)"), line_edit(limit=64))
        self._keeping.toggled.connect(self._name.setVisible)
        self._keeping.setVisible(address is not None and not found)
        self._name.hide()
        self.body.addWidget(self._keeping)
        self.body.addWidget(self._name)
        self.buttons.addWidget(secondary(tr("&Cancel"), self.reject))
        self.buttons.addWidget(self._next)
        self._text.editor.setFocus()
        if found:
            self._choose(found)

    def _read(self) -> None:
        if self._found:
            self._finish([self._found[i] for i in range(len(self._found)) if _is_ticked(self._choices.item(i))])
            return
        try:
            found = read_functions(self._text.editor.toPlainText())
        except BadInput as error:
            self._text.set_error(error.text)
            return
        self._all = found
        writing = [function for function in found if not function.reads_only]
        if len(writing) <= 1 or (len(writing) <= AT_ONCE and self._text.editor.toPlainText().lstrip()[:1] not in "[{"):
            self._finish(writing or list(found))
            return
        self._choose(tuple(writing))

    def _choose(self, functions: tuple[Function, ...]) -> None:
        self._found = functions
        for function in self._found:
            item = QListWidgetItem(f"{_title(function)}   {function.selector}", self._choices)
            item.setFont(theme.font(theme.BODY - 1, mono=True))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(Qt.CheckState.Unchecked)
        self._text.hide()
        self._which.show()
        self._next.setText(tr("&Add ticked"))
        self._choices.setCurrentRow(0)
        self._choices.setFocus()

    def _finish(self, chosen: list[Function]) -> None:
        try:
            name = parse_label(self._name.editor.text())
        except BadInput as error:
            self._name.set_error(error.text)
            return
        if self._keep is not None and self._keeping.isChecked():
            self._keep(tuple(f for f in self._all if not f.reads_only) or self._all, name)
        self._add(tuple(chosen))
        self.accept()


class NameDialog(Dialog):
    """What the person calls a contract whose functions are kept. `keep` gets the name, which may be empty."""

    def __init__(self, parent: QWidget, address: Address, name: str, keep: Callable[[str], object]) -> None:
        super().__init__(tr("Keep these names"), parent.window())
        self._keep = keep
        self._name = Field(tr("What do you &call this contract? (may stay empty)"), line_edit(limit=64))
        self._name.editor.setText(name)
        self.body.addWidget(PhraseLabel(Phrase((Part(tr("For ")), Part(str(address), Style.ADDRESS), Part(".")))))
        self.body.addWidget(self._name)
        self.body.addWidget(Muted(tr("Names of yours are shown as yours, beside the full address. They stay in your book.")))
        self.buttons.addWidget(secondary(tr("&Cancel"), self.reject))
        self.buttons.addWidget(primary(tr("&Keep"), self._done))
        self._name.editor.setFocus()

    def _done(self) -> None:
        try:
            name = parse_label(self._name.editor.text())
        except BadInput as error:
            self._name.set_error(error.text)
            return
        self._keep(name)
        self.accept()


def _is_ticked(item: QListWidgetItem) -> bool:
    return item.checkState() is Qt.CheckState.Checked


def _title(function: Function) -> str:
    if function.selector == PLAIN_PAYMENT:
        return tr("plain payment ({plain_payment})", plain_payment=PLAIN_PAYMENT)
    return visible(function.signature or str(function.selector))
