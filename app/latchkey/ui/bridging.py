"""The bridge in the window: it runs while Settings say so, who wants in is asked about here, and what a page asks for comes up at once.

A request comes up by itself only where that interrupts nothing; else it waits on the Requests page like any other. Letting somebody in is
a question of its own, with a button that cannot be pressed in its first moment: a page chooses when it appears.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QWidget

from latchkey.core.networks import network
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.words_pieces import say, strong
from latchkey.errors import LatchkeyError
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.widgets import Body, ComboBox, Dialog, Field, Label, Muted, PhraseLabel, primary, secondary
from latchkey.ui.widgets.address import short_address
from latchkey.ui.widgets.dialogs import is_asking

if TYPE_CHECKING:
    from latchkey.core.account import Account
    from latchkey.flow.bridge import BridgeHost, ToPair
    from latchkey.store.requests import Record
    from latchkey.ui.context import Context
    from latchkey.ui.window import Window

_STILL_MS = 1000  # in which no yes can be pressed to what came up by itself
_AGAIN_MS = 400  # until another look whether the person is free
_UNTOUCHED = frozenset({"sessions", "session", "grants", "grant", "accounts", "settings", "requests", "wizard"})


class Bridging(QObject):
    """One for each window, made when the book is open. `changed`: state, pairings or who waits."""

    changed = Signal()
    _heard = Signal()
    _loaded = Signal()

    def __init__(self, context: Context, window: Window) -> None:
        super().__init__(context)
        self._context, self._window = context, window
        self._host: BridgeHost | None = None
        self._wanted: tuple[bool, int] = (False, 0)
        self._shown = 0  # id of the newest request that was brought up or left to the Requests page
        self._dialog: PairDialog | None = None
        self._closed = False
        self._is_warm = False
        self._heard.connect(self._look)
        self._loaded.connect(lambda: None if self._closed else window.prepare("wizard"))
        context.changed.connect(self._outside_changed)
        context.closing.connect(self.close)
        self.follow()

    @property
    def host(self) -> BridgeHost:
        """What answers; made when it is first needed. Its process runs only while the bridge is on."""
        if self._host is None:
            from latchkey.flow.bridge import BridgeHost

            context = self._context
            self._host = BridgeHost(context.book, context.sessions, context.requests, context.clock, self._tell)
            self._shown = max((record.id for record in context.requests.all()), default=0)
        return self._host

    def follow(self) -> None:
        """Start or stop, as Settings say."""
        settings = self._context.settings
        wanted = (settings.bridge, settings.bridge_port)
        if wanted == self._wanted or self._closed:
            return
        before, self._wanted = self._wanted, wanted
        if settings.bridge:
            self.host.start(settings.bridge_port)
        elif before[0]:
            self.host.stop()

    def close(self) -> None:
        """The window closes: the process ends."""
        self._closed = True
        if self._host is not None:
            self._host.stop()

    # --- news, from any thread

    def _tell(self) -> None:
        if not self._closed:
            with suppress(RuntimeError):  # the window is gone
                self._heard.emit()

    def _outside_changed(self, what: str) -> None:
        if what == "settings":
            self.follow()
        if self._host is not None and what in ("grants", "sessions", "readings"):
            self._host.refresh()
        if self._host is not None and what == "requests":
            self._bring_up()

    def _look(self) -> None:
        if self._closed:
            return
        self.changed.emit()
        self._warm()
        waiting = self.host.to_pair()
        if self._dialog is not None and self._dialog.question not in waiting:
            self._dialog.reject_silently()
        if waiting and self._dialog is None:
            self._ask(waiting[0])

    def _warm(self) -> None:
        """Load what a request is shown on before one comes: the first time takes a second, and it is not to be waited for."""
        from latchkey.flow.bridge import BridgeState

        if self.host.state is not BridgeState.LISTENING or self._is_warm:
            return
        self._is_warm = True

        def load() -> None:
            import_module("latchkey.ui.pages.wizard")
            if not self._closed:
                with suppress(RuntimeError):  # the window is gone
                    self._loaded.emit()

        threading.Thread(target=load, name="warm", daemon=True).start()

    # --- letting somebody in

    def _ask(self, question: ToPair) -> None:
        if is_asking():
            QTimer.singleShot(_AGAIN_MS, self, self._look)
            return
        self._dialog = PairDialog(self._window, question, self._context.book.accounts())
        self._dialog.finished.connect(self._asked)
        self._dialog.open()
        QApplication.alert(self._window)
        if QApplication.activeWindow() is None:
            who = question.origin or tr("A program on this computer")
            self._context.notify("Latchkey", tr("{who} asks to be let in.", who=who))

    def _asked(self, _result: int) -> None:
        dialog, self._dialog = self._dialog, None
        assert dialog is not None
        try:
            if dialog.answer is True:
                self.host.pair(dialog.question, dialog.account)
                self._context.say(tr("It is let in. Settings list it, under dApps on this computer."))
            elif dialog.answer is False:
                self.host.refuse(dialog.question)
                if self.host.is_quiet:
                    self._context.say(tr("Nobody can ask to be let in for ten minutes now, unless you turn the bridge off and on."))
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)
        QTimer.singleShot(0, self, self._look)

    # --- requests

    def _bring_up(self) -> None:
        """The newest request of the bridge, if the person is doing nothing that it would take away."""
        from latchkey.store.requests import Source

        new = [one for one in self._context.requests.open() if one.source is Source.BRIDGE and one.id > self._shown]
        if not new:
            return
        record = new[-1]
        self._shown = record.id
        if self._is_free():
            self._open(record)
        else:
            self._context.say(self._news(record))
        QApplication.alert(self._window)

    def _open(self, record: Record) -> None:
        from latchkey.store.requests import RequestKind
        from latchkey.ui.pages.requests import open_record
        from latchkey.ui.pages.wizard import WizardPage

        if record.kind is not RequestKind.SESSION:
            open_record(self._context, self._window, record)
            return
        self._context.navigate("wizard", record)
        if isinstance(page := self._window.page, WizardPage):
            page.hold(_STILL_MS)

    def _news(self, record: Record) -> str:
        return tr("{who} asks for something. It waits under Requests.", who=record.origin)

    def _is_free(self) -> bool:
        window = self._window
        is_there = window.isVisible() and not window.isMinimized() and not is_asking()
        is_answering = getattr(window.page, "is_answering", False)
        return is_there and window.page_name in _UNTOUCHED and not (window.loss() or is_answering)


class PairDialog(Dialog):
    """May it come in? `answer`: yes, no, or None when it went away by itself."""

    def __init__(self, parent: QWidget, question: ToPair, accounts: tuple[Account, ...]) -> None:
        super().__init__(tr("Let this page in?") if question.origin else tr("Let this program in?"), parent)
        self.question = question
        self.answer: bool | None = False
        self._accounts = accounts
        self.body.addWidget(PhraseLabel(_who(question)))
        self.code = Label(f"{question.code[:3]} {question.code[3:]}", size=theme.TITLE, mono=True)
        self.code.setAccessibleName(tr("Number: {digits}", digits=" ".join(question.code)))
        self.code.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.body.addWidget(self.code)
        self.body.addWidget(Body(tr("It shows this number too. If it shows another one or none, somebody else is asking: refuse.")))
        self.sees = Field(tr("It may see"), ComboBox())
        for account in accounts:
            named = (account.label, short_address(account.address), network(account.chain_id).name)
            self.sees.editor.addItem(" · ".join(part for part in named if part), account)
        self.sees.editor.addItem(tr("No account"), None)
        self.body.addWidget(self.sees)
        self.body.addWidget(
            Muted(
                tr(
                    "It can then ask for sessions, and see what became of those it was given. Each one still needs your yes at the desk."
                )
            )
        )
        self.no = secondary(tr("&Refuse"), self.reject)
        self.yes = primary(tr("&Let in"), self._agree)
        self.yes.setEnabled(False)
        self.buttons.addWidget(self.no)
        self.buttons.addWidget(self.yes)
        self.no.setDefault(True)
        self.no.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(_STILL_MS, self, lambda: self.yes.setEnabled(True))

    @property
    def account(self) -> Account | None:
        at = self.sees.editor.currentIndex()
        return self._accounts[at] if 0 <= at < len(self._accounts) else None

    def reject_silently(self) -> None:
        """Whoever asked is gone."""
        self.answer = None
        self.reject()

    def _agree(self) -> None:
        self.answer = True
        self.accept()


def _who(question: ToPair) -> Phrase:
    name = Part(f"“{question.name}”", Style.CLAIM)
    if not question.origin:
        return say("A program on this computer that calls itself {name} asks to be let in.", name=name)
    if not question.name:
        return say("{page} asks to be let in.", page=strong(question.origin))
    return say("{page}, which calls itself {name}, asks to be let in.", page=strong(question.origin), name=name)
