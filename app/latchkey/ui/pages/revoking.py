"""A request to end sessions: opens the sheet of endings for exactly those, as if the person had chosen them."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from latchkey.core.request import RevocationRequest
from latchkey.errors import LatchkeyError
from latchkey.flow.request_endings import account_of, to_end
from latchkey.flow.requests import Answer, Record, RequestState
from latchkey.flow.session_rows import View
from latchkey.language import tr
from latchkey.ui.context import Context
from latchkey.ui.widgets.dialogs import is_asking


def open_revocation(context: Context, parent: QWidget, record: Record) -> None:
    """Read the account if it never was, then show what ends. What has ended already answers the request by itself; what ends now is
    told by the bridge, which watches for it."""
    request = record.request
    assert isinstance(request, RevocationRequest)
    account = account_of(request, context.book)
    if account is None:
        context.say(tr("This account is not in your list; add it under Accounts first."))
        return

    def work(_job: object) -> View:
        return context.sessions.cached(account) or context.sessions.refresh(account)

    def read(view: View) -> None:
        what = to_end(request, view)
        if what and is_asking():  # came up while the account was read
            context.say(tr("It waits under Requests."))
            return
        if what:
            from latchkey.ui.pages.ending import open_ending

            open_ending(context, parent, [view] * len(what), what)
            return
        try:
            context.requests.answer(record.id, Answer(RequestState.GRANTED))
        except LatchkeyError as error:
            context.tasks.failed.emit(error)
        else:
            context.say(tr("Nothing of it is there any more: it has ended already."))

    context.tasks.run(work, read, owner=parent)
