"""Something handed over to another machine or wallet, in every way at once: QR code, file, link, text. All say the same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from latchkey.codec import ur
from latchkey.codec.eip4527 import EthSignature, EthSignRequest, write_sign_request, write_signature
from latchkey.codec.files import SUFFIX
from latchkey.codec.hand_over import Envelope, encode, to_json
from latchkey.codec.link import to_link
from latchkey.core.types import to_hex
from latchkey.errors import BadInput
from latchkey.language import tr


@dataclass(frozen=True, slots=True)
class HandOver:
    """`message`: what the QR code holds, of the UR type `kind`. `copied`: what is copied as text. `file`: what a file of the name
    `file_name` holds. `link`: None where it is too long for one, or not one of Latchkey's kinds. `note`: what else to say of it."""

    message: bytes
    kind: str
    copied: str
    file_name: str
    file: bytes
    link: str | None = None
    note: str = ""


def of_envelope(envelope: Envelope, name: str = "", note: str = "") -> HandOver:
    """`name`: of the file, without its ending; the kind where there is none. Raises BadInput."""
    raw = encode(envelope)
    return HandOver(raw, ur.TYPE, json.dumps(to_json(envelope)), f"{name or envelope.kind}{SUFFIX}", raw, link_of(raw), note)


def of_session(envelope: Envelope) -> HandOver:
    """A signed session of the Wallet APIs. The code and the link hold all of it; text and file are what their SDK calls permissions."""
    permissions = json.dumps({"context": to_hex(envelope.context)})
    note = tr("The dApp passes it on as capabilities.permissions with every call.")
    return replace(of_envelope(envelope, note=note), copied=permissions, file_name="permissions.json", file=permissions.encode())


def of_signature(signature: EthSignature) -> HandOver:
    return _as_ur(write_signature(signature), ur.SIGNATURE)


def of_sign_request(request: EthSignRequest, note: str = "") -> HandOver:
    """Raises BadInput."""
    return _as_ur(write_sign_request(request), ur.SIGN_REQUEST, note)


def link_of(raw: bytes) -> str | None:
    """An envelope as a link, None where it is too long for one."""
    try:
        return to_link(raw)
    except BadInput:
        return None


def _as_ur(raw: bytes, kind: str, note: str = "") -> HandOver:
    text = ur.encode(raw, kind).upper()
    return HandOver(raw, kind, text, f"{kind}.txt", text.encode(), note=note)
