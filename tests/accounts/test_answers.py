"""What views answer: read as eth_abi encodes it, of any length; anything else is refused, never half read."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from latchkey.accounts.modular_account import answers
from latchkey.core.types import Address, Selector
from latchkey.errors import CannotDecode

hooks = st.lists(st.binary(min_size=25, max_size=25), max_size=5)
selectors = st.lists(st.binary(min_size=4, max_size=4), max_size=700)
addresses = st.binary(min_size=20, max_size=20)
_VALIDATION = ["(uint8,bytes25[],bytes25[],bytes4[])"]
_EXECUTION = ["(address,bool,bool,bytes25[])"]
_MANIFEST = "((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[])"


@given(st.integers(0, 255), hooks, hooks, selectors)
def test_validation_data(flags: int, validation: list[bytes], execution: list[bytes], chosen: list[bytes]) -> None:
    read = answers.as_validation(encode(_VALIDATION, [(flags, validation, execution, chosen)]))
    assert (read.flags, list(read.hooks), list(read.execution_hooks)) == (flags, validation, execution)
    assert [s.raw for s in read.selectors] == chosen
    assert read.is_installed is bool(flags or validation or execution or chosen)


@given(addresses, st.booleans(), st.booleans(), hooks)
def test_execution_data(module: bytes, is_open: bool, allows: bool, listed: list[bytes]) -> None:
    read = answers.as_execution(encode(_EXECUTION, [(module, is_open, allows, listed)]))
    assert read == answers.Execution(Address.from_bytes(module), is_open, allows, tuple(listed))


@given(st.lists(st.binary(min_size=4, max_size=4), max_size=4), st.lists(st.binary(min_size=4, max_size=4), max_size=4))
def test_manifest(functions: list[bytes], hooked: list[bytes]) -> None:
    manifest = ([(f, True, False) for f in functions], [(f, 7, True, False) for f in hooked], [b"abcd"])
    named = tuple(Selector.from_bytes(f) for f in (*functions, *hooked))
    assert answers.as_manifest(encode([_MANIFEST], [manifest])) == named
    assert answers.as_manifest(encode(["bool", _MANIFEST], [True, manifest]), 32) == named


READERS = [
    answers.as_number,
    answers.as_address,
    answers.as_owner,
    answers.as_entry,
    answers.as_yes,
    answers.as_validation,
    answers.as_execution,
    answers.as_manifest,
    lambda raw: answers.as_numbers(raw, 2),
]


@given(st.sampled_from(READERS), st.binary(max_size=40), st.lists(st.integers(0, 300) | st.integers(0, 2**256 - 1), max_size=12))
def test_anything_else_is_refused_cleanly(read: object, odd: bytes, words: list[int]) -> None:
    assert callable(read)
    for raw in (odd, b"".join(w.to_bytes(32, "big") for w in words), b"".join(w.to_bytes(32, "big") for w in words) + odd):
        try:
            read(raw)
        except CannotDecode:
            continue


@pytest.mark.parametrize("raw", [b"", b"\x01", bytes(31), bytes(33), bytes(64)])
def test_one_word_is_one_word(raw: bytes) -> None:
    for read in (answers.as_number, answers.as_address, answers.as_yes):
        with pytest.raises(CannotDecode):
            read(raw)


def test_dirt_beside_a_value_is_refused() -> None:
    for read, word in ((answers.as_yes, b"\0" * 31 + b"\2"), (answers.as_address, b"\1" + bytes(31))):
        with pytest.raises(CannotDecode):
            read(word)
