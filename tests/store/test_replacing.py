"""Grants that wait for what they replace: the state and the list go together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from latchkey.errors import StoreError
from latchkey.store.book import Book
from latchkey.store.records import GrantState
from latchkey.store.replacing import Replacements
from tests.store.grants import grant


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.open(tmp_path / "book.sqlite") as book:
        yield book


def test_held_and_released(book: Book) -> None:
    first, second = book.add_grant(grant(1)), book.add_grant(grant(2))
    for one in (first, second):
        book.put_envelope(one.id, b"envelope")
    held = Replacements(book)
    held.hold(first.id, (9, 7, 7))
    assert held.waits_for(first.id) == (7, 9)
    assert held.waiting() == {first.id: (7, 9)}
    assert [g.state for g in book.grants()] == [GrantState.SIGNED, GrantState.WAITING]
    held.release(first.id)
    assert held.waiting() == {}
    assert book.grant(first.id).state is GrantState.SIGNED


def test_what_is_not_signed_or_not_there_does_not_wait(book: Book) -> None:
    unsigned, held = book.add_grant(grant(1)), Replacements(book)
    for number in (unsigned.id, 99):
        with pytest.raises(StoreError):
            held.hold(number, (7,))
        with pytest.raises(StoreError):
            held.release(number)
    assert held.waiting() == {}
    assert book.grant(unsigned.id).state is GrantState.UNSIGNED
