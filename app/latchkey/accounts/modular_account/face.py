"""Modular Account V2 behind the face every account system shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from latchkey.accounts.modular_account import addresses, build, decode, deferred, granted, history, judge, sessions, views
from latchkey.accounts.modular_account import code as code_of
from latchkey.accounts.modular_account.draft_of import draft_of
from latchkey.accounts.system import AccountSystem, Contracts, Inquiry, Policy
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.grant import Grant, SignedGrant
from latchkey.core.logs import Log, LogFilter
from latchkey.core.reading import Action, Deferred
from latchkey.core.session import Block, LogRange, Session
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

    def context(self, signed: SignedGrant) -> bytes:
        return deferred.local_context(signed)

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


SYSTEM: AccountSystem = ModularAccount()
