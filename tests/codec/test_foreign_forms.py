"""What other wallets show, as hostile as it can be: nothing but LatchkeyError, within a second, within the caps."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import cbor2
import pytest
from coincurve import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from latchkey.codec import cbor, eip4527, hdkeys, ur
from latchkey.codec.eip681 import PayTo
from latchkey.codec.eip4527 import DataType, EthSignature, EthSignRequest
from latchkey.codec.hdkeys import HdKey, HdKeys, KeyPath, Step
from latchkey.codec.inbox import open_any, open_as, open_text
from latchkey.core.request import SessionRequest
from latchkey.core.types import Address
from latchkey.errors import BadInput, LatchkeyError, NotServed

ADDRESS = Address.parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
OTHER = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
PUBLIC = PrivateKey(bytes(31) + b"\x07").public_key.format()
READERS: dict[str, Callable[[bytes], Any]] = {
    ur.SIGN_REQUEST: eip4527.read_sign_request,
    ur.SIGNATURE: eip4527.read_signature,
    ur.HDKEY: hdkeys.read_hdkey,
    ur.ACCOUNT: hdkeys.read_account,
}
REQUEST = EthSignRequest(b"{}", DataType.TYPED_DATA, KeyPath.parse("m/44'/60'/0'/0/0", 5), bytes(16), 1, ADDRESS, "dApp")
SIGNATURE = EthSignature(bytes(65), bytes(16), "Device")
KEY = HdKey(PUBLIC, bytes(32), KeyPath.parse("m/44'/60'/0'", 5), KeyPath.parse("0/*"), 9, 60, "Device", "standard")
GOOD = {
    ur.SIGN_REQUEST: eip4527.write_sign_request(REQUEST),
    ur.SIGNATURE: eip4527.write_signature(SIGNATURE),
    ur.HDKEY: hdkeys.write_hdkey(KEY),
    ur.ACCOUNT: cbor.dump({1: 5, 2: [cbor2.CBORTag(303, cbor2.loads(hdkeys.write_hdkey(KEY)))]}),
}  # fmt: skip


@contextmanager
def within_a_second() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 1


# What is opened, and as what


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ur.encode(GOOD[ur.SIGN_REQUEST], ur.SIGN_REQUEST).upper(), REQUEST),
        (ur.encode(GOOD[ur.SIGNATURE], ur.SIGNATURE), SIGNATURE),
        (ur.encode(GOOD[ur.HDKEY], ur.HDKEY), HdKeys((KEY,), 5)),
        (ur.encode(GOOD[ur.ACCOUNT], ur.ACCOUNT), HdKeys((KEY,), 5)),
        (ADDRESS, PayTo(ADDRESS)),
        (ADDRESS.lower(), PayTo(ADDRESS)),
        (f"ethereum:{ADDRESS}", PayTo(ADDRESS, is_link=True)),
        (f"ETHEREUM:pay-{ADDRESS}@10?value=2.014e18&gas=21000", PayTo(ADDRESS, 10, None, 2_014 * 10**15, is_link=True)),
        (f"ethereum:{ADDRESS}?value=0.50e1", PayTo(ADDRESS, None, None, 5, is_link=True)),
        (f"ethereum:{OTHER}@1/transfer?address={ADDRESS}&uint256=1e6", PayTo(ADDRESS, 1, OTHER, 10**6, is_link=True)),
    ],
)
def test_what_is_opened(text: str, found: Any) -> None:
    kind: Any = type(found)
    assert open_any(text) == open_any(text.encode()) == open_as(text, kind) == found
    with pytest.raises(BadInput, match=r"This is .+; expected a session request or a Latchkey hand-over") as caught:
        open_text(text)
    assert caught.value.code == "OtherKind"
    with pytest.raises(BadInput, match="expected a hardware wallet's") as caught:
        open_as(text, HdKeys) if kind is EthSignature else open_as(text, EthSignature)
    assert caught.value.code == "OtherKind"
    with pytest.raises(BadInput):
        open_as(text, SessionRequest)


@pytest.mark.parametrize(
    "text",
    [
        ADDRESS.replace("F", "f", 1),
        "ethereum:",
        "ethereum:vitalik.eth",
        f"ethereum:{ADDRESS}@0",
        f"ethereum:{ADDRESS}@99999999999999999999",
        f"ethereum:{ADDRESS}/approve?address={OTHER}&uint256=1",
        f"ethereum:{ADDRESS}/transfer",
        f"ethereum:{ADDRESS}/transfer?address=nobody",
        f"ethereum:{ADDRESS}?value=1&value=2",
        f"ethereum:{ADDRESS}?value=1&data=0x",
        f"ethereum:{ADDRESS}?value=-1",
        f"ethereum:{ADDRESS}?value=1.5",
        f"ethereum:{ADDRESS}?value=1e99",
        f"ethereum:{ADDRESS}?value=" + "9" * 78,
        f"ethereum:{ADDRESS}?value=٣",
        f"ethereum:{ADDRESS}?gas=" + "1" * 1000,
    ],
)
def test_what_is_no_payment(text: str) -> None:
    with pytest.raises(BadInput):
        open_any(text)


def test_walletconnect_says_what_to_ask_for() -> None:
    with pytest.raises(NotServed, match=r"WalletConnect.*Ask the dApp for .*wallet_createSession"):
        open_any("wc:7f6e504bfad60b485450578e05678ed3e8e8c4751d3c6160be17160d63ec90f9@2?relay-protocol=irn&symKey=" + "ab" * 32)


def test_a_type_that_is_not_expected_says_what_it_is() -> None:
    decoder = ur.Decoder((ur.SIGNATURE,))
    with pytest.raises(NotServed, match="This is a signing request for a hardware wallet; expected a hardware wallet's signature"):
        decoder.receive(ur.encode(GOOD[ur.SIGN_REQUEST], ur.SIGN_REQUEST))
    decoder.receive(ur.encode(GOOD[ur.SIGNATURE], ur.SIGNATURE))
    assert open_as(decoder.text or "", EthSignature) == SIGNATURE


def test_types_do_not_mix_in_one_stream() -> None:
    decoder = ur.Decoder(ur.KINDS)
    decoder.receive(ur.Encoder(bytes(1000), 100, ur.SIGNATURE).part(1))
    with pytest.raises(BadInput) as caught:
        decoder.receive(ur.Encoder(bytes(1000), 100, ur.SIGN_REQUEST).part(2))
    assert caught.value.code == "OtherCode"


# Caps and damage


def test_secret_keys_are_refused_and_not_repeated() -> None:
    fields = cbor2.loads(GOOD[ur.HDKEY])
    for secret in (
        {**fields, 2: True},
        {**fields, 3: bytes(1) + b"\x55" * 32},
        {1: True, 3: bytes(1) + b"\x55" * 32, 4: bytes(32)},
    ):
        with pytest.raises(BadInput) as caught:
            hdkeys.read_hdkey(cbor.dump(secret))
        assert caught.value.code == "LooksLikeSecret"
        assert "55" not in f"{caught.value!r}{caught.value.__context__!r}"


def path(*flat: Any) -> cbor2.CBORTag:
    return cbor2.CBORTag(304, {1: list(flat)})


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (ur.SIGN_REQUEST, {2: b""}),
        (ur.SIGN_REQUEST, {2: bytes(eip4527.MAX_SIGN_DATA + 1)}),
        (ur.SIGN_REQUEST, {2: "text"}),
        (ur.SIGN_REQUEST, {3: 0}),
        (ur.SIGN_REQUEST, {3: 5}),
        (ur.SIGN_REQUEST, {3: True}),
        (ur.SIGN_REQUEST, {4: 0}),
        (ur.SIGN_REQUEST, {4: 2**63}),
        (ur.SIGN_REQUEST, {5: {1: []}}),
        (ur.SIGN_REQUEST, {5: path(44)}),
        (ur.SIGN_REQUEST, {5: path(2**31, False)}),
        (ur.SIGN_REQUEST, {5: path([], False)}),
        (ur.SIGN_REQUEST, {5: path([0, 5], False)}),
        (ur.SIGN_REQUEST, {5: path(*[1, False] * 11)}),
        (ur.SIGN_REQUEST, {6: bytes(19)}),
        (ur.SIGN_REQUEST, {7: b"bytes"}),
        (ur.SIGN_REQUEST, {8: 1}),
        (ur.SIGN_REQUEST, {1: bytes(16)}),
        (ur.SIGNATURE, {2: bytes(64)}),
        (ur.SIGNATURE, {2: bytes(81)}),
        (ur.SIGNATURE, {9: 1}),
        (ur.HDKEY, {3: bytes(33)}),
        (ur.HDKEY, {3: b"\x02" + b"\xff" * 32}),
        (ur.HDKEY, {3: PUBLIC[:32]}),
        (ur.HDKEY, {4: bytes(31)}),
        (ur.HDKEY, {8: 2**32}),
        (ur.HDKEY, {9: 1}),
        (ur.ACCOUNT, {2: []}),
        (ur.ACCOUNT, {2: "keys"}),
        (ur.ACCOUNT, {2: [1]}),
        (ur.ACCOUNT, {2: [cbor2.CBORTag(303, cbor2.loads(GOOD[ur.HDKEY]))] * 65}),
    ],
)
def test_one_field_that_does_not_fit(kind: str, fields: dict[int, Any]) -> None:
    with pytest.raises(BadInput):
        READERS[kind](cbor2.dumps({**cbor2.loads(GOOD[kind]), **fields}))


def test_fields_that_stand_twice_and_tags_without_an_end() -> None:
    raw = GOOD[ur.SIGNATURE]
    for odd in (
        bytes([raw[0] + 1]) + raw[1:] + b"\x03\x60",
        b"\xa1\x02" + b"\xd8\x25" * 3000 + b"\x40",
        b"\xd9\x01\x34" * 4000,
        b"\xa1\x02\xf6",
        b"\xa1\x02\xfb" + bytes(8),
        b"\xa1\x02\xc2\x40",
    ):
        for read in READERS.values():
            with pytest.raises(BadInput), within_a_second():
                read(odd)


def test_addresses_are_as_many_as_were_asked_for_and_not_without_end() -> None:
    wild = HdKey(PUBLIC, bytes(32), None, KeyPath((Step(None),) * 3))
    with within_a_second():
        assert len(HdKeys((wild,)).addresses(10**9)) == hdkeys.MAX_ADDRESSES
    with pytest.raises(BadInput):
        HdKey(PUBLIC, b"", None, KeyPath.parse("0/*")).addresses(1)
    assert HdKey(PUBLIC).addresses(3)[0].path == KeyPath()


@pytest.mark.parametrize("text", ["m/", "m//0", "44h", "m/2147483648", "m/-1", "m/0''", "m" + "/0" * 11, "m/٣", " m/0"])
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(BadInput):
        KeyPath.parse(text)


# Anything at all

_LEAVES = (
    st.integers(0, 2**64 - 1)
    | st.booleans()
    | st.binary(max_size=80)
    | st.text(max_size=20)
    | st.sampled_from((PUBLIC, bytes(16), bytes(32), bytes(65)))
)
_KEYS = st.integers(0, 12)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_KEYS, inner, max_size=5)
        | st.builds(cbor2.CBORTag, st.sampled_from((37, 303, 304, 305, 308, 403, 404, 2, 0)), inner)
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(READERS)), _VALUES)
def test_values_of_any_shape(kind: str, value: Any) -> None:
    _tried(kind, cbor2.dumps(value))


@given(st.sampled_from(sorted(READERS)), st.dictionaries(_KEYS, _VALUES, max_size=3), st.lists(_KEYS, max_size=2))
def test_good_ones_with_fields_changed(kind: str, changed: dict[int, Any], missing: list[int]) -> None:
    fields = {name: value for name, value in cbor2.loads(GOOD[kind]).items() if name not in missing}
    _tried(kind, cbor2.dumps({**fields, **changed}))


@given(st.sampled_from(sorted(READERS)), st.data())
def test_bytes_changed_cut_and_added(kind: str, data: st.DataObject) -> None:
    raw = bytearray(GOOD[kind])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
        raw = raw or bytearray(1)
    _tried(kind, bytes(raw))


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=300))
def test_any_bytes(kind: str, raw: bytes) -> None:
    _tried(kind, raw)


def _tried(kind: str, raw: bytes) -> None:
    """Read and asked for its addresses, or refused; what is read is written and read as the same."""
    with within_a_second(), suppress(LatchkeyError):
        found = READERS[kind](raw)
        if isinstance(found, EthSignRequest):
            assert eip4527.read_sign_request(eip4527.write_sign_request(found)) == found
        elif isinstance(found, EthSignature):
            assert eip4527.read_signature(eip4527.write_signature(found)) == found
        else:
            assert all(hdkeys.read_hdkey(hdkeys.write_hdkey(key)).keys == (key,) for key in found.keys)
            found.addresses(2)
    if raw:
        with within_a_second(), suppress(LatchkeyError):
            open_any(ur.encode(raw, kind))


_LINK = f"ethereum:{ADDRESS}"
_HEADS = ("ethereum:", _LINK, f"{_LINK}/transfer?address={OTHER}&", "ur:", "ur:crypto-hdkey/", "wc:", "latchkey:grant/", "0xf39Fd6")


@given(st.sampled_from(_HEADS), st.text(max_size=80) | st.text("0123456789abcdefx@/?&=.+-e", max_size=80))
def test_links_of_any_kind(head: str, tail: str) -> None:
    with within_a_second(), suppress(LatchkeyError):
        found = open_any(head + tail)
        assert isinstance(found, PayTo)


@given(st.sampled_from(sorted(ur.KINDS)), st.binary(min_size=1, max_size=600), st.data())
def test_streams_with_parts_of_others_among_them(kind: str, raw: bytes, data: st.DataObject) -> None:
    encoder, decoder = ur.Encoder(raw, 40, kind), ur.Decoder(ur.KINDS)
    strangers = [ur.Encoder(raw, 40, other) for other in ur.KINDS if other != kind] + [ur.Encoder(raw + b"x", 40, kind)]
    decoder.receive(encoder.part(1))
    for number in data.draw(st.lists(st.integers(1, 90), max_size=40)):
        with within_a_second(), suppress(LatchkeyError):
            decoder.receive(data.draw(st.sampled_from((encoder, encoder, *strangers))).part(number))
    assert decoder.message in (None, raw)
    assert decoder.kind == kind


def test_the_largest_texts_in_time() -> None:
    for text in ("ur:crypto-hdkey/" + "ae" * 130_000, "ethereum:" + "0" * 250_000, "ur:" + "a" * 250_000, "0x" + "0" * 250_000):
        with within_a_second(), pytest.raises(LatchkeyError):
            open_any(text)
    for major in (0x81, 0xA1, 0xD8):
        with within_a_second(), pytest.raises(BadInput):
            cbor.load(bytes([major, 0x25] if major == 0xD8 else [major]) * 60_000, tags=hdkeys.TAGS | {37})
