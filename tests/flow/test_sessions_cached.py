"""The page opens at once: 200 sessions and their grants from the book, without a network."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from latchkey.codec.hand_over import Envelope, Kind, encode
from latchkey.core.account import Mode
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, FunctionsOnContract, GasLimit, NativeTokenTransfer
from latchkey.core.types import Selector
from latchkey.errors import ChainError
from latchkey.flow.pending import PendingState
from latchkey.flow.sessions import Sessions
from latchkey.store.book import Book
from latchkey.store.contracts import Contracts, KeptContract
from latchkey.store.logs import BookLogs
from latchkey.store.readings import Kept, Readings
from latchkey.store.records import GrantRecord, GrantState
from tests.drafts import NOW, random_address
from tests.sessions import BASE, KEY, OWNER, draft, reading_of, session_of

MANY = 200


class Offline:
    def node(self, chain_id: int) -> object:
        raise ChainError("No RPC is set.", code="NotSet")

    second = node


def filled(book: Book) -> None:
    """Half of the sessions were granted here; as many grants again wait."""
    rng, sessions, sequences = random.Random(1), [], {}
    for entity_id in range(1, MANY + 1):
        made = draft(
            ContractAccess(random_address(rng)),
            FunctionsOnContract(random_address(rng), (Selector.from_bytes(rng.randbytes(4)),)),
            NativeTokenTransfer(10**18),
            GasLimit(10**17),
            Erc20TokenTransfer(random_address(rng), 1000),
            entity_id=entity_id,
            session_key=KEY if entity_id % 2 else random_address(rng),
        )
        waiting = replace(made, entity_id=entity_id + MANY)
        sessions.append(session_of(made))
        for grant in (made, waiting)[entity_id % 2 :]:
            sequences[book.add_grant(record(grant)).id] = int(grant is made)
    Readings(book).put(Kept(reading_of(*sessions), NOW, sequences))


def record(made: object) -> GrantRecord:
    grant = GrantRecord(made, made.entity_id << 64, b"x" * 900, NOW, label=f"Game {made.entity_id}", state=GrantState.SIGNED)  # type: ignore[arg-type, attr-defined]
    envelope = Envelope(
        kind=Kind.SIGNED_GRANT,
        permissions=grant.draft.permissions,
        account=replace(BASE, mode=Mode.ADDRESS, owner=OWNER, label=""),
        expiry=grant.draft.expiry,
        session_key=grant.draft.session_key,
        key_type="secp256k1",
        entity_id=grant.draft.entity_id,
        nonce=grant.nonce,
        blob=b"\0" * 900,
    )
    return replace(grant, envelope=encode(envelope))


def test_two_hundred_sessions_are_there_at_once(book: Book) -> None:
    book.add_account(BASE)
    filled(book)
    sessions, spans = Sessions(book, Offline(), lambda: NOW + 60), []  # type: ignore[arg-type]
    for _ in range(3):
        start = time.thread_time()
        view = sessions.cached(BASE)
        spans.append(time.thread_time() - start)
    assert view is not None
    assert (len(view.rows), len(view.pending)) == (MANY, MANY + MANY // 2)
    assert sum(pending.state is PendingState.USABLE for pending in view.pending) == MANY
    assert view.basis(NOW + 60).startswith("Read 1 minute ago at block 1000.")
    print(f"{MANY} sessions from the book: {min(spans):.3f} s")
    assert min(spans) < 0.4


def test_a_forgotten_account_was_never_read(book: Book) -> None:
    book.add_account(BASE)
    filled(book)
    BookLogs(book, BASE).begin(())
    Sessions(book, Offline(), lambda: NOW).forget(BASE)  # type: ignore[arg-type]
    assert Sessions(book, Offline(), lambda: NOW).cached(BASE) is None  # type: ignore[arg-type]
    assert book._rows("SELECT * FROM log_sets") == []


def test_an_account_that_was_never_read_has_no_view(book: Book) -> None:
    assert Sessions(book, Offline(), lambda: NOW).cached(BASE) is None  # type: ignore[arg-type]


def test_own_names_stand_in_the_rows(book: Book) -> None:
    book.add_account(BASE)
    made = draft(ContractAccess(random_address(random.Random(2))))
    Readings(book).put(Kept(reading_of(session_of(made)), NOW, {}))
    before = Sessions(book, Offline(), lambda: NOW).cached(BASE)
    assert before is not None
    assert "My harbour" not in before.rows[0].line.plain
    Contracts(book).keep(KeptContract(BASE.chain_id, made.permissions[0].address, "My harbour", (), NOW))
    after = Sessions(book, Offline(), lambda: NOW).cached(BASE)
    assert after is not None
    assert "My harbour" in after.rows[0].line.plain
    assert any("My harbour" in phrase.plain for phrase in after.rows[0].words.can)
