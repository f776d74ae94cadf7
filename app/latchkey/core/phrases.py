"""Sentences as data: parts with a style, so that every surface draws the same words and none parses text.

`core.words*` make them; the window and the desk draw them; the command line prints `plain`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from latchkey.language import tr


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


class Purpose(StrEnum):
    """What the words are about; a view never shows the two alike."""

    GRANT = "grant"  # power is given: what it can do
    ENDING = "ending"  # power is taken away: what it will do


@dataclass(frozen=True, slots=True)
class Headings:
    can: str
    cannot: str
    most: str


HEADINGS = {
    Purpose.GRANT: Headings(tr("It can"), tr("It cannot"), tr("Most you can lose")),
    Purpose.ENDING: Headings(tr("It will"), tr("It will not"), tr("Most it can cost")),
}


@dataclass(frozen=True, slots=True)
class Words:
    """What a reading means for a person. `headline` one sentence; `signed`: label and value of every field that is signed. Over which
    headings the parts stand is told by `headings`."""

    headline: Phrase
    can: tuple[Phrase, ...]
    cannot: tuple[Phrase, ...]
    most_you_can_lose: tuple[Phrase, ...]
    signed: tuple[tuple[str, str], ...] = ()
    purpose: Purpose = Purpose.GRANT

    @property
    def headings(self) -> Headings:
        return HEADINGS[self.purpose]


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
