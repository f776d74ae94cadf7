"""Faults of the program: told once, kept as places alone, and the window goes on. Most of it in real processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from latchkey.store.journal import Event, Journal
from latchkey.store.paths import DataDir
from latchkey.store.reports import Reports
from latchkey.ui.fault_dialog import FaultDialog
from latchkey.ui.faults import Faults
from latchkey.ui.window import Window

SECRET = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


@pytest.fixture
def faults(folder: DataDir, make_window: Callable[..., Window]) -> Iterator[Faults]:
    made = Faults(clock=lambda: 1_795_300_000)
    made.keep_in(Reports(folder.reports), Journal(folder.log))
    made.show_on(make_window())
    yield made
    made.close()


def fault(number: int = 0) -> Exception:
    try:
        raise [ValueError, KeyError, TypeError][number](SECRET)
    except (ValueError, KeyError, TypeError) as error:
        return error


def dialogs() -> list[FaultDialog]:
    return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, FaultDialog) and widget.isVisible()]


def test_a_fault_is_told_kept_and_noted(faults: Faults, folder: DataDir, qtbot: QtBot) -> None:
    faults.take(fault())
    qtbot.waitUntil(lambda: len(dialogs()) == 1)
    [dialog] = dialogs()
    [kept] = Reports(folder.reports).all()
    text = dialog.report.toPlainText()
    assert text == kept.read_text().rstrip()
    assert "\nValueError\n  test_faults.py:" in text
    assert SECRET not in text
    [entry] = [e for e in Journal(folder.log).entries() if e.event is Event.FAULT]
    assert re.fullmatch(r"kind=ValueError where=test_faults\.py:\d+", " ".join("=".join(f) for f in entry.fields))
    dialog.copy.click()
    assert QApplication.clipboard().text() == text
    dialog.go_on.click()
    qtbot.waitUntil(lambda: not dialogs())


def test_a_flood_shows_one_dialog_that_counts(faults: Faults, folder: DataDir, qtbot: QtBot) -> None:
    for number in range(300):
        faults.take(fault(number % 3))
    threads = [threading.Thread(target=lambda: [faults.take(fault()) for _ in range(50)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    qtbot.waitUntil(lambda: len(dialogs()) == 1)
    [dialog] = dialogs()
    assert len(Reports(folder.reports).all()) == 3  # one of each
    faults.take(fault(1))
    qtbot.waitUntil(lambda: dialog.more.isVisible())
    assert dialog.more.text() == "It went wrong 1 more time since."
    dialog.accept()
    qtbot.waitUntil(lambda: not dialogs())
    faults.take(fault(2))  # it was told of
    QApplication.processEvents()
    assert dialogs() == []


def test_a_fault_under_a_question_comes_up_over_it(faults: Faults, qtbot: QtBot) -> None:
    from latchkey.ui.widgets import confirm

    window = faults._window
    assert window is not None
    question = confirm(window, "Leave?", "Something would be lost.", "Leave", lambda: None)
    faults.take(fault())
    qtbot.waitUntil(lambda: len(dialogs()) == 1)
    assert dialogs()[0].parent() is question
    dialogs()[0].accept()
    question.reject()


def test_a_fault_in_painting_does_not_stop_the_window(faults: Faults, qtbot: QtBot) -> None:
    """A virtual method of Qt's that raises each time."""

    class Broken(QWidget):
        def paintEvent(self, event: object) -> None:
            raise RuntimeError(SECRET)

    before = sys.excepthook
    sys.excepthook = lambda _cls, error, _trace: faults.take(error)
    try:
        broken = Broken()
        qtbot.addWidget(broken)
        broken.show()
        qtbot.waitUntil(lambda: len(dialogs()) == 1)
        count = faults.count
        broken.update()
        qtbot.waitUntil(lambda: faults.count > count)
        assert len(dialogs()) == 1
        dialogs()[0].accept()
        broken.close()
    finally:
        sys.excepthook = before


# --- the real program


_PROGRAM = """
import json, sys, threading
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QPlainTextEdit
from latchkey.ui import app as application
from latchkey.ui.fault_dialog import FaultDialog
secret = "{secret}"
app = QApplication([])
seen = []
class Late:
    def __del__(self): raise OSError(28, secret)
def in_a_slot(): local = secret; raise ValueError(secret, local)
def in_a_thread(): threading.Thread(target=in_a_slot).start()
def finalised(): Late()
def look():
    found = [w for w in app.topLevelWidgets() if isinstance(w, FaultDialog) and w.isVisible()]
    if found:
        seen.extend(w.report.toPlainText() for w in found)
        looking.stop()
        for w in found: w.accept()
        QTimer.singleShot(100, app.closeAllWindows)
{what}
looking = QTimer(interval=20); looking.timeout.connect(look); looking.start()
QTimer.singleShot(20000, app.quit)
code = application.run(Path({folder!r}))
print(json.dumps([code, seen]))
"""


def program(folder: Path, what: str) -> tuple[list[str], str]:
    """Texts of the dialogs that came up, and standard error."""
    text = _PROGRAM.format(secret=SECRET, what=what, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    code, seen = json.loads(done.stdout)
    assert code == 0
    return seen, done.stderr


@pytest.mark.parametrize(
    ("what", "head"),
    [
        ("QTimer.singleShot(50, in_a_slot)", "ValueError\n"),
        ("QTimer.singleShot(50, in_a_thread)", "ValueError\n"),
        ("QTimer.singleShot(50, finalised)", "OSError [ENOSPC]\n"),
    ],
    ids=["slot", "thread", "finaliser"],
)
def test_whatever_is_raised_comes_to_one_place(folder: DataDir, what: str, head: str) -> None:
    seen, error = program(folder.root, what)
    assert len(seen) == 1
    assert head in seen[0]
    assert SECRET not in seen[0] + error
    assert error.startswith("latchkey: a fault of the program\n" + head)
    for path in folder.root.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes()


def test_a_crash_of_the_whole_process_is_offered_at_the_next_start(folder: DataDir) -> None:
    crash = _PROGRAM.format(
        secret=SECRET,
        what="import faulthandler; QTimer.singleShot(100, faulthandler._sigsegv)",
        folder=str(folder.root),
    )
    done = subprocess.run([sys.executable, "-c", crash], capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode < 0
    seen, error = program(folder.root, "")
    assert len(seen) == 1
    assert "Fatal Python error: Segmentation fault" in seen[0]
    assert "latchkey/ui/app.py:" in seen[0]
    assert error == ""
    [report] = Reports(folder.reports).all()
    assert str(folder.root) not in report.read_text()
    assert Event.CRASH in [entry.event for entry in Journal(folder.log).entries()]


def test_a_fault_before_there_is_a_window_ends_with_a_sentence(folder: DataDir) -> None:
    text = f"""
import sys
from pathlib import Path
from latchkey.ui import app as application
application._tell_kindly = lambda _app, error: print(error.text)
application.Window = lambda *_, **__: 1 / 0
print(application.run(Path({str(folder.root)!r})))
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=250, check=False)
    assert done.stdout.splitlines() == [
        "Latchkey cannot go on because of a fault of its own. Your files are as they were; a report lies in the data folder.",
        "1",
    ]
    assert "ZeroDivisionError" in Reports(folder.reports).read(Reports(folder.reports).all()[0])


def test_ctrl_c_ends_it(folder: DataDir) -> None:
    text = f"""
import os, signal
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from latchkey.ui import app as application
app = QApplication([])
QTimer.singleShot(100, lambda: os.kill(os.getpid(), signal.SIGINT))
print(application.run(Path({str(folder.root)!r})))
"""
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=250, check=False, env=dict(os.environ)
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert [e.event for e in Journal(folder.log).entries()][-1] is Event.ENDED


def test_timers_of_the_dialog_end_with_it(faults: Faults, qtbot: QtBot) -> None:
    faults.take(fault())
    qtbot.waitUntil(lambda: len(dialogs()) == 1)
    timer = dialogs()[0].findChild(QTimer)
    with qtbot.waitSignal(timer.destroyed):
        dialogs()[0].accept()
