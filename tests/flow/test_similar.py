"""Similar grants: what the same dApp or key holds already, and a new grant that waits until what it replaces is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from latchkey.accounts.modular_account.build import build
from latchkey.accounts.system import system
from latchkey.codec.hand_over import Envelope, Kind, encode
from latchkey.core.draft import Draft
from latchkey.core.permissions import FunctionsOnContract, GasLimit, NativeTokenTransfer
from latchkey.core.reading import Install
from latchkey.core.request import NO_CLAIMS, Claims
from latchkey.core.session import AccountReading, Block, Limit, LimitKind, LogRange, Session
from latchkey.core.types import Address, Selector
from latchkey.flow.accounts import from_owner
from latchkey.flow.similar import Replacing, find, lines, title
from latchkey.store.book import Book
from latchkey.store.readings import Kept, Readings
from latchkey.store.records import GrantRecord, GrantState
from latchkey.store.replacing import Replacements
from tests.flow.signer import OWNER

NOW = 1_795_300_000
KEY, OTHER_KEY = Address.parse("0x" + "5e" * 20), Address.parse("0x" + "5f" * 20)
ACCOUNT = from_owner(31337, OWNER)
ROOMS = Claims("Rooms", "https://rooms.example")
GAME = Address.parse("0x" + "c0" * 20)


def clock() -> int:
    return NOW


def draft(entity_id: int, key: Address = KEY, expiry: int = NOW + 86_400) -> Draft:
    scope = FunctionsOnContract(GAME, (Selector.parse("0x4e71d92d"),)), NativeTokenTransfer(0), GasLimit(10**17)
    return Draft("modular_account", 31337, ACCOUNT.address, entity_id, entity_id, 0, expiry, key, scope)


def granted(book: Book, entity_id: int, claims: Claims = ROOMS, key: Address = KEY, **fields: int) -> GrantRecord:
    """Signed, as far as the book can tell."""
    drafted = draft(entity_id, key, **fields)
    grant = build(drafted)
    hand_over = Envelope(
        Kind.UNSIGNED_GRANT,
        drafted.permissions,
        replace(ACCOUNT, label=""),
        drafted.expiry,
        key,
        entity_id=entity_id,
        nonce=grant.nonce,
        unsigned=grant.unsigned,
    )
    record = GrantRecord(drafted, grant.nonce, grant.unsigned, NOW - 3600, "", claims, encode(hand_over), GrantState.SIGNED)
    return book.add_grant(record)


def session(entity_id: int, key: Address = KEY, expiry: int = NOW + 86_400) -> Session:
    install = system("modular_account").decode_unsigned(build(draft(entity_id, key, expiry)).unsigned).action
    assert isinstance(install, Install)
    limits = (Limit(LimitKind.GAS, 3 * 10**16, granted=10**17),)
    return Session(ACCOUNT, entity_id, install.module, key, 1, (), (), (), install, limits)


def read(book: Book, *sessions: Session, used: frozenset[int] = frozenset(), complete: bool = True, **sequences: int) -> None:
    """The chain was read: these sessions, and the next sequence of each grant's nonce key (g1=0: grant 1 was not used)."""
    logs = LogRange(0, 100, () if complete else ((5, 9),))
    ids = used | {one.entity_id for one in sessions}
    reading = AccountReading(ACCOUNT, Block(100, b"\x01" * 32, NOW), logs, True, sessions, used_entity_ids=ids)
    Readings(book).put(Kept(reading, NOW, {int(name[1:]): sequence for name, sequence in sequences.items()}))


def held(book: Book, key: Address | None = None, claims: Claims = ROOMS) -> list[int]:
    return [one.entity_id for one in find(book, ACCOUNT, key, claims, clock)]


def test_the_same_dapp_by_its_address_else_by_its_name(book: Book) -> None:
    granted(book, 5)
    assert held(book) == [5]
    assert held(book, claims=Claims("Other name", "ROOMS.example/")) == [5]
    assert held(book, claims=Claims("rooms")) == [5]
    assert held(book, claims=Claims("Rooms", "https://other.example")) == []
    assert held(book, claims=NO_CLAIMS) == []


def test_the_same_key_whoever_brings_it(book: Book) -> None:
    granted(book, 5, NO_CLAIMS)
    [found] = find(book, ACCOUNT, KEY, NO_CLAIMS, clock)
    assert found.same_key
    assert title((found,)) == "This key already holds a grant of this account"
    assert held(book, OTHER_KEY, NO_CLAIMS) == []


def test_another_account_is_another_matter(book: Book) -> None:
    granted(book, 5)
    assert find(book, replace(ACCOUNT, chain_id=1), KEY, ROOMS, clock) == ()


def test_the_grant_itself_is_not_like_itself(book: Book) -> None:
    record = granted(book, 5)
    assert find(book, ACCOUNT, KEY, ROOMS, clock, besides=record.unsigned) == ()


def test_what_has_ended_or_was_cancelled_is_gone(book: Book) -> None:
    granted(book, 5, expiry=NOW - 1)
    assert held(book) == []
    record = granted(book, 6)
    assert held(book) == [6]
    read(book, **{f"g{record.id}": 1})
    assert held(book) == []


def test_on_the_chain_it_says_what_is_left(book: Book) -> None:
    record = granted(book, 5)
    read(book, session(5), **{f"g{record.id}": 1})
    [found] = find(book, ACCOUNT, None, ROOMS, clock)
    said = [line.plain for line in lines(found, NOW)]
    assert said[0] == "A grant to what calls itself “Rooms”, number 5, for another key"
    assert said[1].startswith("granted ")
    assert ", on the chain, works until " in said[1]
    assert said[2] == "0.03 ETH left for gas, of 0.1 ETH granted"


def test_a_session_that_was_not_made_here_is_found_by_its_key(book: Book) -> None:
    read(book, session(9, OTHER_KEY))
    assert held(book, OTHER_KEY, NO_CLAIMS) == [9]
    assert held(book, KEY) == []
    [found] = find(book, ACCOUNT, OTHER_KEY, NO_CLAIMS, clock)
    assert lines(found, NOW)[0].plain == "A session that was not made here, number 9, for this very key"


# --- replacing


def waiting(book: Book, *old: int) -> GrantRecord:
    record = granted(book, 77)
    Replacements(book).hold(record.id, old)
    return book.grant(record.id)


def test_it_waits_while_nobody_knows(book: Book) -> None:
    granted(book, 5)
    new, replacing = waiting(book, 5), Replacing(book, clock)
    assert [(old.entity_id, old.gone) for old in replacing.olds(new)] == [(5, None)]
    assert not replacing.release_if_gone(new)
    assert book.grant(new.id).state is GrantState.WAITING


@pytest.mark.parametrize(
    ("now_on_chain", "gone"),
    [
        (lambda book, old: read(book, **{f"g{old.id}": 0}), False),  # not used yet
        (lambda book, old: read(book, session(5), **{f"g{old.id}": 1}), False),  # in use
        (lambda book, old: read(book, complete=False, **{f"g{old.id}": 1}), None),  # used or cancelled: the logs do not tell
        (lambda book, old: read(book, **{f"g{old.id}": 1}), True),  # cancelled
        (lambda book, old: read(book, used=frozenset({5}), **{f"g{old.id}": 1}), True),  # used, and revoked
    ],
)
def test_it_is_released_only_when_the_old_one_is_gone(
    book: Book, now_on_chain: Callable[[Book, GrantRecord], None], gone: bool | None
) -> None:
    old = granted(book, 5)
    new, replacing = waiting(book, 5), Replacing(book, clock)
    now_on_chain(book, old)
    assert [one.gone for one in replacing.olds(new)] == [gone]
    assert replacing.release_if_gone(new) is bool(gone)
    assert book.grant(new.id).state is (GrantState.SIGNED if gone else GrantState.WAITING)


def test_all_of_them_have_to_be_gone(book: Book) -> None:
    one, other = granted(book, 5), granted(book, 6)
    new, replacing = waiting(book, 5, 6), Replacing(book, clock)
    read(book, session(6), **{f"g{one.id}": 1, f"g{other.id}": 1})
    assert [old.gone for old in replacing.olds(new)] == [True, False]
    assert not replacing.release_if_gone(new)


def test_the_person_may_keep_both_after_all(book: Book) -> None:
    granted(book, 5)
    new, replacing = waiting(book, 5), Replacing(book, clock)
    replacing.release(new)
    assert book.grant(new.id).state is GrantState.SIGNED
    assert replacing.olds(book.grant(new.id)) == ()
    assert replacing.release_if_gone(book.grant(new.id))


def test_a_session_that_was_not_made_here_is_gone_when_a_whole_reading_lacks_it(book: Book) -> None:
    new, replacing = waiting(book, 9), Replacing(book, clock)
    read(book, session(9, OTHER_KEY))
    assert [old.gone for old in replacing.olds(new)] == [False]
    read(book, complete=False)
    assert [old.gone for old in replacing.olds(new)] == [None]
    read(book)
    assert [old.gone for old in replacing.olds(new)] == [True]
