"""The modules' types, by the TypeScript compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.counts import count
from tests.dapp.module import FOLDER
from tests.devnet import node
from tests.devnet.needed import packages

FLAGS = ["--noEmit", "--strict", "--target", "es2023", "--module", "nodenext", "--lib", "es2023,dom", "--typeRoots", "none"]


@pytest.mark.skipif(not count(0, 1), reason="the compiler takes seconds: with LATCHKEY_SOAK=1")
def test_the_types_fit() -> None:
    packages()
    command = [str(node.node()), str(node.MODULES / "typescript/bin/tsc"), *FLAGS, str(Path(__file__).with_name("types.mts"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=node.HERE)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", ["latchkey", "latchkey-codec"])
def test_everything_a_module_gives_has_a_type(name: str) -> None:
    def names(file: Path) -> set[str]:
        lines = (line.split() for line in file.read_text().splitlines() if line.startswith("export "))
        words = ([w for w in line[1:] if w not in ("async", "function", "const", "class")] for line in lines)
        return {line[0].split("(")[0].rstrip(";:") for line in words if line[0] not in ("type", "interface")}

    inner = {"join", "text", "toHex", "fromHex", "given"}
    assert names(FOLDER / f"{name}.mjs") - inner == names(FOLDER / f"{name}.d.mts")
