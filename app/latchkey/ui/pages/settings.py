"""Settings: one card after the other, and one place for what fails. Whatever touches a secret is asked at the desk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer

from latchkey import __version__
from latchkey.errors import Declined, LatchkeyError, StoreError
from latchkey.language import tr
from latchkey.offline import is_offline
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.settings_keys import KeysCard
from latchkey.ui.pages.settings_privacy import PrivacyCard
from latchkey.ui.pages.settings_security import Ask, ExpertCard, LockCard
from latchkey.ui.pages.settings_system import KeyboardCard, SystemCard
from latchkey.ui.pages.settings_transfer import TransferCard
from latchkey.ui.widgets import (
    Banner,
    Body,
    Card,
    Muted,
    Page,
    PhraseLabel,
    Segmented,
)
from latchkey.ui.widgets.surfaces import bring_into_sight

_LOOKS = (("system", tr("As the system")), ("light", tr("Light")), ("dark", tr("Dark")))


class SettingsPage(Page):
    def __init__(self, context: Context) -> None:
        super().__init__(tr("Settings"))
        self._context = context
        self.fault = Banner("danger")
        self.fault.hide()
        self.body.addWidget(self.fault)
        online = () if is_offline() else self._online()
        self.security = LockCard(context, self._asker("security"), partial(self._keep, "security"), partial(self._warn, "security"))
        self.keys, self.experts = KeysCard(context, self._asker("keys")), ExpertCard(context, self._asker("experts"))
        self.transfer = TransferCard(context)
        self.privacy = PrivacyCard(context)
        self.system = SystemCard(context, partial(self._keep, "system"))
        for card in (
            self._looks(), self.security, self.keys, *online, self.experts, self.system, KeyboardCard(), self.privacy,
            self.transfer, self._about(),
        ):  # fmt: skip
            self.body.addWidget(card)
        self.body.addStretch(1)
        context.changed.connect(lambda what: self._show() if what in ("status", "settings") else None)
        self._show()

    def enter(self, payload: object) -> None:
        """`payload` "networks" or "bridge": that section."""
        self.fault.hide()
        if not is_offline():
            self.networks.refresh()
            self.bridge.refresh()
        section = None if is_offline() else {"networks": self.networks, "bridge": self.bridge}.get(str(payload))
        if section is not None:
            QTimer.singleShot(0, lambda: self.scroller.verticalScrollBar().setValue(section.y()))
        self._context.ask_signer(lambda client: client.status(), lambda _status: self._show(), failed=self._failed, owner=self)

    def _online(self) -> tuple[Card, ...]:
        """What only a program with a network has; an offline one cannot even load it."""
        from latchkey.ui.pages.break_glass import BreakGlassCard
        from latchkey.ui.pages.networks import NetworksCard
        from latchkey.ui.pages.settings_bridge import BridgeCard
        from latchkey.ui.pages.settings_wallet_api import WalletApiCard

        self.networks, self.break_glass = NetworksCard(self._context), BreakGlassCard(self._context)
        self.bridge, self.wallet_api = BridgeCard(self._context), WalletApiCard(self._context, self._asker("wallet_api"))
        return self.networks, self.break_glass, self.bridge, self.wallet_api

    # --- how it looks

    def _looks(self) -> Card:
        card = Card(tr("Appearance"))
        self.looks = Segmented(_LOOKS, name=tr("Appearance"), value=str(self._context.settings.appearance))
        self.looks.changed.connect(self._dress)
        card.body.addWidget(self.looks)
        return card

    def _dress(self, chosen: str) -> None:
        from PySide6.QtWidgets import QApplication

        from latchkey.store.settings import Appearance

        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.dress(app, Appearance(chosen).value)
        self._keep("", appearance=Appearance(chosen))

    def _about(self) -> Card:
        card = Card(tr("About"))
        card.body.addWidget(Body(tr("Latchkey {version}. Free software under the MIT licence.", version=__version__)))
        card.body.addWidget(Muted(tr("Vault, book and settings are kept in")))
        card.body.addWidget(PhraseLabel(str(self._context.data_dir.root), size=theme.SMALL))
        return card

    # --- showing

    def _show(self) -> None:
        """As it is kept: an import may have changed it."""
        self.looks.set_value(self._context.settings.appearance.value)
        self.system.refresh()
        for card in (self.security, self.keys, self.experts):
            card.refresh()

    def _asker(self, card: str) -> Ask:
        """For the card of this name: asks the signer, `news` once it is done; what fails is told right above the card."""

        def ask_signer(ask: Callable[[Any], Any], news: str, then: Callable[[Any], object] | None = None) -> None:
            def done(answer: Any) -> None:
                if news:
                    self._context.say(news)
                if then is not None:
                    then(answer)

            self.fault.hide()
            self._context.ask_signer(ask, done, failed=partial(self._failed, card=card), owner=self)

        return ask_signer

    def _keep(self, card: str, **changes: Any) -> None:
        self.fault.hide()
        try:
            self._context.change_settings(**changes)
        except StoreError as error:
            self._show_fault("danger", error.text, card, tr("The change holds until Latchkey is closed."))

    def _warn(self, card: str, sentence: str) -> None:
        """What was done, but not all of it; "" for nothing."""
        if sentence:
            self._show_fault("warning", sentence, card)

    def _failed(self, error: LatchkeyError, card: str = "") -> None:
        if not isinstance(error, Declined):
            self._show_fault("danger", error.text, card)

    def _show_fault(self, level: str, sentence: str, card: str, advice: str = "") -> None:
        """Above the card that asked, where the eyes are; at the top for none."""
        self.body.removeWidget(self.fault)
        self.body.insertWidget(self.body.indexOf(getattr(self, card)) if card else 0, self.fault)
        self.fault.set(level, sentence, advice)
        self.fault.show()
        bring_into_sight(self.fault)
