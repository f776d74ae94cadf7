"""What every page is given: where the files are, the signer, the book, the clock, tasks, and the way to other pages.

A page is a QWidget made as `Page(context)`, kept for the life of the window, and named in `window.PAGES`. It may define
    enter(payload)      called each time it is shown; `payload` is what navigate() was given, or None
    may_leave() -> str  a sentence when leaving would lose something ("" when not); the window asks the person

    wizard     latchkey.ui.pages.wizard.WizardPage      enter(SessionRequest | Envelope | None): a request, or an empty start
    signed     latchkey.ui.pages.signed.SignedPage      enter(key of the grant in the book)
    intake     latchkey.ui.widgets.intake               see window.py: what is dropped or pasted is read there

The signer and the book load heavy libraries, so both are made when first asked for, never before the first paint.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from latchkey.ui.tasks import Tasks

if TYPE_CHECKING:
    from latchkey.store.book import Book
    from latchkey.store.paths import DataDir
    from latchkey.store.settings import Settings
    from latchkey.vault.client import SignerClient, Status


class Context(QObject):
    """One per window.

    `clock()`: now, in seconds; replaced in tests. `status`: the signer's last known state, None until it was asked.
    `changed(what)`: "status", "keys", "accounts", "grants" or "settings" were changed by someone; pages that show them read again.
    """

    changed = Signal(str)
    navigated = Signal(str, object)
    said = Signal(str)

    def __init__(
        self,
        data_dir: DataDir,
        settings: Settings,
        *,
        make_client: Callable[[DataDir], SignerClient],
        make_book: Callable[[DataDir], Book],
        clock: Callable[[], int] = lambda: int(time.time()),
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.data_dir = data_dir
        self.settings = settings
        self.clock = clock
        self.tasks = Tasks(self)
        self.status: Status | None = None
        self._make_client, self._make_book = make_client, make_book
        self._client: SignerClient | None = None
        self._book: Book | None = None

    @property
    def client(self) -> SignerClient:
        """The signer's client; its process starts with the first call. Its calls block: use them inside `tasks.run`."""
        if self._client is None:
            self._client = self._make_client(self.data_dir)
        return self._client

    @property
    def book(self) -> Book:
        """The book. Used in the UI thread only."""
        if self._book is None:
            self._book = self._make_book(self.data_dir)
        return self._book

    def navigate(self, page: str, payload: Any = None) -> None:
        """Go to a page: "welcome", "grants", "wizard", "accounts", "settings", "signed"."""
        self.navigated.emit(page, payload)

    def say(self, text: str) -> None:
        """A short piece of news at the foot of the window, also for screen readers."""
        self.said.emit(text)

    def close(self) -> None:
        """Stop delivering, end the signer, close the book."""
        self.tasks.close()
        if self._client is not None:
            self._client.close()
        if self._book is not None:
            self._book.close()
