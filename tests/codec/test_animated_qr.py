"""Both ways with @keystonehq/animated-qr, the parts that wallets in a browser show and scan codes with: as texts and through pictures."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import count as numbers

import pytest

from latchkey.codec import ur
from latchkey.codec.eip4527 import DataType, EthSignature, EthSignRequest, write_sign_request, write_signature
from latchkey.codec.hdkeys import KeyPath
from latchkey.codec.inbox import open_any
from latchkey.codec.qr import read_codes
from tests.counts import count
from tests.devnet.animated_qr import AnimatedQr
from tests.devnet.needed import packages
from tests.gui.scanning import photo

REQUEST = EthSignRequest(b'{"a":"' + b"b" * 700 + b'"}', DataType.TYPED_DATA, KeyPath.parse("m/44'/60'/0'/0/0", 1), bytes(16), 1)
SIGNATURE = EthSignature(bytes(64) + b"\x1b", bytes(16), "Device")


@pytest.fixture(scope="module")
def peer() -> Iterator[AnimatedQr]:
    packages()
    with AnimatedQr() as running:
        yield running


def test_what_it_shows_is_read_here_and_what_is_shown_here_it_reads(peer: AnimatedQr) -> None:
    """Two frames of five are lost. It leaves out every other part after the second, as its component draws them."""
    rng = random.Random(20261121)
    for _ in range(count(3, 500)):
        raw, kind = rng.randbytes(rng.randrange(1, 10_001)), rng.choice(list(ur.KINDS))
        capacity = rng.choice((None, 110))
        needed = len(raw) // (capacity or 400) + 1
        decoder = ur.Decoder(ur.KINDS)
        for text in (text for text in peer.play(kind, raw, 6 * needed + 60, capacity) if rng.random() >= 0.4):
            decoder.receive(text)
        assert (decoder.kind, decoder.message) == (kind, raw)
        encoder = ur.Encoder(raw, 110, kind)
        kept = (encoder.part(number).upper() for number in range(1, 6 * encoder.count + 60) if rng.random() >= 0.4)
        assert peer.scan(kind, list(kept))[0] == raw


def test_a_request_and_its_signature_through_pictures(peer: AnimatedQr) -> None:
    """Its codes at the density of ours, and ours, each drawn, turned by 15 degrees and blurred; every third picture is lost."""
    asked = write_sign_request(REQUEST)
    decoder = ur.Decoder(ur.KINDS)
    for number, text in enumerate(peer.play(ur.SIGN_REQUEST, asked, 80, capacity=110)):
        for found in seen(text) if number % 3 else ():
            decoder.receive(found)
        if decoder.message is not None:
            break
    assert decoder.text is not None
    assert open_any(decoder.text) == REQUEST
    signed = write_signature(SIGNATURE)
    encoder, read = ur.Encoder(signed, kind=ur.SIGNATURE), []
    for number in numbers(1):
        read += seen(encoder.part(number).upper())
        message, _ = peer.scan(ur.SIGNATURE, read)
        if message is not None:
            break
    assert message == signed


def seen(text: str) -> list[str]:
    """As a camera sees it: a hand's width of the picture, turned and out of focus."""
    picture = photo(text, side=420, turn=15, blur=1.5)
    return read_codes(picture.tobytes(), picture.width, picture.height, picture.width)
