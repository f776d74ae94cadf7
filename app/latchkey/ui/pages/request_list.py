"""The list of requests, drawn: who asks and whether that is proven, what for, when and by which way, and its two buttons."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from latchkey.flow.requests import RequestKind, RequestState
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.icons import pixmap
from latchkey.ui.pages.request_rows import Index, RequestModel, Role, Row
from latchkey.ui.widgets.row_parts import NARROW, RowList, RowPainter, background, chip_width, draw_chip, two_lines

_ICON, _BUTTON = 20, (84, 34)
_WHEN = 19 * theme.GRID


class RequestList(RowList):
    """`opened(row)`: Return, a click, or its second button. `refused(row)`: its first, or Delete. `asked(row, where)`: its menu, at a
    place on the screen."""

    opened = Signal(object)
    refused = Signal(object)
    asked = Signal(object, object)

    def __init__(self) -> None:
        self.model_ = RequestModel()
        keys = tr("Return opens a request, Delete refuses it, the menu key says what else can be done.")
        super().__init__(self.model_, _Painter, tr("Requests"), keys)

    @property
    def current(self) -> Row | None:
        index = self.currentIndex()
        return self.model_.rows[index.row()] if index.isValid() else None

    def show_rows(self, rows: list[Row]) -> None:
        """Show these; the one that was current stays so, and nothing scrolls."""
        self.keep_while(lambda: self.model_.set_rows(rows), lambda: [row.record.id for row in self.model_.rows])
        self.fit(len(rows))

    def point_at(self, number: int) -> None:
        """Make the record of this id the current one, else the first; the keyboard goes on from there."""
        at = next((place for place, row in enumerate(self.model_.rows) if row.record.id == number), 0)
        self.setCurrentIndex(self.model_.index(at))
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.current
        if row is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(row)
        elif row is not None and event.key() == Qt.Key.Key_Delete and row.verbs[0]:
            self.refused.emit(row)
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        where = event.position().toPoint()
        index = self.indexAt(where)
        if not index.isValid() or event.button() is not Qt.MouseButton.LeftButton:
            return
        row, parts = self.model_.rows[index.row()], Parts(self.visualRect(index))
        (self.refused if row.verbs[0] and parts.no.contains(where) else self.opened).emit(row)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """By the mouse where it is, by the menu key at the current row."""
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        index = self.indexAt(event.pos()) if by_mouse else self.currentIndex()
        if index.isValid():
            where = event.globalPos() if by_mouse else self.viewport().mapToGlobal(self.visualRect(index).center())
            self.asked.emit(self.model_.rows[index.row()], where)


class Parts:
    """Where the parts of a row stand; what has little room gives way."""

    def __init__(self, area: QRect) -> None:
        pad, middle = theme.space(2), area.center().y() + 1
        width, height = _BUTTON
        self.icon = QRect(area.x() + pad, middle - _ICON // 2, _ICON, _ICON)
        self.yes = QRect(area.right() - pad - width, middle - height // 2, width, height)
        self.no = QRect(self.yes.x() - theme.space(1) - width, self.yes.y(), width, height)
        self.when = QRect(self.no.x() - theme.space(1.5) - _WHEN, area.y(), _WHEN, area.height())
        self.narrow = area.width() < NARROW
        start = self.icon.right() + theme.space(1.75)
        end = (self.no if self.narrow else self.when).x() - theme.space(2)
        self.text = QRect(start, area.y(), end - start, area.height())


class _Painter(RowPainter):
    """Draws one row."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(Role.ROW)
        parts = Parts(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background(painter, option, index)
        self._icon(painter, parts.icon, row)
        if row.verbs[0]:
            self._button(painter, parts.no, row.verbs[0], main=False)
            self._button(painter, parts.yes, row.verbs[1], main=True)
        if not parts.narrow:
            two_lines(painter, parts.when, *row.when)
        self._who(painter, parts, row)
        painter.restore()

    def _icon(self, painter: QPainter, area: QRect, row: Row) -> None:
        name = "key" if row.record.kind is RequestKind.SESSION else "stop"
        tone = "accent" if row.record.state is RequestState.NEW else "muted"
        painter.drawPixmap(area.topLeft(), pixmap(name, tone, _ICON, self._view.devicePixelRatioF()))

    def _button(self, painter: QPainter, area: QRect, text: str, *, main: bool) -> None:
        pointed = area.contains(self.pointer)
        painter.setPen(theme.color("accent" if main else "border"))
        painter.setBrush(theme.color("accent_tint" if main and pointed else "bad_tint" if pointed else "card"))
        painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)
        painter.setFont(theme.font(weight=QFont.Weight.Medium))
        painter.setPen(theme.color("accent" if main else "text"))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)

    def _who(self, painter: QPainter, parts: Parts, row: Row) -> None:
        """Title and line, with the chips behind the title; in little room the chips and the way stand in the line's place."""
        keep = sum(chip_width(text) + theme.space(0.75) for text, _ in row.chips)
        area = parts.text
        if parts.narrow:
            two_lines(painter, area, row.title, "")
            x, y = area.x(), area.center().y() + theme.space(2.75)
        else:
            x = area.x() + two_lines(painter, area, row.title, row.line, keep=keep) + theme.space(0.75)
            y = area.center().y()
        for text, tone in row.chips:
            x += draw_chip(painter, text, tone, x, y) + theme.space(0.75)
        if parts.narrow:
            font = theme.font(theme.SMALL)
            painter.setFont(font)
            painter.setPen(theme.color("muted"))
            room = QFontMetrics(font).elidedText(row.when[0], Qt.TextElideMode.ElideRight, max(0, area.right() - x))
            painter.drawText(QPoint(x + theme.space(0.5), y - 3), room)
