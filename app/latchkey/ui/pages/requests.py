"""Requests: everything that came in, whoever sent it and by whatever way, to be opened, narrowed, refused; and pages that are muted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QVBoxLayout, QWidget

from latchkey.core.phrases import Style
from latchkey.errors import LatchkeyError
from latchkey.language import tr, trn
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.times import utc_time
from latchkey.ui.widgets import Dialog, EmptyState, Muted, Page, PhraseLabel, confirm, link, phrase, primary, secondary
from latchkey.ui.widgets.surfaces import Scroller

if TYPE_CHECKING:
    from latchkey.flow.requests import Record
    from latchkey.ui.pages.request_list import RequestList
    from latchkey.ui.pages.request_rows import Found, Row

_WHY = tr(
    "What dApps ask you for arrives here: by a link, a QR code, a file, the clipboard, or the bridge. Nothing is granted by itself."
)
_MINUTE_MS = 60_000


class RequestsPage(Page):
    """The list of all requests."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Requests"))
        self._context = context
        self.count = Muted(wrap=False)
        self.open = secondary(tr("Open request…"), context.want_request, icon_name="inbox")
        self.open.setToolTip("Ctrl+O")
        self.header.addWidget(self.count)
        self.header.addWidget(self.open)
        self._stack = QStackedWidget()
        self._empty: EmptyState | None = None
        self.list: RequestList | None = None
        self._muted: tuple[tuple[str, int], ...] = ()
        self.muted = link(tr("Muted pages…"), self._show_muted)
        self.clear = link(tr("Clear what was answered…"), self._ask_clear)
        foot = QHBoxLayout()
        foot.setSpacing(theme.space(2))
        foot.addWidget(self.muted)
        foot.addWidget(self.clear)
        foot.addStretch(1)
        self.body.addWidget(self._stack, 1)
        self.body.addLayout(foot)
        self.body.addStretch(0)
        for one in (self.muted, self.clear):
            one.hide()
        context.changed.connect(lambda what: self._read() if what in ("requests", "accounts") and self.isVisible() else None)
        self._minute = QTimer(self)
        self._minute.timeout.connect(lambda: self._read() if self.isVisible() else None)

    def enter(self, payload: object) -> None:
        """`payload`: the record that is to be pointed at."""
        self._read(then=partial(self._point_at, payload))
        self._minute.start(_MINUTE_MS)  # how long ago grows

    def hideEvent(self, event: QHideEvent) -> None:
        """What was shown has been seen."""
        super().hideEvent(event)
        if self.list is not None and self._context.is_loaded:
            for row in self.list.model_.rows:
                if row.record.state == "new":
                    self._try(partial(self._context.requests.see, row.record.id))

    # --- showing

    def _read(self, then: Callable[[], object] = lambda: None) -> None:
        from latchkey.ui.pages.request_rows import read_rows

        def arrived(found: Found) -> None:
            self._show(found)
            then()

        context = self._context
        context.tasks.run(lambda job: read_rows(context, job.check), arrived, owner=self)

    def _point_at(self, record: object) -> None:
        if self.list is not None:
            self.list.point_at(getattr(record, "id", 0))

    def _show(self, found: Found) -> None:
        rows = found.rows
        self._muted = found.muted
        waiting = sum(row.record.is_open for row in rows)
        self.muted.setVisible(bool(found.muted))
        self.clear.setVisible(len(rows) > waiting)
        self.count.setText(trn("{count} waits for you", "{count} wait for you", waiting) if waiting else "")
        if not rows:
            self._show_empty()
            return
        if self.list is None:
            from latchkey.ui.pages.request_list import RequestList

            self.list = RequestList()
            self.list.opened.connect(self._open)
            self.list.refused.connect(self._refuse)
            self.list.asked.connect(self._show_menu)
            self._stack.addWidget(self.list)
        self.list.show_rows(rows)
        self._stack.setCurrentWidget(self.list)

    def _show_empty(self) -> None:
        if self._empty is None:
            self._empty = EmptyState(
                tr("No requests yet"), _WHY, tr("Open request…"), self._context.want_request, icon_name="inbox"
            )
            self._stack.addWidget(self._empty)
        self._stack.setCurrentWidget(self._empty)

    # --- what can be done

    def _open(self, row: Row) -> None:
        open_record(self._context, self, row.record)

    def _refuse(self, row: Row) -> None:
        from latchkey.ui.pages.refusing import RefuseDialog

        RefuseDialog(self._context, self, row.record).open()

    def _show_menu(self, row: Row, where: QPoint) -> None:
        menu = self.menu(row)
        menu.popup(where)

    def menu(self, row: Row) -> QMenu:
        """Everything that can be done with one."""
        record, menu = row.record, QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction(row.verbs[1] or tr("Open"), partial(self._open, row))
        menu.addAction(tr("What it asks for…"), partial(self._details, row))
        if row.verbs[0]:
            menu.addAction(tr("Refuse…"), partial(self._refuse, row))
        if record.proven:
            menu.addSeparator()
            is_muted = record.origin in dict(self._muted)
            menu.addAction(
                tr("Hear this page again") if is_muted else tr("Mute this page…"),
                partial(self._unmute if is_muted else self._ask_mute, record.origin),
            )
        return menu

    def _details(self, row: Row) -> None:
        show_details(self._context, self, row.record)

    def _ask_mute(self, origin: str) -> None:
        text = tr(
            "What {origin} asks now is refused, and what it asks later is turned away without a word here. You can undo this under "
            "“Muted pages”.",
            origin=origin,
        )
        confirm(self, tr("Mute this page?"), text, tr("Mute"), partial(self._mute, origin), keep=tr("Go on hearing it"))

    def _mute(self, origin: str) -> None:
        if self._try(partial(self._context.requests.mute, origin)):
            self._context.say(tr("Muted. Undo it under “Muted pages”."))

    def _unmute(self, origin: str) -> None:
        if self._try(partial(self._context.requests.unmute, origin)):
            self._context.say(tr("It is heard again."))

    def _show_muted(self) -> None:
        MutedDialog(self, self._muted, self._unmute, self._context.clock()).open()

    def _ask_clear(self) -> None:
        text = tr(
            "What was answered, withdrawn or never answered leaves this list. Its grants stay, and a replay is still recognised."
        )
        clear = self._context.requests.forget_answered
        confirm(self, tr("Clear the list?"), text, tr("Clear"), lambda: self._try(clear), keep=tr("Keep it"))

    def _try(self, act: object) -> bool:
        try:
            act()  # type: ignore[operator]
        except LatchkeyError as error:
            self._context.tasks.failed.emit(error)
            return False
        return True


def open_record(context: Context, parent: QWidget, record: Record) -> None:
    """To where it can be answered; one that was answered to its grant, or to what it asked."""
    from latchkey.flow.requests import RequestKind

    if record.is_open and record.request is not None:
        if record.kind is RequestKind.SESSION:
            context.navigate("wizard", record)
        else:
            context.requests.see(record.id)
            from latchkey.ui.pages.revoking import open_revocation

            open_revocation(context, parent, record)
    elif record.grant_id is not None:
        context.navigate("grant", record.grant_id)
    else:
        show_details(context, parent, record)


def show_details(context: Context, parent: QWidget, record: Record) -> None:
    """All of what it asks for, who says so, and what became of it."""
    from latchkey.ui.pages.request_details import DetailsDialog

    DetailsDialog(context, parent, record).open()


class MutedDialog(Dialog):
    """Pages that are not heard; each can be heard again."""

    def __init__(self, page: QWidget, muted: tuple[tuple[str, int], ...], unmute: object, now: int) -> None:
        super().__init__(tr("Muted pages"), page.window(), width=72 * theme.GRID)
        self._unmute = unmute
        self.body.addWidget(Muted(tr("What these ask for is turned away.")))
        content = QWidget()
        content.setProperty("surface", "page")
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, theme.space(1), 0)
        rows.setSpacing(theme.space(1))
        for origin, since in muted:
            again = secondary(tr("Hear again"))
            again.setAccessibleName(tr("Hear {origin} again", origin=origin))
            texts = QVBoxLayout()
            texts.setSpacing(0)
            texts.addWidget(PhraseLabel(phrase(origin, Style.CODE)))
            texts.addWidget(Muted(tr("since {moment}", moment=utc_time(since, now))))
            row = QHBoxLayout()
            row.addLayout(texts, 1)
            row.addWidget(again)
            again.clicked.connect(partial(self._hear, origin))
            rows.addLayout(row)
        rows.addStretch(1)
        scroller = Scroller()
        scroller.setWidget(content)
        scroller.setMinimumHeight(min(40, 9 * len(muted)) * theme.GRID)
        self.body.addWidget(scroller)
        self.buttons.addWidget(primary(tr("&Close"), self.accept))

    def _hear(self, origin: str) -> None:
        self.accept()
        self._unmute(origin)  # type: ignore[operator]
