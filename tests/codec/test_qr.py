"""QR codes through pictures: what `matrix` draws is what `read_codes` reads."""

import random
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latchkey.codec import ur
from latchkey.codec.qr import MAX_SIDE, Pixels, find_codes, matrix, read_codes
from latchkey.errors import BadInput
from tests.counts import count


def picture(text: str, scale: int = 3, pad: int = 0) -> tuple[bytes, int, int, int]:
    """Grey bytes, width, height, stride; a quiet zone of four modules; `pad` bytes of rubbish after each row."""
    rows = matrix(text)
    side = (len(rows) + 8) * scale
    edge = b"\xff" * (4 * scale)
    blank = (b"\xff" * side + b"\x00" * pad) * (4 * scale)
    drawn = b"".join(
        (edge + b"".join((b"\x00" if dark else b"\xff") * scale for dark in row) + edge + b"\x00" * pad) * scale for row in rows
    )
    return blank + drawn + blank, side, side, side + pad


@pytest.mark.parametrize("size", [1, 60, 110, 480, 887])
def test_upper_case_codes_use_the_compact_mode(size: int) -> None:
    raw = random.Random(size).randbytes(size)
    text = ur.encode(raw).upper()
    assert read_codes(*picture(text)) == [text]
    assert len(matrix(text)) < len(matrix(text.lower()))


def test_an_animated_code_through_pictures() -> None:
    raw = random.Random(7).randbytes(900)
    decoder = ur.Decoder()
    rng = random.Random(8)
    for number, text in enumerate(islice(ur.qr_texts(raw), count(40, 400))):
        if rng.random() < 0.5:
            continue
        for found in read_codes(*picture(text, scale=rng.choice((2, 3, 4)), pad=number % 5)):
            decoder.receive(found)
        if decoder.message is not None:
            break
    assert decoder.message == raw


@pytest.mark.parametrize("size", [201, 5000, 20_000])
def test_a_part_is_coarse_enough_for_a_camera(size: int) -> None:
    """At most 61 modules a side (version 11) at the default density."""
    encoder = ur.Encoder(bytes(size), kind=max(ur.KINDS, key=len))
    assert all(len(matrix(encoder.part(number).upper())) <= 61 for number in (1, 2, 99, 999))


def test_what_is_drawn_is_what_another_library_draws() -> None:
    """Module by module, for one of the eight masks: which one is a matter of taste."""
    from qrcode import QRCode, constants, util  # type: ignore[import-untyped]

    def drawn(text: str, level: int, mask: int) -> tuple[tuple[bool, ...], ...]:
        code = QRCode(error_correction=level, border=0, mask_pattern=mask)
        code.add_data(util.QRData(text.encode(), mode=util.MODE_ALPHA_NUM if text.isupper() else util.MODE_8BIT_BYTE))
        return tuple(tuple(map(bool, row)) for row in code.get_matrix())

    rng = random.Random(11)
    for _ in range(count(1, 40)):
        raw = rng.randbytes(rng.randrange(210, 340))
        low, medium = constants.ERROR_CORRECT_L, constants.ERROR_CORRECT_M
        for text, level in (
            (ur.Encoder(raw).part(rng.randrange(1, 5000)).upper(), low),
            (ur.encode(raw).upper(), medium if len(ur.encode(raw)) <= 700 else low),
            (ur.encode(raw), medium if len(ur.encode(raw)) <= 700 else low),
            (ur.encode(3 * raw).upper(), low),
        ):
            assert matrix(text) in [drawn(text, level, mask) for mask in range(8)]


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "Z")), min_size=1, max_size=60))
@settings(max_examples=count(20, 300))
def test_any_text_goes_through_a_picture(text: str) -> None:
    assert read_codes(*picture(text)) == [text]


def test_texts_that_fit_no_code() -> None:
    for text in ("A" * 4297, "a" * 2954):
        with pytest.raises(BadInput):
            matrix(text)


def test_pictures_that_are_refused() -> None:
    for width, height, stride in (
        (0, 1, 1),
        (1, 0, 1),
        (MAX_SIDE + 1, 1, MAX_SIDE + 1),
        (1, MAX_SIDE + 1, 1),
        (5, 5, 4),
        (-1, 5, 5),
        (10, 10, 10),
    ):
        with pytest.raises(BadInput):
            read_codes(bytes(99), width, height, stride)


def test_pictures_without_codes() -> None:
    rng = random.Random(3)
    for side in (1, 2, 3, 7, 64, 300):
        assert read_codes(bytes(side * side), side, side, side) == []
        assert read_codes(memoryview(rng.randbytes(side * side)), side, side, side) == []


def test_other_barcodes_are_not_looked_for() -> None:
    import zxingcpp

    image = zxingcpp.create_barcode("12345670", zxingcpp.BarcodeFormat.Code128).to_image(scale=3)
    view = memoryview(image)
    height, width = view.shape
    assert zxingcpp.read_barcodes(view)
    assert read_codes(view.tobytes(), width, height, width) == []


def test_a_code_that_cannot_be_read_is_found_all_the_same() -> None:
    """A third of it painted over is more than its repair data makes up for."""
    text = next(ur.qr_texts(bytes(5000)))
    grey, width, height, stride = picture(text)
    [whole] = find_codes(grey, width, height, stride)
    assert whole.text == text
    (left, top), _, (right, bottom), _ = whole.corners
    assert 12 <= left <= 15
    assert 12 <= top <= 15
    assert width - 15 <= right <= width - 12
    assert height - 15 <= bottom <= height - 12
    spoilt = bytearray(grey)
    for y in range(height * 2 // 5, height * 3 // 5):
        spoilt[y * stride + 40 : y * stride + width - 40] = bytes(width - 80)
    found = find_codes(bytes(spoilt), width, height, stride)
    assert found
    assert all(code.text is None for code in found)
    assert read_codes(bytes(spoilt), width, height, stride) == []


def test_four_bytes_a_pixel() -> None:
    grey, width, height, stride = picture("HELLO")
    wide = b"".join(bytes((value, value, value, 0)) for value in grey)
    [code] = find_codes(wide, width, height, 4 * stride, Pixels.BGRX)
    assert code.text == "HELLO"
    with pytest.raises(BadInput):
        find_codes(wide, width, height, stride, Pixels.BGRX)
