"""This machine: which fences the offline profile has up, and what of the machine looks online."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latchkey import offline
from latchkey.language import tr
from latchkey.store.machine import Sign, look
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.tasks import Job
from latchkey.ui.widgets import Banner, Body, Card, Icon, Muted, Page, clear_layout, confirm, secondary

_FENCES = (
    ("seccomp", tr("The system refuses this program every network socket; this cannot be undone while it runs.")),
    ("audit", tr("The program refuses itself every network socket.")),
    ("imports", tr("Nothing that speaks to a network can be loaded.")),
)
_MARK = tr(
    "From now on Latchkey starts offline with this data folder: it can sign, and show and read QR codes, and never reach a network."
)


class MachinePage(Page):
    """The self-check. Looks again each time it is shown."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("This machine"))
        self._context = context
        self.verdict = QVBoxLayout()
        self.signs = QVBoxLayout()
        for rows in (self.verdict, self.signs):
            rows.setSpacing(theme.space(1))
        self.body.addLayout(self.verdict)
        card = Card(tr("What of it looks online"))
        card.body.addLayout(self.signs)
        card.body.addSpacing(theme.space(1))
        row = QHBoxLayout()
        self.again = secondary(tr("Look again"), self.enter)
        row.addWidget(self.again)
        row.addStretch(1)
        card.body.addLayout(row)
        self.body.addWidget(card)
        self.body.addWidget(self._program())
        self.body.addStretch(1)

    def enter(self, _payload: object = None) -> None:
        self._context.tasks.run(_look, self._show, owner=self)

    def _show(self, signs: tuple[Sign, ...]) -> None:
        clear_layout(self.signs)
        clear_layout(self.verdict)
        self.verdict.addWidget(_verdict(signs))
        for sign in sorted(signs, key=lambda s: s.online is False):
            self.signs.addWidget(_line("warning" if sign.online else "info" if sign.online is None else "check", sign.text))

    def _program(self) -> Card:
        card = Card(tr("This program"))
        if offline.is_offline():
            for name, sentence in _FENCES:
                stands = name in offline.fences()
                card.body.addWidget(
                    _line(
                        "check" if stands else "warning",
                        sentence if stands else tr("Not on this system: {sentence}", sentence=sentence),
                    )
                )
            return card
        card.body.addWidget(Body(tr("Latchkey may use the network here, when you ask it to read or send something.")))
        card.body.addWidget(Muted(tr("On a machine that signs for others by QR code, start it offline.")))
        row = QHBoxLayout()
        self.mark = secondary(tr("Always start offline here…"), lambda: ask_to_stay_offline(self._context, self))
        row.addWidget(self.mark)
        row.addStretch(1)
        card.body.addLayout(row)
        return card


def ask_to_stay_offline(context: Context, parent: QWidget) -> None:
    """Ask, then mark the data folder and start again without any network."""
    text = tr("{mark} To undo it, remove the file “{marker}” from the data folder.", mark=_MARK, marker=offline.MARKER)
    confirm(parent, tr("Always start offline?"), text, tr("Start offline"), context.go_offline)


def _look(_job: Job) -> tuple[Sign, ...]:
    return look()


def _verdict(signs: tuple[Sign, ...]) -> QWidget:
    if any(sign.online for sign in signs):
        return Banner("warning", tr("This machine looks online."), tr("A key that is to stay cold should not be opened here."))
    if any(sign.online is None for sign in signs):
        return Banner("notice", tr("Latchkey cannot tell whether this machine is online."))
    return Banner(
        "good",
        tr("Nothing of this machine looks online."),
        tr("Radios and cards that are switched off can be switched on: best is to have none."),
    )


def _line(icon: str, text: str) -> QWidget:
    tones = {"check": "good", "warning": "warn"}
    line = QWidget()
    row = QHBoxLayout(line)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.space(1))
    row.addWidget(Icon(icon, tones.get(icon, "muted")))
    row.addWidget(Body(text), 1)
    return line
