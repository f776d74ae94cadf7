"""Keys: recovery words (BIP-39), derivation (BIP-32), raw keys, and keystore files (Web3 Secret Storage V3).

eth-account does the work; it is imported where it is used, for it loads slowly, and its exceptions are replaced, for some of them
quote the secret they were given.
"""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Any

from latchkey.core.types import Address, keccak
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, LatchkeyError
from latchkey.language import tr
from latchkey.vault.contents import Mnemonic, RawKey
from latchkey.vault.secret import SecretBytes

if TYPE_CHECKING:
    from eth_account.hdaccount.mnemonic import Mnemonic as Bip39

DEFAULT_PATH = "m/44'/60'/0'/0/0"
WORD_COUNTS = (12, 15, 18, 21, 24)
PREVIEW_ROWS = 5
MAX_KEYSTORE = 64 * 1024

_PATH = re.compile(r"m(?:/[0-9]{1,10}'?){1,10}")
_RAW = re.compile(r"(?:0[xX])?[0-9a-fA-F]{64}")
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_MAX_SCRYPT_MEMORY = 512 * 1024 * 1024
_MAX_SCRYPT_WORK = 2**23  # n * r * p; four times what geth writes
_MAX_PBKDF2_ROUNDS = 10_000_000


@cache
def _english() -> Bip39:
    from eth_account.hdaccount.mnemonic import Mnemonic as Bip39

    return Bip39()


def wordlist() -> list[str]:
    """The 2048 English words of BIP-39, in order."""
    return list(_english().wordlist)


def new_entropy(words: int) -> SecretBytes:
    """Fresh entropy for that many words, from the operating system."""
    if words not in WORD_COUNTS:
        raise BadInput(tr("Recovery words come as 12, 15, 18, 21 or 24."), path="words")
    return SecretBytes(secrets.token_bytes(words * 4 // 3))


def words_of(entropy: SecretBytes) -> list[str]:
    return _english().to_mnemonic(entropy.reveal()).split()


def entropy_of(words: str) -> SecretBytes:
    """The entropy behind English recovery words, checksum checked. Raises BadInput saying which rule is broken, never a word."""
    given = unicodedata.normalize("NFKD", words).lower().split()
    if len(given) not in WORD_COUNTS:
        raise BadInput(
            tr("Recovery words come as 12, 15, 18, 21 or 24; these are {count}.", count=min(len(given), 99)), path="words"
        )
    index = {word: number for number, word in enumerate(_english().wordlist)}
    unknown = [str(place) for place, word in enumerate(given, 1) if word not in index]
    if unknown:
        raise BadInput(tr("Not on the BIP-39 list: word {unknown}.", unknown=", ".join(unknown)), path="words")
    bits = 0
    for word in given:
        bits = bits << 11 | index[word]
    entropy = SecretBytes((bits >> len(given) // 3).to_bytes(len(given) * 4 // 3, "big"))
    if words_of(entropy) != given:
        raise BadInput(tr("The words' checksum is wrong: a word is mistaken, or two have changed places."), path="words")
    return entropy


def check_path(path: str) -> str:
    """A BIP-32 path in its usual writing. Raises BadInput."""
    if not _PATH.fullmatch(path) or any(int(step.rstrip("'")) >= 2**31 for step in path.split("/")[1:]):
        raise BadInput(tr("A derivation path looks like m/44'/60'/0'/0/0, each number below 2147483648."), path="path")
    return path


def private_key(secret: Mnemonic | RawKey) -> SecretBytes:
    """The 32-byte key a vault's secret stands for."""
    match secret:
        case RawKey(key):
            return key
        case Mnemonic(_, _, path):
            return derive(_seed(secret), path)


def derive(seed: SecretBytes, path: str) -> SecretBytes:
    from eth_account.hdaccount import key_from_seed

    return SecretBytes(key_from_seed(seed.reveal(), check_path(path)))


def seed_of(words: str, passphrase: str = "") -> SecretBytes:
    """The 64-byte BIP-39 seed of checked words."""
    return SecretBytes(_english().to_seed(words, passphrase))


def _seed(secret: Mnemonic) -> SecretBytes:
    return seed_of(" ".join(words_of(secret.entropy)), secret.passphrase.reveal().decode())


def preview(secret: Mnemonic) -> list[tuple[str, Address]]:
    """(path, address) of the secret's own path and the ones that follow it in the last place."""
    head, _, last = secret.path.rpartition("/")
    mark = "'" if last.endswith("'") else ""
    first = int(last.rstrip("'"))
    seed = _seed(secret)
    paths = [f"{head}/{number}{mark}" for number in range(first, min(first + PREVIEW_ROWS, 2**31))]
    return [(path, address_of(derive(seed, path))) for path in paths]


def address_of(key: SecretBytes) -> Address:
    from coincurve import PrivateKey

    public = PrivateKey(key.reveal()).public_key.format(compressed=False)
    return Address.from_bytes(keccak(public[1:])[12:])


def sign_digest(key: SecretBytes, digest: bytes) -> bytes:
    """r||s||v over 32 bytes: deterministic (RFC 6979), low s, v 27 or 28. Only the keeper calls this, with what it has read itself."""
    from coincurve import PrivateKey

    made = PrivateKey(key.reveal()).sign_recoverable(digest, hasher=None)
    return made[:64] + bytes([27 + made[64]])


def new_key() -> SecretBytes:
    """A fresh private key, from the operating system."""
    return SecretBytes((secrets.randbelow(_ORDER - 1) + 1).to_bytes(32, "big"))


def raw_key(text: str) -> RawKey:
    """A private key as 64 hexadecimal digits. Raises BadInput."""
    if not _RAW.fullmatch(text.strip()):
        raise BadInput(tr("A private key is 64 hexadecimal digits, with or without 0x."), path="key")
    return _checked(bytes.fromhex(text.strip()[-64:]))


def _checked(key: bytes) -> RawKey:
    if len(key) != 32 or not 0 < int.from_bytes(key, "big") < _ORDER:
        raise BadInput(tr("This number is not a private key: it is zero or too large."), path="key")
    return RawKey(SecretBytes(key))


def to_keystore(key: SecretBytes, password: SecretBytes) -> bytes:
    """Web3 Secret Storage V3 as JSON (scrypt n = 2^18, r = 8, p = 1), as geth and ethers open it. The password is taken as NFKC."""
    from eth_keyfile.keyfile import create_keyfile_json

    made = create_keyfile_json(key.reveal(), _password(password), version=3, kdf="scrypt")
    return json.dumps(made, separators=(",", ":")).encode()


def from_keystore(data: bytes, password: SecretBytes) -> RawKey:
    """Open a V3 keystore. Costs beyond four times geth's are refused before anything is derived. Raises BadInput."""
    from eth_keyfile.keyfile import decode_keyfile_json

    if len(data) > MAX_KEYSTORE:
        raise BadInput(tr("This file is too large for a keystore: at most 64 KiB are read."), code="TooLarge")
    keystore = _keystore(read_json(data))
    try:
        key = _checked(decode_keyfile_json(keystore, _password(password)))
    except LatchkeyError:
        raise
    except Exception:  # noqa: BLE001 - the library's errors are of many kinds and may quote
        raise BadInput(tr("The password does not open this keystore file."), code="WrongPassword", path="password") from None
    named = keystore.get("address")
    if named is not None and _hex(named, 20) != address_of(key.key).raw:
        raise BadInput(tr("The keystore names another address than its key has."), code="Mismatch", path="address")
    return key


def _password(password: SecretBytes) -> bytes:
    try:
        return unicodedata.normalize("NFKC", password.reveal().decode()).encode()
    except UnicodeDecodeError:
        return password.reveal()


def _keystore(value: Any) -> dict[str, Any]:
    """Only the fields that count, in lower case, every one of them checked. Raises BadInput naming the field."""
    file = _lower(value, tr("The keystore"))
    if file.get("version") != 3 or isinstance(file.get("version"), bool):
        raise BadInput(tr("version: only keystores of version 3 are read."), path="version")
    crypto = _lower(file.get("crypto"), "crypto")
    kdf, parameters = crypto.get("kdf"), _lower(crypto.get("kdfparams"), "crypto.kdfparams")
    checks = {"scrypt": _scrypt, "pbkdf2": _pbkdf2}
    if kdf not in checks:
        raise BadInput(tr("crypto.kdf: scrypt and pbkdf2 are known."), path="crypto.kdf")
    if crypto.get("cipher") != "aes-128-ctr":
        raise BadInput(tr("crypto.cipher: only aes-128-ctr is known."), path="crypto.cipher")
    salt = parameters.get("salt")
    if not isinstance(salt, str) or not re.fullmatch(r"(0x)?(?:[0-9a-fA-F]{2}){1,256}", salt):
        raise BadInput(tr("crypto.kdfparams.salt: expected hexadecimal digits."), path="crypto.kdfparams.salt")
    if _number(parameters, "dklen") != 32:
        raise BadInput(tr("crypto.kdfparams.dklen: only 32 is read."), path="crypto.kdfparams.dklen")
    iv = _lower(crypto.get("cipherparams"), "crypto.cipherparams").get("iv")
    return {
        "version": 3,
        "address": file.get("address") or None,
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": _hex(iv, 16, "crypto.cipherparams.iv").hex()},
            "ciphertext": _hex(crypto.get("ciphertext"), 32, "crypto.ciphertext").hex(),
            "mac": _hex(crypto.get("mac"), 32, "crypto.mac").hex(),
            "kdf": kdf,
            "kdfparams": {"dklen": 32, "salt": salt.removeprefix("0x"), **checks[kdf](parameters)},
        },
    }


def _scrypt(parameters: dict[str, Any]) -> dict[str, Any]:
    n, r, p = (_number(parameters, name) for name in ("n", "r", "p"))
    if n < 2 or n & (n - 1) or min(r, p) < 1:
        raise BadInput(tr("crypto.kdfparams: these are not parameters of scrypt."), path="crypto.kdfparams")
    if 128 * n * r > _MAX_SCRYPT_MEMORY or 128 * r * p > _MAX_SCRYPT_MEMORY or n * r * p > _MAX_SCRYPT_WORK:
        raise BadInput(tr("crypto.kdfparams: opening this file would take far too much memory or time."), path="crypto.kdfparams")
    return {"n": n, "r": r, "p": p}


def _pbkdf2(parameters: dict[str, Any]) -> dict[str, Any]:
    rounds = _number(parameters, "c")
    if parameters.get("prf") != "hmac-sha256":
        raise BadInput(tr("crypto.kdfparams.prf: only hmac-sha256 is known."), path="crypto.kdfparams.prf")
    if not 1 <= rounds <= _MAX_PBKDF2_ROUNDS:
        raise BadInput(tr("crypto.kdfparams.c: opening this file would take far too much time."), path="crypto.kdfparams.c")
    return {"c": rounds, "prf": "hmac-sha256"}


def _number(parameters: dict[str, Any], name: str) -> int:
    value = parameters.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadInput(tr("crypto.kdfparams.{name}: expected a whole number.", name=name), path=f"crypto.kdfparams.{name}")
    return value


def _lower(value: Any, where: str) -> dict[str, Any]:
    """Some programs write "Crypto"; field names count in any letter case."""
    if not isinstance(value, dict):
        raise BadInput(tr("{where} is not an object of the V3 format.", where=where), path=where if "." in where else "")
    return {name.lower(): item for name, item in value.items()}


def _hex(value: Any, size: int, where: str = "address") -> bytes:
    if not isinstance(value, str) or not re.fullmatch(rf"(?:0[xX])?[0-9a-fA-F]{{{2 * size}}}", value):
        raise BadInput(tr("{where}: expected {size} bytes in hexadecimal.", where=where, size=size), path=where)
    return bytes.fromhex(value[-2 * size :])
