"""The local door for dApps: JSON-RPC on 127.0.0.1, in a process of its own that knows no vault, no book and no window.

    latchkey bridge      started by the window (flow/bridge.py) with frames on its pipes, never by a person; off until switched on

    limits.py   every cap there is
    faults.py   JSON-RPC errors: a code and one sentence
    door.py     who is at the door: Host, Origin, token
    calls.py    reading a call, and what it asks of the window
    pipe.py     frames to and from the window
    bridge.py   what is answered to whom: pairings, open questions, rates
    confine.py  what the process gives up once it listens
    http.py     aiohttp: requests, sockets, CORS

Frames (vault/frames.py). The window first sends {"verb": "open", "port", "pairings": [{"id", "origin", "hash"}]}; then, whenever it likes,
{"verb": "pairings", "pairings"} and {"verb": "tell", "pairing", "method", "params"} (to that pairing's sockets). The bridge says
{"verb": "listening"} or {"verb": "trouble", "code"}, {"verb": "sockets", "pairings"} (ids of those that listen), and asks
{"id", "ask", "pairing", "origin", ...}; the window answers {"id", "result"} or {"id", "error": {"code", "message"}}. {"id",
"withdraw": true} from the bridge: whoever asked is gone.
The process ends with its standard input.
"""

from __future__ import annotations

import os
import signal
import sys


def main() -> int:
    """The body of the process; returns when the window is gone."""
    from latchkey.vault.harden import close_all_but, harden

    if sys.platform != "win32":
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal is meant for the window
    harden()
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):  # nothing that is printed may get between the frames
        os.dup2(nothing, fd)
    os.close(nothing)
    close_all_but(source, sink)
    _limit()

    import asyncio

    from latchkey.bridge.http import serve

    with os.fdopen(source, "rb") as reader, os.fdopen(sink, "wb") as writer:
        return asyncio.run(serve(reader, writer))


def _limit() -> None:
    """No more files than connections need, no more memory than requests need: a flood must not take the computer along. And nothing is
    written to a disk."""
    if sys.platform == "win32":
        return
    import resource

    from latchkey.bridge.limits import FILES, MEMORY

    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
