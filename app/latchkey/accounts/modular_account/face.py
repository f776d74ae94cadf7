"""Modular Account V2 behind the face every account system shows."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from latchkey.accounts.modular_account import (
    addresses,
    build,
    decode,
    deferred,
    ending,
    granted,
    history,
    judge,
    judge_ending,
    rebuild,
    sessions,
    userop,
    views,
)
from latchkey.accounts.modular_account import code as code_of
from latchkey.accounts.modular_account.draft_of import draft_of
from latchkey.accounts.system import AccountSystem, Contracts, Inquiry, Policy
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.ending import AccountCall
from latchkey.core.grant import Grant, SignedGrant
from latchkey.core.logs import Log, LogFilter
from latchkey.core.reading import Action, Deferred, Operation, Transaction
from latchkey.core.session import Block, Leftover, Limit, LogRange, Session
from latchkey.core.types import Address


@dataclass(frozen=True, slots=True)
class ModularAccount:
    """Stateless; see `AccountSystem` for what each function promises."""

    name: str = "modular_account"
    title: str = "Alchemy Modular Account V2"

    def judge(self, draft: Draft, *, now: int, policy: Policy) -> None:
        judge.judge(draft, now=now, policy=policy)

    def build(self, draft: Draft) -> Grant:
        return build.build(draft)

    def typed_data(self, grant: Grant) -> dict[str, Any]:
        return build.typed_data(grant)

    def decode_unsigned(self, unsigned: bytes) -> Deferred:
        return decode.decode_unsigned(unsigned)

    def decode_signed(self, blob: bytes) -> Deferred:
        return decode.decode_blob(blob)

    def decode_typed_data(self, value: dict[str, Any]) -> Deferred:
        return decode.decode_typed_data(value)

    def decode_call(self, data: bytes, *, account: Address | None = None) -> Action:
        return decode.decode_call(data, account=account)

    def unsigned_of(self, blob: bytes) -> bytes:
        return deferred.unsigned_of(blob)

    def draft_of(self, reading: Deferred, account: Account) -> Draft:
        return draft_of(reading, account)

    def assemble(self, grant: Grant, signature: bytes) -> SignedGrant:
        return deferred.assemble(grant, signature)

    def context(self, signed: SignedGrant, session_id: bytes | None = None) -> bytes:
        return deferred.local_context(signed) if session_id is None else deferred.remote_context(session_id, signed.signature)

    def signer_of(self, grant: Grant, signature: bytes) -> Address:
        return deferred.signer_of(grant.digest, signature)

    def log_filters(self, account: Account) -> tuple[LogFilter, ...]:
        return history.filters(account.address)

    def first_code(self, account: Account, code: bytes) -> Address | None:
        return code_of.first_code(account, code)

    def read(
        self,
        account: Account,
        block: Block,
        logs: Sequence[Log],
        read: LogRange,
        contracts: Contracts,
        *,
        also: Iterable[int] = (),
    ) -> Inquiry:
        state = yield from views.rounds(account, history.history_of(logs, account.address), contracts, also)
        return sessions.reading_of(state, block, read)

    def granted(self, session: Session, to: Address, data: bytes) -> Session:
        return granted.granted(session, to, data)

    def predict(self, chain_id: int, owner: Address, salt: int, mode: Mode) -> Account:
        return addresses.predict(chain_id, owner, salt, mode)

    def end_call(self, session: Session, *, clean: bool = True) -> AccountCall:
        return ending.end_call(session, clean=clean)

    def left_by(self, session: Session, *, clean: bool = False) -> tuple[Leftover, ...]:
        return ending.left_by(session, clean=clean)

    def clean_calls(
        self, account: Address, leftovers: Iterable[Leftover], *, ended: Container[int] = ()
    ) -> tuple[AccountCall, ...]:
        return ending.clean_calls(account, leftovers, ended=ended)

    def cancel_call(self, nonce: int) -> AccountCall:
        return ending.cancel_call(nonce)

    def lower_call(self, session: Session, limit: Limit, to: int) -> AccountCall:
        return ending.lower_call(session, limit, to)

    def shorten_call(self, session: Session, until: int) -> AccountCall:
        return ending.shorten_call(session, until)

    def together(self, account: Address, calls: Sequence[AccountCall]) -> bytes:
        return ending.together(account, calls)

    def owner_call(self, call_data: bytes) -> bytes:
        return ending.owner_call(call_data)

    def owner_nonce_key(self, parallel: int) -> int:
        return ending.owner_nonce_key(parallel)

    def decode_operation(self, data: bytes) -> Operation:
        return decode.decode_operation(data)

    def decode_transaction(self, data: bytes, account: Address) -> Transaction:
        return decode.decode_transaction(data, account)

    def judge_operation(self, op: Operation, account: Account) -> None:
        judge_ending.judge_operation(op, account)

    def judge_transaction(self, transaction: Transaction, account: Account, sender: Address) -> None:
        judge_ending.judge_transaction(transaction, account, sender)

    def operation_bytes(self, op: Operation) -> bytes:
        return rebuild.operation_bytes(op)

    def transaction_bytes(self, transaction: Transaction, account: Address) -> bytes:
        return rebuild.transaction_bytes(transaction, account)

    def operation_digest(self, op: Operation, chain_id: int) -> bytes:
        return judge_ending.operation_digest(op, chain_id)

    def operation_signature(self, signature: bytes) -> bytes:
        return userop.operation_signature(signature)


SYSTEM: AccountSystem = ModularAccount()
