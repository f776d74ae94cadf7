"""The desk's end of the pipe to the signer: frames in on a thread of their own, answers out.

Standard output belongs to the frames alone, so the descriptors are moved away before anything else may print.
"""

from __future__ import annotations

import os
import threading
from typing import Any, BinaryIO

from PySide6.QtCore import QObject, Signal

from latchkey.errors import LatchkeyError
from latchkey.vault.frames import USED, read_frame, write_frame


def take_over_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Private copies of standard input and output; afterwards the old input is empty and the old output is standard error."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


class Pipe(QObject):
    """`asked` brings each ask as the signer sent it; `closed` says that the signer is gone."""

    asked = Signal(object)
    closed = Signal()

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        super().__init__()
        self._source, self._sink = source, sink
        self._reader = threading.Thread(target=self._read, name="desk-pipe", daemon=True)

    def start(self) -> None:
        self._reader.start()

    def answer(self, ask: int, answer: dict[str, Any]) -> None:
        self._write({"id": ask, "answer": answer})

    def decline(self, ask: int) -> None:
        self._write({"id": ask, "declined": True})

    def used(self) -> None:
        """A person is at work here: the idle clock of the other window is not to lock."""
        self._write(USED)

    def _write(self, frame: dict[str, Any]) -> None:
        try:
            write_frame(self._sink, frame)
        except (LatchkeyError, OSError):
            self.closed.emit()

    def _read(self) -> None:
        """Until the end of the stream; a broken frame ends it as well, for nothing after it can be trusted."""
        try:
            while (frame := read_frame(self._source)) is not None:
                self.asked.emit(frame)
        except (LatchkeyError, OSError):
            pass
        self.closed.emit()
