"""The practice chain: anvil on loopback with the EntryPoint, the account contracts or their stand-ins, and things to play with.

Nothing here is worth anything: the stand-ins are test equipment, the keys are anvil's public ones, and all is gone at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.chain.anvil import CHAIN_ID, CHECKOUT_MODULES, anvil
from latchkey.chain.clone import KNOWN, clone_code
from latchkey.chain.places import (
    COIN,
    DETERMINISTIC_DEPLOYER,
    DOLLAR,
    ENTRY_POINT_SALT,
    PAYMASTER,
    PUBLISHED,
    SENDER_CREATOR,
    WORLD,
    runtime,
)
from latchkey.chain.rpc import Rpc
from latchkey.core.account import Account
from latchkey.core.types import Address, hex_bytes, keccak, to_hex
from latchkey.errors import ChainError
from latchkey.language import tr

ETHER = 10**18
DOLLARS, COINS = 1000 * 10**6, 1000 * ETHER  # what a practice account is given, base units
_DEPOSIT_TO = hex_bytes("0xb760faf9")  # depositTo(address)
_MINT = hex_bytes("0x40c10f19")  # mint(address,uint256)


class Source(StrEnum):
    CLONE = "clone"  # copied from a chain that has it
    STAND_IN = "stand-in"  # our own
    NPM = "npm"  # the published package's own deployment


@dataclass(frozen=True, slots=True)
class Placed:
    """One published address on this chain."""

    name: str
    address: Address
    code_hash: str
    source: Source

    def __str__(self) -> str:
        return f"{self.address} {self.code_hash} source={self.source}"


@dataclass(frozen=True, slots=True)
class Practice:
    """A running practice chain. `placed`: every published address that has code here."""

    url: str
    rpc: Rpc
    placed: tuple[Placed, ...]

    @property
    def cloned(self) -> bool:
        return any(p.source is Source.CLONE for p in self.placed)


@contextmanager
def practice_chain(
    program: Path, *, clone_from: str = "", port: int = 0, known: Mapping[Address, str] = KNOWN
) -> Iterator[Practice]:
    """A fresh chain run by `program` (anvil), gone at the end. `known`: code hashes that copied code must have.

    Raises ChainError, CannotClone (before anything is started).
    """
    copied = clone_code(clone_from, known=known) if clone_from else {}
    with anvil(program, port=port) as url:
        rpc = Rpc(url)
        try:
            if ENTRY_POINT not in copied:
                _deploy_entry_point(rpc)
            _place(rpc, copied)
            _deposit(rpc)
            yield Practice(url, rpc, tuple(_placed(rpc, copied)))
        finally:
            rpc.close()


def deploy(rpc: Rpc, account: Account) -> None:
    """Deploy the account unless it is, and give it 10 ETH, 1,000 dollars and 1,000 coins. Raises ChainError."""
    sender = rpc("eth_accounts")[9]
    requests = []
    if rpc("eth_getCode", account.address, "latest") == "0x":
        factory, data = Address.from_bytes(account.init_code[:20]), account.init_code[20:]
        requests.append({"from": sender, "to": factory, "data": to_hex(data), "gas": hex(5_000_000)})
    for token, amount in ((DOLLAR, DOLLARS), (COIN, COINS)):
        data = _MINT + bytes(12) + account.address.raw + amount.to_bytes(32, "big")
        requests.append({"from": sender, "to": token, "data": to_hex(data), "gas": hex(500_000)})
    rpc("anvil_setBalance", account.address, hex(10 * ETHER))
    receipts = [rpc.transact(request) for request in requests]
    if not all(int(receipt["status"], 16) for receipt in receipts):
        raise ChainError(tr("The practice account could not be deployed."))


def connect(url: str) -> Rpc:
    """To a practice chain that runs already. Raises ChainError when there is none."""
    rpc = Rpc(url)
    try:
        chain_id = rpc("eth_chainId")
    except ChainError:
        chain_id = ""
    if chain_id != hex(CHAIN_ID):
        rpc.close()
        raise ChainError(tr("The practice chain does not run; start it with `latchkey practice`."), code="NotRunning")
    return rpc


def _deploy_entry_point(rpc: Rpc) -> None:
    """The published package's creation code through the deterministic deployer: the canonical address follows."""
    creation = _entry_point_creation()
    sender = rpc("eth_accounts")[0]
    data = to_hex(ENTRY_POINT_SALT) + creation[2:]
    rpc.transact({"from": sender, "to": DETERMINISTIC_DEPLOYER, "data": data, "gas": hex(8_000_000)})
    if not hex_bytes(rpc("eth_getCode", ENTRY_POINT, "latest")):
        raise ChainError(tr("The EntryPoint could not be deployed; this anvil is of another kind than Latchkey knows."))


def _entry_point_creation() -> str:
    """From the npm package beside anvil's: it is under the GPL and not ours to ship."""
    try:
        artifact = json.loads(
            (CHECKOUT_MODULES / "@account-abstraction" / "contracts" / "artifacts" / "EntryPoint.json").read_bytes()
        )
        return str(artifact["bytecode"])
    except (OSError, ValueError, KeyError):
        raise ChainError(
            tr(
                "The practice chain needs the EntryPoint contract: the npm package @account-abstraction/contracts beside anvil's, "
                "or --clone-from with the address of a network that has it."
            )
        ) from None


def _place(rpc: Rpc, copied: Mapping[Address, bytes]) -> None:
    codes = {address: runtime(name) for address, name in WORLD.items()}
    codes |= dict(copied) or {p.address: runtime(p.stand_in) for p in PUBLISHED if p.stand_in}
    rpc.batch(("anvil_setCode", address, to_hex(code)) for address, code in codes.items())


def _deposit(rpc: Rpc) -> None:
    """The paymaster gets a deposit at the EntryPoint, to pay for everybody."""
    sender = rpc("eth_accounts")[9]
    data = to_hex(_DEPOSIT_TO + bytes(12) + PAYMASTER.raw)
    rpc.transact({"from": sender, "to": ENTRY_POINT, "value": hex(100 * ETHER), "data": data})


def _placed(rpc: Rpc, copied: Mapping[Address, bytes]) -> Iterator[Placed]:
    answers = rpc.batch(("eth_getCode", p.address, "latest") for p in PUBLISHED)
    for published, answer in zip(PUBLISHED, answers, strict=True):
        code = hex_bytes(answer)
        if not code:
            continue
        npm = published.address in (ENTRY_POINT, SENDER_CREATOR)
        source = Source.CLONE if published.address in copied else Source.NPM if npm else Source.STAND_IN
        yield Placed(published.name, published.address, to_hex(keccak(code)), source)
