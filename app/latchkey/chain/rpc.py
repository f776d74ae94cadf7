"""A node with anvil's liberties: keys that are unlocked, transactions that it mines when told. For the practice chain and the tests."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from latchkey.chain.node import TIMEOUT, Node, RpcError, Unreachable
from latchkey.language import tr

__all__ = ["Rpc", "RpcError"]


class Rpc(Node):
    """`rpc(method, *params)` is one call."""

    def __init__(self, url: str, *, timeout: float = TIMEOUT) -> None:
        super().__init__(url, timeout=timeout)
        self.url = url  # of a chain on this machine, or one a person named to copy from: not kept

    def __call__(self, method: str, *params: Any) -> Any:
        return self.call(method, *params)

    def batch(self, calls: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Results in order. Raises RpcError for the first that failed, and the other ChainErrors."""
        answers = self.many(calls)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        return answers

    def transact(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send from a key that is unlocked in anvil; the receipt once it is mined.

        Just after evm_revert it happens that anvil leaves a transaction lying, even when told to mine: it is taken back and sent again.
        """
        for _ in range(4):
            transaction = self("eth_sendTransaction", request)
            if found := self._receipt(transaction):
                return found
            self("anvil_dropAllTransactions")
            if found := self("eth_getTransactionReceipt", transaction):
                return dict(found)
        raise Unreachable(tr("anvil does not mine what it is sent."))

    def receipt(self, transaction: str) -> dict[str, Any]:
        """Of a transaction that was sent already. Raises Unreachable when it is not mined within some seconds."""
        if found := self._receipt(transaction):
            return found
        raise Unreachable(tr("anvil does not mine what it is sent."))

    def _receipt(self, transaction: str) -> dict[str, Any] | None:
        for attempt in range(1, 1_500):
            found = self("eth_getTransactionReceipt", transaction)
            if found is not None:
                return dict(found)
            if attempt % 250 == 0:
                self("evm_mine")
            time.sleep(0.002)
        return None
