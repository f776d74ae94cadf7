"""Review: what the exact bytes say, judged, beside what was asked. For reading and narrowing; the signature is given at the desk."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGraphicsOpacityEffect, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from latchkey.core.digest_words import digest_words
from latchkey.core.phrases import Level, Part, Phrase, Style
from latchkey.core.request import Claims
from latchkey.core.types import to_hex
from latchkey.flow.granting import Prepared, good_signs
from latchkey.flow.narrowing import asked_of, changes
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.pages.wizard.asked import AskedCard, own_note
from latchkey.ui.pages.wizard.asker import AskerCard
from latchkey.ui.pages.wizard.similar import SimilarCard
from latchkey.ui.pages.wizard.step_page import StepPage, View
from latchkey.ui.widgets import (
    Banner,
    Card,
    Dialog,
    DigestView,
    FieldTable,
    FindingList,
    Heading,
    Icon,
    Label,
    Muted,
    PhraseLabel,
    PhraseList,
    add_shown,
    clear_layout,
    link,
    primary,
    set_property,
)

_SIDE_WIDTH, _WIDE, _UNBOUND, _PALE = 296, 760, 16_777_215, 0.4


class ReviewPage(StepPage):
    """`decided(choice)`: what becomes of what stands already, "keep", "replace" or "leave". `tried()`: a call is to be tried."""

    decided = Signal(str)
    tried = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._prepared: Prepared | None = None
        self._error = Banner("danger")
        self._error.hide()
        self.asker = AskerCard()
        self.similar = SimilarCard()
        self.similar.decided.connect(self.decided)
        self.asked = AskedCard()
        self.asked.edited.connect(self.edited)
        self.rows.addWidget(self._error)
        self.rows.addWidget(self.asker)
        self.rows.addWidget(self.similar)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._columns.setSpacing(theme.space(2))
        main = QVBoxLayout()
        main.setSpacing(theme.space(2))
        main.addWidget(self._meaning())
        main.addWidget(self.asked)
        main.addStretch(1)
        self._columns.addLayout(main, 1)
        side = QVBoxLayout()
        side.setSpacing(theme.space(2))
        side.addWidget(self._checks())
        side.addWidget(self._told())
        side.addWidget(self._signing())
        side.addStretch(1)
        self._side = QWidget()
        side.setContentsMargins(0, 0, 0, 0)
        self._side.setLayout(side)
        self._columns.addWidget(self._side)
        self.rows.addLayout(self._columns, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Two columns where there is room for two."""
        super().resizeEvent(event)
        wide = event.size().width() >= _WIDE
        self._columns.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._side.setMinimumWidth(_SIDE_WIDTH if wide else 0)
        self._side.setMaximumWidth(_SIDE_WIDTH if wide else _UNBOUND)

    # --- parts

    def _meaning(self) -> QWidget:
        self._card = Card()
        self._pale = [_paling(self._card)]
        self._from = PhraseLabel(size=theme.SMALL, tone="muted")
        self._note = PhraseLabel(size=theme.SMALL, tone="accent")
        self._headline = PhraseLabel(size=theme.BODY + 2)
        self._can, self._cannot = PhraseList(tone="good"), PhraseList()
        self._lose = QFrame()
        self._lose.setProperty("surface", "tint")
        lose = QVBoxLayout(self._lose)
        lose.setContentsMargins(theme.space(2), theme.space(1.5), theme.space(2), theme.space(1.5))
        lose.setSpacing(theme.space(0.5))
        self._lose_title = Heading(tr("Most you can lose"))
        self._losses = PhraseList()
        lose.addWidget(self._lose_title)
        lose.addWidget(self._losses)
        body = self._card.body
        for widget in (
            self._from,
            self._note,
            self._headline,
            Heading(tr("It can")),
            self._can,
            Heading(tr("It cannot")),
            self._cannot,
            self._lose,
        ):
            body.addWidget(widget)
        return self._card

    def _checks(self) -> QWidget:
        card = Card(tr("Checks"))
        self._signs = QVBoxLayout()
        self._signs.setSpacing(theme.space(0.75))
        self._findings = FindingList()
        self._around = Muted()
        self._around.hide()
        card.body.addLayout(self._signs)
        card.body.addWidget(self._findings)
        card.body.addWidget(self._around)
        card.body.addWidget(link(tr("&Try a call…"), self.tried.emit))
        return card

    def _told(self) -> QWidget:
        """What the request asked for more, where it is not at hand to be narrowed: a grant that was prepared elsewhere."""
        self._less_card, self._less = Card(tr("Less than was asked")), PhraseList(size=theme.SMALL + 1)
        self._less_card.body.addWidget(self._less)
        return self._less_card

    def _signing(self) -> QWidget:
        card = Card(tr("What you sign"))
        self._pale.append(_paling(card))
        self._gist = QVBoxLayout()
        self._gist.setSpacing(theme.space(0.5))
        card.body.addLayout(self._gist)
        card.body.addSpacing(theme.space(0.5))
        card.body.addWidget(Muted(tr("Its digest. The desk has to show the same words.")))
        self._digest = DigestView(columns=2)
        card.body.addWidget(self._digest)
        self._every = link(tr("Show every &field"), self._show_fields)
        card.body.addWidget(self._every)
        return card

    # --- drawing

    def _draw(self, view: View) -> None:
        """What is asked and given; all else follows from the prepared grant, see `show_grant`."""
        self.asked.show_view(view)
        self._note.set_phrase(own_note(view))
        self._note.setVisible(view.state.own)

    def show_error(self, text: str) -> None:
        """Why the grant could not be prepared or signed; "" takes it away."""
        self._error.setVisible(bool(text))
        if text:
            self._error.set("danger", text)

    def show_around(self, text: str) -> None:
        """Whether the network was asked about what is around the grant."""
        self._around.setText(text)
        self._around.setVisible(bool(text))

    def show_unready(self) -> None:
        """Something is wrong or missing: what still stands here is what it was before."""
        self._prepared = None
        self._turn_pale(True)

    def _turn_pale(self, pale: bool) -> None:
        for effect in self._pale:
            effect.setEnabled(pale)

    def show_grant(self, prepared: Prepared, now: int) -> None:
        """Draw a grant; an error stays, for the same grant is drawn again when the network has answered."""
        self._prepared = prepared
        self._turn_pale(False)
        words, findings = prepared.review.words, prepared.review.findings
        self._from.set_phrase(_sender(prepared.claims))
        self._from.setVisible(bool(self._from.text()))
        self._headline.set_phrase(words.headline)
        self._can.set_phrases(words.can)
        self._cannot.set_phrases(words.cannot)
        self._losses.set_phrases(words.most_you_can_lose)
        tone = _tone({finding.level for finding in findings})
        set_property(self._lose, "tone", tone)
        self._lose_title.set_tone(tone)
        clear_layout(self._signs)
        for sign in good_signs(prepared.review, now):
            add_shown(self._signs, _sign(sign))
        self._findings.set_findings(findings)
        less = changes(asked_of(prepared.request), prepared.review.draft, claims=prepared.claims) if prepared.request else ()
        self._less.set_phrases(less)
        self._less_card.setVisible(bool(less))
        self._show_gist(prepared)

    def _show_gist(self, prepared: Prepared) -> None:
        clear_layout(self._gist)
        draft, grant = prepared.review.draft, prepared.review.grant
        for line in (
            "DeferredAction",
            tr("entity {entity_id} · sequence {sequence}", entity_id=draft.entity_id, sequence=draft.sequence),
            tr("deadline {expiry}", expiry=draft.expiry or "none"),
            tr("call {to_hex}… ({count} bytes)", to_hex=to_hex(grant.call[:4]), count=len(grant.call)),
        ):
            add_shown(self._gist, PhraseLabel(Phrase((Part(line, Style.CODE),)), size=theme.SMALL, tone="muted"))
        digest = prepared.review.digest
        self._digest.set_digest(to_hex(digest), digest_words(digest))

    def _show_fields(self) -> None:
        if self._prepared is not None:
            table = FieldTable(self._prepared.review.words.signed)
            note = Muted(tr("The signature is over the digest of these fields (EIP-712)."))
            LongDialog(self, tr("What you sign, every field"), table, note).open()

    def first(self) -> QWidget:
        return self._every


class LongDialog(Dialog):
    """More to read than fits: `parts` one under the other, scrolling."""

    def __init__(self, parent: QWidget, title: str, *parts: QWidget) -> None:
        super().__init__(title, parent.window(), width=80 * theme.GRID)
        scroller = QScrollArea()
        scroller.setWidgetResizable(True)
        scroller.setFrameShape(QFrame.Shape.NoFrame)
        scroller.setMinimumHeight(theme.space(48))
        scroller.setAccessibleName(title)
        content = QWidget()
        content.setProperty("surface", "page")
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, theme.space(1), 0)
        rows.setSpacing(theme.space(1))
        for part in parts:
            rows.addWidget(part)
        rows.addStretch(1)
        scroller.setWidget(content)
        self.body.addWidget(scroller)
        self.buttons.addWidget(primary(tr("&Close"), self.accept))


def _paling(card: QWidget) -> QGraphicsOpacityEffect:
    """What a card shows may be out of date while something is being changed; switched on then."""
    effect = QGraphicsOpacityEffect(card)
    effect.setOpacity(_PALE)
    effect.setEnabled(False)
    card.setGraphicsEffect(effect)
    return effect


def _sender(claims: Claims) -> Phrase:
    """Who asks, in their own words and marked so."""
    parts = []
    if claims.dapp_name:
        parts += [Part(tr("The sender calls itself ")), Part(claims.dapp_name, Style.CLAIM)]
    if claims.dapp_url:
        parts += [Part(tr(", from ") if parts else tr("The sender names ")), Part(claims.dapp_url, Style.CLAIM)]
    return Phrase(tuple(parts))


def _tone(levels: set[Level]) -> str:
    if Level.DANGER in levels or Level.REFUSED in levels:
        return "bad"
    return "warn" if Level.WARNING in levels else "good"


def _sign(text: str) -> QWidget:
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.space(1))
    row.addWidget(Icon("check", "good"))
    row.addWidget(Label(text, size=theme.SMALL), 1)
    return line
