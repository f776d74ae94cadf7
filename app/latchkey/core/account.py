"""Accounts as values: which account on which chain, and how it came to be known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from latchkey.core.types import Address


class Mode(StrEnum):
    """How an account's address follows from its owner."""

    SMA = "sma"  # semi-modular account, counterfactual from owner and salt
    MA = "ma"  # modular account, owner in the single-signer module at entity 0
    EIP7702 = "7702"  # the owner's own address, delegated to the account code
    ADDRESS = "address"  # an address the person gave; nothing is derived


@dataclass(frozen=True, slots=True)
class Account:
    """(chain, address, system) with what is known of its making.

    `owner` and `salt` (uint256) are set for SMA and MA; `owner` alone for 7702; `owner` may be set for ADDRESS when the person names it.
    `init_code`: factory || factory data that deploys it, empty when not known or not needed. `label`: the owner's own name for it.
    """

    chain_id: int
    address: Address
    system: str
    mode: Mode
    owner: Address | None = None
    salt: int | None = None
    init_code: bytes = b""
    label: str = ""
