"""The form a call has to have: wrapping, batches, calls of the account to itself, signature segments, who may call at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from latchkey.accounts.modular_account.addresses import ENTRY_POINT, TIME_RANGE
from latchkey.accounts.modular_account.build import nonce_key
from latchkey.accounts.modular_account.userop import EXECUTE_USER_OP, signed_message, user_op_hash
from latchkey.core.account import Account
from latchkey.core.permissions import ContractAccess, NativeTokenTransfer, Root
from latchkey.core.types import Address, hex_bytes, keccak
from tests.chain import abi
from tests.chain.cases import BUY, DAY, MOVE
from tests.chain.errors import explain
from tests.chain.stage import COUNT, INCREMENT, OTHER_SESSION, OWNER, RECEIVER, SENDER, SESSION, STRANGER, Session, Stage
from tests.chain.test_limits import granted
from tests.devnet.devnet import CHAIN_ID
from tests.devnet.places import COUNTER, GAME, WALLET
from tests.devnet.rpc import RpcError

CONTEXT = "refused: AA23 reverted, RequireUserOperationContext()"
RECURSION = "SelfCallRecursionDepthExceeded()"


def owner_only(account: Account, call: bytes) -> bytes:
    """A call that only the account itself may make."""
    return abi.execute(account.address, 0, call)


# --- wrapping


@pytest.mark.parametrize("which", ["first", "later"])
def test_execution_hooks_need_the_wrapped_form(stage: Stage, which: str) -> None:
    session = granted(stage, ContractAccess(GAME), NativeTokenTransfer(5))
    assert session.signed.grant.needs_execute_user_op
    assert session.signed.blob[0] == 1
    if which == "later":
        assert session.first(abi.execute(GAME, 0, MOVE)).text == "done"
    send = session.first if which == "first" else session.later
    assert send(abi.execute(GAME, 0, MOVE), wrapped=False).text == CONTEXT
    assert send(abi.execute(GAME, 0, MOVE)).text == "done"


@pytest.mark.parametrize("wrapped", [False, True])
def test_without_execution_hooks_both_forms_work(stage: Stage, wrapped: bool) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    assert session.signed.blob[0] == 0
    assert session.first(COUNT, wrapped=wrapped).text == "done"
    assert session.later(COUNT, wrapped=wrapped).text == "done"


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_allowlist_sees_through_the_wrapping(stage: Stage, wrapped: bool) -> None:
    session = granted(stage, ContractAccess(GAME))
    refused = "refused: AA23 reverted, PreUserOpValidationHookReverted(AllowlistModule:1, AddressNotAllowed())"
    assert session.first(COUNT, wrapped=wrapped).text == refused


def test_wrapped_twice_is_nothing_the_session_may_call(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER), NativeTokenTransfer(5))
    assert session.first(EXECUTE_USER_OP + COUNT).text == "refused: AA23 reverted, ValidationFunctionMissing(0x8dd7712f)"


def test_hooks_the_owner_adds_later_change_the_form(stage: Stage) -> None:
    """Trap 10: a session that ran plain must wrap its calls from then on."""
    session = granted(stage, ContractAccess(GAME))
    assert session.first(abi.execute(GAME, 9, BUY)).text == "done"
    limited = replace(session.draft, permissions=(NativeTokenTransfer(5),))
    call = stage.grant(limited, session.account, checked=False).grant.call
    assert stage.owner_tx(session.account, call).text == "done"
    assert session.later(abi.execute(GAME, 0, MOVE)).text == CONTEXT
    assert session.later(abi.execute(GAME, 5, BUY), wrapped=True).text == "done"
    over = "failed: PreExecHookReverted(NativeTokenLimitModule:1, ExceededNativeTokenLimit())"
    assert session.later(abi.execute(GAME, 1, BUY), wrapped=True).text == over


# --- calls of the account to itself


def test_one_call_to_the_account_itself_must_be_bare(stage: Stage) -> None:
    account = stage.account()
    bare = abi.call("updateFallbackSignerData(address,bool)", OWNER.address, False)
    assert stage.owner_op(account, owner_only(account, bare)).text == f"refused: AA23 reverted, {RECURSION}"
    assert stage.owner_tx(account, owner_only(account, bare)).text == f"reverted: {RECURSION}"
    assert stage.owner_op(account, bare).text == "done"
    assert stage.owner_tx(account, abi.execute_batch((account.address, 0, bare), (account.address, 0, bare))).text == "done"


@pytest.mark.parametrize("inner", [COUNT, abi.execute_batch((COUNTER, 0, INCREMENT))])
def test_batches_do_not_nest(stage: Stage, inner: bytes) -> None:
    account = stage.account()
    assert stage.owner_op(account, abi.execute_batch((account.address, 0, inner))).text == f"refused: AA23 reverted, {RECURSION}"


def test_a_session_reaches_the_account_only_by_its_own_functions(stage: Stage) -> None:
    """Its contract list says the account is allowed, and still every inner call is checked. Latchkey refuses such a grant."""
    account = stage.account()
    draft = stage.draft(account, ContractAccess(account.address), ContractAccess(COUNTER))
    session = stage.session(stage.grant(draft, account, checked=False), account)
    bare = abi.call("updateFallbackSignerData(address,bool)", STRANGER.address, False)
    assert session.first(COUNT).text == "done"
    assert session.later(owner_only(account, bare)).text == f"refused: AA23 reverted, {RECURSION}"
    in_batch = session.later(abi.execute_batch((account.address, 0, bare)))
    assert in_batch.text == "refused: AA23 reverted, ValidationFunctionMissing(0x30009d52)"
    assert stage.view(account.address, "(address,bool)", "getFallbackSignerData()")[0] == OWNER.address.lower()


@pytest.mark.parametrize("data", [b"", b"\xb6\x1d\x27"])
def test_call_data_too_short_for_a_function(stage: Stage, data: bytes) -> None:
    session = granted(stage, Root())
    assert session.first(data).text == f"refused: AA23 reverted, UnrecognizedFunction(0x{data.ljust(4, bytes(1)).hex()})"


def test_a_function_the_account_does_not_have(stage: Stage) -> None:
    account = stage.account()
    assert (
        stage.owner_op(account, abi.selector("nothing()")).text == "refused: AA23 reverted, ValidationFunctionMissing(0x448f30a3)"
    )
    assert stage.transact(STRANGER, account.address, abi.selector("nothing()")).text == "reverted: UnrecognizedFunction(0x448f30a3)"


# --- signatures


def signed_with(session: Session, final: bytes, call: bytes = COUNT) -> str:
    """A first operation whose own part of the signature is `final`, where KEY stands for the key's signature."""
    op, _ = session.first_op(call)
    key = session.key.sign(signed_message(user_op_hash(op, CHAIN_ID)))
    return session.stage.send((op, session.signed.deferred_action_data + final.replace(b"KEY", key)))[0].text


@pytest.mark.parametrize(
    ("final", "expected"),
    [
        (b"\xff\x00KEY", "done"),
        (b"\x00KEY", "refused: AA23 reverted, no reason"),
        (b"", "refused: AA23 reverted, Panic(0x32)"),
        (b"\xfe\x00KEY", "refused: AA23 reverted, ValidationSignatureSegmentMissing()"),
        (b"\xff\x00KEY\x00", "refused: AA24 signature error"),
        (b"\xff\x00" + bytes(65), "refused: AA24 signature error"),
        (b"\xff\x01KEY", "refused: AA24 signature error"),
        (
            b"\xff\x02KEY",
            "refused: AA23 reverted, UserOpValidationFunctionReverted(SingleSignerValidationModule:1, Panic(0x21))",
        ),
        (
            b"\x00" + (3).to_bytes(4, "big") + b"abc\xff\x00KEY",
            "refused: AA23 reverted, PreUserOpValidationHookReverted(AllowlistModule:1, UnexpectedDataPassed())",
        ),
        (b"\x00" + bytes(4) + b"\xff\x00KEY", "refused: AA23 reverted, NonCanonicalEncoding()"),
    ],
)
def test_signature_segments(stage: Stage, final: bytes, expected: str) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    assert signed_with(session, final) == expected


def test_a_session_key_may_be_a_contract(stage: Stage) -> None:
    """It signs by ERC-1271, with type byte 1."""
    account = stage.account()
    stage.transact(SENDER, WALLET, abi.call("setSigner(address)", OTHER_SESSION.address))
    signed = stage.grant(stage.draft(account, ContractAccess(COUNTER), session=WALLET), account)
    session = stage.session(signed, account, key=OTHER_SESSION)
    assert signed_with(session, b"\xff\x00KEY") == "refused: AA24 signature error"
    assert signed_with(session, b"\xff\x01KEY") == "done"


def test_a_session_key_cannot_sign_messages(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    digest = keccak(b"Log in")
    for entity_id, options, key in ((1, 0, SESSION), (1, 1, SESSION)):
        signature = bytes([options]) + entity_id.to_bytes(4, "big") + b"\xff\x00" + key.sign(digest)
        with pytest.raises(RpcError) as refusal:
            stage.view(session.account.address, "(bytes4)", "isValidSignature(bytes32,bytes)", digest, signature)
        said = explain(hex_bytes(refusal.value.data))
        assert said == "SignatureValidationInvalid(SingleSignerValidationModule:1)"


# --- who may call


def test_nobody_else_may_call_the_account(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    account = session.account.address
    for key in (STRANGER, SESSION):
        assert stage.transact(key, account, COUNT).text == "reverted: ValidationFunctionMissing(0xb61d27f6)"
    assert session.runtime(COUNT, sender=STRANGER).text == (
        "reverted: RuntimeValidationFunctionReverted(SingleSignerValidationModule:1, NotAuthorized())"
    )
    assert stage.transact(OWNER, account, COUNT).text == "done"
    assert stage.owner_tx(session.account, COUNT, owner=STRANGER).text == "reverted: FallbackSignerMismatch()"
    assert stage.owner_tx(session.account, COUNT, owner=SESSION).text == "reverted: FallbackSignerMismatch()"


def test_only_the_entry_point_validates(stage: Stage) -> None:
    account = stage.account()
    empty = (RECEIVER, 0, b"", b"", bytes(32), 0, bytes(32), b"", b"")
    signature = "validateUserOp((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes),bytes32,uint256)"
    assert stage.transact(OWNER, account.address, abi.call(signature, empty, bytes(32), 0)).text == "reverted: NotEntryPoint()"


def test_a_session_is_no_root(stage: Stage) -> None:
    """The global bit in the nonce is worth nothing without the global flag."""
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    key = nonce_key(0, 1, is_global=True, is_deferred=False)
    op = stage.operation(session.account.address, stage.nonce(session.account.address, key), COUNT)
    assert stage.send(stage.signed_by(SESSION, op))[0].text == "refused: AA23 reverted, ValidationFunctionMissing(0xb61d27f6)"


def test_entity_zero_cannot_be_given_away(stage: Stage) -> None:
    account = stage.account()
    call = stage.grant(stage.draft(account, Root(), entity_id=0), account, checked=False).grant.call
    assert stage.owner_tx(account, call).text == "reverted: FallbackValidationInstallationNotAllowed()"


@pytest.mark.parametrize("parallel", [1, 2**64, 2**152 - 1])
def test_a_session_may_use_any_parallel_nonce(stage: Stage, parallel: int) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    assert session.later(COUNT, parallel=parallel).text == "done"
    assert session.later(COUNT, parallel=parallel).text == "done"


def test_two_operations_of_one_session_in_one_bundle(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    bundle = stage.send(session.later_op(COUNT, parallel=1), session.later_op(COUNT, parallel=2))
    assert [o.text for o in bundle] == ["done", "done"]
    assert stage.view(COUNTER, "(uint256)", "number()") == 3


def test_a_time_range_set_by_hand(stage: Stage) -> None:
    """No end with a beginning means for ever."""
    session = granted(stage, ContractAccess(COUNTER), expires_in=DAY)
    assert session.first(COUNT).text == "done"
    after = stage.now() + 2 * DAY
    change = abi.call("setTimeRange(uint32,uint48,uint48)", 1, 0, after)
    assert stage.owner_tx(session.account, abi.execute(TIME_RANGE, 0, change)).text == "done"
    assert session.later(COUNT).text == "refused: AA22 expired or not due"
    stage.next_block_at(after + 365 * DAY)
    assert session.later(COUNT).text == "done"


def test_the_entry_point_is_the_one_latchkey_means(stage: Stage) -> None:
    assert Address.parse(stage.view(stage.account().address, "(address)", "entryPoint()")) == ENTRY_POINT
