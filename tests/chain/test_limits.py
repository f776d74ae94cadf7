"""Limits to the last wei, token and second; what counts towards them and what does not."""

from __future__ import annotations

import pytest

from latchkey.accounts.modular_account.addresses import NATIVE_TOKEN_LIMIT
from latchkey.accounts.modular_account.build import HALF
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Permission,
    Root,
)
from tests.chain import abi
from tests.chain.cases import BUY, DAY, MOVE, PRACTICE, TOO_MANY_TOKENS, TOO_MUCH_ETH, TOO_MUCH_GAS, dollars, functions
from tests.chain.stage import COUNT, ETHER, GAS, GWEI, RECEIVER, STRANGER, Gas, Session, Stage
from tests.chain.state import token_limit, tokens_left
from tests.chain.test_permissions import by_operation, by_transaction, install_module
from tests.devnet.places import COUNTER, DOLLAR, GAME, PAYMASTER

OVER_ETH, OVER_TOKENS, OVER_GAS = by_operation(TOO_MUCH_ETH), by_operation(TOO_MANY_TOKENS), by_operation(TOO_MUCH_GAS)
EXPIRED = "refused: AA22 expired or not due"


def granted(stage: Stage, *permissions: Permission, expires_in: int = 0) -> Session:
    """A session that is to be installed by its first operation."""
    account = stage.account()
    expiry = stage.now() + expires_in if expires_in else 0
    return stage.session(stage.grant(stage.draft(account, *permissions, expiry=expiry), account), account)


# --- time


@pytest.mark.parametrize(("late", "expected"), [(-1, "done"), (0, "done"), (1, EXPIRED)])
def test_expiry_is_the_last_second_of_use(stage: Stage, late: int, expected: str) -> None:
    session = granted(stage, ContractAccess(COUNTER), expires_in=DAY)
    assert session.first(COUNT).text == "done"
    stage.next_block_at(session.draft.expiry + late)
    assert session.later(COUNT).text == expected


@pytest.mark.parametrize(("late", "expected"), [(-1, "done"), (0, "done"), (1, EXPIRED)])
def test_expiry_is_the_last_second_of_activation(stage: Stage, late: int, expected: str) -> None:
    session = granted(stage, ContractAccess(COUNTER), expires_in=DAY)
    stage.next_block_at(session.draft.expiry + late)
    assert session.first(COUNT).text == expected


@pytest.mark.parametrize(
    ("late", "expected"), [(0, "done"), (1, "reverted: PreRuntimeValidationHookReverted(TimeRangeModule:1, TimeRangeNotValid())")]
)
def test_expiry_holds_without_the_entry_point(stage: Stage, late: int, expected: str) -> None:
    session = granted(stage, ContractAccess(COUNTER), expires_in=DAY)
    assert session.first(COUNT).text == "done"
    stage.next_block_at(session.draft.expiry + late)
    assert session.runtime(COUNT).text == expected


def test_root_expires_too(stage: Stage) -> None:
    session = granted(stage, Root(), expires_in=DAY)
    stage.next_block_at(session.draft.expiry)
    assert session.first(COUNT).text == "done"
    stage.next_block_at(session.draft.expiry + 1)
    assert session.later(COUNT).text == EXPIRED


def test_a_year_and_no_expiry(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    stage.next_block_at(stage.now() + 365 * DAY)
    assert session.first(COUNT).text == "done"


# --- gas


def test_gas_limit_counts_what_is_declared(stage: Stage) -> None:
    """The declared limits at the highest fee, the installing operation included; nothing is given back."""
    session = granted(stage, ContractAccess(COUNTER), GasLimit(2 * GAS.promised + 5))
    outcome = session.first(COUNT)
    assert outcome.text == "done"
    assert outcome.gas_cost < GAS.promised
    left = token_limit(stage, session.account.address, 1 + HALF)
    assert left == GAS.promised + 5
    assert session.later(COUNT).text == "done"
    assert token_limit(stage, session.account.address, 1 + HALF) == 5
    assert session.later(COUNT).text == OVER_GAS


@pytest.mark.parametrize(("missing", "expected"), [(0, "done"), (1, OVER_GAS)])
def test_gas_limit_to_the_last_wei(stage: Stage, missing: int, expected: str) -> None:
    session = granted(stage, ContractAccess(COUNTER), GasLimit(GAS.promised - missing))
    assert session.first(COUNT).text == expected


def test_gas_limit_of_zero_needs_a_paymaster(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER), GasLimit(0))
    assert session.first(COUNT).text == OVER_GAS
    session.paymaster = True
    assert session.first(COUNT).text == "done"


def test_gas_limit_is_charged_for_calls_that_fail(stage: Stage) -> None:
    session = granted(stage, ContractAccess(GAME), GasLimit(GAS.promised))
    off_the_board = abi.execute(GAME, 0, abi.call("move(uint8,uint8)", 8, 0))
    assert session.first(off_the_board).text == "failed: OffTheBoard(8, 0)"
    assert token_limit(stage, session.account.address, 1 + HALF) == 0


def test_a_paymaster_is_not_charged_to_the_gas_limit(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER), GasLimit(GAS.promised))
    session.paymaster = True
    before = stage.balance(session.account.address)
    assert [session.first(COUNT).text, session.later(COUNT).text] == ["done", "done"]
    assert token_limit(stage, session.account.address, 1 + HALF) == GAS.promised
    assert stage.balance(session.account.address) == before


def test_a_paymaster_the_account_repays_is_charged(stage: Stage) -> None:
    """Once the account registered it; its own two gas limits count too."""
    session = granted(stage, ContractAccess(COUNTER), GasLimit(2 * GAS.promised))
    special = abi.call("updateSpecialPaymaster(address,bool)", PAYMASTER, True)
    assert stage.owner_tx(session.account, abi.execute(NATIVE_TOKEN_LIMIT, 0, special)).text == "done"
    session.paymaster = True
    assert session.first(COUNT).text == "done"
    charged = GAS.promised + (300_000 + 100_000) * GAS.max_fee
    assert token_limit(stage, session.account.address, 1 + HALF) == 2 * GAS.promised - charged


def test_gas_units_written_for_wei_pay_for_nothing(stage: Stage) -> None:
    """300000 is no gas limit: the finding says so, and the chain agrees."""
    session = granted(stage, ContractAccess(COUNTER), GasLimit(300_000))
    review = stage.review(session.draft, session.account)
    assert "gas-limit-looks-like-gas-units" in {f.id for f in review.findings}
    assert session.first(COUNT).text == OVER_GAS


# --- ETH


def test_eth_limit_counts_value_and_not_gas(stage: Stage) -> None:
    session = granted(stage, ContractAccess(GAME), NativeTokenTransfer(100))
    assert session.first(abi.execute(GAME, 40, BUY)).text == "done"
    assert token_limit(stage, session.account.address, 1) == 60
    assert session.later(abi.execute(GAME, 0, MOVE)).text == "done"
    assert token_limit(stage, session.account.address, 1) == 60


@pytest.mark.parametrize(("values", "expected"), [((50, 50), "done"), ((50, 51), OVER_ETH), ((101,), OVER_ETH)])
def test_eth_limit_is_one_sum_over_a_batch(stage: Stage, values: tuple[int, ...], expected: str) -> None:
    session = granted(stage, ContractAccess(GAME), NativeTokenTransfer(100))
    assert session.first(abi.execute_batch(*((GAME, v, BUY) for v in values))).text == expected
    spent = sum(values) if expected == "done" else 0
    assert token_limit(stage, session.account.address, 1) == 100 - spent
    assert stage.view(GAME, "(uint256)", "paid(address)", session.account.address) == spent


def test_a_call_that_fails_gives_its_allowance_back(stage: Stage) -> None:
    session = granted(stage, ContractAccess(GAME), NativeTokenTransfer(100), Erc20TokenTransfer(DOLLAR, 100))
    off_the_board = (GAME, 0, abi.call("move(uint8,uint8)", 8, 0))
    batch = abi.execute_batch((GAME, 70, BUY), (DOLLAR, 0, abi.transfer(RECEIVER, 80)), off_the_board)
    assert session.first(batch).text == "failed: OffTheBoard(8, 0)"
    assert token_limit(stage, session.account.address, 1) == 100
    assert tokens_left(stage, session.draft, DOLLAR) == 100
    assert session.later(abi.execute_batch((GAME, 100, BUY), (DOLLAR, 0, abi.transfer(RECEIVER, 100)))).text == "done"


def test_an_allowance_the_account_cannot_pay(stage: Stage) -> None:
    session = granted(stage, ContractAccess(GAME), NativeTokenTransfer(50 * ETHER))
    assert session.first(abi.execute(GAME, 20 * ETHER, BUY)).text == "failed: no reason"
    assert token_limit(stage, session.account.address, 1) == 50 * ETHER


# --- tokens


def test_approving_counts_in_full_every_time(stage: Stage) -> None:
    session = granted(stage, Erc20TokenTransfer(DOLLAR, 100))
    approve = abi.execute(DOLLAR, 0, abi.approve(RECEIVER, 40))
    assert [session.first(approve).text, session.later(approve).text] == ["done", "done"]
    assert tokens_left(stage, session.draft, DOLLAR) == 20
    lower = abi.execute(DOLLAR, 0, abi.approve(RECEIVER, 0))
    assert session.later(lower).text == "done"
    assert tokens_left(stage, session.draft, DOLLAR) == 20
    assert session.later(approve).text == OVER_TOKENS
    assert session.later(dollars(20)).text == "done"


@pytest.mark.parametrize(("amounts", "expected"), [((60, 40), "done"), ((60, 41), OVER_TOKENS), ((2**256 - 1,), OVER_TOKENS)])
def test_token_limit_is_one_sum_over_a_batch(stage: Stage, amounts: tuple[int, ...], expected: str) -> None:
    session = granted(stage, Erc20TokenTransfer(DOLLAR, 100))
    assert session.first(abi.execute_batch(*((DOLLAR, 0, abi.transfer(RECEIVER, a)) for a in amounts))).text == expected
    assert stage.tokens(DOLLAR, RECEIVER) == (100 if expected == "done" else 0)


def test_a_limit_as_large_as_can_be(stage: Stage) -> None:
    session = granted(stage, Erc20TokenTransfer(DOLLAR, 2**256 - 1))
    assert session.first(dollars(1000 * 10**6)).text == "done"
    assert tokens_left(stage, session.draft, DOLLAR) == 2**256 - 1 - 1000 * 10**6


def test_limits_hold_without_the_entry_point(stage: Stage) -> None:
    session = granted(stage, Erc20TokenTransfer(DOLLAR, 100), NativeTokenTransfer(10), ContractAccess(GAME))
    assert session.first(dollars(99)).text == "done"
    assert session.runtime(dollars(2)).text == by_transaction(TOO_MANY_TOKENS)
    assert session.runtime(dollars(1)).text == "done"
    assert session.runtime(abi.execute(GAME, 11, BUY)).text == by_transaction(TOO_MUCH_ETH)
    assert session.runtime(abi.execute(GAME, 10, BUY)).text == "done"
    assert session.later(dollars(1)).text == OVER_TOKENS


def test_the_gas_limit_does_not_hold_for_the_keys_own_gas(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER), GasLimit(GAS.promised))
    assert session.first(COUNT).text == "done"
    assert session.later(COUNT).text == OVER_GAS
    before = stage.balance(session.account.address)
    assert session.runtime(COUNT).text == "done"
    assert stage.balance(session.account.address) == before


# --- what one limit does to other permissions


def test_a_token_limit_makes_account_functions_useless(stage: Stage) -> None:
    account = stage.account()
    install_module(stage, account)
    draft = stage.draft(account, Erc20TokenTransfer(DOLLAR, 5), AccountFunctions(functions(PRACTICE)))
    session = stage.session(stage.grant(draft, account, checked=False), account)
    expected = f"failed: PreExecHookReverted(AllowlistModule:{HALF + 1}, SpendingRequestNotAllowed(0x{PRACTICE.hex()}))"
    assert session.first(PRACTICE).text == expected
    assert session.later(dollars(5)).text == "done"


def test_an_eth_limit_leaves_account_functions_alone(stage: Stage) -> None:
    account = stage.account()
    install_module(stage, account)
    signed = stage.grant(stage.draft(account, NativeTokenTransfer(0), AccountFunctions(functions(PRACTICE))), account)
    assert stage.session(signed, account).first(PRACTICE).text == "done"


# --- who pays


@pytest.mark.parametrize("sponsored", [True, False])
def test_only_with_this_paymaster(stage: Stage, sponsored: bool) -> None:
    session = granted(stage, PaymasterGuard(PAYMASTER), ContractAccess(COUNTER))
    session.paymaster = sponsored
    refused = "refused: AA23 reverted, PreUserOpValidationHookReverted(PaymasterGuardModule:1, no reason)"
    assert session.first(COUNT).text == ("done" if sponsored else refused)


def test_only_with_another_paymaster(stage: Stage) -> None:
    session = granted(stage, PaymasterGuard(STRANGER.address), ContractAccess(COUNTER))
    session.paymaster = True
    refused = "refused: AA23 reverted, PreUserOpValidationHookReverted(PaymasterGuardModule:1, BadPaymasterSpecified())"
    assert session.first(COUNT).text == refused


def test_without_a_gas_limit_the_key_burns_what_it_likes(stage: Stage) -> None:
    """Trap 5: eight of the account's ten ETH leave as a fee to whoever sends the bundle. The finding names it."""
    session = granted(stage, ContractAccess(COUNTER))
    assert "gas-unlimited" in {f.id for f in stage.review(session.draft, session.account).findings}
    assert session.first(COUNT).text == "done"
    before, fee = stage.balance(session.account.address), 8_000 * GWEI
    session.gas = Gas(call=60_000, verification=150_000, pre_verification=1_000_000, max_fee=fee, priority_fee=fee)
    assert session.later(COUNT).text == "done"
    assert before - stage.balance(session.account.address) > 8 * ETHER
