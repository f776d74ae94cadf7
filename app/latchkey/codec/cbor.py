"""The small part of CBOR (RFC 8949) that hand-overs and UR parts use, read strictly.

Whole numbers from 0, byte strings, text, arrays, maps: definite lengths, no tags, floats or simple values. The shape is checked
before a library sees the bytes, because a general decoder acts on tags (dates, patterns, shared references). What hardware wallets
write has a few tags, each named by who reads it, and true and false.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import cbor2

from latchkey.errors import BadInput
from latchkey.language import tr

MAX_DEPTH = 8
MAX_ITEMS = 4096
_UINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 0, 2, 3, 4, 5, 6, 7
_FALSE, _TRUE = 20, 21


def dump(value: Any) -> bytes:
    """Deterministic encoding: shortest heads, map keys in order."""
    return cbor2.dumps(value, canonical=True)


def load(raw: bytes, *, tags: Container[int] = ()) -> Any:
    """Decode one item that fills `raw`; `dump(load(raw)) == raw` is the caller's to ask for. Raises BadInput.

    `tags`: those that may stand in it, with true and false beside them; then a field that stands twice is refused here.
    """
    _check_shape(raw, tags)
    try:
        return cbor2.loads(raw, allow_duplicate_keys=not tags)
    except (cbor2.CBORError, ValueError, TypeError):  # text that is not UTF-8, a map key that is a container
        raise BadInput(tr("The data is damaged: a text or a field name in it cannot be read."), code="NotCbor") from None


def _check_shape(raw: bytes, tags: Container[int]) -> None:
    """Walk the heads without building anything. `open_counts`: items still to come in each container around the cursor."""
    at, items, open_counts = 0, 0, [1]
    while open_counts:
        if open_counts[-1] == 0:
            open_counts.pop()
            continue
        open_counts[-1] -= 1
        items += 1
        major, argument, at = _head(raw, at, tags)
        if major in (_BYTES, _TEXT):
            at += argument
        elif major == _TAG:
            open_counts[-1] += 1
        elif major in (_ARRAY, _MAP):
            open_counts.append(argument * 2 if major == _MAP else argument)
        if at > len(raw):
            raise BadInput(tr("The data ends too early: part of it is missing."), code="NotCbor")
        if items > MAX_ITEMS or len(open_counts) > MAX_DEPTH + 1:
            raise BadInput(
                tr(
                    "The data holds too much: at most {max_items} values in {max_depth} levels are read.",
                    max_items=MAX_ITEMS,
                    max_depth=MAX_DEPTH,
                ),
                code="TooMany",
            )
    if at != len(raw):
        raise BadInput(tr("Something follows the data that does not belong to it."), code="NotCbor")


def _head(raw: bytes, at: int, tags: Container[int]) -> tuple[int, int, int]:
    """Major type, argument, and where the content begins."""
    if at >= len(raw):
        raise BadInput(tr("The data ends too early: part of it is missing."), code="NotCbor")
    major, low = raw[at] >> 5, raw[at] & 31
    size = 1 << (low - 24) if 24 <= low <= 27 else 0
    argument = int.from_bytes(raw[at + 1 : at + 1 + size], "big") if size else low
    known = major in (_UINT, _BYTES, _TEXT, _ARRAY, _MAP) or (major == _TAG and argument in tags)
    if low > 27 or not (known or (major == _SIMPLE and tags and low in (_FALSE, _TRUE))):
        raise BadInput(tr("The data holds a value of a kind that has no place in it."), code="NotCbor")
    return major, argument, at + 1 + size
