"""The window as `latchkey` starts it, for the canary test: what tests/gui/driver.py does, but every grant gets ids of its own.

`python -m tests.gui.canary_driver DATA`
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication
from tests.gui.driver import _answer

from latchkey.ui import app


def main() -> int:
    application = QApplication(["latchkey"])
    os.set_blocking(0, False)
    asked = QSocketNotifier(0, QSocketNotifier.Type.Read, application)
    asked.activated.connect(_answer)
    return app.run(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
