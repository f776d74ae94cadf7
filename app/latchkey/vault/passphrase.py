"""How hard a passphrase is to guess, and the floor under every one. The signer decides by it, the desk shows it while it is typed.

The estimate is zxcvbn's: how many tries a guesser needs who knows common words, names, dates, keyboard rows, and what is peculiar to
this vault. Argon2id makes every try cost about a second.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from math import log10
from typing import Any

from latchkey.language import tr
from latchkey.vault.secret import SecretBytes

LEAST, MOST = 10, 1024  # characters
FLOOR = 10.0  # powers of ten of guesses
STRONG = 4
_JUDGED = 72  # characters that are looked at: the estimate takes longer than it is worth for more
_PROGRAM = ("latchkey", "passphrase", "session", "vault", "wallet", "ethereum")
_STEPS = (
    (12.0, tr("Just enough. One more word would make it good.")),
    (14.0, tr("Fair: one more word would make it good.")),
    (17.0, tr("Good.")),
)
_WHY = {
    "dictionary": tr("Common words, names and passwords are tried first; take four that have nothing to do with each other."),
    "own": tr("It leans on names that stand in this vault or program; take four words that have nothing to do with it."),
    "spatial": tr("Keys that lie side by side are tried first; four random words make a good passphrase."),
    "repeat": tr("What repeats itself is tried first; four random words make a good passphrase."),
    "sequence": tr("Rows such as abcd or 6543 are tried first; four random words make a good passphrase."),
    "date": tr("Dates are tried first; four random words make a good passphrase."),
    "regex": tr("Years are tried first; four random words make a good passphrase."),
    "bruteforce": tr("Too easy to guess: longer is better than stranger. Four random words would do."),
}


def weakness(passphrase: SecretBytes, own: Iterable[str] = ()) -> str | None:
    """Why this passphrase is not taken, as a sentence that quotes nothing of it, or None. `own`: names this vault knows."""
    try:
        text = passphrase.reveal().decode()
    except UnicodeDecodeError:
        return tr("The passphrase is not UTF-8 text.")
    score, sentence = strength(text, own)
    return sentence if score == 0 else None


def strength(passphrase: str, own: Iterable[str] = ()) -> tuple[int, str]:
    """(0 to 4, a sentence). 0: below the floor, it is not taken."""
    text = unicodedata.normalize("NFKC", passphrase)
    if len(text) < LEAST:
        return 0, tr("A passphrase has at least {count} characters; four random words make a good one.", count=LEAST)
    if len(text) > MOST:
        return 0, tr("A passphrase has at most {count} characters.", count=MOST)
    found = _estimate(text[:_JUDGED], own)
    guesses = log10(found["guesses"])
    if guesses < FLOOR:
        return 0, _WHY[_weakest(found["sequence"])]
    for score, (limit, sentence) in enumerate(_STEPS, 1):
        if guesses < limit:
            return score, sentence
    return STRONG, tr("Strong.")


def prepare() -> None:
    """Load what estimates: a fifth of a second that the first letter typed need not wait for."""
    import zxcvbn  # type: ignore[import-untyped]  # noqa: F401


def _estimate(text: str, own: Iterable[str]) -> Mapping[str, Any]:
    from zxcvbn import zxcvbn

    names = [*_PROGRAM, *(name for label in own for name in (label, *label.split()) if len(name) > 2)]
    found: Mapping[str, Any] = zxcvbn(text, names)
    return found


def _weakest(parts: Iterable[Mapping[str, Any]]) -> str:
    """What the longest part that a guesser would recognise is."""
    known = [part for part in parts if part["pattern"] != "bruteforce"]
    if not known:
        return "bruteforce"
    longest = max(known, key=lambda part: len(part["token"]))
    return "own" if longest.get("dictionary_name") == "user_inputs" else str(longest["pattern"])
