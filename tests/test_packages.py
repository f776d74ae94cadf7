"""What is given to people: two builds of it are the same bytes, and what a desktop is told about it is right."""

from __future__ import annotations

import configparser
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINUX = ROOT / "packaging" / "linux"


def build_wheel(checkout: Path, to: Path) -> Path:
    """As the release workflow does it, with what is installed: nothing is fetched."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(to)]
    done = subprocess.run(
        command, cwd=checkout, capture_output=True, text=True, check=False, env={**os.environ, "SOURCE_DATE_EPOCH": "1795300000"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = to.glob("*.whl")
    return wheel


def copied(to: Path) -> Path:
    """The files under version control, somewhere else, with other times and another mode mask."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in listed.split("\0"):
        if name.startswith(("app/", "resources/")) or name in ("pyproject.toml", "README.md", "LICENSE"):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, to / name)
    return to


def test_two_wheels_are_the_same_bytes(tmp_path: Path) -> None:
    first = build_wheel(copied(tmp_path / "one"), tmp_path / "first")
    again = copied(tmp_path / "elsewhere" / "two")
    for path in again.rglob("*"):
        os.utime(path, (1, 1))
    second = build_wheel(again, tmp_path / "second")
    assert first.name == second.name
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    names = zipfile.ZipFile(first).namelist()
    assert "latchkey/resources/icons/latchkey.svg" in names
    assert "latchkey/resources/dapp/latchkey.mjs" in names
    assert not [name for name in names if "tests/" in name or name.endswith((".pyc", ".so")) or "node_modules" in name]


def entry(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read(LINUX / name)
    return parser["Desktop Entry"]


def test_the_menu_has_both() -> None:
    usual, offline = entry("latchkey.desktop"), entry("latchkey-offline.desktop")
    assert usual["Exec"] == "latchkey --link -- %u"
    assert set(usual["MimeType"].strip(";").split(";")) == {"x-scheme-handler/latchkey", "application/x-latchkey"}
    assert offline["Exec"] == "latchkey --offline"
    assert "MimeType" not in offline  # links come from a browser, so from a machine that is online
    assert usual["Icon"] == offline["Icon"] == "latchkey"


@pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason="needs desktop-file-utils")
@pytest.mark.parametrize("name", ["latchkey.desktop", "latchkey-offline.desktop"])
def test_desktop_entries_are_valid(name: str) -> None:
    done = subprocess.run(["desktop-file-validate", str(LINUX / name)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(not shutil.which("makensis"), reason="needs nsis")
def test_the_windows_installer_compiles(tmp_path: Path) -> None:
    """With a stand-in for the bundle: what is tested is the script."""
    bundle = tmp_path / "latchkey"
    (bundle / "_internal").mkdir(parents=True)
    (bundle / "latchkey.exe").write_bytes(b"MZ")
    (bundle / "_internal" / "library.dll").write_bytes(b"MZ")
    made = tmp_path / "latchkey-0.1.0-setup.exe"
    done = subprocess.run(
        ["makensis", "-V2", "-WX", "-DVERSION=0.1.0", f"-DBUNDLE={bundle}", f"-DOUTPUT={made}", "latchkey.nsi"],
        cwd=ROOT / "packaging" / "windows", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert made.read_bytes()[:2] == b"MZ"


def test_nothing_that_is_packaged_fetches_anything() -> None:
    """Installers and what they install run nothing from elsewhere. The release workflow fetches its tools, and says which."""
    fetching = ("curl ", "wget ", "urlretrieve", "NSISdl", "inetc::", "nsExec", "ExecWait", "Invoke-WebRequest")
    scripts = [*(ROOT / "packaging" / "windows").iterdir(), ROOT / "packaging" / "installer.py", ROOT / "build.spec"]
    assert [(path.name, word) for path in scripts for word in fetching if word in path.read_text()] == []
    package = (ROOT / "packaging" / "installer.py").read_text()
    assert not any(script in package for script in ("postinst", "preinst", "prerm", "postrm"))


@pytest.mark.parametrize(("change", "code"), [("nothing", 0), ("file", 1), ("list", 1), ("gone", 1)])
def test_verify(tmp_path: Path, change: str, code: int) -> None:
    (tmp_path / "latchkey.deb").write_bytes(b"package")
    (tmp_path / "SHA256SUMS").write_text(f"{hashlib.sha256(b'package').hexdigest()}  latchkey.deb\n{'0' * 64}  other.dmg\n")
    if change == "file":
        (tmp_path / "latchkey.deb").write_bytes(b"packagf")
    elif change == "list":
        (tmp_path / "SHA256SUMS").write_text("no list\n")
    elif change == "gone":
        (tmp_path / "latchkey.deb").unlink()
    done = subprocess.run(["sh", str(ROOT / "packaging" / "verify.sh"), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
