"""How a session key made here leaves: sealed to a dApp's public key, or as a keystore file under a code of six words.

Sealed: HPKE (RFC 9180) in base mode, one shot, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. The message is the 32-byte key;
the output is enc (32 bytes) || ciphertext (48 bytes). `info` binds it to the request and the account:

    "latchkey session key v1" || 0x00 || chain id (8 bytes, big-endian) || account (20 bytes) || request id (UTF-8)
"""

from __future__ import annotations

import secrets

from latchkey.core.types import Address
from latchkey.errors import BadInput, Mismatch
from latchkey.language import tr
from latchkey.vault import keys
from latchkey.vault.secret import SecretBytes

CODE_WORDS = 6
_LABEL = b"latchkey session key v1\x00"


def info(request_id: str, chain_id: int, account: Address) -> bytes:
    """What the seal is bound to."""
    return _LABEL + chain_id.to_bytes(8, "big") + account.raw + request_id.encode()


def seal(key: SecretBytes, hand_over_key: bytes, bound_to: bytes) -> bytes:
    """80 bytes that only the holder of the hand-over key can open, and only as what `bound_to` (`info`) says. Raises BadInput."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    try:
        public = X25519PublicKey.from_public_bytes(hand_over_key)
        return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM).encrypt(key.reveal(), public, bound_to)
    except ValueError:  # not 32 bytes, or a point that would make the secret known to all
        raise BadInput(tr("The request's hand-over key is not a usable X25519 public key."), path="handover") from None


def open_sealed(sealed: bytes, private_key: bytes, bound_to: bytes) -> SecretBytes:
    """The dApp's side, for tests and vectors. Raises Mismatch when the key or the binding is another."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    try:
        private = X25519PrivateKey.from_private_bytes(private_key)
        return SecretBytes(Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM).decrypt(sealed, private, bound_to))
    except (InvalidTag, ValueError):
        raise Mismatch(tr("This was sealed for another key, request or account.")) from None


def new_code() -> list[str]:
    """Six words of the BIP-39 list, 66 random bits. The keystore's password is the words with single spaces between."""
    return [secrets.choice(keys.wordlist()) for _ in range(CODE_WORDS)]


def password_of(code: list[str]) -> SecretBytes:
    return SecretBytes(" ".join(code).encode())
