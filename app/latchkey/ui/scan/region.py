"""Choosing a part of the screen: the screens stand still, darkened, and the part is drawn on one of them with pointer or keys."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QCloseEvent, QColor, QGuiApplication, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QScreen
from PySide6.QtWidgets import QWidget

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.scan.screen import grab

LEAST = 24  # logical pixels a side; less is a slip of the hand
_STEP = 8
_SHADE = QColor(0, 0, 0, 120)
_ARROWS = {
    Qt.Key.Key_Left: QPoint(-_STEP, 0),
    Qt.Key.Key_Right: QPoint(_STEP, 0),
    Qt.Key.Key_Up: QPoint(0, -_STEP),
    Qt.Key.Key_Down: QPoint(0, _STEP),
}
_HINT = tr("Drag around the code. Keys: arrows move the frame, Shift and arrows change its size, Enter takes it, Escape goes back.")


class RegionPicker(QObject):
    """Covers every screen until a part is chosen. `picked(screen, part)`, the part in the screen's logical pixels, or `cancelled`."""

    picked = Signal(object, object)  # QScreen, QRect
    cancelled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.covers = [Cover(screen, self) for screen in QGuiApplication.screens()]

    def start(self) -> None:
        for cover in self.covers:
            cover.setGeometry(cover.on.geometry())
            cover.showFullScreen()
        first = self.covers[0]
        first.raise_()
        first.activateWindow()
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def take(self, screen: QScreen, part: QRect) -> None:
        self._end()
        self.picked.emit(screen, part)

    def cancel(self) -> None:
        if self.covers:
            self._end()
            self.cancelled.emit()

    def _end(self) -> None:
        covers, self.covers = self.covers, []
        for cover in covers:
            cover.close()


class Cover(QWidget):
    """One screen."""

    def __init__(self, screen: QScreen, picker: RegionPicker) -> None:
        flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.Tool
        super().__init__(None, flags)
        self.on = screen
        self._picker = picker
        self._still: QImage = grab(screen)
        size = screen.geometry().size()
        side = min(size.width(), size.height()) // 2
        self.part = QRect((size.width() - side) // 2, (size.height() - side) // 2, side, side)
        self._from: QPoint | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setWindowTitle(tr("Choose a region"))
        self.setAccessibleName(tr("Region of the screen to scan"))
        self._describe()

    def _describe(self) -> None:
        part = self.part
        self.setAccessibleDescription(
            f"{_HINT} " + tr("{width} by {height} at {x}, {y}", width=part.width(), height=part.height(), x=part.x(), y=part.y())
        )
        self.update()

    # --- pointer

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            self._picker.cancel()
            return
        self._from = event.position().toPoint()
        self.part = QRect(self._from, self._from)
        self._describe()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            self.part = QRect(self._from, event.position().toPoint()).normalized() & self.rect()
            self._describe()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            self._from = None
            self._take()

    # --- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self._picker.cancel()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._take()
        elif key in _ARROWS:
            self._nudge(_ARROWS[key], grow=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            super().keyPressEvent(event)

    def _nudge(self, by: QPoint, *, grow: bool) -> None:
        part = self.part.adjusted(0, 0, by.x(), by.y()) if grow else self.part.translated(by)
        if self.rect().contains(part) and min(part.width(), part.height()) >= LEAST:
            self.part = part
            self._describe()

    def _take(self) -> None:
        if min(self.part.width(), self.part.height()) >= LEAST:
            self._picker.take(self.on, self.part)

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self._picker.cancel()  # closed by the system; nothing happens when it was taken

    # --- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawImage(self.rect(), self._still)
        for shade in (
            QRect(0, 0, self.width(), self.part.top()),
            QRect(0, self.part.bottom() + 1, self.width(), self.height() - self.part.bottom() - 1),
            QRect(0, self.part.top(), self.part.left(), self.part.height()),
            QRect(self.part.right() + 1, self.part.top(), self.width() - self.part.right() - 1, self.part.height()),
        ):
            painter.fillRect(shade, _SHADE)
        painter.setPen(QPen(theme.color("accent"), 2))
        painter.drawRect(self.part)
        self._paint_hint(painter)
        painter.end()

    def _paint_hint(self, painter: QPainter) -> None:
        """At the top, or at the foot where the frame is at the top."""
        painter.setFont(theme.font())
        margin = theme.space(1.5)
        widest = min(self.width() - 4 * margin, theme.space(84))
        flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
        text = painter.fontMetrics().boundingRect(QRect(0, 0, widest, 1000), flags, _HINT)
        box = QRect(0, 0, text.width() + 2 * margin, text.height() + 2 * margin)
        box.moveCenter(self.rect().center())
        box.moveTop(2 * margin)
        if box.intersects(self.part):
            box.moveBottom(self.height() - 2 * margin)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("card"))
        painter.drawRoundedRect(box, theme.RADIUS, theme.RADIUS)
        painter.setPen(theme.color("text"))
        painter.drawText(box.adjusted(margin, margin, -margin, -margin), flags, _HINT)
