"""The scanner: no camera, a code coming in, a wrong one, one too dense; the screen, a region of it, the strip; pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QRect
from tests.gui.pictures import Stage, picture

from latchkey.codec import ur
from latchkey.codec.inbox import EthSignature
from latchkey.ui.scan.dialog import ScanDialog, scan
from latchkey.ui.scan.gathering import Notice, Progress
from latchkey.ui.scan.region import RegionPicker
from latchkey.ui.scan.strip import Strip

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

MESSAGE = bytes(range(256)) * 6


def dialog(stage: Stage, way: str = "camera", expected: frozenset[type] | None = None) -> ScanDialog:
    window = stage.window(size=(1180, 780))
    return cast(ScanDialog, stage.keep(scan(window._context, window, expected, lambda _found: None, way=way)))


def live(
    stage: Stage, *numbers: int, side: int = 360, blur: float = 1, text: str = "", expected: frozenset[type] | None = None
) -> QWidget:
    """A camera before which these parts were held, or this text."""
    from tests.gui.scanning import SyntheticCamera, photo

    shown = dialog(stage, expected=expected)
    stage.settle(0.4)
    camera = SyntheticCamera(shown)
    shown.camera.run(camera)
    shown.camera.camera.blockSignals(True)
    shown.camera.camera.addItem("Integrated camera")
    encoder = ur.Encoder(MESSAGE)
    for what in [text] if text else [encoder.part(number).upper() for number in numbers]:
        for _ in range(6 if text or blur > 1.5 else 1):
            camera.show(photo(what, side=side, turn=-7, blur=blur, noise=0.05))
            stage.settle(0.15)
    return shown


def aside(stage: Stage) -> QWidget:
    strip = cast(Strip, stage.keep(Strip("Looking at the region", lambda: None)))
    strip.show_beside(None, QRect(100, 100, 300, 300))
    notice = Notice("No new part came for some time.", "If the code stands still, let it run.")
    strip.show_progress(Progress(parts=9, percent=57, notice=notice))
    return strip


def region(stage: Stage) -> QWidget:
    stage.window(size=(1180, 780))
    stage.settle(0.3)
    picker = RegionPicker()
    stage._closing.append(picker.cancel)
    picker.start()
    cover = picker.covers[0]
    cover.part = QRect(420, 180, 320, 300)
    return cover


WC = "wc:7f6e504bfad60b485450578e05678ed3e8e8c4751d3c6160be17160d63ec90f9@2?relay-protocol=irn&symKey=5d1f"
picture("scan-no-camera", lambda stage: dialog(stage))
picture("scan-live", lambda stage: live(stage, *range(1, 10)))
picture("scan-wrong-kind", lambda stage: live(stage, 1, 2, 3, expected=frozenset({EthSignature})))
picture("scan-wc", lambda stage: live(stage, text=WC))
picture("scan-too-dense", lambda stage: live(stage, 1, side=340, blur=2.8))
picture("scan-screen", lambda stage: dialog(stage, "screen"))
picture("scan-picture", lambda stage: dialog(stage, "picture"))
picture("scan-strip", aside)
picture("scan-region", region)
