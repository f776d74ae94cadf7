"""A call read once more, step by step: what of it takes power away, with typed values; everything else stays a `Call`.

A step is only recognised where the contract's published code does exactly this and nothing else, whatever else is in the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from latchkey.accounts.modular_account import decode_functions as known
from latchkey.accounts.modular_account.decode_abi import Reader, Values, Work, function
from latchkey.core.reading import Action, Batch, Call, Cancel, Clean, Entry, Install, Lower, Shorten, Step, Uninstall
from latchkey.core.types import Address, Selector


def steps_of(action: Action, account: Address) -> tuple[Step, ...]:
    """What the account does for a call it receives, in order."""
    if isinstance(action, Batch):
        return tuple(step for call in action.calls for step in _of_call(call, account))
    return tuple(_of_call(action, account)) if isinstance(action, Call) else (action,)


def _of_call(call: Call, account: Address) -> Iterator[Step]:
    plain = call.target == account and call.value == 0 and call.data[:4] in (known.INSTALL_VALIDATION, known.UNINSTALL_VALIDATION)
    if plain and isinstance(call.inner, Uninstall | Install):
        yield call.inner
    else:
        yield _module_call(call) or call


def _module_call(call: Call) -> Step | None:
    if call.target is None or call.value or call.inner is not None or call.unknown:
        return None
    found = _STEPS.get((call.target.raw, call.data[:4]))
    if found is None:
        return None
    declaration = known.KNOWN_CONTRACTS[call.target.raw][call.data[:4]]
    values = Reader(call.data, Work(len(call.data)), [], start=4).values(function(declaration).arguments)
    return found(call.target, values)


def _cancel(target: Address, values: Values) -> Step:
    return Cancel(values[0])


def _lower(module: Address, values: Values) -> Step:
    return Lower(module, values[0], None, values[1])


def _lower_token(module: Address, values: Values) -> Step | None:
    """Without its mark the token would have no limit at all."""
    storage_id, token, is_limited, amount = values
    return Lower(module, storage_id, token, amount) if is_limited else None


def _shorten(module: Address, values: Values) -> Step | None:
    """An end of 0 stands for none."""
    entity_id, until, after = values
    return Shorten(entity_id, until, after) if until else None


def _delete(module: Address, values: Values) -> Step:
    storage_id, inputs = values
    return Clean(module, storage_id, tuple(_entry(*one) for one in inputs))


def _entry(target: Address, has_selectors: bool, has_limit: bool, limit: int, selectors: list[bytes]) -> Entry:
    return Entry(target, has_selectors, has_limit, limit, tuple(Selector.from_bytes(s) for s in selectors))


def _forget(module: Address, values: Values) -> Step:
    return Clean(module, int.from_bytes(values[0], "big"))


_STEPS: Final[dict[tuple[bytes, bytes], Callable[[Address, Values], Step | None]]] = {
    (known.ENTRY_POINT, bytes.fromhex("0bd28e3b")): _cancel,
    (known.NATIVE_LIMIT, bytes.fromhex("71280be3")): _lower,
    (known.ALLOWLIST, bytes.fromhex("4380c278")): _lower_token,
    (known.ALLOWLIST_2_0_0, bytes.fromhex("4380c278")): _lower_token,
    (known.TIME_RANGE, bytes.fromhex("e762c77c")): _shorten,
    (known.ALLOWLIST, bytes.fromhex("c67151f6")): _delete,
    (known.ALLOWLIST_2_0_0, bytes.fromhex("c67151f6")): _delete,
    (known.TIME_RANGE, known.ON_UNINSTALL): _forget,
    (known.PAYMASTER_GUARD, known.ON_UNINSTALL): _forget,
}
