"""Runs the real command line in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def latchkey(*arguments: str, stdin: str | bytes = "", **options: Any) -> subprocess.CompletedProcess[bytes]:
    raw = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run(
        [sys.executable, "-m", "latchkey", *arguments], input=raw, capture_output=True, timeout=120, check=False, **options
    )


def result(*arguments: str, stdin: str | bytes = "", **options: Any) -> Any:
    """The JSON a command prints; the command has to succeed."""
    done = latchkey(*arguments, stdin=stdin, **options)
    assert done.returncode == 0, (done.stdout[:500], done.stderr[:500])
    return json.loads(done.stdout)


def refusal(*arguments: str, stdin: str | bytes = "", **options: Any) -> dict[str, Any]:
    """The error object of a command that refuses with exit code 2."""
    done = latchkey(*arguments, stdin=stdin, **options)
    assert done.returncode == 2, (done.returncode, done.stdout[:500], done.stderr[:500])
    error: dict[str, Any] = json.loads(done.stdout)["error"]
    assert error.keys() == {"code", "message", "path"}
    return error


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]
