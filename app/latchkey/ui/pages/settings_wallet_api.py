"""Alchemy's Wallet APIs: where they are asked, and the key they know this program by. Nothing is asked of them from here.

The key is typed here and not at the desk because it is no key of an account: this process has to send it along with every call, so
hiding it from this process would be for show. It goes into the vault at once, and the field is emptied.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from latchkey.core.endpoints import place_of
from latchkey.errors import BadInput, StoreError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.settings_security import Ask
from latchkey.ui.widgets import Body, Card, Chip, Field, line_edit, quiet, secondary

PUBLISHED = "https://api.g.alchemy.com/v2"
_WHY = tr(
    "For sessions that Alchemy's service compiles. A dApp that uses it shows you what to sign; you can also have such a session made from "
    "here, with the command latchkey wallet-apis. Latchkey reads what the service made, and refuses what says one thing and does another."
)
_KEY = tr(
    "It names you to the service and counts what you ask; it is no key of an account. Kept in your vault, and used while it is open."
)


class WalletApiCard(Card):
    def __init__(self, context: Context, ask: Ask) -> None:
        super().__init__(tr("Wallet APIs"))
        self._context, self._ask = context, ask
        self.body.addWidget(Body(_WHY, tone="muted"))
        self.address = Field(tr("Address of the service"), line_edit(placeholder=PUBLISHED, limit=1_000))
        self.use = secondary(tr("Use"), self._use)
        self.use.setAccessibleName(tr("Use this address of the service"))
        self.key = Field(tr("API key"), line_edit(limit=200), hint=_KEY)
        editor = self.key.editor
        editor.setEchoMode(QLineEdit.EchoMode.Password)
        editor.setInputMethodHints(
            editor.inputMethodHints() | Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhNoPredictiveText
        )
        self.chip = Chip()
        self.keep = secondary(tr("Keep in the vault"), self._keep)
        self.forget = quiet(tr("Forget the key"), self._forget, icon_name="trash")
        for part in (self.address, _row(self.use), self.key, _row(self.keep, self.forget, self.chip)):
            self.body.addWidget(part)
        self.address.editor.textChanged.connect(lambda _text: self._typed())
        self.address.editor.returnPressed.connect(self._use)
        editor.textChanged.connect(lambda _text: self._typed())
        editor.returnPressed.connect(self._keep)
        context.changed.connect(lambda what: self._show() if what in ("status", "settings") else None)
        self.address.editor.setText(context.settings.wallet_api)
        self._show()

    def _show(self) -> None:
        """The address as it is kept, unless another one is being typed; whether there is a key, where that is known."""
        if not self.address.editor.isModified():
            self.address.editor.setText(self._context.settings.wallet_api)
        status = self._context.status
        known = status is not None and status.unlocked
        has_key = known and status is not None and status.has_api_key
        self.chip.set_state(tr("A key is kept") if has_key else tr("No key"), "good" if has_key else "plain")
        self.chip.setVisible(known)
        self.forget.setVisible(has_key)
        self._typed()

    def _typed(self) -> None:
        self.address.set_error("")
        self.key.set_error("")
        self.use.setEnabled(self.address.editor.text().strip() != self._context.settings.wallet_api)
        self.keep.setEnabled(bool(self.key.editor.text().strip()))

    def _use(self) -> None:
        wanted = self.address.editor.text().strip()
        if wanted == self._context.settings.wallet_api:
            return
        try:
            self._context.change_settings(wallet_api=wanted)
        except (BadInput, StoreError) as error:
            self.address.set_error(error.text)
            return
        self.address.editor.setModified(False)
        self._show()
        said = (
            tr("The Wallet APIs are asked at {place}.", place=place_of(wanted)) if wanted else tr("The Wallet APIs are not asked.")
        )
        self._context.say(said)

    def _keep(self) -> None:
        key = self.key.editor.text().strip()
        if key:
            self.key.editor.clear()
            self._store(key, tr("The key is in your vault."))

    def _forget(self) -> None:
        self._store("", tr("The key is forgotten."))

    def _store(self, key: str, news: str) -> None:
        def store(client: Any) -> None:
            client.unlock()
            client.keep_api_key(key)

        self._ask(store, news)


def _row(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(theme.space(1.5))
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return holder
