"""The local model of the hooks, held against the protocol text: who decides, when, with which error, and what is left."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from latchkey.accounts.modular_account import addresses
from latchkey.accounts.modular_account.build import build
from latchkey.accounts.modular_account.decode import decode_call, decode_unsigned
from latchkey.accounts.modular_account.model import (
    EXECUTE_USER_OP,
    Allowed,
    Denied,
    Fees,
    InnerCall,
    Outcome,
    Remaining,
    Session,
    Stage,
    attempt,
    call_data_of,
    session_of_draft,
    session_of_install,
    try_calls,
)
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
from latchkey.core.reading import Batch, Call, Install, Unknown
from latchkey.core.types import MAX_UINT256, Address, Selector
from latchkey.errors import CannotDecode
from tests.chain.stage import GAS
from tests.chain.test_random import Expected, random_call, random_permissions
from tests.core.golden_cases import ACCOUNT, CLAIM, GAME, MOVE, NOW, OTHER, PAY, ROUTER, USDC, fn, plain
from tests.counts import count
from tests.drafts import random_address, random_draft

FREE = Fees(0, 0, 0, 0)
FEES = Fees(pre_verification_gas=60_000, verification_gas_limit=500_000, call_gas_limit=200_000, max_fee_per_gas=10**9)
CHARGE = 760_000 * 10**9
MOVE_DATA = MOVE.raw + bytes(64)


def session(*permissions: Permission, expiry: int = NOW + 10) -> Session:
    return session_of_draft(plain(*permissions, expiry=expiry))


def transfer(amount: int, to: Address = OTHER) -> bytes:
    return fn("transfer(address,uint256)", to, amount)


def approve(amount: int) -> bytes:
    return fn("approve(address,uint256)", ROUTER, amount)


def sent(
    on: Session, *calls: tuple[Address, int, bytes], now: int = NOW, fees: Fees | None = FREE, left: Remaining | None = None
) -> Outcome:
    return try_calls(on, [InnerCall(*c) for c in calls], now=now, fees=fees, remaining=left)


def said(outcome: Outcome) -> tuple[str, Address | None, str, str, int | None]:
    assert isinstance(outcome, Denied)
    assert outcome.sentence.plain.endswith(".")
    return outcome.stage, outcome.module, outcome.error, outcome.selector, outcome.call


def left(outcome: Outcome) -> Remaining:
    assert isinstance(outcome, Allowed)
    return outcome.remaining


V, X = Stage.VALIDATION, Stage.EXECUTION
AL, NT, TR, PG = addresses.ALLOWLIST, addresses.NATIVE_TOKEN_LIMIT, addresses.TIME_RANGE, addresses.PAYMASTER_GUARD


# --- the allowlist


@pytest.mark.parametrize("data", [b"", b"\x01", MOVE_DATA])
def test_contract_access_allows_any_data(data: bytes) -> None:
    assert left(sent(session(ContractAccess(GAME)), (GAME, 0, data))) == Remaining(None, None)


def test_other_addresses_are_not_allowed() -> None:
    assert said(sent(session(ContractAccess(GAME)), (ROUTER, 0, b""))) == (V, AL, "AddressNotAllowed", "0x2b53784e", 0)


def test_a_listed_contract_answers_to_its_own_list() -> None:
    on = session(FunctionsOnContract(GAME, (MOVE,)), FunctionsOnAllContracts((CLAIM, PAY)))
    assert isinstance(sent(on, (GAME, 0, MOVE_DATA)), Allowed)
    assert isinstance(sent(on, (ROUTER, 0, CLAIM.raw)), Allowed)
    assert said(sent(on, (GAME, 0, CLAIM.raw))) == (V, AL, "SelectorNotAllowed", "0xbdb518d2", 0)
    assert said(sent(on, (GAME, 0, b""))) == (V, AL, "NoSelectorSpecified", "0x3aeca77f", 0)
    assert said(sent(on, (GAME, 0, MOVE.raw[:3]))) == (V, AL, "NoSelectorSpecified", "0x3aeca77f", 0)
    assert said(sent(on, (ROUTER, 0, MOVE.raw))) == (V, AL, "AddressNotAllowed", "0x2b53784e", 0)


@pytest.mark.parametrize("data", [b"", b"\0\0", bytes(4), bytes(40)])
def test_selector_0_stands_for_calls_without_data(data: bytes) -> None:
    assert isinstance(sent(session(FunctionsOnAllContracts((PAY,))), (OTHER, 1, data)), Allowed)
    assert isinstance(sent(session(FunctionsOnAllContracts((CLAIM,))), (OTHER, 1, data)), Denied)


def test_eth_is_never_looked_at_by_the_allowlist() -> None:
    assert isinstance(sent(session(FunctionsOnContract(GAME, (MOVE,))), (GAME, MAX_UINT256, MOVE_DATA)), Allowed)


def test_in_a_batch_the_first_call_that_is_not_allowed_decides() -> None:
    on = session(ContractAccess(GAME))
    assert isinstance(sent(on), Allowed)
    assert said(sent(on, (GAME, 0, b""), (ROUTER, 0, b""), (OTHER, 0, b"")))[-1] == 1


def test_of_two_entries_for_a_contract_the_last_says_whether_its_functions_count() -> None:
    functions, whole = FunctionsOnContract(GAME, (MOVE,)), ContractAccess(GAME)
    assert isinstance(sent(session(functions, whole), (GAME, 0, CLAIM.raw)), Allowed)
    assert isinstance(sent(session(whole, functions), (GAME, 0, CLAIM.raw)), Denied)
    assert isinstance(sent(session(functions, FunctionsOnContract(GAME, (CLAIM,))), (GAME, 0, MOVE_DATA)), Allowed)


# --- the native limit


def test_values_are_summed_against_the_native_limit_at_execution() -> None:
    on = session(ContractAccess(OTHER), NativeTokenTransfer(10))
    assert left(sent(on, (OTHER, 4, b""), (OTHER, 6, b""))).native == 0
    refused = sent(on, (OTHER, 4, b""), (OTHER, 7, b""))
    assert said(refused) == (X, NT, "ExceededNativeTokenLimit", "0x94c58c94", None)
    assert refused.remaining.native == 10


def test_limit_0_lets_calls_without_value_through() -> None:
    on = session(ContractAccess(OTHER), NativeTokenTransfer(0))
    assert left(sent(on, (OTHER, 0, b""))).native == 0
    assert isinstance(sent(on, (OTHER, 1, b"")), Denied)


def test_a_sum_too_large_for_the_chain_panics() -> None:
    on = session(ContractAccess(OTHER), NativeTokenTransfer(MAX_UINT256))
    assert said(sent(on, (OTHER, MAX_UINT256, b""), (OTHER, 1, b"")))[2] == "Panic"


# --- token limits


def test_transfers_and_approvals_count_in_full_each_time() -> None:
    on = session(Erc20TokenTransfer(USDC, 10))
    assert left(sent(on, (USDC, 0, transfer(3)), (USDC, 0, approve(7)))).tokens == ((USDC, 0),)
    refused = sent(on, (USDC, 0, approve(7)), (USDC, 0, approve(7)))
    assert said(refused) == (X, AL, "ExceededTokenLimit", "0xa55ac877", 1)
    assert refused.remaining.tokens == ((USDC, 10),)


def test_short_calldata_of_a_token() -> None:
    on = session(Erc20TokenTransfer(USDC, 10))
    assert said(sent(on, (USDC, 0, transfer(1)[:67]))) == (X, AL, "InvalidCalldataLength", "0xca0ad260", 0)
    assert said(sent(on, (USDC, 0, fn("balanceOf(address)", OTHER)))) == (V, AL, "SelectorNotAllowed", "0xbdb518d2", 0)


def test_a_limited_token_takes_nothing_but_transfer_and_approve_even_where_its_list_is_open() -> None:
    on = session(Erc20TokenTransfer(USDC, 10), ContractAccess(USDC))
    assert said(sent(on, (USDC, 0, MOVE_DATA[:67]))) == (X, AL, "InvalidCalldataLength", "0xca0ad260", 0)
    assert said(sent(on, (USDC, 0, MOVE_DATA))) == (X, AL, "SelectorNotAllowed", "0xbdb518d2", 0)


def test_of_two_limits_of_one_token_the_last_stands() -> None:
    assert session(Erc20TokenTransfer(USDC, 5), Erc20TokenTransfer(USDC, 9)).whole.tokens == ((USDC, 9),)


def test_a_token_limit_makes_account_functions_unusable() -> None:
    on = session(AccountFunctions((MOVE,)), Erc20TokenTransfer(USDC, 5))
    outcome = attempt(on, EXECUTE_USER_OP.raw + MOVE_DATA, now=NOW, fees=FREE)
    assert said(outcome) == (X, AL, "SpendingRequestNotAllowed", "0xf61c9d52", None)
    alone = session(AccountFunctions((MOVE,)))
    assert isinstance(attempt(alone, MOVE_DATA, now=NOW, fees=FREE), Allowed)


def test_native_is_asked_before_tokens() -> None:
    on = session(Erc20TokenTransfer(USDC, 5), NativeTokenTransfer(1))
    assert said(sent(on, (USDC, 2, transfer(9))))[1] == NT


# --- gas


def test_the_gas_limit_is_charged_the_declared_limits() -> None:
    on = session(ContractAccess(GAME), GasLimit(CHARGE + 5))
    assert left(sent(on, (GAME, 0, b""), fees=FEES)).gas == 5
    refused = sent(on, (GAME, 0, b""), fees=FEES, left=Remaining(None, CHARGE - 1))
    assert said(refused) == (V, NT, "ExceededNativeTokenLimit", "0x94c58c94", None)
    assert refused.remaining.gas == CHARGE - 1


def test_a_call_that_fails_at_execution_has_paid_its_gas() -> None:
    on = session(ContractAccess(GAME), GasLimit(CHARGE), NativeTokenTransfer(0))
    refused = sent(on, (GAME, 1, b""), fees=FEES)
    assert isinstance(refused, Denied)
    assert (refused.stage, refused.remaining) == (X, Remaining(0, 0))


def test_a_call_that_fails_at_validation_has_paid_nothing() -> None:
    refused = sent(session(ContractAccess(GAME), GasLimit(CHARGE)), (ROUTER, 1, b""), fees=FEES)
    assert isinstance(refused, Denied)
    assert (refused.stage, refused.remaining.gas) == (V, CHARGE)


def test_a_paymaster_voids_the_gas_limit_unless_it_is_registered() -> None:
    on = session(ContractAccess(GAME), GasLimit(10))
    paid = replace(FEES, paymaster=OTHER, paymaster_verification_gas_limit=1, paymaster_post_op_gas_limit=2)
    assert left(sent(on, (GAME, 0, b""), fees=paid)).gas == 10
    assert isinstance(sent(on, (GAME, 0, b""), fees=replace(paid, special=True)), Denied)
    assert replace(paid, special=True).charge == 760_003 * 10**9


def test_gas_is_asked_before_the_allowlist() -> None:
    assert said(sent(session(ContractAccess(GAME), GasLimit(0)), (ROUTER, 0, b""), fees=FEES))[1] == NT


# --- paymaster guard


def test_only_one_paymaster_may_pay() -> None:
    on = session(ContractAccess(GAME), PaymasterGuard(OTHER))
    assert isinstance(sent(on, (GAME, 0, b""), fees=replace(FEES, paymaster=OTHER)), Allowed)
    assert said(sent(on, (GAME, 0, b""), fees=replace(FEES, paymaster=GAME))) == (
        V,
        PG,
        "BadPaymasterSpecified",
        "0xbe179485",
        None,
    )
    assert said(sent(on, (GAME, 0, b""), fees=FEES)) == (V, PG, "", "", None)


# --- time


def test_the_last_second_is_allowed() -> None:
    on = session(ContractAccess(GAME))
    assert isinstance(sent(on, (GAME, 0, b""), now=NOW + 10), Allowed)
    assert said(sent(on, (GAME, 0, b""), now=NOW + 11)) == (V, None, "AA22 expired or not due", "", None)
    assert isinstance(sent(session(ContractAccess(GAME), expiry=0), (GAME, 0, b""), now=2**40), Allowed)


def test_the_first_second_is_allowed() -> None:
    on = replace(session(ContractAccess(GAME)), valid_after=NOW)
    assert isinstance(sent(on, (GAME, 0, b""), now=NOW), Allowed)
    assert isinstance(sent(on, (GAME, 0, b""), now=NOW - 1), Denied)


def test_the_time_of_an_operation_is_looked_at_last_that_of_a_transaction_first() -> None:
    on = session(ContractAccess(GAME))
    assert said(sent(on, (ROUTER, 0, b""), now=NOW + 11))[1] == AL
    assert said(sent(on, (ROUTER, 0, b""), now=NOW + 11, fees=None)) == (V, TR, "TimeRangeNotValid", "0x22863066", None)


# --- which calls the validation applies to


def test_with_execution_hooks_the_call_must_be_wrapped() -> None:
    data = call_data_of([InnerCall(GAME, 0, b"")])
    limited, free = session(ContractAccess(GAME), NativeTokenTransfer(1)), session(ContractAccess(GAME))
    assert said(attempt(limited, data, now=NOW, fees=FREE)) == (V, None, "RequireUserOperationContext", "0x5f49f00a", None)
    assert isinstance(attempt(limited, EXECUTE_USER_OP.raw + data, now=NOW, fees=FREE), Allowed)
    assert isinstance(attempt(free, EXECUTE_USER_OP.raw + data, now=NOW, fees=FREE), Allowed)
    assert isinstance(attempt(free, data, now=NOW, fees=FREE), Allowed)


def test_functions_of_the_account_that_were_not_granted() -> None:
    on = session(ContractAccess(GAME))
    assert said(attempt(on, MOVE_DATA, now=NOW, fees=FREE)) == (V, None, "ValidationFunctionMissing", "0xcf7b49f6", None)
    only_functions = session(AccountFunctions((MOVE,)))
    assert said(sent(only_functions, (GAME, 0, b"")))[2] == "ValidationFunctionMissing"
    assert said(attempt(on, b"\x01\x02", now=NOW, fees=FREE))[2] == "UnrecognizedFunction"


def test_the_account_itself_as_target() -> None:
    on = session(AccountFunctions((MOVE,)), FunctionsOnAllContracts((MOVE, CLAIM)))
    other = (GAME, 0, CLAIM.raw)
    assert said(sent(on, (ACCOUNT, 0, MOVE_DATA)))[2] == "SelfCallRecursionDepthExceeded"
    assert isinstance(sent(on, (ACCOUNT, 0, MOVE_DATA), other), Allowed)
    assert said(sent(on, other, (ACCOUNT, 0, CLAIM.raw))) == (V, None, "ValidationFunctionMissing", "0xcf7b49f6", 1)
    assert said(sent(on, other, (ACCOUNT, 0, call_data_of([]))))[2] == "SelfCallRecursionDepthExceeded"
    assert said(sent(on, other, (ACCOUNT, 0, b"\x01"))) == (V, None, "", "", 1)


def test_root_may_do_everything_until_it_ends() -> None:
    on = session(Root())
    assert isinstance(sent(on, (GAME, 10**18, MOVE_DATA), fees=FEES), Allowed)
    assert isinstance(attempt(on, Selector.parse("0x30009d52").raw + bytes(64), now=NOW, fees=FEES), Allowed)
    assert isinstance(sent(on, (GAME, 0, b""), now=NOW + 11), Denied)
    assert said(sent(on, (ACCOUNT, 0, b"1234")))[2] == "SelfCallRecursionDepthExceeded"


# --- the key's own transaction


def test_a_transaction_of_the_key_passes_every_limit_but_those_on_gas() -> None:
    on = session(Erc20TokenTransfer(USDC, 5), NativeTokenTransfer(1), GasLimit(0), PaymasterGuard(OTHER))
    assert left(sent(on, (USDC, 1, transfer(5)), fees=None)) == Remaining(0, 0, ((USDC, 0),))
    assert said(sent(on, (USDC, 2, transfer(5)), fees=None))[1] == NT
    assert said(sent(on, (USDC, 1, transfer(6)), fees=None))[1] == AL
    wrapped = EXECUTE_USER_OP.raw + call_data_of([InnerCall(USDC, 0, transfer(1))])
    assert said(attempt(on, wrapped, now=NOW, fees=None)) == (X, None, "", "", None)
    assert said(attempt(on, wrapped, now=NOW + 11, fees=None))[2] == "TimeRangeNotValid"


# --- readings


def test_calldata_is_what_the_decoder_reads() -> None:
    calls = [InnerCall(GAME, 5, b""), InnerCall(OTHER, 0, MOVE_DATA)]
    batch = decode_call(call_data_of(calls), account=ACCOUNT)
    assert isinstance(batch, Batch)
    assert [InnerCall(c.target, c.value, c.data) for c in batch.calls if c.target] == calls
    single = decode_call(call_data_of(calls[:1]), account=ACCOUNT)
    assert isinstance(single, Call)
    assert (single.target, single.value, single.data) == (GAME, 5, b"")


CUT = call_data_of([InnerCall(GAME, 0, b"")])[:40]
CUT_BATCH = call_data_of([InnerCall(GAME, 0, b""), InnerCall(GAME, 0, b"")])[:-90]


@pytest.mark.parametrize("data", [CUT, CUT_BATCH, CUT_BATCH[:100], EXECUTE_USER_OP.raw, EXECUTE_USER_OP.raw + b"\x01"])
def test_unreadable_arguments_are_refused_without_a_rule(data: bytes) -> None:
    assert said(attempt(session(ContractAccess(GAME)), data, now=NOW, fees=FREE)) == (V, None, "", "", None)


def test_of_a_root_session_unreadable_arguments_stop_the_execution() -> None:
    assert said(attempt(session(Root()), CUT, now=NOW, fees=FREE)) == (X, None, "", "", None)
    assert said(attempt(session(Root()), CUT_BATCH[:100], now=NOW, fees=FREE)) == (V, None, "", "", None)


def test_more_calls_than_latchkey_reads_are_not_modelled() -> None:
    with pytest.raises(CannotDecode):
        attempt(session(ContractAccess(GAME)), call_data_of([InnerCall(GAME, 0, b"")] * 513), now=NOW, fees=FREE)


def test_root_may_call_what_the_account_has_and_nothing_more() -> None:
    on = session(Root())
    assert said(attempt(on, MOVE_DATA, now=NOW, fees=FREE)) == (V, None, "ValidationFunctionMissing", "0xcf7b49f6", None)
    assert said(attempt(on, EXECUTE_USER_OP.raw + EXECUTE_USER_OP.raw, now=NOW, fees=FREE)) == (X, None, "", "", None)


def test_an_install_with_anything_unknown_is_not_modelled() -> None:
    install = decode_unsigned(build(plain(ContractAccess(GAME))).unsigned).action
    assert isinstance(install, Install)
    with pytest.raises(CannotDecode):
        session_of_install(replace(install, unknown=(Unknown("hooks[0]", b"", "?"),)), ACCOUNT)


def _random_call(rng: random.Random, on: Session) -> tuple[Address, int, bytes]:
    known = [a for a, _ in on.listed or ()] + [random_address(rng)]
    selectors = [s for _, fs in on.listed or () for s in fs or ()] + list(on.powers.anywhere) + [CLAIM]
    data = rng.choice(selectors).raw + rng.choice((b"", bytes(63) + b"\x01", bytes(64), rng.randbytes(64)))
    return rng.choice(known), rng.choice((0, 0, 1, rng.getrandbits(200))), rng.choice((data, data, b""))


def test_draft_and_install_say_the_same_and_limits_only_shrink() -> None:
    rng = random.Random(20261121)
    allowed = 0
    for _ in range(count(400, 5_000)):
        draft = random_draft(rng)
        on = session_of_draft(draft)
        install = decode_unsigned(build(draft).unsigned).action
        assert isinstance(install, Install)
        calls = [_random_call(rng, on) for _ in range(rng.randrange(1, 4))]
        fees = rng.choice((FREE, FEES, None))
        outcome = sent(on, *calls, fees=fees)
        read = session_of_install(install, draft.account)
        assert _unordered(sent(read, *calls, fees=fees)) == _unordered(outcome)
        assert _shrunk(on.whole, outcome.remaining)
        allowed += isinstance(outcome, Allowed)
    assert allowed > count(400, 5_000) // 20


def _unordered(outcome: Outcome) -> Outcome:
    """Where a draft names tokens in another order than the bytes do, the limits are the same."""
    return replace(outcome, remaining=replace(outcome.remaining, tokens=tuple(sorted(outcome.remaining.tokens))))


def _shrunk(before: Remaining, after: Remaining) -> bool:
    pairs = [(before.native, after.native), (before.gas, after.gas)]
    pairs += list(zip((n for _, n in before.tokens), (n for _, n in after.tokens), strict=True))
    return all((was is None and now is None) or (was is not None and now is not None and 0 <= now <= was) for was, now in pairs)


def test_it_agrees_with_the_expectation_that_the_practice_chain_is_held_to() -> None:
    """tests/chain/test_random.py works out the same decisions apart from this model, and compares them with the contracts' own."""
    rng = random.Random(4)
    fees = Fees(GAS.pre_verification, GAS.verification, GAS.call, GAS.max_fee)
    seen: set[str] = set()
    for _ in range(count(300, 5_000)):
        permissions = random_permissions(rng)
        on, expected, remaining = session(*permissions), Expected.of(permissions), None
        for _ in range(8):
            calls = [random_call(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
            outcome = sent(on, *calls, fees=fees, left=remaining)
            wanted = expected.outcome(calls)
            ours = "done" if isinstance(outcome, Allowed) else outcome.error
            assert ours in wanted, (permissions, calls)
            assert wanted.startswith("refused") == (isinstance(outcome, Denied) and outcome.stage is V)
            remaining = outcome.remaining
            seen.add(ours)
    assert {"done", "AddressNotAllowed", "ExceededTokenLimit", "ExceededNativeTokenLimit", "NoSelectorSpecified"} <= seen
