"""Try a call: a sheet where a call is put together or pasted, and what the account would do with it. Nothing is signed or sent.

TryDialog(self, context, of_grant(unsigned, account)).open()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from latchkey.core.amounts import BASE_UNITS, Unit, parse_amount
from latchkey.core.arguments import parameters
from latchkey.core.moments import utc
from latchkey.core.networks import network
from latchkey.core.phrases import Level
from latchkey.errors import BadInput, ChainError, LatchkeyError
from latchkey.flow.trying import Answer, Choice, Subject, TryForm, Verdict, amount_units, choices, read_form, try_call
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.context import Context
from latchkey.ui.tasks import Task
from latchkey.ui.widgets import (
    Banner,
    Card,
    ComboBox,
    Dialog,
    Field,
    Heading,
    Muted,
    PhraseLabel,
    PhraseList,
    Segmented,
    SheetScroller,
    clear_layout,
    line_edit,
    primary,
    secondary,
    short_address,
    text_edit,
    visible,
)
from latchkey.ui.widgets.tabbing import parts

if TYPE_CHECKING:
    from latchkey.chain.node import Node

_LEVELS = {
    Verdict.ALLOWED: "good",
    Verdict.FAILS: Level.WARNING,
    Verdict.REFUSED: Level.NOTICE,
    Verdict.DIFFERENT: Level.DANGER,
    Verdict.UNKNOWN: Level.WARNING,
}
_MOST_ARGUMENTS = 16


class TryDialog(Dialog):
    """`subject`: the grant or the session whose key would ask."""

    def __init__(self, parent: QWidget, context: Context, subject: Subject) -> None:
        super().__init__(tr("Try a call"), parent.window(), width=80 * theme.GRID)
        self._context, self._subject = context, subject
        self._task: Task | None = None
        self._arguments: list[Field] = []  # type: ignore[type-arg]
        self._units: dict[int, Unit] = {}  # of the arguments that are amounts of a token
        self._shown: object = None  # the arguments that are drawn, and their units
        self._scroller = SheetScroller(theme.space(36))
        self.body.addWidget(self._scroller)
        rows = self._scroller.rows
        rows.addWidget(
            Muted(tr("See what your account would do if this key asked for it. Nothing is signed, and nothing is sent."))
        )
        self.form = self._make_form()
        rows.addWidget(self.form)
        self._result = QVBoxLayout()
        self._result.setSpacing(theme.space(1.5))
        rows.addLayout(self._result)
        rows.addStretch(1)
        self.close_button = secondary(tr("&Close"), self.reject)
        self.button = primary(tr("&Try"), self.ask)
        self.buttons.addWidget(self.close_button)
        self.buttons.addWidget(self.button)
        self.button.setDefault(True)
        self.finished.connect(lambda _result: self._stop())
        self._show_kind()
        self._choose(0)
        self.choice.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.resize(self.width(), min(96 * theme.GRID, parent.window().height() - theme.space(6)))

    # --- the form

    def _make_form(self) -> QWidget:
        form = QWidget()
        rows = QVBoxLayout(form)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.space(1.5))
        self.kind = Segmented(
            [("function", tr("A function")), ("calldata", tr("Calldata"))], name=tr("What to try"), value="function"
        )
        self.kind.changed.connect(lambda _key: self._show_kind())
        self._choices = choices(self._subject)
        self.choice = Field(tr("From the &grant"), ComboBox())
        for choice in self._choices:
            self.choice.editor.addItem(_title(choice))
        self.choice.editor.addItem(tr("Another call"))
        self.choice.editor.activated.connect(self._choose)
        self.target = Field(tr("&Contract"), line_edit(placeholder="0x…", mono=True, limit=64))
        self.target.editor.editingFinished.connect(self._draw_arguments)
        self.function = Field(
            tr("&Function"), line_edit(placeholder="claim(uint256)", mono=True), hint=tr("Leave it empty for a payment alone.")
        )
        self.function.editor.editingFinished.connect(self._draw_arguments)
        self._places = QWidget()
        self._argument_rows = QVBoxLayout(self._places)
        self._argument_rows.setContentsMargins(0, 0, 0, 0)
        self._argument_rows.setSpacing(theme.space(1))
        self.calldata = Field(tr("Call&data"), text_edit(placeholder="0x…", lines=4))
        coin = network(self._subject.account.chain_id).coin
        self.amount = Field(tr("{coin} sent &along", coin=coin), line_edit(placeholder="0", limit=100))
        self.at = Field(tr("&When"), line_edit(placeholder=tr("now")), hint=tr("2026-12-01 10:00 (UTC), or a number of seconds"))
        self.way = Segmented(
            [("op", tr("By an operation")), ("key", tr("By the key itself"))], name=tr("How the key asks"), value="op"
        )
        self.way.setToolTip(
            tr("The key can also call the account with a transaction of its own; then the gas limit does not count.")
        )
        beside = QHBoxLayout()
        beside.setSpacing(theme.space(1.5))
        beside.addWidget(self.amount, 1)
        beside.addWidget(self.at, 1)
        for widget in (self.kind, self.choice, self.target, self.function, self._places, self.calldata):
            rows.addWidget(widget)
        rows.addLayout(beside)
        how = QVBoxLayout()
        how.setSpacing(theme.space(0.5))
        how.addWidget(Muted(tr("How the key asks")))
        how.addWidget(self.way)
        rows.addLayout(how)
        return form

    def _show_kind(self) -> None:
        pasted = self.kind.value() == "calldata"
        for widget in (self.choice, self.function, self._places):
            widget.setVisible(not pasted)
        self.calldata.setVisible(pasted)
        self.target.set_hint(tr("Leave it empty when the calldata is what the account itself is asked.") if pasted else "")

    def _choose(self, number: int) -> None:
        """Fill in what the grant says; it may be changed."""
        chosen = self._choices[number] if number < len(self._choices) else Choice(None)
        self.target.editor.setText(str(chosen.target or ""))
        function = chosen.function
        self.function.editor.setText((function.signature or str(function.selector)) if function else "")
        self._draw_arguments()

    def _draw_arguments(self) -> None:
        """One line for each argument of the function, as far as it can be read."""
        try:
            kinds = parameters(self.function.editor.text()) if self.function.editor.text().strip() else ()
        except BadInput:
            kinds = ()
        units = amount_units(self._subject.account.chain_id, self.target.editor.text(), self.function.editor.text())
        shown = (tuple(kinds), units)
        if self._shown == shown:
            return
        typed = [field.editor.text() for field in self._arguments]
        if [f.property("kind") for f in self._arguments] != [*kinds] or units != self._units:
            typed = []  # a number would mean something else
        self._shown, self._units = shown, units
        clear_layout(self._argument_rows)
        self._arguments = []
        for number, kind in enumerate(kinds[:_MOST_ARGUMENTS], 1):
            unit = units.get(number - 1)
            field = Field(
                tr("Argument {number}, {kind}", number=number, kind=kind),
                line_edit(placeholder="0.25" if unit and unit.decimals else _example(kind), mono=True),
                hint=_counted(unit) if unit else "",
            )
            field.setProperty("kind", kind)
            self._argument_rows.addWidget(field)
            field.editor.setText(typed[number - 1] if typed else "")
            field.show()
            self._arguments.append(field)

    def read(self) -> TryForm:
        """Raises BadInput for an amount that is none."""
        return TryForm(
            target=self.target.editor.text(),
            signature=self.function.editor.text(),
            arguments=tuple(map(self._argument, range(len(self._arguments)))),
            pasted=self.kind.value() == "calldata",
            calldata=self.calldata.editor.toPlainText(),
            amount=self.amount.editor.text(),
            at=self.at.editor.text(),
            by_key=self.way.value() == "key",
        )

    def _argument(self, number: int) -> str:
        """As typed; an amount of a token that we know in base units."""
        text, unit = self._arguments[number].editor.text(), self._units.get(number, BASE_UNITS)
        return str(parse_amount(text, unit, path=f"arguments[{number}]")) if unit.decimals and text.strip() else text

    # --- asking

    def ask(self) -> None:
        self._draw_arguments()
        self._clear_faults()
        try:
            question = read_form(self.read())
        except BadInput as error:
            self._fault(error)
            return
        context, subject, now = self._context, self._subject, self._context.clock()

        def work(_job: object) -> Answer:
            node, why_not = node_of(context, subject.account.chain_id)
            return try_call(subject, question, now=now, node=node, why_not=why_not)

        self.button.setEnabled(False)
        self._show_waiting()
        self._task = context.tasks.run(
            work,
            self.show_answer,
            failed=self._failed,
            finished=self._ready,
            owner=self,
        )

    def _ready(self) -> None:
        """The button had the focus, and lost it while it could not be pressed."""
        self.button.setEnabled(True)
        if not any(field.error for field in self._fields().values()):
            self.button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _fields(self) -> dict[str, Field]:  # type: ignore[type-arg]
        named: dict[str, Field] = {  # type: ignore[type-arg]
            "target": self.target,
            "signature": self.function,
            "calldata": self.calldata,
            "amount": self.amount,
            "value": self.amount,
            "at": self.at,
        }
        return named | {f"arguments[{number}]": field for number, field in enumerate(self._arguments)}

    def _clear_faults(self) -> None:
        for field in self._fields().values():
            field.set_error("")

    def _fault(self, error: LatchkeyError) -> None:
        """Beside the field where the mistake is; what has no field is told below."""
        path = error.path.split("]", 1)[0] + "]" if error.path.startswith("arguments[") else error.path
        field = self._fields().get(path)
        if field is None:
            self._show(Banner(Level.WARNING, error.text))
        else:
            clear_layout(self._result)
            field.set_error(error.text)
            field.editor.setFocus()

    def _failed(self, error: LatchkeyError) -> None:
        if isinstance(error, BadInput):
            self._fault(error)
        else:
            self._show(Banner(Level.WARNING, error.text))

    def _show_waiting(self) -> None:
        self._show(Muted(tr("Asking the chain…")))

    # --- the answer

    def show_answer(self, answer: Answer) -> None:
        banner = Banner(_LEVELS[answer.verdict], answer.headline)
        card = Card()
        for title, *said in (
            (tr("It is asked to"), PhraseList(answer.asked)),
            (tr("Latchkey's reading"), PhraseLabel(answer.model_says)),
            (
                tr("The chain") + (tr(", block {block}", block=answer.chain.block) if answer.chain else ""),
                PhraseLabel(answer.chain_says),
            ),
        ):
            card.body.addWidget(Heading(title))
            for part in said:
                card.body.addWidget(part)
        if answer.agree is not None:
            card.body.addWidget(Muted(tr("The two agree.") if answer.agree else tr("The two do not agree.")))
        card.body.addWidget(Muted(tr("As of {time}.", time=utc(answer.at))))
        for remark in answer.remarks:
            card.body.addWidget(PhraseLabel(remark, size=theme.SMALL, tone="muted"))
        self._show(banner, card)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, answer.headline.plain))

    def _show(self, *widgets: QWidget) -> None:
        clear_layout(self._result)
        for widget in widgets:
            self._result.addWidget(widget)
            widget.show()
        QTimer.singleShot(0, self, self._reveal)

    def _reveal(self) -> None:
        """Once it has its place: the answer from its beginning, as much of it as fits."""
        widget, content = next(iter(parts(self._result)), None), self._scroller.widget()
        if isinstance(widget, QWidget) and content is not None:
            content.adjustSize()
            self._scroller.verticalScrollBar().setValue(widget.mapTo(content, QPoint(0, 0)).y() - theme.space(1))


def node_of(context: Context, chain_id: int) -> tuple[Node | None, str]:
    """The node of a network, or None and why there is none. For the worker."""
    try:
        return context.chains.node(chain_id), ""
    except ChainError as error:
        return None, error.text


def _title(choice: Choice) -> str:
    function = choice.function
    what = (
        visible(function.signature or str(function.selector))
        if function
        else tr("a payment")
        if choice.target is None
        else tr("any function")
    )
    return f"{what} · {short_address(str(choice.target)) if choice.target else 'any contract'}"


def _counted(unit: Unit) -> str:
    if unit.decimals:
        return tr("In {symbol}, such as 0.25.", symbol=unit.name)
    return tr("In base units: this token is not on Latchkey's list, so its decimals are not known.")


def _example(kind: str) -> str:
    if kind.endswith("]") or kind.startswith("("):
        return "[…]"
    if kind.startswith(("uint", "int")):
        return "250000"
    return {"address": "0x…", "bool": "yes or no", "string": "text"}.get(kind, "0x…")
