"""What the book holds, as values. Public facts only: no key, no passphrase, no session key in the clear."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from latchkey.core.draft import Draft
from latchkey.core.functions import Function
from latchkey.core.request import Claims
from latchkey.core.types import Address

DEVICE = "device"


class GrantState(StrEnum):
    """Where a grant is, as far as this machine knows; whether the chain has it is another question."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    HANDED_OVER = "handed-over"
    PUT_ASIDE = "put-aside"  # signed, not handed over from here, and still valid until it expires
    WAITING = "waiting"  # signed, and kept here until what it replaces is gone (store.replacing)


class KeyOrigin(StrEnum):
    """Where a grant's session key was made."""

    GIVEN = "given"  # by the dApp or another machine; only its address is known here
    MADE = "made"  # here, kept in the vault


class Outcome(StrEnum):
    """How a request was answered."""

    GRANTED = "granted"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class MasterKeyRecord:
    """What may be shown of a master key while the vault is locked. `kind`: how it came in; `path`: its derivation, "" for none.

    A hardware wallet's key stands here too, of the kind "device": nothing of it is in the vault, and the wallet is asked by QR code. Its
    path begins with the master key's fingerprint where the wallet told it: "73c5da0a/44'/60'/0'/0/0", else "m/44'/60'/0'/0/0".
    """

    address: Address
    label: str
    kind: str
    path: str

    @property
    def is_device(self) -> bool:
        return self.kind == DEVICE


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """One grant and its state. Chain, account, entity id, session key and expiry are the draft's.

    `nonce`: the whole uint256 that is signed. `created`: seconds since 1970. `unsigned`: what the owner signs, as `core.grant.Grant`
    has it. `envelope`: the signed hand-over, None until it is signed. `request_id`: "" when no request asked for it. `id`: 0 until
    the book has given one.
    """

    draft: Draft
    nonce: int
    unsigned: bytes
    created: int
    label: str = ""
    claims: Claims = field(default_factory=Claims)
    envelope: bytes | None = None
    state: GrantState = GrantState.UNSIGNED
    key_origin: KeyOrigin = KeyOrigin.GIVEN
    request_id: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class RequestMark:
    """A request that was answered. `digest`: 32 bytes over what it asked; `answered`: seconds since 1970."""

    request_id: str
    digest: bytes
    answered: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class KeptContract:
    """`label`: the person's name for it, may be empty. `functions`: by signature, by selector alone where no name is known. `kept`:
    seconds."""

    chain_id: int
    address: Address
    label: str
    functions: tuple[Function, ...]
    kept: int
