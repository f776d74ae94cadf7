"""Signatures and contexts: malformed ones are refused, the forms are those of the Wallet APIs."""

from __future__ import annotations

import pytest
from coincurve import PrivateKey

from latchkey.accounts.modular_account.build import build
from latchkey.accounts.modular_account.deferred import (
    assemble,
    installed_context,
    local_context,
    remote_context,
    signer_of,
    unsigned_of,
)
from latchkey.core.draft import draft_from_json
from latchkey.core.grant import Grant
from latchkey.core.types import hex_bytes, to_hex
from latchkey.errors import BadInput, CannotDecode
from tests.vectors import VECTORS, draft_json

KEY = PrivateKey(hex_bytes(VECTORS["meta"]["keys"][0]["privateKey"]))
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture(scope="module")
def grant() -> Grant:
    return build(draft_from_json(draft_json(VECTORS["grants"][4]["input"])))


def signature(grant: Grant) -> bytes:
    raw = KEY.sign_recoverable(grant.digest, hasher=None)
    return raw[:64] + bytes([27 + raw[64]])


def test_contexts(grant: Grant) -> None:
    signed = assemble(grant, signature(grant))
    assert to_hex(local_context(signed)) == "0x01" + VECTORS["grants"][4]["expected"]["blob"][2:]
    assert remote_context(b"\x07" * 16, signed.signature) == b"\x00" + b"\x07" * 16 + signed.signature
    assert to_hex(installed_context(258, is_global=True)) == "0x020100000102"
    with pytest.raises(BadInput):
        remote_context(b"\x07" * 15, signed.signature)


def test_malformed_signatures(grant: Grant) -> None:
    good = signature(grant)
    high_s = (ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
    malleated = good[:32] + high_s + bytes([55 - good[64]])
    for bad in (b"", good[:64], good + b"\0", good[:64] + b"\x00", good[:64] + b"\x1d", malleated):
        with pytest.raises(BadInput):
            assemble(grant, bad)
    with pytest.raises(BadInput):
        signer_of(grant.digest, b"\xff" * 32 + b"\x01" * 32 + b"\x1b")


def test_the_unsigned_part_of_a_blob(grant: Grant) -> None:
    signed = assemble(grant, signature(grant))
    assert unsigned_of(signed.blob) == grant.unsigned
    for cut in range(len(grant.unsigned) + 1):
        with pytest.raises(CannotDecode):
            unsigned_of(signed.blob[:cut])
