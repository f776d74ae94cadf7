"""A signed grant that waits here until what it replaces is gone from the chain, and the ways on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from latchkey.flow.similar import Replacing
from latchkey.language import tr
from latchkey.store.records import GrantRecord, GrantState
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.widgets import Card, PhraseLabel, PhraseList, announce, confirm, phrase, primary, secondary

if TYPE_CHECKING:
    from latchkey.core.account import Account
    from latchkey.flow.ending_plan import What
    from latchkey.flow.session_rows import View

_WAITS = tr(
    "This grant replaces another one. It stays here until that one is gone from the chain, so that they never work side by side."
)
_BOTH = tr("The old one works on until it ends or you revoke it, and what the two may spend adds up.")


class WaitingCard(Card):
    """A grant that is handed over only when what it replaces is gone. `released(number)`: it may be handed over now."""

    released = Signal(int)

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Signed, and waiting"))
        self._context = context
        self._record: GrantRecord | None = None
        self.body.addWidget(PhraseLabel(_WAITS, tone="muted"))
        self._olds = PhraseList(tone="warn")
        self.body.addWidget(self._olds)
        self.end = primary(tr("End the old one…"), self._end_old)
        self.again = secondary(tr("Look again"), self._look)
        self.old = secondary(tr("Open the old one"), self._open_old)
        self.both = secondary(tr("Keep both…"), self._ask_both)
        context.changed.connect(lambda what: self._recheck() if what == "readings" and self.isVisible() else None)
        row = QHBoxLayout()
        row.setSpacing(theme.space(1))
        for button in (self.end, self.again, self.old, self.both):
            row.addWidget(button)
        row.addStretch(1)
        self.body.addSpacing(theme.space(1))
        self.body.addLayout(row)

    @property
    def _replacing(self) -> Replacing:
        return Replacing(self._context.book, self._context.clock)

    def show_grant(self, record: GrantRecord) -> None:
        """Raises StoreError."""
        self._record = record
        olds = self._replacing.olds(record)
        self._olds.set_phrases(phrase(old.sentence) for old in olds)
        self._old = next((old.record.id for old in olds if old.record is not None and not old.gone), None)
        self.old.setVisible(self._old is not None)
        self.end.setVisible(self._asked_to_end() is not None)

    def _look(self) -> None:
        """Read the chain again, where an RPC is set; the last reading decides."""
        if self._record is None or self._recheck():
            return
        account = self._account()
        if account is None or not self._context.chains.is_set(account.chain_id):
            announce(self, tr("It is not known to be gone yet."))
            return
        self.again.setEnabled(False)

        def read(_view: View) -> None:
            if not self._recheck():
                announce(self, tr("It is not gone yet."))

        self._context.tasks.run(
            lambda _job: self._context.sessions.refresh(account),
            read,
            finished=lambda: self.again.setEnabled(True),
            owner=self,
        )

    def _recheck(self) -> bool:
        """Whether it may be handed over now."""
        if self._record is None or self._record.state is not GrantState.WAITING:
            return False
        if self._replacing.release_if_gone(self._record):
            self._released(self._record)
            return True
        self.show_grant(self._record)
        return False

    def _account(self) -> Account | None:
        draft = self._record.draft if self._record else None
        place = (draft.chain_id, draft.account, draft.system) if draft else None
        return next((a for a in self._context.book.accounts() if (a.chain_id, a.address, a.system) == place), None)

    def _asked_to_end(self) -> tuple[View, list[What]] | None:
        """What would end the old ones, as far as the last reading knows them; None when nothing can be ended from here."""
        from latchkey.flow.ending_plan import Cancel, Revoke

        account = self._account()
        if self._record is None or account is None or not self._context.chains.is_set(account.chain_id):
            return None
        view = self._context.sessions.cached(account)
        if view is None:
            return None
        ids = {old.entity_id for old in self._replacing.olds(self._record) if not old.gone}
        sessions = tuple(row.session.entity_id for row in view.rows if row.session.entity_id in ids and row.can_end)
        grants = tuple(p.record.id for p in view.open_grants if p.record.draft.entity_id in ids and p.record.id != self._record.id)
        wanted: list[What] = [Revoke(sessions)] if sessions else []
        wanted += [Cancel(grants)] if grants else []
        return (view, wanted) if wanted else None

    def _end_old(self) -> None:
        if (asked := self._asked_to_end()) is not None and not self._context.is_cut_off():
            from latchkey.ui.pages.ending import open_ending

            view, wanted = asked
            open_ending(self._context, self, [view] * len(wanted), wanted)

    def _open_old(self) -> None:
        self._context.navigate("grant", self._old)

    def _ask_both(self) -> None:
        confirm(self, tr("Hand it over now?"), _BOTH, tr("Keep both"), self._keep_both, keep=tr("Wait"))

    def _keep_both(self) -> None:
        if self._record is not None:
            self._replacing.release(self._record)
            self._released(self._record)

    def _released(self, record: GrantRecord) -> None:
        self._context.changed.emit("grants")
        self.released.emit(record.id)
