"""Notices: of what deserves one, once each, also after a restart; quiet otherwise."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import pytest

from latchkey.core.account import Account
from latchkey.core.draft import Draft
from latchkey.core.permissions import ContractAccess, FunctionsOnContract, GasLimit, NativeTokenTransfer
from latchkey.core.session import LimitKind, Session, SessionState
from latchkey.core.types import Address, Selector
from latchkey.errors import ChainError, LatchkeyError
from latchkey.flow.session_rows import View, view_of
from latchkey.flow.watch import EVERY, SELDOM, Notice, NoticeKind, Watch, noticed
from latchkey.store.book import Book
from latchkey.store.readings import Kept
from latchkey.store.records import GrantRecord, GrantState
from tests.drafts import NOW
from tests.sessions import BASE, draft, reading_of, session_of

GAME = Address.parse("0x" + "11" * 20)
MADE = draft(FunctionsOnContract(GAME, (Selector.parse("0x6679bbf4"),)), NativeTokenTransfer(0), GasLimit(1000))
OTHER = replace(MADE, entity_id=6)


def record(made: Draft = MADE, **fields: object) -> GrantRecord:
    values = {
        "nonce": 0,
        "unsigned": b"",
        "created": NOW,
        "envelope": b"",
        "state": GrantState.SIGNED,
        "id": 1,
        "label": "Castle",
    } | fields
    return GrantRecord(made, **values)  # type: ignore[arg-type]


def view(*sessions: Session, records: Iterable[GrantRecord] = (), passed: int = 0, **reading: object) -> View:
    kept = Kept(reading_of(*sessions, **reading), NOW, {one.id: 1 for one in records})
    return view_of(BASE, kept, tuple(records), seen=None, endings={}, clock=NOW + passed)


@dataclass
class Chain:
    """Sessions as the watch uses them: whatever is put here is read next."""

    next: View | LatchkeyError
    reads: int = 0
    now: int = NOW
    asked: list[Account] = field(default_factory=list)

    def refresh_all(
        self,
        accounts: Iterable[Account],
        arrived: Callable[[Account, View | LatchkeyError], None],
        *,
        stop: threading.Event | None = None,
    ) -> None:
        for account in accounts:
            self.asked.append(account)
            self.reads += 1
            arrived(account, self.next)


@pytest.fixture
def book(book: Book) -> Book:
    book.add_account(BASE)
    return book


def watch(book: Book, chain: Chain) -> Watch:
    return Watch(chain, book, lambda: chain.now)  # type: ignore[arg-type]


def kinds(notices: Iterable[Notice]) -> list[NoticeKind]:
    return [notice.kind for notice in notices]


QUIET = view(session_of(MADE), records=(record(),), used_entity_ids=frozenset())


def test_a_calm_account_is_quiet(book: Book) -> None:
    watching = watch(book, Chain(QUIET))
    calm = view(session_of(MADE), records=(record(),))
    assert [watching.take(calm) for _ in range(3)] == [(), (), ()]


def test_what_is_there_at_the_first_look_is_taken_as_it_is(book: Book) -> None:
    watching = watch(book, Chain(QUIET))
    assert watching.take(view(session_of(MADE), session_of(OTHER), records=(record(),))) == ()
    assert watching.take(view(session_of(MADE), session_of(OTHER), records=(record(),))) == ()


def test_a_session_that_appears_is_said_once_also_after_a_restart(book: Book) -> None:
    watch(book, Chain(QUIET)).take(view())
    with_it = view(session_of(OTHER))
    [notice] = watch(book, Chain(QUIET)).take(with_it)
    assert (notice.kind, notice.entity_id, notice.account) == (NoticeKind.APPEARED, 6, BASE)
    assert notice.sentence == "A session that was not granted here is on Games (Base): number 6, for 0x6679bbf4 on " + GAME + "."
    assert watch(book, Chain(QUIET)).take(with_it) == ()
    again = replace(session_of(OTHER), signer=GAME)
    assert kinds(watch(book, Chain(QUIET)).take(view(again))) == [NoticeKind.APPEARED]


def test_a_session_that_was_granted_here_only_says_that_its_grant_was_used(book: Book) -> None:
    watching = watch(book, Chain(QUIET))
    watching.take(view())
    [notice] = watching.take(view(session_of(MADE), records=(record(),)))
    assert (notice.kind, notice.sentence) == (NoticeKind.USED, "The grant “Castle” was used for the first time on Games (Base).")
    assert watching.take(view(records=(record(),), used_entity_ids=frozenset({5}))) == ()


def test_a_grant_that_was_cancelled_is_no_news(book: Book) -> None:
    watching = watch(book, Chain(QUIET))
    watching.take(view())
    assert watching.take(view(records=(record(),))) == ()


def test_a_session_that_outgrew_its_grant_is_said(book: Book) -> None:
    watching = watch(book, Chain(QUIET))
    watching.take(view(session_of(MADE), records=(record(),)))
    wider = session_of(replace(MADE, permissions=(*MADE.permissions, ContractAccess(BASE.address))))
    [notice] = watching.take(view(wider, records=(record(),)))
    assert notice.kind is NoticeKind.WIDENED
    assert watching.take(view(wider, records=(record(),))) == ()


@pytest.mark.parametrize(("left", "said"), [(201, False), (200, True), (0, True)])
def test_a_limit_is_said_at_four_fifths(book: Book, left: int, said: bool) -> None:
    watching = watch(book, Chain(QUIET))
    spent = view(session_of(MADE, left={LimitKind.GAS: left}), records=(record(),))
    found = watching.take(spent)
    assert (kinds(found) == [NoticeKind.NEARLY_USED_UP]) is said
    assert watching.take(spent) == ()
    if left == 200:
        assert found[0].sentence.startswith("The session “Castle” on Games (Base) has used 80 % of a limit: 0.0000")


def test_of_an_amount_that_is_not_known_nothing_is_said() -> None:
    assert kinds(noticed(view(session_of(MADE, left={LimitKind.GAS: 0}, granted=False)))) == [NoticeKind.APPEARED]


@pytest.mark.parametrize(("passed", "said"), [(86_400 - 3_601, False), (86_400 - 3_600, True), (86_400, True), (86_401, False)])
def test_an_end_is_said_an_hour_before(book: Book, passed: int, said: bool) -> None:
    watching = watch(book, Chain(QUIET))
    watching.take(view(session_of(MADE), records=(record(),)))
    near = view(session_of(MADE), records=(record(),), passed=passed)
    assert (kinds(watching.take(near)) == [NoticeKind.ENDING]) is said
    assert watching.take(near) == ()


def test_of_what_is_being_revoked_only_its_appearance_is_said() -> None:
    ending = view(session_of(MADE, left={LimitKind.GAS: 0}), records=(record(),), passed=86_000)
    assert kinds(noticed(ending)) == [NoticeKind.NEARLY_USED_UP, NoticeKind.ENDING, NoticeKind.USED]
    revoking = replace(ending, rows=(replace(ending.rows[0], state=SessionState.REVOKING),))
    assert kinds(noticed(revoking)) == [NoticeKind.USED]


# --- looking


def test_accounts_of_the_book_are_read_when_they_are_due(book: Book) -> None:
    chain = Chain(view())
    watching = watch(book, chain)
    watching.look()
    watching.look()
    assert (chain.reads, chain.asked) == (1, [BASE])
    chain.now += EVERY - 1
    watching.look()
    assert chain.reads == 1
    chain.now += 1
    chain.next = view(session_of(OTHER))
    assert kinds(watching.look()) == [NoticeKind.APPEARED]


def test_an_rpc_that_fails_is_said_once_and_asked_less_and_less(book: Book) -> None:
    chain = Chain(ChainError("The RPC cannot be reached.", code="Unreachable"))
    watching = watch(book, chain)
    [notice] = watching.look()
    assert notice.kind is NoticeKind.SILENT
    assert notice.sentence == "Games (Base) cannot be read: The RPC cannot be reached."
    pauses = []
    for _ in range(6):
        before, chain.reads = chain.now, 0
        while not chain.reads:
            chain.now += 10
            assert watching.look() == ()
        pauses.append(chain.now - before)
    assert pauses == [120, 240, 480, SELDOM, SELDOM, SELDOM]
    chain.now += SELDOM
    chain.next = view()
    assert watching.look() == ()
    chain.now += EVERY
    chain.next = ChainError("The RPC cannot be reached.", code="Unreachable")
    assert kinds(watching.look()) == [NoticeKind.SILENT]
    chain.now += SELDOM
    chain.next = ChainError("Wrong network.", code="WrongChain")
    assert kinds(watching.look()) == [NoticeKind.SILENT]


def test_without_an_rpc_nothing_is_said(book: Book) -> None:
    chain = Chain(ChainError("Set an RPC.", code="NotSet"))
    assert watch(book, chain).look() == ()


def test_what_arrives_after_the_stop_is_not_lost(book: Book) -> None:
    """Stopped while reading: nothing is said, and nothing counts as said that was not."""
    chain, stop = Chain(view()), threading.Event()
    watching = watch(book, chain)
    watching.look(stop)
    stop.set()
    chain.now += EVERY
    chain.next = ChainError("Stopped.", code="Stopped")
    assert watching.look(stop) == ()


def test_it_runs_until_it_is_stopped(book: Book) -> None:
    chain, stop, heard = (
        Chain(view(session_of(MADE, left={LimitKind.GAS: 1}), records=(record(),))),
        threading.Event(),
        list[Notice](),
    )

    def say(notice: Notice) -> None:
        heard.append(notice)
        stop.set()

    watch(book, chain).run(say, stop)
    assert kinds(heard) == [NoticeKind.NEARLY_USED_UP]
