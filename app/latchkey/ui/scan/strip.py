"""What is left of the window while the screen is scanned: a small strip in a corner that says how far it is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QScreen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.scan.feedback import Feedback
from latchkey.ui.scan.gathering import Progress
from latchkey.ui.widgets import Body, Icon, secondary

_MARGIN = theme.space(2)
_WIDTH = theme.space(44)


class Strip(QWidget):
    """Stays on top, out of the way of `part` of `screen`; the pointer moves it. `stop` when the person wants the window back."""

    def __init__(self, title: str, stop: Callable[[], object]) -> None:
        flags = Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.Window
        super().__init__(None, flags)
        self._stop = stop
        self.setWindowTitle(tr("Latchkey scans the screen"))
        self.setAccessibleName(self.windowTitle())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFixedWidth(_WIDTH)
        self.feedback = Feedback()
        self.button = secondary(tr("Stop"), stop)
        top = QHBoxLayout()
        top.setSpacing(theme.space(1.5))
        top.addWidget(Icon("qr", "accent"))
        top.addWidget(Body(title), 1)
        top.addWidget(self.button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(_MARGIN, theme.space(1.5), theme.space(1.5), theme.space(1.5))
        rows.setSpacing(theme.space(1.5))
        rows.addLayout(top)
        rows.addWidget(self.feedback)
        self.button.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_beside(self, screen: QScreen | None, part: QRect | None) -> None:
        """In the first corner that is clear of `part`, from the lower right on."""
        screen = screen or QGuiApplication.primaryScreen()
        room = screen.availableGeometry()
        self.show()
        self.adjustSize()
        taken = part.translated(screen.geometry().topLeft()) if part is not None else QRect()
        places = [QRect(corner, self.size()) for corner in self._corners(room)]
        self.move(next((place for place in places if not place.intersects(taken)), places[0]).topLeft())
        self.raise_()

    def _corners(self, room: QRect) -> list[QPoint]:
        left, top = room.left() + _MARGIN, room.top() + _MARGIN
        right, bottom = room.right() - _MARGIN - self.width(), room.bottom() - _MARGIN - self.height()
        return [QPoint(right, bottom), QPoint(left, bottom), QPoint(right, top), QPoint(left, top)]

    def show_progress(self, progress: Progress) -> None:
        before = self.height()
        self.feedback.show_progress(progress)
        self.adjustSize()
        if self.height() != before and self.y() > self.screen().availableGeometry().center().y():
            self.move(self.x(), self.y() + before - self.height())  # grows away from the edge it stands at

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._stop()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if (handle := self.windowHandle()) is not None:
            handle.startSystemMove()

    def paintEvent(self, event: QPaintEvent) -> None:
        """An edge: behind it may be anything."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("card"))
        painter.setPen(theme.color("outline"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self._stop()
