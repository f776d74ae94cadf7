"""Letting somebody in, asking, being answered: over HTTP and over a WebSocket."""

from __future__ import annotations

from tests.bridge.house import PAGE, REQUEST, House
from tests.store.grants import ACCOUNT


def test_try(fresh: House) -> None:
    assert fresh.call("eth_accounts", origin=PAGE) == []
    assert fresh.call("eth_requestAccounts", origin=PAGE)["code"] == 4100
    token = fresh.pair()
    assert fresh.call("eth_accounts", origin=PAGE, token=token) == [str(ACCOUNT.address)]
    assert fresh.call("eth_chainId", origin=PAGE, token=token) == "0x7a69"
    answer = fresh.later("wallet_createSession", REQUEST, origin=PAGE, token=token)
    record = fresh.question()
    print(record)
    fresh.host.stop()
    print(answer.exception(20) or answer.result())
