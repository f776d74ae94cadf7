"""Who may call the bridge: pages and programs that the person has let in, and which grants were made for whom.

A pairing's token is nowhere here: only its SHA-256 is. The link from a grant to who asked for it stays when the pairing goes, so that a
page that is paired again finds its sessions.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from latchkey.core.types import Address
from latchkey.errors import BadInput, StoreError
from latchkey.language import tr
from latchkey.store.book import Book, _checking, _label

MAX_PAIRINGS = 100
MAX_ORIGIN = 300
SEEN_STEP = 60  # seconds; how exactly it is kept when one was last here


@dataclass(frozen=True, slots=True)
class Pairing:
    """`origin`: of a web page, "" for a program of this computer. `name`: what it called itself. `account`: the one account it may see,
    with its chain; None when it may see none. `token_hash`: 32 bytes. `since`, `seen`: seconds since 1970."""

    origin: str
    name: str
    token_hash: bytes
    chain_id: int | None
    account: Address | None
    since: int
    seen: int
    id: int = 0

    @property
    def key(self) -> str:
        """Whose grants: a page's origin, however often it is paired; a program by its pairing."""
        return self.origin or f"program {self.id}"


class Pairings:
    """The tables' methods; each is one transaction of the book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def all(self) -> tuple[Pairing, ...]:
        """In the order they were made."""
        return tuple(map(_pairing, self._book._rows("SELECT * FROM pairings ORDER BY id")))

    def add(self, pairing: Pairing) -> Pairing:
        """Keep it, and return it with its id. Raises StoreError (code "TooMany"), BadInput."""
        if not pairing.origin.isprintable() or len(pairing.origin) > MAX_ORIGIN:
            raise BadInput(tr("This is not the address of a page."), path="origin")
        if len(self.all()) >= MAX_PAIRINGS:
            raise StoreError(
                tr("At most {max_pairings} pages and programs are paired; remove one first.", max_pairings=MAX_PAIRINGS),
                code="TooMany",
            )
        number = self._book._insert(
            "pairings",
            tr("This token is paired already."),
            origin=pairing.origin,
            name=_label(pairing.name),
            token_hash=pairing.token_hash,
            chain_id=pairing.chain_id,
            account=pairing.account,
            since=pairing.since,
            seen=pairing.seen,
        )
        return replace(pairing, id=number)

    def remove(self, number: int) -> None:
        """Raises StoreError (code "Missing")."""
        self._book._change("DELETE FROM pairings WHERE id = ?", (number,), tr("This pairing is not kept."))

    def saw(self, pairing: Pairing, when: int) -> None:
        """It has just called; kept to the minute."""
        if when >= pairing.seen + SEEN_STEP:
            with self._book._transaction() as connection:
                connection.execute("UPDATE pairings SET seen = ? WHERE id = ?", (when, pairing.id))

    # grants

    def grants_of(self, key: str) -> tuple[int, ...]:
        """Ids of the grants made for whoever has this key, oldest first."""
        rows = self._book._rows("SELECT grant_id FROM bridge_grants WHERE asker = ? ORDER BY grant_id", (key,))
        return tuple(row["grant_id"] for row in rows)

    def link(self, grant_id: int, key: str) -> None:
        """This grant was made for them."""
        with self._book._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO bridge_grants (grant_id, asker) VALUES (?, ?)", (grant_id, key))


def _pairing(row: sqlite3.Row) -> Pairing:
    with _checking():
        account = row["account"]
        if len(row["token_hash"]) != 32:
            raise ValueError("not a hash")
        return Pairing(
            origin=row["origin"],
            name=row["name"],
            token_hash=row["token_hash"],
            chain_id=row["chain_id"],
            account=None if account is None else Address.parse(account),
            since=row["since"],
            seen=row["seen"],
            id=row["id"],
        )
