"""Narrowing against a model that asks, call by call, what each side allows."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.narrow import APPROVE, PLAIN, TRANSFER, Asked, check_narrower, is_narrower, widenings
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

A, B, ELSEWHERE = (Address.parse("0x" + digit * 40) for digit in "123")
PAYMASTERS = (Address.parse("0x" + "4" * 40), Address.parse("0x" + "5" * 40))
ATTACK, UNNAMED = Selector.parse("0xaaaaaaaa"), Selector.parse("0xffffffff")
SELECTORS = (PLAIN, APPROVE, TRANSFER, ATTACK)
UNLIMITED = 2**256

functions = st.lists(st.sampled_from(SELECTORS), min_size=1, max_size=3, unique=True).map(tuple)
amounts = st.integers(0, 3)


@st.composite
def permission_lists(draw: st.DrawFn) -> tuple[Permission, ...]:
    """Lists without two limits of one kind for one thing (those are refused elsewhere)."""
    chosen: list[Permission] = []
    for address in (A, B):
        scope = draw(st.sampled_from(["", "", "whole", "functions", "token", "token+functions", "token+whole"]))
        if "token" in scope:
            chosen.append(Erc20TokenTransfer(address, draw(amounts)))
        if "whole" in scope:
            chosen.append(ContractAccess(address))
        if "functions" in scope:
            chosen.append(FunctionsOnContract(address, draw(functions)))
    optional: list[st.SearchStrategy[Permission]] = [
        functions.map(FunctionsOnAllContracts),
        functions.map(AccountFunctions),
        amounts.map(NativeTokenTransfer),
        amounts.map(GasLimit),
        st.sampled_from(PAYMASTERS).map(PaymasterGuard),
    ]
    chosen += [draw(kind) for kind in optional if draw(st.booleans())]
    return tuple(draw(st.permutations(chosen)))


# --- the model: which single calls pass, and under which totals


def passes(permissions: Sequence[Permission], target: Address, call: Selector | None) -> bool:
    """Whether one call passes; `call` None is a call without data."""
    entries = [p for p in permissions if getattr(p, "address", None) == target]
    if entries:
        if any(isinstance(p, ContractAccess) for p in entries):
            return True
        named = [s for p in entries if isinstance(p, FunctionsOnContract) for s in p.functions]
        if any(isinstance(p, Erc20TokenTransfer) for p in entries):
            named += [APPROVE, TRANSFER]
        return call in named
    anywhere = [s for p in permissions if isinstance(p, FunctionsOnAllContracts) for s in p.functions]
    return (call or PLAIN) in anywhere


def total(permissions: Sequence[Permission], kind: type, field: str, address: Address | None = None) -> int:
    found = [p for p in permissions if isinstance(p, kind) and address in (None, getattr(p, "address", None))]
    return int(getattr(found[0], field)) if found else UNLIMITED


def model(asked: Sequence[Permission], chosen: Sequence[Permission]) -> bool:
    calls = [(t, c) for t in (A, B, ELSEWHERE) for c in (*SELECTORS, UNNAMED, None) if passes(chosen, t, c)]
    if not all(passes(asked, t, c) for t, c in calls):
        return False
    for token in (A, B):
        reached = any(t == token for t, _ in calls) or total(chosen, Erc20TokenTransfer, "allowance", token) < UNLIMITED
        if reached and total(chosen, Erc20TokenTransfer, "allowance", token) > total(asked, Erc20TokenTransfer, "allowance", token):
            return False
    if calls and total(chosen, NativeTokenTransfer, "allowance") > total(asked, NativeTokenTransfer, "allowance"):
        return False
    if total(chosen, GasLimit, "limit") > total(asked, GasLimit, "limit"):
        return False
    own = {s for p in chosen if isinstance(p, AccountFunctions) for s in p.functions}
    if not own <= {s for p in asked if isinstance(p, AccountFunctions) for s in p.functions}:
        return False
    guards = [p for p in asked if isinstance(p, PaymasterGuard)]
    return not guards or guards == [p for p in chosen if isinstance(p, PaymasterGuard)]


@given(permission_lists(), permission_lists())
def test_narrower_means_every_call_was_asked_for(asked: tuple[Permission, ...], chosen: tuple[Permission, ...]) -> None:
    if is_narrower(Asked(asked), chosen, 1):
        assert model(asked, chosen)


@given(permission_lists(), st.data())
def test_cutting_down_agrees_with_the_model_both_ways(asked: tuple[Permission, ...], data: st.DataObject) -> None:
    """Cuts of the asked list are likely neighbours: here the check has to say yes wherever the model does."""
    chosen = tuple(cut for p in asked if (cut := data.draw(cuts(p))) is not None)
    ignored = [p for p in chosen if isinstance(p, NativeTokenTransfer)] if not any(map(reaching, chosen)) else []
    if model(asked, chosen) and not ignored:
        assert widenings(Asked(asked), chosen, 1) == ()
    elif not model(asked, chosen):
        assert not is_narrower(Asked(asked), chosen, 1)


def reaching(permission: Permission) -> bool:
    return isinstance(permission, ContractAccess | FunctionsOnContract | FunctionsOnAllContracts | Erc20TokenTransfer)


def cuts(permission: Permission) -> st.SearchStrategy[Permission | None]:
    """The permission, nothing, or a neighbour: other amounts, fewer or other functions, functions instead of everything."""
    match permission:
        case FunctionsOnContract(address, _):
            change: st.SearchStrategy[Permission] = functions.map(lambda f: FunctionsOnContract(address, f))
        case ContractAccess(address):
            change = functions.map(lambda f: FunctionsOnContract(address, f))
        case FunctionsOnAllContracts(_):
            change = functions.map(FunctionsOnAllContracts)
        case AccountFunctions(_):
            change = functions.map(AccountFunctions)
        case Erc20TokenTransfer(address, _):
            change = amounts.map(lambda a: Erc20TokenTransfer(address, a))
        case NativeTokenTransfer(_):
            change = amounts.map(NativeTokenTransfer)
        case GasLimit(_):
            change = amounts.map(GasLimit)
        case _:
            change = st.sampled_from(PAYMASTERS).map(PaymasterGuard)
    return st.one_of(st.just(permission), st.none(), change)


@given(permission_lists())
def test_the_request_itself_and_any_order_of_it_is_narrow(asked: tuple[Permission, ...]) -> None:
    assert is_narrower(Asked(asked, 100), asked, 100)
    assert is_narrower(Asked(asked, 100), tuple(reversed(asked)), 99)


@given(permission_lists(), permission_lists(), permission_lists())
def test_narrower_is_transitive(a: tuple[Permission, ...], b: tuple[Permission, ...], c: tuple[Permission, ...]) -> None:
    if is_narrower(Asked(a), b, 1) and is_narrower(Asked(b), c, 1):
        assert is_narrower(Asked(a), c, 1)


@given(permission_lists())
def test_nothing_is_wider_than_root(chosen: tuple[Permission, ...]) -> None:
    assert is_narrower(Asked((Root(),)), chosen, 1)
    assert not is_narrower(Asked(chosen), (Root(),), 1)


@pytest.mark.parametrize(
    ("asked", "expiry", "narrower"),
    [
        (None, 0, True),
        (None, 10, True),
        (0, 0, True),
        (0, 10, True),
        (10, 10, True),
        (10, 9, True),
        (10, 11, False),
        (10, 0, False),
    ],
)
def test_expiry(asked: int | None, expiry: int, narrower: bool) -> None:
    assert is_narrower(Asked((Root(),), asked), (Root(),), expiry) is narrower


def test_limits_missing_from_the_request_may_be_added() -> None:
    assert is_narrower(Asked((ContractAccess(A),)), (ContractAccess(A), NativeTokenTransfer(5), GasLimit(7), PaymasterGuard(B)), 1)


def test_taking_a_limit_away_widens() -> None:
    asked = Asked(
        (ContractAccess(A), NativeTokenTransfer(0), GasLimit(1), Erc20TokenTransfer(B, 1), FunctionsOnAllContracts((TRANSFER,)))
    )
    for missing in range(1, 4):
        rest = tuple(p for i, p in enumerate(asked.permissions) if i != missing)
        assert [w.path for w in widenings(asked, rest, 1)] == ["permissions"]


def test_the_field_at_fault_is_named() -> None:
    asked = Asked((FunctionsOnContract(A, (ATTACK,)), Erc20TokenTransfer(B, 5), NativeTokenTransfer(1), GasLimit(1)), 10)
    chosen = (
        FunctionsOnContract(A, (ATTACK, TRANSFER)),
        Erc20TokenTransfer(B, 6),
        NativeTokenTransfer(2),
        GasLimit(2),
        ContractAccess(ELSEWHERE),
        FunctionsOnAllContracts((ATTACK,)),
        AccountFunctions((ATTACK,)),
        Erc20TokenTransfer(ELSEWHERE, 1),
    )
    found = widenings(asked, chosen, 11)
    assert [w.path for w in found] == [
        "permissions[0].data.functions",
        "permissions[1].data.allowance",
        "permissions[2].data.allowance",
        "permissions[3].data.limit",
        "permissions[4].data.address",
        "permissions[5].data.functions",
        "permissions[6].data.functions",
        "permissions[7].data.address",
        "expiry",
    ]
    assert all(w.sentence.endswith(".") for w in found)
    with pytest.raises(Refused) as caught:
        check_narrower(asked, chosen, 11)
    assert (caught.value.code, caught.value.path) == ("Wider", "permissions[0].data.functions")


def test_a_contract_left_out_falls_to_the_functions_allowed_everywhere() -> None:
    asked = Asked((FunctionsOnContract(A, (ATTACK,)), FunctionsOnAllContracts((TRANSFER,))))
    assert not is_narrower(asked, (FunctionsOnAllContracts((TRANSFER,)),), 1)
    assert is_narrower(asked, (FunctionsOnContract(A, (ATTACK,)),), 1)


def test_every_pair_of_single_permissions_agrees_with_the_model() -> None:
    singles: list[Permission] = [
        ContractAccess(A), ContractAccess(B), FunctionsOnContract(A, (ATTACK,)), FunctionsOnContract(A, (APPROVE, TRANSFER)),
        FunctionsOnAllContracts((PLAIN,)), FunctionsOnAllContracts((APPROVE, TRANSFER)), FunctionsOnContract(A, (PLAIN,)),
        Erc20TokenTransfer(A, 1), Erc20TokenTransfer(A, 2), GasLimit(1), GasLimit(2), AccountFunctions((ATTACK,)),
        PaymasterGuard(PAYMASTERS[0]), PaymasterGuard(PAYMASTERS[1]),
    ]  # fmt: skip
    for asked, chosen in itertools.product(singles, singles):
        assert is_narrower(Asked((asked,)), (chosen,), 1) is model((asked,), (chosen,)), (asked, chosen)
