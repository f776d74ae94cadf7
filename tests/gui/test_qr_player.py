"""The player: every frame can be read from the screen, at each scale and in both appearances; its controls do what they say."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from latchkey.codec import qr, ur
from latchkey.ui import theme
from latchkey.ui.widgets.qr_player import DENSITY, QUIET, SPEEDS, QrPlayer

pytestmark = pytest.mark.gui

MESSAGE = bytes(range(256)) * 3
LARGE = bytes(range(256)) * 16


@pytest.fixture
def player(qtbot: QtBot) -> QrPlayer:
    player = QrPlayer()
    qtbot.addWidget(player)
    player.resize(420, 560)
    player.play(MESSAGE)
    with qtbot.waitExposed(player):
        player.show()
    return player


def read(image: QImage) -> list[str]:
    gray = image.convertToFormat(QImage.Format.Format_Grayscale8)
    return qr.read_codes(gray.constBits(), gray.width(), gray.height(), gray.bytesPerLine())


def on_screen(player: QrPlayer) -> list[str]:
    return read(player.canvas.grab().toImage())


def received(player: QrPlayer, qtbot: QtBot, seconds: float = 60) -> bytes | None:
    """What a camera in front of the player gets."""
    decoder, until = ur.Decoder(), time.monotonic() + seconds
    while decoder.message is None and time.monotonic() < until:
        for text in on_screen(player):
            decoder.receive(text)
        qtbot.wait(player.interval)
    return decoder.message


@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_a_camera_gets_the_message(qtbot: QtBot, qapp: QApplication, player: QrPlayer, appearance: theme.Appearance) -> None:
    theme.apply(qapp, appearance)
    for _ in range(len(SPEEDS)):
        player.faster.click()
    assert received(player, qtbot) == MESSAGE


def test_the_code_is_black_on_white_with_its_quiet_zone_in_dark_too(qapp: QApplication, player: QrPlayer) -> None:
    theme.apply(qapp, "dark")
    player.pause.click()
    image = player.canvas.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert colours == {"#000000", "#ffffff", QColor(theme.DARK.window).name()} or colours == {"#000000", "#ffffff"}
    white = [x for x in range(image.width()) if image.pixelColor(x, image.height() // 2) == QColor("white")]
    dark = [x for x in range(image.width()) if image.pixelColor(x, image.height() // 2) == QColor("black")]
    modules = len(qr.matrix(on_screen(player)[0])) + 2 * QUIET
    module = (white[-1] - white[0] + 1) / modules
    assert module == int(module)
    assert dark[0] - white[0] >= QUIET * module
    assert white[-1] - dark[-1] >= QUIET * module


def test_frames_are_counted_in_words(qtbot: QtBot, player: QrPlayer) -> None:
    player.pause.click()
    count = ur.Encoder(MESSAGE).count
    seen = set()
    for _ in range(count + 1):
        seen.add(player.caption.text())
        player._next()
    assert seen == {f"Frame {number} of {count} · paused" for number in range(1, count + 1)}
    player.pause.click()
    assert player.caption.text().endswith("hold the dApp's camera here")


def test_frames_never_end(player: QrPlayer) -> None:
    """After the fragments come mixtures of them, so no part is worth waiting a whole round for."""
    encoder = ur.Encoder(MESSAGE)
    player.pause.click()
    shown = []
    for _ in range(encoder.count + 5):
        player._next()
        shown += on_screen(player)
    assert len(set(shown)) == len(shown) == encoder.count + 5


def test_speed_stays_within_bounds(qtbot: QtBot, player: QrPlayer) -> None:
    before = player.interval
    player.faster.click()
    assert player.interval < before
    for button, bound in ((player.faster, SPEEDS[-1]), (player.slower, SPEEDS[0])):
        for _ in range(20):
            button.click()
        assert player.interval == bound
        assert player._timer.interval() == bound


@pytest.mark.parametrize(("delta", "faster"), [(120, True), (-120, False)])
@pytest.mark.parametrize("held", [Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier])
def test_the_wheel_with_ctrl_changes_the_speed(player: QrPlayer, delta: int, faster: bool, held: Qt.KeyboardModifier) -> None:
    before = player.interval
    where = QPointF(player.canvas.rect().center())
    event = QWheelEvent(
        where, player.canvas.mapToGlobal(where), QPoint(), QPoint(0, delta), Qt.MouseButton.NoButton, held,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(player.canvas, event)
    if held is Qt.KeyboardModifier.ControlModifier:
        assert (player.interval < before) is faster
        assert event.isAccepted()
    else:
        assert player.interval == before
        assert not event.isAccepted(), "the page scrolls"


def test_density_makes_more_or_fewer_frames(qtbot: QtBot, player: QrPlayer) -> None:
    counts = []
    for density in (*DENSITY, ur.FRAGMENT):
        player.density.setValue(density)
        counts.append(player.caption.text())
    assert counts[0].startswith(f"Frame 1 of {ur.Encoder(MESSAGE, 60).count}")
    assert counts[1].startswith(f"Frame 1 of {ur.Encoder(MESSAGE, DENSITY[1]).count}")
    assert received(player, qtbot) == MESSAGE


def test_single_code_on_wish(player: QrPlayer) -> None:
    player.single.click()
    assert [ur.decode(text) for text in on_screen(player)] == [MESSAGE]
    assert player.caption.text() == "One code · hold the dApp's camera here"
    assert player.single.accessibleName() == player.single.text() == "Animated"
    assert not player.density.isVisible()
    assert not player._timer.isActive()
    player.single.click()
    assert player.caption.text().startswith("Frame 1 of")


def test_no_single_code_beyond_1800_characters(player: QrPlayer) -> None:
    player.play(LARGE)
    assert not player.single.isVisible()


def test_a_short_message_is_one_code(player: QrPlayer) -> None:
    player.play(b"short")
    assert [ur.decode(text) for text in on_screen(player)] == [b"short"]
    assert not player.faster.isEnabled()


def test_it_rests_out_of_sight(qtbot: QtBot, player: QrPlayer) -> None:
    assert player._timer.isActive()
    player.hide()
    assert not player._timer.isActive()
    player.show()
    assert player._timer.isActive()


def test_clear_leaves_nothing(player: QrPlayer) -> None:
    player.clear()
    assert on_screen(player) == []
    assert player.caption.text() == ""
    assert not player.isEnabled()
    player.hide()
    player.show()
    assert on_screen(player) == []


def test_by_keyboard_and_by_ear(player: QrPlayer) -> None:
    assert player.canvas.accessibleName()
    assert player.density.accessibleName()
    reached = []
    widget = player.slower
    for _ in range(5):
        reached.append(widget)
        widget = widget.nextInFocusChain()
        while not (widget.focusPolicy() & Qt.FocusPolicy.TabFocus):
            widget = widget.nextInFocusChain()
    assert reached == [player.slower, player.pause, player.faster, player.single, player.density]


_SHOW = """
import sys
from PySide6.QtWidgets import QApplication
from latchkey.ui import theme
from latchkey.ui.widgets.qr_player import QrPlayer
app = QApplication([])
theme.apply(app, "dark")
player = QrPlayer()
player.setWindowTitle("player")
player.resize(400, 520)
player.move(11, 7)
player.play(bytes(range(256)) * 3)
player.show()
app.exec()
"""


@pytest.mark.parametrize("scale", ["1", "1.5", "2"])
def test_the_screen_photographed_at_every_scale(qapp: Any, tmp_path: Path, scale: str) -> None:
    """A window of another process on the real screen, photographed from outside, until the message is complete."""
    environment = {**os.environ, "QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "xcb"}
    shown = subprocess.Popen([sys.executable, "-c", _SHOW], env=environment)
    photograph = tmp_path / "screen.ppm"
    decoder, until = ur.Decoder(), time.monotonic() + 90
    try:
        while decoder.message is None and time.monotonic() < until:
            subprocess.run(["import", "-silent", "-window", "root", str(photograph)], check=True)
            for text in read(QImage(str(photograph))):
                decoder.receive(text)
    finally:
        shown.kill()
        shown.wait()
    assert decoder.message == MESSAGE
