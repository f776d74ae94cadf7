"""Break-glass: what is signed ahead for the day when nothing else works. A card in Settings, and the sheet that it opens.

BreakGlassCard(context)                     for Settings
open_break_glass(context, parent, account)  the sheet; `account` stands first
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from latchkey.core.account import Account
from latchkey.core.networks import network
from latchkey.core.phrases import Level
from latchkey.errors import Declined, LatchkeyError
from latchkey.flow.accounts import same_place
from latchkey.flow.break_glass import BreakGlass, Glass
from latchkey.flow.ending_plan import RevokeAll
from latchkey.flow.ending_results import ItemResult
from latchkey.flow.ending_sheet import Job
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.ending_parts import ResultsCard
from latchkey.ui.pages.working_sheet import Say, WorkingSheet
from latchkey.ui.times import utc_time
from latchkey.ui.widgets import Banner, Body, Button, Card, Heading, Muted, confirm, danger, quiet, secondary, short_address

_WHAT = tr(
    "Revocations that you sign now, and keep in the vault for a day when an RPC is dead or the account cannot be read. "
    "Using one needs nothing but somebody who carries it to the chain."
)
_NEEDS = tr("The account needs ETH for it, and a change of owner makes it void. Sign it anew after each grant.")
_NONE = tr("Nothing is signed ahead for this account.")
_NOT_COVERED = tr("There are sessions or grants that it does not cover.")
_USE = tr("Every session that it covers ends. New ones have to be granted instead.")
_FORGET = tr("It leaves the vault. If somebody else has a copy, that one still works.")


class BreakGlassCard(Card):
    def __init__(self, context: Context) -> None:
        super().__init__(tr("Break-glass"))
        self._context = context
        self.open = secondary(tr("Open…"), self._open)
        self.body.addWidget(Body(_WHAT))
        self.body.addWidget(Muted(_NEEDS))
        row = QHBoxLayout()
        row.addWidget(self.open)
        row.addStretch(1)
        self.body.addLayout(row)

    def _open(self) -> None:
        open_break_glass(self._context, self)


def open_break_glass(context: Context, parent: QWidget, account: Account | None = None) -> BreakGlassSheet:
    sheet = BreakGlassSheet(context, parent, account)
    sheet.open()
    sheet.look()
    return sheet


@dataclass(frozen=True, slots=True)
class _Kept:
    """One account, what is kept for it, and whether something is not covered."""

    account: Account
    glass: Glass | None
    offered: bool


class BreakGlassSheet(WorkingSheet):
    """What is kept for each account; make it, renew it, use it, forget it."""

    def __init__(self, context: Context, parent: QWidget, account: Account | None = None) -> None:
        super().__init__(context, parent, tr("Break-glass"))
        self._first = account
        self.glass = BreakGlass(context.book, lambda: context.client, context.chains, context.clock)
        self.cards: list[AccountCard] = []
        self.back = secondary(tr("&Back"), self.look)
        self.close_button = secondary(tr("&Close"), self.reject)
        self.choices(self.back, self.close_button)

    def failed(self, error: LatchkeyError) -> None:
        if isinstance(error, Declined) and not self.cards:
            self.tell_trouble(tr("The vault is locked, so what is kept in it cannot be shown."))
        elif not isinstance(error, Declined):
            self.tell_trouble(error.text)
        self.offer(*self.remedies(error), self.close_button, focus=self.close_button)

    # --- looking

    def look(self) -> None:
        context, glass = self._context, self.glass

        def work(_say: Say) -> object:
            context.client.unlock()
            sets = glass.sets()
            found = []
            for account in context.book.accounts():
                kept = next((one for one in sets if same_place(one.account, account)), None)
                view = context.sessions.cached(account)
                ids = [session.entity_id for session in view.reading.sessions] if view else []
                found.append(_Kept(account, kept, glass.is_offered(account, ids)))
            return tuple(found)

        self.run(work, self._looked, tr("Opening the vault."))

    def _looked(self, found: object) -> None:
        assert isinstance(found, tuple)
        ordered = sorted(found, key=lambda one: self._first is None or not same_place(one.account, self._first))
        self.cards = [AccountCard(self, one, self._context.clock()) for one in ordered]
        self.show_parts(Muted(f"{_WHAT} {_NEEDS}"), *self.cards)
        self.offer(self.close_button)
        (self.cards[0].make if self.cards else self.close_button).setFocus(Qt.FocusReason.OtherFocusReason)

    # --- acting

    def make(self, account: Account) -> None:
        """Read the account, and sign for all that is on it now."""
        context, glass = self._context, self.glass

        def work(say: Say) -> object:
            say(tr("Reading the account."))
            reading = context.sessions.refresh(account, stop=self.stopped).reading
            context.client.unlock()
            say(tr("Making it exact."))
            prepared = glass.prepare(reading, self.stopped)
            say(tr("Confirm it at the desk."))
            return glass.sign_and_keep(prepared)

        self.run(work, lambda _made: self.look(), tr("Reading the account."))

    def ask_use(self, kept: Glass) -> None:
        confirm(self, tr("Use it now?"), _USE, tr("Revoke"), lambda: self._use(kept), danger=True, keep=tr("Keep it"))

    def _use(self, kept: Glass) -> None:
        context, glass = self._context, self.glass

        def work(say: Say) -> object:
            context.client.unlock()
            return glass.use(kept.id, progress=say, stop=self.stopped)

        self.run(work, lambda results: self._used(kept, results), tr("Sending it."))

    def _used(self, kept: Glass, results: object) -> None:
        assert isinstance(results, tuple)
        self.show_results(kept.account, results)
        self._context.changed.emit("sessions")

    def show_results(self, account: Account, results: tuple[ItemResult, ...]) -> None:
        view = self._context.sessions.cached(account)
        if view is not None:
            self.show_parts(ResultsCard(Job(view, RevokeAll(), results=results)))
        else:
            self.show_parts(
                *(Banner(Level.NOTICE, tr("Session {entity_id}", entity_id=one.entity_id), one.sentence) for one in results)
            )
        self.offer(self.back, self.close_button, focus=self.close_button)

    def ask_forget(self, kept: Glass) -> None:
        confirm(self, tr("Forget it?"), _FORGET, tr("Forget"), lambda: self._forget(kept), danger=True)

    def _forget(self, kept: Glass) -> None:
        self.run(lambda _say: self.glass.forget(kept.id), lambda _nothing: self.look(), tr("Forgetting it."))


class AccountCard(Card):
    """What is kept for one account, and what can be done with it."""

    def __init__(self, sheet: BreakGlassSheet, kept: _Kept, now: int) -> None:
        super().__init__()
        account, glass = kept.account, kept.glass
        self.body.addWidget(Heading(account.label or short_address(str(account.address))))
        made = tr(" · signed {time}", time=utc_time(glass.created, now)) if glass else ""
        self.body.addWidget(Muted(f"{network(account.chain_id).name}{made}"))
        for sentence in glass.sentences if glass else (_NONE,):
            self.body.addWidget(Body(sentence))
        if glass and kept.offered:
            self.body.addWidget(Banner(Level.WARNING, _NOT_COVERED, tr("Renew it.")))
        self.make = secondary(tr("Renew…") if glass else tr("Sign it ahead…"), lambda: sheet.make(account))
        buttons: list[Button] = [self.make]
        if glass:
            self.use = danger(tr("Revoke with it…"), lambda: sheet.ask_use(glass))
            self.forget = quiet(tr("Forget…"), lambda: sheet.ask_forget(glass))
            buttons += [self.use, self.forget]
        self.body.addSpacing(theme.space(0.5))
        row = QHBoxLayout()
        row.setSpacing(theme.space(1))
        for button in buttons:
            button.setAccessibleDescription(tr("For {label}", label=account.label or account.address))
            row.addWidget(button)
        row.addStretch(1)
        self.body.addLayout(row)
