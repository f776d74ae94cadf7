"""What the vault's tests share: public keys, cheap vaults, descriptors, and a person who answers by a list."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from latchkey.core.account import Account, Mode
from latchkey.core.types import Address
from latchkey.errors import Declined
from latchkey.vault import file, keys
from latchkey.vault.contents import Contents, Master, Mnemonic, RawKey
from latchkey.vault.questions import Fields
from latchkey.vault.secret import SecretBytes
from latchkey.vault.test_keys import MASTER_PATH, MASTERS, MNEMONIC

PASSPHRASE = "a practice vault for everybody"
OWNER = MASTERS[0]

# Real keys: not public until now, and worth nothing.
REAL_WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"
REAL_KEY = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"


def secret(text: str | bytes) -> SecretBytes:
    return SecretBytes(text.encode() if isinstance(text, str) else text)


def public_master(index: int) -> Master:
    mnemonic = Mnemonic(keys.entropy_of(MNEMONIC), secret(b""), f"{MASTER_PATH}{index}")
    return Master(MASTERS[index], f"anvil {index}", 1_790_000_000, mnemonic)


def real_master() -> Master:
    key = keys.raw_key(REAL_KEY)
    return Master(keys.address_of(key.key), "real", 1_790_000_000, key)


def public_raw(index: int) -> Master:
    """The same key without its words."""
    key = keys.private_key(public_master(index).secret)
    return Master(MASTERS[index], f"anvil {index}", 1_790_000_000, RawKey(key))


def sealed(*masters: Master, passphrase: str = PASSPHRASE, expert: bool = False, cost: file.Cost = file.LEAST) -> bytes:
    return file.seal(file.create(Contents(masters=masters, expert=expert), secret(passphrase), cost))


def descriptor(text: str | bytes) -> int:
    """A readable file descriptor that holds this and ends."""
    readable, writable = os.pipe()
    os.write(writable, text.encode() if isinstance(text, str) else text)
    os.close(writable)
    return readable


def sma(vectors: dict[str, Any], chain_id: int = 31337) -> Account:
    """The account of the published grants."""
    return Account(chain_id, Address.parse(vectors["meta"]["account"]), "modular_account", Mode.SMA, OWNER, 0)


def unsigned(grant: dict[str, Any]) -> bytes:
    return bytes.fromhex(grant["expected"]["preSignaturePayload"][2:])


def grant_named(vectors: dict[str, Any], name: str) -> dict[str, Any]:
    return next(grant for grant in vectors["grants"] if grant["name"] == name)


class Person:
    """A channel whose person answers from a list: (question, answer) in order, an answer being a map, a function of the ask, or None
    for a no. Keeps what was asked."""

    def __init__(self, *script: tuple[str, Fields | Callable[[Fields], Fields] | None], retries: bool = True) -> None:
        self.script = list(script)
        self.retries = retries
        self.asked: list[tuple[str, Fields]] = []

    def ask(self, name: str, fields: Fields) -> Fields:
        self.asked.append((name, fields))
        assert self.script, f"nobody expected to be asked: {name}"
        expected, answer = self.script.pop(0)
        assert name == expected
        if answer is None:
            raise Declined("no")
        return answer(fields) if callable(answer) else answer

    def close(self) -> None:
        pass

    @property
    def done(self) -> bool:
        return not self.script


def says(passphrase: str = PASSPHRASE) -> Fields:
    return {"passphrase": passphrase.encode()}
