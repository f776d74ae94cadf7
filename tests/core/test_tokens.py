"""The reviewed list: right letter by letter, one entry a place, on networks of ours, and the practice chain's own."""

from __future__ import annotations

from latchkey.chain.places import COIN, DOLLAR, artifact
from latchkey.core import tokens
from latchkey.core.networks import NETWORKS
from latchkey.core.types import Address

USDC = Address.parse("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48")


def test_every_address_is_written_with_its_checksum() -> None:
    for chain, address, symbol, *_ in tokens._TABLE:
        assert Address.parse(address) == address, (chain, symbol)
        assert Address.parse(address.lower()) == address, (chain, symbol)


def test_one_entry_a_place_and_one_symbol_a_network() -> None:
    places = [(chain, address) for chain, address, *_ in tokens._TABLE]
    symbols = [(chain, symbol) for chain, _, symbol, *_ in tokens._TABLE]
    assert len(set(places)) == len(set(symbols)) == len(tokens._TABLE) == len(tokens.every_token())


def test_every_network_of_ours_is_served_and_no_other() -> None:
    assert {token.chain_id for token in tokens.every_token()} == set(NETWORKS)
    for chain_id in NETWORKS:
        assert any(token.symbol in ("USDC", "TUSD") for token in tokens.tokens(chain_id))
    assert tokens.tokens(424242) == ()


def test_what_is_known_of_common_tokens() -> None:
    usdc = tokens.token(1, USDC)
    assert usdc is not None
    assert (usdc.symbol, usdc.decimals, usdc.unit.name) == ("USDC", 6, "USDC")
    assert {token.decimals for token in tokens.every_token() if token.symbol in ("USDC", "USDC.e", "USDT", "USDT0")} == {6}
    assert {token.decimals for token in tokens.every_token() if token.symbol in ("WBTC", "cbBTC")} == {8}
    assert {token.decimals for token in tokens.every_token() if token.symbol in ("WETH", "DAI", "LINK", "UNI")} == {18}


def test_an_address_counts_on_its_own_network_alone() -> None:
    assert tokens.token(8453, USDC) is None
    assert tokens.elsewhere(8453, USDC) == tokens.token(1, USDC)
    assert tokens.elsewhere(1, USDC) is None
    weth = Address.parse("0x4200000000000000000000000000000000000006")
    assert tokens.elsewhere(10, weth) is tokens.elsewhere(8453, weth) is None


def test_the_practice_chains_tokens_are_its_own() -> None:
    assert [token.address for token in tokens.tokens(31337)] == [DOLLAR, COIN]
    assert [token.symbol for token in tokens.tokens(31337)] == ["TUSD", "TCN"]
    for name in ("TestDollar", "TestCoin"):
        assert {entry["name"] for entry in artifact(name)["abi"]} >= {"name", "symbol", "decimals"}
