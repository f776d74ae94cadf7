"""Grants that went to another machine or to a hardware wallet to be signed: the hand-over as it went out.

It can be shown again, and what comes back is held against it; of the answer only the signature is taken.
"""

from __future__ import annotations

from latchkey.store.book import Book


class Carried:
    """The table carried of a book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def put(self, number: int, envelope: bytes) -> None:
        """`number`: the grant's."""
        with self._book._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO carried (grant_id, envelope) VALUES (?, ?)", (number, envelope))

    def get(self, number: int) -> bytes | None:
        """None for a grant that was not prepared for another machine."""
        rows = self._book._rows("SELECT envelope FROM carried WHERE grant_id = ?", (number,))
        return bytes(rows[0]["envelope"]) if rows else None
