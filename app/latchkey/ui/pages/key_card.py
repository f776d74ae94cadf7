"""Getting a master key: made at the desk or brought to it. Welcome and Settings both offer it this way."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latchkey.core.types import Address
from latchkey.errors import Declined, LatchkeyError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Banner, Field, Segmented, line_edit, primary, secondary

_WORDS = (("12", tr("12 words")), ("24", tr("24 words")))


class KeyMaker(QWidget):
    """A name, the number of words, and two ways: create and import. `made(address)` once the signer has the key."""

    made = Signal(str)
    busied = Signal(bool)  # the desk asks for it; and then no more

    def __init__(self, context: Context, *, label: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(2))
        self.name = Field(tr("Name of the key"), line_edit(label, placeholder=tr("Main key"), limit=64))
        self.words = Field(tr("Recovery words of a new key"), Segmented(_WORDS, name=tr("Recovery words of a new key"), value="12"))
        self.create_button = primary(tr("Create a key…"), self._create, icon_name="key")
        self.import_button = secondary(tr("Import one…"), self._import)
        self._waiting = Banner(
            "notice", tr("Go on at the desk."), tr("It is a small window that opens by itself; close it to stop.")
        )
        self._fault = Banner("danger")
        self._waiting.hide()
        self._fault.hide()
        rows.addWidget(self.name)
        rows.addWidget(self.words)
        row = QHBoxLayout()
        row.setSpacing(theme.space(1.5))
        row.addWidget(self.create_button)
        row.addWidget(self.import_button)
        row.addStretch(1)
        rows.addLayout(row)
        rows.addWidget(self._waiting)
        rows.addWidget(self._fault)

    def _create(self) -> None:
        words, label = int(self.words.editor.value()), self.name.editor.text().strip()
        self._ask(lambda client: client.create_key(words, label))

    def _import(self) -> None:
        label = self.name.editor.text().strip()
        self._ask(lambda client: client.import_key(label))

    def _ask(self, ask: object) -> None:
        self._busy(True)
        self._fault.hide()
        self._context.ask_signer(ask, self._got, failed=self._failed, finished=lambda: self._busy(False), owner=self)  # type: ignore[arg-type]

    def _got(self, address: Address) -> None:
        self.name.editor.clear()
        self.made.emit(str(address))

    def _failed(self, error: LatchkeyError) -> None:
        if not isinstance(error, Declined):
            self._fault.set("danger", error.text)
            self._fault.show()

    def _busy(self, busy: bool) -> None:
        self._waiting.setVisible(busy)
        for widget in (self.create_button, self.import_button, self.name, self.words):
            widget.setEnabled(not busy)
        self.busied.emit(busy)
