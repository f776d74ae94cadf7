"""User operations for EntryPoint 0.7: packing, hash, and the signature segments the account expects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from latchkey.accounts.modular_account import abi
from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.core.types import Address, keccak

EXECUTE_USER_OP = bytes.fromhex("8dd7712f")
_FINAL_SEGMENT_EOA = b"\xff\x00"
_HANDLE_OPS = bytes.fromhex("765e827f")
#: A signature of the right form that belongs to nobody: for estimating gas.
STUB_SIGNATURE = _FINAL_SEGMENT_EOA + bytes.fromhex(
    "fffffffffffffffffffffffffffffff0000000000000000000000000000000007aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1c"
)


@dataclass(frozen=True, slots=True)
class UserOperation:
    """Gas numbers in gas units, fees in wei per gas. `init_code`: factory || data; `paymaster_and_data` packed as on chain."""

    sender: Address
    nonce: int
    call_data: bytes
    call_gas_limit: int
    verification_gas_limit: int
    pre_verification_gas: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    init_code: bytes = b""
    paymaster_and_data: bytes = b""


def user_op_hash(op: UserOperation, chain_id: int) -> bytes:
    """The 32 bytes EntryPoint 0.7 computes; the signature is not part of it."""
    account_gas_limits = op.verification_gas_limit.to_bytes(16, "big") + op.call_gas_limit.to_bytes(16, "big")
    gas_fees = op.max_priority_fee_per_gas.to_bytes(16, "big") + op.max_fee_per_gas.to_bytes(16, "big")
    inner = (
        abi.address(op.sender)
        + abi.word(op.nonce)
        + keccak(op.init_code)
        + keccak(op.call_data)
        + account_gas_limits
        + abi.word(op.pre_verification_gas)
        + gas_fees
        + keccak(op.paymaster_and_data)
    )
    return keccak(keccak(inner) + abi.address(ENTRY_POINT) + abi.word(chain_id))


def signed_message(op_hash: bytes) -> bytes:
    """The digest a key signs for an operation: EIP-191 over the 32-byte hash."""
    return keccak(b"\x19Ethereum Signed Message:\n32" + op_hash)


def operation_signature(signature: bytes) -> bytes:
    """The signature field of an operation by the owner or by a session: r||s||v, 65 bytes, in its final segment."""
    return _FINAL_SEGMENT_EOA + signature


def session_signature(signature: bytes, deferred_action_data: bytes = b"") -> bytes:
    """The operation's signature field; the first operation of a grant carries its deferred action in front."""
    return deferred_action_data + operation_signature(signature)


def session_call(call: bytes, *, needs_execute_user_op: bool) -> bytes:
    """callData for execute/executeBatch; wrapped by a raw prefix when the validation has an execution hook."""
    return EXECUTE_USER_OP + call if needs_execute_user_op else call


def to_bytes(op: UserOperation, signature: bytes = b"") -> bytes:
    """PackedUserOperation as abi.encode writes it; unsigned operations, as they are handed over, have an empty signature."""
    return abi.word(32) + _packed(op, signature)


def handle_ops(operations: Sequence[tuple[UserOperation, bytes]], beneficiary: Address) -> bytes:
    """EntryPoint calldata that carries signed operations (each with its signature field) to the chain without a bundler."""
    packed = abi.array([_packed(op, signature) for op, signature in operations])
    return _HANDLE_OPS + abi.word(64) + abi.address(beneficiary) + packed


def _packed(op: UserOperation, signature: bytes) -> bytes:
    tails = [abi.dynamic(part) for part in (op.init_code, op.call_data, op.paymaster_and_data, signature)]
    at = abi.tail_offsets(9, tails)
    limits = op.verification_gas_limit.to_bytes(16, "big") + op.call_gas_limit.to_bytes(16, "big")
    fees = op.max_priority_fee_per_gas.to_bytes(16, "big") + op.max_fee_per_gas.to_bytes(16, "big")
    head = (
        abi.address(op.sender), abi.word(op.nonce), at[0], at[1], limits, abi.word(op.pre_verification_gas), fees, at[2], at[3]
    )  # fmt: skip
    return b"".join((*head, *tails))
