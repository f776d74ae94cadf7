"""What else has power over the accounts: owners, powers that are no session keys, and what ended sessions left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.session import Owner
from latchkey.flow.session_rows import View
from latchkey.language import tr, trn
from latchkey.ui import theme
from latchkey.ui.pages.session_rows import account_name
from latchkey.ui.widgets import Card, Heading, PhraseLabel, PhraseList, link

_OWNERS = {
    "fallback-signer": "owner",
    "single-signer": "owner",
    "passkey": tr("owner by passkey"),
    "account-key": tr("the key of the account's own address, which stands above all"),
}


class PowersCard(Card):
    """One line to begin with; unfolded, everything. `clean(view)`: take away what was left behind."""

    def __init__(self, views: Sequence[View], clean: Callable[[View], object]) -> None:
        super().__init__()
        self._views, self._clean = views, clean
        row = QHBoxLayout()
        row.setSpacing(theme.space(1.5))
        row.addWidget(Heading(tr("Other powers")))
        row.addWidget(PhraseLabel(_counted(views), size=theme.SMALL, tone="muted"), 1, Qt.AlignmentFlag.AlignVCenter)
        self.more = link(tr("Show"), self._unfold)
        self.more.setAccessibleName(tr("Show other powers"))
        for view in views:
            if view.reading.leftovers:
                name = tr("Clean up…") if len(views) == 1 else tr("Clean up {account}…", account=account_name(view.account))
                row.addWidget(link(name, partial(clean, view)))
        row.addWidget(self.more)
        self.body.addLayout(row)

    def _unfold(self) -> None:
        self.more.hide()
        for view in self._views:
            if len(self._views) > 1:
                self._add(PhraseLabel(account_name(view.account), strong=True))
            self._add(PhraseList([*_owners(view), *(Phrase((Part(p.sentence),)) for p in view.reading.powers), *_left(view)]))

    def _add(self, widget: QWidget) -> None:
        self.body.addWidget(widget)
        widget.show()


def _counted(views: Sequence[View]) -> str:
    owners = sum(len(view.reading.owners) for view in views)
    powers = sum(len(view.reading.powers) for view in views)
    left = sum(len(view.reading.leftovers) for view in views)
    parts = [
        trn("{count} owner", "{count} owners", owners),
        *([trn("{count} more power", "{count} more powers", powers)] if powers else []),
    ]
    if left:
        parts.append(trn("{count} thing left behind by ended sessions", "{count} things left behind by ended sessions", left))
    return ", ".join(parts)


def _owners(view: View) -> list[Phrase]:
    return [_owner(owner) for owner in view.reading.owners]


def _owner(owner: Owner) -> Phrase:
    kind = _OWNERS.get(owner.kind, "an owner of a kind Latchkey does not know")
    address = owner.address or owner.module
    parts = [Part(str(address), Style.ADDRESS), Part(f": {kind}")] if address else [Part(kind)]
    notes = [tr(", switched off")] if owner.disabled else []
    notes += [tr(", with {many} before it", many=trn("{count} hook", "{count} hooks", len(owner.hooks)))] if owner.hooks else []
    return Phrase((*parts, *map(Part, notes)))


def _left(view: View) -> list[Phrase]:
    ids = sorted({left.entity_id for left in view.reading.leftovers})
    if not ids:
        return []
    named = ", ".join(map(str, ids[:12])) + (tr(" and more") if len(ids) > 12 else "")
    return [
        Phrase(
            (
                Part(
                    tr(
                        "Left in modules by ended sessions (numbers {named}): a later session under such a number would get it.",
                        named=named,
                    )
                ),
            )
        )
    ]
