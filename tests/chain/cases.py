"""Every kind of permission and the combinations that matter: what a session with them may do on chain, and what it may not.

`allowed` are calls that succeed one after the other; `forbidden` are calls and how each is refused, in the order they are tried
after the allowed ones.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from latchkey.core.types import Selector
from tests.chain import abi
from tests.chain.stage import COUNT, ETHER, GAS, INCREMENT, RECEIVER, STRANGER
from tests.devnet.places import COIN, COUNTER, DOLLAR, GAME, NFT, PAYMASTER

MOVE, CLAIM, BUY = abi.call("move(uint8,uint8)", 3, 4), abi.call("claim()"), abi.call("buy()")
PRACTICE = abi.call("practice()")
DAY = 86_400

# How a validation hook, an execution hook and the account say no. `at`: the hook's entity id.
NOT_ALLOWED = "hook: AllowlistModule:1, AddressNotAllowed()"
NOT_THIS_FUNCTION = "hook: AllowlistModule:1, SelectorNotAllowed()"
NO_FUNCTION = "hook: AllowlistModule:1, NoSelectorSpecified()"
TOO_MANY_TOKENS = "limit: AllowlistModule:2147483648, ExceededTokenLimit()"
NOT_A_TRANSFER = "limit: AllowlistModule:2147483648, SelectorNotAllowed()"
SHORT_CALL = "limit: AllowlistModule:2147483648, InvalidCalldataLength()"
TOO_MUCH_ETH = "limit: NativeTokenLimitModule:1, ExceededNativeTokenLimit()"
TOO_MUCH_GAS = "hook: NativeTokenLimitModule:2147483648, ExceededNativeTokenLimit()"
NOT_APPLICABLE = "account: ValidationFunctionMissing({})"


@dataclass(frozen=True, slots=True)
class Case:
    """`expires_in`: seconds from the grant, 0 for never. `paymaster`: somebody else pays for gas."""

    name: str
    permissions: Sequence[Permission]
    allowed: Sequence[bytes]
    forbidden: Sequence[tuple[bytes, str]] = ()
    expires_in: int = 0
    paymaster: bool = False


def functions(*calldata: bytes) -> tuple[Selector, ...]:
    return tuple(Selector.from_bytes(c[:4]) for c in calldata)


def dollars(amount: int) -> bytes:
    return abi.execute(DOLLAR, 0, abi.transfer(RECEIVER, amount))


def coins(amount: int) -> bytes:
    return abi.execute(COIN, 0, abi.transfer(RECEIVER, amount))


_EXECUTE, _CREATE = "0xb61d27f6", "0x5998db5c"
_DEPLOY = abi.call("performCreate(uint256,bytes,bool,bytes32)", 0, b"\x00", False, bytes(32))
_UNINSTALL = abi.call("uninstallValidation(bytes24,bytes,bytes[])", bytes(23) + b"\x02", b"", [])
_OUTSIDE = [
    (abi.execute(NFT, 0, abi.call("mint(address)", RECEIVER)), NOT_ALLOWED),
    (_DEPLOY, NOT_APPLICABLE.format(_CREATE)),
    (_UNINSTALL, NOT_APPLICABLE.format("0xb6b1ccfe")),
]

CASES: tuple[Case, ...] = (
    Case(
        "contract-access",
        [ContractAccess(GAME)],
        [abi.execute(GAME, 0, MOVE), abi.execute(GAME, 0, CLAIM), abi.execute(GAME, ETHER, BUY)],
        [(COUNT, NOT_ALLOWED), (abi.execute(COUNTER), NOT_ALLOWED), *_OUTSIDE],
    ),
    Case(
        "two contracts",
        [ContractAccess(GAME), ContractAccess(COUNTER)],
        [abi.execute(GAME, 0, MOVE), COUNT, abi.execute_batch((GAME, 0, CLAIM), (COUNTER, 0, INCREMENT))],
        [(abi.execute_batch((GAME, 0, CLAIM), (DOLLAR, 0, abi.transfer(RECEIVER, 1))), NOT_ALLOWED), *_OUTSIDE],
    ),
    Case(
        "functions-on-contract",
        [FunctionsOnContract(GAME, functions(MOVE))],
        [abi.execute(GAME, 0, MOVE)],
        [
            (abi.execute(GAME, 0, CLAIM), NOT_THIS_FUNCTION),
            (abi.execute(GAME), NO_FUNCTION),
            (abi.execute(GAME, 0, MOVE[:3]), NO_FUNCTION),
            (COUNT, NOT_ALLOWED),
            *_OUTSIDE,
        ],
    ),
    Case(
        "functions-on-contract, two functions and two contracts",
        [FunctionsOnContract(GAME, functions(MOVE, CLAIM)), FunctionsOnContract(COUNTER, functions(INCREMENT))],
        [abi.execute_batch((GAME, 0, MOVE), (COUNTER, 0, INCREMENT), (GAME, 0, CLAIM))],
        [
            (abi.execute(GAME, 1, BUY), NOT_THIS_FUNCTION),
            (abi.execute(COUNTER, 0, abi.call("setNumber(uint256)", 7)), NOT_THIS_FUNCTION),
            (abi.execute(GAME, 0, INCREMENT), NOT_THIS_FUNCTION),
        ],
    ),
    Case(
        "functions-on-all-contracts",
        [FunctionsOnAllContracts(functions(INCREMENT, CLAIM))],
        [COUNT, abi.execute(GAME, 0, CLAIM), abi.execute(COUNTER, ETHER, INCREMENT)],
        [(abi.execute(GAME, 0, MOVE), NOT_ALLOWED), (abi.execute(RECEIVER), NOT_ALLOWED), *_OUTSIDE],
    ),
    Case(
        "functions-on-all-contracts beside a listed contract",
        [FunctionsOnAllContracts(functions(CLAIM, INCREMENT)), FunctionsOnContract(GAME, functions(MOVE))],
        [abi.execute(GAME, 0, MOVE), COUNT],
        [(abi.execute(GAME, 0, CLAIM), NOT_THIS_FUNCTION)],
    ),
    Case(
        "erc20-token-transfer",
        [Erc20TokenTransfer(DOLLAR, 100)],
        [dollars(60), abi.execute(DOLLAR, 0, abi.approve(RECEIVER, 30)), dollars(10)],
        [
            (dollars(1), TOO_MANY_TOKENS),
            (abi.execute(DOLLAR, 0, abi.approve(RECEIVER, 1)), TOO_MANY_TOKENS),
            (abi.execute(DOLLAR, 0, abi.call("mint(address,uint256)", RECEIVER, 1)), NOT_THIS_FUNCTION),
            (abi.execute(DOLLAR, 0, abi.transfer(RECEIVER, 0)[:67]), SHORT_CALL),
            (coins(1), NOT_ALLOWED),
            (COUNT, NOT_ALLOWED),
            *_OUTSIDE,
        ],
    ),
    Case(
        "erc20-token-transfer, two tokens",
        [Erc20TokenTransfer(DOLLAR, 100), Erc20TokenTransfer(COIN, 7)],
        [dollars(100), coins(6), abi.execute_batch((COIN, 0, abi.transfer(RECEIVER, 1)), (DOLLAR, 0, abi.transfer(RECEIVER, 0)))],
        [(coins(1), TOO_MANY_TOKENS), (dollars(1), TOO_MANY_TOKENS)],
    ),
    Case(
        "erc20-token-transfer of nothing",
        [Erc20TokenTransfer(DOLLAR, 0)],
        [dollars(0)],
        [(dollars(1), TOO_MANY_TOKENS)],
    ),
    Case(
        "erc20-token-transfer and contract-access",
        [Erc20TokenTransfer(DOLLAR, 100), ContractAccess(GAME)],
        [abi.execute_batch((DOLLAR, 0, abi.approve(GAME, 100)), (GAME, 0, MOVE)), abi.execute(GAME, 5, BUY)],
        [(abi.execute_batch((GAME, 0, MOVE), (DOLLAR, 0, abi.transfer(RECEIVER, 1))), TOO_MANY_TOKENS), (COUNT, NOT_ALLOWED)],
    ),
    Case(
        "native-token-transfer and contract-access",
        [NativeTokenTransfer(ETHER), ContractAccess(GAME)],
        [abi.execute(GAME, ETHER - 1, BUY), abi.execute(GAME, 0, MOVE), abi.execute(GAME, 1, BUY)],
        [(abi.execute(GAME, 1, BUY), TOO_MUCH_ETH), (COUNT, NOT_ALLOWED), *_OUTSIDE],
    ),
    Case(
        "native-token-transfer of nothing",
        [NativeTokenTransfer(0), ContractAccess(GAME)],
        [abi.execute(GAME, 0, BUY), abi.execute(GAME, 0, MOVE)],
        [(abi.execute(GAME, 1, BUY), TOO_MUCH_ETH)],
    ),
    Case(
        "ETH to one address",
        [NativeTokenTransfer(5), ContractAccess(RECEIVER)],
        [abi.execute(RECEIVER, 5)],
        [(abi.execute(RECEIVER, 1), TOO_MUCH_ETH), (abi.execute(GAME, 0, b""), NOT_ALLOWED)],
    ),
    Case(
        "ETH to anybody",
        [NativeTokenTransfer(5), FunctionsOnAllContracts((Selector.parse("0x00000000"),))],
        [abi.execute(RECEIVER, 2), abi.execute(STRANGER.address, 3)],
        [(abi.execute(RECEIVER, 1), TOO_MUCH_ETH), (COUNT, NOT_ALLOWED)],
    ),
    Case(
        "native-token-transfer and erc20-token-transfer",
        [NativeTokenTransfer(10), Erc20TokenTransfer(DOLLAR, 10), ContractAccess(GAME)],
        [abi.execute_batch((GAME, 4, BUY), (DOLLAR, 0, abi.transfer(RECEIVER, 9)), (GAME, 6, BUY))],
        [(abi.execute(GAME, 1, BUY), TOO_MUCH_ETH), (dollars(2), TOO_MANY_TOKENS)],
    ),
    Case(
        "gas-limit",
        [GasLimit(3 * GAS.promised), ContractAccess(GAME)],
        [abi.execute(GAME, 0, MOVE), abi.execute(GAME, 0, CLAIM), abi.execute(GAME, 7, BUY)],
        [(abi.execute(GAME, 0, MOVE), TOO_MUCH_GAS)],
    ),
    Case(
        "account-functions",
        [AccountFunctions(functions(PRACTICE))],
        [PRACTICE, PRACTICE],
        [(COUNT, NOT_APPLICABLE.format(_EXECUTE)), (_DEPLOY, NOT_APPLICABLE.format(_CREATE))],
    ),
    Case(
        "account-functions and contract-access",
        [AccountFunctions(functions(PRACTICE)), ContractAccess(COUNTER)],
        [PRACTICE, COUNT],
        [(abi.execute(GAME, 0, MOVE), NOT_ALLOWED), (_DEPLOY, NOT_APPLICABLE.format(_CREATE))],
    ),
    Case(
        "root",
        [Root()],
        [COUNT, abi.execute(RECEIVER, ETHER), dollars(500), _DEPLOY, _UNINSTALL],
    ),
    Case(
        "paymaster-guard",
        [PaymasterGuard(PAYMASTER), ContractAccess(GAME)],
        [abi.execute(GAME, 0, MOVE)],
        [(COUNT, NOT_ALLOWED)],
        paymaster=True,
    ),
    Case(
        "everything together",
        [
            NativeTokenTransfer(ETHER),
            Erc20TokenTransfer(DOLLAR, 50),
            GasLimit(ETHER),
            FunctionsOnContract(COUNTER, functions(INCREMENT)),
            ContractAccess(GAME),
            FunctionsOnAllContracts(functions(CLAIM)),
        ],
        [abi.execute_batch((GAME, ETHER, BUY), (DOLLAR, 0, abi.transfer(RECEIVER, 50)), (COUNTER, 0, INCREMENT))],
        [
            (abi.execute(GAME, 1, BUY), TOO_MUCH_ETH),
            (dollars(1), TOO_MANY_TOKENS),
            (abi.execute(COUNTER, 0, abi.call("setNumber(uint256)", 7)), NOT_THIS_FUNCTION),
            *_OUTSIDE,
        ],
        expires_in=DAY,
    ),
)
