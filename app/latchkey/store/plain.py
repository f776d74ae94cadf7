"""Values of frozen dataclasses as plain JSON, and back by their types: for what is kept to be shown again and may be lost.

The shape follows the classes, so it changes when they do; what an older program wrote then no longer reads, and that is said by
ValueError, never by a value that is half right.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from latchkey.core.permissions import KINDS, Permission
from latchkey.core.types import Address, Selector

T = TypeVar("T")
Reader = Callable[[Any], Any]


def pack(value: Any) -> Any:
    """What `json.dumps` takes: an object for a dataclass, hexadecimal for bytes."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [pack(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(pack(item) for item in value)
    packed = {field.name: pack(getattr(value, field.name)) for field in fields(value)}
    return {"type": value.type, **packed} if type(value) in KINDS.values() else packed


def unpack(kind: type[T], value: Any) -> T:
    """The inverse. Raises ValueError or TypeError (BadInput for an address) when `value` is not one of `kind`."""
    wanted: Any = kind
    result: T = _reader(wanted)(value)
    return result


@lru_cache(maxsize=256)
def _reader(kind: Any) -> Reader:
    if kind is Permission:
        return _permission
    if kind in (Address, Selector):
        parse: Reader = kind.parse
        return parse
    if kind is bytes:
        return bytes.fromhex
    if kind in (int, str, bool):
        return _exactly(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return _optional(*(one for one in get_args(kind) if one is not type(None)))
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind))
    if get_origin(kind) is frozenset:
        item = _reader(get_args(kind)[0])
        return lambda value: frozenset(map(item, _list(value)))
    if is_dataclass(kind):
        return _fields(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    raise TypeError(f"{kind} is not kept as plain JSON.")


def _exactly(kind: type) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"expected {kind.__name__}")
        return value

    return read


def _optional(kind: Any) -> Reader:
    inner = _reader(kind)
    return lambda value: None if value is None else inner(value)


def _tuple(kinds: tuple[Any, ...]) -> Reader:
    if kinds[1:] == (Ellipsis,):
        item = _reader(kinds[0])
        return lambda value: tuple(map(item, _list(value)))
    readers = [_reader(kind) for kind in kinds]
    return lambda value: tuple(read(one) for read, one in zip(readers, _list(value), strict=True))


def _fields(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}

    def read(value: Any) -> Any:
        if type(value) is not dict or value.keys() != readers.keys():
            raise ValueError(f"expected the fields of {kind.__name__}")
        return kind(**{name: reader(value[name]) for name, reader in readers.items()})

    return read


def _permission(value: Any) -> Any:
    if type(value) is not dict or value.get("type") not in KINDS:
        raise ValueError("expected a permission")
    kind: Any = KINDS[value["type"]]
    return _reader(kind)({name: item for name, item in value.items() if name != "type"})


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise ValueError("expected a list")
    return value
