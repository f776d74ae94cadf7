"""One practice chain with a bundler for all tests here. It is not put back: the bundler would not notice. LATCHKEY_CLONE_FROM=URL: the
published contracts."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from latchkey.vault.client import SignerClient
from tests.chain.stage import Stage
from tests.devnet.devnet import devnet
from tests.devnet.needed import packages
from tests.ending.scene import Scene
from tests.flow.signer import scripted_signer


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    packages()
    with devnet(clone_from=os.environ.get("LATCHKEY_CLONE_FROM", ""), bundler=True) as net:
        yield Stage(net)


@pytest.fixture(scope="session")
def signer() -> Iterator[SignerClient]:
    with scripted_signer() as client:
        yield client


_salts = itertools.count(5000)


@pytest.fixture
def scene(stage: Stage, signer: SignerClient, tmp_path: Path) -> Iterator[Scene]:
    """An account that no other test has, the book, and everything that ends sessions."""
    with Scene.open(stage, signer, tmp_path, next(_salts)) as scene:
        yield scene
