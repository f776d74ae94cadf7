"""Recovery words, derivation, raw keys and keystore files, against published vectors and eth-account."""

import json
from typing import Any

import pytest
from eth_account import Account as EthAccount
from eth_account.hdaccount import key_from_seed, seed_from_mnemonic
from hypothesis import given
from hypothesis import strategies as st

from latchkey.errors import BadInput
from latchkey.vault import keys
from latchkey.vault.contents import Mnemonic
from latchkey.vault.test_keys import MASTER_PATH, MASTERS, MNEMONIC, SESSION_PATH, SESSIONS, is_public_test_key
from tests.counts import count
from tests.vault.material import REAL_KEY, REAL_WORDS, public_master, secret

# From the reference vectors of BIP-39 (passphrase "TREZOR"): entropy, words, seed.
BIP39 = [
    (
        "00" * 16,
        "abandon " * 11 + "about",
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
    ),
    (
        "7f" * 16,
        REAL_WORDS,
        "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607",
    ),
    (
        "80" * 16,
        "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
        "d71de856f81a8acc65e6fc851a38d4d7ec216fd0796d0a6827a3ad6ed5511a30fa280f12eb2e47ed2ac03b5c462a0358d18d69fe4f985ec81778c1b370b652a8",
    ),
    (
        "ff" * 32,
        "zoo " * 23 + "vote",
        "dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e1613912f0a5b694407be899ffd31ed3992c456cdf60f5d4564b8ba3f05a69890ad",
    ),
]

# From the Web3 Secret Storage definition: password "testpassword", one key twice.
V3_KEY = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
V3_PBKDF2: dict[str, Any] = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}
V3_SCRYPT: dict[str, Any] = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32,
            "n": 262144,
            "p": 8,
            "r": 1,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
        },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}


@pytest.mark.parametrize(("entropy", "words", "seed"), BIP39)
def test_recovery_words(entropy: str, words: str, seed: str) -> None:
    assert keys.words_of(secret(bytes.fromhex(entropy))) == words.split()
    assert keys.entropy_of(f"  {words.upper()}\n").reveal().hex() == entropy
    assert keys.seed_of(words, "TREZOR").reveal().hex() == seed


def test_derivation() -> None:
    """Test vector 1 of BIP-32: the key at m/0'."""
    made = keys.derive(secret(bytes(range(16))), "m/0'")
    assert made.reveal().hex() == "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"


@pytest.mark.parametrize("words", [12, 24])
def test_new_words_are_valid_and_never_the_same(words: int) -> None:
    made = [keys.new_entropy(words) for _ in range(count(20, 1000))]
    assert len({entropy.reveal() for entropy in made}) == len(made)
    assert {len(keys.words_of(entropy)) for entropy in made} == {words}
    assert keys.entropy_of(" ".join(keys.words_of(made[0]))).same_as(made[0])


@given(st.sampled_from([16, 20, 24, 28, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_words_and_entropy_are_one(entropy: bytes) -> None:
    assert keys.entropy_of(" ".join(keys.words_of(secret(entropy)))).reveal() == entropy


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("", "12, 15, 18, 21 or 24; these are 0"),
        ("abandon " * 13, "these are 13"),
        ("abandon " * 10 + "canarycanary about", "not on the BIP-39 list: word 11"),
        ("abandon " * 12, "checksum"),
        (" ".join(reversed(REAL_WORDS.split())), "checksum"),
    ],
)
def test_a_broken_rule_is_named_and_no_word(words: str, rule: str) -> None:
    with pytest.raises(BadInput, match=f"(?i){rule}") as caught:
        keys.entropy_of(words)
    assert not any(word in caught.value.text.split() for word in set(words.split()))


@pytest.mark.parametrize("path", ["", "m", "44'/60'", "m/44'/60'/0'/0/2147483648", "m/x", "m/44h/0", "m/0/" * 3, "m" + "/0" * 11])
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(BadInput):
        keys.check_path(path)


def test_preview_rows() -> None:
    rows = keys.preview(Mnemonic(keys.entropy_of(MNEMONIC), secret(b""), keys.DEFAULT_PATH))
    assert rows == [(f"{MASTER_PATH}{index}", MASTERS[index]) for index in range(5)]
    hardened = keys.preview(Mnemonic(keys.entropy_of(MNEMONIC), secret(b"more"), "m/44'/60'/7'"))
    seed = seed_from_mnemonic(MNEMONIC, "more")
    assert [path for path, _ in hardened] == [f"m/44'/60'/{index}'" for index in range(7, 12)]
    assert hardened[2][1] == EthAccount.from_key(key_from_seed(seed, "m/44'/60'/9'")).address
    last = keys.preview(Mnemonic(keys.entropy_of(MNEMONIC), secret(b""), "m/2147483647"))
    assert [path for path, _ in last] == ["m/2147483647"]


def test_the_table_of_public_keys_is_what_the_mnemonic_makes() -> None:
    seed = keys.seed_of(MNEMONIC)
    for path, table in ((MASTER_PATH, MASTERS), (SESSION_PATH, SESSIONS)):
        assert len(table) == 64
        assert table == tuple(keys.address_of(keys.derive(seed, f"{path}{index}")) for index in range(64))
    assert is_public_test_key(MASTERS[63])
    assert not is_public_test_key(keys.address_of(keys.derive(seed, f"{MASTER_PATH}64")))


def test_signatures_are_deterministic_low_and_ours() -> None:
    from latchkey.accounts.modular_account.deferred import signer_of

    key = keys.private_key(public_master(0).secret)
    for number in range(count(50, 2000)):
        digest = keys.keccak(number.to_bytes(4, "big"))
        signature = keys.sign_digest(key, digest)
        theirs = EthAccount.unsafe_sign_hash(digest, key.reveal()).signature
        assert signature == bytes(theirs)
        assert signer_of(digest, signature) == MASTERS[0]


def test_raw_keys() -> None:
    for text in (REAL_KEY, REAL_KEY[2:].upper(), f" {REAL_KEY}\n"):
        assert keys.raw_key(text).key.reveal().hex() == REAL_KEY[2:]
    order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
    for text in ("", "0x", REAL_KEY[:-1], REAL_KEY + "0", "0x" + "00" * 32, order, "g" * 64):
        with pytest.raises(BadInput) as caught:
            keys.raw_key(text)
        assert len(text) < 10 or text not in caught.value.text


def v3(**changes: Any) -> bytes:
    """The published PBKDF2 keystore with changed fields, "a.b" for nested ones."""
    made = json.loads(json.dumps(V3_PBKDF2))
    for name, value in changes.items():
        place = made
        *parents, last = name.split("__")
        for parent in parents:
            place = place[parent]
        place[last] = value
    return json.dumps(made).encode()


@pytest.mark.parametrize("keystore", [V3_PBKDF2, V3_SCRYPT], ids=["pbkdf2", "scrypt"])
def test_published_keystores_open(keystore: dict[str, Any]) -> None:
    data = json.dumps({**keystore, "address": "008aeeda4d805471df9b2a5b0f38a0c3bcba786b"}).encode()
    assert keys.from_keystore(data, secret("testpassword")).key.reveal().hex() == V3_KEY
    upper = json.dumps({"Crypto": keystore["crypto"], "version": 3}).encode()
    assert keys.from_keystore(upper, secret("testpassword")).key.reveal().hex() == V3_KEY


@pytest.mark.parametrize("password", ["a plain password", "\u017f\u00df \u212b Gr\u00fc\u00df Gott"])
def test_keystores_travel_both_ways(password: str) -> None:
    key = keys.raw_key(REAL_KEY).key
    made = keys.to_keystore(key, secret(password))
    keystore = json.loads(made)
    assert keystore["version"] == 3
    assert keystore["crypto"]["kdfparams"]["n"] == 262144
    normal = keys.unicodedata.normalize("NFKC", password)
    assert bytes(EthAccount.decrypt(keystore, normal)).hex() == REAL_KEY[2:]
    theirs = json.dumps(EthAccount.encrypt(REAL_KEY, normal, kdf="pbkdf2", iterations=1000)).encode()
    assert keys.from_keystore(theirs, secret(password)).key.same_as(key)


def test_a_wrong_password_says_so_and_nothing_else() -> None:
    with pytest.raises(BadInput, match="does not open") as caught:
        keys.from_keystore(v3(), secret("canary password"))
    assert caught.value.code == "WrongPassword"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


SCRYPT = {"n": 262144, "r": 8, "p": 1, "dklen": 32, "salt": "00" * 32}


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "hostile",
    [
        v3(crypto__kdf="scrypt", crypto__kdfparams={**SCRYPT, "n": 2**30}),
        v3(crypto__kdf="scrypt", crypto__kdfparams={**SCRYPT, "r": 2**20}),
        v3(crypto__kdf="scrypt", crypto__kdfparams={**SCRYPT, "p": 2**25}),
        v3(crypto__kdf="scrypt", crypto__kdfparams={**SCRYPT, "n": 2, "r": 1, "p": 2**29}),
        v3(crypto__kdf="scrypt", crypto__kdfparams={**SCRYPT, "n": 3}),
        v3(crypto__kdf="scrypt", crypto__kdfparams={**SCRYPT, "n": 0}),
        v3(crypto__kdf="scrypt", crypto__kdfparams={**SCRYPT, "r": True}),
        v3(crypto__kdf="scrypt", crypto__kdfparams={**SCRYPT, "dklen": 2**40}),
        v3(crypto__kdf="scrypt", crypto__kdfparams={**SCRYPT, "n": "262144"}),
        v3(crypto__kdfparams__c=10**12),
        v3(crypto__kdfparams__c=0),
        v3(crypto__kdfparams__prf="hmac-md5"),
        v3(crypto__kdfparams__salt="zz"),
        v3(crypto__kdfparams__salt=1),
        v3(crypto__kdf="argon2"),
        v3(crypto__cipher="aes-128-cbc"),
        v3(crypto__cipherparams={"iv": "00"}),
        v3(crypto__ciphertext="00" * 4096),
        v3(crypto__mac=None),
        v3(crypto=[]),
        v3(version=4),
        v3(version=True),
        v3(address="00" * 19),
        v3(address="00" * 20),
        b"[]",
        b"{" * 60000,
        b" " * 70000,
    ],
    ids=range(27),
)
def test_hostile_keystores_are_refused_in_no_time(hostile: bytes) -> None:
    with pytest.raises(BadInput):
        keys.from_keystore(hostile, secret("testpassword"))
