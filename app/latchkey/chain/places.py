"""What stands where: the published addresses with the stand-in for each, and the things of the practice chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from latchkey.accounts.modular_account import addresses
from latchkey.core.types import Address, hex_bytes, keccak
from latchkey.shipped import resource

#: Makes the accounts of operations with initCode; the EntryPoint's constructor deploys it.
SENDER_CREATOR = Address.parse("0xEFC2c1444eBCC4Db75e7613d20C6a62fF67A167C")
DETERMINISTIC_DEPLOYER = Address.parse("0x4e59b44847b379578588920cA78FbF26c0B4956C")
ENTRY_POINT_SALT = hex_bytes("0x90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3")


@dataclass(frozen=True, slots=True)
class Published:
    """`code_hash`: keccak-256 of the published runtime code, the same on every chain: these contracts were deployed by CREATE2, so
    their addresses vouch for their creation code, and their constructors look at nothing of the chain.
    `stand_in`: the artifact placed here without a network, "" for none. `needed`: a chain without it cannot be copied from.
    """

    name: str
    address: Address
    code_hash: str
    stand_in: str = ""
    needed: bool = True


PUBLISHED: tuple[Published, ...] = (
    Published(
        "EntryPoint",
        addresses.ENTRY_POINT,
        "0x8db5ff695839d655407cc8490bb7a5d82337a86a6b39c3f0258aa6c3b582fc58",
    ),
    Published(
        "SenderCreator",
        SENDER_CREATOR,
        "0x283c9d14378f5f4c4e24045b87d621d48443fa5b4af7dd7180a599b3756a7689",
    ),
    Published(
        "AccountFactory",
        addresses.FACTORY,
        "0xd797dac2d304de879abba3ed87b60f9f141b2da869c3ce24c037feb5c5d60342",
        "Factory",
    ),
    Published(
        "SemiModularAccountBytecode",
        addresses.SEMI_MODULAR_ACCOUNT,
        "0x3612f3fa5ac5e89b87b284024977e6082441e30ff05f9f8497cd280131a27e16",
        "SemiModularAccountBytecode",
    ),
    Published(
        "ModularAccount",
        addresses.MODULAR_ACCOUNT,
        "0xe2faef06b17414c2025148d5daba1ad64f44b416e3d5bd1db8123b9f82fff05d",
        "ModularAccount",
    ),
    Published(
        "SemiModularAccount7702",
        addresses.SEMI_MODULAR_ACCOUNT_7702,
        "0xecfc0328ce4d953a4d452e11f54b578fa2d7f2f8126246d1120ca24d11845081",
        "SemiModularAccount7702",
    ),
    Published(
        "SemiModularAccount7702 v1.1.0",
        addresses.SEMI_MODULAR_ACCOUNT_7702_V110,
        "0x46fc4ecb190e16f7734d2ebe8f7e1d616a1b07c5e7cf1fc5c47dbb4e7c1a7ee0",
        "SemiModularAccount7702",
        needed=False,
    ),
    Published(
        "SemiModularAccountStorageOnly",
        addresses.SEMI_MODULAR_ACCOUNT_STORAGE_ONLY,
        "0x23af04914266be79d89d53e9ac6edf58c86fc8e62c9ba04ba229aae6e0ea79d4",
        needed=False,
    ),
    Published(
        "ExecutionInstallDelegate",
        addresses.EXECUTION_INSTALL_DELEGATE,
        "0x6d0ed18afcac84e247568f0213b74eca7c8c749ebe047d50e6c12be8122656b6",
        needed=False,
    ),
    Published(
        "SingleSignerValidationModule",
        addresses.SINGLE_SIGNER,
        "0x5c897ee551f50db31556c976e99742529a4b512d928db01829f15fd073e2d8ea",
        "SingleSigner",
    ),
    Published(
        "WebAuthnValidationModule",
        addresses.WEBAUTHN,
        "0xafcf634d288e52bb75127155a4d9bc94723668b4917f6fddc7ba66a4b70074e4",
        needed=False,
    ),
    Published(
        "AllowlistModule",
        addresses.ALLOWLIST,
        "0xef299f31bc7fdbfad47e69dec2c3f3b80c8f4223fab5baf21565c2f92f435bfd",
        "Allowlist",
    ),
    Published(
        "AllowlistModule v2.0.0",
        addresses.ALLOWLIST_V200,
        "0xaaae91afb75923f1a78282e910a01f170ce5daf5d18694dcc9093e050726da9e",
        "AllowlistSuperseded",
        needed=False,
    ),
    Published(
        "NativeTokenLimitModule",
        addresses.NATIVE_TOKEN_LIMIT,
        "0xf732e93b64bdc8393325b028480b86811f8feef87e6932fd745a85280c93fa41",
        "NativeTokenLimit",
    ),
    Published(
        "TimeRangeModule",
        addresses.TIME_RANGE,
        "0x9843dca9c23d7da2dc2d7413faee67101bfce30a2a8cc8c6c6255e84c5c79f31",
        "TimeRange",
    ),
    Published(
        "PaymasterGuardModule",
        addresses.PAYMASTER_GUARD,
        "0x4bfc1932168590333b58184419ab29a8931398e2d8549c79df4a1ad6b00c3093",
        "PaymasterGuard",
    ),
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
EXCHANGE = _own("TestExchange")
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
    EXCHANGE: "TestExchange",
    PAYMASTER: "TestPaymaster",
    MODULE: "TestModule",
    WALLET: "TestWallet",
}


@cache
def artifact(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(resource(f"practice/contracts/{name}.json").read_text())
    return loaded


def runtime(name: str) -> bytes:
    return hex_bytes(artifact(name)["runtime"])
