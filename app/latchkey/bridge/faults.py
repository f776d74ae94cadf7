"""What goes wrong on the bridge: JSON-RPC errors (JSON-RPC 2.0, EIP-1474, EIP-1193, EIP-3326), each a code and one sentence.

The sentences are ours alone: nothing that came in is repeated but a field's name, and no error of the program shows its inside.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from latchkey.errors import LatchkeyError, NotServed


class Code(IntEnum):
    PARSE = -32700
    INVALID = -32600
    NO_METHOD = -32601
    PARAMS = -32602
    INTERNAL = -32603
    BUSY = -32002  # "resource unavailable": a question is open already
    LIMIT = -32005
    REJECTED = 4001
    UNAUTHORIZED = 4100
    UNSUPPORTED = 4200
    DISCONNECTED = 4900
    OTHER_CHAIN = 4902


class Fault(Exception):
    """One error object. `path`: the field it is about. `status`: of HTTP, where the request itself was turned away."""

    def __init__(self, code: int, message: str, *, path: str = "", status: int = 200) -> None:
        super().__init__(message)
        self.code, self.message, self.path, self.status = int(code), message, path, status

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"code": self.code, "message": self.message}
        return found | ({"data": {"path": self.path}} if self.path else {})


def of_params(error: LatchkeyError) -> Fault:
    """What the readers of untrusted input say, as an error about the call's parameters."""
    code = Code.UNSUPPORTED if isinstance(error, NotServed) else Code.PARAMS
    return Fault(code, error.text, path=error.path)
