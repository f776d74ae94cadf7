"""What bytes mean, as an independent decoder found it. Values only; the decoders live with their account systems.

A reading never guesses: whatever the decoder does not know stands in `unknown` with its place and its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from latchkey.core.permissions import Permission
from latchkey.core.types import Address


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


Action: TypeAlias = Install | Uninstall | Call | Batch
Reading: TypeAlias = Action | Deferred


def unknown_in(reading: Reading) -> tuple[Unknown, ...]:
    """Everything unknown in a reading, nested ones included."""
    found = list(reading.unknown)
    if isinstance(reading, Deferred):
        found += unknown_in(reading.action)
    elif isinstance(reading, Batch):
        for call in reading.calls:
            found += unknown_in(call)
    elif isinstance(reading, Call) and reading.inner is not None:
        found += unknown_in(reading.inner)
    return tuple(found)
