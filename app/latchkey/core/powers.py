"""What a set of permissions adds up to, as the chain enforces it. Words and rules both start from here."""

from __future__ import annotations

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
}

#: Functions that carry other calls inside them: an allowlist looks at the outer call only.
NESTING_FUNCTIONS: dict[str, str] = {
    "0xac9650d8": "multicall(bytes[])",
    "0x5ae401dc": "multicall(uint256,bytes[])",
    "0x1f0464d1": "multicall(bytes32,bytes[])",
    "0x252dba42": "aggregate((address,bytes)[])",
    "0x82ad56cb": "aggregate3((address,bool,bytes)[])",
    "0x3593564c": "execute(bytes,bytes[],uint256)",
    "0xb61d27f6": "execute(address,uint256,bytes)",
    "0x34fcd5be": "executeBatch((address,uint256,bytes)[])",
}

PLAIN_PAYMENT = Selector("0x00000000")


@dataclass(frozen=True, slots=True)
class Powers:
    """`native` and `gas`: wei, None when no limit is enforced. `may_call`: some contract can be called at all."""

    is_root: bool
    native: int | None
    gas: int | None
    tokens: tuple[Erc20TokenTransfer, ...]
    contracts: tuple[ContractAccess | FunctionsOnContract, ...]
    anywhere: tuple[Selector, ...]
    account_functions: tuple[Selector, ...]
    paymaster: Address | None

    @property
    def may_call(self) -> bool:
        return self.is_root or bool(self.tokens or self.contracts or self.anywhere)

    @property
    def eth_unlimited(self) -> bool:
        """ETH can leave with calls without any limit. Gas is another matter."""
        return self.may_call and self.native is None

    @property
    def gas_unlimited(self) -> bool:
        return self.gas is None and self.paymaster is None


def powers_of(permissions: tuple[Permission, ...], *, is_global: bool = False) -> Powers:
    """Sum up permissions. With several limits of one kind the smallest amount binds, so that one is taken."""

    def kind(cls: type) -> list:  # type: ignore[type-arg]
        return [p for p in permissions if isinstance(p, cls)]

    return Powers(
        is_root=is_global or bool(kind(Root)),
        native=min((p.allowance for p in kind(NativeTokenTransfer)), default=None),
        gas=min((p.limit for p in kind(GasLimit)), default=None),
        tokens=tuple(kind(Erc20TokenTransfer)),
        contracts=tuple(p for p in permissions if isinstance(p, ContractAccess | FunctionsOnContract)),
        anywhere=tuple(s for p in kind(FunctionsOnAllContracts) for s in p.functions),
        account_functions=tuple(s for p in kind(AccountFunctions) for s in p.functions),
        paymaster=next((p.paymaster for p in kind(PaymasterGuard)), None),
    )


def install_gas(powers: Powers, *, expires: bool) -> int:
    """Gas units the first operation (which installs the session) needs, roughly: measured tables of the protocol notes, rounded up."""
    entries = len(powers.contracts) + bool(powers.anywhere)
    selectors = sum(len(c.functions) for c in powers.contracts if isinstance(c, FunctionsOnContract)) + len(powers.anywhere)
    parts = 430_000 + 60_000 * expires + 75_000 * (powers.native is not None) + 57_000 * (powers.gas is not None)
    return parts + 57_000 * entries + 27_000 * selectors + 190_000 * len(powers.tokens)
