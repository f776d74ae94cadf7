"""The vault as the window and the command line use it: its file is read and written here, the signer does everything else."""

from __future__ import annotations

from latchkey.core.types import Address
from latchkey.errors import BadInput, Refused, StoreError
from latchkey.language import tr
from latchkey.store import atomic
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.records import MasterKeyRecord
from latchkey.vault.client import SignerClient
from latchkey.vault.file import undamaged
from latchkey.vault.model import MasterKey, Prompt


def open_signer(folder: DataDir, prompt: Prompt) -> SignerClient:
    """A client of the signer for this folder's vault, which may not exist yet. Raises StoreError when the file cannot be read."""
    return SignerClient(_sealed(folder), lambda sealed: atomic.write(folder.vault, sealed, valid=undamaged), prompt)


def stand_in(folder: DataDir) -> tuple[str, str] | None:
    """What a person has to know when the vault's last good copy is used in place of its file: a sentence, and what follows from it."""
    try:
        fault = atomic.read(folder.vault, valid=undamaged).fault
    except StoreError:
        return None
    if fault is None:
        return None
    return (
        tr("{fault} The copy of the vault from before its last change is used.", fault=fault.text),
        tr(
            "A key that came in last may be missing, and the passphrase may be the one before. With the next change all is whole again."
        ),
    )


def _sealed(folder: DataDir) -> bytes | None:
    try:
        return atomic.read(folder.vault, valid=undamaged).data
    except StoreError as error:
        if error.code == "Missing":
            return None
        raise


def remember_keys(book: Book, keys: tuple[MasterKey, ...]) -> None:
    """Note the public facts of the vault's master keys in the book, so that they can be shown while it is locked; those that it no longer
    has are dropped."""
    held = [key.address for key in keys]
    for known in tuple(book.keys()):
        if not known.is_device and known.address not in held:
            book.remove_key(known.address)
    for key in keys:
        book.put_key(MasterKeyRecord(key.address, key.label, key.kind, key.path))


def owner_among(keys: tuple[MasterKey, ...], wanted: str | None) -> Address:
    """The master key that is to sign: the one named, or the only one. Raises BadInput, Refused."""
    if wanted is not None:
        owner = Address.parse(wanted, path="owner")
        if owner not in [key.address for key in keys]:
            raise BadInput(tr("This key is not in the vault."), path="owner")
        return owner
    if len(keys) != 1:
        raise Refused(
            tr("Which key owns this account does not follow from its address: name it with --owner."), code="NoOwner", path="owner"
        )
    return keys[0].address
