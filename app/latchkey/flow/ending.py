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

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING

from latchkey.accounts import transaction as transactions
from latchkey.accounts.endings import signer_of
from latchkey.accounts.modular_account.userop import UserOperation, handle_ops, operation_signature, to_bytes, user_op_hash
from latchkey.accounts.system import system
from latchkey.accounts.transaction import PlainTransaction
from latchkey.chain.bundler import Bundler
from latchkey.chain.entry_point import from_bytes, prefund
from latchkey.chain.node import Stopped, TooSlow, Unreachable
from latchkey.chain.refusals import Pending, SendError, StoppedWaiting, lacking
from latchkey.chain.send import PATIENCE, ByBundler, ByTransaction, Carrier, Progress, SignedOperation, carry, offer_levels
from latchkey.codec.hand_over import Envelope, Kind
from latchkey.core.account import Account, Mode
from latchkey.core.ending import Known
from latchkey.core.reading import Cancel as CancelStep
from latchkey.core.reading import Operation, Uninstall
from latchkey.core.session import AccountReading
from latchkey.core.types import Address
from latchkey.errors import BadInput, ChainError, Mismatch, Refused
from latchkey.flow import ending_plan
from latchkey.flow.accounts import same_place
from latchkey.flow.chains import NotSet
from latchkey.flow.ending_plan import Cancel, Clean, Lower, Plan, Revoke, RevokeAll, Tighten, What
from latchkey.flow.ending_results import ItemResult, of_steps, overtaken, result_of, settled, to_keep
from latchkey.flow.ending_ways import (
    Facts,
    Way,
    WayKind,
    carrier_of,
    carrying_gas,
    chosen,
    facts,
    facts_of,
    handle_ops_to,
    operation,
    owner_of,
    transaction,
    ways,
)
from latchkey.store.endings import EndingItem, EndingRecord, Endings, ItemKind, ItemState, SignedKind, SignedPart

if TYPE_CHECKING:
    from latchkey.chain.fees import Fee
    from latchkey.chain.node import Node
    from latchkey.flow.chains import Chains
    from latchkey.store.book import Book
    from latchkey.vault.client import SignerClient
    from latchkey.vault.model import EndingPreview

__all__ = [
    "Cancel", "Clean", "Ending", "ItemResult", "Lower", "Plan", "Prepared", "Revoke", "RevokeAll", "Tighten", "Way", "WayKind", "What",
    "chosen",
]  # fmt: skip

_MOST_BYTES = 600_000  # of what is signed at once: it travels in one frame
_MOST_SIGNED = 60
_KEPT = "What was signed is kept, and Latchkey goes on with it when it is started again."
_HANDED_OVER = "The bundler took it. No RPC answers, so nobody has looked whether it is in a block yet; Latchkey looks later."


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
        self._book, self._client, self._chains, self._clock, self._patience = book, client, chains, clock, patience
        self._endings = Endings(book)

    # --- before signing

    def plan(self, reading: AccountReading, what: What, stop: Event | None = None) -> Plan:
        """Raises BadInput, Refused (nothing to do, or not to be done), SendError, ChainError."""
        account = reading.account
        items = ending_plan.wanted(reading, what, self._book.grants(account))
        if not items:
            raise Refused("There is nothing to end on this account.", code="NothingToDo")
        made = ending_plan.plan(self._node(account, stop), reading, items)
        if isinstance(what, RevokeAll):
            return replace(made, impossible=tuple(one for one in made.impossible if not one.over))
        return made

    def ways(self, plan: Plan, stop: Event | None = None) -> tuple[Way, ...]:
        """Raises ChainError."""
        self._something(plan)
        node = self._node(plan.account, stop)
        return ways(node, self._bundler(plan.account, stop), plan, self._facts(node, plan))

    def prepare(self, plan: Plan, way: Way, stop: Event | None = None) -> Prepared:
        """Nonces, fees, and the signer's reading of the bytes. Raises ChainError, Refused, Mismatch, Locked."""
        self._something(plan)
        if not way.possible:
            raise Refused(way.why_not, code="NotPossible")
        node = self._node(plan.account, stop)
        known = self._facts(node, plan)
        if known.owner is None:
            raise Refused("Which key owns this account is not known.", code="NoOwner")
        items = tuple(to_keep(item, plan.account, index) for index, batch in enumerate(plan.batches) for item in batch.items)
        if way.kind is WayKind.OWNER or (way.kind is WayKind.EXPORT and not way.gas):
            made = self._transactions(node, plan, way, known)
            preview = self._preview_transactions(plan, known.owner, made)
            return Prepared(plan.account, way, known.owner, preview, items, known.block, transactions=made)
        operations = self._operations(plan, way, known)
        preview = self._preview_operations(plan, known.owner, operations)
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
        first = _count(node, known.owner)
        levels = _levels(way, known, sum(len(batch.call_data) + 1_000 for batch in plan.batches), len(plan.batches))
        return tuple(
            tuple(
                transaction(account.chain_id, account.address, face.owner_call(batch.call_data), first + i, way.limits[i], fee)
                for fee in levels
            )
            for i, batch in enumerate(plan.batches)
        )

    def _preview_operations(self, plan: Plan, owner: Address, made: Sequence[Sequence[UserOperation]]) -> EndingPreview:
        datas = [to_bytes(op) for levels in made for op in levels]
        return self._client().preview_operations(datas, as_owned(plan.account, owner), owner, self._known(plan))

    def _preview_transactions(self, plan: Plan, owner: Address, made: Sequence[Sequence[PlainTransaction]]) -> EndingPreview:
        datas = [transactions.to_bytes(t) for levels in made for t in levels]
        return self._client().preview_transactions(datas, as_owned(plan.account, owner), owner, self._known(plan))

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
            raise Refused("This was made for another machine: export it.", code="ForExport")
        node = self._node(prepared.account, stop)
        signatures = iter(self._client().sign_all(prepared.preview.token))
        parts = [
            _operation_part(index, level, op, next(signatures))
            for index, row in enumerate(prepared.operations)
            for level, op in enumerate(row)
        ]
        parts += [
            _transaction_part(index, level, prepared.owner, transactions.signed(made, next(signatures)))
            for index, row in enumerate(prepared.transactions)
            for level, made in enumerate(row)
        ]
        if prepared.way.kind is WayKind.SELF:
            parts += self._carriers(node, prepared.account, parts)
        return self._send(self._keep(prepared.account, prepared.way.kind, prepared.since, prepared.items, parts), progress, stop)

    def _carriers(self, node: Node, account: Account, parts: Sequence[SignedPart]) -> list[SignedPart]:
        """handleOps transactions around signed operations, the dearest of each batch, from the key with the most money."""
        known = facts_of(node, account, account.owner, self._keys())
        operations = [part for part in parts if part.kind is SignedKind.OPERATION]
        dearest = {part.batch: part for part in operations if part.level == 0}
        dearest |= {part.batch: part for part in operations if prefund(from_bytes(part.data)) <= known.funds}  # the last wins
        signed = [(from_bytes(part.data), part.signature) for part in dearest.values()]
        gas = [carrying_gas([op], len(op.call_data) + len(op.init_code) + 1_000) for op, _ in signed]
        payer, why_not = carrier_of(known, sum(gas), account.chain_id)
        if payer is None:
            raise SendError(why_not, code="LackingFunds")
        first = _count(node, payer)
        made = [
            (batch, handle_ops_to(account.chain_id, handle_ops([signed[i]], payer), first + i, gas[i], fee))
            for i, batch in enumerate(dearest)
            for fee in known.fees.levels
        ]
        datas = [transactions.to_bytes(t) for _, t in made]
        preview = self._client().preview_transactions(datas, account, payer)
        signatures = self._client().sign_all(preview.token)
        levels = len(known.fees.levels)
        return [
            _transaction_part(batch, index % levels, payer, transactions.signed(t, signature))
            for index, ((batch, t), signature) in enumerate(zip(made, signatures, strict=True))
        ]

    def _keep(
        self, account: Account, way: WayKind, since: int, items: Sequence[EndingItem], parts: Sequence[SignedPart]
    ) -> EndingRecord:
        return self._endings.add(
            EndingRecord(
                chain_id=account.chain_id,
                account=account.address,
                system=account.system,
                way=way.value,
                since=since,
                created=self._clock(),
                items=tuple(items),
                signed=tuple(parts),
            )
        )

    def _send(self, record: EndingRecord, progress: Progress | None, stop: Event | None) -> tuple[ItemResult, ...]:
        """Batch after batch; one that does not get through ends it, for the nonces after it wait for its own."""
        account = self._account(record)
        node = self._node(account, stop)
        items, halted = list(record.items), False
        for batch in sorted({item.batch for item in items if item.state is ItemState.PENDING}):
            numbers = [n for n, item in enumerate(items) if item.batch == batch and item.state is ItemState.PENDING]
            if halted:
                after: list[EndingItem] = [_not_sent(items[n]) for n in numbers]
            else:
                after, halted = self._batch(node, record, account, batch, [items[n] for n in numbers], progress, stop)
            for n, item in zip(numbers, after, strict=True):
                items[n] = item
                self._endings.put_item(record.id, n, item)
            if halted and any(item.state is ItemState.PENDING for item in after):
                break
        return tuple(map(result_of, items))

    def _batch(
        self,
        node: Node,
        record: EndingRecord,
        account: Account,
        batch: int,
        items: Sequence[EndingItem],
        progress: Progress | None,
        stop: Event | None,
    ) -> tuple[list[EndingItem], bool]:
        """The batch's items as they are afterwards, and whether nothing after it can be sent."""
        try:
            landed = carry(self._carrier(node, record, batch, stop), patience=self._patience, stop=stop, progress=progress)
            return [settled(node, account, item, landed) for item in items], False
        except SendError as error:
            return [overtaken(node, item, error) for item in items], error.code != "Reverted"
        except (Pending, StoppedWaiting) as error:
            return [replace(item, sentence=error.text) for item in items], True
        except Stopped:
            return [replace(item, sentence=StoppedWaiting().text) for item in items], True
        except ChainError as error:
            return [replace(item, sentence=f"{error.text} {_KEPT}") for item in items], True

    def _carrier(self, node: Node, record: EndingRecord, batch: int, stop: Event | None) -> Carrier:
        parts = [part for part in record.signed if part.batch == batch]
        operations = [_signed(part, record.chain_id) for part in parts if part.kind is SignedKind.OPERATION]
        raws = [part for part in parts if part.kind is SignedKind.TRANSACTION]
        if raws:
            hashes = [operation.op_hash for operation in operations]
            return ByTransaction(node, raws[0].sender, _nonce_of(raws[0].data), [part.data for part in raws], hashes)
        if not operations:
            raise SendError(
                "What was signed for this is not there any more. Read the account again and end it anew.", code="NotTaken"
            )
        return ByBundler(node, self._served(record, stop), operations, record.since)

    def _served(self, record: EndingRecord, stop: Event | None) -> Bundler:
        bundler = self._bundler(self._account(record), stop)
        if bundler is None:
            raise SendError("No bundler is set for this network. Set one in Settings, under Networks.", code="NoBundler")
        return Bundler(bundler, record.chain_id)

    # --- another machine

    def export(self, prepared: Prepared) -> tuple[Envelope, ...]:
        """What the machine with the owner's key signs: one envelope for each batch."""
        made = self._clock()
        rows = len(prepared.operations) or len(prepared.transactions)
        return tuple(self._exported(prepared, index, made) for index in range(rows))

    def _exported(self, prepared: Prepared, index: int, made: int) -> Envelope:
        account = as_owned(prepared.account, prepared.owner)
        if prepared.transactions:
            datas = tuple(map(transactions.to_bytes, prepared.transactions[index]))
            return Envelope(Kind.UNSIGNED_TRANSACTION, account=account, transactions=datas, created=made)
        kinds = {item.kind for item in prepared.items if item.batch == index}
        kind = Kind.UNSIGNED_CANCELLATION if kinds == {ItemKind.CANCEL} else Kind.UNSIGNED_REVOCATION
        return Envelope(kind, account=account, operations=tuple(map(to_bytes, prepared.operations[index])), created=made)

    def accept(self, envelope: Envelope, progress: Progress | None = None, stop: Event | None = None) -> tuple[ItemResult, ...]:
        """Send what another machine signed. Raises BadInput for anything else, Mismatch when the owner did not sign it, and as
        `sign_and_send` does."""
        account = envelope.account
        if account is None or not envelope.signatures:
            raise BadInput("This is no signed revocation, cancellation or transaction.", code="NotSigned")
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
        bundler = self._bundler(account, stop)
        way = way or (WayKind.BUNDLER if bundler else WayKind.SELF)
        rows = _by_nonce(readings)
        parts = [
            _operation_part(batch, level, from_bytes(datas[index]), signatures[index])
            for batch, row in enumerate(rows)
            for level, index in enumerate(row)
        ]
        items = [item for batch, row in enumerate(rows) for item in of_steps(readings[row[0]].steps, account, batch)]
        try:
            node = self._node(account, stop)
            known = facts_of(node, account, account.owner, ())
        except (Unreachable, TooSlow, NotSet):
            if bundler is None or way is not WayKind.BUNDLER:
                raise
            return self._blindly(account, Bundler(bundler, account.chain_id), items, parts)
        needs = sum(prefund(from_bytes(datas[row[0]])) for row in rows)
        if known.funds < needs:
            raise lacking(account.chain_id, "account", account.address, known.funds, needs)
        if way is WayKind.SELF:
            parts += self._carriers(node, account, parts)
        return self._send(self._keep(account, way, known.block, items, parts), progress, stop)

    def _blindly(
        self, account: Account, bundler: Bundler, items: Sequence[EndingItem], parts: Sequence[SignedPart]
    ) -> tuple[ItemResult, ...]:
        """No RPC answers, a bundler may: the calmest level it takes is handed over, and looked for when an RPC answers again."""
        bundler.check()
        record = self._keep(account, WayKind.BUNDLER, 0, items, parts)
        found: list[EndingItem] = list(record.items)
        for batch in sorted({item.batch for item in items}):
            numbers = [n for n, item in enumerate(found) if item.batch == batch]
            signed = [_signed(part, account.chain_id) for part in parts if part.batch == batch]
            try:
                offer_levels(bundler, signed)
                after = [replace(found[n], sentence=_HANDED_OVER) for n in numbers]
            except SendError as error:
                after = [replace(found[n], state=ItemState.FAILED, sentence=error.text) for n in numbers]
            for n, item in zip(numbers, after, strict=True):
                found[n] = item
                self._endings.put_item(record.id, n, item)
        return tuple(map(result_of, found))

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
            parts.append(_transaction_part(0, level, sender, transactions.signed(plain, signature)))
            items = list(of_steps(reading.steps, account, 0))
        if len({reading.nonce for reading in readings}) != 1:
            raise BadInput("These transactions have several nonces; hand them over one by one.", code="SeveralNonces")
        node = self._node(account, stop)
        known = facts_of(node, account, account.owner, ())
        return self._send(self._keep(account, WayKind.OWNER, known.block, items, parts), progress, stop)

    # --- after a restart

    def resume(self, progress: Progress | None = None, stop: Event | None = None) -> tuple[ItemResult, ...]:
        """Look for everything that was on its way, and send again what is nowhere. What cannot be reached now stays as it is."""
        found: list[ItemResult] = []
        for record in self._endings.open():
            try:
                found += self._send(record, progress, stop)
            except ChainError:
                found += map(result_of, record.items)
        return tuple(found)

    # --- the chain, the keys

    def _node(self, account: Account, stop: Event | None) -> Node:
        """The network's RPC, or the second one when the first is dead. Raises ChainError."""
        first, second = self._chains.node(account.chain_id).stoppable(stop), self._chains.second(account.chain_id)
        if second is None:
            return first
        try:
            first.chain_id()
        except (Unreachable, TooSlow):
            return second.stoppable(stop)
        return first

    def _bundler(self, account: Account, stop: Event | None) -> Node | None:
        bundler = self._chains.bundler(account.chain_id)
        return bundler.stoppable(stop) if bundler else None

    def _facts(self, node: Node, plan: Plan) -> Facts:
        return facts(node, plan, self._keys())

    def _keys(self) -> tuple[Address, ...]:
        return tuple(key.address for key in self._book.keys())  # noqa: SIM118  a method of the book

    def _account(self, record: EndingRecord) -> Account:
        bare = Account(record.chain_id, record.account, record.system, Mode.ADDRESS)
        return next((known for known in self._book.accounts() if same_place(known, bare)), bare)

    def _something(self, plan: Plan) -> None:
        if not plan.batches:
            raise Refused(" ".join(i.sentence for i in plan.impossible) or "There is nothing to do.", code="NothingToDo")


def _levels(way: Way, known: Facts, size: int, batches: int) -> tuple[Fee, ...]:
    """All fee levels where there is room for them; the dearest alone for what is signed only once."""
    levels = known.fees.levels
    if way.kind in (WayKind.SELF, WayKind.EXPORT):
        return levels[-1:]
    while len(levels) > 1 and (size * len(levels) > _MOST_BYTES or batches * len(levels) > _MOST_SIGNED):
        levels = levels[1:]
    if size > _MOST_BYTES or batches > _MOST_SIGNED:
        raise Refused("This is too much to be signed at once. Choose fewer sessions and do the rest afterwards.", code="TooMuch")
    return levels


def _operation_part(batch: int, level: int, op: UserOperation, signature: bytes) -> SignedPart:
    return SignedPart(batch, level, SignedKind.OPERATION, op.sender, to_bytes(op), operation_signature(signature))


def _transaction_part(batch: int, level: int, sender: Address, raw: bytes) -> SignedPart:
    return SignedPart(batch, level, SignedKind.TRANSACTION, sender, raw)


def _signed(part: SignedPart, chain_id: int) -> SignedOperation:
    op = from_bytes(part.data)
    return SignedOperation(op, part.signature, user_op_hash(op, chain_id))


def _nonce_of(raw: bytes) -> int:
    import rlp  # type: ignore[import-untyped]

    return int.from_bytes(rlp.decode(raw[1:])[1], "big")


def _count(node: Node, sender: Address) -> int:
    """The next nonce of a key's own transactions, behind those that wait already."""
    try:
        return int(node.call("eth_getTransactionCount", sender, "pending"), 16)
    except (TypeError, ValueError):
        raise ChainError("The RPC answers with something that is no number; use another one.", code="BadAnswer") from None


def _by_nonce(readings: Sequence[Operation]) -> list[list[int]]:
    """Positions by nonce, in the order of the nonces; of one nonce the calmest first."""
    found: dict[int, list[int]] = {}
    for index, reading in enumerate(readings):
        found.setdefault(reading.nonce, []).append(index)
    return [sorted(row, key=lambda i: readings[i].max_fee_per_gas) for row in found.values()]


def _check_signer(account: Account, signer: Address) -> None:
    if account.owner not in (None, signer):
        raise Mismatch("The account's owner did not sign this; it was not sent.", code="WrongSignature")


def _not_sent(item: EndingItem) -> EndingItem:
    return replace(item, state=ItemState.FAILED, sentence="It was not sent, because the part before it did not get through.")


def covered(operations: Iterable[Operation]) -> tuple[tuple[int, ...], int]:
    """Which entity ids signed operations end, and how many grants they cancel."""
    steps = [step for op in operations for step in op.steps]
    ids = dict.fromkeys(step.entity_id for step in steps if isinstance(step, Uninstall))
    return tuple(ids), len({step.key for step in steps if isinstance(step, CancelStep)})


def as_owned(account: Account, owner: Address) -> Account:
    """The account with the owner it has now; how it was made says nothing any more once that is another one."""
    if account.owner == owner:
        return account
    return replace(account, mode=Mode.ADDRESS, owner=owner, salt=None, init_code=b"")


def owner_now(reading: AccountReading) -> Address | None:
    return owner_of(reading.account, reading.owners)
