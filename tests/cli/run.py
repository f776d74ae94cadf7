"""Runs the real command line in a process of its own, forked from one that has it loaded (tests.cli.forks)."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

_WAIT = 120  # seconds


def latchkey(
    *arguments: str, stdin: str | bytes = "", pass_fds: tuple[int, ...] = (), **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """`options`: `cwd`, `env`. A command that has to start bare (--offline) is started so."""
    raw = stdin.encode() if isinstance(stdin, str) else stdin
    if "--offline" in arguments or sys.platform != "linux":
        command = [sys.executable, "-m", "latchkey", *arguments]
        return subprocess.run(command, input=raw, capture_output=True, timeout=_WAIT, check=False, pass_fds=pass_fds, **options)
    asked = {
        "arguments": arguments,
        "environment": dict(options.pop("env", None) or os.environ),
        "folder": str(options.pop("cwd", None) or Path.cwd()),
        "numbers": pass_fds,
    }
    assert not options
    sock = _forks()
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        given.write(raw)
        given.seek(0)
        streams = (given.fileno(), said.fileno(), complained.fileno())
        socket.send_fds(sock, [json.dumps(asked).encode()], [*streams, *pass_fds])
        try:
            code = int(sock.recv(16))
        except TimeoutError:
            _forks.cache_clear()
            sock.close()
            raise
        said.seek(0)
        complained.seek(0)
        return subprocess.CompletedProcess(list(arguments), code, said.read(), complained.read())


@cache
def _forks() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "tests.cli.forks", str(theirs.fileno())]
    process = subprocess.Popen(command, pass_fds=(theirs.fileno(),), cwd=Path(__file__).parents[2])
    theirs.close()
    ours.settimeout(_WAIT)
    atexit.register(lambda: (ours.close(), process.wait(60)))
    return ours


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
