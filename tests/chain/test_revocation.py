"""Ending sessions: what a revocation clears, what it leaves behind, and how it can go wrong while looking right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from latchkey.accounts.modular_account.addresses import ALLOWLIST, NATIVE_TOKEN_LIMIT, SINGLE_SIGNER, TIME_RANGE
from latchkey.accounts.modular_account.build import HALF, hooks
from latchkey.accounts.modular_account.ending import uninstall_call
from latchkey.core.draft import Draft
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
)
from latchkey.core.types import Address
from tests.chain import abi
from tests.chain.cases import BUY, CASES, CLAIM, DAY, MOVE, TOO_MUCH_ETH, Case, dollars, functions
from tests.chain.stage import COUNT, ETHER, OTHER_SESSION, RECEIVER, STRANGER, Outcome, Session, Stage
from tests.chain.state import stored, token_limit, tokens_left, validation
from tests.chain.test_limits import granted
from tests.chain.test_permissions import Way, by_operation, opened
from tests.devnet.places import COUNTER, DOLLAR, GAME

GONE = "refused: AA23 reverted, ValidationFunctionMissing(0xb61d27f6)"
ALL_FIVE: tuple[Permission, ...] = (
    NativeTokenTransfer(ETHER),
    Erc20TokenTransfer(DOLLAR, 9),
    GasLimit(ETHER),
    ContractAccess(GAME),
)
_UNINSTALLED = "0x43f7309d11ba6b2e180e9ab8a6da09d2fa1f585d7daed4b26c1c7f2a90b867a2"


def succeeded(outcome: Outcome) -> list[bool]:
    """onUninstallSucceeded of every ValidationUninstalled event."""
    logs = [log for log in outcome.logs if log["topics"] and log["topics"][0] == _UNINSTALLED]
    return [bool(int(log["data"], 16)) for log in logs]


def uninstall(entity_id: int, data: bytes, hook_data: Sequence[bytes], *, module: Address = SINGLE_SIGNER) -> bytes:
    located = module.raw + entity_id.to_bytes(4, "big")
    return abi.call("uninstallValidation(bytes24,bytes,bytes[])", located, data, list(hook_data))


def recipe(draft: Draft) -> list[bytes]:
    """One element a hook, as section 11 has them: written here apart from revoke.py."""
    installed = list(hooks(draft))
    ordered = [h for h in installed if h[24] & 1][::-1] + [h for h in installed if not h[24] & 1][::-1]
    return [h[25:] if h[:20] == ALLOWLIST.raw else h[25:57] for h in ordered]


SIGNER_DATA = (1).to_bytes(32, "big")


@pytest.mark.parametrize("by", ["operation", "transaction"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_revoking_clears_everything(stage: Stage, case: Case, by: str) -> None:
    session = opened(stage, case, Way.DEFERRED)
    assert session.first(case.allowed[0]).text == "done"
    assert "signer" in stored(stage, session.draft)
    send = stage.owner_op if by == "operation" else stage.owner_tx
    outcome = send(session.account, uninstall_call(session.draft))
    assert outcome.text == "done"
    assert succeeded(outcome) == [True]
    assert stored(stage, session.draft) == {}
    call = case.allowed[0]
    assert session.later(call).text == f"refused: AA23 reverted, ValidationFunctionMissing(0x{call[:4].hex()})"
    assert session.runtime(call).text == f"reverted: ValidationFunctionMissing(0x{call[:4].hex()})"


def all_five(stage: Stage) -> Session:
    session = granted(stage, *ALL_FIVE, expires_in=DAY)
    assert session.first(abi.execute(GAME, 0, MOVE)).text == "done"
    _, validation_hooks, execution_hooks, selectors = validation(stage, session.account.address, 1)
    assert [h[:20] for h in validation_hooks] == [TIME_RANGE.raw, NATIVE_TOKEN_LIMIT.raw, ALLOWLIST.raw]
    assert [h[:20] for h in execution_hooks] == [NATIVE_TOKEN_LIMIT.raw, ALLOWLIST.raw]
    assert len(selectors) == 2
    return session


def test_the_recipe_is_the_one_latchkey_sends(stage: Stage) -> None:
    session = all_five(stage)
    assert uninstall(1, SIGNER_DATA, recipe(session.draft)) == uninstall_call(session.draft)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_a_wrong_count_revokes_nothing(stage: Stage, count: int) -> None:
    """The owner's operation is mined, paid and without effect."""
    session = all_five(stage)
    data = [*recipe(session.draft), b""][:count]
    before = stored(stage, session.draft)
    outcome = stage.owner_op(session.account, uninstall(1, SIGNER_DATA, data))
    assert outcome.text == "failed: ArrayLengthMismatch()"
    assert outcome.gas_cost > 0
    assert stored(stage, session.draft) == before
    assert session.later(abi.execute(GAME, 0, MOVE)).text == "done"


def test_no_hook_data_leaves_everything_but_the_key(stage: Stage) -> None:
    session = all_five(stage)
    outcome = stage.owner_tx(session.account, uninstall(1, SIGNER_DATA, []))
    assert succeeded(outcome) == [True]
    assert session.later(abi.execute(GAME, 0, MOVE)).text == GONE
    left = stored(stage, session.draft)
    assert "validation" not in left
    assert "signer" not in left
    assert {"native", "gas", "range", f"allowed {GAME} 1", f"token {DOLLAR}"} <= left.keys()


def test_no_data_at_all_leaves_the_signer_too(stage: Stage) -> None:
    session = all_five(stage)
    assert succeeded(stage.owner_tx(session.account, uninstall(1, b"", []))) == [True]
    assert session.later(abi.execute(GAME, 0, MOVE)).text == GONE
    assert "signer" in stored(stage, session.draft)


def test_an_empty_element_skips_its_module_only(stage: Stage) -> None:
    session = all_five(stage)
    data = recipe(session.draft)
    data[1] = b""  # the gas limit
    assert succeeded(stage.owner_tx(session.account, uninstall(1, SIGNER_DATA, data))) == [True]
    assert stored(stage, session.draft).keys() == {"gas"}


@pytest.mark.parametrize(
    ("position", "kept"),
    [
        (0, {"signer", "native", "gas", "range", "token", "allowed"}),
        (2, {"signer", "native", "range", "token", "allowed-token"}),
        (4, {"signer", "native"}),
    ],
)
def test_garbage_for_one_module_skips_all_that_follow(stage: Stage, position: int, kept: set[str]) -> None:
    """The key is dead all the same, but the event says false and the limits of the skipped modules stay."""
    session = all_five(stage)
    data = recipe(session.draft)
    data[position] = b"\x01"
    assert succeeded(stage.owner_tx(session.account, uninstall(1, SIGNER_DATA, data))) == [False]
    assert session.later(abi.execute(GAME, 0, MOVE)).text == GONE
    left = stored(stage, session.draft)
    assert "validation" not in left
    assert ("gas" in left) is ("gas" in kept)
    assert ("range" in left) is ("range" in kept)
    assert (f"allowed {GAME} 1" in left) is ("allowed" in kept)
    assert (f"token {DOLLAR}" in left) is ("token" in kept)
    assert {"signer", "native"} <= left.keys()


def test_hook_data_in_install_order_is_the_wrong_order(stage: Stage) -> None:
    """What a hurried wallet would send: ends the key, reports false, and leaves the allowlist."""
    session = all_five(stage)
    outcome = stage.owner_tx(session.account, uninstall(1, SIGNER_DATA, recipe(session.draft)[::-1]))
    assert outcome.text == "done"
    assert succeeded(outcome) == [False]
    assert session.later(abi.execute(GAME, 0, MOVE)).text == GONE
    assert f"allowed {GAME} 1" in stored(stage, session.draft)


def test_the_module_in_the_id_is_not_looked_at(stage: Stage) -> None:
    """The key dies, the event names what was passed, and the real signer module is never told."""
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    outcome = stage.owner_tx(session.account, uninstall(1, SIGNER_DATA, recipe(session.draft), module=TIME_RANGE))
    assert outcome.text == "done"
    assert session.later(COUNT).text == GONE
    assert stored(stage, session.draft).keys() == {"signer"}


def test_an_id_that_is_not_installed(stage: Stage) -> None:
    account = stage.account()
    outcome = stage.owner_tx(account, uninstall(77, (77).to_bytes(32, "big"), []))
    assert outcome.text == "done"
    assert succeeded(outcome) == [True]


def test_only_the_owner_revokes(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    call = uninstall_call(session.draft)
    assert session.later(call).text == "refused: AA23 reverted, ValidationFunctionMissing(0xb6b1ccfe)"
    assert stage.transact(STRANGER, session.account.address, call).text == "reverted: ValidationFunctionMissing(0xb6b1ccfe)"
    assert session.later(COUNT).text == "done"


# --- leftovers


def test_leftovers_come_back_with_the_id(stage: Stage) -> None:
    """A target of the revoked session works for the next, narrower one under the same id. Hence ids are never used again."""
    account = stage.account()
    wide = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER), ContractAccess(GAME)), account), account)
    assert wide.first(COUNT).text == "done"
    assert stage.owner_tx(account, uninstall(1, SIGNER_DATA, [])).text == "done"
    narrow = stage.draft(account, FunctionsOnContract(GAME, functions(MOVE)), session=OTHER_SESSION.address)
    session = stage.session(stage.grant(narrow, account), account)
    assert session.first(abi.execute(GAME, 0, MOVE)).text == "done"
    assert session.later(COUNT).text == "done"
    assert session.later(abi.execute(GAME, 0, CLAIM)).text == by_operation("hook: AllowlistModule:1, SelectorNotAllowed()")


def test_no_leftovers_after_the_recipe(stage: Stage) -> None:
    account = stage.account()
    wide = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER), ContractAccess(GAME)), account), account)
    assert wide.first(COUNT).text == "done"
    assert stage.owner_tx(account, uninstall_call(wide.draft)).text == "done"
    narrow = stage.draft(account, FunctionsOnContract(GAME, functions(MOVE)))
    session = stage.session(stage.grant(narrow, account), account)
    assert session.first(abi.execute(GAME, 0, MOVE)).text == "done"
    assert session.later(COUNT).text == by_operation("hook: AllowlistModule:1, AddressNotAllowed()")


def test_leftovers_are_cleaned_by_the_owner(stage: Stage) -> None:
    session = all_five(stage)
    account = session.account
    assert stage.owner_tx(account, uninstall(1, SIGNER_DATA, [])).text == "done"
    inputs = "(address,bool,bool,uint256,bytes4[])[]"
    delete = f"deleteAllowlist(uint32,{inputs})"
    entries = [(DOLLAR, True, False, 0, [abi.approve(RECEIVER, 0)[:4], abi.transfer(RECEIVER, 0)[:4]]), (GAME, False, False, 0, [])]
    calls = [
        (ALLOWLIST, 0, abi.call(delete, 1, entries)),
        (ALLOWLIST, 0, abi.call(delete, 1 + HALF, [(DOLLAR, False, True, 0, [])])),
        (NATIVE_TOKEN_LIMIT, 0, abi.call("updateLimits(uint32,uint256)", 1, 0)),
        (NATIVE_TOKEN_LIMIT, 0, abi.call("updateLimits(uint32,uint256)", 1 + HALF, 0)),
        (TIME_RANGE, 0, abi.call("onUninstall(bytes)", SIGNER_DATA)),  # setTimeRange takes no empty range
    ]
    assert stage.owner_tx(account, abi.execute_batch(*calls)).text == "done"
    assert stored(stage, session.draft) == {}


def test_revoking_takes_no_approval_back(stage: Stage) -> None:
    """Trap 6: who was approved may still take, after the session ended."""
    session = granted(stage, Erc20TokenTransfer(DOLLAR, 100))
    assert session.first(abi.execute(DOLLAR, 0, abi.approve(STRANGER.address, 100))).text == "done"
    assert stage.owner_tx(session.account, uninstall_call(session.draft)).text == "done"
    take = abi.call("transferFrom(address,address,uint256)", session.account.address, RECEIVER, 100)
    assert stage.transact(STRANGER, DOLLAR, take).text == "done"
    assert stage.tokens(DOLLAR, RECEIVER) == 100


# --- changing without revoking


def test_the_owner_changes_limits(stage: Stage) -> None:
    session = all_five(stage)
    limit, eth = "updateLimits(uint32,address,bool,uint256)", "updateLimits(uint32,uint256)"
    calls = [
        (ALLOWLIST, 0, abi.call(limit, 1 + HALF, DOLLAR, True, 3)),
        (NATIVE_TOKEN_LIMIT, 0, abi.call(eth, 1, 2)),
    ]
    assert stage.owner_tx(session.account, abi.execute_batch(*calls)).text == "done"
    assert tokens_left(stage, session.draft, DOLLAR) == 3
    assert token_limit(stage, session.account.address, 1) == 2
    assert session.later(dollars(4)).text.endswith("ExceededTokenLimit())")
    assert session.later(abi.execute(GAME, 3, BUY)).text == by_operation(TOO_MUCH_ETH)
    assert session.later(abi.execute_batch((GAME, 2, BUY), (DOLLAR, 0, abi.transfer(RECEIVER, 3)))).text == "done"


def test_the_owner_changes_the_expiry(stage: Stage) -> None:
    session = all_five(stage)
    change = abi.call("setTimeRange(uint32,uint48,uint48)", 1, stage.now() + 10, 0)
    assert stage.owner_tx(session.account, abi.execute(TIME_RANGE, 0, change)).text == "done"
    stage.next_block_at(stage.now() + 11)
    assert session.later(abi.execute(GAME, 0, MOVE)).text == "refused: AA22 expired or not due"


def test_the_owner_changes_the_key(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    change = abi.call("transferSigner(uint32,address)", 1, OTHER_SESSION.address)
    assert stage.owner_tx(session.account, abi.execute(SINGLE_SIGNER, 0, change)).text == "done"
    assert session.later(COUNT).text == "refused: AA24 signature error"
    assert stage.session(session.signed, session.account, key=OTHER_SESSION).later(COUNT).text == "done"


def test_installing_again_only_adds(stage: Stage) -> None:
    """Selectors and hooks that are there are refused; a new limit is added, and the key is replaced."""
    session = granted(stage, ContractAccess(GAME))
    assert session.first(abi.execute(GAME, 5, BUY)).text == "done"
    again = stage.owner_tx(session.account, session.signed.grant.call)
    assert again.text == "reverted: ValidationAlreadySet(0xb61d27f6, SingleSignerValidationModule:1)"
    more = replace(session.draft, permissions=(NativeTokenTransfer(1),), session_key=OTHER_SESSION.address)
    assert stage.owner_tx(session.account, stage.grant(more, session.account, checked=False).grant.call).text == "done"
    assert session.later(abi.execute(GAME, 0, MOVE), wrapped=True).text == "refused: AA24 signature error"
    other = stage.session(session.signed, session.account, key=OTHER_SESSION)
    assert other.later(abi.execute(GAME, 1, BUY), wrapped=True).text == "done"
    assert other.later(abi.execute(GAME, 1, BUY), wrapped=True).text == by_operation(TOO_MUCH_ETH)
    twice = stage.owner_tx(session.account, stage.grant(more, session.account, checked=False).grant.call)
    assert twice.text.startswith("reverted: ExecutionHookAlreadySet(0x")
