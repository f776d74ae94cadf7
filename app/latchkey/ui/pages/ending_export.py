"""An ending for the machine that holds the owner's key, as file or QR code; and the way its signed answer comes back."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from latchkey.codec.files import SUFFIX
from latchkey.codec.hand_over import ENDINGS, Envelope, encode
from latchkey.errors import BadInput, LatchkeyError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Banner, Card, Dialog, Muted, announce, primary, secondary
from latchkey.ui.widgets.intake import Gatherer, PasteEdit, Source, Waiting, from_mime
from latchkey.ui.widgets.qr_player import QrPlayer

if TYPE_CHECKING:
    from latchkey.codec.inbox import Incoming

_PLACES = tr("Requests and QR pictures (*.latchkey *.json *.txt *.png *.jpg *.jpeg);;All files (*)")


class ExportCard(Card):
    """Hand-overs one after the other: each a code, and a file on wish."""

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        super().__init__()
        self.messages = tuple(map(encode, envelopes))
        self._names = tuple(f"{envelope.kind.value}-{number}{SUFFIX}" for number, envelope in enumerate(envelopes, 1))
        self._at = 0
        self._which = Muted("")
        self._which.setVisible(len(self.messages) > 1)
        self.player = QrPlayer(camera=tr("the other machine's camera"))
        self.player.setMinimumHeight(theme.space(48))
        self.save = primary(tr("&Save as file…"), self._save, icon_name="save")
        self.next = secondary(tr("&Next code"), self._next)
        self.next.setVisible(len(self.messages) > 1)
        row = QHBoxLayout()
        row.setSpacing(theme.space(1))
        for button in (self.save, self.next):
            row.addWidget(button)
        row.addStretch(1)
        self.body.addWidget(self._which)
        self.body.addWidget(self.player, 1)
        self.body.addLayout(row)
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.player.clear()

    def _next(self) -> None:
        self._at = (self._at + 1) % len(self.messages)
        self._show()

    def _show(self) -> None:
        self._which.setText(tr("Part {at} of {count}: each is signed by itself.", at=self._at + 1, count=len(self.messages)))
        self.player.play(self.messages[self._at])

    def _save(self) -> None:
        name, message = self._names[self._at], self.messages[self._at]
        path, _ = QFileDialog.getSaveFileName(
            self, tr("Save it for the other machine"), str(Path.home() / name), tr("Latchkey hand-over (*{suffix})", suffix=SUFFIX)
        )
        if path:
            write(self, Path(path), message)


def write(page: QWidget, path: Path, data: bytes) -> bool:
    """Write a file that only its owner reads, and say how it went."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            file.write(data)
    except OSError as error:
        announce(page, tr("The file could not be written: {strerror}.", strerror=error.strerror), tone="bad")
        return False
    announce(page, tr("Saved."))
    return True


def ask_answer(context: Context, parent: QWidget, done: Callable[[Envelope], object]) -> AnswerDialog:
    """Ask for what the other machine signed."""
    dialog = AnswerDialog(context, parent, done)
    dialog.open()
    return dialog


class AnswerDialog(Dialog):
    """A file, a text or pictures of its code."""

    def __init__(self, context: Context, parent: QWidget, done: Callable[[Envelope], object]) -> None:
        super().__init__(tr("Bring the signed answer"), parent)
        self._context, self._done = context, done
        self._gatherer = Gatherer()
        self.banner = Banner()
        self.banner.hide()
        self.edit = PasteEdit(self._take_mime)
        self.edit.setAccessibleName(tr("The answer's text"))
        self.file = secondary(tr("Choose &file…"), self._choose, icon_name="file")
        self.go = primary(tr("&Send it"), lambda: self.take([self.edit.toPlainText()]))
        self.go.setEnabled(False)
        self.edit.textChanged.connect(lambda: self.go.setEnabled(bool(self.edit.toPlainText().strip())))
        self.body.addWidget(Muted(tr("Choose the file that the other machine saved, or paste its text or a picture of its code.")))
        self.body.addWidget(self.edit)
        self.body.addWidget(self.banner)
        self.buttons.insertWidget(0, self.file)
        self.buttons.addWidget(secondary(tr("Cancel"), self.reject))
        self.buttons.addWidget(self.go)
        self.file.setFocus(Qt.FocusReason.OtherFocusReason)

    def take(self, sources: Sequence[Source]) -> None:
        self._context.tasks.run(lambda _job: self._gatherer.open(sources), self._opened, failed=self._failed, owner=self)

    def _take_mime(self, data: QMimeData) -> None:
        try:
            self.take(from_mime(data))
        except BadInput as error:
            self._failed(error)

    def _choose(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, tr("Bring the signed answer"), str(Path.home()), _PLACES)
        if names:
            self.take([Path(name) for name in names])

    def _opened(self, opened: Incoming | Waiting) -> None:
        if isinstance(opened, Waiting):
            self._tell(
                "notice",
                tr("{percent} % of an animated code is here.", percent=opened.percent),
                tr("Add the pictures of its other frames."),
            )
        elif not isinstance(opened, Envelope) or opened.kind not in ENDINGS:
            self._tell("warning", tr("This is something else: no revocation, cancellation or transaction of an owner."))
        elif not opened.signatures:
            self._tell(
                "warning",
                tr("This is not signed yet. Sign it on the machine that holds the owner's key, and bring what that gives."),
            )
        else:
            self.accept()
            self._done(opened)

    def _failed(self, error: LatchkeyError) -> None:
        self._tell("warning", error.text)

    def _tell(self, level: str, sentence: str, advice: str = "") -> None:
        self.banner.set(level, sentence, advice)
        self.banner.show()
