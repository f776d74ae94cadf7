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
from latchkey.flow.requests import Answer, RequestState
from latchkey.store.endings import Endings, ItemKind, ItemState

if TYPE_CHECKING:
    from latchkey.flow.requests import Requests
    from latchkey.flow.session_rows import View
    from latchkey.flow.sessions import Sessions
    from latchkey.store.book import Book


def account_of(request: RevocationRequest, book: Book) -> Account | None:
    return find(book.accounts(), request.chain_id, request.account)


def to_end(request: RevocationRequest, view: View) -> tuple[What, ...]:
    """What can still be ended: sessions that are there, grants that may become one. Empty when nothing is left of it."""
    ids = tuple(row.session.entity_id for row in view.rows if row.can_end and row.session.entity_id in request.entity_ids)
    grants = tuple(p.record.id for p in view.open_grants if p.record.draft.entity_id in request.entity_ids)
    return (*((Revoke(ids),) if ids else ()), *((Cancel(grants),) if grants else ()))


def settle(requests: Requests, book: Book, sessions: Sessions) -> None:
    """Answer every request whose sessions have all ended. Raises StoreError."""
    for record in requests.open():
        request = record.request
        if isinstance(request, RevocationRequest) and _is_done(request, book, sessions):
            requests.answer(record.id, Answer(RequestState.GRANTED))


def _is_done(request: RevocationRequest, book: Book, sessions: Sessions) -> bool:
    account = account_of(request, book)
    if account is None:
        return False
    latest = Endings(book).latest(account)
    ended = {
        entity_id
        for (kind, entity_id, _), item in latest.items()
        if kind in (ItemKind.REVOKE, ItemKind.CANCEL) and item.state is ItemState.DONE
    }
    if ended.issuperset(request.entity_ids):
        return True
    view = sessions.cached(account)
    return view is not None and view.complete and not to_end(request, view)
