"""Grants: everything that was signed here, as a list; one of them opened, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStackedWidget, QStyleOptionViewItem

from latchkey.language import tr, trn
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import EmptyState, Muted, Page, paint_identicon, primary, secondary
from latchkey.ui.widgets.row_parts import ROW, Index, RowList, RowModel, RowPainter, background, chip_width, draw_chip, two_lines

if TYPE_CHECKING:
    from latchkey.ui.pages.grant_rows import Row

_WHY = tr("Open what a dApp asks for, or start from nothing. Each grant you sign is kept here, with what it may do and until when.")
_MINUTE_MS = 60_000


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
        self.view: RowList[Row] | None = None
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
            self.view = RowList(RowModel(), _Painter, tr("Grants"), tr("Return opens a grant."))
            self.view.opened.connect(lambda row: self._context.navigate("grant", row.record.id))
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


class _Painter(RowPainter):
    """Picture, name and state, one line of what it may do; at the right until when."""

    _PICTURE = 34
    _RIGHT = 25 * theme.GRID

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(ROW)
        area: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background(painter, option, index)
        pad = theme.space(2.25)
        picture = QRect(area.x() + pad, area.center().y() - self._PICTURE // 2 + 1, self._PICTURE, self._PICTURE)
        paint_identicon(painter, QRectF(picture), str(row.record.draft.session_key))
        right = QRect(area.right() - self._RIGHT - pad, area.y(), self._RIGHT, area.height())
        left = QRect(picture.right() + theme.space(2), area.y(), right.x() - picture.right() - theme.space(4), area.height())
        two_lines(painter, right, row.left, row.until)
        width = two_lines(painter, left, row.who, row.line, keep=chip_width(row.state) + theme.space(1.5))
        draw_chip(painter, row.state, row.tone, left.x() + width + theme.space(1), left.center().y())
        painter.restore()
