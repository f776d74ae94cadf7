"""The desk: the small window of its own process where secrets are typed and every signature is confirmed.

The signer starts it and speaks to it over standard input and output (vault/frames.py). It decides nothing: it shows what the signer
says and returns what the person answers. `main` is its whole life; the modules are imported there, so that importing this package
costs nothing.
"""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType


def main() -> int:
    """Run until the pipe closes. Returns the exit code."""
    from latchkey.ui.desk.pipe import Pipe, take_over_standard_streams
    from latchkey.vault.harden import harden

    harden()
    sys.excepthook = _fail
    pipe = Pipe(*take_over_standard_streams())

    from PySide6.QtWidgets import QApplication

    from latchkey.ui import theme
    from latchkey.ui.desk.window import DeskWindow
    from latchkey.ui.tasks import collect_here

    app = QApplication(["latchkey-desk"])
    app.setQuitOnLastWindowClosed(False)
    collect_here(app)  # and not on the thread that reads the pipe
    wanted = os.environ.get("LATCHKEY_APPEARANCE")
    theme.apply(app, next((known for known in theme.APPEARANCES if known == wanted), "system"))
    window = DeskWindow(pipe)
    pipe.start()
    code = app.exec()
    del window
    return code


def _fail(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
    """End at once: a half-drawn page must not be answered. The message is left out, for it may quote what was typed."""
    sys.stderr.write(f"{kind.__name__}\n{''.join(traceback.format_tb(trace))}")
    sys.stderr.flush()
    os._exit(70)
