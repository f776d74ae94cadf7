"""Pictures of the screen, taken again and again, so that an animated code on it is followed too.

Only Qt's thread may take them, so a large screen is looked at less often: a fifth of the time at most. Wayland lets no program do this;
there the system shares a screen itself (capture.SharedScreen).
"""

from __future__ import annotations

import time

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication, QImage, QScreen
from shiboken6 import isValid

from latchkey.ui.scan.picture import Frame, Picture

GRAB_MS = 100
_SHARE = 5  # one part of so many


def can_grab() -> bool:
    """Whether the system lets programs look at the screen."""
    return not QGuiApplication.platformName().startswith("wayland")


def grab(screen: QScreen, part: QRect | None = None) -> QImage:
    """A screen, or a part of it in its own logical pixels. Null where the system gives nothing."""
    if part is None:
        return screen.grabWindow(0).toImage()
    return screen.grabWindow(0, part.x(), part.y(), part.width(), part.height()).toImage()


class ScreenView:
    """Every screen in turn, or one `part` of one screen."""

    interval = GRAB_MS

    def __init__(self, screen: QScreen | None = None, part: QRect | None = None) -> None:
        self._screen, self._part = screen, part
        self._turn = 0
        self._not_before = 0.0

    def take(self) -> Frame | None:
        begun = time.monotonic()
        if begun < self._not_before or (self._screen is not None and not isValid(self._screen)):  # it may have been pulled out
            return None
        screens = [self._screen] if self._screen is not None else QGuiApplication.screens()
        self._turn += 1
        image = grab(screens[self._turn % len(screens)], self._part)
        ended = time.monotonic()
        self._not_before = ended + (ended - begun) * (_SHARE - 1)
        return None if image.isNull() else lambda: Picture.of(image)

    def stop(self) -> None:
        """There is nothing to give back."""
