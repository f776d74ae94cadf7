"""Joining the owner's signature to a grant, and the forms in which a dApp takes it."""

from __future__ import annotations

from coincurve import PublicKey

from latchkey.core.grant import Grant, SignedGrant
from latchkey.core.types import Address, keccak
from latchkey.errors import BadInput, CannotDecode
from latchkey.language import tr

_EOA = b"\x00"  # signature type byte: an externally owned account signed
_LOCAL_DEFERRED, _INSTALLED = b"\x01", b"\x02"
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def assemble(grant: Grant, signature: bytes) -> SignedGrant:
    """`signature`: r||s||v, 65 bytes, v 27 or 28, low s; malleable or malformed ones raise BadInput."""
    _check(signature)
    typed = _EOA + signature
    deferred_action_data = grant.unsigned[33:] + len(typed).to_bytes(4, "big") + typed
    return SignedGrant(grant, signature, deferred_action_data, grant.unsigned[:33] + deferred_action_data)


def unsigned_of(blob: bytes) -> bytes:
    """flag || nonce || length || encoded data, cut from the front of a blob. Raises CannotDecode when it is shorter than it says."""
    end = 37 + int.from_bytes(blob[33:37], "big")
    if len(blob) <= end:
        raise CannotDecode(tr("This grant is cut short."), path="deferredAction")
    return blob[:end]


def signer_of(digest: bytes, signature: bytes) -> Address:
    """The address whose key signed the 32-byte digest. Raises BadInput when no key could have."""
    _check(signature)
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] - 27]), digest, hasher=None)
    except Exception:  # noqa: BLE001 - coincurve raises bare Exception for unrecoverable signatures
        raise BadInput(tr("This signature belongs to no key."), path="signature") from None
    return Address.from_bytes(keccak(key.format(compressed=False)[1:])[12:])


def local_context(signed: SignedGrant) -> bytes:
    """Wallet APIs context 0x01: the whole signed deferred action travels in it. In their schema; unproven against the live service."""
    return _LOCAL_DEFERRED + signed.blob


def remote_context(session_id: bytes, signature: bytes) -> bytes:
    """Context 0x00: a session stored by the service (16-byte id) and the owner's signature."""
    if len(session_id) != 16:
        raise BadInput(tr("A session id is 16 bytes."), path="sessionId")
    return b"\x00" + session_id + signature


def installed_context(entity_id: int, *, is_global: bool) -> bytes:
    """Context 0x02: a session that is installed on chain already."""
    return _INSTALLED + bytes([is_global]) + entity_id.to_bytes(4, "big")


def _check(signature: bytes) -> None:
    if len(signature) != 65 or signature[64] not in (27, 28):
        raise BadInput(tr("A signature is 65 bytes and ends with 27 or 28."), path="signature")
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        raise BadInput(tr("This signature is not in its canonical form (high s)."), path="signature")
