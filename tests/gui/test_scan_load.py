"""Thirty pictures a second: the window stays at hand and memory where it is; and what optics do to a code at the player's density."""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from pytestqt.qtbot import QtBot
from tests.counts import SOAK, count
from tests.gui.scanning import SyntheticCamera, image, photo

from latchkey.codec import ur
from latchkey.ui.scan.dialog import scan
from latchkey.ui.scan.gathering import Progress
from latchkey.ui.scan.picture import Picture
from latchkey.ui.window import Window

pytestmark = pytest.mark.gui

SECONDS = count(3, 20)
RATE = 30
STALL = 0.050
GROWTH = 8 << 20


class Heart:
    """Beats in the event loop as often as it gets to. `gaps`: seconds from one beat to the next in which this process was at work;
    what the machine gave to other programs meanwhile is no stall of ours. `walls`: all of it."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.walls: list[float] = []
        self._last, self._worked = time.perf_counter(), time.process_time()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(1)

    def _beat(self) -> None:
        now, worked = time.perf_counter(), time.process_time()
        self.walls.append(now - self._last)
        self.gaps.append(min(now - self._last, worked - self._worked))
        self._last, self._worked = now, worked

    def stop(self) -> None:
        self._timer.stop()


def resident() -> int:
    """Bytes of memory in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_thirty_frames_a_second(make_window: Callable[..., Window], qtbot: QtBot) -> None:
    window = make_window()
    dialog = scan(window._context, window, None, lambda _found: pytest.fail("it never completes"))
    qtbot.waitUntil(lambda: "No camera" in dialog.camera.view._text)
    camera, encoder = SyntheticCamera(dialog), ur.Encoder(random.Random(1).randbytes(60_000))
    pictures = [photo(encoder.part(number).upper(), side=400, turn=15, blur=1.2) for number in range(1, 13)]
    read: list[Progress] = []
    dialog.reader.seen.connect(lambda sight: sight.preview is not None and read.append(sight.progress))
    dialog.camera.run(camera)
    shown = 0

    def show() -> None:
        nonlocal shown
        camera.show(pictures[shown % len(pictures)])
        shown += 1

    feed = QTimer()
    feed.setTimerType(Qt.TimerType.PreciseTimer)
    feed.timeout.connect(show)
    feed.start(1000 // RATE)
    warm = time.monotonic() + 1.5
    qtbot.waitUntil(lambda: time.monotonic() > warm)
    gc.collect()
    begun, before, memory = time.monotonic(), len(read), []
    heart = Heart()
    third = begun + SECONDS / 3
    qtbot.waitUntil(lambda: time.monotonic() > third, timeout=60_000)
    memory.append(resident())
    end = begun + SECONDS
    qtbot.waitUntil(lambda: time.monotonic() > end, timeout=60_000)
    heart.stop()
    feed.stop()
    memory.append(resident())
    worst, wall = max(heart.gaps), max(heart.walls)
    print(
        f"{SECONDS} s: {shown} frames shown, {len(read) - before} read; longest stall {worst * 1000:.1f} ms "
        f"({wall * 1000:.1f} ms with other programs' work), {len(heart.gaps)} beats; memory {memory[0] >> 20} -> {memory[1] >> 20} MiB"
    )
    assert read[-1].parts == len(pictures)
    assert len(read) - before > SECONDS * count(2, 10)  # a busy machine reads fewer, and none of them waits for another
    assert sorted(heart.gaps)[int(len(heart.gaps) * count(95, 100) / 100) - 1] < STALL
    assert worst < STALL * count(10, 1)
    assert memory[1] - memory[0] < GROWTH
    dialog.reject()


# Optics --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blur", [0.0, 1.0, 1.8])
@pytest.mark.parametrize("turn", [15, -15])
def test_the_players_density_reads_turned_and_blurred(turn: float, blur: float) -> None:
    """Every frame, in a camera's 640 by 480, with room for the quiet zone."""
    rng = random.Random(int(blur * 10) + turn)
    for _ in range(count(2, 40)):
        part = ur.Encoder(rng.randbytes(rng.randrange(1000, 10_000))).part(rng.randrange(1, 200)).upper()
        seen = photo(part, side=340, turn=turn + rng.uniform(-2, 2), blur=blur, noise=0.04, size=(640, 480))
        assert [code.text for code in Picture.of(image(seen)).codes() if code.text is not None] == [part]


def test_whole_messages_turned_blurred_and_with_losses() -> None:
    """40 % of the frames never come, and each of the others is seen in its own way."""
    rng = random.Random(9)
    for size in [rng.randrange(200, 2000) for _ in range(count(2, 25))] + ([10_000] if SOAK else []):
        message = rng.randbytes(size)
        encoder, decoder = ur.Encoder(message), ur.Decoder()
        for number in range(1, 4 * encoder.count + 20):
            if rng.random() < 0.4:
                continue
            seen = photo(
                encoder.part(number).upper(), side=350, turn=rng.uniform(-15, 15), blur=rng.uniform(0.5, 1.8), size=(640, 480)
            )
            for code in Picture.of(image(seen)).codes():
                if code.text is not None:
                    decoder.receive(code.text)
            if decoder.message is not None:
                break
        assert decoder.message == message


def test_mirrored_codes_read() -> None:
    part = ur.Encoder(bytes(range(256)) * 8).part(3).upper()
    [code] = Picture.of(image(photo(part, side=420, turn=15, blur=1)).flipped(Qt.Orientation.Horizontal)).codes()
    assert code.text == part
