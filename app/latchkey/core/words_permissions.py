"""One permission by itself, in a line: what a request asks and what is given instead stand beside each other in these words."""

from __future__ import annotations

from collections.abc import Sequence

from latchkey.core.moments import until
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Permission,
)
from latchkey.core.phrases import Part, Phrase
from latchkey.core.powers import PLAIN_PAYMENT, is_payment
from latchkey.core.types import Selector
from latchkey.core.words_pieces import Names, address_part, phrase, say, strong
from latchkey.language import tr


def describe_permission(permission: Permission, names: Names) -> Phrase:
    """What it allows or limits. Alone it is not what the chain enforces: only all permissions together say what a key can do."""
    match permission:
        case NativeTokenTransfer(allowance):
            return say("{up_to} with its calls", up_to=_up_to(allowance, names))
        case GasLimit(limit):
            return say("{up_to} for gas", up_to=_up_to(limit, names))
        case Erc20TokenTransfer():
            return say("up to {permission}, transferred or approved", permission=names.token(permission))
        case ContractAccess(address):
            return say("{any_function} of {address}", any_function=strong(tr("any function")), address=names.named(address))
        case FunctionsOnContract(address, functions) if is_payment(permission):
            return say("plain payments to {address}", address=names.named(address))
        case FunctionsOnContract(address, functions):
            return say("{functions} on {address}", functions=_functions(functions, names), address=names.named(address))
        case FunctionsOnAllContracts(functions):
            return _anywhere(functions, names)
        case AccountFunctions(functions):
            return say(
                "{functions} of {your_account}",
                functions=_functions(functions, names),
                your_account=strong(tr("your account itself")),
            )
        case PaymasterGuard(paymaster):
            return say("operations only with paymaster {paymaster}", paymaster=address_part(paymaster))
    return phrase(strong(tr("everything you can do with your account")))


def describe_end(expiry: int | None, now: int) -> Phrase:
    """`expiry`: chain seconds, 0 for never, None for left open."""
    if expiry is None:
        return say("no end named")
    return say("until {until}", until=strong(until(expiry, now))) if expiry else phrase(strong(tr("for ever")))


def _up_to(wei: int, names: Names) -> list[Part]:
    return [*say("up to {wei}", wei=names.coins(wei)).parts] if wei else [Part(tr("no {coin}", coin=names.coin))]


def _functions(functions: Sequence[Selector], names: Names) -> list[Part]:
    return names.functions(functions) if functions else [Part(tr("no function"))]


def _anywhere(functions: Sequence[Selector], names: Names) -> Phrase:
    calls = [s for s in functions if s != PLAIN_PAYMENT]
    pays = [*say("plain payments to {anyone}", anyone=strong(tr("anyone"))).parts] if PLAIN_PAYMENT in functions else []
    both = [Part("; ")] if pays and calls else []
    return phrase(
        pays,
        both,
        [*say("{functions} on {any_contract}", functions=_functions(calls, names), any_contract=strong(tr("any contract"))).parts]
        if calls or not pays
        else [],
    )
