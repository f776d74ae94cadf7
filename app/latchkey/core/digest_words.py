"""A digest as eight words, for comparing two machines by eye or by ear.

The first 88 of its 256 bits, eleven a word, as words of the English list of BIP-39. Equal words on two machines mean that both speak of
the same bytes, unless somebody searched for other bytes on purpose: to hit the words of one given digest takes some 2^88 tries, which is
out of reach; to find two of one's own that share their words takes some 2^44, which is not. So the words prove nothing against whoever
made the bytes on the first machine. Against that stands what the signing machine reads from the bytes and shows; and the digest in
hexadecimal, which is there beside the words, settles every doubt.
"""

from __future__ import annotations

from latchkey.core.wordlist import english_words

COUNT, _BITS = 8, 11


def digest_words(digest: bytes) -> tuple[str, ...]:
    """The eight words of a digest of 32 bytes."""
    number, words = int.from_bytes(digest[: COUNT * _BITS // 8], "big"), english_words()
    return tuple(words[number >> _BITS * place & (1 << _BITS) - 1] for place in reversed(range(COUNT)))
