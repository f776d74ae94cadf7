"""The three ways to scan, one pane each: a camera, the screen, a picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QFrame, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from latchkey.codec.text import clean
from latchkey.errors import LatchkeyError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.scan import NO_MULTIMEDIA
from latchkey.ui.scan.gathering import Notice
from latchkey.ui.scan.picture import Source
from latchkey.ui.scan.reader import Reader, Sight
from latchkey.ui.scan.screen import can_grab
from latchkey.ui.scan.view import LiveView
from latchkey.ui.widgets import Body, CheckBox, ComboBox, Icon, Muted, Tile, secondary
from latchkey.ui.widgets.intake import PLACES

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QCameraDevice

_MULTIMEDIA = "latchkey.ui.scan.capture"
_OTHER_WAYS = tr("A code on this screen can be scanned there, and a picture of it can be opened or pasted.")
_PLUG_IN = tr("One that is plugged in now is taken up at once.")
_REGION_INSTEAD = tr("Choose a region around it instead.")
_OVER = tr("Nothing new was seen for five minutes, so the camera was switched off.")
_NAME = 60  # characters of a camera's or a window's own name


def load_capture(context: Context, owner: QWidget, done: Callable[[Any], object], failed: Callable[[str], object]) -> None:
    """The module that speaks to cameras, loaded off the UI thread; `failed(sentence)` where there is none."""

    def load(_job: object) -> Any:
        try:
            return import_module(_MULTIMEDIA)
        except ImportError:
            raise LatchkeyError(NO_MULTIMEDIA, code="NoMultimedia") from None

    def loaded(module: Any) -> None:
        if module.is_there():
            done(module)
        else:
            failed(NO_MULTIMEDIA)

    context.tasks.run(load, loaded, failed=lambda error: failed(error.text), owner=owner)


class CameraPane(QWidget):
    """Picks a camera, shows what it sees. `other(way)`: the person wants another way."""

    other = Signal(str)

    def __init__(self, context: Context, reader: Reader) -> None:
        super().__init__()
        self._context, self._reader = context, reader
        self._capture: Any = None
        self._cameras: Any = None
        self._entered = False
        self.source: Source | None = None
        self.view = LiveView()
        self.view.resized.connect(reader.resize)
        self.camera = ComboBox()
        self.camera.setAccessibleName(tr("Camera"))
        self.camera.currentIndexChanged.connect(lambda _index: self._start())
        self.mirror = CheckBox(tr("Mirror"))
        self.mirror.toggled.connect(self.view.set_mirrored)
        self.again = secondary(tr("Go on"), self._start)
        self.screen_instead = secondary(tr("Scan the screen"), lambda: self.other.emit("screen"))
        self.picture_instead = secondary(tr("Open a picture"), lambda: self.other.emit("picture"))
        self._choice, self._instead = QWidget(), QWidget()
        for holder, widgets in ((self._choice, (self.camera, self.mirror)), (self._instead, self._ways())):
            row = QHBoxLayout(holder)
            row.setContentsMargins(0, 0, 0, 0)
            row.setSpacing(theme.space(1.5))
            row.addStretch(1) if holder is self._instead else None
            for widget in widgets:
                row.addWidget(widget, 1 if widget is self.camera else 0)
            row.addStretch(1) if holder is self._instead else None
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1.5))
        rows.addWidget(self.view, 1)
        rows.addWidget(self._choice)
        rows.addWidget(self._instead)
        self._show_state(tr("Looking for cameras…"))
        self._instead.hide()

    def _ways(self) -> tuple[QWidget, ...]:
        return self.again, self.screen_instead, self.picture_instead

    def enter(self) -> None:
        """Start; the camera's light goes on."""
        self._entered = True
        if self._capture is None:
            load_capture(self._context, self, self._loaded, self._trouble)
        else:
            self._list()

    def leave(self) -> None:
        self._entered = False
        self._stop()

    def show_sight(self, sight: Sight) -> None:
        if sight.preview is not None:
            self.view.show_picture(sight.preview, sight.marks)

    def rest(self) -> None:
        """Nobody seems to be there."""
        self._stop()
        self._show_state(_OVER, can_go_on=True)

    def _loaded(self, module: Any) -> None:
        self._capture = module
        self._cameras = module.Cameras(self)
        self._cameras.changed.connect(self._list)
        module.ask_permission(self, self._list, lambda: self._trouble(module.NOT_ALLOWED))

    def _list(self) -> None:
        """Offer the cameras there are now, and go on with the one that was chosen if it is still there."""
        if not self._entered:
            return
        devices: list[QCameraDevice] = self._cameras.all()
        before = self.camera.currentData()
        self.camera.blockSignals(True)
        self.camera.clear()
        for device in devices:
            self.camera.addItem(clean(device.description(), _NAME) or tr("Camera"), bytes(device.id().data()))
        self.camera.setCurrentIndex(max(self.camera.findData(before), 0) if devices else -1)
        self.camera.blockSignals(False)
        if not devices:
            self._stop()
            self._trouble(self._capture.NO_CAMERA, _PLUG_IN)
        elif self.source is None or self.camera.currentData() != before:
            self._start()

    def _start(self) -> None:
        device = next((one for one in self._cameras.all() if bytes(one.id().data()) == self.camera.currentData()), None)
        if device is None:
            self._list()
            return
        self.mirror.setChecked(device.position() != type(device).Position.BackFace)
        self.run(self._capture.Camera(device, self))

    def run(self, source: Any) -> None:
        """Show and read what this one sees."""
        self._stop()
        source.failed.connect(self._failed)
        self.source = source
        self._show_state(tr("Starting the camera…"), running=True)
        self._reader.watch(source, self.view.room)
        source.start()

    def _failed(self, sentence: str) -> None:
        self._stop()
        self._trouble(sentence, can_go_on=True)

    def _stop(self) -> None:
        self._reader.stop()
        source, self.source = self.source, None
        if source is not None:
            source.deleteLater()  # type: ignore[attr-defined]

    def _trouble(self, sentence: str, more: str = "", *, can_go_on: bool = False) -> None:
        self._show_state("\n".join(filter(None, (sentence, more, _OTHER_WAYS))), can_go_on=can_go_on)

    def _show_state(self, text: str, *, running: bool = False, can_go_on: bool = False) -> None:
        self.view.show_text(text)
        self._choice.setVisible(running)
        self._instead.setVisible(not running)
        self.again.setVisible(can_go_on)


class ScreenPane(QWidget):
    """Whole screen, region, window. `wanted(what, detail)`: "screen", "region", "window" with the window, "shared"; `said(Notice)`."""

    wanted = Signal(str, object)
    said = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1))
        rows.addWidget(
            Body(
                tr("Latchkey steps aside and looks at the screen; a small strip shows how far it is. Animated codes are followed.")
            )
        )
        rows.addSpacing(theme.space(0.5))
        self.tiles: dict[str, Tile] = {}
        for what, title, text in _GRABS if can_grab() else _SHARES:
            tile = Tile(title, text, partial(self._chosen, what), checkable=False)
            self.tiles[what] = tile
            rows.addWidget(tile)
        rows.addStretch(1)

    def enter(self) -> None:
        next(iter(self.tiles.values())).setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        """Nothing runs here."""

    def _chosen(self, what: str) -> None:
        if what == "window":
            load_capture(self._context, self, self._offer_windows, lambda _text: self._no_windows())
        elif what == "shared":
            load_capture(self._context, self, lambda _module: self.wanted.emit("shared", None), self._no_sharing)
        else:
            self.wanted.emit(what, None)

    def _offer_windows(self, capture: Any) -> None:
        own = {one.windowTitle() for one in QApplication.topLevelWidgets()}  # out of sight while another one is looked at
        windows = [one for one in capture.windows() if one.description() not in own]
        if not windows:
            self._no_windows()
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for window in windows:
            name = clean(window.description(), _NAME).replace("&", "&&")
            menu.addAction(name).triggered.connect(lambda _checked=False, one=window: self.wanted.emit("window", one))
        tile = self.tiles["window"]
        menu.popup(tile.mapToGlobal(QPoint(0, tile.height())))

    def _no_windows(self) -> None:
        self.said.emit(Notice(tr("The system does not say which windows there are."), _REGION_INSTEAD))

    def _no_sharing(self, _sentence: str) -> None:
        self.said.emit(
            Notice(tr("This system shares no screen with Latchkey."), tr("Take a picture of the screen and paste it here."))
        )


_GRABS = (
    ("screen", tr("The whole screen"), tr("Every screen, one after the other.")),
    ("region", tr("A region…"), tr("Draw a frame around the code: quickest, and nothing else is looked at.")),
    ("window", tr("A window…"), tr("One window of another program, even while it moves.")),
)
_SHARES = (("shared", tr("Share a screen…"), tr("The system asks which screen or window Latchkey may look at.")),)


class PicturePane(QFrame):
    """A place to drop on, a file to choose, the clipboard. `given(sources)`, or `pasted` for the clipboard."""

    given = Signal(object)
    pasted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "drop")
        self.file = secondary(tr("Choose file…"), self._choose, icon_name="file")
        self.paste = secondary(tr("Paste"), self.pasted.emit, icon_name="copy")
        self.paste.setToolTip(tr("Ctrl+V"))
        row = QHBoxLayout()
        row.setSpacing(theme.space(1.5))
        row.addStretch(1)
        row.addWidget(self.file)
        row.addWidget(self.paste)
        row.addStretch(1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(theme.space(3), theme.space(3), theme.space(3), theme.space(3))
        rows.setSpacing(theme.space(1.5))
        rows.addStretch(1)
        rows.addWidget(Icon("qr", "muted", size=32), 0, Qt.AlignmentFlag.AlignHCenter)
        lines = (
            Body(tr("Drop a picture of the code here.")),
            Muted(tr("PNG or JPEG. Pictures of an animated code's frames are put together.")),
        )
        for label in lines:
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            rows.addWidget(label)
        rows.addLayout(row)
        rows.addStretch(1)

    def enter(self) -> None:
        self.file.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        """Nothing runs here."""

    def _choose(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, tr("Open a picture"), str(Path.home()), PLACES)
        if names:
            self.given.emit([Path(name) for name in names])


def clipboard() -> Any:
    """What was copied."""
    return QGuiApplication.clipboard().mimeData()
