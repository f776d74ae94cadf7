"""Explaining: whatever stands beside the bytes has to be what the bytes say; a changed byte is refused or explained differently."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import replace
from typing import Any

import pytest
from coincurve import PrivateKey

from latchkey.accounts.review import review
from latchkey.accounts.system import Policy, system
from latchkey.codec import cbor, hand_over
from latchkey.codec.hand_over import Envelope, Kind
from latchkey.core.account import Account, Mode
from latchkey.core.draft import draft_from_json
from latchkey.core.grant import SignedGrant
from latchkey.core.permissions import ContractAccess
from latchkey.core.request import Claims
from latchkey.core.types import Address, hex_bytes, to_hex
from latchkey.errors import LatchkeyError, Mismatch, NotServed
from latchkey.flow.explain import Explanation, explain
from tests.counts import count
from tests.vectors import VECTORS, draft_json

NOW = 1_790_000_000
OWNER = Address.parse(VECTORS["meta"]["keys"][0]["address"])
FACE = system("modular_account")
ACCOUNT = FACE.predict(31337, OWNER, 0, Mode.SMA)


def signed_grant(vector: dict[str, Any], key: str = VECTORS["meta"]["keys"][0]["privateKey"]) -> SignedGrant:
    built = FACE.build(draft_from_json(draft_json(vector["input"])))
    grant = review(built.unsigned, ACCOUNT, now=NOW, policy=Policy.COMPAT).grant
    signature = PrivateKey(hex_bytes(key)).sign_recoverable(grant.digest, hasher=None)
    return FACE.assemble(grant, signature[:64] + bytes([27 + signature[64]]))


def envelope(vector: dict[str, Any] = VECTORS["grants"][4], account: Account = ACCOUNT, **changes: Any) -> Envelope:
    signed = signed_grant(vector)
    draft = signed.grant.draft
    plain = Envelope(
        kind=Kind.SIGNED_GRANT,
        permissions=draft.permissions,
        account=account,
        expiry=draft.expiry,
        session_key=draft.session_key,
        entity_id=draft.entity_id,
        nonce=signed.grant.nonce,
        blob=signed.blob,
        context=FACE.context(signed),
        request_id="r-1",
        claims=Claims(dapp_name="Skirmish Rooms"),
    )
    return replace(plain, **changes)


def comparable(found: Explanation) -> object:
    return (found.words, found.findings, found.draft, found.signer, found.envelope)


@pytest.mark.parametrize("vector", [g for g in VECTORS["grants"] if "same token" not in g["name"]], ids=lambda v: v["name"])
def test_every_grant_as_an_envelope(vector: dict[str, Any]) -> None:
    found = explain(hand_over.encode(envelope(vector)), now=NOW)
    assert found.signer == OWNER
    assert found.draft is not None
    assert found.draft["expiry"] == vector["input"]["deadline"]
    assert found.envelope is not None
    assert found.envelope["deferredAction"] == vector["expected"]["blob"]


def test_all_forms_of_an_envelope_say_the_same() -> None:
    from latchkey.codec.link import to_link
    from latchkey.codec.ur import single_text

    raw = hand_over.encode(envelope())
    forms = [raw, to_hex(raw), to_link(raw), single_text(raw), json.dumps(hand_over.to_json(envelope()))]
    assert len({str(comparable(explain(form, now=NOW))) for form in forms if form}) == 1


def test_any_byte_flipped_is_refused() -> None:
    raw = hand_over.encode(envelope())
    rng = random.Random(4)
    places = range(len(raw)) if count(0, 1) else rng.sample(range(len(raw)), 150)
    for place in places:
        changed = bytearray(raw)
        changed[place] ^= 1 << rng.randrange(8)
        with pytest.raises(LatchkeyError):
            explain(bytes(changed), now=NOW)


def reseal(body: bytes) -> bytes:
    head = hand_over.MAGIC + cbor.dump(hand_over.VERSION) + cbor.dump(body)
    return head + cbor.dump(hashlib.sha256(head).digest()[:8])


@pytest.mark.parametrize(
    "account", [ACCOUNT, Account(31337, ACCOUNT.address, "modular_account", Mode.ADDRESS)], ids=["owner known", "not"]
)
def test_any_byte_flipped_under_a_new_checksum_is_refused_or_explained_differently(account: Account) -> None:
    raw = hand_over.encode(envelope(account=account))
    body = cbor.load(raw)[2]
    assert reseal(body) == raw
    before = comparable(explain(raw, now=NOW))
    rng = random.Random(5)
    places = range(len(body)) if count(0, 1) else rng.sample(range(len(body)), 200)
    told_apart = 0
    for place in places:
        changed = bytearray(body)
        changed[place] ^= 1 << rng.randrange(8)
        try:
            after = comparable(explain(reseal(bytes(changed)), now=NOW))
        except LatchkeyError:
            continue
        told_apart += 1
        assert after != before
    assert told_apart < len(places) / 4


@pytest.mark.parametrize(
    "changes",
    [
        {"permissions": (ContractAccess(OWNER),)},
        {"expiry": 1_893_456_001},
        {"session_key": OWNER},
        {"entity_id": 2},
        {"nonce": 5},
        {"context": b"\x01" + b"\x00" * 50},
    ],
    ids=lambda c: next(iter(c)),
)
def test_what_the_envelope_says_has_to_be_what_its_bytes_say(changes: dict[str, Any]) -> None:
    with pytest.raises(Mismatch) as refusal:
        explain(hand_over.encode(envelope(**changes)), now=NOW)
    assert refusal.value.path


def test_a_signature_by_somebody_else_is_refused() -> None:
    other = signed_grant(VECTORS["grants"][4], VECTORS["meta"]["keys"][1]["privateKey"])
    with pytest.raises(Mismatch):
        explain(hand_over.encode(envelope(blob=other.blob, context=b"")), now=NOW)


def test_an_account_that_does_not_follow_from_its_owner_is_refused() -> None:
    with pytest.raises(Mismatch):
        explain(hand_over.encode(envelope(account=replace(ACCOUNT, salt=7))), now=NOW)


def test_a_request_is_said_to_be_one() -> None:
    key = {"publicKey": OWNER, "type": "secp256k1"}
    text = json.dumps({"expirySec": 1893456000, "key": key, "permissions": [{"type": "root"}]})
    with pytest.raises(NotServed) as refusal:
        explain(text, now=NOW)
    assert refusal.value.code == "IsRequest"


@pytest.mark.parametrize(
    "text", ["", "0x", "0x00", "hello", "[]", "{}", "0x1bbf564c", "0x" + "ff" * 70_000, '{"typedData":1,"unsigned":2}']
)
def test_nonsense_is_one_sentence(text: str) -> None:
    with pytest.raises(LatchkeyError) as refusal:
        explain(text, now=NOW)
    assert refusal.value.text.endswith((".", "?", ":"))


def test_an_unknown_call_is_shown_as_unknown() -> None:
    found = explain("0xdeadbeef" + "00" * 32, now=NOW)
    assert any("cannot read" in p.plain for p in found.words.can)
    assert [f.id for f in found.findings] == ["unknown-bytes"]
