"""Short news at the foot of the window, seen and heard: announce(some_widget, "Address copied.")."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from latchkey.ui import theme
from latchkey.ui.widgets.text import Label

_FOOT = theme.space(10)  # px at the bottom of a window where actions and what is said of them stand


class Toast(QFrame):
    """Floats over its window, above the foot, for some seconds; a new one takes its place. Never holds anything that must be read."""

    _SHOWN_MS = 4500

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setProperty("surface", "toast")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._label = Label(wrap=False)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(2), theme.space(1), theme.space(2), theme.space(1))
        row.addWidget(self._label)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        window.installEventFilter(self)
        self.hide()

    def say(self, text: str) -> None:
        """Show `text` (one short sentence) and tell it to screen readers."""
        room = self._window.width() - theme.space(12)
        self._label.setWordWrap(False)
        if self._label.fontMetrics().horizontalAdvance(text) > room:
            self._label.setWordWrap(True)
            self._label.setFixedWidth(room)
        else:
            self._label.setMinimumWidth(0)
            self._label.setMaximumWidth(room)
        self._label.setText(text)
        self.show()
        self.raise_()
        self._place()
        self._timer.start(self._SHOWN_MS)
        tell(self, text)

    @property
    def text(self) -> str:
        return self._label.text()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def _place(self) -> None:
        self.adjustSize()
        room = self._window.size()
        self.move((room.width() - self.width()) // 2, room.height() - self.height() - _FOOT)


def tell(source: QWidget, text: str) -> None:
    """Tell assistive tools alone: for what has just been written in a place of its own."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(source, text))


def announce(source: QWidget, text: str, *, tone: str = "") -> None:
    """Tell the person something small. `tone` "bad" is for what went wrong with a small thing; an error of weight is a Banner."""
    window = source.window()
    toast = window.findChild(Toast, options=Qt.FindChildOption.FindDirectChildrenOnly) or Toast(window)
    toast.say(("⚠ " if tone == "bad" else "") + text)
