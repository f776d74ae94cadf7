"""What a dApp and Alchemy's Wallet APIs say to each other about a session: the call `wallet_createSession` and its answer.

The service compiles permissions into bytes and chooses ids; the owner's signature on the answer's typed data is the grant. What those
bytes mean is read by `flow.wallet_api`; here only the answer's form is judged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import TypeAdapter

from latchkey.codec.fields import CONFIG, AnyChainId, reader
from latchkey.core.permissions import PaymasterGuard, permissions_to_json
from latchkey.core.request import SessionRequest
from latchkey.core.types import hex_bytes
from latchkey.core.untrusted import check
from latchkey.errors import BadInput, Mismatch
from latchkey.language import tr

METHOD = "wallet_createSession"
MAX_EXPIRY = 9_999_999_999  # seconds; the Wallet APIs' own limit
MAX_TYPED_DATA = 64 * 1024
_REQUEST_ID = "wallet-apis-"  # so that the service's name for a session is told from a dApp's name for its request


@dataclass(frozen=True, slots=True)
class CreatedSession:
    """An answer. `session_id`: 16 bytes, the service's name for the session. `typed_data`: JSON, what is to be signed. `digest`: 32 bytes,
    what the service says that is; never signed as it is."""

    session_id: bytes
    chain_id: int
    typed_data: bytes
    digest: bytes

    @property
    def request_id(self) -> str:
        """What the session is called where requests have names: a session is signed once."""
        return _REQUEST_ID + self.session_id.hex()

    def check_digest(self, digest: bytes) -> None:
        """`digest`: of the typed data, computed here. Raises Mismatch when the service says it is another."""
        if digest != self.digest:
            raise Mismatch(
                tr("What the Wallet APIs want signed is not what they show: the two have different digests. Nothing was signed."),
                code="RawPayloadDiffers",
                path="signatureRequest.rawPayload",
            )


def session_id_of(request_id: str) -> bytes | None:
    """The inverse of `CreatedSession.request_id`; None for other requests' names. For checking a context that is there: anybody may call
    a request so."""
    if not request_id.startswith(_REQUEST_ID):
        return None
    try:
        return hex_bytes("0x" + request_id.removeprefix(_REQUEST_ID), size=16)
    except BadInput:
        return None


@dataclass(frozen=True, slots=True)
class _SignatureRequest:
    __pydantic_config__: ClassVar = CONFIG
    type: Literal["eth_signTypedData_v4"]
    data: dict[str, Any]
    raw_payload: Annotated[bytes, reader(hex_bytes, size=32)]


@dataclass(frozen=True, slots=True)
class _Answer:
    __pydantic_config__: ClassVar = CONFIG
    session_id: Annotated[bytes, reader(hex_bytes, size=16)]
    chain_id: AnyChainId
    signature_request: _SignatureRequest


@dataclass(frozen=True, slots=True)
class _Reply:
    """The JSON-RPC answer around it."""

    __pydantic_config__: ClassVar = CONFIG
    result: Any
    jsonrpc: Any = None
    id: Any = None


_ANSWER, _REPLY = TypeAdapter(_Answer), TypeAdapter(_Reply)


def is_answer(value: dict[str, Any]) -> bool:
    """Whether it looks like one; reading it may still fail."""
    inner = value.get("result", value)
    return isinstance(inner, dict) and bool({"signatureRequest", "sessionId", "rawPayload"} & inner.keys())


def read_answer(value: Any) -> CreatedSession:
    """From JSON, with its JSON-RPC envelope or without. Raises BadInput naming the field."""
    if isinstance(value, dict) and "result" in value:
        value = check(_REPLY, value).result
    found = check(_ANSWER, value)
    typed = json.dumps(found.signature_request.data, separators=(",", ":")).encode()
    if len(typed) > MAX_TYPED_DATA:
        where = "signatureRequest.data"
        raise BadInput(
            tr("{where} is too large: at most {max_typed_data} KiB are read.", where=where, max_typed_data=MAX_TYPED_DATA // 1024),
            code="TooLarge",
            path=where,
        )
    return CreatedSession(found.session_id, found.chain_id, typed, found.signature_request.raw_payload)


def call_params(request: SessionRequest) -> dict[str, Any]:
    """The call's one parameter. Raises BadInput for what the service cannot be asked: it needs an account, a network and a key, and knows
    eight kinds of permission."""
    for name, value in (("account", request.account), ("chainId", request.chain_id), ("key", request.session_key)):
        if value is None:
            raise BadInput(
                tr("{name} is missing: the Wallet APIs make a session for a known account, network and key.", name=name), path=name
            )
    if any(isinstance(permission, PaymasterGuard) for permission in request.permissions):
        raise BadInput(tr("The Wallet APIs know no paymaster-guard; Latchkey alone can grant it."), path="permissions")
    if request.expiry is not None and request.expiry > MAX_EXPIRY:
        raise BadInput(tr("expirySec: the Wallet APIs take at most {max_expiry}.", max_expiry=MAX_EXPIRY), path="expirySec")
    end = {} if request.expiry is None else {"expirySec": request.expiry}
    return {
        "account": request.account,
        "chainId": hex(request.chain_id or 0),
        **end,
        "key": {"publicKey": request.session_key, "type": request.key_type},
        "permissions": permissions_to_json(request.permissions),
    }
