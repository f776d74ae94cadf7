"""Asked and granted, side by side: each thing the request asks with what is given in its place, which can be narrowed right there."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QDateTime, Signal
from PySide6.QtWidgets import QDateTimeEdit, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.core.permissions import Permission
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.words_permissions import describe_end, describe_permission
from latchkey.core.words_pieces import phrase
from latchkey.errors import BadInput
from latchkey.flow import wizard
from latchkey.flow.wizard import Origin, Pair, Until, expiry_of, until_choices
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.pages.wizard.cards import PermissionCard
from latchkey.ui.pages.wizard.expiry import TITLES
from latchkey.ui.pages.wizard.step_page import View, names_of
from latchkey.ui.widgets import (
    Banner,
    Card,
    Chip,
    ComboBox,
    Heading,
    Line,
    Muted,
    PhraseLabel,
    add_shown,
    clear_layout,
    confirm,
    link,
)

_LEFT_OUT, _NOT_ASKED = phrase(tr("left out")), phrase(tr("not asked for"))
OWN_TITLE = tr("Start a draft of your own?")
OWN_TEXT = tr(
    "It begins with what stands here and may go beyond the request. It does not answer the request: the reply will not name it, and the "
    "dApp may not take what it has not asked for."
)


class AskedCard(Card):
    """`edited(state)`: something was narrowed, left out, put back, or the draft became one of the person's own."""

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._view: View | None = None
        self._chip = Chip()
        head = QHBoxLayout()
        head.setSpacing(theme.space(1))
        head.addWidget(Heading(tr("Asked and granted")))
        head.addWidget(self._chip)
        head.addStretch(1)
        self.body.addLayout(head)
        self._rows: list[_Row] = []
        self._keys: object = None
        self._open: set[object] = set()
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(1))
        self._captions = QGridLayout()
        self._captions.setHorizontalSpacing(theme.space(2))
        for column, text in enumerate((tr("The request asks for"), tr("You give"))):
            self._captions.addWidget(Muted(text), 0, column)
            self._captions.setColumnStretch(column, 1)
        self._own = link(tr("Give something &else: a draft of my own…"), self._ask_own)
        self.body.addLayout(self._captions)
        self.body.addLayout(self._list)
        self.body.addWidget(self._own)

    def show_view(self, view: View) -> None:
        """Draw what is asked and given; hidden without a request."""
        self._view = view
        self.setVisible(view.state.request is not None)
        if view.state.request is not None:
            self._draw()

    def _draw(self) -> None:
        view = self._view
        if view is None or view.state.request is None:
            return
        pairs = wizard.pairs(view.state)
        places = [*(_place(pair) for pair in pairs), "end"]
        keys = [*((_place(pair), pair.card and pair.card.form.kind) for pair in pairs), "end"]
        narrowed = view.state.asked is not None and wizard.is_narrowed(view.state, view.world)
        self._chip.set_state(tr("Narrowed") if narrowed else tr("As asked"), "accent" if narrowed else "muted")
        if keys != self._keys:  # otherwise the rows stay: somebody may be typing in one
            focused = next((index for index, row in enumerate(self._rows) if row.out.hasFocus()), -1)
            self._keys = keys
            clear_layout(self._list)
            self._rows = [*(_PermissionRow(pair) for pair in pairs), _EndRow()]
            for row, place in zip(self._rows, places, strict=True):
                add_shown(self._list, Line())
                add_shown(self._list, row)
                row.unfold(place in self._open)
                row.edited.connect(self.edited)
                row.folded.connect(partial(self._folded, place))
            if 0 <= focused < len(self._rows):
                self._rows[focused].out.setFocus()
        for index, row in enumerate(self._rows):
            row.show_row(view, pairs[index] if index < len(pairs) else None)

    def _folded(self, place: object, is_open: bool) -> None:
        self._open = self._open | {place} if is_open else self._open - {place}

    def _ask_own(self) -> None:
        confirm(self, OWN_TITLE, OWN_TEXT, tr("Start it"), self._become_own, keep=tr("Keep to the request"))

    def _become_own(self) -> None:
        if self._view is not None:
            self.edited.emit(wizard.as_own(self._view.state))


class _Row(QWidget):
    """One line of asked and given, with its links and, once unfolded, its editor."""

    edited = Signal(object)
    folded = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.view: View | None = None
        self.asked, self.given = PhraseLabel(size=theme.SMALL + 1), PhraseLabel(size=theme.SMALL + 1)
        self.change = link(tr("Change"), lambda: self._toggle())
        self.out = link(tr("Leave out"), self.leave_out)
        links = QHBoxLayout()
        links.setSpacing(theme.space(1.5))
        links.addWidget(self.change)
        links.addWidget(self.out)
        links.addStretch(1)
        right = QVBoxLayout()
        right.setSpacing(0)
        right.addWidget(self.given)
        right.addLayout(links)
        right.addStretch(1)
        both = QGridLayout()
        both.setHorizontalSpacing(theme.space(2))
        both.addWidget(self.asked, 0, 0)
        both.addLayout(right, 0, 1)
        both.setColumnStretch(0, 1)
        both.setColumnStretch(1, 1)
        self.fault = Banner("danger")
        self.fault.hide()
        self.editor = QWidget()
        self.inside = QVBoxLayout(self.editor)
        self.inside.setContentsMargins(theme.space(2), 0, 0, theme.space(1))
        self.editor.hide()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(0.5))
        rows.addLayout(both)
        rows.addWidget(self.fault)
        rows.addWidget(self.editor)

    def show_row(self, view: View, pair: Pair | None) -> None:
        raise NotImplementedError

    def leave_out(self) -> None:
        raise NotImplementedError

    def unfold(self, is_open: bool) -> None:
        self.editor.setVisible(is_open)
        self.change.setText(tr("Done") if is_open else tr("Change"))

    def _toggle(self) -> None:
        is_open = not self.editor.isVisibleTo(self)
        self.unfold(is_open)
        self.folded.emit(is_open)
        if self.view is not None:
            self._name_links()

    def say(self, asked: Phrase, given: Phrase, *, same: bool, muted: bool) -> None:
        """`same`: nothing was changed, so the right side need not draw the eye."""
        self.asked.set_tone("muted" if asked == _NOT_ASKED else "")
        self.asked.set_phrase(asked)
        self.given.set_tone("muted" if muted else "" if same else "accent")
        self.given.set_phrase(given)
        self._name_links()

    def _name_links(self) -> None:
        for button in (self.change, self.out):
            button.setAccessibleName(f"{button.text()}: {self.asked.text() or self.given.text()}")

    def show_fault(self, text: str) -> None:
        self.fault.setVisible(bool(text))
        if text:
            self.fault.set("danger", text)


class _PermissionRow(_Row):
    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self._pair = pair
        self._card: PermissionCard | None = None
        if pair.card is not None:
            self._card = PermissionCard(pair.card.form.kind, bare=True)
            self._card.edited.connect(self._edit)
            self.inside.addWidget(self._card)

    def show_row(self, view: View, pair: Pair | None) -> None:
        assert pair is not None
        self.view, self._pair = view, pair
        names = names_of(view)
        asked = describe_permission(pair.asked, names) if pair.asked is not None else _NOT_ASKED
        given = (
            describe_permission(pair.given, names) if pair.given is not None else _LEFT_OUT if pair.card is None else phrase("…")
        )
        if pair.card is not None and pair.card.origin is Origin.CAREFUL:
            given = phrase(given.parts, tr(" (added by Latchkey)"))
        card = pair.card
        self.change.setVisible(card is not None and card.form.kind != "root")
        self.out.setVisible(card is None or wizard.removable(card))
        self.out.setText(tr("Put back") if card is None else tr("Leave out"))
        self.say(asked, given, same=pair.asked == pair.given, muted=card is None)
        if card is not None and self._card is not None:
            self._card.show_card(card, view)
        hidden = card is not None and not self.editor.isVisibleTo(self)
        texts = [p.text for p in view.problems if card is not None and p.card == card.id and view.shows(p)]
        self.show_fault(texts[0] if texts and hidden else "")

    def leave_out(self) -> None:
        if self.view is None:
            return
        state, pair = self.view.state, self._pair
        if pair.card is not None:
            self.edited.emit(wizard.remove_card(state, pair.card.id))
        elif pair.asked is not None:
            self.edited.emit(wizard.put_back(state, pair.asked))

    def _edit(self, form: object) -> None:
        if self.view is not None and self._pair.card is not None:
            self.edited.emit(wizard.edit_card(self.view.state, self._pair.card.id, form))  # type: ignore[arg-type]


class _EndRow(_Row):
    """When it ends: one of the choices of the expiry page, or a date."""

    def __init__(self) -> None:
        super().__init__()
        self.out.hide()
        self._choice = ComboBox()
        self._choice.setAccessibleName(tr("When it ends"))
        self._date = QDateTimeEdit()
        self._date.setAccessibleName(tr("Ends on"))
        self._date.setCalendarPopup(True)
        self._date.setDisplayFormat("d MMMM yyyy, HH:mm")
        self._choice.activated.connect(self._chosen)
        self._date.dateTimeChanged.connect(self._picked)
        row = QHBoxLayout()
        row.addWidget(self._choice)
        row.addWidget(self._date)
        row.addStretch(1)
        self.inside.addLayout(row)

    def show_row(self, view: View, pair: Pair | None) -> None:
        self.view = view
        request, now = view.state.request, view.world.now
        asked = request.expiry if request else None
        try:
            end: int | None = expiry_of(view.state, now)
        except BadInput:
            end = None
        given = describe_end(end, now) if end is not None else phrase("…")
        self.say(describe_end(asked, now), given, same=asked == end, muted=False)
        self._fill(view, now)
        faults = [p.text for p in view.problems if p.path == "expiry" and view.shows(p)]
        self.show_fault(faults[0] if faults else "")

    def _fill(self, view: View, now: int) -> None:
        choices = until_choices(view.state, view.world)
        self._choice.blockSignals(True)
        if [self._choice.itemData(i) for i in range(self._choice.count())] != [str(c) for c in choices]:
            self._choice.clear()
            for choice in choices:
                self._choice.addItem(TITLES[choice], str(choice))
        self._choice.setCurrentIndex(self._choice.findData(str(view.state.expiry.until)))
        self._choice.blockSignals(False)
        self._date.setVisible(view.state.expiry.until is Until.DATE)
        self._date.blockSignals(True)
        self._date.setMinimumDateTime(QDateTime.fromSecsSinceEpoch(now))
        if view.state.expiry.at:
            self._date.setDateTime(QDateTime.fromSecsSinceEpoch(view.state.expiry.at))
        self._date.blockSignals(False)

    def _chosen(self, index: int) -> None:
        if self.view is None:
            return
        state, until = self.view.state, Until(self._choice.itemData(index))
        expiry = replace(state.expiry, until=until)
        if until is Until.DATE and not expiry.at:
            asked = state.request.expiry if state.request else None
            expiry = replace(expiry, at=asked or wizard.end_of_day(self.view.world.now))
        self.edited.emit(replace(state, expiry=expiry))

    def _picked(self, moment: QDateTime) -> None:
        if self.view is not None:
            state = self.view.state
            self.edited.emit(replace(state, expiry=replace(state.expiry, at=moment.toSecsSinceEpoch())))

    def leave_out(self) -> None:
        """A grant always ends."""


def _place(pair: Pair) -> object:
    """What a row stands for, whatever becomes of it while it is edited."""
    return pair.asked, pair.card.id if pair.card is not None else None


class LeftOutCard(Card):
    """On the scope page: what the request asks and is not given, to be put back, and the way beyond the request."""

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._view: View | None = None
        self._drawn: object = None
        self._title = Heading(tr("Left out of what was asked for"))
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(0.5))
        self.body.addWidget(self._title)
        self.body.addLayout(self._list)
        self.body.addWidget(link(tr("Give something &else: a draft of my own…"), self._ask_own))

    def show_view(self, view: View) -> None:
        self._view = view
        missing = wizard.left_out(view.state)
        self.setVisible(view.state.request is not None)
        self._title.setVisible(bool(missing))
        if missing != self._drawn:
            self._drawn = missing
            clear_layout(self._list)
            for permission in missing:
                what = describe_permission(permission, names_of(view))
                back = link(tr("Put back"), partial(self._put_back, permission))
                back.setAccessibleName(tr("Put back: {what_plain}", what_plain=what.plain))
                line = QWidget()
                row = QHBoxLayout(line)
                row.setContentsMargins(0, 0, 0, 0)
                row.addWidget(PhraseLabel(what, tone="muted"), 1)
                row.addWidget(back)
                add_shown(self._list, line)

    def _put_back(self, permission: Permission) -> None:
        if self._view is not None:
            self.edited.emit(wizard.put_back(self._view.state, permission))

    def _ask_own(self) -> None:
        confirm(self, OWN_TITLE, OWN_TEXT, tr("Start it"), self._become_own, keep=tr("Keep to the request"))

    def _become_own(self) -> None:
        if self._view is not None:
            self.edited.emit(wizard.as_own(self._view.state))


def own_note(view: View) -> Phrase:
    """What a draft of one's own has to say of the request it began with; empty for others."""
    if not view.state.own:
        return Phrase(())
    name = view.state.claims.dapp_name
    who = (
        [Part(tr("the request of what calls itself ")), Part(name, Style.CLAIM)]
        if name
        else [Part(tr("the request it began with"))]
    )
    return phrase(tr("A draft of your own: it does not answer "), who, ".")
