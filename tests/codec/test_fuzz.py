"""Everything that comes in from outside, as hostile as it can be made: no crash, nothing over a second, and the caps hold.

Each reader's own tests are beside it; here whole things go through the one door, damaged at random, and as large as they may be.
"""

from __future__ import annotations

import base64
import json
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.codec import bytewords, cbor, ur
from latchkey.codec.hand_over import MAX_BYTES, Envelope, decode, encode, request_envelope, to_json
from latchkey.codec.inbox import open_any
from latchkey.codec.link import from_link, to_link
from latchkey.core.untrusted import MAX_BYTES as MAX_TEXT
from latchkey.errors import BadInput, LatchkeyError, NotServed
from tests.codec.strategies import endings, grants, requests
from tests.codec.test_foreign_forms import GOOD, READERS
from tests.counts import count


@contextmanager
def within_a_second() -> Iterator[None]:
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 1


def tried(reader: Callable[[Any], Any], what: Any) -> Any:
    """What it reads, or None where it refuses in words; nothing else may come of it."""
    with within_a_second():
        try:
            return reader(what)
        except LatchkeyError as error:
            refusal = error.text
    assert refusal
    return None


envelopes = st.one_of(grants(), endings(), requests().map(request_envelope))


@st.composite
def damage(draw: st.DrawFn, raw: bytes) -> bytes:
    """A few bytes changed, cut out, doubled or put in, anywhere."""
    out = bytearray(raw)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(out) - 1)))
        match draw(st.sampled_from("xcdi")):
            case "x" if out:
                out[at] ^= draw(st.integers(1, 255))
            case "c":
                del out[at : at + draw(st.integers(1, 40))]
            case "d":
                out[at:at] = out[at : at + draw(st.integers(1, 40))]
            case "i":
                out[at:at] = draw(st.binary(min_size=1, max_size=8))
    return bytes(out)


@given(envelopes, st.data())
def test_damaged_hand_overs_in_every_form(envelope: Envelope, data: st.DataObject) -> None:
    """As bytes, link, UR and JSON; what is read all the same is exactly what its bytes say."""
    raw = encode(envelope)
    hurt = data.draw(damage(raw))
    found = tried(decode, hurt)
    assert found is None or encode(found) == hurt
    with suppress(BadInput):
        tried(open_any, data.draw(damage(to_link(raw).encode())))
    tried(open_any, data.draw(damage(ur.encode(raw).encode())))
    tried(open_any, data.draw(damage(json.dumps(to_json(envelope)).encode())))
    tried(open_any, hurt)


@given(envelopes, st.data())
def test_damage_under_a_good_checksum(envelope: Envelope, data: st.DataObject) -> None:
    """Somebody who knows the format: the body is changed and the check made anew."""
    import hashlib

    *head, body, _ = cbor2.loads(encode(envelope))
    start = b"\x84" + b"".join(map(cbor2.dumps, head)) + cbor2.dumps(data.draw(damage(body)))
    forged = start + cbor2.dumps(hashlib.sha256(start).digest()[:8])
    found = tried(decode, forged)
    assert found is None or encode(found) == forged


_SCALARS = st.one_of(
    st.integers(-(2**70), 2**70), st.binary(max_size=40), st.text(max_size=20), st.floats(), st.booleans(), st.none()
)
_NAMES = st.integers(0, 30) | st.text(max_size=6)
_TREES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_NAMES, inner, max_size=5), max_leaves=40
)


@given(_TREES)
def test_cbor_of_any_shape_is_read_as_it_is_or_refused(value: Any) -> None:
    raw = cbor2.dumps(value)
    with within_a_second(), suppress(BadInput):
        assert cbor2.dumps(cbor.load(raw), canonical=True) == cbor2.dumps(value, canonical=True)
    tried(decode, raw)
    tried(decode, b"\x84\x68latchkey" + raw)
    for reader in READERS.values():
        tried(reader, raw)


@given(st.binary(max_size=200), st.sampled_from(sorted(ur.KINDS)))
def test_bytewords_and_base64_of_any_bytes(raw: bytes, kind: str) -> None:
    tried(open_any, f"ur:{kind}/{bytewords.encode(raw)}" if raw else f"ur:{kind}/")
    tried(open_any, "latchkey:grant/" + base64.urlsafe_b64encode(raw).decode().rstrip("="))
    tried(from_link, "latchkey:grant/" + base64.b64encode(raw).decode())


@given(st.sampled_from(sorted(READERS)), st.data())
def test_damaged_codes_of_other_wallets(kind: str, data: st.DataObject) -> None:
    hurt = data.draw(damage(GOOD[kind]))
    tried(READERS[kind], hurt)
    if hurt:
        tried(open_any, ur.encode(hurt, kind))


# --- as large as they may be, and larger


def heads(major: int, argument: int) -> bytes:
    return bytes([major << 5 | 27]) + argument.to_bytes(8, "big")


BOMBS = {
    "an array of 2^60": heads(4, 2**60),
    "a map of 2^60": heads(5, 2**60),
    "bytes of 2^60": heads(2, 2**60) + b"x",
    "a text of 2^63": heads(3, 2**63) + b"x",
    "arrays in arrays": b"\x81" * 60_000 + b"\x00",
    "maps in maps": b"\xa1\x00" * 30_000 + b"\x00",
    "endless array": b"\x9f" * 60_000,
    "4,097 values": b"\x99\x10\x01" + b"\x00" * 4097,
    "60,000 values": b"\x99\xea\x60" + b"\x00" * 60_000,
    "tags in tags": b"\xc1" * 60_000 + b"\x00",
    "shared values": b"\xd8\x1c\x82" * 9 + b"\x00" * 18,
    "a number of 60,000 bytes": b"\xc2\x59\xea\x60" + b"\xff" * 60_000,
    "text that is none": b"\x79\xea\x60" + b"\xff" * 60_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_small_and_quick(name: str) -> None:
    bomb = BOMBS[name]
    tracemalloc.start()
    try:
        for reader in (cbor.load, decode, *READERS.values()):
            assert tried(reader, bomb) is None
        tried(open_any, ur.encode(bomb))
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


LONGEST = {
    "lists": "[" * 200_000,
    "objects": '{"a":' * 40_000,
    "escapes": '"' + "\\u0000" * 40_000,
    "digits": "1" * 250_000,
    "hex": "0x" + "0" * 250_000,
    "ur": "ur:" * 80_000,
    "link": "latchkey:grant/" + "A" * 250_000,
    "bytewords": "ur:latchkey-grant/" + "ae" * 120_000,
    "payment": "ethereum:0x" + "a" * 200_000,
    "walletconnect": "wc:" + "a" * 250_000,
    "words": "word " * 50_000,
}


@pytest.mark.parametrize("name", LONGEST)
def test_the_longest_texts(name: str) -> None:
    assert tried(open_any, LONGEST[name]) is None
    assert tried(open_any, LONGEST[name].encode()) is None


def test_what_is_larger_than_its_cap_is_not_looked_into() -> None:
    for reader, much in ((decode, MAX_BYTES + 1), (open_any, MAX_TEXT + 1)):
        with pytest.raises(BadInput) as caught:
            reader(b"\x00" * much)
        assert caught.value.code == "TooLarge"


def test_a_stream_of_a_thousand_parts_that_never_ends() -> None:
    """Parts of forged data, as many as a decoder takes and more: its memory ends at a row a fragment, its time with its parts."""
    rng, decoder = random.Random(7), ur.Decoder(ur.KINDS)
    begun, slowest = time.process_time(), 0.0
    for _ in range(count(600, 6_000)):
        number = rng.randrange(1001, 2**32)
        payload = cbor.dump([number, 1000, 130_000, 7, rng.randbytes(130)])
        before = time.process_time()
        with suppress(BadInput, NotServed):
            decoder.receive(f"ur:latchkey-grant/{number}-1000/{bytewords.encode(payload)}")
        slowest = max(slowest, time.process_time() - before)
        assert len(decoder._rows) <= 1000
        assert decoder.seen <= 4 * ur.MAX_PARTS
    assert slowest < 1
    assert time.process_time() - begun < count(20, 200)
    assert decoder.message is None
