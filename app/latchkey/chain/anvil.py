"""anvil, the program that runs the practice chain: where it is, and running it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from latchkey.errors import ChainError
from latchkey.language import tr

CHAIN_ID = 31337
_START = 20.0  # seconds
CHECKOUT_MODULES = Path(__file__).resolve().parents[3] / "tests" / "devnet" / "node_modules"  # there in a checkout only


def find_anvil() -> Path | None:
    """LATCHKEY_ANVIL where that is set, else anvil on the PATH, else the one a checkout's tests have installed."""
    if named := os.environ.get("LATCHKEY_ANVIL"):
        return Path(named) if shutil.which(named) else None
    if found := shutil.which("anvil"):
        return Path(found)
    return packaged_anvil(CHECKOUT_MODULES)


def packaged_anvil(modules: Path) -> Path | None:
    """anvil as npm installs it for this system, None when it is not there."""
    machine = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "")
    name = "anvil.exe" if sys.platform == "win32" else "anvil"
    program = modules / "@foundry-rs" / f"anvil-{sys.platform}-{machine}" / "bin" / name
    return program if program.is_file() else None


@contextmanager
def anvil(program: Path, *, port: int = 0) -> Iterator[str]:
    """The URL of an empty chain: loopback only, hardfork prague; port 0 lets the system choose. Raises ChainError.

    In a process group of its own, so that the terminal's Ctrl+C reaches Latchkey alone, which then ends it.
    """
    command = [str(program), "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(CHAIN_ID), "--hardfork", "prague"]
    environment = {**os.environ, "NO_COLOR": "1"}
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
        )
    except OSError:
        raise ChainError(tr("anvil cannot be started."), code="NoAnvil") from None
    assert process.stdout is not None
    reader = threading.Thread(target=process.stdout.read, daemon=True)
    with process:
        try:
            chosen = _port(process)
            reader.start()  # what comes after the greeting is thrown away, or anvil would wait for somebody to read it
            yield f"http://127.0.0.1:{chosen}"
        finally:
            process.terminate()
            if reader.is_alive():
                reader.join()


def _port(process: subprocess.Popen[str]) -> int:
    """Read from the greeting."""
    assert process.stdout is not None
    watch = threading.Timer(_START, process.kill)
    watch.start()
    try:
        for line in process.stdout:
            if found := re.match(r"Listening on 127\.0\.0\.1:(\d+)", line):
                return int(found[1])
            if "Address already in use" in line:
                raise ChainError(tr("Another program uses this port; leave --port away to have a free one."), code="PortTaken")
    finally:
        watch.cancel()
    raise ChainError(tr("anvil did not start."), code="NoAnvil")
