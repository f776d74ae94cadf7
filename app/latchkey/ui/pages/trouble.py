"""When the book cannot be opened: what happened, where the files are, and a way to try again. Nothing is changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout

from latchkey.errors import LatchkeyError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import Banner, Body, Card, Page, PhraseLabel, primary


class TroublePage(Page):
    def __init__(self, error: LatchkeyError, folder: Path, again: Callable[[], object]) -> None:
        super().__init__(tr("Latchkey cannot start"))
        self.body.addWidget(Banner("danger", error.text))
        card = Card(tr("Your files are here"))
        card.body.addWidget(PhraseLabel(str(folder), size=theme.SMALL))
        card.body.addWidget(Body(tr("Nothing was changed. Keys are in the vault file, which is not touched by this.")))
        row = QHBoxLayout()
        row.addWidget(primary(tr("Try again"), again))
        row.addStretch(1)
        card.body.addLayout(row)
        self.body.addWidget(card)
        self.body.addStretch(1)
