"""The few choices a person makes about the program itself. Nothing here is secret, and losing it costs nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, StoreError
from latchkey.store import atomic

MAX_BYTES = 64 * 1024
MAX_WINDOW = 8192


class Appearance(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Settings:
    """`idle_minutes`: the vault locks after so many minutes without use (1-240). `window`: the toolkit's own account of the
    window's size and place, opaque here, at most 8 KiB."""

    appearance: Appearance = Appearance.SYSTEM
    idle_minutes: int = 5
    window: bytes = b""

    def __post_init__(self) -> None:
        if not 1 <= self.idle_minutes <= 240:
            raise BadInput("idleMinutes: expected a whole number from 1 to 240.", path="idleMinutes")
        if len(self.window) > MAX_WINDOW:
            raise BadInput(f"window: at most {MAX_WINDOW} bytes are kept.", path="window")


def load(path: Path) -> Settings:
    """Settings from `path`; the defaults when there is no file. A field that is missing has its default, an unknown one is ignored
    (a newer Latchkey wrote it); a known one with a wrong value is a fault. Raises StoreError."""
    try:
        return _parse(atomic.read(path, MAX_BYTES, _is_valid).data)
    except StoreError as error:
        if error.code == "Missing":
            return Settings()
        raise StoreError("The settings file is damaged; remove it to start from the defaults.", code="Damaged") from None


def save(path: Path, settings: Settings) -> None:
    """Write `settings` to `path`. Raises StoreError."""
    value = {
        "appearance": settings.appearance.value,
        "idleMinutes": settings.idle_minutes,
        "window": base64.b64encode(settings.window).decode(),
    }
    atomic.write(path, json.dumps(value, indent=2).encode() + b"\n", valid=_is_valid)


def _is_valid(data: bytes) -> bool:
    try:
        _parse(data)
    except BadInput:
        return False
    return True


def _parse(data: bytes) -> Settings:
    value = read_json(data)
    if not isinstance(value, dict):
        raise BadInput("Settings are a JSON object.")
    known = {name: read(value[key], key) for key, (name, read) in _FIELDS.items() if key in value}
    return Settings(**known)


def _appearance(value: Any, path: str) -> Appearance:
    if value not in list(Appearance):
        raise BadInput(f"{path}: expected system, light or dark.", path=path)
    return Appearance(value)


def _minutes(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(f"{path}: expected a whole number.", path=path)
    return value


def _base64(value: Any, path: str) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except ValueError:
        pass
    raise BadInput(f"{path}: expected base64.", path=path)


_FIELDS: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "appearance": ("appearance", _appearance),
    "idleMinutes": ("idle_minutes", _minutes),
    "window": ("window", _base64),
}
