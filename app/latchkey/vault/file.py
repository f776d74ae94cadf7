"""The vault file, formats 1 and 2. Bytes in, bytes out: the disk is the store's.

    offset  size
         0     8  "LATCHKEY"
         8     2  format version: 1, or 2 where the keyring of the computer may open the vault too
        10     1  key derivation: 1 = Argon2id (version 0x13)
        11     4  its memory in KiB
        15     4  its passes
        19     1  its lanes
        20    32  its salt; the password is the passphrase, NFKC, UTF-8
        52    12  nonce of the wrapped data key
        64    48  the data key (32 random bytes) under AES-256-GCM with the derived key; associated data: bytes 0-51
       112    76  format 2 only, the slot: 16 bytes that name an item of the keyring, which holds a wrap key (32 random bytes), the nonce
                  of the data key wrapped again, and the data key under AES-256-GCM with the wrap key; associated data: the name
         b    12  nonce of the body; b is 112, in format 2 188
      b+12     n  the contents (contents.py) under AES-256-GCM with the data key; associated data: bytes 0 to b
    b+12+n    32  SHA-256 of everything before it

Format 2 is written only where there is a slot, so that any other vault opens with every version of this program. The checksum keeps
nobody out: it tells a damaged file from a wrong passphrase, without the passphrase, and stays the last 32 bytes of every later version.
Numbers are big-endian.
"""

from __future__ import annotations

import hashlib
import os
import struct
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from latchkey.errors import VaultError, WrongPassphrase
from latchkey.language import tr
from latchkey.vault import contents as contents_
from latchkey.vault.contents import Contents
from latchkey.vault.secret import SecretBytes

MAGIC = b"LATCHKEY"
PLAIN, WITH_SLOT = 1, 2  # formats
MAX_SIZE = 512 * 1024

_ARGON2ID = 1
_HEADER = struct.Struct(">8sHBIIB32s")
_NONCE, _CHECKSUM = 12, 32
_WRAPPED_END = _HEADER.size + _NONCE + 48
_ITEM = 16
_SLOT = _ITEM + _NONCE + 48


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """Of deriving a key from the passphrase."""

    memory_kib: int
    passes: int
    lanes: int


FLOOR = Cost(128 * 1024, 3, 4)  # the least a vault is made with; one that was made for less is raised to it
LEAST, MOST = Cost(64 * 1024, 3, 1), Cost(1024 * 1024, 10, 16)  # what is opened at all
_MOST_MADE_KIB = 256 * 1024  # another, smaller machine has to open it too


@dataclass(frozen=True, slots=True)
class Wrap:
    """What the keyring of the computer holds: a key, under a name (16 bytes) that tells nothing."""

    item: bytes
    key: SecretBytes


@dataclass(frozen=True, slots=True)
class Vault:
    """An open vault. `prefix`: its file as far as the body, so that changed contents need no passphrase."""

    contents: Contents
    cost: Cost
    prefix: bytes
    data_key: SecretBytes

    @property
    def item(self) -> bytes | None:
        """The name of the keyring's item that opens it too; None where there is none."""
        return self.prefix[_WRAPPED_END : _WRAPPED_END + _ITEM] or None

    def holding(self, contents: Contents) -> Vault:
        """The same vault with other contents."""
        return replace(self, contents=contents)


def create(contents: Contents, passphrase: SecretBytes, cost: Cost = FLOOR, wrap: Wrap | None = None) -> Vault:
    """A new vault; also how a passphrase is changed and a slot given or taken, for it has a data key of its own."""
    data_key = SecretBytes(os.urandom(32))
    slot = b"" if wrap is None else wrap.item + _sealed(wrap.key.reveal(), data_key.reveal(), wrap.item)
    return Vault(contents, cost, _head(passphrase, cost, data_key, slot) + slot, data_key)


def dearer(vault: Vault, passphrase: SecretBytes, cost: Cost) -> Vault:
    """The same vault, its passphrase derived at another cost; its slot stays."""
    slot = vault.prefix[_WRAPPED_END:]
    return replace(vault, cost=cost, prefix=_head(passphrase, cost, vault.data_key, slot) + slot)


def measured(seconds: float = 1.0, clock: Callable[[], float] = time.perf_counter) -> Cost:
    """A cost that takes this machine about so long; never below the floor. Takes a part of that itself."""
    began = clock()
    _derive(SecretBytes(b"how long does this take"), bytes(32), FLOOR)
    times = seconds / max(clock() - began, 1e-3)
    memory = min(max(int(FLOOR.memory_kib * times) >> 14 << 14, FLOOR.memory_kib), _MOST_MADE_KIB)
    passes = int(FLOOR.passes * times * FLOOR.memory_kib / memory)
    return Cost(memory, min(max(passes, FLOOR.passes), MOST.passes), FLOOR.lanes)


def is_cheap(cost: Cost) -> bool:
    """Is it below what vaults are made with?"""
    return cost.memory_kib < FLOOR.memory_kib or cost.passes < FLOOR.passes


def seal(vault: Vault) -> bytes:
    """The file of an open vault: a fresh nonce, the same passphrase."""
    data = vault.prefix + _sealed(vault.data_key.reveal(), contents_.dump(vault.contents), vault.prefix)
    if len(data) + _CHECKSUM > MAX_SIZE:
        raise VaultError(tr("The vault is full: no more keys fit in it."), code="VaultFull")
    return data + hashlib.sha256(data).digest()


def open_vault(data: bytes, passphrase: SecretBytes) -> Vault:
    """Open a vault file. Raises WrongPassphrase, or VaultError: not a vault, damaged, newer, or of a cost out of bounds."""
    from cryptography.exceptions import InvalidTag

    cost, salt = check(data)
    try:
        data_key = _opened(_derive(passphrase, salt, cost), data[_HEADER.size : _WRAPPED_END], data[: _HEADER.size])
    except InvalidTag:
        raise WrongPassphrase(tr("This passphrase does not open the vault.")) from None
    return _with_data_key(data, cost, data_key)


def open_by_keyring(data: bytes, key: SecretBytes) -> Vault:
    """Open a vault file that has a slot with what the keyring holds. Raises VaultError as `open_vault`, code "WrongItem" when the key is
    another's."""
    from cryptography.exceptions import InvalidTag

    cost, _ = check(data)
    slot = data[_WRAPPED_END : _body(data)]
    try:
        data_key = _opened(key.reveal(), slot[_ITEM:], slot[:_ITEM])
    except InvalidTag:
        raise VaultError(
            tr("What the keyring of this computer holds does not fit this vault; switch the keyring off and on again in Settings."),
            code="WrongItem",
        ) from None
    return _with_data_key(data, cost, data_key)


def item_of(data: bytes) -> bytes | None:
    """The name of the keyring's item that opens this file too, None where there is none. Raises VaultError as `check`."""
    check(data)
    return data[_WRAPPED_END : _WRAPPED_END + _ITEM] if _body(data) > _WRAPPED_END else None


def check(data: bytes) -> tuple[Cost, bytes]:
    """Everything that can be checked without a passphrase; returns the cost and the salt. Raises VaultError."""
    if len(data) > MAX_SIZE:
        raise VaultError(tr("This file is too large to be a vault."), code="TooLarge")
    if not data.startswith(MAGIC):
        raise VaultError(tr("This file is not a Latchkey vault."), code="NotAVault")
    if not undamaged(data):
        raise _damaged()
    version = int.from_bytes(data[8:10], "big")
    if version not in (PLAIN, WITH_SLOT):
        raise VaultError(
            tr(
                "This vault has format {version}, made by a newer Latchkey; this one reads formats {plain} and {with_slot}.",
                version=version,
                plain=PLAIN,
                with_slot=WITH_SLOT,
            ),
            code="VaultTooNew",
        )
    if len(data) < _body(data) + _NONCE + 16 + _CHECKSUM:
        raise _damaged()
    _, _, kdf, memory, passes, lanes, salt = _HEADER.unpack_from(data)
    if kdf != _ARGON2ID:
        raise VaultError(tr("This vault derives its key in a way Latchkey does not know."), code="UnknownKdf")
    cost = Cost(memory, passes, lanes)
    _check_cost(cost)
    return cost, salt


def undamaged(data: bytes) -> bool:
    """Is this a vault file of any version, whole? For choosing between the file and its last good copy."""
    return (
        data.startswith(MAGIC)
        and len(data) > len(MAGIC) + _CHECKSUM
        and hashlib.sha256(data[:-_CHECKSUM]).digest() == data[-_CHECKSUM:]
    )


def _body(data: bytes) -> int:
    """Where the body begins."""
    return _WRAPPED_END + (_SLOT if int.from_bytes(data[8:10], "big") == WITH_SLOT else 0)


def _head(passphrase: SecretBytes, cost: Cost, data_key: SecretBytes, slot: bytes) -> bytes:
    """Bytes 0-111: how the passphrase is derived, under a salt of its own, and the data key wrapped with that."""
    _check_cost(cost)
    salt = os.urandom(32)
    version = WITH_SLOT if slot else PLAIN
    header = _HEADER.pack(MAGIC, version, _ARGON2ID, cost.memory_kib, cost.passes, cost.lanes, salt)
    return header + _sealed(_derive(passphrase, salt, cost), data_key.reveal(), header)


def _with_data_key(data: bytes, cost: Cost, data_key: bytes) -> Vault:
    from cryptography.exceptions import InvalidTag

    at = _body(data)
    try:
        contents = _opened(data_key, data[at:-_CHECKSUM], data[:at])
    except InvalidTag:
        raise _damaged() from None
    return Vault(contents_.load(contents), cost, data[:at], SecretBytes(data_key))


def _sealed(key: bytes, data: bytes, bound: bytes) -> bytes:
    """A fresh nonce and AES-256-GCM of `data`; `bound` is authenticated with it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, data, bound)


def _opened(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """The inverse. Raises cryptography's InvalidTag."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)


def _check_cost(cost: Cost) -> None:
    fits = (
        LEAST.memory_kib <= cost.memory_kib <= MOST.memory_kib
        and LEAST.passes <= cost.passes <= MOST.passes
        and LEAST.lanes <= cost.lanes <= MOST.lanes
    )
    if not fits:
        raise VaultError(
            tr("This vault's passphrase protection is outside what Latchkey accepts; somebody may have changed the file."),
            code="KdfOutOfBounds",
        )


def _derive(passphrase: SecretBytes, salt: bytes, cost: Cost) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    text = unicodedata.normalize("NFKC", passphrase.reveal().decode("utf-8", "surrogateescape"))
    kdf = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return kdf.derive(text.encode("utf-8", "surrogateescape"))


def _damaged() -> VaultError:
    return VaultError(tr("The vault file is damaged; open the last good copy."), code="DamagedVault")
