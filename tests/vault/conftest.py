"""Fixtures of the vault's tests."""

from functools import cache
from hashlib import sha256

import pytest

from latchkey.vault import file
from latchkey.vault.secret import SecretBytes

_derive = file._derive


@cache
def remembered(passphrase: bytes, salt: bytes, cost: file.Cost) -> bytes:
    return _derive(SecretBytes(passphrase), salt, cost)


@pytest.fixture
def derived_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deriving takes no time in this process: for tests of something else."""

    def quickly(passphrase: SecretBytes, salt: bytes, cost: file.Cost) -> bytes:
        return sha256(salt + passphrase.reveal()).digest()

    monkeypatch.setattr(file, "_derive", quickly)


@pytest.fixture
def derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deriving for the same passphrase, salt and cost again gives what it gave before; only the waiting is left out."""
    monkeypatch.setattr(file, "_derive", lambda passphrase, salt, cost: remembered(passphrase.reveal(), salt, cost))
