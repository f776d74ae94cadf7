"""Forms: what is typed and what it means are the same thing, and every blank has its field."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.forms import Form, blank, blanks_of, form_of, is_scope, named, no_eth, read_form
from latchkey.core.functions import selector_of
from latchkey.core.permissions import (
    KINDS,
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
from latchkey.core.types import MAX_UINT256, Address, Selector
from latchkey.errors import BadInput

addresses = st.binary(min_size=20, max_size=20).map(Address.from_bytes)
amounts = st.integers(0, MAX_UINT256)
functions = st.lists(st.binary(min_size=4, max_size=4).map(Selector.from_bytes), min_size=1, max_size=5).map(tuple)
permissions: st.SearchStrategy[Permission] = st.one_of(
    st.just(Root()), addresses.map(ContractAccess), addresses.map(PaymasterGuard), amounts.map(NativeTokenTransfer), amounts.map(GasLimit),
    functions.map(AccountFunctions), functions.map(FunctionsOnAllContracts), st.builds(FunctionsOnContract, addresses, functions),
    st.builds(Erc20TokenTransfer, addresses, amounts),
)  # fmt: skip


@given(permissions, st.integers(0, 77))
def test_a_permission_survives_its_form(permission: Permission, decimals: int) -> None:
    assert read_form(form_of(permission, decimals=decimals)) == permission


@pytest.mark.parametrize("kind", KINDS)
def test_a_blank_form_names_its_first_blank(kind: str) -> None:
    fields = blanks_of(kind)
    wanted = fields.address or fields.amount or fields.functions
    if wanted is None:
        assert read_form(blank(kind)) == Root()
        return
    with pytest.raises(BadInput) as caught:
        read_form(blank(kind), "permissions[3]")
    assert (caught.value.path, caught.value.code) == (f"permissions[3].data.{wanted}", "Blank")


def test_amounts_are_shown_in_the_unit_that_reads_best() -> None:
    assert (form_of(GasLimit(10**16)).amount, form_of(GasLimit(10**16)).decimals) == ("0.01", 18)
    assert (form_of(GasLimit(300_000)).amount, form_of(GasLimit(300_000)).decimals) == ("300000", 0)
    assert form_of(NativeTokenTransfer(0)) == no_eth()


def test_names_come_from_the_table_then_from_the_sender() -> None:
    claim, forge = selector_of("claim()"), selector_of("forge(uint256)")
    offered = ("forge(uint256)", "steal()", "claim(bytes)")
    assert [f.signature for f in named((claim, forge, Selector.parse("0x12345678")), offered)] == [
        "claim()",
        "forge(uint256)",
        None,
    ]


def test_nothing_typed_is_dropped() -> None:
    form = replace(form_of(FunctionsOnAllContracts((selector_of("claim()"),))), pasted=" steal() ")
    with pytest.raises(BadInput) as caught:
        read_form(form)
    assert caught.value.code == "NotAdded"


def test_scopes_are_what_eth_could_be_attached_to() -> None:
    assert {kind for kind in KINDS if is_scope(kind)} == {
        "contract-access", "functions-on-contract", "functions-on-all-contracts", "erc20-token-transfer",
    }  # fmt: skip


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(sorted(KINDS)))
def test_any_typing_is_a_permission_or_a_sentence(address: str, amount: str, kind: str) -> None:
    try:
        read_form(Form(kind, address=address, amount=amount))
    except BadInput as error:
        sentence = error.text
    else:
        sentence = "."
    assert sentence.endswith(".")
