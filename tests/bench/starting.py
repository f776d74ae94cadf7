"""The Sessions page with cached sessions after a start, and what the program costs while nobody uses it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.first_paint import EMPTY, screen
from tests.bench.report import Row, Subject
from tests.bench.sessions_page import SESSIONS

RUNS = 9
IDLE_SECONDS = 10.0
GOAL = 400  # ms

STARTING = """Milliseconds, the middle of {runs} runs on {screen}. First row: from the program's first \
frame until {sessions} sessions of one account, read before and kept in the book, are in the list on the screen: the libraries are \
loaded, the book is opened and checked, each session is decoded, worded and judged meanwhile. Second: from another page back to it \
while the keys are unlocked, read from the book again. The other: the empty window from its start to its end, for the scale of it."""
IDLE = """Memory (Pss: what is shared with other processes is divided among them) and processor time of the processes, unlocked, on \
the Sessions page with {sessions} sessions, over {seconds:.0f} seconds in which nothing happens; no RPC is set, so nothing is watched; \
the bridge is on. The other: the empty window."""


def measure() -> Subject:
    with screen() as (name, env), _folder() as data:
        runs = [_start(data, env) for _ in range(RUNS + 1)][1:]
        empty = median(_empty(env) for _ in range(RUNS))
    shown, again = (median(column) for column in zip(*runs, strict=True))
    rows = (
        Row(f"{SESSIONS} cached sessions after the first frame", shown, empty, "ms", shown / empty, _goal(shown)),
        Row("back to them from another page, unlocked", again, empty, "ms", again / empty, _goal(again)),
    )
    return Subject("Sessions after a start", STARTING.format(runs=RUNS, screen=name, sessions=SESSIONS), "empty window", rows)


def measure_idle() -> Subject:
    with screen() as (_, env), _folder(bridge=True) as data:
        ours = _idle([sys.executable, "-m", "tests.bench.sessions_page", str(data), "stay"], env)
        [empty] = _idle([sys.executable, str(EMPTY)], env | {"EMPTY_STAYS": "1"}).values()
    rows = []
    for name, use in ours.items():
        rows.append(Row(f"{name}: memory", use.megabytes, empty.megabytes, "MB", use.megabytes / empty.megabytes))
        rows.append(
            Row(f"{name}: processor", use.milliseconds, empty.milliseconds, "ms", use.milliseconds / max(empty.milliseconds, 1))
        )
    return Subject("While nobody uses it", IDLE.format(sessions=SESSIONS, seconds=IDLE_SECONDS), "empty window", tuple(rows))


def _goal(taken: float) -> tuple[str, bool]:
    return f"{GOAL} ms or less", taken <= GOAL


@dataclass(frozen=True, slots=True)
class Use:
    megabytes: float
    milliseconds: float


@contextmanager
def _folder(*, bridge: bool = False) -> Iterator[Path]:
    """The practice vault, and a book with the sessions; settings are the usual ones, but for the bridge."""
    from latchkey.flow.practice import furnish
    from latchkey.store.book import Book
    from latchkey.store.paths import DataDir
    from latchkey.store.settings import Settings, save
    from tests.gui.session_pictures import GAMES, many

    with TemporaryDirectory() as place:
        folder = DataDir.open(Path(place) / "data")
        furnish(folder)
        save(folder.settings, Settings(bridge=bridge, bridge_port=_free_port()))
        with Book.open(folder.book) as book:
            for account in book.accounts():
                book.remove_account(account)
            book.add_account(GAMES)
            many(book, SESSIONS)
        yield folder.root


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _start(data: Path, env: dict[str, str]) -> tuple[float, float]:
    """Milliseconds: from the first frame to the sessions, and back to them."""
    said: dict[str, float] = {}
    command = [sys.executable, "-m", "tests.bench.sessions_page", str(data)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            name, _, number = line.partition(" ")
            said[name.strip()] = float(number) if number else time.perf_counter() * 1000
    return said["sessions"] - said["first-paint"], said["again"]


def _empty(env: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, str(EMPTY)], env=env, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def _idle(command: list[str], env: dict[str, str]) -> dict[str, Use]:
    """What each process of the program takes. The last line it prints names them: {name: process id}."""
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("{"))
        ids: dict[str, int] = json.loads(line)
        time.sleep(3)  # what was put off is done
        before = {name: _cpu(number) for name, number in ids.items()}
        time.sleep(IDLE_SECONDS)
        found = {name: Use(_memory(number), _cpu(number) - before[name]) for name, number in ids.items()}
        assert process.stdin is not None
        process.stdin.close()
    return found


def _cpu(number: int) -> float:
    """Milliseconds of processor time so far."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def _memory(number: int) -> float:
    for line in Path(f"/proc/{number}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError
