"""What the window and the command line know of the vault: addresses and names, never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from latchkey.core.draft import Draft
from latchkey.core.phrases import Finding, Words
from latchkey.core.types import Address, keccak


class PromptMode(StrEnum):
    """Where a person is asked."""

    DESK = "desk"
    TERMINAL = "terminal"
    FD = "fd"


@dataclass(frozen=True, slots=True)
class Prompt:
    """`passphrase_fd` (mode FD): a descriptor with one passphrase a line: the vault's, then a new one where one is asked for.

    `script`: nobody sits at the terminal. Then only a vault that holds nothing but the public test keys is opened, and its
    confirmations are given by the script; without it a person confirms at the terminal.
    """

    mode: PromptMode = PromptMode.DESK
    passphrase_fd: int | None = None
    script: bool = False


@dataclass(frozen=True, slots=True)
class MasterKey:
    """`kind`: "mnemonic" or "raw". `path`: derivation path, empty for a raw key. `public_test`: its private key is known to everybody."""

    address: Address
    label: str
    kind: str
    path: str
    public_test: bool


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A session key made here. `created`: seconds since 1970. `request_id`, `chain_id`, `account`: for whom it was sealed, or None."""

    address: Address
    created: int
    request_id: str | None = None
    chain_id: int | None = None
    account: Address | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """`exists`: there is a vault at all. `test_only`: it holds nothing but public test keys. `has_api_key`: one of the Wallet APIs is kept.
    `keyring`: the keyring of this computer opens it too.
    While locked nothing else is known."""

    exists: bool
    unlocked: bool
    test_only: bool = False
    expert: bool = False
    keys: tuple[MasterKey, ...] = ()
    session_keys: tuple[SessionKey, ...] = ()
    has_api_key: bool = False
    keyring: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What the signer read from the exact bytes. `token`: good for one `sign`, for a few minutes."""

    token: bytes
    draft: Draft
    words: Words
    findings: tuple[Finding, ...]
    digest: bytes


@dataclass(frozen=True, slots=True)
class EndingPreview:
    """What the signer read from exact bytes that end, cancel or tighten. `token`: good for one `sign_all`, for a few minutes. `digests`:
    what each signature is over; `digest`: one for all of them, for comparing with another machine."""

    token: bytes
    words: Words
    findings: tuple[Finding, ...]
    digest: bytes
    digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Operations of an account that end its sessions, signed ahead by its owner. `created`: seconds since 1970. `operations`: as they
    were signed; `signatures`: r||s||v of each. No secret, but a power."""

    chain_id: int
    account: Address
    owner: Address
    created: int
    operations: tuple[bytes, ...]
    signatures: tuple[bytes, ...]

    @property
    def id(self) -> str:
        return keccak(b"".join((*self.operations, *self.signatures)))[:8].hex()
