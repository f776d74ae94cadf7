"""The child of test_kill: writes state after state until it is killed.

    python -m tests.store.crasher (file|book) FOLDER SEED TRACED

State n is known to the parent: `contents(n)` or `BookState(n)`. Around every write the child says "b n" and "e n" on its standard
output. With TRACED > 0 it lets its parent trace it during write number TRACED: it stops itself before and after.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from latchkey.store import atomic
from latchkey.store.book import Book, GrantState
from latchkey.vault.file import MAGIC, undamaged
from tests.store.grants import ACCOUNT, grant

PTRACE_TRACEME = 0


def contents(seed: int, number: int) -> bytes:
    """State `number` of the file: a vault file of any size as the vault tells a whole one from a damaged one."""
    rng = random.Random(f"{seed} {number}")
    body = MAGIC + rng.randbytes(rng.choice((1, 4000, 300_000)))
    return body + hashlib.sha256(body).digest()


def write_book(book: Book, number: int) -> None:
    """Step `number`: grants come, are signed, handed over and renamed; each step changes the book once."""
    last = (number - 1) // 4 + 1
    match number % 4:
        case 1:
            book.add_grant(grant(last, label=str(number), unsigned=bytes([number % 256]) * 3000))
        case 2:
            book.put_envelope(last, bytes([number % 256]) * 20_000)
        case 3:
            book.set_state(last, GrantState.HANDED_OVER)
        case 0:
            book.relabel(last, f"step {number}")


def book_state(book: Book) -> int:
    """The number of the last step the book has seen; fails when it holds a mixture of steps."""
    if not book.grants():
        return 0
    newest, *older = book.grants()
    assert [g.id for g in book.grants()] == list(range(newest.id, 0, -1))
    assert all(g.label == f"step {4 * g.id}" and g.envelope and g.state is GrantState.HANDED_OVER for g in older)
    first = 4 * newest.id - 3
    done = [newest.envelope is not None, newest.state is GrantState.HANDED_OVER, newest.label != str(first)]
    assert done == sorted(done, reverse=True)
    assert book.pending_nonces(ACCOUNT) == set(range(1, newest.id + 1))
    return first + sum(done)


def _step(kind: str, folder: Path, seed: int) -> Callable[[int], None]:
    if kind == "file":
        return lambda number: atomic.write(folder / "vault", contents(seed, number), valid=undamaged)
    opened: list[Book] = []

    def step(number: int) -> None:
        if not opened:  # so that making the book is part of the first write
            opened.append(Book.open(folder / "book.sqlite"))
        write_book(opened[0], number)

    return step


def main(kind: str, folder: Path, seed: int, traced: int) -> None:
    step = _step(kind, folder, seed)
    number = 0
    while True:
        number += 1
        os.write(1, b"b %d\n" % number)
        if number == traced:
            if ctypes.CDLL(None, use_errno=True).ptrace(PTRACE_TRACEME, 0, None, None):
                sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")
            os.kill(os.getpid(), signal.SIGSTOP)
        step(number)
        if number == traced:
            os.kill(os.getpid(), signal.SIGSTOP)
        os.write(1, b"e %d\n" % number)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
