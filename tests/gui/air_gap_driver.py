"""A whole Latchkey window for tests/test_air_gap.py, told what to do by lines of JSON on standard input, one answer a line.

    {"do": "click", "name"}        press the visible control of this name, in the foremost window           -> {"done": bool}
    {"do": "sees", "name"}         whether such a control, or a text with this in it, is in sight            -> {"done": bool}
    {"do": "digest"}               the words in sight that two machines compare                              -> {"words": [...]}
    {"do": "picture", "path"}      a picture of what is in sight                                             -> {}
    {"do": "camera", "path"}       the camera of the open scan dialog sees this picture now                  -> {}

`python -m tests.gui.air_gap_driver DATA PASSPHRASE_FD|- [REQUEST] [--offline]`. The passphrase comes from the descriptor, and confirmations
are the script's, which the signer allows for public test keys alone.
"""

from __future__ import annotations

import sys

if "--offline" in sys.argv:  # as `latchkey --offline` does, before anything else is loaded
    from latchkey.offline import lock_down

    lock_down()
    sys.argv.remove("--offline")

import json
import os
import re
from pathlib import Path
from typing import Any

from PIL import Image
from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from tests.gui.scanning import SyntheticCamera

from latchkey.flow.keys import open_signer
from latchkey.store.paths import DataDir
from latchkey.ui import app
from latchkey.ui.scan.dialog import ScanDialog
from latchkey.ui.widgets import Banner, DigestView, TextView
from latchkey.vault.client import SignerClient
from latchkey.vault.model import Prompt, PromptMode

_asked = bytearray()
_cameras: dict[QWidget, SyntheticCamera] = {}


def main() -> int:
    data, passphrase, *request = sys.argv[1:]
    application = QApplication(["latchkey"])
    os.set_blocking(0, False)
    notifier = QSocketNotifier(0, QSocketNotifier.Type.Read, application)
    notifier.activated.connect(_answer)

    def make_client(folder: DataDir) -> SignerClient:
        prompt = Prompt() if passphrase == "-" else Prompt(PromptMode.FD, int(passphrase), script=True)
        return open_signer(folder, prompt)

    app.make_client = make_client
    return app.run(Path(data), request=request[0] if request else None)


def _answer() -> None:
    try:
        read = os.read(0, 65_536)
    except BlockingIOError:
        return
    if not read:
        QApplication.exit(0)
    _asked.extend(read)
    while b"\n" in _asked:
        line, _, rest = _asked.partition(b"\n")
        _asked[:] = rest
        asked = json.loads(line)
        print(json.dumps(_DOING[asked.pop("do")](**asked)), flush=True)


def _front() -> QWidget:
    """The dialog over everything, or the window."""
    found = QApplication.activeModalWidget() or next(w for w in QApplication.topLevelWidgets() if w.isVisible())
    assert isinstance(found, QWidget)
    return found


def _named(name: str) -> QAbstractButton | None:
    buttons = [b for b in _front().findChildren(QAbstractButton) if b.isVisible() and b.isEnabled()]
    return next((b for b in buttons if name in (b.accessibleName(), b.text().replace("&", ""))), None)


def _click(name: str) -> dict[str, Any]:
    button = _named(name)
    if button is not None:
        button.click()
    return {"done": button is not None}


def _sees(name: str) -> dict[str, Any]:
    texts = [w.text() for kind in (QLabel, TextView) for w in _front().findChildren(kind) if w.isVisible()]
    texts += [_front().windowTitle(), *(banner.text for banner in _front().findChildren(Banner) if banner.isVisible())]
    return {"done": _named(name) is not None or any(name in text for text in texts)}


def _digest() -> dict[str, Any]:
    said = next(view.accessibleName() for view in _front().findChildren(DigestView) if view.isVisible())
    return {"words": re.split(r"[:.] ", said)[1].split()}


def _picture(path: str) -> dict[str, Any]:
    assert _front().grab().toImage().save(path, quality=100)
    return {}


def _show(path: str) -> dict[str, Any]:
    """A camera takes the place of the one this machine does not have."""
    dialog = _front()
    if isinstance(dialog, ScanDialog):
        if dialog not in _cameras:
            _cameras[dialog] = SyntheticCamera(dialog)
            dialog.reader.watch(_cameras[dialog])
        _cameras[dialog].show(Image.open(path).convert("L"))
    return {}


_DOING = {"click": _click, "sees": _sees, "digest": _digest, "picture": _picture, "camera": _show}

if __name__ == "__main__":
    sys.exit(main())
