"""Our lists of drawn rows: what they share as lists, and what their rows are drawn with: the ground, two lines of text, pills."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QMouseEvent, QPainter
from PySide6.QtWidgets import QListView, QSizePolicy, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from latchkey.ui import theme

HEIGHT = 9 * theme.GRID
NARROW = 90 * theme.GRID  # rows that are less wide leave out what is least missed
_SHOWN_AT_LEAST = 5  # rows


class RowPainter(QStyledItemDelegate):
    """Draws the rows of a RowList. `pointer`: where the mouse is."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view
        self.pointer = QPoint(-1, -1)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, HEIGHT)


class RowList(QListView):
    """A list whose rows are drawn, one of them current, none of them edited; no wider than its place."""

    def __init__(self, model: QAbstractListModel, painter: Callable[[QListView], RowPainter], name: str, keys: str = "") -> None:
        """`name` and `keys` (what its keys do) are spoken."""
        super().__init__()
        self.setModel(model)
        self._painter = painter(self)
        self.setItemDelegate(self._painter)
        self.setAccessibleName(name)
        self.setAccessibleDescription(keys)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def keep_while(self, change: Callable[[], object], keys: Callable[[], Sequence[object]]) -> None:
        """Change the rows; the one that was current (told by its key) stays so, and nothing scrolls."""
        current, scrolled = self.currentIndex().row(), self.verticalScrollBar().value()
        kept = keys()[current] if current >= 0 else None
        change()
        at = next((number for number, key in enumerate(keys()) if kept is not None and key == kept), -1)
        self.setCurrentIndex(self.model().index(at, 0) if at >= 0 else QModelIndex())
        self.verticalScrollBar().setValue(scrolled)

    def fit(self, rows: int) -> None:
        """As high as that many rows, and no less than a few of them."""
        frame = 2 * self.frameWidth() + 2
        self.setMaximumHeight(rows * HEIGHT + frame)
        self.setMinimumHeight(min(rows, _SHOWN_AT_LEAST) * HEIGHT + frame)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._point(event.position().toPoint())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(QPoint(-1, -1))

    def _point(self, where: QPoint) -> None:
        self._painter.pointer = where
        self.viewport().update()


TINTS = {"good": "good_tint", "warn": "warn_tint", "bad": "bad_tint", "accent": "accent_tint", "muted": "hover"}


def background(painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
    """Hover, choice with the focus, and the hairline above every row but the first."""
    area: QRect = option.rect
    chosen = bool(option.state & QStyle.StateFlag.State_Selected) and bool(option.state & QStyle.StateFlag.State_HasFocus)
    if chosen or option.state & QStyle.StateFlag.State_MouseOver:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent_tint" if chosen else "hover"))
        painter.drawRoundedRect(area.adjusted(4, 3, -4, -3), theme.RADIUS, theme.RADIUS)
    if index.row():
        painter.setPen(theme.color("border"))
        painter.drawLine(area.topLeft() + QPoint(theme.space(2), 0), area.topRight() - QPoint(theme.space(2), 0))


def two_lines(painter: QPainter, area: QRect, first: str, second: str, keep: int = 0) -> int:
    """Draw both lines around the middle; returns the width of the first, which leaves `keep` pixels free."""
    font, small = theme.font(weight=QFont.Weight.Medium), theme.font(theme.SMALL)
    metrics, small_metrics = QFontMetrics(font), QFontMetrics(small)
    text = metrics.elidedText(first, Qt.TextElideMode.ElideRight, area.width() - keep)
    painter.setFont(font)
    painter.setPen(theme.color("text"))
    painter.drawText(QPoint(area.x(), area.center().y() - 4), text)
    painter.setFont(small)
    painter.setPen(theme.color("muted"))
    below = small_metrics.elidedText(second, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(QPoint(area.x(), area.center().y() + small_metrics.ascent() + 5), below)
    return metrics.horizontalAdvance(text)


def chip_width(text: str) -> int:
    return QFontMetrics(_chip_font()).horizontalAdvance(text) + theme.space(2)


def draw_chip(painter: QPainter, text: str, tone: str, x: int, middle: int) -> int:
    """A pill whose foot is at `middle`; returns its width."""
    height = QFontMetrics(_chip_font()).height() + 4
    area = QRect(x, middle - height + 1, chip_width(text), height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color(TINTS[tone]))
    painter.drawRoundedRect(area, height / 2, height / 2)
    painter.setFont(_chip_font())
    painter.setPen(theme.color(tone))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
    return area.width()


def _chip_font() -> QFont:
    return theme.font(theme.SMALL, weight=QFont.Weight.Medium)
