"""Calling named functions of the account itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from latchkey.core.permissions.model import CONFIG, Selectors


@dataclass(frozen=True, slots=True)
class AccountFunctions:
    __pydantic_config__: ClassVar = CONFIG
    type: ClassVar[str] = "account-functions"
    functions: Selectors
