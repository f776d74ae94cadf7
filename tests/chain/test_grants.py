"""Deferred grants before, while and after they are used: who signed what for which account, chain, nonce and time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from latchkey.accounts.modular_account.addresses import ENTRY_POINT, SINGLE_SIGNER, TIME_RANGE, predict
from latchkey.accounts.modular_account.build import deferred_digest, nonce_key
from latchkey.accounts.modular_account.ending import uninstall_call
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.grant import SignedGrant
from latchkey.core.permissions import AccountFunctions, ContractAccess, Erc20TokenTransfer, FunctionsOnContract, Root
from latchkey.core.types import Address, keccak
from tests.chain import abi
from tests.chain.cases import CLAIM, DAY, MOVE, PRACTICE, functions
from tests.chain.stage import (
    COUNT,
    FACE,
    OTHER_OWNER,
    OTHER_SESSION,
    OWNER,
    RECEIVER,
    SESSION,
    STRANGER,
    Key,
    Session,
    Stage,
)
from tests.chain.state import stored, validation
from tests.chain.test_limits import granted
from tests.chain.test_permissions import install_module
from tests.devnet.places import COUNTER, DOLLAR, GAME

NOT_SIGNED = "refused: AA23 reverted, DeferredActionSignatureInvalid()"
NONCE = "refused: AA25 invalid account nonce"
WRONG_KEY = "refused: AA24 signature error"
TWICE = "refused: AA23 reverted, ValidationAlreadySet(0xb61d27f6, SingleSignerValidationModule:1)"


def key192(signed: SignedGrant) -> int:
    return signed.grant.nonce >> 64


def cancel(signed: SignedGrant) -> bytes:
    """The account's call that makes a grant's nonce useless."""
    return abi.execute(ENTRY_POINT, 0, abi.call("incrementNonce(uint192)", key192(signed)))


def with_data(signed: SignedGrant, *, call: bytes | None = None, deadline: int | None = None) -> SignedGrant:
    """The same grant with other bytes than the owner signed."""
    data = signed.deferred_action_data
    length = int.from_bytes(data[:4], "big")
    encoded, rest = data[4 : 4 + length], data[4 + length :]
    action = encoded[27:] if call is None else call
    until = encoded[21:27] if deadline is None else deadline.to_bytes(6, "big")
    changed = encoded[:21] + until + action
    return replace(signed, deferred_action_data=len(changed).to_bytes(4, "big") + changed + rest)


# --- used once


@pytest.mark.parametrize(
    ("permission", "expected"),
    [(ContractAccess(COUNTER), TWICE), (Erc20TokenTransfer(DOLLAR, 5), TWICE), (Root(), NONCE)],
)
def test_replay(stage: Stage, permission: ContractAccess | Erc20TokenTransfer | Root, expected: str) -> None:
    session = granted(stage, permission)
    call = abi.execute(DOLLAR, 0, abi.transfer(RECEIVER, 1)) if isinstance(permission, Erc20TokenTransfer) else COUNT
    operation = session.first_op(call)
    assert stage.send(operation)[0].text == "done"
    assert stage.send(operation)[0].text == expected
    assert session.first(call).text == expected


def test_a_later_operation_is_used_once_too(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    assert session.first(COUNT).text == "done"
    operation = session.later_op(COUNT)
    assert [stage.send(operation)[0].text, stage.send(operation)[0].text] == ["done", NONCE]


def test_a_first_call_that_fails_still_installs(stage: Stage) -> None:
    """Installing happens while validating; what the call does afterwards does not take it back."""
    session = granted(stage, ContractAccess(GAME))
    assert session.first(abi.execute(GAME, 0, abi.call("move(uint8,uint8)", 8, 8))).text == "failed: OffTheBoard(8, 8)"
    assert session.later(abi.execute(GAME, 0, MOVE)).text == "done"


def test_a_first_call_that_is_not_allowed_installs_nothing(stage: Stage) -> None:
    session = granted(stage, ContractAccess(GAME))
    assert session.first(COUNT).text.startswith("refused: AA23 reverted, PreUserOpValidationHookReverted")
    assert stored(stage, session.draft) == {}
    assert session.first(abi.execute(GAME, 0, MOVE)).text == "done"


# --- signed by the right owner, for this account, chain and nonce


@pytest.mark.parametrize("signer", [OTHER_OWNER, SESSION, STRANGER])
def test_another_owner(stage: Stage, signer: Key) -> None:
    account = stage.account()
    signed = stage.grant(stage.draft(account, ContractAccess(COUNTER)), account, owner=signer)
    assert stage.session(signed, account).first(COUNT).text == NOT_SIGNED


@pytest.mark.parametrize("key", [OTHER_SESSION, OWNER, STRANGER])
def test_another_session_key(stage: Stage, key: Key) -> None:
    account = stage.account()
    signed = stage.grant(stage.draft(account, ContractAccess(COUNTER)), account)
    assert stage.session(signed, account, key=key).first(COUNT).text == WRONG_KEY
    assert stored(stage, signed.grant.draft) == {}
    assert stage.session(signed, account).first(COUNT).text == "done"
    assert stage.session(signed, account, key=key).later(COUNT).text == WRONG_KEY


def test_another_chain(stage: Stage) -> None:
    account = stage.account()
    elsewhere = replace(account, chain_id=8453)
    signed = stage.grant(stage.draft(elsewhere, ContractAccess(COUNTER)), elsewhere)
    assert stage.session(signed, account).first(COUNT).text == NOT_SIGNED


def test_another_account_of_the_same_owner(stage: Stage) -> None:
    one, other = stage.account(), stage.account(salt=1)
    signed = stage.grant(stage.draft(one, ContractAccess(COUNTER)), one)
    assert stage.session(signed, other).first(COUNT).text == NOT_SIGNED
    assert stage.session(signed, one).first(COUNT).text == "done"


def test_another_nonce(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    for nonce in (session.signed.grant.nonce + (1 << 104), session.signed.grant.nonce + 1):
        assert session.first(COUNT, nonce=nonce).text == NOT_SIGNED


def test_another_session_id_in_the_nonce(stage: Stage) -> None:
    """The installed key validates the operation; an id that is not installed by the grant cannot."""
    session = granted(stage, ContractAccess(COUNTER))
    other = FACE.build(replace(session.draft, entity_id=2))
    digest = deferred_digest(session.draft.chain_id, session.draft.account, other.nonce, 0, session.signed.grant.call)
    signed = FACE.assemble(replace(session.signed.grant, nonce=other.nonce), OWNER.sign(digest))
    refused = "refused: AA23 reverted, ValidationFunctionMissing(0xb61d27f6)"
    assert stage.session(signed, session.account).first(COUNT).text == refused


def test_a_changed_call_or_deadline(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER), expires_in=DAY)
    wider = FACE.build(replace(session.draft, permissions=(ContractAccess(COUNTER), ContractAccess(GAME)))).call
    for changed in (
        with_data(session.signed, call=wider),
        with_data(session.signed, deadline=session.draft.expiry + 1),
        with_data(session.signed, deadline=0),
    ):
        assert stage.session(changed, session.account).first(COUNT).text == NOT_SIGNED
    assert session.first(COUNT).text == "done"


def test_every_bit_of_the_owners_signature_counts(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    for position in (-1, -33, -65):
        data = bytearray(session.signed.deferred_action_data)
        data[position] ^= 1
        changed = replace(session.signed, deferred_action_data=bytes(data))
        assert stage.session(changed, session.account).first(COUNT).text == NOT_SIGNED


def test_an_owner_that_signs_messages_only(stage: Stage) -> None:
    """A personal message over the digest is no grant: the owner signs the typed data itself."""
    account = stage.account()
    grant = FACE.build(stage.draft(account, ContractAccess(COUNTER)))
    message = keccak(b"\x19Ethereum Signed Message:\n32" + grant.digest)
    assert stage.session(FACE.assemble(grant, OWNER.sign(message)), account).first(COUNT).text == NOT_SIGNED


# --- the owner's own affairs


def test_owner_operations_need_the_owner(stage: Stage) -> None:
    account = stage.account()
    assert stage.owner_op(account, COUNT, owner=OTHER_OWNER).text == WRONG_KEY
    assert stage.owner_op(account, COUNT).text == "done"


def test_a_new_owner_ends_unused_grants_and_no_sessions(stage: Stage) -> None:
    account = stage.account()
    used = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER)), account), account)
    unused = stage.session(stage.grant(stage.draft(account, ContractAccess(GAME), entity_id=2), account), account)
    assert used.first(COUNT).text == "done"
    change = abi.call("updateFallbackSignerData(address,bool)", OTHER_OWNER.address, False)
    assert stage.owner_op(account, change).text == "done"
    assert used.later(COUNT).text == "done"
    assert unused.first(abi.execute(GAME, 0, MOVE)).text == NOT_SIGNED
    assert stage.owner_op(account, COUNT).text == WRONG_KEY
    assert stage.owner_op(account, COUNT, owner=OTHER_OWNER).text == "done"


def test_an_owner_switched_off(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    off = abi.call("updateFallbackSignerData(address,bool)", "0x" + "00" * 20, True)
    assert stage.owner_op(session.account, off).text == "done"
    assert session.first(COUNT).text == "refused: AA23 reverted, FallbackSignerDisabled()"
    assert stage.owner_op(session.account, COUNT).text == "refused: AA23 reverted, FallbackSignerDisabled()"


def test_an_owner_with_hooks_cannot_defer(stage: Stage) -> None:
    """Then a grant has to be the owner's direct operation."""
    account = stage.account()
    hook = TIME_RANGE.raw + bytes(4) + b"\x01" + bytes(32) + (2**48 - 1).to_bytes(32, "big") + bytes(32)
    install = abi.call("installValidation(bytes25,bytes4[],bytes,bytes[])", bytes(24) + b"\x07", [], b"", [hook])
    assert stage.owner_op(account, install).text == "done"
    signed = stage.grant(stage.draft(account, ContractAccess(COUNTER)), account)
    session = stage.session(signed, account)
    assert session.first(COUNT).text == "refused: AA23 reverted, DeferredValidationHasValidationHooks()"
    assert stage.owner_op(account, signed.grant.call).text == "done"
    assert session.later(COUNT).text == "done"


# --- several grants


def pending(stage: Stage, account: Account, *drafts: Draft) -> list[Session]:
    return [stage.session(stage.grant(d, account), account) for d in drafts]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_pending_grants_are_used_in_any_order(stage: Stage, order: tuple[int, ...]) -> None:
    account = stage.account()
    sessions = pending(stage, account, *(stage.draft(account, ContractAccess(COUNTER), entity_id=i) for i in (1, 2, 3)))
    assert len({key192(s.signed) for s in sessions}) == 3
    assert [sessions[i].first(COUNT).text for i in order] == ["done"] * 3
    assert [s.later(COUNT).text for s in sessions] == ["done"] * 3


def test_pending_grants_in_one_bundle(stage: Stage) -> None:
    """Two sessions begin in one handleOps, one of them deploying the account."""
    account = stage.account(salt=3, deployed=False)
    one, two = pending(stage, account, *(stage.draft(account, ContractAccess(COUNTER), entity_id=i) for i in (1, 2)))
    outcomes = stage.send(one.first_op(COUNT, deploy=True), two.first_op(COUNT))
    assert [o.text for o in outcomes] == ["done", "done"]


def test_two_grants_for_one_id_do_not_merge_when_both_have_calls(stage: Stage) -> None:
    account = stage.account()
    one, two = pending(
        stage,
        account,
        stage.draft(account, ContractAccess(COUNTER)),
        stage.draft(account, ContractAccess(GAME), session=OTHER_SESSION.address),
    )
    assert one.first(COUNT).text == "done"
    assert two.first(abi.execute(GAME, 0, MOVE)).text == TWICE
    assert one.later(COUNT).text == "done"


def test_two_grants_for_one_id_merge_when_they_can(stage: Stage) -> None:
    """The second takes the place of the first one's key and adds to its powers. Latchkey never reuses an id."""
    account = stage.account()
    install_module(stage, account)
    one, two = pending(
        stage,
        account,
        stage.draft(account, ContractAccess(COUNTER)),
        stage.draft(account, AccountFunctions(functions(PRACTICE)), session=OTHER_SESSION.address),
    )
    assert one.first(COUNT).text == "done"
    assert two.first(PRACTICE).text == "done"
    assert one.later(COUNT).text == WRONG_KEY
    assert two.later(COUNT).text == "done"


def test_grants_for_one_nonce_can_be_swapped(stage: Stage) -> None:
    """The blob is not part of what the session key signs, so whoever sends the bundle may choose. Latchkey never signs two."""
    account = stage.account()
    narrow, wide = pending(
        stage,
        account,
        stage.draft(account, FunctionsOnContract(GAME, functions(MOVE)), nonce_key_=77),
        stage.draft(account, ContractAccess(GAME), nonce_key_=77),
    )
    op, signature = narrow.first_op(abi.execute(GAME, 0, MOVE))
    own = signature[len(narrow.signed.deferred_action_data) :]
    assert stage.send((op, wide.signed.deferred_action_data + own))[0].text == "done"
    assert narrow.later(abi.execute(GAME, 0, CLAIM)).text == "done"
    assert narrow.first(abi.execute(GAME, 0, MOVE)).text.startswith("refused: ")


def test_random_nonce_keys_cannot_be_swapped(stage: Stage) -> None:
    account = stage.account()
    narrow, wide = pending(
        stage,
        account,
        stage.draft(account, FunctionsOnContract(GAME, functions(MOVE))),
        stage.draft(account, ContractAccess(GAME)),
    )
    op, signature = narrow.first_op(abi.execute(GAME, 0, MOVE))
    own = signature[len(narrow.signed.deferred_action_data) :]
    assert stage.send((op, wide.signed.deferred_action_data + own))[0].text == NOT_SIGNED


# --- cancelled, dormant, expired


@pytest.mark.parametrize("by", ["operation", "transaction"])
def test_a_cancelled_grant_is_dead(stage: Stage, by: str) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    send = stage.owner_op if by == "operation" else stage.owner_tx
    assert send(session.account, cancel(session.signed)).text == "done"
    assert session.first(COUNT).text == NONCE
    assert stored(stage, session.draft) == {}


def test_cancelling_one_leaves_the_others(stage: Stage) -> None:
    account = stage.account()
    one, two = pending(stage, account, *(stage.draft(account, ContractAccess(COUNTER), entity_id=i) for i in (1, 2)))
    assert stage.owner_tx(account, cancel(one.signed)).text == "done"
    assert [one.first(COUNT).text, two.first(COUNT).text] == [NONCE, "done"]


def test_ending_sessions_and_cancelling_grants_in_one_transaction(stage: Stage) -> None:
    account = stage.account()
    one, two, unused = pending(stage, account, *(stage.draft(account, ContractAccess(COUNTER), entity_id=i) for i in (1, 2, 3)))
    assert [one.first(COUNT).text, two.first(COUNT).text] == ["done", "done"]
    calls = [(account.address, 0, uninstall_call(s.draft)) for s in (one, two)]
    everything = abi.execute_batch(*calls, (ENTRY_POINT, 0, abi.call("incrementNonce(uint192)", key192(unused.signed))))
    receipt = stage.owner_tx(account, everything)
    assert receipt.text == "done"
    topic = "0x43f7309d11ba6b2e180e9ab8a6da09d2fa1f585d7daed4b26c1c7f2a90b867a2"  # ValidationUninstalled
    assert [int(log["topics"][2], 16) for log in receipt.logs if log["topics"] and log["topics"][0] == topic] == [1, 2]
    missing = "refused: AA23 reverted, ValidationFunctionMissing(0xb61d27f6)"
    assert [one.later(COUNT).text, two.later(COUNT).text, unused.first(COUNT).text] == [missing, missing, NONCE]


def test_a_dormant_grant_wakes_when_its_nonce_comes(stage: Stage) -> None:
    """A grant signed with sequence 1 sleeps; using or cancelling sequence 0 makes it live. Latchkey signs sequence 0 only."""
    account = stage.account()
    draft = stage.draft(account, ContractAccess(COUNTER), sequence=1)
    review = stage.review(draft, account)
    assert "sequence-not-fresh" in {f.id for f in review.findings}
    session = stage.session(stage.grant(draft, account), account)
    assert session.first(COUNT).text == NONCE
    assert stage.owner_tx(account, cancel(session.signed)).text == "done"
    assert stage.nonce(account.address, key192(session.signed)) == session.signed.grant.nonce
    assert session.first(COUNT).text == "done"


def test_a_dormant_grant_is_cancelled_beyond_its_sequence(stage: Stage) -> None:
    account = stage.account()
    session = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER), sequence=1), account), account)
    for _ in range(2):
        assert stage.owner_tx(account, cancel(session.signed)).text == "done"
    assert stage.nonce(account.address, key192(session.signed)) > session.signed.grant.nonce
    assert session.first(COUNT).text == NONCE


def test_revoking_an_id_does_not_cancel_its_unused_grant(stage: Stage) -> None:
    """With data for hooks that are not installed it even fails; without any it succeeds and changes nothing."""
    session = granted(stage, ContractAccess(COUNTER))
    assert stage.owner_tx(session.account, uninstall_call(session.draft)).text == "reverted: ArrayLengthMismatch()"
    bare = abi.call("uninstallValidation(bytes24,bytes,bytes[])", SINGLE_SIGNER.raw + (1).to_bytes(4, "big"), b"", [])
    assert stage.owner_tx(session.account, bare).text == "done"
    assert session.first(COUNT).text == "done"


def test_nobody_else_cancels(stage: Stage) -> None:
    session = granted(stage, ContractAccess(COUNTER))
    increment = abi.call("incrementNonce(uint192)", key192(session.signed))
    assert stage.transact(STRANGER, ENTRY_POINT, increment).text == "done"  # that is the stranger's own nonce
    assert session.first(COUNT).text == "done"


# --- accounts that are not there yet, or are another kind


def test_a_grant_made_before_the_account_works_after(stage: Stage) -> None:
    account = predict(31337, OWNER.address, 9, Mode.SMA)
    assert not stage.code(account.address)
    signed = stage.grant(stage.draft(account, ContractAccess(COUNTER)), account)
    stage.account(salt=9)
    assert stage.session(signed, account).first(COUNT).text == "done"


def test_deploying_twice_is_refused(stage: Stage) -> None:
    account = stage.account(salt=9, deployed=False)
    one, two = pending(stage, account, *(stage.draft(account, ContractAccess(COUNTER), entity_id=i) for i in (1, 2)))
    assert one.first(COUNT, deploy=True).text == "done"
    assert two.first(COUNT, deploy=True).text == "refused: AA10 sender already constructed"


def test_the_account_of_another_owner_is_another_account(stage: Stage) -> None:
    """aa-sdk left to itself makes factory data from the session key: that deploys an account nobody granted anything on."""
    account = stage.account(salt=9, deployed=False)
    session = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER)), account), account)
    wrong = predict(31337, SESSION.address, 9, Mode.SMA)
    op = replace(session.first_op(COUNT)[0], init_code=wrong.init_code)
    assert stage.send(stage.signed_by(SESSION, op, session.signed.deferred_action_data))[0].text == (
        "refused: AA14 initCode must return sender"
    )


def test_a_7702_account_starts_with_its_first_session(stage: Stage) -> None:
    """Authorization, grant and call in one transaction; nothing was on chain before."""
    account = stage.account(owner=OTHER_OWNER, mode=Mode.EIP7702, deployed=False)
    assert account.address == OTHER_OWNER.address
    assert not stage.code(account.address)
    signed = stage.grant(stage.draft(account, Erc20TokenTransfer(DOLLAR, 5)), account, owner=OTHER_OWNER)
    session = stage.session(signed, account)
    pay = abi.execute(DOLLAR, 0, abi.transfer(RECEIVER, 3))
    assert [o.text for o in stage.send_7702(OTHER_OWNER, session.first_op(pay))] == ["done"]
    assert stage.code(account.address)[:3] == b"\xef\x01\x00"
    assert session.later(pay).text.startswith("failed: PreExecHookReverted(AllowlistModule")
    assert stage.owner_op(account, uninstall_call(signed.grant.draft), owner=OTHER_OWNER).text == "done"
    assert stored(stage, signed.grant.draft) == {}


def test_an_account_with_its_owner_in_a_module(stage: Stage) -> None:
    """Not served by Latchkey yet: its owner signs a wrapped digest. By the protocol text; a plain digest is refused."""
    account = stage.account(mode=Mode.MA)
    grant = FACE.build(stage.draft(account, ContractAccess(COUNTER)))
    session = stage.session(FACE.assemble(grant, OWNER.sign(grant.digest)), account)
    assert session.first(COUNT).text == NOT_SIGNED
    assert (
        stage.session(FACE.assemble(grant, OWNER.sign(replay_safe(account.address, grant.digest))), account).first(COUNT).text
        == "done"
    )
    assert stage.owner_op(account, COUNT).text == "done"
    assert stage.owner_tx(account, uninstall_call(grant.draft)).text == "done"
    assert validation(stage, account.address, 1) == (0, (), (), ())


def replay_safe(account: Address, digest: bytes) -> bytes:
    """ReplaySafeHash of the single-signer module for this account."""
    types = b"EIP712Domain(uint256 chainId,address verifyingContract,bytes32 salt)"
    domain = keccak(keccak(types) + (31337).to_bytes(32, "big") + bytes(12) + SINGLE_SIGNER.raw + bytes(12) + account.raw)
    return keccak(b"\x19\x01" + domain + keccak(keccak(b"ReplaySafeHash(bytes32 hash)") + digest))


def test_the_nonce_says_which_session_and_how(stage: Stage) -> None:
    """The carrying operation's nonce: parallel key, the new session's id, options deferred (and global for root)."""
    session = granted(stage, ContractAccess(COUNTER))
    key = key192(session.signed)
    assert key == nonce_key(session.draft.nonce_key, 1, is_global=False, is_deferred=True)
    assert key & 0xFF == 2
    assert key192(stage.grant(stage.draft(session.account, Root()), session.account)) & 0xFF == 3
    plain = session.first(COUNT, nonce=nonce_key(5, 1, is_global=False, is_deferred=False) << 64)
    assert plain.text.startswith("refused: AA23 reverted, ValidationFunctionMissing")
