"""One picture, wherever it came from, as the decoder and the eye want it.

Conversions that Qt does under Python's lock would hold up the window, so pixels go to the decoder as they lie in memory: a camera's
brightness plane, which is a grey picture already, or a screen's four bytes a pixel, which the decoder makes grey itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

from latchkey.codec.qr import Code, Pixels, find_codes

_FORMATS = {Pixels.GREY: QImage.Format.Format_Grayscale8, Pixels.BGRX: QImage.Format.Format_RGB32}
_AS_THEY_ARE = {
    QImage.Format.Format_Grayscale8: Pixels.GREY,
    QImage.Format.Format_RGB32: Pixels.BGRX,
    QImage.Format.Format_ARGB32: Pixels.BGRX,
    QImage.Format.Format_ARGB32_Premultiplied: Pixels.BGRX,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """`pixels`: rows of `stride` bytes each; kept alive by `owner` where they belong to something else."""

    pixels: bytes | bytearray | memoryview
    width: int
    height: int
    stride: int
    layout: Pixels
    owner: object = None

    @classmethod
    def of(cls, image: QImage) -> Picture:
        if image.format() not in _AS_THEY_ARE:
            image = image.convertToFormat(QImage.Format.Format_RGB32)
        layout = _AS_THEY_ARE[image.format()]
        return cls(image.constBits(), image.width(), image.height(), image.bytesPerLine(), layout, image)

    def codes(self) -> list[Code]:
        """The QR codes in it. Raises BadInput for a picture that is too large."""
        return find_codes(self.pixels, self.width, self.height, self.stride, self.layout)

    def preview(self, room: QSize) -> QImage:
        """The picture, as large as fits into `room` (pixels of the screen)."""
        whole = QImage(self.pixels, self.width, self.height, self.stride, _FORMATS[self.layout])
        return whole.scaled(room, Qt.AspectRatioMode.KeepAspectRatio).copy()  # never shared with pixels that go away


Frame: TypeAlias = Callable[[], Picture]  # made into a picture on a worker


class Source(Protocol):
    """Where pictures come from. `interval`: milliseconds from one look to the next."""

    @property
    def interval(self) -> int: ...

    def take(self) -> Frame | None:
        """The newest picture, None while there is no newer one than was taken last. Called in the UI thread."""
        ...

    def stop(self) -> None:
        """Give back what was held: the camera's light goes out."""
        ...
