"""What a person is shown of an account's sessions: a reading of the chain joined with what the book knows. Pure.

A session counts as granted here when the book has a grant for its key under its id. That says nothing about how much it may do: what
goes beyond the grant is listed, for a later install under the same id adds to what is there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from latchkey.core.account import Account
from latchkey.core.draft import Draft
from latchkey.core.facts import Surroundings
from latchkey.core.lookalikes import clean
from latchkey.core.moments import span
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.networks import network
from latchkey.core.permissions import AccountFunctions, Erc20TokenTransfer, GasLimit, NativeTokenTransfer
from latchkey.core.phrases import Finding, Level, Part, Phrase, Style, Words
from latchkey.core.request import NO_CLAIMS
from latchkey.core.risk_sessions import Known, account_findings, is_dangerous, session_findings
from latchkey.core.session import AccountReading, Block, Limit, LimitKind, LogRange, Session, SessionState, state_of
from latchkey.core.types import Address, Selector
from latchkey.core.words_difference import difference
from latchkey.core.words_pieces import address_part, phrase, say, strong
from latchkey.core.words_sessions import describe_session, summary
from latchkey.flow.pending import Pending, pending_of
from latchkey.language import tr, trn
from latchkey.store.endings import EndingItem, ItemKind, ItemState
from latchkey.store.readings import Kept
from latchkey.store.records import GrantRecord

_FOREVER = 2**64
_LEVELS = tuple(Level)
_ENDED = frozenset({SessionState.EXPIRED, SessionState.REVOKED})
_CALLS = (Selector("0xb61d27f6"), Selector("0x34fcd5be"))  # execute, executeBatch


class Origin(StrEnum):
    HERE = "granted here"
    ELSEWHERE = "not made here"


@dataclass(frozen=True, slots=True)
class Row:
    """One session. `claim`: what its dApp calls itself. `more`: how it goes beyond the grant in the book. `ending`: the last attempt to
    revoke it. `block`, `taken` (this computer's clock), `complete`: what it rests on. `now`: chain time.
    `notes`: the person's own names."""

    session: Session
    label: str
    claim: str
    origin: Origin
    state: SessionState
    line: Phrase
    findings: tuple[Finding, ...]
    since_last_look: bool
    more: tuple[Phrase, ...]
    record: GrantRecord | None
    ending: EndingItem | None
    block: Block
    taken: int
    complete: bool
    now: int
    notes: Notes = NO_NOTES

    @property
    def words(self) -> Words:
        """Everything it may do, made when it is asked for: a list shows hundreds of rows and few of them open. `signed` has what stands
        on the chain."""
        claims = self.record.claims if self.record else NO_CLAIMS
        return describe_session(self.session, now=self.now, claims=claims, notes=self.notes)

    @property
    def key(self) -> tuple[int, Address, str, int]:
        """The same for the same session in every reading."""
        account = self.session.account
        return account.chain_id, account.address, account.system, self.session.entity_id

    @property
    def title(self) -> Phrase:
        """Who it is, for a list."""
        if self.label:
            return phrase(self.label)
        if self.claim:
            return Phrase((Part(tr("Calls itself “{claim}”", claim=self.claim), Style.CLAIM),))
        return phrase(
            tr("Session {entity_id}", entity_id=self.session.entity_id) if self.origin is Origin.HERE else tr("Not made here")
        )

    @property
    def risk(self) -> Level | None:
        """Of its gravest finding."""
        return max((f.level for f in self.findings), key=_LEVELS.index, default=None)

    @property
    def ends(self) -> int:
        """Chain seconds; 0 for never."""
        return self.session.valid_until

    @property
    def can_end(self) -> bool:
        """Revoking it would do something that is not under way."""
        return self.state not in (SessionState.REVOKING, SessionState.REVOKED)


@dataclass(frozen=True, slots=True)
class Gone:
    """Revoked here, and no longer on the chain."""

    entity_id: int
    label: str
    block: int | None
    transaction: bytes | None


@dataclass(frozen=True, slots=True)
class View:
    """One account. `now`: chain time when this was put together."""

    account: Account
    reading: AccountReading
    rows: tuple[Row, ...]
    pending: tuple[Pending, ...]
    findings: tuple[Finding, ...]
    gone: tuple[Gone, ...]
    taken: int
    now: int

    @property
    def complete(self) -> bool:
        return self.reading.logs.complete

    @property
    def open_grants(self) -> tuple[Pending, ...]:
        """Those that may still become sessions."""
        return tuple(pending for pending in self.pending if pending.is_open)

    @property
    def empty(self) -> Phrase:
        """What no rows means: where was looked, and how far."""
        account, place = self.account, network(self.account.chain_id).name
        where = [*say("{address} on {place}", address=address_part(account.address), place=strong(place)).parts]
        block = tr("block {number}", number=self.reading.block.number)
        if not self.reading.deployed and not self.reading.used_entity_ids:
            return say("No sessions: {where} is not on the chain yet, as of {block}.", where=where, block=block)
        return say("No sessions on {where} at {block}. {said_of}", where=where, block=block, said_of=said_of(self.reading.logs))

    def basis(self, clock: int) -> str:
        """ "Read 3 minutes ago at block 123. Logs of blocks 0 to 123 were read, all of them." """
        age = clock - self.taken
        ago = tr("just now") if age < 60 else tr("{span} ago", span=span(age))
        return tr(
            "Read {ago} at block {number}. {said_of}", ago=ago, number=self.reading.block.number, said_of=said_of(self.reading.logs)
        )


def said_of(logs: LogRange) -> str:
    """How much of the history a reading rests on."""
    whole = tr("Logs of blocks {first} to {last} were read", first=logs.first, last=logs.last)
    if logs.complete:
        return tr("{whole}, all of them.", whole=whole)
    blocks = sum(last - first + 1 for first, last in logs.missing)
    return trn(
        "{whole}, without {count} block that could not be read: something may be missing here.",
        "{whole}, without {count} blocks that could not be read: something may be missing here.",
        blocks,
        whole=whole,
    )


# --- joining


def view_of(
    account: Account,
    kept: Kept,
    records: Iterable[GrantRecord],
    *,
    seen: Mapping[int, str] | None,
    endings: Mapping[tuple[ItemKind, int, int], EndingItem],
    clock: int,
    notes: Notes = NO_NOTES,
) -> View:
    """`records`: grants of this account, newest first. `seen`: marks of the sessions that were looked at, None before the first look.
    `endings`: the last word on each thing that was ended here. `clock`: this computer's, seconds since 1970."""
    reading, mine = kept.reading, tuple(records)
    now = chain_now(reading.block, kept.taken, clock)
    keys = Counter(session.signer for session in reading.sessions if session.signer)
    shared = frozenset(key for key, times in keys.items() if times > 1)
    joined = _Join(kept, mine, seen, endings, now, notes, shared)
    return View(
        account=account,
        reading=reading,
        rows=ordered(joined.row(session) for session in reading.sessions),
        pending=tuple(pending_of(record, reading, kept.sequences.get(record.id), now) for record in mine),
        findings=account_findings(reading),
        gone=tuple(joined.gone()),
        taken=kept.taken,
        now=now,
    )


def chain_now(block: Block, taken: int, clock: int) -> int:
    """Chain time now: the block's, and what has passed here since it was read. A wrong clock does not show in it."""
    return block.time + max(0, clock - taken)


@dataclass(frozen=True, slots=True)
class _Join:
    kept: Kept
    records: Sequence[GrantRecord]
    seen: Mapping[int, str] | None
    endings: Mapping[tuple[ItemKind, int, int], EndingItem]
    now: int
    notes: Notes
    shared: frozenset[Address]  # keys that act for several of the sessions

    def row(self, session: Session) -> Row:
        reading, record = self.kept.reading, record_of(session, self.records)
        session = with_granted(session, record)
        claims = record.claims if record else NO_CLAIMS
        more = beyond(session, record.draft) if record else ()
        ending = self.endings.get((ItemKind.REVOKE, session.entity_id, 0))
        news = self.seen is not None and self.seen.get(session.entity_id) != mark_of(session)
        known = Known(here=record is not None, wider=bool(more), appeared=news, around=Surroundings(keys_elsewhere=self.shared))
        return Row(
            session=session,
            label=record.label if record else "",
            claim=clean(claims.dapp_name),
            origin=Origin.HERE if record else Origin.ELSEWHERE,
            state=self._state(session, ending),
            line=summary(session, claims=claims, notes=self.notes),
            findings=session_findings(session, known, now=self.now),
            since_last_look=news,
            more=more,
            record=record,
            ending=ending,
            block=reading.block,
            taken=self.kept.taken,
            complete=reading.logs.complete and session.targets_complete,
            now=self.now,
            notes=self.notes,
        )

    def _state(self, session: Session, ending: EndingItem | None) -> SessionState:
        if ending is not None and ending.state is ItemState.PENDING:
            return SessionState.REVOKING
        if ending is not None and ending.state is ItemState.DONE and (ending.block or 0) > self.kept.reading.block.number:
            return SessionState.REVOKED  # the reading is older
        return state_of(session, self.now)

    def gone(self) -> Iterator[Gone]:
        installed = {session.entity_id for session in self.kept.reading.sessions}
        for (kind, entity_id, _), item in self.endings.items():
            if kind is ItemKind.REVOKE and item.state is ItemState.DONE and entity_id not in installed:
                label = next((r.label for r in self.records if r.draft.entity_id == entity_id), "")
                yield Gone(entity_id, label, item.block, item.transaction)


def record_of(session: Session, records: Iterable[GrantRecord]) -> GrantRecord | None:
    """The grant of the book that let this key in under this id."""
    return next(
        (r for r in records if r.draft.entity_id == session.entity_id and r.draft.session_key == session.signer),
        None,
    )


def with_granted(session: Session, record: GrantRecord | None) -> Session:
    """With what its limits began with, where the book says so. More left than was granted was set anew: then the book says nothing.
    What is known to begin with less was lowered since."""
    if record is None:
        return session
    granted = _granted(record.draft)
    return replace(session, limits=tuple(_begun(limit, granted) for limit in session.limits))


def _begun(limit: Limit, granted: Mapping[tuple[LimitKind, Address | None], int]) -> Limit:
    amount = granted.get((limit.kind, limit.token))
    if amount is None or limit.left > amount or (limit.granted is not None and limit.granted < amount):
        return limit
    return replace(limit, granted=amount)


def _granted(draft: Draft) -> dict[tuple[LimitKind, Address | None], int]:
    found: dict[tuple[LimitKind, Address | None], int] = {}
    for permission in draft.permissions:
        match permission:
            case NativeTokenTransfer(amount):
                found[LimitKind.NATIVE, None] = amount
            case GasLimit(amount):
                found[LimitKind.GAS, None] = amount
            case Erc20TokenTransfer(token, amount):
                found[LimitKind.ERC20, token] = amount
    return found


def beyond(session: Session, draft: Draft) -> tuple[Phrase, ...]:
    """How a session goes beyond what was granted; less than granted (spent, lowered, shortened) is no matter."""
    granted = replace(draft, permissions=(*draft.permissions, *_own(draft.selectors)), selectors=(), sequence=0)
    now = replace(granted, permissions=session.install.permissions, expiry=session.valid_until)
    found = [p for p in difference(granted, now) if not p.plain.startswith(tr("less"))]
    if session.install.signs_messages:
        found.append(say("more: sign messages and permits in your account's name"))
    return tuple(found)


def _own(selectors: Sequence[Selector]) -> Iterator[AccountFunctions]:
    """Selectors an expert added, as what they are: functions of the account."""
    if named := tuple(selector for selector in selectors if selector not in _CALLS):
        yield AccountFunctions(named)


def mark_of(session: Session) -> str:
    """Changes when somebody else may use it, or may use it otherwise; not when something is spent."""
    parts = (
        session.module.raw,
        session.signer.raw if session.signer else b"",
        bytes([session.flags]),
        b"".join(sorted(selector.raw for selector in session.selectors)),
        b"".join(hook.raw for hook in session.hooks),
        b"".join(hook.raw for hook in session.execution_hooks),
    )
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()


# --- order and filters


def ordered(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Unknown and dangerous first, then by expiry; what has ended comes last."""
    return tuple(sorted(rows, key=_rank))


def _rank(row: Row) -> tuple[object, ...]:
    first = row.origin is Origin.ELSEWHERE or is_dangerous(row.findings)
    return row.state in _ENDED, not first, row.ends or _FOREVER, *row.key


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are shown; a field left as it is lets all through. `risk`: at least so bad. `text`: in labels, claims or addresses."""

    account: Account | None = None
    chain_id: int | None = None
    states: frozenset[SessionState] = frozenset()
    risk: Level | None = None
    origin: Origin | None = None
    text: str = ""


def narrowed(rows: Iterable[Row], wanted: Filter) -> tuple[Row, ...]:
    """The rows a filter lets through, in their order."""
    return tuple(row for row in rows if _passes(row, wanted))


def _passes(row: Row, wanted: Filter) -> bool:
    account = row.session.account
    return (
        (wanted.account is None or row.key[:3] == (wanted.account.chain_id, wanted.account.address, wanted.account.system))
        and wanted.chain_id in (None, account.chain_id)
        and (not wanted.states or row.state in wanted.states)
        and (wanted.risk is None or (row.risk is not None and _LEVELS.index(row.risk) >= _LEVELS.index(wanted.risk)))
        and wanted.origin in (None, row.origin)
        and wanted.text.casefold() in _searched(row)
    )


def _searched(row: Row) -> str:
    contracts = " ".join(str(getattr(p, "address", "")) for p in row.session.install.permissions)
    return f"{row.title.plain} {row.claim} {row.session.signer} {row.session.entity_id} {contracts}".casefold()
