"""Paying for gas from the account, up to a total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from latchkey.core.permissions.model import CONFIG
from latchkey.core.types import HexAmount


@dataclass(frozen=True, slots=True)
class GasLimit:
    """`limit`: wei (not gas units), the total of the operations' declared maximum cost."""

    __pydantic_config__: ClassVar = CONFIG
    type: ClassVar[str] = "gas-limit"
    limit: HexAmount
