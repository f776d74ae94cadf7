"""A draft: what is to be granted, tied to an account, a session key and an expiry; nothing is signed yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from latchkey.core.permissions import Permission, permissions_from_json, permissions_to_json
from latchkey.core.types import Address, Selector
from latchkey.core.untrusted import join
from latchkey.errors import BadInput
from latchkey.language import tr


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything the bytes of a grant are made of.

    `system`: account system, e.g. "modular_account". `entity_id`: uint32 the session will have on the account. `nonce_key`: the
    152-bit parallel nonce key only; `sequence`: uint64, 0 for a fresh key. `expiry`: chain seconds, 0 for none.
    `selectors`: selectors added to the validation's own list (experts).
    """

    system: str
    chain_id: int
    account: Address
    entity_id: int
    nonce_key: int
    sequence: int
    expiry: int
    session_key: Address
    permissions: tuple[Permission, ...]
    selectors: tuple[Selector, ...] = ()


_FIELDS = {"system", "chainId", "account", "entityId", "nonceKey", "sequence", "expiry", "sessionKey", "permissions", "selectors"}
_OPTIONAL = {"selectors"}
MAX_CHAIN_ID = 2**63 - 1
_NONCE_KEY = re.compile(r"0[xX][0-9a-fA-F]{1,38}")


def draft_from_json(value: Any) -> Draft:
    """Read the command line's draft object. Raises BadInput naming the field; whether it may be granted is judged later."""
    if not isinstance(value, dict):
        raise BadInput(tr("A draft is a JSON object."))
    for name in sorted(_FIELDS - _OPTIONAL - value.keys()):
        raise BadInput(tr("{name} is missing.", name=name), path=name)
    for name in value.keys() - _FIELDS:
        where = join("", (name,))
        raise BadInput(tr("{where} is not a field of a draft.", where=where), path=where)
    system = value["system"]
    if not isinstance(system, str) or len(system) > 64:
        raise BadInput(tr("system: expected the name of an account system."), path="system")
    selectors = value.get("selectors", [])
    if not isinstance(selectors, list) or len(selectors) > 256:
        raise BadInput(tr("selectors: expected a list of at most 256 function selectors."), path="selectors")
    return Draft(
        system=system,
        chain_id=_integer(value["chainId"], "chainId", MAX_CHAIN_ID, least=1),
        account=Address.parse(value["account"], path="account"),
        entity_id=_integer(value["entityId"], "entityId", 2**32 - 1),
        nonce_key=_key(value["nonceKey"]),
        sequence=_integer(value["sequence"], "sequence", 2**64 - 1),
        expiry=_integer(value["expiry"], "expiry", 2**64 - 1),
        session_key=Address.parse(value["sessionKey"], path="sessionKey"),
        permissions=permissions_from_json(value["permissions"]),
        selectors=tuple(Selector.parse(s, path=f"selectors[{i}]") for i, s in enumerate(selectors)),
    )


def draft_to_json(draft: Draft) -> dict[str, Any]:
    """The inverse of `draft_from_json`; `selectors` only when there are any."""
    result: dict[str, Any] = {
        "system": draft.system,
        "chainId": draft.chain_id,
        "account": str(draft.account),
        "entityId": draft.entity_id,
        "nonceKey": hex(draft.nonce_key),
        "sequence": draft.sequence,
        "expiry": draft.expiry,
        "sessionKey": str(draft.session_key),
        "permissions": permissions_to_json(draft.permissions),
    }
    if draft.selectors:
        result["selectors"] = [str(s) for s in draft.selectors]
    return result


def _integer(value: Any, path: str, most: int, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadInput(tr("{path}: expected a whole number from {least} to {most}.", path=path, least=least, most=most), path=path)
    return value


def _key(value: Any) -> int:
    """The parallel nonce key: hex string, at most 152 bits."""
    if not isinstance(value, str) or not _NONCE_KEY.fullmatch(value):
        raise BadInput(tr("nonceKey: expected a 152-bit number in hexadecimal (0x and 1 to 38 digits)."), path="nonceKey")
    return int(value, 16)
