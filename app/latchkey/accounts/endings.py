"""From the exact bytes of operations and transactions to what a person reads before signing what ends, cancels and tightens.

As with grants (review.py): decode, judge, rebuild, compare. What is shown is what the bytes say, and only bytes that the builder would
make again are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from latchkey.accounts import transaction as transactions_
from latchkey.accounts.modular_account.deferred import signer_of as signer_of
from latchkey.accounts.system import system
from latchkey.core.account import Account
from latchkey.core.ending import Ending, Known
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.phrases import Finding, Level, Words
from latchkey.core.reading import Operation, Transaction
from latchkey.core.risk_endings import ending_findings
from latchkey.core.types import Address, keccak
from latchkey.core.words_endings import describe_endings
from latchkey.errors import Mismatch, Refused
from latchkey.language import tr

MOST = 64  # signatures at once
MOST_LEVELS = 8
R = TypeVar("R", Operation, Transaction)


@dataclass(frozen=True, slots=True)
class EndingReview:
    """`digests`: the 32 bytes that each signature is over, in the order of the bytes given. `digest`: one for all of them, for comparing
    with another machine: the only one, or the hash of them all in their order."""

    endings: tuple[Ending, ...]
    words: Words
    findings: tuple[Finding, ...]
    digests: tuple[bytes, ...]

    @property
    def digest(self) -> bytes:
        return self.digests[0] if len(self.digests) == 1 else keccak(b"".join(self.digests))


def review_operations(
    operations: Sequence[bytes], account: Account, *, now: int, known: Sequence[Known] = (), notes: Notes = NO_NOTES
) -> EndingReview:
    """What these operations (unsigned) do. Raises CannotDecode, Mismatch or Refused. Those with one nonce must differ in fees alone."""
    face = system(account.system)

    def read(data: bytes) -> Operation:
        reading = face.decode_operation(data)
        face.judge_operation(reading, account)
        return _same(reading, face.operation_bytes(reading), data)

    readings = _read(operations, read)
    digests = tuple(face.operation_digest(reading, account.chain_id) for reading in readings)
    return _reviewed(readings, digests, account, now, known, notes)


def review_transactions(
    transactions: Sequence[bytes],
    account: Account,
    sender: Address,
    *,
    now: int,
    known: Sequence[Known] = (),
    notes: Notes = NO_NOTES,
) -> EndingReview:
    """What these transactions of `sender` (unsigned) do: the owner of `account`, or, where they carry operations the owner signed,
    anybody. Raises CannotDecode, Mismatch or Refused. Those with one nonce must differ in fees alone."""
    face = system(account.system)

    def read(data: bytes) -> Transaction:
        reading = face.decode_transaction(data, account.address)
        face.judge_transaction(reading, account, sender)
        return _same(reading, face.transaction_bytes(reading, account.address), data)

    readings = _read(transactions, read)
    return _reviewed(readings, tuple(map(transactions_.digest, transactions)), account, now, known, notes)


def _read(datas: Sequence[bytes], read: Callable[[bytes], R]) -> list[R]:
    if not 0 < len(datas) <= MOST:
        raise Refused(tr("Latchkey signs 1 to {most} of these at once.", most=MOST), code="TooMany")
    if len(set(datas)) != len(datas):
        raise Refused(tr("The same bytes are there twice."), code="Doubled")
    return [read(data) for data in datas]


def _same(reading: R, rebuilt: bytes, data: bytes) -> R:
    if rebuilt != data:
        raise Mismatch(
            tr("These bytes are not what Latchkey would make of their own meaning; they are not signed."), code="NotCanonical"
        )
    return reading


def _reviewed(
    readings: Sequence[Operation | Transaction],
    digests: tuple[bytes, ...],
    account: Account,
    now: int,
    known: Sequence[Known],
    notes: Notes,
) -> EndingReview:
    endings = _endings(readings)
    found = ending_findings(endings, account=account, now=now, known=known)
    for finding in found:
        if finding.level is Level.REFUSED:
            raise Refused(f"{finding.sentence} {finding.advice}", code=finding.id)
    return EndingReview(endings, describe_endings(endings, account=account, now=now, known=known, notes=notes), found, digests)


def _endings(readings: Sequence[Operation | Transaction]) -> tuple[Ending, ...]:
    by_nonce: dict[int, list[Operation | Transaction]] = {}
    for reading in readings:
        by_nonce.setdefault(reading.nonce, []).append(reading)
    return tuple(_ending(found) for found in by_nonce.values())


def _ending(levels: Sequence[Operation | Transaction]) -> Ending:
    """Of those with one nonce only one can be used, and whoever carries it chooses which: they must do the same."""
    dearest = max(levels, key=lambda reading: reading.most)
    if len(levels) > MOST_LEVELS or len({_without_fees(reading) for reading in levels}) > 1:
        raise Refused(tr("Two of these share a nonce and do different things; only one of them could be used."), code="SharedNonce")
    return Ending(dearest, tuple(reading.max_fee_per_gas for reading in levels))


def _without_fees(reading: Operation | Transaction) -> Operation | Transaction:
    return replace(reading, max_fee_per_gas=0, max_priority_fee_per_gas=0)
