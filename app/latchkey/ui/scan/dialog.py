"""Scanning, for a person: a dialog over the window, and a strip in its place while the screen is looked at.

    scan(context, parent, frozenset({HdKeys, PayTo}), self._take)     those kinds alone; None for whatever can be opened

`done` is called once, after the dialog has closed; not at all when the person gives up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QMimeData, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QKeySequence, QScreen
from PySide6.QtWidgets import QDialog, QStackedWidget, QWidget

from latchkey.codec.inbox import Anything, names_of
from latchkey.errors import BadInput, LatchkeyError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.scan.feedback import Feedback
from latchkey.ui.scan.gathering import Gathering, Notice
from latchkey.ui.scan.panes import CameraPane, PicturePane, ScreenPane, clipboard
from latchkey.ui.scan.picture import Source
from latchkey.ui.scan.reader import Reader, Sight
from latchkey.ui.scan.region import RegionPicker
from latchkey.ui.scan.screen import ScreenView
from latchkey.ui.scan.strip import Strip
from latchkey.ui.widgets import Dialog, Muted, Segmented, quiet, secondary, set_property
from latchkey.ui.widgets.intake import from_mime

WAYS = (("camera", tr("Camera")), ("screen", tr("Screen")), ("picture", tr("Picture")))
_FIRST_SIZE, _FRAME = QSize(theme.space(72), theme.space(80)), QSize(theme.space(4), theme.space(8))
_SETTLES_MS = 250  # until a window that was hidden is gone from the screen
_NOBODY = tr("Nothing new was seen for five minutes, so Latchkey stopped looking at the screen.")


def scan(
    context: Context, parent: QWidget, expected: frozenset[type] | None, done: Callable[[Any], object], *, way: str = "camera"
) -> ScanDialog:
    """Open the dialog over `parent`'s window. `expected`: types of `codec.inbox.Anything`, one of which `done` gets; `way`: camera,
    screen or picture."""
    dialog = ScanDialog(context, parent.window(), expected, done)
    dialog.open()
    dialog.choose(way)
    return dialog


class ScanDialog(Dialog):
    def __init__(self, context: Context, window: QWidget, expected: frozenset[type] | None, done: Callable[[Any], object]) -> None:
        super().__init__(tr("Scan a code"), window, width=theme.space(72))
        self._done = done
        self._aside: list[QWidget] = []
        self._picker: RegionPicker | None = None
        self.strip: Strip | None = None
        self.setAcceptDrops(True)
        self.resize(_FIRST_SIZE.boundedTo(window.screen().availableSize() - _FRAME))
        self.reader = Reader(Gathering(expected), self)
        self.reader.seen.connect(self._seen)
        self.reader.failed.connect(self._failed)
        self.ways = Segmented(WAYS, name=tr("What to scan"), value="camera")
        self.ways.changed.connect(self.choose)
        self.camera = CameraPane(context, self.reader)
        self.screens = ScreenPane(context)
        self.pictures = PicturePane()
        self.stack = QStackedWidget()
        self._panes: dict[str, CameraPane | ScreenPane | PicturePane] = {
            "camera": self.camera, "screen": self.screens, "picture": self.pictures,
        }  # fmt: skip
        for pane in self._panes.values():
            self.stack.addWidget(pane)
        self.feedback = Feedback()
        self.body.addWidget(Muted(_wanted(expected)))
        self.body.addWidget(self.ways)
        self.body.addWidget(self.stack, 1)
        self.body.addWidget(self.feedback)
        self.over = quiet(tr("Start over"), self.reader.forget)
        self.over.hide()
        self.buttons.insertWidget(0, self.over)
        self.buttons.addWidget(secondary(tr("Cancel"), self.reject))
        self.camera.other.connect(self.choose)
        self.screens.wanted.connect(self._look_at_screen)
        self.screens.said.connect(self.feedback.show_notice)
        self.pictures.given.connect(self.reader.open)
        self.pictures.pasted.connect(lambda: self._take_mime(clipboard()))
        self.finished.connect(lambda _result: self._close())

    def choose(self, way: str) -> None:
        """Go to one of the ways; the others stop."""
        self.ways.set_value(way)
        pane = self._panes[way]
        for other in self._panes.values():
            if other is not pane:
                other.leave()
        self.feedback.show_notice(None)
        self.stack.setCurrentWidget(pane)
        pane.enter()

    # --- what is seen

    def _seen(self, sight: Sight) -> None:
        progress = sight.progress
        if progress.found is not None:
            self._found(progress.found)
            return
        self.over.setVisible(progress.parts > 0)
        self.feedback.show_progress(progress)
        if self.strip is not None:
            self.strip.show_progress(progress)
        else:
            self.camera.show_sight(sight)
        if progress.is_over and self.reader.is_watching:
            self._rest()

    def _found(self, found: Anything) -> None:
        self.come_back()
        self.accept()
        self._done(found)

    def _failed(self, error: LatchkeyError) -> None:
        self.come_back()
        self.feedback.show_notice(Notice(error.text))

    def _rest(self) -> None:
        if self.strip is None:
            self.camera.rest()
            return
        self.come_back()
        self.feedback.show_notice(Notice(_NOBODY))

    def _close(self) -> None:
        self.reader.close()
        self.camera.leave()

    # --- the screen

    def _look_at_screen(self, what: str, detail: Any) -> None:
        self.feedback.show_notice(None)
        if what == "region":
            self._step_aside()
            QTimer.singleShot(_SETTLES_MS, self, self._pick_region)
        elif what == "screen":
            self._look(tr("Looking at the screen"), ScreenView())
        else:
            self._look_through(what, detail)

    def _pick_region(self) -> None:
        self._picker = RegionPicker(self)
        self._picker.picked.connect(self._picked)
        self._picker.cancelled.connect(self.come_back)
        self._picker.start()

    def _picked(self, screen: QScreen, part: QRect) -> None:
        self._look(tr("Looking at the region"), ScreenView(screen, part), screen, part)

    def _look_through(self, what: str, window: Any) -> None:
        """What another part of the system captures for us."""
        from latchkey.ui.scan.capture import SharedScreen, WindowView

        source = SharedScreen(self) if what == "shared" else WindowView(window, self)
        source.failed.connect(self._not_shared)
        self._look(tr("Looking at the screen") if what == "shared" else tr("Looking at the window"), source)
        source.start()

    def _not_shared(self, sentence: str) -> None:
        self.come_back()
        self.feedback.show_notice(Notice(sentence))

    def _look(self, title: str, source: Source, screen: QScreen | None = None, part: QRect | None = None) -> None:
        self.strip = Strip(title, self.come_back)
        self._step_aside()
        self.strip.show_beside(screen, part)
        self.reader.watch(source)

    def _step_aside(self) -> None:
        """Every window of ours that stands over another, or it would read its own code."""
        above: QWidget | None = None if self._aside else self
        while above is not None:
            if isinstance(above, QDialog):
                above.setWindowModality(Qt.WindowModality.WindowModal)  # hiding takes back what open() set
            above.hide()
            self._aside.append(above)
            below = above.parentWidget()
            above = below.window() if below is not None else None

    def come_back(self) -> None:
        """The windows as they were; the strip goes."""
        self.reader.stop()
        strip, self.strip = self.strip, None
        if strip is not None:
            strip.close()
        aside, self._aside = self._aside, []
        for one in reversed(aside):
            one.show()
        if aside:
            self.activateWindow()

    # --- dropped and pasted

    def _take_mime(self, data: QMimeData) -> None:
        try:
            kept = from_mime(data)
        except BadInput as error:
            self.feedback.show_notice(Notice(error.text))
        else:
            self.reader.open(kept)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self._take_mime(clipboard())
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        event.acceptProposedAction()
        set_property(self.pictures, "active", True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        set_property(self.pictures, "active", False)

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        set_property(self.pictures, "active", False)
        self._take_mime(event.mimeData())

    def closeEvent(self, event: QCloseEvent) -> None:
        self.reader.close()
        super().closeEvent(event)


def _wanted(expected: frozenset[type] | None) -> str:
    if expected is None:
        return tr("A dApp's request, a hand-over, a hardware wallet's code, or an address.")
    return tr("Expected: {what}.", what=names_of(expected))
