"""What leaves this computer, and what is kept on it: a card in Settings, and the page with every request that can be made.

PrivacyCard(context)    for Settings; leads to the pages "privacy" and "log"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout

from latchkey.language import tr
from latchkey.offline import is_offline
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Banner, Body, Card, Muted, Page, PhraseLabel, secondary

if TYPE_CHECKING:
    from latchkey.chain.outgoing import Outgoing

_WHAT = tr(
    "Latchkey asks nothing of any network until you set an address for it and ask for something. It has no account with anybody, "
    "counts nothing, reports nothing and looks for no updates."
)
_OFFLINE = tr(
    "This Latchkey is offline. It makes no request of any kind: on Linux the system itself refuses it every network socket."
)
_BUS = tr(
    "The desktop's message bus, on this computer: when the computer sleeps or its screen is locked; notifications; and the keyring, only "
    "if you chose it."
)
_BRIDGE = tr("dApps in your browser, on this computer: they come to Latchkey, and only if you switched the bridge on.")
_OTHERS = tr("Links are opened by your browser, and only when you press one. Fonts, pictures and prices are never fetched.")


class PrivacyCard(Card):
    def __init__(self, context: Context) -> None:
        super().__init__(tr("Privacy"))
        self.body.addWidget(Body(_OFFLINE if is_offline() else _WHAT))
        self.requests = secondary(tr("Every request it can make…"), lambda: context.navigate("privacy"))
        self.log = secondary(tr("Log and fault reports…"), lambda: context.navigate("log"))
        row = QHBoxLayout()
        row.setSpacing(theme.space(1.5))
        row.addWidget(self.requests)
        row.addWidget(self.log)
        row.addStretch(1)
        self.body.addLayout(row)


class PrivacyPage(Page):
    """Made of `chain.outgoing`, which stands beside the code that makes the requests."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Every request Latchkey can make"))
        self.header.addWidget(secondary(tr("Settings"), lambda: context.navigate("settings"), icon_name="back"))
        if is_offline():
            self.body.addWidget(Banner("good", _OFFLINE))
        else:
            from latchkey.chain.outgoing import OUTGOING

            self.body.addWidget(Body(_WHAT))
            for one in OUTGOING:
                self.body.addWidget(_card(one))
        near = Card(tr("On this computer"))
        for text in (_BUS, _BRIDGE, _OTHERS):
            near.body.addWidget(Body(text))
        self.body.addWidget(near)
        self.body.addStretch(1)


def _card(one: Outgoing) -> Card:
    card = Card(one.what)
    rows = QGridLayout()
    rows.setHorizontalSpacing(theme.space(2))
    rows.setVerticalSpacing(theme.space(0.5))
    rows.setColumnMinimumWidth(0, theme.space(12))
    rows.setColumnStretch(1, 1)
    texts = ((tr("To"), one.to), (tr("When"), one.when), (tr("It learns"), one.reveals))
    for number, (label, text) in enumerate(texts):
        rows.addWidget(Muted(label, wrap=False), number, 0, Qt.AlignmentFlag.AlignTop)
        rows.addWidget(Body(text), number, 1)
    rows.addWidget(Muted(tr("Asked"), wrap=False), len(texts), 0, Qt.AlignmentFlag.AlignTop)
    rows.addWidget(PhraseLabel(", ".join(one.methods), size=theme.SMALL, tone="muted"), len(texts), 1)
    card.body.addLayout(rows)
    return card
