"""Everything that came in and asks for an answer, in the book: who asked, when, by which way, and what became of it.

    records = RequestRecords(book)
    record = records.add(record, digest)      new
    records.close(record.id, answer, when)    True for the one call that answers it; the mark that recognises replays goes with it

Session requests are kept as the JSON a dApp would send, and read again by the same door as what comes from outside. The number of rows
and their size have caps; what is pruned is what was answered longest ago, and its mark (`Book.request_seen`) stays.
"""

# ruff: noqa: S608 - statements are put together from names in this file alone
from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace
from enum import StrEnum

from latchkey.codec.inbox import open_as
from latchkey.codec.requests import request_to_json
from latchkey.core.request import Request, RevocationRequest, SessionRequest
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, LatchkeyError
from latchkey.language import tr
from latchkey.store.book import Book, _checking
from latchkey.store.plain import pack, unpack
from latchkey.store.records import Outcome

MAX_CONTENT = 128 * 1024  # characters of one request
MAX_ANSWERED = 1000  # rows
MAX_KEPT = 16 << 20  # characters of all rows that were answered
MAX_REASON = 200
MAX_ORIGIN = 300
MAX_MUTED = 1000


class Source(StrEnum):
    """Which way a request came in."""

    BRIDGE = "bridge"
    LINK = "link"
    QR = "qr"
    FILE = "file"
    CLIPBOARD = "clipboard"
    OWN = "own"


class RequestKind(StrEnum):
    SESSION = "session"
    REVOCATION = "revocation"


class RequestState(StrEnum):
    NEW = "new"
    SEEN = "seen"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # whoever asked has gone, or it was answered in another copy
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        return self in (RequestState.NEW, RequestState.SEEN)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person said, or what became of it without them. `reason`: one line for whoever asked, of at most 200 characters, with
    a stable `code` beside it. `grant_id`: of the grant in the book."""

    state: RequestState
    reason: str = ""
    grant_id: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One request and its state. `request` is None for one that this version cannot read. `origin`: of a web page, as the bridge was told
    by the browser, "" where there is none; `proven`: whether it is known to be true. `arrived_at`, `answered_at` (0 while it is
    open): seconds since 1970. `id`: 0 until the book has given one.
    """

    kind: RequestKind
    request: Request | None
    source: Source
    origin: str
    proven: bool
    arrived_at: int
    state: RequestState = RequestState.NEW
    code: str = ""
    reason: str = ""
    grant_id: int | None = None
    answered_at: int = 0
    request_id: str = ""
    digest: bytes = b""
    id: int = 0

    @property
    def is_open(self) -> bool:
        return self.state.is_open


def kind_of(request: Request) -> RequestKind:
    return RequestKind.SESSION if isinstance(request, SessionRequest) else RequestKind.REVOCATION


_OPEN = "state IN ('new', 'seen')"


class RequestRecords:
    """Tables request_records and muted_origins of a book. Each method is one transaction."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def all(self) -> tuple[Record, ...]:
        """Newest first."""
        return tuple(map(_record, self._book._rows("SELECT * FROM request_records ORDER BY id DESC")))

    def open(self) -> tuple[Record, ...]:
        """Those without an answer, oldest first."""
        return tuple(map(_record, self._book._rows(f"SELECT * FROM request_records WHERE {_OPEN} ORDER BY id")))

    def get(self, number: int) -> Record | None:
        rows = self._book._rows("SELECT * FROM request_records WHERE id = ?", (number,))
        return _record(rows[0]) if rows else None

    def of(self, request_id: str) -> tuple[Record, ...]:
        """Every one with this id, oldest first."""
        return tuple(
            map(_record, self._book._rows("SELECT * FROM request_records WHERE request_id = ? ORDER BY id", (request_id,)))
        )

    def count(self, state: RequestState) -> int:
        count: int = self._book._rows("SELECT COUNT(*) AS n FROM request_records WHERE state = ?", (state.value,))[0]["n"]
        return count

    def was_granted(self, request_id: str) -> bool:
        """Whether the book has a signed grant that answers this id."""
        found = "SELECT 1 FROM grants WHERE request_id = ? AND envelope IS NOT NULL LIMIT 1"
        return bool(self._book._rows(found, (request_id,)))

    def add(self, record: Record) -> Record:
        """Keep a new one and return it with its id; the oldest answered ones go when there are too many. Raises BadInput (code
        "TooLarge"), StoreError."""
        assert record.request is not None
        content = _content(record.request)
        values = (
            record.kind.value,
            record.request_id,
            record.digest,
            getattr(record.request, "system", ""),
            content,
            record.source.value,
            record.origin[:MAX_ORIGIN],
            int(record.proven),
            record.arrived_at,
            record.state.value,
        )
        columns = "kind, request_id, digest, system, content, source, origin, proven, arrived, state, answered, code, reason"
        with self._book._transaction() as connection:
            _prune(connection)
            statement = f"INSERT INTO request_records ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', '')"
            return replace(record, id=connection.execute(statement, values).lastrowid or 0)

    def close(self, record: Record, answer: Answer, when: int) -> bool:
        """Give an open one its end; False when it had one already. What the person decided of a session request is marked, so that a
        replay is recognised for ever."""
        outcome = {RequestState.GRANTED: Outcome.GRANTED, RequestState.REFUSED: Outcome.DECLINED}.get(answer.state)
        values = (answer.state.value, when, answer.code, answer.reason[:MAX_REASON], answer.grant_id, record.id)
        with self._book._transaction() as connection:
            statement = f"UPDATE request_records SET state=?, answered=?, code=?, reason=?, grant_id=? WHERE id=? AND {_OPEN}"
            if connection.execute(statement, values).rowcount != 1:
                return False
            if outcome is not None and record.kind is RequestKind.SESSION:
                connection.execute(
                    "INSERT OR REPLACE INTO requests (request_id, digest, answered, outcome) VALUES (?, ?, ?, ?)",
                    (record.request_id, record.digest, when, outcome.value),
                )
        return True

    def see(self, number: int) -> bool:
        """The person has looked at it; False when that is nothing new."""
        with self._book._transaction() as connection:
            done = connection.execute("UPDATE request_records SET state = 'seen' WHERE id = ? AND state = 'new'", (number,))
            return done.rowcount == 1

    def forget_answered(self) -> int:
        """Drop every row that was answered; how many. Marks stay."""
        with self._book._transaction() as connection:
            return connection.execute(f"DELETE FROM request_records WHERE NOT {_OPEN}").rowcount

    # --- muted origins

    def muted(self) -> tuple[tuple[str, int], ...]:
        """Origins that are not heard, with since when, by name."""
        rows = self._book._rows("SELECT origin, since FROM muted_origins ORDER BY origin")
        return tuple((row["origin"], row["since"]) for row in rows)

    def is_muted(self, origin: str) -> bool:
        return bool(self._book._rows("SELECT 1 FROM muted_origins WHERE origin = ?", (origin,)))

    def mute(self, origin: str, when: int) -> None:
        """Raises BadInput for what is no origin, or when too many are muted."""
        if not 1 <= len(origin) <= MAX_ORIGIN or not origin.isprintable():
            raise BadInput(tr("Only a web page whose address is proven can be muted."), code="NoOrigin")
        with self._book._transaction() as connection:
            if connection.execute("SELECT COUNT(*) FROM muted_origins").fetchone()[0] >= MAX_MUTED:
                raise BadInput(
                    tr("At most {max_muted} pages can be muted; let one speak again first.", max_muted=MAX_MUTED), code="TooMany"
                )
            connection.execute("INSERT OR IGNORE INTO muted_origins VALUES (?, ?)", (origin, when))

    def unmute(self, origin: str) -> None:
        with self._book._transaction() as connection:
            connection.execute("DELETE FROM muted_origins WHERE origin = ?", (origin,))


def _prune(connection: sqlite3.Connection) -> None:
    """Room for one more: of those that were answered the newest stay, as many as the caps allow."""
    ranked = (
        "SELECT id, ROW_NUMBER() OVER (ORDER BY id DESC) AS place, SUM(length(content)) OVER (ORDER BY id DESC) AS size "
        f"FROM request_records WHERE NOT {_OPEN}"
    )
    connection.execute(
        f"DELETE FROM request_records WHERE id IN (SELECT id FROM ({ranked}) WHERE place >= ? OR size > ?)",
        (MAX_ANSWERED, MAX_KEPT),
    )


def _content(request: Request) -> str:
    value = request_to_json(request) if isinstance(request, SessionRequest) else pack(request)
    text = json.dumps(value, separators=(",", ":"))
    if len(text) > MAX_CONTENT:
        raise BadInput(
            tr("This request is too large: at most {max_content} KiB are kept.", max_content=MAX_CONTENT >> 10), code="TooLarge"
        )
    return text


def _record(row: sqlite3.Row) -> Record:
    with _checking():
        kind = RequestKind(row["kind"])
        return Record(
            kind=kind,
            request=_request(kind, row["content"], row["system"]),
            source=Source(row["source"]),
            origin=row["origin"],
            proven=bool(row["proven"]),
            arrived_at=row["arrived"],
            state=RequestState(row["state"]),
            code=row["code"],
            reason=row["reason"],
            grant_id=row["grant_id"],
            answered_at=row["answered"],
            request_id=row["request_id"],
            digest=row["digest"],
            id=row["id"],
        )


def _request(kind: RequestKind, content: str, system: str) -> Request | None:
    try:
        if kind is RequestKind.SESSION:
            return replace(open_as(content, SessionRequest), system=system)
        return unpack(RevocationRequest, read_json(content))
    except (LatchkeyError, ValueError, TypeError):
        return None
