"""Hardware wallets that sign for accounts of this book: their public keys, learned by QR code once, and which of them owns an account.

offered(keys)                        the first addresses a device showed, to choose from
keep(book, offered(keys)[0], "Blue") now it can own accounts
device_for(book, account)            the key that has to sign for the account, when a device has it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from latchkey.codec.hdkeys import HdAddress, HdKeys, KeyPath
from latchkey.core.account import Account
from latchkey.errors import BadInput, Refused
from latchkey.language import tr
from latchkey.store.records import DEVICE, MasterKeyRecord

if TYPE_CHECKING:
    from latchkey.core.types import Address
    from latchkey.store.book import Book

OFFERED = 5  # addresses of each key


def offered(keys: HdKeys) -> tuple[HdAddress, ...]:
    """The first addresses of what the device showed. Raises BadInput where none can be found."""
    found = keys.addresses(OFFERED)
    if not found:
        raise BadInput(tr("The device showed no key of an Ethereum address."), code="NoAddress")
    return found


def keep(book: Book, key: HdAddress, label: str = "") -> MasterKeyRecord:
    """Note a device's key, so that it can own accounts. Raises Refused when the vault has that key, BadInput, StoreError."""
    if key.address in vault_keys(book):
        raise Refused(tr("Your vault has this key already; it can sign without the device."), code="InVault")
    record = MasterKeyRecord(key.address, label, DEVICE, _written(key.path))
    book.put_key(record)
    return record


def devices(book: Book) -> tuple[MasterKeyRecord, ...]:
    keys = book.keys()
    return tuple(key for key in keys if key.is_device)


def vault_keys(book: Book) -> tuple[Address, ...]:
    """Addresses that the vault can sign for."""
    keys = book.keys()
    return tuple(key.address for key in keys if not key.is_device)


def device_for(book: Book, account: Account) -> HdAddress | None:
    """The device's key when one owns the account; also when the account does not name its owner and there is no other key at all."""
    keys = book.keys()
    owner = account.owner or (keys[0].address if len(keys) == 1 else None)
    return next((read(key) for key in keys if key.is_device and key.address == owner), None)


def read(record: MasterKeyRecord) -> HdAddress:
    """A device's key as it stands in the book. Raises BadInput."""
    start, _, rest = record.path.partition("/")
    fingerprint = None if start in ("m", "") else int(start, 16)
    return HdAddress(record.address, KeyPath.parse(rest, fingerprint))


def _written(path: KeyPath) -> str:
    start = "m" if path.fingerprint is None else f"{path.fingerprint:08x}"
    return "/".join((start, *map(str, path.steps)))
