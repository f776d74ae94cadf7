"""Revert data in words: `PreExecHookReverted(NativeTokenLimitModule:1, ExceededNativeTokenLimit())`."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from latchkey.chain.places import PUBLISHED, artifact
from latchkey.core.types import Address, keccak, to_hex
from latchkey.shipped import resource

_WELL_KNOWN = (
    "Error(string)",
    "Panic(uint256)",
    "FailedOp(uint256,string)",
    "FailedOpWithRevert(uint256,string,bytes)",
    "PostOpReverted(bytes)",
    "DelegateAndRevert(bool,bytes)",
    "InvalidPaymaster()",
)


def explain(data: bytes) -> str:
    """Name and arguments; errors inside errors too. Modules by name, with their entity id. Unknown data as hex."""
    if not data:
        return "no reason"
    known = _errors().get(data[:4])
    if known is None:
        return to_hex(data)
    name, types = known
    return f"{name}({', '.join(_shown(t, v) for t, v in zip(types, decode(types, data[4:]), strict=True))})"


def named(data: bytes) -> str:
    """The errors' names alone, the outermost first, for sentences: arguments may hold text from outside. Unknown ones by their selector."""
    known = _errors().get(data[:4])
    if known is None:
        return f"error {to_hex(data[:4])}" if data else "no reason"
    name, types = known
    try:
        inner = [v for t, v in zip(types, decode(types, data[4:]), strict=True) if t == "bytes" and v]
    except DecodingError:
        inner = []
    return ", ".join((name, *map(named, inner)))


def _shown(kind: str, value: Any) -> str:
    if kind == "bytes":
        return explain(value)
    if kind == "bytes24":
        return f"{module_name(Address.from_bytes(value[:20]))}:{int.from_bytes(value[20:], 'big')}"
    if kind == "address":
        return module_name(Address.parse(value))
    if kind.startswith("bytes"):
        return to_hex(value)
    return hex(value) if kind == "uint256" and value > 9 else str(value)


def module_name(address: Address) -> str:
    return next((p.name for p in PUBLISHED if p.address == address), str(address))


@cache
def _errors() -> dict[bytes, tuple[str, list[str]]]:
    entries = [
        e for path in resource("practice/contracts").glob("*.json") for e in artifact(path.stem)["abi"] if e["type"] == "error"
    ]
    signatures = {f"{e['name']}({','.join(i['type'] for i in e['inputs'])})" for e in entries}
    return {keccak(s.encode())[:4]: (s.partition("(")[0], _types(s)) for s in (*sorted(signatures), *_WELL_KNOWN)}


def _types(signature: str) -> list[str]:
    inner = signature.partition("(")[2][:-1]
    return inner.split(",") if inner else []
