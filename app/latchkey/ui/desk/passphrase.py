"""Asking for a passphrase: the vault's own, or a new one."""

from __future__ import annotations

import threading
import time
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QProgressBar, QWidget

from latchkey.language import tr
from latchkey.ui.desk.page import Page, check_box, field
from latchkey.ui.desk.secret_edit import SecretEdit
from latchkey.ui.widgets import Muted
from latchkey.vault.passphrase import STRONG, prepare, strength


class PassphrasePage(Page):
    """{purpose, retry?, wait?} -> {passphrase}. `wait`: seconds during which no attempt is taken, counted down here."""

    lingers = True

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__(tr("Passphrase"), ask["purpose"], retry=ask.get("retry", ""))
        self.edit = SecretEdit(tr("Passphrase"))
        self.edit.textChanged.connect(self._refresh)
        self.edit.returnPressed.connect(self.go.click)
        self._waiting = Muted()
        field(tr("Passphrase"), self.edit, self.body, self._waiting)
        self._until = time.monotonic() + ask.get("wait", 0)
        self.body.addStretch(1)
        self._tick = QTimer(self, interval=200)
        self._tick.timeout.connect(self._refresh)
        self._tick.start()
        self._refresh()

    def first(self) -> QWidget:
        return self.edit

    def accept(self) -> None:
        self.answered.emit({"passphrase": self.edit.take().encode()})

    def forget(self) -> None:
        self._tick.stop()
        self.edit.forget()

    def _refresh(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            self._tick.stop()
        self._waiting.setVisible(left > 0)
        self._waiting.setText(tr("You can try again in {left} s.", left=int(left) + 1))
        self.go.setEnabled(left <= 0 and bool(self.edit.text()))


class NewPassphrasePage(Page):
    """{purpose, own?, retry?} -> {passphrase}: typed twice, with an estimate of its strength; the signer keeps the floor."""

    lingers = True

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__(tr("Choose a passphrase"), ask["purpose"], retry=ask.get("retry", ""))
        self._own = tuple(ask.get("own", ()))
        threading.Thread(target=prepare, daemon=True).start()
        self.edit, self.again = SecretEdit(tr("New passphrase")), SecretEdit(tr("The same passphrase again"))
        self.meter = QProgressBar(minimum=0, maximum=STRONG, textVisible=False)
        self.meter.setAccessibleName(tr("Strength of the passphrase"))
        self.estimate, self.differs = Muted(), Muted()
        field(tr("New passphrase"), self.edit, self.body, self.meter)
        self.body.addWidget(self.estimate)
        field(tr("The same again"), self.again, self.body, self.differs)
        self.shown = check_box(tr("Show what I type"), self._show)
        self.body.addWidget(self.shown)
        self.body.addWidget(Muted(tr("It cannot be reset. Without it, only the recovery words bring the key back.")))
        self.body.addStretch(1)
        self.edit.textChanged.connect(self._refresh)
        self.again.textChanged.connect(self._refresh)
        self.edit.returnPressed.connect(self.again.setFocus)
        self.again.returnPressed.connect(self.go.click)
        self._refresh()

    def first(self) -> QWidget:
        return self.edit

    def hide_secrets(self) -> None:
        self.shown.setChecked(False)

    def forget(self) -> None:
        self.edit.forget()
        self.again.forget()

    def accept(self) -> None:
        self.again.forget()
        self.answered.emit({"passphrase": self.edit.take().encode()})

    def _show(self, shown: bool) -> None:
        self.edit.show_text(shown)
        self.again.show_text(shown)

    def _refresh(self) -> None:
        first, second = self.edit.text(), self.again.text()
        score, sentence = strength(first, self._own) if first else (0, "")
        self.meter.setValue(score)
        self.estimate.setText(sentence)
        self.differs.setText(tr("The two differ.") if second and not first.startswith(second) else "")
        self.go.setEnabled(score > 0 and first == second)
