"""Where Latchkey keeps its files: one folder that only its owner can open, and one writer at a time."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from latchkey.errors import StoreError
from latchkey.language import tr

if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> None:
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


_QUIET = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class DataDir:
    """The data folder. Made by `DataDir.open`, which guarantees that it exists, is the user's own and is closed to others."""

    root: Path

    @classmethod
    def open(cls, path: Path | None = None) -> DataDir:
        """The folder at `path` (the platform's usual place when None), created when missing.

        A symbolic link is refused, because whoever placed it chooses where the vault goes; so is a folder of another user.
        A mode wider than 0700 is repaired. Raises StoreError.
        """
        root = usual_folder(path)
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _close_to_others(root)
        except FileExistsError:
            raise StoreError(tr("{root} is not a folder; choose another data folder.", root=root), code="NotAFolder") from None
        except OSError as error:
            raise StoreError(
                tr("The data folder {root} cannot be used: {strerror}.", root=root, strerror=error.strerror), code="NoDataFolder"
            ) from None
        return cls(root)

    @property
    def vault(self) -> Path:
        return self.root / "vault.latchkey-vault"

    @property
    def book(self) -> Path:
        return self.root / "book.sqlite"

    @property
    def settings(self) -> Path:
        return self.root / "settings.json"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder as its one writer for the length of the block; the system lets go when the process dies.

        Raises StoreError (code "InUse") when another Latchkey holds it.
        """
        try:
            fd = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | _QUIET, 0o600)
        except OSError as error:
            raise StoreError(
                tr(
                    "The data folder {folder} cannot be written: {reason}. Name another one with --data-dir.",
                    folder=self.root,
                    reason=error.strerror,
                ),
                code="NoDataFolder",
            ) from None
        try:
            try:
                _try_lock(fd)
            except OSError:
                raise StoreError(tr("Another Latchkey is using this data folder; close it first."), code="InUse") from None
            yield
        finally:
            os.close(fd)


def usual_folder(named: Path | str | None = None) -> Path:
    """Where the data folder is or would be; nothing is made or looked at."""
    if named:
        return Path(named).absolute()
    from platformdirs import user_data_path  # not quick to load, and not wanted where the folder is named

    return user_data_path("latchkey", appauthor=False).absolute()


def _close_to_others(root: Path) -> None:
    info = root.lstat()
    if stat.S_ISLNK(info.st_mode):
        raise StoreError(tr("The data folder {root} is a symbolic link; name the folder itself.", root=root), code="SymbolicLink")
    if sys.platform == "win32":
        return
    if info.st_uid != os.getuid():
        raise StoreError(tr("The data folder {root} belongs to another user.", root=root), code="NotYours")
    if stat.S_IMODE(info.st_mode) & 0o077:
        root.chmod(0o700)
