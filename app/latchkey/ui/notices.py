"""What a person has to know about their files before anything else: a banner over every page, until it is put away."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import Banner, quiet


class Notices(QWidget):
    """Takes no room while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(theme.space(4), theme.space(2), theme.space(3), 0)
        self._rows.setSpacing(theme.space(1))
        self.hide()

    def add(self, sentence: str, advice: str = "") -> None:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.space(1))
        line.addWidget(Banner("warning", sentence, advice), 1)
        away = quiet(tr("Put away"), lambda: self._remove(row))
        away.setAccessibleName(tr("Put this notice away"))
        line.addWidget(away, 0, Qt.AlignmentFlag.AlignTop)
        self._rows.addWidget(row)
        self.show()

    def _remove(self, row: QWidget) -> None:
        self._rows.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.setVisible(self._rows.count() > 0)
