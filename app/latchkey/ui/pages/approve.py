"""Approve: what another machine, another wallet or a service prepared, read from its bytes; signed at the desk; the answer to take back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from latchkey.codec.eip4527 import EthSignRequest
from latchkey.codec.hand_over import Envelope
from latchkey.codec.wallet_api import CreatedSession
from latchkey.core.digest_words import digest_words
from latchkey.core.moments import utc
from latchkey.core.networks import network
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.types import to_hex
from latchkey.errors import Declined, LatchkeyError
from latchkey.flow.approving import Approvals, Shown, ToApprove
from latchkey.flow.handing import HandOver
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.wizard.review import LongDialog
from latchkey.ui.times import age
from latchkey.ui.widgets import (
    AddressLabel,
    Banner,
    Card,
    Chip,
    ComboBox,
    DigestView,
    Field,
    FieldTable,
    FindingList,
    Heading,
    Muted,
    Page,
    PhraseLabel,
    PhraseList,
    add_shown,
    announce,
    clear_layout,
    confirm,
    link,
    primary,
    secondary,
)
from latchkey.ui.widgets.hand_over import HandOverCard

_SIDE, _WIDE, _UNBOUND = 320, 780, 16_777_215


class ApprovePage(Page):
    """`enter(found)`: an unsigned hand-over, a wallet's signing request, the Wallet APIs' answer, or anything that is a `ToApprove`."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Approve"))
        self._context = context
        self._found: Envelope | EthSignRequest | CreatedSession | ToApprove | None = None
        self._one: ToApprove | None = None
        self._digest = b""
        self._busy = self._hidden = False
        self.chip = Chip()
        self.beside.addWidget(self.chip)
        self.trouble = Banner("danger")
        self.owner = Field(tr("Sign with"), ComboBox())
        self.owner.editor.activated.connect(lambda _at: self._read())
        self.body.addWidget(self.trouble)
        self.body.addWidget(self.owner)
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pair.setSpacing(theme.space(2))
        self.main, self.side = QVBoxLayout(), QVBoxLayout()
        for rows in (self.main, self.side):
            rows.setSpacing(theme.space(2))
        self._side = QWidget()
        self._side.setLayout(self.side)
        self.side.setContentsMargins(0, 0, 0, 0)
        self._pair.addLayout(self.main, 1)
        self._pair.addWidget(self._side)
        self.body.addLayout(self._pair, 1)
        self.wait = Muted()
        self.back = secondary(tr("Not now"), self._leave)
        self.sign_button = primary(tr("&Sign…"), self.sign)
        self.buttons.addWidget(self.back)
        self.buttons.addWidget(self.wait, 1)
        self.buttons.addWidget(self.sign_button)
        self.show_buttons()
        self.card: HandOverCard | None = None

    # --- coming and going

    def enter(self, payload: object) -> None:
        if payload is None:
            return
        if self._busy:  # the desk asks about what stands here
            self._context.say(self.may_leave())
            return
        reading, self._hidden = self._one is not None and not self._hidden, False
        if reading and payload != self._found:
            loss, go = tr("Something else came in. What you are reading was not signed."), tr("Open")
            keep = tr("Go on here")
            confirm(self, tr("Open this instead?"), loss, go, lambda: self._take(payload), danger=True, keep=keep)
        else:
            self._take(payload)

    def _take(self, payload: object) -> None:
        self._found = payload  # type: ignore[assignment]
        self.owner.editor.clear()
        self._read()

    def may_leave(self) -> str:
        return tr("It is being signed at the desk.") if self._busy else ""

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._hidden |= self.isHidden()  # by another page; a window that is put away shows this one again, as it was
        if self.card is not None:
            self.card.player.clear()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = event.size().width() >= _WIDE
        self._pair.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._side.setMinimumWidth(_SIDE if wide else 0)
        self._side.setMaximumWidth(_SIDE if wide else _UNBOUND)

    def _leave(self) -> None:
        self._context.navigate("grants")

    # --- reading

    @property
    def _approvals(self) -> Approvals:
        context = self._context
        return Approvals(context.book, lambda: context.client, context.chains, context.clock)

    def _read(self) -> None:
        self._one = None
        try:
            if isinstance(self._found, Envelope | EthSignRequest | CreatedSession):
                self._one = self._approvals.read(self._found, self.owner.editor.currentData())
            else:
                self._one = self._found
        except LatchkeyError as error:
            self._refused(error)
            return
        if self._one is not None:
            self._show(self._one.shown)

    def _refused(self, error: LatchkeyError) -> None:
        """Why it is not signed here; where only the key is not known, it can be chosen."""
        self._empty()
        asks = error.code == "WhichOwner"
        self.title.setText(tr("Approve"))
        self.chip.set_state(tr("Not signed"), "muted" if asks else "bad")
        self.trouble.set(
            "notice" if asks else "danger", tr("Which key signs?") if asks else tr("This is not signed here."), error.text
        )
        self.trouble.show()
        self.owner.setVisible(asks)
        if asks:
            self._offer_keys()
        self.sign_button.hide()
        self.back.setText(tr("Close"))
        self.main.addStretch(1)
        self.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def _offer_keys(self) -> None:
        account = self._found.account if isinstance(self._found, Envelope) else None
        labels = {key.address: key.label for key in self._context.book.keys()}  # noqa: SIM118  a book is no dict
        box = self.owner.editor
        box.clear()
        box.addItem(tr("Choose a key"), None)
        for key in self._approvals.owners(account) if account else ():
            box.addItem(f"{labels.get(key) or tr('Key')} · {key}", key)

    def _empty(self) -> None:
        clear_layout(self.main)
        clear_layout(self.side)
        self.card = None
        self.wait.setText("")
        self.trouble.hide()
        self.owner.setVisible(self.owner.editor.count() > 0)

    # --- before

    def _show(self, shown: Shown) -> None:
        self._empty()
        self._digest = shown.digest
        self.title.setText(shown.title)
        self.chip.set_state(tr("Not signed"), "muted")
        for part in (_meaning(shown), self._findings(shown), _unchecked(shown)):
            if part is not None:
                add_shown(self.main, part)
        self.main.addStretch(1)
        for part in (self._compare(shown), self._account(shown), self._clocks(shown)):
            if part is not None:
                add_shown(self.side, part)
        self.side.addStretch(1)
        self.back.setText(tr("Not now"))
        self.sign_button.show()
        self.sign_button.setEnabled(True)
        self.scroller.verticalScrollBar().setValue(0)
        self.sign_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _findings(self, shown: Shown) -> QWidget | None:
        return FindingList(shown.findings) if shown.findings else None

    def _compare(self, shown: Shown) -> Card:
        card = Card(tr("Compare"))
        card.body.addWidget(Muted(tr("The machine that prepared it and the desk have to show these words.")))
        digest = DigestView(columns=2)
        digest.set_digest(to_hex(shown.digest), digest_words(shown.digest))
        card.body.addWidget(digest)
        if shown.words.signed:
            every = link(tr("Show every &field"), lambda: self._show_fields(shown))
            card.body.addWidget(every, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def _show_fields(self, shown: Shown) -> None:
        LongDialog(self, tr("What you sign, every field"), FieldTable(shown.words.signed)).open()

    def _account(self, shown: Shown) -> Card:
        account = shown.account
        known = [one for one in self._context.book.accounts() if (one.chain_id, one.address) == (account.chain_id, account.address)]
        label = next((one.label for one in known if one.label), "")
        card = Card(label or tr("Account"))
        card.body.addWidget(AddressLabel(str(account.address)))
        card.body.addWidget(Muted(tr("On {network}.", network=network(account.chain_id).name)))
        if not known:
            card.body.addWidget(Muted(tr("This account is not in your list here.")))
        if account.owner is not None:
            card.body.addSpacing(theme.space(0.5))
            card.body.addWidget(Muted(tr("Signs, as its owner:")))
            card.body.addWidget(AddressLabel(str(account.owner)))
        return card

    def _clocks(self, shown: Shown) -> Card:
        now = self._context.clock()
        card = Card(tr("Two clocks"))
        if shown.made is None:
            card.body.addWidget(Muted(tr("Whoever asks does not say when this was prepared.")))
        else:
            card.body.addWidget(Muted(tr("Prepared, by the other machine's clock:")))
            card.body.addWidget(PhraseLabel(utc(shown.made)))
        card.body.addWidget(Muted(tr("Now, by this machine's clock:")))
        card.body.addWidget(PhraseLabel(utc(now)))
        if shown.made is not None and now >= shown.made:
            card.body.addWidget(Muted(tr("So it was prepared {age}.", age=age(now - shown.made))))
        return card

    # --- signing

    def sign(self) -> None:
        one = self._one
        if one is None or self._busy:
            return
        self._set_busy(tr("Read and confirm it at the desk, the small window that opens now."))
        self._context.ask_signer(one.sign, self._signed, failed=self._failed, owner=self)

    def _set_busy(self, text: str) -> None:
        self._busy = bool(text)
        self.wait.setText(text)
        self.back.setEnabled(not text)
        self.sign_button.setEnabled(not text)
        self.owner.setEnabled(not text)

    def _failed(self, error: LatchkeyError) -> None:
        self._set_busy("")
        if isinstance(error, Declined):
            announce(self, error.text)
        else:
            self.trouble.set("danger", tr("It was not signed."), error.text)
            self.trouble.show()
            self.scroller.verticalScrollBar().setValue(0)
        self.sign_button.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- after

    def _signed(self, goes_back: HandOver) -> None:
        self._set_busy("")
        assert self._one is not None
        shown, self._one, self._found = self._one.shown, None, None
        self._empty()
        self.owner.hide()
        self.title.setText(tr("Signed"))
        self.chip.set_state(tr("Signed"), "good")
        self.card = HandOverCard([goes_back])
        add_shown(self.main, self.card)
        for part in (_next(shown), self._compare(shown), self._account(shown)):
            add_shown(self.side, part)
        self.side.addStretch(1)
        self.sign_button.hide()
        self.back.setText(tr("Done"))
        self.back.setFocus(Qt.FocusReason.OtherFocusReason)
        self.scroller.verticalScrollBar().setValue(0)
        self._context.changed.emit("grants")
        announce(self, tr("Signed. Take the answer back."))


def _meaning(shown: Shown) -> Card:
    words, card = shown.words, Card()
    if shown.asker:
        sender = Phrase((Part(tr("The sender calls itself ")), Part(shown.asker, Style.CLAIM)))
        card.body.addWidget(PhraseLabel(sender, size=theme.SMALL, tone="muted"))
    card.body.addWidget(PhraseLabel(words.headline, size=theme.BODY + 2))
    grants = words.purpose == "grant"
    for title, phrases, tone in (
        (words.headings.can, words.can, "good" if grants else "muted"),
        (words.headings.cannot, words.cannot, "muted"),
        (words.headings.most, words.most_you_can_lose, "warn" if grants else "muted"),
    ):
        if phrases:
            card.body.addSpacing(theme.space(0.5))
            card.body.addWidget(Heading(title))
            card.body.addWidget(PhraseList(phrases, tone=tone))
    return card


def _unchecked(shown: Shown) -> Card | None:
    if not shown.unchecked:
        return None
    card = Card(tr("What nobody has checked"))
    card.body.addWidget(PhraseList(Phrase((Part(sentence),)) for sentence in shown.unchecked))
    return card


def _next(shown: Shown) -> Card:
    card = Card(tr("What happens next"))
    card.body.addWidget(Muted(shown.next))
    return card
