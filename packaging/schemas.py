"""resources/dapp/schemas/: what dApps send and get as JSON Schema (2020-12), made from the models that read it. `make schemas`.

They are for other people's tools, and narrower than the readers in what is only tolerated (null for left out, 0X for 0x).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from latchkey.bridge.faults import Code
from latchkey.codec import hand_over, inbox
from latchkey.codec.fields import ClaimsModel
from latchkey.codec.hand_over import Kind
from latchkey.core.permissions import KINDS, MAX_PERMISSIONS

FOLDER = Path(__file__).parents[1] / "resources/dapp/schemas"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def schemas() -> dict[str, Schema]:
    """By file name."""
    return {
        "request.json": _titled("A session request: the parameter of wallet_createSession, with Latchkey's own object", _request()),
        "grant.json": _titled("A signed grant: the answer to a session request", _grant()),
        "error.json": _titled("What the bridge answers instead of a result", _error()),
    }


def _request() -> Schema:
    request, own, claims = (_of(model) for model in (inbox._REQUEST, inbox._ADDRESSING, TypeAdapter(ClaimsModel)))
    request["properties"]["permissions"] = _permissions()
    request["properties"]["latchkey"] = _object({**own["properties"], **_without(claims["properties"], "altered")}, ())
    return request


def _grant() -> Schema:
    twin = _of(hand_over._TWIN)
    needed, allowed = hand_over._RULES[Kind.SIGNED_GRANT]
    fields: Schema = {name: twin["properties"][name] for name in twin["properties"] if name in allowed}
    fields |= {"latchkey": {"const": hand_over.VERSION}, "kind": {"const": str(Kind.SIGNED_GRANT)}, "permissions": _permissions()}
    asked = {**fields["asked"]["properties"], "permissions": _permissions()}
    fields["asked"] = _object(asked, ("permissions",))
    return _object(fields, tuple(name for name in fields if name in needed))


def _error() -> Schema:
    return _object(
        {
            "code": {"enum": sorted(int(code) for code in Code)},
            "message": {"type": "string"},
            "data": _object({"path": {"type": "string"}}, ("path",)),
        },
        ("code", "message"),
    )


def _permissions() -> Schema:
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": MAX_PERMISSIONS,
        "items": {"oneOf": [_permission(kind) for kind in KINDS.values()]},
    }


def _permission(kind: Any) -> Schema:
    data = _of(TypeAdapter(kind))
    fields = {"type": {"const": kind.type}, "data": data}
    return _object(fields, ("type", "data") if data["properties"] else ("type",))


def _object(fields: Schema, needed: tuple[str, ...]) -> Schema:
    return {"type": "object", "properties": fields, "required": list(needed), "additionalProperties": False}


def _of(adapter: TypeAdapter[Any]) -> Schema:
    whole = adapter.json_schema(by_alias=True)
    found: Schema = _plain(whole, whole.get("$defs", {}))
    return found


def _plain(value: Any, named: Schema) -> Any:
    """Without references, titles, defaults and the null that stands for left out; lengths of lists by the name lists have for them."""
    if isinstance(value, list):
        return [_plain(one, named) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _plain(named[value["$ref"].rpartition("/")[2]], named)
    if "anyOf" in value:
        kept = [one for one in value["anyOf"] if one != {"type": "null"}]
        value = _without(value, "anyOf")
        if len(kept) == 1:
            return _plain({**value, **kept[0]}, named)
        value |= {"anyOf": kept}
    plain = {name: _plain(one, named) for name, one in value.items() if name not in ("title", "default", "$defs", "description")}
    if "properties" in value:
        plain["properties"] = {name: _plain(one, named) for name, one in value["properties"].items()}
    if plain.get("type") == "array" and "maxLength" in plain:
        plain["maxItems"] = plain.pop("maxLength")
    return plain


def _without(fields: Schema, *names: str) -> Schema:
    return {name: value for name, value in fields.items() if name not in names}


def _titled(title: str, schema: Schema) -> Schema:
    return {"$schema": _DIALECT, "title": title, **schema}


def text(schema: Schema) -> str:
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / name).write_text(text(schema))
