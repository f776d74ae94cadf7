"""Settings: how it looks, when it locks, the keys, the networks, the expert switch. Whatever touches a secret is asked at the desk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from latchkey import __version__
from latchkey.errors import Declined, LatchkeyError, StoreError
from latchkey.language import tr, trn
from latchkey.offline import is_offline
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.break_glass import BreakGlassCard
from latchkey.ui.pages.key_card import KeyMaker
from latchkey.ui.pages.networks import NetworksCard
from latchkey.ui.pages.settings_bridge import BridgeCard
from latchkey.ui.pages.settings_privacy import PrivacyCard
from latchkey.ui.pages.settings_transfer import TransferCard
from latchkey.ui.widgets import (
    AddressLabel,
    Banner,
    Body,
    Card,
    Chip,
    Field,
    Heading,
    Line,
    Muted,
    Page,
    PhraseLabel,
    Segmented,
    clear_layout,
    phrase,
    quiet,
    secondary,
)

_LOOKS = (("system", tr("As the system")), ("light", tr("Light")), ("dark", tr("Dark")))
_IDLE = (1, 2, 5, 10, 15, 30, 60)  # minutes
_EXPERT = tr(
    "Lets you grant keys without limits: full control of the account, functions of the account itself, keys that never end. "
    "Leave it off unless you know why you need it. It is kept in the vault and changed at the desk."
)


class SettingsPage(Page):
    def __init__(self, context: Context) -> None:
        super().__init__(tr("Settings"))
        self._context = context
        self.fault = Banner("danger")
        self.fault.hide()
        self.body.addWidget(self.fault)
        self.networks, self.break_glass = NetworksCard(context), BreakGlassCard(context)
        self.bridge = BridgeCard(context)
        if is_offline():
            for card in (self.networks, self.break_glass, self.bridge):
                card.hide()
        self.transfer = TransferCard(context)
        self.privacy = PrivacyCard(context)
        for card in (
            self._looks(), self._locking(), self._keys(), self.networks, self.break_glass, self.bridge, self._experts(), self.privacy,
            self.transfer, self._about(),
        ):  # fmt: skip
            self.body.addWidget(card)
        self.body.addStretch(1)
        context.changed.connect(lambda what: self._show() if what in ("status", "settings") else None)
        self._show()

    def enter(self, payload: object) -> None:
        """`payload` "networks" or "bridge": that section."""
        self.fault.hide()
        self.networks.refresh()
        self.bridge.refresh()
        section = {"networks": self.networks, "bridge": self.bridge}.get(str(payload))
        if section is not None:
            QTimer.singleShot(0, lambda: self.scroller.verticalScrollBar().setValue(section.y()))
        self._context.ask_signer(lambda client: client.status(), lambda _status: self._show(), failed=self._failed, owner=self)

    # --- how it looks, when it locks

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
        self._keep(appearance=Appearance(chosen))

    def _locking(self) -> Card:
        card = Card(tr("Locking"))
        self.idle = Field(tr("Lock the keys when I have been away for"), QComboBox())
        self.idle.setMaximumWidth(theme.space(40))
        minutes = sorted({*_IDLE, self._context.settings.idle_minutes})
        for number in minutes:
            self.idle.editor.addItem(trn("1 minute", "{count} minutes", number), number)
        self.idle.editor.setCurrentIndex(minutes.index(self._context.settings.idle_minutes))
        self.idle.editor.currentIndexChanged.connect(lambda _at: self._keep(idle_minutes=self.idle.editor.currentData()))
        self.lock = secondary(tr("Lock now"), self._context.lock.toggle, icon_name="lock")
        self.passphrase = secondary(tr("Change passphrase…"), self._change_passphrase)
        card.body.addWidget(self.idle)
        card.body.addLayout(_row(self.lock, self.passphrase))
        return card

    def _change_passphrase(self) -> None:
        self._ask(lambda client: client.change_passphrase(), tr("The passphrase is changed."))

    # --- keys

    def _keys(self) -> Card:
        card = Card(tr("Master keys"))
        self._key_list = QVBoxLayout()
        self._key_list.setSpacing(theme.space(1.5))
        card.body.addLayout(self._key_list)
        card.body.addSpacing(theme.space(1))
        self.more = quiet(tr("Add another key"), self._show_maker, icon_name="plus")
        card.body.addLayout(_row(self.more))
        self.maker = KeyMaker(self._context)
        self.maker.made.connect(lambda _address: self._made())
        self.maker.hide()
        card.body.addWidget(self.maker)
        return card

    def _show_maker(self) -> None:
        self.more.hide()
        self.maker.show()
        self.maker.name.editor.setFocus()

    def _made(self) -> None:
        self.maker.hide()
        self.more.show()
        self._context.say(tr("The key is in your vault."))

    def _export(self, address: Any) -> None:
        self._ask(lambda client: client.export_keystore(address), "", lambda keystore: self._save_keystore(str(address), keystore))

    def _save_keystore(self, address: str, keystore: bytes) -> None:
        name, _ = QFileDialog.getSaveFileName(self, tr("Save the keystore"), f"{address}.json", tr("Keystore (*.json)"))
        if not name:
            return
        from latchkey.store import atomic

        try:
            atomic.write(Path(name), keystore)
        except StoreError as error:
            self._failed(error)
        else:
            self._context.say(tr("Keystore saved."))

    # --- experts, about

    def _experts(self) -> Card:
        card = Card()
        top = QHBoxLayout()
        top.setSpacing(theme.space(1))
        top.addWidget(Heading(tr("Expert switch")))
        self.expert_chip = Chip(tr("Off"))
        top.addWidget(self.expert_chip)
        top.addStretch(1)
        self.expert = secondary(tr("Turn on…"), self._switch_expert)
        top.addWidget(self.expert)
        card.body.addLayout(top)
        card.body.addWidget(Body(_EXPERT, tone="muted"))
        return card

    def _switch_expert(self) -> None:
        wanted = not (self._context.status is not None and self._context.status.expert)
        self._ask(lambda client: client.set_expert(wanted), tr("The expert switch is {on}.", on="on" if wanted else "off"))

    def _about(self) -> Card:
        card = Card(tr("About"))
        card.body.addWidget(Body(tr("Latchkey {version}. Free software under the MIT licence.", version=__version__)))
        card.body.addWidget(Muted(tr("Vault, book and settings are kept in")))
        card.body.addWidget(PhraseLabel(str(self._context.data_dir.root), size=theme.SMALL))
        return card

    # --- showing

    def _show(self) -> None:
        self._show_choices()
        status = self._context.status
        unlocked = status is not None and status.unlocked
        self.lock.setText(tr("Lock now") if unlocked else tr("Unlock…"))
        self.lock.set_icon("lock" if unlocked else "unlock")
        expert = status is not None and status.expert
        self.expert_chip.set_state(
            tr("On") if expert else tr("Off") if unlocked else tr("Unlock to see"), "warn" if expert else "muted"
        )
        self.expert.setText(tr("Turn off…") if expert else tr("Turn on…"))
        clear_layout(self._key_list)
        if not unlocked:
            self._key_list.addWidget(Body(tr("Your keys are locked."), tone="muted"))
        for key in status.keys if status is not None else ():
            self._key_list.addWidget(_KeyRow(key, self._export))

    def _show_choices(self) -> None:
        """As they are kept: an import may have changed them."""
        settings = self._context.settings
        self.looks.set_value(settings.appearance.value)
        if self.idle.editor.currentData() != settings.idle_minutes:
            if (at := self.idle.editor.findData(settings.idle_minutes)) < 0:
                at = self.idle.editor.count()
                self.idle.editor.addItem(tr("{idle_minutes} minutes", idle_minutes=settings.idle_minutes), settings.idle_minutes)
            self.idle.editor.setCurrentIndex(at)

    def _ask(self, ask: Callable[[Any], Any], news: str, then: Callable[[Any], object] | None = None) -> None:
        """Ask the signer; `news` once it is done."""

        def done(answer: Any) -> None:
            if news:
                self._context.say(news)
            if then is not None:
                then(answer)

        self.fault.hide()
        self._context.ask_signer(ask, done, failed=self._failed, owner=self)

    def _keep(self, **changes: Any) -> None:
        try:
            self._context.change_settings(**changes)
        except StoreError as error:
            self._failed(error)

    def _failed(self, error: LatchkeyError) -> None:
        if isinstance(error, Declined):
            return
        self.fault.set("danger", error.text)
        self.fault.show()
        self.scroller.ensureWidgetVisible(self.fault)


class _KeyRow(QWidget):
    """A master key: its name, where it comes from, its address, and a way to take it elsewhere."""

    def __init__(self, key: Any, export: Callable[[Any], object]) -> None:
        super().__init__()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(0.5))
        top = QHBoxLayout()
        top.setSpacing(theme.space(1))
        top.addWidget(PhraseLabel(key.label or tr("Key without a name"), strong=True), 0, Qt.AlignmentFlag.AlignVCenter)
        if key.public_test:
            top.addWidget(Chip(tr("Public test key"), "warn"))
        top.addStretch(1)
        button = secondary(tr("Export…"), lambda: export(key.address))
        button.setAccessibleName(tr("Export {label} as a keystore", label=key.label or key.address))
        top.addWidget(button)
        rows.addLayout(top)
        rows.addWidget(AddressLabel(str(key.address)))
        origin = tr("From recovery words, {path}", path=key.path) if key.kind == "mnemonic" else tr("Imported private key")
        rows.addWidget(PhraseLabel(phrase(origin), size=theme.SMALL, tone="muted"))
        rows.addWidget(Line())


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.space(1.5))
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
