"""Account: which account on which network the key will act for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.core.account import Account
from latchkey.core.networks import network
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.request import SessionRequest
from latchkey.core.types import Address
from latchkey.flow.accounts import same_place
from latchkey.flow.wizard import fits_request
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.pages.wizard.step_page import Choice, StepPage, View, show_banner, show_fault
from latchkey.ui.widgets import (
    Banner,
    Body,
    Card,
    ComboBox,
    Field,
    Identicon,
    PhraseLabel,
    clear_layout,
    grouped_address,
    line_edit,
    primary,
    secondary,
)


class AccountPage(StepPage):
    """`owners`: addresses of the keys at hand. `recognised`: the request's account, if it is one of theirs. `add_request`: put it into
    the book. `add_other`: name another account."""

    def __init__(
        self,
        owners: Callable[[], Sequence[Address]],
        recognised: Callable[[], Account | None],
        add_request: Callable[[], object],
        add_other: Callable[[], object],
    ) -> None:
        super().__init__()
        self._owners, self._recognised = owners, recognised
        self._shown: tuple[Account, ...] | None = None
        self._tiles: list[Choice] = []
        self._group = QButtonGroup(self)
        self._fault = Banner("danger")
        self._unknown = Card(tr("This account is not in your book"))
        self._unknown_text = PhraseLabel()
        self._add = primary(tr("&Add this account"), add_request)
        self._unknown.body.addWidget(self._unknown_text)
        self._unknown.body.addLayout(_at_left(self._add))
        self._card = Card(tr("Which account is the key for?"))
        self._none = Body(tr("Your book has no account yet."), tone="muted")
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(1))
        self._other = secondary(tr("Add an acc&ount…"), add_other, icon_name="plus")
        self._card.body.addWidget(self._none)
        self._card.body.addLayout(self._list)
        self._card.body.addLayout(_at_left(self._other))
        hint = tr("This account was added by its address alone. Leave it empty if the owner's key is on another machine.")
        self._owner = Field(tr("O&wner, the key that signs"), ComboBox(), hint=hint)
        typing = line_edit(mono=True, limit=64)
        typing.setAccessibleName(tr("Owner, the key that signs"))
        self._owner.editor.setEditable(True)
        self._owner.editor.setLineEdit(typing)
        self._owner.editor.editTextChanged.connect(self._owner_typed)
        for widget in (self._fault, self._unknown, self._card, self._owner):
            self.rows.addWidget(widget)
        self.rows.addStretch(1)

    def _draw(self, view: View) -> None:
        state, request = view.state, view.state.request
        missing = state.account is None and request is not None and request.account is not None
        self._unknown.setVisible(missing)
        if missing and request is not None:
            self._draw_unknown(request)
        show_banner(self._fault, next((p.text for p in view.problems if view.shows(p) and p.path != "owner" and not missing), ""))
        offered = tuple(a for a in view.world.accounts if request is None or fits_request(request, a))
        self._card.setVisible(not missing)
        self._none.setVisible(not offered)
        self._show_accounts(offered)
        for tile, account in zip(self._tiles, offered, strict=True):
            tile.setChecked(state.account is not None and same_place(account, state.account))
        self._draw_owner(view)

    def _draw_unknown(self, request: SessionRequest) -> None:
        where = (
            tr(" on {name}. ", name=network(request.chain_id).name) if request.chain_id else tr(", on a network it does not name. ")
        )
        mine = self._recognised()
        verdict = (
            (Part(tr("It is an account of your key ")), Part(str(mine.owner), Style.ADDRESS), Part("."))
            if mine is not None
            else (Part(tr("It does not follow from any of your keys. Add it only if you know it to be yours.")),)
        )
        asked = Part(tr("The request is for ")), Part(str(request.account), Style.ADDRESS), Part(where)
        self._unknown_text.set_phrase(Phrase((*asked, *verdict)))

    def _show_accounts(self, accounts: tuple[Account, ...]) -> None:
        if accounts != self._shown:
            self._shown = accounts
            clear_layout(self._list)
            self._tiles = [self._tile(account) for account in accounts]
            for tile in self._tiles:
                self._list.addWidget(tile)
                tile.show()  # now, not when events are next handled: it may be given the focus at once

    def _tile(self, account: Account) -> Choice:
        title = f"{account.label or tr('Account')} · {network(account.chain_id).name}"
        picture = Identicon(account.address, size=theme.space(4))
        tile = Choice(title, grouped_address(account.address), picture=picture, mono=True)
        self._group.addButton(tile)
        tile.clicked.connect(partial(self._choose, account))
        tile.confirmed.connect(self.onward)
        return tile

    def _choose(self, account: Account, _checked: bool = True) -> None:
        self.change(account=account)

    def _draw_owner(self, view: View) -> None:
        account, combo = view.state.account, self._owner.editor
        self._owner.setVisible(account is not None and account.owner is None)
        owners = [str(owner) for owner in self._owners()]
        if [combo.itemText(i) for i in range(combo.count())] != owners or combo.currentText() != view.state.owner:
            combo.blockSignals(True)
            combo.clear()
            combo.addItems(owners)
            combo.setEditText(view.state.owner)
            combo.blockSignals(False)
        show_fault(self._owner, view.fault("owner"), attempted=view.attempted)

    def _owner_typed(self, text: str) -> None:
        self.change(owner=text)

    def first(self) -> QWidget:
        if self._unknown.isVisibleTo(self):
            return self._add
        return next((tile for tile in self._tiles if tile.isChecked()), self._tiles[0] if self._tiles else self._other)


def _at_left(button: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.addWidget(button)
    row.addStretch(1)
    return row
