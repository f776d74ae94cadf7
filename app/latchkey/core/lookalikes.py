"""Names that pass for other names: letters of another alphabet, digits for letters, accents, spacing, look-alike symbols.

`skeleton` is what a name looks like to somebody who glances at it; two names that look alike have one skeleton. The table is small: the
characters that pass for the letters and digits of token symbols. What it misses still stands beside its full address and in quotes.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_NAME = 64
_REMOVED: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_BLANK: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")
_MARKUP: Final = re.compile(r"<[A-Za-z/!]|&#?\w+;|\]\(|\\u[0-9a-fA-F]{4}")
_QUOTES: Final = str.maketrans("", "", '“”"„‟«»')
_MARKS: Final = ("Mn", "Me")
_MARKS_IN_A_ROW = 2
_JOINING: Final = "\u200d\ufe0e\ufe0f"
ABSURD: Final = 1000

#: What passes for each Latin letter once accents, width and letter case are put aside. Digits and signs that do so too.
_PASSING: Final = {
    "A": "АΑꓮᎪΛ4@ᴀ∀ɑα",
    "B": "ВΒꓐᏴ8ʙβ",
    "C": "СϹꓚᏟᴄⅭϲс¢©",
    "D": "ꓓᎠᴅⅮĐÐδ",
    "E": "ЕΕꓰᎬ3ᴇ€ЄƎεɛ",
    "F": "ꓝϜꜰƒғ",
    "G": "ꓖᏀɢԌ6",
    "H": "НΗꓧᎻʜн",
    "I": "ІΙꓲᏆӀ1!|ɪⅠıｌ",
    "J": "ЈͿꓙᎫᴊ",
    "K": "КΚꓗᏦᴋKκк",
    "L": "ꓡᏞʟⅬŁ£Լ",
    "M": "МΜꓟᎷᴍⅯϺм",
    "N": "ΝꓠɴⲚПηи",
    "O": "ОΟꓳՕ0ᴏοоσØ○◯ⵔ߀",
    "P": "РΡꓑᏢᴘρ",
    "Q": "ԚQ",
    "R": "ꓣᎡʀᏒЯ®г",
    "S": "ЅꓢᏚՏ5ꜱ$§",
    "T": "ТΤꓔᎢᴛ7₮₸тτ†",
    "U": "ՍꓴᑌᴜԱυμ∪",
    "V": "ѴꓦᏙⅤᴠνν√",
    "W": "ԜꓪᎳᴡ₩ѡω",
    "X": "ХΧꓫⅩ×χ",
    "Y": "ҮΥꓬ¥ʏУуγ",
    "Z": "ΖꓜᏃᴢ2",
}
_LOOKS: Final = {ord(c): letter for letter, passing in _PASSING.items() for c in {*passing, *passing.upper(), *passing.lower()}}


def one_line(text: str, limit: int) -> str:
    """At most `limit` characters on one line, none that hides, turns the direction or piles up. Every kind of space becomes one plain
    space; text that is cut ends in "…". Doing it twice changes nothing, and `hides` finds nothing in it."""
    kept: list[str] = []
    marks = 0
    for character in _BLANK.sub("", text[: 4 * limit]):
        category = unicodedata.category(character)
        if character.isspace():
            character, category = " ", "Zs"
        if category in _REMOVED:
            continue
        marks = marks + 1 if category in _MARKS else 0
        if marks <= _MARKS_IN_A_ROW:
            kept.append(character)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def clean(text: str, limit: int = MAX_NAME) -> str:
    """A name as one line that cannot leave its quotation marks either."""
    return one_line(text[: 4 * limit].translate(_QUOTES), limit)


def hides(text: str) -> bool:
    """Characters that cannot be seen, that turn the direction, or that pile up; or text far too long to be a name.

    What joins emoji is no such thing.
    """
    if len(text) > ABSURD:
        return True
    marks = 0
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in _MARKS else 0
        if marks > _MARKS_IN_A_ROW:
            return True
        if character in _JOINING and place and unicodedata.category(text[place - 1]) in ("So", "Sk"):
            continue
        if not character.isspace() and (category in _REMOVED or _BLANK.match(character)):
            return True
    return False


def is_odd(text: str) -> bool:
    """What nobody needs in a name: hidden characters, markup, a word of letters from several alphabets."""
    return hides(text) or bool(_MARKUP.search(text)) or mixes_alphabets(text)


def skeleton(text: str) -> str:
    """What is left of a name at a glance: Latin capitals, and what passes for nothing else as it is. Spaces and points count as nothing."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if unicodedata.category(c) not in _MARKS)
    letters = plain.translate(_LOOKS).upper().translate(_LOOKS)
    found = "".join(c for c in letters if c.isalnum())
    return found.replace("VV", "W").replace("L", "I").replace("RN", "M")


def mixes_alphabets(text: str) -> bool:
    """One word of letters from more than one of the alphabets whose letters look alike."""
    return any(len(_alphabets(word)) > 1 for word in text.split())


_ALIKE: Final = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "LISU", "COPTIC"}


def _alphabets(word: str) -> set[str]:
    return {name for c in word if c.isalpha() and (name := unicodedata.name(c, " ").split()[0]) in _ALIKE}
