"""Saying no to a request: with one of a few reasons or one's own, which is what whoever asked is told."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QRadioButton, QWidget

from latchkey.core.callback import host_of, with_refusal
from latchkey.core.request import SessionRequest
from latchkey.errors import LatchkeyError
from latchkey.flow.requests import OTHER, REASONS, Answer, Record, refusal
from latchkey.language import tr
from latchkey.store.requests import MAX_REASON
from latchkey.ui.context import Context
from latchkey.ui.pages.request_rows import who
from latchkey.ui.pages.returning import offer_return
from latchkey.ui.widgets import CheckBox, Dialog, Muted, danger, line_edit, secondary


class RefuseDialog(Dialog):
    """Refuses `record` when the person agrees."""

    def __init__(self, context: Context, parent: QWidget, record: Record) -> None:
        super().__init__(tr("Refuse this request?"), parent.window())
        self._context, self._window, self._record = context, parent.window(), record
        self.reasons = QButtonGroup(self)
        self.body.addWidget(Muted(self._consequence()))
        for number, (code, text) in enumerate(REASONS.items()):
            choice = QRadioButton(text or tr("In my own words:"))
            choice.setChecked(number == 0)
            self.reasons.addButton(choice, number)
            self.body.addWidget(choice)
            if code == OTHER:
                self._other = choice
        self.own = line_edit(placeholder=tr("One line, no secrets"), limit=MAX_REASON)
        self.own.setAccessibleName(tr("Your own words"))
        self.own.textEdited.connect(lambda _text: self._other.setChecked(True))
        self.body.addWidget(self.own)
        self.mute = CheckBox(tr("Mute this page too: what it asks later is turned away. Undo it under Requests."))
        self.body.addWidget(self.mute)
        self.mute.setVisible(record.proven)
        self.keep = secondary(tr("Keep it open"), self.reject)
        self.go = danger(tr("&Refuse"), self._refuse)
        self.buttons.addWidget(self.keep)
        self.buttons.addWidget(self.go)
        self.go.setDefault(True)
        self.reasons.button(0).setFocus()

    def _consequence(self) -> str:
        callback = _callback(self._record)
        if self._record.proven:
            return tr("{who} is told that you refused, and why.", who=who(self._record))
        if callback:
            return tr("You can take the answer back to {host} afterwards.", host=host_of(callback))
        return tr("Nobody is told by itself: this request did not come over a line that an answer could take.")

    def _refuse(self) -> None:
        self.accept()
        refuse(self._context, self._window, self._record, refusal(list(REASONS)[self.reasons.checkedId()], self.own.text()))
        if self.mute.isChecked():
            self._mute()

    def _mute(self) -> None:
        try:
            self._context.requests.mute(self._record.origin)
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)


def refuse(context: Context, window: QWidget, record: Record, answer: Answer) -> None:
    """Answer it, say so, and offer to take the answer back where the request says."""
    try:
        done = context.requests.answer(record.id, answer)
    except LatchkeyError as error:
        context.tasks.failed.emit(error)
        return
    context.say(tr("Refused.") if done else tr("This request was answered or withdrawn before."))
    callback = _callback(record)
    if done and callback:
        offer_return(window, callback, with_refusal(callback, record.request_id, answer.code, answer.reason))


def _callback(record: Record) -> str:
    return record.request.callback if isinstance(record.request, SessionRequest) else ""
