"""Boxes to tick and boxes to choose from, as Qt has them, drawn so that they are read well.

CheckBox("Keep them, to choose from next time")    its text breaks where there is no room
ComboBox()                                         its list has rows as high as a finger, and a tick at what is chosen
"""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionButton,
    QStyleOptionViewItem,
    QWidget,
)

from latchkey.ui import theme
from latchkey.ui.icons import pixmap

_BOX, _ROOM = 18, 5  # px: the square to tick; around everything, for the ring of the focus
_NARROWEST = 20 * theme.GRID
_ROW, _LINE = 32, 9  # px: one to choose; the line between groups of them
_TICK = 16
_BREAKS = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextShowMnemonic


class CheckBox(QCheckBox):
    """A square to tick beside a sentence, which may run over several lines; all of it can be pressed."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setFont(theme.font())
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return max(_BOX, self._text(width).height()) + 2 * _ROOM

    def sizeHint(self) -> QSize:
        text = self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic, self.text())
        return QSize(self._beside() + text.width() + _ROOM + 1, max(_BOX, text.height()) + 2 * _ROOM)

    def minimumSizeHint(self) -> QSize:
        hint = self.sizeHint()
        return QSize(min(hint.width(), _NARROWEST), hint.height())

    def hitButton(self, where: QPoint) -> bool:
        return self._used().contains(where)

    def paintEvent(self, event: QPaintEvent) -> None:
        option, painter = QStyleOptionButton(), QPainter(self)
        self.initStyleOption(option)
        line, top = self.fontMetrics().height(), self._used().y()
        option.rect = QRect(_ROOM, top + _ROOM + max(0, (line - _BOX) // 2), _BOX, _BOX)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_IndicatorCheckBox, option, painter, self)
        painter.setPen(theme.color("text" if self.isEnabled() else "outline"))
        painter.drawText(self._text(self.width()).translated(0, top), _BREAKS, self.text())
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            pen = painter.pen()
            pen.setColor(theme.color("accent"))
            pen.setWidth(2)
            painter.setPen(pen)
            painter.drawRoundedRect(self._used().adjusted(1, 1, -1, -1), 6, 6)
        painter.end()

    def _beside(self) -> int:
        """Where the text begins."""
        return _ROOM + _BOX + theme.space(1)

    def _text(self, width: int) -> QRect:
        """Where the text is when this is so wide: level with the square."""
        room = QRect(self._beside(), _ROOM, max(1, width - self._beside() - _ROOM), 1 << 16)
        text = self.fontMetrics().boundingRect(room, _BREAKS, self.text())
        text.moveTop(_ROOM + max(0, (_BOX - self.fontMetrics().height()) // 2))
        return text

    def _used(self) -> QRect:
        """What square and text take, in the middle of the height there is."""
        tall = min(self.height(), self.heightForWidth(self.width()))
        wide = min(self.width(), self._text(self.width()).right() + 1 + _ROOM)
        return QRect(0, (self.height() - tall) // 2, wide, tall)


class ComboBox(QComboBox):
    """One of several, in a list that opens below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMaxVisibleItems(16)
        self.setItemDelegate(_Rows(self))


class _Rows(QStyledItemDelegate):
    def __init__(self, box: QComboBox) -> None:
        super().__init__(box)
        self._box = box

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        wide = self._box.fontMetrics().horizontalAdvance(str(index.data() or "")) + theme.space(4) + _TICK
        return QSize(wide, _LINE if _separates(index) else _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        area: QRect = option.rect
        if _separates(index):
            middle = area.center().y()
            painter.setPen(theme.color("border"))
            painter.drawLine(area.left() + theme.space(1), middle, area.right() - theme.space(1), middle)
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_MouseOver):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_tint"))
            painter.drawRoundedRect(area.adjusted(4, 1, -4, -1), 6, 6)
        chosen = index.row() == self._box.currentIndex()
        text = area.adjusted(theme.space(1.5), 0, -theme.space(2) - _TICK, 0)
        metrics = self._box.fontMetrics()
        painter.setFont(self._box.font())
        painter.setPen(theme.color("accent" if chosen else "text"))
        said = metrics.elidedText(str(index.data() or ""), Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, said)
        if chosen:
            at = QPoint(area.right() - theme.space(1.5) - _TICK + 1, area.center().y() - _TICK // 2 + 1)
            painter.drawPixmap(at, pixmap("check", "accent", _TICK, self._box.devicePixelRatioF()))
        painter.restore()


def _separates(index: QModelIndex | QPersistentModelIndex) -> bool:
    return str(index.data(Qt.ItemDataRole.AccessibleDescriptionRole)) == "separator"  # how Qt marks them
