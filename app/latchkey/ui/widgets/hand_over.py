"""What is handed over to another machine or wallet: a QR code, and the same as a file, a link or text.

    card = HandOverCard([of_envelope(envelope)], camera=tr("the other machine's camera"))
    card.show_all([...])        others in their place; [] shows nothing any more

Several are shown one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout

from latchkey.flow.handing import HandOver
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets.buttons import secondary
from latchkey.ui.widgets.export import copy_text, write_file
from latchkey.ui.widgets.qr_player import QrPlayer
from latchkey.ui.widgets.surfaces import Card
from latchkey.ui.widgets.text import Muted


class HandOverCard(Card):
    """`turned(number)`: another of several is shown, counted from 0."""

    turned = Signal(int)

    def __init__(self, items: Sequence[HandOver] = (), *, camera: str = "") -> None:
        super().__init__()
        self._items: tuple[HandOver, ...] = ()
        self._at = 0
        self._which, self._note = Muted(), Muted()
        self.player = QrPlayer(camera=camera or tr("the other machine's camera"))
        self.player.setMinimumHeight(theme.space(56))
        self.save = secondary(tr("&Save file…"), self._save, icon_name="save")
        self.copy = secondary(tr("&Copy text"), self._copy, icon_name="copy")
        self.copy_link = secondary(tr("Copy &link"), self._copy_link, icon_name="link")
        self.next = secondary(tr("&Next code"), self._next, icon_name="qr")
        row = QHBoxLayout()
        row.setSpacing(theme.space(1))
        row.addStretch(1)
        for button in (self.save, self.copy, self.copy_link, self.next):
            row.addWidget(button)
        row.addStretch(1)
        self.body.addWidget(self._which)
        self.body.addWidget(self._note)
        self.body.addWidget(self.player, 1)
        self.body.addLayout(row)
        self.show_all(items)

    @property
    def shown(self) -> HandOver | None:
        """The one that is shown now."""
        return self._items[self._at] if self._items else None

    def show_all(self, items: Sequence[HandOver], at: int = 0) -> None:
        self._items, self._at = tuple(items), at
        self._show()

    def _next(self) -> None:
        self._at = (self._at + 1) % len(self._items)
        self._show()
        self.turned.emit(self._at)

    def _show(self) -> None:
        item, several = self.shown, len(self._items) > 1
        for part in (self._which, self.next):
            part.setVisible(several)
        self._which.setText(tr("Code {number} of {count}", number=self._at + 1, count=len(self._items)))
        self._note.setText(item.note if item else "")
        self._note.setVisible(bool(item and item.note))
        self.copy_link.setVisible(bool(item and item.link))
        if item is None:
            self.player.clear()
        else:
            self.player.play(item.message, item.kind)

    # --- the other ways

    def _copy(self) -> None:
        if self.shown is not None:
            copy_text(self, self.shown.copied)

    def _copy_link(self) -> None:
        if self.shown is not None:
            copy_text(self, self.shown.link or "", tr("The link is copied."))

    def _save(self) -> None:
        item = self.shown
        if item is None:
            return
        pattern = tr("Latchkey hand-over (*{suffix})", suffix=Path(item.file_name).suffix)
        path, _ = QFileDialog.getSaveFileName(self, tr("Save it for the other machine"), str(Path.home() / item.file_name), pattern)
        if path:
            write_file(self, Path(path), item.file)
