"""The vault's master keys: their names, and how they come in and go out. Everything is asked at the desk."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.errors import StoreError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.key_card import KeyMaker
from latchkey.ui.pages.settings_security import Ask
from latchkey.ui.widgets import (
    AddressLabel,
    Body,
    Card,
    Chip,
    Dialog,
    Field,
    Line,
    PhraseLabel,
    add_shown,
    clear_layout,
    line_edit,
    phrase,
    primary,
    quiet,
    secondary,
)

_MAX_NAME = 64


class KeysCard(Card):
    def __init__(self, context: Context, ask: Ask) -> None:
        super().__init__(tr("Master keys"))
        self._context, self._ask = context, ask
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(1.5))
        self.body.addLayout(self._list)
        self.body.addSpacing(theme.space(1))
        self.more = quiet(tr("Add another key"), self._show_maker, icon_name="plus")
        self.body.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self.maker = KeyMaker(context)
        self.maker.made.connect(lambda _address: self._made())
        self.maker.hide()
        self.body.addWidget(self.maker)

    def refresh(self) -> None:
        """What the signer said last."""
        status = self._context.status
        clear_layout(self._list)
        if status is None or not status.unlocked:
            add_shown(self._list, Body(tr("Your keys are locked."), tone="muted"))
        keys = status.keys if status is not None else ()
        for key in keys:
            add_shown(self._list, _KeyRow(key, self, only=len(keys) == 1))

    def export(self, key: Any) -> None:
        self._ask(lambda client: client.export_keystore(key.address), "", partial(self._save_keystore, str(key.address)))

    def rename(self, key: Any) -> None:
        _NameDialog(self, key, lambda name: self._ask(lambda client: client.rename_key(key.address, name), tr("Renamed."))).open()

    def remove(self, key: Any) -> None:
        """The desk asks, and says what follows from it."""
        self._ask(lambda client: client.remove_key(key.address), tr("The vault has forgotten the key."))

    def _show_maker(self) -> None:
        self.more.hide()
        self.maker.show()
        self.maker.name.editor.setFocus()

    def _made(self) -> None:
        self.maker.hide()
        self.more.show()
        self._context.say(tr("The key is in your vault."))

    def _save_keystore(self, address: str, keystore: bytes) -> None:
        name, _ = QFileDialog.getSaveFileName(self, tr("Save the keystore"), f"{address}.json", tr("Keystore (*.json)"))
        if not name:
            return
        from latchkey.store import atomic

        try:
            atomic.write(Path(name), keystore)
        except StoreError as error:
            self._context.tasks.failed.emit(error)
        else:
            self._context.say(tr("Keystore saved."))


class _KeyRow(QWidget):
    """A master key: its name, where it comes from, its address, and what can be done with it."""

    def __init__(self, key: Any, card: KeysCard, *, only: bool) -> None:
        super().__init__()
        called = key.label or str(key.address)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(0.5))
        top = QHBoxLayout()
        top.setSpacing(theme.space(1))
        top.addWidget(PhraseLabel(key.label or tr("Key without a name"), strong=True), 0, Qt.AlignmentFlag.AlignVCenter)
        if key.public_test:
            top.addWidget(Chip(tr("Public test key"), "warn"))
        top.addStretch(1)
        rename = secondary(tr("Rename…"), partial(card.rename, key))
        rename.setAccessibleName(tr("Rename {label}", label=called))
        export = secondary(tr("Export…"), partial(card.export, key))
        export.setAccessibleName(tr("Export {label} as a keystore", label=called))
        remove = secondary(tr("Remove…"), partial(card.remove, key))
        remove.setAccessibleName(tr("Remove {label} from the vault", label=called))
        remove.setEnabled(not only)
        remove.setToolTip(tr("The only key of a vault stays in it.") if only else "")
        for button in (rename, export, remove):
            top.addWidget(button)
        rows.addLayout(top)
        rows.addWidget(AddressLabel(str(key.address)))
        origin = tr("From recovery words, {path}", path=key.path) if key.kind == "mnemonic" else tr("Imported private key")
        rows.addWidget(PhraseLabel(phrase(origin), size=theme.SMALL, tone="muted"))
        rows.addWidget(Line())


class _NameDialog(Dialog):
    def __init__(self, parent: QWidget, key: Any, take: Any) -> None:
        super().__init__(tr("Rename this key"), parent.window())
        name = Field(tr("Your own name for the key"), line_edit(limit=_MAX_NAME))
        name.editor.setText(key.label)
        name.editor.selectAll()
        self.body.addWidget(AddressLabel(str(key.address)))
        self.body.addWidget(name)
        go = primary(tr("Rename"), self.accept)
        go.setDefault(True)
        self.buttons.addWidget(secondary(tr("Cancel"), self.reject))
        self.buttons.addWidget(go)
        self.accepted.connect(lambda: take(name.editor.text().strip()))
        name.editor.setFocus()
