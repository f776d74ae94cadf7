"""What the signer signs to end, cancel and tighten does what its words say, on the chain: for every making of an account, by operation
and by the owner's own transaction, from bytes alone and with the signer's own signatures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from latchkey.accounts import transaction
from latchkey.accounts.modular_account import ending, userop
from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.userop import UserOperation
from latchkey.accounts.transaction import PlainTransaction
from latchkey.chain.node import Node
from latchkey.chain.reading import read_account
from latchkey.core.account import Account, Mode
from latchkey.core.ending import AccountCall
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, GasLimit, NativeTokenTransfer, Permission
from latchkey.core.session import AccountReading, Leftover, LimitKind
from latchkey.core.session import Session as Read
from latchkey.core.types import Address, to_hex
from latchkey.errors import Refused
from latchkey.vault import file
from latchkey.vault.endings import Endings
from latchkey.vault.keeper import Keeper
from latchkey.vault.questions import Questions
from tests.chain import abi
from tests.chain.cases import DAY, MOVE, dollars
from tests.chain.stage import COUNT, ETHER, GWEI, OTHER_SESSION, OWNER, SENDER, Outcome, Session, Stage, outcomes_of
from tests.chain.state import token_limit, tokens_left
from tests.chain.test_revocation import GONE, succeeded
from tests.devnet.devnet import CHAIN_ID
from tests.devnet.places import COUNTER, DOLLAR, GAME
from tests.endings import operation_of
from tests.vault.material import PASSPHRASE, public_master, sealed

MODES = [Mode.SMA, Mode.MA, Mode.EIP7702]
WAYS = ["operation", "transaction"]
EVERYTHING: tuple[Permission, ...] = (
    NativeTokenTransfer(ETHER // 10), Erc20TokenTransfer(DOLLAR, 900), GasLimit(ETHER), ContractAccess(GAME), ContractAccess(COUNTER)
)  # fmt: skip


class SaysYes:
    """A person who types the passphrase and says yes, and remembers what was shown."""

    retries = True

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def ask(self, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(fields)
        return {"passphrase": PASSPHRASE.encode()} if name == "passphrase" else {}

    def close(self) -> None: ...

    @property
    def said(self) -> str:
        words = self.asked[-1]["words"]
        return "\n".join("".join(text for _, text in phrase) for name in ("can", "cannot", "lose") for phrase in words[name])


@pytest.fixture(scope="module")
def person() -> SaysYes:
    return SaysYes()


@pytest.fixture(scope="module")
def signer(person: SaysYes) -> Endings:
    """Holds the owner's key and the sender's."""
    keeper = Keeper(sealed(public_master(0), public_master(5), cost=file.FLOOR), Questions(person))
    keeper.unlock()
    return Endings(keeper)


Send = Callable[..., Outcome]


@pytest.fixture
def send(stage: Stage, signer: Endings) -> Callable[[str], Send]:
    """By operation or by the owner's transaction: calls of an account are shown, signed and sent."""

    def by_operation(account: Account, *calls: AccountCall) -> Outcome:
        return carried(stage, signer, account, owners_operation(stage, account, *calls))

    def by_transaction(account: Account, *calls: AccountCall) -> Outcome:
        data = ending.owner_call(ending.together(account.address, calls))
        return sent(stage, signer, account, account.address, data)

    return lambda way: by_operation if way == "operation" else by_transaction


def owners_operation(stage: Stage, account: Account, *calls: AccountCall, parallel: int = 0, **changes: Any) -> UserOperation:
    nonce = stage.nonce(account.address, ending.owner_nonce_key(parallel))
    gas = {"call_gas_limit": 1_500_000, "verification_gas_limit": 500_000, "nonce": nonce}
    return operation_of(account, *calls, **gas | changes)


def carried(stage: Stage, signer: Endings, account: Account, op: UserOperation) -> Outcome:
    preview = signer.preview_operations((userop.to_bytes(op),), account, OWNER.address)
    (signature,) = signer.sign_all(preview.token)
    return stage.send((op, userop.operation_signature(signature)))[0]


def plain(stage: Stage, sender: Address, to: Address, data: bytes, gas: int = 3_000_000) -> PlainTransaction:
    nonce = int(stage.rpc("eth_getTransactionCount", sender, "latest"), 16)
    return PlainTransaction(CHAIN_ID, nonce, to, data, gas, 10 * GWEI, GWEI)


def sent(stage: Stage, signer: Endings, account: Account, to: Address, data: bytes, sender: Address = OWNER.address) -> Outcome:
    """As a raw transaction, signed by the signer."""
    made = plain(stage, sender, to, data)
    preview = signer.preview_transactions((transaction.to_bytes(made),), account, sender)
    (signature,) = signer.sign_all(preview.token)
    receipt = stage.rpc.receipt(stage.rpc("eth_sendRawTransaction", to_hex(transaction.signed(made, signature))))
    return stage._record(stage._mined(receipt))


def installed(stage: Stage, mode: Mode, *permissions: Permission, expires_in: int = 0, entity_id: int = 1) -> Session:
    """Let in by the owner: an account with its owner in a module takes no deferred grants of Latchkey's."""
    account = stage.account(mode=mode)
    expiry = stage.now() + expires_in if expires_in else 0
    draft = stage.draft(account, *permissions, expiry=expiry, entity_id=entity_id)
    signed = stage.grant(draft, account, checked=False)
    assert stage.owner_tx(account, signed.grant.call).text == "done"
    return stage.session(signed, account)


def read(stage: Stage, account: Account) -> AccountReading:
    return read_account(Node(stage.net.url), account)


def only(reading: AccountReading) -> Read:
    (found,) = reading.sessions
    return found


# --- ending


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_a_session_ends_and_leaves_nothing(
    stage: Stage, send: Callable[[str], Send], person: SaysYes, mode: Mode, way: str
) -> None:
    session = installed(stage, mode, *EVERYTHING, expires_in=DAY)
    assert session.later(abi.execute(GAME, 0, MOVE)).text == "done"
    found = only(read(stage, session.account))
    outcome = send(way)(session.account, ending.end_call(found))
    assert (outcome.text, succeeded(outcome)) == ("done", [True])
    assert "end session 1: its key can do nothing more" in person.said
    assert "clear the limits and lists of session 1" in person.said
    after = read(stage, session.account)
    assert (after.sessions, after.leftovers) == ((), ())
    assert session.later(abi.execute(GAME, 0, MOVE)).text == GONE
    assert session.runtime(COUNT).text == f"reverted: ValidationFunctionMissing(0x{COUNT[:4].hex()})"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_the_form_that_always_ends_leaves_what_its_words_say_and_cleaning_removes_it(
    stage: Stage, send: Callable[[str], Send], person: SaysYes, mode: Mode, way: str
) -> None:
    session = installed(stage, mode, *EVERYTHING, expires_in=DAY)
    found = only(read(stage, session.account))
    assert send(way)(session.account, ending.end_call(found, clean=False)).text == "done"
    assert "leave any limits and lists of session 1 stored" in person.said
    assert session.later(abi.execute(GAME, 0, MOVE)).text == GONE
    after = read(stage, session.account)
    assert after.sessions == ()
    assert places(after.leftovers) == places(ending.left_by(found)) != set()
    outcome = send(way)(session.account, *ending.clean_calls(session.account.address, after.leftovers))
    assert outcome.text == "done"
    assert "clear what session 1 left stored" in person.said
    assert read(stage, session.account).leftovers == ()


def places(leftovers: tuple[Leftover, ...]) -> set[tuple[Any, ...]]:
    return {(x.module, x.entity_id, x.target, x.selector) for x in leftovers}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_many_end_and_a_grant_is_cancelled_at_once(
    stage: Stage, send: Callable[[str], Send], person: SaysYes, mode: Mode, way: str
) -> None:
    one = installed(stage, mode, ContractAccess(COUNTER))
    account = one.account
    second = stage.grant(stage.draft(account, *EVERYTHING, entity_id=2, session=OTHER_SESSION.address), account, checked=False)
    assert stage.owner_tx(account, second.grant.call).text == "done"
    pending = stage.grant(stage.draft(account, ContractAccess(COUNTER), entity_id=3), account, checked=False)
    calls = [ending.end_call(found) for found in read(stage, account).sessions]
    outcome = send(way)(account, *calls, ending.cancel_call(pending.grant.nonce))
    assert (outcome.text, succeeded(outcome)) == ("done", [True, True])
    assert "cancel the signed grant for session 3" in person.said
    after = read(stage, account)
    assert (after.sessions, after.leftovers) == ((), ())
    if mode is not Mode.MA:
        assert (
            "AA25" in stage.session(pending, account).first(COUNT).text
            or "AA24" in stage.session(pending, account).first(COUNT).text
        )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_tightening(stage: Stage, send: Callable[[str], Send], mode: Mode, way: str) -> None:
    session = installed(stage, mode, *EVERYTHING, expires_in=DAY)
    found = only(read(stage, session.account))
    limits = {limit.kind: limit for limit in found.limits}
    soon = stage.now() + 600
    calls = (
        ending.lower_call(found, limits[LimitKind.NATIVE], 5),
        ending.lower_call(found, limits[LimitKind.GAS], ETHER // 2),
        ending.lower_call(found, limits[LimitKind.ERC20], 7),
        ending.shorten_call(found, soon),
    )
    assert send(way)(session.account, *calls).text == "done"
    after = only(read(stage, session.account))
    assert {limit.kind: limit.left for limit in after.limits} == {
        LimitKind.NATIVE: 5, LimitKind.GAS: ETHER // 2, LimitKind.ERC20: 7
    }  # fmt: skip
    assert after.valid_until == soon
    assert session.later(dollars(8)).text.endswith("ExceededTokenLimit())")
    assert session.later(dollars(7)).text == "done"
    assert tokens_left(stage, session.draft, DOLLAR) == 0
    assert token_limit(stage, session.account.address, 1) == 5
    stage.next_block_at(soon + 1)
    assert session.later(abi.execute(GAME, 0, MOVE)).text == "refused: AA22 expired or not due"


@pytest.mark.parametrize("way", WAYS)
def test_a_stale_ending_of_the_clean_form_does_nothing_at_all(stage: Stage, send: Callable[[str], Send], way: str) -> None:
    """Gone already: the account counts hooks that are no longer there. The other form has no such trouble."""
    session = installed(stage, Mode.SMA, *EVERYTHING)
    found = only(read(stage, session.account))
    assert send(way)(session.account, ending.end_call(found)).text == "done"
    assert send(way)(session.account, ending.end_call(found)).text.endswith("ArrayLengthMismatch()")
    assert send(way)(session.account, ending.end_call(found, clean=False)).text == "done"


# --- cancelling


@pytest.mark.parametrize("way", WAYS)
def test_a_cancelled_grant_is_never_used(stage: Stage, send: Callable[[str], Send], person: SaysYes, way: str) -> None:
    account = stage.account()
    session = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER)), account), account)
    assert send(way)(account, ending.cancel_call(session.signed.grant.nonce)).text == "done"
    assert "it can never be used any more" in person.said
    assert person.asked[-1]["title"] == "Cancel this grant?"
    assert session.first(COUNT).text == "refused: AA25 invalid account nonce"


def test_a_grant_of_an_account_that_is_not_deployed_is_cancelled_by_the_operation_that_deploys_it(
    stage: Stage, signer: Endings, person: SaysYes
) -> None:
    account = stage.account(deployed=False, salt=77)
    session = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER)), account), account)
    op = owners_operation(stage, account, ending.cancel_call(session.signed.grant.nonce), init_code=account.init_code)
    assert carried(stage, signer, account, replace(op, verification_gas_limit=2_000_000)).text == "done"
    assert "put the account's code on the chain first" in person.said
    assert stage.code(account.address)
    assert session.first(COUNT).text == "refused: AA25 invalid account nonce"


def test_an_account_that_is_not_delegated_yet_cancels_at_the_entry_point_itself(stage: Stage, signer: Endings) -> None:
    """EIP-7702: the owner is the account, with or without code."""
    account = stage.account(mode=Mode.EIP7702, deployed=False)
    session = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER)), account), account)
    assert not stage.code(account.address)
    data = ending.cancel_call(session.signed.grant.nonce).data
    assert sent(stage, signer, account, ENTRY_POINT, data).text == "done"
    stage.transact_7702(OWNER, SENDER, OWNER.address)
    assert session.first(COUNT).text == "refused: AA25 invalid account nonce"


# --- how it is sent


def test_of_several_fees_on_one_nonce_one_is_used(stage: Stage, signer: Endings) -> None:
    session = installed(stage, Mode.SMA, ContractAccess(COUNTER))
    account = session.account
    one = owners_operation(stage, account, ending.end_call(only(read(stage, account)), clean=False), parallel=99)
    operations = [replace(one, max_fee_per_gas=fee * GWEI) for fee in (2, 6, 20)]
    preview = signer.preview_operations([userop.to_bytes(op) for op in operations], account, OWNER.address)
    signatures = [userop.operation_signature(s) for s in signer.sign_all(preview.token)]
    assert stage.send((operations[1], signatures[1]))[0].text == "done"
    assert session.later(COUNT).text == GONE
    for number in (0, 2):
        assert stage.send((operations[number], signatures[number]))[0].text == "refused: AA25 invalid account nonce"


def test_anybody_may_carry_a_kept_set(stage: Stage, signer: Endings, person: SaysYes) -> None:
    """Break-glass: signed ahead, kept in the vault, and carried later by a key that owns nothing."""
    session = installed(stage, Mode.SMA, *EVERYTHING)
    account = session.account
    pending = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER), entity_id=9), account), account)
    calls = (ending.end_call(only(read(stage, account)), clean=False), ending.cancel_call(pending.signed.grant.nonce))
    operations = [
        userop.to_bytes(owners_operation(stage, account, *calls, parallel=0xBEEF, max_fee_per_gas=fee * GWEI)) for fee in (2, 6)
    ]
    signatures = signer.sign_all(signer.preview_operations(operations, account, OWNER.address).token)
    signer.keep_break_glass(account, OWNER.address, operations, signatures)
    assert session.later(abi.execute(GAME, 0, MOVE)).text == "done"
    (kept,) = signer.break_glass()
    op = owners_operation(stage, account, *calls, parallel=0xBEEF, max_fee_per_gas=6 * GWEI)
    assert kept.operations[1] == userop.to_bytes(op)
    data = userop.handle_ops([(op, userop.operation_signature(kept.signatures[1]))], SENDER.address)
    outcome = sent(stage, signer, account, ENTRY_POINT, data, sender=SENDER.address)
    assert "This carries an order that the owner signed" in "".join(t for _, t in person.asked[-1]["words"]["headline"])
    (done,) = outcomes_of(outcome, [userop.user_op_hash(op, CHAIN_ID)])
    assert done.text == "done"
    assert session.later(abi.execute(GAME, 0, MOVE)).text == GONE
    assert pending.first(COUNT).text == "refused: AA25 invalid account nonce"


def test_it_dies_with_a_change_of_the_owner(stage: Stage, signer: Endings) -> None:
    session = installed(stage, Mode.SMA, ContractAccess(COUNTER))
    account = session.account
    op = owners_operation(stage, account, ending.end_id(account.address, 1), parallel=5)
    (signature,) = signer.sign_all(signer.preview_operations((userop.to_bytes(op),), account, OWNER.address).token)
    change = abi.call("updateFallbackSignerData(address,bool)", SENDER.address, False)
    assert stage.owner_tx(account, change).text == "done"
    assert stage.send((op, userop.operation_signature(signature)))[0].text == "refused: AA24 signature error"
    assert session.later(COUNT).text == "done"


def test_the_most_it_can_cost_is_what_it_can_cost(stage: Stage, signer: Endings, person: SaysYes) -> None:
    session = installed(stage, Mode.SMA, ContractAccess(COUNTER))
    op = owners_operation(stage, session.account, ending.end_id(session.account.address, 1))
    outcome = carried(stage, signer, session.account, op)
    most = (op.call_gas_limit + op.verification_gas_limit + op.pre_verification_gas) * op.max_fee_per_gas
    assert f"{most / ETHER:.5f} ETH in gas".replace("0 ETH", " ETH") in person.said
    assert 0 < outcome.gas_cost <= most


# --- why the list is closed


def test_what_the_signer_refuses_would_have_given_more(stage: Stage, signer: Endings) -> None:
    """Clearing the list of a token's limit while the session lives: the chain would let it take all."""
    session = installed(stage, Mode.SMA, Erc20TokenTransfer(DOLLAR, 5))
    account = session.account
    clearing = ending.delete_list(1 + 2**31 - 1, [(DOLLAR, False, False, 0, [])])
    op = owners_operation(stage, account, AccountCall(ending.ALLOWLIST, clearing))
    with pytest.raises(Refused) as caught:
        signer.preview_operations((userop.to_bytes(op),), account, OWNER.address)
    assert caught.value.code == "LiftsLimits"
    assert session.later(dollars(6)).text.endswith("ExceededTokenLimit())")
    assert stage.owner_op(account, op.call_data).text == "done"
    assert session.later(dollars(600)).text == "done"


def test_the_stub_signature_is_refused_as_a_signature(stage: Stage) -> None:
    account = stage.account()
    op = owners_operation(stage, account, ending.end_id(account.address, 1))
    assert stage.send((op, userop.STUB_SIGNATURE))[0].text == "refused: AA24 signature error"
