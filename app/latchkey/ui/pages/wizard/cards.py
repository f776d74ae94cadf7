"""One permission on the scope page: its blanks, where it comes from, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QWidget

from latchkey.core.amounts import GWEI, WEI, Unit, format_amount, parse_amount
from latchkey.core.forms import EXPERT_KINDS, Form, blanks_of
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.powers import PLAIN_PAYMENT
from latchkey.core.tokens import tokens
from latchkey.core.types import Address
from latchkey.core.words_permissions import describe_permission
from latchkey.core.words_pieces import Names
from latchkey.errors import BadInput
from latchkey.flow import wizard
from latchkey.flow.naming import remark_on
from latchkey.flow.wizard import Origin
from latchkey.language import tr
from latchkey.ui import theme
from latchkey.ui.pages.wizard.functions import FunctionPicker
from latchkey.ui.pages.wizard.step_page import View, beside, names_of, show_fault, show_text
from latchkey.ui.widgets import Banner, Chip, ComboBox, Field, Icon, Label, PhraseLabel, line_edit, link, quiet, secondary
from latchkey.ui.widgets import Card as Surface


@dataclass(frozen=True, slots=True)
class Look:
    """How a kind of permission presents itself. `meaning`: what it lets the key do, one sentence. `address`: label of that blank."""

    title: str
    icon: str
    meaning: str
    address: str = ""
    amount: str = ""


#: `{coin}` stands for the network's own coin.
LOOKS: dict[str, Look] = {
    "functions-on-contract": Look(
        tr("Functions of one contract"), "contract", tr("Call the functions you name, on one contract."), tr("&Contract")
    ),
    "contract-access": Look(tr("All of one contract"), "contract", tr("Call any function of one contract."), tr("&Contract")),
    "erc20-token-transfer": Look(
        tr("One token, up to a total"),
        "token",
        tr("Transfer or approve one token, up to a total."),
        tr("&Token contract"),
        tr("&Total"),
    ),
    "native-token-transfer": Look(
        tr("{coin} with its calls"), "token", tr("Send {coin}, or attach it to calls, up to a total."), "", tr("&Total")
    ),
    "gas-limit": Look(
        tr("{coin} for gas"), "gas", tr("Pay for its own operations from your account, up to a total."), "", tr("&Total")
    ),
    "functions-on-all-contracts": Look(
        tr("Functions of every contract"), "warning", tr("Call the functions you name, on any contract there is.")
    ),
    "account-functions": Look(
        tr("Functions of your account itself"), "warning", tr("Call the functions of the account that you name.")
    ),
    "paymaster-guard": Look(
        tr("Only with one paymaster"), "shield", tr("Hold the key to operations that one paymaster pays for."), tr("&Paymaster")
    ),
    "root": Look(
        tr("Everything (root)"), "warning", tr("Do all that you can do. No limit holds it, and it can take the account from you.")
    ),
}
PAYMENT = "payment"
LOOKS[PAYMENT] = Look(
    tr("Payments to one address"),
    "token",
    tr("Send plain payments to one address, and call nothing else there."),
    tr("&Address to pay"),
)
_ORIGINS = {Origin.ASKED: (tr("asked for"), "accent"), Origin.CAREFUL: (tr("added by Latchkey"), "good")}


#: What was asked can be narrowed to another kind of permission, and back: (kind now, kind asked) -> the other kind, and what to call it.
_SWITCHES = {
    ("contract-access", "contract-access"): ("functions-on-contract", tr("Only some of its functions…")),
    ("functions-on-contract", "contract-access"): ("contract-access", tr("All of its functions, as asked")),
    ("functions-on-all-contracts", "functions-on-all-contracts"): ("functions-on-contract", tr("Only on one contract…")),
    ("functions-on-contract", "functions-on-all-contracts"): ("functions-on-all-contracts", tr("On every contract, as asked")),
}


class PermissionCard(Surface):
    """`edited(form)` when the person changes it, `removed()` when they take it away."""

    edited = Signal(object)
    removed = Signal()

    def __init__(self, kind: str, *, bare: bool = False, look: str = "") -> None:
        """`bare`: only the blanks, for a place that says itself what they are of. `look`: see `look_name`."""
        super().__init__()
        self._kind, self._form, self._bare, self._other = kind, Form(kind), bare, kind
        blanks = blanks_of(kind)
        self._blanks = replace(blanks, functions=None) if look == PAYMENT else blanks
        self._look = LOOKS[look or kind]
        self._chain_id: int | None = None
        self._build()

    def _build(self) -> None:
        self._title = Label(wrap=False)
        self._title.setFont(theme.font(weight=theme.font().Weight.DemiBold))
        self._chip = Chip()
        self._remove = self.tab_last = quiet("", self.removed.emit, icon_name="trash", name=tr("Remove this permission"))
        head = QHBoxLayout()
        head.setSpacing(theme.space(1))
        tone = "warn" if self._look.icon == "warning" else "accent"
        head_widgets: tuple[QWidget, ...] = (Icon(self._look.icon, tone), self._title, self._chip, self._remove)
        for widget in head_widgets[:3]:
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self._remove)
        self.body.addLayout(head)
        self._note = PhraseLabel(size=theme.SMALL, tone="muted")
        self.body.addWidget(self._note)
        if self._bare:
            self.setProperty("surface", "")
            self.body.setContentsMargins(0, 0, 0, 0)
            self._note.hide()
            for widget in head_widgets:
                widget.hide()
        if self._blanks.address:
            self._address = Field(self._look.address, line_edit(placeholder="0x…", mono=True, limit=64))
            self._address.editor.textEdited.connect(lambda text: self._edit(address=text))
            self._address.editor.editingFinished.connect(lambda: self.edited.emit(self._form))
            self._tokens = secondary(tr("Known tokens"))
            self._tokens.setAccessibleName(tr("Known tokens: choose one that Latchkey knows"))
            menu = QMenu(self._tokens)
            menu.aboutToShow.connect(partial(self._fill_tokens, menu))
            self._tokens.setMenu(menu)
            self.body.addLayout(beside(self._address, self._tokens))
        if self._blanks.amount:
            self._build_amount()
        if self._blanks.functions:
            self._picker = FunctionPicker()
            self._picker.changed.connect(lambda functions, pasted: self._edit(functions=functions, pasted=pasted))
            self.body.addWidget(self._picker)
        self._switch = link(tr("Another kind"), self._switch_kind)
        self.body.addWidget(self._switch, 0, Qt.AlignmentFlag.AlignLeft)
        self._fault = Banner("danger")
        self._fault.hide()
        self.body.addWidget(self._fault)

    def _build_amount(self) -> None:
        self._unit = ComboBox()
        self._unit.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._unit.currentIndexChanged.connect(self._unit_chosen)
        editor = line_edit(placeholder="0", limit=100)
        editor.textEdited.connect(lambda text: self._edit(amount=text))
        editor.editingFinished.connect(lambda: self.edited.emit(self._form))
        self._amount = Field(self._look.amount, editor)
        self._unit.setAccessibleName(tr("Unit of the {lower}", lower=self._look.amount.replace("&", "").lower()))
        self.body.addLayout(beside(self._amount, self._unit))

    # --- drawing

    def show_card(self, card: wizard.Card, view: View) -> None:
        self._form = card.form
        coin = wizard.coin_of(view.state)
        title = self._look.title.format(coin=coin)
        self._title.setText(title)
        self.setAccessibleName(title)
        text, tone = _ORIGINS.get(card.origin, ("", "muted"))
        if card.form.kind in EXPERT_KINDS:
            text, tone = (tr("experts only") if not text else tr("{text}, experts only", text=text)), "warn"
        self._chip.set_state(text, tone)
        self._chip.setVisible(bool(text) and not self._bare)
        self._remove.setVisible(wizard.removable(card) and not self._bare)
        self._remove.setAccessibleName(tr("Remove: {title}", title=title))
        self._note.set_phrase(_note(card, view, self._look, coin))
        other = _SWITCHES.get((self._kind, card.asked.type)) if card.asked is not None else None
        self._other = other[0] if other else self._kind
        self._switch.setVisible(other is not None)
        if other is not None:
            self._switch.setText(other[1])
            self._switch.setAccessibleName(other[1])
        if self._blanks.address:
            self._show_address(card, view)
        if self._blanks.amount:
            self._show_amount(card, view, coin)
        if self._blanks.functions:
            asked = wizard.asked_form(view.state.claims, card.asked).functions if card.asked is not None else ()
            self._picker.show_functions(asked, card.form.functions, card.form.pasted)
            self._picker.show_contract(wizard.chain_of(view.state), _address_of(card.form), view)
            show_fault(self._picker.field, view.fault(".functions", card=card.id), attempted=view.attempted)
        self._show_rest(card, view)

    def _show_address(self, card: wizard.Card, view: View) -> None:
        editor = self._address.editor
        show_text(editor, card.form.address)
        editor.setReadOnly(getattr(card.asked, self._blanks.address or "", None) is not None)
        address = _address_of(card.form)
        is_token = card.form.kind == "erc20-token-transfer"
        self._address.set_hint(remark_on(names_of(view), address, is_token=is_token) if address else "")
        self._chain_id = wizard.chain_of(view.state)
        self._tokens.setVisible(is_token and not editor.isReadOnly() and bool(tokens(self._chain_id or 0)))
        show_fault(self._address, view.fault(f".{self._blanks.address}", card=card.id), attempted=view.attempted)

    def _show_amount(self, card: wizard.Card, view: View, coin: str) -> None:
        units = _units(card.form, view, coin)
        self._unit.blockSignals(True)
        if [self._unit.itemData(i) for i in range(self._unit.count())] != [u.decimals for u in units]:
            self._unit.clear()
            for unit in units:
                self._unit.addItem(unit.name, unit.decimals)
        self._unit.setCurrentIndex(max(self._unit.findData(card.form.decimals), 0))
        self._unit.setEnabled(len(units) > 1)
        self._unit.blockSignals(False)
        show_text(self._amount.editor, card.form.amount)
        self._amount.set_hint(_amount_hint(card, units, names_of(view)))
        show_fault(self._amount, view.fault(f".{self._blanks.amount}", card=card.id), attempted=view.attempted)

    def _show_rest(self, card: wizard.Card, view: View) -> None:
        """Faults that belong to no blank of their own, or whose blank has nowhere to show them."""
        typed = self._blanks.functions if not getattr(card.asked, "functions", ()) else None
        shown = {self._blanks.address, self._blanks.amount, typed} - {None}
        texts = [p.text for p in view.problems if p.card == card.id and view.shows(p) and p.path.rsplit(".", 1)[-1] not in shown]
        self._fault.setVisible(bool(texts))
        if texts:
            self._fault.set("danger", texts[0])

    def first(self) -> QWidget:
        """The first blank, else the button that removes the card."""
        if self._blanks.address and not self._address.editor.isReadOnly():
            return self._address.editor
        if self._blanks.amount:
            return self._amount.editor
        if self._blanks.functions:
            return self._picker.first()
        return self._switch if self._switch.isVisibleTo(self) else self._remove

    # --- changes

    def _edit(self, **fields: object) -> None:
        self._form = replace(self._form, **fields)  # type: ignore[arg-type]
        self.edited.emit(self._form)

    def _switch_kind(self) -> None:
        """A list of functions is kept only where the other kind has one too."""
        kept = self._form.functions if blanks_of(self._kind).functions and blanks_of(self._other).functions else ()
        self._edit(kind=self._other, functions=kept, pasted="")

    def _fill_tokens(self, menu: QMenu) -> None:
        menu.clear()
        for token in tokens(self._chain_id or 0):
            text = f"{token.symbol}   {token.name}" if token.name != token.symbol else token.symbol
            menu.addAction(text, partial(self._take_token, token.address))

    def _take_token(self, address: Address, _checked: bool = False) -> None:
        self._edit(address=str(address))

    def _unit_chosen(self, index: int) -> None:
        self._edit(decimals=self._unit.itemData(index))


def _note(card: wizard.Card, view: View, look: Look, coin: str) -> Phrase:
    if card.origin is Origin.CAREFUL:
        return Phrase(
            (Part(tr("No {coin} leaves with its calls. Raise this only if the dApp needs {coin} to be paid.", coin=coin)),)
        )
    if card.origin is Origin.ASKED and card.asked is not None:
        asked = describe_permission(card.asked, names_of(view))
        return Phrase((Part(tr("Asked for: ")), *asked.parts, Part(tr(". You can narrow it, not widen it."))))
    return Phrase((Part(look.meaning.format(coin=coin)),))


def _units(form: Form, view: View, coin: str) -> tuple[Unit, ...]:
    if form.kind != "erc20-token-transfer":
        return Unit(coin, 18), GWEI, WEI
    return wizard.token_units(wizard.chain_of(view.state), _address_of(form))


def _address_of(form: Form) -> Address | None:
    try:
        return Address.parse(form.address.strip())
    except BadInput:
        return None


def _amount_hint(card: wizard.Card, units: tuple[Unit, ...], names: Names) -> str:
    """What the typed amount comes to, and what was asked."""
    unit = next((u for u in units if u.decimals == card.form.decimals), units[0])
    texts = []
    if card.asked is not None:
        asked = getattr(card.asked, blanks_of(card.form.kind).amount or "")
        texts.append(tr("Asked for: {amount} {unit_name}.", amount=format_amount(asked, unit), unit_name=unit.name))
    try:
        value = parse_amount(card.form.amount, unit)
    except BadInput:
        value = None
    if card.form.kind == "erc20-token-transfer":
        texts.append(_token_hint(value, unit, units, names, _address_of(card.form)))
    elif value and card.form.kind == "gas-limit":
        texts.append(tr("{value} wei: gas limits count money, not gas units.", value=value))
    return " ".join(filter(None, texts))


def _token_hint(value: int | None, unit: Unit, units: tuple[Unit, ...], names: Names, address: Address | None) -> str:
    if address is None:
        return ""
    if len(units) > 1:
        other = units[1] if unit == units[0] else units[0]
        return f"{format_amount(value, other)} {other.name}." if value else ""
    said = "".join(part.text for part in names.tokens(value, address) if part.style is Style.CLAIM).strip(" ()") if value else ""
    claim = f" {said[:1].upper()}{said[1:]}." if "calls this" in said else ""
    return tr("The smallest parts of the token: how many make one is not known for this address.{claim}", claim=claim)


def look_name(form: Form) -> str:
    """How a form presents itself: its kind, but for plain payments to one address."""
    payment = form.kind == "functions-on-contract" and [f.selector for f in form.functions] == [PLAIN_PAYMENT]
    return PAYMENT if payment else form.kind
