"""Is the bundle the same wherever and whenever it is built? Builds it twice, in other folders, and lists every file that differs.

    python packaging/compare_bundles.py          builds twice into build/compare/, writes docs/reproducible.md; 1 when contents differ

The two builds differ in time and in the folders they write to; they share this checkout, its .venv and, as in the Makefile, the seed of
Python's hashes: with another one the order of files within `base_library.zip` is another, and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PLACE = TOP / "build" / "compare"
PAGE = TOP / "docs" / "reproducible.md"

TEXT = """# Two builds of one bundle

Written by `python packaging/compare_bundles.py`: the one-folder bundle built twice, at other times and into other folders, from one
checkout with one set of libraries; files compared byte by byte. `make bundle` fixes the seed of Python's hashes: with another one the
order of the files within `base_library.zip` is another, and nothing else.

{files} files, {megabytes:.0f} MB each. {verdict}

{rows}
The wheel is compared on every run of the tests (`tests/test_packages.py`): two builds are the same bytes. The Debian package is made of the
bundle with times from the last commit, so two packages of one bundle are the same bytes too.
"""


def main() -> int:
    shutil.rmtree(PLACE, ignore_errors=True)
    one, two = _build("one"), _build("somewhere-else")
    names = sorted(one.keys() | two.keys())
    differing = [name for name in names if one.get(name) != two.get(name)]
    rows = "".join(f"- `{name}`: {_how(name, one, two)}\n" for name in differing)
    verdict = f"{len(differing)} differ:" if differing else "None differs."
    size = sum(path.stat().st_size for path in (PLACE / "one" / "dist").rglob("*") if path.is_file() and not path.is_symlink())
    PAGE.write_text(TEXT.format(files=len(names), megabytes=size / 1e6, verdict=verdict, rows=rows))
    print(verdict, *differing, sep="\n  ")
    return 1 if differing else 0


def _build(name: str) -> dict[str, str]:
    """Build there; each file's path in the bundle and its hash, or where a link points."""
    place = PLACE / name
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "ERROR", "--distpath", place / "dist", "--workpath",
         place / "work", "build.spec"],
        cwd=TOP, check=True, env={**os.environ, "PYTHONHASHSEED": "0", "PYINSTALLER_CONFIG_DIR": str(place / "cache")},
    )  # fmt: skip
    root = place / "dist" / "latchkey"
    found = {}
    for path in root.rglob("*"):
        if path.is_symlink():
            found[str(path.relative_to(root))] = f"-> {path.readlink()}"
        elif path.is_file():
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _how(name: str, one: dict[str, str], two: dict[str, str]) -> str:
    if name not in one or name not in two:
        return "is in one of them only"
    first, second = ((PLACE / place / "dist" / "latchkey" / name).read_bytes() for place in ("one", "somewhere-else"))
    if len(first) != len(second):
        return f"{len(first):,} and {len(second):,} bytes"
    return f"{sum(a != b for a, b in zip(first, second, strict=True)):,} of {len(first):,} bytes"


if __name__ == "__main__":
    sys.exit(main())
