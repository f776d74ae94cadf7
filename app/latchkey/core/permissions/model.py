"""What the permission kinds share: how pydantic reads them, and lists of selectors."""

from __future__ import annotations

from typing import Annotated, ClassVar, Protocol

from annotated_types import MaxLen
from pydantic import BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from latchkey.core.types import Selector
from latchkey.language import tr

CONFIG = ConfigDict(extra="forbid")
MAX_FUNCTIONS = 256


class Permission(Protocol):
    """One power from the vocabulary. A kind is a frozen dataclass of checked values with its JSON `type`."""

    type: ClassVar[str]


def _list(value: object) -> object:
    if not isinstance(value, (list, tuple)):
        raise PydanticCustomError("latchkey", "{text}", {"text": tr("Expected a list of function selectors.")})
    return tuple(value)


Selectors = Annotated[tuple[Selector, ...], BeforeValidator(_list), MaxLen(MAX_FUNCTIONS)]
