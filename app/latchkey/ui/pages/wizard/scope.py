"""Scope: what the key may do, as cards, with a sentence under them that says what that comes to."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from latchkey.core.forms import EXPERT_KINDS, Form, blank
from latchkey.core.networks import network
from latchkey.core.own_presets import OwnPreset
from latchkey.core.phrases import Phrase
from latchkey.core.presets import PRESETS, Preset
from latchkey.flow import wizard
from latchkey.flow.presets import is_elsewhere, take, take_own
from latchkey.flow.wizard import add_cards, edit_card, remove_card, words_so_far
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.wizard.asked import LeftOutCard, own_note
from latchkey.ui.pages.wizard.cards import LOOKS, PermissionCard, look_name
from latchkey.ui.pages.wizard.presets import OwnPresets, save_dialog
from latchkey.ui.pages.wizard.step_page import Choice, StepPage, View, show_banner
from latchkey.ui.widgets import Banner, Body, Card, Heading, Muted, PhraseLabel, PhraseList, Tile, phrase, secondary

_ORDER = ("functions-on-contract", "erc20-token-transfer", "native-token-transfer", "gas-limit", "contract-access",
          "functions-on-all-contracts", "paymaster-guard", "account-functions", "root")  # fmt: skip
_SETTLE_MS, _COLUMNS = 120, 3


class ScopePage(StepPage):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._cards: dict[tuple[int, str], PermissionCard] = {}  # by id and kind: ids begin anew with every wizard
        self._focus_new = False
        self._lines: list[Phrase] = []
        self._fault = Banner("danger")
        self._start = Card(tr("What is the key for?"))
        self._start.body.addWidget(Muted(tr("Start from a common job and fill in the blanks, or add permissions one by one.")))
        self._tiles: dict[str, Choice] = {}
        self._start.body.addLayout(self._presets())
        self.presets = OwnPresets(context)
        self.presets.taken.connect(self._take_own)
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(1.5))
        self._add = secondary(tr("&Add permission"), icon_name="plus")
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._add.setMenu(self._menu)
        adding = QHBoxLayout()
        adding.addWidget(self._add)
        self._save = secondary(tr("Save as a &preset…"), self._save_preset, icon_name="save")
        adding.addWidget(self._save)
        adding.addStretch(1)
        self._elsewhere = Banner("warning")
        self._left_out = LeftOutCard()
        self._left_out.edited.connect(self.edited)
        self._own = PhraseLabel(size=theme.SMALL, tone="accent")
        self._so_far = Card(tr("So far, this key can"))
        self._can, self._cannot = PhraseList(tone="good"), PhraseList()
        self._nothing = Body(tr("Nothing yet: what you add is read back here from the bytes it makes."), tone="muted")
        self._cannot_title = Heading(tr("It cannot"))
        self._unchecked_title = Heading(tr("Your account does not check"))
        self._unchecked = PhraseList(tone="warn")
        for widget in (self._nothing, self._can, self._cannot_title, self._cannot, self._unchecked_title, self._unchecked):
            self._so_far.body.addWidget(widget)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._draw_so_far)
        self.rows.addWidget(self._own)
        self.rows.addWidget(self._fault)
        self.rows.addWidget(self._start)
        self.rows.addWidget(self.presets)
        self.rows.addWidget(self._elsewhere)
        self.rows.addLayout(self._list)
        self.rows.addLayout(adding)
        self.rows.addWidget(self._left_out)
        self.rows.addWidget(self._so_far)
        self.rows.addStretch(1)

    def _presets(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(theme.space(1.5))
        for column in range(_COLUMNS):
            grid.setColumnStretch(column, 1)
        for index, preset in enumerate(PRESETS):
            tile = Choice(preset.title, preset.sentence.format(coin="ETH"), partial(self._take, preset), checkable=False)
            self._tiles[preset.id] = tile
            grid.addWidget(tile, *divmod(index, _COLUMNS))
        return grid

    # --- drawing

    def _draw(self, view: View) -> None:
        empty = not view.state.cards
        self._start.setVisible(empty)
        self.presets.setVisible(empty and view.state.request is None)
        if empty:
            coin = wizard.coin_of(view.state)
            for preset in PRESETS:
                self._tiles[preset.id].set_text(preset.sentence.format(coin=coin))
            self.presets.refresh()
        else:
            self.presets.forget_undo()
        self._save.setVisible(not empty)
        self._show_job(view)
        self._own.set_phrase(own_note(view))
        self._own.setVisible(view.state.own)
        self._left_out.show_view(view)
        show_banner(self._fault, next((p.text for p in view.problems if p.card is None and view.shows(p)), ""))
        known = {_key(card) for card in view.state.cards}
        for gone in self._cards.keys() - known:
            self._cards.pop(gone).deleteLater()
        for index, card in enumerate(view.state.cards):
            if _key(card) not in self._cards:
                self._cards[_key(card)] = self._new(card)
            widget = self._cards[_key(card)]
            if self._list.indexOf(widget) != index:
                self._list.insertWidget(index, widget)
                widget.show()  # now, not when events are next handled: it may be given the focus at once
            widget.show_card(card, view)
        self._settle.start()
        self._move_focus(view)

    def _show_job(self, view: View) -> None:
        """What the job it began with does not check, and whether its addresses are another network's."""
        job = view.state.job
        lines = [phrase(text) for text in job.not_enforced] if job else []
        self._unchecked_title.setVisible(bool(lines))
        self._unchecked.setVisible(bool(lines))
        if self._lines != lines:
            self._lines = lines
            self._unchecked.set_phrases(lines)
        self._elsewhere.setVisible(job is not None and is_elsewhere(view.state))
        if job is not None and job.chain_id is not None:
            made = network(job.chain_id).name
            self._elsewhere.set(
                "warning",
                tr("“{title}” was made for {made}.", title=job.title, made=made),
                tr("There may be something else at its addresses on this network. Check each of them."),
            )

    def _new(self, card: wizard.Card) -> PermissionCard:
        widget = PermissionCard(card.form.kind, look=look_name(card.form))
        widget.edited.connect(partial(self._edited, card.id))
        widget.removed.connect(partial(self._removed, card.id))
        return widget

    def _draw_so_far(self) -> None:
        if self.view is None:
            return
        words = words_so_far(self.view.state, self.view.world)
        self._nothing.setVisible(words is None)
        for part in (self._can, self._cannot_title, self._cannot):
            part.setVisible(words is not None)
        self._can.set_phrases(words.can if words else ())
        self._cannot.set_phrases(words.cannot if words else ())

    def _move_focus(self, view: View) -> None:
        if self._focus_new and view.state.cards:
            self._focus_new = False
            self.first().setFocus()

    def first(self) -> QWidget:
        if self.view is None or not self.view.state.cards:
            return self._start.findChild(Tile) or self._add
        wrong = {p.card for p in self.view.problems}
        card = next((c for c in self.view.state.cards if c.id in wrong), self.view.state.cards[0])
        return self._cards[_key(card)].first()

    # --- changes

    def _fill_menu(self) -> None:
        self._menu.clear()
        if self.view is None:
            return
        state, world = self.view.state, self.view.world
        standing = {c.form.kind for c in state.cards if c.origin is not wizard.Origin.CAREFUL}
        coin = wizard.coin_of(state)
        for kind in _ORDER:
            action = QAction(LOOKS[kind].title.format(coin=coin), self._menu)
            why = _why_not(kind, standing, world.expert)
            if why:
                action.setText(f"{action.text()}  ({why})")
                action.setEnabled(False)
            action.setToolTip(LOOKS[kind].meaning.format(coin=coin))
            action.triggered.connect(partial(self._take_kind, kind))
            self._menu.addAction(action)
        if state.request is None:
            jobs = self._menu.addMenu(tr("A common job"))
            for preset in PRESETS:
                jobs.addAction(preset.title, partial(self._take, preset))
        self._menu.addSeparator()
        for title in wizard.NOT_ENFORCED:
            self._menu.addAction(tr("{title}  (your account cannot enforce this)", title=title)).setEnabled(False)

    def _take(self, preset: Preset) -> None:
        if self.view is not None:
            self._focus_new = True
            self.edited.emit(take(self.view.state, preset))

    def _take_own(self, preset: OwnPreset) -> None:
        if self.view is not None:
            self._focus_new = True
            self.edited.emit(take_own(self.view.state, preset, self.view.world.now))

    def _save_preset(self) -> None:
        if self.view is not None:
            save_dialog(self, self.view, self.presets.keep).open()

    def _take_kind(self, kind: str, _checked: bool = False) -> None:
        self._add_forms(blank(kind))

    def _add_forms(self, *forms: Form) -> None:
        if self.view is not None:
            self._focus_new = True
            self.edited.emit(add_cards(self.view.state, forms))

    def _edited(self, card_id: int, form: Form) -> None:
        if self.view is not None:
            self.edited.emit(edit_card(self.view.state, card_id, form))

    def _removed(self, card_id: int) -> None:
        if self.view is not None:
            self._add.setFocus()
            self.edited.emit(remove_card(self.view.state, card_id))


def _key(card: wizard.Card) -> tuple[int, str]:
    return card.id, look_name(card.form)


def _why_not(kind: str, standing: set[str], expert: bool) -> str:
    if kind in EXPERT_KINDS and not expert:
        return tr("needs the expert switch in Settings")
    if kind in ("native-token-transfer", "gas-limit", "paymaster-guard", "root") and kind in standing:
        return tr("is there already")
    if kind == "root" and standing:
        return tr("cannot be combined")
    return ""
