"""JSON-RPC over one kept connection, for tests. Not thread-safe; one object a thread."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT = 30.0
_MOST = 64 * 1024 * 1024


class RpcError(Exception):
    """What the node answered instead of a result. `data`: revert data in hex, or ""."""

    def __init__(self, message: str, data: str = "") -> None:
        super().__init__(message)
        self.data = data


class RpcUnreachable(Exception):
    """Nobody answers, or not in JSON-RPC; the text is one sentence."""


class Rpc:
    def __init__(self, url: str, *, timeout: float = _TIMEOUT) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RpcUnreachable("The RPC address has to begin with http:// or https://.")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.url = url
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection = kind(parts.hostname, parts.port, timeout=timeout)

    def __call__(self, method: str, *params: Any) -> Any:
        return self.batch([(method, *params)])[0]

    def batch(self, calls: Iterable[tuple[Any, ...]]) -> list[Any]:
        """Several calls in one request; results in order. Raises RpcError for the first that failed, RpcUnreachable."""
        requests = [{"jsonrpc": "2.0", "id": i, "method": m, "params": params} for i, (m, *params) in enumerate(calls)]
        answers = self._post(requests if len(requests) > 1 else requests[0])
        answers = answers if isinstance(answers, list) else [answers]
        if len(answers) != len(requests) or not all(isinstance(a, dict) for a in answers):
            raise RpcUnreachable("The RPC does not answer in JSON-RPC.")
        return [_result(answer) for answer in sorted(answers, key=lambda a: a.get("id") or 0)]

    def receipt(self, transaction: str) -> dict[str, Any]:
        """Of a transaction that anvil mines by itself, which takes it a moment.

        Under load it happens that anvil overlooks one just after evm_revert; then it is told to mine.
        """
        for attempt in range(1, 5_000):
            found = self("eth_getTransactionReceipt", transaction)
            if found is not None:
                return dict(found)
            if attempt % 250 == 0:
                self("evm_mine")
            time.sleep(0.002)
        raise RuntimeError(f"anvil does not mine {transaction}")

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: Any) -> Any:
        try:
            self._connection.request("POST", self._path, json.dumps(body), {"Content-Type": "application/json"})
            return json.loads(self._connection.getresponse().read(_MOST))
        except TimeoutError:
            self.close()
            raise RpcUnreachable("The RPC takes too long to answer.") from None
        except (OSError, http.client.HTTPException):
            self.close()
            raise RpcUnreachable("The RPC cannot be reached.") from None
        except ValueError:
            self.close()
            raise RpcUnreachable("The RPC does not answer in JSON-RPC.") from None


def _result(answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    data = error.get("data", "")
    raise RpcError(str(error.get("message", "")), data if isinstance(data, str) else "")
