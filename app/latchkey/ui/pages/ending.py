"""The sheet where something ends: what will end, how it is sent, the way there, what came of each item.

    open_ending(context, parent, views, what)       `views`: flow/session_rows.View, one or several; `what`: Revoke, RevokeAll, Cancel,
                                                    Tighten or Clean of flow/ending_plan, one for all views or one for each

context.changed("sessions") is emitted when something changed on the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from latchkey.codec.hand_over import ENDINGS, Envelope
from latchkey.core.digest_words import digest_words
from latchkey.core.phrases import Level
from latchkey.core.types import to_hex
from latchkey.errors import ChainError, Declined, LatchkeyError
from latchkey.flow.chains import NotSet
from latchkey.flow.devices import device_for
from latchkey.flow.ending import Ending, as_owned, owner_now
from latchkey.flow.ending_envelopes import review_envelope
from latchkey.flow.ending_plan import What
from latchkey.flow.ending_results import ItemResult
from latchkey.flow.ending_sheet import Job, again, cleaning, heading, may_be_cleaned, prepare_job, summary, verb
from latchkey.flow.ending_ways import WayKind
from latchkey.flow.handing import of_envelope
from latchkey.flow.naming import kept_notes
from latchkey.flow.session_rows import View
from latchkey.language import tr
from latchkey.store.endings import ItemState
from latchkey.ui.context import Context
from latchkey.ui.pages.bring import bring
from latchkey.ui.pages.device_sign import open_device
from latchkey.ui.pages.ending_parts import PlanCard, ResultsCard
from latchkey.ui.pages.working_sheet import Say, WorkingSheet
from latchkey.ui.widgets import Banner, Button, DigestView, Muted, danger, link, primary, secondary
from latchkey.ui.widgets.hand_over import HandOverCard

if TYPE_CHECKING:
    from latchkey.codec.hdkeys import HdAddress
    from latchkey.core.account import Account
    from latchkey.core.types import Address

_STAYS = tr("What was sent may still be mined. Latchkey looks again when it starts, and when you read the account.")
_DEAD = tr("The account cannot be read now. What you signed ahead for such a day ends its sessions without a reading.")
_HANDED = tr("Carry this to the machine that holds the owner's key, sign it there, and bring the signed answer back.")


def open_ending(context: Context, parent: QWidget, views: View | Sequence[View], what: What | Sequence[What]) -> EndingDialog:
    """Open the sheet and begin to plan."""
    seen = (views,) if isinstance(views, View) else tuple(views)
    wants = tuple(what) if isinstance(what, Sequence) else (what,) * len(seen)
    dialog = EndingDialog(context, parent, tuple(Job(view, one) for view, one in zip(seen, wants, strict=True)))
    dialog.open()
    dialog.plan()
    return dialog


class EndingDialog(WorkingSheet):
    """One sheet, in steps: planning, ready, sending (or handing over), results."""

    def __init__(self, context: Context, parent: QWidget, jobs: tuple[Job, ...]) -> None:
        super().__init__(context, parent, heading(jobs))
        self.jobs = jobs
        self.ending = Ending(context.book, lambda: context.client, context.chains, context.clock)
        self._sessions = context.sessions
        self.export = link(tr("Export for the cold machine…"), self._export)
        self.answer = link(tr("Bring the signed answer…"), self._bring)
        self.glass = link(tr("Break-glass…"), self._break_glass)
        self.device = primary(tr("Sign with the &hardware wallet…"), self._with_device, icon_name="qr")
        self.clean = secondary(tr("Clean up &leftovers"), self._clean)
        self.retry = secondary(tr("Try &again"), self._again)
        self.close_button = secondary(tr("&Close"), self.reject)
        self.go = danger("", self.sign)
        self.choices(self.export, self.answer, self.glass, self.clean, self.retry, self.close_button, self.device, self.go)
        self._name_verb()

    def _name_verb(self) -> None:
        text = verb(self.jobs)
        self.go.setText(f"&{text}")
        self.go.setAccessibleName(text)

    def failed(self, error: LatchkeyError) -> None:
        """Nothing came of it: back to where it can be tried again."""
        if any(job.results for job in self.jobs):
            self.show_results()
        else:
            self.show_plan()
        if not isinstance(error, Declined):
            self.tell_trouble(error.text)

    # --- planning

    def plan(self, *, fresh: bool = False) -> None:
        jobs, now = self.jobs, self._context.clock()

        def work(say: Say) -> object:
            return tuple(
                prepare_job(self.ending, self._sessions, Job(job.view, job.what), now, fresh=fresh, say=say, stop=self.stopped)
                for job in jobs
            )

        self.show_parts()
        self.run(work, self._planned, tr("Reading the account."))

    def _planned(self, jobs: object) -> None:
        assert isinstance(jobs, tuple)
        self.jobs = jobs
        self._name_verb()
        self.show_plan()

    def show_plan(self) -> None:
        """What will end, and how."""
        dead = any(isinstance(job.trouble, ChainError) and not isinstance(job.trouble, NotSet) for job in self.jobs)
        self.show_parts(*self._cards(choosing=True), *([Muted(_DEAD)] if dead else []))
        ready = any(job.ready for job in self.jobs)
        planned = any(job.plan is not None and job.plan.batches for job in self.jobs)
        self.go.setVisible(planned)
        self.go.setEnabled(ready)
        alone = len({job.view.account for job in self.jobs}) == len(self.jobs)  # else their nonces would be the same
        exports = alone and any(way.kind is WayKind.EXPORT and way.possible for job in self.jobs for way in job.ways)
        offered = [self.close_button, self.go] if planned else [self.retry, self.close_button]
        by_device = exports and self._device is not None
        if by_device:
            offered = [self.close_button, self.device]
        if exports:
            offered += [self.export]
        if planned:
            offered += [self.answer]
        offered += [self.glass] if dead else []
        offered += self.remedies(*(job.trouble for job in self.jobs))
        self.offer(*offered, focus=self.device if by_device else self.go if ready else self.close_button)
        self.go.setDefault(ready and not by_device)

    def _choose(self, index: int, way: object) -> None:
        self.jobs = tuple(
            replace(job, way=way) if at == index else job  # type: ignore[arg-type]
            for at, job in enumerate(self.jobs)
        )

    # --- signing and sending

    def sign(self) -> None:
        """Prepare, one yes at the desk for each account, send, and wait."""
        jobs, ending, client = self.jobs, self.ending, self._context.client

        def work(say: Say) -> object:
            done: list[Job] = []
            for job in jobs:
                halted = self.stopped.is_set() or any(isinstance(before.trouble, Declined) for before in done)
                done.append(_sent(ending, client, job, say, self.stopped) if job.ready and not halted else job)
            return tuple(done)

        self.show_parts(*self._cards(choosing=False))
        self.run(work, self._finished, tr("Confirm it at the desk."))

    def _cards(self, *, choosing: bool) -> list[PlanCard]:
        cards = []
        for index, job in enumerate(self.jobs):
            notes = kept_notes(self._context.book, job.view.account.chain_id)
            shown = job if choosing else replace(job, ways=())
            card = PlanCard(shown, self._context.clock(), notes, alone=len(self.jobs) == 1)
            card.chosen.connect(partial(self._choose, index))
            cards.append(card)
        return cards

    def _finished(self, jobs: object) -> None:
        assert isinstance(jobs, tuple)
        self._tell_status()
        if any(isinstance(job.trouble, Declined) for job in jobs) and not any(job.results for job in jobs):
            self.show_plan()  # as it was: nothing was signed
            return
        self.jobs = jobs
        self.show_results()

    def _tell_status(self) -> None:
        self._context.ask_signer(lambda client: client.status(), failed=lambda _error: None, owner=self)

    def show_results(self) -> None:
        """What came of each item, and what is worth doing next."""
        cards = [ResultsCard(job) for job in self.jobs if job.results or job.trouble or (job.plan and job.plan.impossible)]
        results = [result for job in self.jobs for result in job.results]
        banner = _told(results)
        self.show_parts(banner, *cards)
        offered: list[Button] = [self.close_button]
        if any(again(job) is not None for job in self.jobs):
            offered.append(self.retry)
        if any(may_be_cleaned(job) for job in self.jobs):
            offered.append(self.clean)
        self.offer(*offered, focus=self.close_button)
        self.close_button.setDefault(True)
        self.announce(banner.text)
        if results:
            self._context.changed.emit("sessions")

    # --- what is next

    def _again(self) -> None:
        wanted = [(job, what) for job in self.jobs if (what := again(job)) is not None]
        if wanted:
            self.jobs = tuple(Job(job.view, what) for job, what in wanted)
        self.plan(fresh=True)

    def _clean(self) -> None:
        jobs, now = self.jobs, self._context.clock()

        def work(say: Say) -> object:
            found: list[Job] = []
            for job in jobs:
                if ids := may_be_cleaned(job):
                    say(tr("Reading the account again."))
                    view = self._sessions.refresh(job.view.account, stop=self.stopped)
                    wanted = Job(view, cleaning(view, ids))
                    found.append(prepare_job(self.ending, self._sessions, wanted, now, say=say, stop=self.stopped))
            return tuple(found)

        self.run(work, self._planned, tr("Looking for what is still stored."))

    def _break_glass(self) -> None:
        """In place of this sheet, the one with what was signed ahead."""
        from latchkey.ui.pages.break_glass import open_break_glass

        window, account = self.parentWidget() or self, self.jobs[0].view.account
        self.reject()
        open_break_glass(self._context, window, account)

    # --- another machine

    def _export(self) -> None:
        self._make_exact(self._exported)

    def _make_exact(self, done: Callable[[object], object]) -> None:
        """Unsigned, for whoever has the owner's key; it takes no vault here."""
        jobs, ending = self.jobs, self.ending

        def work(_say: Say) -> object:
            made: list[Envelope] = []
            for job in jobs:
                way = next((way for way in job.ways if way.kind is WayKind.EXPORT and way.possible), None)
                if job.plan is not None and way is not None:
                    made += ending.export(ending.prepare(job.plan, way, self.stopped))
            return tuple(made)

        self.run(work, done, tr("Making it exact."))

    def _exported(self, envelopes: object) -> None:
        assert isinstance(envelopes, tuple)
        names = [f"{envelope.kind}-{number}" for number, envelope in enumerate(envelopes, 1)]
        several = tr("Each is signed by itself.") if len(envelopes) > 1 else ""
        self.card = HandOverCard([of_envelope(one, name, several) for one, name in zip(envelopes, names, strict=True)])
        self.show_parts(Muted(_HANDED), *self._digests(envelopes), self.card)
        self.offer(self.answer, self.close_button, focus=self.card.save)

    def _digests(self, envelopes: tuple[Envelope, ...]) -> list[QWidget]:
        """What the other machine has to show, too."""
        views: list[QWidget] = [Muted(tr("The other machine has to show these words:"))]
        for envelope in envelopes:
            view, digest = DigestView(), review_envelope(envelope, now=self._context.clock())[0].digest
            view.set_digest(to_hex(digest), digest_words(digest))
            views.append(view)
        return views

    def _bring(self) -> None:
        bring(self._context, self, frozenset({Envelope}), self._brought)

    def _brought(self, envelope: Envelope) -> str:
        if envelope.kind not in ENDINGS:
            return tr("This is something else: no revocation, cancellation or transaction of an owner.")
        if not envelope.signatures:
            return tr("This is not signed yet. Sign it on the machine that holds the owner's key, and bring what that gives.")
        self.accept_answer(envelope)
        return ""

    # --- a hardware wallet

    @property
    def _device(self) -> HdAddress | None:
        """The device's key, when one owns every account here."""
        found = {self._device_of(job) for job in self.jobs}
        return found.pop() if len(found) == 1 else None

    def _device_of(self, job: Job) -> HdAddress | None:
        reading = job.view.reading
        owner = owner_now(reading)
        return device_for(self._context.book, as_owned(reading.account, owner) if owner else reading.account)

    def _with_device(self) -> None:
        self._make_exact(self._shown_to_device)

    def _shown_to_device(self, envelopes: object) -> None:
        assert isinstance(envelopes, tuple)
        self.show_plan()
        if self._device is not None:
            open_device(self._context, self, envelopes, self._device, self._signed_by_device)

    def _signed_by_device(self, envelopes: tuple[Envelope, ...]) -> None:
        self.accept_answers(envelopes)

    def accept_answer(self, envelope: Envelope) -> None:
        """Send what was signed elsewhere."""
        self.accept_answers((envelope,))

    def accept_answers(self, envelopes: tuple[Envelope, ...]) -> None:
        """Send all of these, one after the other."""
        jobs, ending = self.jobs, self.ending

        def work(say: Say) -> object:
            say(tr("Checking the signature."))
            return tuple((envelope.account, ending.accept(envelope, say, self.stopped)) for envelope in envelopes)

        def accepted(found: object) -> None:
            assert isinstance(found, tuple)
            self.jobs = _with_results(jobs, found)
            self.show_results()

        self.run(work, accepted, tr("Checking the signature."))


def _with_results(jobs: tuple[Job, ...], found: Sequence[tuple[Account | None, tuple[ItemResult, ...]]]) -> tuple[Job, ...]:
    """Each account's results at its job; what no job is about, at the first."""
    known = {job.view.account.address for job in jobs}
    results: dict[Address, tuple[ItemResult, ...]] = {}
    for account, some in found:
        at = account.address if account and account.address in known else jobs[0].view.account.address
        results[at] = (*results.get(at, ()), *some)
    return tuple(
        Job(job.view, job.what, plan=job.plan, results=results[job.view.account.address])
        for job in jobs
        if job.view.account.address in results
    )


def _sent(ending: Ending, client: object, job: Job, say: Say, stop: Event) -> Job:
    """One account's, from its plan to its results. What hinders it stands in `trouble`."""
    from latchkey.vault.client import SignerClient

    assert isinstance(client, SignerClient)
    assert job.plan is not None
    assert job.way is not None
    try:
        say(tr("Confirm it at the desk."))
        client.unlock()
        prepared = ending.prepare(job.plan, job.way, stop)
        return replace(job, results=ending.sign_and_send(prepared, say, stop))
    except LatchkeyError as error:
        return replace(job, trouble=error)


def _told(results: Sequence[ItemResult]) -> Banner:
    """All results in one line."""
    states = {result.state for result in results}
    if not results:
        return Banner(Level.DANGER, tr("Nothing was sent."), tr("Everything is as it was."))
    if ItemState.FAILED in states:
        return Banner(Level.DANGER, summary(results), tr("What failed is as it was, unless it says otherwise."))
    if ItemState.PENDING in states:
        return Banner(Level.NOTICE, summary(results), _STAYS)
    return Banner("good", summary(results))
