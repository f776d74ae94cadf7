"""The program with its bridge on, telling when a request is on the screen to be reviewed: `python -m tests.bench.requests_page DATA`.

It prints "ready" once the bridge listens and what a request is shown on is loaded, then for each request its id and when its review was
painted (the system's monotonic clock, seconds), and "free" when whoever asked has gone and the Sessions page is back.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

from latchkey.flow.bridge import BridgeState
from latchkey.flow.wizard import Step
from latchkey.ui import app as program
from latchkey.ui.pages.wizard import WizardPage
from latchkey.ui.window import Window


class Watcher(QObject):
    """Sees the review painted, and the request go."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = 0
        self._timer = QTimer(self, interval=10)
        self._timer.timeout.connect(self._look)
        self._timer.start()
        self._page: WizardPage | None = None

    def _look(self) -> None:
        window = next((w for w in QApplication.topLevelWidgets() if isinstance(w, Window)), None)
        bridging = window._context.bridging if window else None
        if bridging is None:
            return
        assert window is not None
        if self._page is None:
            if bridging.host.state is BridgeState.LISTENING and "wizard" in window._pages:
                self._page = window._pages["wizard"]  # type: ignore[assignment]
                self._page.pages[Step.REVIEW].installEventFilter(self)  # type: ignore[union-attr]
                print("ready", flush=True)
        elif self._shown and not window._context.requests.open():
            self._shown = 0
            window._context.navigate("sessions")
            QTimer.singleShot(300, partial(print, "free", flush=True))

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        record = self._page._record if self._page else None
        if event.type() == QEvent.Type.Paint and record is not None and record.id != self._shown and record.is_open:
            self._shown = record.id
            QTimer.singleShot(0, lambda: print(record.request_id, time.perf_counter(), flush=True))
        return False


def main() -> int:
    app = QApplication(["latchkey"])
    watcher = Watcher()
    app.aboutToQuit.connect(watcher.deleteLater)
    return program.run(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
