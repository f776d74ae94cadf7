"""How far the account's nonces have come: what tells an unused grant from one that was used or cancelled."""

from __future__ import annotations

from collections.abc import Sequence

from latchkey.chain.entry_point import nonce_call, number
from latchkey.chain.node import Node, RpcError
from latchkey.core.account import Account
from latchkey.core.session import Block
from latchkey.errors import ChainError
from latchkey.language import tr

_SEQUENCE = 2**64 - 1


def next_sequences(node: Node, account: Account, keys: Sequence[int], block: Block) -> tuple[int, ...]:
    """The next sequence of each 192-bit nonce key at `block`, in one request. Raises ChainError."""
    if not keys:
        return ()
    answers = node.many([(*nonce_call(account.address, key)[:-1], hex(block.number)) for key in keys])
    if any(isinstance(answer, RpcError) for answer in answers):
        raise ChainError(tr("The RPC does not say how far the account's nonces have come."), code="NotAnswered")
    return tuple(number(answer) & _SEQUENCE for answer in answers)
