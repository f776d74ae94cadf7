"""The small part of CBOR (RFC 8949) that hand-overs and UR parts use, read strictly.

Whole numbers from 0, byte strings, text, arrays, maps: definite lengths, no tags, floats or simple values. The shape is checked
before a library sees the bytes, because a general decoder acts on tags (dates, patterns, shared references).
"""

from __future__ import annotations

from typing import Any

import cbor2

from latchkey.errors import BadInput

MAX_DEPTH = 8
MAX_ITEMS = 4096
_UINT, _BYTES, _TEXT, _ARRAY, _MAP = 0, 2, 3, 4, 5


def dump(value: Any) -> bytes:
    """Deterministic encoding: shortest heads, map keys in order."""
    return cbor2.dumps(value, canonical=True)


def load(raw: bytes) -> Any:
    """Decode one item that fills `raw`; `dump(load(raw)) == raw` is the caller's to ask for. Raises BadInput."""
    _check_shape(raw)
    try:
        return cbor2.loads(raw)
    except (cbor2.CBORError, ValueError, TypeError):  # text that is not UTF-8, a map key that is a container
        raise BadInput("The data is damaged: a text or a field name in it cannot be read.", code="NotCbor") from None


def _check_shape(raw: bytes) -> None:
    """Walk the heads without building anything. `open_counts`: items still to come in each container around the cursor."""
    at, items, open_counts = 0, 0, [1]
    while open_counts:
        if open_counts[-1] == 0:
            open_counts.pop()
            continue
        open_counts[-1] -= 1
        items += 1
        major, argument, at = _head(raw, at)
        if major in (_BYTES, _TEXT):
            at += argument
        elif major in (_ARRAY, _MAP):
            open_counts.append(argument * 2 if major == _MAP else argument)
        if at > len(raw):
            raise BadInput("The data ends too early: part of it is missing.", code="NotCbor")
        if items > MAX_ITEMS or len(open_counts) > MAX_DEPTH + 1:
            raise BadInput(f"The data holds too much: at most {MAX_ITEMS} values in {MAX_DEPTH} levels are read.", code="TooMany")
    if at != len(raw):
        raise BadInput("Something follows the data that does not belong to it.", code="NotCbor")


def _head(raw: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument, and where the content begins."""
    if at >= len(raw):
        raise BadInput("The data ends too early: part of it is missing.", code="NotCbor")
    major, low = raw[at] >> 5, raw[at] & 31
    size = 1 << (low - 24) if 24 <= low <= 27 else 0
    if major not in (_UINT, _BYTES, _TEXT, _ARRAY, _MAP) or low > 27:
        raise BadInput("The data holds a value of a kind that has no place in it.", code="NotCbor")
    argument = int.from_bytes(raw[at + 1 : at + 1 + size], "big") if size else low
    return major, argument, at + 1 + size
