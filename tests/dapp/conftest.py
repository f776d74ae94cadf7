"""The same chain with a bundler, the same signer and accounts of one's own as the other clients have, and a bridge of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from latchkey.core.account import Account
from latchkey.vault.client import SignerClient
from tests.bridge.house import House, house
from tests.chain.stage import Stage
from tests.clients.conftest import salt, signer, stage
from tests.dapp.person import Person

__all__ = ["salt", "signer", "stage"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


@pytest.fixture
def account(stage: Stage, salt: int) -> Account:
    """Not deployed: the first call does it."""
    return stage.account(salt=salt, deployed=False)


@pytest.fixture
def person(home: House, signer: SignerClient, account: Account) -> Person:
    return Person(home, signer, account)
