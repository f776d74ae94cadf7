"""The English words of BIP-39: for recovery words while they are typed, for digests read out. Their meaning is the vault's matter."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def english_words() -> tuple[str, ...]:
    """All 2048, in order. From eth-account's file, which ships with the program, without importing the package: the desk has no time."""
    spec = find_spec("eth_account")
    assert spec
    assert spec.origin
    return tuple((Path(spec.origin).parent / "hdaccount/wordlist/english.txt").read_text("ascii").split())
