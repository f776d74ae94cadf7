"""Deferred actions: the bytes an owner signs, the blob handed over, and the same as EIP-712 typed data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from latchkey.accounts.modular_account.decode_calls import MAX_CALL, decode_call
from latchkey.core.reading import Action, Deferred, Install, Unknown
from latchkey.core.types import MAX_UINT48, MAX_UINT256, Address, hex_bytes
from latchkey.errors import BadInput, CannotDecode
from latchkey.language import tr

# flag(1) || nonce(32) || length(4) || locator(21) || deadline(6) || call [|| length(4) || signature]
_NONCE, _LENGTH, _ENCODED = 1, 33, 37
_LOCATOR_SIZE, _DEADLINE_SIZE = 21, 6
_MAX_SIGNATURE: Final = 16 * 1024
MAX_BLOB: Final = MAX_CALL + _MAX_SIGNATURE

_KEY_SIGNATURE, _CONTRACT_SIGNATURE = 0, 1
_GLOBAL, _DEFERRED = 1, 2

_TYPES: Final = {
    "EIP712Domain": [{"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
    "DeferredAction": [
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint48"},
        {"name": "call", "type": "bytes"},
    ],
}
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]{1,64}|[0-9]{1,78}", re.ASCII)
_MAX_CHAIN_ID: Final = 2**63 - 1


def decode_unsigned(data: bytes) -> Deferred:
    """Read flag || nonce || length || encoded data, as built for signing. Raises CannotDecode; nothing may follow."""
    encoded, rest = _frame(data)
    if rest:
        raise CannotDecode(
            tr("There are bytes behind the unsigned grant. If it is signed, it is another kind of input."), path="encodedData"
        )
    return _deferred(data, encoded, None)


def decode_blob(data: bytes) -> Deferred:
    """Read the hand-over blob: an unsigned grant followed by length(4) || signature. Whether the owner signed is not checked here."""
    encoded, rest = _frame(data)
    size = int.from_bytes(rest[:4], "big")
    signature = rest[4:]
    if len(rest) < 4 or len(signature) != size:
        raise CannotDecode(tr("The length of the signature does not fit the bytes that are there."), path="signature")
    _check_signature(signature)
    return _deferred(data, encoded, signature)


def _frame(data: bytes) -> tuple[bytes, bytes]:
    """(encoded data, what follows it)."""
    if len(data) > MAX_BLOB:
        raise CannotDecode(tr("The grant is too long: at most {max_blob} KiB are read.", max_blob=MAX_BLOB // 1024))
    size = int.from_bytes(data[_LENGTH:_ENCODED], "big")
    encoded = data[_ENCODED : _ENCODED + size]
    if len(data) < _ENCODED or len(encoded) < size:
        raise CannotDecode(tr("The grant ends too early."), path="encodedData")
    if size < _LOCATOR_SIZE + _DEADLINE_SIZE:
        raise CannotDecode(tr("The grant is too short for a signer, a deadline and a call."), path="encodedData")
    return encoded, data[_ENCODED + size :]


def _check_signature(signature: bytes) -> None:
    kind = signature[0] if signature else None
    if kind == _CONTRACT_SIGNATURE:
        return
    if kind != _KEY_SIGNATURE:
        raise CannotDecode(tr("The signature is of a type the account does not know."), path="signature")
    if len(signature) != 66 or signature[65] not in (27, 28):
        raise CannotDecode(tr("A key's signature is 65 bytes, the last one 27 or 28."), path="signature")


def _deferred(data: bytes, encoded: bytes, signature: bytes | None) -> Deferred:
    locator = encoded[:_LOCATOR_SIZE]
    deadline = int.from_bytes(encoded[_LOCATOR_SIZE : _LOCATOR_SIZE + _DEADLINE_SIZE], "big")
    call = encoded[_LOCATOR_SIZE + _DEADLINE_SIZE :]
    reading = _reading(int.from_bytes(data[_NONCE:_LENGTH], "big"), deadline, call)
    return replace(
        reading,
        signer_entity_id=int.from_bytes(locator[16:20], "big"),
        signature=signature,
        needs_execute_user_op=data[0] != 0,
        unknown=(*reading.unknown, *_locator_notes(locator), *_flag_notes(data[:1], reading.action)),
    )


def _reading(nonce: int, deadline: int, call: bytes, account: Address | None = None, chain_id: int | None = None) -> Deferred:
    """What all forms have in common. nonce: parallel key(152 bits) || entity id(32) || options(8) || sequence(64)."""
    try:
        action = decode_call(call, account=account)
    except CannotDecode as error:
        error.path = f"call.{error.path}" if error.path not in ("", "call") else "call"
        raise
    entity_id, options = nonce >> 72 & 0xFFFFFFFF, nonce >> 64 & 0xFF
    return Deferred(
        nonce=nonce,
        nonce_key=nonce >> 104,
        entity_id=entity_id,
        options=options,
        sequence=nonce & 0xFFFFFFFFFFFFFFFF,
        deadline=deadline,
        action=action,
        call=call,
        account=account,
        chain_id=chain_id,
        unknown=tuple(_nonce_notes(entity_id, options, action)),
    )


def _nonce_notes(entity_id: int, options: int, action: Action) -> Iterator[Unknown]:
    raw = bytes([options])
    if options & ~(_GLOBAL | _DEFERRED):
        yield Unknown("nonce.options", raw, tr("The nonce has options a session's operation does not use."))
    if not options & _DEFERRED:
        yield Unknown("nonce.options", raw, tr("An operation with this nonce carries no grant, so the grant could not be used."))
    if isinstance(action, Install) and bool(options & _GLOBAL) != action.is_global:
        yield Unknown("nonce.options", raw, tr("The nonce asks for another scope, global or not, than the grant gives."))
    if isinstance(action, Install) and entity_id != action.entity_id:
        why = tr(
            "The nonce is for entity id {entity_id}, but the grant lets in entity id {entity_id2}.",
            entity_id=entity_id,
            entity_id2=action.entity_id,
        )
        yield Unknown("nonce.entityId", entity_id.to_bytes(4, "big"), why)


def _locator_notes(locator: bytes) -> Iterator[Unknown]:
    """locator: 16 bytes nobody uses || entity id(4) of the signer || options(1)."""
    if any(locator[:16]):
        yield Unknown("locator", locator[:16], tr("These bytes should be zero."))
    if locator[20] != _GLOBAL:
        yield Unknown("locator.options", locator[20:], tr("The owner signs with the global option and no other."))


def _flag_notes(flag: bytes, action: Action) -> Iterator[Unknown]:
    if flag[0] > 1:
        yield Unknown("flag", flag, tr("The first byte of a grant is 0 or 1."))
    if isinstance(action, Install) and (flag[0] != 0) != action.has_execution_hooks:
        yield Unknown("flag", flag, tr("The first byte does not say rightly whether calls must be wrapped in executeUserOp."))


# Typed data


def decode_typed_data(value: dict[str, Any]) -> Deferred:
    """Read the EIP-712 object a wallet is asked to sign. Numbers may be ints, decimal or 0x text.

    Strict: a field, a type or a domain entry that is not part of a deferred action changes what is signed, so it raises CannotDecode.
    """
    try:
        fields = _object(value, {"types", "domain", "primaryType", "message"}, "")
        _check_types(fields["types"], fields["primaryType"])
        domain = _object(fields["domain"], {"chainId", "verifyingContract"}, "domain")
        message = _object(fields["message"], {"nonce", "deadline", "call"}, "message")
        chain_id = _number(domain["chainId"], "domain.chainId", _MAX_CHAIN_ID)
        account = Address.parse(domain["verifyingContract"], path="domain.verifyingContract")
        nonce = _number(message["nonce"], "message.nonce", MAX_UINT256)
        deadline = _number(message["deadline"], "message.deadline", MAX_UINT48)
        call = hex_bytes(message["call"], path="message.call", limit=MAX_CALL)
    except BadInput as error:
        raise CannotDecode(f"{error.path}: {error.text}", path=error.path) from None
    return _reading(nonce, deadline, call, account, chain_id)


def _object(value: object, names: set[str], path: str) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() != names:
        what = path or tr("The typed data")
        raise CannotDecode(
            tr("{what}: expected exactly the fields {sorted}.", what=what, sorted=", ".join(sorted(names))), path=path
        )
    return value


def _check_types(types: object, primary: object) -> None:
    """The domain's type may be left out, as some libraries do; it is then implied."""
    known = {name: _TYPES[name] for name in _TYPES if name == "DeferredAction" or (isinstance(types, dict) and name in types)}
    if types != known:
        raise CannotDecode(tr("types: these are not the types of a deferred action."), path="types")
    if primary != "DeferredAction":
        raise CannotDecode(tr("primaryType: expected DeferredAction."), path="primaryType")


def _number(value: object, path: str, most: int) -> int:
    number = -1
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and _NUMBER.fullmatch(value):
        number = int(value, 16 if value[:2] in ("0x", "0X") else 10)
    if not 0 <= number <= most:
        raise CannotDecode(tr("{path}: expected a whole number from 0 to {most}.", path=path, most=most), path=path)
    return number
