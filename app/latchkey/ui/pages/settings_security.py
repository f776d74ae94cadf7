"""When the keys lock, what unlocks them, and the switch for experts. Whatever touches a secret is asked at the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout

from latchkey.language import tr, trn
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Body, Button, Card, Chip, ComboBox, Field, Heading, Line, PhraseLabel, secondary

_IDLE = (1, 2, 5, 10, 15, 30, 60)  # minutes
_KEYRING = tr(
    "Then you unlock without typing. Every program that runs as you may read what the keyring holds, and open the vault with it. Your "
    "passphrase goes on working."
)
_EXPERT = tr(
    "Lets you grant keys without limits: full control of the account, functions of the account itself, keys that never end. "
    "Leave it off unless you know why you need it. It is kept in the vault and changed at the desk."
)


class Ask(Protocol):
    """The page's way to the signer: `news` is said once it is done, `then` gets the answer; what fails is shown on the page."""

    def __call__(self, ask: Callable[[Any], Any], news: str, then: Callable[[Any], object] | None = None) -> None: ...


class LockCard(Card):
    """After how many minutes, the passphrase, and the keyring of the computer."""

    def __init__(self, context: Context, ask: Ask, keep: Callable[..., None], warn: Callable[[str], None]) -> None:
        super().__init__(tr("Locking"))
        self._context, self._ask, self._warn = context, ask, warn
        self.idle = Field(tr("Lock the keys when I have been away for"), ComboBox())
        self.idle.setMaximumWidth(theme.space(40))
        minutes = sorted({*_IDLE, context.settings.idle_minutes})
        for number in minutes:
            self._offer(number)
        self.idle.editor.setCurrentIndex(minutes.index(context.settings.idle_minutes))
        self.idle.editor.currentIndexChanged.connect(lambda _at: keep(idle_minutes=self.idle.editor.currentData()))
        self.lock = secondary(tr("Lock now"), context.lock.toggle, icon_name="lock")
        self.passphrase = secondary(tr("Change passphrase…"), self._change_passphrase)
        self.body.addWidget(self.idle)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.space(1.5))
        for button in (self.lock, self.passphrase):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self.body.addLayout(buttons)
        self.body.addSpacing(theme.space(0.5))
        self.body.addWidget(Line())
        self.keyring, self.keyring_chip = secondary(tr("Turn on…"), self._switch_keyring), Chip(tr("Off"))
        title = PhraseLabel(tr("Unlock with the keyring of this computer"), strong=True)
        self.body.addLayout(_switch_row(title, self.keyring_chip, self.keyring))
        self.body.addWidget(Body(_KEYRING, tone="muted"))

    def refresh(self) -> None:
        """As it is kept: an import may have changed it."""
        minutes = self._context.settings.idle_minutes
        if self.idle.editor.currentData() != minutes:
            if self.idle.editor.findData(minutes) < 0:
                self._offer(minutes)
            self.idle.editor.setCurrentIndex(self.idle.editor.findData(minutes))
        status = self._context.status
        unlocked, on = status is not None and status.unlocked, status is not None and status.keyring
        self.lock.setText(tr("Lock now") if unlocked else tr("Unlock…"))
        self.lock.set_icon("lock" if unlocked else "unlock")
        _show_switch(self.keyring, self.keyring_chip, on, unlocked, tr("the keyring"))

    def _offer(self, minutes: int) -> None:
        self.idle.editor.addItem(trn("1 minute", "{count} minutes", minutes), minutes)

    def _change_passphrase(self) -> None:
        def change(client: Any) -> Any:
            client.unlock()
            return client.change_passphrase()

        self._ask(change, tr("The passphrase is changed."), self._warn)

    def _switch_keyring(self) -> None:
        status = self._context.status
        if status is None or not status.unlocked:
            self._context.lock.unlock()
            return
        on = not status.keyring
        news = tr("The keyring of this computer opens the vault too.") if on else tr("Only your passphrase opens the vault.")
        self._ask(lambda client: client.set_keyring(on), news, self._warn)


class ExpertCard(Card):
    def __init__(self, context: Context, ask: Ask) -> None:
        super().__init__()
        self._context, self._ask = context, ask
        self.switch, self.chip = secondary(tr("Turn on…"), self._switch), Chip(tr("Off"))
        self.body.addLayout(_switch_row(Heading(tr("Expert switch")), self.chip, self.switch))
        self.body.addWidget(Body(_EXPERT, tone="muted"))

    def refresh(self) -> None:
        status = self._context.status
        unlocked, on = status is not None and status.unlocked, status is not None and status.expert
        _show_switch(self.switch, self.chip, on, unlocked, tr("the expert switch"))

    def _switch(self) -> None:
        status = self._context.status
        if status is None or not status.unlocked:
            self._context.lock.unlock()
            return
        on = not status.expert
        news = tr("The expert switch is on.") if on else tr("The expert switch is off.")
        self._ask(lambda client: client.set_expert(on), news)


def _show_switch(button: Button, chip: Chip, on: bool, unlocked: bool, what: str) -> None:
    """How it stands, and what the button does: what a locked vault holds is not known, so there it unlocks."""
    if not unlocked:
        chip.set_state(tr("Unlock to see"), "muted")
        button.setText(tr("Unlock…"))
        button.setAccessibleName(tr("Unlock to see {what}", what=what))
        return
    chip.set_state(tr("On") if on else tr("Off"), "warn" if on else "muted")
    button.setText(tr("Turn off…") if on else tr("Turn on…"))
    button.setAccessibleName(tr("Turn off {what}", what=what) if on else tr("Turn on {what}", what=what))


def _switch_row(title: Any, chip: Chip, button: Any) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.space(1))
    row.addWidget(title, 0, Qt.AlignmentFlag.AlignVCenter)
    row.addWidget(chip, 0, Qt.AlignmentFlag.AlignVCenter)
    row.addStretch(1)
    row.addWidget(button)
    return row
