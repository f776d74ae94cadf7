"""Is what was chosen narrower than what was asked? A request is a proposal: it may be cut down, never widened.

Judged by power, not by the list: taking a limit away widens, and so does taking away a contract's list of functions where
"functions on all contracts" then reaches that contract. Powers are read as allowlists work: a listed contract answers to its own list
alone, every other contract to the functions allowed everywhere; a token's total, the ETH total and the gas total cut across both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
    Root,
)
from latchkey.core.types import Address, Selector
from latchkey.errors import Refused
from latchkey.language import tr

APPROVE, TRANSFER = Selector.parse("0x095ea7b3"), Selector.parse("0xa9059cbb")
PLAIN = Selector.parse("0x00000000")  # among functions on all contracts it also stands for calls without data


@dataclass(frozen=True, slots=True)
class Widening:
    """One way in which the chosen goes beyond the asked. `path`: the chosen field that does it, "permissions" where none stands."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The measure: `expiry` in seconds, 0 for never, None where the request leaves it open."""

    permissions: tuple[Permission, ...]
    expiry: int | None = None


def is_narrower(asked: Asked, permissions: Sequence[Permission], expiry: int) -> bool:
    """True when every power chosen was asked for; equal counts as narrower."""
    return not widenings(asked, permissions, expiry)


def check_narrower(asked: Asked, permissions: Sequence[Permission], expiry: int) -> None:
    """Raise Refused (code "Wider") for the first widening."""
    for widening in widenings(asked, permissions, expiry):
        raise Refused(widening.sentence, code="Wider", path=widening.path)


def widenings(asked: Asked, permissions: Sequence[Permission], expiry: int) -> tuple[Widening, ...]:
    """Every widening, in the order of the chosen permissions, then limits left out, then the expiry."""
    found = list(_powers(asked.permissions, permissions))
    if asked.expiry and (not expiry or expiry > asked.expiry):
        found.append(Widening("expiry", tr("The key would live longer than the request asked for.")))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Powers:
    """`listed`: contract -> its functions, None for all. `anywhere`: functions on contracts that are not listed."""

    root: bool
    listed: dict[Address, frozenset[Selector] | None]
    anywhere: frozenset[Selector]
    account: frozenset[Selector]
    tokens: dict[Address, int]
    native: int | None
    gas: int | None
    paymaster: Address | None

    @property
    def calls(self) -> bool:
        return bool(self.root or self.listed or self.anywhere)

    def reaches(self, address: Address) -> bool:
        own = self.listed.get(address, self.anywhere)
        return own is None or bool(own)


def _read(permissions: Sequence[Permission]) -> _Powers:
    """As a chain would: functions add up, a later limit replaces an earlier one, a contract listed whole stays whole."""
    listed: dict[Address, frozenset[Selector] | None] = {}
    anywhere: frozenset[Selector] = frozenset()
    account: frozenset[Selector] = frozenset()
    tokens: dict[Address, int] = {}
    root, native, gas, paymaster = False, None, None, None
    for permission in permissions:
        match permission:
            case Root():
                root = True
            case ContractAccess(address):
                listed[address] = None
            case FunctionsOnContract(address, functions):
                _add(listed, address, functions)
            case Erc20TokenTransfer(address, allowance):
                _add(listed, address, (APPROVE, TRANSFER))
                tokens[address] = allowance
            case FunctionsOnAllContracts(functions):
                anywhere |= set(functions)
            case AccountFunctions(functions):
                account |= set(functions)
            case NativeTokenTransfer(allowance):
                native = allowance
            case GasLimit(limit):
                gas = limit
            case PaymasterGuard(address):
                paymaster = address
    return _Powers(root, listed, anywhere, account, tokens, native, gas, paymaster)


def _add(listed: dict[Address, frozenset[Selector] | None], address: Address, functions: Sequence[Selector]) -> None:
    before = listed.get(address, frozenset())
    if before is not None:
        listed[address] = before | set(functions)


def _powers(asked: Sequence[Permission], chosen: Sequence[Permission]) -> Iterator[Widening]:
    wanted, given = _read(asked), _read(chosen)
    if wanted.root:
        return
    for index, permission in enumerate(chosen):
        yield from _one(wanted, permission, f"permissions[{index}]")
    yield from _left_out(wanted, given)


def _one(wanted: _Powers, permission: Permission, path: str) -> Iterator[Widening]:
    match permission:
        case Root():
            yield Widening(path, tr("Full control was not asked for."))
        case ContractAccess(address):
            if wanted.listed.get(address, frozenset()) is not None:
                yield Widening(f"{path}.data.address", tr("The request does not ask for every function of this contract."))
        case FunctionsOnContract(address, functions):
            allowed = wanted.listed.get(address, wanted.anywhere)
            if allowed is not None and not allowed.issuperset(functions):
                yield Widening(
                    f"{path}.data.functions", tr("The request does not ask for one of these functions on this contract.")
                )
        case FunctionsOnAllContracts(functions):
            if not wanted.anywhere.issuperset(functions):
                yield Widening(
                    f"{path}.data.functions", tr("The request does not ask for one of these functions on all contracts.")
                )
        case AccountFunctions(functions):
            if not wanted.account.issuperset(functions):
                yield Widening(f"{path}.data.functions", tr("The request does not ask for one of these functions of the account."))
        case Erc20TokenTransfer(address, allowance):
            yield from _token(wanted, address, allowance, path)
        case NativeTokenTransfer(allowance):
            if wanted.native is not None and allowance > wanted.native:
                yield Widening(f"{path}.data.allowance", tr("This is more ETH than the request asks for."))
        case GasLimit(limit):
            if wanted.gas is not None and limit > wanted.gas:
                yield Widening(f"{path}.data.limit", tr("This is more gas than the request asks for."))


def _token(wanted: _Powers, address: Address, allowance: int, path: str) -> Iterator[Widening]:
    allowed = wanted.listed.get(address, wanted.anywhere)
    if allowed is not None and not allowed.issuperset((APPROVE, TRANSFER)):
        yield Widening(f"{path}.data.address", tr("The request does not ask to move this token."))
    elif address in wanted.tokens and allowance > wanted.tokens[address]:
        yield Widening(f"{path}.data.allowance", tr("This is more of the token than the request asks for."))


def _left_out(wanted: _Powers, given: _Powers) -> Iterator[Widening]:
    """Limits of the request that the chosen no longer has although they would still bite."""
    if given.calls and not given.root and wanted.native is not None and given.native is None:
        yield Widening("permissions", tr("The request's limit on ETH is missing; without it the key could spend all of it."))
    if wanted.gas is not None and given.gas is None:
        yield Widening(
            "permissions", tr("The request's limit on gas is missing; without it the key could spend any amount on gas.")
        )
    if wanted.paymaster is not None and given.paymaster != wanted.paymaster:
        yield Widening("permissions", tr("The request binds the key to one paymaster; that cannot be taken away or changed."))
    for address in wanted.tokens:
        if address not in given.tokens and given.reaches(address):
            yield Widening("permissions", tr("A token's limit is missing although the key could still move that token."))
    for address, own in wanted.listed.items():
        replaced = own is not None and address not in given.listed and address not in wanted.tokens
        if replaced and not given.anywhere <= (own or frozenset()) - {PLAIN}:
            yield Widening(
                "permissions",
                tr(
                    "Without its own list of functions, a contract of the request would answer to the functions allowed on all contracts."
                ),
            )
