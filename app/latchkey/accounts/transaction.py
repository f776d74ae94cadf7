"""EIP-1559 transactions as bytes: what an owner signs to send something without a bundler. Of no account system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from latchkey.core.types import Address, keccak

_TYPE = b"\x02"


@dataclass(frozen=True, slots=True)
class PlainTransaction:
    """No money is sent along and no access list is used. Fees in wei per gas."""

    chain_id: int
    nonce: int
    to: Address
    data: bytes
    gas: int
    max_fee_per_gas: int
    max_priority_fee_per_gas: int


def to_bytes(transaction: PlainTransaction) -> bytes:
    """0x02 || rlp of the nine fields, as it is signed."""
    return _encode(_fields(transaction))


def digest(unsigned: bytes) -> bytes:
    """The 32 bytes the sender's key signs."""
    return keccak(unsigned)


def signed(transaction: PlainTransaction, signature: bytes) -> bytes:
    """The transaction as a node takes it. `signature`: r||s||v, 65 bytes, v 27 or 28."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return _encode([*_fields(transaction), signature[64] - 27, r, s])


def _fields(t: PlainTransaction) -> list[object]:
    return [t.chain_id, t.nonce, t.max_priority_fee_per_gas, t.max_fee_per_gas, t.gas, t.to.raw, 0, t.data, []]


def _encode(fields: list[object]) -> bytes:
    import rlp  # type: ignore[import-untyped]

    return _TYPE + cast(bytes, rlp.encode(fields))
