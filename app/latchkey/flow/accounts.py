"""Naming the account a session belongs to: from its owner, by its address, or as an EIP-7702 account.

Works without a network: what an account is called follows from its owner and the salt. An account named by its address alone may
turn out to be one that a key at hand owns; `recognise` finds that, and with it the bytes that deploy it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from latchkey.accounts.system import system
from latchkey.core.account import Account, Mode
from latchkey.core.draft import MAX_CHAIN_ID
from latchkey.core.types import MAX_UINT256, ZERO_ADDRESS, Address
from latchkey.errors import BadInput
from latchkey.language import tr

DEFAULT_SYSTEM = "modular_account"
MAX_LABEL = 64
SALTS_TRIED = 32
_NUMBER = re.compile(r"[0-9]{1,78}|0[xX][0-9a-fA-F]{1,64}")


def parse_chain_id(text: str) -> int:
    """A chain id as a person types it: decimal, or hexadecimal with 0x. Raises BadInput."""
    value = _whole(text, "chainId", tr("A chain id is a whole number, such as 1 for Ethereum."))
    if not 1 <= value <= MAX_CHAIN_ID:
        raise BadInput(tr("A chain id is a whole number, such as 1 for Ethereum."), path="chainId")
    return value


def parse_salt(text: str) -> int:
    """A salt, uint256; nothing typed means 0. Raises BadInput."""
    what = tr("The salt is a whole number from 0 to 2^256 - 1; most accounts have 0.")
    value = _whole(text or "0", "salt", what)
    if value > MAX_UINT256:
        raise BadInput(what, path="salt")
    return value


def from_owner(chain_id: int, owner: str, salt: int = 0, *, mode: Mode = Mode.SMA, label: str = "") -> Account:
    """The account that `owner` has or would have (SMA or MA), with the init code that deploys it. Raises BadInput."""
    predicted = system(DEFAULT_SYSTEM).predict(chain_id, parse_address(owner, "owner"), salt, mode)
    return replace(predicted, label=parse_label(label))


def as_7702(chain_id: int, owner: str, *, label: str = "") -> Account:
    """The owner's own address, delegated to the account code by EIP-7702. Raises BadInput."""
    return from_owner(chain_id, owner, mode=Mode.EIP7702, label=label)


def from_address(chain_id: int, address: str, *, owner: str = "", label: str = "") -> Account:
    """An account known by its address; `owner` where the person names it. Raises BadInput."""
    named = parse_address(owner, "owner") if owner.strip() else None
    return Account(chain_id, parse_address(address, "address"), DEFAULT_SYSTEM, Mode.ADDRESS, named, label=parse_label(label))


def recognise(chain_id: int, address: Address, owners: Iterable[Address]) -> Account | None:
    """The account at `address` if it follows from one of `owners`: their 7702 account, or SMA and MA with a salt below 32."""
    face = system(DEFAULT_SYSTEM)
    for owner in owners:
        if owner == address:
            return face.predict(chain_id, owner, 0, Mode.EIP7702)
        for mode in (Mode.SMA, Mode.MA):
            for salt in range(SALTS_TRIED):
                account = face.predict(chain_id, owner, salt, mode)
                if account.address == address:
                    return account
    return None


def same_place(account: Account, other: Account) -> bool:
    """Whether two entries are one account: chain, address and system; labels and origins aside."""
    return (account.chain_id, account.address, account.system) == (other.chain_id, other.address, other.system)


def find(accounts: Iterable[Account], chain_id: int | None, address: Address | None) -> Account | None:
    """The first account that a request's address and chain point at; None leaves either open, both None finds nothing."""
    if address is None:
        return None
    return next((a for a in accounts if a.address == address and chain_id in (None, a.chain_id)), None)


def parse_address(text: str, path: str) -> Address:
    """An address as a person types it, blanks around it dropped; the zero address is a mistake. Raises BadInput."""
    text = text.strip()
    if not text:
        raise BadInput(tr("Enter an address: 0x and 40 hexadecimal digits."), code="Blank", path=path)
    address = Address.parse(text, path=path)
    if address == ZERO_ADDRESS:
        raise BadInput(tr("The zero address belongs to nobody."), path=path)
    return address


def parse_label(text: str) -> str:
    """The person's own name for something: at most 64 printable characters, blanks around it dropped. Raises BadInput."""
    label = text.strip()
    if len(label) > MAX_LABEL or not label.isprintable():
        raise BadInput(tr("A name has at most {max_label} characters and no line ends.", max_label=MAX_LABEL), path="label")
    return label


def _whole(text: str, path: str, otherwise: str) -> int:
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        raise BadInput(otherwise, path=path)
    return int(text, 16 if text[:2] in ("0x", "0X") else 10)
