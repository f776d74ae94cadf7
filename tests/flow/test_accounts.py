"""Accounts by owner, by address and as 7702; the published addresses are the measure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.account import Account, Mode
from latchkey.core.types import MAX_UINT256, Address
from latchkey.errors import BadInput
from latchkey.flow.accounts import (
    as_7702,
    find,
    from_address,
    from_owner,
    parse_chain_id,
    parse_label,
    parse_salt,
    recognise,
    same_place,
)

OWNER = Address.parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
OTHER = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
ACCOUNT = Address.parse("0x65b5DE0251f553B2208762a4724303E750294D96")


def test_published_addresses(ma_vectors: dict[str, Any]) -> None:
    for vector in ma_vectors["addressVectors"]:
        salt = parse_salt(vector["salt"])
        semi_modular = from_owner(31337, vector["owner"], salt)
        assert semi_modular.address == Address.parse(vector["sma"])
        assert semi_modular.init_code[20:] == bytes.fromhex(vector["factoryCalldataSMA"][2:])
        assert from_owner(31337, vector["owner"], salt, mode=Mode.MA).address == Address.parse(vector["maEntity0"])


def test_an_undeployed_account_carries_what_deploys_it() -> None:
    account = from_owner(31337, f" {OWNER.lower()} ", 3, label=" Savings ")
    assert account.init_code[20:24].hex() == "8b4e464e"
    assert (account.salt, account.owner, account.label, account.mode) == (3, OWNER, "Savings", Mode.SMA)


def test_7702_is_the_owners_own_address() -> None:
    account = as_7702(1, OWNER)
    assert (account.address, account.owner, account.init_code) == (OWNER, OWNER, b"")


def test_by_address() -> None:
    assert from_address(1, ACCOUNT) == Account(1, ACCOUNT, "modular_account", Mode.ADDRESS)
    assert from_address(1, ACCOUNT, owner=OWNER).owner == OWNER


@given(st.sampled_from([OWNER, OTHER]), st.integers(0, 31), st.sampled_from([Mode.SMA, Mode.MA]))
def test_an_account_of_a_key_at_hand_is_recognised(owner: Address, salt: int, mode: Mode) -> None:
    made = from_owner(8453, owner, salt, mode=mode)
    assert recognise(8453, made.address, [OTHER, OWNER]) == made


def test_others_are_not_recognised() -> None:
    assert recognise(1, Address.parse("0x" + "12" * 20), [OWNER, OTHER]) is None
    assert recognise(1, OWNER, [OTHER, OWNER]) == as_7702(1, OWNER)


def test_find_leaves_open_what_the_request_leaves_open() -> None:
    book = [from_address(1, ACCOUNT), from_address(8453, ACCOUNT), from_address(1, OTHER)]
    assert find(book, 8453, ACCOUNT) == book[1]
    assert find(book, None, ACCOUNT) == book[0]
    assert find(book, 10, ACCOUNT) is None
    assert find(book, 1, None) is None


def test_same_place_looks_past_labels() -> None:
    assert same_place(from_address(1, ACCOUNT, label="a"), from_owner(1, OWNER))
    assert not same_place(from_address(1, ACCOUNT), from_address(2, ACCOUNT))


@pytest.mark.parametrize("text", ["", "zero", "-1", "0", "1.0", "1e3", "0x", str(2**63), "１"])
def test_bad_chain_ids(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_chain_id(text)
    assert caught.value.path == "chainId"


def test_numbers() -> None:
    assert parse_chain_id(" 0x7a69 ") == parse_chain_id("31337") == 31337
    assert parse_salt("") == 0
    assert parse_salt(str(MAX_UINT256)) == MAX_UINT256
    with pytest.raises(BadInput):
        parse_salt(str(MAX_UINT256 + 1))


@pytest.mark.parametrize("owner", ["", "0x12", "0x" + "00" * 20, "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266"])
def test_bad_owners(owner: str) -> None:
    with pytest.raises(BadInput) as caught:
        from_owner(1, owner)
    assert caught.value.path == "owner"


@pytest.mark.parametrize("label", ["x" * 65, "a\nb", "a\u202eb"])
def test_bad_labels(label: str) -> None:
    with pytest.raises(BadInput):
        parse_label(label)
