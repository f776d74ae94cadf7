"""How far it is: a bar and a line for an animated code, a banner for what is in the way."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from latchkey.language import tr, trn
from latchkey.ui import theme
from latchkey.ui.scan.gathering import Notice, Progress
from latchkey.ui.widgets import Banner, Muted


class Feedback(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notice: Notice | None = None
        self.bar = QProgressBar()
        self.bar.setRange(0, 100)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("How much of the animated code is here"))
        self.caption = Muted(wrap=False)
        self.banner = Banner()
        self._far = QWidget()
        row = QHBoxLayout(self._far)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(1.5))
        row.addWidget(self.bar, 1)
        row.addWidget(self.caption)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1))
        rows.addWidget(self._far)
        rows.addWidget(self.banner)
        self._far.hide()
        self.banner.hide()

    def show_progress(self, progress: Progress) -> None:
        self._far.setVisible(progress.parts > 0)
        if progress.parts and (said := _far(progress)) != self.caption.text():
            self.bar.setValue(progress.percent)
            self.caption.setText(said)
        self.show_notice(progress.notice)

    def show_notice(self, notice: Notice | None) -> None:
        """Show a sentence, and speak it once; None takes the last one away."""
        if notice == self._notice:
            return
        self._notice = notice
        self.banner.setVisible(notice is not None)
        if notice is not None:
            self.banner.set(notice.level, notice.sentence, notice.advice)
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.banner.text))


def _far(progress: Progress) -> str:
    parts = trn("{count} part seen", "{count} parts seen", progress.parts)
    return tr("{parts} · about {percent} %", parts=parts, percent=progress.percent)
