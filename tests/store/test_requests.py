"""Requests in the book: kept whole, ended once, pruned when there are too many, said when they no longer read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latchkey.core.permissions import ContractAccess, GasLimit, NativeTokenTransfer
from latchkey.core.request import Claims, Request, RevocationRequest, SessionRequest
from latchkey.errors import BadInput, StoreError
from latchkey.store import requests as store
from latchkey.store.book import Book
from latchkey.store.records import Outcome
from latchkey.store.requests import Answer, Record, RequestKind, RequestRecords, RequestState, Source, kind_of
from tests.counts import count
from tests.store.grants import ALICE, BOB, CLAIMS, KEY, grant

NOW = 1_800_000_000
PERMISSIONS = (ContractAccess(BOB), NativeTokenTransfer(0), GasLimit(2**256 - 1))
FULL = SessionRequest(
    PERMISSIONS, "r-1", ALICE, 31337, NOW + 9, KEY, "contract", bytes(range(32)), CLAIMS, "kernel", "https://rooms.example/back?a=1"
)
ENDING = RevocationRequest("r-2", 31337, ALICE, (7, 9))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.open(tmp_path / "book.sqlite") as book:
        yield book


@pytest.fixture
def records(book: Book) -> RequestRecords:
    return RequestRecords(book)


def record(request: Request = FULL, **fields: object) -> Record:
    values = {"source": Source.LINK, "origin": "", "proven": False, "arrived_at": NOW, "request_id": request.request_id}
    return Record(kind_of(request), request, digest=b"d" * 32, **(values | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("request_", [FULL, ENDING, SessionRequest(PERMISSIONS, "r"), replace(FULL, chain_id=None)])
def test_what_is_kept_comes_back(records: RequestRecords, request_: Request) -> None:
    kept = records.add(record(request_, source=Source.BRIDGE, origin="https://rooms.example", proven=True))
    assert records.all() == records.open() == records.of(request_.request_id) == (kept,)
    assert records.get(kept.id) == kept
    assert kept.request == request_


@settings(max_examples=count(30, 1000), deadline=None)
@given(
    st.builds(
        SessionRequest,
        st.just(PERMISSIONS),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64),
        st.none() | st.just(ALICE),
        st.none() | st.integers(1, 2**63 - 1),
        st.none() | st.integers(0, 9_999_999_999),
        st.none() | st.just(KEY),
        st.just("secp256k1"),
        st.none() | st.binary(min_size=32, max_size=32),
        st.just(Claims()) | st.just(replace(CLAIMS, altered=True)),
    )
)
def test_every_session_request_reads_again(request_: SessionRequest) -> None:
    assert store._request(RequestKind.SESSION, store._content(request_), request_.system) == request_


def test_it_is_ended_once(book: Book, records: RequestRecords) -> None:
    kept = records.add(record())
    assert records.see(kept.id)
    assert not records.see(kept.id)
    assert records.close(kept, Answer(RequestState.REFUSED, "No.", code="other"), NOW + 5)
    assert not records.close(kept, Answer(RequestState.GRANTED, grant_id=1), NOW + 6)
    ended = records.get(kept.id)
    assert ended == replace(kept, state=RequestState.REFUSED, reason="No.", code="other", answered_at=NOW + 5)
    assert records.open() == ()
    (mark,) = book.request_seen("r-1")
    assert (mark.digest, mark.answered, mark.outcome) == (b"d" * 32, NOW + 5, Outcome.DECLINED)


@pytest.mark.parametrize(
    ("request_", "state"), [(FULL, RequestState.WITHDRAWN), (FULL, RequestState.EXPIRED), (ENDING, RequestState.GRANTED)]
)
def test_only_what_a_person_said_of_a_session_is_marked(
    book: Book, records: RequestRecords, request_: Request, state: RequestState
) -> None:
    kept = records.add(record(request_))
    assert records.close(kept, Answer(state), NOW)
    assert book.request_seen(request_.request_id) == ()


def test_the_oldest_answered_go_and_their_marks_stay(book: Book, records: RequestRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_ANSWERED", 3)
    waiting = records.add(record(replace(FULL, request_id="waiting")))
    for number in range(6):
        kept = records.add(record(replace(FULL, request_id=f"r{number}")))
        records.close(kept, Answer(RequestState.REFUSED), NOW)
    newest = records.add(record(replace(FULL, request_id="new")))
    assert [r.request_id for r in records.all()] == ["new", "r5", "r4", "waiting"]
    assert records.open() == (waiting, newest)
    assert book.request_seen("r0")
    assert records.forget_answered() == 2


def test_size_has_a_cap(records: RequestRecords, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput) as caught:
        records.add(record(replace(FULL, permissions=PERMISSIONS[:1] * 2000)))
    assert caught.value.code == "TooLarge"
    monkeypatch.setattr(store, "MAX_KEPT", 3 * len(store._content(FULL)))
    for _ in range(5):
        records.close(records.add(record()), Answer(RequestState.REFUSED), NOW)
    records.add(record())
    assert len(records.all()) == 3 + 1


def test_what_no_longer_reads_is_shown_without_its_content(book: Book, records: RequestRecords) -> None:
    for request_ in (FULL, ENDING):
        records.add(record(request_))
    with book._transaction() as connection:
        connection.execute('UPDATE request_records SET content = \'{"of": "another version"}\'')
    assert [r.request for r in records.all()] == [None, None]
    with book._transaction() as connection:
        connection.execute("UPDATE request_records SET state = 'unheard of'")
    with pytest.raises(StoreError):
        records.all()


def test_muted_origins(records: RequestRecords) -> None:
    records.mute("https://b.example", NOW)
    records.mute("https://a.example", NOW)
    records.mute("https://a.example", NOW + 1)
    assert records.muted() == (("https://a.example", NOW), ("https://b.example", NOW))
    records.unmute("https://b.example")
    assert records.is_muted("https://a.example")
    assert not records.is_muted("https://b.example")
    for nothing in ("", "two\nlines", "x" * 301):
        with pytest.raises(BadInput):
            records.mute(nothing, NOW)


def test_a_signed_grant_is_an_answer(book: Book, records: RequestRecords) -> None:
    kept = book.add_grant(grant(1, request_id="r-1"))
    assert not records.was_granted("r-1")
    book.put_envelope(kept.id, b"envelope")
    assert records.was_granted("r-1")


def test_the_sample_of_version_7(tmp_path: Path) -> None:
    path = tmp_path / "book"
    path.write_bytes((Path(__file__).parent / "samples" / "book-v7.sqlite").read_bytes())
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone() == (7,)
    with Book.open(path) as book:
        (kept,) = RequestRecords(book).all()
        assert isinstance(kept.request, SessionRequest)
        assert (kept.request_id, kept.source, kept.state, kept.request.claims.dapp_name) == (
            "sample-1", Source.LINK, RequestState.NEW, "Dungeon",
        )  # fmt: skip
        assert RequestRecords(book).is_muted("https://noisy.example")
