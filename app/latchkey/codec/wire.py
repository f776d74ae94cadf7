"""The hand-over's body in CBOR: the JSON twin with small numbers for field names and byte strings for hexadecimal text.

Only the form is changed here, both ways, by one table; what the values must be is judged on the JSON twin (`hand_over`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple

from latchkey import __version__
from latchkey.core.permissions import KINDS
from latchkey.core.untrusted import join
from latchkey.errors import BadInput
from latchkey.language import tr


def pack(twin: dict[str, Any]) -> dict[int, Any]:
    """A checked JSON twin as the CBOR body's map; fields that do not belong to the body are left out."""
    body: dict[int, Any] = _BODY.pack(twin)
    if twin.get("context") == "0x01" + twin.get("deferredAction", "0x")[2:]:
        body[_CONTEXT] = _LOCAL_CONTEXT
    return body


def kind(body: Any) -> Any:
    """The body's kind, looked at before anything else: a later kind may have fields that are not known here."""
    return _expect(body, dict, "").get(_KIND)


def unpack(body: Any) -> dict[str, Any]:
    """The inverse of `pack` for untrusted content: a JSON twin that is still to be checked. Raises BadInput."""
    body = dict(_expect(body, dict, ""))
    local = body.get(_CONTEXT) == _LOCAL_CONTEXT and body.pop(_CONTEXT)
    twin: dict[str, Any] = _BODY.unpack(body, "")
    if local and "deferredAction" in twin:
        twin["context"] = "0x01" + twin["deferredAction"][2:]
    return twin


class _Shape(NamedTuple):
    """How a JSON value stands in CBOR, both ways. `unpack` raises BadInput at the path it is given."""

    pack: Callable[[Any], Any]
    unpack: Callable[[Any, str], Any]


def _expect(value: Any, kind: type, path: str) -> Any:
    if type(value) is not kind:
        raise BadInput(tr("{path}: expected another kind of value.", path=path or tr("The hand-over")), path=path)
    return value


def _squeeze(text: str) -> bytes:
    """ABI data is mostly zeros, and a QR code is small: each run of 1 to 256 zero bytes becomes 0x00 and its length less one."""
    return re.sub(rb"\x00{1,256}", lambda run: bytes((0, len(run[0]) - 1)), bytes.fromhex(text[2:]))


def _unsqueeze(value: Any, path: str) -> str:
    return "0x" + re.sub(rb"\x00(.)", lambda run: bytes(run[1][0] + 1), _expect(value, bytes, path), flags=re.DOTALL).hex()


def _amount_bytes(amount: str) -> bytes:
    number = int(amount, 16)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _amount_text(value: Any, path: str) -> str:
    raw: bytes = _expect(value, bytes, path)
    return hex(int.from_bytes(raw[:33], "big"))


def _list_of(item: _Shape) -> _Shape:
    return _Shape(
        lambda values: [item.pack(value) for value in values],
        lambda values, path: [item.unpack(v, f"{path}[{i}]") for i, v in enumerate(_expect(values, list, path))],
    )


def _row(*columns: tuple[str, _Shape]) -> _Shape:
    """A JSON object as an array of its fields in a fixed order; fields at the end may be left out."""

    def unpack(values: Any, path: str) -> dict[str, Any]:
        if len(_expect(values, list, path)) > len(columns):
            raise BadInput(tr("{path} has too many entries.", path=path), path=path)
        return {name: shape.unpack(value, join(path, (name,))) for (name, shape), value in zip(columns, values, strict=False)}

    return _Shape(lambda values: [shape.pack(values[name]) for name, shape in columns if name in values], unpack)


def _record(columns: dict[int, tuple[str, _Shape]]) -> _Shape:
    """A JSON object as a map with small whole numbers as keys."""
    by_name = {name: (key, shape) for key, (name, shape) in columns.items()}

    def pack(values: dict[str, Any]) -> dict[int, Any]:
        return {by_name[name][0]: by_name[name][1].pack(value) for name, value in values.items() if name in by_name}

    def unpack(values: Any, path: str) -> dict[str, Any]:
        if any(key not in columns for key in _expect(values, dict, path)):
            raise BadInput(
                tr(
                    "{path} has a field that Latchkey {version} does not know.",
                    path=path or tr("The hand-over"),
                    version=__version__,
                ),
                path=path,
            )
        return {columns[key][0]: columns[key][1].unpack(value, join(path, (columns[key][0],))) for key, value in values.items()}

    return _Shape(pack, unpack)


def _pack_permission(value: dict[str, Any]) -> list[Any]:
    code = _CODE_OF[value["type"]]
    return [code, *_PERMISSION[code][1].pack(value.get("data", {}))]


def _unpack_permission(value: Any, path: str) -> dict[str, Any]:
    code = next(iter(_expect(value, list, path)), None)
    if type(code) is not int or code not in _PERMISSION:
        raise BadInput(
            tr("{path} is a permission that Latchkey {version} does not know.", path=path, version=__version__),
            code="UnknownPermission",
            path=path,
        )
    name, row = _PERMISSION[code]
    return {"type": name, "data": row.unpack(value[1:], join(path, ("data",)))}


_TEXT = _Shape(lambda text: text, lambda value, path: _expect(value, str, path))
_NUMBER = _Shape(lambda number: number, lambda value, path: _expect(value, int, path))
_HEX = _Shape(lambda text: bytes.fromhex(text[2:]), lambda value, path: "0x" + _expect(value, bytes, path).hex())
_AMOUNT = _Shape(_amount_bytes, _amount_text)

_COLUMNS = {"address": _HEX, "paymaster": _HEX, "allowance": _AMOUNT, "limit": _AMOUNT, "functions": _list_of(_HEX)}
_CODES = {
    1: "native-token-transfer",
    2: "erc20-token-transfer",
    3: "gas-limit",
    4: "contract-access",
    5: "account-functions",
    6: "functions-on-all-contracts",
    7: "functions-on-contract",
    8: "root",
    9: "paymaster-guard",
}
_CODE_OF = {name: code for code, name in _CODES.items()}
_PERMISSION = {code: (name, _row(*((f.name, _COLUMNS[f.name]) for f in fields(KINDS[name])))) for code, name in _CODES.items()}

_ZEROS = _Shape(_squeeze, _unsqueeze)
_KIND, _CONTEXT = 1, 16
_LOCAL_CONTEXT = 1  # stands for the context 0x01 || deferredAction, which would say everything twice
_NAME = _row(("address", _HEX), ("name", _TEXT), ("symbol", _TEXT), ("decimals", _NUMBER))
_FLAG = _Shape(int, lambda value, path: _expect(value, int, path) == 1)
_CLAIMS = _record(
    {
        1: ("name", _TEXT),
        2: ("url", _TEXT),
        3: ("names", _list_of(_NAME)),
        4: ("functions", _list_of(_TEXT)),
        5: ("altered", _FLAG),
    }
)
_PERMISSIONS = _list_of(_Shape(_pack_permission, _unpack_permission))
_ASKED = _record({1: ("permissions", _PERMISSIONS), 2: ("expirySec", _NUMBER)})
_FIELDS = {
    _KIND: ("kind", _TEXT),
    2: ("system", _TEXT),
    3: ("chainId", _NUMBER),
    4: ("account", _HEX),
    5: ("mode", _TEXT),
    6: ("owner", _HEX),
    7: ("salt", _AMOUNT),
    8: ("initCode", _ZEROS),
    9: ("permissions", _PERMISSIONS),
    10: ("expirySec", _NUMBER),
    11: ("key", _row(("publicKey", _HEX), ("type", _TEXT))),
    12: ("entityId", _NUMBER),
    13: ("nonce", _AMOUNT),
    14: ("unsigned", _ZEROS),
    15: ("deferredAction", _ZEROS),
    _CONTEXT: ("context", _HEX),
    17: ("requestId", _TEXT),
    18: ("handOverKey", _HEX),
    19: ("sealedSessionKey", _HEX),
    20: ("sessionKeystore", _TEXT),
    21: ("claims", _CLAIMS),
    22: ("asked", _ASKED),
    23: ("operations", _list_of(_ZEROS)),
    24: ("transactions", _list_of(_ZEROS)),
    25: ("signatures", _list_of(_HEX)),
    26: ("created", _NUMBER),
    27: ("callback", _TEXT),
}
_BODY = _record(_FIELDS)
