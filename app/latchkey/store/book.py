"""The book: accounts, the public side of master keys, every grant with its state, requests that were answered.

One SQLite file, 0600, no secret in it. A rollback journal rather than a write-ahead log: the file alone is always the whole book,
so a copy of it is a backup. Every method is one transaction, on the disk when it returns. A book may be used from any thread; its
methods take turns on one connection. Several processes may have it open; a writer waits up to five seconds for another.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import Any, Self

from pydantic import TypeAdapter

from latchkey.core.account import Account, Mode
from latchkey.core.draft import draft_from_json, draft_to_json
from latchkey.core.request import Claims
from latchkey.core.types import Address
from latchkey.core.untrusted import check, read_json
from latchkey.errors import BadInput, StoreError
from latchkey.language import tr
from latchkey.store.records import GrantRecord, GrantState, KeyOrigin, MasterKeyRecord, Outcome, RequestMark
from latchkey.store.schema import bring_up

__all__ = ["Book", "GrantRecord", "GrantState", "KeyOrigin", "MasterKeyRecord", "Outcome", "RequestMark"]

MAX_BYTES = 256 * 1024 * 1024
PAGE_SIZE = 4096
MAX_VALUE = 1024 * 1024
MAX_LABEL = 100
BUSY_SECONDS = 5

_CLAIMS = TypeAdapter(Claims)
_WORD = re.compile("[0-9a-f]{64}")


class Book:
    """An open book. Made by `Book.open`; closed by `close` or at the end of a `with` block."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._turn = RLock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """The book at `path`, made when missing, migrated when older.

        The whole file is checked first: it may come from a backup or from somebody else. Raises StoreError, code "Newer",
        "Damaged", "NotABook", "ForeignSchema", "NotAFile", "TooLarge" or "CannotOpen"; a refused file is left as it was.
        """
        with _as_store_errors(path.name):
            _prepare(path)
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
            try:
                _harden(connection)
                bring_up(connection)
            except BaseException:
                connection.close()
                raise
        connection.row_factory = sqlite3.Row
        return cls(connection)

    def close(self) -> None:
        with self._turn:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # accounts

    def accounts(self) -> tuple[Account, ...]:
        """In the order they were added."""
        return tuple(_account(row) for row in self._rows("SELECT * FROM accounts ORDER BY rowid"))

    def add_account(self, account: Account) -> None:
        """Raises StoreError (code "Exists") when this chain, address and system are there already."""
        self._insert(
            "accounts",
            tr("This account is in the book already."),
            chain_id=account.chain_id,
            address=account.address,
            system=account.system,
            mode=account.mode.value,
            owner=account.owner,
            salt=None if account.salt is None else _word(account.salt),
            init_code=account.init_code,
            label=_label(account.label),
        )

    def remove_account(self, account: Account) -> None:
        """Forget the account; its grants stay, because what was signed stays valid. Raises StoreError (code "Missing")."""
        self._change("DELETE FROM accounts WHERE chain_id = ? AND address = ? AND system = ?", _identity(account))

    def rename(self, account: Account, label: str) -> None:
        """Raises StoreError (code "Missing"), BadInput for a label that is too long or not one line."""
        values = (_label(label), *_identity(account))
        self._change("UPDATE accounts SET label = ? WHERE chain_id = ? AND address = ? AND system = ?", values)

    # master keys

    def keys(self) -> tuple[MasterKeyRecord, ...]:
        """In the order they were first put."""
        return tuple(_key(row) for row in self._rows("SELECT * FROM master_keys ORDER BY rowid"))

    def put_key(self, key: MasterKeyRecord) -> None:
        """Add a key, or replace what is known of it."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO master_keys (address, label, kind, path) VALUES (?, ?, ?, ?) ON CONFLICT (address) "
                "DO UPDATE SET label = excluded.label, kind = excluded.kind, path = excluded.path",
                (key.address, _label(key.label), _label(key.kind), _label(key.path)),
            )

    def remove_key(self, address: Address) -> None:
        """Forget what is known of a key, as of a hardware wallet that is not used any more. Raises StoreError (code "Missing")."""
        self._change("DELETE FROM master_keys WHERE address = ?", (address,))

    # grants

    def add_grant(self, grant: GrantRecord) -> GrantRecord:
        """Keep a grant and return it with its id.

        Raises StoreError (code "NonceUsed") when this account has a grant with the same nonce: one of the two could never be used.
        """
        draft = grant.draft
        number = self._insert(
            "grants",
            tr("This account has a grant with the same nonce already."),
            code="NonceUsed",
            created=grant.created,
            chain_id=draft.chain_id,
            account=draft.account,
            entity_id=draft.entity_id,
            nonce=_word(grant.nonce),
            label=_label(grant.label),
            claims=_json(_CLAIMS.dump_python(grant.claims, mode="json")),
            draft=_json(draft_to_json(draft)),
            unsigned=grant.unsigned,
            envelope=grant.envelope,
            state=_state(grant.state, signed=grant.envelope is not None).value,
            key_origin=grant.key_origin.value,
            request_id=_label(grant.request_id),
        )
        return replace(grant, id=number)

    def grants(self, account: Account | None = None) -> tuple[GrantRecord, ...]:
        """Newest first; of one account when it is named."""
        if account is None:
            return tuple(_grant(row) for row in self._rows("SELECT * FROM grants ORDER BY id DESC"))
        place = (account.chain_id, account.address)
        return tuple(
            _grant(row) for row in self._rows("SELECT * FROM grants WHERE chain_id = ? AND account = ? ORDER BY id DESC", place)
        )

    def grant(self, number: int) -> GrantRecord:
        """Raises StoreError (code "Missing")."""
        rows = self._rows("SELECT * FROM grants WHERE id = ?", (number,))
        if not rows:
            raise StoreError(tr("This grant is not in the book."), code="Missing")
        return _grant(rows[0])

    def put_envelope(self, number: int, envelope: bytes) -> None:
        """The grant was signed: keep its hand-over. Raises StoreError when it is missing or has a signature already."""
        self._change(
            "UPDATE grants SET envelope = ?, state = 'signed' WHERE id = ? AND envelope IS NULL",
            (envelope, number),
            tr("The grant is not in the book, or it is signed already."),
        )

    def set_state(self, number: int, state: GrantState) -> None:
        """Raises StoreError when it is missing, or for a state that contradicts whether the grant is signed."""
        with self._transaction() as connection:
            signed = self.grant(number).envelope is not None
            connection.execute("UPDATE grants SET state = ? WHERE id = ?", (_state(state, signed=signed).value, number))

    def relabel(self, number: int, label: str) -> None:
        """Raises StoreError (code "Missing"), BadInput for a label that is too long or not one line."""
        self._change("UPDATE grants SET label = ? WHERE id = ?", (_label(label), number))

    def discard(self, number: int) -> None:
        """Forget a grant that was never signed; a signed one stays for ever. Raises StoreError."""
        with self._transaction() as connection:
            if connection.execute("DELETE FROM grants WHERE id = ? AND envelope IS NULL", (number,)).rowcount != 1:
                raise StoreError(tr("The grant is not in the book, or it is signed and therefore kept."), code="Missing")
            connection.execute("DELETE FROM carried WHERE grant_id = ?", (number,))

    def pending_nonces(self, account: Account) -> frozenset[int]:
        """Nonces of every grant of this account, whatever its state: none may be chosen again."""
        rows = self._rows("SELECT nonce FROM grants WHERE chain_id = ? AND account = ?", (account.chain_id, account.address))
        with _checking():
            return frozenset(_number(row["nonce"]) for row in rows)

    def entity_ids(self, account: Account) -> frozenset[int]:
        """Entity ids of every grant of this account, whatever its state."""
        rows = self._rows("SELECT entity_id FROM grants WHERE chain_id = ? AND account = ?", (account.chain_id, account.address))
        return frozenset(row["entity_id"] for row in rows)

    # requests

    def request_seen(self, request_id: str) -> tuple[RequestMark, ...]:
        """Answers given under this id, oldest first; several with different digests when a sender used an id again."""
        rows = self._rows("SELECT * FROM requests WHERE request_id = ? ORDER BY answered, rowid", (request_id,))
        return tuple(_mark(row) for row in rows)

    def mark_request(self, mark: RequestMark) -> None:
        """Keep how a request was answered; a second answer to the same request replaces the first."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO requests (request_id, digest, answered, outcome) VALUES (?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET answered = excluded.answered, outcome = excluded.outcome",
                (_label(mark.request_id), mark.digest, mark.answered, mark.outcome.value),
            )

    # the connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._turn, _as_store_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite has ended it itself where the disk failed
                    self._connection.execute("ROLLBACK")
                raise

    def _rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        with self._turn, _as_store_errors():
            return self._connection.execute(statement, values).fetchall()

    def _insert(self, table: str, exists: str, *, code: str = "Exists", **values: Any) -> int:
        """One row; returns its id. `exists` is the sentence for a row that is there already."""
        marks = ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"  # noqa: S608 (names from this file alone)
        with self._transaction() as connection:
            try:
                return connection.execute(statement, tuple(values.values())).lastrowid or 0
            except sqlite3.IntegrityError:
                raise StoreError(exists, code=code) from None

    def _change(self, statement: str, values: tuple[Any, ...], missing: str = tr("This entry is not in the book.")) -> None:
        with self._transaction() as connection:
            if connection.execute(statement, values).rowcount != 1:
                raise StoreError(missing, code="Missing")


def _prepare(path: Path) -> None:
    """Make the file 0600 before SQLite sees it: the journal takes its mode from it. Refuse what is not a file of sane size."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o600)
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise StoreError(tr("{path_name} is not a file.", path_name=path.name), code="NotAFile")
        if info.st_size > MAX_BYTES:
            raise StoreError(
                tr("{path_name} is larger than {max_bytes} MiB.", path_name=path.name, max_bytes=MAX_BYTES >> 20), code="TooLarge"
            )
        # SQLite takes a file without a whole first page for a new one; it is one only when making the book was interrupted.
        if 0 < info.st_size < PAGE_SIZE and not path.with_name(path.name + "-journal").exists():
            raise StoreError(tr("{path_name} is damaged or not a book.", path_name=path.name), code="Damaged")
        if hasattr(os, "fchmod"):
            os.fchmod(fd, 0o600)
    finally:
        os.close(fd)


def _harden(connection: sqlite3.Connection) -> None:
    """Nothing in the file may run code or ask for more memory than a book needs; what is forgotten is overwritten and nothing of
    the book is written elsewhere; every commit reaches the disk."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA synchronous = EXTRA")  # FULL, and the folder too when the journal goes


@contextmanager
def _as_store_errors(name: str = tr("The book")) -> Iterator[None]:
    """Whatever SQLite, the disk or a row's content has against us becomes a StoreError."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreError(tr("The book is busy: another Latchkey is writing to it."), code="Busy") from None
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise StoreError(
                tr("There is no room left on the disk: {name} could not be written.", name=name), code="DiskFull"
            ) from None
        raise StoreError(tr("{name} could not be read or written.", name=name), code="CannotOpen") from None
    except (sqlite3.Error, UnicodeDecodeError):  # SQLite's own messages may quote a damaged schema
        raise StoreError(tr("{name} is damaged or not a book.", name=name), code="Damaged") from None
    except OSError as error:
        raise StoreError(
            tr("{name} cannot be opened: {strerror}.", name=name, strerror=error.strerror), code="CannotOpen"
        ) from None


# rows to values; the file is not trusted, so every field is checked again


@contextmanager
def _checking() -> Iterator[None]:
    try:
        yield
    except (BadInput, ValueError, TypeError):
        raise StoreError(tr("The book is damaged: an entry makes no sense."), code="Damaged") from None


def _account(row: sqlite3.Row) -> Account:
    with _checking():
        return Account(
            chain_id=row["chain_id"],
            address=Address.parse(row["address"]),
            system=row["system"],
            mode=Mode(row["mode"]),
            owner=None if row["owner"] is None else Address.parse(row["owner"]),
            salt=None if row["salt"] is None else _number(row["salt"]),
            init_code=row["init_code"],
            label=_label(row["label"]),
        )


def _key(row: sqlite3.Row) -> MasterKeyRecord:
    with _checking():
        return MasterKeyRecord(Address.parse(row["address"]), _label(row["label"]), _label(row["kind"]), _label(row["path"]))


def _grant(row: sqlite3.Row) -> GrantRecord:
    with _checking():
        record = GrantRecord(
            draft=draft_from_json(read_json(row["draft"])),
            nonce=_number(row["nonce"]),
            unsigned=row["unsigned"],
            created=row["created"],
            label=_label(row["label"]),
            claims=check(_CLAIMS, read_json(row["claims"])),
            envelope=row["envelope"],
            state=GrantState(row["state"]),
            key_origin=KeyOrigin(row["key_origin"]),
            request_id=row["request_id"],
            id=row["id"],
        )
        draft = record.draft
        if (row["chain_id"], row["account"], row["entity_id"]) != (draft.chain_id, draft.account, draft.entity_id):
            raise ValueError
        return record


def _mark(row: sqlite3.Row) -> RequestMark:
    with _checking():
        return RequestMark(row["request_id"], row["digest"], row["answered"], Outcome(row["outcome"]))


def _state(state: GrantState, *, signed: bool) -> GrantState:
    if signed is (state is GrantState.UNSIGNED):
        raise StoreError(
            tr("A grant that is {not_}signed cannot be called {state}.", not_="" if signed else "not ", state=state.value),
            code="WrongState",
        )
    return state


def _identity(account: Account) -> tuple[int, str, str]:
    return account.chain_id, account.address, account.system


def _word(value: int) -> str:
    return f"{value:064x}"


def _number(word: str) -> int:
    if not _WORD.fullmatch(word):
        raise ValueError
    return int(word, 16)


def _json(value: Any) -> str:
    """Compact JSON that can be read again under the caps for outside text. Raises BadInput for what is too large."""
    text = json.dumps(value, separators=(",", ":"))
    read_json(text)
    return text


def _label(text: str) -> str:
    if len(text) > MAX_LABEL or not text.isprintable():
        raise BadInput(tr("A label is one line of at most {max_label} characters.", max_label=MAX_LABEL), code="BadLabel")
    return text
