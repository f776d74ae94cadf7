"""Code of the published contracts, copied from a chain that has them by eth_getCode; kept in the person's cache, never here.

What comes back is checked before anything is placed: every needed contract has code, and the EntryPoint's is the one known code.
Whether the rest behaves is for the practice chain to see, see `devnet.checked`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.core.types import Address, hex_bytes, to_hex
from latchkey.errors import BadInput
from tests.devnet.places import PUBLISHED
from tests.devnet.rpc import Rpc, RpcError, RpcUnreachable

_TIMEOUT = 20.0
_MOST = 24_576  # bytes of code a contract can have


class CannotClone(Exception):
    """The chain cannot be copied from; the text is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Copied:
    """Runtime code by address of all published contracts that the chain has."""

    code: Mapping[Address, bytes]
    place: Path

    def keep(self) -> None:
        """Into the cache, once it is known to be what it should be."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.place.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps({address: to_hex(code) for address, code in self.code.items()}))
        temporary.replace(self.place)


def clone_code(url: str, *, timeout: float = _TIMEOUT) -> Copied:
    """From the chain behind `url`, or from the cache when it was copied from there before. Raises CannotClone.

    The genesis block's hash is part of the cache's name: another chain behind the same URL is copied anew.
    """
    try:
        with closing(Rpc(url, timeout=timeout)) as rpc:
            genesis = rpc("eth_getBlockByNumber", "0x0", False)
            place = _cache(url, str(genesis.get("hash") if isinstance(genesis, dict) else ""))
            if place.is_file():
                return Copied({Address.parse(a): hex_bytes(c) for a, c in json.loads(place.read_text()).items()}, place)
            return Copied(_fetch(rpc), place)
    except (RpcUnreachable, RpcError) as problem:
        raise CannotClone(f"Nothing was copied. {problem}") from None


def _fetch(rpc: Rpc) -> dict[Address, bytes]:
    answers = rpc.batch(("eth_getCode", p.address, "latest") for p in PUBLISHED)
    found = {p.address: _code(answer) for p, answer in zip(PUBLISHED, answers, strict=True)}
    missing = [p.name for p in PUBLISHED if p.needed and not found[p.address]]
    if missing:
        raise CannotClone(f"Nothing was copied. This chain has no {', '.join(missing)}.")
    return {address: code for address, code in found.items() if code}


def _code(answer: object) -> bytes:
    try:
        code = hex_bytes(answer)  # type: ignore[arg-type]
    except BadInput:
        code = None
    if code is None or len(code) > _MOST:
        raise RpcUnreachable("The RPC answers with something that is no contract's code.")
    return code


def _cache(url: str, genesis: str) -> Path:
    name = hashlib.sha256(f"{url}\n{genesis}\n{ENTRY_POINT}".encode()).hexdigest()[:24]
    return user_cache_path("latchkey", appauthor=False) / "published-code" / f"{name}.json"
