"""CBOR as the vault and its pipes use it: maps with text keys, lists, text, bytes, integers below 2^64, booleans, null. Nothing else.

A general decoder acts on tags (patterns, dates, shared references); here every tag is an error, and so is any encoding that this
module would not have written itself. Strangers' bytes are not read here: codec/cbor.py knows fewer kinds of values, and walks them before
a library sees them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NoReturn

import cbor2

from latchkey.language import tr

MAX_DEPTH = 16


class NotPlain(ValueError):
    """The bytes are not one item of the plain kind."""


def dump(value: Any) -> bytes:
    return cbor2.dumps(value)


def load(data: bytes) -> Any:
    """The one item that fills `data`. Raises NotPlain; the message quotes nothing."""
    try:
        value = cbor2.loads(
            data,
            semantic_decoders=defaultdict(lambda: _no_tag),
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        same = _plain(value) and cbor2.dumps(value) == data
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, MemoryError, RecursionError):
        raise NotPlain(tr("not plain CBOR")) from None
    if not same:
        raise NotPlain(tr("not plain CBOR"))
    return value


def _plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_plain, value))
    return value is None or isinstance(value, (str, bytes, bool, int))


def _no_tag(*_: object) -> NoReturn:
    raise ValueError("tag")
