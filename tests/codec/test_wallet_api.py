"""The Wallet APIs' answers: their own published example, and what is not quite one."""

import json
from pathlib import Path
from typing import Any

import pytest

from latchkey.codec.inbox import open_any, open_as, open_text
from latchkey.codec.wallet_api import CreatedSession, call_params, read_answer, session_id_of
from latchkey.core.permissions import PaymasterGuard, Root
from latchkey.core.request import SessionRequest
from latchkey.core.types import Address
from latchkey.errors import BadInput, LatchkeyError

_EXAMPLE = json.loads((Path(__file__).parents[1] / "vectors/wallet_api.json").read_text())
REQUEST, ANSWER = _EXAMPLE["request"], _EXAMPLE["answer"]


def changed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (ANSWER | changes).items() if value is not None}


def asked(**changes: Any) -> dict[str, Any]:
    return changed(signatureRequest={k: v for k, v in (ANSWER["signatureRequest"] | changes).items() if v is not None})


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ANSWER),
        json.dumps({"jsonrpc": "2.0", "id": 1, "result": ANSWER}),
        json.dumps(ANSWER, indent=2).encode(),
    ],
)
def test_an_answer_is_read_in_every_form(text: str | bytes) -> None:
    found = open_any(text)
    assert isinstance(found, CreatedSession)
    assert (found.session_id.hex(), found.chain_id) == ("cd8b2d07a6fa76f1e8a5eaa8f3a7883c", 1)
    assert json.loads(found.typed_data) == ANSWER["signatureRequest"]["data"]
    assert found.digest.hex() == ANSWER["signatureRequest"]["rawPayload"][2:]
    assert session_id_of(found.request_id) == found.session_id
    assert open_as(text, CreatedSession) == found
    with pytest.raises(BadInput, match="answer to a session request") as caught:
        open_text(text)
    assert caught.value.code == "OtherKind"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (changed(sessionId=None), "sessionId"),
        (changed(sessionId="0x12"), "sessionId"),
        (changed(sessionId=7), "sessionId"),
        (changed(chainId="0x0"), "chainId"),
        (changed(chainId=-1), "chainId"),
        (changed(signatureRequest=[]), "signatureRequest"),
        (changed(extra=1), "extra"),
        (asked(type="personal_sign"), "signatureRequest.type"),
        (asked(type="eip7702Auth"), "signatureRequest.type"),
        (asked(data="0x00"), "signatureRequest.data"),
        (asked(data={"call": "0x" + "00" * 70_000}), "signatureRequest.data"),
        (asked(rawPayload="0x00"), "signatureRequest.rawPayload"),
        (asked(rawPayload=None), "signatureRequest.rawPayload"),
        (asked(extra=1), "signatureRequest.extra"),
        ({"result": ANSWER, "extra": 1}, "extra"),
    ],
)
def test_what_is_not_quite_an_answer(value: dict[str, Any], path: str) -> None:
    with pytest.raises(LatchkeyError) as caught:
        open_any(json.dumps(value))
    assert caught.value.path == path
    assert "0x12" not in caught.value.text


@pytest.mark.parametrize("value", [None, [], 1, "text", {"result": None}, {"result": []}])
def test_nonsense_is_no_answer(value: object) -> None:
    with pytest.raises(BadInput):
        read_answer(value)


@pytest.mark.parametrize(
    "name", ["", "r-1", "wallet-apis-", "wallet-apis-00", "wallet-apis-" + "z" * 32, "wallet-apis-" + "0" * 34]
)
def test_other_requests_names_are_no_session_ids(name: str) -> None:
    assert session_id_of(name) is None


def test_the_call_is_the_published_one() -> None:
    request = open_text(json.dumps(REQUEST))
    assert isinstance(request, SessionRequest)
    made = call_params(request)
    assert open_text(json.dumps(made)) == open_text(json.dumps(REQUEST | {"chainId": "0x1"}))
    assert made["permissions"] == [{"type": "root"}]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"account": None}, "account"),
        ({"chain_id": None}, "chainId"),
        ({"session_key": None}, "key"),
        ({"permissions": (PaymasterGuard(Address.parse("0x" + "11" * 20)),)}, "permissions"),
        ({"expiry": 10_000_000_000}, "expirySec"),
    ],
)
def test_what_the_service_cannot_be_asked(changes: dict[str, Any], path: str) -> None:
    one = Address.parse("0x" + "22" * 20)
    whole: dict[str, Any] = {"permissions": (Root(),), "request_id": "r", "account": one, "chain_id": 1, "session_key": one}
    call_params(SessionRequest(**whole))
    with pytest.raises(BadInput) as caught:
        call_params(SessionRequest(**whole | changes))
    assert caught.value.path == path
