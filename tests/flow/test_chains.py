"""The nodes that settings name, and the options of the command line that take their place."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from latchkey.cli.network_options import add_options, chains_of, named_accounts
from latchkey.core.session import Block
from latchkey.errors import BadInput
from latchkey.flow import chains as chains_module
from latchkey.flow.accounts import from_address, from_owner
from latchkey.flow.chains import Chains, NotSet
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.store.settings import NetworkSettings, Settings, save

A, B, C = "https://a.example/key", "https://b.example/key", "https://c.example/key"
OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SOMEONE = "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"


def test_a_network_without_an_rpc_says_where_to_set_one() -> None:
    chains = Chains(Settings)
    with pytest.raises(NotSet) as refusal:
        chains.node(8453)
    assert "Base" in refusal.value.text
    assert "Settings" in refusal.value.text
    assert (chains.second(8453), chains.bundler(8453), chains.is_set(8453)) == (None, None, False)


def test_a_node_is_kept_until_its_address_or_the_proxy_changes() -> None:
    now = [Settings(networks=(NetworkSettings(1, A, B, C),))]
    chains = Chains(lambda: now[0])
    node, second, bundler = chains.node(1), chains.second(1), chains.bundler(1)
    assert second is not None
    assert bundler is not None
    assert (node.place, second.place, bundler.place) == ("a.example", "b.example", "c.example")
    assert chains.node(1) is node
    assert chains.is_set(1)
    now[0] = replace(now[0], proxy="socks5://127.0.0.1:1")
    assert chains.node(1) is not node
    now[0] = Settings(networks=(NetworkSettings(1, B),))
    assert chains.node(1).place == "b.example"
    assert chains.second(1) is None
    chains.close()


def test_an_offline_program_has_no_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains_module, "is_offline", lambda: True)
    chains = Chains(lambda: Settings(networks=(NetworkSettings(1, A, B, C),)))
    with pytest.raises(NotSet) as refusal:
        chains.node(1)
    assert refusal.value.code == "Offline"
    assert (chains.second(1), chains.bundler(1), chains.is_set(1)) == (None, None, False)


def test_the_last_block_seen() -> None:
    chains = Chains(Settings)
    assert chains.seen(1) is None
    chains.saw(1, Block(7, bytes(32), 9))
    assert chains.seen(1) == Block(7, bytes(32), 9)
    assert chains.seen(2) is None


# --- the command line


@pytest.fixture
def folder(tmp_path: Path) -> DataDir:
    folder = DataDir.open(tmp_path / "data")
    save(folder.settings, Settings(networks=(NetworkSettings(1, A, B, C), NetworkSettings(10, B))))
    return folder


def options(*arguments: str) -> Namespace:
    parser = ArgumentParser()
    add_options(parser)
    return parser.parse_args(arguments)


def places(chains: Chains, chain_id: int) -> tuple[str, ...]:
    nodes = (chains.node(chain_id), chains.second(chain_id), chains.bundler(chain_id))
    return tuple(node.place if node else "" for node in nodes)


def test_options_take_the_place_of_settings(folder: DataDir) -> None:
    assert places(chains_of(options(), folder), 1) == ("a.example", "b.example", "c.example")
    given = options("--rpc", "https://x.example", "--chain-id", "1")
    assert places(chains_of(given, folder), 1) == ("x.example", "b.example", "c.example")
    given = options("--rpc", B, "--chain-id", "1")
    assert places(chains_of(given, folder), 1) == ("b.example", "", "c.example")  # one node cannot agree with itself
    given = options("--second-rpc", "https://x.example", "--bundler", "https://y.example", "--chain-id", "10")
    assert places(chains_of(given, folder), 10) == ("b.example", "x.example", "y.example")
    assert places(chains_of(given, folder), 1) == ("a.example", "b.example", "c.example")
    given = options("--rpc", "https://x.example", "--chain-id", "99")
    assert places(chains_of(given, folder), 99) == ("x.example", "", "")


@pytest.mark.parametrize(
    "arguments", [("--bundler", A), ("--second-rpc", A), ("--rpc", "x", "--chain-id", "1"), ("--rpc", A, "--chain-id", "0")]
)
def test_options_that_cannot_be(folder: DataDir, arguments: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as refusal:
        chains_of(options(*arguments), folder)
    assert "key" not in refusal.value.text


def test_which_accounts(folder: DataDir) -> None:
    mine, other = from_owner(1, OWNER), from_address(10, SOMEONE)
    with Book.open(folder.book) as book:
        assert named_accounts(options(), book) == ()
        book.add_account(mine)
        book.add_account(other)
        assert named_accounts(options(), book) == (mine, other)
        assert named_accounts(options("--chain-id", "10"), book) == (other,)
        assert named_accounts(options("--account", str(mine.address).lower()), book) == (mine,)
        assert named_accounts(options("--account", SOMEONE, "--chain-id", "1"), book) == (from_address(1, SOMEONE),)
        with pytest.raises(BadInput, match="chain-id"):
            named_accounts(options("--account", OWNER), book)
        with pytest.raises(BadInput):
            named_accounts(options("--account", "0x12"), book)
