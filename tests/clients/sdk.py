"""aa-sdk in the hands of an account's owner and sessions (aa_sdk.mjs): it makes and signs operations; a stage sends them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latchkey.accounts.modular_account.userop import UserOperation
from latchkey.core.account import Account
from latchkey.core.draft import Draft, draft_to_json
from latchkey.core.types import Address, hex_bytes, to_hex
from tests.chain.stage import GAS, Key
from tests.devnet.program import Program

Signed = tuple[UserOperation, bytes]


class SdkRefused(Exception):
    """The SDK would not do it."""


class Sdk(Program):
    def __init__(self, url: str) -> None:
        super().__init__(Path(__file__).with_name("aa_sdk.mjs"))
        self._url = url

    def work_for(self, account: Account, owner: Key) -> None:
        self._made(rpc=self._url, chainId=account.chain_id, account=account.address, owner=to_hex(owner.secret))

    def grant(self, draft: Draft) -> bytes:
        """The blob that a dApp gets."""
        return hex_bytes(self._made(grant=_json(draft))["blob"])

    def install(self, draft: Draft) -> Signed:
        """An operation of the owner."""
        return _operation(self._made(install=_json(draft), gas=_gas())["op"])

    def uninstall(self, module: Address, entity_id: int, data: bytes, hook_data: Sequence[bytes]) -> Signed:
        """An operation of the owner."""
        what = {"module": module, "entityId": entity_id, "data": to_hex(data), "hookData": [to_hex(d) for d in hook_data]}
        return _operation(self._made(uninstall=what, gas=_gas())["op"])

    def use(
        self, key: Key, entity_id: int, calls: Sequence[tuple[Address, int, bytes]], *, is_global: bool = False, blob: bytes = b""
    ) -> Signed:
        """An operation of a session; `blob`: its grant, where this is the first."""
        listed = [{"target": target, "value": hex(value), "data": to_hex(data)} for target, value, data in calls]
        what: dict[str, Any] = {"key": to_hex(key.secret), "entityId": entity_id, "isGlobal": is_global, "calls": listed}
        return _operation(self._made(use=what | ({"blob": to_hex(blob)} if blob else {}), gas=_gas())["op"])

    def _made(self, **request: Any) -> dict[str, Any]:
        answer = self.ask(**request)
        if "error" in answer:
            raise SdkRefused(answer["error"])
        return answer


def _json(draft: Draft) -> dict[str, Any]:
    return draft_to_json(draft) | {"sequence": str(draft.sequence)}


def _gas() -> dict[str, str]:
    return {
        "callGasLimit": hex(GAS.call),
        "verificationGasLimit": hex(GAS.verification),
        "preVerificationGas": hex(GAS.pre_verification),
        "maxFeePerGas": hex(GAS.max_fee),
        "maxPriorityFeePerGas": hex(GAS.priority_fee),
    }


def _operation(op: dict[str, Any]) -> Signed:
    operation = UserOperation(
        sender=Address.parse(op["sender"].lower()),
        nonce=int(op["nonce"], 16),
        call_data=hex_bytes(op["callData"]),
        call_gas_limit=int(op["callGasLimit"], 16),
        verification_gas_limit=int(op["verificationGasLimit"], 16),
        pre_verification_gas=int(op["preVerificationGas"], 16),
        max_fee_per_gas=int(op["maxFeePerGas"], 16),
        max_priority_fee_per_gas=int(op["maxPriorityFeePerGas"], 16),
    )
    return operation, hex_bytes(op["signature"])
