"""The wizard's frame: the trail of steps, one step's page, Back and Next. It carries states between pages, flow and book."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QShortcut

from latchkey.core.account import Account, Mode
from latchkey.core.request import SessionRequest
from latchkey.core.types import Address
from latchkey.core.words_difference import difference
from latchkey.errors import Declined, LatchkeyError
from latchkey.flow import accounts, similar, wizard
from latchkey.flow.checking import Checks
from latchkey.flow.devices import device_for
from latchkey.flow.granting import Granting, Prepared, Signed
from latchkey.flow.requests import Record
from latchkey.flow.similar import Similar
from latchkey.flow.trying import of_grant
from latchkey.flow.wizard import Step, Wizard, WizardState, World
from latchkey.language import tr
from latchkey.store.book import GrantRecord, MasterKeyRecord
from latchkey.store.contracts import Contracts, KeptContract
from latchkey.ui.context import Context
from latchkey.ui.pages.account_form import AccountForm
from latchkey.ui.pages.accounts import keep_account, scan_account
from latchkey.ui.pages.carry import sign_by_device
from latchkey.ui.pages.trying import TryDialog
from latchkey.ui.pages.wizard.account import AccountPage
from latchkey.ui.pages.wizard.around import Around
from latchkey.ui.pages.wizard.expiry import ExpiryPage
from latchkey.ui.pages.wizard.key import KeyPage
from latchkey.ui.pages.wizard.review import ReviewPage
from latchkey.ui.pages.wizard.scope import ScopePage
from latchkey.ui.pages.wizard.step_page import StepPage, View
from latchkey.ui.widgets import Dialog, Muted, Page, StepTrail, confirm, primary, secondary

if TYPE_CHECKING:
    from latchkey.codec.hdkeys import HdAddress

_STEPS = (Step.ACCOUNT, Step.KEY, Step.SCOPE, Step.EXPIRY, Step.REVIEW)
Payload: TypeAlias = Record | SessionRequest | Account

_SEEN_MS = 250
_LOSS = tr("What you entered for this session will be lost.")
_ANOTHER = tr("Something else came in. What you are reading stays open, under Requests.")
_STAYS_OPEN = tr("What you changed here will be lost. The request stays open, under Requests.")


class WizardPage(Page):
    """`enter(payload)`: a request, an account to start with, or None for an empty start.

    `signed(record)`: a grant was signed and stands in the book.
    """

    signed = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(tr("New session"))
        self._context = context
        self._answered = ""
        self._attempted = False
        self._hidden = False
        self._held = False
        self._kept: tuple[KeptContract, ...] = ()
        self._prepared: Prepared | None = None
        self._similar: tuple[Similar, ...] = ()
        self._record: Record | None = None  # the request that is answered here
        self.wizard = Wizard(WizardState(), self._world)
        self._trail = StepTrail([tr("Account"), tr("Key"), tr("Scope"), tr("Expiry"), tr("Review")])
        self.header.addWidget(self._trail)
        self.review = ReviewPage()
        self.review.decided.connect(self._decide)
        self.review.tried.connect(self._try)
        self._around = Around(context, self._show_around)
        self.pages: dict[Step, StepPage] = {
            Step.ACCOUNT: AccountPage(self._owners, self._recognised, self._add_requested, self._add_account),
            Step.KEY: KeyPage(),
            Step.SCOPE: ScopePage(context),
            Step.EXPIRY: ExpiryPage(),
            Step.REVIEW: self.review,
        }
        for page in self.pages.values():
            page.edited.connect(self._edited)
            page.onward.connect(self.next)
            self.body.addWidget(page, 1)
        self._make_buttons()
        context.changed.connect(self._outside_changed)

    def _make_buttons(self) -> None:
        self._back = secondary(tr("&Back"), self.back)
        self._wait = Muted("", wrap=True)
        self._unsigned = secondary(tr("For &another machine…"), self._hand_on, icon_name="qr")
        self._next = primary(tr("&Next"), self.next)
        self.buttons.addWidget(self._back)
        self._refuse = secondary(tr("Re&fuse…"), self._ask_refuse)
        self.buttons.addWidget(self._refuse)
        self.buttons.addWidget(self._wait, 1)
        self.buttons.addWidget(self._unsigned)
        self.buttons.addWidget(self._next)
        self.show_buttons()
        leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        leave.activated.connect(lambda: self._context.navigate("requests" if self._record else "grants"))

    @cached_property
    def granting(self) -> Granting:
        """The use cases behind the pages; made when the book is open. A test may fix the ids it chooses."""
        context = self._context
        checks = Checks(context.book, context.chains, context.clock)
        return Granting(context.book, lambda: context.client, context.clock, choose=checks.choose, check=checks.check)

    # --- coming and going

    def enter(self, payload: Payload | None = None) -> None:
        """Start; an unfinished wizard that is still in sight goes on, unless something new arrives and the person agrees."""
        if self._wait.text():  # the desk asks about what stands here
            if payload is not None:
                self._context.say(tr("Finish what was begun at the desk first; what came in waits under Requests."))
            return
        unfinished = not self._hidden and (self.wizard.would_lose or self.is_answering)
        if unfinished and isinstance(payload, Record) and self._record is not None and payload.id == self._record.id:
            payload = None  # the very one that is being answered
        self._hidden = False
        if not unfinished:
            self._start(payload)
        elif payload is not None:
            question = confirm(
                self,
                tr("Open this instead?"),
                self.may_leave() or _ANOTHER,
                tr("Open"),
                lambda: self._start(payload),
                danger=True,
                keep=tr("Go on here"),
            )
            if isinstance(payload, Record):
                question.rejected.connect(lambda: self._context.say(tr("It waits under Requests.")))

    @property
    def is_answering(self) -> bool:
        """Whether a request is read here that waits for its answer."""
        return self._record is not None and self._record.is_open and self.wizard.step is not Step.SIGNED

    def hold(self, milliseconds: int) -> None:
        """What came up by itself cannot be signed in its first moment: whoever asks chooses when that is."""
        self._held = True
        self._draw()
        if not self._next.isEnabled() and self.wizard.step in self.pages:
            self.pages[self.wizard.step].first().setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(milliseconds, self, self._release)

    def _release(self) -> None:
        self._held = False
        if not self._context.closed:
            self._draw()

    def may_leave(self) -> str:
        if not self.wizard.would_lose:
            return ""
        return _STAYS_OPEN if self._record is not None and self._record.is_open else _LOSS

    def hideEvent(self, event: QHideEvent) -> None:
        self._hidden |= self.isHidden()  # by another page; a window that is put away shows this one again, as it was
        super().hideEvent(event)

    def _start(self, payload: Payload | None) -> None:
        self._answered, self._prepared, self._similar = "", None, ()
        self._record = payload if isinstance(payload, Record) else None
        self._read_kept()
        if isinstance(payload, Record):
            payload = payload.request if isinstance(payload.request, SessionRequest) else None
        state = wizard.start(self._world())
        if isinstance(payload, Account):
            state = replace(state, account=payload)
        elif payload is not None:
            self._answered = self.granting.answered(payload)
            state = wizard.start_from(payload, self._world())
        self.wizard = Wizard(state, self._world)
        if self._record is not None:
            self._go_as_far_as_it_is_done()
            QTimer.singleShot(_SEEN_MS, self, partial(self._see, self._record.id))  # on the screen first: the disk takes its time
        self._entered()

    def _see(self, number: int) -> None:
        """Only what came up here was looked at; what the person put off for it still counts as new."""
        try:
            if not self._context.closed:
                self._context.requests.see(number)
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)

    def _go_as_far_as_it_is_done(self) -> None:
        """A request that leaves nothing open is there to be read: its review at once."""
        self.wizard.step = next((step for step in _STEPS if self.wizard.problems(step)), Step.REVIEW)
        if wizard.needs_new_key(self.wizard.state) and self.wizard.step in (Step.SCOPE, Step.EXPIRY, Step.REVIEW):
            self.wizard.step = Step.KEY

    def _ask_refuse(self) -> None:
        from latchkey.ui.pages.refusing import RefuseDialog

        if self._record is not None:
            dialog = RefuseDialog(self._context, self, self._record)
            dialog.accepted.connect(self._refused)
            dialog.open()

    def _refused(self) -> None:
        self.wizard.finish()
        self._record = None
        self._context.navigate("requests")

    def _look_at_record(self) -> None:
        """Whoever asked may have gone, or it was answered in another copy."""
        if self._record is not None and (found := self._context.requests.get(self._record.id)) is not None:
            self._record = found

    def _world(self) -> World:
        status = self._context.status
        book = self._context.book
        return World(book.accounts(), bool(status and status.expert), self._context.clock(), self._answered, self._kept)

    def _read_kept(self) -> None:
        try:
            self._kept = Contracts(self._context.book).all()
        except LatchkeyError as error:
            self._context.say(error.text)

    def _keep_contract(self, contract: KeptContract) -> None:
        """Keep the functions of a contract by name, to be chosen from next time."""
        try:
            Contracts(self._context.book).keep(contract)
        except LatchkeyError as error:
            self._context.say(error.text)
            return
        self._context.say(tr("Kept. Find it again under Settings, Contracts you named."))
        self._context.changed.emit("contracts")

    def _keys(self) -> tuple[MasterKeyRecord, ...]:
        return self._context.book.keys()

    def _owners(self) -> list[Address]:
        return [key.address for key in self._keys()]

    def _outside_changed(self, what: str) -> None:
        if what == "contracts":
            self._read_kept()
        if what == "requests":
            self._look_at_record()
        if what in ("accounts", "status", "keys", "contracts", "presets", "requests") and self.isVisible():
            self._draw()

    # --- walking

    def next(self) -> None:
        """On to the next step, or say what is missing; on the review, sign."""
        if not self._next.isEnabled():
            return
        if self.wizard.step is Step.REVIEW:
            self._sign()
        elif self.wizard.step is Step.KEY and not self.wizard.problems() and wizard.needs_new_key(self.wizard.state):
            self._make_key()
        else:
            self._attempted = bool(self.wizard.next())
            self._draw() if self._attempted else self._entered()

    def back(self) -> None:
        if self._back.isEnabled():
            self.wizard.back()
            self._entered()

    def go(self, step: Step) -> None:
        self.wizard.go(step)
        self._entered()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter, where no control has a use for it, is Next."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.next()
        else:
            super().keyPressEvent(event)

    def _edited(self, state: WizardState) -> None:
        if self._context.closed:  # what is taken down loses the keyboard, and tells what was typed in it
            return
        self.wizard.state = wizard.settled(state)
        if self.wizard.step is Step.REVIEW:
            self._prepare()
        self._draw()

    def _decide(self, choice: str) -> None:
        """What becomes of what this dApp or key holds already."""
        if choice == "leave":
            self._context.navigate("grants")
            return
        replaced = tuple(one.entity_id for one in self._similar) if choice == "replace" else ()
        self._edited(replace(self.wizard.state, replaces=replaced))

    def _entered(self) -> None:
        """A step begins: its page is shown from the top, with the focus on what comes first."""
        self._attempted = False
        if self.wizard.step is Step.REVIEW:
            self._prepare()
        self._draw()
        self.scroller.verticalScrollBar().setValue(0)
        reviewing = self.wizard.step is Step.REVIEW
        first = self._next if reviewing and self._next.isEnabled() else self.pages[self.wizard.step].first()
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _draw(self) -> None:
        step = self.wizard.step
        if step not in self.pages:
            return
        self._trail.set_current(_STEPS.index(step))
        for other, page in self.pages.items():
            page.setVisible(other is step)
        self.pages[step].draw(
            View(self.wizard.state, self.wizard.world, self.wizard.problems(), self._attempted, self._keep_contract)
        )
        reviewing = step is Step.REVIEW
        self._back.setVisible(step is not Step.ACCOUNT)
        self._unsigned.setVisible(reviewing)
        sign = tr("&Sign with the hardware wallet…") if reviewing and self._device is not None else tr("&Sign…")
        self._next.setText(sign if reviewing else tr("&Next"))
        self._next.setAccessibleName(tr("Sign") if reviewing else tr("Next"))
        own = self.wizard.state.own
        self.review.asker.show_record(None if own else self._record, self._context.clock())
        answerable = self._record is None or self._record.is_open or own
        self._refuse.setVisible(self._record is not None and self._record.is_open and not own)
        ready = not reviewing or (self._prepared is not None and not self._undecided() and answerable)
        ready = ready and not self._wait.text() and not (reviewing and self._held)
        self._next.setEnabled(ready)
        self._unsigned.setEnabled(ready)

    # --- what the steps cannot do alone

    def _add_requested(self) -> None:
        """Put the request's account into the book, as the account of a key at hand when it is one."""
        request = self.wizard.state.request
        if request is None or request.account is None or request.chain_id is None:
            self._add_account()
        else:
            self._take_account(self._recognised() or Account(request.chain_id, request.account, request.system, Mode.ADDRESS))

    def _recognised(self) -> Account | None:
        """The request's account when it follows from a key at hand."""
        request = self.wizard.state.request
        if request is None or request.account is None:
            return None
        return accounts.recognise(request.chain_id or 1, request.account, self._owners())

    def _add_account(self) -> None:
        dialog = Dialog(tr("Add an account"), self.window())
        form = AccountForm([(key.address, key.label) for key in self._keys()])
        add = primary(tr("&Add"), lambda: self._take_from(form, dialog))
        form.changed.connect(lambda: add.setEnabled(form.account() is not None))
        add.setEnabled(form.account() is not None)
        dialog.body.addWidget(form)
        dialog.buttons.insertWidget(0, secondary(tr("S&can…"), lambda: scan_account(self._context, form), icon_name="qr"))
        dialog.buttons.addWidget(secondary(tr("&Cancel"), dialog.reject))
        dialog.buttons.addWidget(add)
        dialog.open()

    def _take_from(self, form: AccountForm, dialog: Dialog) -> None:
        account = form.account()
        if account is not None:
            dialog.accept()
            self._take_account(account, form)

    def _take_account(self, account: Account, form: AccountForm | None = None) -> None:
        try:
            if form is None:
                self._context.book.add_account(account)
            else:
                keep_account(self._context, form, account)
        except LatchkeyError as error:
            self._context.say(error.text)
            return
        request = self.wizard.state.request
        if request is None or wizard.fits_request(request, account):
            self.wizard.state = wizard.settled(replace(self.wizard.state, account=account))
        self._context.changed.emit("accounts")
        self._entered()

    def _make_key(self) -> None:
        self._busy(tr("The key is being made in your vault…"))

        def made(address: Address) -> None:
            state = self.wizard.state
            self.wizard.state = replace(state, key=replace(state.key, made=address))
            self._busy("")
            self.next()

        self._context.ask_signer(lambda _client: self.granting.make_key(), made, failed=self._failed, owner=self)

    def _prepare(self) -> None:
        """Make the grant from what stands here and read it back."""
        now = self._context.clock()
        try:
            self._prepared = self.granting.prepare(self.wizard.state, self._world())
        except LatchkeyError as error:
            self._prepared = None
            self.review.show_unready()
            told = any(p.card is not None or p.path == "expiry" for p in self.wizard.problems(Step.REVIEW))
            self.review.show_error("" if told else error.text)
            return
        self.review.show_error("")
        self.review.show_grant(self._prepared, now)
        self._find_similar(self._prepared, now)
        self._around.look(self._prepared, self._record.proven if self._record is not None else None)

    def _find_similar(self, prepared: Prepared, now: int) -> None:
        draft, book = prepared.review.draft, self._context.book
        besides = prepared.review.grant.unsigned
        self._similar = similar.find(
            book, prepared.account, draft.session_key, prepared.claims, self._context.clock, besides=besides
        )
        changes = {
            s.entity_id: difference(s.record.draft, draft, claims=prepared.claims, notes=prepared.notes)
            for s in self._similar
            if s.record
        }
        replaces = self.wizard.state.replaces
        choice = "" if replaces is None or self._undecided() else "replace" if replaces else "keep"
        self.review.similar.show_similar(self._similar, changes, choice, now)

    def _show_around(self, prepared: Prepared, found: Prepared | None, text: str) -> None:
        """What the network and the book know around the grant has arrived; drawn in place unless the grant is another one by now."""
        if prepared is self._prepared and self.wizard.step is Step.REVIEW:
            self.review.show_around(text)
            if found is not None:
                self._prepared = found
                self.review.show_grant(found, self._context.clock())

    def _try(self) -> None:
        if self._prepared is not None:
            prepared = self._prepared
            subject = of_grant(prepared.review.grant.unsigned, prepared.account, claims=prepared.claims, notes=prepared.notes)
            TryDialog(self, self._context, subject).open()

    def _undecided(self) -> bool:
        """Whether it still has to be said what becomes of what stands already."""
        replaces = self.wizard.state.replaces
        return bool(self._similar) and (
            replaces is None or bool(replaces and set(replaces) != {s.entity_id for s in self._similar})
        )

    @property
    def _device(self) -> HdAddress | None:
        """The hardware wallet's key, when one owns the account."""
        return device_for(self._context.book, self._prepared.account) if self._prepared is not None else None

    def _sign(self) -> None:
        prepared = self._prepared
        if prepared is not None and self._device is not None:
            self._carry(prepared)
        elif prepared is not None:
            self.review.show_error("")
            self._busy(tr("Read and confirm it at the desk, the small window that opens now."))
            self._context.ask_signer(lambda _client: self.granting.sign(prepared), self._keep, failed=self._failed, owner=self)

    def _keep(self, signed: Signed) -> None:
        self._busy("")
        try:
            record = self.granting.keep(signed)
        except LatchkeyError as error:
            self._failed(error)
            return
        self._show_signed(record)

    def _show_signed(self, record: GrantRecord) -> None:
        self._finish(record)
        self.signed.emit(record)
        self._context.navigate("signed", record.id)

    def _finish(self, record: GrantRecord) -> None:
        """The book has it; whoever asked is answered once it is signed."""
        if self._record is not None:
            self._context.requests.meant(record.id, self._record.id)
        self.wizard.finish()
        self._prepared = self._record = None
        self._context.changed.emit("grants")

    def _hand_on(self) -> None:
        if self._prepared is not None:
            self._carry(self._prepared)

    def _carry(self, prepared: Prepared) -> None:
        """To whoever has the owner's key: another machine, or a hardware wallet. Kept with its ids, and shown under Grants."""
        self._busy(tr("The network is asked whether the grant fits the account…"))
        self._context.tasks.run(
            lambda _job: self.granting.check(prepared),
            lambda _said: self.carry(prepared),
            failed=self._failed,
            finished=lambda: self._busy(""),
            owner=self,
        )

    def carry(self, prepared: Prepared) -> None:
        """Keep the grant unsigned, and show it to be carried."""
        try:
            record, _raw = self.granting.keep_unsigned(prepared)
        except LatchkeyError as error:
            self._failed(error)
            return
        by_device = self._device is not None
        self._finish(record)
        self._context.navigate("grant", record.id)
        if by_device:
            sign_by_device(self._context, self, record.id)

    # --- waiting

    def _busy(self, text: str) -> None:
        """While the signer works: say what is waited for, and hold the page still. "" ends it."""
        self._wait.setText(text)
        self._back.setEnabled(not text)
        self._refuse.setEnabled(not text)
        for page in self.pages.values():
            page.setEnabled(not text)
        self._draw()

    def _failed(self, error: LatchkeyError) -> None:
        self._busy("")
        if isinstance(error, Declined):
            self._context.say(error.text)
        elif self.wizard.step is Step.REVIEW:
            self.review.show_error(error.text)
        else:
            self._context.say(error.text)
        self._next.setFocus()
