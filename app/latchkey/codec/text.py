"""Text somebody else chose (names, web addresses, signatures), made safe to show on one line."""

from __future__ import annotations

import re
import unicodedata

_BLANK = re.compile("[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")
_REMOVED = {"Cc", "Cf", "Cs", "Co"}


def clean(text: str, limit: int) -> str:
    """One line of at most `limit` characters without control, direction-changing or invisible characters.

    Every kind of space becomes one plain space; text that is cut ends in "…". Cleaning twice changes nothing.
    """
    visible = "".join(_visible(c) for c in _BLANK.sub("", text[: 4 * limit]))
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _REMOVED else character
