"""Names that pass for others are seen; honest ones are left in peace; whatever comes in ends as one short plain line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.lookalikes import MAX_NAME, clean, hides, is_odd, mixes_alphabets, one_line, skeleton
from latchkey.core.names import Notes, Said, contradicts, imitated, in_disguise, is_presumptuous
from latchkey.core.tokens import every_token, token
from latchkey.core.types import Address

SOMEWHERE = Address.parse("0x" + "33" * 20)
USDC = Address.parse("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")

FALSE = [
    "USDC", "usdc", "U.S.D.C", "U S D C", "U\u0405D\u0421", "US\u13a0C",
    "\uff35\uff33\uff24\uff23", "\U0001d414\U0001d412\U0001d403\U0001d402", "ÚSDC", "U5DC", "ᴜꜱᴅᴄ", "U\u054fDC", "US\u200bDC",
    "USD Coin", "USD-Coin", "U\u0405D Coin", "Dai Stablecoin", "DAl", "D\u0410I", "W\u0415TH", "VVETH", "LlNK", "L1NK", "Wrapped Ether",
    "USD₮",
]  # fmt: skip
HONEST = [
    "Gold",
    "GLD",
    "Skirmish Coin",
    "Uni farm token",
    "Curve LP",
    "stETH",
    "東京",
    "\u0417\u043e\u043b\u043e\u0442\u043e",
    "Ünïcode Ñandú",
    "A & B",
    "50% club",
]


@pytest.mark.parametrize("name", FALSE)
def test_a_false_token_is_seen(name: str) -> None:
    assert imitated(Said(SOMEWHERE, name), 8453) is not None


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_name_is_left_in_peace(name: str) -> None:
    one = Said(SOMEWHERE, name)
    assert imitated(one, 8453) is None
    assert not is_odd(name)
    assert not is_presumptuous(name)


def test_the_real_one_imitates_nobody() -> None:
    for real in every_token():
        for text in (real.symbol, real.name, *real.also):
            one = Said(real.address, text, real.symbol, real.decimals)
            assert not contradicts(one, real)
            assert not in_disguise(one, real)


def test_the_nearest_real_one_is_named() -> None:
    assert imitated(Said(SOMEWHERE, "USDC"), 8453) == token(8453, USDC)
    assert imitated(Said(USDC, "USDC"), 1) is not None  # the right address on the wrong network


def test_other_letters_are_a_disguise_and_the_same_letters_are_not() -> None:
    real = token(8453, USDC)
    assert real is not None
    assert not in_disguise(Said(SOMEWHERE, "usd coin", "U.S.D.C"), real)
    assert in_disguise(Said(SOMEWHERE, "", "U\u0405DC"), real)
    assert in_disguise(Said(SOMEWHERE, "USD C0in"), real)


def test_a_symbol_among_other_words_counts_for_tokens_alone() -> None:
    assert imitated(Said(SOMEWHERE, "Official USDC"), 8453) is None
    assert imitated(Said(SOMEWHERE, "Official USDC"), 8453, is_token=True) is not None
    assert imitated(Said(SOMEWHERE, "Co-op token"), 10, is_token=True) is None  # two letters are too few


@pytest.mark.parametrize(
    "name", ["Latchkey", "L\u0430tchkey vault", "Gold, on Latchkey's list", "Your account", "5 base units", "EntryPoint"]
)
def test_our_own_words_are_taken(name: str) -> None:
    assert is_presumptuous(name)


def test_alphabets_that_look_alike_may_not_share_a_word() -> None:
    assert mixes_alphabets("G\u043eld")
    assert not mixes_alphabets("\u0417\u043e\u043b\u043e\u0442\u043e Gold")
    assert not mixes_alphabets("東京 Tower \u30ab")


def test_what_hides_is_found() -> None:
    for text in ("a\u200bb", "a\u202eb", "a\u2066b", "a\u00adb", "a\u3164b", "a\x1bb", "\ufeffa", "a" + "\u0301" * 3, "x" * 2000):
        assert hides(text), repr(text)
    for text in ("a b", "a\tb", "é", "a\u0301\u0301", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u2764\ufe0f", "x" * 900):
        assert not hides(text), repr(text)


@given(st.text(max_size=400), st.integers(1, 100))
def test_one_line_is_short_settled_and_hides_nothing(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert one_line(line, limit) == line
    assert not hides(line)
    assert not {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text(max_size=200))
def test_a_name_cannot_leave_its_quotes(text: str) -> None:
    name = clean(text)
    assert len(name) <= MAX_NAME
    assert not set(name) & set('“”"„‟«»')


@given(st.text(max_size=60))
def test_a_skeleton_looks_like_itself(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)


def test_long_names_cost_little() -> None:
    for text in ("U" * 100_000, "\u0301" * 100_000, "<b>" * 40_000, "a\u200b" * 50_000, "VV" * 50_000):
        clean(text)
        is_odd(text)
        skeleton(text[:1000])


def test_notes_add_up_with_the_first_ones_word() -> None:
    first, second = Notes(((USDC, "mine"),), ("a()",)), Notes(((USDC, "other"), (SOMEWHERE, "x")), ("b()", "a()"), second_hand=True)
    both = first + second
    assert dict(both.names) == {USDC: "mine", SOMEWHERE: "x"}
    assert both.functions == ("a()", "b()")
    assert both.second_hand
