"""Bridges to call. One for all tests that leave nothing behind; a fresh one where the state counts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from latchkey.flow.requests import refusal
from tests.bridge.house import REQUEST, House
from tests.bridge.house import house as opened


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[House]:
    with opened(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(tmp_path_factory.mktemp("bridge")) as made:
        yield made


@pytest.fixture
def house(shared: House) -> Iterator[House]:
    """One process for all tests, each with pages of its own; nobody is left waiting."""
    yield shared
    for pairing in shared.host.pairings.all():
        shared.host.unpair(pairing.id)
    for question in shared.host.to_pair():
        shared.host.refuse(question)
    shared.host._quiet.clear()
    for record in shared.requests.open():
        shared.requests.answer(record.id, refusal("not-now"))


_numbers = itertools.count(1)


@pytest.fixture
def page() -> str:
    """A page that no other test knows."""
    return f"https://rooms-{next(_numbers)}.example"


@pytest.fixture
def other() -> str:
    return f"https://other-{next(_numbers)}.example"


@pytest.fixture
def request_() -> dict[str, Any]:
    """What a page asks for, under an id of its own."""
    return {**REQUEST, "latchkey": {**REQUEST["latchkey"], "requestId": f"r-{next(_numbers)}"}}
