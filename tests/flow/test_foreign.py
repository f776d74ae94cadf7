"""EIP-4527 both ways with a real book, a real signer and keys that stand for a device: what is signed, what is refused and why."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_defunct, encode_typed_data

from latchkey.accounts import transaction
from latchkey.accounts.modular_account import ending, userop
from latchkey.accounts.modular_account.build import HALF
from latchkey.accounts.system import system
from latchkey.codec.eip4527 import DataType, EthSignature, EthSignRequest
from latchkey.codec.hand_over import Envelope, Kind, decode
from latchkey.codec.hdkeys import HdAddress, KeyPath
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.grant import Grant
from latchkey.core.permissions import FunctionsOnContract, GasLimit, Permission
from latchkey.core.phrases import Level
from latchkey.core.session import AccountReading, Block, Leftover, LogRange
from latchkey.core.types import Address, Selector
from latchkey.errors import CannotDecode, LatchkeyError, Mismatch, Refused
from latchkey.flow import foreign
from latchkey.flow.accounts import from_owner
from latchkey.flow.ending_envelopes import operations_envelope, review_envelope, transactions_envelope
from latchkey.flow.explain import explain
from latchkey.flow.granting import Granting, Prepared
from latchkey.store.book import Book
from latchkey.store.readings import Kept, Readings
from latchkey.store.records import GrantState, MasterKeyRecord
from latchkey.vault.client import SignerClient
from tests.endings import operation_of, session_of, transaction_of
from tests.flow.signer import OWNER

NOW = int(time.time())
KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
CONTRACT = Address.parse("0x" + "c0" * 20)
ACCOUNT = from_owner(31337, OWNER)
SCOPE: tuple[Permission, ...] = (FunctionsOnContract(CONTRACT, (Selector.parse("0x4e71d92d"),)), GasLimit(10**16))
PATH = KeyPath.parse("m/44'/60'/0'/0/0", 0x12345678)
DEVICE = EthAccount.from_key("0x" + "11" * 32)
DEVICE_KEY = HdAddress(Address.parse(DEVICE.address), PATH)
DEVICE_ACCOUNT = from_owner(31337, DEVICE.address)
FACE = system("modular_account")


def grant(account: Account = ACCOUNT, **changes: Any) -> Grant:
    draft = Draft("modular_account", 31337, account.address, 2**21, 0xABCDEF, 0, NOW + 86_400, KEY, SCOPE)
    return FACE.build(replace(draft, **changes))


def request(made: Grant | None = None, **changes: Any) -> EthSignRequest:
    typed = json.dumps(FACE.typed_data(made or grant())).encode()
    asked = EthSignRequest(typed, DataType.TYPED_DATA, PATH, bytes(range(16)), 31337, OWNER, "Rooms")
    return replace(asked, **changes)


@pytest.fixture
def ours(book: Book) -> Book:
    book.add_account(ACCOUNT)
    return book


@pytest.fixture
def granting(ours: Book, signer: SignerClient) -> Granting:
    return Granting(ours, lambda: signer, lambda: NOW)


def prepared(what: EthSignRequest, book: Book) -> Prepared:
    found = foreign.asked(what, book, now=NOW)
    assert isinstance(found, Prepared)
    return found


# --- as signer


def test_a_grant_another_wallet_asks_for(granting: Granting, ours: Book) -> None:
    what = request()
    found = prepared(what, ours)
    assert (found.review.grant.unsigned, found.review.digest) == (grant().unsigned, grant().digest)
    assert (found.account, found.claims.dapp_name) == (ACCOUNT, "Rooms")
    signed = granting.sign(found)
    granting.keep(signed)
    answer = foreign.answer_to(what, signed)
    assert (answer.request_id, len(answer.signature)) == (what.request_id, 65)
    message = encode_typed_data(full_message=json.loads(what.data))
    assert EthAccount.recover_message(message, signature=answer.signature) == OWNER
    with pytest.raises(Refused) as caught:
        foreign.asked(what, ours, now=NOW)
    assert caught.value.code == "AlreadySigned"


def test_an_account_that_follows_from_one_of_the_keys_is_ours(book: Book) -> None:
    with pytest.raises(Refused) as caught:
        foreign.asked(request(), book, now=NOW)
    assert caught.value.code == "NotOurs"
    book.put_key(MasterKeyRecord(OWNER, "Key", "raw", ""))
    found = prepared(request(), book)
    assert (found.account.owner, found.account.mode) == (OWNER, Mode.SMA)
    unnamed = Account(31337, DEVICE_KEY.address, "modular_account", Mode.ADDRESS)
    book.add_account(unnamed)
    assert prepared(request(grant(unnamed)), book).account.owner == OWNER


def typed(**changes: Any) -> EthSignRequest:
    value = FACE.typed_data(grant())
    value["message"] |= changes
    return request(data=json.dumps(value).encode())


def other_typed_data() -> bytes:
    types = {"EIP712Domain": [{"name": "name", "type": "string"}], "Permit": [{"name": "spender", "type": "address"}]}
    return json.dumps({"types": types, "domain": {"name": "T"}, "primaryType": "Permit", "message": {"spender": KEY}}).encode()


REFUSED: dict[str, tuple[EthSignRequest, str]] = {
    "message": (request(data=b"hello", data_type=DataType.PERSONAL_MESSAGE), "NotOnList"),
    "bare hash": (request(data=bytes(32), data_type=DataType.PERSONAL_MESSAGE), "NotOnList"),
    "old transaction": (request(data=b"\xc0", data_type=DataType.LEGACY_TRANSACTION), "NotOnList"),
    "permit": (request(data=other_typed_data()), "NotOnList"),
    "not an object": (request(data=b"[]"), "NotOnList"),
    "not JSON": (request(data=b"\xff"), "NotJson"),
    "another chain": (request(chain_id=1), "Mismatch"),
    "another signer": (request(address=KEY), "OtherSigner"),
    "another account": (request(grant(DEVICE_ACCOUNT)), "NotOurs"),
    "a call": (typed(call="0xb61d27f6" + "00" * 96), "NotASessionGrant"),
    "a field more": (typed(value=1), "CannotDecode"),
    "a deadline that is not the grant's": (typed(deadline=NOW), "NotCanonical"),
    "over already": (request(grant(expiry=NOW - 10)), ""),
    "a transaction that sends coins": (
        request(data=transaction.to_bytes(replace(transaction_of(ACCOUNT), to=KEY, data=b"")), data_type=DataType.TRANSACTION),
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_and_why(name: str, ours: Book) -> None:
    what, code = REFUSED[name]
    with pytest.raises(LatchkeyError) as caught:
        foreign.asked(what, ours, now=NOW)
    assert caught.value.code == code or not code, caught.value
    assert caught.value.text


def test_a_nonce_or_an_id_that_is_taken(granting: Granting, ours: Book) -> None:
    granting.keep(granting.sign(prepared(request(), ours)))
    for changes, code in (({"session_key": CONTRACT}, "NonceTaken"), ({"nonce_key": 7}, "EntityIdTaken")):
        with pytest.raises(Refused) as caught:
            foreign.asked(request(grant(**changes)), ours, now=NOW)
        assert caught.value.code == code
    prepared(request(grant(nonce_key=7, entity_id=2**21 + 1)), ours)


def test_what_the_chain_knows_under_the_id(ours: Book) -> None:
    draft = grant().draft
    session = session_of(draft, ACCOUNT)
    reading = AccountReading(ACCOUNT, Block(5, bytes(32), NOW), LogRange(0, 5), True, sessions=(session,))
    Readings(ours).put(Kept(reading, NOW))
    with pytest.raises(Refused) as caught:
        foreign.asked(request(), ours, now=NOW)
    assert caught.value.code == "EntityIdTaken"
    left = (Leftover(CONTRACT, draft.entity_id, KEY), Leftover(CONTRACT, draft.entity_id + HALF, KEY, amount=77))
    Readings(ours).put(Kept(replace(reading, sessions=(), leftovers=(*left, Leftover(CONTRACT, 9, KEY))), NOW))
    shown = prepared(request(), ours).review
    assert (shown.findings[0].id, shown.findings[0].level) == ("leftovers", Level.DANGER)
    inherited = [power.plain for power in shown.words.can if power.plain.startswith("Left behind")]
    assert len(inherited) == 2
    assert str(KEY) in inherited[0]
    assert "77" in inherited[1]


def test_the_owners_transaction_another_wallet_asks_for(ours: Book) -> None:
    raw = transaction.to_bytes(transaction_of(ACCOUNT, ending.end_call(session_of(grant().draft, ACCOUNT))))
    what = request(data=raw, data_type=DataType.TRANSACTION)
    found = foreign.asked(what, ours, now=NOW)
    assert isinstance(found, Envelope)
    assert (found.kind, found.transactions) == (Kind.UNSIGNED_TRANSACTION, (raw,))
    signature = bytes(32 * [1]) + bytes(32 * [2]) + b"\x1c"
    assert foreign.answer_to(what, replace(found, kind=found.kind.signed, signatures=(signature,))).signature[64] == 1
    with pytest.raises(Mismatch):
        foreign.answer_to(request(), replace(found, kind=found.kind.signed, signatures=(signature,)))


# --- as coordinator


def device_signs(what: EthSignRequest) -> EthSignature:
    """As a device does, from the request's bytes alone."""
    if what.data_type is DataType.TYPED_DATA:
        made = DEVICE.sign_message(encode_typed_data(full_message=json.loads(what.data)))
        return EthSignature(bytes(made.signature), what.request_id)
    if what.data_type is DataType.PERSONAL_MESSAGE:
        return EthSignature(bytes(DEVICE.sign_message(encode_defunct(what.data)).signature), what.request_id)
    made = DEVICE.unsafe_sign_hash(transaction.digest(what.data))
    return EthSignature(bytes(made.signature[:64]) + bytes([made.signature[64] - 27]), what.request_id)


def unsigned_grant(book: Book, signer: SignerClient) -> tuple[Granting, Envelope]:
    book.add_account(DEVICE_ACCOUNT)
    granting = Granting(book, lambda: signer, lambda: NOW)
    found = prepared(request(grant(DEVICE_ACCOUNT), address=None), book)
    return granting, decode(granting.keep_unsigned(found)[1])


def test_a_device_signs_a_grant(book: Book, signer: SignerClient) -> None:
    granting, unsigned = unsigned_grant(book, signer)
    requests = foreign.to_sign(unsigned, DEVICE_KEY, now=NOW)
    (what,) = requests
    assert (what.data_type, what.chain_id, what.address, what.path) == (DataType.TYPED_DATA, 31337, DEVICE.address, PATH)
    signed = foreign.signed_by(unsigned, DEVICE_KEY, requests, [device_signs(what)], now=NOW)
    record = granting.accept_signed(signed)
    assert record.state is GrantState.SIGNED
    assert explain(record.envelope or b"", now=NOW).signer == DEVICE.address


def test_what_does_not_come_from_the_device(book: Book, signer: SignerClient) -> None:
    _, unsigned = unsigned_grant(book, signer)
    requests = foreign.to_sign(unsigned, DEVICE_KEY, now=NOW)
    good = device_signs(requests[0])
    other = EthAccount.from_key("0x" + "22" * 32).sign_message(encode_typed_data(full_message=json.loads(requests[0].data)))
    high = (
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - int.from_bytes(good.signature[32:64], "big")
    ).to_bytes(32, "big")
    for bad in (
        replace(good, signature=bytes(other.signature)),
        replace(good, request_id=bytes(16)),
        replace(good, signature=good.signature[:64] + b"\x25"),
        replace(good, signature=good.signature + b"\x00"),
        replace(good, signature=bytes(65)),
        replace(good, signature=good.signature[:32] + high + bytes([55 - good.signature[64]])),
    ):
        with pytest.raises(LatchkeyError):
            foreign.signed_by(unsigned, DEVICE_KEY, requests, [bad], now=NOW)
    with pytest.raises(Mismatch):
        foreign.signed_by(unsigned, DEVICE_KEY, requests, [], now=NOW)
    with pytest.raises(Refused) as caught:
        foreign.to_sign(unsigned, replace(DEVICE_KEY, address=KEY), now=NOW)
    assert caught.value.code == "OtherSigner"


def test_a_device_signs_what_takes_power_away() -> None:
    call = ending.end_call(session_of(grant(DEVICE_ACCOUNT).draft, DEVICE_ACCOUNT))
    raws = [userop.to_bytes(operation_of(DEVICE_ACCOUNT, call, max_fee_per_gas=fee)) for fee in (2 * 10**9, 3 * 10**9)]
    sent = transaction.to_bytes(transaction_of(DEVICE_ACCOUNT, call))
    for unsigned, kind, signatures in (
        (operations_envelope(raws, DEVICE_ACCOUNT, now=NOW), DataType.PERSONAL_MESSAGE, 2),
        (transactions_envelope([sent], DEVICE_ACCOUNT, now=NOW), DataType.TRANSACTION, 1),
    ):
        requests = foreign.to_sign(unsigned, DEVICE_KEY, now=NOW)
        assert [what.data_type for what in requests] == [kind] * signatures
        signed = foreign.signed_by(unsigned, DEVICE_KEY, requests, [device_signs(r) for r in reversed(requests)], now=NOW)
        assert review_envelope(signed, now=NOW)[1] == DEVICE.address
        with pytest.raises(Refused):
            foreign.to_sign(signed, DEVICE_KEY, now=NOW)


def test_decoding_is_judged_and_not_believed(ours: Book) -> None:
    with pytest.raises(CannotDecode):
        foreign.asked(typed(nonce=hex(grant().nonce ^ 2 << 64)), ours, now=NOW)
