"""Calling named functions of one contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from latchkey.core.permissions.model import CONFIG, Selectors
from latchkey.core.types import Address


@dataclass(frozen=True, slots=True)
class FunctionsOnContract:
    __pydantic_config__: ClassVar = CONFIG
    type: ClassVar[str] = "functions-on-contract"
    address: Address
    functions: Selectors
