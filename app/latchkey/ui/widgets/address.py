"""Addresses: a picture, all 40 digits in groups, and a copy that is checked after it was made."""

from __future__ import annotations

import hashlib

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from latchkey.core.phrases import Style
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets.buttons import Button, quiet
from latchkey.ui.widgets.export import copy_text
from latchkey.ui.widgets.text import PhraseLabel, phrase
from latchkey.ui.widgets.toast import announce


def short_address(address: str) -> str:
    """0x71C7…976F. Only where the full address is one step away, never where something is signed."""
    return f"{address[:6]}…{address[-4:]}" if len(address) > 12 else address


def grouped_address(address: str) -> str:
    """0x71C7 656E C7ab …: groups of four that can be compared and that wrap."""
    digits = address[2:]
    return " ".join([address[:2] + digits[:4], *(digits[i : i + 4] for i in range(4, len(digits), 4))])


class Identicon(QWidget):
    """A small picture made of an address, the same on every machine and in light and dark. A help to notice, not a proof."""

    _CELLS = 6

    def __init__(self, address: str = "", *, size: int = 24, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._address = address
        self._size = size
        self.setFixedSize(size, size)

    def set_address(self, address: str) -> None:
        self._address = address
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_identicon(painter, QRectF(self.rect()), self._address)
        painter.end()


def paint_identicon(painter: QPainter, where: QRectF, address: str) -> None:
    """Paint the picture of `address` into the square `where`; for delegates of lists too."""
    cells = Identicon._CELLS
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outline = QPainterPath()
    outline.addRoundedRect(where, where.width() / 4, where.height() / 4)
    painter.setClipPath(outline)
    if not address:
        painter.fillRect(where, theme.color("border"))
        painter.restore()
        return
    seed = hashlib.blake2b(address.lower().encode(), digest_size=32).digest()
    hue = int.from_bytes(seed[:2]) / 65536
    other = (hue + 0.25 + seed[2] / 512) % 1.0
    inks = (QColor.fromHsvF(hue, 0.28, 0.92), QColor.fromHsvF(hue, 0.72, 0.55), QColor.fromHsvF(other, 0.68, 0.80))
    painter.fillRect(where, inks[0])
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    side = where.width() / cells
    for index in range(cells * cells // 2):
        row, column = divmod(index, cells // 2)
        ink = (0, 0, 1, 1, 2)[seed[3 + index] % 5]
        if ink:
            for x in (column, cells - 1 - column):
                painter.fillRect(QRectF(where.x() + x * side, where.y() + row * side, side, side), inks[ink])
    painter.restore()


class AddressLabel(QWidget):
    """An address with its picture and a copy button.

    `full`: all digits in groups of four (wraps); otherwise 0x71C7…976F as a button that unfolds it. Copying reads the clipboard back,
    at once and again a moment later, and says so when something else stands there. `copied(ok)`.
    """

    copied = Signal(bool)
    _RECHECK_MS = 600

    def __init__(
        self, address: str = "", *, full: bool = True, picture: bool = True, copy: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._address = address
        self._full = full
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(1))
        self._picture = Identicon(address, size=24)
        self._text = PhraseLabel()
        self._unfold = Button(kind="link", on_click=self._show_full)
        self._unfold.setFont(theme.font(theme.SMALL + 1, mono=True))
        self._copy = quiet("", self._to_clipboard, icon_name="copy", name=tr("Copy the address"))
        self._copies = copy
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._text, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._unfold)
        row.addWidget(self._copy, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        self._picture.setVisible(picture)
        self.set_address(address)

    @property
    def address(self) -> str:
        return self._address

    def set_address(self, address: str) -> None:
        """Show another address (EIP-55 text); "" shows a dash."""
        self._address = address
        self._picture.set_address(address)
        self._text.copies = address
        self._text.set_phrase(phrase(grouped_address(address), Style.ADDRESS) if address else "—")
        self._text.setAccessibleName(address)
        self._unfold.setText(short_address(address))
        self._unfold.setAccessibleName(tr("{address}, show in full", address=address))
        self._unfold.setToolTip(address)
        self._text.setVisible(self._full)
        self._unfold.setVisible(not self._full)
        self._copy.setVisible(self._copies and bool(address))

    def _show_full(self) -> None:
        self._full = True
        self.set_address(self._address)
        self._copy.setFocus(Qt.FocusReason.OtherFocusReason)

    def _to_clipboard(self) -> None:
        address = self._address
        taken = copy_text(self, address, tr("Address copied."))
        self.copied.emit(taken)
        if taken:
            QTimer.singleShot(self._RECHECK_MS, self, lambda: self._read_back(address))

    def _read_back(self, address: str) -> None:
        same = QGuiApplication.clipboard().text() == address
        self.copied.emit(same)
        if not same:
            announce(
                self, tr("The clipboard now holds something else than this address. Check every digit after pasting."), tone="bad"
            )
