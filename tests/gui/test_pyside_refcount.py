"""PySide6 6.12.0 takes one reference from None with every void call on Python 3.11: after some thousand calls the process aborts."""

from __future__ import annotations

import sys

import PySide6
from PySide6.QtGui import QImage

CALLS = 20_000


def test_void_calls_leave_none_alone() -> None:
    image = QImage(4, 4, QImage.Format.Format_ARGB32)
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        image.setPixel(0, 0, 0)
    assert abs(sys.getrefcount(None) - before) < CALLS // 100


def test_the_broken_release_is_not_installed() -> None:
    assert PySide6.__version_info__[:3] != (6, 12, 0)
