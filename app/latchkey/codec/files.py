"""A hand-over as a `.latchkey` file: the envelope's bytes and nothing else. What is read may also be JSON, a link or a UR (`inbox`)."""

from __future__ import annotations

from typing import BinaryIO

from latchkey.codec.hand_over import Envelope, encode
from latchkey.core.untrusted import MAX_BYTES
from latchkey.errors import BadInput
from latchkey.language import tr

SUFFIX = ".latchkey"


def content(envelope: Envelope) -> bytes:
    """What a `.latchkey` file holds."""
    return encode(envelope)


def read_capped(stream: BinaryIO) -> bytes:
    """All of an open file or pipe, refused with BadInput as soon as it holds more than 256 KiB; no more than that is ever read."""
    raw = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise BadInput(
            tr("This file is too large: at most {max_bytes} KiB are read.", max_bytes=MAX_BYTES // 1024), code="TooLarge"
        )
    return raw
