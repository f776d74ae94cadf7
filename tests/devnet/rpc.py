"""JSON-RPC as the program itself speaks it."""

from latchkey.chain.rpc import Rpc, RpcError, RpcUnreachable

__all__ = ["Rpc", "RpcError", "RpcUnreachable"]
