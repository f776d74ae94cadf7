"""Expiry: when the key ends. There is always an end, unless an expert says "never" in so many letters."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QDateTime
from PySide6.QtWidgets import QButtonGroup, QDateTimeEdit, QGridLayout, QWidget

from latchkey.core.moments import span
from latchkey.core.presets import DAY
from latchkey.errors import BadInput
from latchkey.flow.wizard import Until, end_of_day, expiry_of, is_long, until_choices
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.pages.wizard.step_page import Choice, StepPage, View, show_banner, show_fault, show_text
from latchkey.ui.times import here, utc_time, zone
from latchkey.ui.widgets import Banner, Card, Field, line_edit

TITLES = {
    Until.HOUR: tr("1 hour"),
    Until.TODAY: tr("Today"),
    Until.DAY: tr("1 day"),
    Until.WEEK: tr("7 days"),
    Until.MONTH: tr("30 days"),
    Until.ASKED: tr("As the request asks"),
    Until.DATE: tr("A date"),
    Until.NEVER: tr("Never"),
}
_COLUMNS = 3


class ExpiryPage(StepPage):
    def __init__(self) -> None:
        super().__init__()
        self._card = Card(tr("When does it end?"))
        self._grid = QGridLayout()
        self._grid.setSpacing(theme.space(1.5))
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self._group = QButtonGroup(self)
        self._tiles: dict[Until, Choice] = {}
        self._placed: tuple[Until, ...] = ()
        for until, title in TITLES.items():
            tile = Choice(title, " ", parent=self._card)
            tile.clicked.connect(lambda _checked=False, until=until: self._choose(until))
            tile.confirmed.connect(self.onward)
            self._group.addButton(tile)
            self._tiles[until] = tile
        self._card.body.addLayout(self._grid)
        self._date = Field(tr("&Ends on"), QDateTimeEdit())
        self._date.editor.setCalendarPopup(True)
        self._date.editor.setDisplayFormat("d MMMM yyyy, HH:mm")
        self._date.editor.dateTimeChanged.connect(self._picked)
        self._never = Field(tr("T&ype “never” to confirm"), line_edit(limit=20))
        self._never.editor.textEdited.connect(self._typed)
        self._card.body.addWidget(self._date)
        self._card.body.addWidget(self._never)
        self._fault = Banner("danger")
        self._long = Banner("warning")
        for widget in (self._card, self._fault, self._long):
            self.rows.addWidget(widget)
        self.rows.addStretch(1)

    def _draw(self, view: View) -> None:
        state, now = view.state, view.world.now
        choices = until_choices(state, view.world)
        self._place(choices)
        for until in choices:
            self._tiles[until].setChecked(until is state.expiry.until)
            self._tiles[until].set_text(_sentence(view, until))
        self._date.setVisible(state.expiry.until is Until.DATE)
        self._date.set_hint(tr("In this computer's time zone, {zone}.", zone=zone(state.expiry.at or now)))
        self._show_date(state.expiry.at, now)
        self._never.setVisible(state.expiry.until is Until.NEVER)
        show_text(self._never.editor, state.expiry.typed)
        fault = view.fault("expiry")
        if state.expiry.until is Until.NEVER:
            show_fault(self._never, fault, attempted=view.attempted)
        show_banner(self._fault, fault if state.expiry.until is not Until.NEVER else "")
        show_banner(self._long, _warning(view), "warning")

    def _place(self, choices: tuple[Until, ...]) -> None:
        if choices == self._placed:
            return
        self._placed = choices
        for until, tile in self._tiles.items():
            if until in choices:
                self._grid.addWidget(tile, *divmod(choices.index(until), _COLUMNS))
            tile.setVisible(until in choices)

    def _show_date(self, at: int, now: int) -> None:
        editor = self._date.editor
        editor.blockSignals(True)
        editor.setMinimumDateTime(QDateTime.fromSecsSinceEpoch(now))
        if at:
            editor.setDateTime(QDateTime.fromSecsSinceEpoch(at))
        editor.blockSignals(False)

    def _choose(self, until: Until) -> None:
        if self.view is None:
            return
        expiry = replace(self.view.state.expiry, until=until)
        if until is Until.DATE and not expiry.at:
            asked = self.view.state.request.expiry if self.view.state.request else None
            expiry = replace(expiry, at=asked or end_of_day(self.view.world.now + 2 * DAY))
        self.change(expiry=expiry)

    def _picked(self, moment: QDateTime) -> None:
        if self.view is not None:
            self.change(expiry=replace(self.view.state.expiry, at=moment.toSecsSinceEpoch()))

    def _typed(self, text: str) -> None:
        if self.view is not None:
            self.change(expiry=replace(self.view.state.expiry, typed=text))

    def first(self) -> QWidget:
        return next((tile for tile in self._tiles.values() if tile.isChecked()), self._tiles[Until.DAY])


def _sentence(view: View, until: Until) -> str:
    """When a choice would end, both ways."""
    now = view.world.now
    if until is Until.NEVER:
        return tr("It works until you revoke it.")
    if until is Until.DATE and not view.state.expiry.at:
        return tr("You choose the day and the minute.")
    try:
        seconds = expiry_of(replace(view.state, expiry=replace(view.state.expiry, until=until)), now)
    except BadInput as error:
        return error.text
    told = f"{utc_time(seconds, now)} ({local})" if (local := here(seconds)) else utc_time(seconds, now)
    return tr("until {time}, in {span}", time=told, span=span(seconds - now))


def _warning(view: View) -> str:
    if not is_long(view.state, view.world.now):
        return ""
    if view.state.expiry.until is Until.NEVER:
        return tr("This key never ends by itself. Whoever gets hold of it can use it until you revoke it.")
    return tr("This is longer than 30 days. A new key is quickly granted; a forgotten one stays dangerous.")
