"""Endings in the book: what was sent to end, cancel or tighten something, and what came of each item. It survives a restart.

What was signed is kept until the chain has answered, so that it can be looked for, and sent again, after the program was closed. It is
no secret: whoever has it can end these sessions and nothing else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from latchkey.core.account import Account
from latchkey.core.session import LimitKind, Session
from latchkey.core.types import Address
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, StoreError
from latchkey.language import tr
from latchkey.store.book import Book

MAX_SENTENCE = 500


class ItemKind(StrEnum):
    REVOKE = "revoke"
    CANCEL = "cancel"
    LOWER = "lower"
    SHORTEN = "shorten"
    CLEAN = "clean"


class ItemState(StrEnum):
    PENDING = "pending"  # signed and sent, or about to be; in no block yet
    DONE = "done"
    FAILED = "failed"


class SignedKind(StrEnum):
    OPERATION = "operation"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class EndingItem:
    """`batch`: which of the ending's operations carries it. `grant_id`: of a cancelled grant, 0 otherwise. `detail`: JSON, what is
    looked at afterwards. `sentence`: what came of it. `transaction`: 32 bytes and `block`, once it is in one."""

    kind: ItemKind
    entity_id: int
    batch: int = 0
    grant_id: int = 0
    detail: str = "{}"
    state: ItemState = ItemState.PENDING
    sentence: str = ""
    transaction: bytes | None = None
    block: int | None = None


@dataclass(frozen=True, slots=True)
class SignedPart:
    """One fee level of one batch. `data`: an operation's bytes, or a transaction as it is sent. `signature`: the operation's field.
    `sender`: whose nonce it uses."""

    batch: int
    level: int
    kind: SignedKind
    sender: Address
    data: bytes
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class EndingRecord:
    """`account`: chain, address and system. `way`: how it is sent. `since`: the block before it was first sent. `id`: 0 until kept."""

    chain_id: int
    account: Address
    system: str
    way: str
    since: int
    created: int
    items: tuple[EndingItem, ...]
    signed: tuple[SignedPart, ...] = ()
    id: int = 0

    @property
    def is_open(self) -> bool:
        return any(item.state is ItemState.PENDING for item in self.items)


class Endings:
    """The book's endings."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def add(self, record: EndingRecord) -> EndingRecord:
        """Keep it, and return it with its id."""
        with self._book._transaction() as connection:
            number = connection.execute(
                "INSERT INTO endings (created, chain_id, account, system, way, since) VALUES (?, ?, ?, ?, ?, ?)",
                (record.created, record.chain_id, record.account, record.system, record.way, record.since),
            ).lastrowid
            for position, item in enumerate(record.items):
                connection.execute(
                    "INSERT INTO ending_items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (number, position, item.batch, item.kind.value, item.entity_id, item.grant_id, item.detail, *_outcome(item)),
                )
            _put_signed(connection, number or 0, record.signed)
        return replace(record, id=number or 0)

    def put_item(self, number: int, position: int, item: EndingItem) -> None:
        """What came of an item. When none of the ending is pending any more, what was signed is forgotten."""
        with self._book._transaction() as connection:
            changed = connection.execute(
                "UPDATE ending_items SET state = ?, sentence = ?, transaction_hash = ?, block = ? WHERE ending = ? AND position = ?",
                (*_outcome(item), number, position),
            )
            if changed.rowcount != 1:
                raise StoreError(tr("This entry is not in the book."), code="Missing")
            connection.execute(
                "DELETE FROM ending_signed WHERE ending = ? AND NOT EXISTS "
                "(SELECT 1 FROM ending_items WHERE ending = ? AND state = 'pending')",
                (number, number),
            )

    def of(self, account: Account) -> tuple[EndingRecord, ...]:
        """Of one account, newest first."""
        return self._read(
            "SELECT * FROM endings WHERE chain_id = ? AND account = ? ORDER BY id DESC", (account.chain_id, account.address)
        )

    def open(self) -> tuple[EndingRecord, ...]:
        """Those with something pending, oldest first."""
        return self._read(
            "SELECT * FROM endings WHERE id IN (SELECT ending FROM ending_items WHERE state = 'pending') ORDER BY id", ()
        )

    def latest(self, account: Account) -> dict[tuple[ItemKind, int, int], EndingItem]:
        """The last word on each (kind, entity id, grant id) of the account: revoking, revoked in which block, failed why."""
        found: dict[tuple[ItemKind, int, int], EndingItem] = {}
        for record in self.of(account):
            for item in record.items:
                found.setdefault((item.kind, item.entity_id, item.grant_id), item)
        return found

    def _read(self, statement: str, values: tuple[Any, ...]) -> tuple[EndingRecord, ...]:
        try:
            return tuple(self._record(row) for row in self._book._rows(statement, values))
        except (BadInput, ValueError, TypeError):
            raise StoreError(tr("The book is damaged: an entry makes no sense."), code="Damaged") from None

    def _record(self, row: sqlite3.Row) -> EndingRecord:
        items = self._book._rows("SELECT * FROM ending_items WHERE ending = ? ORDER BY position", (row["id"],))
        signed = self._book._rows("SELECT * FROM ending_signed WHERE ending = ? ORDER BY batch, kind, level", (row["id"],))
        return EndingRecord(
            chain_id=row["chain_id"],
            account=Address.parse(row["account"]),
            system=row["system"],
            way=row["way"],
            since=row["since"],
            created=row["created"],
            items=tuple(map(_item, items)),
            signed=tuple(map(_part, signed)),
            id=row["id"],
        )


def _put_signed(connection: sqlite3.Connection, number: int, parts: Sequence[SignedPart]) -> None:
    connection.executemany(
        "INSERT INTO ending_signed VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(number, p.batch, p.level, p.kind.value, p.sender, p.data, p.signature) for p in parts],
    )


def _outcome(item: EndingItem) -> tuple[Any, ...]:
    return item.state.value, item.sentence[:MAX_SENTENCE], item.transaction, item.block


def _item(row: sqlite3.Row) -> EndingItem:
    if not isinstance(read_json(row["detail"]), dict):
        raise ValueError
    return EndingItem(
        kind=ItemKind(row["kind"]),
        entity_id=row["entity_id"],
        batch=row["batch"],
        grant_id=row["grant_id"],
        detail=row["detail"],
        state=ItemState(row["state"]),
        sentence=row["sentence"],
        transaction=row["transaction_hash"],
        block=row["block"],
    )


def _part(row: sqlite3.Row) -> SignedPart:
    sender, kind = Address.parse(row["sender"]), SignedKind(row["kind"])
    return SignedPart(row["batch"], row["level"], kind, sender, row["data"], row["signature"])


def lowered(items: Iterable[EndingItem], session: Session) -> dict[tuple[LimitKind, Address | None], int]:
    """What this session's limits were lowered to, by items newest first, and begin with since. Of an earlier session under its id nothing
    counts."""
    found: dict[tuple[LimitKind, Address | None], int] = {}
    for item in items:
        mine = item.kind is ItemKind.LOWER and item.state is ItemState.DONE and item.entity_id == session.entity_id
        if mine and (item.block or 0) > (session.installed_block or 0) and (to := read_json(item.detail).get("to")):
            kind, token, amount = to
            found.setdefault((LimitKind(kind), Address.parse(token) if token else None), int(amount))
    return found
