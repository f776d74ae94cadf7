"""What a piece of text or bytes means: anything that building or signing prints, typed data, calldata, a blob, an envelope.

Everything is decoded from the bytes; what stands beside them (a digest, a draft, an envelope's list of permissions) is compared with
what was decoded, and a difference is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from latchkey.accounts.review import exact
from latchkey.accounts.system import system
from latchkey.codec.hand_over import ENDINGS, Envelope, Kind, to_json
from latchkey.codec.inbox import open_text
from latchkey.codec.wallet_api import CreatedSession, is_answer, read_answer, session_id_of
from latchkey.core.account import Account, Mode
from latchkey.core.digest_words import digest_words
from latchkey.core.draft import Draft, draft_from_json, draft_to_json
from latchkey.core.grant import Grant
from latchkey.core.permissions import permissions_to_json
from latchkey.core.phrases import Finding, Phrase, Words
from latchkey.core.reading import Deferred, Install, Reading, unknown_in
from latchkey.core.request import NO_CLAIMS, Claims, SessionRequest
from latchkey.core.risk import findings
from latchkey.core.types import Address, hex_bytes, to_hex
from latchkey.core.untrusted import MAX_BYTES, read_json
from latchkey.core.words import describe
from latchkey.errors import BadInput, CannotDecode, LatchkeyError, Mismatch, NotServed
from latchkey.flow.ending_envelopes import check_derived, review_envelope
from latchkey.flow.narrowing import changes, check_told
from latchkey.language import tr

_SYSTEM = "modular_account"
_FACE = system(_SYSTEM)  # bare bytes name no account system; there is one that has any


@dataclass(frozen=True, slots=True)
class Explanation:
    """`draft`: the JSON draft, with None where the bytes do not say (calldata names no account). `signer`: who signed, when that can be
    told. `envelope`: the JSON twin of an envelope that was explained, every field of it. `digest`: what is signed, 32 bytes, where the
    account and the network are known. `less`: what a reply says it gives less than was asked, in words.
    """

    words: Words
    findings: tuple[Finding, ...]
    draft: dict[str, Any] | None
    signer: Address | None = None
    envelope: dict[str, Any] | None = None
    digest: bytes = b""
    less: tuple[Phrase, ...] = ()


def explain(data: str | bytes, *, now: int, account: Account | None = None) -> Explanation:
    """Explain what `data` holds. `account` helps where bytes name none. Raises BadInput, CannotDecode, Mismatch, NotServed."""
    if len(data) > MAX_BYTES * 2:
        raise BadInput(tr("This is too long: at most {max_bytes} KiB are read.", max_bytes=MAX_BYTES // 512), code="TooLarge")
    text = data.strip() if isinstance(data, str) else _text(data)
    if text is None:
        return _incoming(open_text(data), now)
    if text[:1] == "{":
        value = read_json(text)
        if isinstance(value, dict) and (found := _json(value, now, account)):
            return found
    if text[:2] in ("0x", "0X"):
        return _bytes(hex_bytes(text, limit=MAX_BYTES), now, account)
    return _incoming(open_text(text), now)


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8").strip() if not data.startswith(b"\x84\x68latchkey") else None
    except UnicodeDecodeError:
        return None


def _json(value: dict[str, Any], now: int, account: Account | None) -> Explanation | None:
    """What build and sign print, a bare draft, typed data, or the Wallet APIs' answer; None for other JSON."""
    if "primaryType" in value:
        return _deferred(_FACE.decode_typed_data(value), now, account, NO_CLAIMS)
    if is_answer(value):
        return _answer(read_answer(value), now, account)
    if "envelope" in value and "blob" in value:
        return _signed_result(value, now)
    if "unsigned" in value and "typedData" in value:
        return _built(value, now)
    if "permissions" in value and "sessionKey" in value and "nonceKey" in value:
        draft = draft_from_json(value)
        return _grant(system(draft.system).build(draft), _plain_account(draft), now)
    return None


def _answer(answer: CreatedSession, now: int, account: Account | None) -> Explanation:
    """What the Wallet APIs want signed. Where its digest can be told, theirs has to be the same."""
    found = _deferred(_FACE.decode_typed_data(read_json(answer.typed_data)), now, account, NO_CLAIMS)
    if found.digest:
        answer.check_digest(found.digest)
    return found


def _built(value: dict[str, Any], now: int) -> Explanation:
    typed = _FACE.decode_typed_data(value["typedData"])
    account = _account_of(typed)
    grant, _ = exact(hex_bytes(value["unsigned"], path="unsigned", limit=MAX_BYTES), account)
    words = " ".join(digest_words(grant.digest))
    shown = {"call": to_hex(grant.call), "digest": to_hex(grant.digest), "digestWords": words, "nonce": f"0x{grant.nonce:064x}"}
    for name, ours in shown.items():
        if name in value and str(value[name]).lower() != ours:
            raise Mismatch(tr("{name} is not what the grant's bytes say.", name=name), path=name)
    if (typed.nonce, typed.deadline, typed.call) != (grant.nonce, grant.draft.expiry, grant.call):
        raise Mismatch(tr("typedData is not what the grant's bytes say."), path="typedData")
    return _grant(grant, account, now)


def _signed_result(value: dict[str, Any], now: int) -> Explanation:
    found = _incoming(open_text(hex_bytes(value["envelope"], path="envelope", limit=MAX_BYTES)), now)
    twin = found.envelope or {}
    for name, field in (("blob", "deferredAction"), ("context", "context")):
        if name in value and str(value[name]).lower() != twin.get(field, "").lower():
            raise Mismatch(tr("{name} is not the one in the envelope.", name=name), path=name)
    return found


def _bytes(raw: bytes, now: int, account: Account | None) -> Explanation:
    """Hex: an envelope, a context, a blob, an unsigned grant, or calldata."""
    if raw.startswith(b"\x84\x68latchkey"):
        return _incoming(open_text(raw), now)
    if raw[:1] == b"\x01" and raw[1:2] in (b"\x00", b"\x01") and len(raw) > 64:  # Wallet APIs context: 0x01 || blob
        try:
            return _deferred(_FACE.decode_signed(raw[1:]), now, account, NO_CLAIMS)
        except CannotDecode:
            pass
    if raw[:1] in (b"\x00", b"\x01"):
        for reader in (_FACE.decode_signed, _FACE.decode_unsigned):
            try:
                return _deferred(reader(raw), now, account, NO_CLAIMS)
            except CannotDecode:
                continue
    reading = _FACE.decode_call(raw, account=account.address if account else None)
    return _reading(reading, account, now, NO_CLAIMS, _partial(reading, account))


def _deferred(reading: Deferred, now: int, account: Account | None, claims: Claims) -> Explanation:
    if reading.account is not None and reading.chain_id is not None:
        named = _account_of(reading)
        if account is not None and (account.address, account.chain_id) != (named.address, named.chain_id):
            raise Mismatch(tr("The typed data names another account or network."), path="domain")
        account = named
    return _reading(reading, account, now, claims, _partial(reading, account))


def _reading(reading: Reading, account: Account | None, now: int, claims: Claims, draft: dict[str, Any] | None) -> Explanation:
    words = describe(reading, account=account, now=now, claims=claims)
    found = findings(reading, account=account, now=now, claims=claims)
    return Explanation(words, found, draft, digest=_digest(reading, account))


def _grant(grant: Grant, account: Account, now: int, claims: Claims = NO_CLAIMS) -> Explanation:
    _, reading = exact(grant.unsigned, account)
    return _reading(reading, account, now, claims, draft_to_json(grant.draft))


def _incoming(incoming: SessionRequest | Envelope, now: int) -> Explanation:
    if isinstance(incoming, SessionRequest) or incoming.kind is Kind.REQUEST:
        raise NotServed(
            tr("This is a request: nothing in it is signed yet. Open it in the window to choose, narrow and sign."),
            code="IsRequest",
        )
    account = incoming.account
    if account is None:
        raise BadInput(tr("account is missing from the envelope."), path="account")
    if incoming.kind in ENDINGS:
        shown, who = review_envelope(incoming, now=now)
        return Explanation(shown.words, shown.findings, None, who, to_json(incoming), shown.digest)
    face = system(account.system)
    signed = incoming.kind is Kind.SIGNED_GRANT
    unsigned = face.unsigned_of(incoming.blob) if signed else incoming.unsigned
    grant, reading = exact(unsigned, account)
    _same(incoming, grant)
    signer = None
    if signed:
        signer = verify_signature(incoming, grant)
        reading = face.decode_signed(incoming.blob)
    words = describe(reading, account=account, now=now, claims=incoming.claims)
    found = findings(reading, account=account, now=now, claims=incoming.claims)
    less = changes(incoming.asked, grant.draft, claims=incoming.claims) if incoming.asked else ()
    return Explanation(words, found, draft_to_json(grant.draft), signer, to_json(incoming), grant.digest, less)


def verify_signature(envelope: Envelope, grant: Grant) -> Address:
    """Who signed the envelope's grant; raises Mismatch when it is not the owner the envelope names or its parts do not fit together."""
    account, face = envelope.account, system(grant.draft.system)
    reading = face.decode_signed(envelope.blob)
    if account is None or reading.signature is None:
        raise BadInput(tr("The envelope holds no signature."), path="deferredAction")
    signature = reading.signature[1:]
    signer = face.signer_of(grant, signature)
    signed = face.assemble(grant, signature)
    contexts = (b"", face.context(signed), face.context(signed, session_id_of(envelope.request_id)))
    if signed.blob != envelope.blob or envelope.context not in contexts:
        raise Mismatch(tr("The parts of this envelope do not belong together."), path="deferredAction")
    if account.owner is not None and signer != account.owner:
        raise Mismatch(tr("The signature is not the owner's."), path="deferredAction")
    return signer


def _same(envelope: Envelope, grant: Grant) -> None:
    """The envelope's own words about the grant have to be the bytes'."""
    draft, account = grant.draft, envelope.account
    stated = {
        "permissions": sorted(map(str, envelope.permissions)) == sorted(map(str, draft.permissions)),
        "expirySec": envelope.expiry == draft.expiry,
        "key": envelope.session_key == draft.session_key,
        "entityId": envelope.entity_id == draft.entity_id,
        "nonce": envelope.nonce == grant.nonce,
    }
    for name, fits in stated.items():
        if not fits:
            raise Mismatch(tr("{name} in the envelope is not what its bytes say.", name=name), path=name)
    check_told(envelope.asked, draft)
    if account is not None:
        check_derived(account)


def _digest(reading: Reading, account: Account | None) -> bytes:
    """What signing this signs; empty where that is not known, or where the bytes are not what would be built from their meaning."""
    if not isinstance(reading, Deferred) or account is None or unknown_in(reading):
        return b""
    face = system(account.system)
    try:
        grant = face.build(face.draft_of(reading, account))
    except LatchkeyError:
        return b""
    same = (grant.nonce, grant.draft.expiry, grant.call) == (reading.nonce, reading.deadline, reading.call)
    return grant.digest if same else b""


def _account_of(reading: Deferred) -> Account:
    if reading.account is None or reading.chain_id is None:
        raise BadInput(tr("The typed data names no account."), path="domain")
    return Account(reading.chain_id, reading.account, _SYSTEM, Mode.ADDRESS)


def _plain_account(draft: Draft) -> Account:
    return Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)


def _partial(reading: Reading, account: Account | None) -> dict[str, Any] | None:
    """The draft as far as the bytes tell it; None when they grant nothing or hold anything unknown."""
    install = reading.action if isinstance(reading, Deferred) else reading
    if not isinstance(install, Install) or install.session_key is None or unknown_in(reading):
        return None
    deferred = reading if isinstance(reading, Deferred) else None
    return {
        "system": _SYSTEM,
        "chainId": account.chain_id if account else None,
        "account": str(account.address) if account else None,
        "entityId": install.entity_id,
        "nonceKey": hex(deferred.nonce_key) if deferred else None,
        "sequence": deferred.sequence if deferred else None,
        "expiry": install.expiry,
        "sessionKey": str(install.session_key),
        "permissions": permissions_to_json(install.permissions),
    }
