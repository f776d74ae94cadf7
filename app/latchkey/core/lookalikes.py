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
    "A": "\u0410\u0391\ua4ee\u13aa\u039b4@ᴀ∀ɑ\u03b1",
    "B": "\u0412\u0392\ua4d0\u13f48ʙ\u03b2",
    "C": "\u0421\u03f9\ua4da\u13dfᴄⅭ\u03f2\u0441¢©",
    "D": "\ua4d3\u13a0ᴅⅮĐÐ\u03b4",
    "E": "\u0415\u0395\ua4f0\u13ac3ᴇ€\u0404Ǝ\u03b5ɛ",
    "F": "\ua4dd\u03dcꜰƒ\u0493",
    "G": "\ua4d6\u13c0ɢ\u050c6",
    "H": "\u041d\u0397\ua4e7\u13bbʜ\u043d",
    "I": "\u0406\u0399\ua4f2\u13c6\u04c01!|ɪⅠı\uff4c",
    "J": "\u0408\u037f\ua4d9\u13abᴊ",
    "K": "\u041a\u039a\ua4d7\u13e6ᴋK\u03ba\u043a",
    "L": "\ua4e1\u13deʟⅬŁ£\u053c",
    "M": "\u041c\u039c\ua4df\u13b7ᴍⅯ\u03fa\u043c",
    "N": "\u039d\ua4e0ɴ\u2c9a\u041f\u03b7\u0438",
    "O": "\u041e\u039f\ua4f3\u05550ᴏ\u03bf\u043e\u03c3Ø○◯\u2d54߀",
    "P": "\u0420\u03a1\ua4d1\u13e2ᴘ\u03c1",
    "Q": "\u051aQ",
    "R": "\ua4e3\u13a1ʀ\u13d2\u042f®\u0433",
    "S": "\u0405\ua4e2\u13da\u054f5ꜱ$§",
    "T": "\u0422\u03a4\ua4d4\u13a2ᴛ7₮₸\u0442\u03c4†",
    "U": "\u054d\ua4f4\u144cᴜ\u0531\u03c5\u03bc∪",
    "V": "\u0474\ua4e6\u13d9Ⅴᴠ\u03bd\u03bd√",
    "W": "\u051c\ua4ea\u13b3ᴡ₩\u0461\u03c9",
    "X": "\u0425\u03a7\ua4ebⅩ×\u03c7",
    "Y": "\u04ae\u03a5\ua4ec¥ʏ\u0423\u0443\u03b3",
    "Z": "\u0396\ua4dc\u13c3ᴢ2",
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
