"""Granting with a real book and a real signer process: all or nothing, each request once, no two grants alike."""

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from latchkey.accounts.modular_account.build import deferred_nonce
from latchkey.accounts.system import Policy
from latchkey.codec.hand_over import Kind, decode, encode
from latchkey.core.account import Account
from latchkey.core.draft import Draft
from latchkey.core.forms import form_of
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
    Root,
)
from latchkey.core.phrases import Finding, Level
from latchkey.core.presets import DAY
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Address, Selector, keccak
from latchkey.errors import BadInput, LatchkeyError, Locked, Mismatch, Refused, StoreError
from latchkey.flow import granting as module
from latchkey.flow import wizard
from latchkey.flow.accounts import from_address, from_owner
from latchkey.flow.explain import explain
from latchkey.flow.granting import (
    FIRST_ENTITY_ID,
    LAST_ENTITY_ID,
    Granting,
    Ids,
    choose_ids,
    digest_of,
    good_signs,
)
from latchkey.flow.wizard import KeyInput, KeySource, WizardState, World
from latchkey.store.book import Book
from latchkey.store.records import GrantState, KeyOrigin, Outcome
from latchkey.vault.client import SignerClient
from latchkey.vault.seal import info, open_sealed
from tests.flow.signer import OWNER

NOW = int(time.time())  # the signer looks at its own clock
KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
ACCOUNT = from_owner(31337, OWNER)
CONTRACT = Address.parse("0x" + "c0" * 20)
SCOPE: tuple[Permission, ...] = (FunctionsOnContract(CONTRACT, (Selector.parse("0x4e71d92d"),)), GasLimit(10**16))
WORLD = World((ACCOUNT,), expert=False, now=NOW)


@pytest.fixture
def granting(book: Book, signer: SignerClient) -> Granting:
    return Granting(book, lambda: signer, lambda: NOW)


def filled(**fields: Any) -> WizardState:
    state = replace(wizard.start(WORLD), account=ACCOUNT, key=KeyInput(address=str(KEY)), label=" Chess ")
    return replace(wizard.add_cards(state, [form_of(p) for p in SCOPE]), **fields)


def request(**fields: Any) -> SessionRequest:
    values: dict[str, Any] = {
        "account": ACCOUNT.address, "chain_id": 31337, "expiry": NOW + DAY, "session_key": KEY, "claims": Claims("Rooms", "rooms.example"),
    }  # fmt: skip
    return SessionRequest(SCOPE, "request-7", **(values | fields))


# --- the whole way


def test_a_name_that_a_dapp_chose_makes_no_grant_one_of_the_wallet_apis(granting: Granting) -> None:
    """Their service calls its sessions so; only what it made itself may point to one that it keeps (0x00)."""
    asked = replace(request(), request_id="wallet-apis-" + "ab" * 16)
    envelope = decode(granting.sign(granting.prepare(wizard.start_from(asked, WORLD), WORLD)).envelope)
    assert envelope.context == b"\x01" + envelope.blob


def test_a_grant_from_the_wizard_to_the_book(granting: Granting, book: Book) -> None:
    prepared = granting.prepare(filled(), WORLD)
    record = granting.keep(granting.sign(prepared))
    assert book.grants() == (record,)
    assert (record.state, record.label, record.key_origin) == (GrantState.SIGNED, "Chess", KeyOrigin.GIVEN)
    assert record.draft == prepared.review.draft
    assert record.nonce == deferred_nonce(record.draft)
    assert record.envelope is not None
    envelope = decode(record.envelope)
    assert envelope.kind is Kind.SIGNED_GRANT
    assert envelope.account == ACCOUNT
    assert envelope.context == b"\x01" + envelope.blob
    assert not envelope.sealed_session_key
    explained = explain(record.envelope, now=NOW)
    assert explained.signer == OWNER
    assert explained.words.can == prepared.review.words.can


def test_a_request_is_answered_once(granting: Granting, book: Book) -> None:
    asked = request()
    assert granting.answered(asked) == ""
    record = granting.keep(granting.sign(granting.prepare(wizard.start_from(asked, WORLD), WORLD)))
    assert record.request_id == "request-7"
    assert decode(record.envelope or b"").claims == asked.claims
    mark = book.request_seen("request-7")[0]
    assert (mark.digest, mark.outcome, mark.answered) == (digest_of(asked), Outcome.GRANTED, NOW)
    assert "You answered this request" in granting.answered(asked)
    assert "for another request" in granting.answered(request(expiry=NOW + 2 * DAY))
    assert granting.answered(replace(asked, request_id="request-8")) == ""
    again = replace(WORLD, answered=granting.answered(asked))
    with pytest.raises(Refused, match="You answered this request"):
        granting.prepare(wizard.start_from(asked, again), again)


def test_a_grant_without_its_mark_still_counts_as_an_answer(granting: Granting, book: Book) -> None:
    """The mark is written after the grant; what dies in between must not let the request be answered again."""
    signed = granting.sign(granting.prepare(wizard.start_from(request(), WORLD), WORLD))
    granting.keep(replace(signed, prepared=replace(signed.prepared, request=replace(request(), request_id="other"))))
    assert book.request_seen("request-7") == ()
    assert granting.answered(replace(request(), request_id="other"))


def test_a_digest_tells_requests_apart() -> None:
    changes: list[dict[str, Any]] = [
        {"expiry": None}, {"chain_id": 1}, {"account": None}, {"session_key": None}, {"hand_over_key": bytes(32)}, {"key_type": "contract"},
        {"system": "kernel"}, {"callback": "https://rooms.example/"},
    ]  # fmt: skip
    digests = {digest_of(request(**change)) for change in [{}, *changes]}
    assert len(digests) == len(changes) + 1
    assert digest_of(request(claims=Claims("Someone else"))) == digest_of(request())


def test_a_key_made_here_is_sealed_to_the_request(granting: Granting, signer: SignerClient) -> None:
    private = X25519PrivateKey.generate()
    asked = request(session_key=None, hand_over_key=private.public_key().public_bytes_raw())
    state = wizard.start_from(asked, WORLD)
    state = replace(state, key=replace(state.key, made=granting.make_key()))
    record = granting.keep(granting.sign(granting.prepare(state, WORLD)))
    assert record.key_origin is KeyOrigin.MADE
    envelope = decode(record.envelope or b"")
    assert envelope.hand_over_key == asked.hand_over_key
    opened = open_sealed(envelope.sealed_session_key, private.private_bytes_raw(), info("request-7", 31337, ACCOUNT.address))
    assert address_of(opened.reveal()) == record.draft.session_key
    assert any(key.address == record.draft.session_key and key.request_id == "request-7" for key in signer.status().session_keys)


def test_a_key_made_here_without_a_request_leaves_nothing_secret_in_the_envelope(granting: Granting) -> None:
    state = filled(key=KeyInput(KeySource.MADE, made=granting.make_key()))
    record = granting.keep(granting.sign(granting.prepare(state, WORLD)))
    envelope = decode(record.envelope or b"")
    assert (record.key_origin, envelope.sealed_session_key, envelope.hand_over_key) == (KeyOrigin.MADE, b"", None)


def address_of(private_key: bytes) -> Address:
    from coincurve import PrivateKey

    return Address.from_bytes(keccak(PrivateKey(private_key).public_key.format(compressed=False)[1:])[12:])


def test_the_owner_of_an_account_known_by_address_is_the_only_key(granting: Granting, book: Book) -> None:
    known = from_address(31337, ACCOUNT.address)
    prepared = granting.prepare(filled(account=known), WORLD)
    with pytest.raises(Refused, match="name the owner"):
        granting.sign(prepared)
    book.put_key(module_key("Test key", OWNER))
    assert decode(granting.sign(prepared).envelope).account == replace(known, owner=OWNER)


def module_key(label: str, address: Address) -> Any:
    from latchkey.store.records import MasterKeyRecord

    return MasterKeyRecord(address, label, "raw", "")


# --- when something fails, nothing is kept


def nothing_kept(book: Book) -> bool:
    return book.grants() == () and book.request_seen("request-7") == ()


def test_an_unfinished_wizard_prepares_nothing(granting: Granting) -> None:
    with pytest.raises(Refused):
        granting.prepare(filled(cards=()), WORLD)
    with pytest.raises(BadInput):
        granting.prepare(WizardState(), WORLD)


def test_root_is_not_prepared_without_the_switch(granting: Granting) -> None:
    state = wizard.add_cards(filled(cards=()), [form_of(Root())])
    with pytest.raises(Refused):
        granting.prepare(state, WORLD)
    expert = replace(WORLD, expert=True)
    prepared = granting.prepare(state, expert)
    with pytest.raises(Refused):  # the signer keeps its own switch, whatever the window says
        granting.sign(prepared)


def test_a_public_test_key_signs_on_the_practice_chain_alone(granting: Granting, book: Book) -> None:
    account = from_owner(8453, OWNER)
    prepared = granting.prepare(filled(account=account), replace(WORLD, accounts=(account,)))
    with pytest.raises(LatchkeyError):
        granting.sign(prepared)
    assert nothing_kept(book)


def test_an_owner_whose_key_is_elsewhere(granting: Granting, book: Book) -> None:
    account = from_owner(31337, KEY)
    state = filled(account=account, key=KeyInput(address="0x" + "9a" * 20))
    with pytest.raises(LatchkeyError):
        granting.sign(granting.prepare(state, replace(WORLD, accounts=(account,))))
    assert nothing_kept(book)


def test_no_signer(book: Book) -> None:
    def gone() -> SignerClient:
        raise Locked("The vault is locked.")

    granting = Granting(book, gone, lambda: NOW)
    with pytest.raises(Locked):
        granting.sign(granting.prepare(wizard.start_from(request(), WORLD), WORLD))
    assert nothing_kept(book)


def test_bytes_the_signer_reads_differently_are_not_signed(granting: Granting) -> None:
    one, other = granting.prepare(filled(), WORLD), granting.prepare(filled(), WORLD)
    crossed = replace(one, review=replace(one.review, grant=other.review.grant))
    with pytest.raises(Mismatch):
        granting.sign(crossed)


def test_a_book_that_cannot_be_written_keeps_nothing(granting: Granting, book: Book, tmp_path: Path) -> None:
    signed = granting.sign(granting.prepare(wizard.start_from(request(), WORLD), WORLD))
    pages = book._connection.execute("PRAGMA page_count").fetchone()[0]
    book._connection.execute(f"PRAGMA max_page_count = {pages}")
    with suppress(StoreError):
        while True:  # until the disk is full
            granting.keep_unsigned(granting.prepare(filled(), WORLD))
    with pytest.raises(StoreError):
        granting.keep(signed)
    assert granting.answered(request()) == ""
    with Book.open(tmp_path / "book.sqlite") as again:
        assert all(record.envelope is None for record in again.grants())


def test_the_same_grant_is_not_kept_twice(granting: Granting, book: Book) -> None:
    signed = granting.sign(granting.prepare(filled(), WORLD))
    granting.keep(signed)
    with pytest.raises(StoreError):
        granting.keep(signed)
    assert len(book.grants()) == 1


# --- another machine


def test_out_unsigned_and_back_signed(granting: Granting, book: Book, signer: SignerClient, tmp_path: Path) -> None:
    record, raw = granting.keep_unsigned(granting.prepare(wizard.start_from(request(), WORLD), WORLD))
    assert (record.state, record.envelope) == (GrantState.UNSIGNED, None)
    unsigned = decode(raw)
    assert unsigned.kind is Kind.UNSIGNED_GRANT
    assert granting.answered(request()) == ""  # a grant that nobody signed answers nothing
    with Book.open(tmp_path / "cold.sqlite") as cold_book:
        cold = Granting(cold_book, lambda: signer, lambda: NOW)
        prepared = cold.reopen(unsigned, Policy.STRICT)
        assert prepared.review.draft == record.draft
        signed = cold.keep(cold.sign(prepared))
    back = granting.accept_signed(decode(signed.envelope or b""))
    assert (back.id, back.state) == (record.id, GrantState.SIGNED)
    assert granting.answered(request())
    with pytest.raises(Refused, match="signed already"):
        granting.accept_signed(decode(signed.envelope or b""))


def test_only_what_went_out_comes_back(granting: Granting, book: Book) -> None:
    signed = granting.sign(granting.prepare(filled(), WORLD))
    with pytest.raises(Refused, match="No grant of this machine"):
        granting.accept_signed(decode(signed.envelope))
    _, raw = granting.keep_unsigned(granting.prepare(filled(), WORLD))
    with pytest.raises(Refused, match="not a signed grant"):
        granting.accept_signed(decode(raw))
    with pytest.raises(Refused, match="not an unsigned grant"):
        granting.reopen(decode(signed.envelope), Policy.STRICT)


def test_a_signature_of_somebody_else_does_not_come_back(granting: Granting, book: Book) -> None:
    prepared = granting.prepare(filled(account=replace(from_address(31337, ACCOUNT.address), owner=OWNER)), WORLD)
    granting.keep_unsigned(prepared)
    book.add_account(replace(ACCOUNT, owner=KEY))
    with pytest.raises(Mismatch):
        granting.accept_signed(decode(granting.sign(prepared).envelope))
    assert book.grants()[0].envelope is None


def test_an_envelope_that_says_something_else_than_its_bytes_is_not_opened(granting: Granting) -> None:
    _, raw = granting.keep_unsigned(granting.prepare(filled(), WORLD))
    envelope = decode(raw)
    for change in (
        {"permissions": (ContractAccess(CONTRACT),)},
        {"expiry": NOW + 5},
        {"session_key": CONTRACT},
        {"entity_id": 5},
        {"nonce": 7},
    ):
        with pytest.raises(LatchkeyError):
            granting.reopen(decode(encode(replace(envelope, **change))), Policy.STRICT)  # type: ignore[arg-type]


# --- ids


def test_ids_are_random_and_in_range(book: Book) -> None:
    drawn = [choose_ids(book, ACCOUNT) for _ in range(300)]
    assert len({ids.nonce_key for ids in drawn}) == len({ids.entity_id for ids in drawn}) == 300
    assert all(FIRST_ENTITY_ID <= ids.entity_id <= LAST_ENTITY_ID for ids in drawn)
    assert max(ids.nonce_key for ids in drawn) > 2**120
    assert all(ids.nonce_key < 2**152 for ids in drawn)


def test_ids_in_the_book_are_never_drawn_again(granting: Granting, book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    granting.choose = lambda _book, _account: Ids(FIRST_ENTITY_ID, 5)
    granting.keep_unsigned(granting.prepare(filled(), WORLD))
    offers, keys = iter([0, 1, 1, 2]), iter([9, 5, 5, 6])
    monkeypatch.setattr(module.secrets, "randbelow", lambda _n: next(offers))
    monkeypatch.setattr(module.secrets, "randbits", lambda _n: next(keys))
    assert choose_ids(book, ACCOUNT) == Ids(FIRST_ENTITY_ID + 2, 6)


def test_the_largest_entity_id_can_be_drawn(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.secrets, "randbelow", lambda n: n - 1)
    assert choose_ids(book, ACCOUNT).entity_id == LAST_ENTITY_ID == 2**31 - 2


def test_every_grant_has_ids_of_its_own(granting: Granting) -> None:
    drafts = [granting.prepare(filled(), WORLD).review.draft for _ in range(20)]
    assert len({d.nonce_key for d in drafts}) == len({d.entity_id for d in drafts}) == 20
    assert {d.sequence for d in drafts} == {0}


# --- what is well


def test_good_signs(granting: Granting) -> None:
    careful = granting.prepare(filled(), WORLD)
    assert good_signs(careful.review, NOW) == (
        "What will be signed says exactly this",
        "Gas is limited to 0.01 ETH",
        "Expires within a day",
        "No ETH can leave with its calls",
    )
    assert careful.review.findings == ()
    state = wizard.add_cards(filled(cards=()), [form_of(Erc20TokenTransfer(CONTRACT, 5)), form_of(NativeTokenTransfer(5))])
    state = replace(state, expiry=replace(state.expiry, until=wizard.Until.WEEK))
    assert good_signs(granting.prepare(state, WORLD).review, NOW) == ("What will be signed says exactly this", "Expires in 7 days")


@pytest.mark.parametrize(("ids", "code"), [(Ids(5_000_000, 99), "NonceTaken"), (Ids(5_000_000, 100), "EntityIdTaken")])
def test_a_second_grant_that_could_be_swapped_or_merged_is_not_signed(granting: Granting, book: Book, ids: Ids, code: str) -> None:
    granting.choose = lambda _book, _account: Ids(5_000_000, 99)
    granting.keep(granting.sign(granting.prepare(filled(), WORLD)))
    granting.choose = lambda _book, _account: ids
    other = replace(filled(), cards=filled().cards[:-1])
    with pytest.raises(Refused) as refusal:
        granting.sign(granting.prepare(other, WORLD))
    assert refusal.value.code == code
    assert len(book.grants()) == 1


def test_what_was_kept_unsigned_is_signed_in_place(granting: Granting, book: Book) -> None:
    prepared = granting.prepare(filled(), WORLD)
    waiting, _ = granting.keep_unsigned(prepared)
    record = granting.keep(granting.sign(prepared))
    assert record.id == waiting.id
    assert book.grants() == (record,)
    assert record.envelope is not None


def test_a_vault_that_locked_itself_meanwhile_is_opened_again(granting: Granting, signer: SignerClient) -> None:
    prepared = granting.prepare(filled(), WORLD)
    signer.lock()
    assert granting.keep(granting.sign(prepared)).envelope is not None
    signer.lock()
    assert granting.make_key()


# --- what the chain says


def test_the_chain_is_asked_first_and_its_remarks_are_handed_on(granting: Granting) -> None:
    asked: list[tuple[Account, Draft]] = []
    remark = Finding("not-checked", Level.NOTICE, "The chain could not be asked.", "It can be signed without that.")

    def check(account: Account, draft: Draft) -> tuple[Finding, ...]:
        asked.append((account, draft))
        return (remark,)

    granting._check = check
    prepared = granting.prepare(filled(), WORLD)
    signed = granting.sign(prepared)
    assert signed.remarks == (remark,)
    assert [(account.owner, draft) for account, draft in asked] == [(OWNER, prepared.review.draft)]
    assert granting.check(prepared) == (remark,)


def test_what_the_chain_refuses_is_not_signed(granting: Granting, book: Book) -> None:
    def check(_account: Account, _draft: Draft) -> tuple[Finding, ...]:
        raise Refused("The account has another owner.", code="OwnerDiffers")

    granting._check = check
    granting._client = lambda: pytest.fail("the signer was asked")
    with pytest.raises(Refused):
        granting.sign(granting.prepare(filled(), WORLD))
    assert book.grants() == ()
