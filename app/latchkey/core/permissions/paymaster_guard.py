"""A restriction, for experts: the key works only while this paymaster pays for gas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from latchkey.core.permissions.model import CONFIG
from latchkey.core.types import Address


@dataclass(frozen=True, slots=True)
class PaymasterGuard:
    """Not one of the Wallet APIs' types: our own addition to the vocabulary, named after the module that enforces it."""

    __pydantic_config__: ClassVar = CONFIG
    type: ClassVar[str] = "paymaster-guard"
    paymaster: Address
