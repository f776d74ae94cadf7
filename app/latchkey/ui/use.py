"""What counts as a person being there: keys and the pointer, in any window of ours."""

from __future__ import annotations

from PySide6.QtCore import QEvent

_USE = {"KeyPress", "MouseButtonPress", "MouseMove", "Wheel", "TouchBegin"}  # of QEvent.Type


def is_use(event: QEvent) -> bool:
    return event.type().name in _USE
