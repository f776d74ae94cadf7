"""Event logs that were read of an account, in the book: so that only new blocks are read the next time.

A copy of what one node said, and may be lost. Logs of different nodes are kept apart: what one left out must not be taken for read
when another is asked.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from latchkey.core.account import Account
from latchkey.core.logs import Log, LogFilter
from latchkey.core.types import Address
from latchkey.errors import BadInput, StoreError
from latchkey.language import tr
from latchkey.store.book import Book

_Range: TypeAlias = tuple[int, int]

_SOURCES: Final = 4  # nodes whose logs are kept for an account
_MARKS: Final = 8
_MOST: Final = 100_000  # logs of one account from one node
_MOST_DATA: Final = 32 * 1024 * 1024  # bytes in them
_TABLES: Final = ("log_ranges", "log_marks", "logs")


class BookLogs:
    """The logs of `account` as one node tells them. `source`: the node's fingerprint. As `chain.logs.LogStore` wants it."""

    def __init__(self, book: Book, account: Account, source: str = "") -> None:
        self._book = book
        self._place = (account.chain_id, account.address, account.system, source)
        self._set = 0

    def begin(self, filters: Sequence[LogFilter]) -> None:
        """What is asked from now on; what is held of other questions is forgotten. Raises StoreError."""
        digest = hashlib.sha256(repr([(one.address, one.topics) for one in filters]).encode()).digest()
        with self._book._transaction() as connection:
            held = self._find()
            if held is None or held["filters"] != digest:
                _drop(connection, [held["id"]] if held is not None else [])
                values = (*self._place, digest)
                done = connection.execute(
                    "INSERT INTO log_sets (chain_id, account, system, source, filters) VALUES (?, ?, ?, ?, ?)", values
                )
                self._set = done.lastrowid or 0
                _drop(connection, self._oldest())
            else:
                self._set = held["id"]

    def covered(self) -> Sequence[_Range]:
        rows = self._rows("SELECT first, last FROM log_ranges WHERE log_set = ? ORDER BY first")
        return tuple((row["first"], row["last"]) for row in rows)

    def logs(self, first: int, last: int) -> Iterable[Log]:
        rows = self._rows("SELECT * FROM logs WHERE log_set = ? AND block BETWEEN ? AND ? ORDER BY block, position", first, last)
        return [_log(row) for row in rows]

    def put(self, first: int, last: int, logs: Sequence[Log]) -> None:
        """Raises StoreError, code "TooManyLogs" when a node tells of more than is kept."""
        number = self._held()
        with self._book._transaction() as connection:
            connection.execute("DELETE FROM logs WHERE log_set = ? AND block BETWEEN ? AND ?", (number, first, last))
            connection.executemany("INSERT INTO logs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(number, *_row(log)) for log in logs])
            count, size = connection.execute(
                "SELECT count(*), total(length(data)) FROM logs WHERE log_set = ?", (number,)
            ).fetchone()
            if count > _MOST or size > _MOST_DATA:
                raise StoreError(
                    tr("The RPC tells of more events on this account than are kept; use another one."), code="TooManyLogs"
                )
            touching = "log_set = ? AND first <= ? AND last >= ?"
            found = connection.execute(
                f"SELECT min(first), max(last) FROM log_ranges WHERE {touching}",  # noqa: S608  both ours
                (number, last + 1, first - 1),
            ).fetchone()
            connection.execute(f"DELETE FROM log_ranges WHERE {touching}", (number, last + 1, first - 1))  # noqa: S608  both ours
            begin, end = (first, last) if found[0] is None else (min(first, found[0]), max(last, found[1]))
            connection.execute("INSERT INTO log_ranges VALUES (?, ?, ?)", (number, begin, end))

    def forget(self, first: int) -> None:
        number = self._held()
        with self._book._transaction() as connection:
            connection.execute("DELETE FROM logs WHERE log_set = ? AND block >= ?", (number, first))
            connection.execute("DELETE FROM log_marks WHERE log_set = ? AND block >= ?", (number, first))
            connection.execute("DELETE FROM log_ranges WHERE log_set = ? AND first >= ?", (number, first))
            connection.execute("UPDATE log_ranges SET last = ? WHERE log_set = ? AND last >= ?", (first - 1, number, first))

    def marks(self) -> Sequence[tuple[int, bytes]]:
        rows = self._rows("SELECT block, hash FROM log_marks WHERE log_set = ? ORDER BY block DESC")
        return tuple((row["block"], row["hash"]) for row in rows)

    def mark(self, block: int, hash_: bytes) -> None:
        number = self._held()
        if self.marks()[:1] == ((block, hash_),):
            return
        with self._book._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO log_marks VALUES (?, ?, ?)", (number, block, hash_))
            connection.execute(
                "DELETE FROM log_marks WHERE log_set = ?1 AND block NOT IN "
                "(SELECT block FROM log_marks WHERE log_set = ?1 ORDER BY block DESC LIMIT ?2)",
                (number, _MARKS),
            )

    # --- the set

    def _rows(self, statement: str, *values: int) -> list[sqlite3.Row]:
        number = self._held()
        return self._book._rows(statement, (number, *values)) if number else []

    def _held(self) -> int:
        """The set's number, 0 before there is one."""
        if not self._set and (found := self._find()) is not None:
            self._set = found["id"]
        return self._set

    def _find(self) -> sqlite3.Row | None:
        where = "chain_id = ? AND account = ? AND system = ? AND source = ?"
        rows = self._book._rows(f"SELECT id, filters FROM log_sets WHERE {where}", self._place)  # noqa: S608  ours
        return rows[0] if rows else None

    def _oldest(self) -> list[int]:
        """Sets of this account beyond those that are kept."""
        where = "chain_id = ? AND account = ? AND system = ?"
        rows = self._book._rows(f"SELECT id FROM log_sets WHERE {where} ORDER BY id DESC", self._place[:3])  # noqa: S608  ours
        return [row["id"] for row in rows[_SOURCES:]]


def forget_logs(book: Book, account: Account) -> None:
    """Everything held of the account, from any node: the next reading begins anew. Raises StoreError."""
    place = (account.chain_id, account.address, account.system)
    with book._transaction() as connection:
        rows = connection.execute("SELECT id FROM log_sets WHERE chain_id = ? AND account = ? AND system = ?", place).fetchall()
        _drop(connection, [row["id"] for row in rows])


def _drop(connection: sqlite3.Connection, sets: Iterable[int]) -> None:
    for number in sets:
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE log_set = ?", (number,))  # noqa: S608  ours
        connection.execute("DELETE FROM log_sets WHERE id = ?", (number,))


def _row(log: Log) -> tuple[int, int, bytes, bytes, str, bytes, bytes]:
    return log.block, log.position, log.block_hash, log.transaction, log.address, b"".join(log.topics), log.data


def _log(row: sqlite3.Row) -> Log:
    """The file is not trusted. Raises StoreError."""
    try:
        topics, hashes = row["topics"], (row["block_hash"], row["transaction_hash"])
        if len(topics) % 32 or len(topics) > 128 or any(len(one) != 32 for one in hashes):
            raise ValueError
        return Log(
            block=row["block"],
            position=row["position"],
            block_hash=row["block_hash"],
            transaction=row["transaction_hash"],
            address=Address.parse(row["address"]),
            topics=tuple(topics[at : at + 32] for at in range(0, len(topics), 32)),
            data=row["data"],
        )
    except (BadInput, ValueError, TypeError):
        raise StoreError(tr("The book is damaged: an entry makes no sense."), code="Damaged") from None
