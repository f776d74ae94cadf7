"""JSON from outside: capped before anything recurses into it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.untrusted import MAX_DEPTH, read_json
from latchkey.errors import BadInput

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_json_writes_is_read(value: object) -> None:
    assert read_json(json.dumps(value)) == value
    assert (
        read_json(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass").decode("utf-8", "replace")) is not Ellipsis
    )


@given(st.text(alphabet='[]{}",:\\ a1', max_size=400))
def test_brackets_and_quotes_of_all_kinds(text: str) -> None:
    with contextlib.suppress(BadInput):
        read_json(text)


def test_depth_is_counted_outside_of_strings() -> None:
    assert read_json('["' + "[" * 1000 + '"]') == ["[" * 1000]
    assert read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    for opened in ("[" * (MAX_DEPTH + 1), '{"a":' * (MAX_DEPTH + 1), '["\\"",' * (MAX_DEPTH + 1)):
        with pytest.raises(BadInput) as refusal:
            read_json(opened)
        assert refusal.value.code == "TooDeep"


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 120_000 + "[" * 33, "[" * 33 + '"\\' * 80_000, '"' * 200_000 + "{" * 33, "[" * 20 + '"\\']
)
def test_strings_without_an_end_take_no_time(text: str) -> None:
    began = time.process_time()
    with pytest.raises(BadInput):
        read_json(text)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_not_guessed(encoding: str) -> None:
    with pytest.raises(BadInput):
        read_json(("[" * 50_000).encode(encoding)[:200_000])


def test_deep_text_does_not_end_a_process_whose_recursion_limit_a_library_lifted() -> None:
    code = (
        "import sys, eth_account.hdaccount\n"
        "assert sys.getrecursionlimit() > 50_000\n"
        "from latchkey.core.untrusted import read_json\n"
        "try:\n    read_json('[' * 200_000)\n"
        "except Exception as error:\n    print(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "TooDeep")
