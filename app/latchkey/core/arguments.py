"""Arguments of a function as a person types them, one text for each, made into calldata.

uint256   250000 or 0x3d090        address   0x…            bool     yes, no, true, false
bytes     0x…                      string    any text       lists and tuples   JSON: ["0x…", 5], numbers or texts within
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from latchkey.core.functions import function_of
from latchkey.core.types import Address, hex_bytes
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput
from latchkey.language import tr, trn

MAX_TEXT = 64 * 1024
_NUMBER = re.compile(r"-?(?:[0-9]{1,78}|0[xX][0-9a-fA-F]{1,64})")
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


def parameters(signature: str) -> tuple[str, ...]:
    """The types of a function's arguments: ("address", "uint256") of transfer(address,uint256). Raises BadInput."""
    return tuple(kind.to_type_str() for kind in _kinds(signature))


def calldata(signature: str, texts: Sequence[str]) -> bytes:
    """Selector and encoded arguments. Raises BadInput; `.path` says which argument ("arguments[1]")."""
    from eth_abi.abi import encode
    from eth_abi.exceptions import EncodingError

    kinds = _kinds(signature)
    if len(texts) != len(kinds):
        raise BadInput(
            trn("This function takes {count} argument.", "This function takes {count} arguments.", len(kinds)), path="arguments"
        )
    values = [_typed(kind, text.strip(), f"arguments[{i}]") for i, (kind, text) in enumerate(zip(kinds, texts, strict=True))]
    parts = b""
    try:
        parts = encode([kind.to_type_str() for kind in kinds], values)
    except (EncodingError, OverflowError):
        raise BadInput(tr("These arguments do not fit the function's types."), path="arguments") from None
    return function_of(signature).selector.raw + parts


def _kinds(signature: str) -> Sequence[Any]:
    from eth_abi.grammar import TupleType, parse

    canonical = function_of(signature).signature or ""
    inside = canonical[canonical.index("(") :]
    if inside == "()":
        return ()
    kind = parse(inside)
    assert isinstance(kind, TupleType)
    return tuple(kind.components)


def _typed(kind: Any, value: Any, path: str) -> Any:
    """`value`: typed text, or what stood in JSON within a list or tuple."""
    from eth_abi.grammar import TupleType

    if kind.is_array or isinstance(kind, TupleType):
        return _several(kind, value, path)
    base = getattr(kind, "base", "")
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = str(value) if isinstance(value, int) else value
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise BadInput(tr("This is not a value of one argument."), path=path)
    match base:
        case "uint" | "int":
            return _number(text, base, int(kind.sub), path)
        case "address":
            return Address.parse(text, path=path)
        case "bool":
            return _truth(text, path)
        case "bytes":
            return _bytes(text, kind.sub, path)
        case "string":
            return text
    raise BadInput(tr("Arguments of this type cannot be typed here; paste the calldata instead."), path=path)


def _several(kind: Any, value: Any, path: str) -> list[Any]:
    if isinstance(value, str):
        value = read_json(value) if value[:1] == "[" else None
    kinds = getattr(kind, "components", None) if not kind.is_array else None
    size = kind.arrlist[-1] if kind.is_array and kind.arrlist else ()
    wanted = len(kinds) if kinds is not None else (size[0] if size else None)
    if not isinstance(value, list) or (wanted is not None and len(value) != wanted):
        how_many = tr(" of {wanted}", wanted=wanted) if wanted is not None else ""
        raise BadInput(tr("Write a list{how_many} in square brackets, such as [1, 2].", how_many=how_many), path=path)
    return [_typed(kinds[i] if kinds is not None else kind.item_type, item, f"{path}[{i}]") for i, item in enumerate(value)]


def _number(text: str, base: str, bits: int, path: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise BadInput(tr("Write a whole number, such as 250000 or 0x3d090."), path=path)
    number = int(text, 16) if "x" in text.lower() else int(text)
    least, most = (0, 2**bits - 1) if base == "uint" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    if not least <= number <= most:
        raise BadInput(tr("This number does not fit {base}{bits}.", base=base, bits=bits), path=path)
    return number


def _truth(text: str, path: str) -> bool:
    if text.lower() not in (*_YES, *_NO):
        raise BadInput(tr("Write yes or no."), path=path)
    return text.lower() in _YES


def _bytes(text: str, size: str | None, path: str) -> bytes:
    return hex_bytes(text, path=path, size=int(size) if size else None)
