"""The hand-over: one envelope for requests, grants and what takes power away, unsigned and signed, as CBOR and as its JSON twin.

docs/hand-over.md describes the format for others. Two forms, one reading: `decode` turns CBOR into the JSON twin and reads that,
so both obey the same rules. What an envelope claims (permissions, nonce, entity id) is compared with its bytes by
`accounts.review`; here only its form is judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints, TypeAdapter

from latchkey import __version__
from latchkey.codec import cbor, wire
from latchkey.codec.fields import (
    CONFIG,
    Callback,
    ChainId,
    ClaimsModel,
    Data,
    Datas,
    KeyModel,
    Keystore,
    Nonce,
    PublicKey32,
    RequestId,
    Seconds,
    Signatures,
    Uint32,
    claims_model,
)
from latchkey.core.account import Account, Mode
from latchkey.core.narrow import Asked
from latchkey.core.permissions import Permission, permissions_from_json, permissions_to_json
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Address, HexAmount
from latchkey.core.untrusted import check, join
from latchkey.errors import BadInput
from latchkey.language import tr

VERSION = 1
MAX_BYTES = 64 * 1024
MAGIC = b"\x84\x68latchkey"  # how every envelope begins, whatever its version


class Kind(StrEnum):
    REQUEST = "request"
    UNSIGNED_GRANT = "unsigned-grant"
    SIGNED_GRANT = "signed-grant"
    UNSIGNED_REVOCATION = "unsigned-revocation"
    SIGNED_REVOCATION = "signed-revocation"
    UNSIGNED_CANCELLATION = "unsigned-cancellation"
    SIGNED_CANCELLATION = "signed-cancellation"
    UNSIGNED_TRANSACTION = "unsigned-owner-transaction"
    SIGNED_TRANSACTION = "signed-owner-transaction"

    @property
    def signed(self) -> Kind:
        """The kind this becomes once it is signed."""
        return Kind(self.replace("unsigned-", "signed-"))


#: What takes power away: operations that end or tighten sessions, operations that only cancel grants, the owner's own transactions.
ENDINGS = frozenset(kind for kind in Kind if kind.endswith(("revocation", "cancellation", "owner-transaction")))


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is handed over. Which fields a kind needs and may have stands in `_RULES`.

    `account` is None where a request leaves it open; such a request may still name `chain_id`, and `system` says what it is
    written for (with an account, the account's own are used). The account's label is the owner's and does not travel.
    `expiry`: chain seconds, 0 = never, None = left open. `nonce`: the operation's whole uint256. `unsigned`: flag || nonce ||
    length || encoded data. `blob`: flag || nonce || deferred action data. `context`: what the Wallet APIs take. `hand_over_key`:
    the X25519 key to which `sealed_session_key`, a key made by Latchkey, is sealed; `session_keystore`: the same key as Web3 Secret
    Storage (JSON text) where the receiver gave no such key. `asked`: what the request asked for, where less than that is given: a
    statement of the owner's machine to the dApp; what is given is in the bytes.

    What takes power away has none of these but the account, and: `operations`, unsigned user operations, or `transactions`, unsigned
    EIP-1559 transactions (several with one nonce are one at several fees); `signatures`, r||s||v of each; `created`, when they were
    made, seconds since 1970. An unsigned grant may say `created` too. `callback`: of a request, the address its answer may go to.
    """

    kind: Kind
    permissions: tuple[Permission, ...] = ()
    account: Account | None = None
    expiry: int | None = None
    session_key: Address | None = None
    key_type: str = "secp256k1"
    entity_id: int | None = None
    nonce: int | None = None
    unsigned: bytes = b""
    blob: bytes = b""
    context: bytes = b""
    request_id: str = ""
    hand_over_key: bytes | None = None
    sealed_session_key: bytes = b""
    session_keystore: str = ""
    claims: Claims = field(default_factory=Claims)
    chain_id: int | None = None
    system: str = "modular_account"
    asked: Asked | None = None
    operations: tuple[bytes, ...] = ()
    transactions: tuple[bytes, ...] = ()
    signatures: tuple[bytes, ...] = ()
    created: int | None = None
    callback: str = ""


# JSON twin -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _AskedTwin:
    """`asked`: permissions and end as the request had them; without `expirySec` the request left the end open."""

    __pydantic_config__: ClassVar = CONFIG
    permissions: Any
    expiry_sec: Seconds | None = None


@dataclass(frozen=True, slots=True)
class _Twin:
    """The JSON twin's fields, in the order they are written."""

    __pydantic_config__: ClassVar = CONFIG
    latchkey: int
    kind: Kind
    system: Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    chain_id: ChainId | None = None
    account: Address | None = None
    mode: Mode | None = None
    owner: Address | None = None
    salt: HexAmount | None = None
    init_code: Data | None = None
    permissions: Any = None
    expiry_sec: Seconds | None = None
    key: KeyModel | None = None
    entity_id: Uint32 | None = None
    nonce: Nonce | None = None
    unsigned: Data | None = None
    deferred_action: Data | None = None
    context: Data | None = None
    request_id: RequestId | None = None
    hand_over_key: PublicKey32 | None = None
    sealed_session_key: Data | None = None
    session_keystore: Keystore | None = None
    claims: ClaimsModel | None = None
    asked: _AskedTwin | None = None
    operations: Datas | None = None
    transactions: Datas | None = None
    signatures: Signatures | None = None
    created: Seconds | None = None
    callback: Callback | None = None


_TWIN = TypeAdapter(_Twin)
_ALWAYS = {"latchkey", "kind", "system", "permissions"}
_ENDING = {"latchkey", "kind", "system", "chainId", "account", "mode", "created"}
_ANY = _ALWAYS | {"chainId", "account", "expirySec", "key", "requestId", "handOverKey", "claims"}
_TIED = _ALWAYS | {"chainId", "account", "mode", "expirySec", "key", "entityId", "nonce"}
_MAKING = {"owner", "salt", "initCode"}


def _ending_rule(kind: Kind) -> tuple[set[str], set[str]]:
    what = "transactions" if kind in (Kind.UNSIGNED_TRANSACTION, Kind.SIGNED_TRANSACTION) else "operations"
    needed = _ENDING | {what} | ({"signatures"} if kind is kind.signed else set())
    return needed, needed | _MAKING


_RULES: dict[Kind, tuple[set[str], set[str]]] = {  # kind -> (needed, allowed)
    **{kind: _ending_rule(kind) for kind in ENDINGS},
    Kind.REQUEST: (_ALWAYS | {"requestId"}, _ANY | {"callback"}),
    Kind.UNSIGNED_GRANT: (_TIED | {"unsigned"}, _ANY | _TIED | _MAKING | {"unsigned", "asked", "created"}),
    Kind.SIGNED_GRANT: (
        _TIED | {"deferredAction"},
        _ANY | _TIED | _MAKING | {"deferredAction", "context", "sealedSessionKey", "sessionKeystore", "asked"},
    ),
}
_MODE_NEEDS: dict[Mode | None, set[str]] = {Mode.SMA: {"owner", "salt"}, Mode.MA: {"owner", "salt"}, Mode.EIP7702: {"owner"}}


def to_json(envelope: Envelope) -> dict[str, Any]:
    """The envelope as its JSON twin; fields that are empty are left out."""
    account, claims = envelope.account, claims_model(envelope.claims)
    named = account is not None and envelope.kind is not Kind.REQUEST
    twin = _Twin(
        latchkey=VERSION,
        kind=envelope.kind,
        system=account.system if account else envelope.system,
        permissions=None if envelope.kind in ENDINGS else permissions_to_json(envelope.permissions),
        chain_id=account.chain_id if account else envelope.chain_id,
        account=account.address if account else None,
        mode=account.mode if account and named else None,
        owner=account.owner if account else None,
        salt=account.salt if account else None,
        init_code=(account.init_code or None) if account else None,
        expiry_sec=envelope.expiry,
        key=KeyModel(envelope.session_key, envelope.key_type) if envelope.session_key else None,
        entity_id=envelope.entity_id,
        nonce=envelope.nonce,
        unsigned=envelope.unsigned or None,
        deferred_action=envelope.blob or None,
        context=envelope.context or None,
        request_id=envelope.request_id or None,
        hand_over_key=envelope.hand_over_key,
        sealed_session_key=envelope.sealed_session_key or None,
        session_keystore=envelope.session_keystore or None,
        claims=claims,
        asked=_AskedTwin(permissions_to_json(envelope.asked.permissions), envelope.asked.expiry) if envelope.asked else None,
        operations=list(envelope.operations) or None,
        transactions=list(envelope.transactions) or None,
        signatures=list(envelope.signatures) or None,
        created=envelope.created,
        callback=envelope.callback or None,
    )
    result: dict[str, Any] = _TWIN.dump_python(twin, mode="json", by_alias=True, exclude_none=True, warnings=False)
    return result


def from_json(value: Any) -> Envelope:
    """Read a JSON twin. Raises BadInput naming the field."""
    if not isinstance(value, dict):
        raise BadInput(tr("A hand-over is a JSON object."))
    _check_version(value.get("latchkey"))
    kind = _known_kind(value.get("kind"))
    value = {name: item for name, item in value.items() if item is not None}
    needed, allowed = _RULES[kind]
    _check_names(value.keys(), needed, allowed, tr("a hand-over of the kind {kind}", kind=kind))
    twin = check(_TWIN, value)
    envelope = Envelope(
        kind=kind,
        permissions=() if kind in ENDINGS else _permissions(twin.permissions),
        account=_account(twin),
        expiry=twin.expiry_sec,
        session_key=twin.key.public_key if twin.key else None,
        key_type=twin.key.type if twin.key else "secp256k1",
        entity_id=twin.entity_id,
        nonce=twin.nonce,
        unsigned=twin.unsigned or b"",
        blob=twin.deferred_action or b"",
        context=twin.context or b"",
        request_id=twin.request_id or "",
        hand_over_key=twin.hand_over_key,
        sealed_session_key=twin.sealed_session_key or b"",
        session_keystore=twin.session_keystore or "",
        claims=twin.claims.claims() if twin.claims else Claims(),
        chain_id=None if twin.account else twin.chain_id,
        system="modular_account" if twin.account else twin.system,
        asked=_asked(twin),
        operations=tuple(twin.operations or ()),
        transactions=tuple(twin.transactions or ()),
        signatures=tuple(twin.signatures or ()),
        created=twin.created,
        callback=twin.callback or "",
    )
    if envelope.signatures and len(envelope.signatures) != len(envelope.operations or envelope.transactions):
        raise BadInput(tr("signatures: expected one for each operation or transaction."), path="signatures")
    if envelope.sealed_session_key and not envelope.hand_over_key:
        raise BadInput(tr("handOverKey is missing: a sealed session key says to which key it is sealed."), path="handOverKey")
    return envelope


def _check_version(version: Any) -> None:
    if isinstance(version, bool) or not isinstance(version, int):
        raise BadInput(tr("latchkey: expected the format's version, a whole number."), path="latchkey")
    if version != VERSION:
        raise BadInput(
            tr(
                "latchkey: Latchkey {version} reads hand-overs of version {version2} only; a newer Latchkey may read this one.",
                version=__version__,
                version2=VERSION,
            ),
            code="UnknownVersion",
            path="latchkey",
        )


def _known_kind(kind: Any) -> Kind:
    if kind not in list(Kind):
        raise BadInput(
            tr(
                "kind: Latchkey {version} does not know this kind of hand-over (only {kind}); a newer Latchkey may.",
                version=__version__,
                kind=", ".join(Kind),
            ),
            code="UnknownKind",
            path="kind",
        )
    return Kind(kind)


def _check_names(names: Iterable[str], needed: set[str], allowed: set[str], what: str) -> None:
    for name in sorted(needed - set(names)):
        raise BadInput(tr("{name} is missing from {what}.", name=name, what=what), path=name)
    for name in sorted(set(names) - allowed):
        where = join("", (name,))
        raise BadInput(tr("{where} has no place in {what}.", where=where, what=what), path=where)


def _permissions(value: Any) -> tuple[Permission, ...]:
    permissions = permissions_from_json(value)
    if not permissions:
        raise BadInput(tr("permissions: expected at least one."), path="permissions")
    return permissions


def _asked(twin: _Twin) -> Asked | None:
    """What was asked is told in an answer alone. Whether the grant gives less than it is judged where the grant is read."""
    if twin.asked is None:
        return None
    if twin.request_id is None:
        raise BadInput(tr("requestId is missing: what was asked is told in answer to a request."), path="requestId")
    asked = Asked(permissions_from_json(twin.asked.permissions, path="asked.permissions"), twin.asked.expiry_sec)
    if not asked.permissions:
        raise BadInput(tr("asked.permissions: expected at least one."), path="asked.permissions")
    return asked


def _account(twin: _Twin) -> Account | None:
    if twin.account is None:
        return None
    if twin.chain_id is None:
        raise BadInput(tr("chainId is missing: an account is named together with its network."), path="chainId")
    mode = twin.mode or Mode.ADDRESS
    given = {name for name, value in (("owner", twin.owner), ("salt", twin.salt)) if value is not None}
    for name in sorted(_MODE_NEEDS.get(mode, set()) - given):
        raise BadInput(tr("{name} is missing: an account of mode {mode} follows from it.", name=name, mode=mode), path=name)
    if mode in (Mode.EIP7702, Mode.ADDRESS) and "salt" in given:
        raise BadInput(tr("salt has no place in an account of mode {mode}.", mode=mode), path="salt")
    if mode is Mode.EIP7702 and twin.owner != twin.account:
        raise BadInput(tr("owner: an account of mode 7702 is its owner's own address."), path="owner")
    return Account(twin.chain_id, twin.account, twin.system, mode, twin.owner, twin.salt, twin.init_code or b"")


# Requests ------------------------------------------------------------------------------------------------------------------------


def request_envelope(request: SessionRequest) -> Envelope:
    """A request as an envelope. Raises BadInput when it names an account but no network."""
    account = None
    if request.account is not None:
        if request.chain_id is None:
            raise BadInput(tr("chainId is missing: an account is named together with its network."), path="chainId")
        account = Account(request.chain_id, request.account, request.system, Mode.ADDRESS)
    return Envelope(
        kind=Kind.REQUEST,
        permissions=request.permissions,
        account=account,
        expiry=request.expiry,
        session_key=request.session_key,
        key_type=request.key_type,
        request_id=request.request_id,
        hand_over_key=request.hand_over_key,
        claims=request.claims,
        chain_id=None if account else request.chain_id,
        system="modular_account" if account else request.system,
        callback=request.callback,
    )


def session_request(envelope: Envelope) -> SessionRequest:
    """The inverse of `request_envelope`."""
    account = envelope.account
    return SessionRequest(
        permissions=envelope.permissions,
        request_id=envelope.request_id,
        account=account.address if account else None,
        chain_id=account.chain_id if account else envelope.chain_id,
        expiry=envelope.expiry,
        session_key=envelope.session_key,
        key_type=envelope.key_type,
        hand_over_key=envelope.hand_over_key,
        claims=envelope.claims,
        system=account.system if account else envelope.system,
        callback=envelope.callback,
    )


# CBOR ----------------------------------------------------------------------------------------------------------------------------


def encode(envelope: Envelope) -> bytes:
    """The one byte form of an envelope: CBOR array ["latchkey", version, body, check].

    Raises BadInput when the envelope lacks what its kind needs, has what it must not, or is larger than 64 KiB.
    """
    twin = to_json(envelope)
    from_json(twin)
    head = MAGIC + cbor.dump(VERSION) + cbor.dump(cbor.dump(wire.pack(twin)))
    raw = head + cbor.dump(_checksum(head))
    if len(raw) > MAX_BYTES:
        raise BadInput(
            tr("This hand-over is too large: at most {max_bytes} KiB are written.", max_bytes=MAX_BYTES // 1024), code="TooLarge"
        )
    return raw


def decode(raw: bytes) -> Envelope:
    """Read an envelope's bytes, all or nothing; bytes that are not exactly what `encode` writes are refused with BadInput."""
    if len(raw) > MAX_BYTES:
        raise BadInput(
            tr("This hand-over is too large: at most {max_bytes} KiB are read.", max_bytes=MAX_BYTES // 1024), code="TooLarge"
        )
    outer = cbor.load(raw)
    if not isinstance(outer, list) or outer[:1] != ["latchkey"] or len(outer) != 4:
        raise BadInput(tr("This is not a Latchkey hand-over."), code="NotHandOver")
    _, version, body, checksum = outer
    if not isinstance(body, bytes) or checksum != _checksum(raw[:-9]):
        raise BadInput(tr("The hand-over is damaged: its checksum does not fit. Copy or scan it again."), code="Damaged")
    _check_version(version)
    content = cbor.load(body)
    _known_kind(wire.kind(content))
    envelope = from_json({"latchkey": VERSION, **wire.unpack(content)})
    if encode(envelope) != raw:
        raise BadInput(tr("The hand-over is not written in its one exact form, so it is not read."), code="NotCanonical")
    return envelope


def _checksum(head: bytes) -> bytes:
    """First 8 bytes of SHA-256 over everything before the last CBOR item (that item is nine bytes: 0x48 and these eight)."""
    return hashlib.sha256(head).digest()[:8]
