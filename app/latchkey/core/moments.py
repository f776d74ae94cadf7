"""Chain seconds as text: absolute in UTC and relative to a given now. Two different times never read the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from latchkey.language import tr, trn

_LAST = 253_402_300_799  # 31 December 9999, 23:59:59
MONTHS = (
    tr("January"), tr("February"), tr("March"), tr("April"), tr("May"), tr("June"), tr("July"), tr("August"), tr("September"),
    tr("October"), tr("November"), tr("December"),
)  # fmt: skip
_YEAR, _DAY, _HOUR, _MINUTE = 365 * 86_400, 86_400, 3_600, 60


def utc(seconds: int) -> str:
    """ "1 January 2030, 00:00 UTC"; seconds are shown when they are not 0; times beyond the year 9999 by their number."""
    if not 0 <= seconds <= _LAST:
        return tr("second {seconds} of the chain's clock (after the year 9999)", seconds=seconds)
    moment = datetime.fromtimestamp(seconds, UTC)
    clock = moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}, {clock} UTC"


def span(seconds: int) -> str:
    """A duration in its two largest units: "6 days 23 hours", "8 hours", "under a minute"; long ones in years."""
    return " ".join([words for words, _ in _units(seconds)][:2]) or tr("under a minute")


def short_span(seconds: int) -> str:
    """The same where there is little room: "6 h 12 min"."""
    return " ".join([words for _, words in _units(seconds)][:2]) or tr("under a min")


def _units(seconds: int) -> Iterator[tuple[str, str]]:
    """Each unit that it has, in words and in short."""
    if seconds >= 2 * _YEAR:
        years = tr("{years} years", years=seconds // _YEAR)
        yield years, years
        return
    days, hours, minutes = seconds // _DAY, seconds % _DAY // _HOUR, seconds % _HOUR // _MINUTE
    if days:
        said = trn("{count} day", "{count} days", days)
        yield said, said
    if hours:
        yield trn("{count} hour", "{count} hours", hours), tr("{hours} h", hours=hours)
    if minutes:
        yield trn("{count} minute", "{count} minutes", minutes), tr("{minutes} min", minutes=minutes)


def until(seconds: int, now: int) -> str:
    """ "1 January 2030, 00:00 UTC (in 3 years)" or "(8 hours ago)"."""
    away = seconds - now
    if away >= 0:
        return tr("{time} (in {span})", time=utc(seconds), span=span(away))
    return tr("{time} ({span} ago)", time=utc(seconds), span=span(-away))
