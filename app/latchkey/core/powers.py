"""What a set of permissions adds up to, as the chain enforces it. Words and rules both start from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from latchkey.core.contracts import ENTRY_POINT, ENTRY_POINT_FUNCTIONS, LIMIT_FUNCTIONS, MODULES, TAKEOVER_FUNCTIONS
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

_P = TypeVar("_P")

#: Functions that move or hand out tokens when called on a token (ERC-20, 721, 777, 1155, Permit2), by selector.
TOKEN_FUNCTIONS: dict[str, str] = {
    "0xa9059cbb": "transfer(address,uint256)",
    "0x23b872dd": "transferFrom(address,address,uint256)",
    "0x095ea7b3": "approve(address,uint256)",
    "0x39509351": "increaseAllowance(address,uint256)",
    "0xd505accf": "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
    "0xa22cb465": "setApprovalForAll(address,bool)",
    "0x42842e0e": "safeTransferFrom(address,address,uint256)",
    "0xb88d4fde": "safeTransferFrom(address,address,uint256,bytes)",
    "0xf242432a": "safeTransferFrom(address,address,uint256,uint256,bytes)",
    "0x2eb2c2d6": "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)",
    "0x42966c68": "burn(uint256)",
    "0x9dc29fac": "burn(address,uint256)",
    "0x79cc6790": "burnFrom(address,uint256)",
    "0x9bd9bbc6": "send(address,uint256,bytes)",
    "0x959b8c3f": "authorizeOperator(address)",
    "0x1296ee62": "transferAndCall(address,uint256)",
    "0x4000aea0": "transferAndCall(address,uint256,bytes)",
    "0x3177029f": "approveAndCall(address,uint256)",
    "0xcae9ca51": "approveAndCall(address,uint256,bytes)",
    "0x87517c45": "approve(address,address,uint160,uint48)",
    "0x36c78516": "transferFrom(address,address,uint160,address)",
    "0x2b67b570": "permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)",
    "0x8fcbaf0c": "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)",
    "0x62ad1b83": "operatorSend(address,address,uint256,bytes,bytes)",
}

#: Functions that pay out to an address among their arguments: whoever holds the key chooses it.
RECEIVER_FUNCTIONS: dict[str, str] = {
    "0x1e83409a": "claim(address)",
    "0xef5cfb8c": "claimRewards(address)",
    "0xbb492bf5": "claimAllRewards(address[],address)",
    "0x3111e7b3": "claimRewards(address[],uint256,address)",
    "0xfc6f7865": "collect((uint256,address,uint128,uint128))",
    "0xb858183f": "exactInput((bytes,address,uint256,uint256))",
    "0xc04b8d59": "exactInput((bytes,address,uint256,uint256,uint256))",
    "0x04e45aaf": "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))",
    "0x414bf389": "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
    "0x09b81346": "exactOutput((bytes,address,uint256,uint256))",
    "0xf28c0498": "exactOutput((bytes,address,uint256,uint256,uint256))",
    "0x5023b4df": "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint160))",
    "0xdb3e2198": "exactOutputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
    "0xfb3bdb41": "swapETHForExactTokens(uint256,address[],address,uint256)",
    "0x7ff36ab5": "swapExactETHForTokens(uint256,address[],address,uint256)",
    "0x18cbafe5": "swapExactTokensForETH(uint256,uint256,address[],address,uint256)",
    "0x38ed1739": "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
    "0x4a25d94a": "swapTokensForExactETH(uint256,uint256,address[],address,uint256)",
    "0x8803dbee": "swapTokensForExactTokens(uint256,uint256,address[],address,uint256)",
    "0xba087652": "redeem(uint256,address,address)",
    "0xb460af94": "withdraw(uint256,address,address)",
    "0x69328dec": "withdraw(address,uint256,address)",
    "0x205c2878": "withdrawTo(address,uint256)",
    "0xdf2ab5bb": "sweepToken(address,uint256,address)",
    "0x49404b7c": "unwrapWETH9(uint256,address)",
}

#: Functions that carry other calls inside them: an allowlist looks at the outer call only.
NESTING_FUNCTIONS: dict[str, str] = {
    "0xac9650d8": "multicall(bytes[])",
    "0x5ae401dc": "multicall(uint256,bytes[])",
    "0x1f0464d1": "multicall(bytes32,bytes[])",
    "0x252dba42": "aggregate((address,bytes)[])",
    "0x82ad56cb": "aggregate3((address,bool,bytes)[])",
    "0x174dea71": "aggregate3Value((address,bool,uint256,bytes)[])",
    "0xbce38bd7": "tryAggregate(bool,(address,bytes)[])",
    "0x399542e9": "tryBlockAndAggregate(bool,(address,bytes)[])",
    "0xc3077fa9": "blockAndAggregate((address,bytes)[])",
    "0x24856bc3": "execute(bytes,bytes[])",
    "0x3593564c": "execute(bytes,bytes[],uint256)",
    "0x6a761202": "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes)",
    "0xb61d27f6": "execute(address,uint256,bytes)",
    "0x34fcd5be": "executeBatch((address,uint256,bytes)[])",
}

PLAIN_PAYMENT = Selector("0x00000000")


@dataclass(frozen=True, slots=True)
class Powers:
    """What is in force, not what is written: `contracts` has each address once, `tokens` too; a token's limit stands for all that may
    be called on it (the chain lets nothing but transfer and approve through), so such a token is not among the contracts.

    `native` and `gas`: wei, None when no limit is enforced. `shut`: contracts listed without any function, which nothing may call.
    """

    is_root: bool
    native: int | None
    gas: int | None
    tokens: tuple[Erc20TokenTransfer, ...]
    contracts: tuple[ContractAccess | FunctionsOnContract, ...]
    anywhere: tuple[Selector, ...]
    account_functions: tuple[Selector, ...]
    paymaster: Address | None
    shut: tuple[Address, ...] = ()

    @property
    def may_call(self) -> bool:
        """Some contract can be called at all."""
        return self.is_root or bool(self.tokens or self.contracts or self.anywhere)

    @property
    def may_act(self) -> bool:
        return self.may_call or self.account_functions_work

    @property
    def account_functions_work(self) -> bool:
        """A token limit makes the account refuse everything but execute and executeBatch."""
        return bool(self.account_functions) and not self.tokens

    @property
    def eth_unlimited(self) -> bool:
        """ETH can leave with calls without any limit. Gas is another matter."""
        return self.may_call and self.native is None

    @property
    def gas_unlimited(self) -> bool:
        return self.gas is None and self.paymaster is None and self.may_act

    @property
    def named(self) -> tuple[Selector, ...]:
        """Functions named for a contract."""
        return tuple(s for c in self.contracts if isinstance(c, FunctionsOnContract) for s in c.functions)

    @property
    def paid(self) -> tuple[Address, ...]:
        """Addresses to which plain payments may be made and nothing else."""
        return tuple(c.address for c in self.contracts if is_payment(c))

    @property
    def lifts_limits(self) -> bool:
        """It reaches the modules that hold its own limits, or functions that hand the account over."""
        return (
            any(c.address in MODULES for c in self.contracts)
            or any(s in LIMIT_FUNCTIONS for s in self.anywhere)
            or (self.account_functions_work and any(s in TAKEOVER_FUNCTIONS for s in self.account_functions))
        )

    @property
    def reaches_entry_point(self) -> bool:
        return any(c.address == ENTRY_POINT for c in self.contracts) or any(s in ENTRY_POINT_FUNCTIONS for s in self.anywhere)


def is_payment(contract: ContractAccess | FunctionsOnContract) -> bool:
    """Only plain payments: on a listed contract, calls whose data begins with four zero bytes. A person's address takes them; so
    does a contract that takes any call, and no function is meant by them."""
    return isinstance(contract, FunctionsOnContract) and contract.functions == (PLAIN_PAYMENT,)


def powers_of(permissions: Sequence[Permission], *, is_global: bool = False) -> Powers:
    """Sum up permissions as the chain does: functions add up, of two limits in one place the later one stands."""

    sorted_: dict[type, list[Any]] = {}
    for permission in permissions:
        sorted_.setdefault(type(permission), []).append(permission)

    def kind(cls: type[_P]) -> list[_P]:
        return sorted_.get(cls, [])

    tokens = {p.address: p for p in kind(Erc20TokenTransfer)}
    listed = _listed(permissions)
    return Powers(
        is_root=is_global or bool(kind(Root)),
        native=next((p.allowance for p in reversed(kind(NativeTokenTransfer))), None),
        gas=next((p.limit for p in reversed(kind(GasLimit))), None),
        tokens=tuple(tokens.values()),
        contracts=tuple(p for p in listed.values() if p.address not in tokens and _opens(p)),
        anywhere=_once(s for p in kind(FunctionsOnAllContracts) for s in p.functions),
        account_functions=_once(s for p in kind(AccountFunctions) for s in p.functions),
        paymaster=next((p.paymaster for p in reversed(kind(PaymasterGuard))), None),
        shut=tuple(p.address for p in listed.values() if p.address not in tokens and not _opens(p)),
    )


def _listed(permissions: Sequence[Permission]) -> dict[Address, ContractAccess | FunctionsOnContract]:
    """Each contract once: whether it has a list of functions is as the last entry says, the lists of all entries add up."""
    found: dict[Address, ContractAccess | FunctionsOnContract] = {}
    lists: dict[Address, list[Selector]] = {}
    for permission in permissions:
        if isinstance(permission, FunctionsOnContract):
            functions = lists.setdefault(permission.address, [])
            functions += permission.functions
            found[permission.address] = FunctionsOnContract(permission.address, _once(functions))
        elif isinstance(permission, ContractAccess):
            found[permission.address] = permission
    return found


def _opens(permission: ContractAccess | FunctionsOnContract) -> bool:
    return isinstance(permission, ContractAccess) or bool(permission.functions)


def _once(selectors: Iterable[Selector]) -> tuple[Selector, ...]:
    return tuple(dict.fromkeys(selectors))


def install_gas(powers: Powers, *, expires: bool) -> int:
    """Gas units the first operation (which installs the session) needs, roughly: measured tables of the protocol notes, rounded up."""
    entries = len(powers.contracts) + bool(powers.anywhere)
    selectors = sum(len(c.functions) for c in powers.contracts if isinstance(c, FunctionsOnContract)) + len(powers.anywhere)
    parts = 430_000 + 60_000 * expires + 75_000 * (powers.native is not None) + 57_000 * (powers.gas is not None)
    return parts + 57_000 * entries + 27_000 * selectors + 190_000 * len(powers.tokens)
