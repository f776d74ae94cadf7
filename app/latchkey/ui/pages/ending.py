"""The sheet where something ends: what will end, how it is sent, the way there, what came of each item.

    open_ending(context, parent, views, what)       `views`: flow/session_rows.View, one or several; `what`: Revoke, RevokeAll, Cancel,
                                                    Tighten or Clean of flow/ending_plan, one for all views or one for each
    resume_endings(context, window)                 once, when the window is ready: what was on its way when it was closed

context.changed("sessions") is emitted when something changed on the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QHideEvent
from PySide6.QtWidgets import QFrame, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from latchkey.core.phrases import Level
from latchkey.errors import Declined, LatchkeyError
from latchkey.flow.ending import Ending
from latchkey.flow.ending_plan import What
from latchkey.flow.ending_results import ItemResult
from latchkey.flow.ending_sheet import Job, again, cleaning, heading, may_be_cleaned, prepare_job, verb
from latchkey.flow.ending_ways import WayKind
from latchkey.flow.naming import kept_notes
from latchkey.flow.session_rows import View
from latchkey.flow.sessions import Sessions
from latchkey.store.endings import Endings, ItemState
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.ending_export import ExportCard, ask_answer
from latchkey.ui.pages.ending_parts import PlanCard, ResultsCard
from latchkey.ui.tasks import Job as Work
from latchkey.ui.widgets import Banner, Dialog, Muted, clear_layout, danger, link, secondary

if TYPE_CHECKING:
    from latchkey.codec.hand_over import Envelope
    from latchkey.ui.tasks import Task

_STAYS = "What was sent may still be mined. Latchkey looks again when it starts, and when you read the account."
_HANDED = "Carry this to the machine that holds the owner's key, sign it there, and bring the signed answer back."


def open_ending(context: Context, parent: QWidget, views: View | Sequence[View], what: What | Sequence[What]) -> EndingDialog:
    """Open the sheet and begin to plan."""
    seen = (views,) if isinstance(views, View) else tuple(views)
    wants = tuple(what) if isinstance(what, Sequence) else (what,) * len(seen)
    dialog = EndingDialog(context, parent, tuple(Job(view, one) for view, one in zip(seen, wants, strict=True)))
    dialog.open()
    dialog.plan()
    return dialog


class EndingDialog(Dialog):
    """One sheet, in steps: planning, ready, sending (or handing over), results."""

    def __init__(self, context: Context, parent: QWidget, jobs: tuple[Job, ...]) -> None:
        super().__init__(heading(jobs), parent.window(), width=80 * theme.GRID)
        self._context, self.jobs = context, jobs
        self.ending = Ending(context.book, lambda: context.client, context.chains, context.clock)
        self._sessions = Sessions(context.book, context.chains, context.clock)
        self._stop = Event()
        self._task: Task | None = None
        self.busy = False
        self._verb = verb(jobs)
        self._make_frame()
        self._make_buttons()
        self.resize(self.width(), min(96 * theme.GRID, max(60 * theme.GRID, parent.window().height() - theme.space(6))))

    # --- its parts

    def _make_frame(self) -> None:
        self.trouble = Banner(Level.DANGER)
        self.trouble.hide()
        self.body.addWidget(self.trouble)
        self._scroller = QScrollArea()
        self._scroller.setWidgetResizable(True)
        self._scroller.setFrameShape(QFrame.Shape.NoFrame)
        self._scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroller.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._scroller.setAccessibleName("What will end")
        self._scroller.setMinimumHeight(theme.space(40))
        content = QWidget()
        content.setProperty("surface", "page")
        self._rows = QVBoxLayout(content)
        self._rows.setContentsMargins(0, 0, theme.space(1), 0)
        self._rows.setSpacing(theme.space(1.5))
        self._scroller.setWidget(content)
        self.body.addWidget(self._scroller, 1)
        self.stage = Muted("")
        self.bar = QProgressBar(minimum=0, maximum=0, textVisible=False)
        self.bar.setAccessibleName("Under way")
        self.body.addWidget(self.stage)
        self.body.addWidget(self.bar)

    def _make_buttons(self) -> None:
        self.export = link("Export for the cold machine…", self._export)
        self.answer = link("Bring the signed answer…", self._bring)
        self.stop_button = secondary("&Stop", self.stop)
        self.clean = secondary("Clean up &leftovers", self._clean)
        self.retry = secondary("Try &again", self._again)
        self.close_button = secondary("&Close", self.reject)
        self.go = danger(f"&{self._verb}", self.sign)
        self.buttons.insertWidget(0, self.export)
        self.buttons.insertWidget(1, self.answer)
        for button in (self.stop_button, self.clean, self.retry, self.close_button, self.go):
            self.buttons.addWidget(button)
        self._show_buttons()

    def _show_buttons(self, *shown: QWidget, focus: QWidget | None = None) -> None:
        """Only what makes sense now, and the focus on one that is there."""
        for button in (self.export, self.answer, self.stop_button, self.clean, self.retry, self.close_button, self.go):
            button.setVisible(button in shown)
        if focus is not None and focus.isEnabled():
            focus.setFocus(Qt.FocusReason.OtherFocusReason)

    def reject(self) -> None:
        """Escape stops what is under way first."""
        if self.busy:
            self.stop()
        else:
            super().reject()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._stop.set()

    def stop(self) -> None:
        self._stop.set()
        self.stage.setText("Stopping.")
        self.stop_button.setEnabled(False)

    # --- working

    def _run(self, work: Callable[[Callable[[str], None]], object], done: Callable[[object], object], first: str) -> None:
        """On a worker; `work` is given a way to say what it is at."""
        self._stop = Event()
        said: list[str] = []
        self.busy = True
        self.trouble.hide()
        self.stage.setText(first)
        self.stage.show()
        self.bar.show()
        self.stop_button.setEnabled(True)
        self._show_buttons(self.stop_button, focus=self.stop_button)

        def body(job: Work) -> object:
            def say(text: str) -> None:
                said.append(text)
                job.progress(len(said), 0)

            return work(say)

        def told(step: int, _steps: int) -> None:
            if not self._stop.is_set():
                self.stage.setText(said[step - 1])
                QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, said[step - 1]))

        self._task = self._context.tasks.run(
            body, lambda result: self._rest(lambda: done(result)), failed=self._failed, progress=told, owner=self
        )

    def _rest(self, then: Callable[[], object]) -> None:
        self.busy = False
        self.stage.hide()
        self.bar.hide()
        then()

    def _failed(self, error: LatchkeyError) -> None:
        """Nothing came of it: back to where it can be tried again."""
        self._rest(self.show_plan)
        if not isinstance(error, Declined):
            self._say_trouble(error.text)

    def _say_trouble(self, text: str, advice: str = "") -> None:
        self.trouble.set(Level.DANGER, text, advice)
        self.trouble.show()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def _show(self, *cards: QWidget) -> None:
        clear_layout(self._rows)
        for card in cards:
            self._rows.addWidget(card)
            card.show()
        self._rows.addStretch(1)
        self._scroller.verticalScrollBar().setValue(0)

    # --- planning

    def plan(self, *, fresh: bool = False) -> None:
        jobs, now = self.jobs, self._context.clock()

        def work(say: Callable[[str], None]) -> object:
            return tuple(
                prepare_job(self.ending, self._sessions, Job(job.view, job.what), now, fresh=fresh, say=say, stop=self._stop)
                for job in jobs
            )

        clear_layout(self._rows)
        self._run(work, self._planned, "Reading the account.")

    def _planned(self, jobs: object) -> None:
        assert isinstance(jobs, tuple)
        self.jobs = jobs
        self.show_plan()

    def show_plan(self) -> None:
        """What will end, and how."""
        cards = []
        for index, job in enumerate(self.jobs):
            notes = kept_notes(self._context.book, job.view.account.chain_id)
            card = PlanCard(job, self._context.clock(), notes, alone=len(self.jobs) == 1)
            card.chosen.connect(lambda way, index=index: self._choose(index, way))
            cards.append(card)
        self._show(*cards)
        ready = any(job.ready for job in self.jobs)
        planned = any(job.plan is not None and job.plan.batches for job in self.jobs)
        self.go.setVisible(planned)
        self.go.setEnabled(ready)
        exports = any(way.kind is WayKind.EXPORT and way.possible for job in self.jobs for way in job.ways)
        offered = [self.close_button, self.go] if planned else [self.retry, self.close_button]
        if exports:
            offered += [self.export]
        if planned:
            offered += [self.answer]
        self._show_buttons(*offered, focus=self.go if ready else self.close_button)
        self.go.setDefault(ready)

    def _choose(self, index: int, way: object) -> None:
        self.jobs = tuple(
            replace(job, way=way) if at == index else job  # type: ignore[arg-type]
            for at, job in enumerate(self.jobs)
        )

    # --- signing and sending

    def sign(self) -> None:
        """Prepare, one yes at the desk for each account, send, and wait."""
        jobs, ending, client = self.jobs, self.ending, self._context.client

        def work(say: Callable[[str], None]) -> object:
            done: list[Job] = []
            for job in jobs:
                done.append(_sent(ending, client, job, say, self._stop) if job.ready else job)
            return tuple(done)

        self._show_sending()
        self._run(work, self._finished, "Confirm it at the desk.")

    def _show_sending(self) -> None:
        self._show(*(PlanCard(replace(job, ways=()), self._context.clock(), kept_notes(self._context.book, job.view.account.chain_id),
                              alone=True) for job in self.jobs))  # fmt: skip

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
        summary = _summary(results)
        banner = Banner(*summary)
        self._show(banner, *cards)
        offered: list[QWidget] = [self.close_button]
        if any(again(job) is not None for job in self.jobs):
            offered.append(self.retry)
        if any(may_be_cleaned(job) for job in self.jobs):
            offered.append(self.clean)
        self._show_buttons(*offered, focus=self.close_button)
        self.close_button.setDefault(True)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, summary[1]))
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

        def work(say: Callable[[str], None]) -> object:
            found: list[Job] = []
            for job in jobs:
                if ids := may_be_cleaned(job):
                    say("Reading the account again.")
                    view = self._sessions.refresh(job.view.account, stop=self._stop)
                    wanted = Job(view, cleaning(view, ids))
                    found.append(prepare_job(self.ending, self._sessions, wanted, now, say=say, stop=self._stop))
            return tuple(found)

        self._run(work, self._cleaning, "Looking for what is still stored.")

    def _cleaning(self, jobs: object) -> None:
        assert isinstance(jobs, tuple)
        self._verb = verb(jobs)
        self.go.setText(f"&{self._verb}")
        self.go.setAccessibleName(self._verb)
        self._planned(jobs)

    # --- another machine

    def _export(self) -> None:
        jobs, ending, client = self.jobs, self.ending, self._context.client

        def work(say: Callable[[str], None]) -> object:
            say("Making it exact.")
            client.unlock()
            made: list[Envelope] = []
            for job in jobs:
                way = next((way for way in job.ways if way.kind is WayKind.EXPORT and way.possible), None)
                if job.plan is not None and way is not None:
                    made += ending.export(ending.prepare(job.plan, way, self._stop))
            return tuple(made)

        self._run(work, self._exported, "Making it exact.")

    def _exported(self, envelopes: object) -> None:
        assert isinstance(envelopes, tuple)
        self.card = ExportCard(envelopes)
        self._show(Muted(_HANDED), self.card)
        self._show_buttons(self.answer, self.close_button, focus=self.card.save)

    def _bring(self) -> None:
        ask_answer(self._context, self, self.accept_answer)

    def accept_answer(self, envelope: Envelope) -> None:
        """Send what was signed elsewhere."""
        first, ending = self.jobs[0], self.ending

        def work(say: Callable[[str], None]) -> object:
            say("Checking the signature.")
            return ending.accept(envelope, say, self._stop)

        def accepted(results: object) -> None:
            assert isinstance(results, tuple)
            job = next((j for j in self.jobs if envelope.account and j.view.account.address == envelope.account.address), first)
            self.jobs = (Job(job.view, job.what, plan=job.plan, results=results),)
            self.show_results()

        self._run(work, accepted, "Checking the signature.")


def _sent(ending: Ending, client: object, job: Job, say: Callable[[str], None], stop: Event) -> Job:
    """One account's, from its plan to its results. What hinders it stands in `trouble`."""
    from latchkey.vault.client import SignerClient

    assert isinstance(client, SignerClient)
    assert job.plan is not None
    assert job.way is not None
    try:
        say("Confirm it at the desk.")
        client.unlock()
        prepared = ending.prepare(job.plan, job.way, stop)
        return replace(job, results=ending.sign_and_send(prepared, say, stop))
    except LatchkeyError as error:
        return replace(job, trouble=error)


def _summary(results: Sequence[ItemResult]) -> tuple[str, str, str]:
    """Level, sentence, advice."""
    count = {state: sum(result.state is state for result in results) for state in ItemState}
    done, failed, pending = count[ItemState.DONE], count[ItemState.FAILED], count[ItemState.PENDING]
    if not results:
        return Level.DANGER, "Nothing was sent.", "Everything is as it was."
    if not failed and not pending:
        return "good", "Done." if done == 1 else f"All {done} are done.", ""
    said = [f"{done} done"] if done else []
    said += [f"{failed} failed"] if failed else []
    said += [f"{pending} on the way"] if pending else []
    sentence = f"{', '.join(said)}."
    if failed:
        return Level.DANGER, sentence, "What failed is as it was, unless it says otherwise."
    return Level.NOTICE, sentence, _STAYS


# After a restart ---------------------------------------------------------------------------------------------------------------------


def resume_endings(context: Context, window: QWidget) -> None:
    """Look for what was on its way when the program was closed, and say what came of it."""
    ending = Ending(context.book, lambda: context.client, context.chains, context.clock)

    def work(_job: Work) -> tuple[ItemResult, ...]:
        return ending.resume() if Endings(context.book).open() else ()

    def resumed(results: tuple[ItemResult, ...]) -> None:
        if results:
            context.say(f"What was being ended when Latchkey was closed: {_summary(results)[1]}")
            context.changed.emit("sessions")

    QTimer.singleShot(0, window, lambda: context.tasks.run(work, resumed, owner=window))
