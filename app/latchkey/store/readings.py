"""The last reading of every account in the book, so that sessions are there at once and offline; what of it the person has looked at;
and which notices were said.

A reading is a copy of what the chain said, and may be lost: one that an older Latchkey wrote, or that does not fit, is as if it were
not there. Each session has a row of its own, and only rows that differ are written.
"""

# ruff: noqa: S608 - statements are put together from names in this file alone
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from latchkey.core.account import Account
from latchkey.core.session import AccountReading, Leftover, Session
from latchkey.core.untrusted import read_json
from latchkey.errors import LatchkeyError
from latchkey.store.book import Book
from latchkey.store.plain import pack, unpack

_HEAD, _SESSION, _LEFTOVER, _SEQUENCE = "head", "session", "leftover", "sequence"
_EVER = 0  # the owner's id, which no session has: marks that the account was looked at

_WHERE = "chain_id = ? AND account = ? AND system = ?"


@dataclass(frozen=True, slots=True)
class Kept:
    """`taken`: this computer's clock when it was read, seconds since 1970. `sequences`: number of a grant in the book -> the next
    sequence of its nonce key at the reading's block."""

    reading: AccountReading
    taken: int
    sequences: Mapping[int, int] = field(default_factory=dict)


class Readings:
    """Tables readings, sessions_seen and notices_said of a book."""

    def __init__(self, book: Book) -> None:
        self._book = book

    # --- readings

    def get(self, account: Account) -> Kept | None:
        """The last reading that was kept; None when there is none, or none that this version reads."""
        rows = self._book._rows(f"SELECT kind, number, value FROM readings WHERE {_WHERE} ORDER BY kind, number", _place(account))
        parts: dict[str, list[tuple[int, str]]] = {_HEAD: [], _SESSION: [], _LEFTOVER: [], _SEQUENCE: []}
        for row in rows:
            parts.setdefault(row["kind"], []).append((row["number"], row["value"]))
        if not parts[_HEAD]:
            return None
        try:
            taken, head = unpack(tuple[int, AccountReading], read_json(parts[_HEAD][0][1]))
            sessions = tuple(unpack(Session, read_json(text)) for _, text in parts[_SESSION])
            leftovers = tuple(unpack(Leftover, read_json(text)) for _, text in parts[_LEFTOVER])
            sequences = {number: unpack(int, read_json(text)) for number, text in parts[_SEQUENCE]}
        except (LatchkeyError, ValueError, TypeError):
            return None
        return Kept(replace(head, sessions=sessions, leftovers=leftovers), taken, sequences)

    def put(self, kept: Kept) -> None:
        """Keep a reading in the place of the one before. Raises StoreError, BadInput when a part is larger than what is read again."""
        place, wanted = _place(kept.reading.account), {(kind, number): text for kind, number, text in _parts(kept)}
        with self._book._transaction() as connection:
            rows = connection.execute(f"SELECT kind, number, value FROM readings WHERE {_WHERE}", place).fetchall()
            there = {(row["kind"], row["number"]): row["value"] for row in rows}
            gone = [(*place, *part) for part in there.keys() - wanted.keys()]
            changed = [(*place, *part, text) for part, text in wanted.items() if there.get(part) != text]
            connection.executemany(f"DELETE FROM readings WHERE {_WHERE} AND kind = ? AND number = ?", gone)
            connection.executemany("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?, ?)", changed)

    def forget(self, account: Account) -> None:
        """Drop everything kept here about an account."""
        with self._book._transaction() as connection:
            for table in ("readings", "sessions_seen", "notices_said"):
                connection.execute(f"DELETE FROM {table} WHERE {_WHERE}", _place(account))

    # --- what was looked at

    def seen(self, account: Account) -> dict[int, str] | None:
        """Entity id -> mark of each session the person has looked at; None when they never looked at this account."""
        rows = self._book._rows(f"SELECT entity_id, mark FROM sessions_seen WHERE {_WHERE}", _place(account))
        marks: dict[int, str] = {row["entity_id"]: row["mark"] for row in rows}
        return marks if marks.pop(_EVER, None) is not None else None

    def put_seen(self, account: Account, marks: Mapping[int, str]) -> None:
        """The person has looked at these sessions, and at no others."""
        place = _place(account)
        with self._book._transaction() as connection:
            connection.execute(f"DELETE FROM sessions_seen WHERE {_WHERE}", place)
            rows = [(*place, entity_id, mark) for entity_id, mark in {_EVER: "", **marks}.items()]
            connection.executemany("INSERT INTO sessions_seen VALUES (?, ?, ?, ?, ?)", rows)

    # --- what was said

    def said(self, account: Account) -> frozenset[str]:
        """Subjects of every notice that was said about an account."""
        rows = self._book._rows(f"SELECT subject FROM notices_said WHERE {_WHERE}", _place(account))
        return frozenset(row["subject"] for row in rows)

    def put_said(self, account: Account, subjects: Iterable[str]) -> None:
        """These were said, or need not be."""
        rows = [(*_place(account), subject) for subject in subjects]
        with self._book._transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO notices_said VALUES (?, ?, ?, ?)", rows)


def _place(account: Account) -> tuple[int, str, str]:
    return account.chain_id, account.address, account.system


def _parts(kept: Kept) -> Iterable[tuple[str, int, str]]:
    reading = kept.reading
    yield _HEAD, 0, _text((kept.taken, replace(reading, sessions=(), leftovers=())))
    for session in reading.sessions:
        yield _SESSION, session.entity_id, _text(session)
    for number, left in enumerate(reading.leftovers):
        yield _LEFTOVER, number, _text(left)
    for number, sequence in kept.sequences.items():
        yield _SEQUENCE, number, _text(sequence)


def _text(value: object) -> str:
    text = json.dumps(pack(value), separators=(",", ":"))
    read_json(text)
    return text
