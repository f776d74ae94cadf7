"""The window as `latchkey` starts it, for the end-to-end test, which then drives it with real keys and a real mouse.

Two things differ: the next grant gets the ids of a published vector instead of random ones, and for each line on standard input (what
a control is called) one line of JSON on standard output says where it is on the screen. `python -m tests.gui.driver DATA ENTITY NONCE_KEY`
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSocketNotifier, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QLabel, QStyle, QStyleOptionButton, QWidget

from latchkey.flow.granting import Granting, Ids
from latchkey.ui import app
from latchkey.ui.pages.wizard import wizard_page


def main() -> int:
    folder, entity, nonce_key = sys.argv[1:]
    ids = Ids(int(entity), int(nonce_key))
    wizard_page.Granting = partial(_granting, ids)  # type: ignore[misc,assignment]
    application = QApplication(["latchkey"])
    os.set_blocking(0, False)
    asked = QSocketNotifier(0, QSocketNotifier.Type.Read, application)
    asked.activated.connect(_answer)
    return app.run(Path(folder))


def _granting(ids: Ids, *arguments: Any, **named: Any) -> Granting:
    return Granting(*arguments, **{**named, "choose": lambda _book, _account: ids})


def _answer() -> None:
    try:
        asked = os.read(0, 4096).decode()
    except BlockingIOError:
        return
    if not asked:
        QApplication.exit(0)
    for name in asked.splitlines():
        print(json.dumps(_where(name)), flush=True)


def _where(name: str) -> dict[str, object] | None:
    """The visible control of this name, rather than its label: its middle in the screen's pixels, whether it is in sight and enabled."""
    windows = [QApplication.activeModalWidget()] if QApplication.activeModalWidget() else QApplication.topLevelWidgets()
    named = [w for window in windows for w in (window, *window.findChildren(QWidget)) if w.isVisible() and name in _names(w)]
    widget = min(named, key=lambda w: w.focusPolicy() == Qt.FocusPolicy.NoFocus, default=None)
    if widget is None:
        return None
    middle = _middle(widget)
    ratio, where = widget.devicePixelRatioF(), widget.mapToGlobal(middle)
    seen = widget.visibleRegion().contains(middle)
    return {"x": round(where.x() * ratio), "y": round(where.y() * ratio), "seen": seen, "enabled": widget.isEnabled()}


def _middle(widget: QWidget) -> QPoint:
    """Of what reacts: a tick box may be much wider than its tick and its text."""
    if not isinstance(widget, QCheckBox):
        return widget.rect().center()
    option = QStyleOptionButton()
    widget.initStyleOption(option)
    return widget.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, widget).center()


def _names(widget: QWidget) -> set[str]:
    text = widget.text() if isinstance(widget, QAbstractButton | QLabel) else ""
    return {widget.accessibleName(), text.replace("&", "")}


if __name__ == "__main__":
    sys.exit(main())
