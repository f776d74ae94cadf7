"""Event logs as values: what an account system asks for, and what the chain holds.

Here and not with the network, so that account systems can say which logs they need and what they mean without reaching for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from latchkey.core.types import Address

Topic: TypeAlias = bytes | tuple[bytes, ...] | None


@dataclass(frozen=True, slots=True)
class LogFilter:
    """As eth_getLogs takes it. `address` None: of any contract. A topic is one of 32 bytes, any of several, or None for any."""

    address: tuple[Address, ...] | None
    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True)
class Log:
    """`position`: its index within the block. `block_hash`, `transaction`: 32 bytes."""

    block: int
    position: int
    block_hash: bytes
    transaction: bytes
    address: Address
    topics: tuple[bytes, ...]
    data: bytes

    @property
    def place(self) -> tuple[int, int]:
        """Orders logs as they happened."""
        return self.block, self.position
