"""Where an answer may be brought back to: what is read is what a browser opens, and nothing else passes."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latchkey.core.callback import MAX_CALLBACK, check_callback, host_of, with_answer, with_refusal
from latchkey.errors import BadInput
from tests.counts import count

GOOD = [
    "https://rooms.example",
    "https://rooms.example/",
    "https://rooms.example:8443/back/again?a=1&b=%20",
    "https://rooms.example?to=x",
    "https://xn--rms-zna.example/",
    "https://localhost:5173/",
    "https://192.0.2.7/x",
    "https://a.b-c.example./~x",
    "https://rooms.example/" + "x" * (MAX_CALLBACK - 22),
]
BAD = [
    "",
    "http://rooms.example/",
    "HTTPS://rooms.example/",
    "javascript:alert(1)",
    "https:rooms.example",
    "https://",
    "https:///x",
    "https://user@rooms.example/",
    "https://good.example@rooms.example/",
    "https://good.example:x@rooms.example/",
    "https://rooms.example\\@good.example/",
    "https://rooms.example/\\x",
    "https://rooms.example/#there",
    "https://rooms.example/ x",
    "https://rooms.example/\n",
    "https://rooms.example\n",
    "https://rooms.example/\u202e",
    "https://r\u00f6\u00f6ms.example/",
    "https://rooms.ex\u0430mple/",
    "https://rooms..example/",
    "https://-rooms.example/",
    "https://%72ooms.example/",
    "https://rooms.example:/",
    "https://rooms.example:0/",
    "https://rooms.example:99999/",
    "https://rooms.example:x/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://192.0.2.256/",
    "https://192.0.02.7/",
    "https://[::1]/",
    "https://rooms.example/<script>",
    "https://rooms.example/`",
    "https://rooms.example/" + "x" * (MAX_CALLBACK - 21),
    None,
    7,
    ["https://rooms.example"],
]


@pytest.mark.parametrize("text", GOOD)
def test_what_may_be_opened(text: str) -> None:
    assert check_callback(text) == text
    assert host_of(text) == urlsplit(text).netloc


@pytest.mark.parametrize("text", BAD)
def test_what_may_not(text: object) -> None:
    with pytest.raises(BadInput):
        check_callback(text)


@settings(max_examples=count(300, 100_000), deadline=None)
@given(st.text(st.sampled_from("ahtps:/?#@\\.%[]-0xé\u0430\t ~"), max_size=30))
def test_nothing_passes_that_has_a_user_or_a_fragment_or_other_letters(tail: str) -> None:
    try:
        good = check_callback("https://" + tail)
    except BadInput:
        return
    parts = urlsplit(good)
    assert parts.scheme == "https"
    assert parts.hostname
    assert parts.username is parts.password is None
    assert "#" not in good
    assert "\\" not in good
    assert good.isascii()


def test_the_answer_stands_in_the_fragment() -> None:
    callback = "https://rooms.example/back?a=1"
    assert urlsplit(with_answer(callback, "abc_-")).fragment == "latchkey=abc_-"
    refused = urlsplit(with_refusal(callback, "r&1#2", "other", "No & #never é"))
    assert (refused.path, refused.query) == ("/back", "a=1")
    assert parse_qs(refused.fragment) == {"latchkey-refused": ["other"], "requestId": ["r&1#2"], "reason": ["No & #never é"]}
