"""Which code an account runs, told from the bytes at its address and its implementation slot."""

from __future__ import annotations

from typing import Final

from latchkey.accounts.modular_account.addresses import (
    MODULAR_ACCOUNT,
    PROXY_CODE,
    SEMI_MODULAR_ACCOUNT,
    SEMI_MODULAR_ACCOUNT_7702,
    SEMI_MODULAR_ACCOUNT_7702_V110,
    SEMI_MODULAR_ACCOUNT_STORAGE_ONLY,
    SINGLE_SIGNER,
)
from latchkey.core.account import Account, Mode
from latchkey.core.types import Address

#: keccak-256 of "eip1967.proxy.implementation", less one.
IMPLEMENTATION_SLOT: Final = bytes.fromhex("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc")
#: Of the published account code: the mapping from a validation's key (entity id << 8) to what is stored of it.
VALIDATIONS_SLOT: Final = bytes.fromhex("596912a710dec01bac203cb0ed2c7e56a2ce6b2a68276967fff6dd57561bdd02")

DELEGATIONS: Final = (SEMI_MODULAR_ACCOUNT_7702, SEMI_MODULAR_ACCOUNT_7702_V110)
IMPLEMENTATIONS: Final = (SEMI_MODULAR_ACCOUNT, MODULAR_ACCOUNT, SEMI_MODULAR_ACCOUNT_STORAGE_ONLY, *DELEGATIONS)
#: What an account of each mode is made with; nothing else is expected of it without an upgrade.
MADE_WITH: Final[dict[Mode, tuple[Address, ...]]] = {
    Mode.SMA: (SEMI_MODULAR_ACCOUNT,),
    Mode.MA: (MODULAR_ACCOUNT,),
    Mode.EIP7702: DELEGATIONS,
    Mode.ADDRESS: IMPLEMENTATIONS,
}

_DESIGNATOR: Final = bytes.fromhex("ef0100")  # EIP-7702: this and an address are all the code there is


def delegated_to(code: bytes) -> Address | None:
    """Of an EIP-7702 account."""
    return Address.from_bytes(code[3:]) if len(code) == 23 and code[:3] == _DESIGNATOR else None


def runs(code: bytes, implementation: Address) -> Address | None:
    """The contract whose code runs: a delegation's, or a proxy's; None for code that is neither. `implementation`: from the slot."""
    is_proxy = code[: len(PROXY_CODE)] == PROXY_CODE and len(code) in (len(PROXY_CODE), len(PROXY_CODE) + 20)
    return implementation if is_proxy else delegated_to(code)


def first_code(account: Account, code: bytes) -> Address | None:
    """A contract's own code; for a person's address, which may have been delegated, taken back and delegated again, the code of a module
    that is as old as all of the system. None for a contract account that is not deployed."""
    if not code and account.mode in (Mode.SMA, Mode.MA):
        return None
    return SINGLE_SIGNER if not code or delegated_to(code) else account.address
