"""alto, a bundler from npm, beside a practice chain. A test dependency only; nothing of Latchkey needs one."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from tests.devnet.node import HERE, environment, node
from tests.devnet.rpc import Rpc, RpcError, Unreachable

# Accounts 7 and 8 of anvil's public test mnemonic.
_EXECUTOR = "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"
_UTILITY = "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"
_START = 120.0  # seconds


@contextmanager
def alto(modules: Path, chain_url: str) -> Iterator[str]:
    """The bundler's URL, loopback only."""
    port = _free_port()
    command = [str(node()), "--require", str(HERE / "loopback.cjs"), str(modules / ".bin" / "alto"), "run"]
    command += ["-e", str(ENTRY_POINT), "-r", chain_url, "--port", str(port), "-x", _EXECUTOR, "-u", _UTILITY]
    command += ["--safe-mode", "false", "--min-executor-balance", "0", "--log-level", "error"]
    process = subprocess.Popen(command, cwd=HERE, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end and process.poll() is None:
        try:
            with closing(Rpc(url, timeout=2)) as rpc:
                rpc("eth_supportedEntryPoints")
            return
        except (Unreachable, RpcError):
            time.sleep(0.1)
    raise RuntimeError("the bundler did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
