"""The window as `latchkey` starts it, to be driven from outside: as tests/gui/driver.py, but names may be patterns ("Change: *buy()*").

`python -m tests.bridge.window_driver DATA`
"""

from __future__ import annotations

import os
import sys
from fnmatch import fnmatchcase
from pathlib import Path

from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication

from latchkey.ui import app
from tests.gui import driver


class Names(frozenset[str]):
    """Has whatever fits one of them."""

    def __contains__(self, pattern: object) -> bool:
        return any(fnmatchcase(name, str(pattern)) for name in self)


def main() -> int:
    names = driver._names
    driver._names = lambda widget: Names(names(widget))  # type: ignore[assignment]
    application = QApplication(["latchkey"])
    os.set_blocking(0, False)
    asked = QSocketNotifier(0, QSocketNotifier.Type.Read, application)
    asked.activated.connect(driver._answer)
    return app.run(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
