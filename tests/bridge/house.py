"""A bridge with a real process and a real book, without a window; and callers for it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latchkey.core.account import Account
from latchkey.flow.bridge import BridgeHost, BridgeState, ToPair
from latchkey.flow.chains import Chains
from latchkey.flow.requests import Record, Requests
from latchkey.flow.sessions import Sessions
from latchkey.store.book import Book
from latchkey.store.settings import Settings
from tests.store.grants import ACCOUNT

PAGE = "https://rooms.example"
OTHER = "https://other.example"
NOW = 1_795_300_000
KEY = "0x" + "5e" * 20
REQUEST: dict[str, Any] = {
    "chainId": "0x7a69",
    "expirySec": NOW + 3600,
    "key": {"publicKey": KEY, "type": "secp256k1"},
    "permissions": [{"type": "gas-limit", "data": {"limit": "0x2386f26fc10000"}}],
    "latchkey": {"name": "Skirmish Rooms", "url": "https://elsewhere.example", "requestId": "r-1"},
}


def until(check: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class House:
    """The window's side, as far as it needs no window."""

    book: Book
    requests: Requests
    host: BridgeHost
    callers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16))

    @property
    def port(self) -> int:
        return self.host.port

    def call(self, method: str, *params: Any, **options: Any) -> Any:
        """The answer's result, or its error object."""
        answer = self.answer(method, *params, **options)
        return answer["result"] if "result" in answer else answer["error"]

    def answer(self, method: str, *params: Any, **options: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})
        return self.post(body, **options).json

    def later(self, method: str, *params: Any, **options: Any) -> Future[Any]:
        """A call that waits for a person."""
        return self.callers.submit(self.call, method, *params, **options)

    def post(self, body: str | bytes, *, origin: str = "", token: str = "", verb: str = "POST", **headers: str | None) -> Reply:
        """`headers`: with _ for -; None takes one away."""
        sent: dict[str, str | None] = {"Content-Type": "application/json", "Origin": origin or None}
        sent |= {"Authorization": f"Bearer {token}" if token else None}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with line(self.port) as connection:
            connection.request(verb, "/", body, {name: value for name, value in sent.items() if value is not None})
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())

    def waiting(self) -> ToPair:
        return until(self.host.to_pair)[0]  # type: ignore[no-any-return]

    def question(self) -> Record:
        return until(self.requests.open)[0]  # type: ignore[no-any-return]

    def pair(self, origin: str = PAGE, account: Account | None = ACCOUNT, name: str = "") -> str:
        """The token of a pairing that the person agreed to."""
        answer = self.later("latchkey_pair", {"code": "123456", "name": name or "Rooms"}, origin=origin)
        self.host.pair(self.waiting(), account)
        return str(answer.result(20)["token"])


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]


@contextmanager
def line(port: int, timeout: float = 30) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def house(folder: Path) -> Iterator[House]:
    with Book.open(folder / "book.sqlite") as book:
        book.add_account(ACCOUNT)
        requests = Requests(book, lambda: NOW)
        sessions = Sessions(book, Chains(Settings), lambda: NOW)
        changed = threading.Event()
        host = BridgeHost(book, sessions, requests, lambda: NOW, changed.set)
        made = House(book, requests, host)
        host.start(free_port())
        try:
            until(lambda: host.state is BridgeState.LISTENING)
            yield made
        finally:
            host.stop()
            made.callers.shutdown()
