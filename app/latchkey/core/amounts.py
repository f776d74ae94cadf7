"""Amounts as people write them: exact decimal text to base units and back. Nothing here is ever a float."""

from __future__ import annotations

import re
from dataclasses import dataclass

from latchkey.core.types import MAX_UINT256
from latchkey.errors import BadInput
from latchkey.language import tr

_DECIMAL = re.compile(r"([0-9]*)(?:\.([0-9]*))?")
MAX_DECIMALS = 77  # 10**77 is the largest power of ten in a uint256
MAX_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Unit:
    """A way to count an amount: one `name` is 10**decimals base units."""

    name: str
    decimals: int


ETH = Unit("ETH", 18)
GWEI = Unit("gwei", 9)
WEI = Unit("wei", 0)
BASE_UNITS = Unit(tr("base units"), 0)


def parse_amount(text: str, unit: Unit, *, path: str = "") -> int:
    """Base units of "0.01" in `unit`, exactly. Raises BadInput: not a plain decimal, finer than one base unit, over a uint256."""
    text = text.strip()
    if not text:
        raise BadInput("Enter an amount.", code="Blank", path=path)
    match = _DECIMAL.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if match is None or not (match[1] or match[2]):
        raise BadInput("An amount is written with digits and one point, such as 0.05.", path=path)
    whole, fraction = match[1] or "0", (match[2] or "").rstrip("0")
    if len(fraction) > unit.decimals:
        raise BadInput(_too_fine(unit), path=path)
    value = int(whole + fraction.ljust(unit.decimals, "0"))
    if value > MAX_UINT256:
        raise BadInput("This amount is larger than any the network can hold.", path=path)
    return value


def format_amount(value: int, unit: Unit) -> str:
    """The shortest exact decimal: 10**16 wei in ETH is "0.01"."""
    whole, fraction = divmod(value, 10**unit.decimals)
    digits = str(fraction).rjust(unit.decimals, "0").rstrip("0") if fraction else ""
    return f"{whole}.{digits}" if digits else str(whole)


def natural_unit(wei: int) -> Unit:
    """The unit in which an amount of the network's coin is easiest to read: ETH unless it is a tiny number of wei."""
    if wei == 0 or wei >= 10**12:
        return ETH
    return GWEI if wei >= 10**6 else WEI


def _too_fine(unit: Unit) -> str:
    if not unit.decimals:
        return f"{unit.name.capitalize()} are whole: there is no smaller part."
    return f"This is finer than the smallest part: at most {unit.decimals} digits after the point."
