"""What has become of a grant that was signed here: only the chain knows, and its nonce says it.

A signed grant can be brought to the chain by whoever holds it, at any time until it ends. It is dead only when the chain's nonce has
moved past it or its time is over; everything else, however likely, is called by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from latchkey.codec.hand_over import decode
from latchkey.core.moments import until, utc
from latchkey.core.session import AccountReading, Owner
from latchkey.core.types import Address
from latchkey.errors import LatchkeyError
from latchkey.language import tr
from latchkey.store.records import GrantRecord, GrantState

_OWNERS = ("fallback-signer", "single-signer")


class PendingState(StrEnum):
    USABLE = "usable"  # whoever has it can bring it to the chain now
    DORMANT = "dormant"  # not now, but it may come alive without another signature
    USED = "used"  # it was brought to the chain, by whomever
    VOID = "void"  # its signature is by somebody who does not own the account now
    EXPIRED = "expired"
    CANCELLED = "cancelled"  # the chain's nonce has passed it, and it was never installed
    UNKNOWN = "unknown"  # the chain was not asked yet, or does not tell


@dataclass(frozen=True, slots=True)
class Pending:
    """`sentence`: what is so and what follows. `sequence`: the chain's next one for its nonce key, None when it was not asked."""

    record: GrantRecord
    state: PendingState
    sentence: str
    sequence: int | None = None

    @property
    def is_open(self) -> bool:
        """It may still become a session: worth cancelling."""
        return self.state in _OPEN


_OPEN = frozenset({PendingState.USABLE, PendingState.DORMANT, PendingState.VOID, PendingState.UNKNOWN})


def nonce_key(record: GrantRecord) -> int:
    """The 192-bit key whose sequence tells."""
    return record.nonce >> 64


def pending_of(record: GrantRecord, reading: AccountReading | None, sequence: int | None, now: int) -> Pending:
    """`reading` and `sequence` from the same block, None when there is none; `now`: chain time."""
    state, sentence = _judged(record, reading, sequence, now)
    return Pending(record, state, sentence, sequence)


def _judged(record: GrantRecord, reading: AccountReading | None, sequence: int | None, now: int) -> tuple[PendingState, str]:
    expiry, own = record.draft.expiry, record.draft.sequence
    if reading is not None and sequence is not None and sequence > own:
        return _passed(record, reading)
    if expiry and now > expiry:
        return PendingState.EXPIRED, tr("It ended {time} without being used; nobody can use it now.", time=utc(expiry))
    if reading is None or sequence is None:
        return PendingState.UNKNOWN, tr("The chain was not asked about it yet: it may be used, or still be usable.")
    if sleeping := _sleeping(reading):
        return PendingState.DORMANT, sleeping
    signer, owner = signer_of(record), _owner(reading)
    if signer is not None and owner is not None and owner.address is not None and signer != owner.address:
        return PendingState.VOID, _VOID
    if sequence < own:
        return PendingState.DORMANT, _NOT_REACHED
    end = tr(" until {until}", until=until(expiry, now)) if expiry else tr(", without an end")
    if record.state is GrantState.WAITING:
        return PendingState.USABLE, tr("Signed, and kept back here until the session it replaces is gone.")
    if record.envelope is None:
        return PendingState.USABLE, tr(
            "It was prepared to be signed on another machine; once signed, it can be used{end}.", end=end
        )
    return PendingState.USABLE, tr("Whoever has it can use it{end}.", end=end)


def _passed(record: GrantRecord, reading: AccountReading) -> tuple[PendingState, str]:
    entity_id = record.draft.entity_id
    if any(session.entity_id == entity_id for session in reading.sessions):
        return PendingState.USED, tr("Used: its session is on the chain, as number {entity_id}.", entity_id=entity_id)
    if entity_id in reading.used_entity_ids:
        return PendingState.USED, tr("Used: its session, number {entity_id}, was on the chain and has ended.", entity_id=entity_id)
    if reading.logs.complete:
        return PendingState.CANCELLED, tr(
            "Cancelled: the account's nonce has passed it and it was never used. Nobody can use it now."
        )
    return PendingState.UNKNOWN, _UNTOLD


def _sleeping(reading: AccountReading) -> str:
    """Why the account takes no signed grant at all for now, "" when it does."""
    owner = _owner(reading)
    if owner is None:
        return ""
    if owner.disabled:
        return tr("The account's owner is switched off, so it cannot be used now; it can when the owner is switched on again.")
    if owner.hooks:
        return tr("Hooks stand on the owner's key, so it cannot be used now; it can when they are gone.")
    return ""


_VOID = tr("The account has another owner than the one that signed it, so it cannot be used; it could when that owner came back.")
_NOT_REACHED = tr("Asleep: its turn in the account's nonces has not come, but it can be woken. Cancel it unless you want that.")
_UNTOLD = tr(
    "The account's nonce has passed it; whether it was used or cancelled is not known, because some logs could not be read."
)


def _owner(reading: AccountReading) -> Owner | None:
    """Who signs for entity 0."""
    return next((owner for owner in reading.owners if owner.entity_id == 0 and owner.kind in _OWNERS), None)


def signer_of(record: GrantRecord) -> Address | None:
    """Whose key signed it, as was checked when it came into the book; None when it is not signed or its envelope does not say."""
    return None if record.envelope is None else _signer(record.envelope)


@lru_cache(maxsize=1024)
def _signer(envelope: bytes) -> Address | None:
    try:
        account = decode(envelope).account
    except LatchkeyError:
        return None
    return account.owner if account else None
