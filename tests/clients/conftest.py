"""One practice chain with a bundler and one real signer for all clients. The chain is not put back: the bundler would not notice."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from latchkey.vault.client import SignerClient
from tests.chain.stage import Stage
from tests.devnet.devnet import devnet
from tests.devnet.node import NpmUnavailable
from tests.flow.signer import scripted_signer


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    try:
        with devnet(bundler=True) as net:
            yield Stage(net)
    except NpmUnavailable as problem:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def signer() -> Iterator[SignerClient]:
    """With the expert switch on: all eight kinds of permission are to be granted."""
    with scripted_signer() as client:
        client.set_expert(True)
        yield client


_salts = itertools.count(1000)


@pytest.fixture
def salt() -> int:
    """Makes an account that no other test has."""
    return next(_salts)
