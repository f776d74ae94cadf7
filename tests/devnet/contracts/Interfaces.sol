// SPDX-License-Identifier: MIT
// Test equipment of Latchkey: a stand-in, not the published contract. Never deploy it where money is.
pragma solidity 0.8.30;

address constant ENTRY_POINT = 0x0000000071727De22E5E9d8BAf0edAc6f37da032;
address constant SINGLE_SIGNER = 0x00000000000099DE0BF6fA90dEB851E2A2df7d83;
address constant SEMI_MODULAR_ACCOUNT = 0x000000000000c5A9089039570Dd36455b5C07383;
address constant MODULAR_ACCOUNT = 0x00000000000002377B26b1EdA7b0BC371C60DD4f;

struct PackedUserOperation {
    address sender;
    uint256 nonce;
    bytes initCode;
    bytes callData;
    bytes32 accountGasLimits; // verification gas limit (16) || call gas limit (16)
    uint256 preVerificationGas;
    bytes32 gasFees; // max priority fee (16) || max fee (16)
    bytes paymasterAndData;
    bytes signature;
}

struct Call {
    address target;
    uint256 value;
    bytes data;
}

interface IERC165 {
    function supportsInterface(bytes4 interfaceId) external view returns (bool);
}

interface IModule is IERC165 {
    function onInstall(bytes calldata data) external;
    function onUninstall(bytes calldata data) external;
    function moduleId() external view returns (string memory);
}

interface IValidationModule is IModule {
    function validateUserOp(uint32 entityId, PackedUserOperation calldata op, bytes32 opHash) external returns (uint256);
    function validateRuntime(
        address account,
        uint32 entityId,
        address sender,
        uint256 value,
        bytes calldata data,
        bytes calldata authorization
    ) external;
    function validateSignature(address account, uint32 entityId, address sender, bytes32 hash, bytes calldata signature)
        external
        view
        returns (bytes4);
}

interface IValidationHookModule is IModule {
    function preUserOpValidationHook(uint32 entityId, PackedUserOperation calldata op, bytes32 opHash)
        external
        returns (uint256);
    function preRuntimeValidationHook(
        uint32 entityId,
        address sender,
        uint256 value,
        bytes calldata data,
        bytes calldata authorization
    ) external;
    function preSignatureValidationHook(uint32 entityId, address sender, bytes32 hash, bytes calldata signature)
        external
        view;
}

interface IExecutionHookModule is IModule {
    function preExecutionHook(uint32 entityId, address sender, uint256 value, bytes calldata data)
        external
        returns (bytes memory);
    function postExecutionHook(uint32 entityId, bytes calldata preExecHookData) external;
}

interface IERC1271 {
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4);
}

/// The functions a session's calls arrive in, and the prefix that wraps them when the validation has execution hooks.
interface IAccountCalls {
    function execute(address target, uint256 value, bytes calldata data) external payable returns (bytes memory);
    function executeBatch(Call[] calldata calls) external payable returns (bytes[] memory);
    function performCreate(uint256 value, bytes calldata initCode, bool isCreate2, bytes32 salt)
        external
        payable
        returns (address);
    function executeUserOp(PackedUserOperation calldata op, bytes32 opHash) external;
}

enum SignatureType {
    EOA,
    CONTRACT_OWNER
}

error InvalidSignatureType();

/// Whether `signature`, a type byte and what belongs to that type, is `signer`'s over `digest`. An unknown type panics.
function isSignedBy(address signer, bytes32 digest, bytes calldata signature) view returns (bool) {
    if (signature.length == 0) revert InvalidSignatureType();
    SignatureType kind = SignatureType(uint8(signature[0]));
    signature = signature[1:];
    if (kind == SignatureType.EOA) return signer != address(0) && recover(digest, signature) == signer;
    (bool answered, bytes memory answer) = signer.staticcall(abi.encodeCall(IERC1271.isValidSignature, (digest, signature)));
    return answered && answer.length >= 32 && abi.decode(answer, (bytes32)) == bytes32(IERC1271.isValidSignature.selector);
}

/// The key that made r || s || v, or 0: wrong length, malleable (high s), or no key at all.
function recover(bytes32 digest, bytes calldata signature) pure returns (address) {
    if (signature.length != 65) return address(0);
    bytes32 s = bytes32(signature[32:64]);
    if (uint256(s) > 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0) return address(0);
    return ecrecover(digest, uint8(signature[64]), bytes32(signature[:32]), s);
}

/// EIP-191 over a 32-byte hash.
function personalMessage(bytes32 hash) pure returns (bytes32) {
    return keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", hash));
}

function typedDataDigest(bytes32 domain, bytes32 structHash) pure returns (bytes32) {
    return keccak256(abi.encodePacked(hex"1901", domain, structHash));
}
