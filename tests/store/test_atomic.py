"""Files that are whole: what is written, what is kept, what is read when something is wrong. Crashes: test_kill.py."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from latchkey.errors import StoreError
from latchkey.store import atomic


def whole(data: bytes) -> bool:
    return data.endswith(b"!")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture(autouse=True)
def _tidy(path: Path) -> Iterator[None]:
    yield
    assert not path.with_name("file.new").exists()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def code(path: Path, limit: int = 100) -> str:
    with pytest.raises(StoreError) as error:
        atomic.read(path, limit, whole)
    return error.value.code


def test_the_last_good_copy_is_what_was_replaced(path: Path) -> None:
    atomic.write(path, b"one!")
    assert not atomic.last_good(path).exists()
    atomic.write(path, b"two!")
    assert (path.read_bytes(), atomic.last_good(path).read_bytes()) == (b"two!", b"one!")
    atomic.write(path, b"two!")
    assert atomic.last_good(path).read_bytes() == b"two!"


def test_files_are_closed_to_others_whatever_the_umask_or_the_old_mode(path: Path) -> None:
    old = os.umask(0)
    try:
        atomic.write(path, b"one!")
        path.chmod(0o666)
        atomic.write(path, b"two!")
    finally:
        os.umask(old)
    assert mode(path) == mode(atomic.last_good(path)) == 0o600


def test_bytes_reach_the_disk_before_they_take_the_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atomic.write(path, b"one!")
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def kind(fd: int) -> str:
        return "folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file"

    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append(f"sync {kind(fd)}"), fsync(fd))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (steps.append(f"place {Path(b).name}"), replace(a, b))[1])
    atomic.write(path, b"two!")
    assert steps == ["sync file", "place file.bak", "sync file", "place file", "sync folder"]


def test_a_damaged_file_never_replaces_the_last_good_copy(path: Path) -> None:
    atomic.write(path, b"one!", valid=whole)
    atomic.write(path, b"two!", valid=whole)
    path.write_bytes(b"tw")
    atomic.write(path, b"three!", valid=whole)
    assert (path.read_bytes(), atomic.last_good(path).read_bytes()) == (b"three!", b"one!")


@pytest.mark.parametrize("spoil", ["missing", "cut", "link", "pipe", "folder", "huge"])
def test_the_last_good_copy_stands_in_and_says_why(path: Path, spoil: str) -> None:
    atomic.write(path, b"one!")
    atomic.write(path, b"two!")
    path.unlink()
    match spoil:
        case "cut":
            path.write_bytes(b"tw")
        case "link":
            path.symlink_to("/etc/hostname")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "huge":
            path.write_bytes(b"x" * 200 + b"!")
    stored = atomic.read(path, 100, whole)
    codes = {
        "missing": "Missing",
        "cut": "Damaged",
        "huge": "TooLarge",
        "link": "NotAFile",
        "pipe": "NotAFile",
        "folder": "NotAFile",
    }
    assert stored.data == b"one!"
    assert stored.fault is not None
    assert stored.fault.code == codes[spoil]
    atomic.last_good(path).write_bytes(b"on")
    assert code(path) == codes[spoil]


def test_a_good_file_has_no_fault(path: Path) -> None:
    atomic.write(path, b"one!")
    assert atomic.read(path) == atomic.Stored(b"one!")


def test_nothing_there_at_all(path: Path) -> None:
    assert code(path) == "Missing"


def test_the_limit_is_exact(path: Path) -> None:
    atomic.write(path, b"123!")
    assert atomic.read(path, 4, whole).data == b"123!"
    assert code(path, 3) == "TooLarge"


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(path: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    path.with_name("file.new").symlink_to(victim)
    atomic.last_good(path).symlink_to(victim)
    path.symlink_to(victim)
    atomic.write(path, b"one!")
    atomic.write(path, b"two!")
    assert victim.read_bytes() == b"mine"
    assert not path.is_symlink()
    assert not atomic.last_good(path).is_symlink()


def test_what_a_killed_write_left_is_cleared(path: Path) -> None:
    path.with_name("file.new").write_bytes(b"half")
    atomic.write(path, b"one!")
    assert path.read_bytes() == b"one!"


def test_a_write_that_fails_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atomic.write(path, b"one!")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        atomic.write(path, b"two!")
    assert path.read_bytes() == b"one!"


def test_too_much_is_not_written(path: Path) -> None:
    with pytest.raises(StoreError) as error:
        atomic.write(path, bytes(atomic.MAX_BYTES + 1))
    assert error.value.code == "TooLarge"
    assert not path.exists()


def test_a_missing_folder_is_a_fault_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="could not be written"):
        atomic.write(tmp_path / "no" / "file", b"")


def test_writers_take_turns(path: Path) -> None:
    def writer(name: bytes) -> None:
        for i in range(20):
            atomic.write(path, name * (1000 + i) + b"!")

    threads = [threading.Thread(target=writer, args=(name,)) for name in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            data = atomic.read(path, valid=whole).data
            assert len(set(data)) == 2
    for thread in threads:
        thread.join()
    assert atomic.read(path).fault is None
