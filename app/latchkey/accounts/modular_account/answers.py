"""What the views of the account and its modules answer, as values. Raises CannotDecode for what they cannot have answered.

Lists may be of any length here, unlike in the decoder's reader: who may install validations must not be able to hide them by making
them too long to read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from latchkey.core.types import Address, Selector
from latchkey.errors import CannotDecode
from latchkey.language import tr

_WORD: Final = 32


@dataclass(frozen=True, slots=True)
class Validation:
    """As getValidationData says; hooks as 25 bytes each, in install order."""

    flags: int = 0
    hooks: tuple[bytes, ...] = ()
    execution_hooks: tuple[bytes, ...] = ()
    selectors: tuple[Selector, ...] = ()

    @property
    def is_installed(self) -> bool:
        return self != Validation()


@dataclass(frozen=True, slots=True)
class Execution:
    """As getExecutionData says. `open`: anybody may call it without any validation."""

    module: Address
    open: bool
    allows_global: bool
    hooks: tuple[bytes, ...]


def as_number(raw: bytes) -> int:
    return int.from_bytes(_exactly(raw, 1), "big")


def as_numbers(raw: bytes, count: int) -> tuple[int, ...]:
    data = _exactly(raw, count)
    return tuple(int.from_bytes(data[i : i + _WORD], "big") for i in range(0, len(data), _WORD))


def as_address(raw: bytes) -> Address:
    return _address(_exactly(raw, 1))


def as_owner(raw: bytes) -> tuple[Address, bool]:
    """getFallbackSignerData: the owner, and whether it is switched off."""
    data = _exactly(raw, 2)
    return _address(data[:_WORD]), _yes(data[_WORD:])


def as_entry(raw: bytes) -> tuple[bool, bool, bool]:
    """addressAllowlist: allowed, has a list of functions, has a token limit."""
    data = _exactly(raw, 3)
    return _yes(data[:32]), _yes(data[32:64]), _yes(data[64:])


def as_yes(raw: bytes) -> bool:
    return _yes(_exactly(raw, 1))


def as_validation(raw: bytes) -> Validation:
    base = _offset(raw, 0, 0)
    flags = _number(raw, base)
    if flags > 0xFF:
        raise _odd()
    return Validation(
        flags,
        tuple(word[:25] for word in _list(raw, base, 1, 1)),
        tuple(word[:25] for word in _list(raw, base, 2, 1)),
        tuple(Selector.from_bytes(word[:4]) for word in _list(raw, base, 3, 1)),
    )


def as_execution(raw: bytes) -> Execution:
    base = _offset(raw, 0, 0)
    module, is_open, allows_global = (_take(raw, base + i * _WORD) for i in range(3))
    return Execution(_address(module), _yes(is_open), _yes(allows_global), tuple(w[:25] for w in _list(raw, base, 3, 1)))


def as_manifest(raw: bytes, skip: int = 0) -> tuple[Selector, ...]:
    """The functions and hooked functions that an ExecutionInstalled or ExecutionUninstalled event names. `skip`: bytes before it."""
    base = _offset(raw, 0, skip)
    entries = (*_list(raw, base, 0, 3), *_list(raw, base, 1, 4))
    return tuple(Selector.from_bytes(entry[:4]) for entry in entries)


def _list(raw: bytes, base: int, index: int, words: int) -> tuple[bytes, ...]:
    """The entries, of `words` words each, of the list whose offset is word `index` of what begins at `base`."""
    at = _offset(raw, base, index * _WORD)
    count, size = _number(raw, at), words * _WORD
    if count * size > len(raw):
        raise _odd()
    return tuple(_take(raw, at + _WORD + i * size, size) for i in range(count))


def _offset(raw: bytes, base: int, at: int) -> int:
    place = base + _number(raw, base + at)
    if place > len(raw):
        raise _odd()
    return place


def _number(raw: bytes, at: int) -> int:
    return int.from_bytes(_take(raw, at), "big")


def _take(raw: bytes, at: int, size: int = _WORD) -> bytes:
    if at + size > len(raw):
        raise _odd()
    return raw[at : at + size]


def _exactly(raw: bytes, words: int) -> bytes:
    if len(raw) != words * _WORD:
        raise _odd()
    return raw


def _address(word: bytes) -> Address:
    if any(word[:12]):
        raise _odd()
    return Address.from_bytes(word[12:])


def _yes(word: bytes) -> bool:
    number = int.from_bytes(word, "big")
    if number > 1:
        raise _odd()
    return number == 1


def _odd() -> CannotDecode:
    return CannotDecode(tr("The RPC's answer is not what this contract can have said."), code="OddAnswer")
