"""Who asks: at the top of the review of a request, told apart from what the sender says about itself."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from latchkey.flow.requests import Record, RequestState
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.pages.request_rows import SOURCES, who
from latchkey.ui.times import age
from latchkey.ui.widgets import Banner, Card, Chip, Label, Muted, visible

_OVER = {
    RequestState.WITHDRAWN: tr("Whoever asked has gone: the page was closed, or asked something else."),
    RequestState.EXPIRED: tr("The time this request was for is over."),
    RequestState.GRANTED: tr("This request was granted already."),
    RequestState.REFUSED: tr("This request was refused already."),
}


class AskerCard(Card):
    """Hidden while nothing asks."""

    def __init__(self) -> None:
        super().__init__()
        self.who = Label(weight=theme.font().Weight.DemiBold)
        self.chip = Chip()
        self.how = Muted()
        self.over = Banner("warning")
        top = QHBoxLayout()
        top.setSpacing(theme.space(1))
        top.addWidget(self.who, 1)
        top.addWidget(self.chip)
        rows = QVBoxLayout()
        rows.setSpacing(theme.space(0.25))
        rows.addLayout(top)
        rows.addWidget(self.how)
        self.body.addLayout(rows)
        self.body.addWidget(self.over)
        self.hide()

    def show_record(self, record: Record | None, now: int) -> None:
        """Draw it; None takes it away."""
        self.setVisible(record is not None)
        if record is None:
            return
        self.who.setText(tr("{who} asks", who=visible(record.origin)) if record.proven else who(record))
        self.chip.set_state(*((tr("Sender proven"), "good") if record.proven else (tr("Sender unproven"), "warn")))
        way, ago = SOURCES[record.source], age(max(0, now - record.arrived_at))
        if record.proven and record.origin.startswith("http"):
            text = tr("Your browser vouches for this address. It came {way}, {ago}.", way=way, ago=ago)
        elif record.proven:
            text = tr("A program that you let in. It came {way}, {ago}.", way=way, ago=ago)
        else:
            text = tr("Nothing proves who sent this. It came {way}, {ago}.", way=way, ago=ago)
        self.how.setText(text)
        self.over.setVisible(not record.is_open)
        if not record.is_open:
            self.over.set("warning", _OVER[record.state], tr("It cannot be answered any more; ask the dApp for a new request."))
