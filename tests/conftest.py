"""Shared by all tests: hypothesis profiles (derandomised unless soaking) and the published vectors."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.counts import SOAK

settings.register_profile("quick", max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("soak" if SOAK else "quick")

VECTORS = Path(__file__).parent / "vectors"


@pytest.fixture(scope="session")
def ma_vectors() -> dict[str, Any]:
    """Facts made with aa-sdk and checked against the canonical contracts; the file's `meta` states the origin."""
    return json.loads((VECTORS / "modular-account-v2.json").read_text())
