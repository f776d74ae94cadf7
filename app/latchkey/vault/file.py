"""The vault file, format version 1. Bytes in, bytes out: the disk is the store's.

    offset  size
         0     8  "LATCHKEY"
         8     2  format version, 1
        10     1  key derivation: 1 = Argon2id (version 0x13)
        11     4  its memory in KiB
        15     4  its passes
        19     1  its lanes
        20    32  its salt; the password is the passphrase, NFKC, UTF-8
        52    12  nonce of the wrapped data key
        64    48  the data key (32 random bytes) under AES-256-GCM with the derived key; associated data: bytes 0-51
       112    12  nonce of the body
       124     n  the contents (contents.py) under AES-256-GCM with the data key; associated data: bytes 0-111
     124+n    32  SHA-256 of everything before it

The checksum keeps nobody out: it tells a damaged file from a wrong passphrase, without the passphrase, and stays the last 32 bytes of
every later version. Numbers are big-endian.
"""

from __future__ import annotations

import hashlib
import os
import struct
import unicodedata
from dataclasses import dataclass, replace

from latchkey.errors import VaultError, WrongPassphrase
from latchkey.vault import contents as contents_
from latchkey.vault.contents import Contents
from latchkey.vault.secret import SecretBytes

MAGIC = b"LATCHKEY"
FORMAT = 1
MAX_SIZE = 512 * 1024

_ARGON2ID = 1
_HEADER = struct.Struct(">8sHBIIB32s")
_NONCE, _CHECKSUM = 12, 32
_WRAPPED_END = _HEADER.size + _NONCE + 48
_LEAST_SIZE = _WRAPPED_END + _NONCE + 16 + _CHECKSUM


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """Of deriving a key from the passphrase."""

    memory_kib: int
    passes: int
    lanes: int


DEFAULT = Cost(128 * 1024, 3, 4)
LEAST = Cost(64 * 1024, 3, 1)
MOST = Cost(1024 * 1024, 10, 16)


@dataclass(frozen=True, slots=True)
class Vault:
    """An open vault. `prefix`: bytes 0-111 of its file, so that changed contents need no passphrase."""

    contents: Contents
    cost: Cost
    prefix: bytes
    data_key: SecretBytes

    def holding(self, contents: Contents) -> Vault:
        """The same vault with other contents."""
        return replace(self, contents=contents)


def create(contents: Contents, passphrase: SecretBytes, cost: Cost = DEFAULT) -> Vault:
    """A new vault; also how a passphrase or a cost is changed, for it has a data key of its own."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    _check_cost(cost)
    salt, nonce, data_key = os.urandom(32), os.urandom(_NONCE), os.urandom(32)
    header = _HEADER.pack(MAGIC, FORMAT, _ARGON2ID, cost.memory_kib, cost.passes, cost.lanes, salt)
    wrapped = AESGCM(_derive(passphrase, salt, cost)).encrypt(nonce, data_key, header)
    return Vault(contents, cost, header + nonce + wrapped, SecretBytes(data_key))


def seal(vault: Vault) -> bytes:
    """The file of an open vault: a fresh nonce, the same passphrase."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE)
    body = AESGCM(vault.data_key.reveal()).encrypt(nonce, contents_.dump(vault.contents), vault.prefix)
    data = vault.prefix + nonce + body
    if len(data) + _CHECKSUM > MAX_SIZE:
        raise VaultError("The vault is full: no more keys fit in it.", code="VaultFull")
    return data + hashlib.sha256(data).digest()


def open_vault(data: bytes, passphrase: SecretBytes) -> Vault:
    """Open a vault file. Raises WrongPassphrase, or VaultError: not a vault, damaged, newer, or of a cost out of bounds."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cost, salt = check(data)
    wrapped, body = data[_HEADER.size : _WRAPPED_END], data[_WRAPPED_END:-_CHECKSUM]
    try:
        key = AESGCM(_derive(passphrase, salt, cost))
        data_key = key.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], data[: _HEADER.size])
    except InvalidTag:
        raise WrongPassphrase("This passphrase does not open the vault.") from None
    try:
        contents = AESGCM(data_key).decrypt(body[:_NONCE], body[_NONCE:], data[:_WRAPPED_END])
    except InvalidTag:
        raise _damaged() from None
    return Vault(contents_.load(contents), cost, data[:_WRAPPED_END], SecretBytes(data_key))


def check(data: bytes) -> tuple[Cost, bytes]:
    """Everything that can be checked without a passphrase; returns the cost and the salt. Raises VaultError."""
    if len(data) > MAX_SIZE:
        raise VaultError("This file is too large to be a vault.", code="TooLarge")
    if not data.startswith(MAGIC):
        raise VaultError("This file is not a Latchkey vault.", code="NotAVault")
    if not undamaged(data):
        raise _damaged()
    version = int.from_bytes(data[8:10], "big")
    if version != FORMAT:
        raise VaultError(
            f"This vault has format {version}, made by a newer Latchkey; this one reads format {FORMAT}.", code="VaultTooNew"
        )
    if len(data) < _LEAST_SIZE:
        raise _damaged()
    _, _, kdf, memory, passes, lanes, salt = _HEADER.unpack_from(data)
    if kdf != _ARGON2ID:
        raise VaultError("This vault derives its key in a way Latchkey does not know.", code="UnknownKdf")
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


def _check_cost(cost: Cost) -> None:
    fits = (
        LEAST.memory_kib <= cost.memory_kib <= MOST.memory_kib
        and LEAST.passes <= cost.passes <= MOST.passes
        and LEAST.lanes <= cost.lanes <= MOST.lanes
    )
    if not fits:
        raise VaultError(
            "This vault's passphrase protection is outside what Latchkey accepts; somebody may have changed the file.",
            code="KdfOutOfBounds",
        )


def _derive(passphrase: SecretBytes, salt: bytes, cost: Cost) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    text = unicodedata.normalize("NFKC", passphrase.reveal().decode("utf-8", "surrogateescape"))
    kdf = Argon2id(salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return kdf.derive(text.encode("utf-8", "surrogateescape"))


def _damaged() -> VaultError:
    return VaultError("The vault file is damaged; open the last good copy.", code="DamagedVault")
