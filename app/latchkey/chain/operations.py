"""User operations sent as a bundler would: a plain account calls EntryPoint.handleOps, and what came of it is read from the receipt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.userop import UserOperation, user_op_hash
from latchkey.chain.reasons import explain
from latchkey.chain.rpc import Rpc
from latchkey.core.types import Address, hex_bytes, keccak, to_hex

_OPERATION = "(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[]"
_HANDLE_OPS = keccak(f"handleOps({_OPERATION},address)".encode())[:4]
_GET_NONCE = keccak(b"getNonce(address,uint192)")[:4]
_EVENT = to_hex(keccak(b"UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)"))
_REASON = to_hex(keccak(b"UserOperationRevertReason(bytes32,address,uint256,bytes)"))
_REFUSALS = ("FailedOp(", "FailedOpWithRevert(")
_GAS = 10_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an operation or a transaction.

    `answer`: "done", "failed: REASON" (paid for, but its call was undone), "refused: REASON" (not taken at all) or
    "reverted: REASON" (a transaction), where a reason is the contracts' own error.
    """

    answer: str
    transaction: str

    @property
    def done(self) -> bool:
        return self.answer == "done"


def next_nonce(rpc: Rpc, account: Address, key: int) -> int:
    """The full nonce that comes next for a 192-bit key."""
    data = _GET_NONCE + encode(["address", "uint192"], [account, key])
    return int(rpc("eth_call", {"to": ENTRY_POINT, "data": to_hex(data)}, "latest"), 16)


def send_operation(rpc: Rpc, bundler: Address, op: UserOperation, signature: bytes, chain_id: int) -> Outcome:
    """One operation in a bundle of its own; `bundler` is an account the node holds the key of."""
    packed = (
        op.sender,
        op.nonce,
        op.init_code,
        op.call_data,
        op.verification_gas_limit.to_bytes(16, "big") + op.call_gas_limit.to_bytes(16, "big"),
        op.pre_verification_gas,
        op.max_priority_fee_per_gas.to_bytes(16, "big") + op.max_fee_per_gas.to_bytes(16, "big"),
        op.paymaster_and_data,
        signature,
    )
    data = _HANDLE_OPS + encode([_OPERATION, "address"], [[packed], bundler])
    receipt, outcome = _send(rpc, bundler, ENTRY_POINT, data)
    if not outcome.done:
        return Outcome(_refusal(outcome.answer), outcome.transaction)
    return Outcome(_result(receipt["logs"], to_hex(user_op_hash(op, chain_id))), outcome.transaction)


def send_transaction(rpc: Rpc, sender: Address, to: Address, data: bytes) -> Outcome:
    return _send(rpc, sender, to, data)[1]


def _send(rpc: Rpc, sender: Address, to: Address, data: bytes) -> tuple[dict[str, Any], Outcome]:
    receipt = rpc.transact({"from": sender, "to": to, "data": to_hex(data), "gas": hex(_GAS)})
    transaction = str(receipt["transactionHash"])
    if int(receipt["status"], 16):
        return receipt, Outcome("done", transaction)
    options = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
    trace = rpc("debug_traceTransaction", transaction, options)
    return receipt, Outcome(f"reverted: {explain(hex_bytes(trace.get('output', '0x')))}", transaction)


def _refusal(answer: str) -> str:
    """`reverted: FailedOpWithRevert(0, AA23 reverted, X())` is told as `refused: AA23 reverted, X()`."""
    reason = answer.removeprefix("reverted: ")
    if reason.startswith(_REFUSALS):
        return "refused: " + reason.partition("(")[2][:-1].partition(", ")[2]
    return answer


def _result(logs: list[dict[str, Any]], op_hash: str) -> str:
    mine = {log["topics"][0]: hex_bytes(log["data"]) for log in logs if op_hash in log["topics"][1:2]}
    _, succeeded, _, _ = decode(["uint256", "bool", "uint256", "uint256"], mine[_EVENT])
    if succeeded:
        return "done"
    return f"failed: {explain(decode(['uint256', 'bytes'], mine[_REASON])[1]) if _REASON in mine else 'no reason'}"
