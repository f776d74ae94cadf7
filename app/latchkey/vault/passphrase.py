"""The floor under every passphrase. The desk's meter advises; this decides."""

from __future__ import annotations

import unicodedata

from latchkey.vault.secret import SecretBytes

LEAST, MOST = 10, 1024
_DISTINCT = 5
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop")
_COMMON = (
    "password",
    "passphrase",
    "passwort",
    "motdepasse",
    "letmein",
    "iloveyou",
    "welcome",
    "admin",
    "latchkey",
    "wallet",
    "secret",
)


def weakness(passphrase: SecretBytes) -> str | None:
    """Why this passphrase is not taken, as a sentence, or None."""
    try:
        text = unicodedata.normalize("NFKC", passphrase.reveal().decode())
    except UnicodeDecodeError:
        return "The passphrase is not UTF-8 text."
    if len(text) < LEAST:
        return f"A passphrase has at least {LEAST} characters; four random words make a good one."
    if len(text) > MOST:
        return f"A passphrase has at most {MOST} characters."
    if _guessed_first(text.casefold()):
        return "This is one of the first things anybody would try; four random words make a good passphrase."
    return None


def _guessed_first(text: str) -> bool:
    """Few different characters, or nothing but common words, keyboard rows and a few digits."""
    for word in _COMMON:
        text = text.replace(word, "")
    rest = "".join(c for c in text if c.isalnum())
    letters = "".join(c for c in rest if not c.isdigit())
    few = len(set(text)) < _DISTINCT
    return (
        few
        or (not letters and len(rest) < 12)
        or any(part in row * 2 for row in _ROWS for part in (rest, rest[::-1], letters) if part)
    )
