"""Frames on a pipe: 4-byte big-endian length, then one CBOR map. Both of the signer's pipes speak them.

Reading blocks until a frame is whole; how long to wait is the caller's to decide.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from latchkey.errors import SignerError
from latchkey.language import tr
from latchkey.vault import cbor

MAX_FRAME = 1 << 20
Frame = dict[str, Any]
USED: Frame = {"used": True}  # from the desk, and on from the signer, before an answer: a person is there and at work


def write_frame(sink: BinaryIO, frame: Frame) -> None:
    """Send one frame at once. Raises SignerError when it is too large, OSError when nobody listens any more."""
    body = cbor.dump(frame)
    if len(body) > MAX_FRAME:
        raise SignerError(tr("The message to another part of Latchkey is too large."), code="FrameTooLarge")
    sink.write(len(body).to_bytes(4, "big") + body)
    sink.flush()


def read_frame(source: BinaryIO) -> Frame | None:
    """The next frame, or None at the end of the stream. Raises SignerError on anything but a whole, plain frame."""
    head = source.read(4)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if len(head) < 4 or size > MAX_FRAME:
        raise _broken()
    body = source.read(size)
    try:
        frame = cbor.load(body)
    except cbor.NotPlain:
        raise _broken() from None
    if len(body) < size or not isinstance(frame, dict):
        raise _broken()
    return frame


def _broken() -> SignerError:
    return SignerError(tr("A message from another part of Latchkey is broken. Lock, and try again."), code="BrokenFrame")
