"""Ending: revoking, cancelling, tightening and cleaning, from a reading of the chain to the chain's own word that it is so.

    ending = Ending(book, lambda: client, chains, clock)
    plan = ending.plan(reading, RevokeAll())            everything tried on the chain; what cannot be done stands in plan.impossible
    ways = ending.ways(plan)                            possible ones first, each with its cost
    prepared = ending.prepare(plan, ways[0])            the signer has read the bytes: prepared.preview has the words and the digest
    results = ending.sign_and_send(prepared, say, stop) blocks: one yes at the desk, then sent, mined, asked again
    ending.export(prepared), ending.accept(envelope)    for a machine without a network, and what comes back from it
    ending.resume(say, stop)                            what was on its way when the program was closed

Everything blocks; use a worker. What is signed goes into the book before it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING

from latchkey.accounts import transaction as transactions
from latchkey.accounts.endings import EndingReview, review_operations, review_transactions, signer_of
from latchkey.accounts.modular_account.userop import UserOperation, to_bytes
from latchkey.accounts.system import system
from latchkey.accounts.transaction import PlainTransaction
from latchkey.chain.bundler import Bundler
from latchkey.chain.entry_point import from_bytes, prefund
from latchkey.chain.node import TooSlow, Unreachable
from latchkey.chain.refusals import lacking
from latchkey.chain.send import PATIENCE, Progress
from latchkey.codec.hand_over import Envelope, Kind
from latchkey.core.account import Account, Mode
from latchkey.core.ending import Known
from latchkey.core.reading import Operation
from latchkey.core.session import AccountReading
from latchkey.core.types import Address
from latchkey.errors import BadInput, Mismatch, Refused
from latchkey.flow import ending_plan
from latchkey.flow.chains import NotSet
from latchkey.flow.ending_envelopes import operations_envelope, transactions_envelope
from latchkey.flow.ending_plan import Cancel, Clean, Lower, Plan, Revoke, RevokeAll, Tighten, What
from latchkey.flow.ending_results import ItemResult, of_steps, to_keep
from latchkey.flow.ending_sending import Sending, count, operation_part, transaction_part
from latchkey.flow.ending_ways import (
    Facts,
    Way,
    WayKind,
    chosen,
    facts,
    facts_of,
    operation,
    owner_of,
    transaction,
    ways,
)
from latchkey.language import tr
from latchkey.store.endings import EndingItem
from latchkey.vault.model import EndingPreview

if TYPE_CHECKING:
    from latchkey.chain.fees import Fee
    from latchkey.chain.node import Node
    from latchkey.flow.chains import Chains
    from latchkey.store.book import Book
    from latchkey.vault.client import SignerClient

__all__ = [
    "Cancel", "Clean", "Ending", "ItemResult", "Lower", "Plan", "Prepared", "Revoke", "RevokeAll", "Tighten", "Way", "WayKind", "What",
    "chosen",
]  # fmt: skip

_MOST_BYTES = 600_000  # of what is signed at once: it travels in one frame
_MOST_SIGNED = 60
_KEPT = tr("What was signed is kept, and Latchkey goes on with it when it is started again.")
_HANDED_OVER = tr("The bundler took it. No RPC answers, so nobody has looked whether it is in a block yet; Latchkey looks later.")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Made exact, and read by the signer. `operations` or `transactions`: one row a batch, one entry a fee level. `since`: the newest
    block when it was made. `items`: as the book will keep them."""

    account: Account
    way: Way
    owner: Address
    preview: EndingPreview
    items: tuple[EndingItem, ...]
    since: int
    operations: tuple[tuple[UserOperation, ...], ...] = ()
    transactions: tuple[tuple[PlainTransaction, ...], ...] = ()


class Ending:
    """`client` is asked for when the signer is first needed. `patience`: seconds until what is stuck is sent with a higher fee."""

    def __init__(
        self,
        book: Book,
        client: Callable[[], SignerClient],
        chains: Chains,
        clock: Callable[[], int],
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._book, self._client, self._clock = book, client, clock
        self._sending = Sending(book, client, chains, clock, patience)

    # --- before signing

    def plan(self, reading: AccountReading, what: What, stop: Event | None = None) -> Plan:
        """Raises BadInput, Refused (nothing to do, or not to be done), SendError, ChainError."""
        account = reading.account
        items = ending_plan.wanted(reading, what, self._book.grants(account))
        if not items:
            raise Refused(tr("There is nothing to end on this account."), code="NothingToDo")
        made = ending_plan.plan(self._sending.node(account, stop), reading, items)
        if isinstance(what, RevokeAll):
            return replace(made, impossible=tuple(one for one in made.impossible if not one.over))
        return made

    def ways(self, plan: Plan, stop: Event | None = None) -> tuple[Way, ...]:
        """Raises ChainError."""
        self._something(plan)
        node = self._sending.node(plan.account, stop)
        return ways(node, self._sending.bundler(plan.account, stop), plan, facts(node, plan, self._sending.keys()))

    def prepare(self, plan: Plan, way: Way, stop: Event | None = None) -> Prepared:
        """Nonces, fees, and the signer's reading of the bytes (for another machine they are read here: no vault is needed). Raises
        ChainError, Refused, Mismatch, Locked."""
        self._something(plan)
        if not way.possible:
            raise Refused(way.why_not, code="NotPossible")
        node = self._sending.node(plan.account, stop)
        known = facts(node, plan, self._sending.keys())
        if known.owner is None:
            raise Refused(tr("Which key owns this account is not known."), code="NoOwner")
        items = tuple(to_keep(item, plan.account, index) for index, batch in enumerate(plan.batches) for item in batch.items)
        if way.kind is WayKind.OWNER or (way.kind is WayKind.EXPORT and not way.gas):
            made = self._transactions(node, plan, way, known)
            preview = self._preview_transactions(plan, way, known.owner, made)
            return Prepared(plan.account, way, known.owner, preview, items, known.block, transactions=made)
        operations = self._operations(plan, way, known)
        preview = self._preview_operations(plan, way, known.owner, operations)
        return Prepared(plan.account, way, known.owner, preview, items, known.block, operations=operations)

    def _operations(self, plan: Plan, way: Way, known: Facts) -> tuple[tuple[UserOperation, ...], ...]:
        """Of one lane, one nonce after the other."""
        levels = _levels(way, known, sum(len(batch.call_data) + 1_000 for batch in plan.batches), len(plan.batches))
        return tuple(
            tuple(operation(plan, batch, known.operation_nonce + index, way.gas[index], fee) for fee in levels)
            for index, batch in enumerate(plan.batches)
        )

    def _transactions(self, node: Node, plan: Plan, way: Way, known: Facts) -> tuple[tuple[PlainTransaction, ...], ...]:
        assert known.owner is not None
        face, account = system(plan.account.system), plan.account
        first = count(node, known.owner)
        levels = _levels(way, known, sum(len(batch.call_data) + 1_000 for batch in plan.batches), len(plan.batches))
        return tuple(
            tuple(
                transaction(account.chain_id, account.address, face.owner_call(batch.call_data), first + i, way.limits[i], fee)
                for fee in levels
            )
            for i, batch in enumerate(plan.batches)
        )

    def _preview_operations(self, plan: Plan, way: Way, owner: Address, made: Sequence[Sequence[UserOperation]]) -> EndingPreview:
        datas, account, known = [to_bytes(op) for levels in made for op in levels], as_owned(plan.account, owner), self._known(plan)
        if way.kind is WayKind.EXPORT:
            return _read_here(review_operations(datas, account, now=self._clock(), known=known))
        return self._client().preview_operations(datas, account, owner, known)

    def _preview_transactions(
        self, plan: Plan, way: Way, owner: Address, made: Sequence[Sequence[PlainTransaction]]
    ) -> EndingPreview:
        datas, account = [transactions.to_bytes(t) for levels in made for t in levels], as_owned(plan.account, owner)
        known = self._known(plan)
        if way.kind is WayKind.EXPORT:
            return _read_here(review_transactions(datas, account, owner, now=self._clock(), known=known))
        return self._client().preview_transactions(datas, account, owner, known)

    def _known(self, plan: Plan) -> tuple[Known, ...]:
        """What the signer cannot know: names, and what the chain said is left."""
        labels = {(g.draft.entity_id, g.draft.session_key): g.label for g in self._book.grants(plan.account) if g.label}
        sessions = {item.session.entity_id: item.session for item in plan.items if item.session}
        return tuple(
            Known(
                s.entity_id,
                labels.get((s.entity_id, s.signer), "")[:80] if s.signer else "",
                s.signer,
                s.limits,
                s.valid_until,
                plan.reading.block.number,
            )
            for s in sessions.values()
        )

    # --- signing and sending

    def sign_and_send(
        self, prepared: Prepared, progress: Progress | None = None, stop: Event | None = None
    ) -> tuple[ItemResult, ...]:
        """One yes signs everything (a second one signs what carries it, for the way "self"). Raises Declined, Locked, Refused and what
        keeps it from being sent at all; what comes of each item afterwards is its result's."""
        if prepared.way.kind is WayKind.EXPORT:
            raise Refused(tr("This was made for another machine: export it."), code="ForExport")
        node = self._sending.node(prepared.account, stop)
        signatures = iter(self._client().sign_all(prepared.preview.token))
        parts = [
            operation_part(index, level, op, next(signatures))
            for index, row in enumerate(prepared.operations)
            for level, op in enumerate(row)
        ]
        parts += [
            transaction_part(index, level, prepared.owner, transactions.signed(made, next(signatures)))
            for index, row in enumerate(prepared.transactions)
            for level, made in enumerate(row)
        ]
        if prepared.way.kind is WayKind.SELF:
            parts += self._sending.carriers(node, prepared.account, parts)
        record = self._sending.keep(prepared.account, prepared.way.kind, prepared.since, prepared.items, parts)
        return self._sending.send(record, progress, stop)

    # --- another machine

    def export(self, prepared: Prepared) -> tuple[Envelope, ...]:
        """What the machine with the owner's key signs: one envelope for each batch."""
        made = self._clock()
        rows = len(prepared.operations) or len(prepared.transactions)
        return tuple(self._exported(prepared, index, made) for index in range(rows))

    def _exported(self, prepared: Prepared, index: int, made: int) -> Envelope:
        account = as_owned(prepared.account, prepared.owner)
        if prepared.transactions:
            return transactions_envelope(list(map(transactions.to_bytes, prepared.transactions[index])), account, now=made)
        return operations_envelope(list(map(to_bytes, prepared.operations[index])), account, now=made)

    def accept(self, envelope: Envelope, progress: Progress | None = None, stop: Event | None = None) -> tuple[ItemResult, ...]:
        """Send what another machine signed. Raises BadInput for anything else, Mismatch when the owner did not sign it, and as
        `sign_and_send` does."""
        account = envelope.account
        if account is None or not envelope.signatures:
            raise BadInput(tr("This is no signed revocation, cancellation or transaction."), code="NotSigned")
        if envelope.kind is Kind.SIGNED_TRANSACTION:
            return self._accept_transactions(account, envelope, progress, stop)
        return self.send_operations(account, envelope.operations, envelope.signatures, None, progress, stop)

    def send_operations(
        self,
        account: Account,
        datas: Sequence[bytes],
        signatures: Sequence[bytes],
        way: WayKind | None,
        progress: Progress | None = None,
        stop: Event | None = None,
    ) -> tuple[ItemResult, ...]:
        """Send operations that are signed already (several with one nonce: fee levels, the calmest first), through the bundler where
        one is set, or carried by a key of the vault. Raises Mismatch, Refused, ChainError."""
        face = system(account.system)
        readings = [face.decode_operation(data) for data in datas]
        for reading, signature in zip(readings, signatures, strict=True):
            face.judge_operation(reading, account)
            _check_signer(account, signer_of(face.operation_digest(reading, account.chain_id), signature))
        bundler = self._sending.bundler(account, stop)
        way = way or (WayKind.BUNDLER if bundler else WayKind.SELF)
        rows = _by_nonce(readings)
        parts = [
            operation_part(batch, level, from_bytes(datas[index]), signatures[index])
            for batch, row in enumerate(rows)
            for level, index in enumerate(row)
        ]
        items = [item for batch, row in enumerate(rows) for item in of_steps(readings[row[0]].steps, account, batch)]
        try:
            node = self._sending.node(account, stop)
            known = facts_of(node, account, account.owner, ())
        except (Unreachable, TooSlow, NotSet):
            if bundler is None or way is not WayKind.BUNDLER:
                raise
            return self._sending.blindly(account, Bundler(bundler, account.chain_id), items, parts)
        needs = sum(prefund(from_bytes(datas[row[0]])) for row in rows)
        if known.funds < needs:
            raise lacking(account.chain_id, "account", account.address, known.funds, needs)
        if way is WayKind.SELF:
            parts += self._sending.carriers(node, account, parts)
        return self._sending.send(self._sending.keep(account, way, known.block, items, parts), progress, stop)

    def _accept_transactions(
        self, account: Account, envelope: Envelope, progress: Progress | None, stop: Event | None
    ) -> tuple[ItemResult, ...]:
        face = system(account.system)
        readings = [face.decode_transaction(data, account.address) for data in envelope.transactions]
        parts, items = [], []
        for level, (reading, data, signature) in enumerate(zip(readings, envelope.transactions, envelope.signatures, strict=True)):
            sender = signer_of(transactions.digest(data), signature)
            face.judge_transaction(reading, account, sender)
            _check_signer(account, sender)
            plain = PlainTransaction(
                reading.chain_id, reading.nonce, reading.to, reading.data, reading.gas, reading.max_fee_per_gas,
                reading.max_priority_fee_per_gas,
            )  # fmt: skip
            parts.append(transaction_part(0, level, sender, transactions.signed(plain, signature)))
            items = list(of_steps(reading.steps, account, 0))
        if len({reading.nonce for reading in readings}) != 1:
            raise BadInput(tr("These transactions have several nonces; hand them over one by one."), code="SeveralNonces")
        node = self._sending.node(account, stop)
        known = facts_of(node, account, account.owner, ())
        return self._sending.send(self._sending.keep(account, WayKind.OWNER, known.block, items, parts), progress, stop)

    # --- after a restart

    def resume(self, progress: Progress | None = None, stop: Event | None = None) -> tuple[ItemResult, ...]:
        """Look for everything that was on its way, and send again what is nowhere. What cannot be reached now stays as it is."""
        return self._sending.resume(progress, stop)

    # --- what is there

    def _something(self, plan: Plan) -> None:
        if not plan.batches:
            raise Refused(" ".join(i.sentence for i in plan.impossible) or tr("There is nothing to do."), code="NothingToDo")


def _read_here(reviewed: EndingReview) -> EndingPreview:
    """As the signer would read it, for what another machine signs: this one needs no vault for it, and there is nothing to sign by."""
    return EndingPreview(b"", reviewed.words, reviewed.findings, reviewed.digest, reviewed.digests)


def _levels(way: Way, known: Facts, size: int, batches: int) -> tuple[Fee, ...]:
    """All fee levels where there is room for them; the dearest alone for what is signed only once."""
    levels = known.fees.levels
    if way.kind in (WayKind.SELF, WayKind.EXPORT):
        return levels[-1:]
    while len(levels) > 1 and (size * len(levels) > _MOST_BYTES or batches * len(levels) > _MOST_SIGNED):
        levels = levels[1:]
    if size > _MOST_BYTES or batches > _MOST_SIGNED:
        raise Refused(
            tr("This is too much to be signed at once. Choose fewer sessions and do the rest afterwards."), code="TooMuch"
        )
    return levels


def _by_nonce(readings: Sequence[Operation]) -> list[list[int]]:
    """Positions by nonce, in the order of the nonces; of one nonce the calmest first."""
    found: dict[int, list[int]] = {}
    for index, reading in enumerate(readings):
        found.setdefault(reading.nonce, []).append(index)
    return [sorted(row, key=lambda i: readings[i].max_fee_per_gas) for row in found.values()]


def _check_signer(account: Account, signer: Address) -> None:
    if account.owner not in (None, signer):
        raise Mismatch(tr("The account's owner did not sign this; it was not sent."), code="WrongSignature")


def as_owned(account: Account, owner: Address) -> Account:
    """The account with the owner it has now; how it was made says nothing any more once that is another one."""
    if account.owner == owner:
        return account
    return replace(account, mode=Mode.ADDRESS, owner=owner, salt=None, init_code=b"")


def owner_now(reading: AccountReading) -> Address | None:
    return owner_of(reading.account, reading.owners)
