"""The rail: where one can go, and at its foot which accounts there are and whether the keys are locked."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.language import tr, trn
from latchkey.offline import is_offline
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Button, Chip, Heading, Icon, Muted

WIDTH = 212
RAIL = (
    ("sessions", tr("Sessions"), "key"),
    ("wizard", tr("New session"), "plus"),
    ("requests", tr("Requests"), "inbox"),
    ("grants", tr("Grants"), "list"),
    ("accounts", tr("Accounts"), "account"),
    ("settings", tr("Settings"), "settings"),
)


_MACHINE = ("machine", tr("This machine"), "shield")


def entries() -> tuple[tuple[str, str, str], ...]:
    """(page, text, icon) in their order; the machine's self-check stands there when the program is offline."""
    return (*RAIL, _MACHINE) if is_offline() else RAIL


class Rail(QFrame):
    """Entries, and the quiet foot."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.setProperty("surface", "rail")
        self.setFixedWidth(WIDTH)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(theme.space(1.5), theme.space(2.5), theme.space(1.5), theme.space(2))
        rows.setSpacing(theme.space(0.25))
        rows.addLayout(self._brand())
        rows.addSpacing(theme.space(2))
        self._marked = ""
        self.entries: dict[str, Button] = {}
        for number, (name, text, icon_name) in enumerate(entries(), start=1):
            entry = Button(text, partial(self._go, name), kind="rail", icon_name=icon_name)
            entry.setCheckable(True)
            entry.setToolTip(f"Ctrl+{number}")
            self.entries[name] = entry
            rows.addWidget(entry)
        self.badge = _badge(self.entries["requests"])
        rows.addStretch(1)
        self.where = Muted()
        self.block = Muted()
        self.state = Muted()
        self.lock = Button(tr("Lock"), context.lock.toggle, kind="rail", icon_name="lock")
        for label in (self.where, self.block, self.state):
            label.setContentsMargins(theme.space(1.25), 0, 0, 0)
            rows.addWidget(label)
        rows.addSpacing(theme.space(0.5))
        rows.addWidget(self.lock)
        self.set_where("")
        self.refresh()
        context.lock.changed.connect(self.refresh)
        context.changed.connect(lambda what: self.count_requests() if what == "requests" else None)

    def mark(self, name: str) -> None:
        """Show which entry the page belongs to."""
        self._marked = name
        is_here = any(entry.hasFocus() for entry in self.entries.values())
        for key, entry in self.entries.items():
            entry.setChecked(key == name)
            if is_here and key == name:
                entry.setFocus()  # a click takes no focus: the frame would stay at the page before

    def _go(self, name: str) -> None:
        self.mark(self._marked)  # a press has switched the entry; only a page that is shown may
        self._context.navigate(name)

    def set_where(self, text: str, block: str = "") -> None:
        """What the accounts at hand are on: a network's name, or how many there are; and the block of the last reading with its age."""
        for label, says in ((self.where, text), (self.block, block)):
            label.setText(says)
            label.setVisible(bool(says))

    def refresh(self) -> None:
        """Show the lock's state."""
        unlocked = self._context.lock.unlocked
        self.state.setText(self._context.lock.sentence)
        self.lock.setText(tr("Lock") if unlocked else tr("Unlock…"))
        self.lock.set_icon("lock" if unlocked else "unlock")
        self.lock.setAccessibleName(tr("Lock the keys") if unlocked else tr("Unlock the keys"))
        self.lock.setToolTip("Ctrl+L" if unlocked else "")

    def count_requests(self) -> None:
        """Show how many requests nobody has looked at."""
        count = self._context.requests.new_count() if self._context.is_loaded else 0
        self.badge.setText(str(count) if count < 100 else "99+")
        self.badge.setVisible(bool(count))
        said = trn("Requests, {count} new", "Requests, {count} new", count) if count else tr("Requests")
        self.entries["requests"].setAccessibleName(said)

    def _brand(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(theme.space(1.25), 0, 0, 0)
        row.setSpacing(theme.space(1))
        row.addWidget(Icon("key", "accent", size=20))
        row.addWidget(Heading("Latchkey"), 0 if is_offline() else 1)
        if is_offline():
            row.addWidget(Chip("offline"))
            row.addStretch(1)
        return row


def _badge(entry: Button) -> Chip:
    """A pill at the right of an entry; the entry's name says it too."""
    badge = Chip("", "accent")
    badge.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    badge.hide()
    row = QHBoxLayout(entry)
    row.setContentsMargins(0, 0, theme.space(1), 0)
    row.addStretch(1)
    row.addWidget(badge)
    return badge


class DropVeil(QFrame):
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
        text = Heading(tr("Drop it to open the request"), tone="accent")
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
