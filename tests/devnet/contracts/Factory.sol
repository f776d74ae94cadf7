// SPDX-License-Identifier: MIT
// Test equipment of Latchkey: a stand-in, not the published contract. Never deploy it where money is.
pragma solidity 0.8.30;

import {ModularAccount} from "./Account.sol";
import {MODULAR_ACCOUNT, SEMI_MODULAR_ACCOUNT, SINGLE_SIGNER} from "./Interfaces.sol";

/// Makes the proxies byte by byte as the published factory does, so that accounts have the addresses they will have.
contract Factory {
    bytes private constant PROXY_TAIL =
        hex"60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3";

    event ModularAccountDeployed(address indexed account, address indexed owner, uint256 salt);
    event SemiModularAccountDeployed(address indexed account, address indexed owner, uint256 salt);

    function createSemiModularAccount(address owner, uint256 salt) external returns (address account) {
        account = getAddressSemiModular(owner, salt);
        if (account.code.length > 0) return account;
        _create(_semiModularProxy(owner), getSalt(owner, salt, type(uint32).max));
        emit SemiModularAccountDeployed(account, owner, salt);
    }

    function createAccount(address owner, uint256 salt, uint32 entityId) external returns (address account) {
        account = getAddress(owner, salt, entityId);
        if (account.code.length > 0) return account;
        _create(_modularProxy(), getSalt(owner, salt, entityId));
        bytes25 config = bytes25(abi.encodePacked(SINGLE_SIGNER, entityId, uint8(7)));
        ModularAccount(payable(account)).initializeWithValidation(
            config, new bytes4[](0), abi.encode(entityId, owner), new bytes[](0)
        );
        emit ModularAccountDeployed(account, owner, salt);
    }

    function getAddressSemiModular(address owner, uint256 salt) public view returns (address) {
        return _predict(_semiModularProxy(owner), getSalt(owner, salt, type(uint32).max));
    }

    function getAddress(address owner, uint256 salt, uint32 entityId) public view returns (address) {
        return _predict(_modularProxy(), getSalt(owner, salt, entityId));
    }

    function getSalt(address owner, uint256 salt, uint32 entityId) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(owner, salt, entityId));
    }

    function _semiModularProxy(address owner) private pure returns (bytes memory) {
        return abi.encodePacked(hex"6100513d8160233d3973", SEMI_MODULAR_ACCOUNT, PROXY_TAIL, owner);
    }

    function _modularProxy() private pure returns (bytes memory) {
        return abi.encodePacked(hex"603d3d8160223d3973", MODULAR_ACCOUNT, PROXY_TAIL);
    }

    function _predict(bytes memory code, bytes32 salt) private view returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), salt, keccak256(code))))));
    }

    function _create(bytes memory code, bytes32 salt) private {
        address made;
        assembly ("memory-safe") {
            made := create2(0, add(code, 32), mload(code), salt)
        }
        require(made != address(0));
    }
}
