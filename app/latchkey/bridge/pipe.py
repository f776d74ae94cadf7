"""Frames to and from the window: asking and being answered, on two threads beside the event loop.

Pipes block, and on some systems an event loop cannot wait for them; threads do everywhere. The end of the window's pipe is the end of the
process, whatever it is doing.
"""

from __future__ import annotations

import asyncio
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from latchkey.bridge.faults import Code, Fault
from latchkey.bridge.limits import ASKS
from latchkey.errors import SignerError
from latchkey.vault.frames import Frame, read_frame, write_frame

_LAST_WORDS = 0.2  # seconds in which those that wait are still told


class Pipe:
    """To be used in the event loop's thread. `told(frame)` gets what is no answer."""

    def __init__(self, source: BinaryIO, sink: BinaryIO, told: Callable[[Frame], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._told = told
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._asks = secrets.randbits(48)  # so that an answer meant for an earlier process is none of this one's
        self._out: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(source,), name="from the window", daemon=True).start()
        threading.Thread(target=self._write, args=(sink,), name="to the window", daemon=True).start()

    def say(self, **frame: Any) -> None:
        self._out.put(frame)

    async def ask(self, name: str, seconds: float, /, **fields: Any) -> Any:
        """The window's answer. Raises Fault. When the one who asked stops waiting, the question is withdrawn."""
        if len(self._waiting) >= ASKS:
            raise Fault(Code.LIMIT, "Latchkey has too much to answer just now; try again in a moment.", status=429)
        self._asks += 1
        number, answer = self._asks, self._loop.create_future()
        self._waiting[number] = answer
        self.say(id=number, ask=name, **fields)
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            self.say(id=number, withdraw=True)
            raise Fault(Code.INTERNAL, "Latchkey did not answer in time.") from None
        except asyncio.CancelledError:
            self.say(id=number, withdraw=True)
            raise
        finally:
            del self._waiting[number]

    def _read(self, source: BinaryIO) -> None:
        try:
            while (frame := read_frame(source)) is not None:
                self._loop.call_soon_threadsafe(self._take, frame)
        except (SignerError, OSError, RuntimeError):  # RuntimeError: the loop has ended
            pass
        time.sleep(_LAST_WORDS)
        os._exit(0)

    def _write(self, sink: BinaryIO) -> None:
        try:
            while True:
                write_frame(sink, self._out.get())
        except (SignerError, OSError):
            os._exit(0)

    def _take(self, frame: Frame) -> None:
        if "id" not in frame:
            self._told(frame)
            return
        waiting = self._waiting.get(frame["id"])
        if waiting is None or waiting.done():
            return
        if "error" in frame:
            waiting.set_exception(Fault(frame["error"]["code"], frame["error"]["message"]))
        else:
            waiting.set_result(frame.get("result"))
