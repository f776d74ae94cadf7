"""A grant that comes back signed: what it says, whose signature it is, the words to compare; and one button that keeps it.

open_grant_answer(context, parent, envelope)
"""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from latchkey.codec.hand_over import Envelope, encode
from latchkey.core.digest_words import digest_words
from latchkey.core.phrases import Level
from latchkey.core.types import to_hex
from latchkey.core.words_pieces import address_part, phrase
from latchkey.errors import LatchkeyError
from latchkey.flow.explain import Explanation, explain
from latchkey.flow.granting import Granting
from latchkey.language import tr
from latchkey.store.records import GrantRecord
from latchkey.ui.context import Context
from latchkey.ui.pages.working_sheet import Say, WorkingSheet
from latchkey.ui.widgets import Banner, Card, DigestView, Heading, Muted, PhraseLabel, PhraseList, primary, secondary


def open_grant_answer(context: Context, parent: QWidget, envelope: Envelope) -> GrantAnswerSheet:
    sheet = GrantAnswerSheet(context, parent, envelope)
    sheet.open()
    return sheet


class GrantAnswerSheet(WorkingSheet):
    def __init__(self, context: Context, parent: QWidget, envelope: Envelope) -> None:
        super().__init__(context, parent, tr("The grant is signed"))
        self._envelope = envelope
        self._granting = Granting(context.book, lambda: context.client, context.clock)
        self.close_button = secondary(tr("&Close"), self.reject)
        self.go = primary(tr("&Keep it"), self.keep)
        self.choices(self.close_button, self.go)
        self.stage.hide()
        self.bar.hide()
        self._show()

    def _show(self) -> None:
        try:
            waiting = self._granting.waiting_for(self._envelope)
            said = explain(encode(self._envelope), now=self._context.clock())
        except LatchkeyError as error:
            self.show_parts(Banner(Level.DANGER, tr("This is not taken."), error.text))
            self.offer(self.close_button, focus=self.close_button)
            return
        self.show_parts(_signature(said), _words(said, waiting.label))
        self.offer(self.close_button, self.go, focus=self.go)

    def failed(self, error: LatchkeyError) -> None:
        super().failed(error)
        self.offer(self.close_button, self.go, focus=self.close_button)

    def keep(self) -> None:
        granting, envelope = self._granting, self._envelope

        def work(_say: Say) -> object:
            return granting.accept_signed(envelope)

        self.run(work, self._kept, tr("Checking the signature."))

    def _kept(self, record: object) -> None:
        assert isinstance(record, GrantRecord)
        self.accept()
        tell_signed(self._context, record)


def tell_signed(context: Context, record: GrantRecord) -> None:
    """A grant of the book has its signature now: whoever asked is answered, and it is shown to be handed over."""
    context.requests.granted(record)
    context.changed.emit("grants")
    context.navigate("signed", record.id)


def _signature(said: Explanation) -> Card:
    card = Card(tr("The signature fits"))
    if said.signer is not None:
        card.body.addWidget(PhraseLabel(phrase(tr("It is over the grant that went out, by "), address_part(said.signer), ".")))
    card.body.addWidget(Muted(tr("The machine that signed it has shown the same words:")))
    digest = DigestView()
    digest.set_digest(to_hex(said.digest), digest_words(said.digest))
    card.body.addWidget(digest)
    return card


def _words(said: Explanation, label: str) -> Card:
    words, card = said.words, Card(label)
    card.body.addWidget(PhraseLabel(words.headline))
    for title, phrases in (
        (words.headings.can, words.can),
        (words.headings.cannot, words.cannot),
        (words.headings.most, words.most_you_can_lose),
    ):
        if phrases:
            card.body.addWidget(Heading(title))
            card.body.addWidget(PhraseList(phrases))
    return card
