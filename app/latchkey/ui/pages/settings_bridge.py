"""dApps on this computer: the bridge's switch and port, and who was let in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latchkey.core.words_pieces import say, strong
from latchkey.errors import BadInput, LatchkeyError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.times import age
from latchkey.ui.widgets import (
    Body,
    Card,
    Chip,
    Code,
    Field,
    Heading,
    Line,
    Muted,
    PhraseLabel,
    add_shown,
    clear_layout,
    confirm,
    line_edit,
    secondary,
    short_address,
)

if TYPE_CHECKING:
    from latchkey.store.pairings import Pairing

_WHAT = tr(
    "Lets web pages and programs on this computer ask Latchkey for sessions. Each has to be let in by you first, and every grant still "
    "needs your yes at the desk. Nothing from outside this computer is answered."
)


class BridgeCard(Card):
    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        top = QHBoxLayout()
        top.setSpacing(theme.space(1))
        top.addWidget(Heading(tr("dApps on this computer")))
        self.chip = Chip()
        top.addWidget(self.chip)
        top.addStretch(1)
        self.switch = secondary(tr("Turn on"), self._switch)
        top.addWidget(self.switch)
        self.body.addLayout(top)
        self.body.addWidget(Body(_WHAT, tone="muted"))
        self.address = Code()
        self.address.setAccessibleName(tr("Address of the bridge"))
        self.body.addWidget(self.address)
        self.port = Field(tr("Port"), line_edit(limit=5), hint=tr("From 1024 to 65535. Pages look for Latchkey at 41571."))
        self.port.editor.setMaximumWidth(theme.space(40))
        self.port.editor.editingFinished.connect(self._take_port)
        self.body.addWidget(self.port)
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(1.5))
        self.body.addLayout(self._list)
        self._shown: Any = None
        self._follows = False
        context.changed.connect(lambda what: self.refresh() if what == "settings" else None)

    def refresh(self) -> None:
        """Show what is so now."""
        bridging = self._context.bridging
        if bridging is None or not self._context.is_loaded:
            return
        if not self._follows:
            bridging.changed.connect(self.refresh)
            self._follows = True
        settings = self._context.settings
        self._show_state(settings.bridge, settings.bridge_port)
        if not self.port.editor.hasFocus():
            self.port.editor.setText(str(settings.bridge_port))
        pairings = bridging.host.pairings.all()
        if pairings != self._shown:
            self._shown = pairings
            self._show_pairings(pairings)

    def _show_state(self, is_on: bool, port: int) -> None:
        from latchkey.flow.bridge import BridgeState

        says = {
            BridgeState.OFF: (tr("Off"), "muted", ""),
            BridgeState.STARTING: (tr("Starting"), "muted", ""),
            BridgeState.LISTENING: (tr("On"), "good", ""),
            BridgeState.PORT_TAKEN: (tr("Not running"), "bad", tr("Another program has this port. Choose another one.")),
            BridgeState.ENDED: (tr("Not running"), "bad", tr("It ended unexpectedly. Turn it off and on again.")),
        }
        bridging = self._context.bridging
        assert bridging is not None
        text, tone, fault = says[bridging.host.state if is_on else BridgeState.OFF]
        self.chip.set_state(text, tone)
        self.switch.setText(tr("Turn off") if is_on else tr("Turn on"))
        self.switch.setAccessibleName(tr("Turn the bridge off") if is_on else tr("Turn the bridge on"))
        self.address.setText(f"http://127.0.0.1:{port}")
        self.address.setVisible(is_on and not fault)
        self.port.set_error(fault)

    def _switch(self) -> None:
        self._keep(bridge=not self._context.settings.bridge)

    def _take_port(self) -> None:
        text = self.port.editor.text().strip()
        if text != str(self._context.settings.bridge_port):
            self._keep(bridge_port=int(text) if text.isdecimal() else 0)

    def _keep(self, **changes: Any) -> None:
        try:
            self._context.change_settings(**changes)
        except BadInput:
            self.port.set_error(tr("A port is a whole number from 1024 to 65535."))
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)

    # --- who was let in

    def _show_pairings(self, pairings: tuple[Pairing, ...]) -> None:
        clear_layout(self._list)
        if pairings:
            add_shown(self._list, Line())
        for pairing in pairings:
            add_shown(self._list, _PairingRow(pairing, self._context.clock(), partial(self._ask, pairing)))

    def _ask(self, pairing: Pairing) -> None:
        sentence = say("{who} is not answered any more. The sessions it has stay as they are.", who=strong(_who(pairing)))
        confirm(self, tr("Remove this pairing?"), sentence, tr("Remove"), partial(self._remove, pairing), danger=True)

    def _remove(self, pairing: Pairing) -> None:
        bridging = self._context.bridging
        assert bridging is not None
        try:
            bridging.host.unpair(pairing.id)
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)


class _PairingRow(QWidget):
    """Who it is, what it sees, since when, and when it was last here."""

    def __init__(self, pairing: Pairing, now: int, remove: Any) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(1.5))
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(PhraseLabel(_who(pairing), strong=True))
        sees = tr("sees {account}", account=short_address(pairing.account)) if pairing.account else tr("sees no account")
        here = tr("let in {since}, here {seen}", since=age(now - pairing.since), seen=age(now - pairing.seen))
        texts.addWidget(Muted(f"{sees} · {here}"))
        row.addLayout(texts, 1)
        button = secondary(tr("Remove…"), remove)
        button.setAccessibleName(tr("Remove {who}", who=_who(pairing)))
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)


def _who(pairing: Pairing) -> str:
    from latchkey.flow.bridge import shown_name

    return shown_name(pairing)
