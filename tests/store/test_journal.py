"""The log and the reports hold what is allowed in them, and nothing else, whatever is thrown at them."""

from __future__ import annotations

import ast
import faulthandler
import json
import random
import stat
import sys
import threading
from pathlib import Path

import pytest

from latchkey.errors import ChainError, LatchkeyError
from latchkey.store import journal, reports
from latchkey.store.journal import CODE, FIELDS, Event, Journal, parse
from latchkey.store.reports import Reports
from tests.counts import count

APP = Path(__file__).parents[2] / "app" / "latchkey"

SECRETS = (
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "test test test test test test test test test test test junk",
    "https://eth-mainnet.example.com/v2/AbCdEfGh1234567890ijklmnop",
    "wss://user:hunter2@node.example.com",
    "AKIAIOSFODNN7EXAMPLE",
    "s3cr3t-token_9f8e7d6c5b4a",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "/home/alice/letters/to-bob.txt",
    "1,234.56 USDC",
    "alice@example.com",
    "line\nbreak\x1b[31m",
)


class Hostile(Exception):
    """Its text, arguments, notes and attributes hold what must not be seen."""

    def __init__(self, secret: str) -> None:
        super().__init__(secret, {"key": secret})
        self.add_note(secret)
        self.filename = secret


def raised(secret: str, levels: int = 3) -> BaseException:
    """An exception with the secret in every place it can be in: message, locals, cause, class name, file name of generated code."""
    local = secret
    try:
        if levels:
            try:
                raise Hostile(local)
            except Hostile as cause:
                inner = raised(secret, levels - 1)
                raise ExceptionGroup(secret, [inner]) from cause  # type: ignore[list-item]
        namespace: dict[str, object] = {"secret": secret, "__name__": secret}
        exec(compile("class Named(Exception): pass\nNamed.__qualname__ = secret\nraise Named(secret)", secret, "exec"), namespace)
    except BaseException as error:
        return error
    raise AssertionError


def test_no_secret_comes_through(tmp_path: Path) -> None:
    log, kept = Journal(tmp_path / "log"), Reports(tmp_path / "reports")
    rng = random.Random(8)
    thrown = [*SECRETS, *(rng.randbytes(32).hex() for _ in range(count(50, 2000)))]
    for secret in thrown:
        error = raised(secret)
        log.note(Event.ERROR, code=secret, kind=reports.kind(error), where=reports.place(error), page=secret, message=secret)
        for name in FIELDS:
            log.note(Event.FAULT, **{name: secret})
        kept.keep(reports.report(error, now=1.0), now=1.0)
        kept.keep(reports.report(LatchkeyError(secret, code=secret, path=secret), now=1.0, thread=secret), now=1.0)
        seen = "".join(path.read_text() for path in (*tmp_path.glob("log*"), *kept.all()))
        assert secret not in seen
        assert all(word not in seen for word in ("hunter2", "AbCdEfGh", "alice", "1,234", "junk"))


def test_a_report_says_where(tmp_path: Path) -> None:
    try:
        json.loads("{")
    except ValueError as cause:
        try:
            raise ChainError("The RPC says: secret", code="TooSlow") from cause
        except ChainError as error:
            text = reports.report(error, now=1_795_300_000)
    lines = text.splitlines()
    assert "ChainError [TooSlow]" in lines
    assert "caused by:" in lines
    assert "JSONDecodeError" in lines
    assert any(line.startswith("  json/decoder.py:") and line.endswith(" raw_decode") for line in lines)
    assert any("test_journal.py:" in line and line.endswith(" test_a_report_says_where") for line in lines)
    assert "secret" not in text
    assert str(Path.home()) not in text


def test_the_system_s_error_number_is_told_and_not_the_file() -> None:
    assert "[ENOENT]" in reports.describe(FileNotFoundError(2, "No such file", "/home/alice/letter"))
    assert "alice" not in reports.describe(FileNotFoundError(2, "No such file", "/home/alice/letter"))


def test_endless_recursion_makes_a_short_report() -> None:
    def deeper() -> None:
        deeper()

    with pytest.raises(RecursionError) as caught:
        deeper()
    assert len(reports.describe(caught.value).splitlines()) < 80


def test_only_the_newest_reports_stay(tmp_path: Path) -> None:
    kept = Reports(tmp_path / "reports")
    for second in range(25):
        kept.keep(f"report {second}\n", now=second)
    for _ in range(3):
        kept.keep("at one moment", now=24)
    assert len(kept.all()) == reports.MOST
    assert kept.read(kept.all()[-1]) == "report 8\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.all()} == {0o600}
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700
    kept.clear()
    assert kept.all() == ()


def test_a_crash_file_becomes_a_report(tmp_path: Path) -> None:
    kept = Reports(tmp_path / "reports")
    file = kept.open_crash_file()
    assert file is not None
    python = f"/usr/lib/python{sys.version_info[0]}.{sys.version_info[1]}"
    file.write(
        f"""Fatal Python error: Segmentation fault

Current thread 0x00007f2b3c4d5e6f (most recent call first):
  File "/home/alice/latchkey/.venv/lib/python3/site-packages/latchkey/ui/window.py", line 12 in paintEvent
  File "{python}/threading.py", line 5 in run
  File "/home/alice/secret-plans.py", line 1 in <module>
alice wrote this
""".encode()
    )
    file.close()
    ended_hard, path = kept.take_crash(now=0)
    assert ended_hard
    assert path is not None
    text = kept.read(path)
    assert text.endswith(
        "Fatal Python error: Segmentation fault\nthread\n  latchkey/ui/window.py:12 paintEvent\n  threading.py:5 run\n"
        "  elsewhere.py:1 <module>\n"
    )
    assert "alice" not in text
    assert kept.take_crash(now=0) == (False, None)


def test_the_place_of_a_hang_is_in_our_own_code(tmp_path: Path) -> None:
    kept = Reports(tmp_path / "reports")
    file = kept.open_crash_file()
    assert file is not None
    faulthandler.dump_traceback(file)
    assert kept.take_hang(threading.get_ident(), now=0)[0] == "", "tests are not"
    file.write(
        f"""
Thread 0x{7:0{reports._DIGITS}x} (most recent call first):
  File "/usr/lib/python3.11/queue.py", line 9 in get
  File "/home/alice/app/latchkey/ui/window.py", line 12 in show_page
  File "/home/alice/app/latchkey/ui/app.py", line 3 in run

Current thread 0x{8:0{reports._DIGITS}x} (most recent call first):
  File "/home/alice/app/latchkey/ui/pulse.py", line 50 in _look
""".encode()
    )
    where, text = kept.take_hang(7, now=0)
    assert where == "latchkey/ui/window.py:12"
    assert "pulse" not in text
    assert "alice" not in text
    kept.clear_crash_file(file)
    file.close()
    assert kept.take_crash(now=0) == (True, None)


def test_a_good_end_leaves_nothing(tmp_path: Path) -> None:
    kept = Reports(tmp_path / "reports")
    file = kept.open_crash_file()
    assert file is not None
    kept.close_crash_file(file)
    assert kept.take_crash(now=0) == (False, None)
    assert not kept.folder.exists()


def test_what_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("in the way")
    (tmp_path / "log").mkdir()
    kept, log = Reports(tmp_path / "reports"), Journal(tmp_path / "log")
    assert kept.keep("x", now=0) is None
    assert kept.open_crash_file() is None
    log.note(Event.STARTED)
    assert log.entries() == ()


# --- the log


def test_lines_are_read_back(tmp_path: Path) -> None:
    log = Journal(tmp_path / "log", clock=lambda: 1_795_300_000)
    log.note(Event.STARTED, version="0.1.0", python="3.11.7", offline="no")
    log.note(Event.ERROR, code="BadCertificate", page="sessions")
    assert [entry.text for entry in log.entries()] == [
        "2026-11-21T22:26:40Z started version=0.1.0 python=3.11.7 offline=no",
        "2026-11-21T22:26:40Z error code=BadCertificate page=sessions",
    ]
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_it_stays_small_and_keeps_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_BYTES", 2000)
    log = Journal(tmp_path / "log", clock=lambda: 0)
    for number in range(200):
        log.note(Event.QT, count=number)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 4000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1"]
    found = [int(dict(entry.fields)["count"]) for entry in log.entries()]
    assert found == list(range(200 - len(found), 200))
    assert len(found) > 40


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-21T22:26:40Z started note=hello",
        "2026-11-21T22:26:40Z sent code=Fine",
        "2026-11-21T22:26:40Z error code=0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "2026-11-21T22:26:40Z error code=Fine <b>bold</b>",
        "2026-11-21 error code=Fine",
        "",
    ],
)
def test_what_somebody_else_wrote_is_not_shown(tmp_path: Path, line: str) -> None:
    assert parse(line) is None
    (tmp_path / "log").write_text(line + "\n")
    assert Journal(tmp_path / "log").entries() == ()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "log").symlink_to(tmp_path / "victim")
    log = Journal(tmp_path / "log")
    log.note(Event.STARTED)
    assert (tmp_path / "victim").read_text() == "mine"
    assert log.entries() == ()


def test_every_code_of_ours_may_stand_in_the_log() -> None:
    """Codes are literals: `code="..."` of an error. Answers to dApps have others, in small letters."""
    codes = {
        keyword.value.value
        for path in APP.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, str)
    }
    assert len(codes) > 50
    assert [code for code in codes if not CODE.fullmatch(code) and not code.islower()] == []
