"""One session opened: what it may do in words, what is left of it, what stands on the chain about it, and how to end or tighten it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QDateTimeEdit, QHBoxLayout, QVBoxLayout, QWidget

from latchkey.core.amounts import BASE_UNITS, Unit, format_amount, parse_amount
from latchkey.core.moments import span, utc
from latchkey.core.permissions import ContractAccess, FunctionsOnAllContracts, FunctionsOnContract
from latchkey.core.phrases import Level, Part, Phrase, Style
from latchkey.core.request import NO_CLAIMS
from latchkey.core.session import Limit, LimitKind
from latchkey.core.types import to_hex
from latchkey.core.words_pieces import Names
from latchkey.core.words_sessions import limit_line
from latchkey.errors import BadInput
from latchkey.flow.session_rows import Origin, Row, View, chain_now, said_of
from latchkey.language import tr
from latchkey.store.endings import ItemState
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.pages.parameters import ParametersDialog
from latchkey.ui.pages.session_list import draw_bar
from latchkey.ui.pages.session_rows import SAID, TONES, Bar, account_name, bar
from latchkey.ui.times import utc_time, zone
from latchkey.ui.widgets import (
    AddressLabel,
    Banner,
    Card,
    Chip,
    Dialog,
    Field,
    FieldTable,
    FindingList,
    Heading,
    Muted,
    Page,
    PhraseLabel,
    PhraseList,
    clear_layout,
    danger,
    line_edit,
    link,
    primary,
    secondary,
    visible,
)

if TYPE_CHECKING:
    from latchkey.flow.ending_plan import Lower, Tighten

_ENDED = {ItemState.PENDING: tr("on its way"), ItemState.DONE: tr("done"), ItemState.FAILED: tr("failed")}
_NAMES = {LimitKind.GAS: tr("Gas"), LimitKind.NATIVE: tr("Coins"), LimitKind.ERC20: tr("Tokens")}


class SessionPage(Page):
    """`enter(key)`: the session to show, by the key of its row."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Session"))
        self._context = context
        self._key: object = None
        self.row: Row | None = None
        self.view: View | None = None
        self.chip = Chip()
        self.beside.addWidget(self.chip)
        self._place = QVBoxLayout()
        self._place.setSpacing(theme.space(2))
        self.body.addLayout(self._place)
        self.body.addStretch(1)
        self.back = secondary(tr("All sessions"), lambda: context.navigate("sessions"), icon_name="back")
        self.tighten = secondary(tr("Tighten…"), self._tighten)
        self.revoke = danger(tr("Revoke…"), self._revoke)
        self.buttons.addWidget(self.back)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self.tighten)
        self.buttons.addWidget(self.revoke)
        self.show_buttons()
        context.changed.connect(lambda what: self._read() if what in ("sessions", "readings") and self.isVisible() else None)

    def enter(self, payload: object) -> None:
        if payload is not None:
            self._key = payload
        self._read()
        self.back.setFocus(Qt.FocusReason.OtherFocusReason)

    def _read(self) -> None:
        book, sessions, key = self._context.book, self._context.sessions, self._key

        def read(_job: object) -> tuple[View | None, Row | None]:
            for account in book.accounts():
                if (account.chain_id, account.address, account.system) == tuple(key)[:3]:  # type: ignore[arg-type]
                    view = sessions.cached(account)
                    return view, next((row for row in view.rows if row.key == key), None) if view else None
            return None, None

        self._context.tasks.run(read, lambda found: self._show(*found), owner=self)

    def _show(self, view: View | None, row: Row | None) -> None:
        clear_layout(self._place)
        self.view, self.row = view, row
        for button in (self.tighten, self.revoke):
            button.setVisible(row is not None and row.can_end)
        self.chip.setVisible(row is not None)
        if view is None or row is None:
            self.title.setText(tr("Session"))
            self._place.addWidget(
                Banner(Level.NOTICE, tr("This session is not on the chain any more."), tr("It was there when it was last shown."))
            )
            return
        now = chain_now(row.block, row.taken, self._context.clock())
        self.title.setText(visible(row.title.plain))
        self.chip.set_state(SAID[row.state], TONES[row.state])
        self.tighten.setEnabled(row.session.valid_until == 0 or row.session.valid_until > now)
        if row.ending is not None and row.ending.sentence:
            self._place.addWidget(
                Banner(Level.NOTICE, tr("Last attempt to end it: {state}.", state=_ENDED[row.ending.state]), row.ending.sentence)
            )
        self._place.addWidget(self._words(row))
        findings = FindingList(row.findings)
        if row.findings:
            self._place.addWidget(findings)
        if row.more:
            card = Card(tr("More than was granted here"))
            card.body.addWidget(PhraseList(row.more, tone="bad"))
            self._place.addWidget(card)
        self._place.addWidget(_limits(row))
        if targets := tuple(_targets(row)):
            self._place.addWidget(_Folded(tr("Contracts and functions"), targets, tr("Show every contract and function")))
        origin = _origin(view, row, now, self._context.clock())
        if row.session.signer is not None:
            developers = link(tr("For developers"), lambda: ParametersDialog(self, row.session).open())
            origin.body.addWidget(developers, 0, Qt.AlignmentFlag.AlignLeft)
        self._place.addWidget(origin)
        self._place.addWidget(_Folded(tr("What stands on the chain"), row.words.signed, tr("Show every field")))

    def _words(self, row: Row) -> Card:
        words, card = row.words, Card()
        card.body.addWidget(PhraseLabel(words.headline))
        heads = words.headings
        for title, phrases, tone in (
            (heads.can, words.can, "good"),
            (heads.cannot, words.cannot, "muted"),
            (heads.most, words.most_you_can_lose, "warn"),
        ):
            if phrases:
                card.body.addSpacing(theme.space(0.5))
                card.body.addWidget(Heading(title))
                card.body.addWidget(PhraseList(phrases, tone=tone))
        line = QHBoxLayout()
        line.addWidget(link(tr("&Try a call…"), self._try))
        line.addStretch(1)
        card.body.addLayout(line)
        return card

    # --- acting

    def _try(self) -> None:
        from latchkey.flow.trying import of_session
        from latchkey.ui.pages.trying import TryDialog

        if self.row is not None:
            TryDialog(self, self._context, of_session(self.row.session, notes=self.row.notes)).open()

    def _revoke(self) -> None:
        if self._context.is_cut_off():
            return
        from latchkey.flow.ending_plan import Revoke
        from latchkey.ui.pages.ending import open_ending

        if self.view is not None and self.row is not None:
            open_ending(self._context, self, self.view, Revoke((self.row.session.entity_id,)))

    def _tighten(self) -> None:
        if self.row is not None and not self._context.is_cut_off():
            dialog = TightenDialog(self, self.row, chain_now(self.row.block, self.row.taken, self._context.clock()))
            dialog.accepted.connect(lambda: self._tightened(dialog.what))
            dialog.open()

    def _tightened(self, what: Tighten | None) -> None:
        from latchkey.ui.pages.ending import open_ending

        if self.view is not None and what is not None:
            open_ending(self._context, self, self.view, what)


class TightenDialog(Dialog):
    """Less of each limit, an earlier end. `what` when accepted."""

    def __init__(self, parent: QWidget, row: Row, now: int) -> None:
        super().__init__(tr("Tighten this session"), parent)
        self._row, self._now = row, now
        self.what: Tighten | None = None
        self.body.addWidget(Muted(tr("Leave as it is what should stay. Nothing can be raised here; that takes a new grant.")))
        names = Names(row.session.account, NO_CLAIMS)
        self.lowered: list[tuple[Limit, Unit, Field]] = []  # type: ignore[type-arg]
        for limit in row.session.limits:
            unit = _unit(limit, names)
            text = format_amount(limit.left, unit)
            token = f" {limit.token}" if limit.token and names.known(limit.token) is None else ""
            field = Field(
                tr("{names} left, in {unit_name}{token}", names=_NAMES[limit.kind], unit_name=unit.name, token=token),
                line_edit(text, mono=True, limit=100),
                hint=tr("Now {text}", text=text),
            )
            self.lowered.append((limit, unit, field))
            self.body.addWidget(field)
        until = row.session.valid_until
        self.until = Field(
            tr("Ends on"),
            QDateTimeEdit(),
            hint=tr(
                "Now: {until}. What you enter is in this computer's time zone, {zone}.",
                until=tr("until {time}", time=utc_time(until, now)) if until else tr("it never ends"),
                zone=zone(until or now),
            ),
        )
        self.until.editor.setCalendarPopup(True)
        self.until.editor.setDisplayFormat("d MMMM yyyy, HH:mm:ss")
        self.until.editor.setMinimumDateTime(QDateTime.fromSecsSinceEpoch(now))
        if until:
            self.until.editor.setMaximumDateTime(QDateTime.fromSecsSinceEpoch(max(until, now)))
        self._begun = until or now + 30 * 86_400
        self.until.editor.setDateTime(QDateTime.fromSecsSinceEpoch(self._begun))
        self.ends = not until  # a session without an end gets one only when the person picks it
        self.until.editor.dateTimeChanged.connect(lambda _moment: setattr(self, "ends", False))
        self.body.addWidget(self.until)
        self.fault = Banner(Level.WARNING)
        self.fault.hide()
        self.body.addWidget(self.fault)
        self.buttons.addWidget(secondary(tr("Cancel"), self.reject))
        self.go = primary(tr("Go on"), self._go)
        self.go.setDefault(True)
        self.buttons.addWidget(self.go)

    def _go(self) -> None:
        from latchkey.flow.ending_plan import Lower, Tighten

        lower: list[Lower] = []
        wrong = False
        for limit, unit, field in self.lowered:
            try:
                to = parse_amount(field.editor.text(), unit)
                if to > limit.left:
                    raise BadInput(tr("A limit can only be lowered here."))
            except BadInput as error:
                field.set_error(error.text)
                wrong = True
                continue
            field.set_error("")
            if to < limit.left:
                lower.append(Lower(limit.kind, to, limit.token))
        until = None if self.ends else self.until.editor.dateTime().toSecsSinceEpoch()
        until = None if until == self._row.session.valid_until else until
        if wrong:
            return
        if not lower and until is None:
            self.fault.set(Level.NOTICE, tr("Nothing is changed yet."))
            self.fault.show()
            return
        self.what = Tighten(self._row.session.entity_id, tuple(lower), until)
        self.accept()


def _unit(limit: Limit, names: Names) -> Unit:
    if limit.token is None:
        return Unit(names.coin, 18)
    known = names.known(limit.token)
    return Unit(known.symbol, known.unit.decimals) if known else BASE_UNITS


class _BarView(QWidget):
    """One limit's bar: what is used of it. The caption beside it says the same in words."""

    def __init__(self, shown: Bar) -> None:
        super().__init__()
        self._bar = shown
        self.setFixedHeight(6)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        draw_bar(painter, QRectF(self.rect()).adjusted(0, 0.5, 0, -0.5), self._bar)
        painter.end()


class _Folded(Card):
    """Labels and values, shown when asked for."""

    def __init__(self, title: str, fields: tuple[tuple[str, str], ...], more: str) -> None:
        super().__init__(title)
        self._fields = fields
        row = QHBoxLayout()
        self.more = link(more, self._unfold)
        row.addWidget(self.more)
        row.addStretch(1)
        self.body.addLayout(row)

    def _unfold(self) -> None:
        self.more.hide()
        table = FieldTable(self._fields)
        self.body.addWidget(table)
        table.show()


def _limits(row: Row) -> Card:
    card, names = Card(tr("What is left")), Names(row.session.account, NO_CLAIMS, row.notes)
    if not row.session.limits:
        card.body.addWidget(Muted(tr("It has no limits on what it spends.")))
    for limit in row.session.limits:
        card.body.addWidget(PhraseLabel(limit_line(limit, names)))
        shown = bar(limit, names)
        if shown.used is not None and limit.granted:
            card.body.addWidget(_BarView(shown))
    return card


def _targets(row: Row):  # type: ignore[no-untyped-def]  # pairs of label and value
    for permission in row.session.install.permissions:
        match permission:
            case ContractAccess():
                yield tr("Any function of"), str(permission.address)
            case FunctionsOnContract():
                yield str(permission.address), " ".join(map(_function, permission.functions))
            case FunctionsOnAllContracts():
                yield tr("On any contract"), " ".join(map(_function, permission.functions))


def _function(selector: object) -> str:
    from latchkey.core.functions import known_signature

    known = known_signature(selector)  # type: ignore[arg-type]
    return f"{known} ({selector})" if known else str(selector)


def _origin(view: View, row: Row, now: int, clock: int) -> Card:
    session, card = row.session, Card(tr("Where it comes from"))
    if session.signer is not None:
        card.body.addWidget(PhraseLabel(tr("Session key"), size=theme.SMALL, tone="muted"))
        card.body.addWidget(AddressLabel(str(session.signer)))
    card.body.addWidget(PhraseLabel(account_name(view.account), size=theme.SMALL, tone="muted"))
    card.body.addWidget(AddressLabel(str(session.account.address)))
    if row.origin is Origin.HERE and row.record is not None:
        made = tr("Granted here, {time}.", time=utc_time(row.record.created, clock))
        claims = tr(" Its dApp calls itself “{claim}”.", claim=visible(row.claim)) if row.claim else ""
        card.body.addWidget(Muted(made + claims))
    else:
        card.body.addWidget(Muted(tr("Not made here: no grant in this book lets this key in under this number.")))
    history = []
    if session.installed_block is not None:
        history.append(tr("Installed in block {installed_block}", installed_block=session.installed_block))
        if session.installed_in is not None:
            history.append(tr("by transaction {to_hex}", to_hex=to_hex(session.installed_in)))
    if history:
        card.body.addWidget(PhraseLabel(Phrase((Part(" ".join(history) + ".", Style.PLAIN),)), size=theme.SMALL, tone="muted"))
    else:
        card.body.addWidget(Muted(tr("When it was installed was not seen in the logs.")))
    ends = tr("Ends {time}", time=utc(row.ends)) if row.ends else tr("It never ends by itself")
    ends += tr(", in {span}.", span=span(row.ends - now)) if row.ends > now else "."
    card.body.addWidget(Muted(ends))
    if row.ending is not None and row.ending.block:
        card.body.addWidget(Muted(tr("Last ended in block {block}.", block=row.ending.block)))
    whole = "" if row.complete else tr(" Its list of contracts may be longer than what is shown.")
    card.body.addWidget(Muted(f"{view.basis(clock)}{whole}" if view.complete else said_of(view.reading.logs)))
    return card
