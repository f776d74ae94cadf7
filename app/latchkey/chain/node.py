"""A node behind an RPC address: JSON-RPC that batches as far as the node lets it, waits when it is told to, and always ends.

    node = Node(url)
    node.call("eth_chainId")                 raises RpcError when the node answers with an error
    node.many([("eth_call", ...), ...])      results and RpcErrors in order, in as few HTTP requests as the node takes

Nothing here believes what a node says; whoever asks checks the answer. The address may hold a key: it stands in no error, no log
and no repr; people see `place`.
"""

from __future__ import annotations

import itertools
import json
import queue
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar

from latchkey.chain.wire import MOST, BadAnswer, Reply, Stopped, TooLarge, TooSlow, Unreachable, Wire
from latchkey.core.session import Block
from latchkey.core.types import hex_bytes
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

__all__ = [
    "MOST", "BadAnswer", "Node", "NotAllowed", "RpcError", "Stopped", "TooLarge", "TooManyRequests", "TooSlow", "Unreachable",
    "in_parallel",
]  # fmt: skip

Call: TypeAlias = "tuple[Any, ...]"  # method, then params
T = TypeVar("T")

TIMEOUT: Final = 20.0  # seconds, one HTTP request
_PATIENCE: Final = 3  # timeouts that one request with all its repetitions may take
_CALLS_A_SECOND: Final = 10  # what a slow node that does not batch still does; many() may take that long
_BATCHES: Final = (3_000, 1_000, 100, 20, 5, 1)  # calls in one request: where refused, the next
_AT_ONCE: Final = 8  # requests on their way
_TRIES: Final = 3  # of what fails
_ROUNDS: Final = 5  # in which single calls of a batch are asked again that the node was too busy for
_FIRST_PAUSE, _LAST_PAUSE = 0.25, 8.0  # seconds

# Methods that may be asked twice. Not eth_send...: the second time a node has it already, and says so as if it were an error.
_REPEATABLE: Final = re.compile(
    r"eth_(get|call|chainId|blockNumber|fee|gas|max|estimate|supported|accounts|syncing|simulate)|net_|web3_|debug_"
)
_BUSY: Final = re.compile(
    r"rate.?limit|rate exceeded|too many requests|request limit|requests per|compute units|capacity|throughput|credits|quota|try again",
    re.I,
)
_LIMIT_EXCEEDED: Final = -32005
_ABOUT_LOGS: Final = re.compile(r"block.?range|results|logs|response size|blocks", re.I)
_ABOUT_BATCH: Final = re.compile(r"batch", re.I)


class RpcError(ChainError):
    """What the node answered instead of a result. `.text` is for a person; `str()` and `.message` are the node's own words, text from
    outside that is never shown. `number`: JSON-RPC's error code, 0 when there is none. `data`: as it came (revert data, mostly).
    """

    def __init__(self, message: str, data: Any = "", number: int = 0) -> None:
        super().__init__(tr("The RPC refuses to answer this."), code="RpcError")
        self.message, self.data, self.number = message, data, number

    def __str__(self) -> str:
        return self.message


class TooManyRequests(ChainError):
    """The node goes on asking for a pause."""


class NotAllowed(ChainError):
    """The node does not let us in."""


class _LessAtOnce(Exception):
    """The node wants smaller batches: from now on, or this time."""

    def __init__(self, *, for_good: bool) -> None:
        self.for_good = for_good


@dataclass(slots=True)
class _State:
    """What one RPC has shown of itself, shared by all that use it."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    requests: int = 0
    batch: int = _BATCHES[0]
    ids: Any = field(default_factory=lambda: itertools.count(1))
    quiet_until: float = 0.0  # monotonic: it asked for a pause
    log_span: int | None = None


class Node:
    """One RPC. Thread-safe. `timeout`: seconds one HTTP request may take. `stop`: when set, everything raises Stopped within a second.

    Raises Unreachable (code "BadAddress") for an address that is none; no request is made before the first call.
    """

    def __init__(
        self, url: str, *, proxy: str = "", bearer: str = "", timeout: float = TIMEOUT, stop: threading.Event | None = None
    ) -> None:
        self._wire = Wire(url, proxy=proxy, bearer=bearer)
        self._timeout = timeout
        self.stops: tuple[threading.Event, ...] = (stop,) if stop else ()
        self._state = _State()

    def __repr__(self) -> str:
        return f"Node({self.place})"

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return self._wire.place

    @property
    def fingerprint(self) -> str:
        """Tells this address from others, and nothing about it: what was read from one node is not held to be another's word."""
        return self._wire.fingerprint

    @property
    def requests(self) -> int:
        """HTTP requests made so far."""
        return self._state.requests

    @property
    def batch_size(self) -> int:
        """How many calls go into one request, as far as is known; 1 when the RPC takes one at a time."""
        return self._state.batch

    @property
    def log_span(self) -> int | None:
        """For the log scan: how many blocks the RPC gives the logs of at once, None when it has not refused any number yet."""
        return self._state.log_span

    @log_span.setter
    def log_span(self, blocks: int | None) -> None:
        self._state.log_span = blocks

    def stoppable(self, stop: threading.Event | None) -> Node:
        """The same node, heeding one more event."""
        if stop is None or stop in self.stops:
            return self
        twin = object.__new__(type(self))
        twin._wire, twin._timeout, twin._state = self._wire, self._timeout, self._state
        twin.stops = (*self.stops, stop)
        return twin

    def close(self) -> None:
        self._wire.close()

    def call(self, method: str, *params: Any) -> Any:
        """One result. Raises RpcError and the other ChainErrors."""
        result = self._single((method, *params), self._end(1))
        if isinstance(result, RpcError):
            raise result
        return result

    def many(self, calls: Iterable[Call]) -> list[Any]:
        """Results in order; where the node answered with an error, that RpcError stands in its place. Raises the other ChainErrors."""
        wanted = list(calls)
        answers: dict[int, Any] = {}
        end = self._end(len(wanted))
        attempt = 0
        while open_ := [i for i in range(len(wanted)) if i not in answers]:
            was_busy = False
            for place, answer in self._round(wanted, open_, end):
                if isinstance(answer, RpcError) and is_busy(answer):
                    was_busy = True
                else:
                    answers[place] = answer
            if was_busy:
                attempt += 1
                if attempt == _ROUNDS:
                    raise _too_busy()
                self._pause(_backoff(attempt), end, _too_busy())
        return [answers[i] for i in range(len(wanted))]

    def chain_id(self) -> int:
        return _quantity(self.call("eth_chainId"))

    def head(self, tag: str | int = "latest") -> Block:
        """The block under a tag or number. Raises BadAnswer when the node does not have it."""
        return block_of(self.call("eth_getBlockByNumber", tag if isinstance(tag, str) else hex(tag), False))

    # --- batches

    def _round(self, wanted: Sequence[Call], open_: Sequence[int], end: float) -> Iterable[tuple[int, Any]]:
        """Ask for the open ones once, in batches of the size the node takes."""
        size = self._state.batch
        if size == 1 or len(open_) == 1:
            answers = in_parallel([partial(self._single, wanted[i], end) for i in open_], stops=self.stops)
            return zip(open_, answers, strict=True)
        parts = [open_[at : at + size] for at in range(0, len(open_), size)]
        found = in_parallel([partial(self._part, wanted, part, end) for part in parts], stops=self.stops)
        return itertools.chain.from_iterable(found)

    def _part(self, wanted: Sequence[Call], part: Sequence[int], end: float) -> list[tuple[int, Any]]:
        """One batch. Where it is too much for the node just now, smaller ones; where it always is, nothing: the next round will know."""
        if len(part) == 1:
            return [(part[0], self._single(wanted[part[0]], end))]
        if len(part) > self._state.batch:  # another part was just refused
            return []
        try:
            return list(zip(part, self._batch([wanted[i] for i in part], end), strict=True))
        except _LessAtOnce as refusal:
            size = self._smaller(len(part), for_good=refusal.for_good)
            if refusal.for_good:
                return []
        return [pair for at in range(0, len(part), size) for pair in self._part(wanted, part[at : at + size], end)]

    def _smaller(self, refused: int, *, for_good: bool) -> int:
        smaller = next(size for size in _BATCHES if size < refused)
        if for_good:
            with self._state.turn:
                self._state.batch = min(self._state.batch, smaller)
        return smaller

    def _batch(self, calls: Sequence[Call], end: float) -> list[Any]:
        """Answers in order. Raises _LessAtOnce when the node does not take so many, or not just now."""
        requests = [self._request(call) for call in calls]
        try:
            reply = self._ask(requests, end)
        except (TooLarge, TooSlow, BadAnswer, TooManyRequests) as fault:
            was_refused = isinstance(fault, TooManyRequests) or fault.code in ("BadRequest", "RequestTooLarge")
            may_repeat = was_refused or _repeatable(requests)
            if time.monotonic() >= end or not may_repeat or (isinstance(fault, TooSlow) and _asks_logs(requests)):
                raise
            raise _LessAtOnce(for_good=fault.code in ("BadRequest", "RequestTooLarge")) from None
        if not isinstance(reply, list):
            refusal = _result(reply)
            raise _LessAtOnce(for_good=not (isinstance(refusal, RpcError) and is_busy(refusal)))
        by_id = {a["id"]: a for a in reply if isinstance(a, dict) and isinstance(a.get("id"), int)}
        if len(reply) != len(requests) or by_id.keys() != {r["id"] for r in requests}:
            if not _repeatable(requests):
                raise _not_json_rpc()
            raise _LessAtOnce(for_good=True)
        answers = [_result(by_id[request["id"]]) for request in requests]
        if all(isinstance(a, RpcError) and _ABOUT_BATCH.search(a.message) for a in answers):
            raise _LessAtOnce(for_good=True)
        return answers

    def _single(self, call: Call, end: float) -> Any:
        """The result, or the node's RpcError. Asked again while the node is too busy."""
        for attempt in itertools.count(1):
            request = self._request(call)
            answer = self._ask(request, end)
            if not isinstance(answer, dict) or answer.get("id") not in (
                request["id"],
                None if "error" in answer else request["id"],
            ):
                raise _not_json_rpc()
            result = _result(answer)
            if not (isinstance(result, RpcError) and is_busy(result)):
                return result
            if attempt == _ROUNDS:
                break
            self._pause(_backoff(attempt), end, _too_busy())
        raise _too_busy()

    def _request(self, call: Call) -> dict[str, Any]:
        method, *params = call
        return {"jsonrpc": "2.0", "id": next(self._state.ids), "method": method, "params": params}

    # --- one request, repeated where that can help

    def _ask(self, request: Any, end: float) -> Any:
        """The parsed answer: a JSON object or list. A batch is asked once: where it fails, smaller ones follow."""
        is_batch = isinstance(request, list)
        repeatable = _repeatable(request if is_batch else [request])
        asks_logs = not is_batch and _asks_logs([request])
        body = json.dumps(request, separators=(",", ":")).encode()
        end = min(end, time.monotonic() + _PATIENCE * self._timeout)
        for attempt in itertools.count(1):
            fault: ChainError
            try:
                return self._once(body, end)
            except TooManyRequests as busy:  # it did nothing, so anything may be asked again
                fault = busy
                if (is_batch and attempt > 1) or self._state.quiet_until >= end:
                    raise
            except (Unreachable, TooSlow, BadAnswer) as failed:
                fault = failed
                gives_up = isinstance(failed, Unreachable) and failed.code != "Unreachable"
                smaller_helps = is_batch and not isinstance(failed, Unreachable)
                tries = 1 if isinstance(failed, TooSlow) and asks_logs else _TRIES
                if not repeatable or gives_up or smaller_helps or attempt >= tries:
                    raise
            self._pause(_backoff(attempt), end, fault)
        raise AssertionError

    def _once(self, body: bytes, end: float) -> Any:
        self._pause(self._state.quiet_until - time.monotonic(), end, _asks_to_wait(self._state.quiet_until - time.monotonic()))
        left = end - time.monotonic()
        if left <= 0:
            raise TooSlow(tr("The RPC takes too long to answer."))
        with self._state.turn:
            self._state.requests += 1
        reply = self._wire.post(body, timeout=min(self._timeout, left), stops=self.stops)
        if reply.status == 429 or (reply.status == 503 and reply.retry_after is not None):
            with self._state.turn:
                self._state.quiet_until = time.monotonic() + (reply.retry_after or 0.0)
            raise _asks_to_wait(reply.retry_after or 0.0)
        return _parsed(reply)

    def _end(self, calls: int) -> float:
        return time.monotonic() + _PATIENCE * self._timeout + calls / _CALLS_A_SECOND

    def _pause(self, seconds: float, end: float, fault: ChainError) -> None:
        """Wait, unless that would be too long: then raise `fault`."""
        if time.monotonic() + seconds >= end and seconds > 0:
            raise fault
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._check()
            time.sleep(min(left, 0.2))
        self._check()

    def _check(self) -> None:
        if any(stop.is_set() for stop in self.stops):
            raise Stopped


def in_parallel(tasks: Sequence[Callable[[], T]], *, stops: Sequence[threading.Event] = (), at_once: int = _AT_ONCE) -> list[T]:
    """Results in order, a few at a time on daemon threads; the first failure is raised and what has not begun does not begin."""
    if len(tasks) == 1:
        return [tasks[0]()]
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, T | None, BaseException | None]] = queue.SimpleQueue()
    ended = threading.Event()
    for number in range(len(tasks)):
        waiting.put(number)

    def work() -> None:
        while not ended.is_set():
            try:
                number = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((number, tasks[number](), None))
            except BaseException as fault:  # noqa: BLE001  raised again by whoever waits
                done.put((number, None, fault))

    for _ in range(min(at_once, len(tasks))):
        threading.Thread(target=work, name="rpc-part", daemon=True).start()
    results: dict[int, Any] = {}
    try:
        while len(results) < len(tasks):
            try:
                number, result, fault = done.get(timeout=0.2)
            except queue.Empty:
                if any(stop.is_set() for stop in stops):
                    raise Stopped from None
                continue
            if fault is not None:
                raise fault
            results[number] = result
    finally:
        ended.set()
    return [results[number] for number in range(len(tasks))]


def is_busy(error: RpcError) -> bool:
    """The node would answer if it were asked later. Not so for "more than 10,000 results" and its like: there less has to be asked."""
    if error.number == 429:
        return True
    if error.number == 3 or "revert" in error.message or _ABOUT_LOGS.search(error.message):
        return False
    return error.number == _LIMIT_EXCEEDED or bool(_BUSY.search(error.message))


def block_of(answer: Any) -> Block:
    """From a block as JSON-RPC has it. Raises BadAnswer."""
    if answer is None:
        raise BadAnswer(tr("The RPC does not have this block."), code="NoBlock")
    try:
        return Block(_quantity(answer["number"]), hex_bytes(answer["hash"], size=32), _quantity(answer["timestamp"]))
    except (TypeError, KeyError, BadInput):
        raise BadAnswer(tr("The RPC answers with a block that is none.")) from None


def _quantity(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value):
        return int(value, 16)
    raise BadAnswer(tr("The RPC answers with a number that is none."))


def _parsed(reply: Reply) -> Any:
    """JSON-RPC counts whatever the status: many nodes send their errors with one of 4xx."""
    from pydantic_core import from_json  # its depth is bounded, which Python's own reader leaves to the stack

    try:
        value = from_json(reply.data, allow_inf_nan=False)
    except ValueError:
        value = None
    if _is_answer(value) and (reply.status < 500 or isinstance(value, list) or isinstance(value.get("error"), dict)):
        return value
    match reply.status:
        case 401 | 402 | 403:
            raise NotAllowed(tr("The RPC does not let Latchkey in: check its address and the key in it."))
        case 404 | 405 | 410:
            raise NotAllowed(tr("There is no RPC at this address."), code="NoRpc")
        case 413:
            raise TooLarge(tr("The RPC does not take requests as large as this."), code="RequestTooLarge")
        case 407:
            raise Unreachable(tr("The proxy that is set in Settings does not let Latchkey through."), code="BadProxy")
        case status if status >= 500:
            raise Unreachable(tr("The RPC has a fault of its own; try again later, or use another one."))
        case status if status >= 400:
            raise BadAnswer(tr("The RPC does not answer in JSON-RPC."), code="BadRequest")
    raise _not_json_rpc()


def _is_answer(value: Any) -> bool:
    return bool(value) if isinstance(value, list) else isinstance(value, dict) and ("result" in value or "error" in value)


def _result(answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is None:
        if "result" not in answer:
            raise _not_json_rpc()
        return answer["result"]
    if isinstance(error, str):
        return RpcError(error)
    if not isinstance(error, dict):
        raise _not_json_rpc()
    number, message = error.get("code"), error.get("message")
    return RpcError(str(message or ""), error.get("data", ""), number if isinstance(number, int) else 0)


def _too_busy() -> TooManyRequests:
    return TooManyRequests(tr("The RPC is too busy; try again later, or use another one."))


def _asks_to_wait(seconds: float) -> TooManyRequests:
    if seconds <= 1:
        return TooManyRequests(tr("The RPC takes no more requests just now; try again later, or use another one."))
    return TooManyRequests(
        tr("The RPC asks for a pause of {seconds:.0f} seconds; try again then, or use another one.", seconds=seconds)
    )


def _repeatable(requests: Iterable[dict[str, Any]]) -> bool:
    return all(_REPEATABLE.match(request["method"]) for request in requests)


def _asks_logs(requests: Iterable[dict[str, Any]]) -> bool:
    """Then whoever asks knows better than to repeat: logs of fewer blocks may come in time."""
    return any(request["method"] == "eth_getLogs" for request in requests)


def _not_json_rpc() -> BadAnswer:
    return BadAnswer(tr("The RPC does not answer in JSON-RPC."))


def _backoff(attempt: int) -> float:
    """Seconds: twice as long each time, a little different for each, so that not all come back at once."""
    return float(min(_LAST_PAUSE, _FIRST_PAUSE * 2 ** (attempt - 1)) * (0.75 + secrets.randbelow(501) / 1000))
