// SPDX-License-Identifier: MIT
// Test equipment of Latchkey: what there is on the practice chain. Anybody may mint; nothing of it is worth anything.
pragma solidity 0.8.30;

import "./Interfaces.sol";

abstract contract TestToken {
    mapping(address holder => uint256) public balanceOf;
    mapping(address holder => mapping(address spender => uint256)) public allowance;
    uint256 public totalSupply;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error InsufficientBalance();
    error InsufficientAllowance();

    function name() external pure virtual returns (string memory);
    function symbol() external pure virtual returns (string memory);
    function decimals() external pure virtual returns (uint8);

    function mint(address to, uint256 amount) external {
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function approve(address spender, uint256 amount) public returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function increaseAllowance(address spender, uint256 more) external returns (bool) {
        return approve(spender, allowance[msg.sender][spender] + more);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 left = allowance[from][msg.sender];
        if (left < amount) revert InsufficientAllowance();
        if (left != type(uint256).max) allowance[from][msg.sender] = left - amount;
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) private {
        if (balanceOf[from] < amount) revert InsufficientBalance();
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}

contract TestDollar is TestToken {
    function name() external pure override returns (string memory) {
        return "Test Dollar";
    }

    function symbol() external pure override returns (string memory) {
        return "TUSD";
    }

    function decimals() external pure override returns (uint8) {
        return 6;
    }
}

contract TestCoin is TestToken {
    function name() external pure override returns (string memory) {
        return "Test Coin";
    }

    function symbol() external pure override returns (string memory) {
        return "TCN";
    }

    function decimals() external pure override returns (uint8) {
        return 18;
    }
}

/// A board with a treasure: moving is free, a turn can be bought, points are claimed.
contract TestGame {
    mapping(address player => uint256) public moves;
    mapping(address player => uint256) public points;
    mapping(address player => uint256) public paid;

    event Moved(address indexed player, uint8 x, uint8 y);
    event Claimed(address indexed player, uint256 points);
    event Bought(address indexed player, uint256 value);

    error OffTheBoard(uint8 x, uint8 y);

    function move(uint8 x, uint8 y) external {
        if (x > 7 || y > 7) revert OffTheBoard(x, y);
        moves[msg.sender] += 1;
        emit Moved(msg.sender, x, y);
    }

    function claim() external {
        points[msg.sender] += 10;
        emit Claimed(msg.sender, points[msg.sender]);
    }

    function buy() external payable {
        paid[msg.sender] += msg.value;
        emit Bought(msg.sender, msg.value);
    }
}

contract TestCounter {
    uint256 public number;

    function increment() external payable {
        number += 1;
    }

    function setNumber(uint256 to) external payable {
        number = to;
    }
}

contract TestNft {
    string public constant name = "Test Sword";
    string public constant symbol = "TSW";
    uint256 public totalSupply;
    mapping(uint256 id => address) public ownerOf;
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address operator => bool)) public isApprovedForAll;

    event Transfer(address indexed from, address indexed to, uint256 indexed id);
    event ApprovalForAll(address indexed owner, address indexed operator, bool approved);

    uint256 public constant PRICE = 0.01 ether;

    error NotYours(uint256 id);
    error NotPaid(uint256 price);

    /// The paid way: `amount` of them to the caller.
    function mint(uint256 amount) external payable {
        if (msg.value != amount * PRICE) revert NotPaid(amount * PRICE);
        for (uint256 i = 0; i < amount; ++i) {
            mint(msg.sender);
        }
    }

    function mint(address to) public returns (uint256 id) {
        id = ++totalSupply;
        ownerOf[id] = to;
        balanceOf[to] += 1;
        emit Transfer(address(0), to, id);
    }

    function setApprovalForAll(address operator, bool approved) external {
        isApprovedForAll[msg.sender][operator] = approved;
        emit ApprovalForAll(msg.sender, operator, approved);
    }

    function transferFrom(address from, address to, uint256 id) external {
        if (ownerOf[id] != from || (msg.sender != from && !isApprovedForAll[from][msg.sender])) revert NotYours(id);
        ownerOf[id] = to;
        balanceOf[from] -= 1;
        balanceOf[to] += 1;
        emit Transfer(from, to, id);
    }

    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == 0x80ac58cd || interfaceId == 0x5b5e139f;
    }
}

/// Swaps test tokens one to one, and keeps positions that only their owner closes.
contract TestExchange {
    mapping(address owner => uint256) public position;

    event Swapped(address indexed who, address from, address into, uint256 amount, address to);
    event Closed(address indexed owner, uint256 amount);

    error TooLate();
    error NothingOpen();

    function swapExactTokensForTokens(uint256 amountIn, uint256, address[] calldata path, address to, uint256 deadline)
        external
        returns (uint256[] memory amounts)
    {
        if (block.timestamp > deadline) revert TooLate();
        require(TestToken(path[0]).transferFrom(msg.sender, address(this), amountIn));
        TestToken(path[path.length - 1]).mint(to, amountIn);
        emit Swapped(msg.sender, path[0], path[path.length - 1], amountIn, to);
        amounts = new uint256[](path.length);
        for (uint256 i = 0; i < path.length; ++i) {
            amounts[i] = amountIn;
        }
    }

    function openPosition(uint256 amount) external {
        position[msg.sender] += amount;
    }

    function closePosition() external {
        uint256 amount = position[msg.sender];
        if (amount == 0) revert NothingOpen();
        position[msg.sender] = 0;
        emit Closed(msg.sender, amount);
    }
}

/// Makes any calls it is asked to: what an allowlist cannot see into.
contract TestRouter {
    struct Inner {
        address target;
        bytes data;
    }

    function aggregate(Inner[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool done,) = calls[i].target.call(calls[i].data);
            require(done);
        }
    }
}

/// Pays for everybody from its deposit at the EntryPoint.
contract TestPaymaster {
    function validatePaymasterUserOp(PackedUserOperation calldata, bytes32, uint256)
        external
        pure
        returns (bytes memory context, uint256 validationData)
    {
        return ("", 0);
    }

    function postOp(uint8, bytes calldata, uint256, uint256) external pure {}
}

/// An execution module: gives an account a function of its own.
contract TestModule is IModule {
    uint256 public calls;

    function practice() external returns (uint256) {
        return ++calls;
    }

    function onInstall(bytes calldata) external {}

    function onUninstall(bytes calldata) external {}

    function moduleId() external pure returns (string memory) {
        return "latchkey.test-module.1.0.0";
    }

    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC165).interfaceId || interfaceId == type(IModule).interfaceId;
    }
}

/// A contract that signs: its one signer's signatures count as its own.
contract TestWallet is IERC1271 {
    address public signer;

    function setSigner(address to) external {
        signer = to;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return signer != address(0) && recover(hash, signature) == signer ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}
