"""The program's own log and its fault reports, to be read and copied. Shown is what the log's own rules let through, whoever wrote it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latchkey.language import tr, trn
from latchkey.store.reports import Reports
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Body, Card, Dialog, Page, PhraseLabel, clear_layout, confirm, primary, quiet, secondary, text_edit
from latchkey.ui.widgets.export import copy_text

_WHAT = tr(
    "What Latchkey did and when, and which errors came up: kept on this computer, sent to nobody. No address, amount, name, key or text "
    "from outside can stand in it."
)
_NONE = tr("Nothing was noted yet.")
_LINES = 18


class LogPage(Page):
    def __init__(self, context: Context) -> None:
        super().__init__(tr("Log and fault reports"))
        self._context, self._reports = context, Reports(context.data_dir.reports)
        self.header.addWidget(secondary(tr("Settings"), lambda: context.navigate("settings"), icon_name="back"))
        self.body.addWidget(Body(_WHAT))
        card = Card(tr("Log"))
        self.lines = text_edit(lines=_LINES)
        self.lines.setReadOnly(True)
        self.lines.setAccessibleName(tr("Log"))
        self.lines.setPlaceholderText(_NONE)
        card.body.addWidget(self.lines)
        card.body.addWidget(PhraseLabel(str(context.data_dir.log), size=theme.SMALL, tone="muted"))
        self.copy = secondary(tr("Copy"), self._copy, icon_name="copy")
        card.body.addLayout(_row(self.copy, secondary(tr("Read again"), self.enter)))
        self.body.addWidget(card)
        self.faults = Card(tr("Fault reports"))
        self.count = Body(tone="muted")
        self.list = QVBoxLayout()
        self.list.setSpacing(theme.space(0.5))
        self.remove = quiet(tr("Remove all…"), self._ask_to_remove, icon_name="trash")
        self.faults.body.addWidget(self.count)
        self.faults.body.addLayout(self.list)
        self.faults.body.addLayout(_row(self.remove))
        self.body.addWidget(self.faults)
        self.body.addStretch(1)

    def enter(self, _payload: object = None) -> None:
        self.lines.setPlainText("\n".join(entry.text for entry in self._context.journal.entries()))
        bar = self.lines.verticalScrollBar()
        bar.setValue(bar.maximum())
        self._show_reports()

    def _show_reports(self) -> None:
        clear_layout(self.list)
        kept = self._reports.all()
        self.count.setText(
            trn("{count} report is kept.", "{count} reports are kept.", len(kept)) if kept else tr("No fault was met. Good.")
        )
        self.remove.setVisible(bool(kept))
        for path in kept:
            self.list.addWidget(self._report(path))

    def _report(self, path: Path) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(1.5))
        row.addWidget(PhraseLabel(path.name, size=theme.SMALL), 1)
        show = quiet(tr("Show"), partial(self._show, path))
        show.setAccessibleName(tr("Show {name}", name=path.name))
        row.addWidget(show)
        return line

    def _show(self, path: Path) -> None:
        dialog = Dialog(path.name, self.window(), width=72 * theme.GRID)
        text = text_edit(self._reports.read(path).rstrip(), lines=_LINES)
        text.setReadOnly(True)
        text.setAccessibleName(tr("Fault report"))
        dialog.body.addWidget(text)
        dialog.buttons.addWidget(secondary(tr("Copy report"), partial(copy_text, self, text.toPlainText()), icon_name="copy"))
        dialog.buttons.addWidget(primary(tr("Close"), dialog.accept))
        dialog.open()

    def _copy(self) -> None:
        copy_text(self, self.lines.toPlainText())

    def _ask_to_remove(self) -> None:
        sentence = tr("They are of use to nobody but the developers, and only if you send them one.")
        confirm(self, tr("Remove all fault reports?"), sentence, tr("Remove"), self._remove)

    def _remove(self) -> None:
        self._reports.clear()
        self._show_reports()


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(theme.space(1.5))
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
