"""How often somebody may call: a bucket for each, and only so many of them are remembered."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from latchkey.bridge.limits import VISITORS


class Rates:
    """`rate` calls a second, `burst` at a stretch, each by its key. The one that was quiet longest is forgotten first."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> bool:
        """Whether one more is within the rate."""
        now = self._clock()
        left, since = self._left.pop(key, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._rate)
        allowed = left >= 1
        self._left[key] = (left - 1 if allowed else left, now)
        if len(self._left) > VISITORS:
            self._left.popitem(last=False)
        return allowed
