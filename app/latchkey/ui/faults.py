"""Faults of the program itself: whatever is raised where nobody expects it ends here, wherever it was raised.

A slot, a virtual method of Qt's, a thread, a finaliser: Python hands each to one of three hooks, and all three lead to `Faults.take`. It
keeps a report (store/reports.py: places, never data), notes it in the log and shows one dialog. The window goes on. A flood of
faults shows one dialog that counts, and a fault that was told once is not told again while the program runs. A window that hangs is noted
and kept too; nobody is shown that, unless the program was ended meanwhile.

Imports nothing heavy: it stands before the first paint.
"""

from __future__ import annotations

import faulthandler
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from latchkey.store.journal import Event, Journal
from latchkey.store.reports import Reports, kind, place, report, tell

if TYPE_CHECKING:
    from latchkey.ui.pulse import Pulse

_QUIET = 10.0  # seconds after a dialog was closed in which no other one comes up
_DEBUGGERS = frozenset({"pdb", "pydevd", "debugpy"})
_MOST_KINDS = 50  # different faults that are kept in one run; what fails in so many ways is told by the first of them


class Faults(QObject):
    """`install()` before anything can fail, `keep_in(...)` once the data folder is open, `show_on(window)` once there is a window."""

    _told = Signal(str, object)  # the report, and where it was kept (Path or None); emitted on any thread

    def __init__(self, *, clock: Callable[[], float] = time.time, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._turn = threading.Lock()
        self._seen: set[tuple[str, str]] = set()
        self._reports: Reports | None = None
        self._journal: Journal | None = None
        self._window: QWidget | None = None
        self._waiting: tuple[str, Path | None] | None = None
        self._dialog: QWidget | None = None
        self._quiet_until = 0.0
        self._crash_file: BinaryIO | None = None
        self._hooks: tuple[Any, Any, Any] | None = None
        self._pulse: Pulse | None = None
        self.ended_hard = False  # the time before, and nobody knows where: killed, or the power was gone
        self.count = 0  # faults so far, told or not
        self._told.connect(self._tell)

    def install(self) -> None:
        """From here on nothing unexpected passes by; until `close`."""
        self._hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
        sys.excepthook = self._hook
        threading.excepthook = lambda raised: self._hook(raised.exc_type, raised.exc_value, raised.exc_traceback)
        sys.unraisablehook = lambda raised: self._hook(raised.exc_type, raised.exc_value, raised.exc_traceback)

    def keep_in(self, reports: Reports, journal: Journal) -> None:
        """Keep reports here; crashes of the whole process too. What the time before left is made a report."""
        self._reports, self._journal = reports, journal
        ended_hard, left = reports.take_crash(now=self._clock())
        if ended_hard:
            journal.note(Event.CRASH)
        if left is not None:
            self._waiting = (reports.read(left), left)
        self.ended_hard = ended_hard and left is None
        self._crash_file = reports.open_crash_file()
        if self._crash_file is not None:
            faulthandler.enable(self._crash_file)

    def show_on(self, window: QWidget) -> None:
        """From here on dialogs can be shown; one that waited is shown soon."""
        self._window = window
        if self._waiting is not None:
            (text, kept), self._waiting = self._waiting, None
            QTimer.singleShot(0, self, lambda: self._show(text, kept, ended=self.count == 0))

    def watch(self) -> None:
        """From here on note where the window hangs; while its event loop turns."""
        from latchkey.ui.pulse import Pulse

        if self._crash_file is not None:
            self._pulse = Pulse(self._hangs, self._goes_on, self)

    def _hangs(self) -> None:
        """On the thread that looks."""
        if self._crash_file is None or self._reports is None or self._journal is None or sys.modules.keys() & _DEBUGGERS:
            return
        faulthandler.dump_traceback(self._crash_file)
        now = self._clock()
        where, text = self._reports.take_hang(threading.main_thread().ident or 0, now=now)
        self._journal.note(Event.HANG, where=where)
        with self._turn:
            told = ("hang", where) in self._seen
            self._seen.add(("hang", where))
        if not told:
            self._reports.keep(text, now=now)

    def _goes_on(self) -> None:
        if self._crash_file is not None and self._reports is not None:
            self._reports.clear_crash_file(self._crash_file)

    def close(self) -> None:
        """The program ends as it should. May be called again."""
        self._window = None
        if self._pulse is not None:
            self._pulse.close()
            self._pulse = None
        if self._hooks is not None:
            sys.excepthook, threading.excepthook, sys.unraisablehook = self._hooks
            self._hooks = None
        if self._crash_file is not None and self._reports is not None:
            faulthandler.disable()
            self._reports.close_crash_file(self._crash_file)
            self._crash_file = None

    def take(self, error: BaseException) -> None:
        """Report a fault. From any thread; never raises."""
        try:
            self._take(error)
        except Exception:  # noqa: BLE001  there is nobody left to tell
            with suppress(Exception):
                sys.stderr.write("latchkey: a fault could not be reported\n")

    def _take(self, error: BaseException) -> None:
        what = (kind(error), place(error))
        with self._turn:
            self.count += 1
            if what in self._seen or len(self._seen) >= _MOST_KINDS:
                return
            self._seen.add(what)
        tell(error)
        if self._journal is not None:
            self._journal.note(Event.FAULT, kind=what[0], where=what[1])
        now = self._clock()
        thread = "main" if threading.current_thread() is threading.main_thread() else "other"
        text = report(error, now=now, thread=thread)
        kept = self._reports.keep(text, now=now) if self._reports is not None else None
        self._told.emit(text, kept)

    def _hook(self, cls: type[BaseException], error: BaseException | None, _trace: TracebackType | None) -> None:
        if issubclass(cls, KeyboardInterrupt):
            QApplication.quit()
        elif error is not None:
            self.take(error)

    # --- in the window's thread

    def _tell(self, text: str, kept: Path | None) -> None:
        """Not at once: a window may be in the middle of painting."""
        QTimer.singleShot(0, self, lambda: self._offer(text, kept))

    def _offer(self, text: str, kept: Path | None) -> None:
        if self._dialog is None and time.monotonic() >= self._quiet_until:
            self._show(text, kept)

    def _show(self, text: str, kept: Path | None, *, ended: bool = False) -> None:
        if self._window is None:
            self._waiting = (text, kept)
            return
        from latchkey.ui.fault_dialog import FaultDialog

        parent = QApplication.activeModalWidget() or self._window
        self._dialog = dialog = FaultDialog(self, parent, text, kept, ended=ended)
        dialog.destroyed.connect(self._shut)
        dialog.open()

    def _shut(self) -> None:
        self._dialog = None
        self._quiet_until = time.monotonic() + _QUIET
