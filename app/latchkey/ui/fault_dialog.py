"""What a person is shown when the program itself is at fault: that it goes on, where the report is, and the report, every line of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from latchkey.language import tr, trn
from latchkey.ui import theme
from latchkey.ui.widgets import Banner, Body, Dialog, Muted, PhraseLabel, primary, secondary, text_edit
from latchkey.ui.widgets.export import copy_text

if TYPE_CHECKING:
    from latchkey.ui.faults import Faults

_LOOK_MS = 500


class FaultDialog(Dialog):
    """`ended`: the fault ended the program the time before. While it is open it counts what else fails."""

    def __init__(self, faults: Faults, parent: QWidget, report: str, kept: Path | None, *, ended: bool = False) -> None:
        title = tr("Latchkey ended unexpectedly") if ended else tr("Something went wrong inside Latchkey")
        super().__init__(title, parent, width=72 * theme.GRID)
        self._faults, self._before = faults, faults.count
        self.body.addWidget(Banner("warning", *_sentences(ended=ended)))
        self.report = text_edit(report.rstrip(), lines=15)
        self.report.setReadOnly(True)
        self.report.setAccessibleName(tr("Fault report"))
        self.body.addWidget(self.report)
        self.body.addWidget(Body(tr("This is all of it. It is sent to nobody; copy it when you want to tell the developers.")))
        if kept is not None:
            self.body.addWidget(PhraseLabel(tr("Kept in {file}", file=str(kept)), size=theme.SMALL, tone="muted"))
        self.more = Muted()
        self.more.hide()
        self.body.addWidget(self.more)
        self.copy = secondary(tr("Copy report"), self._copy, icon_name="copy")
        self.go_on = primary(tr("Go on"), self.accept)
        self.buttons.addWidget(self.copy)
        self.buttons.addWidget(self.go_on)
        self.go_on.setDefault(True)
        self.go_on.setFocus()
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._count)
        self._timer.start()

    def _copy(self) -> None:
        copy_text(self, self.report.toPlainText())

    def _count(self) -> None:
        if more := self._faults.count - self._before:
            self.more.setText(trn("It went wrong {count} more time since.", "It went wrong {count} more times since.", more))
            self.more.show()


def _sentences(*, ended: bool) -> tuple[str, str]:
    if ended:
        return (
            tr("The time before, Latchkey was ended by a fault of its own or of a library."),
            tr("Your keys, accounts and grants are as they were. What was being sent is looked for on the chain."),
        )
    return (
        tr("Latchkey goes on. What you just did may not be done: please look before you do it again."),
        tr("Nothing is signed without your yes at the desk. If it goes on being odd, close Latchkey and start it anew."),
    )
