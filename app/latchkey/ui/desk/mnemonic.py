"""Recovery words: shown once, asked again, or typed in."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from latchkey.core.wordlist import english_words
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.desk.page import Page
from latchkey.ui.desk.secret_edit import SecretEdit
from latchkey.ui.desk.secret_view import COLUMNS, SecretWords, ShowButton
from latchkey.ui.widgets import Label, Muted

SUGGESTED = 6


class ShowMnemonicPage(Page):
    """{words, retry?} -> {}: hidden until asked for, blank again whenever another window has the focus."""

    lingers = True

    def __init__(self, ask: dict[str, Any]) -> None:
        words = ask["words"]
        lead = tr("Write these {count} words on paper, in this order. Whoever has them has the key.", count=len(words))
        super().__init__(tr("Recovery words"), lead, retry=ask.get("retry", ""), go=tr("I have written them down"))
        self.words = SecretWords(words)
        self.show_button = ShowButton(self.words, tr("the words"))
        self.body.addWidget(self.words)
        self.body.addWidget(self.show_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(
            Muted(tr("No photograph, no file, no e-mail. A lost computer without them is a lost key. Some are asked next."))
        )
        self.body.addStretch(1)
        self.go.setEnabled(False)
        self.words.seen.connect(lambda: self.go.setEnabled(True))

    def first(self) -> QWidget:
        return self.show_button

    def hide_secrets(self) -> None:
        self.words.show_words(False)

    def forget(self) -> None:
        self.words.forget()


class WordEdit(SecretEdit):
    """One word: readable while it is being typed, hidden afterwards. Left with the beginning of just one word, it completes it.

    No pop-up list: it would take the keyboard from the field while somebody types on.
    """

    def __init__(self, number: int) -> None:
        super().__init__(tr("Word {number}", number=number))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)  # selects all, so the text is shown only afterwards
        self.show_text(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.show_text(False)
        if len(candidates := self.candidates()) == 1:
            self.setText(candidates[0])
        super().focusOutEvent(event)

    def candidates(self) -> list[str]:
        """Words of the list that begin as typed, once two letters stand there; none when the text is one of them already."""
        typed = self.text().lower()
        found = [word for word in english_words() if word.startswith(typed)] if len(typed) > 1 else []
        return [] if typed in found else found


class WordGrid(QWidget):
    """Numbered words to type, in rows. A space moves on; several words at once (a paste) fill the fields that follow.

    `overflowed` brings a pasted phrase that has more words than there are fields.
    """

    changed = Signal()
    finished = Signal()
    overflowed = Signal(object)

    def __init__(self, positions: list[int]) -> None:
        super().__init__()
        self._all: list[WordEdit] = []
        self._captions: list[Label] = []
        self._count = len(positions)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(8)
        for index, position in enumerate(positions):
            edit, caption = WordEdit(position), _number(position)
            row, column = divmod(index, COLUMNS)
            grid.addWidget(caption, row, 2 * column)
            grid.addWidget(edit, row, 2 * column + 1)
            grid.setColumnStretch(2 * column + 1, 1)
            edit.textChanged.connect(partial(self._typed, index))
            edit.returnPressed.connect(partial(self._next, index))
            edit.installEventFilter(self)
            self._all.append(edit)
            self._captions.append(caption)
        self.hint = Label(size=theme.SMALL, tone="muted", wrap=False, parent=self)
        self.hint.setProperty("kind", "hint")
        self.hint.setAccessibleName(tr("Words that begin so"))
        self.hint.hide()
        grid.setRowMinimumHeight(grid.rowCount(), theme.space(3.5))  # room for it under the last row

    @property
    def edits(self) -> list[WordEdit]:
        return self._all[: self._count]

    def set_count(self, count: int) -> None:
        """Show the first `count` fields and forget what stood in the others."""
        self._count = count
        for index, (edit, caption) in enumerate(zip(self._all, self._captions, strict=True)):
            edit.setVisible(index < count)
            caption.setVisible(index < count)
            if index >= count:
                edit.forget()
        self.changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Backspace in an empty field goes back to the one before; a field that is left takes its suggestions along."""
        if event.type() == QEvent.Type.FocusOut:
            self._show_hint("", self)
            self.changed.emit()
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Backspace:
            index = self._all.index(cast(WordEdit, watched))
            if index and not self._all[index].text():
                self._all[index - 1].setFocus(Qt.FocusReason.BacktabFocusReason)
                return True
        return False

    def words(self) -> list[str]:
        return [edit.text().strip().lower() for edit in self.edits]

    def unknown(self) -> list[int]:
        """Indices of the fields that were left with something that is no word of the list."""
        known = frozenset(english_words())
        return [i for i, edit in enumerate(self.edits) if edit.text() and not edit.hasFocus() and self.words()[i] not in known]

    def complete(self) -> bool:
        return all(self.words())

    def correct(self) -> bool:
        return frozenset(self.words()) <= frozenset(english_words())

    def fill(self, words: list[str]) -> None:
        for edit, word in zip(self.edits, words, strict=False):
            edit.setText(word)

    def take(self) -> list[str]:
        return [edit.take().strip().lower() for edit in self.edits]

    def forget(self) -> None:
        for edit in self._all:
            edit.forget()

    def _typed(self, index: int, text: str) -> None:
        if any(c.isspace() for c in text):
            self._spread(index, text.split())
        else:
            self._suggest(self._all[index])
            self.changed.emit()

    def _suggest(self, edit: WordEdit) -> None:
        found = edit.candidates() if edit.hasFocus() else []
        self._show_hint("   ".join(found[:SUGGESTED]) + (" …" if len(found) > SUGGESTED else ""), edit)

    def _show_hint(self, text: str, edit: QWidget) -> None:
        """Just below the field that it is about, over what is there."""
        self.hint.setText(text)
        self.hint.setVisible(bool(text))
        self.hint.adjustSize()
        self.hint.move(max(0, min(edit.x(), self.width() - self.hint.width())), edit.geometry().bottom() + 2)
        self.hint.raise_()

    def _spread(self, index: int, words: list[str]) -> None:
        """A field got white space: it keeps its first word, the others go on, and the field after the last one is next."""
        if len(words) > self._count - index:
            self._all[index].forget()
            self.overflowed.emit(words)
            return
        self._all[index].setText(words[0] if words else "")
        for edit, word in zip(self.edits[index + 1 :], words[1:], strict=False):
            edit.setText(word)
        if words:
            self._next(index + len(words) - 1)

    def _next(self, index: int) -> None:
        if index + 1 < self._count:
            self._all[index + 1].setFocus(Qt.FocusReason.TabFocusReason)
        else:
            self.finished.emit()


def _number(position: int) -> Label:
    made = Label(str(position), size=theme.SMALL, wrap=False)
    made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    made.setMinimumWidth(20)
    return made


class CheckMnemonicPage(Page):
    """{positions} -> {words}: proof that the words are on paper."""

    lingers = True

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__(tr("Check your paper"), tr("Type these words from what you wrote down."))
        self.grid = WordGrid(ask["positions"])
        self.body.addWidget(self.grid)
        self.body.addStretch(1)
        self.grid.changed.connect(self._refresh)
        self.grid.finished.connect(self.go.setFocus)
        self._refresh()

    def first(self) -> QWidget:
        return self.grid.edits[0]

    def accept(self) -> None:
        self.answered.emit({"words": self.grid.take()})

    def forget(self) -> None:
        self.grid.forget()

    def _refresh(self) -> None:
        self.go.setEnabled(self.grid.complete())
