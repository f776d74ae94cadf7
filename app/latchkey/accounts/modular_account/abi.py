"""ABI encoding of the few shapes a grant is made of.

eth_abi does this too and the tests hold the two against each other; it took more than half of the time of building and checking
a grant (about 200 of 300 microseconds), and this is what the program does all day.
"""

from __future__ import annotations

from collections.abc import Sequence

from latchkey.core.types import Address

AllowlistInput = tuple[Address, bool, bool, int, Sequence[bytes]]


def word(number: int) -> bytes:
    """A uint, bool or offset. Raises OverflowError beyond 256 bits."""
    return number.to_bytes(32, "big")


def left(raw: bytes) -> bytes:
    """A bytesN: left aligned in its word."""
    return raw.ljust(32, b"\0")


def address(value: Address) -> bytes:
    return bytes(12) + value.raw


def dynamic(raw: bytes) -> bytes:
    """bytes: length, then the data padded to whole words."""
    return word(len(raw)) + raw + bytes(-len(raw) % 32)


def selectors(values: Sequence[bytes]) -> bytes:
    """bytes4[]."""
    return word(len(values)) + b"".join(left(v) for v in values)


def tail_offsets(head_words: int, tails: Sequence[bytes]) -> list[bytes]:
    """The offset words of dynamic values whose tails follow a head of `head_words` words."""
    offsets, place = [], 32 * head_words
    for tail in tails:
        offsets.append(word(place))
        place += len(tail)
    return offsets


def array(items: Sequence[bytes]) -> bytes:
    """An array of dynamic items, each encoded already."""
    return word(len(items)) + b"".join(tail_offsets(len(items), items)) + b"".join(items)


def allowlist(entity_id: int, inputs: Sequence[AllowlistInput]) -> bytes:
    """(uint32, (address target, bool hasSelectorAllowlist, bool hasERC20SpendLimit, uint256 limit, bytes4[] selectors)[])."""
    return word(entity_id) + word(64) + array([_allowlist_input(*entry) for entry in inputs])


def _allowlist_input(target: Address, has_selectors: bool, has_limit: bool, limit: int, chosen: Sequence[bytes]) -> bytes:
    return address(target) + word(has_selectors) + word(has_limit) + word(limit) + word(160) + selectors(chosen)
