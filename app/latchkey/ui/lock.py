"""Whether the keys are locked, and the clock that locks them when nobody is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from latchkey.language import tr
from latchkey.ui.use import is_use

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent

    from latchkey.ui.context import Context
    from latchkey.ui.suspend import Suspend

_TICK_MS = 1000


class Lock(QObject):
    """Follows the signer's state (`context.status`) and locks after `settings.idle_minutes` without a key or a pointer in any window of
    the program, the desk's included, and when the computer sleeps or its screen is locked.

    `changed` whenever `unlocked` or `sentence` does.
    """

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._context = context
        self._idle = 0
        self._opening = False  # the signer starts, or the desk is open: the person sees that it goes on
        self._suspend: Suspend | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        context.changed.connect(self._status)
        context.closing.connect(self._timer.stop)

    @property
    def unlocked(self) -> bool:
        return self._context.status is not None and self._context.status.unlocked

    @property
    def sentence(self) -> str:
        """For the foot of the window: "Locked", "Unlocked, locks in 4 min"."""
        if not self.unlocked:
            return tr("Opening your keys…") if self._opening else tr("Keys are locked")
        left = self._limit - self._idle
        return (
            tr("Unlocked · locks in {left} min", left=-(-left // 60))
            if left >= 60
            else tr("Unlocked · locks in {left} s", left=max(left, 0))
        )

    def follow_system(self) -> None:
        """Lock when the computer sleeps or its screen is locked. Called once the window is there: it asks the message bus."""
        from latchkey.ui.suspend import Suspend

        self._suspend = Suspend(self)
        self._suspend.away.connect(self.at_once)

    @property
    def follows_system(self) -> bool:
        """Whether anybody tells us that the computer sleeps."""
        return self._suspend is not None and self._suspend.heard

    def at_once(self) -> bool:
        """Lock now, in this very moment: nobody can wait for a worker. Whether there was anything to lock: also a signer that still asks
        for the passphrase, or for the words of a new key. What is under way and has not come to the signer yet ends there."""
        context = self._context
        if not context.is_loaded:
            return False
        had_any = context.client.is_running or self.unlocked
        context.client.lock()
        if not had_any:
            return False
        context.ask_signer(lambda _client: None, done=lambda _: context.say(tr("Locked.")))
        return True

    def toggle(self) -> None:
        self.now() if self.unlocked else self.unlock()

    def now(self) -> None:
        """Lock; says so even when it was locked."""
        if not self.at_once():
            self._context.say(tr("Your keys are locked already."))

    def unlock(self) -> None:
        """Have the desk ask for the passphrase."""
        self._opening = True
        self.changed.emit()
        self._context.ask_signer(
            lambda client: client.unlock(), done=lambda _: self._context.say(tr("Unlocked.")), finished=self._opened
        )

    def _opened(self) -> None:
        self._opening = False
        self.changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if is_use(event):
            self._idle = 0
        return False

    @property
    def _limit(self) -> int:
        return self._context.settings.idle_minutes * 60

    def _watch(self) -> None:
        """Take keys and pointer moves in every window as use; looked for again each second, for dialogs come and go."""
        for window in QGuiApplication.topLevelWindows():
            window.installEventFilter(self)

    def _status(self, what: str) -> None:
        if what in ("status", "settings"):
            self._idle = 0
            self._watch()
            self._timer.start() if self.unlocked else self._timer.stop()
            self.changed.emit()

    def _tick(self) -> None:
        self._watch()
        self._idle = 0 if self._context.client.take_use() else self._idle + 1
        if self._idle >= self._limit:
            self._timer.stop()
            self.now()
        self.changed.emit()
