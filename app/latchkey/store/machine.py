"""What of this machine looks online, read from Linux's own tables: for the self-check of an offline machine.

Reading is all it does. It finds what is there to be seen, not what is hidden: a machine that must be offline has its radios taken out.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from latchkey.language import tr

_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing looked at. `online`: whether it speaks for a network; None when it could not be told. `text`: for a person."""

    name: str
    online: bool | None
    text: str


def look(root: Path = Path("/")) -> tuple[Sign, ...]:
    """Every sign there is, network cards first. `root`: another place for /sys and /proc (tests)."""
    if sys.platform != "linux" and root == Path("/"):
        return (Sign("system", None, tr("Latchkey can look at Linux machines only; check by hand that this one has no network.")),)
    return (*_cards(root / "sys/class/net"), _routes(root / "proc/net"), *_radios(root / "sys/class/rfkill"), _resolver(root))


def _cards(place: Path) -> tuple[Sign, ...]:
    names = sorted(p.name for p in place.iterdir() if p.name != "lo") if place.is_dir() else []
    if not names:
        return (Sign("network cards", False, tr("There is no network card.")),)
    return tuple(_card(place / name) for name in names)


def _card(card: Path) -> Sign:
    kind = tr("Wireless card") if (card / "wireless").exists() or (card / "phy80211").exists() else tr("Network card")
    if not (card / "device").exists():
        kind = tr("Virtual network card")
    name, state, carrier = card.name[:15], _read(card / "operstate"), _read(card / "carrier")
    if state == "up" or carrier == "1":
        return Sign(f"card {name}", True, tr("{kind} {name} is connected.", kind=kind, name=name))
    return Sign(f"card {name}", False, tr("{kind} {name} is there and not connected.", kind=kind, name=name))


def _routes(place: Path) -> Sign:
    v4 = [line.split() for line in _read(place / "route").splitlines()[1:]]
    v6 = [line.split() for line in _read(place / "ipv6_route").splitlines()]
    found = any(len(r) > 3 and r[1] == "00000000" and r[0] != "lo" for r in v4)
    found = found or any(len(r) > 9 and set(r[0]) == {"0"} and r[1] == "00" and r[9] != "lo" for r in v6)
    return Sign(
        "routes", found, tr("There is a way out: a default route.") if found else tr("There is no way out: no default route.")
    )


def _radios(place: Path) -> tuple[Sign, ...]:
    radios = sorted(place.iterdir()) if place.is_dir() else []
    return tuple(_radio(radio) for radio in radios)


def _radio(radio: Path) -> Sign:
    kind = {"wlan": "Wi-Fi", "bluetooth": "Bluetooth", "wwan": "The mobile modem", "nfc": "NFC"}.get(
        _read(radio / "type"), "A radio"
    )
    off = _read(radio / "soft") == "1" or _read(radio / "hard") == "1"
    return Sign(
        f"radio {radio.name[:15]}",
        not off,
        tr("{kind} is switched off.", kind=kind) if off else tr("{kind} is switched on.", kind=kind),
    )


def _resolver(root: Path) -> Sign:
    named = any(line.split()[:1] == ["nameserver"] for line in _read(root / "etc/resolv.conf").splitlines())
    return Sign("names", named, tr("Name servers are set.") if named else tr("No name servers are set."))


def _read(path: Path) -> str:
    """A small file's text; "" when it cannot be read (a card that is down has no carrier)."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST).decode(errors="replace").strip()
    except OSError:
        return ""
