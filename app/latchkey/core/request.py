"""What a dApp asks for: untrusted, a proposal that can only be narrowed. Parsed by `codec.inbox`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from latchkey.core.permissions import Permission
from latchkey.core.types import Address


@dataclass(frozen=True, slots=True)
class Claims:
    """Words the sender chose; shown as claims, never believed. `names`: address -> (name, symbol, decimals or None).

    `functions`: Solidity signatures the sender offers for selectors; each is shown only where its selector matches. `altered`: one of
    these texts held characters that cannot be seen, or was absurdly long; they were taken out.
    """

    dapp_name: str = ""
    dapp_url: str = ""
    names: tuple[tuple[Address, str, str, int | None], ...] = ()
    functions: tuple[str, ...] = ()
    altered: bool = False


NO_CLAIMS = Claims()


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """One request for a session key.

    `account`, `chain_id`, `expiry` (chain seconds, 0 = never asked for) and `session_key` are None where the request leaves them
    open. `key_type`: "secp256k1" (also written "ecdsa") or "contract". `request_id`: the sender's name for this request, 1-64
    printable characters, made by us from the bytes' hash when it gave none. `hand_over_key`: X25519 public key (32 bytes) to which a
    session key made here is sealed. `callback`: an https address, checked (core.callback), that the person may take the answer to; ""
    for none.
    """

    permissions: tuple[Permission, ...]
    request_id: str
    account: Address | None = None
    chain_id: int | None = None
    expiry: int | None = None
    session_key: Address | None = None
    key_type: str = "secp256k1"
    hand_over_key: bytes | None = None
    claims: Claims = field(default_factory=Claims)
    system: str = "modular_account"
    callback: str = ""


@dataclass(frozen=True, slots=True)
class RevocationRequest:
    """A dApp asks that sessions of an account be ended; the person decides. `entity_ids`: which, never empty."""

    request_id: str
    chain_id: int
    account: Address
    entity_ids: tuple[int, ...]
    system: str = "modular_account"


Request: TypeAlias = SessionRequest | RevocationRequest
