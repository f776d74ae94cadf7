"""A hand-over as a link: `latchkey:grant/` and the envelope's bytes in base64url without padding."""

from __future__ import annotations

import base64
import re

from latchkey.errors import BadInput
from latchkey.language import tr

PREFIX = "latchkey:grant/"
MAX_LINK = 24_000  # characters; what desktops and chat programs still pass on whole

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]+")


def to_link(raw: bytes) -> str:
    """Raises BadInput when the link would be longer than 24,000 characters: use a file instead."""
    link = PREFIX + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    if len(link) > MAX_LINK:
        raise BadInput(tr("This is too long for a link: save it as a file instead."), code="TooLarge")
    return link


def from_link(text: str) -> bytes:
    """The inverse of `to_link`; the scheme's letter case is free, as in every link, the rest is exact. Raises BadInput."""
    if len(text) > MAX_LINK:
        raise BadInput(tr("This link is too long: at most {max_link} characters are read.", max_link=MAX_LINK), code="TooLarge")
    head, payload = text[: len(PREFIX)], text[len(PREFIX) :]
    if head.lower() != PREFIX or not _PAYLOAD.fullmatch(payload) or len(payload) % 4 == 1:
        raise BadInput(
            tr("This is not a whole Latchkey link: it begins with latchkey:grant/ and must be copied to its end."), code="NotLink"
        )
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    if to_link(raw)[len(PREFIX) :] != payload:
        raise BadInput(tr("This is not a whole Latchkey link: its last letter is wrong."), code="NotLink")
    return raw
