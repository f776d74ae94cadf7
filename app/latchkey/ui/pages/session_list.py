"""The list of sessions, drawn: a tick, the key's picture, who and what it may do, what is left, when it ends, and its button."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QListView, QStyleOptionViewItem

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.icons import pixmap
from latchkey.ui.pages.session_rows import Bar, Entry, SessionModel
from latchkey.ui.widgets import paint_identicon
from latchkey.ui.widgets.row_parts import (
    BUTTON,
    CHIP_GAP,
    NARROW,
    ROW,
    Chip,
    Index,
    RowList,
    RowPainter,
    background,
    chip_width,
    draw_button,
    title_and_chips,
    two_lines,
)

_TICK, _PICTURE = 18, 34
_LIMITS, _ENDS = (16 * theme.GRID, 30 * theme.GRID), 18 * theme.GRID  # least and most; one width


class SessionList(RowList[Entry]):
    """`opened(entry)`: Return or a click. `ending([entries])`: its button, or Delete: what is ticked, else the current one.
    `ticked()`: another choice."""

    model_: SessionModel
    ending = Signal(object)
    ticked = Signal()

    def __init__(self) -> None:
        model, keys = SessionModel(), tr("Return opens a session, Space ticks it, Delete revokes it.")
        super().__init__(model, lambda view: _Painter(view, model), tr("Sessions"), keys)
        self.model_.dataChanged.connect(lambda *_: self.ticked.emit())
        self.model_.modelReset.connect(self.ticked.emit)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        current = self.current
        if event.key() == Qt.Key.Key_Space and current is not None:
            self.model_.tick(current)
        elif event.key() == Qt.Key.Key_Delete:
            self._end(self.model_.chosen() or ([current] if current else []))
        else:
            super().keyPressEvent(event)

    def click(self, entry: Entry, area: QRect, where: QPoint) -> None:
        parts = Parts(area)
        if entry.verb and parts.button.contains(where):
            self._end([entry])
        elif where.x() < parts.tick.right() + theme.space(1):
            self.model_.tick(entry)
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
        width, height = BUTTON
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
        entry: Entry = index.data(ROW)
        parts = Parts(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background(painter, option, index)
        if entry.verb:
            self._tick(painter, parts.tick, entry.key in self._model.ticked)
            draw_button(painter, parts.button, entry.verb, "bad", pointed=parts.button.contains(self.pointer))
        if not parts.narrow:
            painter.drawPixmap(parts.picture.topLeft(), self._picture(entry.picture))
        room = parts.text.width() if parts.narrow else parts.text.width() // 2
        title_and_chips(painter, parts.text, entry.title, entry.line, _that_fit(entry.chips, room), narrow=parts.narrow)
        self._limits(painter, parts.limits, entry.bars)
        two_lines(painter, parts.ends, *entry.ends)
        painter.restore()

    def _tick(self, painter: QPainter, area: QRect, ticked: bool) -> None:
        painter.setPen(theme.color("accent" if ticked or area.adjusted(-8, -27, 8, 27).contains(self.pointer) else "outline"))
        painter.setBrush(theme.color("accent" if ticked else "card"))
        painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        if ticked:
            painter.drawPixmap(area.topLeft() + QPoint(2, 2), pixmap("check", "on_accent", 14, self._view.devicePixelRatioF()))

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


def _that_fit(chips: Sequence[Chip], room: int) -> list[Chip]:
    """The first one, and those after it that still have room."""
    kept = list(chips[:1])
    for chip in chips[1:]:
        if sum(chip_width(text) + CHIP_GAP for text, _ in (*kept, chip)) <= room:
            kept.append(chip)
    return kept


def draw_bar(painter: QPainter, area: QRectF, bar: Bar) -> None:
    """What is used of it."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("border"))
    painter.drawRoundedRect(area, 2.5, 2.5)
    if bar.used:
        painter.setBrush(theme.color(bar.tone))
        painter.drawRoundedRect(QRectF(area.x(), area.y(), max(5.0, area.width() * bar.used), area.height()), 2.5, 2.5)
