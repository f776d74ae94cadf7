"""One request, whole: who asks, how it came, everything it asks for, and what became of it."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from latchkey.core.request import SessionRequest
from latchkey.flow.requests import Record
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.request_rows import SOURCES, answer_line, asks, who
from latchkey.ui.times import utc_time
from latchkey.ui.widgets import Dialog, FieldTable, Heading, PhraseLabel, PhraseList, primary

_TALLEST = 52 * theme.GRID


class DetailsDialog(Dialog):
    def __init__(self, context: Context, parent: QWidget, record: Record) -> None:
        super().__init__(who(record), parent.window(), width=80 * theme.GRID)
        now = context.clock()
        content = QWidget()
        content.setProperty("surface", "page")
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, theme.space(1), 0)
        rows.setSpacing(theme.space(1))
        if said := answer_line(record, now):
            rows.addWidget(PhraseLabel(said, strong=True))
        rows.addWidget(Heading(tr("It asks for")))
        rows.addWidget(PhraseList(asks(record, context.book.accounts(), now)))
        rows.addWidget(Heading(tr("Who asks")))
        rows.addWidget(FieldTable(_fields(record, now)))
        rows.addStretch(1)
        scroller = QScrollArea()
        scroller.setWidgetResizable(True)
        scroller.setFrameShape(QFrame.Shape.NoFrame)
        scroller.setAccessibleName(who(record))
        scroller.setWidget(content)
        scroller.setMinimumHeight(min(_TALLEST, content.sizeHint().height() + theme.space(2)))
        self.body.addWidget(scroller)
        self.buttons.addWidget(primary(tr("&Close"), self.accept))


def _fields(record: Record, now: int) -> list[tuple[str, str]]:
    """Label and value; what the sender says about itself is marked as its word."""
    fields = [
        (tr("Came"), f"{utc_time(record.arrived_at, now)}, {SOURCES[record.source]}"),
        (tr("Sender"), tr("proven: {origin}", origin=record.origin) if record.proven else tr("not proven")),
        (tr("Request id"), record.request_id),
    ]
    request = record.request
    if isinstance(request, SessionRequest):
        claims = request.claims
        fields += [
            (tr("Calls itself"), claims.dapp_name),
            (tr("Names this address"), claims.dapp_url),
            (tr("Session key"), request.session_key or tr("to be made here")),
            (tr("Answer may go to"), request.callback),
        ]
    return [(label, value) for label, value in fields if value]
