"""The tokens Latchkey knows by itself: the only ones it counts in units, and the ones a false name is held against.

A table in code, like the networks: the signer has it without reading a file, and a name must not be editable. Small on purpose: what
is not here is counted in base units. Every line was compared on 2026-11-21, address and decimals, with at least two of these: the
Uniswap default token list (commit 49f39bd), the Superchain token list of ethereum-optimism.github.io (9db0b00), Aave's address book
(f61c976), GMX's token table, Circle's and Chainlink's own lists. The tokens of the practice chain are ours (chain/places.py; a test
holds the two together).

To add one: the line, its two sources, `tests/core/test_tokens.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from latchkey.core.amounts import Unit
from latchkey.core.types import Address


@dataclass(frozen=True, slots=True)
class Token:
    """`also`: other symbols it went by, or goes by where its network has only one of its kind; a sender may use them."""

    chain_id: int
    address: Address
    symbol: str
    decimals: int
    name: str
    also: tuple[str, ...] = ()

    @property
    def unit(self) -> Unit:
        return Unit(self.symbol, self.decimals)


_ETHEREUM, _OP, _POLYGON, _BASE, _ARBITRUM, _PRACTICE = 1, 10, 137, 8453, 42161, 31337
_SEPOLIA, _OP_SEPOLIA, _AMOY, _BASE_SEPOLIA, _ARBITRUM_SEPOLIA = 11155111, 11155420, 80002, 84532, 421614

_TABLE: Final[tuple[tuple[int, str, str, int, str, *tuple[str, ...]], ...]] = (
    (_ETHEREUM, "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "USDC", 6, "USD Coin"),
    (_ETHEREUM, "0xdAC17F958D2ee523a2206206994597C13D831ec7", "USDT", 6, "Tether USD"),
    (_ETHEREUM, "0x6B175474E89094C44Da98b954EedeAC495271d0F", "DAI", 18, "Dai Stablecoin"),
    (_ETHEREUM, "0xdC035D45d973E3EC169d2276DDab16f1e407384F", "USDS", 18, "USDS Stablecoin"),
    (_ETHEREUM, "0x1aBaEA1f7C830bD89Acc67eC4af516284b1bC33c", "EURC", 6, "Euro Coin"),
    (_ETHEREUM, "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "WETH", 18, "Wrapped Ether"),
    (_ETHEREUM, "0x7f39C581F595B53c5cb19bD0b3f8dA6c935E2Ca0", "wstETH", 18, "Wrapped liquid staked Ether 2.0"),
    (_ETHEREUM, "0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599", "WBTC", 8, "Wrapped BTC"),
    (_ETHEREUM, "0xcbB7C0000aB88B473b1f5aFd9ef808440eed33Bf", "cbBTC", 8, "Coinbase Wrapped BTC"),
    (_ETHEREUM, "0x514910771AF9Ca656af840dff83E8264EcF986CA", "LINK", 18, "ChainLink Token"),
    (_ETHEREUM, "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984", "UNI", 18, "Uniswap"),
    (_ETHEREUM, "0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9", "AAVE", 18, "Aave Token"),
    (_ARBITRUM, "0xaf88d065e77c8cC2239327C5EDb3A432268e5831", "USDC", 6, "USD Coin"),
    (_ARBITRUM, "0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8", "USDC.e", 6, "Bridged USDC", "USDC"),
    (_ARBITRUM, "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", "USDT0", 6, "USDT0", "USDT", "USD₮0"),
    (_ARBITRUM, "0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1", "DAI", 18, "Dai Stablecoin"),
    (_ARBITRUM, "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1", "WETH", 18, "Wrapped Ether"),
    (_ARBITRUM, "0x2f2a2543B76A4166549F7aaB2e75Bef0aefC5B0f", "WBTC", 8, "Wrapped BTC"),
    (_ARBITRUM, "0xcbB7C0000aB88B473b1f5aFd9ef808440eed33Bf", "cbBTC", 8, "Coinbase Wrapped BTC"),
    (_ARBITRUM, "0xf97f4df75117a78c1A5a0DBb814Af92458539FB4", "LINK", 18, "ChainLink Token"),
    (_ARBITRUM, "0xFa7F8980b0f1E64A2062791cc3b0871572f1F7f0", "UNI", 18, "Uniswap"),
    (_ARBITRUM, "0x912CE59144191C1204E64559FE8253a0e49E6548", "ARB", 18, "Arbitrum"),
    (_OP, "0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85", "USDC", 6, "USD Coin"),
    (_OP, "0x7F5c764cBc14f9669B88837ca1490cCa17c31607", "USDC.e", 6, "Bridged USDC", "USDC"),
    (_OP, "0x94b008aA00579c1307B0EF2c499aD98a8ce58e58", "USDT", 6, "Tether USD"),
    (_OP, "0xDA10009cBd5D07dd0CeCc66161FC93D7c9000da1", "DAI", 18, "Dai Stablecoin"),
    (_OP, "0x4200000000000000000000000000000000000006", "WETH", 18, "Wrapped Ether"),
    (_OP, "0x1F32b1c2345538c0c6f582fCB022739c4A194Ebb", "wstETH", 18, "Wrapped liquid staked Ether 2.0"),
    (_OP, "0x68f180fcCe6836688e9084f035309E29Bf0A2095", "WBTC", 8, "Wrapped BTC"),
    (_OP, "0x350a791Bfc2C21F9Ed5d10980Dad2e2638ffa7f6", "LINK", 18, "ChainLink Token"),
    (_OP, "0x6fd9d7AD17242c41f7131d257212c54A0e816691", "UNI", 18, "Uniswap"),
    (_OP, "0x4200000000000000000000000000000000000042", "OP", 18, "Optimism"),
    (_BASE, "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "USDC", 6, "USD Coin"),
    (_BASE, "0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA", "USDbC", 6, "USD Base Coin"),
    (_BASE, "0x60a3E35Cc302bFA44Cb288Bc5a4F316Fdb1adb42", "EURC", 6, "EURC"),
    (_BASE, "0x50c5725949A6F0c72E6C4a641F24049A917DB0Cb", "DAI", 18, "Dai Stablecoin"),
    (_BASE, "0x4200000000000000000000000000000000000006", "WETH", 18, "Wrapped Ether"),
    (_BASE, "0xc1CBa3fCea344f92D9239c08C0568f6F2F0ee452", "wstETH", 18, "Wrapped liquid staked Ether 2.0"),
    (_BASE, "0xcbB7C0000aB88B473b1f5aFd9ef808440eed33Bf", "cbBTC", 8, "Coinbase Wrapped BTC"),
    (_BASE, "0x88Fb150BDc53A65fe94Dea0c9BA0a6dAf8C6e196", "LINK", 18, "ChainLink Token"),
    (_BASE, "0xc3De830EA07524a0761646a6a4e4be0e114a3C83", "UNI", 18, "Uniswap"),
    (_POLYGON, "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", "USDC", 6, "USD Coin"),
    (_POLYGON, "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174", "USDC.e", 6, "Bridged USDC", "USDC"),
    (_POLYGON, "0xc2132D05D31c914a87C6611C10748AEb04B58e8F", "USDT0", 6, "USDT0", "USDT", "USD₮0"),
    (_POLYGON, "0x8f3Cf7ad23Cd3CaDbD9735AFf958023239c6A063", "DAI", 18, "Dai Stablecoin"),
    (_POLYGON, "0x7ceB23fD6bC0adD59E62ac25578270cFf1b9f619", "WETH", 18, "Wrapped Ether"),
    (_POLYGON, "0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270", "WPOL", 18, "Wrapped POL", "WMATIC"),
    (_POLYGON, "0x1BFD67037B42Cf73acF2047067bd4F2C47D9BfD6", "WBTC", 8, "Wrapped BTC"),
    (_POLYGON, "0x53E0bca35eC356BD5ddDFebbD1Fc0fD03FaBad39", "LINK", 18, "ChainLink Token"),
    (_POLYGON, "0xb33EaAd8d922B1083446DC23f610c2567fB5180f", "UNI", 18, "Uniswap"),
    (_SEPOLIA, "0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238", "USDC", 6, "USD Coin (test)"),
    (_SEPOLIA, "0xfFf9976782d46CC05630D1f6eBAb18b2324d6B14", "WETH", 18, "Wrapped Ether (test)"),
    (_SEPOLIA, "0x779877A7B0D9E8603169DdbD7836e478b4624789", "LINK", 18, "ChainLink Token (test)"),
    (_ARBITRUM_SEPOLIA, "0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d", "USDC", 6, "USD Coin (test)"),
    (_ARBITRUM_SEPOLIA, "0xb1D4538B4571d411F07960EF2838Ce337FE1E80E", "LINK", 18, "ChainLink Token (test)"),
    (_OP_SEPOLIA, "0x5fd84259d66Cd46123540766Be93DFE6D43130D7", "USDC", 6, "USD Coin (test)"),
    (_OP_SEPOLIA, "0x4200000000000000000000000000000000000006", "WETH", 18, "Wrapped Ether (test)"),
    (_BASE_SEPOLIA, "0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC", 6, "USD Coin (test)"),
    (_BASE_SEPOLIA, "0x4200000000000000000000000000000000000006", "WETH", 18, "Wrapped Ether (test)"),
    (_BASE_SEPOLIA, "0xE4aB69C077896252FAFBD49EFD26B5D171A32410", "LINK", 18, "ChainLink Token (test)"),
    (_AMOY, "0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582", "USDC", 6, "USD Coin (test)"),
    (_PRACTICE, "0x1b770A64322474a6d053b08f282Fa3375D9162F9", "TUSD", 6, "Test Dollar"),
    (_PRACTICE, "0x5eb01842FEF0226251f1b070deB341AB1f9A8299", "TCN", 18, "Test Coin"),
)


def token(chain_id: int, address: Address) -> Token | None:
    """The reviewed token at this address of this chain."""
    return _by_place().get((chain_id, address))


def tokens(chain_id: int) -> tuple[Token, ...]:
    """The reviewed tokens of a chain, most common first."""
    return tuple(one for (chain, _), one in _by_place().items() if chain == chain_id)


def elsewhere(chain_id: int, address: Address) -> Token | None:
    """The reviewed token that has this address on another chain, and not on this one."""
    if (chain_id, address) in _by_place():
        return None
    return _by_address().get(address)


def every_token() -> tuple[Token, ...]:
    return tuple(_by_place().values())


@cache
def _by_address() -> dict[Address, Token]:
    """The first of each."""
    return {address: one for (_, address), one in reversed(_by_place().items())}


@cache
def _by_place() -> dict[tuple[int, Address], Token]:
    made = (
        Token(chain, Address.parse(address), symbol, decimals, name, tuple(also))
        for chain, address, symbol, decimals, name, *also in _TABLE
    )
    return {(one.chain_id, one.address): one for one in made}
