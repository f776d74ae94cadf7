"""JSON-RPC over one kept connection. Not thread-safe; one object a thread."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from latchkey.errors import ChainError

_TIMEOUT = 30.0
_MOST = 64 * 1024 * 1024


class RpcError(Exception):
    """What the node answered instead of a result: text from outside, never shown to a person. `data`: revert data in hex, or ""."""

    def __init__(self, message: str, data: str = "") -> None:
        super().__init__(message)
        self.data = data


class RpcUnreachable(ChainError):
    """Nobody answers, or not in JSON-RPC."""


class Rpc:
    def __init__(self, url: str, *, timeout: float = _TIMEOUT) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RpcUnreachable("The RPC address has to begin with http:// or https://.")
        try:
            port = parts.port
        except ValueError:
            raise RpcUnreachable("The RPC address has a port that is none.") from None
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.url = url
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout = timeout
        self._connection = kind(parts.hostname, port, timeout=timeout)

    def __call__(self, method: str, *params: Any) -> Any:
        return self.batch([(method, *params)])[0]

    def batch(self, calls: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Several calls in one request; results in order. Raises RpcError for the first that failed, RpcUnreachable."""
        requests = [{"jsonrpc": "2.0", "id": i, "method": m, "params": params} for i, (m, *params) in enumerate(calls)]
        answers = self._post(requests if len(requests) > 1 else requests[0])
        answers = answers if isinstance(answers, list) else [answers]
        by_id = {a.get("id"): a for a in answers if isinstance(a, dict) and isinstance(a.get("id"), int)}
        if len(answers) != len(requests) or by_id.keys() != {r["id"] for r in requests}:
            raise RpcUnreachable("The RPC does not answer in JSON-RPC.")
        return [_result(by_id[request["id"]]) for request in requests]

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
        raise RpcUnreachable("anvil does not mine what it is sent.")

    def receipt(self, transaction: str) -> dict[str, Any]:
        """Of a transaction that was sent already. Raises RpcUnreachable when it is not mined within some seconds."""
        if found := self._receipt(transaction):
            return found
        raise RpcUnreachable("anvil does not mine what it is sent.")

    def _receipt(self, transaction: str) -> dict[str, Any] | None:
        for attempt in range(1, 1_500):
            found = self("eth_getTransactionReceipt", transaction)
            if found is not None:
                return dict(found)
            if attempt % 250 == 0:
                self("evm_mine")
            time.sleep(0.002)
        return None

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: Any) -> Any:
        try:
            self._connection.request("POST", self._path, json.dumps(body), {"Content-Type": "application/json"})
            return json.loads(self._read(time.monotonic() + self._timeout))
        except TimeoutError:
            self.close()
            raise RpcUnreachable("The RPC takes too long to answer.") from None
        except (OSError, http.client.HTTPException):
            self.close()
            raise RpcUnreachable("The RPC cannot be reached.") from None
        except ValueError:
            self.close()
            raise RpcUnreachable("The RPC does not answer in JSON-RPC.") from None

    def _read(self, end: float) -> bytes:
        """The whole answer, at most _MOST bytes; a server that sends it drop by drop takes too long."""
        response, data = self._connection.getresponse(), bytearray()
        while part := response.read1(65_536):
            data += part
            if len(data) > _MOST:
                raise ValueError
            if time.monotonic() > end:
                raise TimeoutError
        response.close()
        return bytes(data)


def _result(answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        raise RpcUnreachable("The RPC does not answer in JSON-RPC.")
    data = error.get("data", "")
    raise RpcError(str(error.get("message", "")), data if isinstance(data, str) else "")
