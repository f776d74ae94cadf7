"""Chain seconds as a person says them here: "today 21:30", "tomorrow 09:00", "30 November 2026 09:00". The zone is this computer's."""

from __future__ import annotations

from datetime import datetime, timedelta

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


def local_time(seconds: int, now: int) -> str:
    """The moment `seconds`, told from `now` (both since 1970)."""
    if not 0 <= seconds < _LAST:
        return tr("far away")
    moment, today = datetime.fromtimestamp(seconds).astimezone(), datetime.fromtimestamp(now).astimezone().date()
    day = {today: tr("today"), today + timedelta(days=1): tr("tomorrow")}.get(moment.date())
    return f"{day or f'{moment.day} {MONTHS[moment.month - 1]} {moment.year}'} {moment:%H:%M}"
