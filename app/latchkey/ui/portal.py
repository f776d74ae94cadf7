"""Notifications where there is no tray to show them: through the desktop's portal over D-Bus, as plain text, where there is one."""

from __future__ import annotations

from PySide6.QtDBus import QDBusConnection, QDBusMessage

_SERVICE, _PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
_INTERFACE = "org.freedesktop.portal.Notification"
_ID = "latchkey"  # a newer one takes the place of the one before


def notify(title: str, text: str) -> bool:
    """Whether it could be sent; nobody waits for what becomes of it."""
    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    message = QDBusMessage.createMethodCall(_SERVICE, _PATH, _INTERFACE, "AddNotification")
    message.setArguments([_ID, {"title": title, "body": text}])
    return bool(bus.send(message))
