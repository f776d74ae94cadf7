"""Reading an account through RPCs with faults: what is shown is right, or it is said what is missing; nothing hangs; nothing is shown as
gone that is not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from latchkey.accounts.modular_account.ending import end_call, together
from latchkey.accounts.system import system
from latchkey.chain.logs import LogFilter, MemoryLogs, scan
from latchkey.chain.node import BadAnswer, Node, Stopped, TooManyRequests, TooSlow, Unreachable
from latchkey.chain.reading import Moved, NotAnswered, WrongChain, read_account
from latchkey.core.account import Account
from latchkey.core.permissions import FunctionsOnContract, NativeTokenTransfer
from latchkey.core.session import AccountReading, Session
from latchkey.core.types import Selector
from latchkey.errors import ChainError
from tests import fault_proxy as fault
from tests.chain.stage import Stage
from tests.devnet.devnet import Devnet
from tests.devnet.places import COUNTER
from tests.fault_proxy import Fault, Proxy, fault_proxy

QUICK = 2.0  # seconds for one request
BLOCKS = 2_100
INCREMENT = Selector("0xd09de08a")


@dataclass
class Lived:
    """An account with a history over some thousand blocks. `truth`: read without any fault."""

    stage: Stage
    account: Account
    truth: AccountReading

    @property
    def url(self) -> str:
        return self.stage.net.url

    @property
    def filters(self) -> Sequence[LogFilter]:
        return system(self.account.system).log_filters(self.account)

    @property
    def head(self) -> int:
        return self.truth.block.number


def install(stage: Stage, account: Account, entity_id: int) -> None:
    draft = stage.draft(
        account, FunctionsOnContract(COUNTER, (INCREMENT,)), NativeTokenTransfer(entity_id * 10), entity_id=entity_id
    )
    assert stage.owner_tx(account, stage.grant(draft, account).grant.call).text == "done"


def end(stage: Stage, session: Session) -> None:
    call = together(session.account.address, [end_call(session)])
    assert stage.owner_tx(session.account, call).text == "done"


def mine(stage: Stage, blocks: int) -> None:
    stage.rpc("anvil_mine", hex(blocks))


@pytest.fixture(scope="module")
def lived(net: Devnet) -> Iterator[Lived]:
    before = net.rpc("evm_snapshot")
    stage = Stage(net)
    account = stage.account()
    for entity_id in range(1, 6):
        install(stage, account, entity_id)
        mine(stage, BLOCKS // 6)
    end(stage, read_account(Node(net.url), account).sessions[1])
    mine(stage, BLOCKS // 6)
    install(stage, account, 6)
    truth = read_account(Node(net.url), account)
    assert [session.entity_id for session in truth.sessions] == [1, 3, 4, 5, 6]
    assert truth.logs.complete
    yield Lived(stage, account, truth)
    assert net.rpc("evm_revert", before)


@pytest.fixture
def proxy(lived: Lived) -> Iterator[Proxy]:
    with fault_proxy(lived.url) as proxy:
        yield proxy


def same(reading: AccountReading, truth: AccountReading) -> bool:
    return (reading.sessions, reading.owners, reading.powers, reading.leftovers, reading.used_entity_ids) == (
        truth.sessions, truth.owners, truth.powers, truth.leftovers, truth.used_entity_ids,
    )  # fmt: skip


HARMLESS: dict[str, list[Fault]] = {
    "nothing": [],
    "every third 429": [fault.every(3, fault.too_many())],
    "every second 429, without a hint": [fault.every(2, fault.too_many(None))],
    "429 for calls of a batch": [fault.first(2, fault.busy_calls(lambda call: call["id"] % 3 == 0))],
    "ranges of 10": [fault.range_limit(10)],
    "ranges of 500": [fault.range_limit(500)],
    "ranges of 2,000": [fault.range_limit(2_000)],
    "ranges of 2,000, batches of 10, every fourth 429": [
        fault.every(4, fault.too_many()), fault.batch_limit(10), fault.range_limit(2_000),
    ],
    "no batches": [fault.no_batches()],
    "no batches, ranges of 500": [fault.no_batches(), fault.range_limit(500)],
    "no batches: status 400": [fault.no_batches("status")],
    "no batches: an error for each": [fault.no_batches("each")],
    "no batches: only the first": [fault.no_batches("first")],
    "batches of 3": [fault.batch_limit(3)],
    "at most 3 results": [fault.results_limit(3)],
    "lines dropped at first": [fault.first(2, fault.drops())],
    "every fifth line dropped": [fault.every(5, fault.drops())],
    "lines cut in the middle at first": [fault.first(2, fault.cuts())],
    "half answers at first": [fault.first(2, fault.truncates())],
    "every third answer half": [fault.every(3, fault.truncates())],
    "error pages at first": [fault.first(2, fault.status(502))],
    "slow logs": [fault.slow_logs(600)],
    "batches take too long": [
        lambda request, forward: fault.hangs(3)(request, forward) if isinstance(request, list) and len(request) > 20 else forward(request)
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", HARMLESS)
def test_the_list_is_right_all_the_same(lived: Lived, proxy: Proxy, name: str) -> None:
    proxy.faults = HARMLESS[name]
    reading = read_account(Node(proxy.url, timeout=QUICK), lived.account)
    assert same(reading, lived.truth)
    assert reading.logs == lived.truth.logs
    assert reading.findings == lived.truth.findings


@pytest.mark.parametrize("message", fault.RANGE_MESSAGES)
@pytest.mark.parametrize("most", [10, 500, 2_000])
def test_every_way_of_refusing_a_range(lived: Lived, proxy: Proxy, most: int, message: str) -> None:
    """What a node says about its limit is used where it can be read: then nothing is asked in vain but the first time."""
    proxy.faults = [fault.range_limit(most, message)]
    node = Node(proxy.url)
    found = scan(node, lived.filters, 0, lived.head)
    assert found.logs == scan(Node(lived.url), lived.filters, 0, lived.head).logs
    assert found.range.complete
    if "{n}" in message or "{x}" in message:
        assert node.requests <= 4 + lived.head // most // 8
    again = node.requests
    scan(node, lived.filters, 0, lived.head)
    assert node.requests - again <= 3 + lived.head // min(most, 500) // 8  # it knows the node by now


FATAL: dict[str, tuple[list[Fault], type[ChainError]]] = {
    "always 429": ([fault.too_many()], TooManyRequests),
    "a pause of an hour": ([fault.too_many("3600")], TooManyRequests),
    "no line holds": ([fault.drops()], Unreachable),
    "no answer": ([fault.hangs()], TooSlow),
    "a byte now and then": ([fault.drips()], TooSlow),
    "error pages": ([fault.status(500)], Unreachable),
    "half answers": ([fault.truncates()], BadAnswer),
    "another chain": ([fault.chain(10)], WrongChain),
    "not JSON": ([fault.says(b"<html>")], BadAnswer),
    "empty": ([fault.says(b"")], BadAnswer),
    "a list of nothing": ([fault.says(b"[]")], BadAnswer),
    "null": ([fault.says(b"null")], BadAnswer),
    "deep": ([fault.says(b"[" * 1_000_000)], BadAnswer),
    "huge": ([fault.huge()], ChainError),
    "a block that is none": ([fault.wrong("eth_getBlockByNumber", {"number": "x"})], ChainError),
    "no block": ([fault.wrong("eth_getBlockByNumber", None)], ChainError),
    "code that is none": ([fault.wrong("eth_getCode", 7)], ChainError),
    "no views": ([fault.wrong("eth_call", "0x")], ChainError),
    "views that are none": ([fault.wrong("eth_call", {"a": 1})], ChainError),
    "a long number": ([fault.wrong("eth_chainId", "0x" + "f" * 100_000)], ChainError),
}  # fmt: skip


@pytest.mark.parametrize("name", FATAL)
def test_a_broken_node_is_an_error_and_never_an_empty_list(lived: Lived, proxy: Proxy, name: str) -> None:
    faults, kind = FATAL[name]
    proxy.faults = faults
    began = time.monotonic()
    with pytest.raises(kind) as refusal:
        read_account(Node(proxy.url, timeout=0.5 if kind in (TooSlow, TooManyRequests, ChainError) else 30), lived.account)
    assert time.monotonic() - began < 25
    assert "secret" not in refusal.value.text
    assert refusal.value.text.endswith(".")


WRONG_LOGS: dict[str, Any] = {
    "not a list": 7,
    "nothing": None,
    "not objects": ["a"],
    "empty objects": [{}],
    "text": "logs",
}


@pytest.mark.parametrize("name", WRONG_LOGS)
def test_events_that_are_none_are_missing_blocks(lived: Lived, proxy: Proxy, name: str) -> None:
    """The sessions cannot be listed then, and that is said: the range is not complete."""
    proxy.faults = [fault.wrong("eth_getLogs", WRONG_LOGS[name])]
    found = scan(Node(proxy.url, timeout=QUICK), lived.filters, 0, lived.head)
    assert found.range.missing == ((0, lived.head),)
    assert not found.range.complete


Change = Callable[[dict[str, Any]], dict[str, Any]]
CHANGED: dict[str, Change] = {
    "removed": lambda log: {**log, "removed": True},
    "another block": lambda log: {**log, "blockNumber": hex(int(log["blockNumber"], 16) + 100_000)},
    "another contract": lambda log: {**log, "address": "0x" + "11" * 20},
    "another topic": lambda log: {**log, "topics": ["0x" + "22" * 32, *log["topics"][1:]]},
    "fewer topics": lambda log: {**log, "topics": []},
    "odd data": lambda log: {**log, "data": "0x123"},
    "a pending block": lambda log: {**log, "blockNumber": None},
    "short hash": lambda log: {**log, "blockHash": "0x00"},
}


@pytest.mark.parametrize("name", CHANGED)
def test_an_event_that_does_not_fit_is_not_believed(lived: Lived, proxy: Proxy, name: str) -> None:
    right = scan(Node(lived.url), lived.filters, 0, lived.head).logs
    spoiled = hex(right[len(right) // 2].block)
    proxy.faults = [fault.on_logs(lambda logs: [CHANGED[name](log) if log["blockNumber"] == spoiled else log for log in logs])]
    found = scan(Node(proxy.url), lived.filters, 0, lived.head)
    assert not found.range.complete
    [(first, last)] = found.range.missing
    assert first <= int(spoiled, 16) <= last
    assert found.logs == tuple(log for log in right if not first <= log.block <= last)


def test_two_hashes_for_one_block_are_not_believed(lived: Lived, proxy: Proxy) -> None:
    def change(logs: list[Any]) -> list[Any]:
        return [{**log, "blockHash": "0x" + "33" * 32} if i % 2 else log for i, log in enumerate(logs)]

    proxy.faults = [fault.on_logs(change)]
    assert not scan(Node(proxy.url), lived.filters, 0, lived.head).range.complete


@pytest.mark.parametrize("before", [1, 700, 1_501])
def test_old_blocks_that_the_node_has_lost_are_missing(lived: Lived, proxy: Proxy, before: int) -> None:
    proxy.faults = [fault.pruned(before)]
    found = scan(Node(proxy.url), lived.filters, 0, lived.head)
    assert found.range.missing == ((0, before - 1),)
    right = scan(Node(lived.url), lived.filters, 0, lived.head).logs
    assert found.logs == tuple(log for log in right if log.block >= before)
    reading = read_account(Node(proxy.url), lived.account)
    assert not reading.logs.complete
    missing = {session.entity_id for session in lived.truth.sessions} - {session.entity_id for session in reading.sessions}
    for entity_id in missing:
        installed = next(s.installed_block for s in lived.truth.sessions if s.entity_id == entity_id)
        assert installed is not None
        assert installed < before


def test_a_list_cut_off_at_a_round_size_is_noticed(lived: Lived, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes that cut lists off do so at thousands; here at fives, for want of thousands of events."""
    monkeypatch.setattr("latchkey.chain.logs._ROUND", 5)
    proxy.faults = [fault.cut_lists(5)]
    assert scan(Node(proxy.url), lived.filters, 0, lived.head).logs == scan(Node(lived.url), lived.filters, 0, lived.head).logs


# --- logs missing from one RPC


def test_events_that_one_rpc_leaves_out_are_taken_from_the_other(lived: Lived, proxy: Proxy) -> None:
    hidden = lived.truth.sessions[2].installed_block
    assert hidden is not None
    proxy.faults = [fault.hides(lambda log: int(log["blockNumber"], 16) == hidden)]
    for node, second in ((Node(proxy.url), Node(lived.url)), (Node(lived.url), Node(proxy.url))):
        reading = read_account(node, lived.account, second=second)
        assert same(reading, lived.truth)
        assert "second-logs" in [finding.id for finding in reading.findings]


def test_a_second_rpc_of_another_chain_or_silent(lived: Lived, proxy: Proxy) -> None:
    proxy.faults = [fault.chain(10)]
    with pytest.raises(WrongChain):
        read_account(Node(lived.url), lived.account, second=Node(proxy.url))
    proxy.faults = [fault.drops()]
    reading = read_account(Node(lived.url), lived.account, second=Node(proxy.url, timeout=0.5))
    assert same(reading, lived.truth)
    assert "second-silent" in [finding.id for finding in reading.findings]


# --- what was read is kept


def test_nothing_new_costs_one_request(lived: Lived) -> None:
    node, store = Node(lived.url), MemoryLogs()
    first = scan(node, lived.filters, 0, lived.head, known=store)
    before = node.requests
    assert scan(node, lived.filters, 0, lived.head, known=store) == first
    assert node.requests == before + 1


def test_what_was_read_before_it_stopped_is_not_read_again(lived: Lived, proxy: Proxy) -> None:
    proxy.faults = [fault.range_limit(100)]
    store, told = MemoryLogs(), []
    stop = threading.Event()

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if done > total // 2:
            stop.set()

    with pytest.raises(Stopped):
        scan(Node(proxy.url), lived.filters, 0, lived.head, known=store, progress=progress, stop=stop)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    [(first, last)] = store.covered()
    assert first == 0
    assert last >= lived.head // 2
    proxy.bodies.clear()
    found = scan(Node(proxy.url), lived.filters, 0, lived.head, known=store)
    asked = [call["params"][0] for body in proxy.bodies for call in body if call["method"] == "eth_getLogs"]
    assert min(int(one["fromBlock"], 16) for one in asked) == last + 1
    assert found.logs == scan(Node(lived.url), lived.filters, 0, lived.head).logs


def test_a_node_that_dies_on_the_way_leaves_what_was_read(lived: Lived, proxy: Proxy) -> None:
    alive = [5]

    def dies(request: Any, forward: Any) -> Any:
        alive[0] -= 1
        return forward(request) if alive[0] > 0 else fault.Answer(drop=True)

    proxy.faults = [dies, fault.range_limit(20)]
    store = MemoryLogs()
    with pytest.raises(Unreachable):
        scan(Node(proxy.url), lived.filters, 0, lived.head, known=store)
    assert store.covered()
    proxy.faults = []
    found = scan(Node(proxy.url), lived.filters, 0, lived.head, known=store)
    assert found.logs == scan(Node(lived.url), lived.filters, 0, lived.head).logs


def test_stopping_takes_less_than_a_second(lived: Lived, proxy: Proxy) -> None:
    for faults in ([fault.hangs()], [fault.too_many("9")], [fault.drips()], [fault.no_batches(), fault.hangs()]):
        proxy.faults = faults
        stop = threading.Event()
        threading.Timer(0.3, stop.set).start()
        began = time.monotonic()
        with pytest.raises(Stopped):
            scan(Node(proxy.url), lived.filters, 0, lived.head, stop=stop)
        assert time.monotonic() - began < 8


# --- reorganisations


@pytest.fixture
def fork(stage: Stage) -> Stage:
    return stage


def chain_with_a_session(stage: Stage, blocks: int) -> Account:
    account = stage.account(salt=7)
    install(stage, account, 1)
    mine(stage, blocks)
    return account


@pytest.mark.parametrize("depth", [1, 20, 63, 90])
def test_a_reorganisation_takes_its_sessions_with_it(fork: Stage, depth: int) -> None:
    """Blocks are replaced after they were read: a session in them is gone, another one is there, and an earlier one stays."""
    account, store, node = chain_with_a_session(fork, 100), MemoryLogs(), Node(fork.net.url)
    common = fork.rpc("evm_snapshot")
    install(fork, account, 2)
    mine(fork, depth - 1)
    assert [s.entity_id for s in read_account(node, account, store=store).sessions] == [1, 2]
    assert fork.rpc("evm_revert", common)
    install(fork, account, 3)
    mine(fork, depth + 1)
    reading = read_account(node, account, store=store)
    assert [s.entity_id for s in reading.sessions] == [1, 3]
    assert reading == read_account(Node(fork.net.url), account)
    assert 2 not in reading.used_entity_ids


def test_a_revocation_that_is_reorganised_away_is_none(fork: Stage) -> None:
    account, store, node = chain_with_a_session(fork, 100), MemoryLogs(), Node(fork.net.url)
    [session] = read_account(node, account, store=store).sessions
    common = fork.rpc("evm_snapshot")
    end(fork, session)
    mine(fork, 19)
    assert read_account(node, account, store=store).sessions == ()
    assert fork.rpc("evm_revert", common)
    mine(fork, 25)
    assert read_account(node, account, store=store).sessions == (session,)


def test_a_shorter_chain_than_before(fork: Stage) -> None:
    """A node that is behind, or a practice chain that began anew."""
    account, store, node = chain_with_a_session(fork, 100), MemoryLogs(), Node(fork.net.url)
    common = fork.rpc("evm_snapshot")
    install(fork, account, 2)
    mine(fork, 120)
    assert len(read_account(node, account, store=store).sessions) == 2
    assert fork.rpc("evm_revert", common)
    assert [s.entity_id for s in read_account(node, account, store=store).sessions] == [1]
    install(fork, account, 4)
    mine(fork, 150)
    assert [s.entity_id for s in read_account(node, account, store=store).sessions] == [1, 4]


@pytest.mark.parametrize("depth", [20, 90])
def test_a_reorganisation_while_it_is_read(fork: Stage, depth: int) -> None:
    account = chain_with_a_session(fork, 250)
    common = fork.rpc("evm_snapshot")
    install(fork, account, 2)
    mine(fork, depth - 1)
    asked = [0]

    def reorganises(request: Any, forward: Any) -> Any:
        asked[0] += "eth_getLogs" in [call["method"] for call in (request if isinstance(request, list) else [request])]
        if asked[0] == 6:
            asked[0] += 1
            assert fork.rpc("evm_revert", common)
            install(fork, account, 3)
            mine(fork, depth + 5)
        return forward(request)

    with fault_proxy(fork.net.url, reorganises, fault.batch_limit(6), fault.range_limit(25)) as proxy:
        store, node = MemoryLogs(), Node(proxy.url)
        try:
            reading = read_account(node, account, store=store)
        except (Moved, NotAnswered):  # it is said, and asked again
            reading = read_account(node, account, store=store)
    assert asked[0] > 6
    assert [s.entity_id for s in reading.sessions] == [1, 3]


def test_another_question_makes_the_kept_answers_worthless(lived: Lived) -> None:
    store = MemoryLogs()
    scan(Node(lived.url), lived.filters, 0, lived.head, known=store)
    few = lived.filters[:1]
    assert scan(Node(lived.url), few, 0, lived.head, known=store) == scan(Node(lived.url), few, 0, lived.head)
