"""Fees: three levels that replace each other, a cap, and networks that tell no history."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest

from latchkey.chain.fees import CAPPED, NO_HISTORY, Fee, cap, fees, ladder
from latchkey.chain.node import Node
from latchkey.errors import ChainError
from latchkey.flow.ending import RevokeAll, WayKind
from latchkey.store.endings import ItemState
from tests.chain.stage import GWEI, Stage
from tests.devnet.devnet import CHAIN_ID
from tests.ending.scene import Scene
from tests.fault_proxy import Answer, Forward, fault_proxy


def answering(method: str, result: Callable[[], Any] | None) -> Callable[[Any, Forward], Answer]:
    """`method` answered by us; None: as a node that does not know it."""

    def fault(request: Any, forward: Forward) -> Answer:
        if isinstance(request, dict) and request["method"] == method:
            said = {"result": result()} if result else {"error": {"code": -32601, "message": "the method does not exist"}}
            return Answer(json.dumps({"jsonrpc": "2.0", "id": request["id"], **said}).encode())
        return forward(request)

    return fault


def is_ladder(levels: tuple[Fee, ...]) -> bool:
    """Each replaces the one before everywhere: both fees at least 12.5 % higher."""
    steps = pairwise(levels)
    return all(8 * b.max_fee >= 9 * a.max_fee and 8 * b.priority_fee >= 9 * a.priority_fee for a, b in steps)


def test_from_the_history(stage: Stage) -> None:
    with closing(Node(stage.net.url)) as node:
        found = fees(node, CHAIN_ID)
    assert len(found.levels) == 3
    assert is_ladder(found.levels)
    assert found.note == ""
    assert all(level.priority_fee >= GWEI for level in found.levels)  # the practice chain's floor
    assert all(level.max_fee >= level.priority_fee for level in found.levels)


@pytest.mark.parametrize("history", [None, lambda: None, lambda: {"baseFeePerGas": ["0x0"] * 21}, lambda: {"baseFeePerGas": ["x"]}])
def test_without_a_history(scene: Scene, history: Callable[[], Any] | None) -> None:
    """The gas price is taken, that is said, and it works."""
    scene.install(1)
    with fault_proxy(scene.stage.net.url, answering("eth_feeHistory", history)) as proxy:
        with closing(Node(proxy.url)) as node:
            found = fees(node, CHAIN_ID)
        assert (found.note, is_ladder(found.levels)) == (NO_HISTORY, True)
        scene.use(rpc=proxy.url)
        assert scene.way(scene.plan(RevokeAll()), WayKind.OWNER).note == NO_HISTORY
        if history is None:
            assert scene.do(RevokeAll(), WayKind.OWNER)[0].state is ItemState.DONE


def test_no_fees_at_all(stage: Stage) -> None:
    faults = answering("eth_feeHistory", None), answering("eth_gasPrice", None)
    with fault_proxy(stage.net.url, *faults) as proxy, closing(Node(proxy.url)) as node, pytest.raises(ChainError) as error:
        fees(node, CHAIN_ID)
    assert error.value.code == "NoFees"


def test_an_rpc_that_lies_about_fees(stage: Stage) -> None:
    """What is offered has a cap, whatever the RPC says."""
    lie = {"baseFeePerGas": [hex(10**15)] * 21, "reward": [[hex(10**15)] * 3] * 20}
    with fault_proxy(stage.net.url, answering("eth_feeHistory", lambda: lie)) as proxy, closing(Node(proxy.url)) as node:
        found = fees(node, CHAIN_ID)
    assert found.note == CAPPED
    assert found.levels == (Fee(cap(CHAIN_ID), cap(CHAIN_ID)),)
    assert cap(1) == cap(CHAIN_ID) == 500 * GWEI
    assert cap(137) == 9_000 * GWEI


def test_the_ladder() -> None:
    assert ladder((Fee(100, 10), Fee(90, 40), Fee(500, 41)))[1] == Fee(113, 40)
    assert is_ladder(ladder((Fee(7, 0), Fee(7, 0), Fee(7, 0))))
