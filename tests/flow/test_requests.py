"""A request is answered once, whatever way it came, however often it comes, across restarts; floods are turned away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from latchkey.core.permissions import ContractAccess, GasLimit, NativeTokenTransfer
from latchkey.core.request import Claims, RevocationRequest, SessionRequest
from latchkey.core.types import Address
from latchkey.errors import BadInput, Refused
from latchkey.flow import requests as flow
from latchkey.flow.requests import OTHER, REASONS, Answer, Requests, RequestState, Source, refusal
from latchkey.store.book import Book
from latchkey.store.contracts import Contracts, KeptContract
from latchkey.store.records import GrantState, Outcome
from tests.store.grants import ALICE, grant

NOW = 1_800_000_000
PAGE = "https://rooms.example"
SCOPE = (ContractAccess(Address.parse("0x" + "c0" * 20)), NativeTokenTransfer(0), GasLimit(10**16))


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def requests(book: Book, clock: Clock) -> Requests:
    return Requests(book, clock)


def asked(number: int = 1, **fields: Any) -> SessionRequest:
    return SessionRequest(SCOPE, f"r-{number}", chain_id=31337, claims=Claims("Rooms"), **fields)


def by_page(requests: Requests, number: int = 1, **fields: Any) -> tuple[int, list[Answer]]:
    """A request of a page at the bridge, and what it is told."""
    told: list[Answer] = []
    request = asked(number, **fields)
    return requests.arrived(request, Source.BRIDGE, origin=PAGE, proven=True, reply=told.append).id, told


def code(requests: Requests, request: SessionRequest, source: Source = Source.LINK, **fields: Any) -> str:
    with pytest.raises(Refused) as caught:
        requests.arrived(request, source, **fields)
    return caught.value.code


NO = refusal("not-now")


def test_it_is_kept_seen_and_answered_once(requests: Requests) -> None:
    heard: list[int] = []
    stop = requests.on_change(lambda: heard.append(requests.new_count()))
    number, told = by_page(requests)
    assert requests.new_count() == 1
    requests.see(number)
    requests.see(number)
    assert requests.answer(number, NO)
    assert not requests.answer(number, Answer(RequestState.GRANTED, grant_id=1))
    assert told == [NO]
    assert heard == [1, 0, 0]
    stop()
    requests.mute(PAGE)
    assert heard == [1, 0, 0]
    (record,) = requests.all()
    assert (record.state, record.reason, record.code) == (RequestState.REFUSED, REASONS["not-now"], "not-now")


def test_a_replay_is_known_after_a_restart(requests: Requests, book: Book, clock: Clock) -> None:
    number, _ = by_page(requests)
    requests.answer(number, NO)
    for again in (requests, Requests(book, clock)):
        for source in Source:
            assert code(again, asked(), source) == "Replayed"
    with pytest.raises(Refused, match="You refused this request on"):
        requests.arrived(asked(), Source.QR)
    with pytest.raises(Refused, match=r"used this request's id on .* for another request"):
        requests.arrived(asked(expiry=NOW + 9), Source.LINK)
    requests.forget_answered()
    assert requests.all() == ()
    assert code(requests, asked()) == "Replayed"


def test_what_is_open_survives_a_restart_but_not_its_connection(requests: Requests, book: Book, clock: Clock) -> None:
    by_page(requests, 1)
    requests.arrived(asked(2), Source.FILE)
    again = Requests(book, clock)
    assert [(r.request_id, r.state) for r in again.all()] == [("r-2", RequestState.NEW), ("r-1", RequestState.WITHDRAWN)]
    by_page(again, 1)  # the page asks again: nobody has answered it


def test_the_same_again_is_one_and_the_same_id_for_something_else_is_refused(requests: Requests) -> None:
    first = requests.arrived(asked(), Source.LINK)
    assert requests.arrived(asked(), Source.QR) == first
    assert code(requests, asked(expiry=NOW + 9)) == "IdReused"
    _, told = by_page(requests)  # a page that proves who it is has an entry and an answer of its own
    assert len(requests.open()) == 2
    requests.answer(first.id, Answer(RequestState.GRANTED, grant_id=1))
    assert [answer.code for answer in told] == ["answered-elsewhere"]
    assert requests.open() == ()


def test_what_was_withdrawn_is_not_answered(requests: Requests) -> None:
    number, told = by_page(requests)
    requests.withdraw(number)
    requests.withdraw(number)
    assert not requests.answer(number, Answer(RequestState.GRANTED, grant_id=1))
    assert told == []


def test_what_is_over_ends_by_itself(requests: Requests, clock: Clock) -> None:
    _, told = by_page(requests, 1, expiry=NOW + 60)
    requests.arrived(asked(2), Source.LINK)
    clock.now += 60
    requests.tidy()
    assert [a.code for a in told] == ["expired"]
    assert [r.request_id for r in requests.open()] == ["r-2"]
    clock.now = NOW + flow.LIFETIME
    requests.tidy()
    assert requests.open() == ()
    assert {r.state for r in requests.all()} == {RequestState.EXPIRED}


def test_muting(requests: Requests, book: Book, clock: Clock) -> None:
    _, told = by_page(requests)
    requests.arrived(asked(2), Source.LINK)
    requests.mute(PAGE)
    assert [a.code for a in told] == ["muted"]
    assert requests.muted() == ((PAGE, NOW),)
    assert [r.source for r in requests.open()] == [Source.LINK]
    again = Requests(book, clock)
    assert code(again, asked(3), Source.BRIDGE, origin=PAGE, proven=True) == "Muted"
    again.unmute(PAGE)
    by_page(again, 3)
    with pytest.raises(BadInput):
        again.mute("")


def test_floods_are_turned_away_and_people_are_not(requests: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "MAX_OPEN_OF_ONE", 3)
    for number in range(3):
        requests.arrived(asked(number), Source.LINK)
        by_page(requests, 10 + number)
    assert code(requests, asked(3)) == "TooMany"
    assert code(requests, asked(13), Source.BRIDGE, origin=PAGE, proven=True) == "TooMany"
    requests.arrived(asked(14), Source.BRIDGE, origin="https://another.example", proven=True)
    for number in range(20, 24):
        requests.arrived(asked(number), Source.FILE)
    assert [r.request_id for r in requests.open() if r.source is Source.FILE] == ["r-21", "r-22", "r-23"]
    monkeypatch.setattr(flow, "MAX_OPEN", len(requests.open()))
    assert code(requests, asked(15), Source.BRIDGE, origin="https://third.example", proven=True) == "TooMany"


def test_a_grant_answers_what_asked_for_it(requests: Requests, book: Book) -> None:
    number, told = by_page(requests, 7)
    unsigned = book.add_grant(grant(1, request_id="r-7"))
    requests.meant(unsigned.id, number)
    requests.granted(unsigned)
    requests.granted(replace(unsigned, envelope=b"x", state=GrantState.WAITING))
    assert told == []
    requests.granted(replace(unsigned, envelope=b"x", state=GrantState.SIGNED))
    requests.granted(replace(unsigned, envelope=b"x", state=GrantState.HANDED_OVER))
    assert told == [Answer(RequestState.GRANTED, grant_id=unsigned.id)]
    assert book.request_seen("r-7")[0].outcome is Outcome.GRANTED
    record = requests.get(number)
    assert record is not None
    assert record.grant_id == unsigned.id


def test_a_grant_goes_to_who_it_was_made_for(requests: Requests, book: Book) -> None:
    """A page may know another's request, or hit its id, and be first."""
    thief: list[Answer] = []
    requests.arrived(asked(7), Source.BRIDGE, origin="https://thief.example", proven=True, reply=thief.append)
    number, told = by_page(requests, 7)
    made = book.add_grant(grant(1, request_id="r-7", envelope=b"x", state=GrantState.SIGNED))
    requests.granted(made)  # an id alone says nothing
    assert thief == told == []
    requests.meant(made.id, number)
    requests.granted(made)
    assert told == [Answer(RequestState.GRANTED, grant_id=made.id)]
    assert [a.state for a in thief] == [RequestState.WITHDRAWN]


def test_who_asks_the_same_again_meanwhile_is_answered_and_nobody_else(requests: Requests, book: Book) -> None:
    number, _ = by_page(requests, 7)
    made = book.add_grant(grant(1, request_id="r-7"))
    signed = replace(made, envelope=b"x", state=GrantState.SIGNED)
    requests.meant(made.id, number)
    requests.withdraw(number)  # the page was loaded anew
    thief: list[Answer] = []
    page = {"origin": "https://thief.example", "proven": True}
    record = requests.arrived(asked(7, expiry=NOW + 60), Source.BRIDGE, reply=thief.append, **page)
    requests.granted(signed)
    assert thief == []
    requests.withdraw(record.id)
    _, told = by_page(requests, 7)
    requests.granted(signed)
    assert told == [Answer(RequestState.GRANTED, grant_id=made.id)]


def test_an_end_may_be_asked_for_again(requests: Requests) -> None:
    for _ in range(2):
        told: list[Answer] = []
        request = RevocationRequest("e", 31337, ALICE, (7,))
        record = requests.arrived(request, Source.BRIDGE, origin=PAGE, proven=True, reply=told.append)
        requests.answer(record.id, NO)
        assert told == [NO]


def test_one_that_cannot_be_told_keeps_nothing_from_the_others(requests: Requests) -> None:
    def gone(_answer: Answer) -> None:
        raise ValueError("gone")

    told: list[Answer] = []
    heard: list[int] = []
    for number, reply in ((1, gone), (2, told.append)):
        requests.arrived(asked(number), Source.BRIDGE, origin=PAGE, proven=True, reply=reply)
    requests.on_change(lambda: heard.append(requests.new_count()))
    with pytest.raises(ValueError, match="gone"):
        requests.mute(PAGE)
    assert [a.code for a in told] == ["muted"]
    assert heard == [0]


def test_own_words_are_one_short_line() -> None:
    assert refusal(OTHER, " first\n\tsecond  \u202ethird" + "x" * 500).reason == ("first second third" + "x" * 500)[:200]
    assert refusal("too-much", "is not told").reason == REASONS["too-much"]


def test_a_reply_may_ask_again(requests: Requests) -> None:
    """It is told with nothing held, so it may call from another thread and wait for it."""
    seen: list[int] = []

    def reply(_: Answer) -> None:
        with ThreadPoolExecutor(1) as pool:
            seen.append(pool.submit(requests.new_count).result(timeout=5))

    number = requests.arrived(asked(), Source.BRIDGE, origin=PAGE, proven=True, reply=reply).id
    requests.answer(number, NO)
    assert seen == [0]


def test_of_many_answers_at_once_one_counts(requests: Requests) -> None:
    number, told = by_page(requests)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda i: requests.answer(number, refusal(OTHER, str(i))), range(16)))
    assert won.count(True) == 1
    assert [a.reason for a in told] == [str(won.index(True))]


def test_of_many_that_come_at_once_one_is_kept(tmp_path: Path, clock: Clock) -> None:
    with Book.open(tmp_path / "b") as book:
        requests = Requests(book, clock)
        with ThreadPoolExecutor(8) as pool:
            records = set(pool.map(lambda _: requests.arrived(asked(), Source.LINK).id, range(16)))
        assert len(records) == len(requests.all()) == 1


def test_what_the_person_noted_and_said_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    path, contract = tmp_path / "b", Address.parse("0x" + "c0" * 20)
    with Book.open(path) as book:
        requests = Requests(book, clock)
        refused = requests.arrived(asked(1), Source.QR)
        requests.answer(refused.id, refusal(OTHER, "Only for an hour, please"))
        requests.arrived(asked(2), Source.CLIPBOARD)
        requests.mute(PAGE)
        kept = book.add_grant(grant(1))
        book.relabel(kept.id, "The dungeon")
        Contracts(book).keep(KeptContract(31337, contract, "My market", (), NOW))
    with Book.open(path) as book:
        again = Requests(book, clock)
        assert [(r.request_id, r.state, r.reason) for r in again.all()] == [
            ("r-2", RequestState.NEW, ""), ("r-1", RequestState.REFUSED, "Only for an hour, please"),
        ]  # fmt: skip
        assert again.muted() == ((PAGE, NOW),)
        assert book.grant(kept.id).label == "The dungeon"
        assert Contracts(book).all()[0].label == "My market"
        assert code(again, asked(1)) == "Replayed"
