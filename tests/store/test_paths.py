"""The data folder: closed to others, never through a link, one writer."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from latchkey.errors import StoreError
from latchkey.store.paths import DataDir
from tests.processes import started

HOLD = """
import sys
from pathlib import Path
from latchkey.store.paths import DataDir
with DataDir.open(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_missing_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data = DataDir.open(tmp_path / "a" / "b")
    assert mode(data.root) == 0o700
    assert (data.vault.name, data.book.name, data.settings.name) == ("vault.latchkey-vault", "book.sqlite", "settings.json")


def test_the_usual_place_follows_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert DataDir.open().root == tmp_path / "latchkey"


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert DataDir.open(Path("here")).root == tmp_path / "here"


@pytest.mark.parametrize("wide", [0o755, 0o777, 0o710, 0o701])
def test_a_wide_mode_is_repaired(tmp_path: Path, wide: int) -> None:
    root = tmp_path / "data"
    root.mkdir()
    root.chmod(wide)
    DataDir.open(root)
    assert mode(root) == 0o700


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(StoreError, match="symbolic link"):
        DataDir.open(tmp_path / "link")


def test_a_dangling_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError):
        DataDir.open(tmp_path / "link")
    assert not (tmp_path / "nowhere").exists()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="not a folder"):
        DataDir.open(tmp_path / "file")
    with pytest.raises(StoreError) as error:
        DataDir.open(tmp_path / "file" / "data")
    assert error.value.code == "NoDataFolder"


def test_one_writer_across_processes(tmp_path: Path) -> None:
    data = DataDir.open(tmp_path / "data")
    command = [sys.executable, "-c", HOLD, str(data.root)]
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StoreError, match="Another Latchkey") as error, data.lock():
            pass
        assert error.value.code == "InUse"
        other.kill()
    with data.lock():  # a killed holder lets go
        pass


def test_one_writer_within_a_process(tmp_path: Path) -> None:
    data = DataDir.open(tmp_path)
    with data.lock(), pytest.raises(StoreError), data.lock():
        pass
    with data.lock():
        pass
