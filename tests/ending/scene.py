"""What a test of ending needs: an account with sessions, a book, chains that are set, and short ways to plan, send and look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from latchkey.chain.reading import read_account
from latchkey.codec.hand_over import Envelope, Kind, encode
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
)
from latchkey.core.session import AccountReading
from latchkey.flow.chains import Chains
from latchkey.flow.ending import Ending, ItemResult, Plan, Way, WayKind, What, chosen
from latchkey.store.book import Book
from latchkey.store.records import GrantRecord, GrantState, MasterKeyRecord
from latchkey.store.settings import NetworkSettings, Settings
from latchkey.vault.client import SignerClient
from tests.chain.cases import DAY, MOVE, functions
from tests.chain.stage import ETHER, FACE, OWNER, SESSION, Key, Session, Stage
from tests.chain.state import stored
from tests.devnet.devnet import CHAIN_ID
from tests.devnet.places import COUNTER, DOLLAR, GAME

#: Every module is in it: time, native and gas limits, a token, functions and a whole contract.
EVERYTHING: tuple[Permission, ...] = (
    NativeTokenTransfer(ETHER),
    Erc20TokenTransfer(DOLLAR, 1000),
    GasLimit(ETHER),
    FunctionsOnContract(GAME, functions(MOVE)),
    ContractAccess(COUNTER),
)


@dataclass
class Scene:
    stage: Stage
    signer: SignerClient
    book: Book
    account: Account
    settings: Settings
    said: list[str] = field(default_factory=list)
    patience: float = 20.0

    @classmethod
    @contextmanager
    def open(cls, stage: Stage, signer: SignerClient, folder: Path, salt: int) -> Iterator[Scene]:
        with Book.open(folder / "book.sqlite") as book:
            network = NetworkSettings(CHAIN_ID, rpc=stage.net.url, bundler=stage.net.bundler_url)
            scene = cls(stage, signer, book, stage.account(salt=salt), Settings(networks=(network,)))
            book.add_account(scene.account)
            book.put_key(MasterKeyRecord(OWNER.address, "Main", "raw", ""))
            yield scene

    # --- settings

    @property
    def chains(self) -> Chains:
        return Chains(lambda: self.settings)

    @property
    def ending(self) -> Ending:
        """A new one each time, as after a restart."""
        return Ending(self.book, lambda: self.signer, self.chains, self.stage.now, patience=self.patience)

    def use(self, **changes: str) -> None:
        """Other endpoints."""
        self.settings = Settings(networks=(replace(self.settings.networks[0], **changes),))

    def as_mode(self, mode: Mode, *, owner: Key = OWNER, salt: int = 0) -> None:
        """Another account, of that mode."""
        self.account = self.stage.account(owner=owner, mode=mode, salt=salt)
        self.book.add_account(self.account)
        if owner is not OWNER:
            self.book.put_key(MasterKeyRecord(owner.address, "Other", "raw", ""))

    # --- sessions

    def install(self, entity_id: int, *permissions: Permission, key: Key = SESSION, owner: Key = OWNER) -> Draft:
        """Installed by the owner; all modules unless permissions are named."""
        draft = self.stage.draft(
            self.account, *(permissions or EVERYTHING), entity_id=entity_id, session=key.address, expiry=self.stage.now() + DAY
        )
        assert self.stage.owner_tx(self.account, FACE.build(draft).call, owner=owner).text == "done"
        return draft

    def grant(self, entity_id: int, *permissions: Permission) -> tuple[GrantRecord, Session]:
        """Signed and in the book, not on the chain."""
        draft = self.stage.draft(
            self.account, *(permissions or (ContractAccess(COUNTER),)), entity_id=entity_id, expiry=self.stage.now() + DAY
        )
        signed = self.stage.grant(draft, self.account)
        envelope = Envelope(
            Kind.SIGNED_GRANT, draft.permissions, self.account, draft.expiry, draft.session_key, entity_id=entity_id,
            nonce=signed.grant.nonce, blob=signed.blob, context=FACE.context(signed),
        )  # fmt: skip
        record = self.book.add_grant(
            GrantRecord(
                draft,
                signed.grant.nonce,
                signed.grant.unsigned,
                self.stage.now(),
                envelope=encode(envelope),
                state=GrantState.SIGNED,
            )
        )
        return record, self.stage.session(signed, self.account)

    def key_of(self, draft: Draft) -> Session:
        return self.stage.session(self.stage.grant(draft, self.account, checked=False), self.account)

    def left(self, draft: Draft) -> dict[str, Any]:
        return stored(self.stage, draft)

    # --- ending

    def reading(self) -> AccountReading:
        return read_account(self.chains.node(CHAIN_ID), self.account)

    def plan(self, what: What) -> Plan:
        return self.ending.plan(self.reading(), what)

    def way(self, plan: Plan, kind: WayKind) -> Way:
        return next(way for way in self.ending.ways(plan) if way.kind is kind)

    def do(self, what: What, kind: WayKind) -> tuple[ItemResult, ...]:
        """From a reading to results."""
        plan, ending = self.plan(what), self.ending
        prepared = ending.prepare(plan, chosen(ending.ways(plan), kind))
        return ending.sign_and_send(prepared, self.said.append)

    def states(self, results: Sequence[ItemResult]) -> list[str]:
        return [f"{r.kind} {r.entity_id}: {r.state}" for r in results]

    def fund(self, address: str, wei: int) -> None:
        self.stage.rpc("anvil_setBalance", address, hex(wei))
