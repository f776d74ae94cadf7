"""A signed grant as far as the bridge looks at one: kept in the book with a hand-over of its own."""

from __future__ import annotations

from dataclasses import replace

from latchkey.codec.hand_over import Envelope, Kind, encode
from latchkey.core.account import Mode
from latchkey.core.request import SessionRequest
from latchkey.store.book import Book
from latchkey.store.records import GrantRecord, GrantState
from tests.store.grants import ACCOUNT, BOB, draft


def signed(book: Book, request: SessionRequest, entity_id: int = 7, state: GrantState = GrantState.SIGNED) -> GrantRecord:
    """What the book has once the owner has signed what was asked."""
    assert request.session_key is not None
    made = replace(
        draft(entity_id=entity_id), session_key=request.session_key, permissions=request.permissions, expiry=request.expiry or 0
    )
    envelope = Envelope(
        kind=Kind.SIGNED_GRANT,
        permissions=made.permissions,
        account=replace(ACCOUNT, mode=Mode.ADDRESS, owner=BOB, salt=None, init_code=b"", label=""),
        expiry=made.expiry,
        session_key=made.session_key,
        entity_id=entity_id,
        nonce=entity_id << 64,
        blob=b"\x01" * 300,
        context=b"\x01" + b"\x01" * 300,
        request_id=request.request_id,
    )
    record = GrantRecord(made, entity_id << 64, b"\x00unsigned", 1_800_000_000, envelope=encode(envelope), state=state)
    return book.add_grant(replace(record, request_id=request.request_id))
