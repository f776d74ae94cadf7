"""Hostile pages and programs against the bridge of a real window, which goes on answering the person; and nothing is signed.

The attackers are processes of their own. What is measured is the longest that the window's event loop was away, with a timer of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from latchkey.flow.bridge import BridgeState
from latchkey.ui.bridging import PairDialog
from latchkey.ui.context import Context
from latchkey.ui.window import Window
from tests.bridge.attacker import PAGE
from tests.bridge.house import free_port
from tests.counts import count
from tests.gui.conftest import dressed, fill, folder, make_context, make_window, passphrases  # noqa: F401
from tests.processes import started

pytestmark = [pytest.mark.gui, pytest.mark.soak]

TICK = 5  # milliseconds
MEASURED = ("longest away", "99 %", "median")
AWAY = 3000  # milliseconds that the event loop may be away at worst, on a machine that does other things too
MOSTLY = 250  # in 99 of 100 ticks


class Besieged:
    """The window, its bridge, and the token of a page that was let in."""

    def __init__(self, window: Window, context: Context, qtbot: Any) -> None:
        self.window, self.context, self.qtbot = window, context, qtbot
        assert context.bridging is not None
        self.host = context.bridging.host
        self.gaps: list[float] = []

    def pair(self) -> str:
        from tests.bridge.house import House

        house = House(self.context.book, self.context.requests, self.host)
        answer = house.later("latchkey_pair", {"code": "123456"}, origin=PAGE)
        self.qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), PairDialog))
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, PairDialog)
        self.qtbot.waitUntil(dialog.yes.isEnabled)
        dialog.yes.click()
        self.qtbot.waitUntil(answer.done)
        house.callers.shutdown()
        return str(answer.result()["token"])

    def attacked(self, kind: str, number: int, token: str) -> dict[str, int]:
        """What the attacker saw; meanwhile the event loop's absences are noted, less what other programs had the processor for."""
        command = [sys.executable, "-m", "tests.bridge.attacker", str(self.host.port), kind, str(number), token]
        self.gaps, last = [], (time.perf_counter(), time.process_time())
        with started(command, stdout=subprocess.PIPE, text=True) as attacker:
            loop, timer = QEventLoop(), QTimer()

            def tick() -> None:
                nonlocal last
                before, last = last, (time.perf_counter(), time.process_time())
                self.gaps.append(min(now - then for now, then in zip(last, before, strict=True)) * 1000)
                if attacker.poll() is not None:
                    loop.quit()

            timer.timeout.connect(tick)
            timer.start(TICK)
            loop.exec()
            timer.stop()
            assert attacker.stdout is not None
            return dict(json.loads(attacker.stdout.read()))


@pytest.fixture
def besieged(make_window: Callable[..., Window], folder: Any, qtbot: Any) -> Iterator[Besieged]:  # noqa: F811
    fill(folder)
    window = make_window("grants", bridge=True, bridge_port=free_port())
    found = Besieged(window, window._context, qtbot)
    qtbot.waitUntil(lambda: found.host.state is BridgeState.LISTENING)
    qtbot.waitUntil(lambda: "wizard" in window._pages)  # made beforehand
    yield found
    assert found.context.book.grants() == ()  # nothing was signed
    assert found.context.client._signer is None  # nor was the signer so much as started


def test_under_siege(besieged: Besieged, tmp_path: Path) -> None:
    token = besieged.pair()
    told: dict[str, Any] = {}
    for kind, number in (
        ("rebinding", 1), ("forged", 1), ("body", count(8, 100)), ("frames", count(30, 500)), ("sockets", count(300, 1000)),
        ("flood", count(1000, 10_000)),
    ):  # fmt: skip
        seen = besieged.attacked(kind, number, token)
        gaps = besieged.gaps
        mostly = sorted(gaps)[int(len(gaps) * 0.99)]
        told[kind] = seen | {"longest away": round(max(gaps)), "99 %": round(mostly), "median": round(median(gaps), 1)}
        print(kind, told[kind])
        assert max(gaps) < AWAY, told
        assert mostly < MOSTLY, told
    assert set(told["rebinding"]) == {"403 4100", *MEASURED}
    assert set(told["forged"]) == {"200 4100", "403 4100", *MEASURED}
    assert {"413", "cut"} & set(told["body"])
    assert not {"200", "cut"} <= set(told["body"])
    assert told["sockets"]["the page: 200 result"] == 5
    assert sum(n for name, n in told["flood"].items() if name not in MEASURED) == count(1000, 10_000)
    assert told["flood"]["429"] > count(500, 9000)
    assert besieged.host.state is BridgeState.LISTENING
    assert all(record.origin == PAGE for record in besieged.context.requests.all())
    besieged.qtbot.waitUntil(lambda: not besieged.context.requests.open() and not besieged.host.to_pair())
