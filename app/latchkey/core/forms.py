"""A permission while it is being written: the words as typed, blanks included, so that nothing typed is ever lost.

`read_form` turns it into a permission or says which blank is wrong, with the same paths as a permission in JSON has; `form_of` is
its inverse. Presets are lists of forms.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from latchkey.core.amounts import ETH, Unit, format_amount, natural_unit, parse_amount
from latchkey.core.functions import Function, known_signature, offered_signature
from latchkey.core.permissions import (
    KINDS,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
    Root,
)
from latchkey.core.types import Address, Selector
from latchkey.errors import BadInput
from latchkey.language import tr

_ADDRESS_FIELDS, _AMOUNT_FIELDS, _FUNCTIONS_FIELD = ("address", "paymaster"), ("allowance", "limit"), "functions"


@dataclass(frozen=True, slots=True)
class Form:
    """`kind`: a permission's JSON type. `decimals`: the unit the amount is typed in, 0 for base units. `pasted`: text in the function
    field that was not added yet."""

    kind: str
    address: str = ""
    amount: str = ""
    decimals: int = 0
    functions: tuple[Function, ...] = ()
    pasted: str = ""


@dataclass(frozen=True, slots=True)
class Blanks:
    """Names of the fields a kind has, as in its JSON; None where it has no such field."""

    address: str | None
    amount: str | None
    functions: str | None


def blanks_of(kind: str) -> Blanks:
    names = {field.name for field in fields(KINDS[kind])}

    def first(candidates: tuple[str, ...]) -> str | None:
        return next((name for name in candidates if name in names), None)

    return Blanks(first(_ADDRESS_FIELDS), first(_AMOUNT_FIELDS), first((_FUNCTIONS_FIELD,)))


def read_form(form: Form, path: str = "") -> Permission:
    """The permission a form stands for. Raises BadInput for its first wrong or empty blank; `.path` as in the permission's JSON."""
    blanks, where = blanks_of(form.kind), f"{path}.data." if path else "data."
    values: dict[str, object] = {}
    if blanks.address:
        values[blanks.address] = _address(form, where + blanks.address)
    if blanks.amount:
        values[blanks.amount] = parse_amount(form.amount, Unit(tr("base units"), form.decimals), path=where + blanks.amount)
    if blanks.functions:
        values[blanks.functions] = _functions(form, where + blanks.functions)
    permission: Permission = KINDS[form.kind](**values)
    return permission


def form_of(permission: Permission, *, decimals: int = 0, offered: tuple[str, ...] = ()) -> Form:
    """The form that reads back as `permission`; `decimals` is the unit for a token's amount, `offered` signatures the sender named."""
    blanks = blanks_of(permission.type)
    amount, unit = getattr(permission, blanks.amount or "", None), Unit("", decimals)
    if isinstance(permission, NativeTokenTransfer | GasLimit):
        unit = natural_unit(amount or 0)
    return Form(
        kind=permission.type,
        address=str(getattr(permission, blanks.address)) if blanks.address else "",
        amount="" if amount is None else format_amount(amount, unit),
        decimals=unit.decimals,
        functions=named(getattr(permission, _FUNCTIONS_FIELD), offered) if blanks.functions else (),
    )


def named(selectors: tuple[Selector, ...], offered: tuple[str, ...] = ()) -> tuple[Function, ...]:
    """Selectors with the names that are known for them, else those offered for them."""
    return tuple(Function(s, known_signature(s) or offered_signature(s, offered)) for s in selectors)


def blank(kind: str) -> Form:
    """A form to fill in: amounts of the network's coin in whole coins, amounts of tokens in base units."""
    return Form(kind, decimals=ETH.decimals if kind in (NativeTokenTransfer.type, GasLimit.type) else 0)


def no_eth() -> Form:
    """The careful default beside every scope: no ETH leaves with the key's calls."""
    return Form(NativeTokenTransfer.type, amount="0", decimals=ETH.decimals)


def is_scope(kind: str) -> bool:
    """Whether a kind says which calls may be made, so that ETH could be attached to them."""
    return kind in _SCOPES


_SCOPES = {"contract-access", FunctionsOnContract.type, FunctionsOnAllContracts.type, Erc20TokenTransfer.type}
EXPERT_KINDS = {Root.type, "account-functions", "paymaster-guard"}


def _address(form: Form, path: str) -> Address:
    text = form.address.strip()
    if not text:
        raise BadInput("Enter an address: 0x and 40 hexadecimal digits.", code="Blank", path=path)
    return Address.parse(text, path=path)


def _functions(form: Form, path: str) -> tuple[Selector, ...]:
    if form.pasted.strip():
        raise BadInput("Add the functions you typed, or clear the field.", code="NotAdded", path=path)
    if not form.functions:
        raise BadInput("Add at least one function.", code="Blank", path=path)
    return tuple(function.selector for function in form.functions)
