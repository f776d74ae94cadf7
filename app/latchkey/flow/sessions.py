"""The sessions of accounts: read from the chain, joined with the book, kept so that they are there at once.

    sessions = Sessions(book, chains, clock)
    view = sessions.cached(account)                     at once, also offline: the last reading with its age; None when there is none
    view = sessions.refresh(account, progress, stop)    blocks: reads the chain and keeps what it said; raises ChainError
    sessions.refresh_all(accounts, arrived, stop=stop)  several at once, each told as it comes: arrived(account, View | LatchkeyError)
    sessions.looked(view)                               the person has seen these: they are no news any more

What a page draws (flow/session_rows.py; everything there is pure)
    view.rows            unknown and dangerous first, then by expiry, ended ones last; `ordered` does so for several views together
    row.title            who: the person's own label, what its dApp calls itself, or "Not made here" (row.origin, row.since_last_look)
    row.line             what it may do, one Phrase; row.words for the opened row (words.signed: what stands on the chain)
    row.session.limits   for the bars: kind, token, left, granted (None: unknown); core.words_sessions.limit_line says them
    row.state            in words; row.findings, row.risk; row.more (how it goes beyond its grant); row.ending (what came of revoking)
    row.block, row.taken, row.complete   what the row rests on; view.basis(clock) says it in a sentence
    view.pending         grants signed here and what became of them (flow/pending.py); view.open_grants those worth cancelling
    view.findings        about the account as a whole; view.reading.owners and .powers for what is no session key
    view.gone            revoked here and no longer on the chain, with block
    view.empty           the sentence for no sessions: account, network, block and range
    narrowed(rows, Filter(...))   by account, network, state, risk, origin, text

Times are chain time: `view.now` is the block's time plus what has passed on this computer since it was read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from latchkey.core.account import Account
from latchkey.core.session import AccountReading, Limit, LimitKind, Session
from latchkey.core.types import Address
from latchkey.errors import BadInput, LatchkeyError, StoreError
from latchkey.flow.accounts import same_place
from latchkey.flow.naming import kept_notes
from latchkey.flow.pending import nonce_key
from latchkey.flow.session_rows import View, mark_of, record_of, view_of, with_granted
from latchkey.store.endings import Endings, lowered
from latchkey.store.logs import BookLogs, forget_logs
from latchkey.store.readings import Kept, Readings

if TYPE_CHECKING:
    from latchkey.chain.logs import LogStore, Progress
    from latchkey.chain.node import Node
    from latchkey.flow.chains import Chains
    from latchkey.store.book import Book
    from latchkey.store.records import GrantRecord

AT_ONCE = 4  # accounts that are read at the same time
REPLACED = 64  # newest blocks, which a reorganisation may still replace

Arrived: TypeAlias = Callable[[Account, "View | LatchkeyError"], None]


class Sessions:
    """`clock`: now, seconds since 1970. May be used from any thread; one account is read by one thread at a time."""

    def __init__(self, book: Book, chains: Chains, clock: Callable[[], int]) -> None:
        self._book, self._chains, self._clock = book, chains, clock
        self._readings, self._endings = Readings(book), Endings(book)
        self._lock = threading.Lock()
        self._turns: dict[tuple[int, str, str], threading.Lock] = {}
        self._untold: set[bytes] = set()  # install transactions that do not say what was granted

    def cached(self, account: Account) -> View | None:
        """The last reading that was kept, None when there is none. Raises StoreError."""
        kept = self._readings.get(account)
        return None if kept is None else self._view(account, kept)

    def refresh(self, account: Account, progress: Progress | None = None, stop: threading.Event | None = None) -> View:
        """Read the chain. Kept for the next start when the account is in the book; a reading that cannot be kept is shown all the same.

        Raises ChainError (not reached, stopped, another chain, contracts that are not the published ones; code "NotSet" without an RPC),
        StoreError.
        """
        with self._turn(account):
            kept = self._read(account, progress, stop)
            if self._in_book(account):
                with suppress(StoreError, BadInput):
                    self._readings.put(kept)
        return self._view(account, kept)

    def refresh_all(
        self,
        accounts: Iterable[Account],
        arrived: Arrived,
        *,
        progress: Callable[[Account], Progress] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Read several accounts side by side; blocks until all have arrived. `arrived` is called from the reading threads."""

        def one(account: Account) -> None:
            try:
                result: View | LatchkeyError = self.refresh(account, progress(account) if progress else None, stop)
            except LatchkeyError as error:
                result = error
            arrived(account, result)

        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="sessions") as pool:
            for done in [pool.submit(one, account) for account in accounts]:
                done.result()

    def looked(self, view: View) -> None:
        """The person has looked at this view; what comes later is new. Raises StoreError."""
        if self._in_book(view.account):
            self._readings.put_seen(view.account, {row.session.entity_id: mark_of(row.session) for row in view.rows})

    def forget(self, account: Account) -> None:
        """Drop what is kept of an account that leaves the book. Raises StoreError."""
        self._readings.forget(account)
        forget_logs(self._book, account)

    # --- reading

    def _in_book(self, account: Account) -> bool:
        """Of an account that is only asked about, nothing is kept."""
        return any(same_place(account, known) for known in self._book.accounts())

    def _turn(self, account: Account) -> threading.Lock:
        with self._lock:
            return self._turns.setdefault((account.chain_id, account.address, account.system), threading.Lock())

    def _read(self, account: Account, progress: Progress | None, stop: threading.Event | None) -> Kept:
        node, second = self._chains.node(account.chain_id).stoppable(stop), self._chains.second(account.chain_id)
        from latchkey.chain.reading import read_account
        from latchkey.chain.sequences import next_sequences

        records, before = self._book.grants(account), self._readings.get(account)
        taken = self._clock()  # now, for the block is the first thing that is read
        reading = read_account(
            node,
            account,
            store=self._logs(account, node),
            second=second.stoppable(stop) if second else None,
            second_store=self._logs(account, second) if second else None,
            progress=progress,
            stop=stop,
            also={record.draft.entity_id for record in records},
        )
        self._chains.saw(account.chain_id, reading.block)
        reading = self._with_granted(node, reading, before, records)
        settled = _settled(before, records, reading)
        asked = [record for record in records if record.id not in settled]
        told = next_sequences(node, account, [nonce_key(record) for record in asked], reading.block)
        sequences = settled | {record.id: sequence for record, sequence in zip(asked, told, strict=True)}
        return Kept(reading, taken, sequences)

    def _logs(self, account: Account, node: Node) -> LogStore | None:
        return BookLogs(self._book, account, node.fingerprint) if self._in_book(account) else None

    def _with_granted(
        self, node: Node, reading: AccountReading, before: Kept | None, records: Sequence[GrantRecord]
    ) -> AccountReading:
        """What limits began with: the book, the reading before, the install transactions; each is asked once."""
        from latchkey.chain.reading import granted_from_installs

        earlier = {session.entity_id: session for session in before.reading.sessions} if before else {}
        sessions = [
            _as_before(with_granted(session, record_of(session, records)), earlier.get(session.entity_id))
            for session in reading.sessions
        ]
        wanted = [s for s in sessions if s.installed_in and s.installed_in not in self._untold and _is_open(s)]
        for session in granted_from_installs(node, wanted) if wanted else ():
            sessions[next(i for i, s in enumerate(sessions) if s.entity_id == session.entity_id)] = session
            if _is_open(session) and session.installed_in:
                self._untold.add(session.installed_in)
        items = [item for record in self._endings.of(reading.account) for item in record.items]
        return replace(reading, sessions=tuple(_as_lowered(session, lowered(items, session)) for session in sessions))

    # --- joining

    def _view(self, account: Account, kept: Kept) -> View:
        return view_of(
            account,
            kept,
            self._book.grants(account),
            seen=self._readings.seen(account),
            endings=self._endings.latest(account),
            clock=self._clock(),
            notes=kept_notes(self._book, account.chain_id),
        )


def _as_lowered(session: Session, lowered: Mapping[tuple[LimitKind, Address | None], int]) -> Session:
    """With the limits the person lowered beginning where they lowered them to: what was given up is not spent."""

    def begun(limit: Limit) -> Limit:
        to = lowered.get((limit.kind, limit.token))
        return replace(limit, granted=to) if to is not None and limit.left <= to else limit

    return replace(session, limits=tuple(map(begun, session.limits)))


def _is_open(session: Session) -> bool:
    return any(limit.granted is None for limit in session.limits)


def _as_before(session: Session, earlier: Session | None) -> Session:
    """With what was known before of the same install, where it can still be so."""
    if earlier is None or session.installed_in is None or earlier.installed_in != session.installed_in:
        return session
    known = {(limit.kind, limit.token): limit.granted for limit in earlier.limits}

    def filled(limit: Limit) -> Limit:
        granted = known.get((limit.kind, limit.token))
        return replace(limit, granted=granted) if limit.granted is None and granted is not None and limit.left <= granted else limit

    return replace(session, limits=tuple(map(filled, session.limits)))


def _settled(before: Kept | None, records: Sequence[GrantRecord], reading: AccountReading) -> dict[int, int]:
    """Sequences that need not be asked again: of grants whose session stands in a block that is not replaced any more."""
    known = before.sequences if before else {}
    last = reading.block.number - REPLACED
    old = [session for session in reading.sessions if session.installed_block is not None and session.installed_block <= last]
    firm = {record.id for session in old if (record := record_of(session, records)) is not None}
    return {record.id: known[record.id] for record in records if record.id in known and record.id in firm}
