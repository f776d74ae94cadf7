"""EntryPoint 0.7 as whoever sends operations sees it: its calls, the bundler's JSON, and the events that say what came of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.userop import UserOperation
from latchkey.core.types import Address, hex_bytes, keccak, to_hex
from latchkey.errors import BadInput, CannotDecode, ChainError
from latchkey.language import tr

_OPERATION = "(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)"
_GET_NONCE = keccak(b"getNonce(address,uint192)")[:4]
_BALANCE_OF = keccak(b"balanceOf(address)")[:4]
EVENT = keccak(b"UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)")
_REASON = keccak(b"UserOperationRevertReason(bytes32,address,uint256,bytes)")


@dataclass(frozen=True, slots=True)
class Ended:
    """What an operation came to, by the EntryPoint's own events. `reason`: revert data. `cost`: wei the account paid."""

    success: bool
    reason: bytes
    cost: int


def nonce_call(account: Address, key: int) -> tuple[Any, ...]:
    """The request whose answer is the full nonce that comes next for a 192-bit key."""
    return _view(_GET_NONCE + encode(["address", "uint192"], [account, key]))


def deposit_call(account: Address) -> tuple[Any, ...]:
    """The request whose answer is what the EntryPoint holds for the account, wei."""
    return _view(_BALANCE_OF + encode(["address"], [account]))


def number(answer: Any) -> int:
    """A uint256 that a view returned. Raises ChainError when it is none: then there is no EntryPoint here."""
    try:
        return int.from_bytes(hex_bytes(answer, size=32), "big")
    except BadInput:
        raise ChainError(
            tr("This network has no EntryPoint 0.7, or the RPC answers wrongly; check the RPC in Settings."), code="NoEntryPoint"
        ) from None


def from_bytes(data: bytes) -> UserOperation:
    """The inverse of `userop.to_bytes`; the signature field is left out. Raises CannotDecode."""
    try:
        fields = decode([_OPERATION], data)[0]
    except DecodingError:
        raise CannotDecode(tr("This is no user operation.")) from None
    sender, nonce, init_code, call_data, limits, pre_verification_gas, fees, paymaster_and_data, _ = fields
    return UserOperation(
        sender=Address.parse(sender),
        nonce=nonce,
        call_data=call_data,
        call_gas_limit=int.from_bytes(limits[16:], "big"),
        verification_gas_limit=int.from_bytes(limits[:16], "big"),
        pre_verification_gas=pre_verification_gas,
        max_fee_per_gas=int.from_bytes(fees[16:], "big"),
        max_priority_fee_per_gas=int.from_bytes(fees[:16], "big"),
        init_code=init_code,
        paymaster_and_data=paymaster_and_data,
    )


def to_json(op: UserOperation, field: bytes) -> dict[str, str]:
    """As the ERC-4337 RPC takes it (EntryPoint 0.7: unpacked, absent parts left out)."""
    made = {
        "sender": str(op.sender),
        "nonce": hex(op.nonce),
        "callData": to_hex(op.call_data),
        "callGasLimit": hex(op.call_gas_limit),
        "verificationGasLimit": hex(op.verification_gas_limit),
        "preVerificationGas": hex(op.pre_verification_gas),
        "maxFeePerGas": hex(op.max_fee_per_gas),
        "maxPriorityFeePerGas": hex(op.max_priority_fee_per_gas),
        "signature": to_hex(field),
    }
    if op.init_code:
        made |= {"factory": str(Address.from_bytes(op.init_code[:20])), "factoryData": to_hex(op.init_code[20:])}
    return made


def prefund(op: UserOperation) -> int:
    """The most it may cost the account, wei: what the EntryPoint wants to see before it runs it (no paymaster)."""
    return (op.verification_gas_limit + op.call_gas_limit + op.pre_verification_gas) * op.max_fee_per_gas


def ended(logs: Iterable[Any], op_hash: bytes) -> Ended | None:
    """What became of the operation, from a transaction's logs; None when it was not in there. Raises ChainError for broken logs."""
    try:
        mine: dict[bytes, bytes] = {}
        for log in logs:
            topics = [hex_bytes(t, size=32) for t in log["topics"]]
            if hex_bytes(log["address"]) == ENTRY_POINT.raw and topics[1:2] == [op_hash]:
                mine[topics[0]] = hex_bytes(log["data"])
        if EVENT not in mine:
            return None
        _, success, cost, _ = decode(["uint256", "bool", "uint256", "uint256"], mine[EVENT])
        reason = decode(["uint256", "bytes"], mine[_REASON])[1] if _REASON in mine else b""
        return Ended(success, reason, cost)
    except (BadInput, DecodingError, KeyError, TypeError, AttributeError):
        raise ChainError(tr("The RPC answers with logs that are none; use another one."), code="BadAnswer") from None


def _view(data: bytes) -> tuple[Any, ...]:
    return ("eth_call", {"to": ENTRY_POINT, "data": to_hex(data)}, "latest")
