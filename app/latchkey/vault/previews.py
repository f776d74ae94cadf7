"""Previews that wait for a yes: each is good for one signing within five minutes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Generic, TypeVar

from latchkey.errors import Refused
from latchkey.language import tr

VALID_SECONDS = 300
MOST_PREVIEWS = 16
T = TypeVar("T")


class Previews(Generic[T]):
    """Holds at most 16; the oldest makes room. `clock`: steady seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._held: dict[bytes, tuple[T, float]] = {}

    def keep(self, preview: T) -> bytes:
        """The token that stands for it, 16 random bytes."""
        token = secrets.token_bytes(16)
        while len(self._held) >= MOST_PREVIEWS:
            del self._held[next(iter(self._held))]
        self._held[token] = (preview, self._clock() + VALID_SECONDS)
        return token

    def take(self, token: bytes) -> T:
        """Spends the token. Raises Refused when it was spent before or is too old."""
        found = self._held.pop(token, None)
        if found is None or found[1] < self._clock():
            raise Refused(tr("This preview is used up or too old; look at it again before you sign."), code="PreviewGone")
        return found[0]
