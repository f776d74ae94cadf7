"""The floor under passphrases."""

import pytest

from latchkey.vault.passphrase import weakness
from tests.vault.material import PASSPHRASE, secret


@pytest.mark.parametrize(
    "weak",
    [
        "", "short", "nine char", "\u00e4" * 9, "aaaaaaaaaaaa", "abababababab", "1234567890", "0987654321", "11112222333", "password123",
        "Password 2026!", "passwordpassword", "qwertyuiop", "poiuytrewq", "abcdefghijkl", "letmein12345", b"\xff" * 12, "x" * 2000,
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
    ],
)
def test_good(good: str) -> None:
    assert weakness(secret(good)) is None


def test_the_sentence_does_not_quote() -> None:
    assert "qwertyuiop" not in (weakness(secret("qwertyuiop")) or "")
