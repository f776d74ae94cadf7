"""Our lists of drawn rows: what they share as models and as lists, and what their rows are drawn with: the ground, two lines of text,
pills, buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeAlias, TypeVar

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QListView, QSizePolicy, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from latchkey.ui import theme
from latchkey.ui.widgets.text import tip

HEIGHT = 9 * theme.GRID
NARROW = 90 * theme.GRID  # rows that are less wide leave out what is least missed
BUTTON = (84, 34)
CHIP_GAP = theme.space(0.75)
ROW = Qt.ItemDataRole.UserRole + 1  # the whole row, for whoever draws it
_SHOWN_AT_LEAST = 5  # rows

Index: TypeAlias = QModelIndex | QPersistentModelIndex
Chip: TypeAlias = tuple[str, str]  # text, tone


class Shown(Protocol):
    """What every row has."""

    @property
    def key(self) -> object:
        """The same in every reading."""

    @property
    def line(self) -> str:
        """What has room below the title, or in a tool tip."""

    @property
    def spoken(self) -> str:
        """The whole row in a sentence, for screen readers."""


R = TypeVar("R", bound=Shown)


class RowModel(QAbstractListModel, Generic[R]):
    """The rows, made beforehand."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[R] = []

    def set_rows(self, rows: list[R]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.rows[index.row()]
        match role:
            case _ if role == ROW:
                return row
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return row.spoken
            case Qt.ItemDataRole.ToolTipRole:
                return tip(row.line)
        return None


class RowPainter(QStyledItemDelegate):
    """Draws the rows of a RowList. `pointer`: where the mouse is."""

    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view
        self.pointer = QPoint(-1, -1)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, HEIGHT)


class RowList(QListView, Generic[R]):
    """A list whose rows are drawn, one of them current, none of them edited; no wider than its place. `opened(row)`: Return or a click."""

    opened = Signal(object)

    def __init__(self, model: RowModel[R], painter: Callable[[QListView], RowPainter], name: str, keys: str) -> None:
        """`name` and `keys` (what its keys do) are spoken."""
        super().__init__()
        self.model_ = model
        self.setModel(model)
        self._painter = painter(self)
        self._released = QPoint()
        self.setItemDelegate(self._painter)
        self.setAccessibleName(name)
        self.setAccessibleDescription(keys)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.clicked.connect(self._clicked)

    @property
    def current(self) -> R | None:
        index = self.currentIndex()
        return self.model_.rows[index.row()] if index.isValid() else None

    def show_rows(self, rows: list[R]) -> None:
        """Show these, no higher than they are; the one that was current (told by its key) stays so, and nothing scrolls."""
        current, scrolled = self.current, self.verticalScrollBar().value()
        self.model_.set_rows(rows)
        at = next((number for number, row in enumerate(rows) if current is not None and row.key == current.key), -1)
        self.setCurrentIndex(self.model_.index(at) if at >= 0 else QModelIndex())
        self.verticalScrollBar().setValue(scrolled)
        frame = 2 * self.frameWidth() + 2
        self.setMaximumHeight(len(rows) * HEIGHT + frame)
        self.setMinimumHeight(min(len(rows), _SHOWN_AT_LEAST) * HEIGHT + frame)

    def click(self, row: R, area: QRect, where: QPoint) -> None:
        """A click at a place of a row that is drawn in `area`. A row with parts of its own says what each of them does."""
        self.opened.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and (row := self.current) is not None:
            self.opened.emit(row)
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._released = event.position().toPoint()
        super().mouseReleaseEvent(event)

    def _clicked(self, index: QModelIndex) -> None:
        """Qt tells of it while it handles the release: of the left button, and only of the row that was pressed."""
        self.click(self.model_.rows[index.row()], self.visualRect(index), self._released)

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


def background(painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
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


def title_and_chips(painter: QPainter, area: QRect, title: str, line: str, chips: Sequence[Chip], *, narrow: bool) -> QPoint:
    """Title and line, with the chips behind the title; in little room the chips stand in the line's place. Returns where they end."""
    if narrow:
        two_lines(painter, area, title, "")
        x, y = area.x(), area.center().y() + theme.space(2.75)
    else:
        keep = sum(chip_width(text) + CHIP_GAP for text, _ in chips)
        x = area.x() + two_lines(painter, area, title, line, keep=keep) + CHIP_GAP
        y = area.center().y()
    for text, tone in chips:
        x += draw_chip(painter, text, tone, x, y) + CHIP_GAP
    return QPoint(x, y)


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


def draw_button(painter: QPainter, area: QRect, text: str, tone: str, *, pointed: bool) -> None:
    """`tone`: of its text. "accent": the row's main button; every other one ends something."""
    main = tone == "accent"
    painter.setPen(theme.color("accent" if main else "border"))
    painter.setBrush(theme.color("card" if not pointed else "accent_tint" if main else "bad_tint"))
    painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)
    painter.setFont(theme.font(weight=QFont.Weight.Medium))
    painter.setPen(theme.color(tone))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)


def _chip_font() -> QFont:
    return theme.font(theme.SMALL, weight=QFont.Weight.Medium)
