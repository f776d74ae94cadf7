"""What every page is given: where the files are, the signer, the book, the clock, tasks, and the way to other pages.

A page is a QWidget made as `Page(context)`, kept for the life of the window, and named in `window.PAGES`. It may define
    enter(payload)      called each time it is shown; `payload` is what navigate() was given, or None
    may_leave() -> str  a sentence when leaving would lose something ("" when not); the window asks the person

    sessions   latchkey.ui.pages.sessions.SessionsPage  enter(Account) shows those of one; enter(REVOKE_ALL)
    session    latchkey.ui.pages.session.SessionPage    enter(key of its row)
    grants     latchkey.ui.pages.grants.GrantsPage
    grant      latchkey.ui.pages.grant.GrantPage        enter(id of the grant in the book)
    requests   latchkey.ui.pages.requests.RequestsPage
    wizard     latchkey.ui.pages.wizard.WizardPage      enter(Record | SessionRequest | Account | None): a request that
                                                        waits for its answer, or an empty start, or one for that account
    signed     latchkey.ui.pages.signed.SignedPage      enter(id of the grant in the book)
    approve    latchkey.ui.pages.approve.ApprovePage    enter(Envelope | EthSignRequest | CreatedSession | ToApprove)
    accounts   latchkey.ui.pages.accounts.AccountsPage  enter("add") opens the form at once
    machine    latchkey.ui.pages.machine.MachinePage
    privacy    latchkey.ui.pages.settings_privacy.PrivacyPage
    log        latchkey.ui.pages.log.LogPage

The signer and the book load heavy libraries, so both are made by `load`, after the first paint.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal

from latchkey.errors import LatchkeyError, StoreError
from latchkey.flow.chains import Chains
from latchkey.language import tr
from latchkey.store.journal import Event, Journal
from latchkey.ui.lock import Lock
from latchkey.ui.tasks import Task, Tasks

if TYPE_CHECKING:
    from latchkey.flow.requests import Requests
    from latchkey.flow.sessions import Sessions
    from latchkey.store.book import Book
    from latchkey.store.paths import DataDir
    from latchkey.store.settings import Change, Settings
    from latchkey.ui.bridging import Bridging
    from latchkey.ui.watching import Watching
    from latchkey.vault.client import SignerClient
    from latchkey.vault.model import Status

A = TypeVar("A")
T = TypeVar("T")

REVOKE_ALL = "revoke all"  # for the page "sessions": opens the sheet that asks


class Context(QObject):
    """One per window.

    `clock()`: now, in seconds; replaced in tests. `status`: the signer's last known state, None until it was asked. `journal`: the log.
    `changed(what)`: "status", "accounts", "grants", "sessions", "readings" (newer ones are in the book), "requests" or "settings"
    were changed by someone; pages that show them read again.
    `chains`: the nodes that Settings name; they block, so use them in `tasks.run`.
    """

    closing = Signal()
    changed = Signal(str)
    navigated = Signal(str, object)
    said = Signal(str)
    wanted = Signal()
    notified = Signal(str, str)
    _requested = Signal()  # by whatever thread a request came in on

    def __init__(
        self,
        data_dir: DataDir,
        settings: Settings,
        *,
        make_client: Callable[[DataDir], SignerClient],
        make_book: Callable[[DataDir], Book],
        clock: Callable[[], int] = lambda: int(time.time()),
        journal: Journal | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.data_dir = data_dir
        self.settings = settings
        self._settings_stamp = _stamp(data_dir.settings)
        self.clock = clock
        self.journal = journal or Journal(data_dir.log)
        self.tasks = Tasks(self)
        self.tasks.erred.connect(lambda error: self.journal.note(Event.ERROR, kind=type(error).__name__, code=error.code))
        self.status: Status | None = None
        self.closed = False  # the book is shut: a page that is taken down has nothing to keep any more
        self.restart = False  # whether to start again once the window is closed
        self.lock = Lock(self)
        self.chains = Chains(lambda: self.settings)
        self._requested.connect(self._tell_requests)
        self._make_client, self._make_book = make_client, make_book
        self._client: SignerClient | None = None
        self._book: Book | None = None
        self._sessions: Sessions | None = None
        self._requests: Requests | None = None
        self._watching: Watching | None = None
        self.bridging: Bridging | None = None  # once the book is open; never offline

    @property
    def client(self) -> SignerClient:
        """The signer's client; its process starts with the first call. Its calls block: use `ask_signer`, or `tasks.run`."""
        assert self._client is not None
        return self._client

    @property
    def book(self) -> Book:
        """The book. May be used from any thread."""
        assert self._book is not None
        return self._book

    @property
    def sessions(self) -> Sessions:
        """What acts for the accounts of the book. Reading blocks; what is cached is there at once. May be used from any thread."""
        assert self._sessions is not None
        return self._sessions

    @property
    def requests(self) -> Requests:
        """What came in and waits for an answer. May be used from any thread."""
        assert self._requests is not None
        return self._requests

    def notify(self, title: str, text: str) -> None:
        """News for a person who is not looking at the window: the system shows it. Nothing secret, no words of a stranger."""
        self.notified.emit(title, text)

    def _tell_requests(self) -> None:
        if not self.closed:  # it was told from another thread
            self.changed.emit("requests")

    def watch(self) -> None:
        """From now on, look at the chain while the keys are unlocked."""
        from latchkey.ui.watching import Watching

        self._watching = Watching(self)
        self._watching.follow()

    @property
    def has_book(self) -> bool:
        """Whether the book could be opened."""
        return self._book is not None

    @property
    def is_loaded(self) -> bool:
        """Whether the book is open and the signer there."""
        return self._book is not None and self._client is not None and not self.closed

    def load(self) -> None:
        """Open the book and read the vault, on a worker, before any page is entered. Raises StoreError; may be tried again."""
        if self._book is None:
            from latchkey.flow.requests import Requests
            from latchkey.flow.sessions import Sessions

            self._book = self._make_book(self.data_dir)
            self._sessions = Sessions(self._book, self.chains, self.clock)
            self._requests = Requests(self._book, self.clock)
            self._requests.on_change(self._requested.emit)
        if self._client is None:
            self._client = self._make_client(self.data_dir)

    def ask_signer(
        self,
        ask: Callable[[SignerClient], T],
        done: Callable[[T], object] | None = None,
        *,
        failed: Callable[[LatchkeyError], object] | None = None,
        finished: Callable[[], object] | None = None,
        owner: QObject | None = None,
    ) -> Task:
        """Call the signer off the UI thread, then read its state again, for any call may have unlocked it at the desk.

        `done(answer)` and `failed(error)` in the UI thread, with `status` already fresh.
        """
        client, ask = self.client, self.until_locked(ask)

        def work(_job: object) -> tuple[T | LatchkeyError, Status | None]:
            answer: T | LatchkeyError
            try:
                answer = ask(client)
            except LatchkeyError as error:
                answer = error
            try:
                return answer, client.status()
            except LatchkeyError:
                return answer, None

        def arrived(result: tuple[T | LatchkeyError, Status | None]) -> None:
            answer, status = result
            self.set_status(status)
            if isinstance(answer, LatchkeyError):
                (failed or self.tasks.failed.emit)(answer)
            elif done is not None:
                done(answer)

        return self.tasks.run(work, arrived, failed=failed, finished=finished, owner=owner)

    def until_locked(self, work: Callable[[A], T]) -> Callable[[A], T]:
        """`work`, begun now by the person and done on a worker: once they, or the clock, have locked, the signer does no more for it."""
        client, moment = self.client, self.client.moment

        def begun(argument: A) -> T:
            with client.since(moment):
                return work(argument)

        return begun

    def set_status(self, status: Status | None) -> None:
        """Take the signer's state as it was just told; tells others when it differs. The book keeps what is public of the keys, so
        that they can be named while the vault is locked."""
        if status == self.status:
            return
        if (status is not None and status.unlocked) != self.lock.unlocked:
            self.journal.note(Event.LOCKED if self.lock.unlocked else Event.UNLOCKED)
        self.status = status
        if status is not None and status.keys and self._book is not None:
            from latchkey.flow.keys import remember_keys

            try:
                remember_keys(self._book, status.keys)
            except StoreError as error:
                self.tasks.failed.emit(error)
        self.changed.emit("status")

    def change_settings(self, **changes: Any) -> None:
        """Change some settings and write them; raises StoreError when they cannot be kept (they hold until the window closes)."""
        from latchkey.store.settings import load_strictly, save

        path = self.data_dir.settings
        self.settings = kept = replace(self.settings, **changes)
        is_ours = _stamp(path) == self._settings_stamp
        if not is_ours:  # somebody else's changes stay in the file until the person was asked about them
            with suppress(StoreError):
                kept = replace(load_strictly(path), **changes)
        if changes.keys() != {"window"}:
            self.journal.note(Event.SETTINGS)
        self.changed.emit("settings")
        save(path, kept)
        if is_ours:
            self._settings_stamp = _stamp(path)

    def settings_outside(self) -> tuple[Settings, tuple[Change, ...]] | None:
        """The settings as the file has them now, and what differs from those that count here; None when nobody else changed any. Said
        once. Raises StoreError when the file was changed and cannot be read."""
        from latchkey.store.settings import changes, load_strictly

        path = self.data_dir.settings
        stamp = _stamp(path)
        if stamp == self._settings_stamp:
            return None
        self._settings_stamp = stamp
        if not stamp:
            return None  # it is gone; the next change writes it anew
        found = load_strictly(path)
        differences = tuple(changes(self.settings, found))
        return (found, differences) if differences else None

    def keep_window(self, geometry: bytes) -> None:
        """Keep where the window stood; not worth a word when that fails."""
        if geometry != self.settings.window:
            try:
                self.change_settings(window=geometry)
            except StoreError:
                return

    def navigate(self, page: str, payload: Any = None) -> None:
        """Go to a page of window.PAGES: "welcome", "sessions", "session", "grants", "grant", "wizard", "signed", "accounts", "settings"."""
        self.navigated.emit(page, payload)

    def want_request(self) -> None:
        """Offer the person to open a request: a file, a text or a picture (as Ctrl+O does)."""
        self.wanted.emit()

    def is_cut_off(self) -> bool:
        """Whether this program has no network; then the person is told that what they want takes one."""
        from latchkey.offline import is_offline

        if is_offline():
            self.say(
                tr(
                    "This takes a network, and this Latchkey is offline. Start it where there is one; what it makes can be signed here."
                )
            )
        return is_offline()

    def say(self, text: str) -> None:
        """A short piece of news at the foot of the window, also for screen readers."""
        self.said.emit(text)

    def go_offline(self) -> None:
        """Mark the data folder as offline for good and start again; raises StoreError when it cannot be marked."""
        from PySide6.QtWidgets import QApplication

        from latchkey.offline import MARKER
        from latchkey.store import atomic

        atomic.write(self.data_dir.root / MARKER, b"Programs of this folder never go online. Remove this file to undo that.\n")
        self.restart = True
        QApplication.quit()

    def close(self) -> None:
        """Stop delivering, end the signer, drop the connections, close the book."""
        self.closing.emit()
        self.closed = True
        self.tasks.close()
        if self._watching is not None:
            self._watching.close()
        self.chains.close()
        if self._client is not None:
            self._client.close()
        if self._book is not None:
            self._book.close()


def _stamp(path: Path) -> tuple[int, ...]:
    """Another one after each writing; () where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino, found.st_size
