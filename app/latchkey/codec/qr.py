"""QR codes: the dark and light of a picture to draw, and the texts found in one."""

from __future__ import annotations

import re

from latchkey.errors import BadInput

MAX_SIDE = 8192  # pixels
MAX_CODES = 32

_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+./:-]+")
_DENSE = 700  # characters from where a code carries less repair data and stays scannable


def matrix(text: str) -> tuple[tuple[bool, ...], ...]:
    """Rows of modules, True = dark, without the quiet zone (four light modules on each side, which the picture needs).

    Upper-case URs use the compact alphanumeric mode. Up to 700 characters 15 % of the picture may be unreadable, beyond 7 %.
    Raises BadInput when the text does not fit a QR code.
    """
    from qrcode import QRCode, constants, exceptions, util  # type: ignore[import-untyped]

    mode = util.MODE_ALPHA_NUM if _ALPHANUMERIC.fullmatch(text) else util.MODE_8BIT_BYTE
    level = constants.ERROR_CORRECT_M if len(text) <= _DENSE else constants.ERROR_CORRECT_L
    code = QRCode(error_correction=level, border=0)
    code.add_data(util.QRData(text.encode(), mode=mode))
    try:
        code.make(fit=True)
    except (exceptions.DataOverflowError, ValueError):  # the library lets its own version check speak for overlong data
        raise BadInput("This is too long for one QR code.", code="TooLarge") from None
    return tuple(tuple(bool(dark) for dark in row) for row in code.get_matrix())


def read_codes(gray: bytes | bytearray | memoryview, width: int, height: int, stride: int) -> list[str]:
    """Texts of all QR codes (at most 32) in an 8-bit grey picture whose rows begin every `stride` bytes.

    Other kinds of barcodes are not looked for. Raises BadInput for a picture larger than 8192 pixels a side or with missing rows.
    """
    import zxingcpp

    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE and width <= stride):
        raise BadInput(f"A picture has from 1 to {MAX_SIDE} pixels a side.", code="TooLarge")
    pixels = memoryview(gray).cast("B")
    if len(pixels) < stride * (height - 1) + width:
        raise BadInput("The picture ends before its last row.")
    view = zxingcpp.ImageView(pixels, width, height, zxingcpp.ImageFormat.Lum, stride)  # type: ignore[arg-type]  # any buffer will do
    formats = zxingcpp.barcode_formats_from_str("QRCode")
    found = zxingcpp.read_barcodes(view, formats=formats, text_mode=zxingcpp.TextMode.Plain)
    return [code.text for code in found[:MAX_CODES]]
