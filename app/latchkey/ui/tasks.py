"""Work off the UI thread: results come back in it, nothing waits for a thread when the window closes.

    context.tasks.run(lambda job: context.client.create_key(24, label), done=self._created, failed=self._failed, owner=self)

Every piece of work gets a thread of its own, because one that waits for a person at the desk may wait for minutes. The threads are
daemons: whoever holds something open (the signer) is told to close, and what still runs then is left behind without a voice.

Widgets may be destroyed in the UI thread alone; elsewhere Qt crashes. What is handed to a thread often holds one (a bound method, a
closure), so two things are kept from happening there: the last reference to it going (`_held` outlives the thread), and Python's
collector finding one in a cycle (`collect_here`).
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from shiboken6 import isValid

from latchkey.errors import LatchkeyError
from latchkey.language import tr

T = TypeVar("T")

_held: list[tuple[threading.Thread, tuple[object, ...]]] = []  # touched in the UI thread alone
_COLLECT_MS = 2000


class Cancelled(Exception):
    """Raised inside work by `Job.check` after the person stopped it; never reaches a person."""


class Job:
    """What a piece of work sees of its task. Safe to use from the worker thread."""

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._stop = threading.Event()
        self._tell = tell

    @property
    def cancelled(self) -> bool:
        return self._stop.is_set()

    def check(self) -> None:
        """Raise Cancelled when the person stopped this."""
        if self._stop.is_set():
            raise Cancelled

    def progress(self, step: int, steps: int) -> None:
        """Tell how far this is; also checks for cancellation."""
        self.check()
        self._tell(step, steps)


class Task:
    """A running piece of work, as the UI sees it."""

    def __init__(self, tasks: Tasks, job: Job) -> None:
        self._tasks, self._job = tasks, job

    def cancel(self) -> None:
        """Stop caring: the work is told to stop and neither `done` nor `failed` will be called."""
        self._job._stop.set()

    @property
    def cancelled(self) -> bool:
        return self._job.cancelled


class Tasks(QObject):
    """Runs work. `failed` without a handler of its own; `busy_changed` when the first task starts or the last one ends."""

    failed = Signal(object)  # LatchkeyError that no caller handles
    erred = Signal(object)  # every LatchkeyError, handled or not: for the log
    busy_changed = Signal(bool)
    _arrived = Signal(object)  # a callable, to be called in this object's thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = threading.Lock()
        self._closed = False
        self._running = 0
        self._arrived.connect(self._call)  # emitted on workers alone, so it is queued

    @property
    def busy(self) -> bool:
        return self._running > 0

    def run(
        self,
        work: Callable[[Job], T],
        done: Callable[[T], object] | None = None,
        *,
        failed: Callable[[LatchkeyError], object] | None = None,
        progress: Callable[[int, int], object] | None = None,
        finished: Callable[[], object] | None = None,
        owner: QObject | None = None,
    ) -> Task:
        """Start `work` on a thread and call `done(result)` in the UI thread.

        `failed(error)` gets every LatchkeyError; anything else is reported to sys.excepthook and arrives as a LatchkeyError with a
        closed sentence. `finished()` is called last in either case, and when cancelled. Nothing is called once `owner` is destroyed.
        """

        def tell(step: int, steps: int) -> None:
            if progress is not None:
                self._post(lambda: self._alive(owner, job) and progress(step, steps))

        job = Job(tell)
        self._count(+1)

        def body() -> None:
            try:
                outcome = self._outcome(work, job, done, failed)
            finally:
                self._post(lambda: self._end(outcome, job, finished, owner))

        thread = threading.Thread(target=body, name="task", daemon=True)
        _release()
        _held.append((thread, (work, done, failed, progress, finished, owner, tell, body)))
        thread.start()
        return Task(self, job)

    def close(self) -> None:
        """From here on nothing is delivered any more; what still runs is left to die with the process."""
        with self._gate:
            self._closed = True

    def _outcome(
        self,
        work: Callable[[Job], T],
        job: Job,
        done: Callable[[T], object] | None,
        failed: Callable[[LatchkeyError], object] | None,
    ) -> Callable[[], object]:
        """Do the work in this (worker) thread; what is to be called in the UI thread about it."""
        on_error = failed or self.failed.emit
        try:
            result = work(job)
        except Cancelled:
            return lambda: None
        except LatchkeyError as error:
            known = error
            return lambda: self._fail(known, on_error)
        except Exception as error:  # noqa: BLE001  the edge where any fault of the program ends
            fault = error
            return lambda: _report(fault, on_error)
        return (lambda: done(result)) if done is not None else (lambda: None)

    def _fail(self, error: LatchkeyError, on_error: Callable[[LatchkeyError], object]) -> None:
        self.erred.emit(error)
        on_error(error)

    def _end(self, outcome: Callable[[], object], job: Job, finished: Callable[[], object] | None, owner: QObject | None) -> None:
        self._count(-1)
        if self._alive(owner, job):
            outcome()
        if finished is not None and (owner is None or isValid(owner)):
            finished()
        _release()

    def _alive(self, owner: QObject | None, job: Job) -> bool:
        return not job.cancelled and (owner is None or isValid(owner))

    def _count(self, change: int) -> None:
        before, self._running = self.busy, self._running + change
        if self.busy != before:
            self.busy_changed.emit(self.busy)

    def _post(self, call: Callable[[], Any]) -> None:
        with self._gate:
            if not self._closed:
                self._arrived.emit(call)

    @Slot(object)
    def _call(self, call: Callable[[], Any]) -> None:
        if not self._closed:
            call()


def _release() -> None:
    """Let go of what ended threads were given."""
    _held[:] = [entry for entry in _held if entry[0].is_alive()]


def collect_here(app: QObject) -> None:
    """Collect cycles in this thread, the UI's, and in no other, from now on; the timer goes with `app`."""
    gc.disable()
    timer = QTimer(app, interval=_COLLECT_MS)
    timer.timeout.connect(_collect)
    timer.start()


def _collect() -> None:
    """As much as the collector itself would have, by its own thresholds."""
    _release()
    for generation in (2, 1, 0):
        if gc.get_count()[generation] > gc.get_threshold()[generation]:
            gc.collect(generation)
            return


def _report(fault: Exception, on_error: Callable[[LatchkeyError], object]) -> None:
    sys.excepthook(type(fault), fault, fault.__traceback__)
    on_error(
        LatchkeyError(
            tr("Something went wrong inside Latchkey. Nothing was signed or changed by it; please try again."), code="Internal"
        )
    )
