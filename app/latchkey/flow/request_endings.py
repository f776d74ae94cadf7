"""Requests to end sessions: what of it is still to be ended, and which are done.

asked = to_end(request, view)                 Revoke and Cancel, for the sheet of endings
settle(requests, book, sessions)              whoever asked is told, once the chain says that it is over
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from latchkey.core.account import Account
from latchkey.core.request import RevocationRequest
from latchkey.flow.accounts import find
from latchkey.flow.ending_plan import Cancel, Revoke, What

if TYPE_CHECKING:
    from latchkey.flow.session_rows import View
    from latchkey.store.book import Book


def account_of(request: RevocationRequest, book: Book) -> Account | None:
    return find(book.accounts(), request.chain_id, request.account)


def to_end(request: RevocationRequest, view: View) -> tuple[What, ...]:
    """What can still be ended: sessions that are there, grants that may become one. Empty when nothing is left of it."""
    ids = tuple(row.session.entity_id for row in view.rows if row.can_end and row.session.entity_id in request.entity_ids)
    grants = tuple(p.record.id for p in view.open_grants if p.record.draft.entity_id in request.entity_ids)
    return (*((Revoke(ids),) if ids else ()), *((Cancel(grants),) if grants else ()))
