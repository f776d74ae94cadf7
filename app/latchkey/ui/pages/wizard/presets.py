"""The person's own presets on the scope page: begin with one, keep what stands as one, rename, delete and take back, share as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from latchkey.core.account import Account, Mode
from latchkey.core.moments import span
from latchkey.core.networks import network
from latchkey.core.own_presets import OwnPreset, preset_json, preset_name
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.request import NO_CLAIMS
from latchkey.core.types import ZERO_ADDRESS
from latchkey.core.untrusted import MAX_BYTES
from latchkey.core.words_permissions import describe_permission
from latchkey.core.words_pieces import Names
from latchkey.errors import BadInput, LatchkeyError, StoreError
from latchkey.flow.accounts import DEFAULT_SYSTEM
from latchkey.flow.presets import Found, open_file, own_preset
from latchkey.flow.wizard import World
from latchkey.language import tr
from latchkey.store.presets import KeptPreset, Presets
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.wizard.step_page import View
from latchkey.ui.widgets import (
    Banner,
    Card,
    Dialog,
    Field,
    FindingList,
    Heading,
    Muted,
    PhraseLabel,
    PhraseList,
    add_shown,
    clear_layout,
    line_edit,
    link,
    phrase,
    primary,
    quiet,
    secondary,
    short_address,
)

_SHOWN = 3  # permissions told in a row of the list
_FILES = tr("Latchkey preset (*.latchkey-preset)")


class OwnPresets(Card):
    """`taken(preset)`: the person wants to begin with this one."""

    taken = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Your presets"))
        self._context = context
        self._drawn: tuple[KeptPreset, ...] | None = None
        self._none = Muted(tr("None yet. Fill in a scope once and save it as a preset, or open one that somebody shared."))
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(1))
        self._gone: KeptPreset | None = None
        self._undo = QWidget()
        row = QHBoxLayout(self._undo)
        row.setContentsMargins(0, 0, 0, 0)
        self._undo_text = Muted()
        self._undo_link = link(tr("&Undo"), self._take_back)
        row.addWidget(self._undo_text)
        row.addWidget(self._undo_link)
        row.addStretch(1)
        self._undo.hide()
        self._fault = Banner("danger")
        self._fault.hide()
        self.body.addWidget(self._none)
        self.body.addLayout(self._list)
        self.body.addWidget(self._undo)
        self.body.addWidget(self._fault)
        opening = QHBoxLayout()
        opening.addWidget(secondary(tr("Open a preset &file…"), self._ask_file, icon_name="open"))
        opening.addStretch(1)
        self.body.addLayout(opening)

    @property
    def shelf(self) -> Presets:
        return Presets(self._context.book)

    def refresh(self) -> None:
        """Draw what is kept, when it is other than what is drawn."""
        try:
            kept = self.shelf.all()
        except StoreError as error:
            self._say(error)
            return
        self._none.setVisible(not kept)
        if kept == self._drawn:
            return
        self._drawn = kept
        clear_layout(self._list)
        for one in kept:
            add_shown(self._list, self._row(one))

    def _row(self, kept: KeptPreset) -> QWidget:
        name = kept.preset.name
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.space(0.5))
        texts = QVBoxLayout()
        texts.setSpacing(0)
        begin = link("", partial(self.taken.emit, kept.preset))
        begin.setText(name.replace("&", "&&"))
        begin.setAccessibleName(tr("Begin with: {name}", name=name))
        texts.addWidget(begin)
        texts.addWidget(PhraseLabel(summary(kept.preset), size=theme.SMALL, tone="muted"))
        line.addLayout(texts, 1)
        line.addWidget(quiet("", partial(self._ask_name, kept), icon_name="edit", name=tr("Rename: {name}", name=name)))
        line.addWidget(quiet("", partial(self._ask_where, kept), icon_name="save", name=tr("Save as a file: {name}", name=name)))
        line.addWidget(quiet("", partial(self.delete, kept), icon_name="trash", name=tr("Delete: {name}", name=name)))
        return row

    # --- changes

    def keep(self, preset: OwnPreset) -> None:
        """Raises StoreError when the name is taken."""
        self.shelf.add(preset)
        self._done(tr("Saved as “{preset_name}”.", preset_name=preset.name))

    def _ask_name(self, kept: KeptPreset) -> None:
        PresetDialog(self, tr("Rename this preset"), tr("&Rename"), partial(self.rename, kept), name=kept.preset.name).open()

    def rename(self, kept: KeptPreset, name: str) -> None:
        self.shelf.rename(kept.id, name)
        self._done("")

    def delete(self, kept: KeptPreset) -> None:
        """Gone at once; it can be taken back until the page is left."""
        try:
            self.shelf.delete(kept.id)
        except StoreError as error:
            self._say(error)
            return
        self._done("")
        self._gone = kept
        self._undo_text.setText(tr("“{name}” is deleted.", name=kept.preset.name))
        self._undo.show()
        self._undo_link.setFocus()

    def _take_back(self) -> None:
        if self._gone is None:
            return
        try:
            self.shelf.restore(self._gone)
        except StoreError as error:
            self._say(error)
            return
        self._done(tr("“{name}” is back.", name=self._gone.preset.name))

    def forget_undo(self) -> None:
        self._gone = None
        self._undo.hide()

    def _done(self, text: str) -> None:
        self.forget_undo() if not text or self._gone else None
        self._fault.hide()
        self.refresh()
        self._context.changed.emit("presets")
        if text:
            self._context.say(text)

    def _say(self, error: LatchkeyError) -> None:
        self._fault.set("danger", error.text)
        self._fault.show()

    # --- files

    def _ask_where(self, kept: KeptPreset) -> None:
        name = "".join(c if c.isalnum() else "-" for c in kept.preset.name).strip("-") or "preset"
        path, _ = QFileDialog.getSaveFileName(self, tr("Save the preset"), f"{name}.latchkey-preset", _FILES)
        if path:
            self.save_file(kept, Path(path))

    def save_file(self, kept: KeptPreset, path: Path) -> None:
        try:
            path.write_text(preset_json(kept.preset), encoding="utf-8")
        except OSError as error:
            self._fault.set("danger", tr("The file could not be written: {strerror}.", strerror=error.strerror))
            self._fault.show()
            return
        self._fault.hide()
        self._context.say(tr("Saved. Whoever opens it sees your contracts' addresses and amounts, not your account or keys."))

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("Open a preset"), "", tr("{files};;All files (*)", files=_FILES))
        if path:
            self.open_path(Path(path))

    def open_path(self, path: Path) -> None:
        """Show what a file holds, to be kept or left."""
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
            found = open_file(data, World((), expert=True, now=self._context.clock()))
            name = self.shelf.free_name(found.preset.name)
        except OSError as error:
            self._fault.set("danger", tr("The file could not be read: {strerror}.", strerror=error.strerror))
            self._fault.show()
        except LatchkeyError as error:
            self._say(error)
        else:
            self._fault.hide()
            FoundDialog(self, found, name, self.keep).open()


def summary(preset: OwnPreset) -> Phrase:
    """Network, time, and what it permits, on one line."""
    names = Names(Account(preset.chain_id, ZERO_ADDRESS, DEFAULT_SYSTEM, Mode.ADDRESS), NO_CLAIMS)
    what = [_short(describe_permission(permission, names)) for permission in preset.permissions[:_SHOWN]]
    rest = len(preset.permissions) - _SHOWN
    more = [tr("and {rest} more", rest=rest)] if rest > 0 else []
    return phrase(f"{network(preset.chain_id).name}, {span(preset.seconds)}: {'; '.join([*what, *more])}")


def _short(line: Phrase) -> str:
    return "".join(short_address(part.text) if part.style is Style.ADDRESS else part.text for part in line.parts)


class PresetDialog(Dialog):
    """Asks for a preset's name and hands it to `done`, whose refusal is shown."""

    def __init__(self, parent: QWidget, title: str, verb: str, done: Callable[[str], object], *, name: str = "") -> None:
        super().__init__(title, parent.window())
        self._done = done
        self.name = Field(tr("&Name"), line_edit(limit=64))
        self.name.editor.setText(name)
        self.body.addWidget(self.name)
        self.buttons.addWidget(secondary(tr("&Cancel"), self.reject))
        self.buttons.addWidget(primary(verb, self.finish))
        self.name.editor.setFocus()

    def finish(self) -> None:
        try:
            self._done(preset_name(self.name.editor.text()))
        except (BadInput, StoreError) as error:
            self.name.set_error(error.text)
            return
        self.accept()


def save_dialog(parent: QWidget, view: View, keep: Callable[[OwnPreset], object]) -> PresetDialog:
    """Keep what stands on the scope page under a name."""
    dialog = PresetDialog(parent, tr("Save as a preset"), tr("&Save"), lambda name: keep(own_preset(view.state, view.world, name)))
    dialog.body.addWidget(Muted(tr("Contracts, functions, amounts and the time are kept; your account and keys are not.")))
    return dialog


class FoundDialog(PresetDialog):
    """What a file holds: read like a request, in the words of a grant; kept only when the person says so."""

    def __init__(self, parent: QWidget, found: Found, name: str, keep: Callable[[OwnPreset], object]) -> None:
        preset = found.preset
        super().__init__(
            parent, tr("A preset from a file"), tr("&Keep it"), lambda chosen: keep(replace(preset, name=chosen)), name=name
        )
        self.setMinimumWidth(80 * theme.GRID)
        self.body.removeWidget(self.name)
        calls_itself = (Part(tr("The file calls itself ")), Part(f"“{preset.name}”", Style.CLAIM))
        where = (Part(tr(", and is for ")), Part(network(preset.chain_id).name, Style.STRONG))
        said = Phrase((*calls_itself, *where, Part(tr(". A session from it lasts {span}.", span=span(preset.seconds)))))
        scroller, inside = QScrollArea(), QWidget()
        scroller.setWidgetResizable(True)
        scroller.setFrameShape(QFrame.Shape.NoFrame)
        scroller.setMinimumHeight(theme.space(36))
        scroller.setAccessibleName(tr("What the file holds"))
        inside.setProperty("surface", "page")
        rows = QVBoxLayout(inside)
        rows.setContentsMargins(0, 0, theme.space(1), 0)
        rows.setSpacing(theme.space(1))
        rows.addWidget(PhraseLabel(said))
        for text in found.against:
            rows.addWidget(Banner("danger", text))
        if found.words is not None:
            for title, lines, tone in (
                (tr("It lets a key"), found.words.can, "good"),
                (tr("It cannot"), found.words.cannot, "muted"),
            ):
                rows.addWidget(Heading(title))
                rows.addWidget(PhraseList(lines, tone=tone))
        if found.findings:
            rows.addWidget(FindingList(found.findings))
        rows.addStretch(1)
        scroller.setWidget(inside)
        self.body.addWidget(scroller)
        self.body.addWidget(self.name)
        self.body.addWidget(Muted(tr("It is checked again, for your account, whenever you use it.")))
