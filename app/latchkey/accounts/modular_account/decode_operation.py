"""User operations for EntryPoint 0.7, one by one or carried by handleOps, and the owner's own transactions."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from latchkey.accounts.modular_account import decode_functions as known
from latchkey.accounts.modular_account.decode_abi import Reader, Values, Work, function, types
from latchkey.accounts.modular_account.decode_calls import MAX_CALL, decode_call
from latchkey.accounts.modular_account.decode_steps import steps_of
from latchkey.core.reading import Bundle, Call, Operation, Transaction, Unknown
from latchkey.core.types import Address
from latchkey.errors import CannotDecode
from latchkey.language import tr

MAX_OPERATION: Final = MAX_CALL + 16 * 1024
_HANDLE_OPS: Final = bytes.fromhex("765e827f")
_BUNDLE: Final = f"handleOps({known.USER_OP.removesuffix(' userOp')}[] ops,address beneficiary)"


def decode_operation(data: bytes) -> Operation:
    """Read abi.encode(PackedUserOperation) with an empty signature. Raises CannotDecode."""
    _check_length(data, MAX_OPERATION)
    notes: list[Unknown] = []
    ((*fields, signature),) = Reader(data, Work(len(data)), notes, where="operation").values(types(known.USER_OP))
    if signature:
        notes.append(Unknown("operation.signature", signature, tr("An operation that is still to be signed holds no signature.")))
    return _operation(fields, notes)


def _operation(fields: Values, notes: list[Unknown]) -> Operation:
    sender, nonce, init_code, call_data, gas_limits, pre_verification_gas, fees, paymaster_and_data = fields
    action = decode_call(call_data, account=sender)
    return Operation(
        sender=sender,
        nonce=nonce,
        init_code=init_code,
        call_data=call_data,
        verification_gas_limit=int.from_bytes(gas_limits[:16], "big"),
        call_gas_limit=int.from_bytes(gas_limits[16:], "big"),
        pre_verification_gas=pre_verification_gas,
        max_fee_per_gas=int.from_bytes(fees[16:], "big"),
        max_priority_fee_per_gas=int.from_bytes(fees[:16], "big"),
        paymaster_and_data=paymaster_and_data,
        steps=steps_of(action, sender),
        action=action,
        unknown=tuple(notes),
    )


def decode_transaction(data: bytes, account: Address) -> Transaction:
    """Read 0x02 || rlp of an unsigned EIP-1559 transaction sent by, or for, the owner of `account`. Raises CannotDecode."""
    _check_length(data, MAX_OPERATION)
    if data[:1] != b"\x02":
        raise CannotDecode(tr("Only transactions of type 2 (EIP-1559) are read."), path="transaction")
    fields = _rlp_fields(data[1:])
    if len(fields) != 9 or fields[8] is not None:
        raise CannotDecode(tr("This is not an unsigned EIP-1559 transaction without an access list."), path="transaction")
    chain_id, nonce, priority_fee, max_fee, gas, value = (_number(fields[i]) for i in (0, 1, 2, 3, 4, 6))
    to, call = fields[5], fields[7]
    if to is None or len(to) != 20 or call is None:
        raise CannotDecode(tr("The transaction names no receiver."), path="transaction.to")
    reading = Transaction(chain_id, nonce, Address.from_bytes(to), value, call, gas, max_fee, priority_fee)
    return _with_meaning(reading, account)


def _with_meaning(t: Transaction, account: Address) -> Transaction:
    """A bundle for the EntryPoint; what the account does when its owner calls it; else the call as it stands.

    The account refuses a call to one of its functions that comes without an authorization: nothing of such a call counts as a step.
    """
    if t.to.raw == known.ENTRY_POINT and t.data[:4] == _HANDLE_OPS:
        return replace(t, bundle=_bundle(t.data))
    action = decode_call(t.data, account=account, target=t.to, value=t.value)
    if t.to != account:
        steps = steps_of(action, account)
    elif isinstance(action, Call) and action.inner is not None and _is_owners(action):
        steps = steps_of(action.inner, account)
    else:
        steps = (Call(account, t.value, None, (), t.data),)
    return replace(t, steps=steps, action=action)


def _is_owners(call: Call) -> bool:
    """executeWithRuntimeValidation in the owner's name: entity 0, global."""
    return not call.unknown and not call.value and call.arguments == (("entityId", "0"), ("options", "1"))


def _bundle(data: bytes) -> Bundle:
    notes: list[Unknown] = []
    operations, beneficiary = Reader(data, Work(len(data)), notes, start=4, where="handleOps").values(function(_BUNDLE).arguments)
    read = tuple(_operation(fields[:-1], []) for fields in operations)
    return Bundle(read, tuple(fields[-1] for fields in operations), beneficiary, tuple(notes))


# --- RLP, as far as a transaction goes: a list of byte strings and an empty list


def _rlp_fields(data: bytes) -> list[bytes | None]:
    """The strings of the one list that `data` is; None for an empty list in it. Only the shortest form of each is read."""
    at, end = _list(data)
    if end != len(data):
        raise _broken()
    fields: list[bytes | None] = []
    while at < end:
        first = data[at]
        if first < 0x80:
            field, at = data[at : at + 1], at + 1
        elif first < 0xC0:
            start, size = _head(data, at, 0x80)
            field, at = data[start : start + size], start + size
            if size == 1 and field[0] < 0x80:
                raise _broken()
        elif first == 0xC0:
            fields.append(None)
            at += 1
            continue
        else:
            raise CannotDecode(tr("Transactions with an access list are not read."), path="transaction.accessList")
        fields.append(field)
    if at != end:
        raise _broken()
    return fields


def _list(data: bytes) -> tuple[int, int]:
    """(start, end) of the outer list's content."""
    if data[:1] < b"\xc0":
        raise _broken()
    start, size = _head(data, 0, 0xC0)
    return start, start + size


def _head(data: bytes, at: int, base: int) -> tuple[int, int]:
    """(where the content starts, its length)."""
    short = data[at] - base
    if short < 56:
        start, size = at + 1, short
    else:
        width = short - 55
        start = at + 1 + width
        raw = data[at + 1 : start]
        size = int.from_bytes(raw, "big")
        if len(raw) < width or raw[0] == 0 or size < 56:
            raise _broken()
    if start + size > len(data):
        raise _broken()
    return start, size


def _number(field: bytes | None) -> int:
    if field is None or len(field) > 32 or field[:1] == b"\0":
        raise _broken()
    return int.from_bytes(field, "big")


def _broken() -> CannotDecode:
    return CannotDecode(tr("These bytes are not a transaction in its one exact form."), path="transaction")


def _check_length(data: bytes, most: int) -> None:
    if len(data) > most:
        raise CannotDecode(tr("This is too long: at most {most} KiB are read.", most=most // 1024))
