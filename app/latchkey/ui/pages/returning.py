"""Taking an answer back to the web page that asked: by the person alone, after the whole address was shown."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from latchkey.core.callback import host_of
from latchkey.core.phrases import Style
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import Dialog, Muted, PhraseLabel, announce, phrase, primary, secondary


def offer_return(window: QWidget, callback: str, url: str) -> Dialog:
    """Show the address, whole, and open it when the person agrees. `callback` is checked (core.callback); `url` is it and an answer."""
    dialog = Dialog(tr("Return to {host}?", host=host_of(callback)), window.window(), width=64 * theme.GRID)
    what = tr("Your browser opens this address, with the answer behind it. Open it only if you know this page:")
    behind = tr(
        "The answer, {count} characters, stands behind “#”: the page can read it, its server is not sent it. No secret key is in it.",
        count=len(url) - len(callback) - 1,
    )
    dialog.body.addWidget(PhraseLabel(what))
    dialog.body.addWidget(PhraseLabel(phrase(callback, Style.CODE)))
    dialog.body.addWidget(Muted(behind))
    go = primary(tr("Open in the browser"), dialog.accept)
    dialog.buttons.addWidget(secondary(tr("Stay here"), dialog.reject))
    dialog.buttons.addWidget(go)
    dialog.accepted.connect(lambda: _open(window, url))
    go.setDefault(True)
    dialog.open()
    return dialog


def _open(window: QWidget, url: str) -> None:
    address = QUrl(url, QUrl.ParsingMode.StrictMode)
    if bytes(address.toEncoded().data()).decode() != url:  # what Qt would write differently is not what was shown
        announce(window, tr("This address cannot be opened from here."), tone="bad")
    elif not QDesktopServices.openUrl(address):
        announce(window, tr("No browser could be started."), tone="bad")
