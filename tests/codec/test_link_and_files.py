import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.codec import files, link
from latchkey.codec.hand_over import decode
from latchkey.codec.link import MAX_LINK, PREFIX, from_link, to_link
from latchkey.errors import BadInput

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "hand_over.json").read_text())["envelopes"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["cbor"])
    assert to_link(raw) == vector["link"]
    assert from_link(vector["link"]) == raw
    assert files.content(decode(raw)) == raw


@given(st.binary(min_size=1, max_size=500))
def test_links_go_round(raw: bytes) -> None:
    assert from_link(to_link(raw)) == raw
    assert from_link("LatchKey:Grant/" + to_link(raw)[len(PREFIX) :]) == raw


@given(st.text(max_size=80), st.sampled_from(("", PREFIX, "latchkey:")))
def test_random_links(text: str, head: str) -> None:
    try:
        raw = from_link(head + text)
    except BadInput:
        return
    assert to_link(raw) == PREFIX + text


@pytest.mark.parametrize(
    "text",
    [
        "",
        PREFIX,
        "hGhsYXRjaGtleQ",
        "latchkey:hGhs",
        "latchkey:request/hGhs",
        " latchkey:grant/hGhs",
        PREFIX + "hGhsYQ==",
        PREFIX + "hGhsY",  # one letter short
        PREFIX + "hGhsYR",  # bits left over
        PREFIX + "hG+s",
        PREFIX + "hG s",
        PREFIX + "hGhs?x=1",
        PREFIX + "hGhs#x",
        PREFIX + "a" * MAX_LINK,
    ],
)
def test_links_that_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        from_link(text)


def test_the_longest_link() -> None:
    longest = (MAX_LINK - len(PREFIX)) * 3 // 4
    assert len(to_link(bytes(longest))) <= MAX_LINK
    with pytest.raises(BadInput) as caught:
        link.to_link(bytes(longest + 3))
    assert caught.value.code == "TooLarge"


class Endless(io.RawIOBase):
    """A device that never ends; counts what was asked of it."""

    asked = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0
        self.asked += size
        return bytes(size)


def test_reading_is_capped_before_it_happens() -> None:
    assert files.read_capped(io.BytesIO(b"abc")) == b"abc"
    assert len(files.read_capped(io.BytesIO(bytes(256 * 1024)))) == 256 * 1024
    with pytest.raises(BadInput):
        files.read_capped(io.BytesIO(bytes(256 * 1024 + 1)))
    endless = Endless()
    with pytest.raises(BadInput):
        files.read_capped(endless)  # type: ignore[arg-type]
    assert endless.asked == 256 * 1024 + 1
