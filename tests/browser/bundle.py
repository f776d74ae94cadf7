"""A module in one file with all that it takes from npm, as a dApp's build makes it for browsers (esbuild)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.devnet import node


def bundled(file: Path) -> str:
    """Latchkey's own modules stay apart, and nothing is put in for what browsers lack of Node."""
    command = [str(node.node()), str(node.MODULES / "esbuild/bin/esbuild"), str(file)]
    command += ["--bundle", "--format=esm", "--platform=browser", "--external:./latchkey*.mjs", "--log-level=warning"]
    environment = {**node.environment(), "NODE_PATH": str(node.MODULES)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout
