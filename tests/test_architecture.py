"""The house keeps its shape: direction of imports, who may touch Qt and the network, and what must stand in no file at all."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APP = ROOT / "app" / "latchkey"

# Library (or one module of it) -> the rooms that may import it.
FENCES = {
    "PySide6": {"ui"},
    "shiboken6": {"ui"},
    "aiohttp": {"bridge"},
    "ftplib": set(),
    "http": {"chain", "bridge"},
    "requests": {"chain", "bridge"},
    "smtplib": set(),
    "socket": {"chain", "bridge"},
    "socketserver": {"chain", "bridge"},
    "ssl": {"chain", "bridge"},
    "urllib.request": {"chain", "bridge"},
    "urllib3": {"chain", "bridge"},
    "web3": {"chain", "bridge"},
    "websockets": {"chain", "bridge"},
    "keyring": {"vault"},
    "sqlite3": {"store"},
    "pickle": set(),
    "random": set(),
}


def sources() -> list[Path]:
    return sorted(APP.rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Every absolute module name that an import statement in `tree` may load, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def fenced(source: str, room: str) -> list[str]:
    names = list(imported(ast.parse(source)))
    return [
        f"{name} in {room}"
        for name in names
        for library, rooms in FENCES.items()
        if room not in rooms and (name == library or name.startswith(library + "."))
    ]


def room_of(path: Path) -> str:
    return path.relative_to(APP).parts[0]


@cache
def tracked() -> list[Path]:
    """The files of the checkout that are, or are about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@cache
def texts() -> list[tuple[str, str]]:
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            found.append((str(path.relative_to(ROOT)), data.decode("utf-8")))
    assert len(found) > 50
    return found


def test_imports_point_down_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_libraries_stay_in_their_rooms() -> None:
    found = [f"{path.relative_to(ROOT)}: {broken}" for path in sources() for broken in fenced(path.read_text(), room_of(path))]
    assert found == []


@pytest.mark.parametrize(
    ("source", "room"),
    [
        ("import PySide6.QtWidgets", "flow"),
        ("def late():\n    from PySide6 import QtCore", "vault"),
        ("from urllib import request", "codec"),
        ("import random", "ui"),
    ],
)
def test_the_fence_notices(source: str, room: str) -> None:
    assert fenced(source, room)


def test_the_fence_lets_pure_helpers_through() -> None:
    assert not fenced("from urllib.parse import urlsplit\nimport httpx_names", "codec")


def test_plain_labels_come_from_one_place() -> None:
    """A bare QLabel guesses whether its text is markup; the widgets' labels never render any."""
    raw = re.compile(r"(?<![A-Za-z])QLabel\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources()
        if "widgets" not in path.relative_to(APP).parts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if raw.search(line)
    ]
    assert found == []


HEAVY = {"PySide6", "shiboken6", "web3", "eth_account", "eth_abi", "cryptography", "zxingcpp", "pydantic", "keyring", "sqlite3"}
HEAVY |= {"aiohttp"}


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "latchkey", "--help"], capture_output=True, text=True, check=True, timeout=250
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "latchkey" in loaded
    assert not loaded & HEAVY


def misleading(text: str) -> Iterator[str]:
    """Characters that look like others or turn the reading direction: letters neither Latin nor ideographs, and what is not seen."""
    for character in set(text) - {"\n", "\t"}:
        category = unicodedata.category(character)
        hidden = category[0] == "C" or category in {"Zl", "Zp"}
        foreign = category[0] == "L" and not unicodedata.name(character).startswith(("LATIN ", "CJK ", "MICRO SIGN"))
        if hidden or foreign:
            yield f"U+{ord(character):04X}"


LOOK_ALIKES = {"tests/core/golden/names.txt"}  # what a person sees of them is what stands there


def test_no_character_misleads_a_reader() -> None:
    assert [f"{name}: {sign}" for name, text in texts() if name not in LOOK_ALIKES for sign in misleading(text)] == []
    assert list(misleading("\u0430")) == ["U+0430"]
    assert list(misleading("\u202e")) == ["U+202E"]


def test_identifiers_are_ascii() -> None:
    found = [
        f"{name}:{token.start[0]}: {token.string}"
        for name, text in texts()
        if name.endswith(".py") and not text.isascii()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.NAME and not token.string.isascii()
    ]
    assert found == []


# Written in pieces, so that this file is not its own finding.
NOT_OURS = re.compile(
    "|".join(
        [
            r"(?<![\w.])/" + r"(?:work|farm)/",
            r"/tmp/" + r"(?:bash_jobs|seams)",
            r"https?://" + r"(?:registry|files|deb|security|pypi|test)\.[a-z]+",
            r"(?:pypi|python" + r"hosted)\.org",
            r"npm" + r"js\.(?:org|com)",
        ]
    )
)


def test_no_file_names_the_machine_it_was_made_on() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if NOT_OURS.search(line)
    ]
    assert found == []


def test_the_lock_holds_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.split(r"\n(?=\S)", lock)
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins if not pin.startswith("#"))
    assert "://" not in lock
    assert " @ " not in lock


def test_no_layout_item_is_looked_at() -> None:
    """`QLayout.itemAt` gives PySide an object that Qt frees behind its back; the next thing at its address is then taken for it, and the
    program crashes (seen: a window whose Tab order walked the layouts died after some twenty pages). `tabbing.parts` does without."""
    pages = sorted((ROOT / "app" / "latchkey" / "ui").rglob("*.py"))
    assert len(pages) > 100
    assert [page.name for page in pages if ".itemAt(" in page.read_text()] == []
