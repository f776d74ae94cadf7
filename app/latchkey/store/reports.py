"""What is kept of a fault of the program: where it happened, and nothing of what it was working on.

A report is made of things that are allowed in it, nothing is taken out of anything: version and system, an exception's class where a
loaded module has one of that name, the code of our own errors, the system's error number, and of each frame the module, line and
function, all names from the program's own text. Never a message, a source line, an argument, a local or a folder of this machine.

Reports lie in a folder of their own, the newest twenty; they are sent to nobody. A crash of the whole process (faulthandler's file)
becomes a report at the next start, and a window that hangs one at once. Where it hangs is read from what faulthandler writes too: whoever
holds another thread's frames may end up with the last reference to what is in them.
"""

from __future__ import annotations

import errno
import os
import re
import struct
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from latchkey import __version__
from latchkey.errors import LatchkeyError, StoreError
from latchkey.offline import is_offline
from latchkey.store import atomic
from latchkey.store.journal import CODE

MOST = 20
MAX_BYTES = 64 * 1024
_MOST_FRAMES = 60
_DIGITS = 2 * struct.calcsize("L")  # of a thread's number, as faulthandler writes it
_MOST_CAUSES = 6
_FUNCTION = re.compile(r"[A-Za-z_<][\w.<>]{0,120}", re.ASCII)
_MODULE = re.compile(r"[A-Za-z_]\w{0,60}(\.[A-Za-z_]\w{0,60}){0,10}", re.ASCII)
_NAME = re.compile(r"fault-\d{8}T\d{6}Z(-\d{1,3})?\.txt")
_FRAME = re.compile(r'  File "(?P<file>[^"]{1,400})", line (?P<line>\d{1,6}) in (?P<function>.{1,120})')
_HEAD = re.compile(r"(Fatal Python error|Windows fatal exception): [A-Za-z][A-Za-z_ -]{0,60}")
_FILE = re.compile(r"(?:[A-Za-z_]\w{0,60}/){0,10}[A-Za-z_]\w{0,60}\.pyc?", re.ASCII)
_INTRO = "Latchkey fault report. It holds places in the program, and no messages, addresses, amounts, names or keys."


def place(error: BaseException) -> str:
    """The innermost frame, "latchkey/ui/app.py:12"; "" when there is none."""
    frames = list(_frames(error))
    return frames[-1].partition(" ")[0] if frames else ""


def kind(error: BaseException) -> str:
    """The exception's class, when it is one that a loaded module has under that name."""
    cls = type(error)
    module = sys.modules.get(cls.__module__)
    known = getattr(module, cls.__qualname__, None) is cls and _FUNCTION.fullmatch(cls.__qualname__) is not None
    return cls.__qualname__ if known else "Exception"


def describe(error: BaseException) -> str:
    """Classes, codes and frames of the exception and of what led to it, outermost frame first."""
    return "\n".join(_described(error, set()))


def tell(error: BaseException) -> None:
    """To standard error: the whole traceback where a person sits at a terminal; elsewhere it may end in a file that others read, and
    only the places are told."""
    with suppress(OSError, ValueError, AttributeError):
        if sys.stderr.isatty():
            traceback.print_exception(error)
        else:
            sys.stderr.write(f"latchkey: a fault of the program\n{describe(error)}\n")
            sys.stderr.flush()


def report(error: BaseException, *, now: float, thread: str = "main") -> str:
    """The whole report as text. `thread`: "main" or "other"."""
    return "\n".join([*_about(now), f"thread {'main' if thread == 'main' else 'other'}", "", describe(error), ""])


class Reports:
    """The folder of reports. Nothing in here raises: whoever reports a fault has troubles enough."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._crash = folder / "crash"

    def keep(self, text: str, *, now: float) -> Path | None:
        """Write a report and drop the oldest ones; None when it cannot be written."""
        stem = time.strftime("fault-%Y%m%dT%H%M%SZ", time.gmtime(now))
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            taken = {path.name for path in self.all()}
            number = next(n for n in range(1000) if _name(stem, n) not in taken)
            path = self.folder / _name(stem, number)
            atomic.write(path, text.encode()[:MAX_BYTES])
        except (OSError, StoreError, StopIteration):
            return None
        for old in self.all()[MOST:]:
            with suppress(OSError):
                old.unlink()
        return path

    def all(self) -> tuple[Path, ...]:
        """The newest first."""
        try:
            return tuple(sorted((p for p in self.folder.iterdir() if _NAME.fullmatch(p.name)), reverse=True))
        except OSError:
            return ()

    def read(self, path: Path) -> str:
        """A kept report; "" when it is gone."""
        try:
            return atomic.read(path, MAX_BYTES).data.decode("ascii", errors="replace")
        except StoreError:
            return ""

    def clear(self) -> None:
        for path in self.all():
            with suppress(OSError):
                path.unlink()

    def open_crash_file(self) -> BinaryIO | None:
        """A file for faulthandler, to be closed by `close_crash_file`."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            return os.fdopen(os.open(self._crash, flags, 0o600), "wb", buffering=0)
        except OSError:
            return None

    def close_crash_file(self, file: BinaryIO) -> None:
        file.close()
        with suppress(OSError):
            self._crash.unlink()
            self.folder.rmdir()  # when there is nothing in it

    def take_crash(self, *, now: float) -> tuple[bool, Path | None]:
        """Whether the time before ended hard, and a report of what faulthandler left behind then; None when it left nothing."""
        try:
            left = self._left()
            self._crash.unlink()
        except (OSError, StoreError):
            return False, None
        lines = list(_of_crash(left))
        return True, self.keep("\n".join([*_about(now), "the whole program ended", "", *lines, ""]), now=now) if lines else None

    def take_hang(self, thread: int, *, now: float) -> tuple[str, str]:
        """Of what faulthandler just wrote: the innermost place in Latchkey's own code where this thread is ("" for none), and a report."""
        try:
            left = self._left()
        except StoreError:
            return "", ""
        _, _, rest = left.rpartition(f"hread 0x{thread:0{_DIGITS}x} ")
        lines = list(_of_crash(rest.partition("\n\n")[0]))
        ours = next((line for line in lines if line.startswith("  latchkey/")), "")
        return ours.split()[0] if ours else "", "\n".join([*_about(now), "the window does not answer", "", *lines, ""])

    def clear_crash_file(self, file: BinaryIO) -> None:
        """The window answers again: what was written while it did not is no crash."""
        with suppress(OSError):
            file.seek(0)
            file.truncate()

    def _left(self) -> str:
        return atomic.read(self._crash, 4 * MAX_BYTES).data.decode(errors="replace")


def _name(stem: str, number: int) -> str:
    return f"{stem}-{number}.txt" if number else f"{stem}.txt"


def _about(now: float) -> list[str]:
    import platform  # not quick to load, and every start loads this module

    qt = sys.modules.get("PySide6")
    return [
        _INTRO,
        "",
        f"time {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now))}",
        f"latchkey {__version__}{', bundle' if getattr(sys, 'frozen', False) else ''}{', offline' if is_offline() else ''}",
        f"python {platform.python_version()}, qt {getattr(qt, '__version__', 'not loaded')}",
        f"system {platform.system()} {platform.machine()}",
    ]


def _described(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    yield _head(error)
    frames = list(_frames(error))
    if len(frames) > _MOST_FRAMES:
        frames = [*frames[: _MOST_FRAMES // 2], f"({len(frames) - _MOST_FRAMES} more)", *frames[-_MOST_FRAMES // 2 :]]
    yield from (f"  {frame}" for frame in frames)
    inner = [("one of these:", one) for one in getattr(error, "exceptions", ())[:_MOST_CAUSES] if isinstance(one, BaseException)]
    if error.__cause__ is not None:
        inner.append(("caused by:", error.__cause__))
    elif error.__context__ is not None and not error.__suppress_context__:
        inner.append(("while handling:", error.__context__))
    for how, one in inner:
        if id(one) not in seen and len(seen) < _MOST_CAUSES:
            yield how
            yield from _described(one, seen)


def _head(error: BaseException) -> str:
    name = kind(error)
    if isinstance(error, LatchkeyError) and CODE.fullmatch(error.code) and error.code != name:
        return f"{name} [{error.code}]"
    if isinstance(error, OSError) and error.errno is not None and (symbol := errno.errorcode.get(error.errno)):
        return f"{name} [{symbol}]"
    return name


def _frames(error: BaseException) -> Iterator[str]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        function = frame.f_code.co_name
        yield f"{_module(frame)}:{line} {function if _FUNCTION.fullmatch(function) else '?'}"


def _module(frame: FrameType) -> str:
    """The frame's module as a file, when it is one that is loaded."""
    name = frame.f_globals.get("__name__")
    if isinstance(name, str) and _MODULE.fullmatch(name) and vars(sys.modules.get(name, sys)) is frame.f_globals:
        return name.replace(".", "/") + ("/__init__.py" if "__path__" in frame.f_globals else ".py")
    return "elsewhere.py"


def _of_crash(text: str) -> Iterator[str]:
    """faulthandler's lines that say where; paths begin at the package."""
    for line in text.splitlines()[:400]:
        if head := _HEAD.fullmatch(line):
            yield head[0]
        elif line.startswith(("Current thread ", "Thread ")):
            yield "thread"
        elif (frame := _FRAME.fullmatch(line)) and _FUNCTION.fullmatch(frame["function"]):
            yield f"  {_short(frame['file'])}:{frame['line']} {frame['function']}"


def _short(file: str) -> str:
    path = file.replace("\\", "/")
    for root in ("/site-packages/", "/dist-packages/", "/app/latchkey/", f"/python{sys.version_info[0]}.{sys.version_info[1]}/"):
        if root in path:
            path = ("latchkey/" if "latchkey" in root else "") + path.rpartition(root)[2]
            break
    return path if _FILE.fullmatch(path) else "elsewhere.py"
