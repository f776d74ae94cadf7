"""Frames and their CBOR: what was written is read, anything else is refused, nothing hangs."""

import io
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.errors import SignerError
from latchkey.vault import cbor
from latchkey.vault.frames import MAX_FRAME, read_frame, write_frame

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text(max_size=20) | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FRAMES = st.dictionaries(st.text(max_size=8), PLAIN, max_size=5)


def written(*frames: dict[str, Any]) -> bytes:
    sink = io.BytesIO()
    for frame in frames:
        write_frame(sink, frame)
    return sink.getvalue()


@given(st.lists(FRAMES, max_size=3))
def test_what_is_written_is_read(frames: list[dict[str, Any]]) -> None:
    source = io.BytesIO(written(*frames))
    assert [read_frame(source) for _ in frames] == frames
    assert read_frame(source) is None


@given(st.binary(max_size=200))
def test_noise_is_refused_or_read_as_a_map(noise: bytes) -> None:
    source = io.BytesIO(noise)
    with suppress(SignerError):
        while (frame := read_frame(source)) is not None:
            assert isinstance(frame, dict)


@given(st.binary(max_size=80))
def test_a_framed_body_is_plain_or_refused(body: bytes) -> None:
    with suppress(SignerError):
        assert cbor.dump(read_frame(io.BytesIO(len(body).to_bytes(4, "big") + body))) == body


@given(FRAMES, st.data())
def test_a_cut_frame_is_refused(frame: dict[str, Any], data: st.DataObject) -> None:
    whole = written(frame)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(SignerError):
        read_frame(io.BytesIO(whole[:cut]))


@pytest.mark.parametrize(
    "body",
    [
        cbor2.dumps([1, 2]),
        cbor2.dumps({1: 2}),
        cbor2.dumps({"a": 1.5}),
        cbor2.dumps({"a": cbor2.CBORTag(35, "(a+)+$")}),
        cbor2.dumps({"a": cbor2.CBORTag(28, [])}),
        cbor2.dumps({"a": 2**70}),
        cbor2.dumps({"a": cbor2.undefined}),
        cbor2.dumps({}) + b"\x00",
        b"\xbf\xff",
        b"\xa1\x61a\x18\x01",
        b"\xa2\x61a\x01\x61a\x02",
        b"\x81" * 200 + b"\x00",
        b"",
    ],
    ids=lambda body: body[:6].hex(),
)
def test_other_cbor_is_refused(body: bytes) -> None:
    with pytest.raises(SignerError):
        read_frame(io.BytesIO(len(body).to_bytes(4, "big") + body))


def test_the_size_is_capped_before_anything_is_read() -> None:
    source = io.BytesIO((MAX_FRAME + 1).to_bytes(4, "big") + b"\xa0")
    with pytest.raises(SignerError):
        read_frame(source)
    assert source.tell() == 4
    with pytest.raises(SignerError) as caught:
        write_frame(io.BytesIO(), {"a": bytes(MAX_FRAME)})
    assert caught.value.code == "FrameTooLarge"
