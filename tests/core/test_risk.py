"""Every rule on both sides: what raises it, and what comes near without raising it. A careful grant raises none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from latchkey.accounts.modular_account import addresses, judge
from latchkey.accounts.modular_account.build import build
from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.contracts import ENTRY_POINT_FUNCTIONS, LIMIT_FUNCTIONS, MACHINERY, TAKEOVER_FUNCTIONS
from latchkey.core.draft import Draft
from latchkey.core.facts import Surroundings
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
    Root,
)
from latchkey.core.phrases import Level
from latchkey.core.powers import NESTING_FUNCTIONS, RECEIVER_FUNCTIONS, TOKEN_FUNCTIONS
from latchkey.core.reading import Install, Unknown
from latchkey.core.request import Claims
from latchkey.core.risk import RULES, findings
from latchkey.core.types import ZERO_ADDRESS, Address, Selector, keccak
from tests.core.test_words import CAREFUL, GAME, KEY, MOVE, TOKEN, account_of, plain
from tests.drafts import ACCOUNT, NOW

PAY = Selector.parse("0x00000000")
USDC = Address.parse("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")  # on Base, where the drafts are
MAINNET_USDC = Address.parse("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48")
WITHDRAW = Selector.parse("0x205c2878")
CLAIM = selector_of("claim()")
DAY = 86_400


def rules(
    draft: Draft,
    around: Surroundings = Surroundings(),  # noqa: B008
    claims: Claims = Claims(),  # noqa: B008
    notes: Notes = NO_NOTES,
    **install: object,
) -> dict[str, Level]:
    """The rules that hold for a draft, with fields of what is installed changed as no builder would."""
    reading = system("modular_account").decode_unsigned(build(draft).unsigned)
    assert isinstance(reading.action, Install)
    reading = replace(reading, action=replace(reading.action, **install))  # type: ignore[arg-type]
    found = findings(reading, account=account_of(draft), now=NOW, surroundings=around, claims=claims, notes=notes)
    return {f.id: f.level for f in found}


def test_rules_have_ids_of_their_own_and_advice() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES) >= 30
    assert all(rule.sentence.endswith(".") for rule in RULES)


BOTH_SIDES = [
    ("eth-unlimited", plain(ContractAccess(GAME)), plain(ContractAccess(GAME), NativeTokenTransfer(10**18))),
    ("gas-unlimited", plain(ContractAccess(GAME)), CAREFUL),
    ("gas-limit-looks-like-gas-units", plain(ContractAccess(GAME), GasLimit(0x493E0)), CAREFUL),
    ("gas-limit-below-install", plain(ContractAccess(GAME), GasLimit(10**10)), CAREFUL),
    ("gas-limit-zero", plain(ContractAccess(GAME), GasLimit(0)), CAREFUL),
    ("root", plain(Root()), CAREFUL),
    ("account-functions", plain(AccountFunctions((MOVE,))), CAREFUL),
    ("functions-anywhere", plain(FunctionsOnAllContracts((MOVE,))), plain(FunctionsOnAllContracts((PAY,)))),
    ("transfer-anywhere", plain(FunctionsOnAllContracts((Selector.parse("0xa9059cbb"),))), CAREFUL),
    ("approve-anywhere", plain(FunctionsOnAllContracts((Selector.parse("0x095ea7b3"),))), CAREFUL),
    ("permit-anywhere", plain(FunctionsOnAllContracts((Selector.parse("0xd505accf"),))), CAREFUL),
    ("set-approval-anywhere", plain(FunctionsOnAllContracts((Selector.parse("0xa22cb465"),))), CAREFUL),
    ("token-functions-anywhere", plain(FunctionsOnAllContracts((Selector.parse("0x42842e0e"),))), CAREFUL),
    ("token-unlimited", plain(FunctionsOnContract(TOKEN, (Selector.parse("0xa9059cbb"),))), plain(Erc20TokenTransfer(TOKEN, 1))),
    ("contract-any-function", plain(ContractAccess(GAME)), CAREFUL),
    ("nested-calls", plain(FunctionsOnContract(GAME, (Selector.parse("0xac9650d8"),))), CAREFUL),
    ("token-allowance-maximal", plain(Erc20TokenTransfer(TOKEN, 2**256 - 1)), plain(Erc20TokenTransfer(TOKEN, 2**255 - 1))),
    ("eth-limit-maximal", plain(ContractAccess(GAME), NativeTokenTransfer(2**255)), CAREFUL),
    ("no-expiry", plain(ContractAccess(GAME), expiry=0), CAREFUL),
    (
        "long-expiry",
        plain(ContractAccess(GAME), expiry=NOW + 30 * 86_400 + 1),
        plain(ContractAccess(GAME), expiry=NOW + 30 * 86_400),
    ),
    ("paymaster-guard", plain(ContractAccess(GAME), PaymasterGuard(TOKEN)), CAREFUL),
    ("sequence-not-fresh", replace(CAREFUL, sequence=1), CAREFUL),
    ("chain-unknown", plain(ContractAccess(GAME), chain_id=424242), CAREFUL),
    ("pay-anyone", plain(FunctionsOnAllContracts((PAY,))), plain(FunctionsOnAllContracts((MOVE,)))),
    ("lifts-limits", plain(ContractAccess(addresses.TIME_RANGE)), plain(ContractAccess(addresses.ENTRY_POINT))),
    ("lifts-limits", plain(FunctionsOnAllContracts((Selector.parse("0xe762c77c"),))), plain(Root())),
    ("lifts-limits", plain(AccountFunctions((Selector.parse("0x30009d52"),))), plain(AccountFunctions((MOVE,)))),
    ("entry-point", plain(ContractAccess(addresses.ENTRY_POINT)), plain(ContractAccess(addresses.TIME_RANGE))),
    (
        "entry-point",
        plain(FunctionsOnAllContracts((WITHDRAW,))),
        plain(FunctionsOnContract(GAME, (WITHDRAW,))),
    ),
    ("own-address", plain(ContractAccess(ACCOUNT)), plain(ContractAccess(GAME))),
    ("account-machinery", plain(ContractAccess(addresses.FACTORY)), plain(ContractAccess(addresses.ENTRY_POINT))),
    ("key-not-a-key", replace(CAREFUL, session_key=ACCOUNT), CAREFUL),
    ("key-not-a-key", replace(CAREFUL, session_key=ZERO_ADDRESS), CAREFUL),
    (
        "named-twice",
        plain(Erc20TokenTransfer(TOKEN, 1), ContractAccess(TOKEN)),
        plain(Erc20TokenTransfer(TOKEN, 1), ContractAccess(GAME)),
    ),
    (
        "token-stops-account-functions",
        plain(Erc20TokenTransfer(TOKEN, 1), AccountFunctions((MOVE,))),
        plain(AccountFunctions((MOVE,))),
    ),
    ("token-whole-contract", plain(ContractAccess(USDC)), plain(ContractAccess(GAME))),
    ("contract-any-function", plain(ContractAccess(GAME)), plain(ContractAccess(USDC))),
    ("token-of-another-network", plain(Erc20TokenTransfer(MAINNET_USDC, 1)), plain(Erc20TokenTransfer(USDC, 1))),
    ("token-of-another-network", plain(ContractAccess(MAINNET_USDC)), plain(ContractAccess(MAINNET_USDC), chain_id=1)),
    ("gas-limit-maximal", plain(ContractAccess(GAME), GasLimit(2**255)), plain(ContractAccess(GAME), GasLimit(2**255 - 1))),
]


@pytest.mark.parametrize(("rule", "holds", "not_so"), BOTH_SIDES, ids=[f"{row[0]}-{i}" for i, row in enumerate(BOTH_SIDES)])
def test_each_rule_on_both_sides(rule: str, holds: Draft, not_so: Draft) -> None:
    assert rule in rules(holds)
    assert rule not in rules(not_so)


UNBUILT = [
    ("expired", {"expiry": NOW - 1}, {"expiry": NOW}),
    ("not-yet-valid", {"valid_after": NOW + 1}, {"valid_after": NOW}),
    ("signs-messages", {"signs_messages": True}, {}),
    ("unknown-bytes", {"unknown": (Unknown("hooks[0]", b"", "?"),)}, {}),
    ("key-unknown", {"session_key": None}, {}),
    ("direct-calls-only", {"is_user_op": False}, {}),
    ("no-power", {"permissions": (NativeTokenTransfer(1),)}, {}),
    ("deadline-apart", {"expiry": CAREFUL.expiry + 1}, {}),
]


@pytest.mark.parametrize(("rule", "changed", "not_so"), UNBUILT, ids=[row[0] for row in UNBUILT])
def test_rules_about_what_no_builder_makes(rule: str, changed: dict[str, object], not_so: dict[str, object]) -> None:
    assert rule in rules(CAREFUL, **changed)
    assert rule not in rules(CAREFUL, **not_so)


PAID = plain(ContractAccess(GAME), NativeTokenTransfer(10), GasLimit(10**16))
UNPAID = plain(ContractAccess(GAME), NativeTokenTransfer(0), GasLimit(10**16))
SPENDER = plain(Erc20TokenTransfer(TOKEN, 10), NativeTokenTransfer(0), GasLimit(10**16))
AROUND = [
    ("eoa-as-contract", CAREFUL, Surroundings(without_code=frozenset({GAME})), Surroundings(without_code=frozenset({TOKEN}))),
    ("eoa-as-contract", UNPAID, Surroundings(without_code=frozenset({GAME})), Surroundings()),
    ("unknown-code", CAREFUL, Surroundings(unknown_code=frozenset({GAME})), Surroundings(unknown_code=frozenset({TOKEN}))),
    ("proxy", CAREFUL, Surroundings(proxies=frozenset({GAME})), Surroundings(proxies=frozenset({TOKEN}))),
    (
        "allowance-above-balance",
        SPENDER,
        Surroundings(token_balances=((TOKEN, 9),)),
        Surroundings(token_balances=((TOKEN, 10), (GAME, 0))),
    ),
    ("eth-above-balance", PAID, Surroundings(balance=9), Surroundings(balance=10)),
    ("same-dapp-holds-session", CAREFUL, Surroundings(same_dapp=1), Surroundings()),
    (
        "session-key-used-elsewhere",
        CAREFUL,
        Surroundings(keys_elsewhere=frozenset({KEY})),
        Surroundings(keys_elsewhere=frozenset({GAME})),
    ),
    ("entity-id-used", CAREFUL, Surroundings(used_entity_ids=frozenset({1})), Surroundings(used_entity_ids=frozenset({2}))),
    ("clock-apart", CAREFUL, Surroundings(chain_time=NOW - 601), Surroundings(chain_time=NOW + 600)),
    ("sender-unproven", CAREFUL, Surroundings(sender_proven=False), Surroundings(sender_proven=True)),
]


@pytest.mark.parametrize(("rule", "draft", "holds", "not_so"), AROUND, ids=[f"{row[0]}-{i}" for i, row in enumerate(AROUND)])
def test_rules_that_need_to_know_the_world(rule: str, draft: Draft, holds: Surroundings, not_so: Surroundings) -> None:
    assert rule in rules(draft, holds)
    assert rule not in rules(draft, not_so)
    assert rule not in rules(draft)


def test_paying_a_person_is_no_contract_without_code() -> None:
    person = Surroundings(without_code=frozenset({GAME}))
    assert rules(PAID, person) == {}
    assert "contract-any-function" in rules(UNPAID, person)
    assert rules(PAYMENT) == rules(PAYMENT, person) == {}


PAYMENT = plain(FunctionsOnContract(GAME, (PAY,)), NativeTokenTransfer(10), GasLimit(10**16))


def called(name: str = "", symbol: str = "", decimals: int | None = None, address: Address = TOKEN, dapp: str = "") -> Claims:
    return Claims(dapp, names=((address, name, symbol, decimals),))


KNOWN_TOKEN = plain(Erc20TokenTransfer(USDC, 10), NativeTokenTransfer(0), GasLimit(10**16))
COLLIDING = ("harmless75204()", "harmless85990()")  # found by trying; both are 0x6abba860
TWO_NAMES = plain(FunctionsOnContract(GAME, (selector_of(COLLIDING[0]),)))
BURNER = plain(FunctionsOnContract(GAME, (Selector.parse("0x42966c68"), MOVE)))
NAMED = [
    ("name-of-a-known-token", SPENDER, called("", "USDC"), called("", "GLD")),
    ("name-of-a-known-token", SPENDER, called("usd coin"), called("Gold coin")),
    ("name-of-a-known-token", SPENDER, called("Official USDC"), called("Official Gold")),
    ("name-of-a-known-token", SPENDER, called("", "USDC"), called("", "USDC", address=GAME)),  # nothing is granted there
    ("name-of-a-known-token", CAREFUL, called("Uniswap", address=GAME), called("UNI farm", address=GAME)),  # contracts have names too
    ("name-disguised", SPENDER, called("", "U\u0405DC"), called("", "USDC")),
    ("name-disguised", SPENDER, called("", "U5DC"), called("", "U-S-D-C")),
    ("name-disguised", SPENDER, called("", "\uff35SDT"), called("", "USDT")),
    ("name-disguised", SPENDER, called("Da1 Stablecoin"), called("Dai Stablecoin")),
    ("name-disguised", SPENDER, called("Gold, on Latchkey's list"), called("Gold on a list")),
    ("name-disguised", SPENDER, called("Gold", dapp="L\u0430tchkey"), called("Gold", dapp="Lachesis")),
    ("name-contradicts-list", KNOWN_TOKEN, called("", "DAI", 6, USDC), called("USD Coin", "USDC", 6, USDC)),
    ("name-contradicts-list", KNOWN_TOKEN, called("", "USDC", 18, USDC), called("Circle's dollar", "", None, USDC)),
    ("name-odd", SPENDER, called("<img src=x>"), called("I <3 you & me")),
    ("name-odd", SPENDER, called("Go\u200bld"), called("Gold \U0001f468\u200d\U0001f469\u200d\U0001f467")),
    ("name-odd", SPENDER, called("Gold\u202e"), called("\u05d6\u05d4\u05d1")),
    ("name-odd", SPENDER, called("G\u043eld"), called("\u0417\u043e\u043b\u043e\u0442\u043e gold")),
    ("name-odd", SPENDER, called("a" + "\u0301" * 9), called("ál dé")),
    ("name-odd", SPENDER, called("G" * 100_000), called("G" * 60)),
    ("name-odd", SPENDER, Claims(altered=True), Claims()),
    ("function-name-collides", BURNER, Claims(functions=("collate_propagate_storage(bytes16)",)), Claims(functions=("burn(uint256)",))),
    ("function-name-collides", TWO_NAMES, Claims(functions=COLLIDING), Claims(functions=COLLIDING[:1])),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "draft", "holds", "not_so"), NAMED, ids=[f"{row[0]}-{i}" for i, row in enumerate(NAMED)])
def test_rules_about_names(rule: str, draft: Draft, holds: Claims, not_so: Claims) -> None:
    assert rule in rules(draft, claims=holds)
    assert rule not in rules(draft, claims=not_so)


@pytest.mark.parametrize(("rule", "draft", "holds"), [(r, d, c) for r, d, c, _ in NAMED if c.names and not c.dapp_name])
def test_a_name_of_ones_own_is_held_against_the_list_too(rule: str, draft: Draft, holds: Claims) -> None:
    notes = Notes(tuple((address, name or symbol) for address, name, symbol, _ in holds.names))
    assert rule in rules(draft, notes=notes) or rule == "name-contradicts-list"


def test_every_rule_is_tested_on_both_sides() -> None:
    assert {row[0] for row in (*BOTH_SIDES, *UNBUILT, *AROUND, *NAMED)} == {rule.id for rule in RULES}


KNOWN_AND_GOOD = Surroundings(balance=10**18, token_balances=((TOKEN, 10**9),), chain_time=NOW + 12, sender_proven=True)
CAREFUL_ONES = [
    CAREFUL,
    SPENDER,
    plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(10**17), GasLimit(10**16)),
    plain(
        FunctionsOnContract(GAME, (MOVE, CLAIM)),
        Erc20TokenTransfer(TOKEN, 5),
        NativeTokenTransfer(0),
        GasLimit(10**16),
    ),
]


@pytest.mark.parametrize("draft", CAREFUL_ONES, ids=range(len(CAREFUL_ONES)))
def test_a_careful_grant_raises_none(draft: Draft) -> None:
    assert rules(draft) == {}
    assert rules(draft, KNOWN_AND_GOOD) == {}


def test_the_worst_come_first() -> None:
    levels = list(rules(plain(ContractAccess(addresses.TIME_RANGE), expiry=0)).values())
    assert levels == sorted(levels, key=list(Level).index, reverse=True)
    assert levels[0] is Level.REFUSED


def test_what_is_marked_refused_is_what_the_judge_refuses() -> None:
    refused = {rule.id for rule in RULES if rule.level is Level.REFUSED}
    for rule, draft, _ in BOTH_SIDES:
        if rule in refused:
            with pytest.raises(judge.Refused):
                judge.judge(draft, now=NOW, policy=Policy.EXPERT)


def test_a_gas_limit_that_pays_nothing_comes_with_an_amount_that_would_do() -> None:
    reading = system("modular_account").decode_unsigned(build(plain(ContractAccess(GAME), GasLimit(0x493E0))).unsigned)
    found = findings(reading, account=Account(8453, ACCOUNT, "modular_account", Mode.ADDRESS), now=NOW)
    assert next(f.advice for f in found if f.id == "gas-limit-looks-like-gas-units") == "0.00007 ETH would do."


def test_core_and_the_account_system_know_the_same_contracts_and_functions() -> None:
    assert set(MACHINERY) == set(addresses.PROTECTED)
    assert LIMIT_FUNCTIONS | ENTRY_POINT_FUNCTIONS == judge.BLOCKED_EVERYWHERE
    stale = {"0x1d37e7d6", "0x0b7cad71"}  # aa-sdk's wrong values, which stand for no function
    internal = {"0x19822f7c", "0x7d63d6e3", "0xe919a623", "0xc4d66de8"}  # refused besides; they hand over nothing by themselves
    assert set(TAKEOVER_FUNCTIONS) == (set(judge.SDK_BLOCKED) - stale) | (set(judge.BLOCKED_ACCOUNT_FUNCTIONS) - internal)


@pytest.mark.parametrize(
    "table", [TOKEN_FUNCTIONS, NESTING_FUNCTIONS, RECEIVER_FUNCTIONS, LIMIT_FUNCTIONS, ENTRY_POINT_FUNCTIONS, TAKEOVER_FUNCTIONS]
)
def test_the_tables_selectors_are_the_signatures_hashes(table: dict[str, str]) -> None:
    assert all(f"0x{keccak(signature.encode())[:4].hex()}" == selector for selector, signature in table.items())
