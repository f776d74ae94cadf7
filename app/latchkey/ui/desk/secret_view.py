"""Secrets that are looked at: the widgets hold no text of theirs while they are hidden."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import Button, Card, Label

COLUMNS = 3
HIDDEN = "••••••"


class SecretWords(Card):
    """A numbered grid of words, read row by row; `show_words` shows and hides them."""

    seen = Signal()
    changed = Signal(bool)

    def __init__(self, words: list[str]) -> None:
        super().__init__()
        self._words = list(words)
        self._labels = [Label(mono=True, wrap=False) for _ in words]
        self.shown = False
        grid = QGridLayout()
        grid.setVerticalSpacing(theme.space(1))
        for index, cell in enumerate(self._labels):
            grid.addWidget(cell, *divmod(index, COLUMNS))
        self.body.addLayout(grid)
        self._draw()

    def show_words(self, shown: bool) -> None:
        if shown == self.shown:
            return
        self.shown = shown
        self._draw()
        self.changed.emit(shown)
        if shown:
            self.seen.emit()

    def forget(self) -> None:
        self.show_words(False)
        self._words = [""] * len(self._words)

    def _draw(self) -> None:
        for number, (cell, word) in enumerate(zip(self._labels, self._words, strict=True), 1):
            cell.setText(f"{number:>2}  {word if self.shown else HIDDEN}")
            cell.setAccessibleName(
                tr("Word {number}: {word}", number=number, word=word) if self.shown else tr("Word {number}, hidden", number=number)
            )


class ShowButton(Button):
    """Shows words on a click or Space, hides them on the next."""

    def __init__(self, words: SecretWords, what: str) -> None:
        super().__init__(tr("Show {what}", what=what), lambda: words.show_words(not words.shown), icon_name="eye")
        words.changed.connect(lambda shown: self._say(f"{'Hide' if shown else 'Show'} {what}"))

    def _say(self, text: str) -> None:
        self.setText(text)
        self.setAccessibleName(text)


class HeldSecret(QWidget):
    """One secret text, on screen only while its button (or Space) is held down."""

    def __init__(self, secret: str, name: str) -> None:
        super().__init__()
        self._secret, self._name = secret, name
        self.text = Label(mono=True)
        self.text.setMinimumHeight(theme.space(6))
        card = Card()
        card.body.addWidget(self.text)
        self.button = Button(tr("Hold to show"), icon_name="eye")
        self.button.pressed.connect(lambda: self._draw(True))
        self.button.released.connect(lambda: self._draw(False))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self._draw(False)

    def hide_secret(self) -> None:
        self.button.setDown(False)
        self._draw(False)

    def forget(self) -> None:
        self._secret = ""
        self.hide_secret()

    def _draw(self, shown: bool) -> None:
        self.text.setText(_breakable(self._secret) if shown else HIDDEN)
        self.text.setAccessibleName(f"{self._name}: {self._secret}" if shown else tr("{name}, hidden", name=self._name))


def _breakable(secret: str) -> str:
    """In groups of eight, so that it wraps and can be compared."""
    mark = secret[:2] if secret.startswith("0x") else ""
    return " ".join(filter(None, [mark, *(secret[i : i + 8] for i in range(len(mark), len(secret), 8))]))
