import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey import __version__
from latchkey.codec import cbor, wire
from latchkey.codec.hand_over import (
    _RULES,
    MAGIC,
    MAX_BYTES,
    Envelope,
    Kind,
    decode,
    encode,
    from_json,
    request_envelope,
    session_request,
    to_json,
)
from latchkey.core.account import Account, Mode
from latchkey.core.permissions import KINDS, Root
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Address
from latchkey.errors import BadInput, LatchkeyError
from tests.codec.strategies import endings, grants, requests
from tests.counts import count

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "hand_over.json").read_text())["envelopes"]
NAMES = [vector["name"] for vector in VECTORS]
GRANT = VECTORS[NAMES.index("a signed grant with the context that carries it")]["json"]
UNSIGNED = VECTORS[NAMES.index("an unsigned grant for an account that is not deployed")]["json"]
REVOCATION: dict[str, Any] = {
    "latchkey": 1, "kind": "unsigned-revocation", "system": "modular_account", "chainId": 8453, "account": "0x" + "11" * 20,
    "mode": "address", "owner": "0x" + "22" * 20, "operations": ["0x0a00"], "created": 1_790_000_000,
}  # fmt: skip
REQUEST = VECTORS[NAMES.index("a request that names everything, with claims and a key to seal to")]["json"]


def sealed(body: bytes, version: int = 1) -> bytes:
    """An envelope around any body, with a check that fits."""
    head = MAGIC + cbor.dump(version) + cbor.dump(body)
    return head + b"\x48" + hashlib.sha256(head).digest()[:8]


def body_of(raw: bytes) -> Any:
    return cbor2.loads(cbor2.loads(raw)[2])


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_vectors(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["cbor"])
    envelope = from_json(vector["json"])
    assert encode(envelope) == raw
    assert decode(raw) == envelope
    assert json.dumps(to_json(envelope)) == json.dumps(vector["json"])
    assert len(raw) == vector["length"]


@given(grants())
def test_grants_go_round(envelope: Envelope) -> None:
    assert decode(encode(envelope)) == envelope
    assert from_json(json.loads(json.dumps(to_json(envelope)))) == envelope


@given(endings())
def test_what_takes_power_away_goes_round(envelope: Envelope) -> None:
    assert decode(encode(envelope)) == envelope
    assert from_json(json.loads(json.dumps(to_json(envelope)))) == envelope
    assert not {"permissions", "claims", "expirySec", "key", "unsigned"} & to_json(envelope).keys()


@given(requests())
def test_requests_go_round(request: SessionRequest) -> None:
    envelope = request_envelope(request)
    assert session_request(decode(encode(envelope))) == request
    assert session_request(from_json(json.loads(json.dumps(to_json(envelope))))) == request


def test_the_body_is_as_documented() -> None:
    body = body_of(encode(from_json(GRANT)))
    assert list(body) == sorted(body)
    assert body[1] == "signed-grant"
    assert body[3] == 31337
    assert body[9] == [
        [1, bytes.fromhex("0de0b6b3a7640000")],
        [2, bytes.fromhex("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"), b"\x64"],
        [3, bytes.fromhex("016345785d8a0000")],
        [4, bytes.fromhex("7a250d5630b4cf539739df2c5dacb4c659f2488d")],
    ]
    assert body[7] == b""  # salt 0
    assert body[16] == 1  # the context that is 0x01 || deferredAction
    assert body[15][:2] == b"\x01\x00"  # flag 1, then a run of zeros


def test_zero_runs_are_squeezed_and_come_back() -> None:
    for zeros in (1, 2, 255, 256, 257, 512, 513):
        envelope = replace(from_json(UNSIGNED), unsigned=b"\xab" + bytes(zeros) + b"\xcd")
        raw = encode(envelope)
        assert decode(raw) == envelope
        runs = [256] * (zeros // 256) + ([zeros % 256] if zeros % 256 else [])
        assert body_of(raw)[14] == b"\xab" + b"".join(bytes((0, run - 1)) for run in runs) + b"\xcd"


def test_every_permission_kind_has_a_code() -> None:
    assert set(wire._CODE_OF) == set(KINDS)


def test_a_label_stays_at_home() -> None:
    envelope = from_json(GRANT)
    assert envelope.account
    labelled = replace(envelope, account=replace(envelope.account, label="my savings"))
    assert encode(labelled) == encode(envelope)


# Damage and forgery


def _flips(raw: bytes) -> list[bytes]:
    bits = [1 << n for n in range(0, 8, count(4, 1))]
    return [raw[:i] + bytes((raw[i] ^ bit,)) + raw[i + 1 :] for i in range(len(raw)) for bit in bits]


@pytest.mark.parametrize("vector", VECTORS[1:7:2], ids=NAMES[1:7:2])
def test_any_byte_flipped_is_refused(vector: dict[str, Any]) -> None:
    for changed in _flips(bytes.fromhex(vector["cbor"])):
        with pytest.raises(BadInput):
            decode(changed)


@pytest.mark.parametrize("vector", VECTORS[1:7:2], ids=NAMES[1:7:2])
def test_any_byte_flipped_under_a_fitting_check_is_refused_or_means_something_else(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["cbor"])
    envelope, read = decode(raw), 0
    for changed in _flips(cbor2.loads(raw)[2]):
        try:
            other = decode(sealed(changed))
        except BadInput:
            continue
        read += 1
        assert other != envelope
        assert encode(other) == sealed(changed)
    assert read  # amounts and addresses can be changed: the check is no signature


def test_damage_is_called_damage() -> None:
    """The person copies or scans again; no field is blamed."""
    raw = bytes.fromhex(VECTORS[4]["cbor"])
    for at in (20, len(raw) // 2, len(raw) - 10, len(raw) - 1):
        with pytest.raises(BadInput) as caught:
            decode(raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :])
        assert caught.value.code == "Damaged"


@pytest.mark.parametrize("vector", VECTORS, ids=NAMES)
def test_cut_or_lengthened_is_refused(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["cbor"])
    for changed in (*(raw[:n] for n in range(0, len(raw), 7)), raw + b"\0", raw + raw):
        with pytest.raises(BadInput):
            decode(changed)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused(raw: bytes) -> None:
    for attempt in (raw, MAGIC + raw, sealed(raw)):
        with pytest.raises(BadInput):
            decode(attempt)


_VALUES = st.recursive(
    st.integers(0, 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(0, 24) | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(VECTORS), st.data())
def test_mutated_bodies_are_refused_or_exact(vector: dict[str, Any], data: st.DataObject) -> None:
    body = body_of(bytes.fromhex(vector["cbor"]))
    for _ in range(data.draw(st.integers(1, 2))):
        body[data.draw(st.sampled_from(sorted(body)) | st.integers(0, 25))] = data.draw(_VALUES)
    raw = sealed(cbor.dump(body))
    try:
        envelope = decode(raw)
    except BadInput:
        return
    assert encode(envelope) == raw


@given(st.sampled_from((GRANT, UNSIGNED, REQUEST)), st.data())
def test_mutated_twins_are_refused_or_go_round(twin: dict[str, Any], data: st.DataObject) -> None:
    anything = (
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.just({}) | st.just([])
    )
    anything |= st.lists(st.text(max_size=3) | st.integers(), max_size=2) | st.dictionaries(
        st.text(max_size=5), st.integers(), max_size=2
    )
    changed = dict(twin) | {data.draw(st.sampled_from(sorted(twin)) | st.text(max_size=8)): data.draw(anything)}
    try:
        envelope = from_json(changed)
    except BadInput:
        return
    assert from_json(to_json(envelope)) == envelope


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xa1\x01\xc2\x41\x05", "NotCbor"),  # a tag
        (b"\xbf\xff", "NotCbor"),  # indefinite length
        (b"\xa1\x01\xf6", "NotCbor"),  # null
        (b"\xa1\x01\xfb" + bytes(8), "NotCbor"),  # a float
        (b"\xa1\x01\x20", "NotCbor"),  # a negative number
        (b"\x81" * 20 + b"\x00", "TooMany"),  # depth
        (b"\x9a\x00\x01\x00\x00" + bytes(65536 - 100), "TooMany"),
        (b"\x99\x20\x00" + bytes(8192), "TooMany"),
        (b"\x9b" + b"\xff" * 8, "NotCbor"),  # a length nobody has
        (b"\xa1\xa0\x00", "UnknownKind"),  # a map as a key
        (b"\xa1\x01\x61\xff", "NotCbor"),  # not UTF-8
        (b"\x80", "BadInput"),
        (b"", "NotCbor"),
    ],
)
def test_hostile_cbor(body: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode(sealed(body))
    assert caught.value.code == code


def test_one_exact_form() -> None:
    """The same content in any other spelling is refused, so equal content means equal bytes."""
    body = body_of(bytes.fromhex(VECTORS[0]["cbor"]))
    reordered = b"\xa4" + b"".join(cbor.dump(k) + cbor.dump(body[k]) for k in sorted(body, reverse=True))
    longer_head = cbor.dump(body).replace(b"\x01\x67request", b"\x01\x78\x07request")
    twice = b"\xa5" + cbor.dump(body)[1:] + b"\x11" + cbor.dump("r-1")
    padded = cbor.dump(body | {9: [[3, b"\x00\x01"]]})
    unclean = cbor.dump(body | {21: {1: "two  spaces"}})
    empty = cbor.dump(body | {21: {}})
    for spelling in (reordered, longer_head, twice, padded, unclean, empty):
        with pytest.raises(BadInput) as caught:
            decode(sealed(spelling))
        assert caught.value.code == "NotCanonical"


# Rules


def test_a_later_version_and_a_later_kind_say_so() -> None:
    body = body_of(bytes.fromhex(VECTORS[0]["cbor"]))
    for raw, code in ((sealed(b"\xa0", 2), "UnknownVersion"), (sealed(cbor.dump(body | {1: "delegation", 40: 1})), "UnknownKind")):
        with pytest.raises(BadInput) as caught:
            decode(raw)
        assert caught.value.code == code
        assert __version__ in caught.value.text
        assert "delegation" not in caught.value.text
    with pytest.raises(BadInput, match=__version__):
        from_json(REQUEST | {"kind": "delegation", "revokes": []})
    with pytest.raises(BadInput, match=__version__):
        decode(sealed(cbor.dump(body | {40: 1})))


@pytest.mark.parametrize(
    ("twin", "path"),
    [
        (REQUEST | {"nonce": "0x1"}, "nonce"),
        (REQUEST | {"owner": "0x" + "11" * 20}, "owner"),
        (REQUEST | {"mode": "address"}, "mode"),
        (REQUEST | {"permissions": []}, "permissions"),
        (REQUEST | {"requestId": ""}, "requestId"),
        (REQUEST | {"requestId": "with space"}, "requestId"),
        (REQUEST | {"expirySec": True}, "expirySec"),
        (REQUEST | {"expirySec": 2**48}, "expirySec"),
        (REQUEST | {"chainId": "0x1"}, "chainId"),
        (REQUEST | {"chainId": 0}, "chainId"),
        (REQUEST | {"chainId": None}, "chainId"),
        (REQUEST | {"handOverKey": "0x00"}, "handOverKey"),
        (REQUEST | {"power": "more"}, "power"),
        (REQUEST | {"key": {"publicKey": "0x" + "22" * 20, "type": "p256"}}, "key.type"),
        (UNSIGNED | {"deferredAction": "0x00"}, "deferredAction"),
        (UNSIGNED | {"sealedSessionKey": "0x00"}, "sealedSessionKey"),
        (UNSIGNED | {"unsigned": None}, "unsigned"),
        (UNSIGNED | {"entityId": 2**32}, "entityId"),
        (UNSIGNED | {"salt": None}, "salt"),
        (UNSIGNED | {"mode": "address"}, "salt"),
        (UNSIGNED | {"mode": "7702", "salt": None}, "owner"),
        (UNSIGNED | {"mode": "7702", "owner": None, "salt": None}, "owner"),
        (UNSIGNED | {"mode": "other"}, "mode"),
        (UNSIGNED | {"system": "Modular Account"}, "system"),
        (GRANT | {"unsigned": "0x00"}, "unsigned"),
        (GRANT | {"sealedSessionKey": "0x00"}, "handOverKey"),
        (GRANT | {"sessionKeystore": "[]"}, "sessionKeystore"),
        (GRANT | {"sessionKeystore": "{"}, "sessionKeystore"),
        (GRANT | {"claims": {"names": [{"address": "0x" + "11" * 20}] * 2}}, "claims.names"),
        (GRANT | {"claims": {"names": [{"address": "0x" + "11" * 20, "decimals": 78}]}}, "claims.names[0].decimals"),
        (GRANT | {"claims": {"functions": ["f()"] * 129}}, "claims.functions"),
        (REQUEST | {"asked": {"permissions": [{"type": "root"}]}}, "asked"),
        (REVOCATION | {"permissions": [{"type": "root"}]}, "permissions"),
        (REVOCATION | {"claims": {"name": "x"}}, "claims"),
        (REVOCATION | {"transactions": ["0x02"]}, "transactions"),
        (REVOCATION | {"operations": []}, "operations"),
        (REVOCATION | {"operations": ["0x00"] * 65}, "operations"),
        (REVOCATION | {"operations": None}, "operations"),
        (REVOCATION | {"created": None}, "created"),
        (REVOCATION | {"signatures": ["0x" + "11" * 65]}, "signatures"),
        (REVOCATION | {"kind": "signed-revocation"}, "signatures"),
        (REVOCATION | {"kind": "signed-revocation", "signatures": ["0x" + "11" * 65] * 2}, "signatures"),
        (REVOCATION | {"kind": "signed-revocation", "signatures": ["0x" + "11" * 64]}, "signatures[0]"),
        (REVOCATION | {"kind": "unsigned-owner-transaction"}, "transactions"),
        (REVOCATION | {"chainId": None}, "chainId"),
        (GRANT | {"requestId": None, "asked": {"permissions": [{"type": "root"}]}}, "requestId"),
        (GRANT | {"requestId": "r-1", "asked": {"permissions": []}}, "asked.permissions"),
        (GRANT | {"requestId": "r-1", "asked": {"expirySec": 5}}, "asked.permissions"),
        (GRANT | {"requestId": "r-1", "asked": {"permissions": [{"type": "root"}], "key": 1}}, "asked.key"),
        (GRANT | {"requestId": "r-1", "asked": {"permissions": [{"type": "root"}], "expirySec": 2**48}}, "asked.expirySec"),
        (GRANT | {"latchkey": True}, "latchkey"),
        (GRANT | {"permissions": [{"type": "root"}] * 129}, "permissions"),
    ],
)  # fmt: skip
def test_twins_that_are_refused(twin: dict[str, Any], path: str) -> None:
    with pytest.raises(BadInput) as caught:
        from_json(twin)
    assert caught.value.path == path


def test_nothing_but_bad_input_from_json_that_is_no_object() -> None:
    for value in (None, 1, "x", [], [GRANT]):
        with pytest.raises(BadInput):
            from_json(value)


def test_writing_checks_what_reading_checks() -> None:
    grant = from_json(GRANT)
    for wrong in (
        replace(grant, blob=b""),
        replace(grant, expiry=None),
        replace(grant, expiry=2**48),
        replace(grant, permissions=()),
        replace(grant, key_type="p256"),
        replace(grant, kind=Kind.REQUEST),
        replace(grant, account=None),
        replace(grant, account=Account(1, Address("0x" + "11" * 20), "modular_account", Mode.SMA)),
        replace(grant, blob=b"\x01" * MAX_BYTES),
    ):
        with pytest.raises(BadInput):
            encode(wrong)


def test_claims_are_cleaned_on_their_way_out() -> None:
    envelope = replace(from_json(GRANT), claims=Claims("Safe\u202e Game\n", "x" * 999))
    read = decode(encode(envelope)).claims
    assert read.dapp_name == "Safe Game"
    assert read.dapp_url == "x" * 255 + "…"


def test_an_account_without_its_network_cannot_be_handed_over() -> None:
    request = SessionRequest(permissions=(Root(),), request_id="r", account=Address("0x" + "11" * 20))
    with pytest.raises(BadInput) as caught:
        request_envelope(request)
    assert caught.value.path == "chainId"


def test_errors_never_repeat_what_came_in() -> None:
    marker = "Zebra-7731"
    for twin in (
        REQUEST | {"requestId": marker + " "},
        REQUEST | {"system": marker},
        REQUEST | {"kind": marker},
        REQUEST | {"permissions": [{"type": marker}]},
        GRANT | {"mode": marker},
        GRANT | {"sessionKeystore": marker},
        GRANT | {"deferredAction": marker},
    ):
        with pytest.raises(LatchkeyError) as caught:
            from_json(twin)
        assert marker not in caught.value.text


DOCUMENT = (Path(__file__).parents[2] / "docs" / "hand-over.md").read_text()


def test_the_worked_example_is_the_first_vector() -> None:
    example = DOCUMENT.split("## A worked example")[1]
    listing = example.split("The bytes, 69 of them:")[1].split("As a link:")[0].split("\n")
    assert "".join(line.strip().split("   ")[0] for line in listing).replace(" ", "") == VECTORS[0]["cbor"]
    assert VECTORS[0]["link"] in example
    assert VECTORS[0]["ur"].upper() in example
    assert json.dumps(VECTORS[0]["json"], separators=(",", ":")) in example


def test_the_tables_say_what_the_code_does() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in DOCUMENT.splitlines() if line.startswith("| ")]
    numbered = {int(row[0]): row[1].strip("`") for row in rows if row[0].isdigit()}
    codes = {number: name for number, name in numbered.items() if name in KINDS}
    fields = {int(row[0]): row[1].strip("`") for row in rows if row[0].isdigit() and len(row) == 4}
    assert codes == wire._CODES
    assert fields == {number: name for number, (name, _) in wire._FIELDS.items()}
    rules = {row[0].strip("`"): [_numbers(cell) for cell in row[1:]] for row in rows if row[0].strip("`") in list(Kind)}
    for kind, (needed, allowed) in _RULES.items():
        documented_needed, documented_more = ({fields[n] for n in numbers} for numbers in rules[kind])
        assert documented_needed | {"latchkey"} == needed
        assert documented_needed | documented_more | {"latchkey"} == allowed


def _numbers(cell: str) -> set[int]:
    """ "1, 4 (only with 3), 9 to 11" -> {1, 4, 9, 10, 11}."""
    cell = re.sub(r"\(.*?\)", "", cell.split(";")[0])
    spans = [[int(n) for n in part.split(" to ")] for part in cell.split(",")]
    return {n for span in spans for n in range(span[0], span[-1] + 1)}
