"""A dApp on aa-sdk (dapp.mjs)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from latchkey.core.types import ZERO_ADDRESS, Address, hex_bytes, to_hex
from tests.chain import abi
from tests.chain.errors import explain
from tests.chain.stage import Gas, Key
from tests.devnet.devnet import Devnet
from tests.devnet.program import Program

_EXECUTE, _EXECUTE_BATCH = abi.execute(ZERO_ADDRESS)[:4], abi.execute_batch()[:4]


class Dapp(Program):
    """`take` a hand-over, then `call`."""

    def __init__(self, net: Devnet) -> None:
        super().__init__(Path(__file__).with_name("dapp.mjs"))
        self._net = net

    def take(self, hand_over: dict[str, Any], key: Key) -> None:
        """A new client object, as after a restart."""
        assert self.ask(chain=self._net.url, bundler=self._net.bundler_url, key=to_hex(key.secret), handOver=hand_over) == {}

    def call(self, account: Address, call: bytes, gas: Gas | None = None) -> tuple[str, int]:
        """Send one operation that does what the account's calldata `call` says: what the dApp sees of it, and the nonce it had.

        "done" · "failed" (included, but the call reverted) · the bundler's refusal with its revert data in words.
        """
        answer = self.ask(calls=_calls(account, call), overrides=_overrides(gas))
        if "error" in answer:
            return re.sub(r"0x[0-9a-f]{8,}", lambda data: explain(hex_bytes(data[0])), answer["error"]), -1
        return "done" if answer["success"] else "failed", int(answer["nonce"], 16)


def _calls(account: Address, call: bytes) -> list[dict[str, str]]:
    """Account calldata as the SDK wants it: calls, which it wraps by itself."""
    if call[:4] == _EXECUTE:
        calls = [abi.result("(address,uint256,bytes)", call[4:])]
    elif call[:4] == _EXECUTE_BATCH:
        calls = abi.result("((address,uint256,bytes)[])", call[4:])[0]
    else:
        calls = [(account, 0, call)]
    return [{"target": target, "data": to_hex(data), "value": hex(value)} for target, value, data in calls]


def _overrides(gas: Gas | None) -> dict[str, str]:
    if gas is None:
        return {}
    return {
        "callGasLimit": hex(gas.call),
        "verificationGasLimit": hex(gas.verification),
        "preVerificationGas": hex(gas.pre_verification),
        "maxFeePerGas": hex(gas.max_fee),
        "maxPriorityFeePerGas": hex(gas.priority_fee),
    }
