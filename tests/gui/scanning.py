"""What a camera would see: codes on a table, turned, blurred, in bad light; and a camera that shows such pictures."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageFilter
from PySide6.QtCore import QObject
from PySide6.QtGui import QImage
from PySide6.QtMultimedia import QVideoFrame, QVideoFrameFormat, QVideoFrameInput

from latchkey.codec import qr
from latchkey.ui.scan.capture import Capture

TABLE = 118
SIZE = (1280, 720)


def code(text: str, side: int) -> Image.Image:
    """A code with its quiet zone, `side` pixels wide."""
    rows = qr.matrix(text)
    small = Image.new("L", (len(rows) + 8, len(rows) + 8), 255)
    small.putdata([0 if 4 <= x < len(rows) + 4 and 4 <= y < len(rows) + 4 and rows[y - 4][x - 4] else 255
                   for y in range(len(rows) + 8) for x in range(len(rows) + 8)])  # fmt: skip
    return small.resize((side, side), Image.Resampling.NEAREST)


def photo(
    *texts: str, side: int = 360, turn: float = 0, blur: float = 0, noise: float = 0, size: tuple[int, int] = SIZE, shift: int = 0
) -> Image.Image:
    """Codes beside each other on a grey table, as a camera sees them. `blur`: the Gauss radius in pixels."""
    picture = Image.new("L", size, TABLE)
    for number, text in enumerate(texts):
        drawn = code(text, side).rotate(turn, Image.Resampling.BICUBIC, expand=True, fillcolor=TABLE)
        x = size[0] * (2 * number + 1) // (2 * len(texts)) - drawn.width // 2 + shift
        picture.paste(drawn, (x, (size[1] - drawn.height) // 2))
    if blur:
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
    picture = picture.point(lambda value: 25 + value * 3 // 4)
    return Image.blend(picture, Image.effect_noise(size, 60), noise) if noise else picture


def image(picture: Image.Image) -> QImage:
    return QImage(picture.tobytes(), picture.width, picture.height, picture.width, QImage.Format.Format_Grayscale8).copy()


def frame(picture: Image.Image) -> QVideoFrame:
    """As webcams send it: brightness first, then (no) colour."""
    kind = QVideoFrameFormat(image(picture).size(), QVideoFrameFormat.PixelFormat.Format_NV12)
    result = QVideoFrame(kind)
    assert result.map(QVideoFrame.MapMode.WriteOnly)
    brightness: Any = result.bits(0)
    assert result.bytesPerLine(0) == picture.width
    brightness[:] = picture.tobytes()
    chroma: Any = result.bits(1)
    chroma[:] = b"\x80" * len(chroma)
    result.unmap()
    return result


class SyntheticCamera(Capture):
    """Shows what it is given, through the capture session and the sink that a camera's frames take."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._input = QVideoFrameInput(self)
        self.session.setVideoFrameInput(self._input)
        self.is_stopped = False

    def show(self, picture: Image.Image) -> None:
        self._input.sendVideoFrame(frame(picture))

    def start(self) -> None:
        """It shows what it is given."""

    def stop(self) -> None:
        super().stop()
        self.is_stopped = True
