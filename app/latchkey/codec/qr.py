"""QR codes: the dark and light of a picture to draw, and the texts found in one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from latchkey.codec.ur import PART
from latchkey.errors import BadInput
from latchkey.language import tr

MAX_SIDE = 8192  # pixels
MAX_CODES = 32

_DENSE = 700  # characters from where a code carries less repair data and stays scannable


def matrix(text: str) -> tuple[tuple[bool, ...], ...]:
    """Rows of modules, True = dark, without the quiet zone (four light modules on each side, which the picture needs).

    Upper-case URs use the compact alphanumeric mode. Up to 700 characters 15 % of the picture may be unreadable, beyond 7 %; 7 % also
    for a part of an animated code: what a camera misses comes again in others, so coarser modules do more for it.
    Raises BadInput when the text does not fit a QR code.
    """
    import zxingcpp

    level = "L" if len(text) > _DENSE or PART.match(text) else "M"
    try:
        code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)
    except ValueError:
        raise BadInput(tr("This is too long for one QR code."), code="TooLarge") from None
    rows: Any = memoryview(code.to_image(add_quiet_zones=False)).tolist()  # type: ignore[arg-type]  # any buffer will do
    return tuple(tuple(not light for light in row) for row in rows)


@dataclass(frozen=True, slots=True)
class Code:
    """A code in a picture. `text`: None where there is a code that cannot be read; `corners`: four of them, in pixels (x, y), clockwise
    from the code's own top left."""

    text: str | None
    corners: tuple[tuple[int, int], ...]


class Pixels(StrEnum):
    """How a picture's pixels lie in memory; the values are the decoder's own names."""

    GREY = "Lum"  # one byte each
    BGRX = "BGRA"  # four bytes each, blue first, the last one ignored


def read_codes(gray: bytes | bytearray | memoryview, width: int, height: int, stride: int) -> list[str]:
    """Texts of all QR codes (at most 32) in an 8-bit grey picture whose rows begin every `stride` bytes.

    Other kinds of barcodes are not looked for. Raises BadInput for a picture larger than 8192 pixels a side or with missing rows.
    """
    return [code.text for code in find_codes(gray, width, height, stride) if code.text is not None]


def find_codes(
    pixels: bytes | bytearray | memoryview, width: int, height: int, stride: int, layout: Pixels = Pixels.GREY
) -> list[Code]:
    """All QR codes in a picture, last those that are there and cannot be read. At most 32; raises as `read_codes` does.

    Runs without Python's lock, so that another thread can go on meanwhile.
    """
    import zxingcpp

    size = 1 if layout is Pixels.GREY else 4
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE and width * size <= stride):
        raise BadInput(tr("A picture has from 1 to {max_side} pixels a side.", max_side=MAX_SIDE), code="TooLarge")
    held = memoryview(pixels).cast("B")  # the view below does not keep it alive
    if len(held) < stride * (height - 1) + width * size:
        raise BadInput(tr("The picture ends before its last row."))
    view = zxingcpp.ImageView(held, width, height, zxingcpp.ImageFormat[layout], stride)  # type: ignore[arg-type]  # any buffer will do
    formats = zxingcpp.barcode_formats_from_str("QRCode")
    found = zxingcpp.read_barcodes(view, formats=formats, text_mode=zxingcpp.TextMode.Plain, return_errors=True)
    readable_first = sorted(found, key=lambda one: not one.valid)[:MAX_CODES]
    return [Code(one.text if one.valid else None, _corners(one.position)) for one in readable_first]


def _corners(position: Any) -> tuple[tuple[int, int], ...]:
    return tuple((at.x, at.y) for at in (position.top_left, position.top_right, position.bottom_right, position.bottom_left))
