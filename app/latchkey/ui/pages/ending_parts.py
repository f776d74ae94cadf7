"""What the sheet of endings is made of: what will end on one account, the ways to send it, and what came of each item."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.chain.refusals import coins
from latchkey.core.names import Notes
from latchkey.core.phrases import Level, Part, Phrase, Style
from latchkey.core.types import to_hex
from latchkey.flow.ending_plan import Impossible
from latchkey.flow.ending_results import ItemResult
from latchkey.flow.ending_sheet import Job, title_of, words_of
from latchkey.flow.ending_ways import Way, WayKind
from latchkey.language import tr
from latchkey.store.endings import ItemState
from latchkey.ui import theme
from latchkey.ui.pages.session_rows import account_name
from latchkey.ui.widgets import (
    Banner,
    Card,
    Chip,
    Heading,
    Label,
    Line,
    Muted,
    PhraseLabel,
    PhraseList,
    Tile,
    link,
    short_address,
)

_WAYS = {
    WayKind.BUNDLER: tr("Through a bundler"),
    WayKind.OWNER: tr("By the owner's own transaction"),
    WayKind.SELF: tr("By a key of this vault, for the account"),
    WayKind.EXPORT: tr("Signed on another machine"),
}
_STATES = {
    ItemState.DONE: (tr("Done"), "good"),
    ItemState.FAILED: (tr("Failed"), "bad"),
    ItemState.PENDING: (tr("On its way"), "accent"),
}
_MOST_ROWS = 60  # results that are shown one by one; the rest is counted


class PlanCard(Card):
    """What will end on one account, and how it is sent. `chosen(way)`: another way was picked."""

    chosen = Signal(object)

    def __init__(self, job: Job, now: int, notes: Notes, *, alone: bool) -> None:
        super().__init__()
        self.body.addWidget(Muted(account_name(job.view.account)))
        if job.plan is not None and job.plan.batches:
            self._tell(job, now, notes)
        for sentence in dict.fromkeys(item.note for item in (job.plan.items if job.plan else ()) if item.note):
            self.body.addWidget(Banner(Level.NOTICE, sentence))
        for one in job.plan.impossible if job.plan else ():
            self.body.addWidget(Banner(Level.WARNING, tr("{name} cannot be ended now.", name=_name(job, one)), one.sentence))
        if job.trouble is not None:
            self.body.addWidget(Banner(Level.WARNING, job.trouble.text))
        self.ways = WaysChoice(job.ways, job.way, job.view.account.chain_id, folded=not alone) if job.ways else None
        if self.ways is not None:
            self.ways.chosen.connect(self.chosen)
            self.body.addSpacing(theme.space(0.5))
            self.body.addWidget(self.ways)

    def _tell(self, job: Job, now: int, notes: Notes) -> None:
        assert job.plan is not None
        words = words_of(job.plan, job.view, now, notes)
        self.body.addWidget(PhraseLabel(words.headline, size=theme.BODY + 1))
        for title, phrases, tone in (
            (words.headings.can, words.can, "bad"),
            (words.headings.cannot, words.cannot, "muted"),
        ):
            self.body.addSpacing(theme.space(0.5))
            self.body.addWidget(Heading(title))
            self.body.addWidget(PhraseList(phrases, tone=tone))


class WaysChoice(QWidget):
    """How it may be sent, with what it costs at most and who pays; what is not possible says why. `chosen(way)`."""

    chosen = Signal(object)

    def __init__(self, ways: tuple[Way, ...], best: Way | None, chain_id: int, *, folded: bool) -> None:
        super().__init__()
        self._here = tuple(way for way in ways if way.kind is not WayKind.EXPORT)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1))
        rows.addWidget(Heading(tr("How it is sent")))
        self._line = PhraseLabel(_cost(best, chain_id, named=True) if best else tr("None of the ways is possible from here."))
        rows.addWidget(self._line)
        self._tiles = QWidget()
        inner = QVBoxLayout(self._tiles)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(theme.space(1))
        self._group = QButtonGroup(self)
        for number, way in enumerate(self._here):
            tile = Tile(_WAYS[way.kind], _cost(way, chain_id) if way.possible else way.why_not)
            tile.setCheckable(True)
            tile.setChecked(way is best)
            tile.setEnabled(way.possible)
            self._group.addButton(tile, number)
            inner.addWidget(tile)
        self._group.idClicked.connect(lambda number: self.chosen.emit(self._here[number]))
        rows.addWidget(self._tiles)
        self.more = link(tr("Send it another way"), self._unfold)
        row = QHBoxLayout()
        row.addWidget(self.more)
        row.addStretch(1)
        rows.addLayout(row)
        self._tiles.setVisible(not folded)
        self._line.setVisible(folded)
        self.more.setVisible(folded)

    @property
    def tiles(self) -> list[Tile]:
        return [button for button in self._group.buttons() if isinstance(button, Tile)]

    def _unfold(self) -> None:
        self._line.hide()
        self.more.hide()
        self._tiles.show()
        self._tiles.setFocus()


def _cost(way: Way, chain_id: int, *, named: bool = False) -> str:
    start = tr("{ways}: costs", ways=_WAYS[way.kind]) if named else tr("Costs")
    payer = (
        tr("the account") if way.kind is WayKind.BUNDLER else tr("the owner's key") if way.kind is WayKind.OWNER else tr("the key")
    )
    who = f"{payer} {short_address(str(way.payer))}" if way.payer else payer
    return " ".join(
        filter(
            None,
            (
                tr(
                    "{start} at most {chain_id}, paid by {who}.",
                    start=start,
                    chain_id=coins(chain_id, _rounded_up(way.most)),
                    who=who,
                ),
                way.note,
            ),
        )
    )


def _rounded_up(wei: int) -> int:
    """To four digits: more says nothing about what is a bound."""
    step: int = 10 ** max(0, len(str(wei)) - 4)
    return -(-wei // step) * step


class ResultsCard(Card):
    """What came of each item of one account."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.body.addWidget(Muted(account_name(job.view.account)))
        for number, result in enumerate(job.results[:_MOST_ROWS]):
            if number:
                self.body.addWidget(Line())
            self.body.addWidget(_Result(job, result))
        if (rest := len(job.results) - _MOST_ROWS) > 0:
            done = sum(r.state is ItemState.DONE for r in job.results[_MOST_ROWS:])
            self.body.addWidget(Muted(tr("And {rest} more, {done} of them done. Sessions shows each.", rest=rest, done=done)))
        for one in job.plan.impossible if job.plan else ():
            self.body.addWidget(Banner(Level.WARNING, tr("{name} was left as it is.", name=_name(job, one)), one.sentence))
        if job.trouble is not None:
            self.body.addWidget(
                Banner(Level.DANGER, tr("It was not sent.") if not job.results else tr("It broke off."), job.trouble.text)
            )


class _Result(QWidget):
    def __init__(self, job: Job, result: ItemResult) -> None:
        super().__init__()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, theme.space(0.5), 0, theme.space(0.5))
        rows.setSpacing(theme.space(0.5))
        top = QHBoxLayout()
        title = title_of(job.view, result.kind, result.entity_id, result.grant_id)
        top.addWidget(PhraseLabel(Phrase((Part(title, Style.STRONG),))), 1)
        text, tone = _STATES[result.state]
        top.addWidget(Chip(text, tone))
        rows.addLayout(top)
        rows.addWidget(Label(result.sentence or tr("It is signed, and not sent yet."), tone="" if tone != "bad" else "bad"))
        if result.transaction is not None:
            rows.addWidget(
                PhraseLabel(
                    Phrase((Part(tr("Transaction ")), Part(to_hex(result.transaction), Style.CODE))), size=theme.SMALL, tone="muted"
                )
            )


def _name(job: Job, one: Impossible) -> str:
    return title_of(job.view, one.kind, one.entity_id, one.grant_id)
