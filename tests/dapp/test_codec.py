"""Links and QR codes as dApps make and read them, against Latchkey's own and against the published vectors."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from latchkey.codec import link, ur
from latchkey.codec.hand_over import Envelope, Kind, decode, encode, request_envelope, to_json
from latchkey.codec.inbox import open_text
from latchkey.core.request import SessionRequest
from tests.codec.strategies import grants, requests
from tests.counts import count
from tests.dapp.module import Module, Thrown

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/hand_over.json").read_text())["envelopes"]
BIG = next(one for one in VECTORS if one["name"].startswith("every permission"))


@pytest.fixture(scope="module")
def module() -> Iterator[Module]:
    with Module() as module:
        yield module


def plain(value: Any) -> Any:
    """Addresses in one letter case: checksums need Keccak, which the module does without."""
    return json.loads(json.dumps(value, sort_keys=True).lower())


@pytest.mark.parametrize("one", VECTORS, ids=lambda one: str(one["name"]))
def test_the_vectors_are_read_in_every_form(one: dict[str, Any], module: Module) -> None:
    for form in (one["link"], one["link"].upper()[:9] + one["link"][9:], one["ur"], one["ur"].upper(), json.dumps(one["json"])):
        assert plain(module.codec("read", form)) == plain(one["json"])
    payload = one["link"].removeprefix("latchkey:grant/")
    assert plain(module.codec("read", f"#latchkey={payload}")) == plain(one["json"])


@given(envelope=grants())
@settings(max_examples=count(20, 500), deadline=None)
def test_whatever_latchkey_writes_is_read(envelope: Envelope, module: Module) -> None:
    text = link.to_link(encode(envelope))
    if envelope.account and envelope.account.chain_id < 2**53:
        assert plain(module.codec("read", text)) == plain(to_json(envelope))
    else:
        with pytest.raises(Thrown, match="larger"):
            module.codec("read", text)


@given(request=requests())
@settings(max_examples=count(20, 500), deadline=None)
def test_what_it_writes_latchkey_reads(request: SessionRequest, module: Module) -> None:
    from latchkey.codec.requests import request_to_json

    request = replace(request, claims=replace(request.claims, altered=False), system="modular_account")  # Latchkey's to say
    asked = request_to_json(request)
    if (request.chain_id or 1) < 2**53:
        assert module.codec("toLink", asked) == link.to_link(encode(request_envelope(request)))
    else:
        with pytest.raises(Thrown):
            module.codec("toLink", asked)


def test_an_animated_code_both_ways(module: Module) -> None:
    names = [{"address": f"0x{number:040x}", "name": f"Contract {number}"} for number in range(60)]
    asked = module.call("sessionRequest", {"permissions": [{"type": "root"}], "requestId": "r", "names": names})
    texts = module.codec("toQr", asked)
    assert len(texts) > 5
    decoder = ur.Decoder()
    for text in reversed(texts):
        decoder.receive(text)
    found = open_text(decoder.text or "")
    assert isinstance(found, SessionRequest)
    assert len(found.claims.names) == 60


def test_texts_are_written_as_latchkey_writes_them(module: Module) -> None:
    asked = module.call(
        "sessionRequest",
        {
            "chainId": 10,
            "permissions": [{"type": "gas-limit", "data": {"limit": "0x000A"}}],
            "key": "0x" + "AB" * 20,
            "keyType": "ecdsa",
            "name": "  Skirmish\n\u200b Rooms  " + "x" * 100,
            "names": [{"address": "0x" + "11" * 20, "symbol": "A\u00a0B", "decimals": 6}, {"address": "0x" + "22" * 20}],
            "functions": ["claim()"],
            "callback": "https://rooms.example/granted",
        },
    )
    found = open_text(module.codec("toLink", asked))
    assert isinstance(found, SessionRequest)
    assert found.claims.dapp_name.startswith("Skirmish Rooms xxx")
    assert [(name, symbol, decimals) for _, name, symbol, decimals in found.claims.names] == [("", "A B", 6), ("", "", None)]
    assert (found.chain_id, found.key_type, found.expiry, found.account) == (10, "secp256k1", None, None)
    assert (found.request_id, found.callback) == (asked["latchkey"]["requestId"], "https://rooms.example/granted")


def test_a_short_one_is_a_single_code(module: Module) -> None:
    (text,) = module.codec("toQr", module.call("sessionRequest", {"permissions": [{"type": "root"}], "requestId": "r"}))
    assert len(text) < 200
    assert isinstance(open_text(text), SessionRequest)


@pytest.mark.parametrize("seed", range(count(5, 100)))
def test_parts_in_any_order_and_only_mixtures(seed: int, module: Module) -> None:
    raw, draw = bytes.fromhex(BIG["cbor"]), random.Random(seed)
    encoder = ur.Encoder(raw, fragment=draw.choice([20, 50, 110]))
    start = draw.choice([1, encoder.count + 1, 5 * encoder.count])
    parts = [encoder.part(number) for number in range(start, start + 4 * encoder.count + 20)]
    draw.shuffle(parts)
    found = module.scan(*parts)
    assert plain(found["grant"]) == plain(BIG["json"])
    assert found["seen"][-1] == 100
    assert found["seen"] == sorted(found["seen"])


def test_parts_of_another_code(module: Module) -> None:
    one, other = (ur.Encoder(bytes.fromhex(BIG["cbor"]) + tail, fragment=50) for tail in (b"", b"\0"))
    with pytest.raises(Thrown) as caught:
        module.scan(one.part(1), other.part(2))
    assert caught.value.code == "OtherCode"
    assert module.scan(one.part(1), one.part(1))["seen"] == [100 // one.count] * 2


def damaged(text: str, draw: random.Random) -> str:
    at = draw.randrange(len("latchkey:grant/"), len(text))
    return text[:at] + draw.choice([c for c in "abcXYZ019-_" if c != text[at]]) + text[at + 1 :]


def test_damage_is_told(module: Module) -> None:
    draw = random.Random(1)
    for _ in range(count(40, 2000)):
        with pytest.raises(Thrown) as caught:
            module.codec("read", damaged(VECTORS[4]["link"], draw))
        assert isinstance(caught.value.code, str), caught.value.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "NotUr"),
        ("hello", "NotUr"),
        ("{", "Damaged"),
        ("{}", "NotHandOver"),
        ('{"latchkey": 2}', "NotHandOver"),
        ("latchkey:grant/", "Damaged"),
        ("latchkey:grant/!", "Damaged"),
        ("latchkey:grant/AA", "NotHandOver"),
        ("ur:bytes/aeae", "NotUr"),
        ("ur:latchkey-grant/aeaeaeae", "Damaged"),
        ("ur:latchkey-grant/1-2/aeaeaeae", "Damaged"),
        ("#latchkey-refused=Refused&requestId=r&reason=Not%20today", "Refused"),
    ],
)
def test_what_is_none(text: str, code: str, module: Module) -> None:
    with pytest.raises(Thrown) as caught:
        module.codec("read", text)
    assert caught.value.code == code
    if code == "Refused":
        assert caught.value.message == "Not today"


def test_a_part_alone_says_so(module: Module) -> None:
    part = next(islice(ur.qr_texts(bytes.fromhex(BIG["cbor"]), 50), 1))
    with pytest.raises(Thrown) as caught:
        module.codec("read", part)
    assert caught.value.code == "OnePartOfMany"


def test_kinds_that_are_read() -> None:
    """The module leaves out what no dApp is given: what takes power away."""
    assert {decode(bytes.fromhex(one["cbor"])).kind for one in VECTORS} == {Kind.REQUEST, Kind.UNSIGNED_GRANT, Kind.SIGNED_GRANT}
