"""Endings as bytes: built, held against other encoders, read back by the decoder, judged, and built again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account as EthAccount
from hypothesis import given
from hypothesis import strategies as st

from latchkey.accounts import transaction
from latchkey.accounts.modular_account import ending, rebuild, userop
from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ALLOWLIST_V200,
    ENTRY_POINT,
    NATIVE_TOKEN_LIMIT,
    PAYMASTER_GUARD,
    SINGLE_SIGNER,
    TIME_RANGE,
    predict,
)
from latchkey.accounts.modular_account.build import HALF, build
from latchkey.accounts.modular_account.decode import decode_operation, decode_transaction
from latchkey.accounts.modular_account.judge_ending import judge_operation, judge_transaction, operation_digest
from latchkey.accounts.modular_account.userop import UserOperation
from latchkey.accounts.transaction import PlainTransaction
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.ending import AccountCall
from latchkey.core.permissions import Erc20TokenTransfer, FunctionsOnContract, GasLimit, NativeTokenTransfer
from latchkey.core.reading import Call, Cancel, Clean, Lower, Shorten, Uninstall, unknown_in
from latchkey.core.session import Hook, Leftover, LimitKind
from latchkey.core.types import MAX_UINT256, Address, Selector, keccak
from latchkey.errors import CannotDecode, LatchkeyError, Refused
from tests.chain import abi
from tests.endings import operation_of, session_of, transaction_of

OWNER = EthAccount.from_key("0x" + "11" * 32)
OWNER_ADDRESS = Address.parse(OWNER.address)
ACCOUNT = predict(31337, OWNER_ADDRESS, 0, Mode.SMA)
GAME, TOKEN, OTHER = (Address.parse("0x" + digits * 20) for digits in ("aa", "bb", "cc"))
MOVE = Selector.parse("0x01020304")
OP_TYPES = "(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)"


DRAFT = Draft(
    "modular_account", 31337, ACCOUNT.address, 5, 0xABC, 0, 1_900_000_000, OTHER,
    (FunctionsOnContract(GAME, (MOVE,)), Erc20TokenTransfer(TOKEN, 900), NativeTokenTransfer(1000), GasLimit(2000)),
)  # fmt: skip
SESSION = session_of(DRAFT, ACCOUNT)


def operation(*calls: AccountCall, account: Account = ACCOUNT, **changes: Any) -> UserOperation:
    return operation_of(account, *calls, **changes)


def steps_of(*calls: AccountCall) -> tuple[Any, ...]:
    reading = decode_operation(userop.to_bytes(operation(*calls)))
    assert unknown_in(reading) == ()
    assert rebuild.operation_bytes(reading) == userop.to_bytes(operation(*calls))
    return reading.steps


# --- what is built, and what the decoder makes of it


def test_ending_a_session_names_all_it_stored_in_the_order_of_the_account() -> None:
    (step,) = steps_of(ending.end_call(SESSION))
    assert isinstance(step, Uninstall)
    assert (step.entity_id, step.module, step.uninstall_data) == (5, SINGLE_SIGNER, encode(["uint32"], [5]))
    lists = "(address,bool,bool,uint256,bytes4[])[]"
    pair = [bytes.fromhex("095ea7b3"), bytes.fromhex("a9059cbb")]
    assert list(step.hook_data) == [
        encode(["uint32", lists], [5, [(GAME, True, False, 0, [MOVE.raw]), (TOKEN, True, False, 0, pair)]]),
        encode(["uint32"], [5 + HALF]),
        encode(["uint32"], [5]),
        encode(["uint32", lists], [5 + HALF, [(TOKEN, False, False, 0, [])]]),
        encode(["uint32"], [5]),
    ]


def test_the_form_that_always_ends_and_what_it_leaves() -> None:
    (step,) = steps_of(ending.end_call(SESSION, clean=False))
    assert step.hook_data == ()
    assert set(ending.left_by(SESSION)) == set(SESSION.stored[:-1])
    assert ending.left_by(SESSION, clean=True) == ()


def test_a_hook_that_is_not_known_is_passed_over() -> None:
    odd = (Hook(OTHER, 5, 5), Hook(NATIVE_TOKEN_LIMIT, 77, 5), Hook(ALLOWLIST_V200, 5, 5))
    stored = (*SESSION.stored, Leftover(ALLOWLIST_V200, 5, GAME), Leftover(NATIVE_TOKEN_LIMIT, 77, amount=3))
    (step,) = steps_of(ending.end_call(replace(SESSION, hooks=odd, execution_hooks=(), stored=stored)))
    assert [bool(data) for data in step.hook_data] == [True, False, False]  # reversed; an id of somebody else is left alone


def test_a_validation_of_an_unknown_module_ends_without_calling_it() -> None:
    (step,) = steps_of(ending.end_call(replace(SESSION, module=OTHER, hooks=(), execution_hooks=())))
    assert (step.module, step.uninstall_data, step.hook_data) == (OTHER, b"", ())


def test_leftovers_are_cleared_behind_an_end() -> None:
    steps = steps_of(*ending.clean_calls(ACCOUNT.address, ending.left_by(SESSION)))
    assert isinstance(steps[0], Uninstall)
    assert {type(step) for step in steps[1:]} == {Clean, Lower}
    assert {(s.module, s.storage_id) for s in steps[1:]} == {
        (ALLOWLIST, 5), (ALLOWLIST, 5 + HALF), (NATIVE_TOKEN_LIMIT, 5), (NATIVE_TOKEN_LIMIT, 5 + HALF), (TIME_RANGE, 5),
    }  # fmt: skip
    assert [s for s in steps[1:] if isinstance(s, Lower) and s.amount] == []
    again = ending.clean_calls(ACCOUNT.address, [Leftover(PAYMASTER_GUARD, 5, OTHER)], ended={5})
    assert [call.target for call in again] == [PAYMASTER_GUARD]
    assert [call.target for call in ending.clean_calls(ACCOUNT.address, [Leftover(SINGLE_SIGNER, 6, OTHER)])] == [ACCOUNT.address]
    assert ending.clean_calls(ACCOUNT.address, [Leftover(OTHER, 5, amount=1)]) == ()


def test_tightening() -> None:
    limits = {limit.kind: limit for limit in SESSION.limits}
    calls = (
        ending.lower_call(SESSION, limits[LimitKind.NATIVE], 10),
        ending.lower_call(SESSION, limits[LimitKind.GAS], 0),
        ending.lower_call(SESSION, limits[LimitKind.ERC20], 899),
        ending.shorten_call(SESSION, 1_800_000_000),
    )
    assert steps_of(*calls) == (
        Lower(NATIVE_TOKEN_LIMIT, 5, None, 10),
        Lower(NATIVE_TOKEN_LIMIT, 5 + HALF, None, 0),
        Lower(ALLOWLIST, 5 + HALF, TOKEN, 899),
        Shorten(5, 1_800_000_000, 0),
    )
    assert steps_of(calls[0]) == (Lower(NATIVE_TOKEN_LIMIT, 5, None, 10),)
    for limit, to in ((limits[LimitKind.NATIVE], 1000), (limits[LimitKind.GAS], 2001), (limits[LimitKind.ERC20], -1)):
        with pytest.raises(Refused):
            ending.lower_call(SESSION, limit, to)
    for until in (1_900_000_000, 0, 2**48):
        with pytest.raises(Refused):
            ending.shorten_call(SESSION, until)
    bare = replace(SESSION, hooks=(), execution_hooks=())
    with pytest.raises(Refused):
        ending.shorten_call(bare, 1)
    with pytest.raises(Refused):
        ending.lower_call(bare, limits[LimitKind.GAS], 1)


def test_cancelling() -> None:
    nonce = build(DRAFT).nonce
    (step,) = steps_of(ending.cancel_call(nonce))
    assert step == Cancel(nonce >> 64)
    assert (step.entity_id, step.is_grant) == (5, True)


# --- held against other encoders


@given(st.binary(max_size=300), st.binary(max_size=40), st.integers(0, MAX_UINT256), st.integers(0, 2**128 - 1))
def test_operations_are_encoded_as_others_encode_them(call: bytes, init: bytes, nonce: int, number: int) -> None:
    op = operation(nonce=nonce, call_data=call, init_code=init, max_fee_per_gas=number, call_gas_limit=number)
    limits = (200_000).to_bytes(16, "big") + number.to_bytes(16, "big")
    fees = (10**9).to_bytes(16, "big") + number.to_bytes(16, "big")
    fields = (ACCOUNT.address, nonce, init, call, limits, 60_000, fees, b"", b"sig")
    assert userop.to_bytes(op, b"sig") == encode([OP_TYPES], [fields])
    packed = abi.call(f"handleOps({OP_TYPES}[],address)", [fields, fields], OTHER)
    assert userop.handle_ops([(op, b"sig"), (op, b"sig")], OTHER) == packed


@given(st.binary(max_size=300), st.lists(st.integers(0, 2**64 - 1), min_size=4, max_size=4))
def test_transactions_are_encoded_as_others_encode_them(data: bytes, numbers: list[int]) -> None:
    nonce, gas, fee, tip = numbers
    made = PlainTransaction(31337, nonce, GAME, data, gas, max(fee, tip), min(fee, tip))
    fields = {
        "type": 2, "chainId": 31337, "nonce": nonce, "to": GAME, "value": 0, "data": data, "gas": gas,
        "maxFeePerGas": max(fee, tip), "maxPriorityFeePerGas": min(fee, tip),
    }  # fmt: skip
    signed = EthAccount.sign_transaction(fields, OWNER.key)
    signature = signed.r.to_bytes(32, "big") + signed.s.to_bytes(32, "big") + bytes([27 + signed.v])
    assert transaction.signed(made, signature) == signed.raw_transaction
    assert EthAccount._recover_hash(transaction.digest(transaction.to_bytes(made)), signature=signature) == OWNER.address


# --- reading back


@given(st.data())
def test_changed_operations_are_refused_or_read_as_what_they_are(data: st.DataObject) -> None:
    whole = userop.to_bytes(operation(ending.end_call(SESSION), ending.cancel_call(build(DRAFT).nonce)))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    try:
        reading = decode_operation(changed)
        judge_operation(reading, ACCOUNT)
    except LatchkeyError:
        return
    assert rebuild.operation_bytes(reading) == changed


@given(st.binary(max_size=400))
def test_noise_is_no_operation_and_no_transaction(noise: bytes) -> None:
    for read in (decode_operation, lambda b: decode_transaction(b, GAME), lambda b: decode_transaction(b"\x02" + b, GAME)):
        try:
            read(noise)
        except CannotDecode:
            continue


def owner_transaction(*calls: AccountCall, **changes: Any) -> PlainTransaction:
    return transaction_of(ACCOUNT, *calls, **changes)


@given(st.data())
def test_changed_transactions_are_refused_or_read_as_what_they_are(data: st.DataObject) -> None:
    whole = transaction.to_bytes(owner_transaction(ending.end_call(SESSION)))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    try:
        reading = decode_transaction(changed, ACCOUNT.address)
        judge_transaction(reading, ACCOUNT, OWNER_ADDRESS)
    except LatchkeyError:
        return
    assert rebuild.transaction_bytes(reading, ACCOUNT.address) == changed


RLP_TRICKS = [
    "02c0", "02", "02f800", "02c1c0", "02cf82000180010101808080c0", "02f90000", "02c98001808080808080c0ff",
]  # fmt: skip


@pytest.mark.parametrize("text", RLP_TRICKS)
def test_rlp_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(CannotDecode):
        decode_transaction(bytes.fromhex(text), GAME)


def test_numbers_with_leading_zeros_and_access_lists_are_refused() -> None:
    import rlp

    good: list[Any] = [b"\x7a\x69", b"\x04", b"\x01", b"\x02", b"\x05", ACCOUNT.address.raw, b"", b"", []]
    assert decode_transaction(b"\x02" + rlp.encode([*good[:7], bytes.fromhex("b6b1ccfe"), []]), GAME).chain_id == 31337
    for place, value in (
        (0, b"\x00\x7a\x69"),
        (6, b"\x00"),
        (8, [[GAME.raw, []]]),
        (5, b""),
        (5, b"\x01"),
        (7, []),
        (1, b"\1" * 33),
    ):
        changed = list(good)
        changed[place] = value
        with pytest.raises(CannotDecode):
            decode_transaction(b"\x02" + rlp.encode(changed), GAME)
    with pytest.raises(CannotDecode):
        decode_transaction(b"\x02" + rlp.encode([*good, b"\x1b", b"\x01", b"\x01"]), GAME)


# --- the closed list


END = ending.end_call(SESSION)
UPDATE = "updateLimits(uint32,address,bool,uint256)"


def deed(target: Address, signature: str, *values: Any) -> AccountCall:
    return AccountCall(target, abi.call(signature, *values))


REFUSED_CALLS = [
    ("OwnerTakenOut", [ending.end_id(ACCOUNT.address, 0)]),
    ("DirectCall", [ending.end_id(ACCOUNT.address, 0xFFFFFFFF)]),
    ("Grant", [AccountCall(ACCOUNT.address, build(DRAFT).call)]),
    ("Grant", [END, AccountCall(ACCOUNT.address, build(DRAFT).call)]),
    ("OtherCall", [AccountCall(TOKEN, abi.transfer(OTHER, 5))]),
    ("OtherCall", [END, AccountCall(TOKEN, abi.approve(OTHER, 0))]),
    ("OtherCall", [deed(ACCOUNT.address, "updateFallbackSignerData(address,bool)", OTHER, False)]),
    ("OtherCall", [deed(ENTRY_POINT, "withdrawTo(address,uint256)", OTHER, 1)]),
    ("OtherCall", [deed(SINGLE_SIGNER, "transferSigner(uint32,address)", 5, OTHER)]),
    ("OtherCall", [deed(ALLOWLIST, UPDATE, 5 + HALF, TOKEN, False, 0)]),
    ("OtherCall", [deed(TIME_RANGE, "setTimeRange(uint32,uint48,uint48)", 5, 0, 7)]),
    ("OtherCall", [deed(ALLOWLIST, "setAddressAllowlist(uint32,address,bool,bool,bool)", 5, GAME, True, False, False)]),
    ("NoTime", [deed(TIME_RANGE, "setTimeRange(uint32,uint48,uint48)", 5, 7, 7)]),
    ("NoLimit", [deed(NATIVE_TOKEN_LIMIT, "updateLimits(uint32,uint256)", 5, 2**255)]),
    ("OwnersLimits", [deed(NATIVE_TOKEN_LIMIT, "updateLimits(uint32,uint256)", 0, 1)]),
    ("LiftsLimits", [AccountCall(TIME_RANGE, ending.forget(5))]),
    ("LiftsLimits", [AccountCall(ALLOWLIST, ending.delete_list(5 + HALF, [(TOKEN, False, False, 0, [])])), END]),
    ("LiftsLimits", [END, AccountCall(TIME_RANGE, ending.forget(6))]),
    ("UnknownBytes", [AccountCall(GAME, b"\1\2\3\4")]),
    ("UnknownBytes", [AccountCall(ACCOUNT.address, ending.uninstall(SINGLE_SIGNER, 5, b"\1", []))]),
    ("UnknownBytes", [AccountCall(ACCOUNT.address, ending.uninstall(OTHER, 5, encode(["uint32"], [5]), []))]),
    ("UnknownBytes", [AccountCall(NATIVE_TOKEN_LIMIT, ending.forget(5))]),
    ("UnknownBytes", [AccountCall(ACCOUNT.address, END.data + b"\0")]),
    ("NoSteps", []),
]  # fmt: skip


@pytest.mark.parametrize(("code", "calls"), REFUSED_CALLS, ids=[f"{n}-{c}" for n, (c, _) in enumerate(REFUSED_CALLS)])
def test_whatever_else_it_does_is_refused(code: str, calls: list[AccountCall]) -> None:
    for judged in (
        lambda: judge_operation(decode_operation(userop.to_bytes(operation(*calls))), ACCOUNT),
        lambda: judge_transaction(
            decode_transaction(transaction.to_bytes(owner_transaction(*calls)), ACCOUNT.address), ACCOUNT, OWNER_ADDRESS
        ),
    ):
        with pytest.raises(Refused) as caught:
            judged()
        assert caught.value.code == code
        assert caught.value.text.rstrip(")").endswith(".")


WRONG_OPERATIONS = [
    ("OtherAccount", {"sender": GAME}),
    ("NotOwners", {"nonce": 5 << 72}),
    ("NotOwners", {"nonce": 0}),
    ("NotOwners", {"nonce": 3 << 64}),
    ("Paymaster", {"paymaster_and_data": GAME.raw}),
    ("OtherInitCode", {"init_code": GAME.raw}),
    ("TooMuchGas", {"call_gas_limit": 10**9}),
    ("FeesCrossed", {"max_fee_per_gas": 1}),
    ("OtherCall", {"call_data": abi.execute(TOKEN, 5, b"")}),
    ("OtherCall", {"call_data": bytes.fromhex("8dd7712f") + END.data}),
    ("OtherCall", {"call_data": ending.owner_call(END.data)}),
    ("OtherCall", {"call_data": abi.execute_batch((NATIVE_TOKEN_LIMIT, 1, ending.update_limit(5, 0)))}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "changes"), WRONG_OPERATIONS, ids=[f"{n}-{c}" for n, (c, _) in enumerate(WRONG_OPERATIONS)])
def test_operations_that_are_not_the_owners_own(code: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        judge_operation(decode_operation(userop.to_bytes(operation(END, **changes))), ACCOUNT)
    assert caught.value.code == code


def test_an_operation_may_deploy_the_account_and_nothing_else() -> None:
    judge_operation(decode_operation(userop.to_bytes(operation(END, init_code=ACCOUNT.init_code))), ACCOUNT)


def test_a_call_that_means_the_same_in_another_form_is_not_rebuilt_as_it_was() -> None:
    """execute around a module call, or a batch of one: the chain takes them, Latchkey never writes them."""
    calls = [(ACCOUNT.address, 0, END.data)]
    reading = decode_operation(userop.to_bytes(operation(END, call_data=abi.execute_batch(*calls))))
    judge_operation(reading, ACCOUNT)
    assert rebuild.operation_bytes(reading) != userop.to_bytes(operation(END, call_data=abi.execute_batch(*calls)))


def carrier(*signed: tuple[UserOperation, bytes], beneficiary: Address = OTHER) -> PlainTransaction:
    return PlainTransaction(31337, 0, ENTRY_POINT, userop.handle_ops(signed, beneficiary), 900_000, 2 * 10**9, 10**9)


def signature_of(op: UserOperation) -> bytes:
    digest = operation_digest(decode_operation(userop.to_bytes(op)), 31337)
    made = EthAccount.unsafe_sign_hash(digest, OWNER.key)
    return userop.operation_signature(made.r.to_bytes(32, "big") + made.s.to_bytes(32, "big") + bytes([made.v]))


def test_anybodys_transaction_may_carry_what_the_owner_signed() -> None:
    op = operation(END)
    good = transaction.to_bytes(carrier((op, signature_of(op))))
    reading = decode_transaction(good, ACCOUNT.address)
    judge_transaction(reading, ACCOUNT, OTHER)
    assert rebuild.transaction_bytes(reading, ACCOUNT.address) == good
    flipped = signature_of(op)[:-1] + bytes([55 - signature_of(op)[-1]])
    for code, made, sender in (
        ("OtherBeneficiary", carrier((op, signature_of(op)), beneficiary=GAME), OTHER),
        ("OtherBeneficiary", carrier(), OTHER),
        ("NotSigned", carrier((op, signature_of(op)[1:])), OTHER),
        ("NotOwners", carrier((op, flipped)), OTHER),
        ("NotOwners", carrier((operation(END, nonce=5 << 72), signature_of(op))), OTHER),
        ("OtherCall", carrier((operation(AccountCall(TOKEN, abi.transfer(OTHER, 5))), signature_of(op))), OTHER),
    ):
        with pytest.raises(Refused) as caught:
            judge_transaction(decode_transaction(transaction.to_bytes(made), ACCOUNT.address), ACCOUNT, sender)
        assert caught.value.code == code


WRONG_TRANSACTIONS = [
    ("OtherChain", {"chain_id": 1}),
    ("OtherReceiver", {"to": GAME, "data": b""}),
    ("OtherReceiver", {"to": ENTRY_POINT, "data": ending.cancel_call(1 << 64).data}),
    ("OtherCall", {"data": END.data}),
    ("OtherCall", {"data": abi.execute_batch((ACCOUNT.address, 0, END.data))}),
    ("OtherCall", {"data": ending.owner_call(END.data).replace(bytes.fromhex("0100000000ff"), bytes.fromhex("0000000000ff"))}),
    ("OtherCall", {"data": ending.owner_call(END.data).replace(bytes.fromhex("0100000000ff"), bytes.fromhex("0100000005ff"))}),
    ("UnknownBytes", {"data": ending.owner_call(END.data).replace(bytes.fromhex("0100000000ff"), bytes.fromhex("010000000000"))}),
    ("TooMuchGas", {"gas": 10**9}),
    ("FeesCrossed", {"max_fee_per_gas": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "changes"), WRONG_TRANSACTIONS, ids=[f"{n}-{c}" for n, (c, _) in enumerate(WRONG_TRANSACTIONS)])
def test_transactions_that_are_not_the_owners_own(code: str, changes: dict[str, Any]) -> None:
    made = transaction.to_bytes(owner_transaction(END, **changes))
    with pytest.raises(Refused) as caught:
        judge_transaction(decode_transaction(made, ACCOUNT.address), ACCOUNT, OWNER_ADDRESS)
    assert caught.value.code == code


def test_money_is_never_sent_along() -> None:
    import rlp

    fields = [31337, 4, 1, 2, 500_000, ACCOUNT.address.raw, 7, ending.owner_call(END.data), []]
    with pytest.raises(Refused) as caught:
        judge_transaction(decode_transaction(b"\x02" + rlp.encode(fields), ACCOUNT.address), ACCOUNT, OWNER_ADDRESS)
    assert caught.value.code in ("SendsMoney", "OtherCall")


def test_an_account_that_is_its_own_owner_may_cancel_at_the_entry_point_itself() -> None:
    account = predict(31337, OWNER_ADDRESS, 0, Mode.EIP7702)
    made = transaction.to_bytes(PlainTransaction(31337, 0, ENTRY_POINT, ending.cancel_call(3 << 64).data, 90_000, 2, 1))
    reading = decode_transaction(made, account.address)
    judge_transaction(reading, account, OWNER_ADDRESS)
    assert reading.steps == (Cancel(3),)
    assert rebuild.transaction_bytes(reading, account.address) == made
    with pytest.raises(Refused):
        judge_transaction(reading, account, OTHER)


def test_a_read_call_keeps_what_is_no_step() -> None:
    reading = decode_operation(userop.to_bytes(operation(END, AccountCall(TOKEN, abi.transfer(OTHER, 5)))))
    assert isinstance(reading.steps[1], Call)
    assert keccak(reading.call_data) == keccak(operation(END, AccountCall(TOKEN, abi.transfer(OTHER, 5))).call_data)
