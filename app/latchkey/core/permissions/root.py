"""Everything the owner can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from latchkey.core.permissions.model import CONFIG


@dataclass(frozen=True, slots=True)
class Root:
    """No field: in JSON the whole permission is {"type": "root"}."""

    __pydantic_config__: ClassVar = CONFIG
    type: ClassVar[str] = "root"
