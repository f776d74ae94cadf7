"""The RPC that a command is told to ask with --rpc."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from latchkey.flow.chains import NotSet
from latchkey.language import tr
from latchkey.offline import is_offline

if TYPE_CHECKING:
    from latchkey.chain.node import Node


@contextmanager
def node_at(url: str) -> Iterator[Node | None]:
    """The node for the length of the block; None for "". Raises NotSet when this program reaches no network."""
    if not url:
        yield None
        return
    if is_offline():
        raise NotSet(tr("This Latchkey is offline and asks no network."), code="Offline")
    from latchkey.chain.node import Node

    with closing(Node(url)) as node:
        yield node
