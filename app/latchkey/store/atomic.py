"""Whole files that survive a crash: after any interruption a path holds the old bytes or the new ones, never neither.

A write goes to a temporary file in the same folder, reaches the disk, and takes the old file's place in one step. The file it
replaces is kept beside it as `<name>.bak`, the last good copy, in case the disk spoils the main one. Where the replaced bytes must
not survive (a vault under its old passphrase), write the new ones twice.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from latchkey.errors import StoreError
from latchkey.language import tr

MAX_BYTES = 16 * 1024 * 1024

Valid = Callable[[bytes], bool]

# Windows has neither flag: it makes no links without a privilege, and its files are binary only when asked.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Stored:
    """What was read. `fault`: why the main file could not be used, when these bytes are the last good copy."""

    data: bytes
    fault: StoreError | None = None


def last_good(path: Path) -> Path:
    """Where the last good copy of `path` is kept."""
    return path.with_name(path.name + ".bak")


def set_aside(path: Path, *, now: float, also: tuple[str, ...] = ()) -> Path:
    """Give a spoilt file another name in its folder, `<name>.damaged-<time>`, so that a new one can take its place and nothing is lost.
    `also`: endings of files that belong to it ("-journal"). Returns the new name. Raises StoreError."""
    stem = f"{path.name}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}"
    names = (path.with_name(stem if number == 0 else f"{stem}-{number}") for number in range(1000))
    aside = next(name for name in names if not name.exists())
    try:
        for ending in also:
            if (belonging := path.with_name(path.name + ending)).exists():
                belonging.rename(aside.with_name(aside.name + ending))
        path.rename(aside)
    except OSError as error:
        raise StoreError(
            tr("{path_name} could not be set aside: {strerror}.", path_name=path.name, strerror=error.strerror), code="CannotWrite"
        ) from None
    return aside


def write(path: Path, data: bytes, *, valid: Valid | None = None) -> None:
    """Replace `path` by `data`, mode 0600; what stood there becomes the last good copy.

    `valid` says whether bytes are undamaged: a damaged main file never replaces a good copy. Writers of one folder wait for
    each other. Returns when the bytes are on the disk. Raises StoreError; then the old file still stands.
    """
    if len(data) > MAX_BYTES:
        raise StoreError(
            tr(
                "{path_name} would be larger than {max_bytes} MiB; it was not written.",
                path_name=path.name,
                max_bytes=MAX_BYTES >> 20,
            ),
            code="TooLarge",
        )
    try:
        with _folder(path.parent) as sync:
            if (old := _old(path, valid)) is not None:
                _place(last_good(path), old)
            _place(path, data)
            sync()
    except OSError as error:
        raise StoreError(
            tr("{path_name} could not be written: {strerror}.", path_name=path.name, strerror=error.strerror), code="CannotWrite"
        ) from None


def read(path: Path, limit: int = MAX_BYTES, valid: Valid | None = None) -> Stored:
    """The bytes of `path`, at most `limit` of them, or of its last good copy when the main file is missing or not `valid`.

    `valid` should take bytes of a newer format for undamaged: an old copy must not stand in for them. Symbolic links, pipes and
    other things that are not files are refused. Raises StoreError for the main file's fault, code "Missing", "Damaged",
    "TooLarge", "NotAFile" or "CannotRead", when no copy will do.
    """
    try:
        return Stored(_read_one(path, limit, valid))
    except StoreError as error:
        fault = error
    try:
        return Stored(_read_one(last_good(path), limit, valid), fault)
    except StoreError:
        raise fault from None


def _old(path: Path, valid: Valid | None) -> bytes | None:
    try:
        return _read_one(path, MAX_BYTES, valid)
    except StoreError:
        return None


def _read_one(path: Path, limit: int, valid: Valid | None) -> bytes:
    try:
        # Not blocking, or a pipe in the file's place would hang the reader before it is seen to be one.
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_FOLLOW)
    except FileNotFoundError:
        raise StoreError(tr("{path_name} does not exist.", path_name=path.name), code="Missing") from None
    except OSError as error:
        if path.is_symlink():
            raise StoreError(
                tr("{path_name} is a symbolic link and was not followed.", path_name=path.name), code="NotAFile"
            ) from None
        raise StoreError(
            tr("{path_name} cannot be read: {strerror}.", path_name=path.name, strerror=error.strerror), code="CannotRead"
        ) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise StoreError(tr("{path_name} is not a file.", path_name=path.name), code="NotAFile")
    with os.fdopen(fd, "rb") as file:
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise StoreError(
                tr("{path_name} cannot be read: {strerror}.", path_name=path.name, strerror=error.strerror), code="CannotRead"
            ) from None
    if len(data) > limit:
        raise StoreError(
            tr("{path_name} is larger than the {limit} bytes that are read.", path_name=path.name, limit=limit), code="TooLarge"
        )
    if valid is not None and not valid(data):
        raise StoreError(tr("{path_name} is damaged.", path_name=path.name), code="Damaged")
    return data


def _place(path: Path, data: bytes) -> None:
    """Bring `data` to the disk under a temporary name, then give it its own in one step. The folder is ours (`_folder`)."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)  # left behind by a write that was killed
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(fd)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _folder(folder: Path) -> Iterator[Callable[[], None]]:
    """Hold `folder` for writing and hand out what brings its entries to the disk."""
    if sys.platform == "win32":  # a folder cannot be opened there; NTFS journals its entries
        yield lambda: None
        return
    import fcntl

    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield lambda: os.fsync(fd)
    finally:
        os.close(fd)
