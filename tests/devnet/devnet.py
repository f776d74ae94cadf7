"""The program's practice chain as tests start it: anvil from npm, and a bundler where one is wanted.

`python -m tests.devnet.devnet [--clone-from URL] [--bundler]` runs one until Ctrl-C.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from latchkey.chain.anvil import CHAIN_ID, packaged_anvil
from latchkey.chain.clone import KNOWN, CannotClone
from latchkey.chain.practice import Placed, Source, practice_chain
from latchkey.chain.rpc import Rpc
from latchkey.core.types import Address
from tests.devnet import bundler as bundlers
from tests.devnet.node import NpmUnavailable, install

__all__ = ["CHAIN_ID", "Devnet", "Placed", "Source", "devnet"]


@dataclass(frozen=True, slots=True)
class Devnet:
    """`placed`: every published address that has code here. `bundler_url`: "" without a bundler."""

    url: str
    rpc: Rpc
    placed: tuple[Placed, ...]
    bundler_url: str = ""

    @property
    def cloned(self) -> bool:
        return any(p.source is Source.CLONE for p in self.placed)


@contextmanager
def devnet(*, clone_from: str = "", bundler: bool = False, known: Mapping[Address, str] = KNOWN) -> Iterator[Devnet]:
    """A fresh practice chain, gone at the end. `known`: code hashes that copied code must have.

    Raises NpmUnavailable or CannotClone before anything is started.
    """
    modules = install()
    program = packaged_anvil(modules)
    if program is None:
        raise NpmUnavailable("anvil is not offered for this system.")
    with ExitStack() as stack:
        chain = stack.enter_context(practice_chain(program, clone_from=clone_from, known=known))
        bundler_url = stack.enter_context(bundlers.alto(modules, chain.url)) if bundler else ""
        yield Devnet(chain.url, chain.rpc, chain.placed, bundler_url)


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs a practice chain until Ctrl-C.")
    parser.add_argument(
        "--clone-from", default="", metavar="URL", help="copy the published contracts from the chain behind this RPC"
    )
    parser.add_argument("--bundler", action="store_true", help="start a bundler beside it")
    options: Any = parser.parse_args()
    try:
        with devnet(clone_from=options.clone_from, bundler=options.bundler) as chain:
            print(f"chain   {chain.url} (chain id {CHAIN_ID})")
            print(f"bundler {chain.bundler_url or 'none'}")
            print("\n".join(f"{placed} {placed.name}" for placed in chain.placed), flush=True)
            threading.Event().wait()
    except (CannotClone, NpmUnavailable) as problem:
        raise SystemExit(str(problem)) from None
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
