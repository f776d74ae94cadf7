"""A server between the program and a node that does to the traffic what real RPCs do: limits, pauses, lies, broken lines.

    with fault_proxy(chain.url) as proxy:
        proxy.faults = [range_limit(500), every(3, too_many())]
        Node(proxy.url)...

A fault is a function (request, forward) -> Answer: it may answer itself, or pass a request on and change what comes back. The first in
the list stands outermost. `seen` holds what came in: one entry an HTTP request, each a list of method names.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Answer:
    """`drop`: the line is cut before an answer; `cut`: in the middle of it. `drip`: seconds between single bytes, from the header on.
    `repeat`: the body so often."""

    body: bytes = b""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    drop: bool = False
    cut: bool = False
    drip: float = 0.0
    repeat: int = 1


Forward: TypeAlias = Callable[[Any], Answer]
Fault: TypeAlias = Callable[[Any, Forward], Answer]


@dataclass
class Proxy:
    url: str = ""
    faults: Sequence[Fault] = ()
    seen: list[list[str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    @property
    def largest(self) -> int:
        """Calls in the largest request."""
        return max(map(len, self.seen), default=0)


@contextmanager
def fault_proxy(target: str, *faults: Fault) -> Iterator[Proxy]:
    proxy = Proxy(faults=faults)
    closing = threading.Event()

    def forward(request: Any) -> Answer:
        asked = urllib.request.Request(target, json.dumps(request).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=60) as response:
            return Answer(response.read())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            proxy.seen.append([r["method"] for r in (request if isinstance(request, list) else [request])])
            proxy.bodies.append(request)
            handle = forward
            for fault in reversed(proxy.faults):
                handle = _wrapped(fault, handle)
            try:
                self._answer(handle(request))
            except OSError:
                self.close_connection = True  # whoever asked has gone

        def _answer(self, answer: Answer) -> None:
            if answer.drop:
                self.close_connection = True
                return
            lines = [f"HTTP/1.1 {answer.status} X", "Content-Type: application/json"]
            lines += [f"{name}: {value}" for name, value in answer.headers]
            lines += [f"Content-Length: {len(answer.body) * answer.repeat}"]
            head = "\r\n".join([*lines, "", ""]).encode()
            if answer.drip:
                for byte in head + answer.body:
                    if closing.wait(answer.drip):
                        return
                    self.wfile.write(bytes([byte]))
                return
            self.wfile.write(head)
            if answer.cut:
                self.wfile.write(answer.body[: len(answer.body) // 2])
                self.close_connection = True
                return
            for _ in range(answer.repeat):
                self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}/v2/a-secret-key"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.socket.close()


def _wrapped(fault: Fault, inner: Forward) -> Forward:
    return lambda request: fault(request, inner)


# --- what RPCs do


def every(number: int, fault: Fault) -> Fault:
    """Each so-manieth request meets the fault; 1 is all."""
    turn, count = threading.Lock(), [0]

    def sometimes(request: Any, forward: Forward) -> Answer:
        with turn:
            count[0] += 1
            now = count[0] % number == 0
        return fault(request, forward) if now else forward(request)

    return sometimes


def first(number: int, fault: Fault) -> Fault:
    """Only the first so many requests meet the fault."""
    turn, count = threading.Lock(), [0]

    def at_first(request: Any, forward: Forward) -> Answer:
        with turn:
            count[0] += 1
            now = count[0] <= number
        return fault(request, forward) if now else forward(request)

    return at_first


def only(method: str, fault: Fault) -> Fault:
    """Requests with this method among their calls."""

    def chosen(request: Any, forward: Forward) -> Answer:
        return fault(request, forward) if method in [r["method"] for r in _list(request)] else forward(request)

    return chosen


def too_many(retry_after: str | None = "0") -> Fault:
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    return lambda _request, _forward: Answer(b'{"error": "slow down"}', 429, headers)


def busy_calls(share: Callable[[dict[str, Any]], bool]) -> Fault:
    """Single calls of a batch are refused for want of capacity."""
    return on_calls(
        lambda call, answer: (
            {**_head(call), "error": {"code": 429, "message": "exceeded its compute units per second capacity"}}
            if share(call)
            else answer
        )
    )


def status(code: int, body: bytes = b"<html>no</html>") -> Fault:
    return lambda _request, _forward: Answer(body, code)


def says(body: bytes) -> Fault:
    return lambda _request, _forward: Answer(body)


def drops() -> Fault:
    return lambda _request, _forward: Answer(drop=True)


def cuts() -> Fault:
    """The line breaks in the middle of the answer."""
    return lambda request, forward: Answer(forward(request).body, cut=True)


def truncates() -> Fault:
    """Half of the answer, as if it were all of it."""

    def half(request: Any, forward: Forward) -> Answer:
        body = forward(request).body
        return Answer(body[: len(body) // 2])

    return half


def hangs(seconds: float = 30.0) -> Fault:
    def wait(_request: Any, _forward: Forward) -> Answer:
        time.sleep(seconds)
        return Answer(drop=True)

    return wait


def drips(pause: float = 0.05) -> Fault:
    return lambda request, forward: Answer(forward(request).body, drip=pause)


def huge() -> Fault:
    """200 MB of JSON."""
    return lambda _request, _forward: Answer(b" " * 1_000_000, repeat=200)


def no_batches(style: str = "object") -> Fault:
    """A batch is refused: as one error object, as status 400, as an error for each call, by the first call's answer alone."""

    def refuse(request: Any, forward: Forward) -> Answer:
        if not isinstance(request, list):
            return forward(request)
        error = {"code": -32600, "message": "batch requests are not supported"}
        match style:
            case "object":
                return _json({"jsonrpc": "2.0", "id": None, "error": error})
            case "status":
                return Answer(b"Bad Request", 400)
            case "each":
                return _json([{**_head(call), "error": error} for call in request])
            case "first":
                return forward(request[0])
        raise AssertionError(style)

    return refuse


def batch_limit(most: int) -> Fault:
    def refuse(request: Any, forward: Forward) -> Answer:
        if len(_list(request)) > most:
            return Answer(b'{"error": "batch too large"}', 413)
        return forward(request)

    return refuse


RANGE_MESSAGES = (  # as seen from providers, numbers filled in
    "block range is too wide: maximum allowed is {n} blocks",
    "query exceeds max block range {n}",
    "eth_getLogs is limited to a {n} range",
    "Block range limit exceeded. See more details in the documentation.",
    "requested too many blocks from {a} to {b}, maximum is set to {n}",
    "You can make eth_getLogs requests with up to a {n} block range. Based on your parameters, this block range should work: [{x}, {y}]",
    "exceed maximum block range: {n}",
    "invalid params",
)


def range_limit(most: int, message: str = RANGE_MESSAGES[0]) -> Fault:
    """eth_getLogs over more blocks than `most` is refused."""

    def limited(call: dict[str, Any], answer: Any) -> Any:
        if call["method"] != "eth_getLogs":
            return answer
        begin, end = (int(call["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
        if end - begin < most:
            return answer
        text = message.format(n=most, a=begin, b=end, x=hex(begin), y=hex(begin + most - 1))
        return {**_head(call), "error": {"code": -32602, "message": text}}

    return on_calls(limited)


def results_limit(most: int) -> Fault:
    """More logs than `most` are refused."""

    def limited(call: dict[str, Any], answer: Any) -> Any:
        if call["method"] == "eth_getLogs" and len(answer.get("result", ())) > most:
            return {**_head(call), "error": {"code": -32005, "message": f"query returned more than {most} results"}}
        return answer

    return on_calls(limited)


def cut_lists(most: int) -> Fault:
    """More logs than `most` are left out without a word."""
    return on_logs(lambda logs: logs[:most])


def hides(which: Callable[[dict[str, Any]], bool]) -> Fault:
    """Some logs are left out without a word."""
    return on_logs(lambda logs: [log for log in logs if not which(log)])


def pruned(before: int) -> Fault:
    """Logs of old blocks are gone."""

    def gone(call: dict[str, Any], answer: Any) -> Any:
        if call["method"] == "eth_getLogs" and int(call["params"][0]["fromBlock"], 16) < before:
            return {**_head(call), "error": {"code": -32000, "message": "missing trie node"}}
        return answer

    return on_calls(gone)


def slow_logs(blocks_a_second: int) -> Fault:
    """Logs of many blocks take long."""

    def slow(request: Any, forward: Forward) -> Answer:
        for call in _list(request):
            if call["method"] == "eth_getLogs":
                begin, end = (int(call["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
                time.sleep((end - begin) / blocks_a_second)
        return forward(request)

    return slow


def chain(number: int) -> Fault:
    """Another chain's id."""
    return on_calls(lambda call, answer: {**_head(call), "result": hex(number)} if call["method"] == "eth_chainId" else answer)


def wrong(method: str, result: Any) -> Fault:
    """A result of the wrong kind."""
    return on_calls(lambda call, answer: {**_head(call), "result": result} if call["method"] == method else answer)


def on_logs(change: Callable[[list[Any]], list[Any]]) -> Fault:
    def changed(call: dict[str, Any], answer: Any) -> Any:
        if call["method"] != "eth_getLogs" or "result" not in answer:
            return answer
        return {**answer, "result": change(answer["result"])}

    return on_calls(changed)


def on_calls(change: Callable[[dict[str, Any], Any], Any]) -> Fault:
    """`change(call, answer)` for every call of a request."""

    def changed(request: Any, forward: Forward) -> Answer:
        answers = json.loads(forward(request).body)
        if not isinstance(request, list):
            return _json(change(request, answers))
        if not isinstance(answers, list):
            return _json(answers)
        by_id = {answer["id"]: answer for answer in answers}
        return _json([change(call, by_id[call["id"]]) for call in request])

    return changed


def _list(request: Any) -> list[dict[str, Any]]:
    return request if isinstance(request, list) else [request]


def _head(call: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call["id"]}


def _json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode())
