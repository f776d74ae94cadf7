"""A hardware wallet signs: its request as a QR code, its signature scanned back, one for each thing that is to be signed.

open_device(context, parent, unsigned, key, done)      `done(signed)` with the same hand-overs, signed; they are checked before
open_signature(context, parent, signature)             a signature that nobody waited for any more: its grant is looked for
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from latchkey.codec.eip4527 import DataType, EthSignature, EthSignRequest
from latchkey.codec.hand_over import Envelope, Kind, decode, encode
from latchkey.codec.hdkeys import HdAddress
from latchkey.core.digest_words import digest_words
from latchkey.core.phrases import Level, Part, Phrase, Style
from latchkey.core.types import to_hex
from latchkey.errors import LatchkeyError
from latchkey.flow import foreign
from latchkey.flow.devices import device_for
from latchkey.flow.explain import explain
from latchkey.flow.handing import of_sign_request
from latchkey.language import tr
from latchkey.store.carried import Carried
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.bring import BringDialog, bring
from latchkey.ui.pages.grant_answer import open_grant_answer
from latchkey.ui.widgets import Banner, Card, Dialog, DigestView, PhraseLabel, announce, primary, secondary
from latchkey.ui.widgets.hand_over import HandOverCard

_SHOWN = {
    DataType.TYPED_DATA: tr("The device shows the grant's fields. Compare what it shows with what stands here."),
    DataType.TRANSACTION: tr("The device shows a transaction to your account. What it does stands here."),
    DataType.PERSONAL_MESSAGE: tr("The device shows a hash and no more, so read here what it is. The hash is {hash}."),
}


def open_device(
    context: Context,
    parent: QWidget,
    unsigned: Sequence[Envelope],
    key: HdAddress,
    done: Callable[[tuple[Envelope, ...]], object],
) -> DeviceSheet | None:
    """None when it cannot be shown to the device; then the reason is said."""
    try:
        sheet = DeviceSheet(context, parent, unsigned, key, done)
    except LatchkeyError as error:
        announce(parent, error.text, tone="bad")
        return None
    sheet.open()
    return sheet


class DeviceSheet(Dialog):
    """Raises what reading the hand-overs raises."""

    def __init__(
        self,
        context: Context,
        parent: QWidget,
        unsigned: Sequence[Envelope],
        key: HdAddress,
        done: Callable[[tuple[Envelope, ...]], object],
    ) -> None:
        super().__init__(tr("Sign with the hardware wallet"), parent.window(), width=theme.space(108))
        self._context, self._unsigned, self._key, self._done = context, tuple(unsigned), key, done
        self._asked = tuple(foreign.to_sign(one, key, now=context.clock()) for one in unsigned)
        self._whole = tuple((one, request) for one, requests in zip(unsigned, self._asked, strict=True) for request in requests)
        self._answers: dict[bytes, EthSignature] = {}
        self._at = 0
        self.words, self.note = PhraseLabel(), PhraseLabel(size=theme.SMALL, tone="muted")
        self.digest = DigestView(columns=2)
        self.card = HandOverCard(camera=tr("the device's camera"))
        self.scan = primary(tr("&Scan its answer…"), self.ask, icon_name="qr")
        self.card.player.setMinimumHeight(0)  # of itself it is as low as can be read, and the window may be low
        what = Card()
        what.setFixedWidth(theme.space(45))
        for part in (self.words, self.digest, self.note):
            what.body.addWidget(part)
        what.body.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(theme.space(2))
        row.addWidget(self.card, 1)
        row.addWidget(what)
        self.body.addLayout(row, 1)
        self.buttons.addWidget(secondary(tr("Cancel"), self.reject))
        self.buttons.addWidget(self.scan)
        self.finished.connect(lambda _result: self.card.player.clear())
        self._show()

    @property
    def request(self) -> EthSignRequest:
        """The one that is shown."""
        return self._whole[self._at][1]

    def _show(self) -> None:
        envelope, request = self._whole[self._at]
        said = explain(encode(envelope), now=self._context.clock())
        self.words.set_phrase(said.words.headline)
        self.digest.set_digest(to_hex(said.digest), digest_words(said.digest))
        before, named, after = _SHOWN[request.data_type].partition("{hash}")
        self.note.set_phrase(Phrase((Part(before), Part(to_hex(request.data) if named else "", Style.CODE), Part(after))))
        number = tr("Signature {number} of {count}.", number=self._at + 1, count=len(self._whole))
        self.card.show_all([of_sign_request(request, number if len(self._whole) > 1 else "")])
        self.scan.setFocus(Qt.FocusReason.OtherFocusReason)

    def ask(self) -> BringDialog:
        """Ask for the device's answer."""
        return bring(self._context, self, frozenset({EthSignature}), self.take)

    def take(self, signature: EthSignature) -> str:
        """ "" when it is the answer to what is shown; the next is shown then, or all is handed on."""
        if signature.request_id != self.request.request_id:
            return tr("This is the answer to another request than the one shown to the device.")
        envelope, request = self._whole[self._at]
        try:
            foreign.check_answer(envelope, self._key, request, signature)
        except LatchkeyError as error:
            return error.text
        self._answers[request.request_id] = signature
        self._at += 1
        if self._at < len(self._whole):
            self._show()
            return ""
        self._at -= 1
        self.accept()
        self._done(self._signed())
        return ""

    def _signed(self) -> tuple[Envelope, ...]:
        now = self._context.clock()
        return tuple(
            foreign.signed_by(one, self._key, asked, [self._answers[request.request_id] for request in asked], now=now)
            for one, asked in zip(self._unsigned, self._asked, strict=True)
        )


def open_signature(context: Context, parent: QWidget, signature: EthSignature) -> None:
    """A grant that waits for this signature is shown, to be kept; with no such grant, what to do is said."""
    for envelope, key in _waiting(context):
        requests = foreign.to_sign(envelope, key, now=context.clock())
        if [request.request_id for request in requests] == [signature.request_id]:
            try:
                signed = foreign.signed_by(envelope, key, requests, [signature], now=context.clock())
            except LatchkeyError as error:
                announce(parent, error.text, tone="bad")
                return
            open_grant_answer(context, parent, signed)
            return
    dialog = Dialog(tr("A hardware wallet's signature"), parent.window())
    dialog.body.addWidget(Banner(Level.NOTICE, tr("No grant here waits for this signature."), _NOBODY))
    dialog.buttons.addWidget(primary(tr("&Close"), dialog.accept))
    dialog.open()


_NOBODY = tr("Open what the device was to sign, choose “Sign with the hardware wallet”, and scan its answer there.")


def _waiting(context: Context) -> list[tuple[Envelope, HdAddress]]:
    """Grants that went to a device and are not signed yet."""
    book, found = context.book, []
    for record in book.grants():
        carried = Carried(book).get(record.id) if record.envelope is None else None
        envelope = decode(carried) if carried else None
        key = device_for(book, envelope.account) if envelope and envelope.account else None
        if envelope is not None and key is not None and envelope.kind is Kind.UNSIGNED_GRANT:
            found.append((envelope, key))
    return found
