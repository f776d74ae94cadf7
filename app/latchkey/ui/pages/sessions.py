"""Sessions: everything that may act for the accounts at hand, whoever granted it, and the way to end it.

What was read last is there at once. The network is asked when the page is entered, where the person has set an RPC, and when they
press Refresh; a reading can be stopped, and one that fails leaves what was there.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from latchkey.core.phrases import Level
from latchkey.errors import LatchkeyError
from latchkey.language import tr, trn
from latchkey.offline import is_offline
from latchkey.ui import theme
from latchkey.ui.context import REVOKE_ALL, Context
from latchkey.ui.tasks import Job
from latchkey.ui.widgets import (
    Banner,
    Card,
    ComboBox,
    EmptyState,
    Muted,
    Page,
    add_shown,
    clear_layout,
    danger,
    line_edit,
    link,
    primary,
    secondary,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from latchkey.core.account import Account
    from latchkey.flow.session_rows import Filter, View
    from latchkey.ui.pages.session_list import SessionList
    from latchkey.ui.pages.session_rows import Entry

_MINUTE_MS, _SECOND_MS, _SOON_MS, _TYPING_MS = 60_000, 1_000, 200, 120
_FRESH = 15  # seconds: a reading that is not older is not read again on entering
_RISKS = ((tr("Any risk"), None), (tr("Warnings"), Level.WARNING), (tr("Dangers"), Level.DANGER))
_NO_ACCOUNT = tr("Name an account, and Latchkey reads from the network which keys may act for it, whoever let them in.")
_NO_RPC = tr("Sessions are read from the network. Say where each network is to be reached; nothing is asked before you do.")
_NOT_READ = tr("Latchkey has not read these accounts yet. Reading asks the RPC that you have set, and nobody else.")
_OFFLINE = tr(
    "Sessions are read from the network, and this Latchkey asks none. It signs what another machine prepared: "
    "scan its code, or open its file."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page was last given. `unset`: accounts on networks without an RPC; `unread`: without a reading."""

    accounts: tuple[Account, ...]
    views: tuple[View, ...]
    entries: list[Entry]
    unset: tuple[Account, ...]
    unread: tuple[Account, ...]


class SessionsPage(Page):
    """The list of all sessions. `enter(account)` shows those of one."""

    _told = Signal(object, object)  # account, error or None; from reading threads

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Sessions"))
        self._context = context
        self._shown: Shown | None = None
        self._errors: dict[Account, str] = {}
        self._stop: threading.Event | None = None
        self._was_looked_at = True
        self.list: SessionList | None = None
        self.refresh_button = secondary(tr("Refresh"), self.refresh)
        self.refresh_button.setToolTip("F5")
        if is_offline():
            self.refresh_button.hide()
        self.new = primary(tr("New session"), lambda: context.navigate("wizard"), icon_name="plus")
        self.new.setToolTip("Ctrl+N")
        self.header.addWidget(self.refresh_button)
        self.header.addWidget(self.new)
        QShortcut(QKeySequence("F5"), self).activated.connect(self.refresh)
        self.counts = Muted()
        self.body.addWidget(self.counts)
        self.body.addWidget(self._make_progress())
        self._banners = QVBoxLayout()
        self._banners.setSpacing(theme.space(1))
        self.body.addLayout(self._banners)
        self.filters = self._make_filters()
        self.filters.hide()
        self.body.addWidget(self.filters)
        self._stack = QStackedWidget()
        self._empty: EmptyState | None = None
        self.body.addWidget(self._stack, 100)
        self._below = QVBoxLayout()
        self._below.setSpacing(theme.space(2))
        self.body.addLayout(self._below)
        self.body.addStretch(1)
        self._make_buttons()
        self._told.connect(self._arrived)
        self._soon = QTimer(self, interval=_SOON_MS, singleShot=True)
        self._soon.timeout.connect(self._load)
        self._minute = QTimer(self, interval=_MINUTE_MS)
        self._minute.timeout.connect(lambda: self._load() if self.isVisible() else None)
        self._second = QTimer(self, interval=_SECOND_MS)
        self._second.timeout.connect(lambda: self._count() if self.isVisible() else None)
        context.changed.connect(self._changed)
        context.navigated.connect(lambda name, _payload: self._leave() if name not in ("sessions", "session") else None)

    def enter(self, payload: object) -> None:
        self._was_looked_at = False
        self._load(then=partial(self._entered, payload))
        self._minute.start()
        self._second.start()

    # --- reading the chain

    def refresh(self) -> None:
        """Read every account whose network has an RPC."""
        if self._shown is None or self._stop is not None or not self._context.is_loaded:
            return
        accounts = [a for a in self._shown.accounts if a not in self._shown.unset]
        if not accounts:
            self._context.say(
                tr("No RPC is set for these networks.") if self._shown.accounts else tr("There is no account to read.")
            )
            return
        stop = self._stop = threading.Event()
        self._errors.clear()
        self._show_progress(trn("Reading {count} account…", "Reading {count} accounts…", len(accounts)))
        done: dict[Account, float] = {}

        def progress_of(account: Account, job: Job) -> Callable[[int, int], None]:
            def tell(blocks: int, blocks_all: int) -> None:
                done[account] = blocks / blocks_all if blocks_all else 1.0
                job.progress(round(1000 * sum(done.values()) / len(accounts)), 1000)

            return tell

        def arrived(account: Account, result: View | LatchkeyError) -> None:
            done[account] = 1.0
            with suppress(RuntimeError):  # the window is gone
                self._told.emit(account, result if isinstance(result, LatchkeyError) else None)

        def read(job: Job) -> None:
            self._context.sessions.refresh_all(accounts, arrived, progress=lambda account: progress_of(account, job), stop=stop)

        self._context.tasks.run(
            read, progress=lambda step, _steps: self.bar.setValue(step), finished=self._finished, owner=self
        )  # fmt: skip

    def _arrived(self, account: Account, error: LatchkeyError | None) -> None:
        if error is not None and error.code != "Stopped":
            self._errors[account] = error.text
        if not self._soon.isActive():
            self._soon.start()

    def _finished(self) -> None:
        self._stop = None
        self.progress.hide()
        self.refresh_button.setEnabled(True)
        self._soon.stop()
        self._load()
        self._context.changed.emit("readings")
        if self.isVisible():
            self._context.say(tr("Some accounts could not be read.") if self._errors else tr("Sessions are read."))

    def stop(self) -> None:
        """End a reading; what has arrived stays."""
        if self._stop is not None:
            self._stop.set()
            self.said.setText(tr("Stopping…"))

    def _entered(self, payload: object) -> None:
        if payload == REVOKE_ALL:
            self.account.setCurrentIndex(0)
            self._end_all()
        elif payload is not None:
            self.account.setCurrentIndex(max(0, self.account.findData(payload)))
        shown, now = self._shown, self._context.clock()
        if shown is None:
            return
        old = [view for view in shown.views if now - view.taken > _FRESH]
        if len(shown.accounts) > len(shown.unset) and (old or set(shown.unread) - set(shown.unset)):
            self.refresh()
        if self.list is not None:
            self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- reading the book

    def _changed(self, what: str) -> None:
        if what in ("sessions", "grants", "accounts", "settings", "readings") and self.isVisible() and self._context.is_loaded:
            self._load()

    def _load(self, then: Callable[[], object] | None = None) -> None:
        def arrived(shown: Shown) -> None:
            self._show(shown)
            if then is not None:
                then()

        self._context.tasks.run(partial(_read, self._context), arrived, owner=self)

    def _leave(self) -> None:
        """What was on the screen is no news any more."""
        if self._shown is None or self._was_looked_at or not self._context.is_loaded:
            return
        self._was_looked_at = True
        for view in self._shown.views:
            with suppress(LatchkeyError):  # then it stays news
                self._context.sessions.looked(view)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous() and not self.window().isVisible():
            self.stop()
            self._leave()

    # --- showing

    def _show(self, shown: Shown) -> None:
        self._shown = shown
        self._offer_states()
        self._fill(self.account, tr("All accounts"), [(account_text(a), a) for a in shown.accounts])
        self._fill(self.network, tr("All networks"), _networks(shown.accounts))
        self._show_banners(shown)
        self._show_below(shown)
        self._narrow()
        self._count()

    def _narrow(self) -> None:
        """Show what the filters let through."""
        if self._shown is None:
            return
        from latchkey.ui.pages.session_rows import matching

        shown = self._shown
        entries = matching(shown.entries, self._filter())
        self.filters.setVisible(bool(shown.entries))
        self.show_buttons(any(not entry.is_past for entry in shown.entries))
        if not entries:
            self._show_empty(*self._why_empty(shown))
        else:
            self._show_list(entries)
        self._choose()

    def _show_list(self, entries: list[Entry]) -> None:
        if self.list is None:
            from latchkey.ui.pages.session_list import SessionList

            self.list = SessionList()
            self.list.opened.connect(self._open)
            self.list.ending.connect(self._end)
            self.list.ticked.connect(self._choose)
            self._stack.addWidget(self.list)
        self.list.show_rows(entries)
        self._stack.setCurrentWidget(self.list)
        self._stack.setMinimumHeight(self.list.minimumHeight())
        self._stack.setMaximumHeight(self.list.maximumHeight())

    def _why_empty(self, shown: Shown) -> tuple[str, str, str, Callable[[], object] | None]:
        from latchkey.flow.session_rows import Filter

        go = self._context.navigate
        if is_offline() and not shown.views and not shown.entries:
            return tr("Nothing is read here"), _OFFLINE, tr("Scan or open…"), self._context.want_request
        if not shown.accounts:
            return tr("No account yet"), _NO_ACCOUNT, tr("Add account"), partial(go, "accounts", "add")
        if shown.entries and self._filter() != Filter():
            return tr("Nothing matches"), tr("No session passes the filters above."), tr("Show all"), self._show_all
        if shown.views:
            return tr("No sessions"), " ".join(view.empty.plain for view in shown.views), tr("New session"), partial(go, "wizard")
        if len(shown.unset) == len(shown.accounts):
            return tr("No RPC is set"), _NO_RPC, tr("Open Settings"), partial(go, "settings", "networks")
        if self._stop is not None:
            return tr("Reading…"), tr("The first reading goes through all blocks there are; later ones take what is new."), "", None
        return tr("Not read yet"), _NOT_READ, tr("Read now"), self.refresh

    def _show_empty(self, title: str, text: str, action: str, act: Callable[[], object] | None) -> None:
        if self._empty is not None:
            self._stack.removeWidget(self._empty)
            self._empty.deleteLater()
        self._empty = EmptyState(title, text, action, act)
        self._stack.addWidget(self._empty)
        self._stack.setCurrentWidget(self._empty)
        self._stack.setMinimumHeight(0)
        self._stack.setMaximumHeight(16_777_215)

    def _count(self) -> None:
        """ "3 active · 1 waiting for first use · read 12 s ago"."""
        if self._shown is None:
            return
        from latchkey.core.session import SessionState
        from latchkey.ui.pages.session_rows import ACTIVE

        states = [entry.row.state for entry in self._shown.entries if entry.row]
        active, full = sum(state in ACTIVE for state in states), states.count(SessionState.FULL_CONTROL)
        waiting = sum(entry.pending is not None and entry.pending.is_open for entry in self._shown.entries)
        parts = [tr("{active} active", active=active)] if self._shown.views else []
        parts += [tr("{full} with full control", full=full)] if full else []
        parts += [tr("{waiting} waiting for first use", waiting=waiting)] if waiting else []
        if self._shown.views:
            oldest = min(view.taken for view in self._shown.views)
            parts.append(tr("read {ago}", ago=_ago(self._context.clock() - oldest)))
        self.counts.setText(" · ".join(parts))
        self.counts.setVisible(bool(parts))

    def _show_banners(self, shown: Shown) -> None:
        clear_layout(self._banners)
        if is_offline() and shown.views:
            add_shown(self._banners, Banner(Level.NOTICE, tr("This Latchkey is offline: what you see was read before.")))
        for account, text in self._errors.items():
            kept = tr(" What you see was read before.") if account not in shown.unread else ""
            add_shown(
                self._banners,
                Banner(Level.WARNING, tr("{account_text} could not be read.", account_text=account_text(account)), f"{text}{kept}"),
            )
        for view in shown.views:
            for finding in (one for one in view.findings if one.level is not Level.NOTICE):
                sentence = f"{account_text(view.account)}: {finding.sentence}"
                add_shown(self._banners, Banner(finding.level, sentence, finding.advice))

    def _show_below(self, shown: Shown) -> None:
        from latchkey.ui.pages.session_powers import PowersCard

        clear_layout(self._below)
        if shown.views:
            add_shown(self._below, PowersCard(shown.views, self._clean))
            for view in shown.views:
                for finding in (one for one in view.findings if one.level is Level.NOTICE):
                    sentence = f"{account_text(view.account)}: {finding.sentence}"
                    add_shown(self._below, Banner(finding.level, sentence, finding.advice))
        clock, foot = self._context.clock(), Card()
        foot.body.setSpacing(theme.space(0.5))
        for view in shown.views:
            foot.body.addWidget(Muted(f"{account_text(view.account)}: {view.basis(clock)}"))
        for account in shown.unread if shown.views else ():
            why = tr("no RPC is set for its network.") if account in shown.unset else tr("not read yet.")
            foot.body.addWidget(Muted(f"{account_text(account)}: {why}"))
        if shown.views and shown.unset and not is_offline():
            row = QHBoxLayout()
            row.addWidget(link(tr("Set an RPC…"), lambda: self._context.navigate("settings", "networks")))
            row.addStretch(1)
            foot.body.addLayout(row)
        if shown.views:
            add_shown(self._below, foot)

    # --- filters

    def _make_filters(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(1))
        self.account, self.network, self.state, self.risk = (
            _combo(name) for name in (tr("Account"), tr("Network"), tr("State"), tr("Risk"))
        )
        for text, risk in _RISKS:
            self.risk.addItem(text, risk)
        self.search = line_edit(placeholder=tr("Name, key or contract"), limit=200)
        self.search.setAccessibleName(tr("Search"))
        self.search.setClearButtonEnabled(True)
        typing = QTimer(self, interval=_TYPING_MS, singleShot=True)
        typing.timeout.connect(self._narrow)
        self.search.textChanged.connect(lambda _text: typing.start())
        for combo in (self.account, self.network, self.state, self.risk):
            combo.currentIndexChanged.connect(lambda _index: self._narrow())
            row.addWidget(combo)
        row.addWidget(self.search, 1)
        return holder

    def _offer_states(self) -> None:
        if not self.state.count():
            from latchkey.ui.pages.session_rows import STATES

            self.state.blockSignals(True)
            for text, states in STATES:
                self.state.addItem(text, frozenset(states))
            self.state.blockSignals(False)

    def _fill(self, combo: QComboBox, everything: str, items: Sequence[tuple[str, object]]) -> None:
        """Offer these, the choice kept; a choice between one is none."""
        kept = combo.currentData()
        combo.blockSignals(True)
        combo.clear()
        combo.addItem(everything, None)
        for text, data in items:
            combo.addItem(text, data)
        at = next((i for i in range(combo.count()) if combo.itemData(i) == kept), 0)
        combo.setCurrentIndex(at)
        combo.blockSignals(False)
        combo.setVisible(len(items) > 1)

    def _filter(self) -> Filter:
        from latchkey.flow.session_rows import Filter

        return Filter(
            account=self.account.currentData(),
            chain_id=self.network.currentData(),
            states=self.state.currentData(),
            risk=self.risk.currentData(),
            text=self.search.text().strip(),
        )

    def _show_all(self) -> None:
        for combo in (self.account, self.network, self.state, self.risk):
            combo.setCurrentIndex(0)
        self.search.clear()
        self._narrow()

    # --- progress

    def _make_progress(self) -> QWidget:
        self.progress = QWidget()
        row = QHBoxLayout(self.progress)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.space(1.5))
        self.said = Muted(wrap=False)
        self.bar = QProgressBar(minimum=0, maximum=1000, textVisible=False)
        self.bar.setAccessibleName(tr("Reading sessions"))
        row.addWidget(self.said)
        row.addWidget(self.bar, 1)
        row.addWidget(secondary(tr("Stop"), self.stop))
        self.progress.hide()
        return self.progress

    def _show_progress(self, text: str) -> None:
        self.said.setText(text)
        self.bar.setValue(0)
        self.progress.show()
        self.refresh_button.setEnabled(False)
        self._narrow()

    # --- acting

    def _make_buttons(self) -> None:
        self.chosen = Muted(wrap=False)
        self.revoke_all = danger(tr("Revoke all…"), self._end_all)
        self.revoke_chosen = danger(tr("Revoke selected"), lambda: self._end(self.list.model_.chosen() if self.list else []))
        self.untick = link(tr("Select none"), lambda: self.list.model_.untick() if self.list else None)
        self.buttons.addWidget(self.chosen)
        self.buttons.addWidget(self.untick)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.revoke_all)
        self.buttons.addWidget(self.revoke_chosen)

    def _choose(self) -> None:
        number = len(self.list.model_.ticked) if self.list and self._stack.currentWidget() is self.list else 0
        self.chosen.setText(tr("{number} selected", number=number) if number else tr("Tick sessions to revoke several at once."))
        self.untick.setVisible(bool(number))
        self.revoke_chosen.setEnabled(bool(number))
        endable = self._shown is not None and any(entry.verb for entry in self._shown.entries)
        self.revoke_all.setEnabled(endable)

    def _open(self, entry: Entry) -> None:
        if entry.pending is not None:
            self._context.navigate("grant", entry.pending.record.id)
        elif entry.row is not None:
            self._context.navigate("session", entry.row.key)

    def _end_all(self) -> None:
        if self._shown is None or self._context.is_cut_off():
            return
        from latchkey.flow.ending_plan import RevokeAll
        from latchkey.ui.pages.ending import open_ending

        wanted = self.account.currentData()
        views = [view for view in self._shown.views if wanted in (None, view.account)]
        views = [view for view in views if view.open_grants or any(row.can_end for row in view.rows)]
        if views:
            open_ending(self._context, self, views, RevokeAll())

    def _end(self, entries: list[Entry]) -> None:
        """Sessions and grants, account by account, in one dialog."""
        if self._context.is_cut_off():
            return
        from latchkey.flow.ending_plan import Cancel, Revoke, What
        from latchkey.ui.pages.ending import open_ending

        asked: list[tuple[View, What]] = []
        for view in {id(entry.view): entry.view for entry in entries}.values():
            mine = [entry for entry in entries if entry.view is view]
            if ids := tuple(entry.row.session.entity_id for entry in mine if entry.row):
                asked.append((view, Revoke(ids)))
            if grants := tuple(entry.pending.record.id for entry in mine if entry.pending):
                asked.append((view, Cancel(grants)))
        if asked:
            open_ending(self._context, self, [view for view, _ in asked], [what for _, what in asked])

    def _clean(self, view: View) -> None:
        if self._context.is_cut_off():
            return
        from latchkey.flow.ending_plan import Clean
        from latchkey.ui.pages.ending import open_ending

        open_ending(self._context, self, view, Clean(view.reading.leftovers))


def account_text(account: Account) -> str:
    from latchkey.ui.pages.session_rows import account_name

    return account_name(account)


def _read(context: Context, job: Job) -> Shown:
    """On a worker: the cached readings, joined with the book, as entries."""
    from latchkey.ui.pages.session_rows import entries_of

    accounts = tuple(context.book.accounts())
    read = {account: view for account in accounts if (view := context.sessions.cached(account)) is not None}
    job.check()
    return Shown(
        accounts=accounts,
        views=tuple(read.values()),
        entries=entries_of(tuple(read.values()), context.clock(), job.check),
        unset=tuple(account for account in accounts if not context.chains.is_set(account.chain_id)),
        unread=tuple(account for account in accounts if account not in read),
    )


def _networks(accounts: Sequence[Account]) -> list[tuple[str, object]]:
    from latchkey.core.networks import network

    return [(network(chain_id).name, chain_id) for chain_id in sorted({account.chain_id for account in accounts})]


def _combo(name: str) -> QComboBox:
    combo = ComboBox()
    combo.setAccessibleName(name)
    combo.setMinimumWidth(theme.space(11))
    combo.setMaximumWidth(theme.space(24))
    return combo


def _ago(seconds: int) -> str:
    from latchkey.core.moments import span

    return tr("{value} s ago", value=max(0, seconds)) if seconds < 60 else tr("{span} ago", span=span(seconds))
