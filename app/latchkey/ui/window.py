"""The one window: a rail, a page, a quiet foot. It knows which page is shown and nothing about what pages do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QIcon,
    QKeySequence,
    QPaintEvent,
    QShortcut,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.resources import resource
from latchkey.ui.widgets import Button, Heading, Icon, Muted, announce, confirm

MIN_SIZE = (900, 600)
FIRST_SIZE = (1180, 780)
RAIL_WIDTH = 212


def _welcome(context: Context) -> QWidget:
    from latchkey.ui.pages.welcome import WelcomePage

    return WelcomePage(context)


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


def _signed(context: Context) -> QWidget:
    from latchkey.ui.pages.signed import SignedPage

    return SignedPage(context)


PAGES: dict[str, Callable[[Context], QWidget]] = {
    "welcome": _welcome, "grants": _grants, "grant": _grant, "wizard": _wizard, "signed": _signed, "accounts": _accounts,
    "settings": _settings,
}  # fmt: skip
RAIL = (
    ("grants", "Grants", "list"),
    ("wizard", "New session", "plus"),
    ("accounts", "Accounts", "account"),
    ("settings", "Settings", "settings"),
)
_RAIL_OF = {"signed": "wizard", "grant": "grants"}  # pages that are not on the rail stand under one that is


class Window(QWidget):
    """The main window. `painted` once, after the first paint: what is slow to load starts then.

    Pages are not entered before `ready()`: until the book is open they only stand there.
    """

    painted = Signal()

    def __init__(self, context: Context, start: str) -> None:
        super().__init__()
        self._context = context
        self._pages: dict[str, QWidget] = {}
        self._page = ""
        self._payload: Any = None
        self._has_painted = self._is_ready = False
        self.setWindowTitle("Latchkey")
        self.setWindowIcon(QIcon(str(resource("icons/latchkey.svg"))))
        self.setMinimumSize(*MIN_SIZE)
        self.setAcceptDrops(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.rail = Rail(context)
        self._stack = QStackedWidget()
        row.addWidget(self.rail)
        row.addWidget(self._stack, 1)
        self._drop = _DropVeil(self)
        self._restore_geometry()
        self._shortcuts()
        context.navigated.connect(self.show_page)
        context.said.connect(lambda text: announce(self, text))
        context.tasks.failed.connect(lambda error: announce(self, error.text, tone="bad"))
        self.show_page(start)

    @property
    def page(self) -> QWidget:
        """The page that is shown."""
        return self._pages[self._page]

    def show_page(self, name: str, payload: Any = None) -> None:
        """Show a page, unless the one that would be left has something to lose; then the person is asked first."""
        leave = partial(self._show_page, name, payload)
        self._unless_lost(leave) if name != self._page else leave()

    def _show_page(self, name: str, payload: Any) -> None:
        if name not in self._pages:
            self._pages[name] = PAGES[name](self._context)
            self._stack.addWidget(self._pages[name])
        self._page, self._payload = name, payload
        self._stand()
        self._enter()

    def ready(self) -> None:
        """The book is open: pages may be entered."""
        self._is_ready = True
        self._stand()
        self._enter()
        self._tell_where()
        self._context.changed.connect(lambda what: self._tell_where() if what == "accounts" else None)

    def show_trouble(self, page: QWidget) -> None:
        """Show `page` alone: there is nothing else to do until what it says is mended."""
        self.rail.hide()
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)

    def _stand(self) -> None:
        self._stack.setCurrentWidget(self.page)
        self.rail.setVisible(self._page != "welcome")
        self.rail.mark(_RAIL_OF.get(self._page, self._page))

    def _enter(self) -> None:
        enter = getattr(self._pages[self._page], "enter", None)
        if self._is_ready and enter is not None:
            enter(self._payload)

    def _tell_where(self) -> None:
        from latchkey.core.networks import network

        names = sorted({network(account.chain_id).name for account in self._context.book.accounts()})
        self.rail.set_where(names[0] if len(names) == 1 else f"{len(names)} networks" if names else "")

    def _unless_lost(self, go: Callable[[], None]) -> None:
        may_leave = getattr(self._pages.get(self._page), "may_leave", None)
        loss = may_leave() if may_leave is not None else ""
        if loss:
            confirm(self, "Leave this page?", loss, "Leave", go, danger=True, keep="Stay")
        else:
            go()

    def open_request(self) -> None:
        """Ctrl+O: choose a file, paste a text or a picture."""
        from latchkey.ui.widgets.intake import open_dialog

        open_dialog(self._context, self)

    # --- events

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._has_painted:
            self._has_painted = True
            QTimer.singleShot(0, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        may_leave = getattr(self._pages.get(self._page), "may_leave", None)
        if may_leave is not None and (loss := may_leave()) and not self.property("leaving"):
            event.ignore()
            confirm(self, "Close Latchkey?", loss, "Close", self._leave, danger=True, keep="Stay")
            return
        self._context.keep_window(bytes(self.saveGeometry().data()))
        event.accept()

    def _leave(self) -> None:
        self.setProperty("leaving", True)
        self.close()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _holds_something(event.mimeData()):
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
        keys: dict[str, Callable[[], object]] = {
            "Ctrl+N": lambda: self._context.navigate("wizard"),
            "Ctrl+O": self.open_request,
            "Ctrl+L": self._context.lock.now,
            "Ctrl+Q": self.close,
        }
        for number, (name, _, _) in enumerate(RAIL, start=1):
            keys[f"Ctrl+{number}"] = partial(self._context.navigate, name)
        for sequence, act in keys.items():
            QShortcut(QKeySequence(sequence), self).activated.connect(lambda act=act: act() if self.rail.isVisible() else None)

    def _restore_geometry(self) -> None:
        self.resize(*FIRST_SIZE)
        if self._context.settings.window:
            self.restoreGeometry(self._context.settings.window)
        screen = QGuiApplication.primaryScreen()
        if screen is not None and not self._context.settings.window:
            self.resize(self.size().boundedTo(screen.availableSize()))


class Rail(QFrame):
    """Where one can go, and at its foot which accounts there are and whether the keys are locked."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.setProperty("surface", "rail")
        self.setFixedWidth(RAIL_WIDTH)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(theme.space(1.5), theme.space(2.5), theme.space(1.5), theme.space(2))
        rows.setSpacing(theme.space(0.25))
        rows.addLayout(self._brand())
        rows.addSpacing(theme.space(2))
        self._marked = ""
        self.entries: dict[str, Button] = {}
        for number, (name, text, icon_name) in enumerate(RAIL, start=1):
            entry = Button(text, partial(self._go, name), kind="rail", icon_name=icon_name)
            entry.setCheckable(True)
            entry.setToolTip(f"Ctrl+{number}")
            self.entries[name] = entry
            rows.addWidget(entry)
        rows.addStretch(1)
        self.where = Muted()
        self.state = Muted()
        self.lock = Button("Lock", context.lock.toggle, kind="rail", icon_name="lock")
        for label in (self.where, self.state):
            label.setContentsMargins(theme.space(1.25), 0, 0, 0)
            rows.addWidget(label)
        rows.addSpacing(theme.space(0.5))
        rows.addWidget(self.lock)
        self.set_where("")
        self.refresh()
        context.lock.changed.connect(self.refresh)

    def mark(self, name: str) -> None:
        """Show which entry the page belongs to."""
        self._marked = name
        for key, entry in self.entries.items():
            entry.setChecked(key == name)

    def _go(self, name: str) -> None:
        self.mark(self._marked)  # a press has switched the entry; only a page that is shown may
        self._context.navigate(name)

    def set_where(self, text: str) -> None:
        """What the accounts at hand are on: a network's name, or how many there are."""
        self.where.setText(text)
        self.where.setVisible(bool(text))

    def refresh(self) -> None:
        """Show the lock's state."""
        unlocked = self._context.lock.unlocked
        self.state.setText(self._context.lock.sentence)
        self.lock.setText("Lock" if unlocked else "Unlock…")
        self.lock.set_icon("lock" if unlocked else "unlock")
        self.lock.setAccessibleName("Lock the keys" if unlocked else "Unlock the keys")
        self.lock.setToolTip("Ctrl+L" if unlocked else "")

    def _brand(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(theme.space(1.25), 0, 0, 0)
        row.setSpacing(theme.space(1))
        row.addWidget(Icon("key", "accent", size=20))
        row.addWidget(Heading("Latchkey"), 1)
        return row


class _DropVeil(QFrame):
    """Covers the window while something that may be a request is dragged over it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setProperty("surface", "drop")
        self.setProperty("active", True)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        rows = QVBoxLayout(self)
        rows.addStretch(1)
        rows.addWidget(Icon("inbox", "accent", size=48), 0, Qt.AlignmentFlag.AlignHCenter)
        text = Heading("Drop it to open the request", tone="accent")
        text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        rows.addWidget(text)
        rows.addStretch(1)
        window.installEventFilter(self)
        self.hide()

    def cover(self) -> None:
        self.setGeometry(self._window.rect().adjusted(16, 16, -16, -16))
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.cover()
        return False


def _holds_something(data: QMimeData) -> bool:
    return data.hasUrls() or data.hasImage() or data.hasText()
