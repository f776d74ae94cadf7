"""Chain seconds as text: absolute in UTC and relative to a given now. Two different times never read the same."""

from __future__ import annotations

from datetime import UTC, datetime

_LAST = 253_402_300_799  # 31 December 9999, 23:59:59
_STEPS = (("day", 86_400), ("hour", 3_600), ("minute", 60))


def utc(seconds: int) -> str:
    """ "1 January 2030, 00:00 UTC"; seconds are shown when they are not 0; times beyond the year 9999 by their number."""
    if not 0 <= seconds <= _LAST:
        return f"second {seconds} of the chain's clock (after the year 9999)"
    moment = datetime.fromtimestamp(seconds, UTC)
    clock = moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
    return f"{moment.day} {moment.strftime('%B')} {moment.year}, {clock} UTC"


def span(seconds: int) -> str:
    """A duration in its two largest units: "6 days 23 hours", "8 hours", "under a minute"; long ones in years."""
    if seconds >= 2 * 365 * 86_400:
        return f"{seconds // (365 * 86_400)} years"
    words: list[str] = []
    for name, size in _STEPS:
        number, seconds = divmod(seconds, size)
        if number:
            words.append(f"{number} {name}{'s' if number != 1 else ''}")
    return " ".join(words[:2]) or "under a minute"


def until(seconds: int, now: int) -> str:
    """ "1 January 2030, 00:00 UTC (in 3 years)" or "(8 hours ago)"."""
    away = seconds - now
    return f"{utc(seconds)} (in {span(away)})" if away >= 0 else f"{utc(seconds)} ({span(-away)} ago)"
