"""A grant that waits for a signature from elsewhere: shown to the other machine or the hardware wallet, and its answer brought back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from latchkey.codec.hand_over import Envelope, Kind, decode
from latchkey.codec.hdkeys import HdAddress
from latchkey.errors import LatchkeyError
from latchkey.flow.devices import device_for
from latchkey.flow.granting import Granting
from latchkey.flow.handing import of_envelope
from latchkey.language import tr
from latchkey.store.carried import Carried
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.bring import bring
from latchkey.ui.pages.device_sign import open_device
from latchkey.ui.pages.grant_answer import open_grant_answer, tell_signed
from latchkey.ui.widgets import Card, Heading, Muted, announce, primary, secondary
from latchkey.ui.widgets.hand_over import HandOverCard

_STEPS = (
    tr("1. Open this in Latchkey on the machine that has the owner's key: let it scan the code, or carry the file there."),
    tr("2. Compare the words, and sign it there."),
    tr("3. Bring the answer back here: scan the code that it shows."),
)


def carried(context: Context, number: int) -> Envelope | None:
    """The grant's hand-over as it goes to whoever signs it, None when it was not made for that. Raises StoreError, BadInput."""
    raw = Carried(context.book).get(number)
    return None if raw is None else decode(raw)


class CarryCard(Card):
    """For the grant page. Forget the code with `clear()` when the page is left."""

    def __init__(self, context: Context, number: int, envelope: Envelope) -> None:
        super().__init__(tr("Waiting for its signature"))
        self._context, self._number = context, number
        key = device_for(context.book, envelope.account) if envelope.account else None
        self.card = HandOverCard([of_envelope(envelope, f"grant-{number}-unsigned")])
        self.bring = primary(tr("&Bring the signed answer…"), self._bring, icon_name="qr")
        self.device = secondary(
            tr("Sign with the &hardware wallet…"), lambda: sign_by_device(context, self, number), icon_name="qr"
        )
        self.device.setVisible(key is not None)
        for step in _STEPS:
            self.body.addWidget(Muted(step))
        row = QHBoxLayout()
        row.setSpacing(theme.space(1))
        row.addWidget(self.bring)
        row.addWidget(self.device)
        row.addStretch(1)
        self.body.addSpacing(theme.space(0.5))
        self.body.addLayout(row)
        self.body.addSpacing(theme.space(1))
        self.body.addWidget(Heading(tr("For the other machine")))
        self.body.addWidget(self.card)
        self.bring.setFocus(Qt.FocusReason.OtherFocusReason)

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
            lambda _job: granting.accept_signed(signed[0]),
            lambda record: tell_signed(context, record),
            failed=lambda error: announce(parent, error.text, tone="bad"),
            owner=parent,
        )

    open_device(context, parent, (envelope,), key, keep)
