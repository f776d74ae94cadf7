"""The computer goes to sleep or its screen is locked: then the keys are locked too.

Heard over D-Bus: systemd's logind (sleep, and the session's lock), and the desktops' screen savers. Where there is no bus, as on other
systems, nothing is heard and `heard` says so; the idle clock still runs.
"""

from __future__ import annotations

import os
from typing import Any

from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusInterface, QDBusMessage, QDBusUnixFileDescriptor

from latchkey.language import tr

_LOGIN, _MANAGER = "org.freedesktop.login1", "org.freedesktop.login1.Manager"
_LOGIN_PATH = "/org/freedesktop/login1"
_SAVERS = ("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver", "org.cinnamon.ScreenSaver", "org.mate.ScreenSaver")
_WAIT_MS = 1000


def _slot(signature: str) -> Any:
    """What `connect` takes; the type stubs say bytes, and those it does not find."""
    return SLOT(signature)


class Suspend(QObject):
    """`away` when the computer goes to sleep or its screen is locked. Asks logind to wait for that long with sleeping."""

    away = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._system, self._session = QDBusConnection.systemBus(), QDBusConnection.sessionBus()
        self._delay: QDBusUnixFileDescriptor | None = None
        self.heard = self._listen()

    @Slot(bool)
    def slept(self, begins: bool) -> None:
        """logind: about to sleep (True), or awake again."""
        if begins:
            self.away.emit()
            self._delay = None  # now it may sleep
        else:
            self._hold()

    @Slot()
    def screen_locked(self) -> None:
        self.away.emit()

    @Slot(bool)
    def screen_saved(self, active: bool) -> None:
        if active:
            self.away.emit()

    def _listen(self) -> bool:
        heard = False
        if self._system.isConnected():
            heard = self._system.connect("", _LOGIN_PATH, _MANAGER, "PrepareForSleep", self, _slot("slept(bool)"))
            self._system.connect("", self._own_session(), f"{_LOGIN}.Session", "Lock", self, _slot("screen_locked()"))
            self._hold()
        if self._session.isConnected():
            for saver in _SAVERS:
                listening = self._session.connect("", "", saver, "ActiveChanged", self, _slot("screen_saved(bool)"))
                heard = heard or listening
        return heard

    def _own_session(self) -> str:
        """The object path of the session this program runs in; "" (any session) when that cannot be told."""
        reply = self._ask("GetSession", os.environ.get("XDG_SESSION_ID", ""))
        return reply[0].path() if reply else ""

    def _hold(self) -> None:
        """Let sleeping wait until the keys are locked; logind itself waits a few seconds at most."""
        reply = self._ask("Inhibit", "sleep", "Latchkey", tr("Lock the keys"), "delay")
        self._delay = reply[0] if reply else None

    def _ask(self, method: str, *arguments: str) -> list[Any]:
        """What logind answers; nothing when there is none, or when it does not want to."""
        manager = QDBusInterface(_LOGIN, _LOGIN_PATH, _MANAGER, self._system)
        manager.setTimeout(_WAIT_MS)
        reply = manager.call(method, *arguments)
        return reply.arguments() if reply.type() is QDBusMessage.MessageType.ReplyMessage else []
