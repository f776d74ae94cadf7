"""Reads ABI-encoded arguments the way the chain's decoder does, and names every byte an ordinary encoder would not have written.

Solidity's decoder takes odd offsets, dirt behind the end of `bytes`, and bytes nobody reads; it refuses dirt beside an address, a
bool, a short integer or a short fixed-size value. So does `Reader`: what the chain refuses raises, what the chain skips becomes an
`Unknown`. An encoding without any `Unknown` is the one canonical encoding of its values, so equal values then mean equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any, Protocol, TypeAlias

from latchkey.core.reading import Unknown
from latchkey.core.types import Address, to_hex
from latchkey.errors import CannotDecode
from latchkey.language import tr

MAX_ENTRIES = 512
_READINGS = 8

Values: TypeAlias = list[Any]


class Work:
    """How many bytes may still be read. Overlapping parts can make a short input mean very long values; this ends that."""

    __slots__ = ("left",)

    def __init__(self, size: int) -> None:
        self.left = _READINGS * size + 1024


class Type(Protocol):
    """`text`: its name in a function's signature. `size`: bytes it takes in the head. `dynamic`: the head holds an offset."""

    @property
    def text(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def dynamic(self) -> bool: ...
    def read(self, reader: Reader, head: bytes, base: int, where: str) -> Any:
        """The value whose part of the head is `head`; offsets count from `base`, a place in the reader's data."""

    def show(self, value: Any) -> str: ...


class Reader:
    """Reads one run of ABI-encoded values, `data[start:]`, and collects what is irregular in `notes`."""

    __slots__ = ("_irregular", "_spans", "data", "next", "notes", "start", "where", "work")

    def __init__(self, data: bytes, work: Work, notes: list[Unknown], *, start: int = 0, where: str = "") -> None:
        self.data, self.work, self.notes, self.start, self.where = data, work, notes, start, where
        self.next = start  # where an ordinary encoder puts the next part
        self._irregular = False
        self._spans: list[tuple[int, int]] = []

    def values(self, types: Tuple) -> Values:
        """All values, one for each of `types`. Raises CannotDecode where the chain would refuse the bytes."""
        self.next = self.start + types.head
        result = types.parts(self, self.take(self.start, types.head, self.where), self.start, self.where)
        if self._irregular or self.next < len(self.data):
            self._note_unread()
        return result

    def take(self, at: int, size: int, where: str) -> bytes:
        end = at + size
        if end > len(self.data):
            raise CannotDecode(tr("{where}: the bytes end too early.", where=where or tr("The call")), path=where)
        self.work.left -= size
        if self.work.left < 0:
            raise CannotDecode(tr("The parts of this call overlap so often that it cannot be read."), code="TooMuch", path=where)
        self._spans.append((at, end))
        return self.data[at:end]

    def follow(self, head: bytes, base: int, where: str) -> tuple[int, int]:
        """Where the offset in `head` points to: (the place behind the first word there, that word, which is a length)."""
        place = self.place(head, base, where)
        return place + 32, int.from_bytes(self.take(place, 32, where), "big")

    def place(self, head: bytes, base: int, where: str) -> int:
        place = base + int.from_bytes(head, "big")
        if place != self.next:
            self._irregular = True
            self.note(where, head, tr("The offset of this part is not the one an encoder writes."))
        return place

    def padding(self, at: int, size: int, where: str) -> None:
        """The zeros behind a value of `bytes`, which the chain never looks at."""
        found = self.data[at : at + size]
        self._spans.append((at, at + size))
        self.next = at + size
        if len(found) < size:
            self.note(where, found, tr("The zeros that fill up the last word are missing."))
        elif any(found):
            self.note(where, found, tr("There are bytes behind the end of this part that nobody reads."))

    def note(self, where: str, data: bytes, why: str) -> None:
        self.notes.append(Unknown(where, data, why))

    def _note_unread(self) -> None:
        done = self.start
        for begin, end in [*sorted(self._spans), (len(self.data), len(self.data))]:
            if begin > done:
                self.note(f"{self.where or 'call'}[{done}:{begin}]", self.data[done:begin], tr("Nothing reads these bytes."))
            done = max(done, end)


@dataclass(frozen=True, slots=True)
class Number:
    bits: int
    dynamic = False
    size = 32

    @property
    def text(self) -> str:
        return f"uint{self.bits}"

    def read(self, reader: Reader, head: bytes, base: int, where: str) -> int:
        value = int.from_bytes(head, "big")
        if value >> self.bits:
            raise CannotDecode(tr("{where}: this number does not fit its {bits} bits.", where=where, bits=self.bits), path=where)
        return value

    def show(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Bool:
    text = "bool"
    dynamic = False
    size = 32

    def read(self, reader: Reader, head: bytes, base: int, where: str) -> bool:
        value = int.from_bytes(head, "big")
        if value > 1:
            raise CannotDecode(tr("{where}: this is neither yes (1) nor no (0).", where=where), path=where)
        return value == 1

    def show(self, value: bool) -> str:
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class AddressWord:
    text = "address"
    dynamic = False
    size = 32

    def read(self, reader: Reader, head: bytes, base: int, where: str) -> Address:
        if any(head[:12]):
            raise CannotDecode(tr("{where}: there are bytes in front of the address.", where=where), path=where)
        return Address.from_bytes(head[12:])

    def show(self, value: Address) -> str:
        return value


@dataclass(frozen=True, slots=True)
class FixedBytes:
    length: int
    dynamic = False
    size = 32

    @property
    def text(self) -> str:
        return f"bytes{self.length}"

    def read(self, reader: Reader, head: bytes, base: int, where: str) -> bytes:
        if any(head[self.length :]):
            raise CannotDecode(
                tr("{where}: there are bytes behind this value of {length} bytes.", where=where, length=self.length), path=where
            )
        return head[: self.length]

    def show(self, value: bytes) -> str:
        return to_hex(value)


@dataclass(frozen=True, slots=True)
class Bytes:
    text = "bytes"
    dynamic = True
    size = 32

    def read(self, reader: Reader, head: bytes, base: int, where: str) -> bytes:
        at, length = reader.follow(head, base, where)
        value = reader.take(at, length, where)
        reader.padding(at + length, -length % 32, where)
        return value

    def show(self, value: bytes) -> str:
        return to_hex(value)


@dataclass(frozen=True, slots=True)
class Array:
    item: Type
    dynamic = True
    size = 32

    @property
    def text(self) -> str:
        return self.item.text + "[]"

    def read(self, reader: Reader, head: bytes, base: int, where: str) -> Values:
        at, count = reader.follow(head, base, where)
        if count > MAX_ENTRIES:
            raise CannotDecode(
                tr("{where}: this list has more than {max_entries} entries.", where=where, max_entries=MAX_ENTRIES),
                code="TooMuch",
                path=where,
            )
        size, read = self.item.size, self.item.read
        heads = reader.take(at, count * size, where)
        reader.next = at + count * size
        return [read(reader, heads[i * size : (i + 1) * size], at, f"{where}[{i}]") for i in range(count)]

    def show(self, value: Values) -> str:
        return "[" + ", ".join(map(self.item.show, value)) + "]"


@dataclass(frozen=True, slots=True)
class Tuple:
    """A struct, or the arguments of a function. `head`: bytes of its own head; `size`: bytes in the head around it."""

    items: tuple[Type, ...]
    names: tuple[str, ...]
    dynamic: bool = field(init=False)
    head: int = field(init=False)
    size: int = field(init=False)
    plan: tuple[tuple[int, int, Callable[..., Any], str], ...] = field(
        init=False, repr=False, compare=False
    )  # begin, end, read, name

    def __post_init__(self) -> None:
        ends = tuple(accumulate(item.size for item in self.items))
        begins = (0, *ends[:-1])
        reads = (item.read for item in self.items)
        object.__setattr__(self, "plan", tuple(zip(begins, ends, reads, self.names, strict=False)))
        object.__setattr__(self, "dynamic", any(item.dynamic for item in self.items))
        object.__setattr__(self, "head", sum(item.size for item in self.items))
        object.__setattr__(self, "size", 32 if self.dynamic else self.head)

    @property
    def text(self) -> str:
        return "(" + ",".join(item.text for item in self.items) + ")"

    def read(self, reader: Reader, head: bytes, base: int, where: str) -> Values:
        if self.dynamic:
            base = reader.place(head, base, where)
            head = reader.take(base, self.head, where)
            reader.next = base + self.head
        return self.parts(reader, head, base, where)

    def parts(self, reader: Reader, head: bytes, base: int, where: str) -> Values:
        prefix = f"{where}." if where else ""
        return [read(reader, head[begin:end], base, prefix + name) for begin, end, read, name in self.plan]

    def show(self, value: Values) -> str:
        return "(" + ", ".join(item.show(part) for item, part in zip(self.items, value, strict=True)) + ")"


@dataclass(frozen=True, slots=True)
class Function:
    """`signature`: as hashed for the selector, e.g. "approve(address,uint256)"."""

    signature: str
    arguments: Tuple


@cache
def function(declaration: str) -> Function:
    """Read our own declarations, e.g. "approve(address spender,uint256 amount)"."""
    name, _, rest = declaration.partition("(")
    arguments = types(rest[:-1])
    return Function(name + arguments.text, arguments)


@cache
def types(declaration: str) -> Tuple:
    """A list of types with names, e.g. "uint32 entityId,(address target,bytes4[] selectors)[] inputs"."""
    tokens = re.findall(r"\w+|\[\]|[(),]", declaration)
    return _tuple([")", *reversed(tokens)])


def _tuple(tokens: list[str]) -> Tuple:
    """Consume tokens (last first) up to the closing bracket."""
    items: list[Type] = []
    names: list[str] = []
    while (word := tokens.pop()) != ")":
        if word == ",":
            continue
        item = _tuple(tokens) if word == "(" else _word(word)
        while tokens[-1] == "[]":
            tokens.pop()
            item = Array(item)
        items.append(item)
        names.append(tokens.pop())
    return Tuple(tuple(items), tuple(names))


def _word(name: str) -> Type:
    if name.startswith("uint"):
        return Number(int(name[4:]))
    if name == "bytes":
        return Bytes()
    if name.startswith("bytes"):
        return FixedBytes(int(name[5:]))
    return Bool() if name == "bool" else AddressWord()
