"""Signing what ends, cancels and tightens: with a person who answers from a list, by the signer's own process, at a real terminal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from latchkey.accounts import transaction
from latchkey.accounts.endings import MOST, MOST_LEVELS, signer_of
from latchkey.accounts.modular_account import ending, userop
from latchkey.accounts.modular_account.addresses import ENTRY_POINT, NATIVE_TOKEN_LIMIT
from latchkey.accounts.modular_account.build import build
from latchkey.accounts.modular_account.userop import signed_message, user_op_hash
from latchkey.accounts.system import system
from latchkey.accounts.transaction import PlainTransaction
from latchkey.core.account import Account, Mode
from latchkey.core.digest_words import digest_words
from latchkey.core.draft import Draft
from latchkey.core.ending import AccountCall, Known
from latchkey.core.permissions import ContractAccess, FunctionsOnContract, GasLimit, NativeTokenTransfer
from latchkey.core.phrases import Level
from latchkey.core.session import LimitKind
from latchkey.core.types import Address, Selector, keccak
from latchkey.errors import BadInput, Declined, LatchkeyError, Locked, Mismatch, Refused
from latchkey.vault import file, keys
from latchkey.vault.client import Prompt, PromptMode, SignerClient
from latchkey.vault.endings import MOST_SETS, Endings
from latchkey.vault.keeper import is_test_only
from latchkey.vault.previews import VALID_SECONDS
from latchkey.vault.questions import Questions
from latchkey.vault.signing import TYPED
from latchkey.vault.test_keys import MASTERS
from tests.endings import GWEI, operation_of, session_of, transaction_of
from tests.vault.material import OWNER, PASSPHRASE, descriptor, public_master, public_raw, real_master, sealed, secret
from tests.vault.terminal import Person as Typist
from tests.vault.test_keeper import NEVER, NO, YES, Clock, opened

pytestmark = pytest.mark.usefixtures("derived_once")

PREDICT: Callable[..., Account] = system("modular_account").predict
ACCOUNT = PREDICT(31337, OWNER, 0, Mode.SMA)
GAME = Address.parse("0x" + "aa" * 20)
DRAFT = Draft(
    "modular_account", 31337, ACCOUNT.address, 5, 0xABC, 0, 1_900_000_000, MASTERS[4],
    (FunctionsOnContract(GAME, (Selector.parse("0x01020304"),)), NativeTokenTransfer(10**17), GasLimit(10**16)),
)  # fmt: skip
SESSION = session_of(DRAFT, ACCOUNT)
END, CANCEL = ending.end_call(SESSION), ending.cancel_call(build(DRAFT).nonce)
ALWAYS = ending.end_call(SESSION, clean=False)
KNOWN = (Known(5, "Skirmish", MASTERS[4], SESSION.limits, 1_900_000_000, 77),)


def op(*calls: AccountCall, account: Account = ACCOUNT, **changes: Any) -> bytes:
    return userop.to_bytes(operation_of(account, *(calls or (END,)), **changes))


def tx(*calls: AccountCall, account: Account = ACCOUNT, **changes: Any) -> bytes:
    return transaction.to_bytes(transaction_of(account, *(calls or (END,)), **changes))


def levels(*calls: AccountCall, fees: tuple[int, ...] = (2, 6, 20), **changes: Any) -> tuple[bytes, ...]:
    return tuple(op(*calls, max_fee_per_gas=fee * GWEI, **changes) for fee in fees)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def vault() -> bytes:
    return sealed(public_master(0), public_raw(1), cost=file.FLOOR)


def endings(vault: bytes, *answers: Any, clock: Clock) -> tuple[Endings, Any]:
    made, person = opened(vault, *answers, clock=clock)
    return Endings(made, clock), person


# --- what is signed


def test_one_yes_shows_everything_and_signs_it(vault: bytes, clock: Clock) -> None:
    made, person = endings(vault, YES, clock=clock)
    operations = (op(END, CANCEL), op(nonce=ending.owner_nonce_key(7) << 64 | 4))
    preview = made.preview_operations(operations, ACCOUNT, OWNER, KNOWN)
    signatures = made.sign_all(preview.token)
    asked = person.asked[-1][1]
    assert asked["title"] == "End this session and cancel grants?"
    assert asked["verb"] == "Sign the ending"
    assert asked["words"]["purpose"] == "ending"
    assert "typed" not in asked
    said = ["".join(text for _, text in phrase) for phrase in asked["words"]["can"]]
    assert said[0].startswith("end session 5 (said to be “Skirmish”, key 0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65): ")
    assert any(line.startswith("cancel the signed grant for session 5") for line in said)
    assert {label.partition(": ")[0] for label, _ in asked["signed"]} >= {"1", "2"}
    readings = [operation_of(ACCOUNT, END, CANCEL), operation_of(ACCOUNT, END, nonce=ending.owner_nonce_key(7) << 64 | 4)]
    digests = tuple(signed_message(user_op_hash(one, 31337)) for one in readings)
    assert preview.digests == digests
    assert preview.digest == keccak(b"".join(digests))
    assert asked["digest"] == "0x" + preview.digest.hex()
    assert asked["digest_words"] == list(digest_words(preview.digest))
    assert [signer_of(d, s) for d, s in zip(digests, signatures, strict=True)] == [OWNER, OWNER]


def test_the_owners_transaction(vault: bytes, clock: Clock) -> None:
    made, person = endings(vault, YES, clock=clock)
    data = tx(END, CANCEL)
    preview = made.preview_transactions((data,), ACCOUNT, OWNER)
    (signature,) = made.sign_all(preview.token)
    assert preview.digest == keccak(data)
    assert signer_of(keccak(data), signature) == OWNER
    assert "paid by the key that sends it" in person.asked[-1][1]["words"]["lose"][0][1][1]


@pytest.mark.parametrize(
    ("calls", "title", "verb"),
    [
        ((END,), "End this session?", "Sign the ending"),
        ((END, ending.end_id(ACCOUNT.address, 6)), "End 2 sessions?", "Sign the ending"),
        ((CANCEL,), "Cancel this grant?", "Sign the cancellation"),
        ((CANCEL, CANCEL, ending.cancel_call(3 << 64)), "Cancel 2 grants?", "Sign the cancellation"),
        ((ending.shorten_call(SESSION, 1_800_000_000),), "Set this session's limits?", "Sign the limits"),
        ((ending.shorten_call(SESSION, 1_800_000_000), CANCEL), "Set this session's limits?", "Sign the limits"),
    ],
)
def test_it_never_looks_like_a_grant(calls: tuple[AccountCall, ...], title: str, verb: str, vault: bytes, clock: Clock) -> None:
    made, person = endings(vault, NO, clock=clock)
    with pytest.raises(Declined):
        made.sign_all(made.preview_operations((op(*calls),), ACCOUNT, OWNER).token)
    assert (person.asked[-1][1]["title"], person.asked[-1][1]["verb"]) == (title, verb)


def test_several_fees_on_one_nonce_are_shown_as_one(vault: bytes, clock: Clock) -> None:
    made, _ = endings(vault, YES, clock=clock)
    preview = made.preview_operations(levels(), ACCOUNT, OWNER)
    (cost,) = preview.words.most_you_can_lose
    assert cost.plain.startswith("0.0112 ETH in gas")
    assert "the dearest of 3" in cost.plain
    assert len(made.sign_all(preview.token)) == 3


def test_accounts_of_every_making(vault: bytes, clock: Clock) -> None:
    made, _ = endings(vault, *[YES] * 6, clock=clock)
    for mode in (Mode.SMA, Mode.MA, Mode.EIP7702):
        account = PREDICT(31337, OWNER, 0, mode)
        end = ending.end_id(account.address, 5)
        made.sign_all(made.preview_operations((op(end, account=account),), account, OWNER).token)
        made.sign_all(made.preview_transactions((tx(end, account=account),), account, OWNER).token)


def test_a_token_is_spent_and_grows_old(vault: bytes, clock: Clock) -> None:
    made, _ = endings(vault, NO, clock=clock)
    token = made.preview_operations((op(),), ACCOUNT, OWNER).token
    with pytest.raises(Declined):
        made.sign_all(token)
    old = made.preview_operations((op(),), ACCOUNT, OWNER).token
    clock.now += VALID_SECONDS + 1
    for gone in (token, old, b""):
        with pytest.raises(Refused) as caught:
            made.sign_all(gone)
        assert caught.value.code == "PreviewGone"


# --- what is refused


def refused(make: Callable[[], Any]) -> str:
    with pytest.raises((Refused, BadInput, Mismatch)) as caught:
        make()
    return caught.value.code


def test_another_owner_account_or_key(vault: bytes, clock: Clock) -> None:
    made, _ = endings(vault, NEVER, clock=clock)
    assert refused(lambda: made.preview_operations((op(),), ACCOUNT, MASTERS[7])) == "UnknownKey"
    assert refused(lambda: made.preview_operations((op(),), ACCOUNT, MASTERS[1])) == "WrongOwner"
    assert refused(lambda: made.preview_transactions((tx(),), ACCOUNT, MASTERS[1])) == "WrongOwner"
    for account in (replace(ACCOUNT, salt=1), replace(ACCOUNT, salt=None), replace(ACCOUNT, mode=Mode.MA)):
        assert refused(lambda account=account: made.preview_operations((op(),), account, OWNER)) == "WrongOwner"
    elsewhere = replace(ACCOUNT, mode=Mode.ADDRESS, address=GAME)
    assert refused(lambda: made.preview_operations((op(),), elsewhere, OWNER)) == "OtherAccount"


def test_public_keys_sign_on_the_practice_chain_alone(vault: bytes, clock: Clock) -> None:
    made, _ = endings(vault, NEVER, clock=clock)
    account = replace(ACCOUNT, chain_id=8453)
    low = {"max_fee_per_gas": 10**7, "max_priority_fee_per_gas": 10**6}
    assert refused(lambda: made.preview_operations((op(**low),), account, OWNER)) == "PublicTestKey"
    data = transaction.to_bytes(replace(transaction_of(ACCOUNT, END, **low), chain_id=8453))
    assert refused(lambda: made.preview_transactions((data,), account, OWNER)) == "PublicTestKey"
    assert refused(lambda: made.preview_transactions((tx(),), account, OWNER)) == "OtherChain"


def test_everything_that_is_not_on_the_list(vault: bytes, clock: Clock) -> None:
    """The whole list stands in tests/accounts; here: that the signer asks it, for both, in a set too."""
    made, _ = endings(vault, NEVER, clock=clock)
    pay = AccountCall(GAME, b"")
    grant = AccountCall(ACCOUNT.address, build(DRAFT).call)
    for calls, code in (((pay,), "OtherCall"), ((grant,), "Grant"), ((ending.end_id(ACCOUNT.address, 0),), "OwnerTakenOut")):
        other = op(*calls, nonce=ending.owner_nonce_key(9) << 64)
        assert refused(lambda other=other: made.preview_operations((op(), other), ACCOUNT, OWNER)) == code
        assert refused(lambda calls=calls: made.preview_transactions((tx(*calls),), ACCOUNT, OWNER)) == code


def test_only_the_exact_form(vault: bytes, clock: Clock) -> None:
    from tests.chain import abi

    made, _ = endings(vault, NEVER, clock=clock)
    odd = op(END, call_data=abi.execute_batch((ACCOUNT.address, 0, END.data)))
    assert refused(lambda: made.preview_operations((odd,), ACCOUNT, OWNER)) == "NotCanonical"


def test_sets(vault: bytes, clock: Clock) -> None:
    made, _ = endings(vault, NEVER, clock=clock)
    preview = made.preview_operations
    assert refused(lambda: preview((), ACCOUNT, OWNER)) == "TooMany"
    assert refused(lambda: preview((op(), op()), ACCOUNT, OWNER)) == "Doubled"
    many = tuple(op(nonce=ending.owner_nonce_key(7) << 64 | n) for n in range(MOST + 1))
    assert refused(lambda: preview(many, ACCOUNT, OWNER)) == "TooMany"
    assert refused(lambda: preview((op(END), op(CANCEL)), ACCOUNT, OWNER)) == "SharedNonce"
    assert refused(lambda: preview((op(), op(call_gas_limit=1)), ACCOUNT, OWNER)) == "SharedNonce"
    assert refused(lambda: preview(levels(fees=tuple(range(2, MOST_LEVELS + 3))), ACCOUNT, OWNER)) == "SharedNonce"


def test_fees(vault: bytes, clock: Clock) -> None:
    made, person = endings(vault, ("confirm", {}), clock=clock)

    def found(gwei: int) -> list[tuple[str, Level]]:
        return [(f.id, f.level) for f in made.preview_operations((op(max_fee_per_gas=gwei * GWEI),), ACCOUNT, OWNER).findings]

    assert found(20) == []
    assert found(300) == [("costs-much", Level.WARNING)]
    assert found(3_000) == [("costs-much", Level.DANGER)]
    assert refused(lambda: found(30_000)) == "fee-absurd"
    made.sign_all(made.preview_operations((op(max_fee_per_gas=3_000 * GWEI),), ACCOUNT, OWNER).token)
    assert person.asked[-1][1]["typed"] == TYPED


def test_what_would_give_more_is_said(vault: bytes, clock: Clock) -> None:
    made, _ = endings(vault, NEVER, clock=clock)
    raised = op(AccountCall(NATIVE_TOKEN_LIMIT, ending.update_limit(5, 10**18)))
    longer = op(AccountCall(ending.TIME_RANGE, ending.set_time_range(5, 1_950_000_000, 0)))
    for data, ids in ((raised, ["gives-more"]), (longer, ["gives-more", "end-far"])):
        assert [f.id for f in made.preview_operations((data,), ACCOUNT, OWNER, KNOWN).findings] == ids
    limit = next(x for x in SESSION.limits if x.kind is LimitKind.NATIVE)
    preview = made.preview_operations((op(ending.lower_call(SESSION, limit, 10**16)),), ACCOUNT, OWNER, KNOWN)
    assert [f.id for f in preview.findings] == ["set-not-lowered"]
    assert "from 0.1 ETH (as read at block 77) to 0.01 ETH" in preview.words.can[0].plain


@pytest.mark.parametrize("label", ["two\nlines", "hid\u202eden", "x" * 81])
def test_names_are_one_plain_line(label: str, vault: bytes, clock: Clock) -> None:
    made, _ = endings(vault, NEVER, clock=clock)
    for preview, data in ((made.preview_operations, op()), (made.preview_transactions, tx())):
        with pytest.raises(BadInput):
            preview((data,), ACCOUNT, OWNER, (Known(5, label),))


# --- carried by another key


def carried(vault: bytes, clock: Clock, *, beneficiary: Address = MASTERS[1]) -> bytes:
    made, _ = endings(vault, YES, clock=clock)
    (signature,) = made.sign_all(made.preview_operations((op(),), ACCOUNT, OWNER).token)
    packed = userop.handle_ops([(operation_of(ACCOUNT, END), userop.operation_signature(signature))], beneficiary)
    return transaction.to_bytes(PlainTransaction(31337, 0, ENTRY_POINT, packed, 900_000, 2 * GWEI, GWEI))


def test_any_master_key_may_carry_what_the_owner_signed(vault: bytes, clock: Clock) -> None:
    data = carried(vault, clock)
    made, person = endings(vault, YES, clock=clock)
    preview = made.preview_transactions((data,), ACCOUNT, MASTERS[1])
    (signature,) = made.sign_all(preview.token)
    assert signer_of(keccak(data), signature) == MASTERS[1]
    headline = "".join(text for _, text in person.asked[-1][1]["words"]["headline"])
    assert headline.startswith("This carries an order that the owner signed to the chain, and ends session 5")
    assert refused(lambda: made.preview_transactions((data,), ACCOUNT, OWNER)) == "OtherBeneficiary"
    nobody = replace(ACCOUNT, owner=None, mode=Mode.ADDRESS)
    assert refused(lambda: made.preview_transactions((data,), nobody, MASTERS[1])) == "WrongOwner"


# --- break-glass


def test_a_set_is_kept_and_replaced_and_forgotten(vault: bytes, clock: Clock) -> None:
    made, person = opened(vault, YES, YES, clock=clock)
    endings_ = Endings(made, clock)
    ids = []
    for fees in ((2, 6, 20), (3, 9)):
        operations = levels(ALWAYS, CANCEL, fees=fees)
        signatures = endings_.sign_all(endings_.preview_operations(operations, ACCOUNT, OWNER).token)
        ids.append(endings_.keep_break_glass(ACCOUNT, OWNER, operations, signatures))
        assert made.unsaved is not None
    assert person.done
    (kept,) = endings_.break_glass()
    assert (kept.id, kept.account, kept.owner, kept.chain_id, kept.created) == (
        ids[1],
        ACCOUNT.address,
        OWNER,
        31337,
        int(clock.now),
    )
    assert (kept.operations, kept.signatures) == (operations, signatures)
    again = file.open_vault(made.unsaved, secret(PASSPHRASE)).contents
    assert again.break_glass == (kept,)
    assert is_test_only(again)
    assert refused(lambda: endings_.forget_break_glass(ids[0])) == "NoSet"
    endings_.forget_break_glass(ids[1])
    assert endings_.break_glass() == ()
    assert b"breakGlass" not in file.contents_.dump(made.contents)


def test_only_what_the_owner_signed_is_kept(vault: bytes, clock: Clock) -> None:
    made, _ = opened(vault, YES, clock=clock)
    endings_ = Endings(made, clock)
    operations = levels(ALWAYS)
    signatures = endings_.sign_all(endings_.preview_operations(operations, ACCOUNT, OWNER).token)
    assert refused(lambda: endings_.keep_break_glass(ACCOUNT, OWNER, operations, signatures[::-1])) == "WrongSignature"
    assert refused(lambda: endings_.keep_break_glass(ACCOUNT, OWNER, operations[:2], signatures)) == "BadInput"
    assert refused(lambda: endings_.keep_break_glass(ACCOUNT, MASTERS[1], operations, signatures)) == "WrongOwner"
    assert refused(lambda: endings_.keep_break_glass(ACCOUNT, OWNER, (op(AccountCall(GAME, b"")),), signatures[:1])) == "OtherCall"
    assert endings_.break_glass() == ()


def test_there_is_room_for_so_many(vault: bytes, clock: Clock) -> None:
    made, _ = opened(vault, clock=clock)
    endings_ = Endings(made, clock)
    key = keys.private_key(public_master(0).secret)

    def keep(salt: int) -> str:
        account = PREDICT(31337, OWNER, salt, Mode.SMA)
        one = operation_of(account, ending.end_id(account.address, 5))
        signature = keys.sign_digest(key, signed_message(user_op_hash(one, 31337)))
        return endings_.keep_break_glass(account, OWNER, (userop.to_bytes(one),), (signature,))

    for salt in range(MOST_SETS):
        keep(salt)
    assert refused(lambda: keep(MOST_SETS)) == "NoRoom"
    keep(0)
    assert len(endings_.break_glass()) == MOST_SETS


# --- by the process


@pytest.fixture(scope="module")
def client(vault: bytes) -> Iterator[SignerClient]:
    saved: list[bytes] = []
    made = SignerClient(vault, saved.append, Prompt(PromptMode.FD, descriptor(PASSPHRASE + "\n"), script=True))
    made.unlock()
    yield made
    made.close()


def test_through_the_pipe(client: SignerClient) -> None:
    operations = levels(ALWAYS, CANCEL)
    limits = replace(KNOWN[0], limits=(replace(SESSION.limits[0], left=2**255),))
    preview = client.preview_operations(operations, ACCOUNT, OWNER, (limits,))
    assert preview.words.headings.can == "It will"
    signatures = client.sign_all(preview.token)
    assert [signer_of(d, s) for d, s in zip(preview.digests, signatures, strict=True)] == [OWNER] * 3
    with pytest.raises(Refused) as caught:
        client.sign_all(preview.token)
    assert caught.value.code == "PreviewGone"
    with pytest.raises(Refused):
        client.sign(client.preview_operations(operations, ACCOUNT, OWNER).token)  # a token of one kind is none of the other
    number = client.keep_break_glass(ACCOUNT, OWNER, operations, signatures)
    (kept,) = client.break_glass()
    assert (kept.id, kept.operations, kept.signatures) == (number, operations, signatures)
    client.forget_break_glass(number)
    assert client.break_glass() == ()
    sent = client.preview_transactions((tx(),), ACCOUNT, OWNER)
    assert len(client.sign_all(sent.token)[0]) == 65


def test_refusals_and_nonsense_through_the_pipe(client: SignerClient) -> None:
    for operations, code in (((op(AccountCall(GAME, b"")),), "OtherCall"), ((b"",), None), ((b"\0" * 64,), None)):
        with pytest.raises(LatchkeyError) as caught:
            client.preview_operations(operations, ACCOUNT, OWNER)
        assert code in (None, caught.value.code)
    for arguments in ({}, {"what": "digests", "datas": [bytes(32)]}, {"token": b""}):
        with pytest.raises(LatchkeyError) as caught:
            client._do("preview_endings", **arguments)
        assert caught.value.code == "Internal"
    assert client.status().unlocked


def test_a_locked_vault_gives_no_set(vault: bytes) -> None:
    made = SignerClient(vault, lambda _: None, Prompt(PromptMode.FD, descriptor(PASSPHRASE), script=True))
    with pytest.raises(Locked):
        made.break_glass()
    with pytest.raises(Locked):
        made.preview_operations((op(),), ACCOUNT, OWNER)
    made.close()


# --- at the terminal


def test_what_a_person_reads_at_the_terminal(clock: Clock) -> None:
    real = real_master()
    account = PREDICT(8453, real.address, 0, Mode.SMA)
    draft = replace(DRAFT, chain_id=8453, account=account.address, permissions=(ContractAccess(GAME),))
    end = ending.end_call(session_of(replace(draft, session_key=GAME), account))
    low = {"max_fee_per_gas": 10**7, "max_priority_fee_per_gas": 10**6}
    typist = Typist()
    from latchkey.vault.keeper import Keeper
    from latchkey.vault.prompt import TerminalChannel

    made = Keeper(sealed(real), Questions(TerminalChannel(typist.path)), clock=clock, steady=clock, sleep=clock.sleep)
    unlocking = threading.Thread(target=made.unlock)
    unlocking.start()
    typist.answer("Passphrase: ", PASSPHRASE)
    unlocking.join(60)
    endings_ = Endings(made, clock)
    token = endings_.preview_operations((op(end, account=account, **low),), account, real.address).token
    signed: list[Any] = []
    signing = threading.Thread(target=lambda: signed.append(endings_.sign_all(token)))
    signing.start()
    shown = typist.answer('Type "yes" to sign the ending: ', "yes")
    signing.join(60)
    typist.close()
    assert len(signed[0]) == 1
    for line in (
        "== End this session? ==",
        "It will",
        "It will not",
        "Most it can cost",
        "end session 5: its key can do nothing more",
    ):
        assert line in shown
    assert "It can" not in shown
    assert "Most you can lose" not in shown
