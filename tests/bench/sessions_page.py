"""The program on a book with cached sessions, telling when they are on the screen: `python -m tests.bench.sessions_page DATA [stay]`.

It prints "first-paint", then "sessions" when all of them are in the list and the list was painted; then it unlocks the keys by the practice
passphrase, goes to the accounts and back and prints "again". With "stay" it prints the processes it is made of and stays until its
standard input closes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication

from latchkey.flow.keys import open_signer
from latchkey.flow.practice import PASSPHRASE
from latchkey.ui import app as program
from latchkey.ui.window import Window
from latchkey.vault.model import Prompt, PromptMode

SESSIONS = 200


class Painted(QObject):
    """Calls `done` once, after the list with all sessions in it was painted."""

    def __init__(self, done: object) -> None:
        super().__init__()
        self._done = done

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        from latchkey.ui.pages.session_list import SessionList

        if event.type() == QEvent.Type.Paint and self._done is not None:
            view = watched.parent()
            if isinstance(view, SessionList) and view.model().rowCount() >= SESSIONS:
                done, self._done = self._done, None
                QTimer.singleShot(0, done)
        return False


def main() -> int:
    data, stay = Path(sys.argv[1]), sys.argv[2:] == ["stay"]
    app = QApplication(["latchkey"])
    source, sink = os.pipe()
    os.write(sink, PASSPHRASE.encode() + b"\n")
    os.close(sink)
    program.make_client = partial(open_signer, prompt=Prompt(PromptMode.FD, source, script=True))

    def say(what: object) -> None:
        print(what, flush=True)

    def window() -> Window:
        return next(w for w in app.topLevelWidgets() if isinstance(w, Window))

    def first() -> None:
        say("sessions")
        context = window()._context
        context.ask_signer(lambda client: client.unlock(), lambda _: away())

    def away() -> None:
        assert window()._context.lock.unlocked
        window().show_page("accounts")
        QTimer.singleShot(300, back)

    def back() -> None:
        app.installEventFilter(again)
        started[0] = time.perf_counter()
        window().show_page("sessions")

    def here() -> None:
        say(f"again {(time.perf_counter() - started[0]) * 1000:.1f}")
        if not stay:
            window().close()
            return
        say(json.dumps({"window": os.getpid(), **children()}))
        gone = QSocketNotifier(0, QSocketNotifier.Type.Read, app)
        gone.activated.connect(lambda *_: window().close())

    started = [0.0]
    painted, again = Painted(first), Painted(here)
    app.installEventFilter(painted)
    program._tell_time = lambda what: say(what) if what == "first-paint" else None
    return program.run(data)


def children() -> dict[str, int]:
    """What this process started, by the word that says what it is."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            words = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if parent == os.getpid():
            found |= {name: int(place.name) for name in ("signer", "bridge", "desk") if name.encode() in words}
    return found


if __name__ == "__main__":
    sys.exit(main())
