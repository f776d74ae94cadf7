"""What the rows of our lists are drawn with: the ground, two lines of text, pills."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from latchkey.ui import theme

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
