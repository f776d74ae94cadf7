"""Where the files that ship with the program are: beside the package when installed or frozen, in the checkout otherwise."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def _root() -> Path:
    installed = _PACKAGE / "resources"
    return installed if installed.is_dir() else _PACKAGE.parent.parent / "resources"


def resource(name: str) -> Path:
    """The path of a shipped file, e.g. "icons/lock.svg"."""
    return _root() / name


@cache
def english_words() -> tuple[str, ...]:
    """The 2048 English words of BIP-39, in order. From eth-account's file, without importing the package: the desk has no time for it."""
    spec = find_spec("eth_account")
    assert spec
    assert spec.origin
    return tuple((Path(spec.origin).parent / "hdaccount/wordlist/english.txt").read_text("ascii").split())
