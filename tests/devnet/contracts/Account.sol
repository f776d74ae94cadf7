// SPDX-License-Identifier: MIT
// Test equipment of Latchkey: a stand-in, not the published contract. Never deploy it where money is.
pragma solidity 0.8.30;

import "./Interfaces.sol";

struct ManifestExecutionFunction {
    bytes4 executionSelector;
    bool skipRuntimeValidation;
    bool allowGlobalValidation;
}

struct ManifestExecutionHook {
    bytes4 executionSelector;
    uint32 entityId;
    bool isPreHook;
    bool isPostHook;
}

struct ExecutionManifest {
    ManifestExecutionFunction[] executionFunctions;
    ManifestExecutionHook[] executionHooks;
    bytes4[] interfaceIds;
}

struct ValidationDataView {
    uint8 validationFlags;
    bytes25[] validationHooks;
    bytes25[] executionHooks;
    bytes4[] selectors;
}

struct ExecutionDataView {
    address module;
    bool skipRuntimeValidation;
    bool allowGlobalValidation;
    bytes25[] executionHooks;
}

/// What all variants share: validations with their hooks, deferred actions, runtime validation, execution.
/// A validation is found by a key: its entity id, or for a direct call the caller's address with `DIRECT` set.
abstract contract Account is IAccountCalls {
    struct Validation {
        address module;
        uint8 flags;
        bytes25[] validationHooks; // module || entity id || flags, in install order
        bytes25[] executionHooks;
        bytes4[] selectors;
    }

    struct Execution {
        address module;
        bool open;
        bool allowGlobal;
    }

    /// Execution hooks that ran before a call, and what each wants to be told after it.
    struct Ran {
        bytes25[] hooks;
        bytes[] kept;
    }

    struct AccountStorage {
        bool initialized;
        mapping(uint256 key => Validation) validations;
        mapping(bytes4 selector => Execution) executions;
        mapping(bytes4 interfaceId => uint256) interfaces;
    }

    uint8 internal constant USER_OP = 1;
    uint8 internal constant SIGNATURE = 2;
    uint8 internal constant GLOBAL = 4;
    uint8 internal constant VALIDATION_HOOK = 1;
    uint8 internal constant POST_HOOK = 2;
    uint8 internal constant PRE_HOOK = 4;
    uint8 internal constant OPTION_GLOBAL = 1;
    uint8 internal constant OPTION_DEFERRED = 2;
    uint8 internal constant OPTION_DIRECT = 4;
    uint256 internal constant DIRECT = 1 << 192;
    uint32 internal constant DIRECT_ENTITY = type(uint32).max;
    uint256 internal constant MAX_HOOKS = type(uint8).max;

    bytes32 internal constant DOMAIN_TYPE = keccak256("EIP712Domain(uint256 chainId,address verifyingContract)");
    bytes32 internal constant DEFERRED_TYPE = keccak256("DeferredAction(uint256 nonce,uint48 deadline,bytes call)");
    bytes32 internal constant REPLAY_SAFE_TYPE = keccak256("ReplaySafeHash(bytes32 hash)");
    bytes32 internal constant IMPLEMENTATION_SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    bytes32 private constant STORAGE_SLOT = keccak256("latchkey.test.account");
    bytes4 internal constant NOT_SIGNED = 0xffffffff;

    event ValidationInstalled(address indexed module, uint32 indexed entityId);
    event ValidationUninstalled(address indexed module, uint32 indexed entityId, bool onUninstallSucceeded);
    event ExecutionInstalled(address indexed module, ExecutionManifest manifest);
    event ExecutionUninstalled(address indexed module, bool onUninstallSucceeded, ExecutionManifest manifest);
    event Initialized(uint64 version);
    event Upgraded(address indexed implementation);

    error ArrayLengthMismatch();
    error CreateFailed();
    error DeferredActionSignatureInvalid();
    error DeferredValidationHasValidationHooks();
    error ExecutionFunctionAlreadySet(bytes4 selector);
    error ExecutionHookAlreadySet(bytes25 hookConfig);
    error InterfaceNotSupported(address module);
    error InvalidInitialization();
    error ModuleInstallCallbackFailed(address module, bytes revertReason);
    error NonCanonicalEncoding();
    error NotEntryPoint();
    error NullModule();
    error PostExecHookReverted(bytes24 moduleEntity, bytes revertReason);
    error PreExecHookReverted(bytes24 moduleEntity, bytes revertReason);
    error PreRuntimeValidationHookReverted(bytes24 moduleEntity, bytes revertReason);
    error PreSignatureValidationHookReverted(bytes24 moduleEntity, bytes revertReason);
    error PreUserOpValidationHookReverted(bytes24 moduleEntity, bytes revertReason);
    error PreValidationHookDuplicate();
    error RequireUserOperationContext();
    error RuntimeValidationFunctionReverted(bytes24 moduleEntity, bytes revertReason);
    error SegmentOutOfOrder();
    error SelfCallRecursionDepthExceeded();
    error SignatureValidationInvalid(bytes24 validationFunction);
    error UnauthorizedCallContext();
    error UnexpectedAggregator(bytes24 validationFunction, address aggregator);
    error UnrecognizedFunction(bytes4 selector);
    error UpgradeFailed();
    error UserOpValidationFunctionReverted(bytes24 moduleEntity, bytes revertReason);
    error UserOpValidationInvalid(bytes24 validationFunction);
    error ValidationAlreadySet(bytes4 selector, bytes24 validationFunction);
    error ValidationAssocHookLimitExceeded();
    error ValidationEntityIdInUse();
    error ValidationFunctionMissing(bytes4 selector);
    error ValidationSignatureSegmentMissing();

    /// Lets in the EntryPoint and the account itself, for whom validation has happened, and callers with a direct-call validation.
    modifier validated() {
        Ran memory ran = _enter();
        _;
        _leave(ran);
    }

    modifier once() {
        if (_store().initialized) revert InvalidInitialization();
        _store().initialized = true;
        _;
        emit Initialized(1);
    }

    receive() external payable {}

    fallback(bytes calldata data) external payable returns (bytes memory) {
        Execution storage execution = _store().executions[msg.sig];
        if (execution.module == address(0)) revert UnrecognizedFunction(msg.sig);
        Ran memory ran;
        if (!execution.open) ran = _enter();
        bytes memory answer = _call(execution.module, 0, data);
        _leave(ran);
        return answer;
    }

    // --- views

    function accountId() external pure virtual returns (string memory);

    function entryPoint() external pure returns (address) {
        return ENTRY_POINT;
    }

    /// The address in front of the entity id is not looked at.
    function getValidationData(bytes24 validationFunction) external view returns (ValidationDataView memory) {
        Validation storage v = _store().validations[_keyOf(address(bytes20(validationFunction)), _entityOf(validationFunction))];
        return ValidationDataView(v.flags, v.validationHooks, v.executionHooks, v.selectors);
    }

    function getExecutionData(bytes4 selector) external view returns (ExecutionDataView memory) {
        if (_isNative(selector)) return ExecutionDataView(address(this), false, true, new bytes25[](0));
        Execution storage e = _store().executions[selector];
        return ExecutionDataView(e.module, e.open, e.allowGlobal, new bytes25[](0));
    }

    function supportsInterface(bytes4 interfaceId) external view returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == this.onERC721Received.selector
            || interfaceId == this.onERC1155Received.selector ^ this.onERC1155BatchReceived.selector
            || _store().interfaces[interfaceId] > 0;
    }

    function onERC721Received(address, address, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC721Received.selector;
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }

    function onERC1155BatchReceived(address, address, uint256[] calldata, uint256[] calldata, bytes calldata)
        external
        pure
        returns (bytes4)
    {
        return this.onERC1155BatchReceived.selector;
    }

    /// signature = options (1) || entity id (4) || segments. Only validations with the signature flag may sign.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        (uint256 key,, bytes calldata rest) = _located(signature);
        bytes25[] storage hooks = _store().validations[key].validationHooks;
        for (uint256 i = 0; i < hooks.length; ++i) {
            bytes calldata segment;
            (segment, rest) = _segment(rest, i);
            bytes25 hook = hooks[i];
            try IValidationHookModule(_moduleOf(hook)).preSignatureValidationHook(
                _entityOf(bytes24(hook)), msg.sender, hash, segment
            ) {} catch (bytes memory reason) {
                revert PreSignatureValidationHookReverted(bytes24(hook), reason);
            }
        }
        return _checkSignature(key, hash, _finalSegment(rest)) ? IERC1271.isValidSignature.selector : NOT_SIGNED;
    }

    // --- user operations

    function validateUserOp(PackedUserOperation calldata op, bytes32 opHash, uint256 missingAccountFunds)
        external
        returns (uint256 result)
    {
        if (msg.sender != ENTRY_POINT) revert NotEntryPoint();
        uint8 options = uint8(op.nonce >> 64);
        uint256 key = _located(options, op.nonce >> 72);
        bytes calldata signature = op.signature;
        uint48 deadline;
        if (options & OPTION_DEFERRED != 0) (deadline, signature) = _runDeferredAction(op.nonce, signature);

        _requireApplies(op.callData, key, options & OPTION_GLOBAL != 0, options & OPTION_GLOBAL == 0);
        bool hasExecutionHooks = _store().validations[key].executionHooks.length > 0;
        if (hasExecutionHooks && bytes4(op.callData) != this.executeUserOp.selector) revert RequireUserOperationContext();

        result = _narrowed(uint256(deadline) << 160, _validateUserOp(op, opHash, key, signature));
        if (missingAccountFunds > 0) {
            (bool paid,) = msg.sender.call{value: missingAccountFunds}("");
            (paid); // the EntryPoint checks for itself
        }
    }

    /// Runs the action that stands in front of the operation's own signature, if its signer agreed to it for this very nonce.
    function _runDeferredAction(uint256 nonce, bytes calldata signature) private returns (uint48 deadline, bytes calldata rest) {
        bytes calldata action;
        (action, rest) = _lengthPrefixed(signature);
        (signature, rest) = _lengthPrefixed(rest);

        uint168 locator = uint168(bytes21(action[:21]));
        deadline = uint48(bytes6(action[21:27]));
        action = action[27:];
        uint256 key = _located(uint8(locator), locator >> 8);
        bool isGlobal = uint8(locator) & OPTION_GLOBAL != 0;
        _requireApplies(action, key, isGlobal, !isGlobal);
        if (_store().validations[key].validationHooks.length > 0) revert DeferredValidationHasValidationHooks();

        bytes32 structHash = keccak256(abi.encode(DEFERRED_TYPE, nonce, deadline, keccak256(action)));
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, block.chainid, address(this)));
        if (!_checkDeferred(key, typedDataDigest(domain, structHash), signature)) revert DeferredActionSignatureInvalid();
        Ran memory ran = _runExecutionHooks(_store().validations[key].executionHooks, action);
        _call(address(this), 0, action);
        _leave(ran);
    }

    function _validateUserOp(PackedUserOperation calldata op, bytes32 opHash, uint256 key, bytes calldata signature)
        private
        returns (uint256 result)
    {
        PackedUserOperation memory shown = op;
        bytes25[] memory hooks = _store().validations[key].validationHooks;
        for (uint256 i = 0; i < hooks.length; ++i) {
            (shown.signature, signature) = _segment(signature, i);
            bytes24 hook = bytes24(hooks[i]);
            try IValidationHookModule(_moduleOf(hooks[i])).preUserOpValidationHook(_entityOf(hook), shown, opHash) returns (
                uint256 said
            ) {
                if (uint160(said) > 1) revert UnexpectedAggregator(hook, address(uint160(said)));
                result = _narrowed(result, said);
            } catch (bytes memory reason) {
                revert PreUserOpValidationHookReverted(hook, reason);
            }
        }
        signature = _finalSegment(signature);
        shown.signature = signature;
        result = _narrowed(result, _checkUserOp(key, shown, opHash, signature));
    }

    /// The call inside, after the execution hooks of the validation that the operation was validated with.
    function executeUserOp(PackedUserOperation calldata op, bytes32) external {
        if (msg.sender != ENTRY_POINT) revert NotEntryPoint();
        uint256 key = _located(uint8(op.nonce >> 64), op.nonce >> 72);
        Ran memory ran = _runExecutionHooks(_store().validations[key].executionHooks, msg.data);
        _call(address(this), 0, op.callData[4:]);
        _leave(ran);
    }

    // --- transactions

    function executeWithRuntimeValidation(bytes calldata data, bytes calldata authorization)
        external
        payable
        returns (bytes memory answer)
    {
        (uint256 key, uint8 options, bytes calldata rest) = _located(authorization);
        bool isGlobal = options & OPTION_GLOBAL != 0;
        _requireApplies(data, key, isGlobal, !isGlobal);
        rest = _runRuntimeHooks(key, data, rest);
        _checkRuntime(key, data, _finalSegment(rest));
        Ran memory ran = _runExecutionHooks(_store().validations[key].executionHooks, data);
        answer = _call(address(this), 0, data);
        _leave(ran);
    }

    function _enter() private returns (Ran memory) {
        if (msg.sender == ENTRY_POINT || msg.sender == address(this)) return Ran(new bytes25[](0), new bytes[](0));
        uint256 key = DIRECT | uint160(msg.sender);
        _requireApplies(msg.data, key, true, true);
        _runRuntimeHooks(key, msg.data, msg.data[:0]);
        return _runExecutionHooks(_store().validations[key].executionHooks, msg.data);
    }

    function _runRuntimeHooks(uint256 key, bytes calldata data, bytes calldata authorization)
        private
        returns (bytes calldata rest)
    {
        rest = authorization;
        bytes25[] memory hooks = _store().validations[key].validationHooks;
        for (uint256 i = 0; i < hooks.length; ++i) {
            bytes calldata segment;
            (segment, rest) = _segment(rest, i);
            bytes24 hook = bytes24(hooks[i]);
            try IValidationHookModule(_moduleOf(hooks[i])).preRuntimeValidationHook(
                _entityOf(hook), msg.sender, msg.value, data, segment
            ) {} catch (bytes memory reason) {
                revert PreRuntimeValidationHookReverted(hook, reason);
            }
        }
    }

    function _runExecutionHooks(bytes25[] memory hooks, bytes calldata data) private returns (Ran memory ran) {
        ran = Ran(hooks, new bytes[](hooks.length));
        for (uint256 i = 0; i < hooks.length; ++i) {
            if (uint8(hooks[i][24]) & PRE_HOOK == 0) continue;
            bytes24 hook = bytes24(hooks[i]);
            try IExecutionHookModule(_moduleOf(hooks[i])).preExecutionHook(_entityOf(hook), msg.sender, msg.value, data) returns (
                bytes memory kept
            ) {
                ran.kept[i] = kept;
            } catch (bytes memory reason) {
                revert PreExecHookReverted(hook, reason);
            }
        }
    }

    function _leave(Ran memory ran) private {
        for (uint256 i = ran.hooks.length; i > 0; --i) {
            if (uint8(ran.hooks[i - 1][24]) & POST_HOOK == 0) continue;
            bytes24 hook = bytes24(ran.hooks[i - 1]);
            try IExecutionHookModule(_moduleOf(ran.hooks[i - 1])).postExecutionHook(_entityOf(hook), ran.kept[i - 1]) {}
            catch (bytes memory reason) {
                revert PostExecHookReverted(hook, reason);
            }
        }
    }

    // --- execution

    function execute(address target, uint256 value, bytes calldata data) external payable validated returns (bytes memory) {
        return _call(target, value, data);
    }

    function executeBatch(Call[] calldata calls) external payable validated returns (bytes[] memory results) {
        results = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) results[i] = _call(calls[i].target, calls[i].value, calls[i].data);
    }

    function performCreate(uint256 value, bytes calldata initCode, bool isCreate2, bytes32 salt)
        external
        payable
        validated
        returns (address created)
    {
        bytes memory code = initCode;
        assembly ("memory-safe") {
            switch isCreate2
            case 0 { created := create(value, add(code, 32), mload(code)) }
            default { created := create2(value, add(code, 32), mload(code), salt) }
        }
        if (created == address(0)) revert CreateFailed();
    }

    function upgradeToAndCall(address newImplementation, bytes calldata data) external payable virtual validated {
        (bool answered, bytes memory slot) = newImplementation.staticcall(abi.encodeCall(this.proxiableUUID, ()));
        if (!answered || slot.length < 32 || abi.decode(slot, (bytes32)) != IMPLEMENTATION_SLOT) revert UpgradeFailed();
        bytes32 place = IMPLEMENTATION_SLOT;
        assembly ("memory-safe") {
            sstore(place, newImplementation)
        }
        emit Upgraded(newImplementation);
        if (data.length > 0) {
            (bool done, bytes memory answer) = newImplementation.delegatecall(data);
            _orRevert(done, answer);
        }
    }

    function proxiableUUID() external view virtual returns (bytes32) {
        if (_isProxied()) revert UnauthorizedCallContext();
        return IMPLEMENTATION_SLOT;
    }

    // --- installing

    function installValidation(
        bytes25 validationConfig,
        bytes4[] calldata selectors,
        bytes calldata installData,
        bytes[] calldata hooks
    ) external validated {
        _install(validationConfig, selectors, installData, hooks);
    }

    /// Only ever adds hooks and selectors; flags and signer are overwritten.
    function _install(bytes25 config, bytes4[] calldata selectors, bytes calldata installData, bytes[] calldata hooks)
        internal
        virtual
    {
        address module = _moduleOf(config);
        Validation storage v = _store().validations[_keyOf(module, _entityOf(bytes24(config)))];
        if (v.module != address(0) && v.module != module) revert ValidationEntityIdInUse();
        v.module = module;
        v.flags = uint8(config[24]);
        for (uint256 i = 0; i < selectors.length; ++i) {
            if (selectors[i] == 0 || _holds(v.selectors, selectors[i])) revert ValidationAlreadySet(selectors[i], bytes24(config));
            v.selectors.push(selectors[i]);
        }
        for (uint256 i = 0; i < hooks.length; ++i) _addHook(v, bytes25(hooks[i][:25]), hooks[i][25:]);
        _onInstall(module, installData, type(IValidationModule).interfaceId);
        emit ValidationInstalled(module, _entityOf(bytes24(config)));
    }

    function _addHook(Validation storage v, bytes25 hook, bytes calldata data) private {
        bool isValidationHook = uint8(hook[24]) & VALIDATION_HOOK != 0;
        bytes25[] storage hooks = isValidationHook ? v.validationHooks : v.executionHooks;
        if (hooks.length == MAX_HOOKS) revert ValidationAssocHookLimitExceeded();
        for (uint256 i = 0; i < hooks.length; ++i) {
            if (hooks[i] != hook) continue;
            if (isValidationHook) revert PreValidationHookDuplicate();
            revert ExecutionHookAlreadySet(hook);
        }
        hooks.push(hook);
        bytes4 id = isValidationHook ? type(IValidationHookModule).interfaceId : type(IExecutionHookModule).interfaceId;
        _onInstall(_moduleOf(hook), data, id);
    }

    /// Hook data: none at all, or one element a hook, last installed first, validation hooks before execution hooks. The first
    /// module that fails keeps all later ones, the signer's included, from being told; an empty element skips its module only.
    function uninstallValidation(bytes24 validationFunction, bytes calldata uninstallData, bytes[] calldata hookUninstallData)
        external
        validated
    {
        (address module, uint32 entityId) = (address(bytes20(validationFunction)), _entityOf(validationFunction));
        uint256 key = _keyOf(module, entityId);
        Validation memory v = _store().validations[key];
        uint256 first = v.validationHooks.length;
        uint256 all = first + v.executionHooks.length;
        if (hookUninstallData.length > 0 && hookUninstallData.length != all) revert ArrayLengthMismatch();

        bool succeeded = true;
        for (uint256 i = 0; i < hookUninstallData.length && succeeded; ++i) {
            bytes25 hook = i < first ? v.validationHooks[first - 1 - i] : v.executionHooks[all - 1 - i];
            succeeded = _onUninstall(_moduleOf(hook), hookUninstallData[i]);
        }
        delete _store().validations[key];
        succeeded = succeeded && _onUninstall(module, uninstallData);
        emit ValidationUninstalled(module, entityId, succeeded);
    }

    function installExecution(address module, ExecutionManifest calldata manifest, bytes calldata installData) external validated {
        if (module == address(0)) revert NullModule();
        for (uint256 i = 0; i < manifest.executionFunctions.length; ++i) {
            ManifestExecutionFunction calldata f = manifest.executionFunctions[i];
            if (_store().executions[f.executionSelector].module != address(0)) {
                revert ExecutionFunctionAlreadySet(f.executionSelector);
            }
            _store().executions[f.executionSelector] = Execution(module, f.skipRuntimeValidation, f.allowGlobalValidation);
        }
        for (uint256 i = 0; i < manifest.interfaceIds.length; ++i) _store().interfaces[manifest.interfaceIds[i]] += 1;
        _onInstall(module, installData, type(IModule).interfaceId);
        emit ExecutionInstalled(module, manifest);
    }

    function uninstallExecution(address module, ExecutionManifest calldata manifest, bytes calldata uninstallData)
        external
        validated
    {
        for (uint256 i = 0; i < manifest.executionFunctions.length; ++i) {
            delete _store().executions[manifest.executionFunctions[i].executionSelector];
        }
        for (uint256 i = 0; i < manifest.interfaceIds.length; ++i) _store().interfaces[manifest.interfaceIds[i]] -= 1;
        emit ExecutionUninstalled(module, _onUninstall(module, uninstallData), manifest);
    }

    function _onInstall(address module, bytes calldata data, bytes4 interfaceId) private {
        if (data.length == 0) return;
        if (!_supports(module, interfaceId)) revert InterfaceNotSupported(module);
        try IModule(module).onInstall(data) {}
        catch (bytes memory reason) {
            revert ModuleInstallCallbackFailed(module, reason);
        }
    }

    function _supports(address module, bytes4 interfaceId) private view returns (bool) {
        (bool answered, bytes memory answer) = module.staticcall(abi.encodeCall(IERC165.supportsInterface, (interfaceId)));
        return answered && answer.length >= 32 && abi.decode(answer, (uint256)) == 1;
    }

    function _onUninstall(address module, bytes calldata data) private returns (bool) {
        if (data.length == 0) return true;
        try IModule(module).onUninstall(data) {
            return true;
        } catch {
            return false;
        }
    }

    // --- which validation may do what

    /// `viaGlobal`, `viaSelector`: how the validation may be applicable. Calls of a batch to the account itself are looked into.
    function _requireApplies(bytes calldata data, uint256 key, bool viaGlobal, bool viaSelector) internal view {
        if (data.length < 4) revert UnrecognizedFunction(bytes4(data));
        if (bytes4(data) == this.executeUserOp.selector) data = data[4:];
        bytes4 selector = bytes4(data[:4]);
        _requireSelector(selector, key, viaGlobal, viaSelector);
        if (selector == this.execute.selector) {
            if (abi.decode(data[4:], (address)) == address(this)) revert SelfCallRecursionDepthExceeded();
        } else if (selector == this.executeBatch.selector) {
            _requireBatch(abi.decode(data[4:], (Call[])), key, viaGlobal, viaSelector);
        }
    }

    function _requireBatch(Call[] memory calls, uint256 key, bool viaGlobal, bool viaSelector) private view {
        for (uint256 i = 0; i < calls.length; ++i) {
            if (calls[i].target != address(this)) continue;
            require(calls[i].data.length >= 4);
            bytes4 selector = bytes4(calls[i].data);
            if (selector == this.execute.selector || selector == this.executeBatch.selector) {
                revert SelfCallRecursionDepthExceeded();
            }
            _requireSelector(selector, key, viaGlobal, viaSelector);
        }
    }

    function _requireSelector(bytes4 selector, uint256 key, bool viaGlobal, bool viaSelector) private view {
        bool allowed = _isNative(selector) || _store().executions[selector].allowGlobal;
        if (viaGlobal && allowed && _isGlobal(key)) return;
        if (viaSelector && _holds(_store().validations[key].selectors, selector)) return;
        revert ValidationFunctionMissing(selector);
    }

    function _isGlobal(uint256 key) internal view virtual returns (bool) {
        return _store().validations[key].flags & GLOBAL != 0;
    }

    /// Functions of the account itself that a global validation may call.
    function _isNative(bytes4 selector) internal view virtual returns (bool) {
        return selector == this.execute.selector || selector == this.executeBatch.selector
            || selector == this.executeUserOp.selector || selector == this.executeWithRuntimeValidation.selector
            || selector == this.performCreate.selector || selector == this.upgradeToAndCall.selector
            || selector == this.installValidation.selector || selector == this.uninstallValidation.selector
            || selector == this.installExecution.selector || selector == this.uninstallExecution.selector;
    }

    // --- who may agree; a variant with an owner of its own answers for entity id 0

    function _checkUserOp(uint256 key, PackedUserOperation memory op, bytes32 opHash, bytes calldata)
        internal
        virtual
        returns (uint256)
    {
        Validation storage v = _store().validations[key];
        if (v.flags & USER_OP == 0) revert UserOpValidationInvalid(_nameOf(key));
        try IValidationModule(v.module).validateUserOp(_entityOfKey(key), op, opHash) returns (uint256 said) {
            return said;
        } catch (bytes memory reason) {
            revert UserOpValidationFunctionReverted(_nameOf(key), reason);
        }
    }

    function _checkRuntime(uint256 key, bytes calldata data, bytes calldata authorization) internal virtual {
        try IValidationModule(_store().validations[key].module).validateRuntime(
            address(this), _entityOfKey(key), msg.sender, msg.value, data, authorization
        ) {} catch (bytes memory reason) {
            revert RuntimeValidationFunctionReverted(_nameOf(key), reason);
        }
    }

    function _checkSignature(uint256 key, bytes32 hash, bytes calldata signature) internal view virtual returns (bool) {
        Validation storage v = _store().validations[key];
        if (v.flags & SIGNATURE == 0) revert SignatureValidationInvalid(_nameOf(key));
        return IValidationModule(v.module).validateSignature(address(this), _entityOfKey(key), msg.sender, hash, signature)
            == IERC1271.isValidSignature.selector;
    }

    function _checkDeferred(uint256 key, bytes32 digest, bytes calldata signature) internal view virtual returns (bool) {
        return _checkSignature(key, digest, signature);
    }

    // --- small parts

    function _store() internal pure returns (AccountStorage storage store) {
        bytes32 place = STORAGE_SLOT;
        assembly ("memory-safe") {
            store.slot := place
        }
    }

    function _isProxied() internal view virtual returns (bool) {
        bytes32 place = IMPLEMENTATION_SLOT;
        uint256 implementation;
        assembly ("memory-safe") {
            implementation := sload(place)
        }
        return implementation != 0;
    }

    /// `place`: what follows the options; its low bits are the entity id, or the caller's address for a direct call.
    function _located(uint8 options, uint256 place) private pure returns (uint256 key) {
        return options & OPTION_DIRECT != 0 ? DIRECT | uint160(place) : uint32(place);
    }

    function _located(bytes calldata front) private pure returns (uint256 key, uint8 options, bytes calldata rest) {
        options = uint8(bytes1(front[:1]));
        uint256 length = options & OPTION_DIRECT != 0 ? 20 : 4;
        bytes calldata place = front[1:1 + length];
        rest = front[1 + length:];
        key = _located(options, uint256(bytes32(place)) >> (256 - 8 * length));
    }

    function _keyOf(address module, uint32 entityId) private pure returns (uint256) {
        return entityId == DIRECT_ENTITY ? DIRECT | uint160(module) : entityId;
    }

    function _entityOfKey(uint256 key) private pure returns (uint32) {
        return key & DIRECT != 0 ? DIRECT_ENTITY : uint32(key);
    }

    function _nameOf(uint256 key) private view returns (bytes24) {
        return bytes24(abi.encodePacked(_store().validations[key].module, _entityOfKey(key)));
    }

    function _moduleOf(bytes25 config) private pure returns (address) {
        return address(bytes20(config));
    }

    function _entityOf(bytes24 moduleEntity) internal pure returns (uint32) {
        return uint32(bytes4(moduleEntity << 160));
    }

    function _holds(bytes4[] storage selectors, bytes4 selector) private view returns (bool) {
        for (uint256 i = 0; i < selectors.length; ++i) if (selectors[i] == selector) return true;
        return false;
    }

    function _lengthPrefixed(bytes calldata data) private pure returns (bytes calldata part, bytes calldata rest) {
        uint256 end = 4 + uint256(uint32(bytes4(data[:4])));
        return (data[4:end], data[end:]);
    }

    /// The data for hook number `index`, if it comes next: index (1) || length (4) || data; in order and never empty.
    function _segment(bytes calldata data, uint256 index) private pure returns (bytes calldata segment, bytes calldata rest) {
        if (uint8(data[0]) > index) return (data[:0], data);
        if (uint8(data[0]) < index) revert SegmentOutOfOrder();
        (segment, rest) = _lengthPrefixed(data[1:]);
        if (segment.length == 0) revert NonCanonicalEncoding();
    }

    function _finalSegment(bytes calldata data) private pure returns (bytes calldata) {
        if (data[0] != 0xff) revert ValidationSignatureSegmentMissing();
        return data[1:];
    }

    /// Validation data: validAfter (6) || validUntil (6) || 1 for a failed signature. The narrower of two; until 0 is no end.
    function _narrowed(uint256 a, uint256 b) private pure returns (uint256) {
        (uint48 untilA, uint48 untilB) = (uint48(a >> 160), uint48(b >> 160));
        uint48 until = untilA == 0 || (untilB != 0 && untilB < untilA) ? untilB : untilA;
        (uint48 afterA, uint48 afterB) = (uint48(a >> 208), uint48(b >> 208));
        return uint160(a) | uint160(b) | uint256(until) << 160 | uint256(afterA > afterB ? afterA : afterB) << 208;
    }

    function _call(address target, uint256 value, bytes calldata data) private returns (bytes memory) {
        (bool done, bytes memory answer) = target.call{value: value}(data);
        _orRevert(done, answer);
        return answer;
    }

    function _orRevert(bool done, bytes memory answer) private pure {
        if (done) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}

/// The owner is a validation like others: the single-signer module holds it, usually at entity id 0.
contract ModularAccount is Account {
    function accountId() external pure override returns (string memory) {
        return "latchkey.test-modular-account.1.0.0";
    }

    function initializeWithValidation(
        bytes25 validationConfig,
        bytes4[] calldata selectors,
        bytes calldata installData,
        bytes[] calldata hooks
    ) external once {
        _install(validationConfig, selectors, installData, hooks);
    }
}

/// Entity id 0 is the account's own affair: the fallback signer, kept in storage or, until then, where the variant says.
abstract contract SemiModularAccount is Account {
    struct OwnerStorage {
        address signer;
        bool disabled;
    }

    bytes32 private constant OWNER_SLOT = keccak256("latchkey.test.account.owner");

    event FallbackSignerUpdated(address indexed newFallbackSigner, bool isDisabled);

    error FallbackSignerDisabled();
    error FallbackSignerMismatch();
    error FallbackValidationInstallationNotAllowed();

    function updateFallbackSignerData(address fallbackSigner, bool isDisabled) external validated {
        _setOwner(fallbackSigner, isDisabled);
    }

    function getFallbackSignerData() external view returns (address, bool) {
        return (_owner(), _ownerStore().disabled);
    }

    function _setOwner(address signer, bool disabled) internal {
        (_ownerStore().signer, _ownerStore().disabled) = (signer, disabled);
        emit FallbackSignerUpdated(signer, disabled);
    }

    function _defaultOwner() internal view virtual returns (address);

    function _owner() private view returns (address) {
        address signer = _ownerStore().signer;
        return signer == address(0) ? _defaultOwner() : signer;
    }

    function _enabledOwner() private view returns (address) {
        if (_ownerStore().disabled) revert FallbackSignerDisabled();
        return _owner();
    }

    function _install(bytes25 config, bytes4[] calldata selectors, bytes calldata installData, bytes[] calldata hooks)
        internal
        override
    {
        if (_entityOf(bytes24(config)) == 0 && bytes20(config) != 0) revert FallbackValidationInstallationNotAllowed();
        super._install(config, selectors, installData, hooks);
    }

    /// The owner is also let in when calling the account directly.
    function _isGlobal(uint256 key) internal view override returns (bool) {
        return key == 0 || super._isGlobal(key) || (key == DIRECT | uint160(_owner()) && !_ownerStore().disabled);
    }

    function _isNative(bytes4 selector) internal view override returns (bool) {
        return selector == this.updateFallbackSignerData.selector || super._isNative(selector);
    }

    function _checkUserOp(uint256 key, PackedUserOperation memory op, bytes32 opHash, bytes calldata signature)
        internal
        override
        returns (uint256)
    {
        if (key != 0) return super._checkUserOp(key, op, opHash, signature);
        return isSignedBy(_enabledOwner(), personalMessage(opHash), signature) ? 0 : 1;
    }

    function _checkRuntime(uint256 key, bytes calldata data, bytes calldata authorization) internal override {
        if (key != 0) return super._checkRuntime(key, data, authorization);
        if (msg.sender != _enabledOwner()) revert FallbackSignerMismatch();
    }

    /// Messages are wrapped, so that a signature for one account is none for another account of the same owner.
    function _checkSignature(uint256 key, bytes32 hash, bytes calldata signature) internal view override returns (bool) {
        if (key != 0) return super._checkSignature(key, hash, signature);
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, block.chainid, address(this)));
        bytes32 wrapped = typedDataDigest(domain, keccak256(abi.encode(REPLAY_SAFE_TYPE, hash)));
        return isSignedBy(_enabledOwner(), wrapped, signature);
    }

    /// A deferred action names the account already and is signed as it is.
    function _checkDeferred(uint256 key, bytes32 digest, bytes calldata signature) internal view override returns (bool) {
        if (key != 0) return super._checkDeferred(key, digest, signature);
        return isSignedBy(_enabledOwner(), digest, signature);
    }

    function _ownerStore() private pure returns (OwnerStorage storage store) {
        bytes32 place = OWNER_SLOT;
        assembly ("memory-safe") {
            store.slot := place
        }
    }
}

/// The owner stands behind the 61 bytes of the proxy's own code.
contract SemiModularAccountBytecode is SemiModularAccount {
    function accountId() external pure override returns (string memory) {
        return "latchkey.test-sma-bytecode.1.0.0";
    }

    function _defaultOwner() internal view override returns (address) {
        bytes memory code = address(this).code;
        if (code.length < 81) return address(0);
        address owner;
        assembly ("memory-safe") {
            owner := shr(96, mload(add(code, 93)))
        }
        return owner;
    }
}

/// Runs at a person's own address by EIP-7702; that person's key is the owner. There is no proxy to upgrade.
contract SemiModularAccount7702 is SemiModularAccount {
    error UpgradeNotAllowed();

    function accountId() external pure override returns (string memory) {
        return "latchkey.test-sma-7702.1.0.0";
    }

    function upgradeToAndCall(address, bytes calldata) external payable override {
        revert UpgradeNotAllowed();
    }

    function proxiableUUID() external pure override returns (bytes32) {
        revert UnauthorizedCallContext();
    }

    function _defaultOwner() internal view override returns (address) {
        return address(this);
    }
}
