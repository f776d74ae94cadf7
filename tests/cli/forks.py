"""A process that has loaded the command line forks itself for each run: a real process each time, with its own streams and descriptors,
without the second that loading takes. Used by tests.cli.run alone.

    python -m tests.cli.forks SOCKET-FD

A run comes in as one message of JSON {arguments, environment, folder, numbers} with descriptors: stdin, stdout, stderr, and those that
are to have the `numbers`. The answer is the exit code; when the other side hangs up first, the run is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from importlib import import_module
from typing import Any

MOST = 1 << 20  # bytes
_LOADED = (
    "latchkey.__main__", "latchkey.cli", "latchkey.cli.grant", "latchkey.cli.explain", "latchkey.cli.vault", "latchkey.cli.account",
    "latchkey.cli.sign", "latchkey.cli.ending", "latchkey.cli.sessions", "latchkey.cli.trying", "latchkey.flow.explain",
    "latchkey.flow.signing", "latchkey.flow.granting", "latchkey.flow.ending", "latchkey.flow.sessions", "latchkey.flow.keys",
    "latchkey.chain.node", "latchkey.chain.reading", "latchkey.chain.send", "eth_account",
)  # fmt: skip


def serve(sock: socket.socket) -> None:
    for name in _LOADED:
        import_module(name)
    while True:
        header, fds, _, _ = socket.recv_fds(sock, MOST, 64)
        if not header:
            return
        sock.send(b"%d" % _run(json.loads(header), fds, sock))


def _run(asked: dict[str, Any], fds: list[int], sock: socket.socket) -> int:
    child = os.fork()
    if child == 0:
        sock.close()
        _become(asked, fds)
    for fd in fds:
        os.close(fd)
    ended = os.pidfd_open(child)
    try:
        ready, _, _ = select.select([ended, sock], [], [])
        if ended not in ready:  # whoever asked has gone
            os.kill(child, signal.SIGKILL)
    finally:
        os.close(ended)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _become(asked: dict[str, Any], fds: list[int]) -> None:
    code = 70
    try:
        high = [os.dup2(fd, 400 + number) for number, fd in enumerate(fds)]
        for fd, number in zip(high, [0, 1, 2, *asked["numbers"]], strict=True):
            os.dup2(fd, number)
        os.closerange(400, 400 + len(high))
        for fd in fds:
            if fd > 2 and fd not in asked["numbers"]:
                with contextlib.suppress(OSError):
                    os.close(fd)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(n, "r" if n == 0 else "w", encoding="utf-8", closefd=False) for n in range(3)
        )
        sys.argv = ["latchkey", *asked["arguments"]]
        from latchkey.__main__ import main

        try:
            code = main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback

        os.write(2, traceback.format_exc().encode())
        code = 1
    finally:
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
