"""Watching the chain while the window is open and the keys are unlocked: what is news is said at the foot of the window."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.flow.watch import Notice
    from latchkey.ui.context import Context

_PATIENCE = 2.0  # seconds for a reading to notice that the window closes


class Watching(QObject):
    """Runs a Watch on a thread of its own: not a task, for tasks count as use and would keep the keys unlocked."""

    _heard = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._context = context
        self._stop: threading.Event | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self._heard.connect(self._say)
        context.lock.changed.connect(self.follow)
        context.changed.connect(lambda what: self.follow() if what in ("accounts", "settings") else None)

    @property
    def is_running(self) -> bool:
        return self._stop is not None

    def follow(self) -> None:
        """Start or stop, as the lock, the accounts and the RPCs ask for."""
        if self._closed:  # the lock still tells what it does
            return
        context = self._context
        wanted = context.is_loaded and context.lock.unlocked and any(map(self._is_set, context.book.accounts()))
        if wanted and self._stop is None:
            self._start()
        elif not wanted:
            self.stop()

    def stop(self) -> None:
        """Do not read on. A reading that is under way ends soon."""
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def close(self) -> None:
        """Stop for good, and wait a moment for the reading that is under way: the book is closed next."""
        self._closed = True
        self.stop()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def _is_set(self, account: object) -> bool:
        return self._context.chains.is_set(account.chain_id)  # type: ignore[attr-defined]

    def _start(self) -> None:
        from latchkey.flow.watch import Watch

        context, stop = self._context, threading.Event()
        watch = Watch(context.sessions, context.book, context.clock)

        def tell(notice: Notice) -> None:
            if not stop.is_set():
                with suppress(RuntimeError):  # the window is gone
                    self._heard.emit(notice)

        self._stop = stop
        self._thread = threading.Thread(target=watch.run, args=(tell, stop), name="watch", daemon=True)
        self._thread.start()

    def _say(self, notice: Notice) -> None:
        self._context.say(notice.sentence)
        self._context.notify(tr("A session"), notice.sentence)
        self._context.changed.emit("readings")
