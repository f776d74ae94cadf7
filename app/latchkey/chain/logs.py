"""Reading event logs over any number of blocks from nodes that each have limits of their own.

`scan` asks for everything at once and for less where that is refused: fewer blocks, down to one, and more again as soon as that works.
What was read goes into a store as it comes, so a scan that was stopped goes on where it was. The last 64 blocks are read again each
time, and a mark (number and hash of the block below them) tells whether what is held further down still belongs to this chain.

What a complete range proves: the node answered for every one of its blocks, every log it gave fits the filters and its block, no two
answers contradict each other, and no answer had one of the round sizes at which nodes cut lists off. What it cannot prove: that the
node left nothing out. A node that gives shorter lists without saying so, or that is behind and answers for blocks it does not have
yet, is found out by comparing: with the views of the contracts, and with a second node.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final, NoReturn, Protocol, TypeAlias

from latchkey.chain.node import BadAnswer, Node, RpcError, TooLarge, TooSlow, block_of, in_parallel
from latchkey.core.logs import Log, LogFilter, Topic
from latchkey.core.session import LogRange
from latchkey.core.types import Address, hex_bytes, to_hex
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

__all__ = ["Log", "LogFilter", "LogStore", "MemoryLogs", "Progress", "Range", "Scanned", "scan"]

Range: TypeAlias = tuple[int, int]  # blocks, both included
Progress: TypeAlias = Callable[[int, int], object]  # blocks read, blocks to read; in the thread that scans

DEPTH: Final = 64  # blocks that are read again each time
_UNIT: Final = 16  # ranges in one HTTP request
_AT_ONCE: Final = 4  # HTTP requests on their way
_FIRST_CUT: Final = 100_000  # blocks: what is tried after everything at once was refused
_RELAX: Final = 8  # ranges that must succeed before more blocks than were refused are tried again
_FIRM: Final = 8 * _RELAX  # the same, where the node has a rule about blocks
_BARREN: Final = 64  # times that nothing came, one after the other, before the rest is given up
_SLOW: Final = 6  # times that nothing came in time
_RESTARTS: Final = 3
_ROUND: Final = 500  # nodes cut lists off at multiples of this
_MOST_DATA: Final = 256 * 1024  # bytes in a log
_MARKS: Final = 8

_TOO_MUCH: Final = re.compile(
    r"range|too many|more than \d+|response size|too large|too big|limit|exceed|maximum|time.?out|timed out|narrow|reduce|smaller",
    re.IGNORECASE,
)
_SUGGESTED: Final = re.compile(r"\[\s*(0x[0-9a-f]{1,16})\s*,\s*(0x[0-9a-f]{1,16})\s*\]", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?<![\w.-])(\d{1,3}(?:,\d{3})+|\d{1,12})(k?)(?![\w.])", re.IGNORECASE)
_ABOUT_RESULTS: Final = re.compile(r"results|logs returned|response size", re.IGNORECASE)


class LogStore(Protocol):
    """Keeps logs of one account on one chain from one node. Ranges are both included."""

    def begin(self, filters: Sequence[LogFilter]) -> None:
        """What is asked from now on; a store that holds answers to something else forgets them."""

    def covered(self) -> Sequence[Range]:
        """Blocks whose logs are held: in order, not touching."""

    def logs(self, first: int, last: int) -> Iterable[Log]:
        """Held logs of these blocks, as they happened."""

    def put(self, first: int, last: int, logs: Sequence[Log]) -> None:
        """All logs of these blocks, in the place of what was held of them."""

    def forget(self, first: int) -> None:
        """Drop logs and marks of this block and later ones."""

    def marks(self) -> Sequence[tuple[int, bytes]]:
        """Block numbers with hashes, newest first: what is held up to such a block belongs to a chain that has it."""

    def mark(self, block: int, hash_: bytes) -> None:
        """Keep a mark, and drop the oldest when there are many."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """Logs as they happened. `head`: hash of the range's last block when its logs were read; 32 bytes."""

    logs: tuple[Log, ...]
    range: LogRange
    head: bytes | None = None


@dataclass(slots=True)
class MemoryLogs:
    """A store that is gone at the end."""

    _ranges: list[Range] = field(default_factory=list)
    _logs: dict[tuple[int, int], Log] = field(default_factory=dict)
    _marks: list[tuple[int, bytes]] = field(default_factory=list)
    _filters: tuple[LogFilter, ...] = ()

    def begin(self, filters: Sequence[LogFilter]) -> None:
        if tuple(filters) != self._filters:
            self.forget(0)
        self._filters = tuple(filters)

    def covered(self) -> Sequence[Range]:
        return tuple(self._ranges)

    def logs(self, first: int, last: int) -> Iterable[Log]:
        return [self._logs[place] for place in sorted(self._logs) if first <= place[0] <= last]

    def put(self, first: int, last: int, logs: Sequence[Log]) -> None:
        self._logs = {place: log for place, log in self._logs.items() if not first <= place[0] <= last}
        self._logs |= {log.place: log for log in logs}
        self._ranges = merged([*self._ranges, (first, last)])

    def forget(self, first: int) -> None:
        self._logs = {place: log for place, log in self._logs.items() if place[0] < first}
        self._ranges = [(a, min(b, first - 1)) for a, b in self._ranges if a < first]
        self._marks = [mark for mark in self._marks if mark[0] < first]

    def marks(self) -> Sequence[tuple[int, bytes]]:
        return tuple(sorted(self._marks, reverse=True))

    def mark(self, block: int, hash_: bytes) -> None:
        kept = [mark for mark in self._marks if mark[0] != block]
        self._marks = sorted([*kept, (block, hash_)])[-_MARKS:]


def scan(
    node: Node,
    filters: Sequence[LogFilter],
    first: int,
    last: int,
    *,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    known: LogStore | None = None,
) -> Scanned:
    """All logs of blocks `first` to `last` that fit any of the filters; blocks whose logs the node does not give are in
    `range.missing`.

    `known`: what was read before; it takes what is read now. One HTTP request where little is open and the node takes batches. Raises
    Stopped, and Unreachable, TooManyRequests, TooSlow ... when the node is gone; what was read until then is in `known`.
    """
    store = known if known is not None else MemoryLogs()
    store.begin(filters)
    for _ in range(_RESTARTS):
        work = _Scan(node.stoppable(stop), tuple(filters), first, last, store, progress)
        if work.run():
            missing = tuple(without((first, last), store.covered()))
            return Scanned(tuple(store.logs(first, last)), LogRange(first, last, missing), work.head)
    raise BadAnswer(tr("The chain went on changing while its events were read; read again."), code="Moved")


def merged(ranges: Iterable[Range]) -> list[Range]:
    """In order, without overlaps, touching ones joined."""
    result: list[Range] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(result[-1][1], last))
        else:
            result.append((first, last))
    return result


def without(whole: Range, covered: Iterable[Range]) -> list[Range]:
    """The parts of `whole` that are not covered, in order."""
    at, end = whole
    gaps = []
    for first, last in merged(covered):
        if first > at:
            gaps.append((at, min(first - 1, end)))
        at = max(at, last + 1)
        if at > end:
            break
    if at <= end:
        gaps.append((at, end))
    return [gap for gap in gaps if gap[0] <= gap[1]]


class _Cut(ChainError):
    """A list of a round size: perhaps the beginning of a longer one."""

    def __init__(self) -> None:
        super().__init__(tr("The RPC may have cut a list of events off."))


_Outcome: TypeAlias = "list[Log] | ChainError"


class _Scan:
    """One pass. Decides in one thread; only fetching is done in others."""

    def __init__(
        self, node: Node, filters: tuple[LogFilter, ...], first: int, last: int, store: LogStore, progress: Progress | None
    ) -> None:
        self.node, self.filters, self.first, self.last, self.store = node, filters, first, last, store
        self.progress = progress
        self.head: bytes | None = None
        self._anchor = last - DEPTH  # below the blocks that are read again each time
        self._todo: deque[Range] = deque()
        self._open = self._read = 0
        self._ceiling = node.log_span
        self._span = node.log_span
        self._relax = _RELAX if node.log_span is None else _FIRM
        self._since_refusal, self._trying = 0, False
        self._failures = self._timeouts = 0
        self._learned: set[str] = set()  # refusals that turned out to be about how much was asked for

    def run(self) -> bool:
        """Whether all is read that can be; False when the chain turned out to be another one, and all has to begin again."""
        marks = [mark for mark in self.store.marks() if mark[0] <= self.last]
        sure = marks[0][0] if marks else -1
        self._plan(sure)
        unit = self._take()
        blocks = [number for number, _ in marks] + [n for n in (self._anchor, self.last) if n >= 0]
        found, outcomes = self._first(unit, blocks)
        holding = max((number for number, hash_ in marks if found.get(number) == hash_), default=-1)
        if any(last > holding for _, last in self.store.covered()):
            self.store.forget(holding + 1)
        if holding != sure:
            return False
        self.head = found.get(self.last)
        self._mark(found.get(self._anchor))
        self._settle([(unit, outcomes)])
        if not self._todo:
            return True
        while self._todo:
            self._round()
        return self._look_again(found)

    # --- what to read

    def _plan(self, sure: int) -> None:
        """Everything that is not held, or held but not known to belong to this chain."""
        held = [(first, min(last, sure)) for first, last in self.store.covered() if first <= sure]
        self._todo.extend(without((self.first, self.last), held))
        self._open = sum(last - first + 1 for first, last in self._todo)

    def _take(self) -> list[Range]:
        """The next few ranges, as large as the node takes them."""
        most = 1 if self._trying else max(1, min(_UNIT, self.node.batch_size // len(self.filters)))
        unit: list[Range] = []
        while self._todo and len(unit) < most:
            first, last = self._todo.popleft()
            end = last if self._span is None else min(last, first + self._span - 1)
            unit.append((first, end))
            if end < last:
                self._todo.appendleft((end + 1, last))
        return unit

    # --- reading

    def _first(self, unit: list[Range], blocks: Sequence[int]) -> tuple[dict[int, bytes], list[_Outcome]]:
        """The first ranges, and the hashes of some blocks, in one request."""
        numbers = sorted(set(blocks))
        calls = [("eth_getBlockByNumber", hex(number), False) for number in numbers]
        try:
            answers = self.node.many([*calls, *self._calls(unit)])
        except (TooLarge, TooSlow, BadAnswer) as problem:
            answers = self.node.many(calls)
            outcomes: list[_Outcome] = [problem for _ in unit] if isinstance(problem, TooSlow) else self._fetch(unit)
        else:
            outcomes = self._outcomes(unit, answers[len(calls) :])
        found = {
            number: block_of(answer).hash for number, answer in zip(numbers, answers, strict=False) if isinstance(answer, dict)
        }
        return found, outcomes

    def _fetch(self, unit: list[Range]) -> list[_Outcome]:
        """In a thread of its own. What stops everything is raised, what concerns one range stands in its place."""
        try:
            return self._outcomes(unit, self.node.many(self._calls(unit)))
        except TooSlow as problem:
            return [problem for _ in unit]
        except (TooLarge, BadAnswer) as problem:
            if len(unit) == 1:
                return [problem]
        return [outcome for one in unit for outcome in self._fetch([one])]

    def _calls(self, unit: Iterable[Range]) -> list[tuple[Any, ...]]:
        return [("eth_getLogs", _asked(one, first, last)) for first, last in unit for one in self.filters]

    def _outcomes(self, unit: Sequence[Range], answers: Sequence[Any]) -> list[_Outcome]:
        count = len(self.filters)
        return [self._outcome(one, answers[at * count : (at + 1) * count]) for at, one in enumerate(unit)]

    def _outcome(self, range_: Range, answers: Sequence[Any]) -> _Outcome:
        """The logs of one range, or why there are none."""
        logs: dict[tuple[int, int], Log] = {}
        hashes: dict[int, bytes] = {}
        for wanted, answer in zip(self.filters, answers, strict=True):
            if isinstance(answer, RpcError):
                return answer
            if isinstance(answer, list) and len(answer) >= _ROUND and len(answer) % _ROUND == 0 and range_[0] < range_[1]:
                return _Cut()
            try:
                if not isinstance(answer, list):
                    _bad()
                for log in map(_log, answer):
                    if not (range_[0] <= log.block <= range_[1] and _fits(log, wanted)):
                        _bad()
                    if hashes.setdefault(log.block, log.block_hash) != log.block_hash or logs.setdefault(log.place, log) != log:
                        _bad()
            except BadAnswer as problem:
                return problem
        return list(logs.values())

    def _round(self) -> None:
        """A few requests at once, then what came of them."""
        units: list[list[Range]] = []
        while self._todo and len(units) < (1 if self._trying else _AT_ONCE):
            units.append(self._take())
        tasks = [partial(_caught, partial(self._fetch, unit)) for unit in units]
        results = in_parallel(tasks, stops=self.node.stops)
        self._settle([(unit, result) for unit, result in zip(units, results, strict=True) if not isinstance(result, ChainError)])
        for result in results:
            if isinstance(result, ChainError):
                raise result

    # --- what came of it

    def _settle(self, units: Iterable[tuple[list[Range], list[_Outcome]]]) -> None:
        done: list[tuple[Range, list[Log]]] = []
        failed: list[tuple[Range, ChainError]] = []
        for unit, outcomes in units:
            for range_, outcome in zip(unit, outcomes, strict=True):
                if isinstance(outcome, ChainError):
                    failed.append((range_, outcome))
                else:
                    done.append((range_, outcome))
        self._keep(done)
        if failed:
            self._failed(failed, any_done=bool(done))
        if self.progress and self._open:
            self.progress(min(self._read, self._open), self._open)

    def _keep(self, done: list[tuple[Range, list[Log]]]) -> None:
        for first, last in merged(range_ for range_, _ in done):
            logs = [log for (a, b), found in done if first <= a and b <= last for log in found]
            self.store.put(first, last, sorted(logs, key=lambda log: log.place))
        self._read += sum(last - first + 1 for (first, last), _ in done)
        if done:
            self._failures = self._timeouts = 0
            self._since_refusal += len(done)
            self._grow()

    def _grow(self) -> None:
        if self._span is None:
            return
        self._trying = False
        if self._ceiling is not None and self._span >= self._ceiling and self._since_refusal >= self._relax:
            self._trying, self._since_refusal, self._ceiling = True, 0, self._ceiling * 2  # one range will tell
        self._span = min(self._span * 2, self._ceiling or self._span * 2)

    def _failed(self, failed: Sequence[tuple[Range, ChainError]], *, any_done: bool) -> None:
        """Smaller ranges where that may help, the end of it where it does not."""
        if not any_done:
            self._failures += 1
            self._timeouts += any(isinstance(problem, TooSlow) for _, problem in failed)
        if self._timeouts > _SLOW:
            raise TooSlow(tr("The RPC takes too long to tell what happened on this account; try again later, or use another one."))
        again: list[Range] = []
        for range_, problem in failed:
            again += self._less(range_, problem)
        self._todo.extendleft(reversed(again))
        if self._failures > _BARREN:
            self._todo.clear()

    def _less(self, range_: Range, problem: ChainError) -> list[Range]:
        """What of a range that failed is worth asking for again; the rest stays missing."""
        first, last = range_
        size = last - first + 1
        if size == 1:
            return []
        if isinstance(problem, _Cut):
            return _halves(range_)
        if self._means_something_else(problem):
            begin, end = self._gives(first), self._gives(last)
            if not begin and not end:
                return []
            if not (begin and end):
                return _halves(range_)
            if isinstance(problem, RpcError):
                self._learned.add(_gist(problem.message))
        self._shrink(size, problem)
        return [range_]

    def _means_something_else(self, problem: ChainError) -> bool:
        """It is not said to be about how much was asked for, and has not turned out to be."""
        if isinstance(problem, RpcError):
            return not _TOO_MUCH.search(problem.message) and _gist(problem.message) not in self._learned
        return isinstance(problem, BadAnswer)

    def _gives(self, block: int) -> bool:
        """Whether the node gives the logs of this one block."""
        return not isinstance(self._fetch([(block, block)])[0], ChainError)

    def _shrink(self, size: int, problem: ChainError) -> None:
        hint, hard = suggested(problem.message, size) if isinstance(problem, RpcError) else (None, False)
        less = hint or max(1, size // (8 if isinstance(problem, TooSlow) else 2))
        if self._span is None or size > _FIRST_CUT:
            less = min(less, _FIRST_CUT)
        self._span = less if self._span is None else min(self._span, less)
        self._ceiling = self._span
        if self._trying:
            self._relax *= 2  # more was tried, and refused again
        if hard:
            self._relax = max(self._relax, _FIRM)
            self.node.log_span = self._ceiling
        self._since_refusal, self._trying = 0, False

    # --- the end

    def _mark(self, hash_: bytes | None) -> None:
        if hash_ is not None and self._anchor >= 0:
            self.store.mark(self._anchor, hash_)

    def _look_again(self, found: dict[int, bytes]) -> bool:
        """This took a while: the newest blocks once more, and whether the ones below are still the same."""
        tail = (max(self.first, self._anchor + 1), self.last)
        numbers = [n for n in (self._anchor, self.last) if n >= 0]
        self.store.forget(tail[0])
        self._todo.append(tail)
        now, outcomes = self._first(unit := self._take(), numbers)
        if self._anchor >= 0 and now.get(self._anchor) != found.get(self._anchor):
            self.store.forget(0)
            return False
        self.head = now.get(self.last)
        self._settle([(unit, outcomes)])
        while self._todo:
            self._round()
        return True


def _gist(message: str) -> str:
    """A refusal without its numbers."""
    return re.sub(r"0x[0-9a-fA-F]+|\d+", "#", message)[:200]


def suggested(message: str, size: int) -> tuple[int | None, bool]:
    """How many blocks a refusal of `size` blocks says would be taken, None when it does not say; whether that is a rule about blocks
    (and not about how many logs are in these)."""
    if pair := _SUGGESTED.search(message):
        blocks = int(pair[2], 16) - int(pair[1], 16) + 1
        return (blocks if 1 <= blocks < size else None), False
    if _ABOUT_RESULTS.search(message):
        return None, False
    numbers = [int(digits.replace(",", "")) * (1000 if thousand else 1) for digits, thousand in _NUMBER.findall(message)]
    return min((n for n in numbers if 2 <= n < size), default=None), True


def _caught(fetch: Callable[[], list[_Outcome]]) -> list[_Outcome] | ChainError:
    try:
        return fetch()
    except ChainError as problem:
        return problem


def _halves(range_: Range) -> list[Range]:
    first, last = range_
    middle = (first + last) // 2
    return [(first, middle), (middle + 1, last)]


def _asked(wanted: LogFilter, first: int, last: int) -> dict[str, Any]:
    asked: dict[str, Any] = {"fromBlock": hex(first), "toBlock": hex(last), "topics": [_topic(topic) for topic in wanted.topics]}
    if wanted.address is not None:
        asked["address"] = list(wanted.address)
    return asked


def _topic(topic: Topic) -> Any:
    if topic is None:
        return None
    return to_hex(topic) if isinstance(topic, bytes) else [to_hex(one) for one in topic]


def _fits(log: Log, wanted: LogFilter) -> bool:
    if wanted.address is not None and log.address not in wanted.address:
        return False
    if len(log.topics) < len(wanted.topics):
        return False
    pairs = zip(wanted.topics, log.topics, strict=False)
    return all(want is None or have == want or (isinstance(want, tuple) and have in want) for want, have in pairs)


def _log(value: Any) -> Log:
    """From JSON-RPC. Raises BadAnswer."""
    try:
        if value.get("removed"):
            _bad()
        return Log(
            block=_number(value["blockNumber"]),
            position=_number(value["logIndex"]),
            block_hash=hex_bytes(value["blockHash"], size=32),
            transaction=hex_bytes(value["transactionHash"], size=32),
            address=_address(value["address"]),
            topics=tuple(hex_bytes(topic, size=32) for topic in value["topics"]),
            data=hex_bytes(value["data"], limit=_MOST_DATA),
        )
    except (KeyError, TypeError, AttributeError, BadInput):
        _bad()


@lru_cache(maxsize=1024)
def _address(value: Any) -> Address:
    return Address.from_bytes(hex_bytes(value, size=20))


def _number(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{1,12}", value):
        return int(value, 16)
    _bad()


def _bad() -> NoReturn:
    raise BadAnswer(tr("The RPC answers with events that are none."))
