"""Taking settings to another computer and bringing them from there: an import shows every change before it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path

from PySide6.QtWidgets import QApplication, QFileDialog, QHBoxLayout, QWidget

from latchkey.core.networks import network
from latchkey.errors import BadInput, LatchkeyError, StoreError
from latchkey.language import tr
from latchkey.store import atomic
from latchkey.store.settings import MAX_BYTES, Change, Settings, export, import_
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Banner, Body, Card, CheckBox, Dialog, FieldTable, primary, secondary
from latchkey.ui.widgets.surfaces import Scroller

_WHAT = tr(
    "Appearance and locking; RPCs, bundlers and the proxy only if you say so, for their addresses may hold keys. "
    "Your master keys, accounts and the expert switch are never in this file."
)
_TITLES = {
    "appearance": tr("Appearance"), "idleMinutes": tr("Locks after (minutes)"), "proxy": tr("Proxy"), "walletApi": tr("Wallet APIs"),
    "bridge": tr("Bridge for dApps"), "bridgePort": tr("Port of the bridge"), "tray": tr("Icon in the tray"),
    "closeToTray": tr("Closing the window only hides it"), "notifications": tr("Notifications"),
}  # fmt: skip
_ADDRESSES = {"rpc": "RPC", "secondRpc": tr("second RPC"), "bundler": "bundler"}


class TransferCard(Card):
    def __init__(self, context: Context) -> None:
        super().__init__(tr("Settings of another computer"))
        self._context = context
        self.body.addWidget(Body(_WHAT, tone="muted"))
        self.addresses = CheckBox(tr("Export addresses of RPCs and proxy too"))
        self.body.addWidget(self.addresses)
        self.fault = Banner("danger")
        self.fault.hide()
        row = QHBoxLayout()
        row.setSpacing(theme.space(1.5))
        self.export_button = secondary(tr("Export settings…"), self._export)
        self.import_button = secondary(tr("Import settings…"), self._import)
        row.addWidget(self.export_button)
        row.addWidget(self.import_button)
        row.addStretch(1)
        self.body.addLayout(row)
        self.body.addWidget(self.fault)

    def _export(self) -> None:
        self.fault.hide()
        name, _ = QFileDialog.getSaveFileName(self, tr("Export settings"), "latchkey-settings.json", tr("Settings (*.json)"))
        if not name:
            return
        try:
            atomic.write(Path(name), export(self._context.settings, addresses=self.addresses.isChecked()))
        except StoreError as error:
            self._failed(error)
        else:
            self._context.say(tr("Settings exported."))

    def _import(self) -> None:
        self.fault.hide()
        name, _ = QFileDialog.getOpenFileName(self, tr("Import settings"), "", tr("Settings (*.json)"))
        if not name:
            return
        try:
            wanted, changes = import_(atomic.read(Path(name), MAX_BYTES).data, self._context.settings)
        except (BadInput, StoreError) as error:
            self._failed(error)
            return
        if not changes:
            self._context.say(tr("These settings are yours already."))
            return
        ask_to_take(self._context, self.window(), tr("Take these settings?"), wanted, changes, failed=self._failed)

    def _failed(self, error: LatchkeyError) -> None:
        self.fault.set("danger", error.text)
        self.fault.show()


def ask_to_take(
    context: Context,
    parent: QWidget,
    title: str,
    wanted: Settings,
    changes: Sequence[Change],
    *,
    failed: Callable[[LatchkeyError], object] | None = None,
) -> Dialog:
    """Show every change, and take `wanted` on a yes."""
    dialog = Dialog(title, parent, width=80 * theme.GRID)
    dialog.body.addWidget(Body(tr("This changes here. An RPC tells you what is on the chain: take only one you trust.")))
    table = Scroller()
    table.setWidget(FieldTable([(_title(change), f"{_said(change.before)} → {_said(change.after)}") for change in changes]))
    table.setMinimumHeight(min(theme.space(40), theme.space(4) * (len(changes) + 1)))
    dialog.body.addWidget(table)
    dialog.buttons.addWidget(secondary(tr("Keep mine"), dialog.reject))
    dialog.buttons.addWidget(primary(tr("Take them"), dialog.accept))

    def take() -> None:
        try:  # all of it was shown
            context.change_settings(**{one.name: getattr(wanted, one.name) for one in fields(Settings) if one.name != "window"})
        except StoreError as error:
            (failed or context.tasks.failed.emit)(error)
            return
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.dress(app, wanted.appearance.value)
        context.say(tr("The settings are taken over."))

    dialog.accepted.connect(take)
    dialog.open()
    return dialog


def _said(value: str) -> str:
    return {"": tr("nothing"), "True": tr("on"), "False": tr("off")}.get(value, value)


def _title(change: Change) -> str:
    if change.path in _TITLES:
        return _TITLES[change.path]
    chain_id, _, name = change.path.removeprefix("networks[").partition("].")
    return f"{network(int(chain_id)).name}: {_ADDRESSES[name]}"
