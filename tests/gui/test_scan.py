"""The scanner as a person meets it: real frames through a capture session, real pictures of the screen, and everything that can be
missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage
from PySide6.QtMultimedia import QCameraDevice
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot
from tests.gui.conftest import names_missing
from tests.gui.scanning import SyntheticCamera, image, photo
from tests.gui.test_intake import png, qr
from tests.gui.test_scan_gathering import ADDRESS, OTHER, RAW, REQUEST, WC

from latchkey.codec import ur
from latchkey.codec.eip681 import PayTo
from latchkey.codec.eip4527 import EthSignature
from latchkey.codec.inbox import open_text
from latchkey.codec.link import to_link
from latchkey.ui.scan import capture, panes
from latchkey.ui.scan.dialog import ScanDialog, scan
from latchkey.ui.scan.picture import Frame, Picture
from latchkey.ui.scan.reader import Reader
from latchkey.ui.scan.region import Cover
from latchkey.ui.scan.strip import Strip
from latchkey.ui.widgets import Dialog
from latchkey.ui.widgets.qr_player import QrPlayer
from latchkey.ui.window import Window

pytestmark = pytest.mark.gui
EXPECTED = open_text(RAW)


@pytest.fixture
def window(make_window: Callable[..., Window]) -> Window:
    return make_window()


class Scanning:
    """A dialog, and what it found."""

    def __init__(self, window: Window, qtbot: QtBot) -> None:
        self.found: list[Any] = []
        self._window, self._qtbot = window, qtbot

    def open(self, way: str = "camera", expected: frozenset[type] | None = None) -> ScanDialog:
        self.dialog = scan(self._window._context, self._window, expected, self.found.append, way=way)
        return self.dialog

    def camera(self, expected: frozenset[type] | None = None) -> SyntheticCamera:
        """A camera that shows what it is given, in an open dialog."""
        dialog = self.open(expected=expected)
        self._qtbot.waitUntil(lambda: "No camera" in dialog.camera.view._text)
        camera = SyntheticCamera(dialog)
        dialog.camera.run(camera)
        return camera

    @property
    def said(self) -> str:
        banner = self.dialog.feedback.banner
        return banner.text if banner.isVisible() else ""

    def shown(self, camera: SyntheticCamera, *texts: str, **how: Any) -> None:
        """Show one picture and wait until it was read."""
        seen: list[object] = []
        self.dialog.reader.seen.connect(lambda sight: sight.preview is not None and seen.append(sight))
        camera.show(photo(*texts, **how))
        self._qtbot.waitUntil(lambda: bool(seen) or bool(self.found))


@pytest.fixture
def scanning(window: Window, qtbot: QtBot) -> Scanning:
    return Scanning(window, qtbot)


# Camera --------------------------------------------------------------------------------------------------------------------------


def test_an_animated_code_before_the_camera(scanning: Scanning, qtbot: QtBot) -> None:
    """The player's own density, blurred, turned by 15 degrees, in bad light, a third of the frames lost."""
    camera, encoder = scanning.camera(), ur.Encoder(RAW)
    for number in [n for n in range(1, 20) if n % 3]:
        if scanning.found:
            break
        scanning.shown(camera, encoder.part(number).upper(), side=420, turn=15, blur=1.5, noise=0.05)
    assert scanning.found == [EXPECTED]
    assert camera.is_stopped
    qtbot.waitUntil(lambda: not scanning._window.findChildren(ScanDialog))


def test_progress_is_shown(scanning: Scanning) -> None:
    camera, encoder = scanning.camera(), ur.Encoder(RAW, 30)
    feedback = scanning.dialog.feedback
    assert not feedback.bar.isVisible()
    scanning.shown(camera, encoder.part(1).upper())
    assert feedback.bar.isVisible()
    assert feedback.caption.text().startswith("1 part seen · about ")
    scanning.shown(camera, encoder.part(2).upper())
    assert feedback.caption.text() == f"2 parts seen · about {200 // encoder.count} %"
    assert feedback.bar.value() == 200 // encoder.count
    scanning.dialog.over.click()
    assert not feedback.bar.isVisible()
    assert not scanning.dialog.over.isVisible()


def test_the_picture_is_shown_with_the_code_outlined(scanning: Scanning) -> None:
    camera = scanning.camera(frozenset({EthSignature}))
    scanning.shown(camera, to_link(RAW), side=400)
    view = scanning.dialog.camera.view
    assert view._image is not None
    assert view._image.width() <= view.room.width()
    [mark] = view._marks
    assert mark.is_read
    (left, top), _, (right, bottom), _ = mark.corners
    assert 0.3 < left < 0.5 < right < 0.7
    assert 0.2 < top < 0.5 < bottom < 0.8
    before = view.grab().toImage()
    view.set_mirrored(True)
    assert view.grab().toImage() == before.flipped(Qt.Orientation.Horizontal) or view.grab().toImage() != before


def test_a_wrong_kind_is_named_and_the_right_one_still_taken(scanning: Scanning) -> None:
    camera = scanning.camera(frozenset({PayTo}))
    scanning.shown(camera, to_link(RAW), side=420)
    assert scanning.said == "This is a session request; expected an address."
    scanning.shown(camera, WC)
    assert "WalletConnect" in scanning.said
    assert "Ask the dApp" in scanning.said
    scanning.shown(camera, f"ethereum:{ADDRESS}@8453")
    assert [type(one) for one in scanning.found] == [PayTo]


def test_a_code_too_dense_is_said(scanning: Scanning, qtbot: QtBot) -> None:
    camera, text = scanning.camera(), ur.Encoder(bytes(range(256)) * 6).part(1).upper()
    for _ in range(30):
        scanning.shown(camera, text, side=340, blur=2.8, turn=-7, noise=0.05)
        if scanning.said:
            break
    assert "too dense or too blurred" in scanning.said
    assert "lower the density" in scanning.said


def test_two_codes_that_could_both_be_meant(scanning: Scanning) -> None:
    camera = scanning.camera()
    scanning.shown(camera, to_link(RAW), to_link(OTHER))
    assert "several codes" in scanning.said
    scanning.shown(camera, to_link(RAW), WC)
    assert scanning.found == [EXPECTED]


def test_colour_frames_and_frames_of_a_screen_are_read_too() -> None:
    from PySide6.QtMultimedia import QVideoFrame

    wide = image(photo(WC)).convertToFormat(QImage.Format.Format_RGB32)
    for given in (wide, wide.convertToFormat(QImage.Format.Format_RGBA8888)):
        assert [code.text for code in capture.picture_of(QVideoFrame(given)).codes()] == [WC]


def test_after_five_minutes_of_nothing_the_camera_is_switched_off(
    scanning: Scanning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = scanning.camera()
    clock = time.monotonic() + 301
    monkeypatch.setattr(scanning.dialog.reader._gathering, "_clock", lambda: clock)
    qtbot.waitUntil(lambda: camera.is_stopped)
    pane = scanning.dialog.camera
    assert "five minutes" in pane.view._text
    assert pane.again.isVisible()
    pane.again.click()
    assert "No camera" in pane.view._text


# What can be missing -------------------------------------------------------------------------------------------------------------


def test_without_a_camera_the_other_ways_are_offered(scanning: Scanning, qtbot: QtBot) -> None:
    dialog = scanning.open()
    pane = dialog.camera
    qtbot.waitUntil(lambda: "No camera was found." in pane.view._text)
    assert pane.view._text == pane.view.accessibleDescription()
    assert not pane.camera.isVisible()
    assert not pane.again.isVisible()
    assert names_missing(dialog) == []
    pane.screen_instead.click()
    assert dialog.stack.currentWidget() is dialog.screens
    assert dialog.ways.value() == "screen"
    dialog.choose("camera")
    pane.picture_instead.click()
    assert dialog.stack.currentWidget() is dialog.pictures
    assert names_missing(dialog) == []


def test_without_the_part_of_qt(scanning: Scanning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "latchkey.ui.scan.capture")
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)
    dialog = scanning.open()
    qtbot.waitUntil(lambda: "came without the part of Qt" in dialog.camera.view._text)
    assert dialog.camera.screen_instead.isVisible()
    dialog.choose("screen")
    dialog.screens.tiles["window"].click()
    qtbot.waitUntil(lambda: "does not say which windows" in scanning.said)


def test_without_qts_plugin() -> None:
    """A bundle that lost it: Qt itself says so, and so do we."""
    script = (
        "from PySide6.QtCore import QCoreApplication as A; from PySide6.QtGui import QGuiApplication\n"
        "app = QGuiApplication([]); A.setLibraryPaths([])\n"
        "from latchkey.ui.scan import capture; print(capture.is_there())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"QT_QPA_PLATFORM": "offscreen"}
    )
    assert done.stdout.strip() == "False"
    assert capture.is_there()


def test_a_plugin_that_is_missing_is_said(scanning: Scanning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "is_there", lambda: False)
    dialog = scanning.open()
    qtbot.waitUntil(lambda: "came without the part of Qt" in dialog.camera.view._text)


def test_no_permission(scanning: Scanning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "ask_permission", lambda _owner, _allowed, denied: denied())
    dialog = scanning.open()
    qtbot.waitUntil(lambda: "not allowed to use the camera" in dialog.camera.view._text)
    assert dialog.camera.screen_instead.isVisible()


def test_permission_is_there_where_nobody_asks(qtbot: QtBot) -> None:
    answers: list[str] = []
    owner = QWidget()
    qtbot.addWidget(owner)
    capture.ask_permission(owner, lambda: answers.append("yes"), lambda: answers.append("no"))
    qtbot.waitUntil(lambda: answers == ["yes"])


def test_a_camera_that_fails_and_one_that_is_pulled_out(scanning: Scanning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = scanning.open()
    pane = dialog.camera
    qtbot.waitUntil(lambda: "No camera" in pane.view._text)
    monkeypatch.setattr(capture.Cameras, "all", lambda _self: [QCameraDevice()])  # Qt takes it and finds no camera behind it
    pane._cameras.changed.emit()
    assert "The camera does not answer" in pane.view._text
    assert pane.again.isVisible()
    monkeypatch.setattr(capture.Cameras, "all", lambda _self: [])
    pane._cameras.changed.emit()
    assert "No camera" in pane.view._text
    assert not pane.again.isVisible()


def test_multimedia_is_loaded_with_the_camera_and_not_before() -> None:
    script = (
        "import sys; from latchkey.ui.scan import dialog; from latchkey.ui.widgets import intake\n"
        "print('PySide6.QtMultimedia' in sys.modules, 'zxingcpp' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


# Screen --------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def player(qtbot: QtBot) -> QrPlayer:
    """Another program's window with an animated code."""
    player = QrPlayer()
    qtbot.addWidget(player)
    player.setGeometry(1300, 100, 420, 560)
    player.play(RAW)
    for _ in range(10):
        player.faster.click()
    with qtbot.waitExposed(player):
        player.show()
    return player


def strip_of(dialog: ScanDialog) -> Strip:
    assert dialog.strip is not None
    return dialog.strip


def test_an_animated_code_anywhere_on_the_screen(scanning: Scanning, window: Window, player: QrPlayer, qtbot: QtBot) -> None:
    dialog = scanning.open("screen")
    dialog.screens.tiles["screen"].click()
    strip = strip_of(dialog)
    assert strip.isVisible()
    assert names_missing(strip) == []
    assert not window.isVisible()
    assert not dialog.isVisible()
    assert QGuiApplication.primaryScreen().availableGeometry().contains(strip.geometry())
    qtbot.waitUntil(lambda: bool(scanning.found), timeout=20_000)
    assert scanning.found == [EXPECTED]
    assert window.isVisible()
    qtbot.waitUntil(lambda: not [one for one in QApplication.topLevelWidgets() if isinstance(one, Strip)])


def test_the_strip_brings_the_windows_back(scanning: Scanning, window: Window, qtbot: QtBot) -> None:
    """Also where the scan was wanted in a dialog: what stands below it may show a code of our own."""
    between = Dialog("Bring the answer", window)
    between.open()
    dialog = scan(window._context, between, None, scanning.found.append, way="screen")
    for stop in (lambda: strip_of(dialog).button.click(), lambda: qtbot.keyClick(strip_of(dialog), Qt.Key.Key_Escape)):
        dialog.screens.tiles["screen"].click()
        assert not window.isVisible()
        assert not between.isVisible()
        stop()
        assert dialog.strip is None
        assert window.isVisible()
        assert between.isVisible()
        assert dialog.isVisible()
        assert dialog.isModal()
        assert between.isModal()
        assert not dialog.reader.is_watching
    assert scanning.found == []


def cover_of(qtbot: QtBot) -> Cover:
    found: list[Cover] = []
    qtbot.waitUntil(lambda: found.extend(one for one in QApplication.topLevelWidgets() if isinstance(one, Cover)) or bool(found))
    return found[0]


def test_a_region_drawn_with_the_pointer(scanning: Scanning, window: Window, player: QrPlayer, qtbot: QtBot) -> None:
    """Another code stands beside it, which the region leaves out."""
    beside = QrPlayer()
    qtbot.addWidget(beside)
    beside.setGeometry(1800, 100, 420, 560)
    beside.play(OTHER)
    beside.show()
    dialog = scanning.open("screen")
    dialog.screens.tiles["region"].click()
    cover = cover_of(qtbot)
    assert not window.isVisible()
    around = player.geometry().adjusted(-5, -5, 5, 5)
    qtbot.mousePress(cover, Qt.MouseButton.LeftButton, pos=around.topLeft())
    qtbot.mouseMove(cover, around.center())
    qtbot.mouseMove(cover, around.bottomRight())
    qtbot.mouseRelease(cover, Qt.MouseButton.LeftButton, pos=around.bottomRight())
    strip = strip_of(dialog)
    assert not strip.geometry().intersects(around)
    qtbot.waitUntil(lambda: bool(scanning.found), timeout=20_000)
    assert scanning.found == [EXPECTED]


def test_a_region_chosen_with_keys(scanning: Scanning, qtbot: QtBot) -> None:
    dialog = scanning.open("screen")
    dialog.screens.tiles["region"].click()
    cover = cover_of(qtbot)
    before = QRect(cover.part)
    for _ in range(3):
        qtbot.keyClick(cover, Qt.Key.Key_Left)
    qtbot.keyClick(cover, Qt.Key.Key_Down)
    qtbot.keyClick(cover, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert cover.part == QRect(before.x() - 24, before.y() + 8, before.width() + 8, before.height())
    assert f"{cover.part.width()} by {cover.part.height()}" in cover.accessibleDescription()
    wanted = QRect(cover.part)
    qtbot.keyClick(cover, Qt.Key.Key_Return)
    assert dialog.strip is not None
    assert dialog.reader._source._part == wanted  # type: ignore[union-attr]
    dialog.come_back()


@pytest.mark.parametrize("how", ["escape", "right button", "slip"])
def test_a_region_not_chosen(scanning: Scanning, window: Window, qtbot: QtBot, how: str) -> None:
    dialog = scanning.open("screen")
    dialog.screens.tiles["region"].click()
    cover = cover_of(qtbot)
    if how == "slip":
        qtbot.mouseClick(cover, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
        assert cover.isVisible()
        assert dialog.strip is None
    if how == "right button":
        qtbot.mouseClick(cover, Qt.MouseButton.RightButton)
    else:
        qtbot.keyClick(cover, Qt.Key.Key_Escape)
    assert window.isVisible()
    assert dialog.isVisible()
    assert dialog.strip is None


def test_under_wayland_the_system_shares_the_screen(
    scanning: Scanning, player: QrPlayer, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Qt's own capture gives on this system, taken as it is taken there."""
    monkeypatch.setattr(panes, "can_grab", lambda: False)
    dialog = scanning.open("screen")
    assert list(dialog.screens.tiles) == ["shared"]
    dialog.screens.tiles["shared"].click()
    qtbot.waitUntil(lambda: bool(scanning.found), timeout=20_000)
    assert scanning.found == [EXPECTED]


def test_a_screen_that_is_not_shared(scanning: Scanning, window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panes, "can_grab", lambda: False)
    monkeypatch.setattr(capture.SharedScreen, "start", lambda self: self.failed.emit(capture.SCREEN_FAILED))
    dialog = scanning.open("screen")
    dialog.screens.tiles["shared"].click()
    qtbot.waitUntil(lambda: "did not share the screen" in scanning.said)
    assert window.isVisible()
    assert dialog.strip is None


def test_windows_where_the_system_names_none(scanning: Scanning, qtbot: QtBot) -> None:
    """This screen has no window manager, so there is no list."""
    dialog = scanning.open("screen")
    dialog.screens.tiles["window"].click()
    qtbot.waitUntil(lambda: "does not say which windows" in scanning.said)
    assert "region" in scanning.said


class Named:
    """A window as Qt names it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def description(self) -> str:
        return self._name


def test_windows_are_offered_by_name(scanning: Scanning, qtbot: QtBot) -> None:
    pane = scanning.open("screen").screens
    wanted: list[Any] = []
    pane.wanted.disconnect()
    pane.wanted.connect(lambda what, window: wanted.append((what, window)))
    windows = [Named("Some dApp & more\u202e"), Named(scanning._window.windowTitle())]
    pane._offer_windows(SimpleNamespace(windows=lambda: windows))
    menu = pane.findChild(QMenu)
    assert [action.text() for action in menu.actions()] == ["Some dApp && more"], "our own is out of sight by then"
    menu.actions()[0].trigger()
    assert wanted == [("window", windows[0])]
    menu.close()


_OTHER_PROGRAM = """
import ctypes, sys
from PySide6.QtCore import QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel()
label.setPixmap(QPixmap(sys.argv[1]))
label.setWindowTitle("Some dApp")
label.show()
x11 = ctypes.CDLL("libX11.so.6")  # what a window manager would do: name the windows there are
x11.XOpenDisplay.restype, x11.XInternAtom.restype, x11.XDefaultRootWindow.restype = ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong
display = ctypes.c_void_p(x11.XOpenDisplay(None))
atom, root = x11.XInternAtom(display, b"_NET_CLIENT_LIST", 0), x11.XDefaultRootWindow(display)
ids = (ctypes.c_ulong * 1)(int(label.winId()))
x11.XChangeProperty(display, ctypes.c_ulong(root), ctypes.c_ulong(atom), ctypes.c_ulong(33), 32, 0, ids, 1)
x11.XFlush(display)
print("ready", flush=True)
QTimer.singleShot(30_000, app.quit)
app.exec()
"""
_LOOK = """
import sys
from PySide6.QtWidgets import QApplication
from PySide6.QtCore import QTimer
app = QApplication([])
from latchkey.ui.scan import capture
from latchkey.ui.scan.gathering import Gathering
from latchkey.ui.scan.reader import Reader
[window] = capture.windows()
view, reader = capture.WindowView(window), Reader(Gathering())
reader.seen.connect(lambda sight: sight.progress.found and (print(window.description(), sight.progress.found.address), app.quit()))
reader.watch(view)
view.start()
QTimer.singleShot(20_000, app.quit)
app.exec()
reader.close()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="speaks X11")
def test_a_window_of_another_program(tmp_path: Path, qapp: QApplication) -> None:
    """Qt lists windows in a session that calls itself X11, so both run in such a one."""
    if qapp.platformName() != "xcb":
        pytest.skip("needs a screen")
    qr(ADDRESS).save(str(tmp_path / "code.png"))
    env = {**os.environ, "XDG_SESSION_TYPE": "x11"}
    other = subprocess.Popen(
        [sys.executable, "-c", _OTHER_PROGRAM, str(tmp_path / "code.png")], env=env, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "ready\n"
        done = subprocess.run([sys.executable, "-c", _LOOK], env=env, capture_output=True, text=True, timeout=250, check=False)
        assert done.stdout == f"Some dApp {ADDRESS}\n", done.stderr
    finally:
        other.kill()
        other.communicate()


# Pictures ------------------------------------------------------------------------------------------------------------------------


def test_a_picture_from_the_clipboard(scanning: Scanning, qtbot: QtBot) -> None:
    dialog = scanning.open("picture")
    QGuiApplication.clipboard().setImage(qr(to_link(RAW), 4))
    qtbot.keyClick(dialog, "V", Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(scanning.found))
    assert scanning.found == [EXPECTED]


def test_the_paste_button_and_what_is_wrong_with_what_was_copied(scanning: Scanning, qtbot: QtBot) -> None:
    dialog = scanning.open("picture")
    blank = QImage(300, 300, QImage.Format.Format_RGB32)
    blank.fill(Qt.GlobalColor.white)
    QGuiApplication.clipboard().setImage(blank)
    dialog.pictures.paste.click()
    qtbot.waitUntil(lambda: "No QR code was found in this picture" in scanning.said)
    QGuiApplication.clipboard().setText(json.dumps(REQUEST))
    dialog.pictures.paste.click()
    qtbot.waitUntil(lambda: bool(scanning.found))


def dropped(dialog: ScanDialog, data: QMimeData) -> None:
    where, none = QPointF(dialog.rect().center()), Qt.KeyboardModifier.NoModifier
    dialog.dropEvent(QDropEvent(where, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none))


def test_pictures_dropped_one_after_another_are_put_together(scanning: Scanning, qtbot: QtBot, tmp_path: Path) -> None:
    dialog, encoder = scanning.open("picture"), ur.Encoder(RAW, 60)
    for number in range(1, encoder.count + 1):
        path = tmp_path / f"{number}.png"
        path.write_bytes(png(qr(encoder.part(number).upper())))
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        dropped(dialog, data)
        qtbot.waitUntil(lambda n=number: bool(scanning.found) or dialog.feedback.caption.text().startswith(f"{n} part"))
    assert scanning.found == [EXPECTED]


def test_a_picture_dropped_while_the_camera_runs(scanning: Scanning, qtbot: QtBot) -> None:
    camera = scanning.camera()
    scanning.shown(camera)
    data = QMimeData()
    data.setData("image/png", QByteArray(png(qr(to_link(RAW), 4))))
    dropped(scanning.dialog, data)
    qtbot.waitUntil(lambda: bool(scanning.found))
    assert camera.is_stopped


def test_a_file_is_chosen(scanning: Scanning, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "code.jpg"
    path.write_bytes(png(qr(to_link(RAW)), "JPEG"))
    monkeypatch.setattr(panes.QFileDialog, "getOpenFileNames", lambda *_args: ([str(path)], ""))
    scanning.open("picture").pictures.file.click()
    qtbot.waitUntil(lambda: bool(scanning.found))


# The reader ----------------------------------------------------------------------------------------------------------------------


class SlowSource:
    """Always has another picture, and each takes its time."""

    interval = 1

    def __init__(self) -> None:
        self.asked = self.reading = self.most = 0
        self.stopped = False

    def take(self) -> Frame:
        self.asked += 1

        def read() -> Picture:
            self.reading += 1
            self.most = max(self.most, self.reading)
            time.sleep(0.05)
            self.reading -= 1
            return Picture.of(image(photo(size=(64, 64))))

        return read

    def stop(self) -> None:
        self.stopped = True


def test_one_picture_at_a_time_and_never_an_old_one(qtbot: QtBot) -> None:
    reader, source, seen = Reader(panes_gathering()), SlowSource(), []
    reader.seen.connect(seen.append)
    reader.watch(source)
    qtbot.waitUntil(lambda: len(seen) >= 5)
    assert source.most == 1
    assert source.asked <= len(seen) + 1
    reader.close()
    assert source.stopped
    told = len(seen)
    qtbot.waitUntil(lambda: source.reading == 0)
    QApplication.processEvents()
    assert len(seen) == told, "nothing is told after the end"


def panes_gathering() -> Any:
    from latchkey.ui.scan.gathering import Gathering

    return Gathering()


def test_a_fault_inside_stops_scanning_with_a_sentence(scanning: Scanning, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *fault: reported.append(fault))
    camera = scanning.camera()
    monkeypatch.setattr(Picture, "codes", lambda _self: 1 // 0)
    camera.show(photo(WC))
    qtbot.waitUntil(lambda: "Something went wrong inside Latchkey" in scanning.said)
    assert camera.is_stopped
    assert len(reported) == 1


def test_closing_while_a_picture_is_read(scanning: Scanning, window: Window, qtbot: QtBot) -> None:
    dialog, source = scanning.open("screen"), SlowSource()
    dialog.reader.watch(source)
    qtbot.waitUntil(lambda: source.reading == 1)
    dialog.reject()
    assert source.stopped
    qtbot.waitUntil(lambda: source.reading == 0 and not window.findChildren(ScanDialog))


def test_reached_from_the_open_dialog_and_by_keys(window: Window, qtbot: QtBot) -> None:
    from latchkey.ui.widgets.intake import OpenDialog

    window.open_request()
    window.findChild(OpenDialog).scan.click()
    qtbot.waitUntil(lambda: bool(window.findChildren(ScanDialog)))
    window.findChild(ScanDialog).reject()
    qtbot.waitUntil(lambda: not window.findChildren(ScanDialog))
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: bool(window.findChildren(ScanDialog)))
    window.findChild(ScanDialog).reject()
