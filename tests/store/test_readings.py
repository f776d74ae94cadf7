"""Kept readings: what goes in comes out, whatever is in it; what does not read is as if it were not there."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.permissions import ContractAccess, FunctionsOnContract
from latchkey.core.phrases import Finding, Level
from latchkey.core.reading import Unknown
from latchkey.core.session import AccountReading, Hook, Leftover, LogRange, Owner, Power, Session
from latchkey.core.types import MAX_UINT256, Address, Selector
from latchkey.errors import LatchkeyError
from latchkey.store.book import Book
from latchkey.store.plain import pack, unpack
from latchkey.store.readings import Kept, Readings
from tests.counts import count
from tests.drafts import random_address, random_draft
from tests.sessions import BASE, KEY, draft, reading_of, session_of

ODD = Address.parse("0x" + "0d" * 20)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.open(tmp_path / "book.sqlite") as book:
        yield book


def random_session(rng: random.Random, entity_id: int) -> Session:
    made = replace(random_draft(rng), entity_id=entity_id)
    leftover = Leftover(ODD, rng.getrandbits(32), random_address(rng), Selector.from_bytes(rng.randbytes(4)), rng.getrandbits(256))
    session = session_of(made, granted=rng.random() < 0.5)
    return replace(
        session,
        signer=rng.choice((None, KEY)),
        leftovers=(leftover,) * rng.randrange(3),
        stored=(leftover, Leftover(ODD, 1)),
        targets_complete=rng.random() < 0.5,
        execution_hooks=(*session.execution_hooks, Hook(ODD, 7, 4)),
        install=replace(session.install, unknown=(Unknown("hooks[0]", rng.randbytes(30), "not ours"),)),
        installed_block=rng.choice((None, 7)),
        installed_in=rng.choice((None, rng.randbytes(32))),
    )


def random_reading(seed: int, sessions: int = 5) -> AccountReading:
    rng = random.Random(seed)
    return reading_of(
        *(random_session(rng, entity_id) for entity_id in range(1, sessions + 1)),
        logs=LogRange(5, 1_000, ((7, 9), (100, 200))),
        owners=(Owner("passkey", 0, module=ODD, disabled=True, hooks=(Hook(ODD, 0, 1),)),),
        powers=(Power("direct-call", ODD, "A contract may act.", (Selector.parse("0x12345678"),)),),
        leftovers=(Leftover(ODD, 99, amount=MAX_UINT256),),
        findings=(Finding("code-unknown", Level.DANGER, "It is not known.", "Look."),),
        balance=rng.getrandbits(256),
        deployed=rng.random() < 0.5,
    )


@given(seed=st.integers(0, 2**32))
def test_a_reading_comes_back_as_it_was(seed: int) -> None:
    reading = random_reading(seed)
    assert unpack(AccountReading, pack(reading)) == reading


def test_the_book_keeps_the_last_one(book: Book) -> None:
    readings = Readings(book)
    assert readings.get(BASE) is None
    for seed in range(count(4, 60)):
        kept = Kept(random_reading(seed, seed % 7), 1_800_000_000 + seed, {1: seed, 12: 2**64 - 1})
        readings.put(kept)
        assert readings.get(BASE) == kept
    assert readings.get(replace(BASE, chain_id=1)) is None
    readings.forget(BASE)
    assert readings.get(BASE) is None


def test_only_what_differs_is_written(book: Book) -> None:
    readings, kept = Readings(book), Kept(random_reading(1, 20), 5)
    readings.put(kept)
    before = book._connection.total_changes
    readings.put(replace(kept, taken=6))
    assert book._connection.total_changes - before == 1
    readings.put(replace(kept, reading=replace(kept.reading, sessions=kept.reading.sessions[:-1])))
    assert book._connection.total_changes - before == 3  # one gone, and the time


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE readings SET value = ? WHERE kind = 'head'", "[]"),
        ("UPDATE readings SET value = ? WHERE kind = 'session'", "{}"),
        ("UPDATE readings SET value = ? WHERE kind = 'session'", "not json"),
        ("UPDATE readings SET value = replace(value, '\"flags\"', ?)", '"flag"'),
        ("UPDATE readings SET value = replace(value, '0x', ?)", "0y"),
        ("UPDATE readings SET value = replace(value, '\"entity_id\":', ?)", '"entity_id":"'),
        ("UPDATE readings SET value = replace(value, '\"danger\"', ?)", '"fine"'),
        ("UPDATE readings SET value = ?", "null"),
    ],
)
def test_one_that_does_not_read_is_not_there(book: Book, statement: str, value: str) -> None:
    Readings(book).put(Kept(random_reading(3), 5))
    with book._transaction() as connection:
        assert connection.execute(statement, (value,)).rowcount
    assert Readings(book).get(BASE) is None


@given(st.data())
def test_no_json_is_taken_for_what_it_is_not(data: Any) -> None:
    """A reading with one part replaced by something else is refused or is another reading; it never breaks otherwise."""
    packed = pack(random_reading(7, 2))
    place: Any = packed
    while isinstance(place, dict | list) and place:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        parent, place = place, place[key]
    parent[key] = data.draw(st.sampled_from([None, True, "x", 7, [], {}, -1, 1.5, ["x"]]))
    try:
        assert isinstance(unpack(AccountReading, packed), AccountReading)
    except (LatchkeyError, ValueError, TypeError):
        pass


def test_what_is_too_large_to_be_read_again_is_refused_and_the_old_one_stays(book: Book) -> None:
    readings, small = Readings(book), Kept(random_reading(1), 5)
    readings.put(small)
    many = tuple(ContractAccess(Address.from_bytes(i.to_bytes(20, "big"))) for i in range(1, 6_000))
    session = session_of(draft(ContractAccess(ODD)))
    with pytest.raises(LatchkeyError):
        readings.put(Kept(reading_of(replace(session, install=replace(session.install, permissions=many))), 6))
    assert readings.get(BASE) == small


def test_large_lists_that_do_fit_are_kept(book: Book) -> None:
    """More than a grant may name: a chain may list any number."""
    functions = tuple(Selector.from_bytes(i.to_bytes(4, "big")) for i in range(1, 1_000))
    many = tuple(ContractAccess(Address.from_bytes(i.to_bytes(20, "big"))) for i in range(1, 1_500))
    session = session_of(draft(ContractAccess(ODD)))
    install = replace(session.install, permissions=(FunctionsOnContract(ODD, functions), *many))
    kept = Kept(reading_of(replace(session, install=install)), 6)
    Readings(book).put(kept)
    assert Readings(book).get(BASE) == kept


def test_what_was_looked_at(book: Book) -> None:
    readings = Readings(book)
    assert readings.seen(BASE) is None
    readings.put_seen(BASE, {})
    assert readings.seen(BASE) == {}
    readings.put_seen(BASE, {1: "a", 2**32 - 1: "b"})
    readings.put_seen(BASE, {2: "c"})
    assert readings.seen(BASE) == {2: "c"}
    assert readings.seen(replace(BASE, system="other")) is None


def test_what_was_said(book: Book) -> None:
    readings = Readings(book)
    readings.put_said(BASE, ["a", "b"])
    readings.put_said(BASE, ["b", "c"])
    assert readings.said(BASE) == {"a", "b", "c"}
    assert readings.said(replace(BASE, chain_id=1)) == frozenset()
    readings.forget(BASE)
    assert readings.said(BASE) == frozenset()


def test_two_hundred_sessions_are_read_back_quickly(book: Book) -> None:
    readings, kept = Readings(book), Kept(random_reading(5, 200), 5)
    readings.put(kept)
    start = time.thread_time()
    assert readings.get(BASE) == kept
    assert time.thread_time() - start < 0.4
