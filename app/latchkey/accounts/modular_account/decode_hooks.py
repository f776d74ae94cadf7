"""The hooks of an installation, read one by one into what they add up to.

A hook counts only when the chain would enforce it so; whatever differs from the usual form is also listed as `Unknown`, even when
its effect is understood, because a person should not sign an unusual form unawares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from latchkey.accounts.modular_account import decode_functions as known
from latchkey.accounts.modular_account.decode_abi import Reader, Tuple, Values, Work, types
from latchkey.core.permissions import GasLimit, NativeTokenTransfer, PaymasterGuard
from latchkey.core.reading import Unknown
from latchkey.core.types import Address
from latchkey.errors import CannotDecode
from latchkey.language import tr

SHIFT: Final = 2147483647  # what is added to the session's entity id where a second counter or list is needed

_VALIDATION_HOOK, _POST, _PRE = 1, 2, 4  # flags of a hook


@dataclass(slots=True)
class Entry:
    """One input of an allowlist hook. `raw`: the target's bytes, for an `Unknown` about it."""

    where: str
    raw: bytes
    target: Address
    has_selectors: bool
    has_limit: bool
    limit: int
    selectors: list[bytes]


@dataclass(slots=True)
class Powers:
    """What the hooks of one call add up to, filled hook by hook."""

    entity_id: int
    work: Work
    notes: list[Unknown]
    paymaster: PaymasterGuard | None = None
    native: NativeTokenTransfer | None = None
    gas: GasLimit | None = None
    valid_until: int = 0
    valid_after: int = 0
    allowlist: list[Entry] = field(default_factory=list)
    token_limits: list[Entry] = field(default_factory=list)
    has_allowlist: bool = False
    has_execution_hooks: bool = False
    seen: set[tuple[bytes, bool]] = field(default_factory=set)

    def note(self, where: str, data: bytes, why: str) -> None:
        self.notes.append(Unknown(where, data, why))

    def read(self, data: bytes, form: Tuple, where: str) -> Values:
        return Reader(data, self.work, self.notes, where=where).values(form)


@dataclass(frozen=True, slots=True)
class _Hook:
    """A hook as the SDK writes it. `shift`: its entity id is the session's plus this. `flags`: the usual ones."""

    name: str
    shift: int
    flags: tuple[int, ...]
    init: str
    apply: Callable[[Powers, bytes, Values, str], None]


def read_hook(powers: Powers, raw: bytes, where: str) -> None:
    if len(raw) < 25:
        raise CannotDecode(tr("{where}: a hook is at least 25 bytes.", where=where), path=where)
    module, entity_id, flags, init = raw[:20], int.from_bytes(raw[20:24], "big"), raw[24], raw[25:]
    runs_at_validation = bool(flags & _VALIDATION_HOOK)
    powers.has_execution_hooks |= not runs_at_validation
    hook = _HOOKS.get((module, runs_at_validation))
    if hook is None:
        powers.note(where, raw, _why_unknown(module))
        return
    _check_hook(powers, hook, module, entity_id, flags, where)
    powers.has_allowlist |= hook.apply is _allowlist
    if runs_at_validation or flags & _PRE:
        _read_init(powers, hook, entity_id, init, f"{where}.initData")


def _read_init(powers: Powers, hook: _Hook, entity_id: int, init: bytes, where: str) -> None:
    if not init:
        why = tr("The {hook_name} sets nothing; what was set earlier under this entity id is in force.", hook_name=hook.name)
        powers.note(where, b"", why)
        return
    values = powers.read(init, types(hook.init), where)
    if values[0] != entity_id:
        why = tr(
            "The {hook_name} is set under entity id {values} and looked up under another.", hook_name=hook.name, values=values[0]
        )
        powers.note(f"{where}.entityId", init[:32], why)
        return
    hook.apply(powers, init, values[1:], where)


def _check_hook(powers: Powers, hook: _Hook, module: bytes, entity_id: int, flags: int, where: str) -> None:
    if flags not in hook.flags:
        powers.note(f"{where}.flags", bytes([flags]), _why_flags(hook, flags))
    if entity_id != powers.entity_id + hook.shift:
        powers.note(f"{where}.entityId", entity_id.to_bytes(4, "big"), _why_entity(powers, hook, entity_id))
    if (module, bool(flags & _VALIDATION_HOOK)) in powers.seen:
        powers.note(where, module, tr("The {hook_name} stands here twice.", hook_name=hook.name))
    powers.seen.add((module, bool(flags & _VALIDATION_HOOK)))


def _why_flags(hook: _Hook, flags: int) -> str:
    if flags & ~(_VALIDATION_HOOK | _POST | _PRE):
        return tr("Flags without a known meaning are set on the {hook_name}.", hook_name=hook.name)
    if flags & _VALIDATION_HOOK:
        return tr("The {hook_name} has unusual flags; the account ignores them.", hook_name=hook.name)
    if not flags & _PRE:
        return tr("The {hook_name} is never checked, because its hook does not run before a call.", hook_name=hook.name)
    return tr("The {hook_name} makes every call fail, because its hook also runs after a call.", hook_name=hook.name)


def _why_entity(powers: Powers, hook: _Hook, entity_id: int) -> str:
    if hook.apply is _gas_limit and entity_id == powers.entity_id:
        return tr("The gas limit is stored under the session's own entity id: it shares its counter with the ETH limit.")
    return tr(
        "The {hook_name} is kept under an unusual entity id, {entity_id}; another session may share or change it.",
        hook_name=hook.name,
        entity_id=entity_id,
    )


def _why_unknown(module: bytes) -> str:
    if module == known.ALLOWLIST_2_0_0:
        return tr("This is the superseded allowlist module: a call wrapped in executeUserOp is not checked by it at all.")
    if module in known.KNOWN_CONTRACTS:
        return tr("This module does not work as this kind of hook.")
    return tr("Latchkey does not know this module.")


def _native_limit(powers: Powers, raw: bytes, values: Values, where: str) -> None:
    powers.native = NativeTokenTransfer(values[0])


def _gas_limit(powers: Powers, raw: bytes, values: Values, where: str) -> None:
    powers.gas = GasLimit(values[0])


def _paymaster(powers: Powers, raw: bytes, values: Values, where: str) -> None:
    powers.paymaster = PaymasterGuard(values[0])


def _time_range(powers: Powers, raw: bytes, values: Values, where: str) -> None:
    powers.valid_until, powers.valid_after = values
    if not powers.valid_until:
        powers.note(
            where, raw, tr("This time range has no end: operations never expire, and calls without an EntryPoint always fail.")
        )


def _allowlist(powers: Powers, raw: bytes, values: Values, where: str) -> None:
    powers.allowlist += _entries(powers, raw, values, where)


def _token_limits(powers: Powers, raw: bytes, values: Values, where: str) -> None:
    powers.token_limits += _entries(powers, raw, values, where)


def _entries(powers: Powers, raw: bytes, values: Values, where: str) -> list[Entry]:
    if not values[0]:
        powers.note(where, raw, tr("This list has no entries."))
    return [Entry(f"{where}.inputs[{index}]", entry[0].raw, *entry) for index, entry in enumerate(values[0])]


_HOOKS: Final[dict[tuple[bytes, bool], _Hook]] = {
    (known.TIME_RANGE, True): _Hook(
        "time range", 0, (_VALIDATION_HOOK,), "uint32 entityId,uint48 validUntil,uint48 validAfter", _time_range
    ),
    (known.NATIVE_LIMIT, False): _Hook("ETH limit", 0, (_PRE,), "uint32 entityId,uint256 limit", _native_limit),
    (known.NATIVE_LIMIT, True): _Hook(
        tr("gas limit"), SHIFT, (_VALIDATION_HOOK | _PRE,), "uint32 entityId,uint256 limit", _gas_limit
    ),
    (known.ALLOWLIST, True): _Hook(
        "allowlist", 0, (_VALIDATION_HOOK | _PRE,), f"uint32 entityId,{known.ALLOWLIST_INPUTS}", _allowlist
    ),
    (known.ALLOWLIST, False): _Hook(tr("token limit"), SHIFT, (_PRE,), f"uint32 entityId,{known.ALLOWLIST_INPUTS}", _token_limits),
    # Not written by the SDK's builder; callers write either form.
    (known.PAYMASTER_GUARD, True): _Hook(
        "paymaster guard", 0, (_VALIDATION_HOOK, _VALIDATION_HOOK | _PRE), "uint32 entityId,address paymaster", _paymaster
    ),
}
