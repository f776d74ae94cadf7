"""Requests as they are drawn: every text of a row made beforehand, off the UI thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchkey.core.account import Account, Mode
from latchkey.core.networks import network
from latchkey.core.phrases import Phrase
from latchkey.core.request import RevocationRequest, SessionRequest
from latchkey.core.types import ZERO_ADDRESS
from latchkey.core.words_permissions import describe_end, describe_permission
from latchkey.core.words_pieces import Names, phrase
from latchkey.flow.accounts import find
from latchkey.flow.requests import Record, RequestKind, RequestState, Source
from latchkey.language import tr, trn
from latchkey.ui.pages.session_rows import account_name, brief
from latchkey.ui.times import age, utc_time
from latchkey.ui.widgets.row_parts import Chip
from latchkey.ui.widgets.text import visible

if TYPE_CHECKING:
    from latchkey.ui.context import Context

SOURCES = {
    Source.BRIDGE: tr("through the bridge"),
    Source.LINK: tr("by a link"),
    Source.QR: tr("by a QR code"),
    Source.FILE: tr("by a file"),
    Source.CLIPBOARD: tr("from the clipboard"),
    Source.OWN: tr("made here"),
}
_STATES = {
    RequestState.NEW: (tr("New"), "accent"),
    RequestState.SEEN: (tr("Waits for you"), "accent"),
    RequestState.GRANTED: (tr("Granted"), "good"),
    RequestState.REFUSED: (tr("Refused"), "muted"),
    RequestState.WITHDRAWN: (tr("Withdrawn"), "muted"),
    RequestState.EXPIRED: (tr("Not answered in time"), "muted"),
}
_PROVEN, _UNPROVEN = (tr("Sender proven"), "good"), (tr("Sender unproven"), "muted")


@dataclass(frozen=True, slots=True)
class Row:
    """One request, ready to be drawn. `when`: how long ago, and by which way it came. `verbs`: what its two buttons say, "" for none."""

    record: Record
    title: str
    chips: tuple[Chip, ...]
    line: str
    when: tuple[str, str]
    verbs: tuple[str, str] = ("", "")

    @property
    def key(self) -> int:
        return self.record.id

    @property
    def spoken(self) -> str:
        return f"{self.title}. {', '.join(text for text, _ in self.chips)}. {self.line}. {self.when[0]}, {self.when[1]}."


@dataclass(frozen=True, slots=True)
class Found:
    """Everything the page shows, read in one go."""

    rows: list[Row]
    muted: tuple[tuple[str, int], ...]


def read_rows(context: Context, check: Callable[[], None]) -> Found:
    """Those that wait first, each group newest first. On a worker; `check` may raise."""
    now, accounts = context.clock(), context.book.accounts()
    rows = []
    for record in context.requests.all():
        check()
        rows.append(row_of(record, accounts, now))
    return Found(sorted(rows, key=lambda row: not row.record.is_open), context.requests.muted())


def row_of(record: Record, accounts: Sequence[Account], now: int) -> Row:
    open_ = record.is_open and record.request is not None
    review = tr("Review") if record.kind is RequestKind.SESSION else tr("Open")
    return Row(
        record=record,
        title=who(record),
        chips=(_STATES[record.state], _PROVEN if record.proven else _UNPROVEN),
        line=_line(record, accounts, now),
        when=(_up(age(max(0, now - record.arrived_at))), SOURCES[record.source]),
        verbs=(tr("Refuse"), review) if open_ else ("", ""),
    )


def who(record: Record) -> str:
    """The page that is proven to ask, else what the sender calls itself."""
    if record.proven:
        return visible(record.origin)  # of a program: the name the person let it in by
    name = record.request.claims.dapp_name if isinstance(record.request, SessionRequest) else ""
    return tr("Calls itself “{dapp_name}”", dapp_name=visible(name)) if name else tr("Gives no name")


def asks(record: Record, accounts: Sequence[Account], now: int) -> tuple[Phrase, ...]:
    """What it asks for, line by line."""
    request = record.request
    if isinstance(request, SessionRequest):
        return tuple(_session(request, now))
    if isinstance(request, RevocationRequest):
        known = find(accounts, request.chain_id, request.account)
        account = known or Account(request.chain_id, request.account, request.system, Mode.ADDRESS)
        numbers = ", ".join(map(str, request.entity_ids))
        text = trn("End session {numbers} of {name}", "End sessions {numbers} of {name}", len(request.entity_ids), numbers=numbers,
                   name=account_name(account))  # fmt: skip
        return (phrase(text),)
    return (phrase(tr("This version of Latchkey cannot read it any more")),)


def answer_line(record: Record, now: int) -> str:
    """When it got which answer; "" while it waits."""
    if record.is_open:
        return ""
    moment, reason = utc_time(record.answered_at, now), visible(record.reason)
    if record.state is RequestState.REFUSED:
        return tr("Refused {moment}: “{reason}”", moment=moment, reason=reason) if reason else tr("Refused {moment}", moment=moment)
    return f"{_up(moment)}: {reason}" if reason else f"{_STATES[record.state][0]} {moment}"


def _line(record: Record, accounts: Sequence[Account], now: int) -> str:
    said = answer_line(record, now) if record.state is not RequestState.GRANTED else ""
    return " · ".join(filter(None, (said, *map(brief, asks(record, accounts, now)))))


def _session(request: SessionRequest, now: int) -> Iterable[Phrase]:
    """The network, then every power in a few words, then its end."""
    yield phrase(network(request.chain_id).name if request.chain_id else tr("Any network"))
    place = Account(request.chain_id or 1, request.account or ZERO_ADDRESS, request.system, Mode.ADDRESS)
    names = Names(place, request.claims)
    for permission in request.permissions:
        yield describe_permission(permission, names)
    yield describe_end(request.expiry, now)


def _up(text: str) -> str:
    return text[:1].upper() + text[1:]
