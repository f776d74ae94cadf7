"""A first look at an RPC, for the person who is about to use it: which network, how new, how much it gives at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from latchkey.chain.node import Node, RpcError
from latchkey.core.session import Block
from latchkey.core.types import ZERO_ADDRESS
from latchkey.errors import ChainError
from latchkey.language import tr

_RANGES = (10**9, 100_000, 10_000, 2_000, 500, 100, 10)  # blocks
_BATCH = 100  # calls


@dataclass(frozen=True, slots=True)
class Examined:
    """`age`: seconds from the newest block's time to now. `batch`: whether a hundred calls went in one request. `log_range`: over how many
    blocks it gives logs at once, the chain's whole length in blocks included; 0 when it gives none."""

    chain_id: int
    head: Block
    age: int
    batch: bool
    log_range: int

    @property
    def whole(self) -> bool:
        """Whether it gives the logs of the whole chain at once."""
        return self.log_range > self.head.number


def examine(node: Node, clock: Callable[[], float] = time.time) -> Examined:
    """A few requests. Raises ChainError."""
    chain_id, head = node.chain_id(), node.head()
    answers = node.many([("eth_chainId",)] * _BATCH)
    if any(isinstance(answer, RpcError) for answer in answers):
        raise ChainError(tr("The RPC refuses to answer the simplest question."), code="NotAnswered")
    return Examined(chain_id, head, int(clock()) - head.time, node.batch_size >= _BATCH, _log_range(node, head.number))


def examine_bundler(node: Node) -> tuple[int, bool]:
    """Its chain id, and whether it serves EntryPoint 0.7. Raises ChainError."""
    from latchkey.accounts.modular_account.addresses import ENTRY_POINT

    points = node.call("eth_supportedEntryPoints")
    serves = isinstance(points, list) and str(ENTRY_POINT).lower() in [str(point).lower() for point in points]
    return node.chain_id(), serves


def _log_range(node: Node, head: int) -> int:
    """Asked with a filter that nothing fits, so only the number of blocks counts."""
    for blocks in _RANGES:
        if blocks > head + 1 and blocks != _RANGES[0]:
            continue
        asked: dict[str, Any] = {
            "fromBlock": hex(max(0, head + 1 - blocks)),
            "toBlock": hex(head),
            "address": ZERO_ADDRESS,
            "topics": [],
        }
        try:
            if isinstance(node.call("eth_getLogs", asked), list):
                return blocks if blocks != _RANGES[0] else head + 1
        except ChainError as problem:
            if problem.code in ("Stopped", "Unreachable", "TooManyRequests"):
                raise
    return 0
