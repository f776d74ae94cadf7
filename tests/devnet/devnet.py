"""The practice chain: anvil on loopback with the EntryPoint, the account contracts or their stand-ins, and things to play with.

`python -m tests.devnet.devnet [--clone-from URL] [--bundler]` runs one until Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.core.types import Address, hex_bytes, keccak, to_hex
from tests.devnet import bundler as bundlers
from tests.devnet.clone import KNOWN, CannotClone, clone_code
from tests.devnet.node import NpmUnavailable, install
from tests.devnet.places import DETERMINISTIC_DEPLOYER, ENTRY_POINT_SALT, PAYMASTER, PUBLISHED, SENDER_CREATOR, WORLD, runtime
from tests.devnet.rpc import Rpc

CHAIN_ID = 31337
_START = 20.0  # seconds
_ETHER = 10**18


class Source(StrEnum):
    CLONE = "clone"  # copied from a chain that has it
    STAND_IN = "stand-in"  # our own
    NPM = "npm"  # the published package's own deployment


@dataclass(frozen=True, slots=True)
class Placed:
    """One published address on this chain."""

    name: str
    address: Address
    code_hash: str
    source: Source

    def __str__(self) -> str:
        return f"{self.address} {self.code_hash} source={self.source}"


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
    copied = clone_code(clone_from, known=known) if clone_from else {}
    with ExitStack() as stack:
        url = stack.enter_context(anvil(modules))
        rpc = Rpc(url)
        stack.callback(rpc.close)
        _deploy_entry_point(rpc, modules)
        _place(rpc, copied)
        _fund(rpc)
        placed = tuple(_placed(rpc, copied))
        bundler_url = stack.enter_context(bundlers.alto(modules, url)) if bundler else ""
        yield Devnet(url, rpc, placed, bundler_url)


@contextmanager
def anvil(modules: Path) -> Iterator[str]:
    """The URL of an empty chain: loopback only, a port the system chose, hardfork prague."""
    command = [_anvil(modules), "--host", "127.0.0.1", "--port", "0", "--chain-id", str(CHAIN_ID), "--hardfork", "prague"]
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=process.stdout.read, daemon=True)
        try:
            port = _port(process)
            reader.start()  # what comes after the greeting is thrown away, or anvil would wait for somebody to read it
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            if reader.is_alive():
                reader.join()


def _anvil(modules: Path) -> str:
    machine = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "")
    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}.get(sys.platform, "")
    program = modules / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / ("anvil.exe" if system == "win32" else "anvil")
    if not program.is_file():
        raise NpmUnavailable("anvil is not offered for this system.")
    return str(program)


def _port(process: subprocess.Popen[str]) -> int:
    """Read from the greeting."""
    assert process.stdout is not None
    watch = threading.Timer(_START, process.kill)
    watch.start()
    try:
        for line in process.stdout:
            found = re.match(r"Listening on 127\.0\.0\.1:(\d+)", line)
            if found:
                return int(found[1])
    finally:
        watch.cancel()
    raise RuntimeError("anvil did not start")


def _deploy_entry_point(rpc: Rpc, modules: Path) -> None:
    """The published package's creation code through the deterministic deployer: the canonical address follows."""
    packed = json.loads((modules / "@account-abstraction/contracts/artifacts/EntryPoint.json").read_text())
    data = to_hex(ENTRY_POINT_SALT) + packed["bytecode"][2:]
    sender = rpc("eth_accounts")[0]
    request = {"from": sender, "to": DETERMINISTIC_DEPLOYER, "data": data, "gas": hex(8_000_000)}
    rpc.receipt(rpc("eth_sendTransaction", request))
    if not hex_bytes(rpc("eth_getCode", ENTRY_POINT, "latest")):
        raise RuntimeError("the EntryPoint is not where it should be")


def _place(rpc: Rpc, copied: Mapping[Address, bytes]) -> None:
    codes = {address: runtime(name) for address, name in WORLD.items()}
    codes |= dict(copied) or {p.address: runtime(p.stand_in) for p in PUBLISHED if p.stand_in}
    rpc.batch(("anvil_setCode", address, to_hex(code)) for address, code in codes.items())


def _fund(rpc: Rpc) -> None:
    """The paymaster gets a deposit at the EntryPoint, to pay for everybody."""
    sender = rpc("eth_accounts")[9]
    deposit = to_hex(hex_bytes("0xb760faf9") + bytes(12) + PAYMASTER.raw)  # depositTo(address)
    request = {"from": sender, "to": ENTRY_POINT, "value": hex(100 * _ETHER), "data": deposit}
    rpc.receipt(rpc("eth_sendTransaction", request))


def _placed(rpc: Rpc, copied: Mapping[Address, bytes]) -> Iterator[Placed]:
    answers = rpc.batch(("eth_getCode", p.address, "latest") for p in PUBLISHED)
    for published, answer in zip(PUBLISHED, answers, strict=True):
        code = hex_bytes(answer)
        if not code:
            continue
        npm = published.address in (ENTRY_POINT, SENDER_CREATOR)
        source = Source.CLONE if published.address in copied else Source.NPM if npm else Source.STAND_IN
        yield Placed(published.name, published.address, to_hex(keccak(code)), source)


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
