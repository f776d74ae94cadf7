"""Other people's wallets and devices, by EIP-4527: they ask this machine to sign, or they sign for it.

    what = asked(request, book, now=now)          a grant as the wizard would have prepared it, or an unsigned hand-over of an ending
    answer_to(request, signed)                    the `eth-signature` for the other wallet

    requests = to_sign(unsigned, key, now=now)    what a device is shown: one request for each signature
    signed = signed_by(unsigned, key, requests, answers, now=now)

Nothing is signed here for being asked nicely: what the bytes mean is read and judged as for everything else, and only what the signer's
closed list has goes on to it. A signature that comes back has to be the owner's over the bytes that went out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from latchkey.accounts import transaction as transactions
from latchkey.accounts.endings import signer_of
from latchkey.accounts.modular_account.rebuild import packed
from latchkey.accounts.modular_account.userop import signed_message, user_op_hash
from latchkey.accounts.review import Review, exact, review
from latchkey.accounts.system import Policy, system
from latchkey.codec.eip4527 import DataType, EthSignature, EthSignRequest
from latchkey.codec.hand_over import ENDINGS, Envelope, Kind, decode
from latchkey.codec.hdkeys import HdAddress
from latchkey.core.account import Account, Mode
from latchkey.core.phrases import Finding, Level, Phrase
from latchkey.core.reading import Deferred, owner_of_storage
from latchkey.core.request import Claims
from latchkey.core.session import Leftover
from latchkey.core.types import Address, keccak
from latchkey.core.untrusted import read_json
from latchkey.core.words_pieces import address_part, phrase, strong
from latchkey.errors import BadInput, CannotDecode, LatchkeyError, Mismatch, Refused
from latchkey.flow.accounts import DEFAULT_SYSTEM, recognise, same_place
from latchkey.flow.ending_envelopes import review_envelope, signed_envelope, transactions_envelope
from latchkey.flow.explain import verify_signature
from latchkey.flow.granting import Prepared, Signed, earlier
from latchkey.language import tr
from latchkey.store.readings import Readings

if TYPE_CHECKING:
    from latchkey.store.book import Book

NAME = "Latchkey"
_LIST = tr("Latchkey signs grants and what ends, cancels or tightens sessions, and nothing else.")


# Asked to sign -------------------------------------------------------------------------------------------------------------------


def asked(request: EthSignRequest, book: Book, *, now: int, policy: Policy = Policy.EXPERT) -> Prepared | Envelope:
    """What a request is for, ready to be reviewed and signed: a grant, or an unsigned hand-over of the owner's transaction.

    Raises Refused with the reason for what is not on the signer's list, for an account that is not one of ours, and for a grant whose
    nonce or entity id another one has; CannotDecode, Mismatch and Refused as any review does. Whether the vault's switch allows what only
    experts may sign is the signer's to say.
    """
    match request.data_type:
        case DataType.TYPED_DATA:
            return _grant(request, book, now, policy)
        case DataType.TRANSACTION:
            return _ending(request, book, now)
        case DataType.PERSONAL_MESSAGE:
            raise _off_list(tr("This asks for a signature on a message, which may be the hash of anything."))
        case DataType.LEGACY_TRANSACTION:
            raise _off_list(tr("This is a transaction of the old kind, without a limit on its fees."))


def _grant(request: EthSignRequest, book: Book, now: int, policy: Policy) -> Prepared:
    reading, account = _read(request, book)
    face = system(account.system)
    grant = face.build(face.draft_of(reading, account))
    if (grant.nonce, grant.draft.expiry, grant.call) != (reading.nonce, reading.deadline, reading.call):
        raise Mismatch(tr("This grant is not what Latchkey would make of its own meaning; it is not signed."), code="NotCanonical")
    claims = Claims(dapp_name=request.origin) if request.origin else Claims()
    shown = review(grant.unsigned, account, now=now, policy=policy, claims=claims)
    return beside_others(Prepared(account, shown, claims=claims), book)


def beside_others(prepared: Prepared, book: Book) -> Prepared:
    """A grant that was made elsewhere, with what it would have beside what its bytes say. Raises Refused where another grant or a session
    has its nonce or its entity id, and for one that is signed already."""
    record = earlier(prepared, book)
    if record is not None and record.envelope is not None:
        raise Refused(tr("This grant is signed already; it is under Grants."), code="AlreadySigned")
    left = _left_under(book, prepared.account, prepared.review.draft.entity_id)
    return replace(prepared, review=_with_leftovers(prepared.review, left))


def _read(request: EthSignRequest, book: Book) -> tuple[Deferred, Account]:
    value = read_json(request.data)
    if not isinstance(value, dict) or value.get("primaryType") != "DeferredAction":
        raise _off_list(tr("This asks for a signature on typed data that is no grant."))
    reading = system(DEFAULT_SYSTEM).decode_typed_data(value)
    if reading.account is None or reading.chain_id is None:
        raise CannotDecode(tr("The typed data names no account."), path="domain")
    if request.chain_id not in (None, reading.chain_id):
        raise Mismatch(tr("The request names another network than what is to be signed."), path="chainId")
    return reading, _ours(book, reading.chain_id, reading.account, request.address)


def _ours(book: Book, chain_id: int, address: Address, signer: Address | None) -> Account:
    """One of the book's accounts, or one that follows from one of its keys; with `signer` as its owner where nobody was named."""
    keys = [key.address for key in book.keys()]  # noqa: SIM118 - a book is no dictionary
    place = Account(chain_id, address, DEFAULT_SYSTEM, Mode.ADDRESS)
    account = next((known for known in book.accounts() if same_place(known, place)), None) or recognise(chain_id, address, keys)
    if account is None:
        raise Refused(tr("This is for an account that is not one of yours; add it first if it is."), code="NotOurs", path="account")
    if account.owner is None and signer is not None and signer in keys:
        account = replace(account, owner=signer)
    if signer not in (None, account.owner):
        raise Refused(tr("This asks for the signature of a key that does not own the account."), code="OtherSigner", path="address")
    return account


def _left_under(book: Book, account: Account, entity_id: int) -> tuple[Leftover, ...]:
    """What ended sessions left behind under this id, as the chain was last read. Raises Refused when a session has the id now."""
    kept = Readings(book).get(account)
    if kept is None:
        return ()
    if any(session.entity_id == entity_id for session in kept.reading.sessions):
        raise Refused(tr("A session on the chain has this entity id; the two would merge."), code="EntityIdTaken", path="entityId")
    return tuple(left for left in kept.reading.leftovers if owner_of_storage(left.entity_id) == entity_id)


def _with_leftovers(shown: Review, left: tuple[Leftover, ...]) -> Review:
    """With what it would have beside what its bytes say, among its powers."""
    if not left:
        return shown
    words = replace(shown.words, can=(*shown.words.can, *dict.fromkeys(map(_inherited, left))))
    return replace(shown, words=words, findings=(_LEFTOVERS, *shown.findings))


def _inherited(left: Leftover) -> Phrase:
    start = (strong(tr("Left behind by an earlier session with this id:")), " ")
    function = tr("function {selector} ", selector=left.selector) if left.selector else ""
    if left.amount is not None:
        return phrase(
            *start, tr("a limit of {amount} base units, kept by ", amount=left.amount), address_part(left.target or left.module)
        )
    if left.target is None:
        return phrase(*start, tr("{function}on every contract", function=function))
    return phrase(*start, tr("{function}at ", function=function), address_part(left.target))


_LEFTOVERS = Finding(
    "leftovers",
    Level.DANGER,
    tr("An earlier session under the same id left limits or entries behind; this key would have them too."),
    tr("Do not sign it: ask for a grant under an id that was never used."),
)


def _ending(request: EthSignRequest, book: Book, now: int) -> Envelope:
    """The owner's own transaction: read for each account it could be about, for it need not name one itself."""
    reasons: list[LatchkeyError] = []
    for account in book.accounts():
        if request.chain_id in (None, account.chain_id) and request.address in (None, account.owner):
            try:
                return transactions_envelope((request.data,), account, now=now)
            except LatchkeyError as reason:
                reasons.append(reason)
    if len(reasons) == 1:
        raise reasons[0]
    raise _off_list(tr("This transaction does nothing that Latchkey would sign for any of your accounts."))


def _off_list(what: str) -> Refused:
    return Refused(f"{what} {_LIST}", code="NotOnList")


def answer_to(request: EthSignRequest, signed: Signed | Envelope) -> EthSignature:
    """The signature for whoever asked. Raises Mismatch when it is not one over what the request holds."""
    envelope = signed if isinstance(signed, Envelope) else decode(signed.envelope)
    if envelope.kind is Kind.SIGNED_GRANT and envelope.account is not None:
        face = system(envelope.account.system)
        reading = face.decode_signed(envelope.blob)
        wanted = face.decode_typed_data(read_json(request.data)) if request.data_type is DataType.TYPED_DATA else None
        fits = wanted is not None and (wanted.chain_id, wanted.account, wanted.nonce, wanted.deadline, wanted.call) == (
            envelope.account.chain_id, envelope.account.address, reading.nonce, reading.deadline, reading.call
        )  # fmt: skip
        signature = (reading.signature or b"")[1:]
    else:
        fits = envelope.transactions == (request.data,) and len(envelope.signatures) == 1
        signature = envelope.signatures[0][:64] + bytes([envelope.signatures[0][64] - 27]) if fits else b""  # v as EIP-1559 has it
    if not fits or not signature:
        raise Mismatch(tr("This is not what the request asked to be signed."), code="OtherRequest")
    return EthSignature(signature, request.request_id, NAME)


# Having a device sign ------------------------------------------------------------------------------------------------------------


def to_sign(unsigned: Envelope, key: HdAddress, *, now: int) -> tuple[EthSignRequest, ...]:
    """What the device that has `key` is shown, one request for each signature. Raises Refused when it is not the owner's key.

    `unsigned`: a grant (`Granting.keep_unsigned`) or what takes power away. Operations are signed as messages: the device shows their
    hash and no more, so what they do has to be read here.
    """
    account = _owned(unsigned, key)
    if unsigned.kind is Kind.UNSIGNED_GRANT:
        grant, _ = exact(unsigned.unsigned, account)
        typed = json.dumps(system(account.system).typed_data(grant), separators=(",", ":"))
        return _requests(DataType.TYPED_DATA, (typed.encode(),), account, key)
    if unsigned.kind not in ENDINGS or unsigned.signatures:
        raise Refused(tr("This is not something to sign."), code="NotUnsigned")
    review_envelope(replace(unsigned, account=account), now=now)
    if unsigned.transactions:
        return _requests(DataType.TRANSACTION, unsigned.transactions, account, key)
    operations = (packed(system(account.system).decode_operation(data)) for data in unsigned.operations)
    hashes = (user_op_hash(operation, account.chain_id) for operation in operations)
    return _requests(DataType.PERSONAL_MESSAGE, hashes, account, key)


def signed_by(
    unsigned: Envelope, key: HdAddress, requests: Sequence[EthSignRequest], answers: Iterable[EthSignature], *, now: int
) -> Envelope:
    """The same, signed: for `Granting.accept_signed`, or to be sent. `answers`: one for each request, in any order.

    Raises Mismatch when an answer is to another request or its signature is not the owner's over what went out, BadInput when it is none.
    """
    account = _owned(unsigned, key)
    by_id = {answer.request_id: _normal(answer.signature) for answer in answers}
    if by_id.keys() != {request.request_id for request in requests}:
        raise Mismatch(tr("The device's answer is to another request than the one shown to it."), code="OtherRequest")
    signatures = [by_id[request.request_id] for request in requests]
    if unsigned.kind is not Kind.UNSIGNED_GRANT:
        return signed_envelope(replace(unsigned, account=account), signatures, now=now)
    grant, _ = exact(unsigned.unsigned, account)
    face = system(account.system)
    signed = face.assemble(grant, signatures[0])
    envelope = replace(
        unsigned,
        kind=Kind.SIGNED_GRANT,
        account=account,
        unsigned=b"",
        blob=signed.blob,
        context=face.context(signed),
        hand_over_key=None,
        created=None,
    )
    verify_signature(envelope, grant)
    return envelope


def check_answer(unsigned: Envelope, key: HdAddress, request: EthSignRequest, answer: EthSignature) -> None:
    """One answer by itself, as soon as it is there. Raises Mismatch when its signature is not the device's over what the request holds."""
    account = _owned(unsigned, key)
    signature = _normal(answer.signature)
    if signer_of(_digest_of(request, account), signature) != key.address:
        raise Mismatch(tr("The signature is not the one of the device's key over this."), code="WrongSigner", path="signature")


def _digest_of(request: EthSignRequest, account: Account) -> bytes:
    """The 32 bytes that the device signs."""
    match request.data_type:
        case DataType.TYPED_DATA:
            face = system(account.system)
            return face.build(face.draft_of(face.decode_typed_data(read_json(request.data)), account)).digest
        case DataType.PERSONAL_MESSAGE:
            return signed_message(request.data)
        case _:
            return transactions.digest(request.data)


def _owned(envelope: Envelope, key: HdAddress) -> Account:
    if envelope.account is None:
        raise BadInput(tr("account is missing from the envelope."), path="account")
    if envelope.account.owner not in (None, key.address):
        raise Refused(tr("Another key than the device's owns this account."), code="OtherSigner", path="owner")
    return replace(envelope.account, owner=key.address)


def _requests(kind: DataType, data: Iterable[bytes], account: Account, key: HdAddress) -> tuple[EthSignRequest, ...]:
    return tuple(EthSignRequest(one, kind, key.path, _id_of(one), account.chain_id, key.address, NAME) for one in data)


def _id_of(data: bytes) -> bytes:
    """16 bytes that follow from what is to be signed: an answer finds its question again, also after a restart."""
    return keccak(data)[:16]


def _normal(signature: bytes) -> bytes:
    """r||s||v with v 27 or 28, whichever of the two ways of writing it the device has. Raises BadInput."""
    if len(signature) != 65 or signature[64] not in (0, 1, 27, 28):
        raise BadInput(tr("The device's signature is not 65 bytes with a plain last one."), code="NotSignature", path="signature")
    return signature[:64] + bytes([signature[64] % 27 + 27])
