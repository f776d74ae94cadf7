"""What a reading and the book together say of each session: who granted it, how far it goes beyond that, in which order."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.account import Account
from latchkey.core.contracts import ALLOWLIST
from latchkey.core.draft import Draft
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Root,
)
from latchkey.core.phrases import Level
from latchkey.core.request import Claims
from latchkey.core.session import AccountReading, Leftover, LimitKind, LogRange, Session, SessionState
from latchkey.core.types import Address, Selector
from latchkey.flow.session_rows import (
    Filter,
    Origin,
    Row,
    View,
    beyond,
    chain_now,
    mark_of,
    narrowed,
    ordered,
    view_of,
    with_granted,
)
from latchkey.store.endings import EndingItem, ItemKind, ItemState
from latchkey.store.readings import Kept
from latchkey.store.records import GrantRecord, GrantState
from tests.drafts import NOW, random_draft
from tests.sessions import BASE, BLOCK, draft, reading_of, session_of

GAME, GOLD, ODD = (Address.parse("0x" + digits * 20) for digits in ("11", "60", "0d"))
MOVE, OTHER_MOVE = Selector.parse("0x6679bbf4"), Selector.parse("0x11111111")
TAKEN = NOW + 500_000  # this computer's clock is far off; nothing may depend on it
CAREFUL = draft(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(10**16))
SPENDER = draft(ContractAccess(GAME), NativeTokenTransfer(1000), GasLimit(2000), Erc20TokenTransfer(GOLD, 3000), entity_id=6)


def record(made: Draft, number: int = 1, **fields: object) -> GrantRecord:
    values = {"nonce": 0, "unsigned": b"", "created": NOW, "envelope": b"", "state": GrantState.SIGNED, "id": number} | fields
    return GrantRecord(made, **values)  # type: ignore[arg-type]


def view(
    reading: AccountReading,
    *records: GrantRecord,
    seen: dict[int, str] | None = None,
    endings: dict[tuple[ItemKind, int, int], EndingItem] | None = None,
    clock: int = TAKEN,
) -> View:
    return view_of(BASE, Kept(reading, TAKEN), records, seen=seen, endings=endings or {}, clock=clock)


def row(session: Session, *records: GrantRecord, **other: object) -> Row:
    return view(reading_of(session), *records, **other).rows[0]  # type: ignore[arg-type]


# --- who granted it


def test_a_session_of_the_book_has_its_label_and_its_origin() -> None:
    found = row(session_of(CAREFUL), record(CAREFUL, label="Castle", claims=Claims(dapp_name="Castle Wars")))
    assert (found.label, found.claim, found.origin, found.title.plain) == ("Castle", "Castle Wars", Origin.HERE, "Castle")
    assert found.findings == ()
    assert found.record is not None


@pytest.mark.parametrize(
    "other", [replace(CAREFUL, entity_id=6), replace(CAREFUL, session_key=ODD)], ids=["another id", "another key"]
)
def test_a_session_of_another_id_or_key_is_not_ours(other: Draft) -> None:
    found = row(session_of(CAREFUL), record(other, label="Castle"))
    assert (found.label, found.origin, found.title.plain) == ("", Origin.ELSEWHERE, "Not made here")
    assert [f.id for f in found.findings] == ["not-made-here"]


def test_without_a_label_the_dapp_is_quoted() -> None:
    assert row(session_of(CAREFUL), record(CAREFUL, claims=Claims(dapp_name="Castle"))).title.plain == "Calls itself “Castle”"
    assert row(session_of(CAREFUL), record(CAREFUL)).title.plain == "Session 5"


# --- granted amounts


def test_what_was_granted_is_taken_from_the_book() -> None:
    session = session_of(SPENDER, left={LimitKind.NATIVE: 1, LimitKind.GAS: 2, LimitKind.ERC20: 3}, granted=False)
    limits = row(session, record(SPENDER)).session.limits
    assert {(limit.kind, limit.left, limit.granted) for limit in limits} == {
        (LimitKind.NATIVE, 1, 1000),
        (LimitKind.GAS, 2, 2000),
        (LimitKind.ERC20, 3, 3000),
    }
    assert all(limit.granted is None for limit in row(session).session.limits)


def test_more_left_than_was_granted_is_not_explained_by_the_book() -> None:
    session = session_of(replace(SPENDER, permissions=(ContractAccess(GAME), GasLimit(5000))), granted=False)
    limits = with_granted(session, record(SPENDER)).limits
    assert [(limit.left, limit.granted) for limit in limits] == [(5000, None)]
    assert [phrase.plain for phrase in row(session, record(SPENDER)).more]


# --- beyond the grant


@given(st.integers(0, 2**32))
def test_a_session_as_it_was_granted_is_not_beyond_its_grant(seed: int) -> None:
    made = random_draft(random.Random(seed))
    assert beyond(session_of(made), made) == ()


@given(st.integers(0, 2**32), st.integers(0, 2**64))
def test_spending_and_shortening_is_never_beyond(seed: int, spent: int) -> None:
    made = random_draft(random.Random(seed))
    session = session_of(made)
    now = tuple(_less(p, spent) for p in session.install.permissions)
    shorter = max(1, (made.expiry or 2**48) - spent % 10_000)
    assert beyond(replace(session, install=replace(session.install, permissions=now, expiry=shorter)), made) == ()


def _less(permission: object, by: int) -> object:
    match permission:
        case NativeTokenTransfer(amount):
            return NativeTokenTransfer(max(0, amount - by))
        case GasLimit(amount):
            return GasLimit(max(0, amount - by))
        case Erc20TokenTransfer(token, amount):
            return Erc20TokenTransfer(token, max(0, amount - by))
    return permission


WIDER = [
    replace(CAREFUL, permissions=(*CAREFUL.permissions, ContractAccess(ODD))),
    replace(CAREFUL, permissions=(FunctionsOnContract(GAME, (MOVE, OTHER_MOVE)), *CAREFUL.permissions[1:])),
    replace(CAREFUL, permissions=CAREFUL.permissions[:2]),
    replace(CAREFUL, permissions=(CAREFUL.permissions[0], NativeTokenTransfer(1), CAREFUL.permissions[2])),
    replace(CAREFUL, permissions=(*CAREFUL.permissions, Erc20TokenTransfer(GOLD, 1))),
    replace(CAREFUL, permissions=(*CAREFUL.permissions, AccountFunctions((MOVE,)))),
    replace(CAREFUL, permissions=(Root(),)),
    replace(CAREFUL, expiry=CAREFUL.expiry + 1),
    replace(CAREFUL, expiry=0),
]


@pytest.mark.parametrize("wider", WIDER)
def test_whatever_goes_beyond_is_said(wider: Draft) -> None:
    found = row(session_of(wider), record(CAREFUL))
    assert found.origin is Origin.HERE
    assert found.more
    assert "more-than-granted" in [f.id for f in found.findings]
    assert beyond(session_of(CAREFUL), CAREFUL) == ()


def test_signing_messages_goes_beyond_every_grant() -> None:
    session = session_of(CAREFUL)
    assert beyond(replace(session, install=replace(session.install, signs_messages=True)), CAREFUL)


def test_selectors_an_expert_added_are_part_of_the_grant() -> None:
    made = replace(CAREFUL, selectors=(OTHER_MOVE,))
    assert beyond(session_of(made), made) == ()
    assert beyond(session_of(made), CAREFUL)


# --- since the last look


def test_before_the_first_look_nothing_is_new() -> None:
    assert not row(session_of(CAREFUL)).since_last_look


def test_what_was_not_there_at_the_last_look_is_new() -> None:
    session = session_of(CAREFUL)
    assert not row(session, seen={5: mark_of(session)}).since_last_look
    assert row(session, seen={}).since_last_look
    assert row(session, seen={}).findings[0].id == "appeared"
    assert row(session, record(CAREFUL), seen={}).findings == ()


@pytest.mark.parametrize(
    "changes", [{"signer": ODD}, {"flags": 5}, {"module": ODD}, {"selectors": (MOVE,)}, {"hooks": ()}, {"execution_hooks": ()}]
)
def test_another_one_under_the_same_id_is_new(changes: dict[str, object]) -> None:
    session = session_of(CAREFUL)
    assert row(replace(session, **changes), seen={5: mark_of(session)}).since_last_look  # type: ignore[arg-type]


@given(st.integers(0, 10**16))
def test_spending_makes_nothing_new(left: int) -> None:
    assert mark_of(session_of(CAREFUL, left={LimitKind.GAS: left})) == mark_of(session_of(CAREFUL))


# --- state and chain time


@pytest.mark.parametrize(
    ("passed", "state"),
    [
        (0, SessionState.ACTIVE),
        (86_400 - 3_600, SessionState.EXPIRES_SOON),
        (86_400, SessionState.EXPIRES_SOON),
        (86_401, SessionState.EXPIRED),
    ],
)
def test_the_clock_goes_on_from_the_block(passed: int, state: SessionState) -> None:
    found = view(reading_of(session_of(CAREFUL)), clock=TAKEN + passed)
    assert (found.now, found.rows[0].state) == (NOW + passed, state)


def test_a_clock_that_was_set_back_does_not_turn_back_the_chain() -> None:
    assert chain_now(BLOCK, TAKEN, TAKEN - 999) == NOW


def item(state: ItemState, block: int | None = None) -> dict[tuple[ItemKind, int, int], EndingItem]:
    return {(ItemKind.REVOKE, 5, 0): EndingItem(ItemKind.REVOKE, 5, state=state, block=block)}


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        (item(ItemState.PENDING), SessionState.REVOKING),
        (item(ItemState.DONE, BLOCK.number + 1), SessionState.REVOKED),
        (item(ItemState.DONE, BLOCK.number), SessionState.ACTIVE),  # installed again since
        (item(ItemState.FAILED), SessionState.ACTIVE),
        ({}, SessionState.ACTIVE),
    ],
)
def test_what_was_sent_to_end_it_shows(ending: dict[tuple[ItemKind, int, int], EndingItem], state: SessionState) -> None:
    found = row(session_of(CAREFUL), endings=ending)
    assert found.state is state
    assert found.can_end is (state is SessionState.ACTIVE)


def test_what_was_revoked_here_is_remembered() -> None:
    found = view(reading_of(), record(CAREFUL, label="Castle"), endings=item(ItemState.DONE, 990))
    assert [(gone.entity_id, gone.label, gone.block) for gone in found.gone] == [(5, "Castle", 990)]
    assert view(reading_of(session_of(CAREFUL)), endings=item(ItemState.DONE, 990)).gone == ()


def test_a_key_that_acts_for_several_sessions_is_said() -> None:
    two = view(reading_of(session_of(CAREFUL), session_of(SPENDER)), record(CAREFUL), record(SPENDER, 2)).rows
    assert all("session-key-used-elsewhere" in [f.id for f in one.findings] for one in two)
    other = replace(SPENDER, session_key=ODD)
    apart = view(reading_of(session_of(CAREFUL), session_of(other)), record(CAREFUL), record(other, 2)).rows
    assert not any("session-key-used-elsewhere" in [f.id for f in one.findings] for one in apart)


# --- order and filters


def keyed(entity_id: int, **changes: object) -> Draft:
    return replace(CAREFUL, entity_id=entity_id, session_key=Address.from_bytes(bytes([entity_id]) * 20), **changes)  # type: ignore[arg-type]


SAFE, SOON, FOREIGN, ROOT, OVER = (
    keyed(1),
    keyed(2, expiry=NOW + 4_000),
    keyed(3, expiry=NOW + 90_000),
    keyed(4, permissions=(Root(),), expiry=NOW + 80_000),
    keyed(7, expiry=NOW - 1),
)


def five() -> View:
    records = [record(made, made.entity_id) for made in (SAFE, SOON, ROOT)]
    return view(reading_of(*map(session_of, (SAFE, OVER, SOON, FOREIGN, ROOT))), *records)


def test_unknown_and_dangerous_first_then_by_expiry_ended_last() -> None:
    assert [found.session.entity_id for found in five().rows] == [4, 3, 2, 1, 7]


@given(st.permutations(range(5)), st.integers(0, 2**32))
def test_the_order_does_not_depend_on_where_one_began(order: list[int], seed: int) -> None:
    rows = five().rows
    assert ordered(rows[i] for i in order) == rows


def test_never_ends_after_all_that_end() -> None:
    endless = keyed(9, expiry=0)
    rows = view(reading_of(session_of(SAFE), session_of(endless)), record(SAFE), record(endless, 2)).rows
    assert [found.session.entity_id for found in rows] == [9, 1]  # without an end is dangerous
    calm = [replace(found, findings=()) for found in rows]
    assert [found.session.entity_id for found in ordered(calm)] == [1, 9]


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        (Filter(), {4, 3, 2, 1, 7}),
        (Filter(account=BASE), {4, 3, 2, 1, 7}),
        (Filter(account=replace(BASE, chain_id=1)), set()),
        (Filter(chain_id=BASE.chain_id), {4, 3, 2, 1, 7}),
        (Filter(chain_id=1), set()),
        (Filter(states=frozenset({SessionState.ACTIVE})), {3, 2, 1}),
        (Filter(states=frozenset({SessionState.FULL_CONTROL, SessionState.EXPIRED})), {4, 7}),
        (Filter(risk=Level.DANGER), {4}),
        (Filter(risk=Level.WARNING), {4, 3, 7}),
        (Filter(origin=Origin.ELSEWHERE), {3, 7}),
        (Filter(text="not MADE"), {3, 7}),
        (Filter(text=GAME.lower()[:12]), {3, 2, 1, 7}),
        (Filter(risk=Level.WARNING, origin=Origin.HERE), {4}),
    ],
)
def test_filters(wanted: Filter, left: set[int]) -> None:
    rows = five().rows
    found = narrowed(rows, wanted)
    assert {one.session.entity_id for one in found} == left
    assert list(found) == [one for one in rows if one in found]


# --- what is said of the reading


def test_empty_is_said_with_account_network_block_and_range() -> None:
    said = view(reading_of()).empty.plain
    assert said == (f"No sessions on {BASE.address} on Base at block 1000. Logs of blocks 0 to 1000 were read, all of them.")
    part = view(reading_of(logs=LogRange(10, 1000, ((20, 29), (50, 50))))).empty.plain
    assert part.endswith(
        "Logs of blocks 10 to 1000 were read, without 11 blocks that could not be read: something may be missing here."
    )
    assert (
        view(reading_of(deployed=False)).empty.plain
        == f"No sessions: {BASE.address} on Base is not on the chain yet, as of block 1000."
    )


def test_age_and_block_are_said() -> None:
    found = view(reading_of())
    assert found.basis(TAKEN).startswith("Read just now at block 1000.")
    assert found.basis(TAKEN + 7_300).startswith("Read 2 hours 1 minute ago at block 1000.")


def test_a_row_is_complete_when_the_logs_and_its_list_are() -> None:
    session = session_of(CAREFUL)
    assert row(session).complete
    assert not row(replace(session, targets_complete=False)).complete
    assert not view(reading_of(session, logs=LogRange(0, 9, ((1, 1),)))).rows[0].complete


def test_findings_of_the_account_stand_beside_the_rows() -> None:
    account: Account = BASE
    found = view(reading_of(leftovers=(Leftover(ALLOWLIST, 5, GOLD),)))
    assert [finding.id for finding in found.findings] == ["left-behind"]
    assert found.account == account
