"""Calling any function of one contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from latchkey.core.permissions.model import CONFIG
from latchkey.core.types import Address


@dataclass(frozen=True, slots=True)
class ContractAccess:
    __pydantic_config__: ClassVar = CONFIG
    type: ClassVar[str] = "contract-access"
    address: Address
