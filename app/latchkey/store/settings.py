"""The few choices a person makes about the program itself. No key of an account is here; the addresses of RPCs and of the proxy may
hold keys and passwords of those, so the file is the person's alone and no repr shows them. Losing it costs nothing else.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from latchkey.core.endpoints import check_proxy, check_rpc, is_open
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, StoreError
from latchkey.language import tr
from latchkey.store import atomic

MAX_BYTES = 256 * 1024
MAX_WINDOW = 8192
MAX_NETWORKS = 50
MAX_CHAIN_ID = 2**63 - 1
BRIDGE_PORT = 41571  # fixed, so that pages find it; registered to nobody


class Appearance(StrEnum):
    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Where one network is reached; "" where nothing is set. `second_rpc`: of another operator, must agree with the first.
    `bundler`: takes user operations (ERC-4337). Raises BadInput, its path the field's name in the file."""

    chain_id: int
    rpc: str = field(default="", repr=False)
    second_rpc: str = field(default="", repr=False)
    bundler: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.chain_id <= MAX_CHAIN_ID:
            raise BadInput(tr("A chain id is a whole number, such as 1 for Ethereum."), path="chainId")
        for name, url in (("rpc", self.rpc), ("secondRpc", self.second_rpc), ("bundler", self.bundler)):
            if url:
                check_rpc(url, name)
        if self.second_rpc and not self.rpc:
            raise BadInput(tr("A second RPC checks the first; set that one before."), path="secondRpc")
        if self.second_rpc and self.second_rpc.rstrip("/") == self.rpc.rstrip("/"):
            raise BadInput(tr("The second RPC has to be another one than the first, best of another operator."), path="secondRpc")

    @property
    def is_empty(self) -> bool:
        return not (self.rpc or self.second_rpc or self.bundler)


@dataclass(frozen=True, slots=True)
class Settings:
    """`idle_minutes`: the vault locks after so many minutes without use (1-240). `window`: the toolkit's own account of the
    window's size and place, opaque here, at most 8 KiB. `networks`: those that a person has set something for, by chain id. `proxy`:
    what every request to another machine goes through, "" for none. `wallet_api`: where Alchemy's Wallet APIs are asked, "" for nowhere;
    their key is in the vault. `bridge`: whether dApps may ask on `bridge_port` of 127.0.0.1. `tray`: an icon among the
    system's, where it has such a place; `close_to_tray`: closing the window only hides it then; `notifications`: tell what is news
    while nobody looks. Raises BadInput."""

    appearance: Appearance = Appearance.SYSTEM
    idle_minutes: int = 5
    window: bytes = b""
    networks: tuple[NetworkSettings, ...] = ()
    proxy: str = field(default="", repr=False)
    wallet_api: str = field(default="", repr=False)
    bridge: bool = False
    bridge_port: int = BRIDGE_PORT
    tray: bool = True
    close_to_tray: bool = False
    notifications: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.idle_minutes <= 240:
            raise BadInput(tr("idleMinutes: expected a whole number from 1 to 240."), path="idleMinutes")
        if len(self.window) > MAX_WINDOW:
            raise BadInput(tr("window: at most {max_window} bytes are kept.", max_window=MAX_WINDOW), path="window")
        if len(self.networks) > MAX_NETWORKS:
            raise BadInput(tr("At most {max_networks} networks are kept.", max_networks=MAX_NETWORKS), path="networks")
        ids = [one.chain_id for one in self.networks]
        if ids != sorted(set(ids)):
            raise BadInput(tr("networks: each stands once, in the order of chain ids."), path="networks")
        check_proxy(self.proxy, "proxy")
        if not 1024 <= self.bridge_port <= 65535:
            raise BadInput(tr("bridgePort: expected a whole number from 1024 to 65535."), path="bridgePort")
        if self.wallet_api and is_open(check_rpc(self.wallet_api, "walletApi")):
            raise BadInput(tr("The address has to begin with https://, or everybody on the way reads the key."), path="walletApi")

    def network(self, chain_id: int) -> NetworkSettings:
        """What is set for a network; an entry with nothing in it when nothing is."""
        return next((one for one in self.networks if one.chain_id == chain_id), NetworkSettings(chain_id))

    def with_network(self, network: NetworkSettings) -> Settings:
        """The same, this network's entry replaced; an empty one is dropped. Raises BadInput."""
        others = [one for one in self.networks if one.chain_id != network.chain_id]
        kept = others if network.is_empty else [*others, network]
        return replace(self, networks=tuple(sorted(kept, key=lambda one: one.chain_id)))


def load(path: Path) -> Settings:
    """Settings from `path`; the defaults when there is no file. A field that is missing has its default, an unknown one is ignored
    (a newer Latchkey wrote it); a known one with a wrong value is a fault. Raises StoreError."""
    try:
        return _parse(atomic.read(path, MAX_BYTES, _is_valid).data)
    except StoreError as error:
        if error.code == "Missing":
            return Settings()
        raise StoreError(tr("The settings file is damaged; remove it to start from the defaults."), code="Damaged") from None


def load_strictly(path: Path) -> Settings:
    """What stands in the file itself, never in its last good copy. Raises StoreError."""
    found = atomic.read(path, MAX_BYTES, _is_valid)
    if found.fault is not None:
        raise found.fault
    return _parse(found.data)


def load_kindly(path: Path, *, now: float) -> tuple[Settings, str]:
    """What `load` finds, and "". When the file is spoilt: its last good copy, or else the defaults, and a sentence that says so. The
    spoilt file is set aside, where the folder can be written. For the window, which has to start."""
    try:
        found = atomic.read(path, MAX_BYTES, _is_valid)
    except StoreError as error:
        if error.code == "Missing":
            return Settings(), ""
        if name := _set_aside(path, now):
            return Settings(), tr(
                "The settings could not be read; Latchkey starts with its defaults. They are kept as {name}.", name=name
            )
        return Settings(), tr("The settings could not be read; Latchkey starts with its defaults.")
    if found.fault is None or found.fault.code == "Missing":
        return _parse(found.data), ""
    _set_aside(path, now)
    return _parse(found.data), tr("The settings file was damaged; those from before the last change are used.")


def _set_aside(path: Path, now: float) -> str:
    """The file's new name, "" when it stayed."""
    try:
        return atomic.set_aside(path, now=now).name
    except StoreError:
        return ""


def save(path: Path, settings: Settings) -> None:
    """Write `settings` to `path`. Raises StoreError."""
    atomic.write(path, _written(settings, set(_FIELDS)), valid=_is_valid)


def export(settings: Settings, *, addresses: bool) -> bytes:
    """For another machine: without the window's place, and without addresses (they may hold keys) unless `addresses`."""
    return _written(settings, {"appearance", "idleMinutes"} | ({"networks", "proxy", "walletApi"} if addresses else set()))


@dataclass(frozen=True, slots=True)
class Change:
    """One thing an import would change. `path`: "appearance", "proxy", "networks[10].rpc" (the chain id in brackets). `before` and
    `after` as text, "" for nothing; addresses whole, for the person must see what is going to be asked."""

    path: str
    before: str = field(repr=False)
    after: str = field(repr=False)


def import_(data: bytes, settings: Settings) -> tuple[Settings, tuple[Change, ...]]:
    """`settings` as the file would have them, and every difference: nothing may be taken that the person was not shown.

    What the file leaves out stays as it is; networks it does not name, too. Raises BadInput.
    """
    value = read_json(data)
    if not isinstance(value, dict) or not value.keys() & _FIELDS.keys() - {"window"}:
        raise BadInput(tr("This file holds no settings of Latchkey."), code="NoSettings")
    found = _parse(data)
    wanted = settings
    for name in ("appearance", "idleMinutes", "proxy", "walletApi"):
        if name in value:
            attribute = _FIELDS[name][0]
            wanted = replace(wanted, **{attribute: getattr(found, attribute)})
    for network in found.networks:
        wanted = wanted.with_network(network)
    return wanted, tuple(changes(settings, wanted))


def changes(before: Settings, after: Settings) -> Iterator[Change]:
    """Every difference but the window's place."""
    for name in (name for name in _FIELDS if name not in ("window", "networks")):
        old, new = (str(getattr(one, _FIELDS[name][0])) for one in (before, after))
        if old != new:
            yield Change(name, old, new)
    for chain_id in sorted({one.chain_id for one in (*before.networks, *after.networks)}):
        for name, attribute in _NETWORK.items():
            old, new = (getattr(one.network(chain_id), attribute) for one in (before, after))
            if old != new:
                yield Change(f"networks[{chain_id}].{name}", old, new)


def _written(settings: Settings, names: set[str]) -> bytes:
    value = {
        "appearance": settings.appearance.value,
        "idleMinutes": settings.idle_minutes,
        "window": base64.b64encode(settings.window).decode(),
        "networks": [
            {"chainId": one.chain_id, **{name: getattr(one, attribute) for name, attribute in _NETWORK.items()}}
            for one in settings.networks
        ],
        "proxy": settings.proxy,
        "walletApi": settings.wallet_api,
        "bridge": settings.bridge,
        "bridgePort": settings.bridge_port,
        "tray": settings.tray,
        "closeToTray": settings.close_to_tray,
        "notifications": settings.notifications,
    }
    return json.dumps({name: value[name] for name in value if name in names}, indent=2).encode() + b"\n"


def _is_valid(data: bytes) -> bool:
    try:
        _parse(data)
    except BadInput:
        return False
    return True


def _parse(data: bytes) -> Settings:
    value = read_json(data)
    if not isinstance(value, dict):
        raise BadInput(tr("Settings are a JSON object."))
    known = {name: read(value[key], key) for key, (name, read) in _FIELDS.items() if key in value}
    return Settings(**known)


def _appearance(value: Any, path: str) -> Appearance:
    if value not in list(Appearance):
        raise BadInput(tr("{path}: expected system, light or dark.", path=path), path=path)
    return Appearance(value)


def _whole(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(tr("{path}: expected a whole number.", path=path), path=path)
    return value


def _switch(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise BadInput(tr("{path}: expected true or false.", path=path), path=path)
    return value


def _base64(value: Any, path: str) -> bytes:
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
    except ValueError:
        pass
    raise BadInput(tr("{path}: expected base64.", path=path), path=path)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise BadInput(tr("{path}: expected text.", path=path), path=path)
    return value


def _networks(value: Any, path: str) -> tuple[NetworkSettings, ...]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadInput(tr("{path}: expected a list of networks.", path=path), path=path)
    found = (
        NetworkSettings(
            _whole(one.get("chainId"), f"{path}.chainId"),
            **{attribute: _text(one.get(name, ""), f"{path}.{name}") for name, attribute in _NETWORK.items()},
        )
        for one in value
    )
    return tuple(sorted(found, key=lambda one: one.chain_id))


_NETWORK = {"rpc": "rpc", "secondRpc": "second_rpc", "bundler": "bundler"}
_FIELDS: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "appearance": ("appearance", _appearance),
    "idleMinutes": ("idle_minutes", _whole),
    "window": ("window", _base64),
    "networks": ("networks", _networks),
    "proxy": ("proxy", _text),
    "walletApi": ("wallet_api", _text),
    "bridge": ("bridge", _switch),
    "bridgePort": ("bridge_port", _whole),
    "tray": ("tray", _switch),
    "closeToTray": ("close_to_tray", _switch),
    "notifications": ("notifications", _switch),
}
