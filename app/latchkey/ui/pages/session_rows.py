"""Sessions and waiting grants as they are drawn: every text of a row made beforehand, off the UI thread. A list model over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from PySide6.QtCore import Qt

from latchkey.core.account import Account
from latchkey.core.draft import Draft
from latchkey.core.moments import short_span
from latchkey.core.networks import network
from latchkey.core.permissions import Erc20TokenTransfer, GasLimit, NativeTokenTransfer
from latchkey.core.phrases import Level, Phrase, Style
from latchkey.core.request import NO_CLAIMS
from latchkey.core.session import Limit, LimitKind, SessionState
from latchkey.core.words_pieces import Names
from latchkey.flow.pending import Pending, PendingState
from latchkey.flow.session_rows import Filter, Gone, Row, View, chain_now, narrowed, ordered
from latchkey.language import tr
from latchkey.store.endings import ItemState
from latchkey.ui.pages.grant_rows import who
from latchkey.ui.times import short_utc_time
from latchkey.ui.widgets.address import short_address
from latchkey.ui.widgets.row_parts import Chip, Index, RowModel
from latchkey.ui.widgets.text import visible

TONES = {
    SessionState.WAITING: "accent", SessionState.ACTIVE: "good", SessionState.NEARLY_USED_UP: "warn", SessionState.USED_UP: "muted",
    SessionState.EXPIRES_SOON: "warn", SessionState.EXPIRED: "muted", SessionState.REVOKING: "accent",
    SessionState.REVOKED: "muted", SessionState.FULL_CONTROL: "bad",
}  # fmt: skip
SAID = {
    SessionState.WAITING: tr("Waiting for first use"), SessionState.ACTIVE: tr("Active"),
    SessionState.NEARLY_USED_UP: tr("Nearly used up"), SessionState.USED_UP: tr("Used up"),
    SessionState.EXPIRES_SOON: tr("Expires soon"), SessionState.EXPIRED: tr("Expired"), SessionState.REVOKING: tr("Revoking"),
    SessionState.REVOKED: tr("Revoked"), SessionState.FULL_CONTROL: tr("Full control"),
}  # fmt: skip
ACTIVE = (SessionState.ACTIVE, SessionState.NEARLY_USED_UP, SessionState.EXPIRES_SOON, SessionState.FULL_CONTROL)
STATES: tuple[tuple[str, tuple[SessionState, ...]], ...] = (
    (tr("All states"), ()),
    (tr("Active"), ACTIVE),
    (tr("Waiting for first use"), (SessionState.WAITING,)),
    (tr("Nearly used up"), (SessionState.NEARLY_USED_UP,)),
    (tr("Used up"), (SessionState.USED_UP,)),
    (tr("Expires soon"), (SessionState.EXPIRES_SOON,)),
    (tr("Expired"), (SessionState.EXPIRED,)),
    (tr("Revoking"), (SessionState.REVOKING,)),
    (tr("Revoked or cancelled"), (SessionState.REVOKED,)),
    (tr("Full control"), (SessionState.FULL_CONTROL,)),
)
_PENDING = {
    PendingState.USABLE: (tr("Waiting for first use"), "accent"),
    PendingState.DORMANT: (tr("Asleep"), "muted"),
    PendingState.VOID: (tr("Void for now"), "muted"),
    PendingState.UNKNOWN: (tr("Not known"), "warn"),
    PendingState.USED: (tr("Ended"), "muted"),
    PendingState.CANCELLED: (tr("Cancelled"), "muted"),
    PendingState.EXPIRED: (tr("Expired"), "muted"),
}
_OVER = (SessionState.EXPIRED, SessionState.REVOKED)
_GRAVE = (Level.DANGER, Level.REFUSED)
_BARS = 2  # that have room in a row

Key: TypeAlias = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One limit. `used`: 0 to 1, None when nobody knows what it began with."""

    text: str
    used: float | None
    tone: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: a session (`row`), a grant that may still become one or that came to its end (`pending`), or neither: what
    was revoked here and is known by its number alone. `key` is the same in every reading."""

    view: View
    key: Key
    picture: str
    title: str
    chips: tuple[Chip, ...]
    line: str
    bars: tuple[Bar, ...]
    ends: tuple[str, str]
    verb: str
    row: Row | None = None
    pending: Pending | None = None

    @property
    def is_past(self) -> bool:
        """No session and no grant that could become one."""
        return self.row is None and (self.pending is None or not self.pending.is_open)

    @property
    def spoken(self) -> str:
        limits = " ".join(f"{bar.text}." for bar in self.bars)
        return f"{self.title}. {', '.join(text for text, _ in self.chips)}. {self.line}. {limits} {self.ends[0]}, {self.ends[1]}."


# --- making them


def entries_of(views: Sequence[View], clock: int, check: Callable[[], None] = lambda: None) -> list[Entry]:
    """In the order they are shown: sessions, unknown and dangerous first; grants that wait; what has ended; what is not on the chain any
    more, which only a filter shows. `check` may raise."""
    by_account = {_place(view.account): view for view in views}
    rows, waiting = [], []
    for row in ordered(row for view in views for row in view.rows):
        check()
        rows.append(_of_row(row, by_account[row.key[:3]], clock))
    for view in views:
        waiting += [_of_pending(pending, view, clock) for pending in view.open_grants]
    waiting.sort(key=lambda entry: entry.pending.record.draft.expiry or 2**64 if entry.pending else 0)
    running = [entry for entry in rows if entry.row and entry.row.state not in _OVER]
    over = [entry for entry in rows if entry.row and entry.row.state in _OVER]
    return [*running, *waiting, *over, *(entry for view in views for entry in _past(view, clock))]


def _past(view: View, clock: int) -> Iterator[Entry]:
    """Grants that were cancelled, expired unused, or whose session has gone; sessions revoked here that nobody has a grant of."""
    on_chain = {row.session.entity_id for row in view.rows}
    told = set()
    for pending in view.pending:
        if not pending.is_open and pending.record.draft.entity_id not in on_chain:
            told.add(pending.record.draft.entity_id)
            yield _of_pending(pending, view, clock)
    for gone in view.gone:
        if gone.entity_id not in told:
            yield _of_gone(gone, view)


def matching(entries: Iterable[Entry], wanted: Filter) -> list[Entry]:
    """Those that a filter lets through, in their order. A grant has a state and no risk; what is past is shown when it is asked for."""
    entries = list(entries)
    kept = {id(row) for row in narrowed((entry.row for entry in entries if entry.row), wanted)}
    return [entry for entry in entries if (id(entry.row) in kept if entry.row else _waits(entry, wanted))]


def _waits(entry: Entry, wanted: Filter) -> bool:
    account = entry.view.account
    return (
        wanted.risk is None
        and (wanted.account is None or _place(wanted.account) == _place(account))
        and wanted.chain_id in (None, account.chain_id)
        and (_state(entry) in wanted.states if wanted.states else not entry.is_past)
        and wanted.text.casefold() in f"{entry.title} {entry.picture} {entry.line}".casefold()
    )


def _state(entry: Entry) -> SessionState:
    """The state of a session that says the same of what is none."""
    if not entry.is_past:
        return SessionState.WAITING
    expired = entry.pending is not None and entry.pending.state is PendingState.EXPIRED
    return SessionState.EXPIRED if expired else SessionState.REVOKED


def _of_gone(gone: Gone, view: View) -> Entry:
    block = tr("Revoked here at block {block}.", block=gone.block) if gone.block else tr("Revoked here.")
    return Entry(
        view=view,
        key=(*_place(view.account), "gone", gone.entity_id),
        picture=f"{view.account.address}/{gone.entity_id}",
        title=tr("Session {entity_id}", entity_id=gone.entity_id),
        chips=((SAID[SessionState.REVOKED], TONES[SessionState.REVOKED]),),
        line=block,
        bars=(),
        ends=(tr("Ended"), ""),
        verb="",
    )


def _of_row(row: Row, view: View, clock: int) -> Entry:
    now = chain_now(row.block, row.taken, clock)
    session = row.session
    return Entry(
        view=view,
        key=row.key,
        picture=str(session.signer or session.module),
        title=visible(_first_up(row.title.plain)),
        chips=tuple(_chips(row)),
        line=_first_up(brief(row.line)),
        bars=bars(session.limits, Names(session.account, NO_CLAIMS)) or _no_limits(session.limits),
        ends=_ends(session.valid_until, now, session.valid_after),
        verb=tr("Revoke") if row.can_end else "",
        row=row,
    )


def _of_pending(pending: Pending, view: View, clock: int) -> Entry:
    record = pending.record
    draft = record.draft
    now = chain_now(view.reading.block, view.taken, clock)
    return Entry(
        view=view,
        key=(*_place(view.account), "grant", record.id),
        picture=str(draft.session_key),
        title=who(record),
        chips=(_PENDING.get(pending.state, ("Not known", "warn")),),
        line=pending.sentence,
        bars=bars(_granted(draft), Names(view.account, NO_CLAIMS)) or _no_limits(tuple(_granted(draft))),
        ends=_ends(draft.expiry, now),
        verb=tr("Cancel") if pending.is_open else "",
        pending=pending,
    )


def _place(account: Account) -> Key:
    return account.chain_id, account.address, account.system


def _chips(row: Row) -> Iterator[Chip]:
    yield SAID[row.state], TONES[row.state]
    if row.ending is not None and row.ending.state is ItemState.FAILED:
        yield tr("Revoking failed"), "bad"
    if row.since_last_look:
        yield tr("New"), "accent"
    if row.risk in _GRAVE and row.state not in (SessionState.FULL_CONTROL, *_OVER):
        yield tr("Danger"), "bad"


def _granted(draft: Draft) -> Iterator[Limit]:
    for permission in draft.permissions:
        match permission:
            case NativeTokenTransfer(amount):
                yield Limit(LimitKind.NATIVE, amount, None, amount)
            case GasLimit(amount):
                yield Limit(LimitKind.GAS, amount, None, amount)
            case Erc20TokenTransfer(token, amount):
                yield Limit(LimitKind.ERC20, amount, token, amount)


def bars(limits: Iterable[Limit], names: Names, most: int = _BARS) -> tuple[Bar, ...]:
    """The limits that are used most, `most` at the most; the last one tells of the rest."""
    spendable = (limit for limit in limits if limit.left or limit.granted != 0)  # nothing of it was ever granted: the line says so
    made = sorted((bar(limit, names) for limit in spendable), key=lambda one: -1.0 if one.used is None else one.used, reverse=True)
    if len(made) <= most:
        return tuple(made)
    return *made[: most - 1], Bar(tr("and {count} more limits", count=len(made) - most + 1), None, "muted")


def _no_limits(limits: Sequence[Limit]) -> tuple[Bar, ...]:
    return (Bar(tr("May spend nothing") if limits else tr("No limits"), None, "muted"),)


def bar(limit: Limit, names: Names) -> Bar:
    """ "Gas: 0.0031 of 0.01 ETH left"."""
    left, what = _amount(limit.left, limit, names), tr("Gas: ") if limit.kind is LimitKind.GAS else ""
    if limit.granted is None:
        return Bar(tr("{what}{left} left", what=what, left=left), None, "muted")
    granted = _amount(limit.granted, limit, names)
    left = left.removesuffix(" " + granted.partition(" ")[2]) if " " in granted else left
    used = 1 - limit.left / limit.granted if limit.granted else 0.0
    return Bar(
        tr("{what}{left} of {granted} left", what=what, left=left, granted=granted),
        max(0.0, used),
        "accent" if used < 0.8 else "warn",
    )


def _amount(amount: int, limit: Limit, names: Names) -> str:
    if limit.token is None:
        return names.coins(amount).text
    known = names.known(limit.token)
    return (
        names.amount(amount, limit.token) if known else tr("{amount} of {token}", amount=amount, token=short_address(limit.token))
    )


def _ends(until: int, now: int, after: int = 0) -> tuple[str, str]:
    """When it ends, both ways; chain time."""
    end = tr("until {moment}", moment=short_utc_time(until, now)) if until else tr("until revoked")
    if after > now:
        return tr("Starts in {short}", short=short_span(after - now)), end
    if not until:
        return tr("Never ends"), end
    return (short_span(until - now), end) if until > now else (tr("Ended"), short_utc_time(until, now))


def brief(line: Phrase) -> str:
    """On one line, addresses shortened: the opened session has them whole."""
    return "".join(short_address(part.text) if part.style is Style.ADDRESS else visible(part.text) for part in line.parts)


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def account_name(account: Account) -> str:
    """ "Games on Base"."""
    return tr(
        "{label} on {name}", label=visible(account.label) or short_address(account.address), name=network(account.chain_id).name
    )


# --- the model


class SessionModel(RowModel[Entry]):
    """Which entries are ticked is known here too (`ticked`, by key; only what is shown can be)."""

    def __init__(self) -> None:
        super().__init__()
        self.ticked: set[Key] = set()

    def set_rows(self, rows: list[Entry]) -> None:
        self.ticked &= {entry.key for entry in rows if entry.verb}
        super().set_rows(rows)

    def chosen(self) -> list[Entry]:
        """What is ticked, in its order."""
        return [entry for entry in self.rows if entry.key in self.ticked]

    def tick(self, entry: Entry) -> None:
        """Tick it, or not any more; what cannot be ended is never ticked."""
        if entry.verb:
            self.ticked ^= {entry.key}
            self._changed()

    def untick(self) -> None:
        self.ticked.clear()
        self._changed()

    def _changed(self) -> None:
        if self.rows:
            self.dataChanged.emit(self.index(0), self.index(len(self.rows) - 1), [Qt.ItemDataRole.CheckStateRole])

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if self.rows[index.row()].key in self.ticked else Qt.CheckState.Unchecked
        return super().data(index, role)
