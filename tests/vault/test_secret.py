"""Secrets do not tell themselves by accident."""

import copy
import pickle

import pytest

from latchkey.vault.contents import Mnemonic
from latchkey.vault.secret import SecretBytes

CANARY = b"canary-0123456789"


def test_nothing_but_reveal_tells() -> None:
    secret = SecretBytes(CANARY)
    told = [repr(secret), str(secret), f"{secret}", repr([secret]), repr(Mnemonic(secret, secret, "m/0"))]
    assert not any("canary" in text or CANARY.hex() in text for text in told)
    assert secret.reveal() == CANARY
    assert len(secret) == len(CANARY)


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy, hash, bytes, lambda s: s == SecretBytes(CANARY)])
def test_what_would_leak_is_refused(leak: object) -> None:
    with pytest.raises(TypeError) as caught:
        leak(SecretBytes(CANARY))  # type: ignore[operator]
    assert "canary" not in str(caught.value)


def test_compared_without_equality() -> None:
    assert SecretBytes(CANARY).same_as(SecretBytes(CANARY))
    assert not SecretBytes(CANARY).same_as(SecretBytes(b"other"))


def test_wiped() -> None:
    secret = SecretBytes(CANARY)
    secret.wipe()
    assert secret.reveal() == b""
    secret.wipe()
