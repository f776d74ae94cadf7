"""A sheet that works: what it shows scrolls, what it does is said step by step below, and can be stopped.

class Sheet(WorkingSheet):
    self.run(work, done, "Reading.")      on a worker: work(say) -> result; then done(result), or failed(error)
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QHideEvent
from PySide6.QtWidgets import QProgressBar, QWidget

from latchkey.core.phrases import Level
from latchkey.errors import LatchkeyError
from latchkey.flow.chains import NotSet
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.tasks import Job
from latchkey.ui.widgets import Banner, Button, Dialog, Muted, SheetScroller, clear_layout, secondary

Say = Callable[[str], None]


class WorkingSheet(Dialog):
    """`busy`: something is under way. Escape stops it, and closes the sheet when nothing is."""

    def __init__(self, context: Context, parent: QWidget, title: str) -> None:
        super().__init__(title, parent.window(), width=80 * theme.GRID)
        self._context = context
        self.stopped = Event()  # heeded by what works
        self.busy = False
        self.trouble = Banner(Level.DANGER)
        self.trouble.hide()
        self.body.addWidget(self.trouble)
        self.scroller = SheetScroller(theme.space(6))
        self.scroller.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.scroller.setAccessibleName(title)
        self.body.addWidget(self.scroller, 1)
        self.stage = Muted("")
        self.bar = QProgressBar(minimum=0, maximum=0, textVisible=False)
        self.bar.setAccessibleName(tr("Under way"))
        self.body.addWidget(self.stage)
        self.body.addWidget(self.bar)
        self.stop_button = secondary(tr("&Stop"), self.stop)
        self.network_button = secondary(tr("Open Settings"), self._open_networks)
        self._choices: tuple[Button, ...] = (self.stop_button, self.network_button)
        self._fitting = QTimer(self, singleShot=True, interval=0)  # once what is shown has its place
        self._fitting.timeout.connect(self._fit)

    # --- what is shown

    def show_parts(self, *parts: QWidget) -> None:
        """In place of what was there, from the top."""
        clear_layout(self.scroller.rows)
        for part in parts:
            self.scroller.rows.addWidget(part)
            part.show()
        self.scroller.rows.addStretch(1)
        self.scroller.verticalScrollBar().setValue(0)
        self._fitting.start()

    def choices(self, *buttons: Button) -> None:
        """All buttons there ever are, "Stop" and the way to the networks aside. Links stand at the left."""
        links = [button for button in buttons if button.property("kind") == "link"]
        for at, button in enumerate(links):
            self.buttons.insertWidget(at, button)
        for button in (self.stop_button, self.network_button, *(b for b in buttons if b not in links)):
            self.buttons.addWidget(button)
        self._choices = (self.stop_button, self.network_button, *buttons)
        self.offer()

    def offer(self, *shown: Button, focus: Button | None = None) -> None:
        """Only what makes sense now, and the focus on one that is there."""
        for button in self._choices:
            button.setVisible(button in shown)
        if focus is not None:
            focus.setFocus(Qt.FocusReason.OtherFocusReason)

    def tell_trouble(self, text: str, advice: str = "") -> None:
        self.trouble.set(Level.DANGER, text, advice)
        self.trouble.show()
        self._fitting.start()
        self.announce(text)

    def announce(self, text: str) -> None:
        """For whoever listens."""
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    # --- what is done

    def run(self, work: Callable[[Say], object], done: Callable[[object], object], first: str) -> None:
        """`work` is given a way to say what it is at; `first` is said at once."""
        self.stopped = Event()
        self.busy = True
        self.trouble.hide()
        self.stage.setText(first)
        self.stage.show()
        self.bar.show()
        self.stop_button.setEnabled(True)
        self.offer(self.stop_button, focus=self.stop_button)
        said: list[str] = []
        work = self._context.until_locked(work)

        def body(job: Job) -> object:
            def say(text: str) -> None:
                said.append(text)
                job.progress(len(said), 0)

            return work(say)

        def told(step: int, _steps: int) -> None:
            if not self.stopped.is_set():
                self.stage.setText(said[step - 1])
                self.announce(said[step - 1])

        def failed(error: LatchkeyError) -> None:
            self._rest()
            self.failed(error)

        def arrived(result: object) -> None:
            self._rest()
            done(result)

        self._context.tasks.run(body, arrived, failed=failed, progress=told, owner=self)

    def failed(self, error: LatchkeyError) -> None:
        """Nothing came of it."""
        self.tell_trouble(error.text)

    def remedies(self, *errors: LatchkeyError | None) -> tuple[Button, ...]:
        """The way to Settings, where these come of an RPC that is not set."""
        unset = any(isinstance(error, NotSet) and error.code != "Offline" for error in errors)
        return (self.network_button,) if unset else ()

    def _rest(self) -> None:
        self.busy = False
        self.stage.hide()
        self.bar.hide()
        self._fitting.start()

    def _fit(self) -> None:
        self.scroller.updateGeometry()  # Qt does not ask it again by itself when what it shows is another
        self.fit()

    def _open_networks(self) -> None:
        self.reject()
        self._context.navigate("settings", "networks")

    def stop(self) -> None:
        self.stopped.set()
        self.stage.setText(tr("Stopping."))
        self.stop_button.setEnabled(False)

    def reject(self) -> None:
        if self.busy:
            self.stop()
        else:
            super().reject()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.stopped.set()
