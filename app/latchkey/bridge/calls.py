"""Calls: reading one, and what it asks of the window. Everything is checked here, whole, before the window hears of it.

The window reads a session request again with the same readers; nothing rests on this process having done so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from latchkey.bridge.faults import Code, Fault, of_params
from latchkey.bridge.limits import ID, TOKEN
from latchkey.core.types import Address
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput, LatchkeyError

Id = str | int | None

_CODE = re.compile("[0-9]{6}")
_CHAIN = re.compile("0x[1-9a-f][0-9a-f]{0,15}")
MAX_ENTITY_ID = 2**32 - 1
MAX_CHAINS = 50
MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Call:
    """One JSON-RPC call. `params`: always a list."""

    id: Id
    method: str
    params: list[Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the window. `is_question`: a person answers, one question of a visitor at a time. `is_open`: no token needed."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    is_question: bool = False
    is_open: bool = False


def read_call(text: str | bytes) -> Call:
    """Raises Fault (parse error, invalid request)."""
    try:
        value = read_json(text)
    except BadInput as error:
        code = Code.PARSE if error.code == "NotJson" else Code.INVALID
        raise Fault(code, error.text) from None
    if isinstance(value, list):
        raise Fault(Code.INVALID, "Send one call at a time: lists of calls are not answered.")
    if not isinstance(value, dict):
        raise Fault(Code.INVALID, "Expected a JSON-RPC 2.0 call: an object with jsonrpc, id, method and params.")
    if value.get("jsonrpc") != "2.0":
        raise Fault(Code.INVALID, "jsonrpc: expected 2.0.", path="jsonrpc")
    if "id" not in value or not _is_id(value["id"]):
        raise Fault(Code.INVALID, f"id: expected a whole number or a text of at most {ID} characters.", path="id")
    if not isinstance(value.get("method"), str):
        raise Fault(Code.INVALID, "method: expected text.", path="method")
    if unknown := set(value) - {"jsonrpc", "id", "method", "params"}:
        raise Fault(Code.INVALID, f"A call has jsonrpc, id, method and params; this one has {len(unknown)} more.")
    params = value.get("params", [])
    if isinstance(params, dict):
        params = [params]
    if not isinstance(params, list):
        raise Fault(Code.INVALID, "params: expected a list.", path="params")
    return Call(value["id"], value["method"], params)


def id_of(text: str | bytes) -> Id:
    """The id of a call that was refused, where one can be told."""
    try:
        value = read_json(text)
    except BadInput:
        return None
    found = value.get("id") if isinstance(value, dict) else None
    return found if _is_id(found) else None


def _is_id(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= ID
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def ask_of(call: Call) -> Ask:
    """What this call asks. Raises Fault: not a method, not served, wrong parameters."""
    make = _METHODS.get(call.method)
    if make is not None:
        return make(call.params)
    if call.method in _SIGNING or call.method.startswith("eth_sign"):
        raise Fault(Code.UNSUPPORTED, _NO_SIGNING)
    if _PERMISSIONS.fullmatch(call.method):
        raise Fault(Code.UNSUPPORTED, "No account here can redeem it yet: ask with wallet_createSession instead.")
    if call.method in _OTHERS:
        raise Fault(Code.UNSUPPORTED, "Latchkey grants sessions and reads no chain for others: use your own RPC for this.")
    raise Fault(Code.NO_METHOD, "The bridge has no such method; docs/dapps.md lists those it has.")


# methods -------------------------------------------------------------------------------------------------------------------------

AUTHENTICATE = "authenticate"  # of a WebSocket; answered by the bridge itself

_NO_SIGNING = "Latchkey signs no messages and no transactions for others; ask for a session with wallet_createSession."
_SIGNING = {
    "personal_sign", "eth_sendTransaction", "eth_sendRawTransaction", "eth_sendUserOperation", "wallet_sendCalls", "wallet_prepareCalls",
    "wallet_sendPreparedCalls", "wallet_prepareSign", "wallet_formatSign", "wallet_signTypedData",
}  # fmt: skip
_PERMISSIONS = re.compile(
    "wallet_(grant|request|revoke|get|getSupported|getGranted)(Execution)?Permissions?"
)  # ERC-7715 in its new and old names; EIP-2255's fall under it too
_OTHERS = {
    "eth_call", "eth_getBalance", "eth_blockNumber", "eth_estimateGas", "eth_gasPrice", "eth_getCode", "eth_getLogs",
    "eth_getTransactionReceipt", "eth_getTransactionByHash", "eth_getTransactionCount", "eth_subscribe", "net_version",
    "wallet_addEthereumChain", "wallet_getCallsStatus", "wallet_showCallsStatus", "wallet_watchAsset",
}  # fmt: skip


def _nothing(params: list[Any], name: str, *, is_open: bool = False) -> Ask:
    if params not in ([], [{}]):
        raise Fault(Code.PARAMS, "params: this method takes none.", path="params")
    return Ask(name, is_open=is_open)


def _one(params: list[Any], allowed: set[str]) -> dict[str, Any]:
    """The one object in the list, with no name but these."""
    if len(params) != 1 or not isinstance(params[0], dict):
        raise Fault(Code.PARAMS, "params: expected a list with one object.", path="params")
    for name in params[0]:
        if name not in allowed:
            raise Fault(Code.PARAMS, f"params[0]: only {', '.join(sorted(allowed))} may stand here.", path="params[0]")
    return params[0]


def _pair(params: list[Any]) -> Ask:
    from latchkey.codec.text import clean

    given = _one(params, {"code", "name"})
    code, name = given.get("code"), given.get("name", "")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        sentence = "code: expected six digits, made at random and shown to the person, who compares them."
        raise Fault(Code.PARAMS, sentence, path="params[0].code")
    if not isinstance(name, str):
        raise Fault(Code.PARAMS, "name: expected text.", path="params[0].name")
    return Ask("pair", {"code": code, "name": clean(name, MAX_NAME)}, is_question=True, is_open=True)


def _authenticate(params: list[Any]) -> Ask:
    token = _one(params, {"token"}).get("token")
    if not isinstance(token, str) or not 0 < len(token) <= TOKEN:
        raise Fault(Code.PARAMS, "token: expected the text that latchkey_pair gave.", path="params[0].token")
    return Ask(AUTHENTICATE, {"token": token}, is_open=True)


def _capabilities(params: list[Any]) -> Ask:
    if len(params) > 2:
        raise Fault(Code.PARAMS, "params: expected an address and a list of chain ids.", path="params")
    fields: dict[str, Any] = {}
    if params:
        fields["address"] = str(_address(params[0], "params[0]"))
    if len(params) > 1:
        if not isinstance(params[1], list) or len(params[1]) > MAX_CHAINS:
            raise Fault(Code.PARAMS, f"params[1]: expected a list of at most {MAX_CHAINS} chain ids.", path="params[1]")
        fields["chains"] = [_chain(one, f"params[1][{number}]") for number, one in enumerate(params[1])]
    return Ask("capabilities", fields)


def _switch(params: list[Any]) -> Ask:
    return Ask("switch", {"chain": _chain(_one(params, {"chainId"}).get("chainId"), "params[0].chainId")})


def _create_session(params: list[Any]) -> Ask:
    if len(params) != 1 or not isinstance(params[0], dict):
        raise Fault(Code.PARAMS, "params: expected a list with one session request.", path="params")
    text = json.dumps(params[0])
    read_request(text)
    return Ask("session", {"request": text}, is_question=True)


def read_request(text: str) -> Any:
    """The session request in `text`. Raises Fault for what is none, and for one that could not be answered over the bridge."""
    from latchkey.codec.inbox import open_text
    from latchkey.core.request import SessionRequest

    try:
        request = open_text(text)
    except LatchkeyError as error:
        raise of_params(error) from None
    if not isinstance(request, SessionRequest):
        raise Fault(Code.PARAMS, "params[0]: expected a session request, not a hand-over of another kind.", path="params[0]")
    if request.session_key is None and request.hand_over_key is None:
        sentence = "key: name the key you made, or latchkey.handOverKey, to which a key made by Latchkey can be sealed."
        raise Fault(Code.PARAMS, sentence, path="params[0].key")
    return request


def _revoke(params: list[Any]) -> Ask:
    given = _one(params, {"chainId", "account", "entityId"})
    entity = given.get("entityId")
    if isinstance(entity, bool) or not isinstance(entity, int) or not 0 < entity < MAX_ENTITY_ID:
        raise Fault(
            Code.PARAMS, "entityId: expected the session's number, as latchkey_getSessions gives it.", path="params[0].entityId"
        )
    chain, account = _chain(given.get("chainId"), "params[0].chainId"), _address(given.get("account"), "params[0].account")
    return Ask("revoke", {"chain": chain, "account": str(account), "entity": entity}, is_question=True)


def _address(value: Any, path: str) -> Address:
    try:
        return Address.parse(value)
    except BadInput as error:
        raise Fault(Code.PARAMS, f"{path}: {error.text}", path=path) from None


def _chain(value: Any, path: str) -> int:
    if not isinstance(value, str) or not _CHAIN.fullmatch(value) or int(value, 16) >= 2**63:
        raise Fault(Code.PARAMS, f"{path}: expected a chain id in hexadecimal, such as 0x1.", path=path)
    return int(value, 16)


_METHODS: dict[str, Callable[[list[Any]], Ask]] = {
    "latchkey_pair": _pair,
    "latchkey_authenticate": _authenticate,
    "eth_accounts": lambda params: _nothing(params, "accounts", is_open=True),
    "eth_requestAccounts": lambda params: _nothing(params, "accounts"),
    "eth_chainId": lambda params: _nothing(params, "chain"),
    "wallet_switchEthereumChain": _switch,
    "wallet_getCapabilities": _capabilities,
    "wallet_createSession": _create_session,
    "latchkey_getSessions": lambda params: _nothing(params, "sessions"),
    "latchkey_revokeSession": _revoke,
}
METHODS = tuple(_METHODS)
