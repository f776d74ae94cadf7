"""A person's own presets, also as files: a scope that was filled in once, under a name.

A file comes from anybody. It is read like a request: capped, whole or not at all, its texts cleaned, its function names only as good as
their selectors; and whatever it says is judged, worded and held against the rules again when it is used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import MaxLen
from pydantic import ConfigDict, Field, PlainValidator, Strict, TypeAdapter
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from latchkey.core.draft import MAX_CHAIN_ID
from latchkey.core.functions import MAX_SIGNATURE, offered_signature
from latchkey.core.lookalikes import clean, is_odd
from latchkey.core.permissions import Permission, permissions_from_json, permissions_to_json
from latchkey.core.types import Selector
from latchkey.core.untrusted import check, read_json
from latchkey.errors import BadInput
from latchkey.language import tr

MAX_NAME = 64
MAX_SECONDS = 10 * 366 * 86_400
_MAX_FUNCTIONS = 256


@dataclass(frozen=True, slots=True)
class OwnPreset:
    """`chain_id`: the network whose addresses it names. `seconds`: how long such a session lasts. `functions`: signatures for its
    selectors."""

    name: str
    chain_id: int
    seconds: int
    permissions: tuple[Permission, ...]
    functions: tuple[str, ...] = ()


def _text(limit: int) -> PlainValidator:
    def read(value: object) -> str:
        if not isinstance(value, str):
            raise PydanticCustomError("latchkey", "{text}", {"text": tr("Expected text.")})
        return value[: 100 * limit]

    return PlainValidator(read)


@dataclass(frozen=True, slots=True)
class _File:
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid", alias_generator=to_camel)
    latchkey: Literal["preset"]
    version: Annotated[int, Strict()]
    name: Annotated[str, _text(MAX_NAME)]
    chain_id: Annotated[int, Strict(), Field(ge=1, le=MAX_CHAIN_ID)]
    expires_after_sec: Annotated[int, Strict(), Field(ge=1, le=MAX_SECONDS)]
    permissions: Any
    functions: Annotated[list[Annotated[str, _text(MAX_SIGNATURE)]], MaxLen(_MAX_FUNCTIONS)] | None = None


_FILE = TypeAdapter(_File)


def read_preset(data: str | bytes) -> OwnPreset:
    """A preset from a file's content. Signatures that fit none of its selectors are dropped. Raises BadInput."""
    value = read_json(data)
    if not isinstance(value, dict) or value.get("latchkey") != "preset":
        raise BadInput(tr("This is not a Latchkey preset."), code="NotPreset")
    file = check(_FILE, value)
    if file.version != 1:
        raise BadInput(tr("This preset was written by a newer Latchkey."), code="Newer", path="version")
    permissions = permissions_from_json(file.permissions)
    if not permissions:
        raise BadInput(tr("permissions: expected at least one."), path="permissions")
    return OwnPreset(
        name=preset_name(clean(file.name, MAX_NAME)),
        chain_id=file.chain_id,
        seconds=file.expires_after_sec,
        permissions=permissions,
        functions=_fitting(permissions, tuple(file.functions or ())),
    )


def has_odd_name(data: str | bytes) -> bool:
    """Whether the file's own name for itself holds what no honest name needs. For content that `read_preset` has taken."""
    return is_odd(read_json(data)["name"])


def preset_json(preset: OwnPreset) -> str:
    """The inverse of `read_preset`."""
    value = {
        "latchkey": "preset",
        "version": 1,
        "name": preset.name,
        "chainId": preset.chain_id,
        "expiresAfterSec": preset.seconds,
        "permissions": permissions_to_json(preset.permissions),
        "functions": list(preset.functions),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def preset_name(text: str) -> str:
    """A name as the person typed it: 1 to 64 printable characters on one line. Raises BadInput."""
    name = text.strip()
    if not name:
        raise BadInput(tr("Give the preset a name."), code="Blank", path="name")
    if len(name) > MAX_NAME or clean(name, MAX_NAME) != name:
        raise BadInput(
            tr("A name has at most {max_name} characters, no quotation marks and nothing that cannot be seen.", max_name=MAX_NAME),
            path="name",
        )
    return name


def named_selectors(permissions: tuple[Permission, ...]) -> tuple[Selector, ...]:
    """Every function these name."""
    return tuple(dict.fromkeys(s for p in permissions for s in getattr(p, "functions", ())))


def _fitting(permissions: tuple[Permission, ...], offered: tuple[str, ...]) -> tuple[str, ...]:
    found = (offered_signature(selector, offered) for selector in named_selectors(permissions))
    return tuple(signature for signature in found if signature)
