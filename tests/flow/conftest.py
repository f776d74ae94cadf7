"""One real signer for all tests of the flow: starting it and deriving its vault's key takes seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from latchkey.store.book import Book
from latchkey.vault.client import SignerClient
from tests.flow.signer import scripted_signer


@pytest.fixture(scope="session")
def signer() -> Iterator[SignerClient]:
    with scripted_signer() as client:
        yield client


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.open(tmp_path / "book.sqlite") as book:
        yield book
