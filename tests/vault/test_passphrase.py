"""The floor under passphrases, and what a person is told about one."""

import pytest

from latchkey.vault.passphrase import STRONG, strength, weakness
from tests.vault.material import PASSPHRASE, secret


@pytest.mark.parametrize(
    "weak",
    [
        "", "short", "nine char", "\u00e4" * 9, "aaaaaaaaaaaa", "abababababab", "1234567890", "0987654321", "11112222333", "password123",
        "Password 2026!", "passwordpassword", "qwertyuiop", "poiuytrewq", "abcdefghijkl", "letmein12345", b"\xff" * 12, "x" * 2000,
        "correct horse", "12.03.1987 1987", "latchkeywallet1", "latchkey session", "aB3$" * 18,
    ],
)  # fmt: skip
def test_weak(weak: str | bytes) -> None:
    assert weakness(secret(weak))


@pytest.mark.parametrize(
    "good",
    [
        PASSPHRASE,
        "correct horse battery",
        "Tr0ub4dor&3xyz",
        "8302749156203847",
        "\u4eca\u65e5\u306f\u3068\u3066\u3082\u3044\u3044\u5929\u6c17\u3067\u3059",
        "ripple vivid tunnel orbit " * 39,  # 1014 characters
    ],
)
def test_good(good: str) -> None:
    assert weakness(secret(good)) is None


def test_names_of_the_vault_are_guessed_first() -> None:
    assert weakness(secret("harbour lantern 4")) is None
    assert "names that stand in this vault" in (weakness(secret("harbour lantern 4"), ["Harbour Lantern"]) or "")


def test_one_passphrase_in_two_spellings_is_judged_alike() -> None:
    """As it is derived: NFKC."""
    assert strength("Zu\u0308rich am See 7") == strength("Z\u00fcrich am See 7")


def test_more_is_better() -> None:
    words = "correct horse battery staple zebra abandon mango"
    steps = ["hunter2", "correct horse", "kT9$wq2Lx8#mZp", words[:34], words]
    scores = [strength(step)[0] for step in steps]
    assert scores == sorted(scores)
    assert scores[0] == scores[1] == 0
    assert scores[-1] == STRONG


def test_the_sentence_does_not_quote() -> None:
    assert "qwertyuiop" not in (weakness(secret("qwertyuiop")) or "")
    assert "Harbour" not in (weakness(secret("harbour lantern 4"), ["Harbour Lantern"]) or "")
