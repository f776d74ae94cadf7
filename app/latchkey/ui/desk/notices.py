"""Pages that tell: a sentence, a code to write down, a secret to look at."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from latchkey.language import tr
from latchkey.ui.desk.page import Page
from latchkey.ui.desk.secret_view import HeldSecret, SecretWords, ShowButton
from latchkey.ui.widgets import Muted, PhraseLabel


class SayPage(Page):
    """{text} -> {}."""

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__("Latchkey", go="OK", may_stop=False)
        self.body.addWidget(PhraseLabel(ask["text"]))
        self.body.addStretch(1)


class CodePage(Page):
    """{words, purpose} -> {}: the code under which a session key's file was sealed."""

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__(tr("The code"), ask["purpose"], go=tr("Done"), may_stop=False)
        self.words = SecretWords(ask["words"])
        self.show_button = ShowButton(self.words, tr("the code"))
        self.body.addWidget(self.words)
        self.body.addWidget(self.show_button, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(Muted(tr("Tell it to the person or program that has the file, by another way than the file went.")))
        self.body.addStretch(1)

    def first(self) -> QWidget:
        return self.show_button

    def hide_secrets(self) -> None:
        self.words.show_words(False)

    def forget(self) -> None:
        self.words.forget()


class RevealPage(Page):
    """{address, secret} -> {}: a raw key, readable only while a button is held."""

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__(
            tr("Private key"),
            tr("Of {ask}. Whoever has it can do all this key may do.", ask=ask["address"]),
            go=tr("Done"),
            may_stop=False,
        )
        self.secret = HeldSecret(ask["secret"], tr("Private key"))
        self.body.addWidget(self.secret)
        self.body.addStretch(1)

    def first(self) -> QWidget:
        return self.secret.button

    def hide_secrets(self) -> None:
        self.secret.hide_secret()

    def forget(self) -> None:
        self.secret.forget()
