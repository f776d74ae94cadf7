"""How session keys leave: HPKE bound to request and account, checked by a second reading of RFC 9180; codes of six words."""

import hmac
import json
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eth_account import Account as EthAccount

from latchkey.core.types import Address
from latchkey.errors import BadInput, Mismatch
from latchkey.vault import keys, seal
from latchkey.vault.test_keys import MASTERS, SESSIONS
from tests.vault.material import REAL_KEY, secret

VECTOR = json.loads((Path(__file__).parent / "samples/sealed-session-key.json").read_text())
KEY = secret(bytes.fromhex(REAL_KEY[2:]))
RECIPIENT = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = RECIPIENT.public_key().public_bytes_raw()
BOUND = seal.info("request-1", 31337, MASTERS[2])


def rfc9180_open(sealed: bytes, private: X25519PrivateKey, info: bytes) -> bytes:
    """Base mode, one message, written from the RFC: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM."""
    kem, suite = b"KEM" + bytes.fromhex("0020"), b"HPKE" + bytes.fromhex("002000010002")

    def extract(suite_id: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite_id + label + material, sha256)

    def expand(suite_id: bytes, key: bytes, label: bytes, context: bytes, size: int) -> bytes:
        labeled = size.to_bytes(2, "big") + b"HPKE-v1" + suite_id + label + context
        return hmac.digest(key, labeled + b"\x01", sha256)[:size]

    enc, ciphertext = sealed[:32], sealed[32:]
    shared = private.exchange(X25519PublicKey.from_public_bytes(enc))
    kem_context = enc + private.public_key().public_bytes_raw()
    secret_ = expand(kem, extract(kem, b"", b"eae_prk", shared), b"shared_secret", kem_context, 32)
    context = b"\x00" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    schedule = extract(suite, secret_, b"secret", b"")
    key, nonce = expand(suite, schedule, b"key", context, 32), expand(suite, schedule, b"base_nonce", context, 12)
    return AESGCM(key).decrypt(nonce, ciphertext, b"")


def test_sealed_and_opened() -> None:
    sealed = seal.seal(KEY, PUBLIC, BOUND)
    assert len(sealed) == 80
    assert seal.open_sealed(sealed, bytes(range(32)), BOUND).same_as(KEY)
    assert rfc9180_open(sealed, RECIPIENT, BOUND) == KEY.reveal()
    assert seal.seal(KEY, PUBLIC, BOUND) != sealed
    assert KEY.reveal() not in sealed


@pytest.mark.parametrize(
    "other",
    [
        seal.info("request-2", 31337, MASTERS[2]),
        seal.info("request-1", 1, MASTERS[2]),
        seal.info("request-1", 31337, MASTERS[3]),
        b"",
    ],
)
def test_bound_to_request_chain_and_account(other: bytes) -> None:
    sealed = seal.seal(KEY, PUBLIC, BOUND)
    with pytest.raises(Mismatch):
        seal.open_sealed(sealed, bytes(range(32)), other)


def test_another_key_or_a_changed_byte_opens_nothing() -> None:
    sealed = seal.seal(KEY, PUBLIC, BOUND)
    with pytest.raises(Mismatch):
        seal.open_sealed(sealed, bytes(range(1, 33)), BOUND)
    for place in range(len(sealed)):
        with pytest.raises(Mismatch):
            seal.open_sealed(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :], bytes(range(32)), BOUND)
    for cut in (0, 31, 79):
        with pytest.raises(Mismatch):
            seal.open_sealed(sealed[:cut], bytes(range(32)), BOUND)


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(32), b"\x01" + bytes(31), PUBLIC + b"\x00"], ids=len)
def test_keys_that_are_none_are_refused(public: bytes) -> None:
    with pytest.raises(BadInput, match="X25519"):
        seal.seal(KEY, public, BOUND)


def test_the_vector() -> None:
    """What others can test their implementation with (docs/hand-over.md)."""
    bound = seal.info(VECTOR["requestId"], VECTOR["chainId"], Address.parse(VECTOR["account"]))
    sealed, private = bytes.fromhex(VECTOR["sealed"][2:]), bytes.fromhex(VECTOR["recipientPrivateKey"][2:])
    assert bound.hex() == VECTOR["info"][2:]
    assert X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw().hex() == VECTOR["handOverKey"][2:]
    key = seal.open_sealed(sealed, private, bound)
    assert key.reveal().hex() == VECTOR["sessionPrivateKey"][2:]
    assert keys.address_of(key) == VECTOR["sessionKey"] == SESSIONS[0]


def test_a_code_of_six_words_opens_the_keystore_elsewhere() -> None:
    code = seal.new_code()
    assert len(code) == 6
    assert set(code) <= set(keys.wordlist())
    assert seal.new_code() != code
    keystore = json.loads(keys.to_keystore(KEY, seal.password_of(code)))
    assert bytes(EthAccount.decrypt(keystore, " ".join(code))) == KEY.reveal()
