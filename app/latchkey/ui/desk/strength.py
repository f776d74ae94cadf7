"""A rough estimate of a passphrase for the meter beside the field, above the floor that the signer keeps."""

from __future__ import annotations

from itertools import pairwise
from math import log2

from latchkey.core.wordlist import english_words
from latchkey.vault.passphrase import weakness
from latchkey.vault.secret import SecretBytes

_CLASSES = ((str.islower, 26), (str.isupper, 26), (str.isdigit, 10))
_OTHER = 33
_STEPS = (
    (45, "Weak: longer is better than stranger. Four random words would do."),
    (60, "Fair: one more word would make it good."),
    (75, "Good."),
)
STRONG = 4


def strength(passphrase: str) -> tuple[int, str]:
    """(0 to 4, a sentence). 0: below the floor, the signer would not take it; an empty passphrase has no sentence."""
    if not passphrase:
        return 0, ""
    if (sentence := weakness(SecretBytes(passphrase.encode()))) is not None:
        return 0, sentence
    found = bits(passphrase)
    for score, (limit, sentence) in enumerate(_STEPS, 1):
        if found < limit:
            return score, sentence
    return STRONG, "Strong."


def bits(passphrase: str) -> float:
    """Entropy a guesser would have to search: 11 bits for a word of the BIP-39 list, else by the kinds of characters.

    A character that repeats its neighbour or follows it in a row (aaa, 123, cba) adds one bit.
    """
    known = frozenset(english_words())
    return sum(11.0 if word.lower() in known else _characters(word) for word in passphrase.split() or [passphrase])


def _characters(text: str) -> float:
    pool = sum(size for test, size in _CLASSES if any(map(test, text)))
    pool += _OTHER if any(not c.isalnum() for c in text) or pool == 0 else 0
    runs = sum(abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(text))
    return (len(text) - runs) * log2(pool) + runs
