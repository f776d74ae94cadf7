"""The window's pulse: when its event loop does not turn for some seconds, somebody is told, once each time.

A timer beats in the window's thread; a thread of Python's own, which touches nothing of Qt's, looks whether it goes on. Time in which
that thread did not get to look either (the computer slept, the whole program was stopped) counts for nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

LOOK = 1.0  # seconds from one look to the next, and from beat to beat
LIMIT = 5  # looks without a beat after which the window hangs


class Pulse(QObject):
    """`hangs()` and `goes_on()` are called on the thread that looks. Until `close`."""

    def __init__(self, hangs: Callable[[], None], goes_on: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hangs, self._goes_on = hangs, goes_on
        self._beats = 0
        self._timer = QTimer(self, interval=int(LOOK * 1000))
        self._timer.timeout.connect(self._beat)
        self._timer.start()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, name="pulse", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._timer.stop()
        self._closed.set()
        self._thread.join()

    def _beat(self) -> None:
        self._beats += 1

    def _look(self) -> None:
        beats, missed, before = self._beats, 0, time.monotonic()
        while not self._closed.wait(LOOK):
            now = time.monotonic()
            if self._beats != beats:
                if missed >= LIMIT:
                    self._goes_on()
                beats, missed = self._beats, 0
            elif missed >= LIMIT or now - before < 2 * LOOK:
                missed += 1
                if missed == LIMIT:
                    self._hangs()
            else:
                missed = 0
            before = now
