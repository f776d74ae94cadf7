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

WIDTHS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_GAP = 128  # bytes between two words: room for quotes, line ends, and the head of a Python string
_NEIGHBOURS = 4
_MOST = 1 << 30


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
        return any(pattern.search(data) for pattern in self._patterns())

    def _patterns(self) -> Iterator[re.Pattern[bytes]]:
        for encoding in WIDTHS.values():
            groups = [self.words[at : at + _NEIGHBOURS] for at in range(0, len(self.words) - _NEIGHBOURS + 1, _NEIGHBOURS)]
            apart = b"(?s:.{0,%d}?)" % (_GAP * (4 if encoding == "utf-32-le" else 1))
            chains = [apart.join(re.escape(word.encode(encoding)) for word in group) for group in groups]
            yield re.compile(b"|".join(chains))


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
    left = {hunt.name: hunt for hunt in hunts}
    found: set[str] = set()
    for data in _memory(pid):
        hits = {name for name, hunt in left.items() if hunt.found_in(data)}
        found |= hits
        left = {name: hunt for name, hunt in left.items() if name not in hits}
    return found


def scan_tree(folder: Path, hunts: Iterable[Hunt]) -> set[str]:
    """`hunt: file` for everything found in the files below a folder and in their names."""
    hunts = list(hunts)
    found = set()
    for path in sorted(folder.rglob("*")):
        data = str(path.relative_to(folder)).encode() + b"\0" + (path.read_bytes() if path.is_file() else b"")
        found |= {f"{hunt.name}: {path.name}" for hunt in hunts if hunt.found_in(data)}
    return found


def _memory(pid: int) -> Iterator[bytes]:
    """The writable mappings, neighbours joined, so that nothing hides across a seam."""
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
                yield memory.read(end - start)
            except OSError:  # a mapping that went away, or one of a device
                continue
