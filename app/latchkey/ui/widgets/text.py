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
from functools import lru_cache
from html import escape

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QFont,
    QPainter,
    QPaintEvent,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextOption,
)
from PySide6.QtWidgets import QLabel, QMenu, QSizePolicy, QWidget

from latchkey.core.phrases import Part, Phrase, Style
from latchkey.language import tr
from latchkey.ui import theme

_LINE = 135  # percent, of phrases that may run over several lines
_WIDEST, _LONG = 64 * theme.GRID, 1000  # px wanted at most; characters beyond which that much is wanted without measuring
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str) -> str:
    """`text` with every character that would hide, reorder or break it written out: "a\\u202eb" -> "a⟨U+202E⟩b"."""
    if text.isprintable():  # true of none of them
        return text
    return "".join(f"⟨U+{ord(c):04X}⟩" if unicodedata.category(c) in _HIDDEN else c for c in text)


def tip(text: str) -> str:
    """`text` for a tool tip: there Qt takes whatever has a tag in it for markup, pictures of this computer included. What cannot be taken
    so stays plain, for screen readers get it too."""
    text = visible(text)
    return f"<qt>{escape(text)}</qt>" if {"<", "&"} & set(text) else text


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


class TextView(QLabel):
    """A QLabel that draws a text document of its own: every character as itself, breaking anywhere if need be, never from HTML.

    A subclass fills the document in `_fill`; `text()` stays the plain text, which is also what a screen reader says. One such label may
    hold hundreds of lines: a widget for each of them would take seconds to show.
    """

    def __init__(self, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._written_with: theme.Palette | None = None
        self._heights: dict[int, int] = {}
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

    def _fill(self, cursor: QTextCursor) -> None:
        """Put everything into the empty document."""
        raise NotImplementedError

    def _copied(self, where: QPoint) -> str:
        """What the context menu at `where` copies."""
        raise NotImplementedError

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        if width not in self._heights:
            self._document.setTextWidth(max(width, 1))
            self._heights[width] = int(self._document.size().height() + 0.99)
        return self._heights[width]

    def sizeHint(self) -> QSize:
        if -1 not in self._heights:
            self._heights[-1] = _WIDEST if len(self.text()) > _LONG else self._ideal_width()
        return QSize(self._heights[-1], self.heightForWidth(self._heights[-1]))

    def _ideal_width(self) -> int:
        self._document.setTextWidth(-1)
        return min(int(self._document.idealWidth() + 1), _WIDEST)

    def minimumSizeHint(self) -> QSize:
        return QSize(8 * theme.GRID, self.fontMetrics().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        self._document.setTextWidth(self.width())
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette = self.palette()
        painter = QPainter(self)
        painter.translate(0, self.fontMetrics().height() * (_LINE - 100) / 200)  # Qt puts the room between lines below each
        context.clip = QRectF(event.rect()).translated(-painter.transform().dx(), -painter.transform().dy())
        self._document.documentLayout().draw(painter, context)
        self._decorate(painter, context.clip)
        painter.end()

    def _decorate(self, painter: QPainter, clip: QRectF) -> None:
        """Draw what stands beside the text in `clip`; the painter's origin is the document's."""

    def changeEvent(self, event: QEvent) -> None:
        """The style sheet polishes every label several times; only other colours are a reason to begin anew."""
        super().changeEvent(event)
        changed = event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)
        if changed and self._written_with not in (None, theme.current()):
            self._write()

    def _write(self) -> None:
        self._written_with = theme.current()
        self._heights.clear()
        self._document.clear()
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        self._fill(cursor)
        cursor.endEditBlock()
        self.updateGeometry()
        self.update()

    def _menu(self, where: QPoint) -> None:
        from latchkey.ui.widgets.export import copy_text  # whose toast is made of a label

        text, menu = self._copied(where), QMenu(self)
        menu.addAction(tr("Copy"), lambda: copy_text(self, text))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.mapToGlobal(where))

    def _block_at(self, where: QPoint) -> QTextBlock:
        self._document.setTextWidth(self.width())
        position = self._document.documentLayout().hitTest(QPointF(where), Qt.HitTestAccuracy.FuzzyHit)
        return self._document.findBlock(max(position, 0))


def line_format(*, margin: int = 0, above: int = 0) -> QTextBlockFormat:
    """A paragraph with our distance between lines, `margin` px in from the left, `above` px below the one before."""
    block = QTextBlockFormat()
    block.setLineHeight(_LINE, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    block.setLeftMargin(margin)
    block.setTopMargin(above)
    return block


def insert_phrase(cursor: QTextCursor, what: Phrase, *, size: int, strong: bool = False, tone: str = "") -> None:
    """Each part by its style, hidden characters written out."""
    for part in what.parts:
        cursor.insertText(visible(part.text), _format(part.style, size, strong, tone, theme.current()))


@lru_cache(maxsize=256)
def _format(style: Style, size: int, strong: bool, tone: str, _palette: theme.Palette) -> QTextCharFormat:
    result = QTextCharFormat()
    mono = style in (Style.CODE, Style.ADDRESS)
    heavy = QFont.Weight.DemiBold if strong or style is Style.STRONG else QFont.Weight.Normal
    result.setFont(theme.font(size - (1 if mono and size > theme.SMALL else 0), weight=heavy, mono=mono))
    result.setForeground(theme.color(tone or "text"))
    if style is Style.CLAIM:
        result.setUnderlineStyle(QTextCharFormat.UnderlineStyle.DotLine)
        result.setUnderlineColor(theme.color("outline"))
    return result


class PhraseLabel(TextView):
    """Draws a Phrase. The context menu copies `copies`, or the phrase as it was given."""

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
        super().__init__(parent=parent)
        self._phrase = Phrase(())
        self.copies = copies
        self._size, self._strong, self._tone = size, strong, tone
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

    def _fill(self, cursor: QTextCursor) -> None:
        cursor.setBlockFormat(line_format())
        insert_phrase(cursor, self._phrase, size=self._size, strong=self._strong, tone=self._tone)

    def _copied(self, where: QPoint) -> str:
        return self.copies or self._phrase.plain


class PhraseList(TextView):
    """Phrases one under the other, each behind a dot in the colour of `tone`. The context menu copies the one it is opened on."""

    def __init__(
        self, phrases: Iterable[Phrase] = (), *, tone: str = "muted", size: int = theme.BODY, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent=parent)
        self._tone, self._size = tone, size
        self._phrases: tuple[Phrase, ...] = ()
        self.set_phrases(phrases)

    def set_phrases(self, phrases: Iterable[Phrase]) -> None:
        self._phrases = tuple(phrases)
        self.setText("\n".join("".join(visible(part.text) for part in one.parts) for one in self._phrases))
        self._write()

    def heightForWidth(self, width: int) -> int:
        return super().heightForWidth(width) if self._phrases else 0

    def minimumSizeHint(self) -> QSize:
        return super().minimumSizeHint() if self._phrases else QSize(8 * theme.GRID, 0)

    def _fill(self, cursor: QTextCursor) -> None:
        for number, one in enumerate(self._phrases):
            block = line_format(margin=theme.space(2.5), above=theme.space(0.5) if number else 0)
            if number:
                cursor.insertBlock(block)
            else:
                cursor.setBlockFormat(block)
            insert_phrase(cursor, one, size=self._size)

    def _decorate(self, painter: QPainter, clip: QRectF) -> None:
        painter.setFont(theme.font(self._size))
        painter.setPen(theme.color(self._tone))
        layout, block = self._document.documentLayout(), self._document.begin()
        while self._phrases and block.isValid():
            box = layout.blockBoundingRect(block)  # lays the block out; before that it has no lines
            if box.intersects(clip):
                line = block.layout().lineAt(0)
                painter.drawText(QPointF(theme.space(0.5), box.top() + line.y() + line.ascent()), "•")
            block = block.next()

    def _copied(self, where: QPoint) -> str:
        return self._phrases[self._block_at(where).blockNumber()].plain
