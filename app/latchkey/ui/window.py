"""The one window: a rail, a page, a quiet foot. It knows which page is shown and nothing about what pages do.

Its first frame is empty, in its colours: all that a page is made of is loaded after it, so that starting the program is answered at
once. Nothing that this module imports at its top loads fonts, style sheets or Qt's enumerations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from latchkey.language import tr
from latchkey.offline import is_offline
from latchkey.shipped import resource
from latchkey.store.journal import Event
from latchkey.ui.context import Context

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData
    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPaintEvent

    from latchkey.errors import LatchkeyError
    from latchkey.ui.notices import Notices
    from latchkey.ui.rail import DropVeil, Rail
    from latchkey.ui.tray import Tray

MIN_SIZE = (900, 600)
FIRST_SIZE = (1180, 780)
_AGE_MS = 15_000  # between two looks at how old the last reading is


def _welcome(context: Context) -> QWidget:
    from latchkey.ui.pages.welcome import WelcomePage

    return WelcomePage(context)


def _sessions(context: Context) -> QWidget:
    from latchkey.ui.pages.sessions import SessionsPage

    return SessionsPage(context)


def _session(context: Context) -> QWidget:
    from latchkey.ui.pages.session import SessionPage

    return SessionPage(context)


def _grants(context: Context) -> QWidget:
    from latchkey.ui.pages.grants import GrantsPage

    return GrantsPage(context)


def _grant(context: Context) -> QWidget:
    from latchkey.ui.pages.grant import GrantPage

    return GrantPage(context)


def _accounts(context: Context) -> QWidget:
    from latchkey.ui.pages.accounts import AccountsPage

    return AccountsPage(context)


def _settings(context: Context) -> QWidget:
    from latchkey.ui.pages.settings import SettingsPage

    return SettingsPage(context)


def _wizard(context: Context) -> QWidget:
    from latchkey.ui.pages.wizard import WizardPage

    return WizardPage(context)


def _requests(context: Context) -> QWidget:
    from latchkey.ui.pages.requests import RequestsPage

    return RequestsPage(context)


def _machine(context: Context) -> QWidget:
    from latchkey.ui.pages.machine import MachinePage

    return MachinePage(context)


def _privacy(context: Context) -> QWidget:
    from latchkey.ui.pages.settings_privacy import PrivacyPage

    return PrivacyPage(context)


def _log(context: Context) -> QWidget:
    from latchkey.ui.pages.log import LogPage

    return LogPage(context)


def _approve(context: Context) -> QWidget:
    from latchkey.ui.pages.approve import ApprovePage

    return ApprovePage(context)


def _signed(context: Context) -> QWidget:
    from latchkey.ui.pages.signed import SignedPage

    return SignedPage(context)


PAGES: dict[str, Callable[[Context], QWidget]] = {
    "welcome": _welcome, "sessions": _sessions, "session": _session, "grants": _grants, "grant": _grant, "wizard": _wizard,
    "signed": _signed, "accounts": _accounts, "settings": _settings, "machine": _machine, "approve": _approve,
    "requests": _requests,
    "privacy": _privacy, "log": _log,
}  # fmt: skip
# pages that are not on the rail stand under one that is
_RAIL_OF = {
    "signed": "wizard",
    "grant": "grants",
    "approve": "grants",
    "session": "sessions",
    "privacy": "settings",
    "log": "settings",
}


class Window(QWidget):
    """The main window. `appeared` once, after the first, empty frame; `painted` once, after the first frame with a page in it.

    Pages are not entered before `ready()`: until the book is open they only stand there.
    """

    appeared = Signal()
    painted = Signal()

    def __init__(self, context: Context, start: str) -> None:
        super().__init__()
        self._context = context
        self._pages: dict[str, QWidget] = {}
        self._page, self._payload = start, None
        self._rail: Rail | None = None
        self._has_appeared = self._has_painted = self._is_ready = False
        self.tray: Tray | None = None
        self._quitting = False
        self.setWindowTitle(tr("Latchkey (offline)") if is_offline() else "Latchkey")
        QGuiApplication.setApplicationDisplayName(self.windowTitle())  # or the system would add the name once more
        self.setMinimumSize(*MIN_SIZE)
        self.setAcceptDrops(True)
        self._restore_geometry()

    @property
    def rail(self) -> Rail:
        """The rail; asking for it builds what the window is made of, if that was not done yet."""
        self.build()
        assert self._rail is not None
        return self._rail

    @property
    def page(self) -> QWidget:
        """The page that is shown."""
        self.build()
        return self._pages[self._page]

    @property
    def page_name(self) -> str:
        """Of PAGES."""
        return self._page

    def build(self) -> None:
        """Make rail and page; done by itself after the first frame."""
        if self._rail is not None:
            return
        from PySide6.QtGui import QIcon

        from latchkey.ui.notices import Notices
        from latchkey.ui.rail import DropVeil, Rail

        self.setWindowIcon(QIcon(str(resource("icons/latchkey.svg"))))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._rail = Rail(self._context)
        self._stack = QStackedWidget()
        row.addWidget(self._rail)
        self.notices: Notices = Notices()
        side = QVBoxLayout()
        side.setSpacing(0)
        side.addWidget(self.notices)
        side.addWidget(self._stack, 1)
        row.addLayout(side, 1)
        self._drop: DropVeil = DropVeil(self)
        self._shortcuts()
        self._context.navigated.connect(self.show_page)
        self._context.wanted.connect(self.open_request)
        self._context.said.connect(self._announce)
        self._context.tasks.failed.connect(self._announce_fault)
        self._show_page(self._page, None)

    def show_page(self, name: str, payload: Any = None) -> None:
        """Show a page, unless the one that would be left has something to lose; then the person is asked first."""
        self.build()
        leave = partial(self._show_page, name, payload)
        loss = self.loss() if name != self._page else ""
        if loss:
            self._ask(tr("Leave this page?"), loss, tr("Leave"), leave)
        else:
            leave()

    def ready(self) -> None:
        """The book is open: pages may be entered."""
        self.build()
        self._is_ready = True
        self._context.watch()
        self.rail.count_requests()
        self._stand()
        self._enter()
        self._tell_where()
        self._context.changed.connect(self._changed)
        self._ages = QTimer(self, interval=_AGE_MS)
        self._ages.timeout.connect(self._tell_where)
        self._context.closing.connect(self._ages.stop)
        self._ages.start()
        if not is_offline():
            from latchkey.ui.bridging import Bridging

            self._context.bridging = Bridging(self._context, self)

    def show_trouble(self, page: QWidget) -> None:
        """Show `page` alone: there is nothing else to do until what it says is mended."""
        self.rail.hide()
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)

    def open_request(self) -> None:
        """Ctrl+O: choose a file, paste a text or a picture."""
        from latchkey.ui.widgets.intake import open_dialog

        open_dialog(self._context, self)

    def paste_request(self) -> None:
        """Ctrl+V, where nothing that can be typed in has the focus: as if it were dropped on the window."""
        from latchkey.ui.widgets.intake import open_mime

        if _holds_something(data := QApplication.clipboard().mimeData()):
            open_mime(self._context, self, data)

    def scan_code(self) -> None:
        """Ctrl+Shift+O: a code before the camera, on the screen, or in a picture."""
        from latchkey.ui.widgets.intake import scan_code

        scan_code(self._context, self)

    # --- pages

    def prepare(self, name: str) -> None:
        """Make a page that is not shown yet, so that it comes up at once when it is wanted."""
        if name not in self._pages:
            self._pages[name] = PAGES[name](self._context)
            self._stack.addWidget(self._pages[name])

    def _show_page(self, name: str, payload: Any) -> None:
        self.prepare(name)
        self._page, self._payload = name, payload
        self._context.journal.note(Event.PAGE, page=name)
        self._stand()
        self._enter()

    def _stand(self) -> None:
        self._stack.setCurrentWidget(self.page)
        self.rail.setVisible(self._page != "welcome")
        self.rail.mark(_RAIL_OF.get(self._page, self._page))

    def _enter(self) -> None:
        enter = getattr(self.page, "enter", None)
        if self._is_ready and enter is not None:
            enter(self._payload)

    def loss(self) -> str:
        """What leaving the page that is shown would lose, as a sentence; "" for nothing."""
        may_leave = getattr(self.page, "may_leave", None)
        return may_leave() if may_leave is not None else ""

    def _ask(self, title: str, loss: str, verb: str, go: Callable[[], object]) -> None:
        from latchkey.ui.widgets import confirm

        confirm(self, title, loss, verb, go, danger=True, keep=tr("Stay"))

    def _announce(self, text: str) -> None:
        from latchkey.ui.widgets import announce

        announce(self, text)

    def _announce_fault(self, error: LatchkeyError) -> None:
        from latchkey.ui.widgets import announce

        announce(self, error.text, tone="bad")

    def _changed(self, what: str) -> None:
        if what in ("accounts", "settings", "readings"):
            self._tell_where()

    def _tell_where(self) -> None:
        """The accounts' network, and how old what is known of it is; with several, the one that was read last."""
        if self._context.closed:
            return
        from latchkey.core.networks import network
        from latchkey.ui.times import age

        ids = sorted({account.chain_id for account in self._context.book.accounts()})
        where = network(ids[0]).name if len(ids) == 1 else tr("{count} networks", count=len(ids)) if ids else ""
        blocks = [(block.time, chain_id, block) for chain_id in ids if (block := self._context.chains.seen(chain_id)) is not None]
        if not blocks:
            self.rail.set_where(where)
            return
        _, chain_id, block = max(blocks, key=lambda one: one[0])
        self.rail.set_where(
            network(chain_id).name, tr("Block {number:,}, {age}", number=block.number, age=age(self._context.clock() - block.time))
        )

    # --- events

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._has_appeared:
            self._has_appeared = True
            QTimer.singleShot(0, self._appear)
        elif self._rail is not None and not self._has_painted:
            self._has_painted = True
            QTimer.singleShot(0, self.painted.emit)

    def _appear(self) -> None:
        self.appeared.emit()
        self.build()
        self.update()

    def focusNextPrevChild(self, forward: bool) -> bool:
        from latchkey.ui.widgets.tabbing import move_focus

        return move_focus(self, forward)

    def quit(self) -> None:
        """Close for good, whatever closing means otherwise."""
        self._quitting = True
        self.close()
        self._quitting = False

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.tray is not None and self.tray.holds_window and not (self._quitting or self.property("leaving")):
            self._context.keep_window(bytes(self.saveGeometry().data()))
            event.ignore()
            self.hide()
            return
        if self._rail is not None and not self.property("leaving") and (loss := self.loss()):
            event.ignore()
            self._ask(tr("Close Latchkey?"), loss, tr("Close"), self._leave)
            return
        self._context.keep_window(bytes(self.saveGeometry().data()))
        event.accept()
        if self.tray is not None and self.tray.holds_window:
            QApplication.quit()  # no window that is closed ends the program then

    def _leave(self) -> None:
        self.setProperty("leaving", True)
        self.close()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._is_ready and _holds_something(event.mimeData()):
            event.acceptProposedAction()
            self._drop.cover()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drop.hide()
        event.acceptProposedAction()
        from latchkey.ui.widgets.intake import open_mime

        open_mime(self._context, self, event.mimeData())

    # --- setting up

    def _shortcuts(self) -> None:
        from PySide6.QtGui import QKeySequence, QShortcut

        from latchkey.ui.rail import entries

        keys: dict[str, Callable[[], object]] = {
            "Ctrl+N": lambda: self._context.navigate("wizard"),
            "Ctrl+O": self.open_request,
            "Ctrl+Shift+O": self.scan_code,
            "Ctrl+L": self._context.lock.now,
            "Ctrl+V": self.paste_request,
            "Ctrl+Q": self.close,
        }
        for number, (name, _, _) in enumerate(entries(), start=1):
            keys[f"Ctrl+{number}"] = partial(self._context.navigate, name)
        for sequence, act in keys.items():
            shortcut = QShortcut(QKeySequence(sequence), self)
            shortcut.activated.connect(lambda act=act: act() if self.rail.isVisible() or act == self.close else None)

    def _restore_geometry(self) -> None:
        self.resize(*FIRST_SIZE)
        kept = self._context.settings.window
        if not (kept and self.restoreGeometry(kept)):
            self.resize(self.size().boundedTo(self.screen().availableSize()))


def _holds_something(data: QMimeData) -> bool:
    return data.hasUrls() or data.hasImage() or data.hasText()
