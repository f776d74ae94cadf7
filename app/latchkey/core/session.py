"""Sessions as the chain tells them: what is installed on an account at one block, whoever granted it.

A reading never guesses: a module or hook that is not known stands there with its address and its bytes, and what could not be read
stands in `LogRange.missing`. Amounts are base units, times chain seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from latchkey.core.account import Account
from latchkey.core.phrases import Finding
from latchkey.core.reading import Install
from latchkey.core.types import Address, Selector


class LimitKind(StrEnum):
    NATIVE = "native"  # coins sent with calls
    GAS = "gas"  # declared maximum cost of the key's own operations
    ERC20 = "erc20"  # one token, transfers and approvals together


class SessionState(StrEnum):
    """What a person sees of a session, in the order of a life."""

    WAITING = "waiting for first use"
    ACTIVE = "active"
    NEARLY_USED_UP = "nearly used up"
    USED_UP = "used up"
    EXPIRES_SOON = "expires soon"
    EXPIRED = "expired"
    REVOKING = "revoking"
    REVOKED = "revoked"
    FULL_CONTROL = "full control"


@dataclass(frozen=True, slots=True)
class Limit:
    """`left`: what may still be spent. `granted`: what it began with or was last set to, None when nobody can tell. `token` for ERC20
    alone."""

    kind: LimitKind
    left: int
    token: Address | None = None
    granted: int | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook of a validation, as getValidationData gives it. `name` is "" for a module nobody here knows."""

    module: Address
    entity_id: int
    flags: int
    name: str = ""

    @property
    def raw(self) -> bytes:
        return self.module.raw + self.entity_id.to_bytes(4, "big") + bytes([self.flags])


@dataclass(frozen=True, slots=True)
class Leftover:
    """One thing a module has stored under an entity id. It is in force whenever a validation has that module as its hook under that id.

    An entry of an allowlist: `target`. A function on it: `target` (None: everywhere) and `selector`. A token limit: `target` and
    `amount`. A limit of coins or gas: `amount`. A time range: `amount`, its last second. A paymaster or a key: `target`.
    """

    module: Address
    entity_id: int
    target: Address | None = None
    selector: Selector | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A validation with an entity id of 1 or more, installed at the block of its reading.

    `install` is what it may do now, as the decoder would read it from a grant with the amounts that are left: words and rules look
    at that alone. `module`: the validation module; `signer`: its key, None when the module is not the single signer's. `selectors`:
    the validation's own list. `hooks`, `execution_hooks`: in install order, every one, known or not. `targets_complete`: whether the
    logs that list its targets and functions were read whole. `installed_block`, `installed_in`: where its install was seen (transaction
    hash, 32 bytes), None when the logs do not reach back so far.
    """

    account: Account
    entity_id: int
    module: Address
    signer: Address | None
    flags: int
    selectors: tuple[Selector, ...]
    hooks: tuple[Hook, ...]
    execution_hooks: tuple[Hook, ...]
    install: Install
    limits: tuple[Limit, ...]
    leftovers: tuple[Leftover, ...] = ()
    stored: tuple[Leftover, ...] = ()
    targets_complete: bool = True
    installed_block: int | None = None
    installed_in: bytes | None = None

    @property
    def valid_until(self) -> int:
        return self.install.expiry

    @property
    def valid_after(self) -> int:
        return self.install.valid_after


@dataclass(frozen=True, slots=True)
class Owner:
    """Who controls the account: shown, never selected for revocation.

    `kind`: "fallback-signer", "single-signer", "passkey", "account-key" (the key of the account's own address, which stands above all
    with EIP-7702) or "unknown". `address` None for a passkey. `disabled`: a fallback signer that was switched off. `signs_messages`:
    the ERC-1271 flag. `hooks`: hooks on the owner's own validation; there should be none.
    """

    kind: str
    entity_id: int
    module: Address | None = None
    address: Address | None = None
    disabled: bool = False
    signs_messages: bool = True
    hooks: tuple[Hook, ...] = ()


@dataclass(frozen=True, slots=True)
class Power:
    """A power over the account that is no session key.

    `kind`: "execution-function" (a function a module added), "execution-hook" (on such a function), "direct-call" (a contract that
    may call the account itself, entity id 0xffffffff), "delegation" (EIP-7702 code), "implementation" (proxy upgraded or code not
    known). `sentence`: one line for a person. `hooks`: a direct call's validation hooks and execution hooks in turn.
    """

    kind: str
    address: Address
    sentence: str
    selectors: tuple[Selector, ...] = ()
    hooks: tuple[Hook, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    number: int
    hash: bytes
    time: int


@dataclass(frozen=True, slots=True)
class LogRange:
    """Blocks whose logs were read: `first` to `last`, both included, without those in `missing` (pairs, both included)."""

    first: int
    last: int
    missing: tuple[tuple[int, int], ...] = ()

    @property
    def complete(self) -> bool:
        return not self.missing


@dataclass(frozen=True, slots=True)
class AccountReading:
    """One account at one block. `deployed`: whether it has code yet. `used_entity_ids`: every id its events name, installed or not.

    `leftovers`: of ids that are not installed. `findings`: about the account as a whole (code not known, hooks on the owner,
    an endpoint that disagrees). `balance`: wei. `deposit`: wei the EntryPoint holds for it.
    """

    account: Account
    block: Block
    logs: LogRange
    deployed: bool
    sessions: tuple[Session, ...] = ()
    owners: tuple[Owner, ...] = ()
    powers: tuple[Power, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    used_entity_ids: frozenset[int] = frozenset()
    findings: tuple[Finding, ...] = ()
    balance: int = 0
    deposit: int = 0


SOON = 3_600
NEAR = 5  # one fifth left


def state_of(session: Session, now: int) -> SessionState:
    """Of an installed session at chain time `now`: the gravest thing that is so. WAITING, REVOKING and REVOKED are told by others."""
    if session.valid_until and now > session.valid_until:
        return SessionState.EXPIRED
    if session.install.is_global:
        return SessionState.FULL_CONTROL
    if any(limit.left == 0 and limit.granted for limit in session.limits):
        return SessionState.USED_UP
    if session.valid_until and session.valid_until - now <= SOON:
        return SessionState.EXPIRES_SOON
    if any(limit.granted and limit.left * NEAR <= limit.granted for limit in session.limits):
        return SessionState.NEARLY_USED_UP
    return SessionState.ACTIVE
