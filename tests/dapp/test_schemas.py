"""The published JSON schemas: current, and of one mind with the readers."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from latchkey.bridge.faults import Code, Fault
from latchkey.codec.hand_over import Envelope, Kind, from_json, to_json
from latchkey.codec.inbox import open_text
from latchkey.codec.requests import request_to_json
from latchkey.codec.wallet_api import MAX_EXPIRY
from latchkey.core.request import SessionRequest
from latchkey.errors import BadInput
from tests.codec.strategies import grants, requests
from tests.counts import count

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "resources/dapp/schemas"
SCHEMAS = {file.stem: Draft202012Validator(json.loads(file.read_text())) for file in FOLDER.glob("*.json")}
VECTORS = json.loads((ROOT / "tests/vectors/hand_over.json").read_text())["envelopes"]
REQUEST: dict[str, Any] = {
    "chainId": "0x1",
    "account": "0x" + "11" * 20,
    "expirySec": 1_800_000_000,
    "key": {"publicKey": "0x" + "22" * 20, "type": "secp256k1"},
    "permissions": [{"type": "contract-access", "data": {"address": "0x" + "33" * 20}}],
    "latchkey": {"requestId": "r-1", "name": "Rooms", "names": [{"address": "0x" + "33" * 20, "name": "Rooms", "decimals": 6}]},
}
GRANT = next(one["json"] for one in VECTORS if one["json"]["kind"] == "signed-grant" and "requestId" in one["json"])


def test_they_are_current() -> None:
    spec = spec_from_file_location("schemas", ROOT / "packaging/schemas.py")
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    assert {name: made.text(schema) for name, schema in made.schemas().items()} == {
        file.name: file.read_text() for file in FOLDER.iterdir()
    }, "run make schemas"


@pytest.mark.parametrize("validator", SCHEMAS.values(), ids=SCHEMAS)
def test_they_are_schemas(validator: Draft202012Validator) -> None:
    Draft202012Validator.check_schema(validator.schema)


@given(request=requests())
@settings(max_examples=count(30, 1000), deadline=None)
def test_every_request_fits(request: SessionRequest) -> None:
    assume((request.expiry or 0) <= MAX_EXPIRY)  # only a hand-over can ask for more
    asked = request_to_json(request)
    asked["latchkey"].pop("altered", None)  # Latchkey's own word
    SCHEMAS["request"].validate(asked)


@given(envelope=grants())
@settings(max_examples=count(30, 1000), deadline=None)
def test_every_signed_grant_fits(envelope: Envelope) -> None:
    if envelope.kind is Kind.SIGNED_GRANT:
        SCHEMAS["grant"].validate(to_json(envelope))
    else:
        assert not SCHEMAS["grant"].is_valid(to_json(envelope))


def changed(value: Any, path: str, new: Any) -> Any:
    value = json.loads(json.dumps(value))
    *way, last = path.split(".")
    place = value
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    if new is ...:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = new
    return value


WRONG = [
    ("permissions", ...), ("permissions", []), ("permissions", {}), ("permissions.0.type", "everything"), ("permissions.0.type", ...),
    ("permissions.0.data", ...), ("permissions.0.data.address", "0x12"), ("permissions.0.data.address", 1),
    ("permissions.0.data.more", 1), ("permissions.0.more", 1), ("chainId", "one"), ("chainId", 0), ("chainId", 1.5), ("chainId", 2**63),
    ("account", "0x"), ("account", 1), ("expirySec", -1), ("expirySec", "1"), ("expirySec", 10_000_000_000), ("key", "0x12"),
    ("key.publicKey", ...), ("key.publicKey", "0x" + "zz" * 20), ("key.type", "ed25519"), ("key.more", 1), ("more", 1),
    ("latchkey.requestId", ""), ("latchkey.requestId", "r 1"), ("latchkey.requestId", "r" * 65), ("latchkey.name", 7),
    ("latchkey.handOverKey", "0x" + "11" * 31), ("latchkey.names.0.decimals", 78), ("latchkey.names.0.address", ...),
    ("latchkey.functions", "claim()"), ("latchkey.functions", ["f()"] * 129), ("latchkey.more", 1), ("latchkey.callback", "http://a.example"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "new"), WRONG)
def test_what_the_reader_refuses_the_schema_refuses(path: str, new: Any) -> None:
    wrong = changed(REQUEST, path, new)
    assert SCHEMAS["request"].is_valid(REQUEST)
    assert not SCHEMAS["request"].is_valid(wrong)
    with pytest.raises(BadInput):
        open_text(json.dumps(wrong))


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("latchkey", 2), ("kind", "request"), ("deferredAction", ...), ("deferredAction", "0x1"), ("nonce", "12"), ("chainId", "0x1"),
        ("entityId", -1), ("entityId", 2**32), ("mode", "other"), ("key.type", "x"), ("unsigned", "0x00"), ("more", 1), ("account", ...),
    ],
)  # fmt: skip
def test_the_same_for_grants(path: str, new: Any) -> None:
    wrong = changed(GRANT, path, new)
    assert SCHEMAS["grant"].is_valid(GRANT)
    assert not SCHEMAS["grant"].is_valid(wrong)
    if (path, new) != ("kind", "request"):
        with pytest.raises(BadInput):
            from_json(wrong)


@pytest.mark.parametrize("code", Code)
def test_errors_fit(code: Code) -> None:
    for path in ("", "params[0].key"):
        SCHEMAS["error"].validate(Fault(code, "A sentence.", path=path).to_json())
    assert not SCHEMAS["error"].is_valid({"code": 7, "message": "A sentence."})
