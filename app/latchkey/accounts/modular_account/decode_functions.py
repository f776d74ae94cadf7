"""Which functions a call may name: of the account itself, of the modules and the EntryPoint, and of any ERC-20 token.

Written from the protocol text for the decoder alone; the builder has its own numbers, so that a slip in either is found.
"""

from __future__ import annotations

from typing import Final

# Modules, Modular Account v2.0.0 (allowlist: 2.0.1). Same addresses on every chain.
SINGLE_SIGNER: Final = bytes.fromhex("00000000000099de0bf6fa90deb851e2a2df7d83")
WEBAUTHN: Final = bytes.fromhex("0000000000001d9d34e07d9834274df9ae575217")
ALLOWLIST: Final = bytes.fromhex("00000000003e826473a313e600b5b9b791f5a59a")
ALLOWLIST_2_0_0: Final = bytes.fromhex("0000000000002311eee9a2b887af1f144dbb4f6e")
NATIVE_LIMIT: Final = bytes.fromhex("00000000000001e541f0d090868fbe24b59fbe06")
TIME_RANGE: Final = bytes.fromhex("00000000000082b8e2012be914dfa4f62a0573ea")
PAYMASTER_GUARD: Final = bytes.fromhex("0000000000001aa7a7f7e29abe0be06c72fd42a1")
ENTRY_POINT: Final = bytes.fromhex("0000000071727de22e5e9d8baf0edac6f37da032")

INSTALL_VALIDATION: Final = bytes.fromhex("1bbf564c")
UNINSTALL_VALIDATION: Final = bytes.fromhex("b6b1ccfe")
EXECUTE: Final = bytes.fromhex("b61d27f6")
EXECUTE_BATCH: Final = bytes.fromhex("34fcd5be")
EXECUTE_USER_OP: Final = bytes.fromhex("8dd7712f")
EXECUTE_WITH_RUNTIME_VALIDATION: Final = bytes.fromhex("f2680c0f")
TRANSFER: Final = bytes.fromhex("a9059cbb")
APPROVE: Final = bytes.fromhex("095ea7b3")
ON_UNINSTALL: Final = bytes.fromhex("8a91b0e3")

_MANIFEST: Final = (
    "((bytes4 executionSelector,bool skipRuntimeValidation,bool allowGlobalValidation)[] executionFunctions,"
    "(bytes4 executionSelector,uint32 entityId,bool isPreHook,bool isPostHook)[] executionHooks,bytes4[] interfaceIds) manifest"
)
USER_OP: Final = (
    "(address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,"
    "bytes32 gasFees,bytes paymasterAndData,bytes signature) userOp"
)
ALLOWLIST_INPUTS: Final = (
    "(address target,bool hasSelectorAllowlist,bool hasERC20SpendLimit,uint256 erc20SpendLimit,bytes4[] selectors)[] inputs"
)

ACCOUNT_FUNCTIONS: Final[dict[bytes, str]] = {
    INSTALL_VALIDATION: "installValidation(bytes25 validationConfig,bytes4[] selectors,bytes installData,bytes[] hooks)",
    UNINSTALL_VALIDATION: "uninstallValidation(bytes24 validationFunction,bytes uninstallData,bytes[] hookUninstallData)",
    EXECUTE: "execute(address target,uint256 value,bytes data)",
    EXECUTE_BATCH: "executeBatch((address target,uint256 value,bytes data)[] calls)",
    EXECUTE_USER_OP: f"executeUserOp({USER_OP},bytes32 userOpHash)",
    EXECUTE_WITH_RUNTIME_VALIDATION: "executeWithRuntimeValidation(bytes data,bytes authorization)",
    bytes.fromhex("001a63e9"): f"installExecution(address module,{_MANIFEST},bytes moduleInstallData)",
    bytes.fromhex("93b1dc61"): f"uninstallExecution(address module,{_MANIFEST},bytes moduleUninstallData)",
    bytes.fromhex("5998db5c"): "performCreate(uint256 value,bytes initCode,bool isCreate2,bytes32 salt)",
    bytes.fromhex("4f1ef286"): "upgradeToAndCall(address newImplementation,bytes data)",
    bytes.fromhex("30009d52"): "updateFallbackSignerData(address fallbackSigner,bool isDisabled)",
}

_ANY_MODULE: Final[dict[bytes, str]] = {
    bytes.fromhex("6d61fe70"): "onInstall(bytes data)",
    ON_UNINSTALL: "onUninstall(bytes data)",
}
_ALLOWLIST_FUNCTIONS: Final[dict[bytes, str]] = _ANY_MODULE | {
    bytes.fromhex("4380c278"): "updateLimits(uint32 entityId,address token,bool hasERC20SpendLimit,uint256 newLimit)",
    bytes.fromhex("798053f1"): f"updateAllowlist(uint32 entityId,{ALLOWLIST_INPUTS})",
    bytes.fromhex("c67151f6"): f"deleteAllowlist(uint32 entityId,{ALLOWLIST_INPUTS})",
    bytes.fromhex("77a04242"): (
        "setAddressAllowlist(uint32 entityId,address target,bool allowed,bool hasSelectorAllowlist,bool hasERC20SpendLimit)"
    ),
    bytes.fromhex("e1ded0b0"): "setSelectorAllowlist(uint32 entityId,address target,bytes4 selector,bool allowed)",
}

KNOWN_CONTRACTS: Final[dict[bytes, dict[bytes, str]]] = {
    ALLOWLIST: _ALLOWLIST_FUNCTIONS,
    ALLOWLIST_2_0_0: _ALLOWLIST_FUNCTIONS,
    NATIVE_LIMIT: _ANY_MODULE
    | {
        bytes.fromhex("71280be3"): "updateLimits(uint32 entityId,uint256 newLimit)",
        bytes.fromhex("5c6e5169"): "updateSpecialPaymaster(address paymaster,bool allowed)",
    },
    TIME_RANGE: _ANY_MODULE | {bytes.fromhex("e762c77c"): "setTimeRange(uint32 entityId,uint48 validUntil,uint48 validAfter)"},
    SINGLE_SIGNER: _ANY_MODULE | {bytes.fromhex("4aeb3b03"): "transferSigner(uint32 entityId,address newSigner)"},
    WEBAUTHN: _ANY_MODULE | {bytes.fromhex("a6910bf5"): "transferSigner(uint32 entityId,uint256 x,uint256 y)"},
    PAYMASTER_GUARD: _ANY_MODULE,
    ENTRY_POINT: {
        bytes.fromhex("0bd28e3b"): "incrementNonce(uint192 key)",
        bytes.fromhex("b760faf9"): "depositTo(address account)",
        bytes.fromhex("205c2878"): "withdrawTo(address withdrawAddress,uint256 withdrawAmount)",
        bytes.fromhex("0396cb60"): "addStake(uint32 unstakeDelaySec)",
        bytes.fromhex("bb9fe6bf"): "unlockStake()",
        bytes.fromhex("c23a5cea"): "withdrawStake(address withdrawAddress)",
    },
}

TOKEN_FUNCTIONS: Final[dict[bytes, str]] = {
    TRANSFER: "transfer(address to,uint256 amount)",
    APPROVE: "approve(address spender,uint256 amount)",
    bytes.fromhex("23b872dd"): "transferFrom(address from,address to,uint256 amount)",
    bytes.fromhex("39509351"): "increaseAllowance(address spender,uint256 addedValue)",
    bytes.fromhex("a457c2d7"): "decreaseAllowance(address spender,uint256 subtractedValue)",
}
