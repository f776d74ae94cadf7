"""The cases of tests/core/golden: what is read, and for whom. Run this file to write the texts anew, then read every changed line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from latchkey.accounts.endings import EndingReview, review_operations, review_transactions
from latchkey.accounts.modular_account import abi
from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ENTRY_POINT,
    NATIVE_TOKEN_LIMIT,
    SINGLE_SIGNER,
    TIME_RANGE,
    predict,
)
from latchkey.accounts.modular_account.build import HALF, build, nonce_key
from latchkey.accounts.modular_account.decode import decode_call
from latchkey.accounts.modular_account.ending import (
    cancel_call,
    clean_calls,
    end_call,
    end_id,
    left_by,
    lower_call,
    set_time_range,
    shorten_call,
    uninstall_call,
    update_limit,
)
from latchkey.accounts.modular_account.ending import uninstall as uninstall_of
from latchkey.accounts.modular_account.userop import UserOperation, to_bytes
from latchkey.accounts.system import system
from latchkey.accounts.transaction import PlainTransaction
from latchkey.accounts.transaction import to_bytes as transaction_bytes
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.ending import AccountCall, Known
from latchkey.core.functions import selector_of
from latchkey.core.names import NO_NOTES, Notes
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
from latchkey.core.reading import Install, Reading
from latchkey.core.request import NO_CLAIMS, Claims
from latchkey.core.risk import findings
from latchkey.core.session import LimitKind
from latchkey.core.types import MAX_UINT256, Address, Selector, keccak
from latchkey.core.words import describe
from latchkey.core.words_difference import difference
from tests.endings import operation_of, session_of, transaction_of

FOLDER = Path(__file__).parent / "golden"
ACCOUNT = Address.parse("0x65b5DE0251f553B2208762a4724303E750294D96")
KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
OTHER = Address.parse("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC")
GAME = Address.parse("0x" + "11" * 20)
ROUTER = Address.parse("0x" + "22" * 20)
USDC = Address.parse("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")  # on Base, where most cases are
GOLD = Address.parse("0x" + "33" * 20)  # a token nobody reviewed
NOW = 1_790_000_000
DAY = 86_400
ETH = 10**18

MOVE = selector_of("wiggle(uint8,uint8)")
TRANSFER, APPROVE = Selector.parse("0xa9059cbb"), Selector.parse("0x095ea7b3")
TRANSFER_FROM, APPROVE_ALL = Selector.parse("0x23b872dd"), Selector.parse("0xa22cb465")
MULTICALL, SWAP, CLAIM = Selector.parse("0xac9650d8"), Selector.parse("0x38ed1739"), Selector.parse("0x4e71d92d")
PAY = Selector.parse("0x00000000")
CLAIMS = Claims(
    names=((USDC, "USD Coin", "USDC", 6), (GOLD, "Gold", "GLD", 18), (GAME, "Castle", "", None)),
    functions=("wiggle(uint8,uint8)", "lying()"),
)


@dataclass(frozen=True, slots=True)
class Case:
    """`text` makes the golden text anew."""

    name: str
    text: Callable[[], str]


def plain(*permissions: Permission, expiry: int = NOW + DAY, chain_id: int = 8453) -> Draft:
    return Draft("modular_account", chain_id, ACCOUNT, 5, 0xABC, 0, expiry, KEY, permissions)


def account_of(draft: Draft) -> Account:
    return Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)


BASE = Account(8453, ACCOUNT, "modular_account", Mode.ADDRESS)
DELEGATED = Account(8453, ACCOUNT, "modular_account", Mode.EIP7702, ACCOUNT)


def text_of(reading: Reading, account: Account | None, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> str:
    words = describe(reading, account=account, now=NOW, claims=claims, notes=notes)
    lines = [words.headline.plain]
    for heading, phrases in (("It can", words.can), ("It cannot", words.cannot), ("Most you can lose", words.most_you_can_lose)):
        lines += [heading, *(f"- {p.plain}" for p in phrases)] if phrases else []
    found = findings(reading, account=account, now=NOW, claims=claims, notes=notes)
    lines += [f"{f.level.upper()} {f.id}: {f.sentence} {f.advice}" for f in found]
    return "\n".join(lines) + "\n"


def grant(name: str, draft: Draft, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> Case:
    def text() -> str:
        reading = system("modular_account").decode_unsigned(build(draft).unsigned)
        return text_of(reading, account_of(draft), claims, notes)

    return Case(name, text)


def call(name: str, data: bytes, *, account: Account | None = BASE, claims: Claims = NO_CLAIMS) -> Case:
    def text() -> str:
        reading = decode_call(data, account=account.address if account else None)
        return text_of(reading, account, claims)

    return Case(name, text)


def changed(name: str, draft: Draft, change: Callable[[Reading], Reading]) -> Case:
    """A reading no builder makes, as an unusual sender might."""

    def text() -> str:
        reading = change(system("modular_account").decode_unsigned(build(draft).unsigned))
        return text_of(reading, account_of(draft))

    return Case(name, text)


def between(name: str, old: Draft, new: Draft, claims: Claims = NO_CLAIMS) -> Case:
    return Case(name, lambda: "".join(f"- {p.plain}\n" for p in difference(old, new, claims=claims)) or "no difference\n")


# --- calldata by hand


def fn(signature: str, *words: int | Address | bool) -> bytes:
    body = b"".join(abi.address(w) if isinstance(w, Address) else abi.word(int(w)) for w in words)
    return keccak(signature.encode())[:4] + body


def execute(target: Address, value: int, data: bytes) -> bytes:
    tails = [abi.dynamic(data)]
    return bytes.fromhex("b61d27f6") + abi.address(target) + abi.word(value) + abi.word(96) + tails[0]


def batch(*calls: tuple[Address, int, bytes]) -> bytes:
    entries = [abi.address(t) + abi.word(v) + abi.word(96) + abi.dynamic(d) for t, v, d in calls]
    return bytes.fromhex("34fcd5be") + abi.word(32) + abi.array(entries)


def runtime(data: bytes, entity_id: int, options: int = 1) -> bytes:
    authorization = bytes([options]) + entity_id.to_bytes(4, "big") + b"\xff"
    tails = [abi.dynamic(data), abi.dynamic(authorization)]
    return bytes.fromhex("f2680c0f") + b"".join(abi.tail_offsets(2, tails)) + b"".join(tails)


def wrapped(data: bytes) -> bytes:
    return bytes.fromhex("8dd7712f") + data


def uninstall(entity_id: int, uninstall_data: bytes, hook_data: Sequence[bytes], module: Address = SINGLE_SIGNER) -> bytes:
    tails = [abi.dynamic(uninstall_data), abi.array([abi.dynamic(d) for d in hook_data])]
    return b"".join(
        (bytes.fromhex("b6b1ccfe"), abi.left(module.raw + entity_id.to_bytes(4, "big")), *abi.tail_offsets(3, tails), *tails)
    )


def _install(reading: Reading) -> Install:
    action = reading.action  # type: ignore[union-attr]
    assert isinstance(action, Install)
    return action


def _with(reading: Reading, **fields: object) -> Reading:
    return replace(reading, action=replace(_install(reading), **fields))  # type: ignore[arg-type]


CAREFUL = plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(ETH // 100))
EVERYTHING = plain(
    NativeTokenTransfer(ETH // 10),
    Erc20TokenTransfer(USDC, 5_000_000),
    GasLimit(ETH // 50),
    ContractAccess(GAME),
    FunctionsOnContract(ROUTER, (SWAP,)),
    FunctionsOnAllContracts((CLAIM,)),
)
INCREMENT = fn("incrementNonce(uint192)", nonce_key(0xABC, 5, is_global=False, is_deferred=True))
LIMITS = "updateLimits(uint32,address,bool,uint256)"
ADDRESSES = "setAddressAllowlist(uint32,address,bool,bool,bool)"

GRANTS = (
    grant("careful", CAREFUL),
    grant("careful-with-claims", CAREFUL, CLAIMS),
    grant("contract-access", plain(ContractAccess(GAME))),
    grant("contract-access-named", plain(ContractAccess(GAME), NativeTokenTransfer(ETH), GasLimit(ETH // 100)), CLAIMS),
    grant("pay-one-address", plain(ContractAccess(OTHER), NativeTokenTransfer(ETH // 2), GasLimit(ETH // 100))),
    grant("pay-anyone", plain(FunctionsOnAllContracts((PAY,)), NativeTokenTransfer(ETH), GasLimit(ETH // 100))),
    grant("pay-anyone-unlimited", plain(FunctionsOnAllContracts((PAY,)), GasLimit(ETH // 100))),
    grant(
        "pay-anyone-beside-a-contract", plain(FunctionsOnAllContracts((PAY, CLAIM)), ContractAccess(GAME), NativeTokenTransfer(ETH))
    ),
    grant("token", plain(Erc20TokenTransfer(USDC, 5_000_000), NativeTokenTransfer(0), GasLimit(ETH // 100))),
    grant("token-nobody-reviewed", plain(Erc20TokenTransfer(GOLD, 5_000_000), NativeTokenTransfer(0), GasLimit(ETH // 100))),
    grant("token-with-claims", plain(Erc20TokenTransfer(GOLD, 5 * ETH), NativeTokenTransfer(0), GasLimit(ETH // 100)), CLAIMS),
    grant("token-limit-0", plain(Erc20TokenTransfer(USDC, 0), NativeTokenTransfer(0), GasLimit(ETH // 100))),
    grant("token-maximal", plain(Erc20TokenTransfer(USDC, MAX_UINT256), NativeTokenTransfer(0), GasLimit(ETH // 100))),
    grant(
        "two-tokens", plain(Erc20TokenTransfer(USDC, 1), Erc20TokenTransfer(GAME, 2), NativeTokenTransfer(0), GasLimit(ETH // 100))
    ),
    grant(
        "token-beside-functions-anywhere",
        plain(Erc20TokenTransfer(USDC, 7), FunctionsOnAllContracts((TRANSFER,)), NativeTokenTransfer(0)),
    ),
    grant("token-functions-without-limit", plain(FunctionsOnContract(USDC, (TRANSFER, APPROVE)), NativeTokenTransfer(0))),
    grant("token-functions-beside-another-token", plain(FunctionsOnContract(USDC, (TRANSFER,)), Erc20TokenTransfer(GAME, 9))),
    grant("token-twice", plain(Erc20TokenTransfer(USDC, 5), Erc20TokenTransfer(USDC, 9), NativeTokenTransfer(0))),
    grant("token-and-whole-contract", plain(Erc20TokenTransfer(USDC, 5), ContractAccess(USDC), NativeTokenTransfer(0))),
    grant("contract-twice", plain(FunctionsOnContract(GAME, (MOVE,)), FunctionsOnContract(GAME, (CLAIM,)), NativeTokenTransfer(0))),
    grant("anywhere", plain(FunctionsOnAllContracts((CLAIM,)), NativeTokenTransfer(0), GasLimit(ETH // 100))),
    grant("anywhere-unnamed", plain(FunctionsOnAllContracts((MOVE,)), NativeTokenTransfer(0), GasLimit(ETH // 100))),
    grant(
        "anywhere-beside-listed",
        plain(FunctionsOnAllContracts((CLAIM,)), FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0)),
    ),
    grant("anywhere-tokens", plain(FunctionsOnAllContracts((TRANSFER_FROM, APPROVE_ALL)))),
    grant("anywhere-limits", plain(FunctionsOnAllContracts((Selector.parse("0x71280be3"),)), NativeTokenTransfer(1))),
    grant("anywhere-entry-point", plain(FunctionsOnAllContracts((Selector.parse("0x205c2878"),)), NativeTokenTransfer(0))),
    grant("multicall", plain(FunctionsOnContract(ROUTER, (MULTICALL,)), NativeTokenTransfer(0), GasLimit(ETH // 100))),
    grant(
        "swap",
        plain(FunctionsOnContract(ROUTER, (SWAP,)), Erc20TokenTransfer(USDC, 10**9), NativeTokenTransfer(0), GasLimit(ETH // 100)),
    ),
    grant("module-as-target", plain(ContractAccess(NATIVE_TOKEN_LIMIT), NativeTokenTransfer(1))),
    grant("entry-point-as-target", plain(ContractAccess(ENTRY_POINT), NativeTokenTransfer(0))),
    grant("own-address", plain(ContractAccess(ACCOUNT), NativeTokenTransfer(0))),
    grant("account-functions", plain(AccountFunctions((MOVE,)))),
    grant("account-functions-and-eth-limit", plain(AccountFunctions((MOVE,)), NativeTokenTransfer(0))),
    grant("account-functions-and-contract", plain(AccountFunctions((MOVE,)), ContractAccess(GAME), NativeTokenTransfer(0))),
    grant("account-functions-and-token", plain(AccountFunctions((MOVE,)), Erc20TokenTransfer(USDC, 3), NativeTokenTransfer(0))),
    grant("account-functions-takeover", plain(AccountFunctions((Selector.parse("0x30009d52"),)))),
    grant("paymaster", plain(FunctionsOnContract(GAME, (MOVE,)), PaymasterGuard(OTHER), NativeTokenTransfer(0))),
    grant(
        "paymaster-and-gas-limit",
        plain(FunctionsOnContract(GAME, (MOVE,)), PaymasterGuard(OTHER), GasLimit(ETH // 100), NativeTokenTransfer(0)),
    ),
    grant("gas-limit-0", plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(0))),
    grant("gas-limit-in-units", plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(300_000))),
    grant("limits-that-are-none", plain(ContractAccess(GAME), NativeTokenTransfer(MAX_UINT256), GasLimit(2**255))),
    grant("root", plain(Root())),
    grant("root-for-ever", plain(Root(), expiry=0)),
    grant("for-ever", plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(ETH // 100), expiry=0)),
    grant("polygon", plain(ContractAccess(GAME), NativeTokenTransfer(ETH), chain_id=137)),
    grant("unknown-network", plain(ContractAccess(GAME), NativeTokenTransfer(ETH), chain_id=424242)),
    grant("everything-at-once", EVERYTHING, CLAIMS),
    changed("begins-later", CAREFUL, lambda r: _with(r, valid_after=NOW + 3600)),
    changed("deadline-before-end", CAREFUL, lambda r: replace(r, deadline=NOW + 600)),  # type: ignore[call-arg]
    changed("deadline-without-end", CAREFUL, lambda r: _with(replace(r, deadline=NOW + 600), expiry=0)),  # type: ignore[call-arg]
    changed("signs-messages", CAREFUL, lambda r: _with(r, signs_messages=True)),
    changed("no-key", CAREFUL, lambda r: _with(r, session_key=None)),
    changed(
        "listed-without-functions",
        CAREFUL,
        lambda r: _with(r, permissions=(FunctionsOnContract(GAME, ()), FunctionsOnAllContracts((CLAIM,)))),
    ),
    changed("no-call-allowed", CAREFUL, lambda r: _with(r, permissions=(NativeTokenTransfer(5),))),
)
CALLS = (
    call("install-by-the-owner", build(CAREFUL).call),
    call("install-of-an-unknown-hook", build(CAREFUL).call.replace(TIME_RANGE.raw, bytes([0xEE] * 20))),
    call("install-account-unknown", build(CAREFUL).call, account=None),
    call("revoke", uninstall_call(CAREFUL)),
    call("revoke-without-hook-data", uninstall(5, abi.word(5), [])),
    call("revoke-some-hook-data", uninstall(5, abi.word(5), [b"", abi.word(5)])),
    call("revoke-without-any-data", uninstall(5, b"", [])),
    call("revoke-unreadable-data", uninstall(5, abi.word(5), [b"\x01\x02\x03"])),
    call("revoke-another-session's-data", uninstall(5, abi.word(6), [])),
    call("revoke-the-owner", uninstall(0, abi.word(0), [])),
    call("revoke-unknown-module", uninstall(5, abi.word(5), [], module=GAME)),
    call(
        "revoke-two-and-cancel-one",
        batch((ACCOUNT, 0, uninstall_call(CAREFUL)), (ACCOUNT, 0, uninstall(6, abi.word(6), [])), (ENTRY_POINT, 0, INCREMENT)),
    ),
    call("revoke-by-the-owner's-own-transaction", runtime(uninstall_call(CAREFUL), 0)),
    call("revoke-account-unknown", execute(GAME, 0, uninstall_call(CAREFUL)), account=None),
    call("cancel-a-grant", execute(ENTRY_POINT, 0, INCREMENT)),
    call("skip-a-nonce", execute(ENTRY_POINT, 0, fn("incrementNonce(uint192)", 1))),
    call("raise-eth-limit", execute(NATIVE_TOKEN_LIMIT, 0, fn("updateLimits(uint32,uint256)", 5, ETH))),
    call("raise-gas-limit", execute(NATIVE_TOKEN_LIMIT, 0, fn("updateLimits(uint32,uint256)", 5 + HALF, ETH // 10))),
    call("raise-token-limit", execute(ALLOWLIST, 0, fn(LIMITS, 5 + HALF, USDC, True, 9_000_000)), claims=CLAIMS),
    call("drop-token-limit", execute(ALLOWLIST, 0, fn(LIMITS, 5 + HALF, USDC, False, 0))),
    call("longer", execute(TIME_RANGE, 0, fn("setTimeRange(uint32,uint48,uint48)", 5, NOW + 10 * DAY, 0))),
    call("without-end", execute(TIME_RANGE, 0, fn("setTimeRange(uint32,uint48,uint48)", 5, 0, NOW))),
    call("another-key", execute(SINGLE_SIGNER, 0, fn("transferSigner(uint32,address)", 5, OTHER))),
    call("another-owner-in-a-module", execute(SINGLE_SIGNER, 0, fn("transferSigner(uint32,address)", 0, OTHER))),
    call("allow-a-contract", execute(ALLOWLIST, 0, fn(ADDRESSES, 5, GAME, True, False, False))),
    call("allow-listed-functions", execute(ALLOWLIST, 0, fn(ADDRESSES, 5, GAME, True, True, False))),
    call("take-off-a-contract", execute(ALLOWLIST, 0, fn(ADDRESSES, 5, GAME, False, False, False))),
    call(
        "allow-a-function",
        execute(ALLOWLIST, 0, fn("setSelectorAllowlist(uint32,address,bytes4,bool)", 5, GAME, int(MOVE, 16) << 224, True)),
        claims=CLAIMS,
    ),
    call(
        "allow-a-function-anywhere",
        execute(
            ALLOWLIST,
            0,
            fn("setSelectorAllowlist(uint32,address,bytes4,bool)", 5, Address.parse("0x" + "00" * 20), int(CLAIM, 16) << 224, True),
        ),
    ),
    call("special-paymaster", execute(NATIVE_TOKEN_LIMIT, 0, fn("updateSpecialPaymaster(address,bool)", OTHER, True))),
    call("new-owner", fn("updateFallbackSignerData(address,bool)", OTHER, False)),
    call("owner-off", fn("updateFallbackSignerData(address,bool)", OTHER, True)),
    call("owner-off-where-the-account-is-a-key", fn("updateFallbackSignerData(address,bool)", OTHER, True), account=DELEGATED),
    call("upgrade", fn("upgradeToAndCall(address,bytes)", OTHER, 64, 0)),
    call("withdraw-deposit", execute(ENTRY_POINT, 0, fn("withdrawTo(address,uint256)", OTHER, ETH))),
    call("deposit", execute(ENTRY_POINT, ETH, fn("depositTo(address)", ACCOUNT))),
    call("pay", execute(OTHER, ETH // 4, b"")),
    call("pay-nothing", execute(OTHER, 0, b"")),
    call("transfer", wrapped(execute(USDC, 0, fn("transfer(address,uint256)", OTHER, 2_500_000))), claims=CLAIMS),
    call("transfer-with-eth", execute(USDC, 7, fn("transfer(address,uint256)", OTHER, 2_500_000))),
    call("approve", execute(USDC, 0, fn("approve(address,uint256)", ROUTER, 2_500_000))),
    call("approve-all", execute(USDC, 0, fn("approve(address,uint256)", ROUTER, MAX_UINT256))),
    call("approve-nothing", execute(USDC, 0, fn("approve(address,uint256)", ROUTER, 0))),
    call("unknown-function", execute(GAME, 5, fn("wiggle(uint8,uint8)", 1, 2))),
    call("batch", batch((OTHER, ETH, b""), (USDC, 0, fn("transfer(address,uint256)", OTHER, 5)), (OTHER, ETH, b""))),
    call("batch-with-unknown", batch((OTHER, ETH, b""), (GAME, 0, fn("wiggle(uint8,uint8)", 1, 2)))),
    call("session's-own-transaction", runtime(execute(OTHER, 1, b""), 5, 0)),
)
DIFFERENCES = (
    between("same", CAREFUL, replace(CAREFUL, entity_id=9, nonce_key=1)),
    between(
        "longer-and-more-eth",
        CAREFUL,
        plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(ETH), GasLimit(ETH // 100), expiry=NOW + 2 * DAY),
    ),
    between(
        "shorter-and-less-gas",
        CAREFUL,
        plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(1), expiry=NOW + DAY // 2),
    ),
    between("limits-gone", CAREFUL, plain(FunctionsOnContract(GAME, (MOVE,)), expiry=0)),
    between("functions", CAREFUL, plain(FunctionsOnContract(GAME, (CLAIM,)), NativeTokenTransfer(0), GasLimit(ETH // 100)), CLAIMS),
    between("whole-contract", CAREFUL, plain(ContractAccess(GAME), NativeTokenTransfer(0), GasLimit(ETH // 100))),
    between(
        "contract-narrowed",
        plain(ContractAccess(GAME), NativeTokenTransfer(0)),
        plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0)),
    ),
    between("contracts-exchanged", plain(ContractAccess(GAME)), plain(ContractAccess(ROUTER))),
    between(
        "tokens",
        plain(Erc20TokenTransfer(USDC, 5), Erc20TokenTransfer(GAME, 1)),
        plain(Erc20TokenTransfer(USDC, 7), Erc20TokenTransfer(ROUTER, 1)),
        CLAIMS,
    ),
    between("anywhere", plain(FunctionsOnAllContracts((CLAIM,))), plain(FunctionsOnAllContracts((PAY, TRANSFER)))),
    between("paymaster", CAREFUL, replace(CAREFUL, permissions=(*CAREFUL.permissions, PaymasterGuard(OTHER)))),
    between("root", CAREFUL, plain(Root())),
    between("no-longer-root", plain(Root()), CAREFUL),
    between("account-functions", CAREFUL, replace(CAREFUL, permissions=(*CAREFUL.permissions, AccountFunctions((CLAIM,))))),
    between("key-account-network", CAREFUL, replace(CAREFUL, session_key=OTHER, account=GAME, chain_id=1)),
)

MAINNET_USDC = Address.parse("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48")
WETH = Address.parse("0x4200000000000000000000000000000000000006")
NOTES = Notes(names=((GAME, "The castle"), (OTHER, "Landlord")), functions=("wiggle(uint8,uint8)",))
HELD = (NativeTokenTransfer(0), GasLimit(ETH // 100))
PAYMENT = plain(FunctionsOnContract(OTHER, (PAY,)), NativeTokenTransfer(ETH // 2), GasLimit(ETH // 100))


def calling(name: str, symbol: str = "", decimals: int | None = None, dapp: str = "") -> Claims:
    """Claims about the token nobody reviewed."""
    return Claims(dapp_name=dapp, names=((GOLD, name, symbol, decimals),))


GOLD_GRANT = plain(Erc20TokenTransfer(GOLD, 5_000_000), *HELD)
NAMES = (
    grant("token-of-the-list-one-base-unit", plain(Erc20TokenTransfer(USDC, 1), *HELD)),
    grant("token-of-the-list-18-decimals", plain(Erc20TokenTransfer(WETH, 3 * ETH // 2), *HELD)),
    grant("token-of-the-list-whole-contract", plain(ContractAccess(USDC), *HELD)),
    grant("token-of-the-list-on-the-wrong-network", plain(Erc20TokenTransfer(MAINNET_USDC, 5_000_000), *HELD)),
    grant(
        "token-of-the-list-claimed-otherwise",
        plain(Erc20TokenTransfer(USDC, 5_000_000), *HELD),
        Claims(names=((USDC, "", "DAI", 18),)),
    ),
    grant("token-on-a-network-without-a-list", plain(Erc20TokenTransfer(USDC, 5_000_000), *HELD, chain_id=424242), CLAIMS),
    grant("false-usdc", GOLD_GRANT, calling("USD Coin", "USDC", 6)),
    grant("false-usdc-with-cyrillic-letters", GOLD_GRANT, calling("", "U\u0405D\u0421", 6)),
    grant("false-usdc-with-a-digit", GOLD_GRANT, calling("", "U5DC", 6)),
    grant("false-usdc-among-other-words", GOLD_GRANT, calling("Official USDC", "OUSDC", 6)),
    grant("false-words-of-ours", GOLD_GRANT, calling("Gold, on Latchkey's list", "GLD", 18)),
    grant("name-with-quotes", GOLD_GRANT, calling("Gold” in total) (the sender calls it “USDC")),
    grant("name-with-markup", GOLD_GRANT, calling("<b>Gold</b>")),
    grant("name-turned-round", GOLD_GRANT, calling("Gold\u202e\u2066dlog\u200b")),
    grant("name-without-end", GOLD_GRANT, calling("Gold " * 20_000)),
    grant("careful-with-own-names", CAREFUL, notes=NOTES),
    grant("careful-with-own-names-at-the-desk", CAREFUL, notes=replace(NOTES, second_hand=True)),
    grant("own-names-and-claims", CAREFUL, CLAIMS, NOTES),
    grant("own-name-false", GOLD_GRANT, notes=Notes(names=((GOLD, "USDC"),), second_hand=True)),
    grant(
        "function-names-that-collide",
        plain(FunctionsOnContract(GAME, (Selector.parse("0x42966c68"),)), *HELD),
        Claims(functions=("collate_propagate_storage(bytes16)",)),
    ),
    grant("payment-to-one-address", PAYMENT),
    grant("payment-to-one-address-of-ones-own-naming", PAYMENT, notes=NOTES),
    call("transfer-of-a-known-token", execute(USDC, 0, fn("transfer(address,uint256)", OTHER, 2_500_000))),
    call("transfer-from-a-known-token", execute(USDC, 0, fn("transferFrom(address,address,uint256)", OTHER, ACCOUNT, 7))),
    call("transfer-of-an-unknown-token", execute(GOLD, 0, fn("transfer(address,uint256)", OTHER, 2_500_000)), claims=CLAIMS),
    call("approve-an-unknown-token", execute(GOLD, 0, fn("approve(address,uint256)", ROUTER, 2_500_000))),
    between("a-known-and-an-unknown-token", GOLD_GRANT, plain(Erc20TokenTransfer(USDC, 7_000_000), *HELD), CLAIMS),
    between("more-of-a-known-token", plain(Erc20TokenTransfer(USDC, 5)), plain(Erc20TokenTransfer(USDC, 7_000_000))),
)


# --- what takes power away

OWNED = predict(31337, OTHER, 0, Mode.SMA)
HELD = session_of(replace(EVERYTHING, account=OWNED.address, chain_id=31337, permissions=CAREFUL.permissions), OWNED)
HELD_WITH_TOKEN = session_of(
    replace(CAREFUL, account=OWNED.address, permissions=(Erc20TokenTransfer(USDC, 5_000_000), NativeTokenTransfer(ETH // 10))),
    OWNED,
)
SAID = (Known(5, "Castle", KEY, HELD_WITH_TOKEN.limits, NOW + DAY, 77),)
END, END_ALWAYS, CANCEL_IT = end_call(HELD), end_call(HELD, clean=False), cancel_call(build(CAREFUL).nonce)


def operations(name: str, *operations: UserOperation, account: Account = OWNED, known: Sequence[Known] = ()) -> Case:
    def text() -> str:
        return _ending_text(review_operations([to_bytes(op) for op in operations], account, now=NOW, known=known))

    return Case(name, text)


def transactions(name: str, *made: PlainTransaction, known: Sequence[Known] = ()) -> Case:
    def text() -> str:
        return _ending_text(review_transactions(list(map(transaction_bytes, made)), OWNED, OTHER, now=NOW, known=known))

    return Case(name, text)


def _ending_text(reviewed: EndingReview) -> str:
    words = reviewed.words
    lines, heads = [words.headline.plain], words.headings
    for heading, phrases in ((heads.can, words.can), (heads.cannot, words.cannot), (heads.most, words.most_you_can_lose)):
        lines += [heading, *(f"- {p.plain}" for p in phrases)]
    lines += [f"{f.level.upper()} {f.id}: {f.sentence} {f.advice}" for f in reviewed.findings]
    return "\n".join((*lines, *(f"  {label}: {value}" for label, value in words.signed))) + "\n"


_LIMITS = {limit.kind: limit for limit in HELD_WITH_TOKEN.limits}
IN_PART = uninstall_of(GAME, 5, b"", [b"", abi.word(5)])
AHEAD = nonce_key(0xBEEF, 0, is_global=True, is_deferred=False) << 64
ENDINGS = (
    operations("end-one", operation_of(OWNED, END), known=SAID),
    operations("end-by-the-form-that-always-works", operation_of(OWNED, END_ALWAYS)),
    operations("end-in-part-and-of-an-unknown-module", operation_of(OWNED, AccountCall(OWNED.address, IN_PART))),
    operations(
        "end-three-and-cancel-two",
        operation_of(OWNED, END, end_id(OWNED.address, 6), end_id(OWNED.address, 7), CANCEL_IT, cancel_call(3 << 64)),
    ),
    operations("end-many", operation_of(OWNED, *(end_id(OWNED.address, n) for n in range(1, 9)))),
    operations("clean-up", operation_of(OWNED, *clean_calls(OWNED.address, left_by(HELD_WITH_TOKEN)))),
    operations("cancel-one", operation_of(OWNED, CANCEL_IT)),
    operations("cancel-until-it-has-passed", operation_of(OWNED, CANCEL_IT, CANCEL_IT)),
    operations("cancel-what-was-signed-ahead", operation_of(OWNED, cancel_call(AHEAD))),
    operations("cancel-by-deploying", operation_of(OWNED, CANCEL_IT, init_code=OWNED.init_code)),
    operations(
        "tighten",
        operation_of(
            OWNED,
            lower_call(HELD_WITH_TOKEN, _LIMITS[LimitKind.NATIVE], ETH // 100),
            lower_call(HELD_WITH_TOKEN, _LIMITS[LimitKind.ERC20], 0),
            shorten_call(HELD_WITH_TOKEN, NOW + 3600),
        ),
        known=SAID,
    ),
    operations("tighten-unseen", operation_of(OWNED, AccountCall(NATIVE_TOKEN_LIMIT, update_limit(5 + HALF, ETH // 100)))),
    operations("not-lower-at-all", operation_of(OWNED, AccountCall(NATIVE_TOKEN_LIMIT, update_limit(5, ETH))), known=SAID),
    operations(
        "later-and-far", operation_of(OWNED, AccountCall(TIME_RANGE, set_time_range(5, NOW + 90 * DAY, NOW + 60))), known=SAID
    ),
    operations("three-fees", *(operation_of(OWNED, END_ALWAYS, CANCEL_IT, max_fee_per_gas=fee * 10**9) for fee in (2, 6, 20))),
    operations(
        "break-glass-in-two-parts",
        *(
            operation_of(OWNED, end_id(OWNED.address, part + 1), nonce=AHEAD + part, max_fee_per_gas=fee * 10**9)
            for part in (0, 1)
            for fee in (2, 20)
        ),
    ),
    operations("dear", operation_of(OWNED, END, max_fee_per_gas=4_000 * 10**9)),
    operations("unknown-network", operation_of(OWNED, END), account=replace(OWNED, chain_id=424242)),
    transactions("end-by-the-owner's-own-transaction", transaction_of(OWNED, END), known=SAID),
    transactions("two-transactions", transaction_of(OWNED, END), transaction_of(OWNED, CANCEL_IT, nonce=5)),
)
FILES: dict[str, tuple[Case, ...]] = {
    "endings": ENDINGS,
    "grants": GRANTS,
    "calls": CALLS,
    "differences": DIFFERENCES,
    "names": NAMES,
}


def written(cases: Sequence[Case]) -> str:
    return "\n".join(f"== {case.name}\n{case.text()}" for case in cases)


if __name__ == "__main__":
    for name, cases in FILES.items():
        (FOLDER / f"{name}.txt").write_text(written(cases))
