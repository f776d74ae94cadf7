import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from latchkey.codec.text import clean


def test_what_is_removed() -> None:
    assert clean("Safe\u202eemaG", 80) == "SafeemaG"
    assert clean("a\u200bb\u2066c\ufeffd\u00ade\u3164f\U000e0041g\x1bh\x00i", 80) == "abcdefghi"
    assert clean("  one\n\ttwo\u00a0\u2003three\u2028four ", 80) == "one two three four"
    assert clean("Ünïcode 東京 🎲", 80) == "Ünïcode 東京 🎲"
    assert clean("x" * 81, 80) == "x" * 79 + "…"
    assert clean("\ud800", 80) == ""


@given(st.text(max_size=300), st.integers(1, 100))
def test_clean_is_short_shown_and_settled(text: str, limit: int) -> None:
    line = clean(text, limit)
    assert len(line) <= limit
    assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert clean(line, limit) == line
