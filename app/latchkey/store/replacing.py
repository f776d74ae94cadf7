"""Which grants wait in the book until what they replace is gone, and what that is: sessions of the same account, by entity id."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from latchkey.errors import StoreError
from latchkey.language import tr
from latchkey.store.book import Book
from latchkey.store.records import GrantState


class Replacements:
    """The table replacements of a book, and with it the state "waiting" of its grants."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def waits_for(self, number: int) -> tuple[int, ...]:
        """Entity ids that have to be gone before this grant is handed over; empty when it waits for nothing."""
        rows = self._book._rows("SELECT entity_id FROM replacements WHERE grant_id = ? ORDER BY entity_id", (number,))
        return tuple(row["entity_id"] for row in rows)

    def waiting(self) -> dict[int, tuple[int, ...]]:
        """Number of each waiting grant -> the entity ids it waits for."""
        found: dict[int, list[int]] = {}
        for row in self._book._rows("SELECT grant_id, entity_id FROM replacements ORDER BY grant_id, entity_id"):
            found.setdefault(row["grant_id"], []).append(row["entity_id"])
        return {number: tuple(ids) for number, ids in found.items()}

    def plan(self, number: int, entity_ids: Iterable[int]) -> None:
        """A grant that is signed elsewhere will have to wait for these."""
        with self._book._transaction() as connection:
            _note(connection, number, entity_ids)

    def hold(self, number: int, entity_ids: Iterable[int]) -> None:
        """Keep a signed grant back until these are gone. Raises StoreError when it is missing or not signed."""
        with self._book._transaction() as connection:
            _set_state(connection, number, GrantState.WAITING)
            _note(connection, number, entity_ids)

    def release(self, number: int) -> None:
        """It waits no longer: signed, and ready to be handed over. Raises StoreError when it is missing."""
        with self._book._transaction() as connection:
            connection.execute("DELETE FROM replacements WHERE grant_id = ?", (number,))
            _set_state(connection, number, GrantState.SIGNED)


def _note(connection: Connection, number: int, entity_ids: Iterable[int]) -> None:
    rows = [(number, entity_id) for entity_id in entity_ids]
    connection.executemany("INSERT OR IGNORE INTO replacements (grant_id, entity_id) VALUES (?, ?)", rows)


def _set_state(connection: Connection, number: int, state: GrantState) -> None:
    statement = "UPDATE grants SET state = ? WHERE id = ? AND envelope IS NOT NULL"
    if connection.execute(statement, (state.value, number)).rowcount != 1:
        raise StoreError(tr("The grant is not in the book, or it is not signed."), code="Missing")
