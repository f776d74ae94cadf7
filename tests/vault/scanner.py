"""Looks for secrets where they must not be: in a process's memory, in files, in text.

    forms_of(name, secret bytes)   the ways a program may come to hold a secret: raw, hex, decimal, base64, text of several widths
    Words(...)                     recovery words, in order and close together, whatever stands between them
    scan_process(pid, hunts)       every writable page, through /proc
    scan_tree(folder, hunts)       every file, its name included

A hunt that cannot find is worse than none: `tests/vault/test_canary.py` first shows that each finds what was planted.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

WIDTHS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_GAP = 128  # bytes between two words: room for quotes, line ends, and the head of a Python string
_NEIGHBOURS = 4
_MOST = 1 << 30
_PAGE = 4096


class Hunt(Protocol):
    name: str

    def found_in(self, data: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Exact:
    """These bytes."""

    name: str
    needle: bytes

    def found_in(self, data: bytes) -> bool:
        return self.needle in data


@dataclass(frozen=True, slots=True)
class Words:
    """Four neighbouring words of a list, in order, each within 128 bytes of the one before, in one text width."""

    name: str
    words: tuple[str, ...]

    def found_in(self, data: bytes) -> bool:
        return any(chain.match(data, place) for first, chain in self._chains() for place in _places(first, data))

    def _chains(self) -> Iterator[tuple[bytes, re.Pattern[bytes]]]:
        """The first word of each four, and what has to follow from there: a plain search for the one is fast."""
        for encoding in WIDTHS.values():
            groups = [self.words[at : at + _NEIGHBOURS] for at in range(0, len(self.words) - _NEIGHBOURS + 1, _NEIGHBOURS)]
            apart = b"(?s:.{0,%d}?)" % (_GAP * (4 if encoding == "utf-32-le" else 1))
            for group in groups:
                yield group[0].encode(encoding), re.compile(apart.join(re.escape(word.encode(encoding)) for word in group))


def _places(needle: bytes, data: bytes) -> Iterator[int]:
    place = -1
    while (place := data.find(needle, place + 1)) >= 0:
        yield place


def forms_of(name: str, secret: bytes) -> list[Hunt]:
    """A binary secret in every form a program writes numbers and bytes in."""
    digits = secret.hex()
    texts = {
        "hex": digits,
        "upper hex": digits.upper(),
        "decimal": str(int.from_bytes(secret, "big")),
        "base64": base64.b64encode(secret).decode().rstrip("="),
        "base64url": base64.urlsafe_b64encode(secret).decode().rstrip("="),
    }
    found: list[Hunt] = [Exact(f"{name}, raw", secret), Exact(f"{name}, reversed", secret[::-1])]
    for kind, text in texts.items():
        found += text_forms(f"{name}, {kind}", text)
    return found


def text_forms(name: str, text: str) -> list[Hunt]:
    """A secret text in every width, and as the hex and base64 of its UTF-8."""
    raw = text.encode()
    widths: list[Hunt] = [Exact(f"{name}, {width}", text.encode(encoding)) for width, encoding in WIDTHS.items()]
    return [*widths, Exact(f"{name}, as hex", raw.hex().encode()), Exact(f"{name}, as base64", base64.b64encode(raw).rstrip(b"="))]


def may_read(pid: int) -> str | None:
    """Why this system does not let us read that process, or None."""
    if sys.platform != "linux":
        return "there is no /proc on this system"
    try:
        with Path(f"/proc/{pid}/mem").open("rb"):
            return None
    except OSError as error:
        return f"the system forbids reading that process ({error.strerror})"


def scan_process(pid: int, hunts: Iterable[Hunt]) -> set[str]:
    """The names of the hunts that found something in the writable memory of a process."""
    hunts = list(hunts)
    sieve, others = Sieve([hunt for hunt in hunts if isinstance(hunt, Exact)]), [h for h in hunts if not isinstance(h, Exact)]
    found: set[str] = set()
    for data in memory(pid):
        found |= sieve.names_in(data) | {hunt.name for hunt in others if hunt.found_in(data)}
    return found


class Sieve:
    """Hundreds of needles looked for in one go: only where eight bytes of one stand is more compared. Needles of eight bytes and more."""

    _MIX, _BITS = 0x9E3779B97F4A7C15, 16
    _STRETCH = 1 << 15  # what the processor's cache holds

    def __init__(self, hunts: Iterable[Exact]) -> None:
        self._at: dict[int, list[tuple[int, Exact]]] = {}
        for hunt in hunts:
            offset = max(range(len(hunt.needle) - 7), key=lambda at, n=hunt.needle: len(set(n[at : at + 8])))
            self._at.setdefault(int.from_bytes(hunt.needle[offset : offset + 8], "little"), []).append((offset, hunt))
        self._sums = np.zeros(1 << self._BITS, dtype=bool)
        self._sums[self._sum(np.fromiter(self._at, "<u8"))] = True

    def names_in(self, data: bytes) -> set[str]:
        found = set()
        for shift in range(min(8, len(data) - 7)):
            eights = np.frombuffer(data, "<u8", (len(data) - shift) // 8, shift)
            for start in range(0, len(eights), self._STRETCH):
                stretch = eights[start : start + self._STRETCH]
                for index in np.flatnonzero(self._sums[self._sum(stretch)]).tolist():
                    place = shift + 8 * (start + index)
                    for offset, hunt in self._at.get(int(stretch[index]), ()):
                        if place >= offset and data.startswith(hunt.needle, place - offset):
                            found.add(hunt.name)
        return found

    def _sum(self, eights: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        return eights * np.uint64(self._MIX) >> np.uint64(64 - self._BITS)


def scan_tree(folder: Path, hunts: Iterable[Hunt]) -> set[str]:
    """`hunt: file` for everything found in the files below a folder and in their names."""
    hunts = list(hunts)
    found = set()
    for path in sorted(folder.rglob("*")):
        data = str(path.relative_to(folder)).encode() + b"\0" + (path.read_bytes() if path.is_file() else b"")
        found |= {f"{hunt.name}: {path.name}" for hunt in hunts if hunt.found_in(data)}
    return found


def memory(pid: int) -> Iterator[bytes]:
    """What was written to the writable mappings, neighbours joined, so that nothing hides across a seam."""
    spans: list[list[int]] = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        place, rights, *_ = line.split()
        start, end = (int(number, 16) for number in place.split("-"))
        if "r" not in rights or "w" not in rights or end - start > _MOST:
            continue
        if spans and spans[-1][1] == start:
            spans[-1][1] = end
        else:
            spans.append([start, end])
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in spans:
            try:
                memory.seek(start)
                yield from _written(memory.read(end - start))
            except OSError:  # a mapping that went away, or one of a device
                continue


def _written(data: bytes) -> Iterator[bytes]:
    """The runs of pages that are not all zeros, which most pages are."""
    filled = np.frombuffer(data, "<u8").reshape(-1, _PAGE // 8).any(axis=1)
    edges = np.flatnonzero(np.diff(filled, prepend=False, append=False)) * _PAGE
    for start, end in edges.reshape(-1, 2).tolist():
        yield data[start:end]
