"""Sending what was signed, batch after batch, and keeping in the book what came of it; after a restart it goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

from latchkey.accounts import transaction as transactions
from latchkey.accounts.modular_account.userop import UserOperation, handle_ops, operation_signature, to_bytes, user_op_hash
from latchkey.chain.bundler import Bundler
from latchkey.chain.entry_point import from_bytes, prefund
from latchkey.chain.node import Stopped, TooSlow, Unreachable
from latchkey.chain.refusals import Pending, SendError, StoppedWaiting
from latchkey.chain.send import ByBundler, ByTransaction, Carrier, Progress, SignedOperation, carry, offer_levels
from latchkey.core.account import Account, Mode
from latchkey.core.types import Address
from latchkey.errors import ChainError
from latchkey.flow.accounts import same_place
from latchkey.flow.devices import vault_keys
from latchkey.flow.ending_results import ItemResult, overtaken, result_of, settled
from latchkey.flow.ending_ways import WayKind, carrier_of, carrying_gas, facts_of, handle_ops_to
from latchkey.language import tr
from latchkey.store.endings import EndingItem, EndingRecord, Endings, ItemState, SignedKind, SignedPart

if TYPE_CHECKING:
    from latchkey.chain.node import Node
    from latchkey.flow.chains import Chains
    from latchkey.store.book import Book
    from latchkey.vault.client import SignerClient

_KEPT = tr("What was signed is kept, and Latchkey goes on with it when it is started again.")
_HANDED_OVER = tr("The bundler took it. No RPC answers, so nobody has looked whether it is in a block yet; Latchkey looks later.")


class Sending:
    """`client` signs what carries operations; `patience`: seconds until what is stuck is sent with a higher fee."""

    def __init__(
        self, book: Book, client: Callable[[], SignerClient], chains: Chains, clock: Callable[[], int], patience: float
    ) -> None:
        self._book, self._client, self._chains, self._clock, self._patience = book, client, chains, clock, patience
        self._endings = Endings(book)

    def carriers(self, node: Node, account: Account, parts: Sequence[SignedPart]) -> list[SignedPart]:
        """handleOps transactions around signed operations, the dearest of each batch, from the key with the most money."""
        known = facts_of(node, account, account.owner, self.keys())
        operations = [part for part in parts if part.kind is SignedKind.OPERATION]
        dearest = {part.batch: part for part in operations if part.level == 0}
        dearest |= {part.batch: part for part in operations if prefund(from_bytes(part.data)) <= known.funds}  # the last wins
        signed = [(from_bytes(part.data), part.signature) for part in dearest.values()]
        gas = [carrying_gas([op], len(op.call_data) + len(op.init_code) + 1_000) for op, _ in signed]
        payer, why_not = carrier_of(known, sum(gas), account.chain_id)
        if payer is None:
            raise SendError(why_not, code="LackingFunds")
        first = count(node, payer)
        made = [
            (batch, handle_ops_to(account.chain_id, handle_ops([signed[i]], payer), first + i, gas[i], fee))
            for i, batch in enumerate(dearest)
            for fee in known.fees.levels
        ]
        datas = [transactions.to_bytes(t) for _, t in made]
        client = self._client()
        client.unlock()  # nothing is asked when it is open already
        signatures = client.sign_all(client.preview_transactions(datas, account, payer).token)
        levels = len(known.fees.levels)
        return [
            transaction_part(batch, index % levels, payer, transactions.signed(t, signature))
            for index, ((batch, t), signature) in enumerate(zip(made, signatures, strict=True))
        ]

    def keep(
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

    def send(self, record: EndingRecord, progress: Progress | None, stop: Event | None) -> tuple[ItemResult, ...]:
        """Batch after batch; one that does not get through ends it, for the nonces after it wait for its own."""
        account = self._account(record)
        node = self.node(account, stop)
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
                tr("What was signed for this is not there any more. Read the account again and end it anew."), code="NotTaken"
            )
        return ByBundler(node, self._served(record, stop), operations, record.since)

    def _served(self, record: EndingRecord, stop: Event | None) -> Bundler:
        bundler = self.bundler(self._account(record), stop)
        if bundler is None:
            raise SendError(tr("No bundler is set for this network. Set one in Settings, under Networks."), code="NoBundler")
        return Bundler(bundler, record.chain_id)

    def blindly(
        self, account: Account, bundler: Bundler, items: Sequence[EndingItem], parts: Sequence[SignedPart]
    ) -> tuple[ItemResult, ...]:
        """No RPC answers, a bundler may: the calmest level it takes is handed over, and looked for when an RPC answers again."""
        bundler.check()
        record = self.keep(account, WayKind.BUNDLER, 0, items, parts)
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

    # --- after a restart

    def resume(self, progress: Progress | None = None, stop: Event | None = None) -> tuple[ItemResult, ...]:
        """Look for everything that was on its way, and send again what is nowhere. What cannot be reached now stays as it is."""
        found: list[ItemResult] = []
        for record in self._endings.open():
            try:
                found += self.send(record, progress, stop)
            except ChainError:
                found += map(result_of, record.items)
        return tuple(found)

    # --- the chain, the keys

    def node(self, account: Account, stop: Event | None) -> Node:
        """The network's RPC, or the second one when the first is dead. Raises ChainError."""
        first, second = self._chains.node(account.chain_id).stoppable(stop), self._chains.second(account.chain_id)
        if second is None:
            return first
        try:
            first.chain_id()
        except (Unreachable, TooSlow):
            return second.stoppable(stop)
        return first

    def bundler(self, account: Account, stop: Event | None) -> Node | None:
        bundler = self._chains.bundler(account.chain_id)
        return bundler.stoppable(stop) if bundler else None

    def keys(self) -> tuple[Address, ...]:
        return vault_keys(self._book)

    def _account(self, record: EndingRecord) -> Account:
        bare = Account(record.chain_id, record.account, record.system, Mode.ADDRESS)
        return next((known for known in self._book.accounts() if same_place(known, bare)), bare)


def operation_part(batch: int, level: int, op: UserOperation, signature: bytes) -> SignedPart:
    return SignedPart(batch, level, SignedKind.OPERATION, op.sender, to_bytes(op), operation_signature(signature))


def transaction_part(batch: int, level: int, sender: Address, raw: bytes) -> SignedPart:
    return SignedPart(batch, level, SignedKind.TRANSACTION, sender, raw)


def _signed(part: SignedPart, chain_id: int) -> SignedOperation:
    op = from_bytes(part.data)
    return SignedOperation(op, part.signature, user_op_hash(op, chain_id))


def _nonce_of(raw: bytes) -> int:
    import rlp  # type: ignore[import-untyped]

    return int.from_bytes(rlp.decode(raw[1:])[1], "big")


def count(node: Node, sender: Address) -> int:
    """The next nonce of a key's own transactions, behind those that wait already."""
    try:
        return int(node.call("eth_getTransactionCount", sender, "pending"), 16)
    except (TypeError, ValueError):
        raise ChainError(tr("The RPC answers with something that is no number; use another one."), code="BadAnswer") from None


def _not_sent(item: EndingItem) -> EndingItem:
    return replace(item, state=ItemState.FAILED, sentence="It was not sent, because the part before it did not get through.")
