"""JSON-RPC as the program itself speaks it."""

from latchkey.chain.node import Unreachable
from latchkey.chain.rpc import Rpc, RpcError

__all__ = ["Rpc", "RpcError", "Unreachable"]
