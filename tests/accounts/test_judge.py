"""What must never be granted, and the order in which rules speak."""

from __future__ import annotations

from dataclasses import replace

import pytest

from latchkey.accounts.modular_account.addresses import ENTRY_POINT, PROTECTED
from latchkey.accounts.modular_account.judge import BLOCKED_ACCOUNT_FUNCTIONS, BLOCKED_EVERYWHERE, SDK_BLOCKED, judge
from latchkey.accounts.system import Policy
from latchkey.core.draft import Draft
from latchkey.core.functions import selector_of
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    NativeTokenTransfer,
    PaymasterGuard,
    Permission,
    Root,
)
from latchkey.core.types import ZERO_ADDRESS, Address, Selector
from latchkey.errors import Refused
from tests.drafts import ACCOUNT, NOW

GAME = Address.parse("0x" + "11" * 20)
KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
CALL = Selector.parse("0xaabbccdd")


def draft(*permissions: Permission, **changes: object) -> Draft:
    plain = Draft("modular_account", 31337, ACCOUNT, 1, 0, 0, NOW + 86_400, KEY, permissions)
    return replace(plain, **changes)  # type: ignore[arg-type]


def refusal(d: Draft, policy: Policy = Policy.EXPERT) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        judge(d, now=NOW, policy=policy)
    return caught.value.code, caught.value.path


@pytest.mark.parametrize("target", [*PROTECTED, ACCOUNT])
def test_protected_contracts_are_never_targets(target: Address) -> None:
    code = "AccountAddressAsTargetError" if target == ACCOUNT else "ForbiddenTargetError"
    for permission in (ContractAccess(target), FunctionsOnContract(target, (CALL,)), Erc20TokenTransfer(target, 1)):
        assert refusal(draft(ContractAccess(GAME), permission)) == (code, "permissions[1].data.address")


@pytest.mark.parametrize("selector", [*SDK_BLOCKED, *BLOCKED_ACCOUNT_FUNCTIONS])
def test_account_functions_that_hand_over_control(selector: str) -> None:
    blocked = draft(AccountFunctions((CALL, Selector.parse(selector))))
    assert refusal(blocked) == ("SelectorNotAllowed", "permissions[0].data.functions[1]")
    extra = draft(ContractAccess(GAME), selectors=(Selector.parse(selector),))
    assert refusal(extra) == ("SelectorNotAllowed", "selectors[0]")


def test_the_nine_and_the_three_are_all_there() -> None:
    assert len(SDK_BLOCKED) == 9
    assert {"0x001a63e9", "0x93b1dc61", "0x30009d52"} <= BLOCKED_ACCOUNT_FUNCTIONS.keys()


@pytest.mark.parametrize(("selector", "signature"), BLOCKED_EVERYWHERE.items())
def test_functions_of_modules_and_entry_point_are_not_granted_anywhere(selector: str, signature: str) -> None:
    assert selector_of(signature) == selector
    blocked = draft(FunctionsOnAllContracts((CALL, Selector.parse(selector))))
    assert refusal(blocked) == ("SelectorNotAllowed", "permissions[0].data.functions[1]")
    judge(draft(FunctionsOnContract(GAME, (Selector.parse(selector),))), now=NOW, policy=Policy.STRICT)


def test_two_permissions_for_one_token() -> None:
    token = Erc20TokenTransfer(GAME, 5)
    for other in (Erc20TokenTransfer(GAME, 6), ContractAccess(GAME), FunctionsOnContract(GAME, (CALL,))):
        assert refusal(draft(token, other))[0] == "DuplicateTokenError"
        assert refusal(draft(other, token))[0] == "DuplicateTokenError"


def test_tokens_do_not_go_with_account_functions() -> None:
    both = draft(Erc20TokenTransfer(GAME, 5), AccountFunctions((CALL,)))
    assert refusal(both) == ("TokenWithAccountFunctionsError", "permissions[0]")


@pytest.mark.parametrize(
    "permissions",
    [
        (AccountFunctions((CALL, CALL)),),
        (AccountFunctions((CALL,)), AccountFunctions((CALL,))),
        (FunctionsOnContract(GAME, (CALL, CALL)),),
        (FunctionsOnAllContracts((CALL,)), FunctionsOnAllContracts((CALL,))),
    ],
)
def test_duplicate_selectors(permissions: tuple[Permission, ...]) -> None:
    assert refusal(draft(*permissions))[0] == "DuplicateSelectorError"


def test_duplicate_of_an_extra_selector() -> None:
    assert refusal(draft(AccountFunctions((CALL,)), selectors=(CALL,)))[0] == "DuplicateSelectorError"


@pytest.mark.parametrize("key", [ZERO_ADDRESS, ACCOUNT, ENTRY_POINT])
def test_addresses_that_cannot_be_session_keys(key: Address) -> None:
    assert refusal(draft(ContractAccess(GAME), session_key=key)) == ("ForbiddenSessionKeyError", "sessionKey")


def test_only_experts_get_root_account_functions_never_and_a_paymaster_guard() -> None:
    cases = [
        (draft(Root()), "permissions[0]"),
        (draft(AccountFunctions((CALL,))), "permissions[0]"),
        (draft(ContractAccess(GAME), PaymasterGuard(KEY)), "permissions[1]"),
        (draft(ContractAccess(GAME), expiry=0), "expiry"),
        (draft(ContractAccess(GAME), selectors=(CALL,)), "selectors"),
    ]
    for case, path in cases:
        assert refusal(case, Policy.STRICT) == ("ExpertRequiredError", path)
        judge(case, now=NOW, policy=Policy.EXPERT)


def test_what_no_expert_gets_is_said_before_the_switch_is_mentioned() -> None:
    assert refusal(draft(ContractAccess(ENTRY_POINT), expiry=0), Policy.STRICT)[0] == "ForbiddenTargetError"


def test_root_with_a_paymaster_guard_is_still_root_with_something() -> None:
    assert refusal(draft(PaymasterGuard(KEY), Root()))[0] == "RootPermissionOnlyError"


def test_a_careful_grant_passes() -> None:
    judge(draft(FunctionsOnContract(GAME, (CALL,)), NativeTokenTransfer(0)), now=NOW, policy=Policy.STRICT)
