"""Compile contracts/*.sol into resources/practice/contracts/*.json: `python -m tests.devnet.compile`. Run it after a change to a source.

An artifact holds the interface and the runtime code. The code carries no metadata hash, so equal sources give equal bytes.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.devnet.node import environment, install, node

CONTRACTS = Path(__file__).parent / "contracts"
ARTIFACTS = Path(__file__).parents[2] / "resources" / "practice" / "contracts"
# Not solc's own command: it leaves before its output is written out to a pipe.
_COMPILE = """
import solc from "solc";
import { text } from "node:stream/consumers";
process.stdout.write(solc.compile(await text(process.stdin)));
"""
_SETTINGS = {
    "evmVersion": "cancun",
    "optimizer": {"enabled": True, "runs": 200},
    "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
    "outputSelection": {"*": {"*": ["abi", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]}},
}


def compile_all() -> dict[str, dict[str, Any]]:
    """Every contract that has code, by name: {"contract", "source", "compiler", "abi", "runtime"}."""
    sources = {path.name: {"content": path.read_text()} for path in sorted(CONTRACTS.glob("*.sol"))}
    solc = install() / "solc"
    done = subprocess.run(
        [str(node()), "--input-type=module", "--eval", _COMPILE],
        cwd=solc.parent.parent,
        input=json.dumps({"language": "Solidity", "sources": sources, "settings": _SETTINGS}),
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    output = json.loads(done.stdout)
    problems = [e["formattedMessage"] for e in output.get("errors", [])]
    if problems:
        raise SystemExit("\n".join(problems))
    compiler = json.loads((solc / "package.json").read_text())["version"]
    return {
        name: _artifact(name, source, compiler, contract)
        for source, contracts in output["contracts"].items()
        for name, contract in contracts.items()
        if contract["evm"]["deployedBytecode"]["object"]
    }


def _artifact(name: str, source: str, compiler: str, contract: dict[str, Any]) -> dict[str, Any]:
    code = contract["evm"]["deployedBytecode"]
    if code["immutableReferences"]:
        raise SystemExit(f"{name} has immutables: its code could not be placed as it is")
    return {
        "contract": name,
        "source": source,
        "note": "Test equipment of Latchkey, not the published contract.",
        "compiler": f"solc {compiler}",
        "abi": contract["abi"],
        "runtime": "0x" + code["object"],
    }


def artifact_text(artifact: dict[str, Any]) -> str:
    return json.dumps(artifact, separators=(",", ":"), sort_keys=True) + "\n"


def main() -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    compiled = compile_all()
    for path in ARTIFACTS.glob("*.json"):
        if path.stem not in compiled:
            path.unlink()
    for name, artifact in compiled.items():
        (ARTIFACTS / f"{name}.json").write_text(artifact_text(artifact))
        print(f"{name:32} {len(artifact['runtime']) // 2 - 1:6} bytes")


if __name__ == "__main__":
    main()
