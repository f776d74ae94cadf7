"""Latchkey in the system's tray, and what it tells a person who is looking elsewhere.

The icon's menu does nothing by itself that the window would ask about: "Revoke all…" opens the sheet in which it is confirmed.
A notification holds sentences of our own, addresses and names that the person gave, never a stranger's words; and nothing in it that a
system could take for markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from latchkey.language import tr, trn
from latchkey.ui.context import REVOKE_ALL
from latchkey.ui.icons import pixmap
from latchkey.ui.palette import LIGHT
from latchkey.ui.single import to_front

if TYPE_CHECKING:
    from latchkey.store.requests import Record
    from latchkey.ui.context import Context
    from latchkey.ui.window import Window

_SIZES = (16, 22, 24, 32, 48, 64)
_SHOWN_MS = 8_000
_MINUTE_MS = 60_000
_LONGEST = 200  # characters
_PAGES = ("https://", "http://", "chrome-extension://", "moz-extension://")  # a program's name is its own choice
_PLAIN = str.maketrans({"<": "‹", ">": "›", "&": "＆", "\n": " "})


class Tray(QObject):
    """One for each window, made when the book is open."""

    def __init__(self, context: Context, window: Window) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self._known = 0  # id of the newest request that is no news
        self.icon = QSystemTrayIcon(self)
        self.menu = QMenu(window)
        self.show_window = self.menu.addAction(tr("Show Latchkey"), self._show)
        self.requests = self.menu.addAction("", self._show_requests)
        self.menu.addSeparator()
        self.lock = self.menu.addAction("", context.lock.toggle)
        self.revoke_all = self.menu.addAction(tr("Revoke all…"), self._revoke_all)
        self.menu.addSeparator()
        self.quit = self.menu.addAction(tr("Quit"), window.quit)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._pressed)
        self.icon.messageClicked.connect(self._show_requests)
        context.lock.changed.connect(self._show_lock)
        context.changed.connect(self._changed)
        context.notified.connect(self.notify)
        context.closing.connect(self.close)
        self._minute = QTimer(self, interval=_MINUTE_MS)
        self._minute.timeout.connect(self._tidy)
        self._minute.start()
        self._known = max((record.id for record in context.requests.open()), default=0)
        self._show_lock()
        self._count()
        self._follow()

    @property
    def holds_window(self) -> bool:
        """Whether a window that is closed can be had back from here."""
        return self._context.settings.close_to_tray and self.icon.isVisible()

    def close(self) -> None:
        self._minute.stop()
        self.icon.hide()

    def notify(self, title: str, text: str) -> None:
        """Tell it, unless the person is looking at Latchkey, or does not want to be told."""
        if not self._context.settings.notifications or self._window.isActiveWindow():
            return
        title, text = (words.translate(_PLAIN)[:_LONGEST] for words in (title, text))
        if self.icon.isVisible():
            self.icon.showMessage(title, text, _picture(0), _SHOWN_MS)
        else:
            from latchkey.ui.portal import notify

            notify(title, text)

    # --- following

    def _changed(self, what: str) -> None:
        if what == "requests":
            self._count()
            self._tell_news()
        elif what == "settings":
            self._follow()

    def _follow(self) -> None:
        self.icon.setVisible(self._context.settings.tray and QSystemTrayIcon.isSystemTrayAvailable())
        QApplication.setQuitOnLastWindowClosed(not self.holds_window)

    def _count(self) -> None:
        count = self._context.requests.new_count() if self._context.is_loaded else 0
        self.requests.setText(tr("Requests ({count})", count=count) if count else tr("Requests"))
        self.icon.setIcon(_picture(count))
        news = trn("Latchkey: {count} new request", "Latchkey: {count} new requests", count)
        self.icon.setToolTip(news if count else "Latchkey")

    def _show_lock(self) -> None:
        self.lock.setText(tr("Lock") if self._context.lock.unlocked else tr("Unlock…"))

    def _tell_news(self) -> None:
        """Of the newest request alone: whoever floods is not to fill the screen. What the person scanned, opened or pasted is no news."""
        from latchkey.store.requests import Source

        if not self._context.is_loaded:
            return
        new = [record for record in self._context.requests.open() if record.id > self._known]
        if not new:
            return
        self._known = new[-1].id
        if new[-1].source in (Source.BRIDGE, Source.LINK):
            self.notify(tr("A request waits for you"), _news(new[-1]))

    def _tidy(self) -> None:
        if self._context.is_loaded:
            self._context.requests.tidy()

    # --- what the menu does

    def _pressed(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            self._show()

    def _show(self) -> None:
        to_front(self._window)

    def _show_requests(self) -> None:
        to_front(self._window)
        self._context.navigate("requests")

    def _revoke_all(self) -> None:
        to_front(self._window)
        self._context.navigate("sessions", REVOKE_ALL)


def _news(record: Record) -> str:
    """Who asks where that is proven; what a stranger says about itself stays in the window."""
    if record.proven and record.origin.startswith(_PAGES):
        return tr("{origin} asks for something. It waits under Requests.", origin=record.origin)
    if record.proven:
        return tr("A program that you let in asks for something. It waits under Requests.")
    return tr("Nothing proves who sent it. It waits under Requests.")


def _picture(count: int) -> QIcon:
    """Our icon, with the number of new requests on it."""
    result = QIcon()
    for size in _SIZES:
        result.addPixmap(_badged(size, count))
    return result


def _badged(size: int, count: int) -> QPixmap:
    image = QPixmap(pixmap("latchkey", "text", size))
    if not count:
        return image
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    side = size * 0.56
    area = QRectF(size - side, size - side, side, side)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(LIGHT.bad))
    painter.drawEllipse(area)
    if size >= _SIZES[1]:
        font = QFont(QApplication.font())
        font.setPixelSize(max(8, round(side * 0.75)))
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(LIGHT.on_accent))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, str(count) if count < 10 else "9+")
    painter.end()
    return image
