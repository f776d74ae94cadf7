"""Grants of the book as rows: who, what it may do in one line, its state in words, until when.

Everything is read from the signed bytes, off the UI thread; a grant that cannot be read says so and is still shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from latchkey.accounts.review import exact
from latchkey.core.account import Account, Mode
from latchkey.core.moments import span
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.networks import network
from latchkey.core.phrases import Finding, Phrase, Style, Words
from latchkey.core.risk import findings
from latchkey.core.words import describe
from latchkey.errors import LatchkeyError
from latchkey.flow.accounts import find
from latchkey.flow.naming import kept_notes
from latchkey.language import tr
from latchkey.store.records import GrantRecord, GrantState
from latchkey.ui.times import utc_time
from latchkey.ui.widgets.address import short_address
from latchkey.ui.widgets.text import visible

if TYPE_CHECKING:
    from latchkey.store.book import Book

_ENDED = 2**48  # sorts what has ended behind everything that still ends


@dataclass(frozen=True, slots=True)
class Row:
    """One grant, ready to be drawn. `left` and `until`: "6 h 12 min", "until today 21:30". `tone`: of the state's pill."""

    record: GrantRecord
    account: Account
    who: str
    line: str
    state: str
    tone: str
    left: str
    until: str

    @property
    def key(self) -> int:
        return self.record.id

    @property
    def spoken(self) -> str:
        return f"{self.who}. {self.state}. {self.line}. {self.left}, {self.until}."


@dataclass(frozen=True, slots=True)
class Reading:
    words: Words
    findings: tuple[Finding, ...]


def read_rows(book: Book, now: int, check: Callable[[], None]) -> list[Row]:
    """Rows in the order they are shown: what ends next first, then what has ended. `check` is called between rows and may raise."""
    rows, accounts = [], book.accounts()
    notes = cache(partial(kept_notes, book))  # by network
    for record in book.grants():
        check()
        rows.append(read_row(record, accounts, now, notes(record.draft.chain_id)))
    return sorted(rows, key=lambda row: (_ended(row.record, now), row.record.draft.expiry or _ENDED, -row.record.id))


def read_row(record: GrantRecord, accounts: Sequence[Account], now: int, notes: Notes = NO_NOTES) -> Row:
    account = account_of(record, accounts)
    state, tone = state_in_words(record, now)
    expiry = record.draft.expiry
    if not expiry:
        left, until = tr("Never ends"), tr("until revoked")
    elif expiry > now:
        left, until = span(expiry - now), tr("until {time}", time=utc_time(expiry, now))
    else:
        left, until = tr("Ended"), utc_time(expiry, now)
    return Row(record, account, who(record), _one_line(record, account, now, notes), state, tone, left, until)


def account_of(record: GrantRecord, accounts: Sequence[Account]) -> Account:
    """The book's account of a grant, or a bare one when it was removed from the list."""
    draft = record.draft
    return find(accounts, draft.chain_id, draft.account) or Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)


def who(record: GrantRecord) -> str:
    """The person's own name for it, else what the dApp calls itself, else the key."""
    if record.label:
        return visible(record.label)
    if record.claims.dapp_name:
        return tr("Calls itself “{dapp_name}”", dapp_name=visible(record.claims.dapp_name))
    return tr("Key {session_key}", session_key=short_address(record.draft.session_key))


def state_in_words(record: GrantRecord, now: int) -> tuple[str, str]:
    """State and tone. Without a network nothing is known of use, so nothing is said of it."""
    if _ended(record, now):
        return tr("Expired"), "muted"
    match record.state:
        case GrantState.UNSIGNED:
            return tr("Not signed"), "muted"
        case GrantState.SIGNED:
            return tr("Signed, not handed over"), "accent"
        case GrantState.HANDED_OVER:
            return tr("Handed over"), "good"
        case GrantState.PUT_ASIDE:
            return tr("Put aside, still valid"), "warn"
        case GrantState.WAITING:
            return tr("Waiting for what it replaces"), "accent"


def still_valid(record: GrantRecord, now: int) -> str:
    """ "still valid until ..." for a signed grant that is put aside."""
    expiry = record.draft.expiry
    return (
        tr("still valid until {time}", time=utc_time(expiry, now))
        if expiry
        else tr("still valid for ever, until it is revoked on the network")
    )


def read_grant(record: GrantRecord, account: Account, now: int, notes: Notes = NO_NOTES) -> Reading:
    """Words and findings from the exact bytes. Raises CannotDecode or Mismatch."""
    _, reading = exact(record.unsigned, account)
    words = describe(reading, account=account, now=now, claims=record.claims, notes=notes)
    return Reading(words, findings(reading, account=account, now=now, claims=record.claims, notes=notes))


def _ended(record: GrantRecord, now: int) -> bool:
    return bool(record.draft.expiry) and record.draft.expiry <= now


def _one_line(record: GrantRecord, account: Account, now: int, notes: Notes) -> str:
    try:
        words = read_grant(record, account, now, notes).words
    except LatchkeyError:
        return tr("Cannot be read: its bytes are not what this program writes")
    return f"{network(account.chain_id).name}: {'; '.join(_short(line) for line in words.can)}"


def _short(line: Phrase) -> str:
    return "".join(short_address(part.text) if part.style is Style.ADDRESS else visible(part.text) for part in line.parts)
