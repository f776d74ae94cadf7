"""Looking around a grant that is being reviewed: the network and the book are asked on a worker, and nothing waits for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer

from latchkey.core.facts import Surroundings
from latchkey.errors import LatchkeyError
from latchkey.flow.granting import Prepared
from latchkey.flow.surroundings import surroundings, with_surroundings
from latchkey.language import tr
from latchkey.ui.context import Context
from latchkey.ui.pages.trying import node_of
from latchkey.ui.tasks import Task

_AFTER = 300  # ms without another change

Shown = Callable[[Prepared, Prepared | None, str], object]


class Around(QObject):
    """`shown(prepared, found, text)`: `found` is the grant judged anew, None while that is not known; `text` says who was asked."""

    def __init__(self, context: Context, shown: Shown) -> None:
        super().__init__()
        self._context, self._shown = context, shown
        self._prepared: Prepared | None = None
        self._proven: bool | None = None
        self._task: Task | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_AFTER)
        self._timer.timeout.connect(self._ask)

    def look(self, prepared: Prepared, proven: bool | None) -> None:
        """About this grant and no other; soon, for it may still change. `proven`: whether it is known who asks, None when nobody does."""
        if self._task is not None:
            self._task.cancel()
        self._prepared, self._proven = prepared, proven
        self._timer.start()

    def _ask(self) -> None:
        prepared = self._prepared
        if prepared is None:
            return
        context, now, shown, proven = self._context, self._context.clock(), prepared.review, self._proven

        def work(_job: object) -> tuple[Surroundings, str]:
            node, why_not = node_of(context, prepared.account.chain_id)
            found = surroundings(
                shown.reading,
                prepared.account,
                now=now,
                book=context.book,
                node=node,
                claims=prepared.claims,
                unsigned=shown.grant.unsigned,
            )
            return found, why_not

        def done(result: tuple[Surroundings, str]) -> None:
            found, why_not = result
            found = replace(found, same_dapp=0, sender_proven=proven)  # the review has a place of its own for what it holds already
            judged = with_surroundings(prepared, found, now)
            self._shown(prepared, judged, _not_checked(why_not) if why_not else _ASKED)

        def failed(error: LatchkeyError) -> None:
            self._shown(prepared, None, _not_checked(error.text))

        self._task = context.tasks.run(work, done, failed=failed, owner=self)


_ASKED = tr("The network was asked about its contracts, its number, what you hold, and the time.")


def _not_checked(why: str) -> str:
    return tr("What only the network can tell is not checked. {why}", why=why)
