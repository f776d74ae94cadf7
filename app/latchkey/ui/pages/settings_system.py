"""How Latchkey stands in the system: its icon in the tray, what closing the window means, notifications."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from latchkey.language import tr
from latchkey.ui.context import Context
from latchkey.ui.widgets import Card, CheckBox, Muted


class SystemCard(Card):
    def __init__(self, context: Context, keep: Callable[..., Any]) -> None:
        super().__init__(tr("In the system"))
        self._context = context
        self.tray = CheckBox(tr("Show an icon in the system tray"))
        self.close_to_tray = CheckBox(tr("Closing the window keeps Latchkey running in the tray"))
        self.notifications = CheckBox(tr("Notifications while the window is not in front"))
        self.none = Muted(tr("This system shows no tray now."))
        self.tray.clicked.connect(lambda on: keep(tray=on))
        self.close_to_tray.clicked.connect(lambda on: keep(close_to_tray=on))
        self.notifications.clicked.connect(lambda on: keep(notifications=on))
        for widget in (self.tray, self.close_to_tray, self.none, self.notifications):
            self.body.addWidget(widget)
        self.refresh()

    def refresh(self) -> None:
        """As it is kept, and as far as there is a tray."""
        from PySide6.QtWidgets import QSystemTrayIcon

        settings, there = self._context.settings, QSystemTrayIcon.isSystemTrayAvailable()
        self.tray.setChecked(settings.tray)
        self.tray.setEnabled(there)
        self.close_to_tray.setChecked(settings.close_to_tray)
        self.close_to_tray.setEnabled(settings.tray and there)
        self.notifications.setChecked(settings.notifications)
        self.none.setVisible(not there)
