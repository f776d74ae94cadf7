"""What Test says about addresses, and where --rpc and the practice chain's settings lead."""

from __future__ import annotations

import threading
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from latchkey.chain.anvil import packaged_anvil
from latchkey.chain.node import Stopped
from latchkey.cli.network_options import chains_of
from latchkey.flow.network_trial import Trial, try_network
from latchkey.flow.practice import practice
from latchkey.store.paths import DataDir
from latchkey.store.settings import NetworkSettings, load
from tests import fault_proxy as fault
from tests.devnet.devnet import CHAIN_ID, Devnet
from tests.devnet.needed import packages
from tests.fault_proxy import Proxy, fault_proxy


@pytest.fixture
def proxy(net: Devnet) -> Iterator[Proxy]:
    with fault_proxy(net.url) as proxy:
        yield proxy


def tried(rpc: str, *, second: str = "", bundler: str = "", chain_id: int = CHAIN_ID) -> list[Trial]:
    return list(try_network(NetworkSettings(chain_id, rpc, second, bundler)))


def test_a_good_rpc(net: Devnet) -> None:
    [trial] = tried(net.url)
    assert (trial.field, trial.level) == ("rpc", "good")
    assert trial.sentence.startswith("Practice chain, chain 31337. Newest block ")
    assert trial.advice == "Takes a hundred calls at once. Gives the events of the whole chain at once."


def test_limits_are_told(net: Devnet, proxy: Proxy) -> None:
    before = net.rpc("evm_snapshot")
    net.rpc("anvil_mine", hex(600))
    proxy.faults = [fault.no_batches(), fault.range_limit(500)]
    [trial] = tried(proxy.url)
    assert trial.level == "good"
    assert "one or a few calls" in trial.advice
    assert "500 blocks" in trial.advice
    assert net.rpc("evm_revert", before)


@pytest.mark.parametrize(
    ("faults", "level", "says"),
    [
        ([fault.chain(1)], "danger", "This RPC is for Ethereum (chain 1)."),
        ([fault.wrong("eth_getLogs", None)], "warning", "gives no events"),
        ([fault.status(401)], "danger", "does not let Latchkey in"),
        ([fault.says(b"<html>")], "danger", "does not answer in JSON-RPC"),
        ([fault.drops()], "danger", "cannot be reached"),
        ([fault.wrong("eth_getBlockByNumber", None)], "danger", "does not have this block"),
    ],
)
def test_what_is_wrong_is_told(proxy: Proxy, faults: list[fault.Fault], level: str, says: str) -> None:
    proxy.faults = faults
    [trial] = tried(proxy.url)
    assert trial.level == level
    assert says in trial.sentence
    assert "secret" not in trial.sentence + trial.advice


def test_a_node_that_is_behind(proxy: Proxy) -> None:
    block = {"number": "0x10", "hash": "0x" + "11" * 32, "timestamp": hex(1_700_000_000)}
    proxy.faults = [fault.chain(1), fault.wrong("eth_getBlockByNumber", block)]
    [trial] = tried(proxy.url, chain_id=1)
    assert trial.level == "warning"
    assert "years old" in trial.sentence


def test_two_that_agree_and_two_that_do_not(net: Devnet, proxy: Proxy) -> None:
    assert [trial.level for trial in tried(net.url, second=proxy.url)] == ["good", "good"]
    proxy.faults = [
        fault.on_calls(
            lambda call, answer: (
                {**answer, "result": {**answer["result"], "hash": "0x" + "22" * 32}}
                if call["method"] == "eth_getBlockByNumber"
                else answer
            )
        )
    ]
    *_, last = tried(net.url, second=proxy.url)
    assert last == Trial(
        "secondRpc", "danger", "The two RPCs do not show the same chain.", "One of them is wrong. Do not use both."
    )


def test_a_bundler(net: Devnet, proxy: Proxy) -> None:
    points = ["0x0000000071727de22e5e9d8baf0edac6f37da032"]
    answers = fault.on_calls(
        lambda call, answer: {"id": call["id"], "result": points} if call["method"] == "eth_supportedEntryPoints" else answer
    )
    proxy.faults = [answers]
    assert tried(net.url, bundler=proxy.url)[1].level == "good"
    proxy.faults = [fault.chain(5), answers]
    assert "chain 5" in tried(net.url, bundler=proxy.url)[1].sentence
    points.clear()
    proxy.faults = [answers]
    assert "EntryPoint 0.7" in tried(net.url, bundler=proxy.url)[1].sentence
    assert tried(net.url, bundler=net.url)[1].sentence == "What answers there is no bundler."
    [no_tls] = tried(net.url.replace("http:", "https:"))
    assert no_tls.sentence == "The RPC does not speak https at this address."
    assert "http://" in no_tls.advice


def test_an_address_everybody_can_read() -> None:
    trials = list(try_network(NetworkSettings(1, "http://rpc.invalid/"), "http://127.0.0.1:1"))
    assert [trial.level for trial in trials] == ["danger"]  # what cannot be reached needs no advice about https
    assert "proxy" in trials[0].sentence


def test_it_can_be_stopped(proxy: Proxy) -> None:
    proxy.faults = [fault.hangs(5)]
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Stopped):
        try_network(NetworkSettings(CHAIN_ID, proxy.url), stop=stop)


def test_an_rpc_of_the_command_line_tells_its_own_network(net: Devnet, tmp_path: Path) -> None:
    options = Namespace(rpc=net.url, second_rpc="", bundler="", chain_id=None)
    chains = chains_of(options, DataDir.open(tmp_path / "data"))
    assert options.chain_id == CHAIN_ID
    assert chains.node(CHAIN_ID).chain_id() == CHAIN_ID


def test_the_practice_chain_stands_in_its_folders_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = packaged_anvil(packages())
    assert program is not None
    monkeypatch.setenv("LATCHKEY_ANVIL", str(program))
    folder = DataDir.open(tmp_path / "practice")
    with practice(folder) as ready:
        assert load(folder.settings).network(CHAIN_ID) == NetworkSettings(CHAIN_ID, rpc=ready.chain.url)
        assert [trial.level for trial in try_network(load(folder.settings).network(CHAIN_ID))] == ["good"]
    assert load(folder.settings).networks == ()
