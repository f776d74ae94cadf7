"""What this dApp or key holds already, and what is to become of it when another grant is given."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QVBoxLayout

from latchkey.core.phrases import Phrase
from latchkey.flow import similar
from latchkey.flow.similar import Similar
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import Card, Heading, Line, PhraseLabel, PhraseList, Tile, add_shown, clear_layout

_CHOICES = (
    ("keep", tr("Keep both"), tr("Both work, each with its own limits; what they may spend adds up.")),
    ("replace", tr("Replace it"), tr("The new one is signed now and stays here until the old one is gone from the chain.")),
    ("leave", tr("Leave it"), tr("Nothing is granted; what it holds stays as it is.")),
)


class SimilarCard(Card):
    """`decided(choice)`: "keep", "replace" or "leave"."""

    decided = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._heading = Heading(tone="warn")
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(1))
        self._group = QButtonGroup(self)
        self.tiles: dict[str, Tile] = {}
        grid = QGridLayout()
        grid.setSpacing(theme.space(1.5))
        for column, (key, title, text) in enumerate(_CHOICES):
            self.tiles[key] = tile = Tile(title, text)
            tile.clicked.connect(lambda _checked=False, key=key: self.decided.emit(key))
            self._group.addButton(tile)
            grid.addWidget(tile, 0, column)
            grid.setColumnStretch(column, 1)
        self.body.addWidget(self._heading)
        self.body.addLayout(self._list)
        self.body.addSpacing(theme.space(0.5))
        self.body.addLayout(grid)
        self.hide()

    def show_similar(self, found: tuple[Similar, ...], changes: dict[int, tuple[Phrase, ...]], choice: str, now: int) -> None:
        """`changes`: how the new grant differs from each, by entity id. `choice`: what was decided, "" for nothing yet."""
        self.setVisible(bool(found))
        if not found:
            return
        self._heading.setText(similar.title(found))
        clear_layout(self._list)
        for number, one in enumerate(found):
            if number:
                add_shown(self._list, Line())
            first, *rest = similar.lines(one, now)
            add_shown(self._list, PhraseLabel(first))
            add_shown(self._list, PhraseList(rest, size=theme.SMALL + 1))
            if changes.get(one.entity_id):
                add_shown(self._list, PhraseLabel(tr("Compared with it, the new one gives"), size=theme.SMALL, tone="muted"))
                add_shown(self._list, PhraseList(changes[one.entity_id], size=theme.SMALL + 1, tone="accent"))
        self._group.setExclusive(False)
        for key, tile in self.tiles.items():
            tile.setChecked(key == choice)
        self._group.setExclusive(True)
