"""Signing what somebody else made exact: a draft with its own ids, what `grant build` printed, an unsigned envelope."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from latchkey.accounts.review import review
from latchkey.accounts.system import Policy, system
from latchkey.codec.hand_over import Envelope, Kind
from latchkey.codec.inbox import open_text
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft, draft_from_json
from latchkey.core.types import hex_bytes
from latchkey.core.untrusted import read_json
from latchkey.errors import BadInput
from latchkey.flow.accounts import recognise, same_place
from latchkey.flow.explain import explain
from latchkey.flow.granting import Granting, Prepared
from latchkey.flow.keys import owner_among
from latchkey.store.book import Book
from latchkey.vault.model import MasterKey


def to_sign(data: bytes, granting: Granting, book: Book, *, now: int) -> Prepared:
    """Read what is to be signed. Judged as for an expert: whether the vault's switch allows it is the signer's to say."""
    value = read_json(data) if data.lstrip()[:1] == b"{" else None
    if isinstance(value, dict) and "nonceKey" in value:
        return _from_draft(draft_from_json(value), book, now)
    if isinstance(value, dict) and "unsigned" in value and "typedData" in value:
        return _from_built(value, data, book, now)
    incoming = open_text(data)
    if not isinstance(incoming, Envelope) or incoming.kind is not Kind.UNSIGNED_GRANT:
        raise BadInput("This is not something to sign: give a draft, what `grant build` printed, or an unsigned envelope.")
    return granting.reopen(incoming, Policy.EXPERT)


def owned(prepared: Prepared, keys: tuple[MasterKey, ...], wanted: str | None) -> Prepared:
    """With the account's owner: the one it names, the key its address follows from, the one named, or the only one."""
    account = prepared.account
    if account.owner is None and wanted is None and account.mode is Mode.ADDRESS:
        found = recognise(account.chain_id, account.address, [key.address for key in keys])
        account = replace(found, label=account.label) if found else account
    if account.owner is None:
        account = replace(account, owner=owner_among(keys, wanted))
    elif wanted is not None and owner_among(keys, wanted) != account.owner:
        raise BadInput("This key is not the account's owner.", path="owner")
    return replace(prepared, account=account)


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
        raise BadInput("The typed data names no account.", path="typedData.domain")
    account = _account(book, Account(typed.chain_id, typed.account, "modular_account", Mode.ADDRESS))
    unsigned = hex_bytes(value["unsigned"], path="unsigned")
    return Prepared(account, review(unsigned, account, now=now, policy=Policy.EXPERT))


def _account(book: Book, account: Account) -> Account:
    return next((known for known in book.accounts() if same_place(known, account)), account)
