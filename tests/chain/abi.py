"""Calldata by signature: `call("transfer(address,uint256)", to, 5)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth_abi import decode, encode
from eth_abi.grammar import parse

from latchkey.core.types import Address, keccak


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def call(signature: str, *values: Any) -> bytes:
    return selector(signature) + encode(_types(signature), values)


def result(types: str, data: bytes) -> tuple[Any, ...]:
    """`types`: a tuple, e.g. "(uint256,bool)"."""
    return decode(_types(types), data)


def execute(target: Address, value: int = 0, data: bytes = b"") -> bytes:
    return call("execute(address,uint256,bytes)", target, value, data)


def execute_batch(*calls: tuple[Address, int, bytes]) -> bytes:
    return call("executeBatch((address,uint256,bytes)[])", list(calls))


def transfer(to: Address, amount: int) -> bytes:
    return call("transfer(address,uint256)", to, amount)


def approve(spender: Address, amount: int) -> bytes:
    return call("approve(address,uint256)", spender, amount)


def _types(signature: str) -> Sequence[str]:
    inner = signature[signature.index("(") :]
    return [] if inner == "()" else [component.to_type_str() for component in parse(inner).components]
