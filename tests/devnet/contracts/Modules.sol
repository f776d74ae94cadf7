// SPDX-License-Identifier: MIT
// Test equipment of Latchkey: stand-ins, not the published contracts. Never deploy them where money is.
pragma solidity 0.8.30;

import "./Interfaces.sol";

abstract contract Module is IModule {
    error UnexpectedDataPassed();

    modifier noData(bytes calldata data) {
        if (data.length > 0) revert UnexpectedDataPassed();
        _;
    }

    function supportsInterface(bytes4 interfaceId) public pure virtual returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IModule).interfaceId;
    }
}

abstract contract ValidationHook is Module, IValidationHookModule {
    function supportsInterface(bytes4 interfaceId) public pure virtual override(Module, IERC165) returns (bool) {
        return interfaceId == type(IValidationHookModule).interfaceId || super.supportsInterface(interfaceId);
    }

    function preSignatureValidationHook(uint32, address, bytes32, bytes calldata) external pure {}
}

abstract contract ExecutionHook is Module, IExecutionHookModule {
    error NotImplemented();

    function supportsInterface(bytes4 interfaceId) public pure virtual override(Module, IERC165) returns (bool) {
        return interfaceId == type(IExecutionHookModule).interfaceId || super.supportsInterface(interfaceId);
    }

    function postExecutionHook(uint32, bytes calldata) external pure {
        revert NotImplemented();
    }

    /// What an execution hook is shown is the whole call: a wrapped operation carries the account's call in its callData.
    function _inner(bytes calldata data) internal pure returns (bytes calldata) {
        if (bytes4(data) != IAccountCalls.executeUserOp.selector) return data;
        data = data[4:];
        uint256 op = uint256(bytes32(data[:32]));
        uint256 place = op + uint256(bytes32(data[op + 96:op + 128]));
        uint256 length = uint256(bytes32(data[place:place + 32]));
        return data[place + 36:place + 32 + length];
    }
}

/// secp256k1 keys, or contracts that sign by ERC-1271, by entity id and account.
contract SingleSigner is Module, IValidationModule {
    mapping(uint32 entityId => mapping(address account => address)) public signers;

    event SignerTransferred(
        address indexed account, uint32 indexed entityId, address indexed newSigner, address previousSigner
    ) anonymous;

    error NotAuthorized();

    function moduleId() external pure returns (string memory) {
        return "latchkey.test-single-signer.1.0.0";
    }

    function supportsInterface(bytes4 interfaceId) public pure override(Module, IERC165) returns (bool) {
        return interfaceId == type(IValidationModule).interfaceId || super.supportsInterface(interfaceId);
    }

    function onInstall(bytes calldata data) external {
        (uint32 entityId, address signer) = abi.decode(data, (uint32, address));
        transferSigner(entityId, signer);
    }

    function onUninstall(bytes calldata data) external {
        transferSigner(abi.decode(data, (uint32)), address(0));
    }

    function transferSigner(uint32 entityId, address newSigner) public {
        emit SignerTransferred(msg.sender, entityId, newSigner, signers[entityId][msg.sender]);
        signers[entityId][msg.sender] = newSigner;
    }

    function validateUserOp(uint32 entityId, PackedUserOperation calldata op, bytes32 opHash) external view returns (uint256) {
        return isSignedBy(signers[entityId][op.sender], personalMessage(opHash), op.signature) ? 0 : 1;
    }

    function validateRuntime(address account, uint32 entityId, address sender, uint256, bytes calldata, bytes calldata)
        external
        view
    {
        if (sender != signers[entityId][account]) revert NotAuthorized();
    }

    function validateSignature(address account, uint32 entityId, address, bytes32 hash, bytes calldata signature)
        external
        view
        returns (bytes4)
    {
        bool signed = isSignedBy(signers[entityId][account], replaySafeHash(account, hash), signature);
        return signed ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    function replaySafeHash(address account, bytes32 hash) public view returns (bytes32) {
        bytes32 domainType = keccak256("EIP712Domain(uint256 chainId,address verifyingContract,bytes32 salt)");
        bytes32 domain = keccak256(abi.encode(domainType, block.chainid, address(this), account));
        return typedDataDigest(domain, keccak256(abi.encode(keccak256("ReplaySafeHash(bytes32 hash)"), hash)));
    }
}

/// Which contracts and functions may be called (validation hook), and how much of a token may leave (execution hook).
contract Allowlist is ValidationHook, ExecutionHook {
    struct AllowlistInput {
        address target; // 0: the selectors are allowed everywhere
        bool hasSelectorAllowlist;
        bool hasERC20SpendLimit;
        uint256 erc20SpendLimit;
        bytes4[] selectors;
    }

    struct Entry {
        bool allowed;
        bool hasSelectorAllowlist;
        bool hasERC20SpendLimit;
    }

    bytes4 private constant TRANSFER = bytes4(keccak256("transfer(address,uint256)"));
    bytes4 private constant APPROVE = bytes4(keccak256("approve(address,uint256)"));

    mapping(uint32 entityId => mapping(address target => mapping(address account => Entry))) public addressAllowlist;
    mapping(uint32 entityId => mapping(address token => mapping(address account => uint256))) public erc20SpendLimits;
    mapping(uint32 entityId => mapping(bytes4 selector => mapping(address target => mapping(address account => bool)))) public
        selectorAllowlist;

    event AddressAllowlistUpdated(uint32 indexed entityId, address indexed account, address indexed target, Entry entry);
    event ERC20SpendLimitUpdated(
        uint32 indexed entityId, address indexed account, address indexed token, uint256 newLimit
    );
    event SelectorAllowlistUpdated(
        uint32 indexed entityId, address indexed account, bytes24 indexed targetAndSelector, bool allowed
    );

    error AddressNotAllowed();
    error ERC20NotAllowed(address token);
    error ExceededTokenLimit();
    error InvalidCalldataLength();
    error NoSelectorSpecified();
    error SelectorNotAllowed();
    error SpendingRequestNotAllowed(bytes4 selector);

    function moduleId() external pure virtual returns (string memory) {
        return "latchkey.test-allowlist.1.0.1";
    }

    function supportsInterface(bytes4 interfaceId) public pure override(ValidationHook, ExecutionHook) returns (bool) {
        return super.supportsInterface(interfaceId);
    }

    function onInstall(bytes calldata data) external {
        (uint32 entityId, AllowlistInput[] memory inputs) = abi.decode(data, (uint32, AllowlistInput[]));
        updateAllowlist(entityId, inputs);
    }

    function onUninstall(bytes calldata data) external {
        (uint32 entityId, AllowlistInput[] memory inputs) = abi.decode(data, (uint32, AllowlistInput[]));
        deleteAllowlist(entityId, inputs);
    }

    // --- what the account may change about itself

    function updateAllowlist(uint32 entityId, AllowlistInput[] memory inputs) public {
        for (uint256 i = 0; i < inputs.length; ++i) {
            AllowlistInput memory input = inputs[i];
            if (input.target != address(0)) {
                setAddressAllowlist(entityId, input.target, true, input.hasSelectorAllowlist, input.hasERC20SpendLimit);
                _setLimit(entityId, input.target, input.erc20SpendLimit);
            }
            _setSelectors(entityId, input, true);
        }
    }

    function deleteAllowlist(uint32 entityId, AllowlistInput[] memory inputs) public {
        for (uint256 i = 0; i < inputs.length; ++i) {
            AllowlistInput memory input = inputs[i];
            if (input.target != address(0)) {
                setAddressAllowlist(entityId, input.target, false, false, false);
                _setLimit(entityId, input.target, 0);
            }
            _setSelectors(entityId, input, false);
        }
    }

    function setAddressAllowlist(
        uint32 entityId,
        address target,
        bool allowed,
        bool hasSelectorAllowlist,
        bool hasERC20SpendLimit
    ) public {
        Entry memory entry = Entry(allowed, hasSelectorAllowlist, hasERC20SpendLimit);
        addressAllowlist[entityId][target][msg.sender] = entry;
        emit AddressAllowlistUpdated(entityId, msg.sender, target, entry);
    }

    function setSelectorAllowlist(uint32 entityId, address target, bytes4 selector, bool allowed) public {
        selectorAllowlist[entityId][selector][target][msg.sender] = allowed;
        emit SelectorAllowlistUpdated(entityId, msg.sender, bytes24(abi.encodePacked(target, selector)), allowed);
    }

    function updateLimits(uint32 entityId, address token, bool hasERC20SpendLimit, uint256 newLimit) external {
        if (token == address(0)) revert ERC20NotAllowed(token);
        addressAllowlist[entityId][token][msg.sender].hasERC20SpendLimit = hasERC20SpendLimit;
        _setLimit(entityId, token, newLimit);
    }

    function _setLimit(uint32 entityId, address token, uint256 limit) private {
        erc20SpendLimits[entityId][token][msg.sender] = limit;
        emit ERC20SpendLimitUpdated(entityId, msg.sender, token, limit);
    }

    function _setSelectors(uint32 entityId, AllowlistInput memory input, bool allowed) private {
        if (input.target != address(0) && !input.hasSelectorAllowlist) return;
        for (uint256 i = 0; i < input.selectors.length; ++i) {
            setSelectorAllowlist(entityId, input.target, input.selectors[i], allowed);
        }
    }

    // --- validation hook: may these targets be called

    function preUserOpValidationHook(uint32 entityId, PackedUserOperation calldata op, bytes32)
        external
        view
        noData(op.signature)
        returns (uint256)
    {
        checkAllowlistCalldata(entityId, _looksInto(op.callData));
        return 0;
    }

    function preRuntimeValidationHook(uint32 entityId, address, uint256, bytes calldata data, bytes calldata) external view {
        checkAllowlistCalldata(entityId, data);
    }

    /// Calls other than execute and executeBatch are not looked at; neither is the value that goes with them.
    function checkAllowlistCalldata(uint32 entityId, bytes calldata data) public view {
        if (bytes4(data) == IAccountCalls.execute.selector) {
            (address target,, bytes memory inner) = abi.decode(data[4:], (address, uint256, bytes));
            _requireAllowed(entityId, target, inner);
        } else if (bytes4(data) == IAccountCalls.executeBatch.selector) {
            Call[] memory calls = abi.decode(data[4:], (Call[]));
            for (uint256 i = 0; i < calls.length; ++i) _requireAllowed(entityId, calls[i].target, calls[i].data);
        }
    }

    /// An operation's call stands behind the prefix that wraps it.
    function _looksInto(bytes calldata callData) internal pure virtual returns (bytes calldata) {
        return bytes4(callData) == IAccountCalls.executeUserOp.selector ? callData[4:] : callData;
    }

    function _requireAllowed(uint32 entityId, address target, bytes memory data) private view {
        Entry memory entry = addressAllowlist[entityId][target][msg.sender];
        bytes4 selector = bytes4(data);
        if (!entry.allowed) {
            if (!selectorAllowlist[entityId][selector][address(0)][msg.sender]) revert AddressNotAllowed();
        } else if (entry.hasSelectorAllowlist) {
            if (data.length < 4) revert NoSelectorSpecified();
            if (!selectorAllowlist[entityId][selector][target][msg.sender]) revert SelectorNotAllowed();
        }
    }

    // --- execution hook: how much of a token is left

    function preExecutionHook(uint32 entityId, address, uint256, bytes calldata data) external returns (bytes memory) {
        data = _inner(data);
        if (bytes4(data) == IAccountCalls.execute.selector) {
            (address target,, bytes memory inner) = abi.decode(data[4:], (address, uint256, bytes));
            _spend(entityId, target, inner);
        } else if (bytes4(data) == IAccountCalls.executeBatch.selector) {
            Call[] memory calls = abi.decode(data[4:], (Call[]));
            for (uint256 i = 0; i < calls.length; ++i) _spend(entityId, calls[i].target, calls[i].data);
        } else {
            revert SpendingRequestNotAllowed(bytes4(data));
        }
        return "";
    }

    function _spend(uint32 entityId, address token, bytes memory data) private {
        if (!addressAllowlist[entityId][token][msg.sender].hasERC20SpendLimit) return;
        if (data.length < 68) revert InvalidCalldataLength();
        if (bytes4(data) != TRANSFER && bytes4(data) != APPROVE) revert SelectorNotAllowed();
        uint256 amount;
        assembly ("memory-safe") {
            amount := mload(add(data, 68)) // length, selector, recipient
        }
        uint256 left = erc20SpendLimits[entityId][token][msg.sender];
        if (amount > left) revert ExceededTokenLimit();
        erc20SpendLimits[entityId][token][msg.sender] = left - amount;
    }
}

/// The superseded version: it does not see that a call is wrapped, and lets it pass whatever it is.
contract AllowlistSuperseded is Allowlist {
    function moduleId() external pure override returns (string memory) {
        return "latchkey.test-allowlist.1.0.0";
    }

    function _looksInto(bytes calldata callData) internal pure override returns (bytes calldata) {
        return callData;
    }
}

/// wei that may leave with calls (execution hook) or be promised for gas (validation hook).
contract NativeTokenLimit is ValidationHook, ExecutionHook {
    mapping(uint256 entityId => mapping(address account => uint256)) public limits;
    mapping(address paymaster => mapping(address account => bool)) public specialPaymasters;

    event NativeTokenSpendLimitUpdated(uint32 indexed entityId, address indexed account, uint256 newLimit);
    event SpecialPaymasterUpdated(address indexed account, address indexed paymaster, bool allowed);

    error ExceededNativeTokenLimit();
    error InvalidPaymaster();

    function moduleId() external pure returns (string memory) {
        return "latchkey.test-native-token-limit.1.0.0";
    }

    function supportsInterface(bytes4 interfaceId) public pure override(ValidationHook, ExecutionHook) returns (bool) {
        return super.supportsInterface(interfaceId);
    }

    function onInstall(bytes calldata data) external {
        (uint32 entityId, uint256 limit) = abi.decode(data, (uint32, uint256));
        limits[entityId][msg.sender] = limit;
    }

    function onUninstall(bytes calldata data) external {
        delete limits[abi.decode(data, (uint32))][msg.sender];
    }

    function updateLimits(uint32 entityId, uint256 newLimit) external {
        limits[entityId][msg.sender] = newLimit;
        emit NativeTokenSpendLimitUpdated(entityId, msg.sender, newLimit);
    }

    function updateSpecialPaymaster(address paymaster, bool allowed) external {
        specialPaymasters[paymaster][msg.sender] = allowed;
        emit SpecialPaymasterUpdated(msg.sender, paymaster, allowed);
    }

    /// Charges the declared limits, not what is used; nothing when somebody else pays.
    function preUserOpValidationHook(uint32 entityId, PackedUserOperation calldata op, bytes32)
        external
        noData(op.signature)
        returns (uint256)
    {
        uint256 gas = op.preVerificationGas + _high(op.accountGasLimits) + _low(op.accountGasLimits);
        if (op.paymasterAndData.length > 0) {
            address paymaster = address(bytes20(op.paymasterAndData[:20]));
            if (paymaster == address(0)) revert InvalidPaymaster();
            if (!specialPaymasters[paymaster][msg.sender]) return 0;
            bytes32 paymasterGas = bytes32(op.paymasterAndData[20:52]);
            gas += _high(paymasterGas) + _low(paymasterGas);
        }
        _spend(entityId, gas * _low(op.gasFees));
        return 0;
    }

    function preRuntimeValidationHook(uint32, address, uint256, bytes calldata, bytes calldata) external pure {}

    function preExecutionHook(uint32 entityId, address, uint256, bytes calldata data) external returns (bytes memory) {
        data = _inner(data);
        uint256 value;
        if (bytes4(data) == IAccountCalls.execute.selector) {
            (, value) = abi.decode(data[4:], (address, uint256));
        } else if (bytes4(data) == IAccountCalls.executeBatch.selector) {
            Call[] memory calls = abi.decode(data[4:], (Call[]));
            for (uint256 i = 0; i < calls.length; ++i) value += calls[i].value;
        } else if (bytes4(data) == IAccountCalls.performCreate.selector) {
            value = abi.decode(data[4:], (uint256));
        }
        _spend(entityId, value);
        return "";
    }

    function _spend(uint32 entityId, uint256 amount) private {
        uint256 left = limits[entityId][msg.sender];
        if (amount > left) revert ExceededNativeTokenLimit();
        limits[entityId][msg.sender] = left - amount;
    }

    function _high(bytes32 pair) private pure returns (uint256) {
        return uint256(pair) >> 128;
    }

    function _low(bytes32 pair) private pure returns (uint256) {
        return uint128(uint256(pair));
    }
}

/// From when until when, both ends included.
contract TimeRange is ValidationHook {
    struct Range {
        uint48 validUntil;
        uint48 validAfter;
    }

    mapping(uint32 entityId => mapping(address account => Range)) public timeRanges;

    event TimeRangeSet(uint32 indexed entityId, address indexed account, uint48 validUntil, uint48 validAfter);

    error TimeRangeNotValid();

    function moduleId() external pure returns (string memory) {
        return "latchkey.test-time-range.1.0.0";
    }

    function onInstall(bytes calldata data) external {
        (uint32 entityId, uint48 validUntil, uint48 validAfter) = abi.decode(data, (uint32, uint48, uint48));
        setTimeRange(entityId, validUntil, validAfter);
    }

    function onUninstall(bytes calldata data) external {
        delete timeRanges[abi.decode(data, (uint32))][msg.sender];
    }

    /// No end with a beginning means for ever.
    function setTimeRange(uint32 entityId, uint48 validUntil, uint48 validAfter) public {
        if (validUntil == 0 && validAfter > 0) validUntil = type(uint48).max;
        if (validUntil <= validAfter) revert TimeRangeNotValid();
        timeRanges[entityId][msg.sender] = Range(validUntil, validAfter);
        emit TimeRangeSet(entityId, msg.sender, validUntil, validAfter);
    }

    function preUserOpValidationHook(uint32 entityId, PackedUserOperation calldata op, bytes32)
        external
        view
        noData(op.signature)
        returns (uint256)
    {
        Range memory range = timeRanges[entityId][msg.sender];
        return uint256(range.validUntil) << 160 | uint256(range.validAfter) << 208;
    }

    function preRuntimeValidationHook(uint32 entityId, address, uint256, bytes calldata, bytes calldata) external view {
        Range memory range = timeRanges[entityId][msg.sender];
        if (block.timestamp < range.validAfter || block.timestamp > range.validUntil) revert TimeRangeNotValid();
    }
}

/// Only while one paymaster pays.
contract PaymasterGuard is ValidationHook {
    mapping(uint32 entityId => mapping(address account => address)) public paymasters;

    error BadPaymasterSpecified();
    error InvalidPaymaster();

    function moduleId() external pure returns (string memory) {
        return "latchkey.test-paymaster-guard.1.0.0";
    }

    function onInstall(bytes calldata data) external {
        (uint32 entityId, address paymaster) = abi.decode(data, (uint32, address));
        if (paymaster == address(0)) revert InvalidPaymaster();
        paymasters[entityId][msg.sender] = paymaster;
    }

    function onUninstall(bytes calldata data) external {
        delete paymasters[abi.decode(data, (uint32))][msg.sender];
    }

    function preUserOpValidationHook(uint32 entityId, PackedUserOperation calldata op, bytes32)
        external
        view
        noData(op.signature)
        returns (uint256)
    {
        address paymaster = address(bytes20(op.paymasterAndData[:20]));
        if (paymaster == address(0)) revert InvalidPaymaster();
        if (paymaster != paymasters[entityId][msg.sender]) revert BadPaymasterSpecified();
        return 0;
    }

    function preRuntimeValidationHook(uint32, address, uint256, bytes calldata, bytes calldata) external pure {}
}
