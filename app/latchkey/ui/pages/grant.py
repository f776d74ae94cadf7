"""One grant: what its bytes say, where it is, and what can still be done about it from here."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from latchkey.core.account import Account
from latchkey.core.names import Notes
from latchkey.core.networks import network
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.errors import LatchkeyError
from latchkey.flow.naming import kept_notes
from latchkey.flow.trying import of_grant
from latchkey.language import tr
from latchkey.store.records import GrantRecord, GrantState
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.carry import CarryPanel, carried
from latchkey.ui.pages.grant_rows import Reading, account_of, read_grant, state_in_words, still_valid, who
from latchkey.ui.pages.trying import TryDialog
from latchkey.ui.times import utc_time
from latchkey.ui.widgets import (
    AddressLabel,
    Banner,
    Card,
    Chip,
    FieldTable,
    FindingList,
    Heading,
    Muted,
    Page,
    PhraseLabel,
    PhraseList,
    clear_layout,
    confirm,
    link,
    primary,
    secondary,
)


class GrantPage(Page):
    """`enter(id)`: the grant of the book to show."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Grant"))
        self._context = context
        self._record: GrantRecord | None = None
        self._carry: CarryPanel | None = None
        self.chip = Chip()
        self.beside.addWidget(self.chip)
        self._place = QVBoxLayout()
        self._place.setSpacing(theme.space(2))
        self.body.addLayout(self._place)
        self.body.addStretch(1)
        self.back = secondary(tr("All grants"), lambda: context.navigate("grants"), icon_name="back")
        self.aside = secondary(tr("Put aside…"), self._ask_aside)
        self.forget = secondary(tr("Discard…"), self._ask_discard, icon_name="trash")
        self.again = primary(tr("Hand over again"), self._hand_over, icon_name="qr")
        self.buttons.addWidget(self.back)
        self.buttons.addStretch(1)
        for button in (self.forget, self.aside, self.again):
            self.buttons.addWidget(button)
        self.show_buttons()

    def enter(self, payload: object) -> None:
        if isinstance(payload, int):
            self._read(payload)
        (self._carry.bring if self._carry else self.back).setFocus(Qt.FocusReason.OtherFocusReason)

    def _read(self, number: int) -> None:
        clear_layout(self._place)
        self._carry = None
        try:
            self._record = record = self._context.book.grant(number)
        except LatchkeyError as error:
            self._record = None
            self._place.addWidget(Banner("danger", error.text))
            return
        now = self._context.clock()
        account = account_of(record, self._context.book.accounts())
        state, tone = state_in_words(record, now)
        self.title.setText(who(record))
        self.chip.set_state(state, tone)
        valid = state != "Expired"
        self.again.setVisible(record.envelope is not None and valid)
        self.aside.setVisible(record.state in (GrantState.SIGNED, GrantState.HANDED_OVER) and valid)
        self.forget.setVisible(record.envelope is None)
        if record.state is GrantState.WAITING and valid:
            self._place.addWidget(
                Banner("notice", tr("It waits until what it replaces is gone."), tr("Nothing has left this computer yet."))
            )
        if record.state is GrantState.PUT_ASIDE and valid:
            self._place.addWidget(Banner("warning", tr("Put aside, {still_valid}.", still_valid=still_valid(record, now)), _ASIDE))
        if record.envelope is None and valid:
            self._show_carried(record)
        try:
            reading = read_grant(record, account, now, self._notes(record))
        except LatchkeyError as error:
            self._place.addWidget(Banner("danger", tr("This grant cannot be read."), error.text))
            return
        words = _words(reading)
        words.body.addWidget(link(tr("&Try a call…"), partial(self._try, record, account)))
        self._place.addWidget(words)
        if reading.findings:
            self._place.addWidget(FindingList(reading.findings))
        self._place.addWidget(_where(record, network(account.chain_id).name, account.label, now))
        self._place.addWidget(_Signed(reading))

    def _show_carried(self, record: GrantRecord) -> None:
        """How it gets its signature; nothing where it was not prepared for another machine."""
        try:
            envelope = carried(self._context, record.id)
        except LatchkeyError as error:
            self._place.addWidget(Banner("danger", error.text))
            return
        if envelope is not None:
            self._carry = CarryPanel(self._context, record, envelope)
            self._place.addWidget(self._carry)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self._carry is not None:
            self._carry.clear()

    def _notes(self, record: GrantRecord) -> Notes:
        return kept_notes(self._context.book, record.draft.chain_id, record.draft.permissions)

    def _try(self, record: GrantRecord, account: Account) -> None:
        try:
            subject = of_grant(record.unsigned, account, claims=record.claims, notes=self._notes(record))
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)
            return
        TryDialog(self, self._context, subject).open()

    def _hand_over(self) -> None:
        if self._record is not None:
            self._context.navigate("signed", self._record.id)

    def _ask_aside(self) -> None:
        if self._record is None:
            return
        valid = still_valid(self._record, self._context.clock())
        sentence = Phrase((Part(tr("It is signed and stays valid: it is ")), Part(valid, Style.STRONG), Part(f". {_ASIDE}")))
        confirm(
            self,
            tr("Put this grant aside?"),
            sentence,
            tr("Put aside"),
            partial(self._set, GrantState.PUT_ASIDE),
            keep=tr("Cancel"),
        )

    def _ask_discard(self) -> None:
        text = tr("It was never signed, so nobody can use it. It leaves this list for good.")
        confirm(self, tr("Discard this grant?"), text, tr("Discard"), self._discard, danger=True)

    def _set(self, state: GrantState) -> None:
        assert self._record is not None
        self._change(
            partial(self._context.book.set_state, self._record.id, state), tr("The grant is put aside. It is still valid.")
        )
        self._read(self._record.id)

    def _discard(self) -> None:
        assert self._record is not None
        self._change(partial(self._context.book.discard, self._record.id), tr("Discarded."))
        self._context.navigate("grants")

    def _change(self, change: partial[None], news: str) -> None:
        try:
            change()
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)
            return
        self._context.changed.emit("grants")
        self._context.say(news)


_ASIDE = tr("Whoever has a copy can use it until then. To end it sooner it has to be revoked on the network.")


def _words(reading: Reading) -> Card:
    words = reading.words
    card = Card()
    card.body.addWidget(PhraseLabel(words.headline, strong=False))
    for title, phrases, tone in (
        (tr("It can"), words.can, "good"),
        (tr("It cannot"), words.cannot, "muted"),
        (tr("Most you can lose"), words.most_you_can_lose, "warn"),
    ):
        if phrases:
            card.body.addSpacing(theme.space(0.5))
            card.body.addWidget(Heading(title))
            card.body.addWidget(PhraseList(phrases, tone=tone))
    return card


def _where(record: GrantRecord, network_name: str, label: str, now: int) -> Card:
    card = Card(tr("Key and account"))
    for caption, address in ((tr("Session key"), record.draft.session_key), (label or tr("Account"), record.draft.account)):
        card.body.addWidget(PhraseLabel(caption, size=theme.SMALL, tone="muted"))
        card.body.addWidget(AddressLabel(str(address)))
    card.body.addWidget(Muted(tr("{network_name} · made {time}", network_name=network_name, time=utc_time(record.created, now))))
    return card


class _Signed(Card):
    """Every field that is signed; folded until asked for."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(tr("What was signed"))
        self._fields = reading.words.signed
        self._row = QHBoxLayout()
        self.more = link(tr("Show every field"), self._unfold)
        self._row.addWidget(self.more)
        self._row.addStretch(1)
        self.body.addLayout(self._row)

    def _unfold(self) -> None:
        self.more.hide()
        self.body.addWidget(FieldTable(self._fields))
