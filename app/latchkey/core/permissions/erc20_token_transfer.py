"""Transferring and approving one ERC-20 token, up to a total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from latchkey.core.permissions.model import CONFIG
from latchkey.core.types import Address, HexAmount


@dataclass(frozen=True, slots=True)
class Erc20TokenTransfer:
    """`address`: the token; `allowance`: base units, the total of all transfers and approvals together."""

    __pydantic_config__: ClassVar = CONFIG
    type: ClassVar[str] = "erc20-token-transfer"
    address: Address
    allowance: HexAmount
