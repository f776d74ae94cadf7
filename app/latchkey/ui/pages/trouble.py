"""When the book cannot be opened: what happened, where the files are, and what can be done. Nothing is changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout

from latchkey.errors import LatchkeyError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import Banner, Body, Card, Page, PhraseLabel, confirm, primary, secondary

_ASIDE = tr(
    "The damaged book stays in the folder under another name, and an empty one is started. Your keys are in the vault and stay; accounts "
    "are named anew, and what is active on the chain is read from there. What you signed and did not hand over yet is in the old book only."
)


class TroublePage(Page):
    """`aside`: puts the book out of the way and starts an empty one; None where that would not help."""

    def __init__(
        self, error: LatchkeyError, folder: Path, again: Callable[[], object], aside: Callable[[], object] | None = None
    ) -> None:
        super().__init__(tr("Latchkey cannot start"))
        self.body.addWidget(Banner("danger", error.text))
        card = Card(tr("Your files are here"))
        card.body.addWidget(PhraseLabel(str(folder), size=theme.SMALL))
        card.body.addWidget(Body(tr("Nothing was changed. Keys are in the vault file, which is not touched by this.")))
        card.body.addSpacing(theme.space(1))
        row = QHBoxLayout()
        row.setSpacing(theme.space(1.5))
        row.addWidget(primary(tr("Try again"), again))
        if aside is not None:
            title, verb = tr("Start with an empty book?"), tr("Start with an empty book")
            row.addWidget(secondary(tr("Start with an empty book…"), lambda: confirm(self, title, _ASIDE, verb, aside)))
        row.addStretch(1)
        card.body.addLayout(row)
        self.body.addWidget(card)
        self.body.addStretch(1)
