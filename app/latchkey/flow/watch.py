"""Watching while the program runs: what a person should hear of without looking, said once each, and nothing else.

    watch = Watch(sessions, book, clock)
    watch.take(view)           notices in a view that somebody else has just read (the Sessions page); [] when there is nothing new
    watch.look(stop)           reads every account that is due and gives the notices; blocks
    watch.run(say, stop)       does so until `stop` is set; say(notice) from the thread that called run

What was said is kept in the book, so a restart says nothing twice. Of an account that is watched for the first time, the sessions that
are there and the grants that were used are taken as they are; what comes after is news.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from latchkey.core.account import Account
from latchkey.core.moments import span
from latchkey.core.networks import network
from latchkey.core.phrases import Level
from latchkey.core.request import NO_CLAIMS
from latchkey.core.session import NEAR, SOON, Limit, SessionState
from latchkey.core.words_pieces import Names
from latchkey.core.words_sessions import limit_line
from latchkey.errors import LatchkeyError, StoreError
from latchkey.flow.pending import Pending, PendingState
from latchkey.flow.session_rows import Origin, Row, View, mark_of
from latchkey.language import tr
from latchkey.store.readings import Readings

if TYPE_CHECKING:
    from latchkey.flow.sessions import Sessions
    from latchkey.store.book import Book

PRACTICE = 31337  # chain id; the network's room need not be there to watch nothing
EVERY, EVERY_PRACTICE, SELDOM = (
    60,
    5,
    900,
)  # seconds between readings: usually, on the practice chain, of an RPC that does not answer
_FIRST = "watched"  # marks an account that was watched before
_NO_FAULT = ("", "NotSet", "Offline", "Stopped")  # without an RPC there is nothing to watch, and nothing to say
_DONE = (SessionState.REVOKING, SessionState.REVOKED, SessionState.EXPIRED)


class NoticeKind(StrEnum):
    APPEARED = "appeared"  # a session that was not granted here
    WIDENED = "widened"  # a session may do more than its grant says
    NEARLY_USED_UP = "nearly-used-up"  # four fifths of a limit are spent
    ENDING = "ending"  # an hour or less is left
    USED = "used"  # a grant signed here was brought to the chain
    SILENT = "silent"  # an account cannot be read


@dataclass(frozen=True, slots=True)
class Notice:
    """`entity_id`: 0 when it is about the account. `subject`: what it is about, for the memory of what was said."""

    kind: NoticeKind
    level: Level
    sentence: str
    account: Account
    entity_id: int
    subject: str


class Watch:
    """`every`: seconds between readings of an account, None for the usual ones."""

    def __init__(self, sessions: Sessions, book: Book, clock: Callable[[], int], *, every: int | None = None) -> None:
        self._sessions, self._book, self._clock, self._every = sessions, book, clock, every
        self._readings = Readings(book)
        self._due: dict[tuple[int, str, str], tuple[int, int]] = {}  # account -> when it is read next, and the pause before that
        self._silent: dict[tuple[int, str, str], str] = {}
        self._lock = threading.Lock()

    def take(self, view: View) -> tuple[Notice, ...]:
        """What this view says that was not said before; it counts as said now. Raises StoreError."""
        with self._lock:
            said = self._readings.said(view.account)
            found = tuple(noticed(view))
            new = tuple(notice for notice in found if notice.subject not in said)
            if new or _FIRST not in said:
                self._readings.put_said(view.account, (_FIRST, *(notice.subject for notice in new)))
        return new if _FIRST in said else tuple(notice for notice in new if notice.kind not in _TAKEN_AS_THEY_ARE)

    def look(self, stop: threading.Event | None = None, accounts: Iterable[Account] | None = None) -> tuple[Notice, ...]:
        """Read the accounts that are due (by default those of the book) and give what is new. An account that cannot be read is
        said once, until it can be read again or fails otherwise; one without an RPC is not watched."""
        now, found = self._clock(), list[Notice]()
        due = [a for a in (self._book.accounts() if accounts is None else accounts) if self._due.get(_place(a), (0, 0))[0] <= now]

        def arrived(account: Account, result: View | LatchkeyError) -> None:
            found.extend(self._heard(account, result))

        self._sessions.refresh_all(due, arrived, stop=stop)
        return tuple(found)

    def run(self, say: Callable[[Notice], object], stop: threading.Event, accounts: Iterable[Account] | None = None) -> None:
        """Until `stop` is set."""
        watched = None if accounts is None else tuple(accounts)
        while not stop.is_set():
            for notice in self.look(stop, watched):
                say(notice)
            stop.wait(self._pause())

    def _pause(self) -> int:
        """Until the next account is due."""
        with self._lock:
            next_due = min((when for when, _ in self._due.values()), default=self._clock() + EVERY)
        return max(1, next_due - self._clock())

    def _heard(self, account: Account, result: View | LatchkeyError) -> tuple[Notice, ...]:
        code = result.code if isinstance(result, LatchkeyError) else ""
        with self._lock:
            known = self._silent.get(_place(account), "")
            self._silent[_place(account)] = code
            self._due_again(account, answers=code in _NO_FAULT)
        if isinstance(result, View):
            with suppress(StoreError):
                return self.take(result)
        elif code not in (known, *_NO_FAULT):
            return (
                Notice(
                    NoticeKind.SILENT,
                    Level.NOTICE,
                    tr("{called} cannot be read: {result_text}", called=_called(account), result_text=result.text),
                    account,
                    0,
                    "",
                ),
            )
        return ()

    def _due_again(self, account: Account, *, answers: bool) -> None:
        """After the usual pause; after twice the last one when the RPC does not answer."""
        usual = self._every or (EVERY_PRACTICE if account.chain_id == PRACTICE else EVERY)
        _, before = self._due.get(_place(account), (0, usual))
        pause = usual if answers else min(SELDOM, before * 2)
        self._due[_place(account)] = self._clock() + pause, pause


_TAKEN_AS_THEY_ARE = (NoticeKind.APPEARED, NoticeKind.USED)  # when an account is watched for the first time


def noticed(view: View) -> Iterator[Notice]:
    """Everything in a view that deserves a notice, said before or not."""
    for row in view.rows:
        yield from _of_row(row, view)
    for pending in view.pending:
        if pending.state is PendingState.USED:
            yield _used(pending, view)


def _of_row(row: Row, view: View) -> Iterator[Notice]:
    number, mark, where = row.session.entity_id, mark_of(row.session)[:16], _called(view.account)

    def notice(kind: NoticeKind, level: Level, sentence: str, *about: object) -> Notice:
        return Notice(kind, level, sentence, view.account, number, " ".join(map(str, (kind.value, number, mark, *about))))

    if row.origin is Origin.ELSEWHERE:
        sentence = tr(
            "A session that was not granted here is on {where}: number {number}, for {plain}.",
            where=where,
            number=number,
            plain=row.line.plain,
        )
        yield notice(NoticeKind.APPEARED, Level.DANGER, sentence)
    elif row.more:
        sentence = tr(
            "{name} on {where} may do more than was granted here: {plain}.", name=_name(row), where=where, plain=row.more[0].plain
        )
        yield notice(NoticeKind.WIDENED, Level.DANGER, sentence)
    if row.state in _DONE:
        return
    for limit in row.session.limits:
        if limit.granted and limit.left * NEAR <= limit.granted:
            sentence = tr(
                "{name} on {where} has used {percent} % of a limit: {limit}.",
                name=_name(row),
                where=where,
                percent=_percent(limit),
                limit=_limit(limit, view),
            )
            yield notice(NoticeKind.NEARLY_USED_UP, Level.NOTICE, sentence, limit.kind.value, limit.token or "", limit.granted)
    if row.ends and 0 <= row.ends - view.now <= SOON:
        sentence = tr("{name} on {where} ends in {span}.", name=_name(row), where=where, span=span(row.ends - view.now))
        yield notice(NoticeKind.ENDING, Level.NOTICE, sentence, row.ends)


def _used(pending: Pending, view: View) -> Notice:
    record = pending.record
    name = f"“{record.label}”" if record.label else tr("number {entity_id}", entity_id=record.draft.entity_id)
    sentence = tr("The grant {name} was used for the first time on {called}.", name=name, called=_called(view.account))
    return Notice(NoticeKind.USED, Level.NOTICE, sentence, view.account, record.draft.entity_id, f"grant {record.id}")


def _name(row: Row) -> str:
    return tr("The session “{label}”", label=row.label) if row.label else tr("Session {entity_id}", entity_id=row.session.entity_id)


def _called(account: Account) -> str:
    return f"{account.label or account.address} ({network(account.chain_id).name})"


def _percent(limit: Limit) -> int:
    granted = limit.granted or 1
    return 100 * (granted - limit.left) // granted


def _limit(limit: Limit, view: View) -> str:
    return limit_line(limit, Names(view.account, NO_CLAIMS)).plain


def _place(account: Account) -> tuple[int, str, str]:
    return account.chain_id, account.address, account.system
