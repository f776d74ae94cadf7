"""Sentences as data: parts with a style, so that every surface draws the same words and none parses text.

`core.words` makes them; the window and the desk draw them; the command line prints `plain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"  # selectors, signatures, hex
    ADDRESS = "address"  # a full EIP-55 address; a view may group it but never cut it where something is signed
    CLAIM = "claim"  # text somebody else chose


@dataclass(frozen=True, slots=True)
class Part:
    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Phrase:
    parts: tuple[Part, ...]

    @property
    def plain(self) -> str:
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Words:
    """What a reading means for a person. `headline` one sentence; `signed`: label and value of every field that is signed."""

    headline: Phrase
    can: tuple[Phrase, ...]
    cannot: tuple[Phrase, ...]
    most_you_can_lose: tuple[Phrase, ...]
    signed: tuple[tuple[str, str], ...] = ()


class Level(StrEnum):
    NOTICE = "notice"
    WARNING = "warning"
    DANGER = "danger"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """`id`: stable name of the rule. `sentence`: what is so. `advice`: what to do about it."""

    id: str
    level: Level
    sentence: str
    advice: str
