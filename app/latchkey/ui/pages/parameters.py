"""What a developer passes on by hand: a grant or an installed session in the words of aa-sdk and the Wallet APIs, to copy."""

from __future__ import annotations

import json

from PySide6.QtWidgets import QWidget

from latchkey.codec.hand_over import Envelope
from latchkey.core.session import Session
from latchkey.core.types import to_hex
from latchkey.flow.wallet_api import installed
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import Dialog, Muted, primary, secondary, text_edit
from latchkey.ui.widgets.export import copy_text

_GRANT = tr("For aa-sdk: what createModularAccountV2Client takes, with the session key as signer.")
_LOCAL = tr("context is for the Wallet APIs (capabilities.permissions); it is not proven yet against the live service.")
_REMOTE = tr("context is for the Wallet APIs (capabilities.permissions), which keep this session.")
_SESSION = tr("For aa-sdk: what createModularAccountV2Client takes, with the session key as signer, once the session is installed.")
_INSTALLED = tr("context is for the Wallet APIs (capabilities.permissions). It is no secret and gives no power without the key.")


class ParametersDialog(Dialog):
    """`shown`: a signed grant, or a session that is on the chain."""

    def __init__(self, parent: QWidget, shown: Envelope | Session) -> None:
        super().__init__(tr("For developers"), parent.window(), width=theme.space(80))
        values = parameters(shown) if isinstance(shown, Envelope) else session_parameters(shown)
        self.text = text_edit(json.dumps(values, indent=2), lines=16)
        self.text.setReadOnly(True)
        self.text.setAccessibleName(tr("Parameters"))
        first, last = _SESSION, _INSTALLED
        if isinstance(shown, Envelope):
            first, last = _GRANT, _LOCAL if shown.context[:1] == b"\x01" else _REMOTE
        self.body.addWidget(Muted(first))
        self.body.addWidget(self.text)
        self.body.addWidget(Muted(last))
        self.buttons.addWidget(secondary(tr("Copy"), self._copy, icon_name="copy"))
        self.buttons.addWidget(primary(tr("Close"), self.accept))

    def _copy(self) -> None:
        copy_text(self, self.text.toPlainText())


def parameters(envelope: Envelope) -> dict[str, object]:
    """The grant in aa-sdk's words. `initCode` only for an account that may have to be deployed: left to itself the SDK would make it
    from the session key, which is another account."""
    account = envelope.account
    assert account is not None
    deploying = {"initCode": to_hex(account.init_code)} if account.init_code else {}
    return {
        "chainId": account.chain_id,
        "accountAddress": account.address,
        **deploying,
        "sessionKey": envelope.session_key,
        "entityId": envelope.entity_id,
        "deferredAction": to_hex(envelope.blob),
        "context": to_hex(envelope.context),
    }


def session_parameters(session: Session) -> dict[str, object]:
    """An installed session in the same words: it needs no grant any more."""
    return {
        "chainId": session.account.chain_id,
        "accountAddress": session.account.address,
        "sessionKey": session.signer,
        "signerEntity": {"entityId": session.entity_id, "isGlobalValidation": session.install.is_global},
        "context": to_hex(installed(session)),
    }
