"""Cameras, windows and shared screens, through QtMultimedia. Loaded when the first of them is wanted, never at the start.

All of them hand their frames to a video sink, from which the newest is taken when the reader is ready for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QCameraPermission, QCoreApplication, QObject, Qt, Signal
from PySide6.QtMultimedia import (
    QCamera,
    QCameraDevice,
    QCameraFormat,
    QCapturableWindow,
    QMediaCaptureSession,
    QMediaDevices,
    QMediaFormat,
    QScreenCapture,
    QVideoFrame,
    QVideoFrameFormat,
    QVideoSink,
    QWindowCapture,
)

from latchkey.codec.qr import Pixels
from latchkey.errors import LatchkeyError
from latchkey.language import tr
from latchkey.ui.scan import NO_MULTIMEDIA
from latchkey.ui.scan.picture import Frame, Picture

FRAME_MS = 33
WANTED_HEIGHT = 720  # pixels: enough for the densest code that is shown, and no more work than that
_LEAST_RATE = 10  # frames a second
_BRIGHTNESS_FIRST = {
    getattr(QVideoFrameFormat.PixelFormat, f"Format_{name}")
    for name in ("Y8", "YUV420P", "YUV422P", "YV12", "NV12", "NV21", "IMC1", "IMC2", "IMC3", "IMC4")
}

NO_CAMERA = tr("No camera was found.")
NOT_ALLOWED = tr("Latchkey is not allowed to use the camera. The system's privacy settings say who is.")
CAMERA_FAILED = tr("The camera does not answer. Another program may be using it.")
SCREEN_FAILED = tr("The system did not share the screen with Latchkey.")
WINDOW_FAILED = tr("This window cannot be looked at; it may have been closed.")


def is_there() -> bool:
    """Whether Qt found a plug-in that does the work."""
    return bool(QMediaFormat().supportedFileFormats(QMediaFormat.ConversionMode.Decode))


def count_cameras() -> int:
    """For the self-test, which has no application. Raises LatchkeyError where Qt's plug-in is missing."""
    app = QCoreApplication.instance() or QCoreApplication([])
    if not is_there():
        raise LatchkeyError(NO_MULTIMEDIA, code="NoMultimedia")
    return len(Cameras(app).all())


def ask_permission(owner: QObject, allowed: Callable[[], object], denied: Callable[[], object]) -> None:
    """Ask the system once whether cameras may be used; where it has no such question, they may."""
    app, wanted = QCoreApplication.instance(), QCameraPermission()
    assert app is not None

    def answered() -> None:
        (allowed if app.checkPermission(wanted) == Qt.PermissionStatus.Granted else denied)()

    if app.checkPermission(wanted) == Qt.PermissionStatus.Undetermined:
        app.requestPermission(wanted, owner, answered)
    else:
        answered()


class Capture(QObject):
    """What goes through a video sink from `start` to `stop`. `failed(sentence)` when it cannot be had."""

    failed = Signal(str)
    interval = FRAME_MS

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = QMediaCaptureSession(self)
        self._sink = QVideoSink(self)
        self.session.setVideoSink(self._sink)
        self._last = QVideoFrame()

    def take(self) -> Frame | None:
        frame = self._sink.videoFrame()
        if not frame.isValid() or frame == self._last:
            return None
        self._last = frame
        return lambda: picture_of(frame)

    def stop(self) -> None:
        self._last = QVideoFrame()


class Cameras(QObject):
    """Which cameras there are; `changed` when one is plugged in or pulled out."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._devices = QMediaDevices(self)
        self._devices.videoInputsChanged.connect(self.changed)

    def all(self) -> list[QCameraDevice]:
        """The one that the system prefers comes first."""
        preferred = QMediaDevices.defaultVideoInput()
        return sorted(QMediaDevices.videoInputs(), key=lambda one: one != preferred)


class Camera(Capture):
    """One camera."""

    def __init__(self, device: QCameraDevice, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._camera = QCamera(device, self)
        self._camera.errorOccurred.connect(lambda _error, _text: self.failed.emit(CAMERA_FAILED))
        if (best := best_format(device.videoFormats())) is not None:
            self._camera.setCameraFormat(best)
        self.session.setCamera(self._camera)

    def start(self) -> None:
        if self._camera.error() is QCamera.Error.NoError:
            self._camera.start()
        else:  # it was told before anybody could listen
            self.failed.emit(CAMERA_FAILED)

    def stop(self) -> None:
        super().stop()
        self._camera.stop()


class SharedScreen(Capture):
    """A screen that the system's own dialog lets a person share: the only way under Wayland."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._screen = QScreenCapture(self)
        self._screen.errorOccurred.connect(lambda _error, _text: self.failed.emit(SCREEN_FAILED))
        self.session.setScreenCapture(self._screen)

    def start(self) -> None:
        self._screen.start()

    def stop(self) -> None:
        super().stop()
        self._screen.stop()


class WindowView(Capture):
    """One window of another program."""

    def __init__(self, window: QCapturableWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = QWindowCapture(self)
        self._window.errorOccurred.connect(lambda _error, _text: self.failed.emit(WINDOW_FAILED))
        self._window.setWindow(window)
        self.session.setWindowCapture(self._window)

    def start(self) -> None:
        self._window.start()

    def stop(self) -> None:
        super().stop()
        self._window.stop()


def windows() -> list[QCapturableWindow]:
    """The windows that can be looked at; none where the system does not tell."""
    return [one for one in QWindowCapture.capturableWindows() if one.isValid() and one.description()]


def best_format(formats: Iterable[QCameraFormat]) -> QCameraFormat | None:
    """The one nearest to 720 lines of those that are quick enough, a grey plane before anything that has to be converted."""
    quick = [one for one in formats if one.maxFrameRate() >= _LEAST_RATE]
    return min(quick, key=_effort, default=None)


def _effort(one: QCameraFormat) -> tuple[int, bool, float]:
    distance = abs(one.resolution().height() - WANTED_HEIGHT)
    return distance, one.pixelFormat() not in _BRIGHTNESS_FIRST, -one.maxFrameRate()


def picture_of(frame: QVideoFrame) -> Picture:
    """A frame's brightness, copied out of it, or the whole frame where its format has no such plane. For a worker."""
    if frame.surfaceFormat().pixelFormat() in _BRIGHTNESS_FIRST and frame.map(QVideoFrame.MapMode.ReadOnly):
        try:
            plane: Any = frame.bits(0)
            return Picture(bytes(plane), frame.width(), frame.height(), frame.bytesPerLine(0), Pixels.GREY)
        finally:
            frame.unmap()
    return Picture.of(frame.toImage())
