"""Importing a master key: recovery words, a private key, or a keystore file chosen here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.desk.mnemonic import WordGrid
from latchkey.ui.desk.page import GAP, Page, check_box, field
from latchkey.ui.desk.secret_edit import SecretEdit
from latchkey.ui.widgets import Button, ComboBox, Muted, PhraseLabel, Segmented

LENGTHS = (12, 15, 18, 21, 24)
MAX_KEYSTORE = 64 * 1024
_PRIVATE_KEY = re.compile(r"(0[xX])?[0-9a-fA-F]{64}")


class Way(QWidget):
    """One way to bring a key in. `answer()` empties the fields; the rest of the check is the signer's."""

    changed = Signal()
    finished = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, theme.space(1), 0, 0)
        self.column.setSpacing(GAP)
        self.note = Muted("")

    def ready(self) -> bool:
        raise NotImplementedError

    def answer(self) -> dict[str, Any]:
        raise NotImplementedError

    def forget(self) -> None:
        raise NotImplementedError


class Words(Way):
    def __init__(self) -> None:
        super().__init__()
        self.length = ComboBox()
        self.length.setAccessibleName(tr("How many words"))
        self.length.addItems([tr("{length} words", length=length) for length in LENGTHS])
        self.grid = WordGrid(list(range(1, LENGTHS[-1] + 1)))
        self.passphrase = SecretEdit(tr("Passphrase of the recovery words"))
        self.passphrase.setPlaceholderText(tr("Only if these words have one"))
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.length)
        row.addWidget(Muted(tr("Type them in order, or paste them all into the first field.")), 1)
        self.column.addLayout(row)
        self.column.addWidget(self.grid)
        self.column.addWidget(self.note)
        field(tr("Passphrase of the words (not the vault's)"), self.passphrase, self.column)
        self.column.addStretch(1)
        self.length.currentIndexChanged.connect(lambda index: self.grid.set_count(LENGTHS[index]))
        self.grid.overflowed.connect(self._longer)
        self.grid.changed.connect(self._refresh)
        self.grid.finished.connect(self.passphrase.setFocus)
        self.passphrase.returnPressed.connect(self.finished)
        self.grid.set_count(LENGTHS[0])
        self.setFocusProxy(self.grid.edits[0])

    def ready(self) -> bool:
        return self.grid.correct()

    def answer(self) -> dict[str, Any]:
        return {"kind": "mnemonic", "words": " ".join(self.grid.take()), "passphrase": self.passphrase.take().encode()}

    def forget(self) -> None:
        self.grid.forget()
        self.passphrase.forget()

    def _longer(self, words: list[str]) -> None:
        if len(words) not in LENGTHS:
            self.note.setText(tr("That is {count} words; recovery phrases have 12, 15, 18, 21 or 24.", count=len(words)))
            return
        self.length.setCurrentIndex(LENGTHS.index(len(words)))
        self.grid.fill(words)
        self.passphrase.setFocus()

    def _refresh(self) -> None:
        unknown = [str(index + 1) for index in self.grid.unknown()]
        self.note.setText(tr("Not on the BIP-39 list: word {unknown}.", unknown=", ".join(unknown)) if unknown else "")
        self.changed.emit()


class PrivateKey(Way):
    def __init__(self) -> None:
        super().__init__()
        self.key = SecretEdit(tr("Private key"))
        self.key.setPlaceholderText(tr("64 hexadecimal digits, with or without 0x"))
        self.shown = check_box(tr("Show what I type"), self.key.show_text)
        field(tr("Private key"), self.key, self.column)
        self.column.addWidget(self.shown)
        self.column.addWidget(Muted(tr("A key on its own has no recovery words: keep your own copy of it safe.")))
        self.column.addStretch(1)
        self.key.textChanged.connect(self.changed)
        self.key.returnPressed.connect(self.finished)
        self.setFocusProxy(self.key)

    def ready(self) -> bool:
        return _PRIVATE_KEY.fullmatch(self.key.text().strip()) is not None

    def answer(self) -> dict[str, Any]:
        return {"kind": "raw", "key": self.key.take().strip()}

    def forget(self) -> None:
        self.shown.setChecked(False)
        self.key.forget()


class Keystore(Way):
    def __init__(self) -> None:
        super().__init__()
        self._json = b""
        self.choose = Button(tr("Choose file…"), self._choose)
        self.name = PhraseLabel(tr("Web3 Secret Storage (V3), as geth, ethers and MetaMask write it."), tone="muted")
        self.password = SecretEdit(tr("Password of the file"))
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.choose)
        row.addWidget(self.name, 1)
        self.column.addLayout(row)
        field(tr("Password of the file"), self.password, self.column)
        self.column.addStretch(1)
        self.password.textChanged.connect(self.changed)
        self.password.returnPressed.connect(self.finished)
        self.setFocusProxy(self.choose)

    def ready(self) -> bool:
        return bool(self._json) and bool(self.password.text())

    def answer(self) -> dict[str, Any]:
        return {"kind": "keystore", "json": self._json, "password": self.password.take().encode()}

    def forget(self) -> None:
        self._json = b""
        self.password.forget()

    def load(self, path: Path) -> None:
        """Read a keystore of at most 64 KiB; what cannot be read is said beside the button."""
        self._json = b""
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_KEYSTORE + 1)
        except OSError:
            self.name.set_phrase(tr("This file cannot be read."))
        else:
            if len(raw) > MAX_KEYSTORE:
                self.name.set_phrase(tr("This file is too large for a keystore: at most 64 KiB are read."))
            else:
                self._json = raw
                self.name.set_phrase(path.name)
                self.password.setFocus()
        self.changed.emit()

    def _choose(self) -> None:
        # Qt's own dialog: a desktop's would load its plug-ins into the process that holds the passphrase.
        name, _ = QFileDialog.getOpenFileName(
            self, tr("Choose a keystore file"), str(Path.home()), tr("Keystore (*.json UTC*);;All files (*)"),
            options=QFileDialog.Option.DontUseNativeDialog,
        )  # fmt: skip
        if name:
            self.load(Path(name))


class ImportPage(Page):
    """{retry?} -> {kind: mnemonic | raw | keystore, ...}."""

    lingers = True

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__(tr("Import a master key"), tr("What you enter here stays in the signer and goes into your encrypted vault."),
                         retry=ask.get("retry", ""), go=tr("Import"))  # fmt: skip
        self.words, self.key, self.keystore = Words(), PrivateKey(), Keystore()
        self._ways: dict[str, Way] = {"words": self.words, "key": self.key, "keystore": self.keystore}
        names = [("words", tr("Recovery words")), ("key", tr("Private key")), ("keystore", tr("Keystore file"))]
        self.choice = Segmented(names, name=tr("What to import"), value="words")
        self._stack = QStackedWidget()
        for way in self._ways.values():
            self._stack.addWidget(way)
            way.changed.connect(self._refresh)
            way.finished.connect(self.go.click)
        self.choice.changed.connect(self._choose)
        self.body.addWidget(self.choice)
        self.body.addWidget(self._stack, 1)
        self._refresh()

    @property
    def way(self) -> Way:
        return self._ways[self.choice.value()]

    def first(self) -> QWidget:
        return self.words.grid.edits[0]

    def accept(self) -> None:
        self.answered.emit(self.way.answer())

    def hide_secrets(self) -> None:
        self.key.shown.setChecked(False)

    def forget(self) -> None:
        for way in self._ways.values():
            way.forget()

    def _choose(self, _name: str) -> None:
        self._stack.setCurrentWidget(self.way)
        self._refresh()

    def _refresh(self) -> None:
        self.go.setEnabled(self.way.ready())
