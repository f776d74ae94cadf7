"""A signed ending that came in by itself: what it does, who signed it, and one button that sends it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from latchkey.codec.hand_over import Envelope
from latchkey.core.digest_words import digest_words
from latchkey.core.phrases import Level, Phrase
from latchkey.core.types import to_hex
from latchkey.core.words_pieces import address_part, phrase
from latchkey.errors import LatchkeyError
from latchkey.flow.ending import Ending
from latchkey.flow.ending_envelopes import review_envelope
from latchkey.flow.ending_plan import RevokeAll
from latchkey.flow.ending_sheet import Job
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.ending_parts import ResultsCard
from latchkey.ui.pages.working_sheet import Say, WorkingSheet
from latchkey.ui.widgets import Banner, Card, DigestView, Heading, Muted, PhraseLabel, PhraseList, danger, secondary


def open_answer(context: Context, parent: QWidget, envelope: Envelope) -> AnswerSheet:
    sheet = AnswerSheet(context, parent, envelope)
    sheet.open()
    return sheet


class AnswerSheet(WorkingSheet):
    def __init__(self, context: Context, parent: QWidget, envelope: Envelope) -> None:
        super().__init__(context, parent, tr("Send what was signed elsewhere"))
        self._envelope = envelope
        self.close_button = secondary(tr("&Close"), self.reject)
        self.go = danger(tr("&Send it"), self.send)
        self.choices(self.close_button, self.go)
        self.stage.hide()
        self.bar.hide()
        self._show_words()

    def _show_words(self) -> None:
        try:
            reviewed, signer = review_envelope(self._envelope, now=self._context.clock())
        except LatchkeyError as error:
            self.show_parts(Banner(Level.DANGER, tr("This cannot be sent."), error.text))
            self.offer(self.close_button, focus=self.close_button)
            return
        words, card = reviewed.words, Card()
        card.body.addWidget(PhraseLabel(words.headline))
        for title, phrases in zip(
            (words.headings.can, words.headings.cannot, words.headings.most),
            (words.can, words.cannot, words.most_you_can_lose),
            strict=True,
        ):
            card.body.addWidget(Heading(title))
            card.body.addWidget(PhraseList(phrases))
        by: Phrase = phrase(tr("Signed by "), address_part(signer)) if signer else phrase(tr("Not signed."))
        card.body.addWidget(PhraseLabel(by, tone="muted"))
        card.body.addSpacing(theme.space(1))
        card.body.addWidget(Muted(tr("The machine that signed it has shown the same words:")))
        digest = DigestView()
        digest.set_digest(to_hex(reviewed.digest), digest_words(reviewed.digest))
        card.body.addWidget(digest)
        self.show_parts(card)
        self.offer(self.close_button, self.go, focus=self.go)

    def failed(self, error: LatchkeyError) -> None:
        super().failed(error)
        self.offer(self.close_button, self.go, focus=self.close_button)

    def send(self) -> None:
        context, envelope = self._context, self._envelope
        assert envelope.account is not None
        account = envelope.account
        ending = Ending(context.book, lambda: context.client, context.chains, context.clock)

        def work(say: Say) -> object:
            view = context.sessions.cached(account) or context.sessions.refresh(account, stop=self.stopped)
            say(tr("Checking the signature."))
            return Job(view, RevokeAll(), results=ending.accept(envelope, say, self.stopped))

        self.run(work, self._sent, tr("Reading the account."))

    def _sent(self, job: object) -> None:
        assert isinstance(job, Job)
        self.show_parts(ResultsCard(job))
        self.offer(self.close_button, focus=self.close_button)
        self._context.changed.emit("sessions")
