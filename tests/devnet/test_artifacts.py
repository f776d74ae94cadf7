"""The committed artifacts are what the sources compile to, and have the face of the published contracts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from latchkey.core.types import hex_bytes
from tests.devnet.compile import ARTIFACTS, CONTRACTS, artifact_text, compile_all
from tests.devnet.needed import packages
from tests.devnet.node import HERE, environment, node
from tests.devnet.places import PUBLISHED, WORLD, artifact

_FACES = """
const base = "@account-kit/smart-contracts/dist/esm/src/ma-v2/";
const type = (i) => (i.type.startsWith("tuple") ? "(" + i.components.map(type).join(",") + ")" + i.type.slice(5) : i.type);
const wanted = JSON.parse(process.argv[1]);
const found = {};
for (const [name, path] of Object.entries(wanted)) {
  const module = await import(import.meta.resolve("./node_modules/" + base + path));
  found[name] = Object.values(module)[0]
    .filter((e) => e.name)
    .map((e) => `${e.type} ${e.name}(${e.inputs.map((i) => type(i) + (i.indexed ? " indexed" : "")).join(",")})`);
}
process.stdout.write(JSON.stringify(found));
"""
_MODULES = "modules/{0}-module/abis/{1}ModuleAbi.js"
_ABIS = {
    "SemiModularAccountBytecode": "abis/semiModularAccountBytecodeAbi.js",
    "ModularAccount": "abis/modularAccountAbi.js",
    "Factory": "abis/accountFactoryAbi.js",
    "Allowlist": _MODULES.format("allowlist", "allowlist"),
    "NativeTokenLimit": _MODULES.format("native-token-limit", "nativeTokenLimit"),
    "TimeRange": _MODULES.format("time-range", "timeRange"),
    "PaymasterGuard": _MODULES.format("paymaster-guard", "paymasterGuard"),
    "SingleSigner": "modules/single-signer-validation/abis/singleSignerValidationModuleAbi.js",
}
#: What the published factory has besides: its owner, its stake, passkey accounts. Nothing of it makes a session's account.
_FACTORY_ONLY = {"createAccount", "createSemiModularAccount", "getAddress", "getAddressSemiModular", "getSalt"}
_FACTORY_EVENTS = {"ModularAccountDeployed", "SemiModularAccountDeployed"}
_DECLARED_ONLY = {"NotImplemented", "UnexpectedDataPassed"}  # every published module declares both, also where none can be raised


@pytest.fixture(scope="module")
def _packages() -> None:
    packages()


@pytest.mark.usefixtures("_packages")
def test_sources_compile_to_the_artifacts() -> None:
    compiled = compile_all()
    assert {name: artifact_text(a) for name, a in compiled.items()} == {p.stem: p.read_text() for p in ARTIFACTS.glob("*.json")}
    assert len(compiled) >= 19


def test_everything_placed_has_an_artifact_with_the_label() -> None:
    names = {p.stand_in for p in PUBLISHED if p.stand_in} | set(WORLD.values())
    assert names <= {p.stem for p in ARTIFACTS.glob("*.json")}
    for name in names:
        assert artifact(name)["note"] == "Test equipment of Latchkey, not the published contract."
        assert 0 < len(hex_bytes(artifact(name)["runtime"])) <= 24_576
    for source in CONTRACTS.glob("*.sol"):
        assert "Test equipment of Latchkey" in source.read_text().splitlines()[1]


@pytest.fixture(scope="module")
def faces(_packages: None) -> Mapping[str, list[str]]:
    """Functions, events and errors by the interfaces that aa-sdk ships."""
    command = [str(node()), "--input-type=module", "--eval", _FACES, json.dumps(_ABIS)]
    done = subprocess.run(command, cwd=HERE, env=environment(), capture_output=True, text=True, check=True, timeout=250)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def _face(name: str) -> set[str]:
    return {f"{e['type']} {e['name']}({','.join(map(_typed, e['inputs']))})" for e in artifact(name)["abi"] if "name" in e}


def _typed(item: Mapping[str, Any]) -> str:
    kind = str(item["type"])
    if kind.startswith("tuple"):
        kind = f"({','.join(map(_typed, item['components']))}){kind[5:]}"
    return kind + (" indexed" if item.get("indexed") else "")


@pytest.mark.parametrize("name", [n for n in _ABIS if n != "Factory"])
def test_stand_ins_have_the_published_face(name: str, faces: Mapping[str, list[str]]) -> None:
    missing = {e for e in faces[name] if e not in _face(name)}
    assert {e for e in missing if e.partition(" ")[2].partition("(")[0] not in _DECLARED_ONLY} == set()
    assert len(faces[name]) > 8


def test_the_factory_makes_both_kinds_of_account(faces: Mapping[str, list[str]]) -> None:
    wanted = {e for e in faces["Factory"] if e.partition(" ")[2].partition("(")[0] in _FACTORY_ONLY | _FACTORY_EVENTS}
    assert len(wanted) == 7
    assert wanted <= _face("Factory")
