"""The list of requests, drawn: who asks and whether that is proven, what for, when and by which way, and its two buttons."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from latchkey.flow.requests import RequestKind, RequestState
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.icons import pixmap
from latchkey.ui.pages.request_rows import Row
from latchkey.ui.widgets.row_parts import (
    BUTTON,
    NARROW,
    ROW,
    Index,
    RowList,
    RowModel,
    RowPainter,
    background,
    draw_button,
    title_and_chips,
    two_lines,
)

_ICON = 20
_WHEN = 19 * theme.GRID


class RequestList(RowList[Row]):
    """`opened(row)`: Return, a click, or its second button. `refused(row)`: its first, or Delete. `asked(row, where)`: its menu, at a
    place on the screen."""

    refused = Signal(object)
    asked = Signal(object, object)

    def __init__(self) -> None:
        keys = tr("Return opens a request, Delete refuses it, the menu key says what else can be done.")
        super().__init__(RowModel(), _Painter, tr("Requests"), keys)

    def point_at(self, number: int) -> None:
        """Make the record of this id the current one, else the first; the keyboard goes on from there."""
        at = next((place for place, row in enumerate(self.model_.rows) if row.key == number), 0)
        self.setCurrentIndex(self.model_.index(at))
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.current
        if row is not None and event.key() == Qt.Key.Key_Delete and row.verbs[0]:
            self.refused.emit(row)
        else:
            super().keyPressEvent(event)

    def click(self, row: Row, area: QRect, where: QPoint) -> None:
        (self.refused if row.verbs[0] and Parts(area).no.contains(where) else self.opened).emit(row)

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
        width, height = BUTTON
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
        row: Row = index.data(ROW)
        parts = Parts(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background(painter, option, index)
        self._icon(painter, parts.icon, row)
        if row.verbs[0]:
            for area, verb, tone in ((parts.no, row.verbs[0], "text"), (parts.yes, row.verbs[1], "accent")):
                draw_button(painter, area, verb, tone, pointed=area.contains(self.pointer))
        if not parts.narrow:
            two_lines(painter, parts.when, *row.when)
        self._who(painter, parts, row)
        painter.restore()

    def _icon(self, painter: QPainter, area: QRect, row: Row) -> None:
        name = "key" if row.record.kind is RequestKind.SESSION else "stop"
        tone = "accent" if row.record.state is RequestState.NEW else "muted"
        painter.drawPixmap(area.topLeft(), pixmap(name, tone, _ICON, self._view.devicePixelRatioF()))

    def _who(self, painter: QPainter, parts: Parts, row: Row) -> None:
        """Title and line, with the chips behind the title; in little room the chips and the way stand in the line's place."""
        end = title_and_chips(painter, parts.text, row.title, row.line, row.chips, narrow=parts.narrow)
        if parts.narrow:
            font = theme.font(theme.SMALL)
            painter.setFont(font)
            painter.setPen(theme.color("muted"))
            room = QFontMetrics(font).elidedText(row.when[0], Qt.TextElideMode.ElideRight, max(0, parts.text.right() - end.x()))
            painter.drawText(end + QPoint(theme.space(0.5), -3), room)
