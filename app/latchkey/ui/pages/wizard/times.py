"""Chain seconds in this computer's time zone: "today 21:30", "tomorrow 09:00", "30 November 2026 09:00"."""

from __future__ import annotations

from datetime import datetime, timedelta

_LAST = 253_370_764_800  # 1 January 9999: beyond it no calendar is of use


def local_time(seconds: int, now: int) -> str:
    if not 0 <= seconds < _LAST:
        return "far away"
    moment, today = datetime.fromtimestamp(seconds).astimezone(), datetime.fromtimestamp(now).astimezone().date()
    day = {today: "today", today + timedelta(days=1): "tomorrow"}.get(moment.date())
    return f"{day or f'{moment.day} {moment:%B %Y}'} {moment:%H:%M}"
