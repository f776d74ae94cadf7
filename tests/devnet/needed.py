"""For tests: the npm packages are there, or the test is skipped and says why. In CI (the variable CI is set) they must be there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.devnet.node import NpmUnavailable, install


def packages() -> Path:
    """The place of node_modules."""
    try:
        return install()
    except NpmUnavailable as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(problem))
