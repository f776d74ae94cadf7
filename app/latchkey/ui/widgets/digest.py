"""The digest that is signed, as eight words and in hexadecimal: drawn alike wherever it stands, so that two screens can be compared.

DigestView(columns=4)       set_digest("0x5f…", words)
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from latchkey.core.phrases import Style
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets.text import Label, PhraseLabel, phrase


class DigestView(QWidget):
    """Numbered words over the digest itself. `columns`: of words; they read row by row."""

    def __init__(self, *, columns: int = 4, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns = columns
        self._words = QGridLayout()
        self._words.setHorizontalSpacing(theme.space(1.5))
        self._words.setVerticalSpacing(theme.space(0.5))
        self._words.setColumnStretch(columns, 1)
        self._cells: list[Label] = []
        self._hex = PhraseLabel(size=theme.SMALL, tone="muted")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1))
        rows.addLayout(self._words)
        rows.addWidget(self._hex)

    def set_digest(self, digest: str, words: Sequence[str]) -> None:
        """`digest`: 0x and hexadecimal digits; `words`: those whoever shows it made from it."""
        for index in range(len(self._cells), len(words)):
            self._cells.append(Label(size=theme.SMALL, mono=True, wrap=False))
            self._words.addWidget(self._cells[index], *divmod(index, self._columns))
        for number, (cell, word) in enumerate(zip(self._cells, words, strict=True), 1):
            cell.setText(f"{number} {word}")
        self._hex.set_phrase(phrase(digest, Style.CODE))
        self.setAccessibleName(tr("Digest in words: {words}. In hexadecimal: {digest}", words=" ".join(words), digest=digest))
