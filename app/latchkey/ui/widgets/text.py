"""Text on the screen. Every label is one of these; none of them ever interprets markup.

    Title("New session")  Heading("It can")  Body("...")  Muted("small print")  Code("0x1bbf564c")
    PhraseLabel(phrase)                 parts with their styles; breaks anywhere, so a full address always fits
    PhraseList(phrases, tone="good")    a bulleted list of phrases
    Chip("Active", "good")              a small state pill
Tones: "muted", "accent", "good", "warn", "bad"; "" is the plain text colour.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QFont,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QVBoxLayout, QWidget

from latchkey.core.phrases import Part, Phrase, Style
from latchkey.ui import theme

_LINE = 135  # percent, of phrases that may run over several lines
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str) -> str:
    """`text` with every character that would hide, reorder or break it written out: "a\\u202eb" -> "a⟨U+202E⟩b"."""
    return "".join(f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _HIDDEN else c for c in text)


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet looks at, and have the widget drawn anew when it changed."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    if widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):  # doing it earlier would undo fonts that are set before showing
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Label(QLabel):
    """Plain text, nothing else. Wraps between words when `wrap`; the text may be selected with the mouse when `selectable`."""

    def __init__(
        self,
        text: str = "",
        *,
        size: int = theme.BODY,
        weight: QFont.Weight = QFont.Weight.Normal,
        mono: bool = False,
        tone: str = "",
        wrap: bool = True,
        selectable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(theme.font(size, weight=weight, mono=mono))
        self.setWordWrap(wrap)
        if tone:
            self.setProperty("tone", tone)
        if selectable:
            self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setText(text)

    def set_tone(self, tone: str) -> None:
        set_property(self, "tone", tone)


class Title(Label):
    """The page's title: one line, cut at its end where there is no room."""

    def __init__(self, text: str = "", *, parent: QWidget | None = None) -> None:
        super().__init__(text, size=theme.TITLE, weight=QFont.Weight.DemiBold, wrap=False, parent=parent)

    def minimumSizeHint(self) -> QSize:
        return QSize(10 * theme.GRID, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), self.alignment(), text)
        painter.end()


class Heading(Label):
    """What a card or a part of it is about: body size, heavier."""

    def __init__(self, text: str = "", *, tone: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, weight=QFont.Weight.DemiBold, tone=tone, parent=parent)


class Body(Label):
    """Sentences."""

    def __init__(self, text: str = "", *, tone: str = "", wrap: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(text, tone=tone, wrap=wrap, parent=parent)


class Muted(Label):
    """Small print: captions, hints, what is beside the point."""

    def __init__(self, text: str = "", *, wrap: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(text, size=theme.SMALL, tone="muted", wrap=wrap, parent=parent)


class Code(Label):
    """Short monospaced text of our own (a path, a number). Long or foreign hex belongs in a PhraseLabel, which breaks anywhere."""

    def __init__(self, text: str = "", *, tone: str = "", wrap: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(text, size=theme.SMALL, mono=True, tone=tone, wrap=wrap, selectable=True, parent=parent)


class Chip(Label):
    """A state in one or two words on a tinted pill. Tones: good, warn, bad, accent, muted."""

    def __init__(self, text: str = "", tone: str = "muted", *, parent: QWidget | None = None) -> None:
        super().__init__(text, size=theme.SMALL, weight=QFont.Weight.Medium, tone=tone, wrap=False, parent=parent)
        self.setProperty("kind", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_state(self, text: str, tone: str) -> None:
        self.setText(text)
        self.set_tone(tone)


def phrase(text: str, style: Style = Style.PLAIN) -> Phrase:
    """A phrase of one part."""
    return Phrase((Part(text, style),))


class PhraseLabel(QLabel):
    """Draws a Phrase: each part by its style, every character as itself, hidden ones written out, breaking anywhere if need be.

    Built character by character into a text document, never from HTML. `text()` is the plain text, which is also what a screen
    reader says. The context menu copies `copies`, or the phrase as it was given.
    """

    def __init__(
        self,
        what: Phrase | str = "",
        *,
        size: int = theme.BODY,
        strong: bool = False,
        tone: str = "",
        copies: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._phrase = Phrase(())
        self.copies = copies
        self._size, self._strong, self._tone = size, strong, tone
        self._document = QTextDocument(self)
        self._document.setDocumentMargin(0)
        self._document.setUndoRedoEnabled(False)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self._document.setDefaultTextOption(option)
        self.setTextFormat(Qt.TextFormat.PlainText)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)
        self.set_phrase(what)

    @property
    def phrase(self) -> Phrase:
        return self._phrase

    def set_phrase(self, what: Phrase | str) -> None:
        """Show another phrase; a str is one plain part."""
        self._phrase = phrase(what) if isinstance(what, str) else what
        self.setText("".join(visible(part.text) for part in self._phrase.parts))
        self._write()

    def set_tone(self, tone: str) -> None:
        self._tone = tone
        self._write()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        self._document.setTextWidth(max(width, 1))
        return int(self._document.size().height() + 0.99)

    def sizeHint(self) -> QSize:
        self._document.setTextWidth(-1)
        wide = min(int(self._document.idealWidth() + 1), 64 * theme.GRID)
        return QSize(wide, self.heightForWidth(wide))

    def minimumSizeHint(self) -> QSize:
        return QSize(8 * theme.GRID, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        self._document.setTextWidth(self.width())
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette = self.palette()
        painter = QPainter(self)
        painter.translate(0, self.fontMetrics().height() * (_LINE - 100) / 200)  # Qt puts the room between lines below each
        self._document.documentLayout().draw(painter, context)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and hasattr(self, "_document"):
            self._write()

    def _write(self) -> None:
        self._document.clear()
        cursor = QTextCursor(self._document)
        block = QTextBlockFormat()
        block.setLineHeight(_LINE, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(block)
        for part in self._phrase.parts:
            cursor.insertText(visible(part.text), self._format(part.style))
        self.updateGeometry()
        self.update()

    def _format(self, style: Style) -> QTextCharFormat:
        result = QTextCharFormat()
        mono = style in (Style.CODE, Style.ADDRESS)
        heavy = QFont.Weight.DemiBold if self._strong or style is Style.STRONG else QFont.Weight.Normal
        result.setFont(theme.font(self._size - (1 if mono and self._size > theme.SMALL else 0), weight=heavy, mono=mono))
        result.setForeground(theme.color(self._tone or "text"))
        if style is Style.CLAIM:
            result.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
            result.setUnderlineColor(theme.color("outline"))
        return result

    def _menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction("Copy", lambda: QGuiApplication.clipboard().setText(self.copies or self._phrase.plain))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.mapToGlobal(where))


class PhraseList(QWidget):
    """Phrases one under the other, each behind a dot in the colour of `tone`."""

    def __init__(self, phrases: Iterable[Phrase] = (), *, tone: str = "muted", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(theme.space(0.5))
        self.set_phrases(phrases)

    def set_phrases(self, phrases: Iterable[Phrase]) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (bullet := item.widget()) is not None:
                bullet.deleteLater()
        for one in phrases:
            self._rows.addWidget(_Bullet(one, self._tone))


class _Bullet(QWidget):
    def __init__(self, what: Phrase, tone: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(0.5), 0, 0, 0)
        row.setSpacing(theme.space(1))
        dot = PhraseLabel("•", tone=tone)
        dot.setFixedWidth(theme.space(1))
        row.addWidget(dot)
        row.addWidget(PhraseLabel(what), 1)
