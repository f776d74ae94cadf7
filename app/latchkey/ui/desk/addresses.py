"""Which of a mnemonic's addresses is meant."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.desk.page import GAP, Page
from latchkey.ui.widgets import Button, Muted, paint_identicon

PICTURE = theme.space(4)

_PATH = re.compile(r"m(/\d{1,10}'?)+")


class AddressPage(Page):
    """{rows: [{path, address}]} -> {index} or {path}; another path makes the signer ask again with its rows."""

    lingers = True

    def __init__(self, ask: dict[str, Any]) -> None:
        super().__init__(tr("Choose the address"), tr("These words hold many keys. Which one is yours?"), go=tr("Use this address"))
        self.rows = QListWidget()
        self.rows.setAccessibleName(tr("Addresses"))
        self.rows.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        for row in ask["rows"]:
            item = QListWidgetItem(f"{row['address']}\n{row['path']}")
            item.setFont(theme.font(theme.SMALL, mono=True))
            item.setIcon(_picture(row["address"]))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, tr("{row}, path {row2}", row=row["address"], row2=row["path"]))
            self.rows.addItem(item)
        self.rows.setIconSize(QSize(PICTURE, PICTURE))
        self.rows.setSpacing(theme.space(0.5))
        self.rows.setCurrentRow(0)
        self.rows.setMinimumHeight(5 * (self.rows.sizeHintForRow(0) + theme.space(1)) + theme.space(1))
        self.rows.itemActivated.connect(lambda _item: self.go.click())
        self.body.addWidget(self.rows, 1)
        self.path = QLineEdit()
        self.path.setAccessibleName(tr("Another derivation path"))
        self.path.setPlaceholderText("m/44'/60'/0'/0/0")
        self.path.setFont(theme.font(theme.SMALL, mono=True))
        self.look = Button(tr("Show its addresses"), self._look)
        self.look.setEnabled(False)
        self.path.textChanged.connect(lambda text: self.look.setEnabled(_PATH.fullmatch(text.strip()) is not None))
        self.path.returnPressed.connect(self.look.click)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.path, 1)
        row.addWidget(self.look)
        own = QVBoxLayout()
        own.setSpacing(4)
        own.addWidget(Muted(tr("Another derivation path")))
        own.addLayout(row)
        self.body.addLayout(own)

    def first(self) -> QWidget:
        return self.rows

    def accept(self) -> None:
        self.answered.emit({"index": self.rows.currentRow()})

    def _look(self) -> None:
        self.answered.emit({"path": self.path.text().strip()})


def _picture(address: str) -> QIcon:
    picture = QPixmap(2 * PICTURE, 2 * PICTURE)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    paint_identicon(painter, QRectF(picture.rect()), address)
    painter.end()
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # Qt would make it grey
    return icon
