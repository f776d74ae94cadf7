"""Pictures of the program, each in light and dark, at 100, 125, 150 and 200 percent: `python -m tests.gui.pictures [NAME ...]`.

Every module beside this one whose name ends in "_pictures" registers what it shows:

    picture("review-careful", lambda stage: stage.window().show_page(...))

`make(stage)` returns the widget to be taken, laid out as a person would meet it. They are written to build/screenshots/, as
NAME-light-100.png and so on, and looked at by people; a test makes each of them once and looks for what is cut off.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

    from latchkey.ui.window import Window

FOLDER = Path(__file__).parents[2] / "build" / "screenshots"
SCALES, LOOKS = (100, 125, 150, 200), ("light", "dark")
NOW = 1_795_300_000
SIZE = (1180, 1240)


class Stage:
    """What pictures are made on. `window()`: a real window over an empty book in a folder of its own; `keep(widget)` for anything else.
    Everything is closed with the stage."""

    def __init__(self, application: QApplication) -> None:
        self.application = application
        self._closing: list[Callable[[], object]] = []

    def window(self, *accounts: Any, size: tuple[int, int] = SIZE, **settings: Any) -> Window:
        from latchkey.flow.keys import open_signer
        from latchkey.store.book import Book
        from latchkey.store.paths import DataDir
        from latchkey.store.settings import Settings
        from latchkey.ui.context import Context
        from latchkey.ui.window import Window
        from latchkey.vault.model import Prompt

        temporary = tempfile.TemporaryDirectory(prefix="latchkey-picture-")
        folder = DataDir.open(Path(temporary.name) / "data")
        with Book.open(folder.book) as book:
            for account in accounts:
                book.add_account(account)
        context = Context(
            folder,
            Settings(**settings),
            make_client=lambda where: open_signer(where, Prompt()),
            make_book=lambda where: Book.open(where.book),
            clock=lambda: NOW,
        )
        context.load()
        window = Window(context, "grants")
        self._closing += [temporary.cleanup, context.close]
        self.keep(window).resize(*size)
        window.show()
        self.settle()
        window.ready()
        return window

    def keep(self, widget: QWidget) -> QWidget:
        self._closing.append(widget.deleteLater)
        self._closing.append(widget.close)
        return widget

    def settle(self, seconds: float = 0.15) -> None:
        """Let layouts and short timers have their say."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.application.processEvents()
            time.sleep(0.005)

    def close(self) -> None:
        from PySide6.QtCore import QEvent

        while self._closing:
            self._closing.pop()()
        self.settle(0.02)
        self.application.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # nothing else does outside an event loop


Make = Callable[[Stage], "QWidget"]
PICTURES: dict[str, Make] = {}


def picture(name: str, make: Make) -> None:
    """Register a picture. Names are unique; they are file names."""
    assert name not in PICTURES, name
    PICTURES[name] = make


def gather() -> dict[str, Make]:
    """Every picture of every module beside this one."""
    for module in sorted(Path(__file__).parent.glob("*_pictures.py")):
        import_module(f"tests.gui.{module.stem}")
    return PICTURES


@contextmanager
def stage_for(application: QApplication) -> Iterator[Stage]:
    stage = Stage(application)
    try:
        yield stage
    finally:
        stage.close()


def take(names: list[str], scale: int) -> None:
    """Take these at one scale: Qt learns its scale when it starts, so each has a process of its own."""
    from PySide6.QtWidgets import QApplication

    from latchkey.ui import theme

    application = QApplication([])
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in names:
        for look in LOOKS:
            theme.apply(application, look)  # type: ignore[arg-type]
            with stage_for(application) as stage:
                widget = PICTURES[name](stage)
                stage.settle(0.6)  # workers have answered by then
                widget.grab().save(str(FOLDER / f"{name}-{look}-{scale}.png"))


def main(names: list[str]) -> int:
    pictures = gather()
    if names[:1] == ["--scale"]:
        take(names[2:], int(names[1]))
        return 0
    wanted = [name for name in pictures if not names or any(part in name for part in names)]
    for scale in SCALES:
        environment = {**os.environ, "QT_SCALE_FACTOR": str(scale / 100), "QT_LOGGING_RULES": "qt.qpa.*=false"}
        command = [*_screen(), sys.executable, "-m", "tests.gui.pictures", "--scale", str(scale), *wanted]
        if subprocess.run(command, env=environment, check=False).returncode:
            return 1
    print(f"{len(wanted) * len(SCALES) * len(LOOKS)} pictures in {FOLDER}")
    return 0


def _screen() -> list[str]:
    """A screen large enough for everything at 200 percent, where there is a virtual one to be had."""
    xvfb = shutil.which("xvfb-run")
    return [xvfb, "-a", "-s", "-screen 0 3000x4000x24"] if xvfb else []


if __name__ == "__main__":
    from tests.gui import pictures

    sys.exit(pictures.main(sys.argv[1:]))
