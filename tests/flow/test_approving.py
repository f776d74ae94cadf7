"""Approving what was prepared elsewhere, with two books and a real signer: what is shown, what is refused and why, what goes back."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from latchkey.accounts import transaction
from latchkey.accounts.modular_account import ending, userop
from latchkey.codec import ur
from latchkey.codec.eip4527 import DataType, read_signature
from latchkey.codec.hand_over import Envelope, Kind, decode
from latchkey.codec.inbox import open_any
from latchkey.core.account import Account, Mode
from latchkey.core.phrases import Level
from latchkey.core.session import AccountReading, Block, Leftover, LogRange
from latchkey.core.types import keccak
from latchkey.errors import LatchkeyError, Refused
from latchkey.flow import devices, foreign
from latchkey.flow.approving import Approvals, ToApprove
from latchkey.flow.chains import Chains
from latchkey.flow.ending_envelopes import operations_envelope, review_envelope, transactions_envelope
from latchkey.flow.granting import Granting
from latchkey.store.book import Book
from latchkey.store.readings import Kept, Readings
from latchkey.store.records import GrantState, MasterKeyRecord
from latchkey.store.settings import Settings
from latchkey.vault.client import SignerClient
from tests.endings import operation_of, session_of, transaction_of
from tests.flow.signer import OWNER
from tests.flow.test_foreign import ACCOUNT, CONTRACT, DEVICE_ACCOUNT, DEVICE_KEY, KEY, NOW, device_signs, grant, request


@pytest.fixture
def cold(tmp_path: Path) -> Any:
    """The book of the machine that signs: it knows a key and nothing else."""
    with Book.open(tmp_path / "cold.sqlite") as book:
        book.put_key(MasterKeyRecord(OWNER, "Main", "raw", ""))
        yield book


def approvals(book: Book, signer: SignerClient, now: int = NOW) -> Approvals:
    return Approvals(book, lambda: signer, Chains(Settings), lambda: now)


def prepared_elsewhere(book: Book, signer: SignerClient) -> tuple[Granting, Envelope]:
    """By a machine without the key."""
    book.add_account(ACCOUNT)
    granting = Granting(book, lambda: signer, lambda: NOW)
    book.put_key(MasterKeyRecord(OWNER, "Elsewhere", "raw", ""))
    found = foreign.asked(request(address=None), book, now=NOW)
    assert not isinstance(found, Envelope)
    return granting, decode(granting.keep_unsigned(found)[1])


def test_a_grant_there_and_back(book: Book, cold: Book, signer: SignerClient) -> None:
    granting, unsigned = prepared_elsewhere(book, signer)
    assert unsigned.created == NOW
    one = approvals(cold, signer).read(unsigned)
    shown = one.shown
    assert (shown.digest, shown.account.owner, shown.made) == (grant().digest, OWNER, NOW)
    assert shown.words.can
    assert len(shown.unchecked) == 4
    answered = one.sign(signer)
    assert answered.kind == ur.TYPE
    assert answered.link
    assert answered.file == answered.message
    back = open_any(json.dumps(json.loads(answered.copied)))
    assert back == decode(answered.message) == open_any(answered.link)
    record = granting.accept_signed(decode(answered.message))
    assert record.state is GrantState.SIGNED
    envelope = decode(record.envelope or b"")
    assert (envelope.created, envelope.account) == (None, replace(ACCOUNT, label=""))
    assert [g.state for g in cold.grants()] == [GrantState.SIGNED]
    with pytest.raises(Refused) as caught:
        approvals(cold, signer).read(unsigned)
    assert caught.value.code == "AlreadySigned"


def test_of_the_answer_only_the_signature_is_taken(book: Book, cold: Book, signer: SignerClient) -> None:
    granting, unsigned = prepared_elsewhere(book, signer)
    signed = decode(approvals(cold, signer).read(unsigned).sign(signer).message)
    told = replace(signed, claims=replace(signed.claims, dapp_name="Somebody else"), key_type="contract")
    envelope = decode(granting.accept_signed(told).envelope or b"")
    assert (envelope.claims.dapp_name, envelope.key_type) == (unsigned.claims.dapp_name, unsigned.key_type)


@pytest.mark.parametrize(("off", "level"), [(0, None), (-60, None), (-3600, Level.WARNING), (90_000, Level.NOTICE)])
def test_both_clocks(book: Book, cold: Book, signer: SignerClient, off: int, level: Level | None) -> None:
    _, unsigned = prepared_elsewhere(book, signer)
    long = replace(unsigned, created=NOW - off) if off > 0 else unsigned
    found = approvals(cold, signer, NOW + min(off, 0)).read(long).shown.findings
    assert [one.level for one in found if one.id == "clocks"] == ([level] if level else [])


def test_what_takes_power_away_there_and_back(cold: Book, signer: SignerClient) -> None:
    call = ending.end_call(session_of(grant().draft, ACCOUNT))
    raws = [userop.to_bytes(operation_of(ACCOUNT, call, max_fee_per_gas=fee)) for fee in (2 * 10**9, 3 * 10**9)]
    sent = transaction.to_bytes(transaction_of(ACCOUNT, call))
    cold.add_grant(_labelled(cold, signer))
    for unsigned in (operations_envelope(raws, ACCOUNT, now=NOW), transactions_envelope([sent], ACCOUNT, now=NOW)):
        one = approvals(cold, signer).read(unsigned)
        assert (one.shown.made, one.shown.words.purpose) == (NOW, "ending")
        assert any("Dungeon" in phrase.plain for phrase in (one.shown.words.headline, *one.shown.words.can))
        signed = decode(one.sign(signer).message)
        assert (signed.kind, review_envelope(signed, now=NOW)[1]) == (unsigned.kind.signed, OWNER)
        with pytest.raises(Refused):
            approvals(cold, signer).read(signed)


def _labelled(book: Book, signer: SignerClient) -> Any:
    book.add_account(ACCOUNT)
    granting = Granting(book, lambda: signer, lambda: NOW)
    found = foreign.asked(request(), book, now=NOW)
    assert not isinstance(found, Envelope)
    return replace(granting._record(found), label="Dungeon")


def test_what_another_wallet_asks_for(cold: Book, signer: SignerClient) -> None:
    what = request()
    one = approvals(cold, signer).read(what)
    assert (one.shown.asker, one.shown.digest) == ("Rooms", grant().digest)
    answered = one.sign(signer)
    signature = read_signature(answered.message)
    assert (answered.kind, answered.link, signature.request_id) == (ur.SIGNATURE, None, what.request_id)
    assert open_any(answered.file) == open_any(answered.copied) == signature
    message = encode_typed_data(full_message=json.loads(what.data))
    assert EthAccount.recover_message(message, signature=signature.signature) == OWNER
    raw = transaction.to_bytes(transaction_of(ACCOUNT, ending.end_call(session_of(grant().draft, ACCOUNT))))
    cold.add_account(ACCOUNT)
    answered = approvals(cold, signer).read(request(data=raw, data_type=DataType.TRANSACTION)).sign(signer)
    assert read_signature(answered.message).signature[64] in (0, 1)


def code_of(book: Book, signer: SignerClient, found: Any) -> str:
    with pytest.raises(LatchkeyError) as caught:
        approvals(book, signer).read(found)
    assert caught.value.text
    return caught.value.code


def test_refusals_say_why(book: Book, cold: Book, signer: SignerClient) -> None:
    _, unsigned = prepared_elsewhere(book, signer)
    assert code_of(cold, signer, replace(unsigned, expiry=NOW + 5)) == "Mismatch"
    assert code_of(cold, signer, request(data=b"hello", data_type=DataType.PERSONAL_MESSAGE)) == "NotOnList"
    assert code_of(cold, signer, Envelope(Kind.REQUEST)) == "BadInput"
    approvals(cold, signer).read(unsigned).sign(signer)
    for changes, code in (({"session_key": CONTRACT}, "NonceTaken"), ({"nonce_key": 7}, "EntityIdTaken")):
        assert code_of(cold, signer, request(grant(**changes))) == code
    for key in cold.keys():  # noqa: SIM118  a book is no dict
        cold.remove_key(key.address)
    assert code_of(cold, signer, replace(unsigned, nonce=unsigned.nonce)) in ("AlreadySigned", "NoKey")


def test_leftovers_are_powers_of_what_other_machines_prepare_too(book: Book, cold: Book, signer: SignerClient) -> None:
    _, unsigned = prepared_elsewhere(book, signer)
    left = Leftover(KEY, grant().draft.entity_id, KEY)
    reading = AccountReading(ACCOUNT, Block(5, bytes(32), NOW), LogRange(0, 5), True, leftovers=(left,))
    cold.add_account(ACCOUNT)
    Readings(cold).put(Kept(reading, NOW))
    shown = approvals(cold, signer).read(unsigned).shown
    assert "leftovers" in [finding.id for finding in shown.findings]
    assert any(phrase.plain.startswith("Left behind") for phrase in shown.words.can)


def test_which_key(book: Book, cold: Book, signer: SignerClient) -> None:
    bare = Account(31337, CONTRACT, "modular_account", Mode.ADDRESS)
    call = ending.end_call(session_of(grant(bare).draft, bare))
    unsigned = operations_envelope([userop.to_bytes(operation_of(bare, call))], bare, now=NOW)
    one: ToApprove = approvals(cold, signer).read(unsigned)
    assert one.shown.account.owner == OWNER
    cold.put_key(MasterKeyRecord(KEY, "Second", "raw", ""))
    assert code_of(cold, signer, unsigned) == "WhichOwner"
    assert approvals(cold, signer).owners(bare) == (OWNER, KEY)
    assert approvals(cold, signer).read(unsigned, KEY).shown.account.owner == KEY
    assert code_of(cold, signer, replace(unsigned, account=replace(bare, owner=DEVICE_KEY.address))) == "NoKey"


# --- a device's key in the book


def test_a_devices_key_in_the_book(book: Book, signer: SignerClient) -> None:
    record = devices.keep(book, DEVICE_KEY, "Blue")
    assert (record.is_device, record.path) == (True, "12345678/44'/60'/0'/0/0")
    assert devices.read(record) == DEVICE_KEY
    assert devices.devices(book) == (record,)
    assert devices.vault_keys(book) == ()
    assert devices.device_for(book, DEVICE_ACCOUNT) == DEVICE_KEY
    unnamed = Account(31337, KEY, "modular_account", Mode.ADDRESS)
    assert devices.device_for(book, unnamed) == DEVICE_KEY
    book.put_key(MasterKeyRecord(OWNER, "Main", "raw", ""))
    assert devices.device_for(book, unnamed) is None
    assert devices.vault_keys(book) == (OWNER,)
    with pytest.raises(Refused):
        devices.keep(book, replace(DEVICE_KEY, address=OWNER), "")
    bare = replace(DEVICE_KEY, path=replace(DEVICE_KEY.path, fingerprint=None))
    assert devices.read(devices.keep(book, bare, "Blue")) == bare
    book.remove_key(record.address)
    assert devices.devices(book) == ()


def test_an_answer_finds_its_question_after_a_restart(book: Book, signer: SignerClient) -> None:
    devices.keep(book, DEVICE_KEY, "Blue")
    book.add_account(DEVICE_ACCOUNT)
    found = foreign.asked(request(grant(DEVICE_ACCOUNT), address=None), book, now=NOW)
    assert not isinstance(found, Envelope)
    granting = Granting(book, lambda: signer, lambda: NOW)
    unsigned = decode(granting.keep_unsigned(found)[1])
    (asked,) = foreign.to_sign(unsigned, DEVICE_KEY, now=NOW)
    again = foreign.to_sign(unsigned, DEVICE_KEY, now=NOW)
    assert again == (asked,)
    signed = foreign.signed_by(unsigned, DEVICE_KEY, again, [device_signs(asked)], now=NOW)
    assert granting.accept_signed(signed).state is GrantState.SIGNED


# --- hostile requests


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    with Book.open(tmp_path_factory.mktemp("known") / "book.sqlite") as book:
        book.add_account(ACCOUNT)
        yield book


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for name, item in inner for deeper in _paths(item, (*path, name)))]


def _changed(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """With `odd` in that place, if there still is such a place."""
    if not path:
        return odd
    name, *rest = path
    if isinstance(value, dict) and name in value:
        return {**value, name: _changed(value[name], tuple(rest), odd)}
    if isinstance(value, list) and isinstance(name, int) and name < len(value):
        return [*value[:name], _changed(value[name], tuple(rest), odd), *value[name + 1 :]]
    return value


_TYPED = json.loads(request().data)
_ODD: list[Any] = [
    None, True, 0, -1, 2**256, 1.5, "", "0x", "0x" + "00" * 400, "0x" + "ff" * 32, [], {}, [[]], {"a": 1}, "uint256", str(KEY), "9" * 400
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(_paths(_TYPED)), st.sampled_from(_ODD)), min_size=1, max_size=3))
def test_typed_data_of_any_kind(known: Book, changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    """What is taken all the same has the digest that any other reader of EIP-712 finds in it."""
    value = _TYPED
    for path, odd in changes:
        value = _changed(value, path, odd)
    begun = time.process_time()
    try:
        found = foreign.asked(request(data=json.dumps(value).encode()), known, now=NOW)
    except LatchkeyError:
        found = None
    assert time.process_time() - begun < 1
    if found is not None:
        assert not isinstance(found, Envelope)
        message = encode_typed_data(full_message=value)
        assert found.review.digest == keccak(b"\x19\x01" + message.header + message.body)


@given(st.binary(max_size=300), st.sampled_from(DataType))
def test_bytes_of_any_kind(known: Book, raw: bytes, kind: DataType) -> None:
    with pytest.raises(LatchkeyError):
        foreign.asked(request(data=raw or b"x", data_type=kind), known, now=NOW)
