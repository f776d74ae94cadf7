"""Confirming a signature: what the signer read from the exact bytes, every field of it, and a yes that cannot happen by accident."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from latchkey.core.phrases import HEADINGS, Finding, Level, Part, Phrase, Purpose, Style
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.desk.page import MARGIN, WIDTH, Page
from latchkey.ui.widgets import (
    Chip,
    DigestView,
    FieldTable,
    FindingList,
    Heading,
    Identicon,
    Muted,
    PhraseLabel,
    PhraseList,
    TextView,
    line_edit,
    phrase,
    set_property,
)

ARMING_MS = 600  # a click meant for what stood here a moment ago must not sign


class ConfirmPage(Page):
    """{title, account, network, words, findings, signed, digest, digest_words, verb, typed?} -> {}.

    The yes needs three things: the end of the text was in sight, the page has stood for a moment, and the word was typed where one is
    asked for. Cancel has the focus, so Enter alone never signs.
    """

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__(ask["title"], go=ask["verb"])
        if _purpose(ask) is Purpose.ENDING:
            set_property(self.go, "kind", "danger")
        self._verb = ask["verb"].lower()
        self._wanted = ask.get("typed", "")
        self._armed = self._read = False
        self.reading = _Scroll(_Content(ask))
        self.body.addWidget(self.reading, 1)
        self.word = line_edit(placeholder=self._wanted, limit=64)
        self.word.setAccessibleName(tr("Type {wanted} to go on", wanted=self._wanted))
        self.word.textChanged.connect(self._refresh)
        if self._wanted:
            self.body.addWidget(Muted(tr("Type “{wanted}” to go on.", wanted=self._wanted)))
            self.body.addWidget(self.word)
        self.hint = Muted("")
        self.foot.insertWidget(0, self.hint, 100)
        bar = self.reading.verticalScrollBar()
        bar.valueChanged.connect(self._look)
        bar.rangeChanged.connect(self._look)
        self._arming = QTimer(self, singleShot=True, interval=ARMING_MS)
        self._arming.timeout.connect(self._arm)
        self._refresh()

    def first(self) -> QWidget:
        return self.stop

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._arming.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.reading.verticalScrollBar()
        match event.key():
            case Qt.Key.Key_PageDown:
                bar.triggerAction(bar.SliderAction.SliderPageStepAdd)
            case Qt.Key.Key_PageUp:
                bar.triggerAction(bar.SliderAction.SliderPageStepSub)
            case Qt.Key.Key_End:
                bar.triggerAction(bar.SliderAction.SliderToMaximum)
            case Qt.Key.Key_Home:
                bar.triggerAction(bar.SliderAction.SliderToMinimum)
            case _:
                super().keyPressEvent(event)

    def _arm(self) -> None:
        self._armed = True
        self._look()

    def _look(self) -> None:
        """The end counts as seen only once the page is laid out and shown."""
        bar = self.reading.verticalScrollBar()
        self._read = self._read or (self._armed and bar.value() >= bar.maximum())
        self._refresh()

    def _refresh(self) -> None:
        typed = self.word.text().strip() == self._wanted
        self.go.setEnabled(self._armed and self._read and typed)
        unread = tr("Scroll to the end to {verb}, with the wheel or the End key.", verb=self._verb)
        self.hint.setText(unread if self._armed and not self._read else "")


ROOM = 8  # px; a page that misses its end by a few of them should not ask to be scrolled


class _Scroll(QScrollArea):
    """Wants to be as tall as what is in it; the window gives it what there is."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._content = content
        self.setWidget(content)

    def sizeHint(self) -> QSize:
        width = WIDTH - 2 * MARGIN
        return QSize(width, self._content.heightForWidth(width) + 2 * self.frameWidth() + ROOM)


class _Content(QWidget):
    """Everything the signer said, top to bottom; nothing shortened, nothing to copy out."""

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__()
        self.setProperty("surface", "page")
        words = ask["words"]
        findings = [Finding(f["id"], Level(f["level"]), f["sentence"], f["advice"]) for f in ask["findings"]]
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, theme.space(1), 0)
        rows.setSpacing(theme.space(1))
        headings = HEADINGS[_purpose(ask)]
        ends = _purpose(ask) is Purpose.ENDING
        if ends:
            rows.addWidget(Chip(tr("Takes power away"), tone="bad"), 0, Qt.AlignmentFlag.AlignLeft)
        rows.addWidget(PhraseLabel(_phrase(words["headline"]), strong=True))
        rows.addLayout(_account(ask["account"], ask["network"]))
        rows.addWidget(FindingList(findings))
        for heading, key, tone in ((headings.can, "can", "bad" if ends else "good"), (headings.cannot, "cannot", "muted")):
            if words[key]:
                rows.addSpacing(theme.space(0.5))
                rows.addWidget(Heading(heading))
                rows.addWidget(PhraseList([_phrase(p) for p in words[key]], tone=tone))
        if words["lose"]:
            rows.addSpacing(theme.space(0.5))
            rows.addWidget(_Loss(headings.most, [_phrase(p) for p in words["lose"]], findings, calm="muted" if ends else "good"))
        if ask["signed"]:
            rows.addSpacing(theme.space(0.5))
            rows.addWidget(Heading(tr("What is signed")))
            rows.addWidget(FieldTable([(label, value) for label, value in ask["signed"]]))
        if ask["digest"]:
            rows.addSpacing(theme.space(0.5))
            rows.addWidget(Heading(tr("Its digest")))
            rows.addWidget(
                Muted(tr("Where another machine or window shows these words and digits too, it speaks of the same bytes."))
            )
            digest = DigestView()
            digest.set_digest(ask["digest"], ask["digest_words"])
            rows.addWidget(digest)
        rows.addStretch(1)
        for label in self.findChildren(TextView):
            label.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)


class _Loss(QFrame):
    """The most it can cost somebody, in the colour of the worst finding, `calm` without one."""

    def __init__(self, heading: str, phrases: list[Phrase], findings: list[Finding], *, calm: str) -> None:
        super().__init__()
        levels = {finding.level for finding in findings}
        tone = "bad" if levels & {Level.DANGER, Level.REFUSED} else "warn" if Level.WARNING in levels else calm
        self.setProperty("surface", "tint")
        set_property(self, "tone", tone)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(theme.space(2), theme.space(1.5), theme.space(2), theme.space(1.5))
        rows.setSpacing(theme.space(0.5))
        rows.addWidget(Heading(heading, tone=tone))
        rows.addWidget(PhraseList(phrases, tone=tone))


def _account(account: str, network: str) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.space(1))
    row.addWidget(Identicon(account, size=theme.space(4)))
    texts = QVBoxLayout()
    texts.setSpacing(0)
    texts.addWidget(PhraseLabel(phrase(account, Style.ADDRESS)))
    if network:  # a key on its own is of none
        texts.addWidget(PhraseLabel(network, size=theme.SMALL, tone="muted"))
    row.addLayout(texts, 1)
    return row


def _purpose(ask: dict[str, Any]) -> Purpose:
    return Purpose(ask["words"].get("purpose", Purpose.GRANT))


def _phrase(parts: list[list[str]]) -> Phrase:
    return Phrase(tuple(Part(text, Style(style)) for style, text in parts))
