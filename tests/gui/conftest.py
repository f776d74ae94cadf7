"""What the window's tests share: a dressed application, a folder with a real book and a real signer, a window that is ready."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from latchkey.flow.accounts import as_7702, from_address, from_owner
from latchkey.flow.keys import open_signer
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import Settings
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.window import Window
from latchkey.vault.model import Prompt, PromptMode

NOW = 1_795_300_000
OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OWNER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
SOMEONE = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
PASSPHRASE = "a practice vault for everybody"


@pytest.fixture(scope="session")
def _settled() -> None:
    """What is loaded by now is not looked through again by every collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _collected_here(_settled: None) -> None:
    """Cycles with widgets in them are collected in this thread and no other, as `tasks.collect_here` does it in the program."""
    gc.disable()


def pytest_runtest_logfinish() -> None:
    """After a window's test, when nothing holds the window any more."""
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def dressed(qapp: QApplication) -> Iterator[None]:
    """Every test starts in light."""
    theme.apply(qapp, "light")
    yield
    theme.apply(qapp, "light")


@pytest.fixture
def folder(tmp_path: Path) -> DataDir:
    return DataDir.open(tmp_path / "data")


@pytest.fixture
def passphrases() -> Iterator[Callable[[str], int]]:
    """A descriptor that holds passphrases, one a line."""
    made: list[int] = []

    def make(text: str) -> int:
        reader, writer = os.pipe()
        os.write(writer, text.encode())
        os.close(writer)
        made.append(reader)
        return reader

    yield make
    for fd in made:
        os.close(fd)


def fill(folder: DataDir) -> None:
    """Three accounts, one on a test network, one without a name."""
    with Book.open(folder.book) as book:
        book.add_account(from_owner(31337, OWNER, 0, label="Game account"))
        book.add_account(from_address(8453, SOMEONE, label="Savings"))
        book.add_account(as_7702(1, OWNER))


@pytest.fixture
def make_context(folder: DataDir, qtbot: QtBot) -> Iterator[Callable[..., Context]]:
    made: list[Context] = []

    def make(*, loaded: bool = True, passphrase_fd: int | None = None, **settings: Any) -> Context:
        prompt = Prompt() if passphrase_fd is None else Prompt(PromptMode.FD, passphrase_fd, script=True)
        context = Context(
            folder,
            Settings(**settings),
            make_client=lambda where: open_signer(where, prompt),
            make_book=lambda where: Book.open(where.book),
            clock=lambda: NOW,
        )
        if loaded:
            context.load()
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def make_window(make_context: Callable[..., Context], qtbot: QtBot) -> Callable[..., Window]:
    """A shown window with a loaded context; `start` names its first page."""

    def make(start: str = "grants", **options: Any) -> Window:
        context = make_context(**options)
        window = Window(context, start)
        qtbot.addWidget(window)
        with qtbot.waitExposed(window):
            window.show()
        qtbot.waitUntil(lambda: window._has_painted)
        if options.get("loaded", True):
            window.ready()
        return window

    return make


def names_missing(root: QWidget) -> list[str]:
    """Widgets that take the focus and would be announced by nothing but their class."""
    return [
        f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}"
        for widget in root.findChildren(QWidget)
        if widget.focusPolicy() and widget.window() is root.window() and not _spoken(widget) and not _is_inner(widget)
    ]


def _spoken(widget: QWidget) -> str:
    return widget.accessibleName() or getattr(widget, "text", str)()


def _is_inner(widget: QWidget) -> bool:
    """Parts that Qt makes inside a control; the control speaks for them."""
    return widget.objectName().startswith("qt_") or widget.inherits("QScrollArea")
