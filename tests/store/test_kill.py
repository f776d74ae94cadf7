"""kill -9 inside writes: afterwards the old state or the new one is there, never neither.

Two ways of choosing the point. By the clock: the child writes without pause and is killed after a random time. By the step: the
kernel stops the child at every entry to and return from a system call (ptrace) during one write, and it is killed at the n-th stop;
with the full counts that is every one of them, SQLite's own included.
"""

from __future__ import annotations

import ctypes
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from latchkey.store import atomic
from latchkey.store.book import Book
from latchkey.vault.file import undamaged
from tests.counts import SOAK, count
from tests.store.crasher import book_state, contents, write_book

SEED = 20261121
PTRACE_CONT, PTRACE_SYSCALL = 7, 24
TRACED_WRITES = {"file": (1, 3), "book": (1, 2, 3, 4, 5)}

pytestmark = [pytest.mark.soak, pytest.mark.skipif(sys.platform != "linux", reason="kill -9 and ptrace as Linux has them")]


class Child:
    """A writing child and what it has said: `begun` and `ended` are numbers of writes."""

    def __init__(self, kind: str, folder: Path, traced: int = 0) -> None:
        command = [sys.executable, "-m", "tests.store.crasher", kind, str(folder), str(SEED), str(traced)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.begun = self.ended = 0

    def wait_for_first_write(self) -> None:
        assert self.process.stdout is not None
        self._hear(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        said, _ = self.process.communicate()
        for line in said.splitlines():
            self._hear(line)

    @property
    def inside(self) -> bool:
        return self.begun != self.ended

    def _hear(self, line: bytes) -> None:
        which, number = line.split()
        if which == b"b":
            self.begun = int(number)
        else:
            self.ended = int(number)


def check(kind: str, folder: Path, child: Child) -> None:
    """The state is the one before or the one after the write that was under way, and the next write works."""
    allowed = {child.begun, child.ended}
    if kind == "file":
        path = folder / "vault"
        if child.ended or path.exists():
            stored = atomic.read(path, valid=undamaged)
            assert stored.fault is None
            assert stored.data in {contents(SEED, n) for n in allowed if n}
        atomic.write(path, contents(SEED, 1), valid=undamaged)
        assert {p.name for p in folder.iterdir()} <= {"vault", "vault.bak"}
        return
    with Book.open(folder / "book.sqlite") as book:
        state = book_state(book)
        assert state in allowed
        write_book(book, state + 1)
        assert book_state(book) == state + 1
    assert {p.name for p in folder.iterdir()} == {"book.sqlite"}


@pytest.mark.parametrize("kind", ["file", "book"])
def test_killed_at_random_moments(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng, kills, inside = random.Random(f"{SEED} {kind}"), count(5, 100), 0
    for i in range(kills):
        folder = tmp_path / str(i)
        folder.mkdir()
        child = Child(kind, folder)
        child.wait_for_first_write()
        time.sleep(rng.uniform(0, 0.05))
        child.kill()
        inside += child.inside
        check(kind, folder, child)
    with capsys.disabled():
        print(f"\n[kill -9, {kind}] {kills} kills at random moments, {inside} of them inside a write", file=sys.stderr)
    assert inside > 0


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", ["file", "book"])
def test_killed_at_system_calls(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stops = [(write, stop) for write in TRACED_WRITES[kind] for stop in range(1, trace(kind, tmp_path, write, None) + 1)]
    chosen = stops if SOAK else random.Random(SEED).sample(stops, 5)
    for write, stop in chosen:
        trace(kind, tmp_path, write, stop)
    with capsys.disabled():
        print(f"\n[kill -9, {kind}] {len(chosen)} kills inside a write, of {len(stops)} stops", file=sys.stderr)


def trace(kind: str, parent: Path, write: int, kill_at: int | None) -> int:
    """Stop at every system call of one write; kill at stop number `kill_at` and check. Returns how many stops there were."""
    folder = parent / f"{write}-{kill_at}"
    folder.mkdir()
    child = Child(kind, folder, traced=write)
    pid, ptrace = child.process.pid, ctypes.CDLL(None).ptrace
    _, status = os.waitpid(pid, 0)
    if not os.WIFSTOPPED(status):
        child.process.returncode = status
        said = child.process.communicate()[1].decode()
        assert said.startswith("ptrace: "), said
        pytest.skip(f"tracing is not allowed here ({said.strip()})")
    stops = -1
    while stops != kill_at:
        ptrace(PTRACE_SYSCALL, pid, None, None)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSTOPPED(status)
        stops += 1
        if os.WSTOPSIG(status) == signal.SIGSTOP:
            break
    child.kill()
    if kill_at is not None:
        assert (child.begun, child.ended) == (write, write - 1)
        check(kind, folder, child)
    return stops
