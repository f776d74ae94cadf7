"""What stands where: the published addresses with the stand-in for each, and the things of the practice chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from latchkey.accounts.modular_account import addresses
from latchkey.core.types import Address, hex_bytes, keccak
from tests.devnet.compile import ARTIFACTS

#: Makes the accounts of operations with initCode; the EntryPoint's constructor deploys it.
SENDER_CREATOR = Address.parse("0xEFC2c1444eBCC4Db75e7613d20C6a62fF67A167C")
DETERMINISTIC_DEPLOYER = Address.parse("0x4e59b44847b379578588920cA78FbF26c0B4956C")
ENTRY_POINT_SALT = hex_bytes("0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3")


@dataclass(frozen=True, slots=True)
class Published:
    """`stand_in`: the artifact placed here without a network, "" for none. `needed`: a chain without it cannot be copied from."""

    name: str
    address: Address
    stand_in: str = ""
    needed: bool = True


PUBLISHED: tuple[Published, ...] = (
    Published("EntryPoint", addresses.ENTRY_POINT),
    Published("SenderCreator", SENDER_CREATOR),
    Published("AccountFactory", addresses.FACTORY, "Factory"),
    Published("SemiModularAccountBytecode", addresses.SEMI_MODULAR_ACCOUNT, "SemiModularAccountBytecode"),
    Published("ModularAccount", addresses.MODULAR_ACCOUNT, "ModularAccount"),
    Published("SemiModularAccount7702", addresses.SEMI_MODULAR_ACCOUNT_7702, "SemiModularAccount7702"),
    Published("SemiModularAccount7702 v1.1.0", addresses.SEMI_MODULAR_ACCOUNT_7702_V110, "SemiModularAccount7702", needed=False),
    Published("SemiModularAccountStorageOnly", addresses.SEMI_MODULAR_ACCOUNT_STORAGE_ONLY, needed=False),
    Published("ExecutionInstallDelegate", addresses.EXECUTION_INSTALL_DELEGATE, needed=False),
    Published("SingleSignerValidationModule", addresses.SINGLE_SIGNER, "SingleSigner"),
    Published("WebAuthnValidationModule", addresses.WEBAUTHN, needed=False),
    Published("AllowlistModule", addresses.ALLOWLIST, "Allowlist"),
    Published("AllowlistModule v2.0.0", addresses.ALLOWLIST_V200, "AllowlistSuperseded", needed=False),
    Published("NativeTokenLimitModule", addresses.NATIVE_TOKEN_LIMIT, "NativeTokenLimit"),
    Published("TimeRangeModule", addresses.TIME_RANGE, "TimeRange"),
    Published("PaymasterGuardModule", addresses.PAYMASTER_GUARD, "PaymasterGuard"),
)


def _own(name: str) -> Address:
    """An address nobody has a key for, the same in every run."""
    return Address.from_bytes(keccak(b"latchkey practice chain: " + name.encode())[12:])


DOLLAR = _own("TestDollar")
COIN = _own("TestCoin")
GAME = _own("TestGame")
COUNTER = _own("TestCounter")
NFT = _own("TestNft")
ROUTER = _own("TestRouter")
PAYMASTER = _own("TestPaymaster")
MODULE = _own("TestModule")
WALLET = _own("TestWallet")

WORLD: dict[Address, str] = {
    DOLLAR: "TestDollar",
    COIN: "TestCoin",
    GAME: "TestGame",
    COUNTER: "TestCounter",
    NFT: "TestNft",
    ROUTER: "TestRouter",
    PAYMASTER: "TestPaymaster",
    MODULE: "TestModule",
    WALLET: "TestWallet",
}


@cache
def artifact(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ARTIFACTS / f"{name}.json").read_text())
    return loaded


def runtime(name: str) -> bytes:
    return hex_bytes(artifact(name)["runtime"])
