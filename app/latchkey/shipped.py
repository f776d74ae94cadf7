"""Where the files that ship with the program are: beside the package when installed or frozen, in the checkout otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def _root() -> Path:
    installed = _PACKAGE / "resources"
    return installed if installed.is_dir() else _PACKAGE.parent.parent / "resources"


def resource(name: str) -> Path:
    """The path of a shipped file, e.g. "icons/lock.svg"."""
    return _root() / name
