"""Grants that are like a new one: the same dApp or the same key already acts for the account, or may begin to. And replacing them.

    similar = find(book, account, key, claims, clock)       what stands already, newest first
    Replacing(book, clock).olds(record)                     what a waiting grant waits for, and whether each is gone
    Replacing(book, clock).release_if_gone(record)          it may be handed over now

What is gone is told by the last reading of the chain that the book keeps; nothing is called gone on a guess. Without any reading only
time tells: what has ended can do nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from latchkey.core.account import Account, Mode
from latchkey.core.moments import span, until, utc
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.request import Claims
from latchkey.core.session import Session
from latchkey.core.types import Address
from latchkey.core.words_pieces import Names, phrase, say, strong
from latchkey.core.words_sessions import limit_line, summary
from latchkey.flow.pending import Pending, PendingState
from latchkey.flow.session_rows import View, view_of
from latchkey.language import tr, trn
from latchkey.store.readings import Readings
from latchkey.store.records import GrantRecord, GrantState
from latchkey.store.replacing import Replacements

if TYPE_CHECKING:
    from latchkey.store.book import Book


@dataclass(frozen=True, slots=True)
class Similar:
    """`record`: the grant in the book, None for a session that was not made here. `session`: as last read from the chain, None while it
    is not there. `gone`: True when it can do nothing any more, None when nobody can tell. `same_key`: it is the very key."""

    account: Account
    entity_id: int
    record: GrantRecord | None
    session: Session | None
    pending: Pending | None
    gone: bool | None
    same_key: bool = False


def last_view(book: Book, account: Account, clock: Callable[[], int]) -> View | None:
    """The account as it was last read from the chain; None when it never was."""
    kept = Readings(book).get(account)
    records = tuple(record for record in book.grants() if _is_of(record, account))
    return None if kept is None else view_of(account, kept, records, seen=None, endings={}, clock=clock())


def find(
    book: Book, account: Account, key: Address | None, claims: Claims, clock: Callable[[], int], *, besides: bytes = b""
) -> tuple[Similar, ...]:
    """Whatever this dApp (by its address, else its name) or this key holds already and is not known to be gone; newest first.

    A name is a claim: it finds what calls itself so, and proves nothing. `besides`: bytes of the grant that is looked at.
    """
    found = []
    for one in _all(book, account, clock):
        same_key = key is not None and key in (one.record and one.record.draft.session_key, one.session and one.session.signer)
        mine = one.record is not None and one.record.unsigned == besides
        if one.gone is not True and not mine and (same_key or (one.record and _same_dapp(one.record.claims, claims))):
            found.append(replace(one, same_key=same_key))
    return tuple(found)


def _all(book: Book, account: Account, clock: Callable[[], int]) -> Iterator[Similar]:
    """Every signed grant and every session of the account."""
    view = last_view(book, account, clock)
    now = view.now if view else clock()
    sessions = {row.session.entity_id: row for row in view.rows} if view else {}
    pendings = {pending.record.id: pending for pending in view.pending} if view else {}
    for record in book.grants():
        if _is_of(record, account) and record.envelope is not None:
            entity_id, pending = record.draft.entity_id, pendings.get(record.id)
            row = sessions.pop(entity_id, None)
            gone = _gone(record, row.session if row else None, pending, view, now)
            yield Similar(account, entity_id, record, row.session if row else None, pending, gone)
    for entity_id, row in sessions.items():
        yield Similar(account, entity_id, None, row.session, None, _over(row.session.valid_until, now))


def _gone(record: GrantRecord, session: Session | None, pending: Pending | None, view: View | None, now: int) -> bool | None:
    if session is not None:
        return _over(session.valid_until, now)
    if _over(record.draft.expiry, now):
        return True  # neither the grant nor a session made from it; the owner alone could give it a later end, and it is not there
    if view is None or pending is None:
        return None
    if pending.state is PendingState.USED:
        return True  # it was on the chain, and the chain says that it is there no more
    if pending.state in (PendingState.CANCELLED, PendingState.EXPIRED):
        return True
    return None if pending.state is PendingState.UNKNOWN else False


def _over(expiry: int, now: int) -> bool:
    return bool(expiry) and now > expiry


def _is_of(record: GrantRecord, account: Account) -> bool:
    return (record.draft.chain_id, record.draft.account, record.draft.system) == (account.chain_id, account.address, account.system)


def _same_dapp(one: Claims, other: Claims) -> bool:
    if one.dapp_url and other.dapp_url:
        return _plain(one.dapp_url) == _plain(other.dapp_url)
    return bool(one.dapp_name) and _plain(one.dapp_name) == _plain(other.dapp_name)


def _plain(text: str) -> str:
    return text.strip().casefold().removeprefix("https://").rstrip("/")


# --- in words


def title(similar: tuple[Similar, ...]) -> str:
    whose = tr("This key") if all(one.same_key for one in similar) else tr("This dApp")
    return tr(
        "{whose} already holds {a_grant} of this account", whose=whose, a_grant=trn("a grant", "{count} grants", len(similar))
    )


def lines(one: Similar, now: int) -> tuple[Phrase, ...]:
    """What it is, when it was granted and until when it works, what is left of it."""
    record, session = one.record, one.session
    names = Names(one.account, record.claims if record else Claims())
    found = [_what(one), phrase(_since(one), ", ", _ends(one, now))]
    if session is not None:
        found += [limit_line(limit, names) for limit in session.limits]
        found.append(summary(session, claims=record.claims if record else Claims()))
    return tuple(found)


def _what(one: Similar) -> Phrase:
    record = one.record
    if record is None:
        who: list[Part] = [strong(tr("A session that was not made here"))]
    elif record.label:
        who = [strong(record.label)]
    elif record.claims.dapp_name:
        who = [*say("A grant to what calls itself “{dapp_name}”", dapp_name=Part(record.claims.dapp_name, Style.CLAIM)).parts]
    else:
        who = [strong(tr("A grant made here"))]
    return say(
        "{who}, number {entity_id}, {for_this}",
        who=who,
        entity_id=one.entity_id,
        for_this=tr("for this very key") if one.same_key else tr("for another key"),
    )


def _since(one: Similar) -> str:
    granted = tr("granted {time}", time=utc(one.record.created)) if one.record else tr("granted elsewhere")
    if one.session is not None:
        return tr("{granted}, on the chain", granted=granted)
    if one.pending is None or one.pending.state is PendingState.UNKNOWN:
        return tr("{granted}; whether it is in use is not known without the network", granted=granted)
    return tr("{granted}, not used yet", granted=granted)


def _ends(one: Similar, now: int) -> str:
    end = one.session.valid_until if one.session else one.record.draft.expiry if one.record else 0
    return tr("works until {until}", until=until(end, now)) if end else tr("works for ever")


# --- replacing


@dataclass(frozen=True, slots=True)
class Old:
    """What a waiting grant waits for. `gone`: None when nobody can tell."""

    entity_id: int
    record: GrantRecord | None
    gone: bool | None
    sentence: str


class Replacing:
    """Grants of the book that wait until what they replace is gone."""

    def __init__(self, book: Book, clock: Callable[[], int]) -> None:
        self._book, self._clock, self._held = book, clock, Replacements(book)

    def olds(self, record: GrantRecord) -> tuple[Old, ...]:
        """What this grant waits for; empty when it waits for nothing. Raises StoreError."""
        draft, ids = record.draft, self._held.waits_for(record.id)
        if not ids:
            return ()
        account = next((a for a in self._book.accounts() if _is_of(record, a)), None)
        account = account or Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)
        known = {one.entity_id: one for one in _all(self._book, account, self._clock)}
        complete = (view := last_view(self._book, account, self._clock)) is not None and view.complete
        return tuple(_old(entity_id, known.get(entity_id), complete, self._clock()) for entity_id in ids)

    def release_if_gone(self, record: GrantRecord) -> bool:
        """Release a waiting grant when all it waits for is gone; whether it waits for nothing now. Raises StoreError."""
        if record.state is not GrantState.WAITING:
            return True
        if not all(old.gone for old in self.olds(record)):
            return False
        self.release(record)
        return True

    def release(self, record: GrantRecord) -> None:
        """It waits no longer, whatever has become of the old one: the person said so, or it is gone."""
        self._held.release(record.id)


def _old(entity_id: int, known: Similar | None, complete: bool, now: int) -> Old:
    if known is None:
        gone = True if complete else None  # a session that was not made here, and is not there any more
        return Old(
            entity_id,
            None,
            gone,
            tr(
                "Session {entity_id} {is_gone}.",
                entity_id=entity_id,
                is_gone=tr("is gone") if gone else tr("could not be looked for"),
            ),
        )
    return Old(entity_id, known.record, known.gone, _become(known, now))


def _become(one: Similar, now: int) -> str:
    name = one.record.label if one.record and one.record.label else tr("Grant {entity_id}", entity_id=one.entity_id)
    if one.gone:
        return tr("{name} is gone: it can do nothing any more.", name=name)
    if one.session is not None:
        end = tr(" It ends by itself in {span}.", span=span(one.session.valid_until - now)) if one.session.valid_until else ""
        return tr("{name} is on the chain; revoke it.{end}", name=name, end=end)
    if one.gone is None:
        return tr("{name}: whether it is gone is not known; read the chain under Sessions.", name=name)
    return tr("{name} is not used yet, and can be; cancel it.", name=name)
