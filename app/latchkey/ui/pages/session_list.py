"""The list of sessions, drawn: a tick, the key's picture, who and what it may do, what is left, when it ends, and its button."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import QListView, QStyleOptionViewItem

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.icons import pixmap
from latchkey.ui.pages.session_rows import Bar, Chip, Entry, Index, Role, SessionModel
from latchkey.ui.widgets import paint_identicon
from latchkey.ui.widgets.row_parts import NARROW, RowList, RowPainter, background, chip_width, draw_chip, two_lines

_TICK, _PICTURE, _BUTTON = 18, 34, (84, 34)
_LIMITS, _ENDS = (16 * theme.GRID, 30 * theme.GRID), 16 * theme.GRID  # least and most; one width


class SessionList(RowList):
    """`opened(entry)`: Return or a click. `ending([entries])`: its button, or Delete: what is ticked, else the current one.
    `ticked()`: another choice."""

    opened = Signal(object)
    ending = Signal(object)
    ticked = Signal()

    def __init__(self) -> None:
        self.model_ = SessionModel()
        super().__init__(
            self.model_,
            lambda view: _Painter(view, self.model_),
            tr("Sessions"),
            tr("Return opens a session, Space ticks it, Delete revokes it."),
        )
        self.model_.dataChanged.connect(lambda *_: self.ticked.emit())
        self.model_.modelReset.connect(self.ticked.emit)

    def show_entries(self, entries: list[Entry]) -> None:
        """Show these; the one that was current stays so, and nothing scrolls."""
        self.keep_while(lambda: self.model_.set_entries(entries), lambda: [entry.key for entry in self.model_.entries])
        self.fit(len(entries))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if index.isValid():
                self.opened.emit(self.model_.entries[index.row()])
            case Qt.Key.Key_Space if index.isValid():
                self.model_.tick(index)
            case Qt.Key.Key_Delete if self.model_.ticked or index.isValid():
                entries = self.model_.chosen() or [self.model_.entries[index.row()]]
                self._end(entries)
            case _:
                super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        where = event.position().toPoint()
        index = self.indexAt(where)
        if not index.isValid() or event.button() is not Qt.MouseButton.LeftButton:
            return
        entry, parts = self.model_.entries[index.row()], Parts(self.visualRect(index))
        if entry.verb and parts.button.contains(where):
            self._end([entry])
        elif where.x() < parts.tick.right() + theme.space(1):
            self.model_.tick(index)
        else:
            self.opened.emit(entry)

    def _end(self, entries: list[Entry]) -> None:
        if entries := [entry for entry in entries if entry.verb]:
            self.ending.emit(entries)


class Parts:
    """Where the parts of a row stand; what has little room gives way in turn."""

    def __init__(self, area: QRect) -> None:
        pad, middle = theme.space(2), area.center().y() + 1
        self.tick = QRect(area.x() + pad, middle - _TICK // 2, _TICK, _TICK)
        self.picture = QRect(self.tick.right() + theme.space(1.75), middle - _PICTURE // 2, _PICTURE, _PICTURE)
        width, height = _BUTTON
        self.button = QRect(area.right() - pad - width, middle - height // 2, width, height)
        self.ends = QRect(self.button.x() - theme.space(1.5) - _ENDS, area.y(), _ENDS, area.height())
        self.narrow = area.width() < NARROW
        start = (self.tick if self.narrow else self.picture).right() + theme.space(1.75)
        room = self.ends.x() - start - theme.space(4)
        limits = max(_LIMITS[0], min(_LIMITS[1], room * 2 // 5))
        self.limits = QRect(self.ends.x() - theme.space(2) - limits, area.y(), limits, area.height())
        self.text = QRect(start, area.y(), self.limits.x() - theme.space(2) - start, area.height())


class _Painter(RowPainter):
    """Draws one entry."""

    def __init__(self, view: QListView, model: SessionModel) -> None:
        super().__init__(view)
        self._model = model
        self._pictures: dict[tuple[str, float], QPixmap] = {}

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry: Entry = index.data(Role.ENTRY)
        parts = Parts(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background(painter, option, index)
        if entry.verb:
            self._tick(painter, parts.tick, entry.key in self._model.ticked)
            self._button(painter, parts.button, entry.verb)
        if not parts.narrow:
            painter.drawPixmap(parts.picture.topLeft(), self._picture(entry.picture))
        self._who(painter, parts.text, entry, narrow=parts.narrow)
        self._limits(painter, parts.limits, entry.bars)
        two_lines(painter, parts.ends, *entry.ends)
        painter.restore()

    def _tick(self, painter: QPainter, area: QRect, ticked: bool) -> None:
        painter.setPen(theme.color("accent" if ticked or area.adjusted(-8, -27, 8, 27).contains(self.pointer) else "outline"))
        painter.setBrush(theme.color("accent" if ticked else "card"))
        painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if ticked:
            painter.drawPixmap(area.topLeft() + QPoint(2, 2), pixmap("check", "on_accent", 14, self._view.devicePixelRatioF()))

    def _button(self, painter: QPainter, area: QRect, text: str) -> None:
        painter.setPen(theme.color("border"))
        painter.setBrush(theme.color("bad_tint" if area.contains(self.pointer) else "card"))
        painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)
        painter.setFont(theme.font(weight=QFont.Weight.Medium))
        painter.setPen(theme.color("bad"))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)

    def _picture(self, address: str) -> QPixmap:
        """Painted once: a list that scrolls draws hundreds."""
        ratio = self._view.devicePixelRatioF()
        picture = self._pictures.get((address, ratio))
        if picture is None:
            picture = QPixmap(round(_PICTURE * ratio), round(_PICTURE * ratio))
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            paint_identicon(painter, QRectF(0, 0, _PICTURE, _PICTURE), address)
            painter.end()
            self._pictures[address, ratio] = picture
        return picture

    def _who(self, painter: QPainter, area: QRect, entry: Entry, *, narrow: bool) -> None:
        """Title and line, with the chips behind the title; in little room the chips stand in the line's place."""
        chips, keep = list[Chip](), 0
        for chip in entry.chips:
            width = chip_width(chip[0]) + theme.space(0.75)
            if not chips or keep + width <= (area.width() if narrow else area.width() // 2):
                chips.append(chip)
                keep += width
        if narrow:
            two_lines(painter, area, entry.title, "")
            x, y = area.x(), area.center().y() + theme.space(2.75)
        else:
            x = area.x() + two_lines(painter, area, entry.title, entry.line, keep=keep) + theme.space(0.75)
            y = area.center().y()
        for text, tone in chips:
            x += draw_chip(painter, text, tone, x, y) + theme.space(0.75)

    def _limits(self, painter: QPainter, area: QRect, bars: tuple[Bar, ...]) -> None:
        font = theme.font(theme.SMALL)
        metrics = QFontMetrics(font)
        painter.setFont(font)
        height = metrics.height()
        heights = [height + (9 if bar.used is not None else 2) for bar in bars]
        y = area.center().y() - sum(heights) // 2 + 1
        for bar, taken in zip(bars, heights, strict=True):
            painter.setPen(theme.color("muted"))
            text = metrics.elidedText(bar.text, Qt.TextElideMode.ElideRight, area.width())
            painter.drawText(QPoint(area.x(), y + metrics.ascent()), text)
            if bar.used is not None:
                draw_bar(painter, QRectF(area.x(), y + height + 1, area.width(), 5), bar)
            y += taken


def draw_bar(painter: QPainter, area: QRectF, bar: Bar) -> None:
    """What is used of it."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("border"))
    painter.drawRoundedRect(area, 2.5, 2.5)
    if bar.used:
        painter.setBrush(theme.color(bar.tone))
        painter.drawRoundedRect(QRectF(area.x(), area.y(), max(5.0, area.width() * bar.used), area.height()), 2.5, 2.5)
