"""Chain seconds as a person says them here, in UTC like everything that is signed: "22 November, 04:38 UTC"."""

from __future__ import annotations

from datetime import UTC, datetime

from latchkey.core.moments import MONTHS
from latchkey.language import tr, trn

_LAST = 253_370_764_800  # 1 January 9999: beyond it no calendar is of use


def age(seconds: int) -> str:
    """How long ago, in as few words as a foot has room for: "just now", "4 min ago", "3 h ago", "2 days ago"."""
    if seconds < 60:
        return tr("just now")
    if seconds < 3_600:
        return tr("{minutes} min ago", minutes=seconds // 60)
    if seconds < 86_400:
        return tr("{hours} h ago", hours=seconds // 3_600)
    return trn("{count} day ago", "{count} days ago", seconds // 86_400)


def utc_time(seconds: int, now: int) -> str:
    """The moment `seconds`, told from `now` (both since 1970): the year is said where it is another."""
    if not 0 <= seconds < _LAST:
        return tr("far away")
    then = datetime.fromtimestamp(seconds, UTC)
    year = "" if then.year == datetime.fromtimestamp(now, UTC).year else f" {then.year}"
    return f"{then.day} {MONTHS[then.month - 1]}{year}, {then:%H:%M} UTC"


def short_utc_time(seconds: int, now: int) -> str:
    """The same where there is little room: "22 Nov 04:38 UTC", "30 Nov 2027"."""
    if not 0 <= seconds < _LAST:
        return tr("far away")
    then = datetime.fromtimestamp(seconds, UTC)
    same = then.year == datetime.fromtimestamp(now, UTC).year
    return f"{then.day} {MONTHS[then.month - 1][:3]} " + (f"{then:%H:%M} UTC" if same else str(then.year))


def here(seconds: int) -> str:
    """That moment by this computer's clock, "20:38 here"; "" where that is UTC too."""
    local = datetime.fromtimestamp(seconds).astimezone() if 0 <= seconds < _LAST else None
    return tr("{clock} here", clock=f"{local:%H:%M}") if local is not None and local.utcoffset() else ""


def zone(seconds: int) -> str:
    """This computer's time zone at that moment: "UTC+2", "UTC-3:30"."""
    offset = datetime.fromtimestamp(seconds).astimezone().utcoffset()
    minutes = int(offset.total_seconds()) // 60 if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    sign = "" if not minutes else f"{'+' if minutes > 0 else '-'}{hours}"
    return f"UTC{sign}" + (f":{rest:02}" if rest else "")
