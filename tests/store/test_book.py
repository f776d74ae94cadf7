"""The book: what goes in comes out; what must not be in it cannot be; a hostile or damaged file is refused with a sentence."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.account import Account, Mode
from latchkey.errors import BadInput, LatchkeyError, StoreError
from latchkey.store import book as book_module
from latchkey.store import schema
from latchkey.store.book import Book, GrantState, KeyOrigin, MasterKeyRecord, Outcome, RequestMark
from tests.counts import count
from tests.store.grants import ACCOUNT, ALICE, BOB, CLAIMS, draft, grant

SAMPLES = Path(__file__).parent / "samples"
OTHER = Account(8453, BOB, "modular_account", Mode.ADDRESS)
MARK = RequestMark("req-1", b"\x01" * 32, 1_800_000_000, Outcome.GRANTED)

HOLD = """
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.sqlite"


@pytest.fixture
def book(path: Path) -> Iterator[Book]:
    with Book.open(path) as opened:
        yield opened


def refused(path: Path) -> str:
    before = path.read_bytes()
    with pytest.raises(StoreError) as error:
        Book.open(path)
    assert path.read_bytes() == before
    assert str(path) not in error.value.text
    return error.value.code


def sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


# what goes in comes out


def test_accounts(book: Book) -> None:
    book.add_account(ACCOUNT)
    book.add_account(OTHER)
    assert book.accounts() == (ACCOUNT, OTHER)
    book.rename(ACCOUNT, "Games")
    assert book.accounts() == (replace(ACCOUNT, label="Games"), OTHER)
    book.remove_account(ACCOUNT)
    assert book.accounts() == (OTHER,)


def test_the_same_account_is_added_once_but_may_be_on_two_chains(book: Book) -> None:
    book.add_account(ACCOUNT)
    with pytest.raises(StoreError) as error:
        book.add_account(replace(ACCOUNT, label="again"))
    assert error.value.code == "Exists"
    book.add_account(replace(ACCOUNT, chain_id=1))
    assert len(book.accounts()) == 2


def test_accounts_that_are_not_there(book: Book) -> None:
    for action in (lambda: book.remove_account(ACCOUNT), lambda: book.rename(ACCOUNT, "x")):
        with pytest.raises(StoreError) as error:
            action()
        assert error.value.code == "Missing"


def test_keys_keep_their_place_when_relabelled(book: Book) -> None:
    first, second = MasterKeyRecord(ALICE, "One", "mnemonic", "m/44'/60'/0'/0/0"), MasterKeyRecord(BOB, "", "raw", "")
    book.put_key(first)
    book.put_key(second)
    book.put_key(replace(first, label="Uno"))
    assert book.keys() == (replace(first, label="Uno"), second)


def test_a_grant_comes_back_whole(book: Book) -> None:
    given = grant(
        2**256 - 1, label="Dungeon", claims=CLAIMS, envelope=b"\x00\xff" * 500, state=GrantState.PUT_ASIDE,
        key_origin=KeyOrigin.MADE, request_id="r 1",
    )  # fmt: skip
    kept = book.add_grant(given)
    assert kept == replace(given, id=1)
    assert book.grant(1) == kept
    assert book.grants() == (kept,)


def test_grants_are_newest_first_and_ids_are_never_used_again(book: Book) -> None:
    assert [book.add_grant(grant(n)).id for n in range(3)] == [1, 2, 3]
    book.discard(3)
    assert book.add_grant(grant(3)).id == 4
    assert [g.id for g in book.grants()] == [4, 2, 1]


def test_a_nonce_is_used_once_per_account_and_chain(book: Book) -> None:
    book.add_grant(grant(5))
    with pytest.raises(StoreError) as error:
        book.add_grant(grant(5, label="another"))
    assert error.value.code == "NonceUsed"
    assert len(book.grants()) == 1
    book.add_grant(grant(5, OTHER))
    book.add_grant(grant(5, replace(ACCOUNT, chain_id=1)))
    book.add_grant(grant(6))
    assert book.pending_nonces(ACCOUNT) == {5, 6}
    assert book.pending_nonces(OTHER) == {5}
    assert book.pending_nonces(replace(OTHER, chain_id=2)) == frozenset()


def test_entity_ids_in_use(book: Book) -> None:
    book.add_grant(grant(1, draft=draft(entity_id=7)))
    book.add_grant(grant(2, draft=draft(entity_id=2**32 - 1)))
    assert book.entity_ids(ACCOUNT) == {7, 2**32 - 1}
    assert book.entity_ids(OTHER) == frozenset()


def test_grants_outlive_their_account(book: Book) -> None:
    book.add_account(ACCOUNT)
    book.add_grant(grant(1))
    book.remove_account(ACCOUNT)
    assert len(book.grants()) == 1


def test_the_life_of_a_grant(book: Book) -> None:
    number = book.add_grant(grant(1)).id
    for state in (GrantState.SIGNED, GrantState.HANDED_OVER, GrantState.PUT_ASIDE):
        with pytest.raises(StoreError, match="not signed cannot be called"):
            book.set_state(number, state)
    book.put_envelope(number, b"envelope")
    assert book.grant(number) == replace(grant(1), id=number, envelope=b"envelope", state=GrantState.SIGNED)
    for state in (GrantState.HANDED_OVER, GrantState.PUT_ASIDE, GrantState.SIGNED):
        book.set_state(number, state)
        assert book.grant(number).state is state
    with pytest.raises(StoreError, match="signed cannot be called unsigned"):
        book.set_state(number, GrantState.UNSIGNED)
    book.relabel(number, "Lamp")
    assert book.grant(number).label == "Lamp"


def test_what_is_signed_stays(book: Book) -> None:
    number = book.add_grant(grant(1)).id
    book.put_envelope(number, b"envelope")
    with pytest.raises(StoreError, match="signed"):
        book.discard(number)
    with pytest.raises(StoreError, match="signed already"):
        book.put_envelope(number, b"other")
    assert book.grant(number).envelope == b"envelope"


@pytest.mark.parametrize(
    ("state", "envelope"), [(GrantState.UNSIGNED, b"e"), (GrantState.SIGNED, None), (GrantState.PUT_ASIDE, None)]
)
def test_a_grant_cannot_start_in_a_state_that_contradicts_it(book: Book, state: GrantState, envelope: bytes | None) -> None:
    with pytest.raises(StoreError) as error:
        book.add_grant(grant(1, state=state, envelope=envelope))
    assert error.value.code == "WrongState"


@pytest.mark.parametrize(
    "act",
    [
        lambda b: b.grant(9),
        lambda b: b.set_state(9, GrantState.PUT_ASIDE),
        lambda b: b.relabel(9, ""),
        lambda b: b.put_envelope(9, b""),
        lambda b: b.discard(9),
    ],
)
def test_grants_that_are_not_there(book: Book, act: Callable[[Book], object]) -> None:
    with pytest.raises(StoreError) as error:
        act(book)
    assert error.value.code == "Missing"


def test_answered_requests(book: Book) -> None:
    assert book.request_seen("req-1") == ()
    other = replace(MARK, digest=b"\x02" * 32, answered=MARK.answered + 1, outcome=Outcome.DECLINED)
    book.mark_request(other)
    book.mark_request(MARK)
    assert book.request_seen("req-1") == (MARK, other)
    again = replace(MARK, answered=MARK.answered + 9, outcome=Outcome.DECLINED)
    book.mark_request(again)
    assert book.request_seen("req-1") == (other, again)


@pytest.mark.parametrize("label", ["x" * 101, "two\nlines", "\u202ebidi", "nul\x00", "\ud800"])
def test_labels_are_one_short_line(book: Book, label: str) -> None:
    number = book.add_grant(grant(1)).id
    for act in (
        lambda: book.relabel(number, label),
        lambda: book.add_account(replace(ACCOUNT, label=label)),
        lambda: book.put_key(MasterKeyRecord(ALICE, label, "raw", "")),
        lambda: book.add_grant(grant(2, request_id=label)),
        lambda: book.mark_request(replace(MARK, request_id=label)),
    ):
        with pytest.raises(BadInput):
            act()
    assert (book.accounts(), book.keys(), len(book.grants())) == ((), (), 1)


def test_what_is_kept_is_there_after_closing(path: Path) -> None:
    with Book.open(path) as book:
        book.add_account(ACCOUNT)
        kept = book.add_grant(grant(1, claims=CLAIMS))
        book.mark_request(MARK)
    with Book.open(path) as book:
        assert (book.accounts(), book.grants(), book.request_seen("req-1")) == ((ACCOUNT,), (kept,), (MARK,))


# threads and processes


def test_threads_share_a_book(book: Book) -> None:
    faults: list[BaseException] = []

    def work(start: int) -> None:
        try:
            for n in range(start, start + 20):
                number = book.add_grant(grant(n)).id
                book.put_envelope(number, b"e")
                book.grants()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(book.grants()) == 80


def test_a_busy_book_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "BUSY_SECONDS", 0.05)
    with (
        Book.open(path) as book,
        subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other,
    ):
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreError) as error:
            book.add_grant(grant(1))
        assert error.value.code == "Busy"
        other.kill()
        other.wait()
        book.add_grant(grant(1))


# the file


def test_the_file_and_its_journal_are_closed_to_others(path: Path) -> None:
    old = os.umask(0)
    try:
        with Book.open(path) as book:
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            with book._transaction() as connection:
                connection.execute("DELETE FROM requests")
                connection.execute("INSERT INTO requests VALUES ('a', x'00', 1, 'granted')")
                modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
                assert modes == {"book.sqlite": 0o600, "book.sqlite-journal": 0o600}
        path.chmod(0o644)
        Book.open(path).close()
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["book.sqlite"]


def test_every_commit_reaches_the_disk(book: Book) -> None:
    connection = book._connection
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 3
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


def test_what_is_forgotten_is_gone_from_the_file(path: Path) -> None:
    with Book.open(path) as book:
        book.add_account(replace(ACCOUNT, label="my very private label"))
        book.remove_account(ACCOUNT)
    assert b"very private" not in path.read_bytes()


def test_a_failed_transaction_changes_nothing(book: Book) -> None:
    def half() -> None:
        with book._transaction() as connection:
            connection.execute("INSERT INTO requests VALUES ('a', x'00', 1, 'granted')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert book.request_seen("a") == ()
    book.mark_request(MARK)


@pytest.mark.parametrize("version", range(1, len(schema.MIGRATIONS) + 1))
def test_a_book_of_every_version_opens(path: Path, version: int) -> None:
    shutil.copy(SAMPLES / f"book-v{version}.sqlite", path)
    with Book.open(path) as book:
        assert book.accounts() == (ACCOUNT, OTHER)
        assert book.keys() == (MasterKeyRecord(BOB, "Main", "mnemonic", "m/44'/60'/0'/0/0"),)
        first, second = book.grants()
        assert second == replace(grant(1, claims=CLAIMS, label="Dungeon"), id=1)
        assert (first.envelope, first.state, first.key_origin) == (b"envelope", GrantState.HANDED_OVER, KeyOrigin.MADE)
        assert book.request_seen("req-1") == (MARK,)
        book.add_grant(grant(99))


def add_column(monkeypatch: pytest.MonkeyPatch, *statements: str) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, statements))


def test_an_older_book_is_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Book.open(path) as book:
        book.add_account(ACCOUNT)
    add_column(monkeypatch, "ALTER TABLE accounts ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'")
    with Book.open(path) as book:
        assert book._connection.execute("SELECT colour FROM accounts").fetchone()[0] == "red"
    Book.open(path).close()
    monkeypatch.undo()
    assert refused(path) == "Newer"


def test_a_migration_that_fails_leaves_the_old_book(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Book.open(path) as book:
        book.add_account(ACCOUNT)
    add_column(monkeypatch, "DROP TABLE grants", "DROP TABLE nowhere")
    refused(path)
    monkeypatch.undo()
    with Book.open(path) as book:
        assert book.accounts() == (ACCOUNT,)


@pytest.mark.parametrize(
    "intrusion",
    [
        "CREATE TRIGGER t AFTER INSERT ON grants BEGIN UPDATE grants SET unsigned = x'00'; END",
        "CREATE VIEW v AS SELECT * FROM grants",
        "CREATE TABLE extra (x)",
        "CREATE INDEX i ON grants (label)",
        "DROP INDEX grants_nonce",
        "DROP TABLE requests",
        "ALTER TABLE accounts ADD COLUMN x TEXT",
    ],
)
def test_a_schema_that_is_not_ours_is_refused(path: Path, intrusion: str) -> None:
    Book.open(path).close()
    sql(path, intrusion)
    assert refused(path) == "ForeignSchema"


@pytest.mark.parametrize(
    ("pragma", "code"),
    [
        ("user_version = 2147483647", "Newer"),
        ("user_version = -1", "NotABook"),
        ("application_id = 1", "NotABook"),
        ("user_version = 0", "ForeignSchema"),
    ],
)
def test_a_header_that_is_not_ours_is_refused(path: Path, pragma: str, code: str) -> None:
    Book.open(path).close()
    sql(path, f"PRAGMA {pragma}")
    assert refused(path) == code


def test_another_program_s_database_is_refused(path: Path) -> None:
    sql(path, "CREATE TABLE cookies (x)")
    assert refused(path) == "NotABook"


def test_things_that_are_not_files_are_refused(path: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    for make in (lambda: path.symlink_to(victim), lambda: path.mkdir(), lambda: os.mkfifo(path)):
        make()
        with pytest.raises(StoreError):
            Book.open(path)
        path.rmdir() if path.is_dir() else path.unlink()
    assert victim.read_bytes() == b""


def test_a_huge_file_is_refused_unread(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(book_module.MAX_BYTES + 1)
    with pytest.raises(StoreError) as error:
        Book.open(path)
    assert error.value.code == "TooLarge"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE grants SET draft = '{}'",
        "UPDATE grants SET draft = '[[[['",
        "UPDATE grants SET claims = '{\"dapp_name\": 7}'",
        "UPDATE grants SET nonce = '12'",
        "UPDATE grants SET nonce = upper(nonce) || 'G'",
        "UPDATE grants SET state = 'cancelled'",
        "UPDATE grants SET key_origin = 'x'",
        "UPDATE grants SET entity_id = entity_id + 1",
        "UPDATE grants SET chain_id = 1",
        "UPDATE grants SET account = '0x0000000000000000000000000000000000000000'",
        "UPDATE grants SET label = char(8238) || 'x'",
        "UPDATE accounts SET address = 'x'",
        "UPDATE accounts SET salt = '-1'",
        "UPDATE accounts SET mode = 'root'",
        "UPDATE accounts SET owner = ''",
        "UPDATE master_keys SET label = hex(zeroblob(100))",
        "UPDATE requests SET outcome = ''",
    ],
)
def test_entries_that_make_no_sense_are_faults(path: Path, change: str) -> None:
    shutil.copy(SAMPLES / "book-v1.sqlite", path)
    sql(path, change)
    with pytest.raises(StoreError) as error, Book.open(path) as book:
        book.accounts(), book.keys(), book.request_seen("req-1"), book.pending_nonces(ACCOUNT), book.grants()
    assert error.value.code == "Damaged"


def use_everything(path: Path) -> None:
    with Book.open(path) as book:
        book.accounts(), book.keys(), book.grants(), book.request_seen("req-1"), book.pending_nonces(ACCOUNT)
        book.add_grant(grant(77))


@given(st.binary(max_size=300))
def test_random_files_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("book") / "book.sqlite"
    path.write_bytes(data or b"\x00")
    with pytest.raises(StoreError):
        use_everything(path)


@pytest.mark.soak
def test_truncated_books_are_refused(tmp_path: Path) -> None:
    data = (SAMPLES / "book-v1.sqlite").read_bytes()
    path = tmp_path / "book.sqlite"
    for end in range(1, len(data), max(1, len(data) // count(60, 2000))):
        path.write_bytes(data[:end])
        with pytest.raises(StoreError):
            use_everything(path)


@pytest.mark.soak
@given(st.data())
def test_a_damaged_book_is_read_right_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Flipped bytes anywhere: a LatchkeyError, or a book that reads; never another exception, never a hang."""
    sample = bytearray((SAMPLES / "book-v1.sqlite").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        sample[data.draw(st.integers(0, len(sample) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("book") / "book.sqlite"
    path.write_bytes(sample)
    with suppress(LatchkeyError):
        use_everything(path)


def test_grants_of_one_account(book: Book) -> None:
    mine, other = book.add_grant(grant(1)), book.add_grant(grant(2, OTHER))
    assert (book.grants(ACCOUNT), book.grants(OTHER)) == ((mine,), (other,))
    assert book.grants(replace(ACCOUNT, chain_id=1)) == ()
    assert book.grants() == (other, mine)
