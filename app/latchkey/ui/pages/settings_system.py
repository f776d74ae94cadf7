"""How Latchkey stands in the system: its icon in the tray, what closing the window means, notifications; and its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QGridLayout

from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Body, Card, CheckBox, Muted

_KEYS = (
    ("Ctrl+1", tr("Sessions; the numbers after it lead to the pages below")),
    ("Ctrl+N", tr("New session")),
    ("Ctrl+O", tr("Open a request")),
    ("Ctrl+Shift+O", tr("Scan a code")),
    ("Ctrl+V", tr("Open what was copied")),
    ("Ctrl+L", tr("Lock the keys")),
    ("F5", tr("Read the sessions again")),
    ("Ctrl+Q", tr("Close the window")),
)


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


class KeyboardCard(Card):
    """Which keys lead where; what has a letter underlined is reached with Alt and that letter."""

    def __init__(self) -> None:
        super().__init__(tr("Keyboard"))
        rows = QGridLayout()
        rows.setHorizontalSpacing(theme.space(2))
        rows.setVerticalSpacing(theme.space(0.5))
        rows.setColumnMinimumWidth(0, theme.space(14))
        rows.setColumnStretch(1, 1)
        for number, (keys, what) in enumerate(_KEYS):
            rows.addWidget(Muted(QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText), wrap=False), number, 0)
            rows.addWidget(Body(what), number, 1)
        self.body.addLayout(rows)
        self.body.addWidget(Muted(tr("A button whose letter is underlined: Alt and that letter. Escape leaves, Enter goes on.")))
