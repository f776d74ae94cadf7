"""Eight words for a digest: the published list, in order, of the first 88 bits."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.digest_words import digest_words
from latchkey.core.wordlist import english_words

digests = st.binary(min_size=32, max_size=32)


def test_the_list_is_the_published_one() -> None:
    """SHA-256 of BIP-39's english.txt as it stands in the bitcoin/bips repository."""
    text = "".join(f"{word}\n" for word in english_words())
    assert hashlib.sha256(text.encode()).hexdigest() == "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"


@pytest.mark.parametrize(
    ("digest", "words"),
    [
        (bytes(32), "abandon abandon abandon abandon abandon abandon abandon abandon"),
        (b"\xff" * 32, "zoo zoo zoo zoo zoo zoo zoo zoo"),
        (bytes(range(32)), "abandon amount liar amount expire adjust cage candy"),
    ],
)
def test_known_words(digest: bytes, words: str) -> None:
    assert " ".join(digest_words(digest)) == words


@given(digests)
def test_they_are_its_first_88_bits(digest: bytes) -> None:
    places = [english_words().index(word) for word in digest_words(digest)]
    assert "".join(f"{place:011b}" for place in places) == f"{int.from_bytes(digest[:11], 'big'):088b}"


@given(digests, st.integers(0, 87))
def test_any_of_these_bits_changed_changes_one_word(digest: bytes, bit: int) -> None:
    other = (int.from_bytes(digest, "big") ^ 1 << 255 - bit).to_bytes(32, "big")
    differ = [a != b for a, b in zip(digest_words(digest), digest_words(other), strict=True)]
    assert differ.index(True) == bit // 11
    assert sum(differ) == 1
