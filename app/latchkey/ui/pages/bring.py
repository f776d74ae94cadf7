"""Bringing what was signed elsewhere back: scanned, as a file, as text or pictures. What is not wanted is said, and another try is at hand.

bring(context, parent, frozenset({Envelope}), take)        take(found) -> "" when it is taken, else a sentence that says what is wrong
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from latchkey.codec.inbox import Anything, names_of
from latchkey.errors import BadInput, LatchkeyError
from latchkey.language import tr
from latchkey.ui.context import Context
from latchkey.ui.widgets import Banner, Dialog, Muted, primary, secondary
from latchkey.ui.widgets.intake import Gatherer, PasteEdit, Source, Waiting, from_mime

_PLACES = tr("Hand-overs and QR pictures (*.latchkey *.json *.txt *.png *.jpg *.jpeg);;All files (*)")

Take = Callable[[Any], str]


def bring(context: Context, parent: QWidget, expected: frozenset[type], take: Take) -> BringDialog:
    dialog = BringDialog(context, parent, expected, take)
    dialog.open()
    return dialog


class BringDialog(Dialog):
    """`expected`: types of `codec.inbox.Anything`."""

    def __init__(self, context: Context, parent: QWidget, expected: frozenset[type], take: Take) -> None:
        super().__init__(tr("Bring the signed answer"), parent)
        self._context, self._expected, self._take = context, expected, take
        self._gatherer = Gatherer()
        self.banner = Banner()
        self.banner.hide()
        self.edit = PasteEdit(self._take_mime)
        self.edit.setAccessibleName(tr("The answer's text"))
        self.scan = primary(tr("&Scan it…"), self._scan, icon_name="qr")
        self.file = secondary(tr("Choose &file…"), self._choose, icon_name="file")
        self.go = secondary(tr("&Go on"), lambda: self.open_all([self.edit.toPlainText()]))
        self.go.setEnabled(False)
        self.edit.textChanged.connect(lambda: self.go.setEnabled(bool(self.edit.toPlainText().strip())))
        self.body.addWidget(
            Muted(tr("Scan the code that shows it; or choose its file, or paste its text or a picture of its code."))
        )
        self.body.addWidget(self.edit)
        self.body.addWidget(self.banner)
        self.buttons.insertWidget(0, self.scan)
        self.buttons.insertWidget(1, self.file)
        self.buttons.addWidget(secondary(tr("Cancel"), self.reject))
        self.buttons.addWidget(self.go)
        self.scan.setFocus(Qt.FocusReason.OtherFocusReason)

    def open_all(self, sources: Sequence[Source]) -> None:
        self._context.tasks.run(lambda _job: self._gatherer.open(sources), self.take, failed=self._failed, owner=self)

    def take(self, found: Anything | Waiting) -> None:
        """What was opened: taken, or said what is wrong with it."""
        if isinstance(found, Waiting):
            self._tell("notice", tr("{percent} % of an animated code is here.", percent=found.percent))
            return
        if not isinstance(found, tuple(self._expected)):
            self._tell("warning", tr("This is something else; expected {what}.", what=names_of(self._expected)))
            return
        complaint = self._take(found)
        if complaint:
            self._tell("warning", complaint)
        else:
            self.accept()

    def _scan(self) -> None:
        from latchkey.ui.scan.dialog import scan

        scan(self._context, self, self._expected, self.take)

    def _take_mime(self, data: QMimeData) -> None:
        try:
            self.open_all(from_mime(data))
        except BadInput as error:
            self._failed(error)

    def _choose(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, tr("Bring the signed answer"), str(Path.home()), _PLACES)
        if names:
            self.open_all([Path(name) for name in names])

    def _failed(self, error: LatchkeyError) -> None:
        self._tell("warning", error.text)

    def _tell(self, level: str, sentence: str) -> None:
        self.banner.set(level, sentence)
        self.banner.show()
