"""The book's tables, version by version, and the proof that a file has exactly those.

A migration, once released, never changes: tests keep a sample book of every version.
"""

from __future__ import annotations

import sqlite3
from itertools import chain

from latchkey.errors import StoreError

APPLICATION_ID = int.from_bytes(b"LKbk")

# MIGRATIONS[n] takes a book of version n to version n + 1. Amounts of 256 bits are text of 64 hexadecimal digits.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE accounts (
            chain_id INTEGER NOT NULL, address TEXT NOT NULL, system TEXT NOT NULL, mode TEXT NOT NULL, owner TEXT, salt TEXT,
            init_code BLOB NOT NULL, label TEXT NOT NULL, PRIMARY KEY (chain_id, address, system)
        ) STRICT""",
        """CREATE TABLE master_keys (
            address TEXT PRIMARY KEY NOT NULL, label TEXT NOT NULL, kind TEXT NOT NULL, path TEXT NOT NULL
        ) STRICT""",
        """CREATE TABLE grants (
            id INTEGER PRIMARY KEY AUTOINCREMENT, created INTEGER NOT NULL, chain_id INTEGER NOT NULL, account TEXT NOT NULL,
            entity_id INTEGER NOT NULL, nonce TEXT NOT NULL, label TEXT NOT NULL, claims TEXT NOT NULL, draft TEXT NOT NULL,
            unsigned BLOB NOT NULL, envelope BLOB, state TEXT NOT NULL, key_origin TEXT NOT NULL, request_id TEXT NOT NULL
        ) STRICT""",
        "CREATE UNIQUE INDEX grants_nonce ON grants (chain_id, account, nonce)",
        """CREATE TABLE requests (
            request_id TEXT NOT NULL, digest BLOB NOT NULL, answered INTEGER NOT NULL, outcome TEXT NOT NULL,
            PRIMARY KEY (request_id, digest)
        ) STRICT""",
    ),
    (
        """CREATE TABLE contracts (
            chain_id INTEGER NOT NULL, address TEXT NOT NULL, label TEXT NOT NULL, functions TEXT NOT NULL, kept INTEGER NOT NULL,
            PRIMARY KEY (chain_id, address)
        ) STRICT""",
        "CREATE TABLE presets (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, preset TEXT NOT NULL) STRICT",
    ),
    (
        """CREATE TABLE endings (
            id INTEGER PRIMARY KEY AUTOINCREMENT, created INTEGER NOT NULL, chain_id INTEGER NOT NULL, account TEXT NOT NULL,
            system TEXT NOT NULL, way TEXT NOT NULL, since INTEGER NOT NULL
        ) STRICT""",
        """CREATE TABLE ending_items (
            ending INTEGER NOT NULL, position INTEGER NOT NULL, batch INTEGER NOT NULL, kind TEXT NOT NULL, entity_id INTEGER NOT NULL,
            grant_id INTEGER NOT NULL, detail TEXT NOT NULL, state TEXT NOT NULL, sentence TEXT NOT NULL, transaction_hash BLOB,
            block INTEGER, PRIMARY KEY (ending, position)
        ) STRICT""",
        """CREATE TABLE ending_signed (
            ending INTEGER NOT NULL, batch INTEGER NOT NULL, level INTEGER NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL,
            data BLOB NOT NULL, signature BLOB NOT NULL, PRIMARY KEY (ending, batch, kind, level)
        ) STRICT""",
    ),
    (
        """CREATE TABLE readings (
            chain_id INTEGER NOT NULL, account TEXT NOT NULL, system TEXT NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL,
            value TEXT NOT NULL, PRIMARY KEY (chain_id, account, system, kind, number)
        ) STRICT""",
        """CREATE TABLE sessions_seen (
            chain_id INTEGER NOT NULL, account TEXT NOT NULL, system TEXT NOT NULL, entity_id INTEGER NOT NULL, mark TEXT NOT NULL,
            PRIMARY KEY (chain_id, account, system, entity_id)
        ) STRICT""",
        """CREATE TABLE notices_said (
            chain_id INTEGER NOT NULL, account TEXT NOT NULL, system TEXT NOT NULL, subject TEXT NOT NULL,
            PRIMARY KEY (chain_id, account, system, subject)
        ) STRICT""",
    ),
    (
        "CREATE TABLE replacements (grant_id INTEGER NOT NULL, entity_id INTEGER NOT NULL, PRIMARY KEY (grant_id, entity_id)) STRICT",
    ),
    (
        """CREATE TABLE log_sets (
            id INTEGER PRIMARY KEY AUTOINCREMENT, chain_id INTEGER NOT NULL, account TEXT NOT NULL, system TEXT NOT NULL,
            source TEXT NOT NULL, filters BLOB NOT NULL, UNIQUE (chain_id, account, system, source)
        ) STRICT""",
        """CREATE TABLE log_ranges (
            log_set INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (log_set, first)
        ) STRICT""",
        """CREATE TABLE log_marks (
            log_set INTEGER NOT NULL, block INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (log_set, block)
        ) STRICT""",
        """CREATE TABLE logs (
            log_set INTEGER NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL, block_hash BLOB NOT NULL,
            transaction_hash BLOB NOT NULL, address TEXT NOT NULL, topics BLOB NOT NULL, data BLOB NOT NULL,
            PRIMARY KEY (log_set, block, position)
        ) STRICT""",
    ),
    (
        """CREATE TABLE request_records (
            id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, request_id TEXT NOT NULL, digest BLOB NOT NULL,
            system TEXT NOT NULL, content TEXT NOT NULL, source TEXT NOT NULL, origin TEXT NOT NULL, proven INTEGER NOT NULL,
            arrived INTEGER NOT NULL, state TEXT NOT NULL, answered INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
            grant_id INTEGER
        ) STRICT""",
        "CREATE INDEX request_records_id ON request_records (request_id)",
        "CREATE TABLE muted_origins (origin TEXT PRIMARY KEY NOT NULL, since INTEGER NOT NULL) STRICT",
    ),
    ("CREATE TABLE carried (grant_id INTEGER PRIMARY KEY NOT NULL, envelope BLOB NOT NULL) STRICT",),
    (
        """CREATE TABLE pairings (
            id INTEGER PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL, name TEXT NOT NULL, token_hash BLOB NOT NULL UNIQUE,
            chain_id INTEGER, account TEXT, since INTEGER NOT NULL, seen INTEGER NOT NULL
        ) STRICT""",
        "CREATE TABLE bridge_grants (grant_id INTEGER PRIMARY KEY NOT NULL, asker TEXT NOT NULL) STRICT",
    ),
)


def bring_up(connection: sqlite3.Connection) -> None:
    """Check the book behind `connection` and migrate it to the newest version; a new file becomes an empty book.

    Each migration is one transaction. Raises StoreError for a newer book (nothing was written to it), for a file that is not a
    book, for tables, triggers or views that Latchkey did not make, and for damage.
    """
    newest = len(MIGRATIONS)
    version = _pragma(connection, "user_version")
    fresh = version == 0 and _pragma(connection, "application_id") == 0 and not _objects(connection)
    if version < 0 or (not fresh and _pragma(connection, "application_id") != APPLICATION_ID):
        raise StoreError("This file is not a Latchkey book.", code="NotABook")
    if version > newest:
        raise StoreError("This book was written by a newer Latchkey; update this one to open it.", code="Newer")
    _check(connection, version)
    for number in range(version, newest):
        _migrate(connection, number)


def _check(connection: sqlite3.Connection, version: int) -> None:
    if _objects(connection) != _expected(version):
        raise StoreError("The book holds tables or triggers that Latchkey did not make; it was not opened.", code="ForeignSchema")
    if connection.execute("PRAGMA integrity_check(1)").fetchone()[0] != "ok":
        raise StoreError("The book is damaged.", code="Damaged")


def _migrate(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _pragma(connection, "user_version") == number:  # otherwise another Latchkey has just done it
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _expected(version: int) -> set[tuple[str, str, str | None]]:
    model = sqlite3.connect(":memory:")
    try:
        for statement in chain.from_iterable(MIGRATIONS[:version]):
            model.execute(statement)
        return _objects(model)
    finally:
        model.close()


def _objects(connection: sqlite3.Connection) -> set[tuple[str, str, str | None]]:
    return set(connection.execute("SELECT type, name, sql FROM sqlite_master"))


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
