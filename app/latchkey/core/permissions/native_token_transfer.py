"""Sending the network's own coin (ETH) with calls, up to a total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from latchkey.core.permissions.model import CONFIG
from latchkey.core.types import HexAmount


@dataclass(frozen=True, slots=True)
class NativeTokenTransfer:
    """`allowance`: wei, the total of ETH attached to all calls over the key's life. 0 means no ETH at all."""

    __pydantic_config__: ClassVar = CONFIG
    type: ClassVar[str] = "native-token-transfer"
    allowance: HexAmount
