"""Requests that came in and wait for the person's answer: each is answered once, whatever way it came.

    requests = Requests(book, clock)
    record = requests.arrived(request, Source.LINK)                               kept; raises Refused for what is not heard
    record = requests.arrived(request, Source.BRIDGE, origin=page, proven=True, reply=send)
    requests.answer(record.id, refusal("too-much"))                               `send` is called with it, once
    requests.meant(grant.id, record.id)                                           the person made this grant for this request
    requests.granted(grant)                                                       it was signed: the request has its answer
    requests.withdraw(record.id)                                                  whoever asked has gone

What a request asks has a digest; with its id that is what a replay is known by, also after a restart. Whoever floods is stopped by caps:
so many open at once in all and by one sender. Everything may be called from any thread; listeners are called on the thread that changed
something. A live `reply` is kept here alone, so a request of the bridge does not outlive the program.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING

from latchkey.core.moments import utc
from latchkey.core.permissions import permissions_to_json
from latchkey.core.presets import DAY
from latchkey.core.request import Request, SessionRequest
from latchkey.errors import Refused
from latchkey.language import tr
from latchkey.store.plain import pack
from latchkey.store.records import GrantState, Outcome
from latchkey.store.requests import (
    MAX_REASON,
    Answer,
    Record,
    RequestKind,
    RequestRecords,
    RequestState,
    Source,
    kind_of,
)

if TYPE_CHECKING:
    from latchkey.store.book import Book
    from latchkey.store.records import GrantRecord

__all__ = ["Answer", "Record", "RequestKind", "RequestState", "Requests", "Source", "answered", "digest_of", "refusal"]

MAX_OPEN = 100
MAX_OPEN_OF_ONE = 20  # of one proven origin; of all links together
LIFETIME = 30 * DAY  # of a request that is never answered

OTHER = "other"
REASONS: dict[str, str] = {  # what a person may answer; the code is the dApp's, the sentence is told to it too
    "not-now": tr("Not now."),
    "too-much": tr("It asks for more than I want to give."),
    "not-mine": tr("I did not start this."),
    "wrong-account": tr("It is for another account or network than I want to use."),
    OTHER: "",
}
_MUTED = Answer(RequestState.REFUSED, tr("Requests from here are not taken."), code="muted")
_ELSEWHERE = Answer(RequestState.WITHDRAWN, tr("Another copy of this request was answered."), code="answered-elsewhere")
_GONE = Answer(RequestState.WITHDRAWN, tr("Whoever asked has gone."), code="gone")
_OVER = Answer(RequestState.EXPIRED, tr("It was not answered in time."), code="expired")

Reply = Callable[[Answer], None]


def refusal(code: str, text: str = "") -> Answer:
    """The person's no, with one of REASONS; `text` is what they wrote themselves."""
    text = " ".join(text.split())
    reason = "".join(c for c in text if c.isprintable())[:MAX_REASON] if code == OTHER else REASONS[code]
    return Answer(RequestState.REFUSED, reason, code=code)


class Requests:
    """The requests of one book."""

    def __init__(self, book: Book, clock: Callable[[], int]) -> None:
        self._records, self._book, self._clock = RequestRecords(book), book, clock
        self._replies: dict[int, Reply] = {}
        self._meant: dict[int, Record] = {}  # id of a grant -> the request it was made for
        self._listeners: list[Callable[[], object]] = []
        self._turn = RLock()
        self._due: list[tuple[Reply, Answer]] = []  # answers to be told once nobody's turn is held up by it
        self._has_changed = False
        for record in self._records.open():  # its connection ended with the program that was asked
            if record.source is Source.BRIDGE:
                self._records.close(record, _GONE, clock())

    # --- looking

    def all(self) -> tuple[Record, ...]:
        """Newest first."""
        return self._records.all()

    def open(self) -> tuple[Record, ...]:
        """Those without an answer, oldest first."""
        return self._records.open()

    def get(self, record_id: int) -> Record | None:
        return self._records.get(record_id)

    def new_count(self) -> int:
        """How many the person has not looked at."""
        return self._records.count(RequestState.NEW)

    def muted(self) -> tuple[tuple[str, int], ...]:
        """Origins that are not heard, and since when."""
        return self._records.muted()

    def is_muted(self, origin: str) -> bool:
        """Whether the person wants to hear no more of it: then it learns nothing either, until it is heard again."""
        return self._records.is_muted(origin)

    def on_change(self, listener: Callable[[], object]) -> Callable[[], None]:
        """`listener()` after every change; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # --- coming in

    def arrived(
        self, request: Request, source: Source, *, origin: str = "", proven: bool = False, reply: Reply | None = None
    ) -> Record:
        """Keep a request, or find the very one that is open already.

        Raises Refused: "Muted"; "Replayed" for one that was answered; "IdReused" when its id belonged to another one; "TooMany" open ones.
        BadInput when it is too large, StoreError.
        """
        with self._changing():
            self._end_what_is_over()
            record = self._new(request, source, origin, proven)
            if reply is None and (same := self._same(record)) is not None:
                return same
            self._make_room(record)
            record = self._records.add(record)
            self._has_changed = True
            if reply is not None:
                self._replies[record.id] = reply
        return record

    def _new(self, request: Request, source: Source, origin: str, proven: bool) -> Record:
        if proven and self._records.is_muted(origin):
            raise Refused(tr("Requests from this page are muted."), code="Muted")
        digest, kind = _digest(request), kind_of(request)
        if isinstance(request, SessionRequest):
            if said := answered(self._book, request):
                raise Refused(said, code="Replayed")
            if any(r.is_open and r.digest != digest for r in self._records.of(request.request_id)):
                raise Refused(tr("The sender used this request's id for another request that is still open."), code="IdReused")
        now = self._clock()
        return Record(kind, request, source, origin, proven, now, request_id=request.request_id, digest=digest)

    def _same(self, record: Record) -> Record | None:
        """What came in before and is the same in everything; one that has a line of its own is never another's."""
        found = (r for r in self._records.of(record.request_id) if r.is_open and r.id not in self._replies)
        return next((r for r in found if _whose(r) == _whose(record)), None)

    def _make_room(self, record: Record) -> None:
        """What a person opens themselves takes the place of the oldest of its kind; what comes by itself is turned away."""
        waiting = self._records.open()
        mine = [r for r in waiting if (r.source, r.origin) == (record.source, record.origin)]
        by_itself = record.source in (Source.BRIDGE, Source.LINK)
        if len(mine) >= MAX_OPEN_OF_ONE and not by_itself:
            self._end(mine[0], _OVER)
        elif len(mine) >= MAX_OPEN_OF_ONE or len(waiting) >= MAX_OPEN:
            raise Refused(tr("Too many requests wait for an answer; answer some of them first."), code="TooMany")

    # --- answering

    def see(self, record_id: int) -> None:
        """The person has looked at it."""
        with self._changing():
            self._has_changed |= self._records.see(record_id)

    def answer(self, record_id: int, answer: Answer) -> bool:
        """Give it its one answer, which goes to whoever waits for it; False when it was answered or withdrawn before. Raises StoreError."""
        with self._changing():
            record = self._records.get(record_id)
            if record is None or not self._end(record, answer):
                return False
            for other in self._records.of(record.request_id):
                if other.is_open and other.digest == record.digest:
                    self._end(other, _ELSEWHERE)
            return True

    def meant(self, grant_id: int, record_id: int) -> None:
        """The person made this grant for this request. Ids are the senders' to choose, so an id alone does not say whose a grant is."""
        if (record := self._records.get(record_id)) is not None:
            self._meant[grant_id] = record

    def granted(self, grant: GrantRecord) -> None:
        """A grant was signed: whatever asked for it has its answer, unless it has to wait for what it replaces.

        Over a line that still stands only what it was made for is answered, or the same asked again from the same place.
        """
        if not grant.request_id or grant.envelope is None or grant.state is GrantState.WAITING:
            return
        meant = self._meant.get(grant.id)
        for record in self._records.of(grant.request_id):
            fits = record.id not in self._replies if meant is None else _whose(record) == _whose(meant)
            if fits and record.is_open and record.kind is RequestKind.SESSION:
                self.answer(record.id, Answer(RequestState.GRANTED, grant_id=grant.id))

    def answered_by(self, grant: GrantRecord) -> Record | None:
        """The request that this grant was given for; None when there was none, or it has left the list."""
        found = self._records.of(grant.request_id) if grant.request_id else ()
        return next((record for record in found if record.grant_id == grant.id), None)

    def withdraw(self, record_id: int) -> None:
        """Whoever asked has gone. Nothing happens when it was answered."""
        with self._changing():
            self._replies.pop(record_id, None)
            record = self._records.get(record_id)
            if record is not None:
                self._end(record, _GONE)

    def tidy(self) -> None:
        """End what nobody can grant any more; called now and then."""
        with self._changing():
            self._end_what_is_over()

    def forget_answered(self) -> None:
        """Drop what was answered from the list. A replay is known for what it is all the same."""
        with self._changing():
            self._has_changed |= self._records.forget_answered() > 0

    # --- muting

    def mute(self, origin: str) -> None:
        """Hear no more of a proven origin; what it asks now is refused. Raises BadInput, StoreError."""
        with self._changing():
            self._records.mute(origin, self._clock())
            self._has_changed = True
            for record in self._records.open():
                if record.proven and record.origin == origin:
                    self._end(record, _MUTED)

    def unmute(self, origin: str) -> None:
        with self._changing():
            self._records.unmute(origin)
            self._has_changed = True

    # --- parts

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One turn; then, with nothing held, whoever waits for an answer is told, and so is whoever listens."""
        try:
            with self._turn:
                yield
        finally:
            with self._turn:
                due, changed = self._due, self._has_changed
                self._due, self._has_changed = [], False
            with ExitStack() as tell:  # all of them, whichever fails; the last one in is told first
                for listener in reversed(self._listeners if changed else ()):
                    tell.callback(listener)
                for reply, answer in reversed(due):
                    tell.callback(reply, answer)

    def _end(self, record: Record, answer: Answer) -> bool:
        if not self._records.close(record, answer, self._clock()):
            return False
        self._has_changed = True
        reply = self._replies.pop(record.id, None)
        if reply is not None:
            self._due.append((reply, answer))
        return True

    def _end_what_is_over(self) -> None:
        now = self._clock()
        for record in self._records.open():
            if _is_over(record, now):
                self._end(record, _OVER)


def _whose(record: Record) -> tuple[bytes, str, bool]:
    """What was asked, and by whom."""
    return record.digest, record.origin, record.proven


def _is_over(record: Record, now: int) -> bool:
    ends = record.request.expiry if isinstance(record.request, SessionRequest) else None
    return record.request is None or bool(ends and ends <= now) or now >= record.arrived_at + LIFETIME


def answered(book: Book, request: SessionRequest) -> str:
    """A sentence when a request with this id was answered already, "" when it is new: one request, one grant."""
    marks = book.request_seen(request.request_id)
    if not marks and not RequestRecords(book).was_granted(request.request_id):
        return ""
    when = tr(" on {when}", when=utc(marks[-1].answered)) if marks else ""
    if marks and all(mark.digest != digest_of(request) for mark in marks):
        return tr("The sender used this request's id{when} for another request. Ask the dApp for a new one.", when=when)
    if marks and marks[-1].outcome is Outcome.DECLINED:
        return tr("You refused this request{when}. Ask the dApp for a new one.", when=when)
    return tr("You answered this request{when}. Its grant is under Grants; ask the dApp for a new request.", when=when)


def digest_of(request: SessionRequest) -> bytes:
    """SHA-256 over what a request asks: two requests with the same id are the same request only when this is equal too."""
    asked: dict[str, object] = {
        "system": request.system,
        "account": request.account,
        "chainId": request.chain_id,
        "expirySec": request.expiry,
        "key": [request.session_key, request.key_type],
        "handOverKey": request.hand_over_key.hex() if request.hand_over_key else None,
        "permissions": permissions_to_json(request.permissions),
    }
    if request.callback:
        asked["callback"] = request.callback
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


def _digest(request: Request) -> bytes:
    if isinstance(request, SessionRequest):
        return digest_of(request)
    return hashlib.sha256(json.dumps(pack(replace(request, request_id=""))).encode()).digest()
