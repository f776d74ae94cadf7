"""A grant that waits for a signature from elsewhere: shown to the other machine or the hardware wallet, and its answer brought back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from latchkey.accounts.system import system
from latchkey.codec.hand_over import Envelope, Kind, decode
from latchkey.codec.hdkeys import HdAddress
from latchkey.core.digest_words import digest_words
from latchkey.core.types import to_hex
from latchkey.errors import LatchkeyError
from latchkey.flow.devices import device_for
from latchkey.flow.granting import Granting
from latchkey.flow.handing import of_envelope
from latchkey.language import tr
from latchkey.store.carried import Carried
from latchkey.store.records import GrantRecord
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.bring import bring
from latchkey.ui.pages.device_sign import open_device
from latchkey.ui.pages.grant_answer import open_grant_answer, tell_signed
from latchkey.ui.widgets import Card, DigestView, Muted, announce, primary, secondary
from latchkey.ui.widgets.hand_over import HandOverCard

_SIDE, _WIDE, _UNBOUND = 320, 740, 16_777_215
_STEPS = (
    tr("1. Open this in Latchkey on the machine that has the owner's key: let it scan the code, or carry the file there."),
    tr("2. Compare the words, and sign it there."),
    tr("3. Bring the answer back here: scan the code that it shows."),
)


def carried(context: Context, number: int) -> Envelope | None:
    """The grant's hand-over as it goes to whoever signs it, None when it was not made for that. Raises StoreError, BadInput."""
    raw = Carried(context.book).get(number)
    return None if raw is None else decode(raw)


class CarryPanel(QWidget):
    """For the grant page: the code, and beside it what to compare and what to do. Forget the code with `clear()` when the page is left."""

    def __init__(self, context: Context, record: GrantRecord, envelope: Envelope) -> None:
        super().__init__()
        self._context = context
        key = device_for(context.book, envelope.account) if envelope.account else None
        self.card = HandOverCard([of_envelope(envelope, f"grant-{record.id}-unsigned")])
        self.bring = primary(tr("&Bring the signed answer…"), self._bring, icon_name="qr")
        self.device = secondary(
            tr("Sign with the &hardware wallet…"), lambda: sign_by_device(context, self, record.id), icon_name="qr"
        )
        self.device.setVisible(key is not None)
        side = QVBoxLayout()
        side.setSpacing(theme.space(2))
        side.addWidget(self._what_to_do())
        side.addWidget(_compare(record))
        side.addStretch(1)
        self._side = QWidget()
        self._side.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._columns.setContentsMargins(0, 0, 0, 0)
        self._columns.setSpacing(theme.space(2))
        self._columns.addWidget(self.card, 1)
        self._columns.addWidget(self._side)

    def _what_to_do(self) -> Card:
        card = Card(tr("Waiting for its signature"))
        for step in _STEPS:
            card.body.addWidget(Muted(step))
        card.body.addSpacing(theme.space(0.5))
        for button in (self.bring, self.device):
            card.body.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        return card

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two columns where there is room for two."""
        super().resizeEvent(event)
        wide = event.size().width() >= _WIDE
        self._columns.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._side.setMinimumWidth(_SIDE if wide else 0)
        self._side.setMaximumWidth(_SIDE if wide else _UNBOUND)

    def clear(self) -> None:
        self.card.player.clear()

    def _bring(self) -> None:
        bring(self._context, self.window(), frozenset({Envelope}), self._brought)

    def _brought(self, envelope: Envelope) -> str:
        if envelope.kind is Kind.UNSIGNED_GRANT:
            return tr("This is not signed yet. Sign it on the machine that holds the owner's key, and bring what that gives.")
        if envelope.kind is not Kind.SIGNED_GRANT:
            return tr("This is something else: no signed grant.")
        open_grant_answer(self._context, self.window(), envelope)
        return ""


def _compare(record: GrantRecord) -> Card:
    card = Card(tr("Compare"))
    card.body.addWidget(Muted(tr("Whatever signs it has to show these words.")))
    view, digest = DigestView(columns=2), system(record.draft.system).build(record.draft).digest
    view.set_digest(to_hex(digest), digest_words(digest))
    card.body.addWidget(view)
    return card


def sign_by_device(context: Context, parent: QWidget, number: int) -> None:
    """Show the grant to the hardware wallet that owns its account, and keep it once it is signed."""
    try:
        envelope = carried(context, number)
        key = device_for(context.book, envelope.account) if envelope and envelope.account else None
    except LatchkeyError as error:
        announce(parent, error.text, tone="bad")
        return
    if envelope is not None and key is not None:
        _sign(context, parent, envelope, key)


def _sign(context: Context, parent: QWidget, envelope: Envelope, key: HdAddress) -> None:
    granting = Granting(context.book, lambda: context.client, context.clock)

    def keep(signed: tuple[Envelope, ...]) -> None:
        """Sealing a session key may ask for the passphrase, so not here."""
        context.tasks.run(
            context.until_locked(lambda _job: granting.accept_signed(signed[0])),
            lambda record: tell_signed(context, record),
            failed=lambda error: announce(parent, error.text, tone="bad"),
            owner=parent,
        )

    open_device(context, parent, (envelope,), key, keep)
