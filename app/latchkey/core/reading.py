"""What bytes mean, as an independent decoder found it. Values only; the decoders live with their account systems.

A reading never guesses: whatever the decoder does not know stands in `unknown` with its place and its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from latchkey.core.contracts import HALF
from latchkey.core.permissions import Permission
from latchkey.core.types import Address, Selector


@dataclass(frozen=True, slots=True)
class Unknown:
    """Bytes without a known meaning. `where`: the field in the protocol's words, e.g. "hooks[2].initData"."""

    where: str
    data: bytes
    why: str


@dataclass(frozen=True, slots=True)
class Install:
    """installValidation: a key is let in.

    `session_key` is None when the validation module is not the single-signer module. `permissions` in the canonical order:
    paymaster-guard, account-functions (all in one), native, gas-limit, then the allowlist's entries in their order on chain.
    `expiry`: last second (0 none); `valid_after`: first second. `is_global`: may call everything (root).
    `signs_messages`: the ERC-1271 flag.
    """

    entity_id: int
    module: Address
    session_key: Address | None
    is_user_op: bool
    signs_messages: bool
    is_global: bool
    permissions: tuple[Permission, ...]
    expiry: int
    valid_after: int
    has_execution_hooks: bool
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True)
class Uninstall:
    """uninstallValidation: a key's access ends. `hook_data` as given, in its order."""

    entity_id: int
    module: Address
    uninstall_data: bytes
    hook_data: tuple[bytes, ...]
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call. `signature` is the function's, None when not known; `arguments` are (name, value as text) pairs."""

    target: Address | None
    value: int
    signature: str | None
    arguments: tuple[tuple[str, str], ...]
    data: bytes
    inner: Action | None = None
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """executeBatch: calls in order."""

    calls: tuple[Call, ...]
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True)
class Deferred:
    """A deferred action: an owner-signed call that rides in a session's first operation.

    `account` and `chain_id` are known only from typed data or an envelope: the blob names neither. `options`: the nonce's low byte.
    `signature`: type byte || r||s||v when the bytes carry one. `needs_execute_user_op`: the blob's flag byte, when there is one.
    """

    nonce: int
    nonce_key: int
    entity_id: int
    options: int
    sequence: int
    deadline: int
    action: Action
    call: bytes
    account: Address | None = None
    chain_id: int | None = None
    signer_entity_id: int | None = None
    signature: bytes | None = None
    needs_execute_user_op: bool | None = None
    unknown: tuple[Unknown, ...] = ()


# --- what takes power away


@dataclass(frozen=True, slots=True)
class Cancel:
    """EntryPoint.incrementNonce: the next operation of a 192-bit nonce key can never be used."""

    key: int

    @property
    def entity_id(self) -> int:
        return self.key >> 8 & 0xFFFFFFFF

    @property
    def is_grant(self) -> bool:
        """The key is one on which a signed grant waits; else it belongs to plain operations."""
        return bool(self.key & 2)


@dataclass(frozen=True, slots=True)
class Lower:
    """What is left of a limit is set to `amount` (wei, or base units of `token`). `storage_id`: the id the module keeps it under."""

    module: Address
    storage_id: int
    token: Address | None
    amount: int

    @property
    def entity_id(self) -> int:
        return owner_of_storage(self.storage_id)

    @property
    def is_gas(self) -> bool:
        return self.token is None and self.storage_id > HALF


@dataclass(frozen=True, slots=True)
class Shorten:
    """A session's time is set: last and first second."""

    entity_id: int
    until: int
    after: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list to delete. `target` zero: the functions listed for every contract."""

    target: Address
    has_selectors: bool
    has_limit: bool
    limit: int
    selectors: tuple[Selector, ...]


@dataclass(frozen=True, slots=True)
class Clean:
    """A module forgets what it keeps under `storage_id`; of the allowlist module only `entries`."""

    module: Address
    storage_id: int
    entries: tuple[Entry, ...] = ()

    @property
    def entity_id(self) -> int:
        return owner_of_storage(self.storage_id)


Step: TypeAlias = Uninstall | Cancel | Lower | Shorten | Clean | Install | Call


@dataclass(frozen=True, slots=True)
class Operation:
    """A user operation for EntryPoint 0.7, not signed. Gas in units, fees in wei per gas.

    `steps`: what its call does, one after the other, as far as each is known to take power away; a `Call` is anything else.
    """

    sender: Address
    nonce: int
    init_code: bytes
    call_data: bytes
    verification_gas_limit: int
    call_gas_limit: int
    pre_verification_gas: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    paymaster_and_data: bytes
    steps: tuple[Step, ...]
    action: Action
    unknown: tuple[Unknown, ...] = ()

    @property
    def nonce_key(self) -> int:
        """The 152-bit parallel key."""
        return self.nonce >> 104

    @property
    def entity_id(self) -> int:
        return self.nonce >> 72 & 0xFFFFFFFF

    @property
    def options(self) -> int:
        return self.nonce >> 64 & 0xFF

    @property
    def sequence(self) -> int:
        return self.nonce & 0xFFFFFFFFFFFFFFFF

    @property
    def gas(self) -> int:
        return self.verification_gas_limit + self.call_gas_limit + self.pre_verification_gas

    @property
    def most(self) -> int:
        """wei the account pays at most."""
        return self.gas * self.max_fee_per_gas


@dataclass(frozen=True, slots=True)
class Bundle:
    """handleOps: operations others signed, carried to the chain. `signatures`: the whole field of each."""

    operations: tuple[Operation, ...]
    signatures: tuple[bytes, ...]
    beneficiary: Address
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True)
class Transaction:
    """An EIP-1559 transaction, not signed. `action` is what the account is asked to do, `steps` as in `Operation`; with `bundle` both
    say nothing."""

    chain_id: int
    nonce: int
    to: Address
    value: int
    data: bytes
    gas: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    steps: tuple[Step, ...] = ()
    action: Action | None = None
    bundle: Bundle | None = None
    unknown: tuple[Unknown, ...] = ()

    @property
    def most(self) -> int:
        """wei the sender pays at most."""
        return self.gas * self.max_fee_per_gas


Action: TypeAlias = Install | Uninstall | Call | Batch
Reading: TypeAlias = Action | Deferred


def owner_of_storage(storage_id: int) -> int:
    """The session whose second counter or list a module keeps under this id; ids up to HALF are the session's own."""
    return storage_id - HALF if storage_id > HALF else storage_id


def unknown_in(reading: Reading | Operation | Transaction | Bundle) -> tuple[Unknown, ...]:
    """Everything unknown in a reading, nested ones included."""
    found = list(reading.unknown)
    if isinstance(reading, Deferred | Operation):
        found += unknown_in(reading.action)
    elif isinstance(reading, Transaction):
        found += [one for part in (reading.action, reading.bundle) if part is not None for one in unknown_in(part)]
    elif isinstance(reading, Bundle):
        found += [one for operation in reading.operations for one in unknown_in(operation)]
    elif isinstance(reading, Batch):
        for call in reading.calls:
            found += unknown_in(call)
    elif isinstance(reading, Call) and reading.inner is not None:
        found += unknown_in(reading.inner)
    return tuple(found)
