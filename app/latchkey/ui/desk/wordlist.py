"""The English words of BIP-39, for completing and checking what is typed; the checksum is the signer's to judge."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def wordlist() -> tuple[str, ...]:
    """All 2048, in order. Read from eth-account's file without importing the package, which takes longer than the desk may."""
    spec = find_spec("eth_account")
    assert spec
    assert spec.origin
    return tuple((Path(spec.origin).parent / "hdaccount/wordlist/english.txt").read_text("ascii").split())
