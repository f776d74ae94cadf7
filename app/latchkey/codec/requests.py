"""A session request as JSON: the Wallet APIs' words with Latchkey's additions, as `inbox.open_text` reads it."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from latchkey.codec.fields import ClaimsModel, claims_model
from latchkey.core.permissions import permissions_to_json
from latchkey.core.request import SessionRequest
from latchkey.core.types import to_hex

_CLAIMS = TypeAdapter(ClaimsModel)


def request_to_json(request: SessionRequest) -> dict[str, Any]:
    """What the request says, all of it but its account system; what it leaves open is left out."""
    claims = claims_model(request.claims)
    value: dict[str, Any] = {
        "account": request.account,
        "chainId": None if request.chain_id is None else hex(request.chain_id),
        "expirySec": request.expiry,
        "key": {"publicKey": request.session_key, "type": request.key_type} if request.session_key else None,
        "permissions": permissions_to_json(request.permissions),
        "latchkey": {
            "requestId": request.request_id,
            **({"handOverKey": to_hex(request.hand_over_key)} if request.hand_over_key else {}),
            **({"callback": request.callback} if request.callback else {}),
            **(_CLAIMS.dump_python(claims, mode="json", by_alias=True, exclude_none=True) if claims else {}),
        },
    }
    return {name: item for name, item in value.items() if item is not None}
