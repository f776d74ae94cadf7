"""The nodes a person has set, by network. Nothing is asked of any before somebody asks for it: making one makes no request.

chains = Chains(lambda: context.settings)
node = chains.node(chain_id)         raises NotSet when Settings name no RPC for it
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from latchkey.core.networks import network
from latchkey.errors import ChainError
from latchkey.language import tr
from latchkey.offline import is_offline

if TYPE_CHECKING:
    from latchkey.chain.node import Node
    from latchkey.core.session import Block
    from latchkey.store.settings import Settings


class NotSet(ChainError):
    """Nobody said where this network is to be reached. Code "Offline" when this program reaches none."""


class Chains:
    """Thread-safe. A node is kept while its address and the proxy stay the same, so what it learned about the RPC is, too."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._nodes: dict[tuple[str, str], Node] = {}
        self._seen: dict[int, Block] = {}
        self._turn = threading.Lock()

    def is_set(self, chain_id: int) -> bool:
        """Whether there is an RPC for the network, and this program may use it."""
        return not is_offline() and bool(self._settings().network(chain_id).rpc)

    def node(self, chain_id: int) -> Node:
        """Raises NotSet."""
        if is_offline():
            raise NotSet(tr("This Latchkey is offline and asks no network."), code="Offline")
        url = self._settings().network(chain_id).rpc
        if not url:
            raise NotSet(tr("No RPC is set for {name}. Set one in Settings, under Networks.", name=network(chain_id).name))
        return self._node(url)

    def second(self, chain_id: int) -> Node | None:
        """The RPC that must agree with the first, None when none is set."""
        return self._optional(self._settings().network(chain_id).second_rpc)

    def bundler(self, chain_id: int) -> Node | None:
        """Where user operations are handed in, None when none is set."""
        return self._optional(self._settings().network(chain_id).bundler)

    def saw(self, chain_id: int, block: Block) -> None:
        """A reading was made at this block; kept while the program runs, for the foot of the window."""
        with self._turn:
            self._seen[chain_id] = block

    def seen(self, chain_id: int) -> Block | None:
        """The block of the last reading, None before there was one."""
        with self._turn:
            return self._seen.get(chain_id)

    def close(self) -> None:
        """Drop the connections."""
        with self._turn:
            nodes, self._nodes = self._nodes, {}
        for node in nodes.values():
            node.close()

    def _optional(self, url: str) -> Node | None:
        return self._node(url) if url and not is_offline() else None

    def _node(self, url: str) -> Node:
        from latchkey.chain.node import Node  # not quick to load, and not there at all in the offline profile

        proxy = self._settings().proxy
        with self._turn:
            node = self._nodes.get((url, proxy))
            if node is None:
                node = self._nodes[url, proxy] = Node(url, proxy=proxy)
            return node
