"""Logs in the book: the same as a store in memory, whatever is done to it; apart by node, account and question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.chain.logs import MemoryLogs
from latchkey.core.logs import Log, LogFilter
from latchkey.core.types import Address
from latchkey.errors import StoreError
from latchkey.store.book import Book
from latchkey.store.logs import BookLogs, forget_logs
from tests.store.grants import ACCOUNT

OTHER = replace(ACCOUNT, chain_id=10)
WHO = Address.from_bytes(bytes(19) + b"\7")
FILTERS = (LogFilter((WHO,), (bytes(32),)), LogFilter(None, (None, (b"\1" * 32, b"\2" * 32))))


def log(block: int, position: int = 0, data: bytes = b"") -> Log:
    return Log(block, position, bytes([block % 256]) * 32, b"\5" * 32, WHO, (b"\1" * 32, b"\2" * 32), data)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.open(tmp_path / "book.sqlite") as book:
        yield book


RANGE = st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))
STEP = st.one_of(
    st.tuples(st.just("put"), RANGE, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), max_size=6, unique=True)),
    st.tuples(st.just("forget"), st.integers(0, 60)),
    st.tuples(st.just("mark"), st.integers(0, 60), st.binary(min_size=32, max_size=32)),
    st.tuples(st.just("begin"), st.integers(1, 2)),
)


@given(st.lists(STEP, max_size=25))
def test_as_in_memory(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]) -> None:
    path = tmp_path_factory.mktemp("book") / "book.sqlite"
    memory = MemoryLogs()
    with Book.open(path) as book:
        for store in (memory, BookLogs(book, ACCOUNT)):
            store.begin(FILTERS)
        for kind, *details in steps:
            for store in (memory, BookLogs(book, ACCOUNT)):  # a new one each time: nothing is kept outside the book
                match kind:
                    case "put":
                        (first, last), places = details
                        store.put(first, last, [log(b, p) for b, p in sorted(places) if first <= b <= last])
                    case "forget":
                        store.forget(*details)
                    case "mark":
                        store.mark(*details)
                    case "begin":
                        store.begin(FILTERS[: details[0]])
            kept = BookLogs(book, ACCOUNT)
            assert tuple(kept.covered()) == tuple(memory.covered())
            assert list(kept.logs(0, 99)) == list(memory.logs(0, 99))
            assert list(kept.logs(10, 20)) == list(memory.logs(10, 20))
            assert tuple(kept.marks()) == tuple(memory.marks())


def test_nodes_and_accounts_are_kept_apart(book: Book) -> None:
    for number, (account, source) in enumerate([(ACCOUNT, "a"), (ACCOUNT, "b"), (OTHER, "a")]):
        store = BookLogs(book, account, source)
        store.begin(FILTERS)
        store.put(0, 9, [log(number)])
    assert [list(BookLogs(book, a, s).logs(0, 9)) for a, s in [(ACCOUNT, "a"), (ACCOUNT, "b"), (OTHER, "a")]] == [
        [log(0)],
        [log(1)],
        [log(2)],
    ]
    assert not BookLogs(book, ACCOUNT, "c").covered()
    forget_logs(book, ACCOUNT)
    assert not BookLogs(book, ACCOUNT, "a").covered()
    assert not BookLogs(book, ACCOUNT, "b").covered()
    assert BookLogs(book, OTHER, "a").covered()


def test_only_a_few_nodes_are_remembered(book: Book) -> None:
    for number in range(9):
        store = BookLogs(book, ACCOUNT, str(number))
        store.begin(FILTERS)
        store.put(0, 9, [log(1)])
    assert [bool(BookLogs(book, ACCOUNT, str(number)).covered()) for number in range(9)] == [False] * 5 + [True] * 4
    assert book._rows("SELECT count(*) AS n FROM logs")[0]["n"] == 4


def test_a_flood_is_refused(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latchkey.store.logs._MOST", 5)
    store = BookLogs(book, ACCOUNT)
    store.begin(FILTERS)
    store.put(0, 9, [log(1, i) for i in range(5)])
    with pytest.raises(StoreError) as refusal:
        store.put(10, 19, [log(11)])
    assert refusal.value.code == "TooManyLogs"
    assert tuple(store.covered()) == ((0, 9),)


@pytest.mark.parametrize(
    ("column", "value"), [("topics", b"123"), ("block_hash", b"1"), ("address", "0x12"), ("transaction_hash", b"")]
)
def test_a_spoiled_row_is_damage(book: Book, column: str, value: Any) -> None:
    store = BookLogs(book, ACCOUNT)
    store.begin(FILTERS)
    store.put(0, 9, [log(1)])
    with book._transaction() as connection:
        connection.execute(f"UPDATE logs SET {column} = ?", (value,))
    with pytest.raises(StoreError):
        store.logs(0, 9)


def test_every_field_comes_back(book: Book) -> None:
    store = BookLogs(book, ACCOUNT)
    store.begin(FILTERS)
    logs = [replace(log(3, 1, b"data" * 1000), topics=()), replace(log(3, 2), topics=tuple(bytes([i]) * 32 for i in range(4)))]
    store.put(3, 3, logs)
    assert list(BookLogs(book, ACCOUNT).logs(3, 3)) == logs
