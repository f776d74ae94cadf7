"""Hand-overs of what takes power away: made for another machine or another person, read back, and checked against their own bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from latchkey.accounts.endings import EndingReview, review_operations, review_transactions, signer_of
from latchkey.accounts.system import system
from latchkey.codec.hand_over import Envelope, Kind
from latchkey.core.account import Account, Mode
from latchkey.core.ending import Known
from latchkey.core.reading import Cancel
from latchkey.core.types import ZERO_ADDRESS, Address
from latchkey.core.words_endings import steps_of
from latchkey.errors import BadInput, Mismatch
from latchkey.language import tr

_TRANSACTIONS = (Kind.UNSIGNED_TRANSACTION, Kind.SIGNED_TRANSACTION)


def operations_envelope(operations: Sequence[bytes], account: Account, *, now: int) -> Envelope:
    """Unsigned operations to be carried to the owner's key. Raises what reviewing them raises."""
    reviewed = review_operations(operations, account, now=now)
    return Envelope(_kind(reviewed), account=account, operations=tuple(operations), created=now)


def transactions_envelope(transactions: Sequence[bytes], account: Account, *, now: int) -> Envelope:
    """The same for the owner's own transactions."""
    review_transactions(transactions, account, account.owner or ZERO_ADDRESS, now=now)
    return Envelope(Kind.UNSIGNED_TRANSACTION, account=account, transactions=tuple(transactions), created=now)


def signed_envelope(unsigned: Envelope, signatures: Sequence[bytes], *, now: int) -> Envelope:
    """With r||s||v of each. Raises Mismatch unless all of them are one key's, the owner's where the account names it."""
    signed = replace(unsigned, kind=unsigned.kind.signed, signatures=tuple(signatures))
    review_envelope(signed, now=now)
    return signed


def review_envelope(envelope: Envelope, *, now: int, known: Sequence[Known] = ()) -> tuple[EndingReview, Address | None]:
    """What it means, and who signed it (None: nobody yet). Raises CannotDecode, Mismatch, Refused, BadInput."""
    account = envelope.account
    if account is None:
        raise BadInput(tr("account is missing from the envelope."), path="account")
    check_derived(account)
    if envelope.kind in _TRANSACTIONS:
        sender = account.owner or ZERO_ADDRESS
        reviewed = review_transactions(envelope.transactions, account, sender, now=now, known=known)
    else:
        reviewed = review_operations(envelope.operations, account, now=now, known=known)
        if envelope.kind not in (_kind(reviewed), _kind(reviewed).signed):
            raise Mismatch(tr("kind: the operations in this envelope are of another kind than it says."), path="kind")
    return reviewed, _signer(envelope, reviewed, account) if envelope.signatures else None


def _kind(reviewed: EndingReview) -> Kind:
    steps = [step for ending in reviewed.endings for step in steps_of(ending.reading)]
    return Kind.UNSIGNED_CANCELLATION if all(isinstance(step, Cancel) for step in steps) else Kind.UNSIGNED_REVOCATION


def _signer(envelope: Envelope, reviewed: EndingReview, account: Account) -> Address:
    signers = {signer_of(digest, signature) for digest, signature in zip(reviewed.digests, envelope.signatures, strict=True)}
    if len(signers) > 1 or account.owner not in (None, *signers):
        raise Mismatch(tr("The signatures are not the owner's."), path="signatures")
    return signers.pop()


def check_derived(account: Account) -> None:
    """An account that says how its address follows from its owner has to have that address. Raises Mismatch."""
    if account.mode in (Mode.SMA, Mode.MA, Mode.EIP7702) and account.owner is not None:
        derived = system(account.system).predict(account.chain_id, account.owner, account.salt or 0, account.mode)
        if derived.address != account.address or account.init_code not in (b"", derived.init_code):
            raise Mismatch(tr("The account in the envelope does not follow from its owner."), path="account")
