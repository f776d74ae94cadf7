"""Signing what somebody else made exact: a draft with its own ids, what `grant build` printed, an unsigned envelope of any kind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from latchkey.accounts.review import review
from latchkey.accounts.system import Policy, system
from latchkey.codec.eip4527 import EthSignRequest
from latchkey.codec.hand_over import ENDINGS, Envelope, Kind
from latchkey.codec.inbox import open_any, open_as, open_text
from latchkey.codec.wallet_api import CreatedSession
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft, draft_from_json
from latchkey.core.ending import Known
from latchkey.core.types import hex_bytes
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput
from latchkey.flow import wallet_api
from latchkey.flow.accounts import recognise, same_place
from latchkey.flow.ending_envelopes import review_envelope, signed_envelope
from latchkey.flow.explain import explain
from latchkey.flow.granting import Granting, Prepared
from latchkey.flow.keys import owner_among
from latchkey.language import tr
from latchkey.store.book import Book
from latchkey.vault.client import SignerClient
from latchkey.vault.model import MasterKey


def to_sign(data: bytes, granting: Granting, book: Book, *, now: int) -> Prepared:
    """Read what is to be signed. Judged as for an expert: whether the vault's switch allows it is the signer's to say."""
    value = read_json(data) if data.lstrip()[:1] == b"{" else None
    if isinstance(value, dict) and "nonceKey" in value:
        return _from_draft(draft_from_json(value), book, now)
    if isinstance(value, dict) and "unsigned" in value and "typedData" in value:
        return _from_built(value, data, book, now)
    incoming = open_any(data)
    if isinstance(incoming, CreatedSession):
        return wallet_api.asked(incoming, book, now=now)
    if not isinstance(incoming, Envelope) or incoming.kind is not Kind.UNSIGNED_GRANT:
        raise BadInput(tr("This is not something to sign: give a draft, what `grant build` printed, or an unsigned envelope."))
    return granting.reopen(incoming, Policy.EXPERT)


def asked_to_sign(data: bytes) -> EthSignRequest | None:
    """What another wallet asks for, as `ur:eth-sign-request`; None for anything else. Raises BadInput for a damaged one."""
    if not data.strip()[:32].lower().startswith(b"ur:eth-sign-request/"):
        return None
    return open_as(data, EthSignRequest)


def ending_to_sign(data: bytes) -> Envelope | None:
    """An unsigned envelope of something that takes power away; None for anything else. Raises BadInput for a signed one."""
    value = read_json(data) if data.lstrip()[:1] == b"{" else None
    if isinstance(value, dict) and "latchkey" not in value:
        return None
    incoming = open_text(data)
    if not isinstance(incoming, Envelope) or incoming.kind not in ENDINGS:
        return None
    if incoming.signatures:
        raise BadInput(tr("This is signed already; it only has to be sent."), code="SignedAlready")
    return incoming


def sign_ending(envelope: Envelope, client: SignerClient, book: Book, *, wanted: str | None, now: int) -> Envelope:
    """Show it, ask, sign it. The client is unlocked. Raises what reading it raises, Declined, Refused."""
    if envelope.account is None:
        raise BadInput(tr("account is missing from the envelope."), path="account")
    account = with_owner(envelope.account, client.status().keys, wanted)
    if account.owner is None:
        raise BadInput(tr("The account's owner is not known: name it with --owner."), path="owner")
    review_envelope(replace(envelope, account=account), now=now)
    known = tuple(Known(g.draft.entity_id, g.label, g.draft.session_key) for g in book.grants(account))
    transactions = envelope.kind is Kind.UNSIGNED_TRANSACTION
    preview = client.preview_transactions if transactions else client.preview_operations
    token = preview(envelope.transactions or envelope.operations, account, account.owner, known).token
    return signed_envelope(envelope, client.sign_all(token), now=now)


def owned(prepared: Prepared, keys: tuple[MasterKey, ...], wanted: str | None) -> Prepared:
    """With the account's owner as `with_owner` finds it."""
    return replace(prepared, account=with_owner(prepared.account, keys, wanted))


def with_owner(account: Account, keys: tuple[MasterKey, ...], wanted: str | None) -> Account:
    """With its owner: the one it names, the key its address follows from, the one named, or the only one."""
    if account.owner is None and wanted is None and account.mode is Mode.ADDRESS:
        found = recognise(account.chain_id, account.address, [key.address for key in keys])
        account = replace(found, label=account.label) if found else account
    if account.owner is None:
        account = replace(account, owner=owner_among(keys, wanted))
    elif wanted is not None and owner_among(keys, wanted) != account.owner:
        raise BadInput(tr("This key is not the account's owner."), path="owner")
    return account


def _from_draft(draft: Draft, book: Book, now: int) -> Prepared:
    grant = system(draft.system).build(draft)
    account = _account(book, Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS))
    face = system(draft.system)
    face.judge(draft, now=now, policy=Policy.EXPERT)
    return Prepared(account, review(grant.unsigned, account, now=now, policy=Policy.EXPERT))


def _from_built(value: dict[str, Any], data: bytes, book: Book, now: int) -> Prepared:
    explain(data, now=now)  # its parts have to say the same
    typed = system("modular_account").decode_typed_data(value["typedData"])
    if typed.account is None or typed.chain_id is None:
        raise BadInput(tr("The typed data names no account."), path="typedData.domain")
    account = _account(book, Account(typed.chain_id, typed.account, "modular_account", Mode.ADDRESS))
    unsigned = hex_bytes(value["unsigned"], path="unsigned")
    return Prepared(account, review(unsigned, account, now=now, policy=Policy.EXPERT))


def _account(book: Book, account: Account) -> Account:
    return next((known for known in book.accounts() if same_place(known, account)), account)
