"""Sending what was signed, and waiting until the chain has it: through a bundler, as a key's own transaction, or as a handleOps
transaction of any key that has money.

What is sent was signed at several fee levels under one nonce, so being stuck needs no second signature: the next level replaces it.
Only the chain's own receipt counts as success; what a bundler says is a hint where to look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.userop import UserOperation
from latchkey.chain.bundler import Bundler
from latchkey.chain.entry_point import EVENT, Ended, ended, nonce_call, number
from latchkey.chain.logs import LogFilter, scan
from latchkey.chain.node import RpcError
from latchkey.chain.refusals import (
    Pending,
    SendError,
    StoppedWaiting,
    data_of,
    dropped,
    nonce_taken,
    of_bundle,
    refused,
    reverted,
    taken_already,
)
from latchkey.core.types import Address, keccak, to_hex
from latchkey.errors import ChainError
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.chain.node import Node

Progress = Callable[[str], None]
PATIENCE = 20.0  # seconds before the next level replaces what is stuck
_POLL = (0.1, 1.0)  # seconds between two looks: the first, and the longest
_DROPS = 2
_DOUBTS = 4  # looks: behind one address are several machines, and one may know of a nonce before another knows of the block
_RECENT = 5_000  # blocks
_MASK = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Landed:
    """In a block, and done. `logs`: of the whole transaction, as JSON-RPC has them. `cost`: wei paid for gas."""

    transaction: bytes
    block: int
    cost: int
    logs: tuple[dict[str, Any], ...]


class Carrier(Protocol):
    """One thing to be done on the chain, signed at `levels` fee levels of which only one can be mined."""

    @property
    def levels(self) -> int: ...

    def offer(self, level: int) -> None:
        """Hand the level over. Raises SendError when it is not taken."""

    def landed(self) -> Landed | None:
        """What became of it, whichever level it was. Raises SendError when it came to nothing."""

    def alive(self) -> bool:
        """Does somebody still hold what was offered last? True where nobody can tell."""


def carry(
    carrier: Carrier, *, level: int = 0, patience: float = PATIENCE, stop: Event | None = None, progress: Progress | None = None
) -> Landed:
    """Offer level after level until one is in a block. `level`: where to begin.

    Raises SendError when it came to nothing, Pending when all levels are out and none is mined, StoppedWaiting.
    """
    stop, say = stop or Event(), progress or _silent
    level = _first_taken(carrier.offer, level, carrier.levels)
    say(tr("Sent. Waiting for a block."))
    wait, drops, doubts, until = _POLL[0], 0, 0, time.monotonic() + patience
    while True:
        try:
            found = carrier.landed()
        except SendError as error:
            if error.code != "NonceTaken" or doubts >= _DOUBTS:
                raise
            found, doubts = None, doubts + 1
        else:
            doubts = 0
        if found:
            return found
        if stop.wait(wait):
            raise StoppedWaiting()
        wait = min(wait * 1.5, _POLL[1])
        if doubts:
            continue
        if not carrier.alive():
            if carrier.landed() is None:
                drops += 1
                if drops >= _DROPS:
                    raise dropped()
                say(tr("It was dropped; sending it again."))
                carrier.offer(level)
        elif time.monotonic() > until:
            if level + 1 >= carrier.levels:
                raise Pending()
            say(tr("It is stuck; sending it again with a higher fee."))
            level = _replace(carrier, level + 1)
            until = time.monotonic() + patience


def offer_levels(bundler: Bundler, signed: Sequence[SignedOperation]) -> None:
    """Hand over the calmest level that the bundler takes, and look no further. Raises SendError."""
    _first_taken(lambda level: bundler.send(signed[level].op, signed[level].field), 0, len(signed))


def _first_taken(offer: Callable[[int], None], level: int, levels: int) -> int:
    """The first level from `level` on whose fee is taken."""
    while True:
        try:
            offer(level)
        except SendError as error:
            if error.code != "Underpriced" or level + 1 >= levels:
                raise
            level += 1
        else:
            return level


def _replace(carrier: Carrier, level: int) -> int:
    """What is not taken as a replacement is no reason to give up: the one before may be mined this very moment."""
    with suppress(SendError):
        carrier.offer(level)
    return level


@dataclass(frozen=True, slots=True)
class SignedOperation:
    """`field`: the operation's signature field. `op_hash`: 32 bytes."""

    op: UserOperation
    field: bytes
    op_hash: bytes


class ByBundler:
    """Operations of one nonce through a bundler. `since`: the block before the first of them was sent."""

    def __init__(self, node: Node, bundler: Bundler, signed: Sequence[SignedOperation], since: int) -> None:
        self._node, self._bundler, self._signed, self._since = node, bundler, signed, since
        self._looks = 0

    @property
    def levels(self) -> int:
        return len(self._signed)

    def offer(self, level: int) -> None:
        chosen = self._signed[level]
        self._bundler.send(chosen.op, chosen.field)

    def landed(self) -> Landed | None:
        """The bundler is asked each time, the chain now and then: bundlers come and go."""
        self._looks += 1
        for signed in self._signed:
            try:
                transaction = self._bundler.transaction_of(signed.op_hash)
            except ChainError:
                break
            if transaction and (found := operation_in(self._node, transaction, [signed.op_hash])):
                return found
        if self._looks % 5:
            return None
        return operation_on_chain(self._node, self._signed, self._since)

    def alive(self) -> bool:
        return True


class ByTransaction:
    """Transactions of one nonce from `sender`: the owner's own, or handleOps; `op_hashes` for the latter.

    `raws`: signed, one a level.
    """

    def __init__(self, node: Node, sender: Address, nonce: int, raws: Sequence[bytes], op_hashes: Sequence[bytes] = ()) -> None:
        self._node, self._sender, self._nonce, self._raws, self._op_hashes = node, sender, nonce, raws, op_hashes
        self._offered: list[bytes] = []

    @property
    def levels(self) -> int:
        return len(self._raws)

    def offer(self, level: int) -> None:
        raw = self._raws[level]
        try:
            self._node.call("eth_sendRawTransaction", to_hex(raw))
        except RpcError as error:
            if not taken_already(error):
                raise refused(error) from None
        self._offered.append(keccak(raw))

    def landed(self) -> Landed | None:
        for hash_ in map(keccak, self._raws):
            receipt = receipt_of(self._node, hash_)
            if receipt is not None:
                return self._outcome(receipt)
        count = _quantity(self._node, "eth_getTransactionCount", self._sender, "latest")
        if count > self._nonce and not any(receipt_of(self._node, keccak(raw)) for raw in self._raws):
            raise nonce_taken()
        return None

    def alive(self) -> bool:
        return any(self._node.call("eth_getTransactionByHash", to_hex(h)) is not None for h in self._offered)

    def _outcome(self, receipt: Receipt) -> Landed:
        if not receipt.success:
            reason = reason_of(self._node, receipt)
            raise of_bundle(reason) if self._op_hashes else reverted(reason)
        if self._op_hashes:
            return _operation(receipt, self._op_hashes) or _raise(nonce_taken())
        return Landed(receipt.transaction, receipt.block, receipt.cost, receipt.logs)


# What the chain says ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receipt:
    transaction: bytes
    block: int
    success: bool
    cost: int
    logs: tuple[dict[str, Any], ...]


def receipt_of(node: Node, transaction: bytes) -> Receipt | None:
    """None while it is in no block. Raises ChainError."""
    found = node.call("eth_getTransactionReceipt", to_hex(transaction))
    if found is None:
        return None
    try:
        return Receipt(
            transaction,
            int(found["blockNumber"], 16),
            int(found["status"], 16) == 1,
            int(found["gasUsed"], 16) * int(found.get("effectiveGasPrice", "0x0"), 16),
            tuple(found["logs"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ChainError(tr("The RPC answers with a receipt that is none; use another one."), code="BadAnswer") from None


def reason_of(node: Node, receipt: Receipt) -> bytes:
    """Why a transaction was undone: it is called again on the block before. b"" where the node does not keep that."""
    sent = node.call("eth_getTransactionByHash", to_hex(receipt.transaction))
    if not isinstance(sent, dict):
        return b""
    call = {"from": sent.get("from"), "to": sent.get("to"), "data": sent.get("input"), "gas": sent.get("gas")}
    try:
        node.call("eth_call", call, hex(receipt.block - 1))
    except RpcError as error:
        return data_of(error)
    except ChainError:
        return b""
    return b""


def operation_in(node: Node, transaction: bytes, op_hashes: Sequence[bytes]) -> Landed | None:
    """What became of an operation in this transaction, None when it is in no block or not in there. Raises SendError."""
    receipt = receipt_of(node, transaction)
    return _operation(receipt, op_hashes) if receipt else None


def operation_on_chain(node: Node, signed: Sequence[SignedOperation], since: int) -> Landed | None:
    """By the EntryPoint's nonce and events, without any bundler. `since`: 0 when it is not known. Raises SendError when something else
    used the nonce."""
    op = signed[0].op
    used = number(node.call(*nonce_call(op.sender, op.nonce >> 64))) & _MASK
    if used <= op.nonce & _MASK:
        return None
    head = node.head().number
    wanted = LogFilter((ENTRY_POINT,), (EVENT, tuple(s.op_hash for s in signed)))
    scanned = scan(node, (wanted,), since or max(0, head - _RECENT), head)
    for log in scanned.logs:
        if found := operation_in(node, log.transaction, [s.op_hash for s in signed]):
            return found
    if not scanned.range.complete:
        raise ChainError(tr("The RPC does not give the blocks in which this may be; use another one."), code="BadAnswer")
    raise nonce_taken()


def _operation(receipt: Receipt, op_hashes: Sequence[bytes]) -> Landed | None:
    for op_hash in op_hashes:
        came: Ended | None = ended(receipt.logs, op_hash)
        if came and not came.success:
            raise reverted(came.reason)
        if came:
            return Landed(receipt.transaction, receipt.block, came.cost, receipt.logs)
    return None


def _quantity(node: Node, method: str, *params: Any) -> int:
    try:
        return int(node.call(method, *params), 16)
    except (TypeError, ValueError):
        raise ChainError(tr("The RPC answers with something that is no number; use another one."), code="BadAnswer") from None


def _raise(error: SendError) -> Landed:
    raise error


def _silent(_: str) -> None:
    pass
