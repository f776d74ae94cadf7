"""Reading the sessions of an account, against a viem script that reads them in the ordinary way; and the memory a long chain takes."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from latchkey.accounts.modular_account.ending import uninstall_call
from latchkey.chain.logs import MemoryLogs
from latchkey.chain.node import Node, RpcError
from latchkey.chain.reading import read_account
from latchkey.core.account import Account
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, GasLimit, NativeTokenTransfer
from latchkey.core.session import AccountReading
from tests.bench.report import Row, Subject
from tests.chain import abi
from tests.chain.stage import Stage
from tests.devnet.devnet import devnet
from tests.devnet.places import DOLLAR, GAME
from tests.devnet.program import Program

COUNTS = (10, 200, 1_000)
UNBATCHED = 200
RUNS = 7
SHORT, LONG, SPAN = 10_000, 1_000_000, 500  # blocks; SPAN: how many the RPC gives the logs of at once
_TOGETHER = 10  # installs in one transaction

TEXT = f"""An account with 10, 200 and 1,000 sessions on the practice chain (loopback: a request costs next to nothing here, and a \
network's latency comes on top of each), each session with a limit of coins, of gas and of a token, a contract and an end, and one more \
that was revoked; {RUNS} runs, in turn, each from nothing. The script ([sessions.mjs](../tests/bench/sessions.mjs)) takes viem's client \
as it comes: events, then `readContract` for every view, all at once. In the rows "batching" viem batches requests \
(`http(url, {{ batch: true }})`); without, its requests for 1,000 sessions time out.

Latchkey reads the same at one block whose hash it checks again, and besides: the code of all published contracts, owner and hooks on \
the owner, other powers, what earlier sessions left behind; and it decodes each session as it would a grant. "Refresh": read once more, \
with the logs at hand. Ratio: Latchkey / viem, less is better."""
MEMORY = f"""The most memory that Python's objects take while one account with 10 sessions is read from the chain's beginning, with an RPC \
that gives the logs of {SPAN} blocks at once: once with {SHORT:,} blocks before the account's, once with {LONG:,}. Ratio: long / short."""


def measure() -> Subject:
    """Raises NpmUnavailable, AssertionError when the two do not read the same."""
    with devnet() as net, Program(Path(__file__).with_name("sessions.mjs")) as viem:
        stage = Stage(net)
        rows = [row for salt, count in enumerate(COUNTS) for row in _rows(stage, viem, _account(stage, salt, count), count)]
        return Subject("Reading sessions", TEXT, "viem", tuple(rows))


def measure_memory() -> Subject:
    """Raises NpmUnavailable."""
    with devnet() as net:
        return _memory(Stage(net))


def _account(stage: Stage, salt: int, count: int) -> Account:
    account = stage.account(salt=salt)
    permissions = (NativeTokenTransfer(9), GasLimit(9), Erc20TokenTransfer(DOLLAR, 9), ContractAccess(GAME))
    expiry = stage.now() + 10**6
    for first in range(1, count + 1, _TOGETHER):
        drafts = (stage.draft(account, *permissions, entity_id=i, expiry=expiry) for i in range(first, first + _TOGETHER))
        calls = [(account.address, 0, stage.grant(draft, account, checked=False).grant.call) for draft in drafts]
        assert stage.owner_tx(account, abi.execute_batch(*calls)).text == "done"
    ended = [(account.address, 0, call) for call in _one_that_ended(stage, account, count + 1)]
    assert stage.owner_tx(account, abi.execute_batch(*ended)).text == "done"
    return account


def _one_that_ended(stage: Stage, account: Account, entity_id: int) -> tuple[bytes, bytes]:
    """Installed and revoked: so the numbers of events are not round, which to Latchkey look like lists that an RPC cut off."""
    draft = stage.draft(account, ContractAccess(GAME), entity_id=entity_id)
    return stage.grant(draft, account).grant.call, uninstall_call(draft)


def _rows(stage: Stage, viem: Program, account: Account, count: int) -> list[Row]:
    """Without batching only where it gets through."""
    peers = (False, True) if count <= UNBATCHED else (True,)
    runs = [_run(stage, viem, account, peers) for _ in range(RUNS + 1)][1:]
    ours, again, *theirs = ([median(r[who][what] for r in runs) for what in (0, 1)] for who in range(2 + len(peers)))
    rows = []
    for batch, peer in zip(peers, theirs, strict=True):
        name = f"{count:,} sessions{', batching' if batch else ''}"
        rows += [
            Row(name, ours[0], peer[0], "ms", ours[0] / peer[0]),
            _requests(name, ours[1], peer[1], 6 if count == 200 else None),
        ]
    return [*rows, _requests(f"{name}, refresh", again[1], theirs[-1][1], 3 if count == 200 else None)]


def _requests(what: str, ours: float, peer: float, most: int | None = None) -> Row:
    goal = (f"{most} or fewer", ours <= most) if most else None
    return Row(f"{what}: HTTP requests", ours, peer, "", ours / peer, goal)


def _run(stage: Stage, viem: Program, account: Account, peers: tuple[bool, ...]) -> list[tuple[float, float]]:
    """(milliseconds, requests) of ours from nothing, ours again, viem's with each kind of batching; all have read the same."""
    node, store = Node(stage.net.url), MemoryLogs()
    first, again = (_ours(node, store, account) for _ in range(2))
    theirs = [viem.done(rpc=stage.net.url, account=account.address, batch=batch) for batch in peers]
    for answer in theirs:
        assert _as_viem(first[2]) == sorted((_plain(s) for s in answer["sessions"] if s["flags"]), key=lambda s: s[0])
    return [first[:2], again[:2], *((1000 * a["seconds"], a["requests"]) for a in theirs)]


def _ours(node: Node, store: MemoryLogs, account: Account) -> tuple[float, int, AccountReading]:
    start, before = time.perf_counter(), node.requests
    reading = read_account(node, account, store=store)
    return 1000 * (time.perf_counter() - start), node.requests - before, reading


def _as_viem(reading: AccountReading) -> list[tuple[Any, ...]]:
    """What both read: ids, keys, rights, amounts, ends."""
    return [
        (s.entity_id, str(s.signer), s.flags, sorted((limit.token or "", limit.left) for limit in s.limits), s.valid_until)
        for s in reading.sessions
    ]


def _plain(session: dict[str, Any]) -> tuple[Any, ...]:
    tokens = [(target, int(left)) for target, (_, _, limited), left in session["listed"] if limited]
    amounts = [("", int(session["native"])), ("", int(session["gas"])), *tokens]
    return session["id"], session["signer"], session["flags"], sorted(amounts), session["until"]


def _memory(stage: Stage) -> Subject:
    account = _account(stage, 0, 10)
    short, long = (_peak(stage, account, blocks) for blocks in (SHORT, LONG))
    row = Row("peak of one reading", long / 1024, short / 1024, "KiB", long / short, ("1.2 or less", long <= 1.2 * short))
    return Subject("Memory of a long chain", MEMORY, f"{SHORT:,} blocks", (row,))


def _peak(stage: Stage, account: Account, blocks: int) -> int:
    """Bytes."""
    node = Longer(stage.net.url, blocks)
    tracemalloc.start()
    try:
        reading = read_account(node, account)
        assert (len(reading.sessions), reading.logs.complete, reading.logs.first) == (10, True, 0)
        assert reading.logs.last >= blocks
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class Longer(Node):
    """The practice chain as if `blocks` empty blocks came before it, behind an RPC that gives logs of few blocks at once and does not
    remember old code. anvil takes minutes to mine ten thousand blocks."""

    def __init__(self, url: str, blocks: int) -> None:
        super().__init__(url)
        self._before = blocks

    def many(self, calls: Iterable[tuple[Any, ...]]) -> list[Any]:
        wanted = list(calls)
        passed = [self._down(call) for call in wanted]
        answers = iter(super().many([call for call in passed if isinstance(call, tuple)]))
        return [self._up(next(answers)) if isinstance(call, tuple) else call for call in passed]

    def call(self, method: str, *params: Any) -> Any:
        return self.many([(method, *params)])[0]

    def _down(self, call: tuple[Any, ...]) -> Any:
        """The call as the chain knows it, or the answer."""
        match call:
            case ("eth_getLogs", {"fromBlock": first, "toBlock": last, **rest}):
                if int(last, 16) - int(first, 16) >= SPAN:
                    return RpcError(f"block range is limited to {SPAN} blocks")
                if int(last, 16) < self._before:
                    return []
                begin = hex(max(0, int(first, 16) - self._before))
                return "eth_getLogs", {"fromBlock": begin, "toBlock": hex(int(last, 16) - self._before), **rest}
            case ("eth_getBlockByNumber", str(number), full) if number != "latest":
                if int(number, 16) < self._before:
                    return {"number": number, "hash": "0x" + number[2:].rjust(64, "0"), "timestamp": number}
                return "eth_getBlockByNumber", hex(int(number, 16) - self._before), full
            case ("eth_getCode", address, str(number)) if number != "latest":
                behind = int(number, 16) < self._before
                return RpcError("missing trie node") if behind else ("eth_getCode", address, hex(int(number, 16) - self._before))
        return call

    def _up(self, answer: Any) -> Any:
        match answer:
            case {"number": number, **rest}:
                return {"number": hex(int(number, 16) + self._before), **rest}
            case [{"blockNumber": _}, *_]:
                return [log | {"blockNumber": hex(int(log["blockNumber"], 16) + self._before)} for log in answer]
        return answer
