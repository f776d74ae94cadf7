"""The desk's one window: a page per ask, one ask at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QIcon, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from latchkey.language import tr
from latchkey.shipped import resource
from latchkey.ui import theme
from latchkey.ui.desk.addresses import AddressPage
from latchkey.ui.desk.confirm import ConfirmPage
from latchkey.ui.desk.importing import ImportPage
from latchkey.ui.desk.mnemonic import CheckMnemonicPage, ShowMnemonicPage
from latchkey.ui.desk.notices import CodePage, RevealPage, SayPage
from latchkey.ui.desk.page import WIDTH, Page
from latchkey.ui.desk.passphrase import NewPassphrasePage, PassphrasePage
from latchkey.ui.desk.pipe import Pipe
from latchkey.ui.use import is_use
from latchkey.ui.widgets.tabbing import move_focus

PAGES: dict[str, Callable[[dict[str, Any]], Page]] = {
    "passphrase": PassphrasePage,
    "new-passphrase": NewPassphrasePage,
    "show-mnemonic": ShowMnemonicPage,
    "check-mnemonic": CheckMnemonicPage,
    "import": ImportPage,
    "choose-address": AddressPage,
    "confirm": ConfirmPage,
    "show-code": CodePage,
    "reveal": RevealPage,
    "say": SayPage,
}
TALLEST = theme.space(90)
USED_SECONDS = 5  # between two words to the signer that a person is at work here
LINGER_MS = 1000  # an answered page that lingers stays this long, greyed, while the signer works


class DeskWindow(QWidget):
    """Shows each ask that comes through the pipe and sends what the person answers. Closing the window or Escape declines."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__(None, Qt.WindowType.Window | Qt.WindowType.WindowStaysOnTopHint)
        self.setWindowTitle(tr("Latchkey desk"))
        self.setWindowIcon(QIcon(str(resource("icons/latchkey.svg"))))
        self._pipe = pipe
        self._page: Page | None = None
        self._ask: int | None = None
        self._used_at = 0.0
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._linger = QTimer(self, singleShot=True)
        self._linger.timeout.connect(self.hide)
        pipe.asked.connect(self.ask)
        pipe.closed.connect(self.end)

    @property
    def page(self) -> Page | None:
        return self._page

    def ask(self, ask: dict[str, Any]) -> None:
        """Show the page of an ask. An ask of a name unknown here is declined, for a newer signer may ask more than this desk knows."""
        self._linger.stop()
        kind = PAGES.get(ask["ask"])
        if kind is None:
            self._pipe.decline(ask["id"])
            return
        self._drop()
        self._ask = ask["id"]
        self._page = page = kind(ask)
        page.answered.connect(self._answer)
        page.declined.connect(self._decline)
        self._rows.addWidget(page)
        page.show()  # a hidden page has no size and takes no focus
        self._fit()
        self.show()
        self.windowHandle().installEventFilter(self)
        self.raise_()
        self.activateWindow()
        page.first().setFocus(Qt.FocusReason.OtherFocusReason)

    def end(self) -> None:
        """The signer is gone: stop at once. Not quit(), which would close the window and so decline to nobody."""
        QCoreApplication.exit(0)

    def _answer(self, answer: dict[str, Any]) -> None:
        if (ask := self._over()) is not None:
            self._pipe.answer(ask, answer)
            self._linger.start(LINGER_MS if self._page is not None and self._page.lingers else 0)

    def _decline(self) -> None:
        if (ask := self._over()) is not None:
            self._pipe.decline(ask)
        self.hide()

    def _over(self) -> int | None:
        """The ask that is answered now, once; its page keeps standing without its secrets."""
        ask, self._ask = self._ask, None
        if ask is not None and self._page is not None:
            self._page.forget()
            self._page.setEnabled(False)
        return ask

    def _drop(self) -> None:
        if self._page is not None:
            self._page.forget()
            self._rows.removeWidget(self._page)
            self._page.hide()
            self._page.deleteLater()
            self._page = None

    def _fit(self) -> None:
        """As tall as the page wants, within the screen; the first page is put in its middle."""
        room = self.screen().availableGeometry()
        width = min(WIDTH, room.width())
        wanted = self._rows.totalHeightForWidth(width) if self._rows.hasHeightForWidth() else self._rows.totalSizeHint().height()
        self.setMinimumSize(min(theme.space(50), width), 0)
        self.resize(width, min(wanted, TALLEST, room.height() - theme.space(6)))
        if not self.isVisible():
            self.move(room.center() - self.rect().center())

    def paintEvent(self, event: QPaintEvent) -> None:
        """An edge of its own, for where no window manager draws one."""
        painter = QPainter(self)
        painter.setPen(theme.color("outline"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._ask is not None and is_use(event) and time.monotonic() - self._used_at > USED_SECONDS:
            self._used_at = time.monotonic()
            self._pipe.used()
        return False

    def focusNextPrevChild(self, forward: bool) -> bool:
        return move_focus(self, forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._decline()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow() and self._page is not None:
            self._page.hide_secrets()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window belongs to the signer: closing it is a no, and only the end of the pipe ends it."""
        event.ignore()
        self._decline()
