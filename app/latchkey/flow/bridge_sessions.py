"""The sessions that were granted to somebody who asked over the bridge, as they are told about them.

From the book and the last reading of the chain; nothing is asked of the chain for it. What a state rests on goes with it (`asOf`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from latchkey.core.permissions import permissions_to_json
from latchkey.core.session import SessionState
from latchkey.errors import LatchkeyError
from latchkey.flow.pending import PendingState
from latchkey.store.records import GrantRecord, GrantState

if TYPE_CHECKING:
    from latchkey.core.account import Account
    from latchkey.flow.session_rows import View
    from latchkey.flow.sessions import Sessions
    from latchkey.store.book import Book

#: What is told: a grant kept back here, one nobody has used yet, a session at work, one with nothing left,
#: one whose end is on its way, and three ways to be over.
WAITING, UNUSED, ACTIVE, USED_UP = "waiting", "unused", "active", "used-up"
REVOKING, EXPIRED, REVOKED, CANCELLED = "revoking", "expired", "revoked", "cancelled"
ENDED = frozenset({EXPIRED, REVOKED, CANCELLED})
MAX_TOLD = 200  # the newest

_OF_SESSION = {
    SessionState.USED_UP: USED_UP,
    SessionState.REVOKING: REVOKING,
    SessionState.EXPIRED: EXPIRED,
    SessionState.REVOKED: REVOKED,
}
_OF_PENDING = {PendingState.EXPIRED: EXPIRED, PendingState.CANCELLED: CANCELLED, PendingState.USED: REVOKED}


def told_sessions(book: Book, sessions: Sessions, grant_ids: tuple[int, ...], clock: int) -> list[dict[str, Any]]:
    """As JSON, newest first. Raises StoreError."""
    records = [record for number in reversed(grant_ids[-MAX_TOLD:]) if (record := _grant(book, number)) is not None]
    accounts = book.accounts()
    views: dict[tuple[int, str], View | None] = {}
    for record in records:
        place = (record.draft.chain_id, str(record.draft.account))
        if place not in views:
            account = next((one for one in accounts if _is(one, record)), None)
            views[place] = sessions.cached(account) if account is not None else None
    return [_told(record, views[record.draft.chain_id, str(record.draft.account)], clock) for record in records]


def account_of(book: Book, record: GrantRecord) -> Account | None:
    """The book's account that this grant is for."""
    return next((account for account in book.accounts() if _is(account, record)), None)


def _is(account: Account, record: GrantRecord) -> bool:
    draft = record.draft
    return (account.chain_id, account.address, account.system) == (draft.chain_id, draft.account, draft.system)


def _grant(book: Book, number: int) -> GrantRecord | None:
    try:
        return book.grant(number)
    except LatchkeyError:
        return None


def _told(record: GrantRecord, view: View | None, clock: int) -> dict[str, Any]:
    draft = record.draft
    told: dict[str, Any] = {
        "chainId": hex(draft.chain_id),
        "account": str(draft.account),
        "entityId": draft.entity_id,
        "key": str(draft.session_key),
        "permissions": permissions_to_json(draft.permissions),
        "expirySec": draft.expiry,
        "requestId": record.request_id,
        "state": state_of(record, view, clock),
    }
    if view is not None:
        told["asOf"] = {"block": view.reading.block.number, "time": view.taken}
    return told


def state_of(record: GrantRecord, view: View | None, clock: int) -> str:
    """One of the words above."""
    if record.state is GrantState.WAITING:
        return WAITING
    now = clock if view is None else view.now
    row = next((row for row in view.rows if row.record is not None and row.record.id == record.id), None) if view else None
    if row is not None:
        return _OF_SESSION.get(row.state, ACTIVE)
    pending = next((one for one in view.pending if one.record.id == record.id), None) if view else None
    if pending is not None and pending.state in _OF_PENDING:
        return _OF_PENDING[pending.state]
    return EXPIRED if 0 < record.draft.expiry < now else UNUSED
