"""The program's own log: what it did and when, for a person who wants to find out why something went wrong. It leaves this computer
only in the person's hands.

It is safe by what may stand in it, not by what is taken out: an event of a closed list, and fields that have to look as they are
expected to (`FIELDS`). Whatever else is offered is written as "?". Nothing that came from outside, no address, amount, name or key has a
field. Reading applies the same rules once more, so that a file somebody else wrote shows nothing either.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MAX_BYTES = 256 * 1024  # of one file; the one before it is kept too
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Event(StrEnum):
    STARTED = "started"
    ENDED = "ended"
    PAGE = "page"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    SETTINGS = "settings"
    ERROR = "error"
    FAULT = "fault"
    HANG = "hang"  # the window did not answer for some seconds
    CRASH = "crash"  # the time before ended hard: the whole process crashed or was killed
    QT = "qt"


# Field -> what a value looks like, whole. Words are English ones in CamelCase, so that nothing random passes for one.
CODE = re.compile(r"(?:[A-Z][a-z]{1,15}|[A-Z]{2,3}|A){1,6}\d?")
FIELDS = {
    "version": re.compile(r"\d{1,3}(\.\d{1,3}){1,3}[a-z0-9.]{0,6}"),
    "python": re.compile(r"\d{1,2}\.\d{1,3}\.\d{1,3}"),
    "qt": re.compile(r"\d{1,2}\.\d{1,3}\.\d{1,3}"),
    "system": re.compile(r"Linux|Darwin|Windows"),
    "offline": re.compile(r"yes|no"),
    "page": re.compile(r"[a-z]{1,16}"),
    "code": CODE,
    "kind": CODE,
    "where": re.compile(r"(?:[A-Za-z_]\w{0,40}/){0,8}[A-Za-z_]\w{0,40}\.py:\d{1,6}"),
    "level": re.compile(r"info|warning|critical|fatal"),
    "ms": re.compile(r"\d{1,8}"),
    "count": re.compile(r"\d{1,8}"),
}
_LINE = re.compile(r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) (?P<event>[a-z]{1,16})(?P<fields>( [a-z]{1,16}=[^\s=]{1,400})*)")


@dataclass(frozen=True, slots=True)
class Entry:
    """`at`: UTC, as it stands in the file. `fields`: name and value, in the order they were written."""

    at: str
    event: Event
    fields: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        return " ".join((self.at, self.event.value, *(f"{name}={value}" for name, value in self.fields)))


class Journal:
    """The log at `path`. Any thread may note; what cannot be written (a full disk, a folder that is read only) is not: the program
    goes on."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._clock = clock
        self._turn = threading.Lock()

    def note(self, event: Event, **fields: object) -> None:
        """Write one line. A field that is not on the list is left out, a value that does not look as expected is "?"."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))
        kept = tuple((name, _kept(name, value)) for name, value in fields.items() if name in FIELDS)
        with self._turn, suppress(OSError):
            self._append(Entry(at, event, kept).text.encode() + b"\n")

    def entries(self, most: int = 500) -> tuple[Entry, ...]:
        """The newest last. Lines that are not of this program's making are passed over."""
        with self._turn:
            lines = [*_lines(_older(self.path)), *_lines(self.path)]
        found = (entry for line in lines if (entry := parse(line)) is not None)
        return tuple(found)[-most:]

    def _append(self, line: bytes) -> None:
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_FOLLOW, 0o600)
        try:
            if os.fstat(fd).st_size + len(line) > MAX_BYTES:
                os.close(fd)
                fd = -1
                self.path.replace(_older(self.path))
                fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NO_FOLLOW, 0o600)
            os.write(fd, line)
        finally:
            if fd >= 0:
                os.close(fd)


def parse(line: str) -> Entry | None:
    """A line of the log; None for anything that this program would not have written."""
    match = _LINE.fullmatch(line)
    if match is None or match["event"] not in list(Event):
        return None
    fields = tuple((name, value) for name, _, value in (part.partition("=") for part in match["fields"].split()))
    if any(name not in FIELDS or (value != "?" and not FIELDS[name].fullmatch(value)) for name, value in fields):
        return None
    return Entry(match["time"], Event(match["event"]), fields)


def _kept(name: str, value: object) -> str:
    text = str(value)
    return text if FIELDS[name].fullmatch(text) else "?"


def _older(path: Path) -> Path:
    return path.with_name(path.name + ".1")


def _lines(path: Path) -> list[str]:
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_FOLLOW)
    except OSError:
        return []
    try:
        return os.read(fd, 2 * MAX_BYTES).decode("ascii", errors="replace").splitlines()
    except OSError:
        return []
    finally:
        os.close(fd)
