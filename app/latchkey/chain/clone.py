"""Code of the published contracts, copied from a chain that has them by eth_getCode; kept in the person's cache, never here.

Every contract's code is held against its known hash, so an RPC that lies is found out before anything is placed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from platformdirs import user_cache_path

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.chain.node import BadAnswer
from latchkey.chain.places import PUBLISHED
from latchkey.chain.rpc import Rpc, RpcError
from latchkey.core.types import Address, hex_bytes, keccak, to_hex
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

_TIMEOUT = 20.0
_MOST = 24_576  # bytes of code a contract can have
KNOWN: Mapping[Address, str] = {p.address: p.code_hash for p in PUBLISHED}


class CannotClone(ChainError):
    """The chain cannot be copied from; nothing was."""


def clone_code(url: str, *, timeout: float = _TIMEOUT, known: Mapping[Address, str] = KNOWN) -> dict[Address, bytes]:
    """Runtime code by address of all published contracts that the chain has; from the cache when it was copied from there before.

    `known`: code hashes to hold them against. The genesis block's hash is part of the cache's name: another chain behind the same
    URL is copied anew. Raises CannotClone.
    """
    try:
        with closing(Rpc(url, timeout=timeout)) as rpc:
            genesis = rpc("eth_getBlockByNumber", "0x0", False)
            place = _cache(url, str(genesis.get("hash") if isinstance(genesis, dict) else ""))
            if kept := _kept(place):
                return _checked(kept, known)
            found = _checked(_fetch(rpc), known)
    except CannotClone:
        raise
    except RpcError:
        raise CannotClone(tr("Nothing was copied. The RPC refuses to answer.")) from None
    except ChainError as problem:
        raise CannotClone(tr("Nothing was copied. {problem_text}", problem_text=problem.text)) from None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({address: to_hex(code) for address, code in found.items()}))
    except OSError:
        raise CannotClone(tr("Nothing was copied: {parent} cannot be written to.", parent=place.parent)) from None
    return found


def _kept(place: Path) -> dict[Address, bytes]:
    """What an earlier copy left, empty when there is none that can be read."""
    try:
        return {Address.parse(a): hex_bytes(code) for a, code in json.loads(place.read_text()).items()}
    except (OSError, ValueError, BadInput):
        return {}


def _fetch(rpc: Rpc) -> dict[Address, bytes]:
    answers = rpc.batch(("eth_getCode", p.address, "latest") for p in PUBLISHED)
    return {p.address: code for p, answer in zip(PUBLISHED, answers, strict=True) if (code := _code(answer))}


def _code(answer: object) -> bytes:
    try:
        return hex_bytes(answer, limit=_MOST)
    except BadInput:
        raise BadAnswer(tr("The RPC answers with something that is no contract's code.")) from None


def _checked(found: dict[Address, bytes], known: Mapping[Address, str]) -> dict[Address, bytes]:
    missing = [p.name for p in PUBLISHED if p.needed and p.address not in found]
    if missing:
        raise CannotClone(tr("Nothing was copied. This chain has no {missing}.", missing=", ".join(missing)))
    for published in PUBLISHED:
        code = found.get(published.address)
        if code is not None and to_hex(keccak(code)) != known[published.address]:
            raise CannotClone(
                tr(
                    "Nothing was copied. What this RPC shows as {published_name} is not the published {published_name}.",
                    published_name=published.name,
                )
            )
    return found


def _cache(url: str, genesis: str) -> Path:
    name = hashlib.sha256(f"{url}\n{genesis}\n{ENTRY_POINT}".encode()).hexdigest()[:24]
    return user_cache_path("latchkey", appauthor=False) / "published-code" / f"{name}.json"
