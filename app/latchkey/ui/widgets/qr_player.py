"""A hand-over as a QR code: animated by default, one dense code on wish.

    player = QrPlayer(); player.play(message)      from then on it turns its frames while it is in sight
    player.clear()                                 nothing is shown any more

The code is black on white with its quiet zone in light and dark alike, and each module covers a whole number of the screen's own
pixels at every scale, for a camera reads edges.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QImage, QPainter, QPaintEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QVBoxLayout, QWidget

from latchkey.codec import qr, ur
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets.buttons import Button
from latchkey.ui.widgets.text import Label, Muted

QUIET = 4  # light modules around a code
SPEEDS = (2000, 1500, 1000, 700, 500, 350, 250, 180, 130, 100, 70)  # ms a frame
_USUAL = 100  # a camera of 30 pictures a second sees each frame two or three times
DENSITY = (60, ur.MAX_FRAGMENT)  # bytes a frame
_SIDE, _LEAST = theme.space(40), theme.space(35)


class QrCanvas(QWidget):
    """Draws one code as large as whole pixels allow. `turned(steps)`: the wheel with Ctrl, away from the person is
    positive."""

    turned = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: QImage | None = None
        self.setMinimumSize(_LEAST, _LEAST)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("QR code of the hand-over"))
        self.setAccessibleDescription(
            tr("It is for a camera. What it holds can also be copied as text or saved as a file, beside it.")
        )

    def sizeHint(self) -> QSize:
        return QSize(_SIDE, _SIDE)

    def show_text(self, text: str) -> None:
        """Show the code of `text`; "" shows nothing."""
        self._image = _picture(text) if text else None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            return
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)  # from here on one unit is one pixel of the screen
        origin = painter.deviceTransform()
        painter.translate(round(origin.dx()) - origin.dx(), round(origin.dy()) - origin.dy())
        width, height = int(self.width() * ratio), int(self.height() * ratio)
        side = self._image.width() * max(1, min(width, height) // self._image.width())
        painter.drawImage(QRect((width - side) // 2, (height - side) // 2, side, side), self._image)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.angleDelta().y():
            self.turned.emit(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            event.ignore()  # the page scrolls


class QrPlayer(QWidget):
    """The code, a line of text that says which frame it is, and its controls. `camera`: whose it is held before."""

    def __init__(self, parent: QWidget | None = None, *, camera: str = tr("the dApp's camera")) -> None:
        super().__init__(parent)
        self._hold = tr("hold {camera} here", camera=camera)
        self._message, self._kind = b"", ur.TYPE
        self._encoder: ur.Encoder | None = None
        self._number = 0
        self._single = self._paused = False
        self._speed = SPEEDS.index(_USUAL)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._next)
        self.canvas = QrCanvas()
        self.canvas.turned.connect(self._change_speed)
        self.caption = Label(size=theme.SMALL, tone="muted", wrap=False)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.slower = Button(tr("Slower"), lambda: self._change_speed(-1))
        self.pause = Button(tr("Pause"), self._toggle_pause)
        self.faster = Button(tr("Faster"), lambda: self._change_speed(+1))
        self.single = Button(tr("Single code"), self._toggle_single)
        self.density = QSlider(Qt.Orientation.Horizontal)
        self.density.setRange(*DENSITY)
        self.density.setSingleStep(10)
        self.density.setPageStep(10)
        self.density.setMinimumHeight(theme.space(3))
        self.density.setValue(ur.FRAGMENT)
        self.density.setAccessibleName(tr("Density of the code"))
        self.density.valueChanged.connect(self._restart)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1.5))
        rows.addWidget(self.canvas, 1)
        rows.addWidget(self.caption)
        rows.addLayout(_row(self.slower, self.pause, self.faster, self.single))
        self._coarse, self._dense = Muted(tr("Coarse"), wrap=False), Muted(tr("Dense"), wrap=False)
        rows.addLayout(_row(self._coarse, self.density, self._dense))
        self.clear()

    def play(self, message: bytes, kind: str = ur.TYPE) -> None:
        """Show `message`, from its first frame. `kind`: its UR type."""
        self._message, self._kind = message, kind
        self._single = False
        self.setEnabled(True)
        self.single.setVisible(ur.single_text(message, kind) is not None)
        self._restart()

    def clear(self) -> None:
        """Show nothing, for good, until something else is played."""
        self._message, self._encoder = b"", None
        self._timer.stop()
        self.canvas.show_text("")
        self.caption.setText("")
        self.setEnabled(False)

    @property
    def interval(self) -> int:
        """Milliseconds a frame."""
        return SPEEDS[self._speed]

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    # --- turning the frames

    def _restart(self) -> None:
        if self._message:
            least = -(-len(self._message) // ur.MAX_PARTS)
            self._encoder = ur.Encoder(self._message, max(self.density.value(), least), self._kind)
            self._number = 0
            self._paused = False
            self._next()
            self._run()

    def _run(self) -> None:
        """Turn the frames when there are several, in sight and not held."""
        if self._moving and self.isVisible():
            self._timer.start(self.interval)
        else:
            self._timer.stop()
        self._say()

    @property
    def _moving(self) -> bool:
        return self._several and not self._paused

    @property
    def _several(self) -> bool:
        return self._encoder is not None and not self._single and self._encoder.count > 1

    def _next(self) -> None:
        """The fragments first, then mixtures of them without end, so that a camera that missed one needs not wait a whole round."""
        if self._encoder is None:
            return
        if self._single:
            self.canvas.show_text(ur.single_text(self._message, self._kind) or "")
        else:
            self._number += 1
            self.canvas.show_text(self._encoder.part(self._number).upper())
        self._say()

    def _say(self) -> None:
        """The text beside the picture, and which controls make sense now."""
        for control in (self.slower, self.pause, self.faster):
            control.setEnabled(self._several)
        for part in (self._coarse, self.density, self._dense):
            part.setVisible(not self._single)
        retitle(self.pause, tr("Go on") if self._several and self._paused else tr("Pause"))
        retitle(self.single, tr("Animated") if self._single else tr("Single code"))
        if self._encoder is None:
            return
        if not self._several:
            self.caption.setText(tr("One code · {hold}", hold=self._hold))
            return
        frame = (self._number - 1) % self._encoder.count + 1
        state = tr("paused") if self._paused else self._hold
        self.caption.setText(tr("Frame {frame} of {count} · {state}", frame=frame, count=self._encoder.count, state=state))

    # --- controls

    def _change_speed(self, steps: int) -> None:
        self._speed = max(0, min(len(SPEEDS) - 1, self._speed + steps))
        self._run()

    def _toggle_pause(self) -> None:
        self._paused = not self._paused
        self._run()

    def _toggle_single(self) -> None:
        self._single = not self._single
        self._restart()


@lru_cache(maxsize=64)
def _picture(text: str) -> QImage:
    """One pixel a module, with the quiet zone."""
    rows = qr.matrix(text)
    side = len(rows) + 2 * QUIET
    image = QImage(side, side, QImage.Format.Format_Mono)
    image.setColorTable([0xFF000000, 0xFFFFFFFF])
    image.fill(1)
    for y, row in enumerate(rows, QUIET):
        for x, dark in enumerate(row, QUIET):
            if dark:
                image.setPixel(x, y, 0)
    return image


def retitle(button: Button, text: str) -> None:
    """Another text on a button, for eyes and ears."""
    button.setText(text)
    button.setAccessibleName(text)


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.space(1))
    if not any(isinstance(widget, QSlider) for widget in widgets):
        row.addStretch(1)
    for widget in widgets:
        row.addWidget(widget)
    if not any(isinstance(widget, QSlider) for widget in widgets):
        row.addStretch(1)
    return row
