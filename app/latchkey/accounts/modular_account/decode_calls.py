"""What a call to an account means, and the calls inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from latchkey.accounts.modular_account import decode_functions as known
from latchkey.accounts.modular_account.decode_abi import Bytes, Reader, Values, Work, function
from latchkey.accounts.modular_account.decode_install import read_install, read_uninstall
from latchkey.core.reading import Action, Batch, Call, Unknown
from latchkey.core.types import Address, to_hex
from latchkey.errors import CannotDecode
from latchkey.language import tr

MAX_CALL: Final = 64 * 1024
MAX_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class _Scope:
    """What stays the same on the way down. `account`: the one that makes the calls, None when not known."""

    account: Address | None
    work: Work


def decode_call(data: bytes, *, account: Address | None = None, target: Address | None = None, value: int = 0) -> Action:
    """Read call data, at most 64 KiB.

    `target`: who is called; None or `account` itself means the account. `value`: wei sent along. Without `account`, a call to
    somebody else is read as a call to the account too when its selector is one of the account's own functions.

    An `execute` is read as the call it makes, so `signature` and `arguments` are those of the function at the target; `inner` is
    set where that function is the account's own or carries another call. Raises CannotDecode with `path` naming the place.
    """
    if len(data) > MAX_CALL:
        raise CannotDecode(tr("The call is too long: at most {max_call} KiB are read.", max_call=MAX_CALL // 1024), path="call")
    scope = _Scope(account, Work(len(data)))
    if target is not None and target != account:
        return _read_target(scope, target, value, data, "call", 1, [])
    action = _read_own(scope, data, "", 1)
    return Call(account, value, _own_signature(data), (), data, action) if value else action


# Calls the account receives. `where`: the place of `data`, "" for the whole; `depth`: 1 for the outermost call.


def _read_own(scope: _Scope, data: bytes, where: str, depth: int) -> Action:
    if depth > MAX_DEPTH:
        raise CannotDecode(tr("Calls are nested too deeply: at most {max_depth} levels are read.", max_depth=MAX_DEPTH), path=where)
    if len(data) < 4:
        raise CannotDecode(tr("A call of the account begins with a function selector of 4 bytes."), path=where or "call")
    match data[:4]:
        case known.INSTALL_VALIDATION:
            return read_install(data, scope.work, where)
        case known.UNINSTALL_VALIDATION:
            return read_uninstall(data, scope.work, where)
        case known.EXECUTE:
            return _read_execute(scope, data, where, depth)
        case known.EXECUTE_BATCH:
            return _read_batch(scope, data, where, depth)
        case known.EXECUTE_USER_OP if depth == 1:
            inner = _read_own(scope, data[4:], _join(where, "callData"), depth + 1)
            return Call(scope.account, 0, _own_signature(data), (), data, inner)
        case known.EXECUTE_WITH_RUNTIME_VALIDATION:
            return _read_runtime(scope, data, where, depth)
        case selector if selector in known.ACCOUNT_FUNCTIONS:
            return _read_named(scope, scope.account, 0, data, known.ACCOUNT_FUNCTIONS[selector], where, [])
    why = tr("The account itself has no such function; a module installed on it may.")
    return Call(scope.account, 0, None, (), data, unknown=(Unknown(where or "call", data, why),))


def _read_execute(scope: _Scope, data: bytes, where: str, depth: int) -> Call:
    notes: list[Unknown] = []
    target, value, inner = _arguments(scope, known.ACCOUNT_FUNCTIONS[known.EXECUTE], data, where, notes)
    return _read_target(scope, target, value, inner, _join(where, "data"), depth, notes)


def _read_batch(scope: _Scope, data: bytes, where: str, depth: int) -> Batch:
    notes: list[Unknown] = []
    (calls,) = _arguments(scope, known.ACCOUNT_FUNCTIONS[known.EXECUTE_BATCH], data, where, notes)
    place = _join(where, "calls")
    read = (
        _read_target(scope, target, value, inner, f"{place}[{index}].data", depth, [])
        for index, (target, value, inner) in enumerate(calls)
    )
    return Batch(tuple(read), tuple(notes))


def _read_runtime(scope: _Scope, data: bytes, where: str, depth: int) -> Call:
    """A call by somebody outside, who is checked against a validation: options(1) || entity id(4) || 0xff."""
    notes: list[Unknown] = []
    declaration = known.ACCOUNT_FUNCTIONS[known.EXECUTE_WITH_RUNTIME_VALIDATION]
    inner, authorization = _arguments(scope, declaration, data, where, notes)
    arguments: tuple[tuple[str, str], ...] = (("authorization", to_hex(authorization)),)
    if len(authorization) == 6 and authorization[0] <= 1 and authorization[5] == 0xFF:
        arguments = (("entityId", str(int.from_bytes(authorization[1:5], "big"))), ("options", str(authorization[0])))
    else:
        why = tr("This is not the usual authorization: options 0 or 1, an entity id, and the end mark.")
        notes.append(Unknown(_join(where, "authorization"), authorization, why))
    action = _read_own(scope, inner, _join(where, "data"), depth + 1)
    return Call(scope.account, 0, function(declaration).signature, arguments, data, action, tuple(notes))


# Calls the account makes


def _read_target(scope: _Scope, target: Address, value: int, data: bytes, where: str, depth: int, notes: list[Unknown]) -> Call:
    """A call to anybody. `notes`: what was irregular about the call around it."""
    if not data:
        return Call(target, value, None, (), data, unknown=tuple(notes))
    contract = known.KNOWN_CONTRACTS.get(target.raw)
    own = target == scope.account or (scope.account is None and contract is None and data[:4] in known.ACCOUNT_FUNCTIONS)
    if own:
        return Call(target, value, _own_signature(data), (), data, _read_own(scope, data, where, depth + 1), tuple(notes))
    declaration = (known.TOKEN_FUNCTIONS if contract is None else contract).get(data[:4])
    if declaration is None:
        notes.append(Unknown(where, data, tr("Latchkey does not know what this function does.")))
        return Call(target, value, None, (), data, unknown=tuple(notes))
    try:
        return _read_named(scope, target, value, data, declaration, where, notes)
    except CannotDecode as error:
        why = tr(
            "It begins like {signature}, but cannot be read ({error_text})",
            signature=function(declaration).signature,
            error_text=error.text,
        )
        return Call(target, value, None, (), data, unknown=(*notes, Unknown(where, data, why)))


def _read_named(
    scope: _Scope, target: Address | None, value: int, data: bytes, declaration: str, where: str, notes: list[Unknown]
) -> Call:
    """A function whose arguments are shown by name. Bytes inside them have a meaning only their receiver knows."""
    found = list(notes)
    values = _arguments(scope, declaration, data, where, found)
    form = function(declaration)
    shown = []
    for item, name, one in zip(form.arguments.items, form.arguments.names, values, strict=True):
        shown.append((name, item.show(one)))
        if isinstance(item, Bytes) and one and not _is_entity_id(target, data, one):
            found.append(Unknown(_join(where, name), one, tr("What these bytes mean is up to the one who receives them.")))
    return Call(target, value, form.signature, tuple(shown), data, unknown=tuple(found))


def _is_entity_id(target: Address | None, data: bytes, argument: bytes) -> bool:
    """onUninstall of modules that take nothing but abi.encode(uint32)."""
    takes_one = target is not None and target.raw in (known.TIME_RANGE, known.PAYMASTER_GUARD) and data[:4] == known.ON_UNINSTALL
    return takes_one and len(argument) == 32 and not any(argument[:28])


def _arguments(scope: _Scope, declaration: str, data: bytes, where: str, notes: list[Unknown]) -> Values:
    return Reader(data, scope.work, notes, start=4, where=where).values(function(declaration).arguments)


def _own_signature(data: bytes) -> str | None:
    declaration = known.ACCOUNT_FUNCTIONS.get(data[:4])
    return function(declaration).signature if declaration else None


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
