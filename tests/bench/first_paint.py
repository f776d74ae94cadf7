"""From starting the program to its first paint, against an empty PySide6 window."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.report import Row, Subject

RUNS = 15
EMPTY = Path(__file__).with_name("empty_window.py")

TEXT = """Milliseconds from starting the process until it says that it has painted, as the process that started it sees it; {runs} runs \
each on {screen}, in turn, files in the cache. The empty window is a bare `QWidget` ([empty_window.py](../tests/bench/empty_window.py)). \
Latchkey starts with a fresh data folder: its first frame, then the welcome page whole. Ratio: Latchkey / empty window, less is better."""


def measure() -> Subject:
    with screen() as (name, env), TemporaryDirectory() as folder:
        ours = [sys.executable, "-m", "latchkey", "--data-dir", str(Path(folder) / "data")]
        peer = [sys.executable, str(EMPTY)]
        runs = [(_run(ours, env), _run(peer, env)) for _ in range(RUNS + 2)][2:]
    empty = median(theirs["first-paint"] for _, theirs in runs)
    first, page = (median(mine[what] for mine, _ in runs) for what in ("first-paint", "page-paint"))
    rows = (
        Row("first paint", first, empty, "ms", first / empty, ("1.5 or less", first <= 1.5 * empty)),
        Row("the welcome page", page, empty, "ms", page / empty),
    )
    return Subject("First paint", TEXT.format(runs=RUNS, screen=name), "empty window", rows)


def _run(command: list[str], env: dict[str, str]) -> dict[str, float]:
    """What the program says and when, in milliseconds since it was started."""
    start = time.perf_counter()
    said = {}
    with subprocess.Popen(command, env=env | {"LATCHKEY_FIRST_PAINT": "1"}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.setdefault(line.split()[0], (time.perf_counter() - start) * 1000)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return said


@contextmanager
def screen() -> Iterator[tuple[str, dict[str, str]]]:
    """A virtual screen of our own; Qt's screenless platform where Xvfb is missing."""
    env = {name: value for name, value in os.environ.items() if name != "WAYLAND_DISPLAY"}
    if not shutil.which("Xvfb"):
        yield "Qt's offscreen platform", env | {"QT_QPA_PLATFORM": "offscreen"}
        return
    source, sink = os.pipe()
    command = ["Xvfb", "-displayfd", str(sink), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=(sink,), stderr=subprocess.DEVNULL) as server:
        os.close(sink)
        with os.fdopen(source) as number:
            display = ":" + number.readline().strip()
        try:
            yield "Xvfb", env | {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display}
        finally:
            server.terminate()
