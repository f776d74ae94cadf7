"""Calling named functions of any contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from latchkey.core.permissions.model import CONFIG, Selectors


@dataclass(frozen=True, slots=True)
class FunctionsOnAllContracts:
    """`functions`: selectors; 0x00000000 also stands for plain payments (calls without data)."""

    __pydantic_config__: ClassVar = CONFIG
    type: ClassVar[str] = "functions-on-all-contracts"
    functions: Selectors
