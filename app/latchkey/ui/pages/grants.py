"""Grants: everything that was signed here, as a list; one of them opened, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QListView,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from latchkey.language import tr, trn
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import EmptyState, Muted, Page, paint_identicon, primary, secondary

if TYPE_CHECKING:
    from latchkey.ui.pages.grant_rows import Row

_WHY = tr("Open what a dApp asks for, or start from nothing. Each grant you sign is kept here, with what it may do and until when.")
_MINUTE_MS = 60_000
_TINTS = {"good": "good_tint", "warn": "warn_tint", "bad": "bad_tint", "accent": "accent_tint", "muted": "hover"}


class GrantsPage(Page):
    """The list of all grants."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Grants"))
        self._context = context
        self.count = Muted(wrap=False)
        self.new = primary(tr("New session"), lambda: context.navigate("wizard"), icon_name="plus")
        self.open = secondary(tr("Open request…"), context.want_request, icon_name="inbox")
        self.open.setToolTip("Ctrl+O")
        self.new.setToolTip("Ctrl+N")
        self.header.addWidget(self.count)
        self.header.addWidget(self.open)
        self.header.addWidget(self.new)
        self._stack = QStackedWidget()
        self._empty: EmptyState | None = None
        self.view: GrantList | None = None
        self.body.addWidget(self._stack, 1)
        context.changed.connect(lambda what: self._read() if what in ("grants", "accounts") and self.isVisible() else None)
        self._minute = QTimer(self)
        self._minute.timeout.connect(lambda: self._read() if self.isVisible() else None)

    def enter(self, _payload: object) -> None:
        self._read()
        self._minute.start(_MINUTE_MS)  # what is left of a grant shrinks

    def _read(self) -> None:
        from latchkey.ui.pages.grant_rows import read_rows

        book, now = self._context.book, self._context.clock()
        self._context.tasks.run(lambda job: read_rows(book, now, job.check), self._show, owner=self)

    def _show(self, rows: list[Row]) -> None:
        if not rows:
            self._show_empty()
            return
        if self.view is None:
            self.view = GrantList()
            self.view.opened.connect(lambda number: self._context.navigate("grant", number))
            self._stack.addWidget(self.view)
        self.view.show_rows(rows)
        self._stack.setCurrentWidget(self.view)
        self.count.setText(trn("1 grant", "{count} grants", len(rows)))

    def _show_empty(self) -> None:
        if self._empty is None:
            self._empty = EmptyState(tr("No grants yet"), _WHY, tr("New session"), lambda: self._context.navigate("wizard"))
            self._stack.addWidget(self._empty)
        self.count.setText("")
        self._stack.setCurrentWidget(self._empty)


class GrantList(QListView):
    """The rows, drawn; Return or a click opens one: `opened(id)`."""

    opened = Signal(int)

    def __init__(self) -> None:
        from latchkey.ui.pages.grant_rows import GrantModel

        super().__init__()
        self.model_ = GrantModel()
        self.setModel(self.model_)
        self.setItemDelegate(_RowPainter(self))
        self.setAccessibleName(tr("Grants"))
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clicked.connect(self._open)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)

    def show_rows(self, rows: list[Row]) -> None:
        """Show these; the one that was current stays so, and nothing scrolls."""
        current, scrolled = self.currentIndex().row(), self.verticalScrollBar().value()
        kept = self.model_.rows[current].record.id if current >= 0 else 0
        self.model_.set_rows(rows)
        at = next((number for number, row in enumerate(rows) if row.record.id == kept), -1)
        self.setCurrentIndex(self.model_.index(at) if at >= 0 else QModelIndex())
        self.verticalScrollBar().setValue(scrolled)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.model_.rows[index.row()].record.id)


class _RowPainter(QStyledItemDelegate):
    """Picture, name and state, one line of what it may do; at the right until when."""

    _HEIGHT = 9 * theme.GRID
    _PICTURE = 34
    _RIGHT = 25 * theme.GRID

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, self._HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        from latchkey.ui.pages.grant_rows import Role

        row: Row = index.data(Role.ROW)
        area: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._background(painter, option, index)
        pad = theme.space(2.25)
        picture = QRect(area.x() + pad, area.center().y() - self._PICTURE // 2 + 1, self._PICTURE, self._PICTURE)
        paint_identicon(painter, QRectF(picture), str(row.record.draft.session_key))
        right = QRect(area.right() - self._RIGHT - pad, area.y(), self._RIGHT, area.height())
        left = QRect(picture.right() + theme.space(2), area.y(), right.x() - picture.right() - theme.space(4), area.height())
        self._two_lines(painter, right, row.left, row.until)
        width = self._two_lines(painter, left, row.who, row.what, keep=_chip_width(row.state) + theme.space(1.5))
        self._chip(painter, row, left.x() + width + theme.space(1), left.center().y())
        painter.restore()

    def _background(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        area: QRect = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected) and bool(option.state & QStyle.StateFlag.State_HasFocus)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_tint" if chosen else "hover"))
            painter.drawRoundedRect(area.adjusted(4, 3, -4, -3), theme.RADIUS, theme.RADIUS)
        if index.row():
            painter.setPen(theme.color("border"))
            painter.drawLine(area.topLeft() + QPoint(theme.space(2), 0), area.topRight() - QPoint(theme.space(2), 0))

    def _two_lines(self, painter: QPainter, area: QRect, first: str, second: str, keep: int = 0) -> int:
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

    def _chip(self, painter: QPainter, row: Row, x: int, middle: int) -> None:
        font = theme.font(theme.SMALL, weight=QFont.Weight.Medium)
        height = QFontMetrics(font).height() + 4
        area = QRect(x, middle - height + 1, _chip_width(row.state), height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color(_TINTS[row.tone]))
        painter.drawRoundedRect(area, height / 2, height / 2)
        painter.setFont(font)
        painter.setPen(theme.color(row.tone))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, row.state)


def _chip_width(text: str) -> int:
    return QFontMetrics(theme.font(theme.SMALL, weight=QFont.Weight.Medium)).horizontalAdvance(text) + theme.space(2)
