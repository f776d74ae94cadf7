"""UR parts: byte-equal with the published implementation, complete after any large enough share, and never more than BadInput."""

import hashlib
import json
import random
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.codec import bytewords, cbor, ur
from latchkey.errors import BadInput, LatchkeyError, NotServed
from tests.counts import count

HERE = Path(__file__).parents[1] / "vectors"
PUBLISHED = json.loads((HERE / "ur.json").read_text())
ENVELOPES = json.loads((HERE / "hand_over.json").read_text())["envelopes"]


def message(length: int) -> bytes:
    out, link = b"", f"latchkey {length}".encode()
    while len(out) < length:
        link = hashlib.sha256(link).digest()
        out += link
    return out[:length]


def part(number: int, parts: int, length: int, checksum: int, data: Any, kind: str = ur.TYPE) -> str:
    """A part of any content with a CRC that fits."""
    return f"ur:{kind}/{number}-{parts}/{bytewords.encode(cbor.dump([number, parts, length, checksum, data]))}"


# Published facts


def test_bytewords_of_the_specification() -> None:
    for vector in PUBLISHED["bytewords"]:
        raw = bytes.fromhex(vector["bytes"])
        assert bytewords.encode(raw) == vector["minimal"]
        assert bytewords.decode(vector["minimal"]) == raw


def test_generator_and_single_code_of_the_specification() -> None:
    """The 50 bytes are drawn by the specification's generator seeded with "Wolf"; 0x5832 is the CBOR head of 50 bytes."""
    body = bytewords.decode(PUBLISHED["singleBytes"].removeprefix("ur:bytes/"))
    generator = ur._Xoshiro(b"Wolf")
    assert body == b"\x58\x32" + bytes(generator.below(256) for _ in range(50))


@pytest.mark.parametrize("stream", PUBLISHED["streams"], ids=lambda s: f"{s['length']}/{s['fragment']}")
def test_streams_are_byte_equal_with_the_published_implementation(stream: dict[str, Any]) -> None:
    encoder = ur.Encoder(message(stream["length"]), stream["fragment"])
    parts = [encoder.part(number) for number in range(1, stream["count"] + 1)]
    for number, text in stream["parts"].items():
        assert parts[int(number) - 1] == text
    assert hashlib.sha256("\n".join(parts).encode()).hexdigest() == stream["sha256"]


@pytest.mark.parametrize("vector", ENVELOPES, ids=lambda v: v["name"])
def test_envelopes(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["cbor"])
    assert ur.encode(raw) == vector["ur"]
    assert ur.decode(vector["ur"]) == ur.decode(vector["ur"].upper()) == raw
    assert (ur.single_text(raw) is not None) == vector["single"]
    assert ur.Encoder(raw, 110).count == vector["fragments"]
    assert list(islice(ur.qr_texts(raw, 110), len(vector["parts"]))) == [text.upper() for text in vector["parts"]]


# Round trips


def test_half_lost_in_any_order() -> None:
    rng = random.Random(20261121)
    for _ in range(count(60, 2000)):
        raw = rng.randbytes(rng.choice((1, 9, 110, 111, rng.randrange(1, 3000))))
        encoder = ur.Encoder(raw, rng.randrange(10, 131) if len(raw) > 2000 else rng.randrange(20, 131))
        taken = [encoder.part(number) for number in range(1, 6 * encoder.count + 40) if rng.random() < 0.5]
        rng.shuffle(taken)
        decoder = ur.Decoder()
        for text in taken:
            decoder.receive(rng.choice((text, text.upper())))
        assert decoder.message == raw
        assert decoder.percent == 100


def test_mixtures_alone_are_enough() -> None:
    """A camera that comes late misses the plain fragments altogether."""
    raw = message(2000)
    encoder, decoder = ur.Encoder(raw), ur.Decoder()
    for number in numbers(encoder.count + 1):
        decoder.receive(encoder.part(number))
        if decoder.message is not None:
            break
    assert decoder.message == raw
    assert number < 4 * encoder.count


def test_progress() -> None:
    encoder, decoder = ur.Encoder(message(1000), 100), ur.Decoder()
    assert (decoder.seen, decoder.expected, decoder.percent) == (0, 0, 0)
    shares = []
    for number in range(1, 11):
        decoder.receive(encoder.part(number))
        decoder.receive(encoder.part(number))
        shares.append((decoder.seen, decoder.expected, decoder.percent))
    assert shares == [(n, 10, 10 * n) for n in range(1, 11)]
    assert decoder.message == message(1000)
    decoder.receive("anything after the end is not looked at")


def test_the_largest_message() -> None:
    raw = message(100_000)
    encoder, decoder = ur.Encoder(raw, 100), ur.Decoder()
    assert encoder.count == ur.MAX_PARTS
    for number in range(3, 1300):
        decoder.receive(encoder.part(number))
    assert decoder.message == raw
    for impossible, fragment in ((raw + b"x", 100), (b"", 100), (bytes(ur.MAX_MESSAGE + 1), 130)):
        with pytest.raises(BadInput):
            ur.Encoder(impossible, fragment)
    for fragment in (9, ur.MAX_FRAGMENT + 1):
        with pytest.raises(BadInput):
            ur.Encoder(raw, fragment)


def test_single_texts_end_at_1800_characters() -> None:
    assert len(ur.single_text(bytes(887)) or "") == 1800
    assert ur.single_text(bytes(888)) is None


def test_a_short_message_is_one_code_for_ever() -> None:
    assert set(islice(ur.qr_texts(b"short"), 5)) == {ur.encode(b"short").upper()}
    decoder = ur.Decoder()
    decoder.receive(ur.encode(b"short"))
    assert decoder.message == b"short"


# Refusals


def test_a_part_alone_says_how_many_there_are() -> None:
    with pytest.raises(BadInput, match="part 2 of an animated code of 10 ") as caught:
        ur.decode(ur.Encoder(message(1000), 100).part(2))
    assert caught.value.code == "OnePartOfMany"


def test_streams_do_not_mix() -> None:
    first, second = ur.Encoder(message(1000), 100), ur.Encoder(message(999), 100)
    decoder = ur.Decoder()
    decoder.receive(first.part(1))
    for stranger in (second.part(2), ur.encode(b"single"), ur.Encoder(message(1000), 90).part(2)):
        with pytest.raises(BadInput) as caught:
            decoder.receive(stranger)
        assert caught.value.code == "OtherCode"
    for number in range(2, 11):
        decoder.receive(first.part(number))
    assert decoder.message == message(1000)


def test_forged_parts_end_in_a_fresh_start() -> None:
    encoder, decoder = ur.Encoder(message(1000), 100), ur.Decoder()
    decoder.receive(part(1, 10, 1000, encoder._checksum, bytes(100)))
    for number in range(2, 10):
        decoder.receive(encoder.part(number))
    with pytest.raises(BadInput) as caught:
        decoder.receive(encoder.part(10))
    assert caught.value.code == "Damaged"
    assert (decoder.seen, decoder.expected, decoder.message) == (0, 0, None)
    for number in range(1, 11):
        decoder.receive(encoder.part(number))
    assert decoder.message == message(1000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ur:",
        "ur:latchkey-grant",
        "ur:latchkey-grant/",
        "ur:latchkey-grant/a",
        "ur:latchkey-grant/aeaeaeae",
        "ur:latchkey-grant/zzzz",
        "ur:latchkey-grant/1-2-3/aeae",
        "ur:latchkey-grant/1-2/3-4/aeae",
        "xur:latchkey-grant/aeadaolazmjendeoti",
        "ur:latchkey-grant/aeadaolazmjendeot",
        "ur:latchkey-grant/" + "ae" * 400_000,
        part(2, 3, 10, 0, b"abcd").replace("2-3", "1-3"),
        part(0, 3, 10, 0, b"abcd"),
        part(2**32, 3, 10, 0, b"abcd"),
        part(1, 0, 10, 0, b"abcd"),
        part(1, 1001, 1001 * 4, 0, b"abcd"),
        part(1, 3, 10, 2**32, b"abcd"),
        part(1, 3, 13, 0, b"abcd"),
        part(1, 3, 8, 0, b"abcd"),
        part(1, 3, 10, 0, b""),
        part(1, 3, 10, 0, "abcd"),
        part(1, 300, 2**60, 0, b"abcd"),
        f"ur:{ur.TYPE}/1-3/{bytewords.encode(cbor.dump([1, 3, 10, 0]))}",
        f"ur:{ur.TYPE}/1-3/{bytewords.encode(cbor.dump({1: 3}))}",
        f"ur:{ur.TYPE}/1-3/{bytewords.encode(b'')}",
    ],
    ids=lambda text: text[:40] or "empty",
)
def test_what_is_no_part(text: str) -> None:
    decoder = ur.Decoder()
    with pytest.raises(BadInput):
        decoder.receive(text)
    assert (decoder.seen, decoder.message) == (0, None)


def test_another_type_is_named_as_such() -> None:
    with pytest.raises(NotServed) as caught:
        ur.Decoder().receive(PUBLISHED["singleBytes"])
    assert caught.value.code == "OtherUrType"


@given(st.lists(st.text(max_size=60) | st.text("ur:latchkey-grant/0123456789aeod", max_size=60), max_size=5))
def test_random_texts(texts: list[str]) -> None:
    decoder = ur.Decoder()
    for text in texts:
        with pytest.raises(LatchkeyError):
            decoder.receive(text)


@given(st.binary(min_size=1, max_size=400), st.data())
def test_mutated_truncated_and_mixed_parts_never_yield_another_message(raw: bytes, data: st.DataObject) -> None:
    encoder, decoder = ur.Encoder(raw, 20), ur.Decoder()
    for number in data.draw(st.lists(st.integers(1, 60), max_size=20)):
        text = encoder.part(number)
        at = data.draw(st.integers(0, len(text)))
        text = data.draw(st.sampled_from((text, text[:at], text[:at] + "x" + text[at + 1 :], text.replace("/", "-", 1))))
        try:
            decoder.receive(text)
        except LatchkeyError:
            continue
    assert decoder.message in (None, raw)


@given(st.integers(1, 40), st.integers(1, 8), st.data())
def test_forged_streams_are_bounded(parts: int, size: int, data: st.DataObject) -> None:
    """Parts with fitting numbers and any content: at most one row a fragment is kept, and a message fits its checksum."""
    length = data.draw(st.integers(size * (parts - 1) + 1, size * parts))
    decoder = ur.Decoder()
    for number in data.draw(st.lists(st.integers(1, 200), max_size=60)):
        try:
            decoder.receive(part(number, parts, length, 7, data.draw(st.binary(min_size=size, max_size=size))))
        except BadInput:
            continue
        assert len(decoder._rows) <= parts
    assert decoder.message is None or ur.zlib.crc32(decoder.message) == 7
