"""What the camera sees, with the codes in it outlined: green where they are read, amber where they are not."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.palette import DARK
from latchkey.ui.scan.reader import Mark

_READ, _UNREAD = QColor(DARK.good), QColor(DARK.warn)  # the picture is nobody's theme: bright lines show best on it
_LINE = 3


class LiveView(QWidget):
    """`show_picture` draws a picture as large as fits; until the first one `text` stands there. `resized(pixels)`: the room there is."""

    resized = Signal(QSize)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self._marks: Sequence[Mark] = ()
        self._mirrored = False
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(theme.space(30), theme.space(20))
        self.setAccessibleName(tr("What the camera sees"))

    def sizeHint(self) -> QSize:
        return QSize(theme.space(64), theme.space(36))

    @property
    def room(self) -> QSize:
        """In pixels of the screen."""
        return self.size() * self.devicePixelRatioF()

    def show_picture(self, image: QImage, marks: Sequence[Mark] = ()) -> None:
        self._image, self._marks = image, marks
        self.update()

    def show_text(self, text: str) -> None:
        """Nothing to see, and why."""
        self._image, self._marks, self._text = None, (), text
        self.setAccessibleDescription(text)
        self.update()

    def set_mirrored(self, mirrored: bool) -> None:
        self._mirrored = mirrored
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit(self.room)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QPainterPath()
        frame.addRoundedRect(self.rect(), theme.CARD_RADIUS, theme.CARD_RADIUS)
        painter.fillPath(frame, theme.color("hover"))
        painter.setClipPath(frame)
        if self._image is None:
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font())
            margin = theme.space(2)
            inner = self.rect().adjusted(margin, margin, -margin, -margin)
            painter.drawText(inner, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._text)
        else:
            self._paint_picture(painter, self._image)
        painter.end()

    def _paint_picture(self, painter: QPainter, image: QImage) -> None:
        if self._mirrored:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        size = image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect((self.width() - size.width()) // 2, (self.height() - size.height()) // 2, size.width(), size.height())
        painter.drawImage(place, image)
        for mark in self._marks:
            corners = [QPointF(place.x() + x * place.width(), place.y() + y * place.height()) for x, y in mark.corners]
            painter.setPen(QPen(_READ if mark.is_read else _UNREAD, _LINE, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPolygon(QPolygonF(corners))
