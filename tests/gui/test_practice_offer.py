"""Welcome offers the practice chain where anvil is found, and says what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from latchkey.errors import ChainError
from latchkey.flow import practice
from latchkey.store.paths import DataDir
from latchkey.ui.widgets import Banner
from latchkey.ui.window import Window

MakeWindow = Callable[..., Window]


def test_it_is_not_offered_without_anvil(make_window: MakeWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATCHKEY_ANVIL", str(tmp_path / "gone"))
    assert not hasattr(make_window("welcome").page, "practice")


def test_it_opens_beside(make_window: MakeWindow, folder: DataDir, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is started here prints what `latchkey practice --window --json` prints."""
    monkeypatch.setenv("LATCHKEY_ANVIL", sys.executable)
    script = "import sys; print('{\"request\": \"' + sys.argv[-1] + '/demo-request.json\"}')"
    monkeypatch.setattr(practice, "own_command", lambda _part: [sys.executable, "-c", script])
    page = make_window("welcome").page
    qtbot.mouseClick(page.practice, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.practice_news.isVisible)
    assert isinstance(page.practice_news, Banner)
    assert practice.PASSPHRASE in page.practice_news.text
    assert str(folder.root / "practice" / "demo-request.json") in page.practice_news.text


def test_what_hinders_it_is_said(make_window: MakeWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real command, with a program that is no anvil."""
    monkeypatch.setenv("LATCHKEY_ANVIL", "/bin/true")
    command = [sys.executable, "-m", "latchkey", "practice"]
    monkeypatch.setattr(practice, "own_command", lambda _part: command)
    page = make_window("welcome").page
    qtbot.mouseClick(page.practice, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.practice_news.isVisible, timeout=20_000)
    assert page.practice_news.text.endswith("anvil did not start.")
    assert page.practice.isEnabled()


def test_a_start_that_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(ChainError, match="could not be started"):
        practice.open_window(tmp_path, [sys.executable, "-c", ""])
