"""The contracts a Modular Account V2 leans on, and which of their functions decide what a session may do.

A table in code, like the networks: words and rules have to know these addresses (the same on every chain), whatever a sender says
about them. The account system has its own copy for building; a test holds the two together.
"""

from __future__ import annotations

from typing import Final

from latchkey.core.types import Address
from latchkey.language import tr

HALF: Final = 2**31 - 1  # added to a session's entity id where a module keeps a second counter or list for it

ENTRY_POINT: Final = Address.parse("0x0000000071727De22E5E9d8BAf0edAc6f37da032")
SINGLE_SIGNER: Final = Address.parse("0x00000000000099DE0BF6fA90dEB851E2A2df7d83")
WEBAUTHN: Final = Address.parse("0x0000000000001D9d34E07D9834274dF9ae575217")
ALLOWLIST: Final = Address.parse("0x00000000003e826473a313e600b5b9b791f5a59a")
ALLOWLIST_V200: Final = Address.parse("0x0000000000002311EEE9A2B887af1F144dbb4F6e")
NATIVE_TOKEN_LIMIT: Final = Address.parse("0x00000000000001e541f0D090868FBe24b59Fbe06")
TIME_RANGE: Final = Address.parse("0x00000000000082B8e2012be914dFA4f62A0573eA")
PAYMASTER_GUARD: Final = Address.parse("0x0000000000001aA7A7F7E29abe0be06c72FD42A1")

#: Modules that hold what binds a session; whoever may call one for the account may lift every limit.
MODULES: Final[dict[Address, str]] = {
    SINGLE_SIGNER: tr("the module that holds session keys"),
    WEBAUTHN: tr("the module that holds passkeys"),
    ALLOWLIST: tr("the module that holds lists of contracts and token limits"),
    ALLOWLIST_V200: tr("a superseded module for lists of contracts"),
    NATIVE_TOKEN_LIMIT: tr("the module that holds ETH and gas limits"),
    TIME_RANGE: tr("the module that holds expiry times"),
    PAYMASTER_GUARD: tr("the module that holds paymaster rules"),
}
_MACHINERY: Final[dict[str, str]] = {
    "0x00000000000017c61b5bEe81050EC8eFc9c6fecd": tr("the account factory"),
    "0x000000000000c5A9089039570Dd36455b5C07383": tr("an account implementation"),
    "0x0000000000006E2f9d80CaEc0Da6500f005EB25A": tr("an account implementation"),
    "0x00000000000002377B26b1EdA7b0BC371C60DD4f": tr("an account implementation"),
    "0x69007702764179f14F51cdce752f4f775d74E139": tr("an account implementation"),
    "0x77021100bD87b7008E5E1989d0eB38555d0d0000": tr("an account implementation"),
    "0x0000000000008e6a39E03C7156e46b238C9E2036": tr("the account's install delegate"),
}
MACHINERY: Final[dict[Address, str]] = {
    **MODULES,
    ENTRY_POINT: tr("the EntryPoint, which holds the account's gas deposit"),
    **{Address.parse(address): name for address, name in _MACHINERY.items()},
}

#: Functions of the modules, by selector: allowed on every contract, they reach the modules too.
LIMIT_FUNCTIONS: Final[dict[str, str]] = {
    "0x6d61fe70": "onInstall(bytes)",
    "0x8a91b0e3": "onUninstall(bytes)",
    "0x2a3d428c": "preUserOpValidationHook(uint32,(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes),bytes32)",
    "0xed6dfb13": "preExecutionHook(uint32,address,uint256,bytes)",
    "0x4aeb3b03": "transferSigner(uint32,address)",
    "0xa6910bf5": "transferSigner(uint32,uint256,uint256)",
    "0x4380c278": "updateLimits(uint32,address,bool,uint256)",
    "0x798053f1": "updateAllowlist(uint32,(address,bool,bool,uint256,bytes4[])[])",
    "0xc67151f6": "deleteAllowlist(uint32,(address,bool,bool,uint256,bytes4[])[])",
    "0xb883dde7": "setAddressAllowlist(uint32,address,bool,bool)",
    "0x77a04242": "setAddressAllowlist(uint32,address,bool,bool,bool)",
    "0xe1ded0b0": "setSelectorAllowlist(uint32,address,bytes4,bool)",
    "0x71280be3": "updateLimits(uint32,uint256)",
    "0x5c6e5169": "updateSpecialPaymaster(address,bool)",
    "0xe762c77c": "setTimeRange(uint32,uint48,uint48)",
}
#: Functions of the EntryPoint: the gas deposit, the stake, and the nonces that keep grants alive or dead.
ENTRY_POINT_FUNCTIONS: Final[dict[str, str]] = {
    "0xb760faf9": "depositTo(address)",
    "0x205c2878": "withdrawTo(address,uint256)",
    "0x0bd28e3b": "incrementNonce(uint192)",
    "0x0396cb60": "addStake(uint32)",
    "0xbb9fe6bf": "unlockStake()",
    "0xc23a5cea": "withdrawStake(address)",
    "0x765e827f": "handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address)",
    "0xdbed18e0": "handleAggregatedOps(((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address,bytes)[],address)",
}
#: Functions of the account that hand it over or let keys in.
TAKEOVER_FUNCTIONS: Final[dict[str, str]] = {
    "0xb61d27f6": "execute(address,uint256,bytes)",
    "0x34fcd5be": "executeBatch((address,uint256,bytes)[])",
    "0x5998db5c": "performCreate(uint256,bytes,bool,bytes32)",
    "0xf2680c0f": "executeWithRuntimeValidation(bytes,bytes)",
    "0x1bbf564c": "installValidation(bytes25,bytes4[],bytes,bytes[])",
    "0xb6b1ccfe": "uninstallValidation(bytes24,bytes,bytes[])",
    "0x4f1ef286": "upgradeToAndCall(address,bytes)",
    "0x001a63e9": "installExecution(address,((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[]),bytes)",
    "0x93b1dc61": "uninstallExecution(address,((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[]),bytes)",
    "0x30009d52": "updateFallbackSignerData(address,bool)",
    "0x8dd7712f": "executeUserOp((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes),bytes32)",
}
