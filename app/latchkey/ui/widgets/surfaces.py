"""What things stand on.

Card(title="Checks")            .body is its QVBoxLayout
Banner("warning", sentence, advice)     levels: good, notice, warning, danger, refused (core.phrases.Level, plus "good")
FindingList(findings)           banners, worst first; says so when there is nothing to say
FieldTable([("nonce", "0x.."), ...])    label and value of every field; values break anywhere
EmptyState("No grants yet", "Sentence.", "New session", on_click)
Page("Accounts")                a whole page: .beside (the title), .header (at the right), .body (scrolls), .buttons (bottom row)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent, QShowEvent, QTextCursor, QTextLength, QTextTableFormat
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from latchkey.core.phrases import Finding, Level, Phrase, Style
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.icons import pixmap
from latchkey.ui.widgets.buttons import primary
from latchkey.ui.widgets.text import (
    Body,
    Heading,
    PhraseLabel,
    TextView,
    Title,
    insert_phrase,
    line_format,
    phrase,
    set_property,
    visible,
)
from latchkey.ui.widgets.toast import tell

_LEVELS = {
    "good": ("good", "check"),
    Level.NOTICE: ("accent", "info"),
    Level.WARNING: ("warn", "warning"),
    Level.DANGER: ("bad", "warning"),
    Level.REFUSED: ("bad", "stop"),
}
_SPOKEN = {
    "good": tr("Good"),
    Level.NOTICE: tr("Note"),
    Level.WARNING: tr("Warning"),
    Level.DANGER: tr("Danger"),
    Level.REFUSED: tr("Refused"),
}
_WIDEST = 140 * theme.GRID  # px a page uses at most
_WIDEST_LABEL = 20 * theme.GRID  # px; longer labels of a table break
_WORST_FIRST = (Level.REFUSED, Level.DANGER, Level.WARNING, Level.NOTICE)


def clear_layout(layout: QVBoxLayout | QHBoxLayout | QGridLayout) -> None:
    """Take everything out of a layout and delete it."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear_layout(inner)  # type: ignore[arg-type]


def add_shown(layout: QVBoxLayout | QHBoxLayout, widget: QWidget) -> None:
    """Add to a layout that is on the screen: Qt would show the widget only when it next handles events, and leave a gap until then."""
    layout.addWidget(widget)
    widget.show()


def bring_into_sight(widget: QWidget) -> None:
    """Scroll the page to what was just shown or moved, once it has its place."""

    def scroll() -> None:
        above = widget.parentWidget()
        while above is not None and not isinstance(above, Scroller):
            above = above.parentWidget()
        if above is not None and widget.isVisible():
            above.ensureWidgetVisible(widget, 0, theme.space(2))

    QTimer.singleShot(0, widget, scroll)


class Icon(QWidget):
    """A line icon that follows the palette. Decoration: it says nothing that a text beside it does not say."""

    def __init__(self, name: str, tone: str = "muted", *, size: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._tone, self._size = name, tone, size
        self.setFixedSize(size, size)

    def set_icon(self, name: str, tone: str) -> None:
        self._name, self._tone = name, tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(0, 0, pixmap(self._name, self._tone, self._size, self.devicePixelRatioF()))
        painter.end()


class Card(QFrame):
    """A bordered surface. Add to `.body` (QVBoxLayout), and a stretch at its end where the card may be taller than what is in it."""

    def __init__(self, title: str = "", *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(theme.space(2.5), theme.space(2), theme.space(2.5), theme.space(2))
        self.body.setSpacing(theme.space(1))
        self.heading: Heading | None = None
        if title:
            self.heading = Heading(title)
            self.body.addWidget(self.heading)


class Line(QFrame):
    """A hairline between rows."""

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "line")
        self.setFixedHeight(1)


class Banner(QFrame):
    """One judgement: what is so (bold), and what to do about it. `level`: good, notice, warning, danger, refused."""

    def __init__(
        self, level: str = Level.NOTICE, sentence: Phrase | str = "", advice: Phrase | str = "", *, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setProperty("surface", "tint")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(1.5), theme.space(1.25), theme.space(2), theme.space(1.25))
        row.setSpacing(theme.space(1.25))
        self._icon = Icon("info")
        holder = QVBoxLayout()
        holder.setContentsMargins(0, 2, 0, 0)
        holder.addWidget(self._icon)
        holder.addStretch(1)
        self._sentence = PhraseLabel(strong=True)
        self._advice = PhraseLabel()
        texts = QVBoxLayout()
        texts.setSpacing(theme.space(0.25))
        texts.addWidget(self._sentence)
        texts.addWidget(self._advice)
        row.addLayout(holder)
        row.addLayout(texts, 1)
        self.set(level, sentence, advice)

    @property
    def text(self) -> str:
        """Sentence and advice as plain text."""
        return f"{self._sentence.text()} {self._advice.text()}".strip()

    def set(self, level: str, sentence: Phrase | str, advice: Phrase | str = "") -> None:
        tone, icon_name = _LEVELS[level]
        set_property(self, "tone", tone)
        self._icon.set_icon(icon_name, tone)
        self._sentence.set_tone(tone)
        self._sentence.set_phrase(sentence)
        self._advice.set_phrase(advice)
        self._advice.setVisible(bool(self._advice.text()))
        spoken = f"{_SPOKEN[level]}: {self.text}"
        if self.isVisible() and spoken != self.accessibleName():
            tell(self, spoken)
        self.setAccessibleName(spoken)


class FindingList(QWidget):
    """Findings as banners, the worst first; with none, one good banner saying `nothing` (or nothing at all when that is empty)."""

    def __init__(self, findings: Iterable[Finding] = (), *, nothing: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._nothing = nothing
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(theme.space(1))
        self.set_findings(findings)

    def set_findings(self, findings: Iterable[Finding]) -> None:
        clear_layout(self._rows)
        ordered = sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.level))
        for finding in ordered:
            add_shown(self._rows, Banner(finding.level, finding.sentence, finding.advice))
        if not ordered and self._nothing:
            add_shown(self._rows, Banner("good", self._nothing))
        self.setVisible(bool(ordered) or bool(self._nothing))


class FieldTable(TextView):
    """Label and value of each field, as it is signed: every digit, nothing cut. The context menu copies the value it is opened on."""

    def __init__(self, rows: Iterable[tuple[str, str]] = (), *, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._cells: tuple[tuple[str, str], ...] = ()
        self.set_rows(rows)

    def set_rows(self, rows: Iterable[tuple[str, str]]) -> None:
        self._cells = tuple(rows)
        self.setText("\n".join(f"{visible(label)}: {visible(value)}" for label, value in self._cells))
        self._write()

    def _fill(self, cursor: QTextCursor) -> None:
        if not self._cells:
            return
        shape = QTextTableFormat()
        shape.setBorder(0)
        shape.setCellSpacing(0)
        shape.setCellPadding(0)
        labels = QFontMetrics(theme.font(theme.SMALL))
        widest = min(max(labels.horizontalAdvance(visible(label)) for label, _ in self._cells), _WIDEST_LABEL) + theme.space(2)
        kinds = QTextLength.Type
        shape.setColumnWidthConstraints([QTextLength(kinds.FixedLength, widest), QTextLength(kinds.PercentageLength, 100)])
        table = cursor.insertTable(len(self._cells), 2, shape)
        for number, (label, value) in enumerate(self._cells):
            for column, what in enumerate((phrase(label), phrase(value, Style.CODE))):
                cell = table.cellAt(number, column).firstCursorPosition()
                cell.setBlockFormat(line_format(above=theme.space(0.5) if number else 0))
                insert_phrase(cell, what, size=theme.SMALL, tone="" if column else "muted")

    def _copied(self, where: QPoint) -> str:
        cell = QTextCursor(self._block_at(where))
        table = cell.currentTable()
        return self._cells[table.cellAt(cell).row()][1] if table is not None else self.text()


class EmptyState(QWidget):
    """What a place is for, while there is nothing in it, and the way to put something there."""

    def __init__(
        self, title: str, text: str, action: str = "", on_click: Callable[[], object] | None = None, *, icon_name: str = "key",
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(theme.space(3), theme.space(6), theme.space(3), theme.space(6))
        rows.setSpacing(theme.space(1))
        rows.addStretch(1)
        rows.addWidget(Icon(icon_name, "muted", size=32), 0, Qt.AlignmentFlag.AlignHCenter)
        heading, body = Heading(title), Body(text, tone="muted")
        for label in (heading, body):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setMaximumWidth(theme.space(56))
            label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(label, 8)
            row.addStretch(1)
            rows.addLayout(row)
        if action:
            rows.addSpacing(theme.space(1))
            rows.addWidget(primary(action, on_click), 0, Qt.AlignmentFlag.AlignHCenter)
        rows.addStretch(2)


class Page(QWidget):
    """A page: title row, a body that scrolls when it must, and a row of actions that always stays in sight.

    `.beside` QHBoxLayout next to the title, for its state; `.header` QHBoxLayout at the right; `.body` QVBoxLayout (add a stretch
    yourself if the content is short);
    `.buttons` QHBoxLayout at the foot, hidden until `show_buttons()`.
    """

    def __init__(self, title: str, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(title)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, theme.space(3), 0, theme.space(3))
        rows.setSpacing(theme.space(2))
        self.title = Title(title)
        top = QHBoxLayout()
        top.setSpacing(theme.space(1.5))
        top.addStrut(36)
        top.addWidget(self.title)
        self.beside = QHBoxLayout()
        top.addLayout(self.beside)
        top.addStretch(1)
        self.header = QHBoxLayout()
        self.header.setSpacing(theme.space(1.5))
        top.addLayout(self.header)
        rows.addLayout(top)
        self.scroller = Scroller()
        content = QWidget()
        content.setProperty("surface", "page")
        self.body = QVBoxLayout(content)
        self.body.setSpacing(theme.space(2))
        self.scroller.setWidget(content)
        rows.addWidget(self.scroller, 1)
        self._foot = QWidget()
        self.buttons = QHBoxLayout(self._foot)
        self.buttons.setSpacing(theme.space(1.5))
        self._foot.hide()
        rows.addWidget(self._foot)
        self._columns = (top, self.buttons, self.body)
        self.scroller.verticalScrollBar().rangeChanged.connect(lambda _least, _most: self._align())
        self._align()

    def show_buttons(self, shown: bool = True) -> None:
        self._foot.setVisible(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._align()

    def _align(self) -> None:
        """Title, body and actions have the same two edges: never wider than reads well, whether there is a scroll bar or not."""
        side = max(theme.space(4), (self.width() - _WIDEST) // 2)
        bar = self.scroller.verticalScrollBar()
        for column in self._columns:
            taken = bar.sizeHint().width() if column is self.body and bar.maximum() > 0 else 0
            column.setContentsMargins(side, 0, side - taken, 0)


class Scroller(QScrollArea):
    """Scrolls down only; what has the focus is always brought into sight. The wheel scrolls, whatever it passes: only a choice or a
    number that has the focus is turned by it."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._passing = _WheelPasses(self)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        for kind in (QComboBox, QAbstractSpinBox):
            for editor in self.findChildren(kind):
                editor.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # not WheelFocus: the wheel itself would give it the focus first
                editor.installEventFilter(self._passing)


class _WheelPasses(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        passes = event.type() is QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus()
        if passes:
            event.ignore()
        return passes
