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
from latchkey.core.words_pieces import Names, address_part, phrase, strong


def describe_permission(permission: Permission, names: Names) -> Phrase:
    """What it allows or limits. Alone it is not what the chain enforces: only all permissions together say what a key can do."""
    match permission:
        case NativeTokenTransfer(allowance):
            return phrase(_up_to(allowance, names), " with its calls")
        case GasLimit(limit):
            return phrase(_up_to(limit, names), " for gas")
        case Erc20TokenTransfer():
            return phrase("up to ", names.token(permission), ", transferred or approved")
        case ContractAccess(address):
            return phrase(strong("any function"), " of ", names.named(address))
        case FunctionsOnContract(address, functions) if is_payment(permission):
            return phrase("plain payments to ", names.named(address))
        case FunctionsOnContract(address, functions):
            return phrase(_functions(functions, names), " on ", names.named(address))
        case FunctionsOnAllContracts(functions):
            return _anywhere(functions, names)
        case AccountFunctions(functions):
            return phrase(_functions(functions, names), " of ", strong("your account itself"))
        case PaymasterGuard(paymaster):
            return phrase("operations only with paymaster ", address_part(paymaster))
    return phrase(strong("everything you can do with your account"))


def describe_end(expiry: int | None, now: int) -> Phrase:
    """`expiry`: chain seconds, 0 for never, None for left open."""
    if expiry is None:
        return phrase("no end named")
    return phrase("until ", strong(until(expiry, now))) if expiry else phrase(strong("for ever"))


def _up_to(wei: int, names: Names) -> list[Part]:
    return [Part("up to "), names.coins(wei)] if wei else [Part(f"no {names.coin}")]


def _functions(functions: Sequence[Selector], names: Names) -> list[Part]:
    return names.functions(functions) if functions else [Part("no function")]


def _anywhere(functions: Sequence[Selector], names: Names) -> Phrase:
    calls = [s for s in functions if s != PLAIN_PAYMENT]
    pays = [Part("plain payments to "), strong("anyone")] if PLAIN_PAYMENT in functions else []
    both = [Part("; ")] if pays and calls else []
    return phrase(pays, both, [*_functions(calls, names), Part(" on "), strong("any contract")] if calls or not pays else [])
