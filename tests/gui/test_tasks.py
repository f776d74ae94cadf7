"""Work off the UI thread: its results arrive in it, its faults become sentences, and nothing waits for it at the end."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from latchkey.errors import BadInput, LatchkeyError
from latchkey.ui.tasks import Job, Tasks


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.close()


def test_a_result_arrives_in_the_ui_thread(tasks: Tasks, qtbot: QtBot) -> None:
    threads: list[int] = []
    results: list[int] = []

    def work(_job: Job) -> int:
        threads.append(threading.get_ident())
        return 42

    def done(result: int) -> None:
        threads.append(threading.get_ident())
        results.append(result)

    tasks.run(work, done)
    qtbot.waitUntil(lambda: results == [42])
    assert threads[0] != threading.get_ident() == threads[1]


def test_a_known_error_keeps_its_sentence(tasks: Tasks, qtbot: QtBot) -> None:
    seen: list[LatchkeyError] = []
    error = BadInput("The salt is a whole number.", path="salt")

    def work(_job: Job) -> NoReturn:
        raise error

    tasks.run(work, failed=seen.append)
    qtbot.waitUntil(lambda: seen == [error])


def test_an_error_nobody_handles_is_told(tasks: Tasks, qtbot: QtBot) -> None:
    def work(_job: Job) -> NoReturn:
        raise BadInput("No.")

    with qtbot.waitSignal(tasks.failed) as failed:
        tasks.run(work)
    assert failed.args[0].text == "No."


def test_a_fault_is_reported_whole_and_told_without_its_message(
    tasks: Tasks, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[BaseException] = []
    seen: list[LatchkeyError] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, fault, _trace: reported.append(fault))

    def work(_job: Job) -> NoReturn:
        raise ValueError("secret stuff")

    tasks.run(work, failed=seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0].code == "Internal"
    assert "secret" not in seen[0].text
    assert isinstance(reported[0], ValueError)


def test_what_is_cancelled_says_nothing_more(tasks: Tasks, qtbot: QtBot) -> None:
    calls: list[str] = []
    begun, go = threading.Event(), threading.Event()

    def work(job: Job) -> str:
        begun.set()
        go.wait(5)
        job.check()
        return "never"

    task = tasks.run(work, calls.append, failed=lambda _error: calls.append("failed"), finished=lambda: calls.append("finished"))
    assert begun.wait(5)
    task.cancel()
    go.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert calls == ["finished"]
    assert task.cancelled


def test_progress_arrives_in_order(tasks: Tasks, qtbot: QtBot) -> None:
    steps: list[tuple[int, int]] = []
    done: list[None] = []

    def work(job: Job) -> None:
        for step in range(5):
            job.progress(step, 5)

    tasks.run(work, done.append, progress=lambda step, of: steps.append((step, of)))
    qtbot.waitUntil(lambda: bool(done))
    assert steps == [(step, 5) for step in range(5)]


def test_an_owner_that_is_gone_is_not_called(tasks: Tasks, qtbot: QtBot) -> None:
    calls: list[int] = []
    go = threading.Event()
    owner = QObject()
    tasks.run(lambda _job: int(go.wait(5)), calls.append, finished=lambda: calls.append(-1), owner=owner)
    import shiboken6

    shiboken6.delete(owner)
    go.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert calls == []


def test_busy_spans_the_first_and_the_last(tasks: Tasks, qtbot: QtBot) -> None:
    changes: list[bool] = []
    tasks.busy_changed.connect(changes.append)
    go = threading.Event()
    for _ in range(3):
        tasks.run(lambda _job: go.wait(5))
    go.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert changes == [True, False]


def test_nothing_is_delivered_after_close(qtbot: QtBot) -> None:
    tasks, calls, go = Tasks(), [], threading.Event()
    tasks.run(lambda _job: go.wait(5), calls.append)
    tasks.close()
    go.set()
    qtbot.wait(50)
    assert calls == []


def test_a_program_ends_while_work_still_hangs() -> None:
    program = """
import time
from PySide6.QtCore import QCoreApplication, QTimer
from latchkey.ui.tasks import Tasks
app = QCoreApplication([])
tasks = Tasks()
tasks.run(lambda job: time.sleep(600))
QTimer.singleShot(50, app.quit)
app.exec()
tasks.close()
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=250, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
