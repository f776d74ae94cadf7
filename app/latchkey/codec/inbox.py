"""The one door for what comes in: pasted text, an opened file, a scanned code, a link. Read whole or refused with one sentence.

What is served: session requests as the Wallet APIs write them (`wallet_createSession`, `grantPermissions`) and their answers to those,
Latchkey's own hand-overs in every form, what hardware wallets show (signing requests, signatures, public keys), addresses and
payment links. Who opens something says which of these are expected; another one is refused by its name. What other wallets and account
systems use is recognised, so that the sentence can say what it is and what to ask the dApp for; what looks like a secret is refused
without being repeated.

Beside a request's own fields the only ones passed over are `jsonrpc` and `id` of a JSON-RPC call, which carry no power; the
Wallet APIs define no other field for this call, so any other name is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeAlias, TypeVar

from pydantic import Field, Strict, TypeAdapter

from latchkey.codec import link, ur
from latchkey.codec.eip681 import PayTo, read_address, read_link
from latchkey.codec.eip4527 import EthSignature, EthSignRequest, read_sign_request, read_signature
from latchkey.codec.fields import CONFIG, AnyChainId, Callback, ClaimsModel, KeyModel, PublicKey32, RequestId
from latchkey.codec.hand_over import MAGIC, Envelope, Kind, decode, from_json, session_request
from latchkey.codec.hdkeys import HdKeys, read_account, read_hdkey
from latchkey.codec.wallet_api import MAX_EXPIRY, METHOD, CreatedSession, is_answer, read_answer
from latchkey.core.permissions import permissions_from_json
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Address
from latchkey.core.untrusted import MAX_BYTES, check, read_json
from latchkey.errors import BadInput, LatchkeyError, NotServed
from latchkey.language import tr

Incoming: TypeAlias = SessionRequest | Envelope
Anything: TypeAlias = Incoming | EthSignRequest | EthSignature | HdKeys | PayTo | CreatedSession
K = TypeVar("K", SessionRequest, Envelope, EthSignRequest, EthSignature, HdKeys, PayTo, CreatedSession)

_ASK = tr("Ask the dApp for a session request of the Wallet APIs (wallet_createSession) for a Modular Account V2.")
_NAMES: dict[type, str] = {
    SessionRequest: tr("a session request"),
    Envelope: ur.KINDS[ur.TYPE],
    EthSignRequest: ur.KINDS[ur.SIGN_REQUEST],
    EthSignature: ur.KINDS[ur.SIGNATURE],
    HdKeys: ur.KINDS[ur.HDKEY],
    PayTo: tr("an address"),
    CreatedSession: tr("the Wallet APIs' answer to a session request"),
}


def open_text(text: str | bytes) -> Incoming:
    """A request or a hand-over from text or from a file's bytes.

    Raises NotServed for what is known but not served yet, BadInput for everything else; a part of an animated code has the code
    "OnePartOfMany", something that looks like a secret "LooksLikeSecret", something else that can be opened "OtherKind".
    """
    found = open_any(text)
    if isinstance(found, SessionRequest | Envelope):
        return found
    raise BadInput(
        tr("This is {name}; expected a session request or a Latchkey hand-over. {ask}", name=_name(found), ask=_ASK),
        code="OtherKind",
    )


def open_as(text: str | bytes, kind: type[K]) -> K:
    """The same for one kind of thing: `open_as(text, HdKeys)`. Raises as `open_text` does."""
    found = expect(open_any(text), frozenset({kind}))
    assert isinstance(found, kind)
    return found


def expect(found: Anything, kinds: frozenset[type] | None) -> Anything:
    """`found`, when it is of one of these kinds (None: any). Raises BadInput "OtherKind", which names both."""
    if kinds is None or type(found) in kinds:
        return found
    raise _other_kind(_name(found), kinds)


def expect_part(part: str, kinds: frozenset[type] | None) -> None:
    """The same for a part of an animated code, which tells what the whole will be. Raises also what `open_any` raises for its type."""
    kind = part.strip()[3:].partition("/")[0].lower()
    if kind not in _UR_HOLDS:
        raise _ur_refusal(part)
    if kinds is not None and not _UR_HOLDS[kind] & kinds:
        raise _other_kind(ur.KINDS[kind], kinds)


def names_of(kinds: frozenset[type]) -> str:
    """What a person calls these kinds: "a session request or an address"."""
    return tr(" or ").join(name for kind, name in _NAMES.items() if kind in kinds)


def _other_kind(what: str, kinds: frozenset[type]) -> BadInput:
    return BadInput(tr("This is {what}; expected {expected}.", what=what, expected=names_of(kinds)), code="OtherKind")


def open_any(text: str | bytes) -> Anything:
    """Whatever can be opened. Raises as `open_text` does."""
    if len(text) > MAX_BYTES:
        raise BadInput(tr("This is too long: at most {max_bytes} KiB are read.", max_bytes=MAX_BYTES // 1024), code="TooLarge")
    if isinstance(text, bytes):
        if text.startswith(MAGIC):
            return _incoming(decode(text))
        text = _decoded(text)
    text = text.strip().removeprefix("\ufeff").strip()
    if text[:1] in ("{", "["):
        return _open_json(read_json(text))
    start = text[:32].lower()
    if start.startswith("latchkey:"):
        return _incoming(decode(link.from_link(text)))
    if start.startswith("ur:"):
        return _open_ur(text)
    if start.startswith("ethereum:"):
        return read_link(text)
    if _ADDRESS.fullmatch(text):
        return read_address(text)
    raise _refusal(text)


_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
_SECRET_UR = re.compile(r"ur:(crypto-)?(seed|bip39|eckey|sskr|slip39)/.*", re.IGNORECASE | re.DOTALL)
_UR_READERS: dict[str, Callable[[bytes], Anything]] = {
    ur.TYPE: lambda raw: _incoming(decode(raw)),
    ur.SIGN_REQUEST: read_sign_request,
    ur.SIGNATURE: read_signature,
    ur.HDKEY: read_hdkey,
    ur.ACCOUNT: read_account,
}


_UR_HOLDS: dict[str, frozenset[type]] = {
    ur.TYPE: frozenset({SessionRequest, Envelope}),
    ur.SIGN_REQUEST: frozenset({EthSignRequest}),
    ur.SIGNATURE: frozenset({EthSignature}),
    ur.HDKEY: frozenset({HdKeys}),
    ur.ACCOUNT: frozenset({HdKeys}),
}


def _open_ur(text: str) -> Anything:
    if _SECRET_UR.fullmatch(text):
        raise _secret()
    try:
        kind, raw = ur.read(text)
    except NotServed as error:
        raise NotServed(f"{error.text} {_ASK}", code=error.code) from None
    return _UR_READERS[kind](raw)


def _ur_refusal(part: str) -> LatchkeyError:
    """What to say about a UR of a type that is not read, whole or in parts."""
    try:
        _open_ur(part)
    except LatchkeyError as error:
        return error
    raise AssertionError(part)


def _name(found: Anything) -> str:
    return tr("a payment link") if isinstance(found, PayTo) and found.is_link else _NAMES[type(found)]


def _incoming(envelope: Envelope) -> Incoming:
    return session_request(envelope) if envelope.kind is Kind.REQUEST else envelope


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")):
        raise BadInput(tr("This is a picture, not text: drop it where a QR picture is asked for."), code="Picture")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadInput(tr("This file is neither text nor a Latchkey hand-over."), code="NotText") from None


# Requests in JSON ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    """A JSON-RPC call, or only its `params`."""

    __pydantic_config__: ClassVar = CONFIG
    params: Any
    method: Annotated[str, Strict()] = METHOD
    jsonrpc: Any = None
    id: Any = None


@dataclass(frozen=True, slots=True)
class _Request:
    """The Wallet APIs' request; `account` and `chainId` are optional because the SDK's `grantPermissions` leaves them out.

    `latchkey`: our addition, see `_extension`.
    """

    __pydantic_config__: ClassVar = CONFIG
    permissions: Any
    account: Address | None = None
    chain_id: AnyChainId | None = None
    expiry_sec: Annotated[int, Strict(), Field(ge=0, le=MAX_EXPIRY)] | None = None
    key: KeyModel | None = None
    latchkey: Any = None


@dataclass(frozen=True, slots=True)
class _Addressing:
    __pydantic_config__: ClassVar = CONFIG
    request_id: RequestId | None = None
    hand_over_key: PublicKey32 | None = None
    callback: Callback | None = None


_CALL, _REQUEST = TypeAdapter(_Call), TypeAdapter(_Request)
_CLAIMS, _ADDRESSING = TypeAdapter(ClaimsModel), TypeAdapter(_Addressing)


def _open_json(value: Any) -> Anything:
    if isinstance(value, dict) and is_answer(value):
        return read_answer(value)
    _refuse_foreign(value)
    value = _only(value)
    if "method" in value or "params" in value:
        value = _only(check(_CALL, value).params)
        _refuse_foreign(value)
    if "latchkey" in value and not isinstance(value["latchkey"], dict):
        return _incoming(from_json(value))
    return _request(value)


def _only(value: Any) -> dict[str, Any]:
    """The one request in a list, or the object itself."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list):
        raise BadInput(
            tr("Expected one request, found a list of {count}. Open them one at a time.", count=len(value)), code="NotOne"
        )
    if not isinstance(value, dict):
        raise BadInput(tr("Expected a request: a JSON object with permissions."), code="NotRequest")
    return value


def _request(value: dict[str, Any]) -> SessionRequest:
    request = check(_REQUEST, value)
    permissions = permissions_from_json(request.permissions)
    if not permissions:
        raise BadInput(tr("permissions: expected at least one."), path="permissions")
    addressing, claims = _extension(request.latchkey)
    return SessionRequest(
        permissions=permissions,
        request_id=addressing.request_id or _made_id(value),
        account=request.account,
        chain_id=request.chain_id,
        expiry=request.expiry_sec,
        session_key=request.key.public_key if request.key else None,
        key_type=request.key.type if request.key else "secp256k1",
        hand_over_key=addressing.hand_over_key,
        claims=claims,
        callback=addressing.callback or "",
    )


def _extension(value: Any) -> tuple[_Addressing, Claims]:
    """`requestId`, `handOverKey` and `callback`; the rest are claims: `name`, `url`, `names`, `functions`."""
    value = value or {}
    own = {name: value[name] for name in ("requestId", "handOverKey", "callback") if name in value}
    rest = {name: item for name, item in value.items() if name not in own}
    return check(_ADDRESSING, own, "latchkey"), check(_CLAIMS, rest, "latchkey").claims()


def _made_id(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


# What is known but not served, and what is no request ----------------------------------------------------------------------------


def _not_served(what: str) -> NotServed:
    return NotServed(tr("{what}, which Latchkey knows but does not serve yet. {ask}", what=what, ask=_ASK))


def _secret(_: str = "") -> BadInput:
    return BadInput(
        tr(
            "This looks like a secret. Latchkey asks for secrets only at the desk; nothing was kept. Clear it from where you copied it."
        ),
        code="LooksLikeSecret",
    )


def _no_request(what: str) -> BadInput:
    return BadInput(f"{what} {_ASK}", code="NotRequest")


_ERC7715 = tr("This is an ERC-7715 permission request")
_ERC7710 = tr("This is an ERC-7710 delegation")
_KERNEL = tr("This is a ZeroDev Kernel permission account")
_SMART = tr("This is a Smart Sessions session (ERC-7579, Rhinestone or Biconomy Nexus)")
_BICONOMY = tr("This is a session of Biconomy's older Session Key Manager, also used by Particle")
_METHODS: tuple[tuple[str, str], ...] = (
    (r"wallet_(grant|request|revoke|getSupported|getGranted)(Execution)?Permissions?", _ERC7715),
    (r"particle_aa_\w+", _BICONOMY),
    (r"wc_\w+", tr("This is a WalletConnect message")),
)
_FIELDS: tuple[tuple[set[str], str], ...] = (  # any of these names at the top tells the system
    ({"permissionParams", "policies", "policyParams", "enableSignature", "accountParams"}, _KERNEL),
    ({"sessionValidator", "sessionValidatorInitData", "erc7739Policies", "userOpPolicies"}, _SMART),
    ({"enableSessionData", "enableSession", "sessionToEnable"}, _SMART),
    ({"sessionValidationModule", "sessionKeyData", "sessionKeyDataInAbi"}, _BICONOMY),
    ({"delegate", "delegator", "caveats", "authority", "delegation", "delegations"}, _ERC7710),
    ({"permission", "rules", "signer", "signerMeta", "userOpBuilder", "delegationManager"}, _ERC7715),
)
_NO_REQUESTS: tuple[tuple[set[str], str], ...] = (
    ({"sessionKey", "nonceKey", "entityId"}, tr("This is a draft for the command line (latchkey grant build), not a request.")),
    ({"primaryType", "domain"}, tr("This is typed data to sign, not a request; latchkey explain says what it means.")),
    ({"calls", "callData"}, tr("This is a transaction or an operation, not a session request.")),
)
_SECRET_FIELDS = {"crypto", "Crypto", "mnemonic", "privateKey", "ciphertext"}


def _refuse_foreign(value: Any) -> None:
    """Raise what fits when the JSON is something known that is no request for Latchkey."""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict) or "latchkey" in value:
        return
    method = value.get("method")
    if isinstance(method, str) and method != METHOD:
        for pattern, what in _METHODS:
            if re.fullmatch(pattern, method):
                raise _not_served(what)
        raise BadInput(tr("method: Latchkey answers wallet_createSession only. {ask}", ask=_ASK), code="OtherMethod", path="method")
    for names, what in _FIELDS:
        if names & value.keys():
            raise _not_served(what)
    if _SECRET_FIELDS & value.keys():
        raise _secret()
    for names, sentence in _NO_REQUESTS:
        if names & value.keys():
            raise _no_request(sentence)


_TEXTS: tuple[tuple[str, Callable[[str], LatchkeyError], str], ...] = (
    (r"(0x)?[0-9a-f]{64}|[a-z]prv[a-z0-9]{100,112}", _secret, ""),
    (r"wc:.*", _not_served, tr("This is a WalletConnect link")),
    (r"https?:.*", _no_request, tr("This is a web address: copy the request itself, not the address of its page.")),
    (r"0x[0-9a-f]*", _no_request, tr("These are bytes, not a request; latchkey explain may say what they mean.")),
)


def _refusal(text: str) -> LatchkeyError:
    """What to say about text that is neither JSON nor a hand-over."""
    text = text.strip("\"'` ")
    if not text:
        return BadInput(tr("There is nothing to open."), code="Empty")
    for pattern, refuse, what in _TEXTS:
        if re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL):
            return refuse(what)
    if _looks_like_words(text):
        return _secret()
    if _is_kernel_text(text):
        return _not_served(_KERNEL)
    return BadInput(
        tr("This is nothing that Latchkey can open: expected a session request or a Latchkey hand-over."), code="NotKnown"
    )


def _looks_like_words(text: str) -> bool:
    """Recovery words: 12 to 24 short words, numbered or not. Judged by shape, so that no word list is needed here."""
    words = re.sub(r"[\d.,;:)]+", " ", text[:2000]).split()
    return len(words) in (12, 15, 18, 21, 24) and all(re.fullmatch(r"[a-z]{3,8}", word.lower()) for word in words)


def _is_kernel_text(text: str) -> bool:
    """ZeroDev's serialised permission account: base64 of JSON."""
    try:
        value = read_json(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, BadInput):
        return False
    return isinstance(value, dict) and bool(_FIELDS[0][0] & value.keys())
