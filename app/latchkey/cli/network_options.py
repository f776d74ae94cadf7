"""--rpc, --second-rpc, --bundler, --chain-id and --account: what commands that read or write a chain have in common.

The parser needs `add_options` for every `--help`, so everything else is imported where it is used.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from latchkey.errors import BadInput
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.core.account import Account
    from latchkey.flow.chains import Chains
    from latchkey.store.book import Book
    from latchkey.store.paths import DataDir
    from latchkey.store.settings import Settings


def add_options(parser: ArgumentParser, *, account: bool = True) -> None:
    """`account`: whether --account names one of several; a command that needs one adds its own."""
    parser.add_argument("--rpc", default="", metavar="URL", help=tr("ask this node instead of the one in the settings"))
    parser.add_argument("--second-rpc", default="", metavar="URL", help=tr("a node of another operator that must agree"))
    parser.add_argument("--bundler", default="", metavar="URL", help=tr("hand user operations in here"))
    parser.add_argument(
        "--chain-id", type=int, metavar="N", help=tr("the network (default: the RPC's, or every one in the settings)")
    )
    if account:
        parser.add_argument(
            "--account", default="", metavar="ADDRESS", help=tr("this account alone (default: every one in the book)")
        )


def chains_of(options: Namespace, folder: DataDir) -> Chains:
    """The nodes in the folder's settings, those of the options in their place. Where --rpc stands without --chain-id, the node is asked
    for its network, and `options.chain_id` says it from then on. Raises StoreError, BadInput, ChainError."""
    from latchkey.flow.chains import Chains
    from latchkey.store.settings import NetworkSettings, load

    settings = load(folder.settings)
    if options.rpc or options.second_rpc or options.bundler:
        if options.chain_id is None:
            options.chain_id = _network_of(options, settings)
        known = settings.network(options.chain_id)
        named = NetworkSettings(
            options.chain_id,
            rpc=options.rpc or known.rpc,
            second_rpc=options.second_rpc or ("" if options.rpc == known.second_rpc else known.second_rpc),
            bundler=options.bundler or known.bundler,
        )
        settings = settings.with_network(named)
    return Chains(lambda: settings)


def named_accounts(options: Namespace, book: Book) -> tuple[Account, ...]:
    """The accounts a command is about, from the book and the options. An address that is not in the book will do where the network is
    known. Raises BadInput."""
    from latchkey.flow.accounts import from_address, parse_address, recognise

    here = [account for account in book.accounts() if options.chain_id in (None, account.chain_id)]
    if not options.account:
        return tuple(here)
    address = parse_address(options.account, "account")
    if found := tuple(account for account in here if account.address == address):
        return found
    if options.chain_id is None:
        raise BadInput(tr("This account is not in the book: say which network it is on, with --chain-id."), path="chainId")
    owners = [key.address for key in book.keys()]  # noqa: SIM118  a method of the book
    return (recognise(options.chain_id, address, owners) or from_address(options.chain_id, address),)


def _network_of(options: Namespace, settings: Settings) -> int:
    if options.rpc:
        from latchkey.flow.chains import Chains
        from latchkey.store.settings import NetworkSettings

        asked = replace(settings, networks=(NetworkSettings(1, rpc=options.rpc),))  # under any number, to ask for its own
        return Chains(lambda: asked).node(1).chain_id()
    if len(settings.networks) == 1:
        return settings.networks[0].chain_id
    raise BadInput(tr("Say which network this is for, with --chain-id."), path="chainId")
