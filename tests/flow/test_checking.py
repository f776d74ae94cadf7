"""What the chain may say against a grant; the ids that are chosen. With a real chain: tests/chain/test_session_flow.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.contracts import HALF, NATIVE_TOKEN_LIMIT
from latchkey.core.permissions import ContractAccess
from latchkey.core.phrases import Finding, Level
from latchkey.core.session import AccountReading, Hook, Leftover, LogRange, Owner
from latchkey.core.types import Address
from latchkey.errors import ChainError
from latchkey.flow.checking import JUST, Checks, _contradictions
from latchkey.flow.granting import FIRST_ENTITY_ID, choose_ids
from latchkey.store.book import Book
from latchkey.store.readings import Kept, Readings
from tests.drafts import NOW
from tests.sessions import BASE, OWNER, draft, reading_of, session_of
from tests.store.grants import ACCOUNT, grant

OTHER = Address.parse("0x" + "0d" * 20)
MADE = draft(ContractAccess(OTHER))


def owned(by: Address = OWNER, *hooks: Hook, disabled: bool = False) -> AccountReading:
    return reading_of(owners=(Owner("fallback-signer", 0, address=by, disabled=disabled, hooks=hooks),))


@pytest.mark.parametrize(
    ("reading", "codes"),
    [
        (owned(), []),
        (reading_of(owners=(), deployed=False), []),
        (owned(OTHER), ["OwnerDiffers"]),
        (owned(disabled=True), ["OwnerDisabled"]),
        (owned(OWNER, Hook(OTHER, 0, 1)), ["OwnerHasHooks"]),
        (owned(OWNER, Hook(OTHER, 0, 4)), []),  # runs at execution; a grant's signature never meets it
        (reading_of(findings=(Finding("code-unknown", Level.DANGER, "?.", "?"),)), ["CodeUnknown"]),
        (reading_of(findings=(Finding("second-differs", Level.DANGER, "?.", "?"),)), ["RpcsDiffer"]),
        (reading_of(findings=(Finding("logs-incomplete", Level.WARNING, "?.", "?"),)), []),
        (reading_of(session_of(MADE)), ["EntityIdUsed"]),
        (reading_of(used_entity_ids=frozenset({MADE.entity_id})), ["EntityIdUsed"]),
        (reading_of(used_entity_ids=frozenset({MADE.entity_id + 1})), []),
        (reading_of(leftovers=(Leftover(NATIVE_TOKEN_LIMIT, MADE.entity_id + HALF, amount=9),)), ["EntityIdUsed"]),
        (reading_of(leftovers=(Leftover(NATIVE_TOKEN_LIMIT, MADE.entity_id + 1, amount=9),)), []),
    ],
)
def test_what_contradicts_a_grant(reading: AccountReading, codes: list[str]) -> None:
    assert [refused.code for refused in _contradictions(reading, OWNER, MADE, frozenset())] == codes


def test_an_id_seen_before_contradicts_too_and_an_owner_not_known_does_not() -> None:
    assert [r.code for r in _contradictions(owned(), OWNER, MADE, frozenset({MADE.entity_id}))] == ["EntityIdUsed"]
    assert list(_contradictions(owned(OTHER), None, MADE, frozenset())) == []


@given(seen=st.frozensets(st.integers(1, 40)), mine=st.sets(st.integers(1, 40), max_size=5))
def test_the_smallest_id_that_was_never_seen(seen: frozenset[int], mine: set[int]) -> None:
    class Ids:
        """A book, as far as choosing looks at one."""

        def entity_ids(self, _: object) -> frozenset[int]:
            return frozenset(mine)

        def pending_nonces(self, _: object) -> frozenset[int]:
            return frozenset()

    chosen = choose_ids(Ids(), ACCOUNT, seen).entity_id  # type: ignore[arg-type]
    assert chosen not in seen | mine
    assert all(earlier in seen | mine for earlier in range(1, chosen))


class NoChain:
    def node(self, chain_id: int) -> object:
        raise ChainError("Set an RPC in Settings.", code="NotSet")

    def second(self, chain_id: int) -> None:
        return None


@pytest.mark.parametrize(
    ("taken", "logs", "smallest"),
    [
        (NOW, LogRange(0, 9), True),
        (NOW - JUST, LogRange(0, 9), True),
        (NOW - JUST - 1, LogRange(0, 9), False),
        (NOW + 1, LogRange(0, 9), False),
        (NOW, LogRange(0, 9, ((3, 3),)), False),
    ],
)
def test_only_a_complete_reading_of_just_now_is_relied_on(book: Book, taken: int, logs: LogRange, smallest: bool) -> None:
    Readings(book).put(Kept(reading_of(used_entity_ids=frozenset({1, 2}), logs=logs), taken))
    chosen = Checks(book, NoChain(), lambda: NOW).choose(book, BASE).entity_id  # type: ignore[arg-type]
    assert (chosen == 3) is smallest
    assert smallest or chosen >= FIRST_ENTITY_ID


def test_never_read_is_chosen_at_random_and_nothing_is_asked(book: Book) -> None:
    checks = Checks(book, NoChain(), lambda: NOW)  # type: ignore[arg-type]
    assert checks.choose(book, BASE).entity_id >= FIRST_ENTITY_ID
    assert checks.check(BASE, MADE) == ()


def test_ids_of_the_own_book_are_passed_over(book: Book) -> None:
    book.add_grant(grant(1))  # has id 7
    assert choose_ids(book, ACCOUNT, frozenset(range(1, 7))).entity_id == 8
