"""Break-glass: operations signed ahead that end every session known now, kept in the vault for the day when nothing else works.

    glass = BreakGlass(book, lambda: client, chains, clock)
    made = glass.prepare(reading)         the signer has read them: made.preview; made.sentences say what it is good for and what not
    kept = glass.sign_and_keep(made)      one yes; sealed in the vault, in place of the account's earlier set
    glass.sets()                          what is kept, each with what it covers
    glass.use(kept.id)                    sends it: no reading, no estimate, nothing to sign for the account

They need nothing but somebody who takes them: any RPC and any bundler, or any key of the vault that has money. Each batch has a random
nonce key of its own, so nothing else the owner signs gets in their way, and three fee levels under one nonce.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from latchkey.accounts.modular_account.userop import UserOperation, to_bytes
from latchkey.accounts.system import system
from latchkey.chain.fees import Fee, cap, fees, ladder
from latchkey.chain.refusals import coins, not_deployed
from latchkey.core.account import Account, Mode
from latchkey.core.moments import utc
from latchkey.core.reading import Cancel, Operation, Uninstall
from latchkey.core.session import AccountReading
from latchkey.core.types import Address
from latchkey.errors import BadInput, Refused
from latchkey.flow.accounts import same_place
from latchkey.flow.ending import Ending, ItemResult, as_owned, owner_now
from latchkey.flow.ending_ways import WayKind, own_gas
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.chain.send import Progress
    from latchkey.core.ending import AccountCall
    from latchkey.flow.chains import Chains
    from latchkey.store.book import Book
    from latchkey.store.records import GrantRecord
    from latchkey.vault.client import SignerClient
    from latchkey.vault.model import BreakGlass as Kept
    from latchkey.vault.model import EndingPreview

NONCE_BITS = 128
_SESSION, _GRANT = 150_000, 60_000  # gas; without hook data an uninstall calls no module but the key's
_MOST_GAS = 5_000_000
_SPARE = 100_000  # pre-verification gas beyond our own count: what a bundler asks on the day is not known
_TIMES = (1, 4, 16)  # of today's urgent fee: what gas costs on the day is not known either
_MOST_SIGNED = 60


@dataclass(frozen=True, slots=True)
class Covers:
    """What signed operations end. `nonce_keys`: of the waiting grants they cancel. `needs`: wei the account must hold at the calmest
    level, `most`: at the dearest."""

    entity_ids: tuple[int, ...]
    nonce_keys: frozenset[int]
    needs: int
    most: int


@dataclass(frozen=True, slots=True)
class Glass:
    """A set in the vault. `created`: seconds since 1970."""

    id: str
    account: Account
    created: int
    covers: Covers
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    account: Account
    owner: Address
    operations: tuple[UserOperation, ...]
    preview: EndingPreview
    covers: Covers
    sentences: tuple[str, ...]


class BreakGlass:
    def __init__(self, book: Book, client: Callable[[], SignerClient], chains: Chains, clock: Callable[[], int]) -> None:
        self._book, self._client, self._chains, self._clock = book, client, chains, clock

    def prepare(self, reading: AccountReading, stop: Event | None = None) -> Prepared:
        """For everything that `reading` and the book know of the account. Raises Refused when there is nothing, SendError, ChainError."""
        account, owner = reading.account, owner_now(reading)
        if not reading.deployed:
            raise not_deployed(account.address)
        if owner is None:
            raise Refused(tr("Which key owns this account is not known."), code="NoOwner")
        rows = list(_rows(reading, self._waiting(reading)))
        if not rows:
            raise Refused(tr("There is nothing to end on this account, so there is nothing to sign ahead."), code="NothingToDo")
        if len(rows) * len(_TIMES) > _MOST_SIGNED:
            raise Refused(tr("These are too many sessions for one set. Revoke those that are not needed."), code="TooMuch")
        node = self._chains.node(account.chain_id).stoppable(stop)
        levels = _levels(fees(node, account.chain_id).levels[-1], cap(account.chain_id))
        operations = tuple(op for calls, gas in rows for op in _operations(account, calls, gas, levels))
        owned = as_owned(account, owner)
        preview = self._client().preview_operations([to_bytes(op) for op in operations], owned, owner)
        found = covers([system(account.system).decode_operation(to_bytes(op)) for op in operations])
        return Prepared(owned, owner, operations, preview, found, sentences(account, found, self._clock()))

    def sign_and_keep(self, prepared: Prepared) -> Glass:
        """Raises Declined, Locked, Refused, StoreError."""
        client = self._client()
        signatures = client.sign_all(prepared.preview.token)
        datas = [to_bytes(op) for op in prepared.operations]
        number = client.keep_break_glass(prepared.account, prepared.owner, datas, signatures)
        return next(one for one in self.sets() if one.id == number)

    def sets(self) -> tuple[Glass, ...]:
        """Raises Locked."""
        return tuple(self._shown(one) for one in self._client().break_glass())

    def is_offered(self, account: Account, entity_ids: Iterable[int] = ()) -> bool:
        """Is there a session (`entity_ids`) or a grant of the book that the account's set does not cover? Raises Locked."""
        found = [one.covers for one in self.sets() if same_place(one.account, account)]
        ids = {i for one in found for i in one.entity_ids}
        keys = {key for one in found for key in one.nonce_keys}
        grants = [g for g in self._book.grants(account) if not 0 < g.draft.expiry < self._clock()]
        waiting = [g for g in grants if g.nonce >> 64 not in keys and g.draft.entity_id not in ids]
        return bool(waiting) or not set(entity_ids) <= ids

    def use(
        self, number: str, *, via: WayKind | None = None, progress: Progress | None = None, stop: Event | None = None
    ) -> tuple[ItemResult, ...]:
        """Send a set: through the bundler where one is set, else carried by the vault's key with the most money. Raises BadInput, Locked,
        SendError, ChainError; what comes of each item is its result's."""
        kept = next((one for one in self._client().break_glass() if one.id == number), None)
        if kept is None:
            raise BadInput(tr("There is no such set in the vault."), code="NoSet", path="id")
        if via not in (None, WayKind.BUNDLER, WayKind.SELF):
            raise BadInput(tr("These are operations: they go through a bundler, or are carried by a key of the vault."), path="via")
        ending = Ending(self._book, self._client, self._chains, self._clock)
        return ending.send_operations(self._account(kept), kept.operations, kept.signatures, via, progress, stop)

    def forget(self, number: str) -> None:
        """Take it out of the vault. Raises Refused, Locked."""
        self._client().forget_break_glass(number)

    def _waiting(self, reading: AccountReading) -> list[GrantRecord]:
        """Grants that could still be used: their nonce is passed as well. One that was used already loses nothing by it."""
        installed = {session.entity_id for session in reading.sessions} | reading.used_entity_ids
        grants = self._book.grants(reading.account)
        alive = [g for g in grants if not 0 < g.draft.expiry < reading.block.time and g.draft.sequence == 0]
        return [g for g in alive if g.draft.entity_id not in installed]

    def _account(self, kept: Kept) -> Account:
        bare = Account(kept.chain_id, kept.account, "modular_account", Mode.ADDRESS, kept.owner)
        known = next((a for a in self._book.accounts() if same_place(a, bare)), bare)
        return as_owned(known, kept.owner)

    def _shown(self, kept: Kept) -> Glass:
        account = self._account(kept)
        found = covers([system(account.system).decode_operation(data) for data in kept.operations])
        return Glass(kept.id, account, kept.created, found, sentences(account, found, kept.created))


def covers(operations: Sequence[Operation]) -> Covers:
    """What they end, and what the account has to hold for it."""
    steps = [step for op in operations for step in op.steps]
    calm, dear = {op.nonce: op.most for op in operations}, {op.nonce: op.most for op in operations}
    for op in operations:
        calm[op.nonce], dear[op.nonce] = min(calm[op.nonce], op.most), max(dear[op.nonce], op.most)
    return Covers(
        tuple(dict.fromkeys(step.entity_id for step in steps if isinstance(step, Uninstall))),
        frozenset(step.key for step in steps if isinstance(step, Cancel)),
        sum(calm.values()),
        sum(dear.values()),
    )


def sentences(account: Account, found: Covers, created: int) -> tuple[str, ...]:
    """What a person has to know about a set."""
    sessions, grants = len(found.entity_ids), len(found.nonce_keys)
    calm, dear = coins(account.chain_id, found.needs), coins(account.chain_id, found.most)
    what = [f"{sessions} session{'s' * (sessions != 1)}"] * bool(sessions)
    what += [f"{grants} grant{'s' * (grants != 1)} that waited"] * bool(grants)
    return (
        tr(
            "It ends {what}: all that was known on {time}. What is let in later is not covered; make a new set then.",
            what=" and ".join(what),
            time=utc(created),
        ),
        tr("The account must hold {calm} for it, up to {dear} when gas is dear.", calm=calm, dear=dear),
        tr("It works until it is used or the account's owner is changed."),
        tr("It ends the keys and cleans nothing else; what stays stored can be cleaned afterwards."),
    )


def _rows(reading: AccountReading, grants: Sequence[GrantRecord]) -> Iterable[tuple[list[AccountCall], int]]:
    """Calls by operation, with their gas. A grant's nonce is passed once: a call for one that has passed already would fail nothing."""
    face = system(reading.account.system)
    wanted = [(face.end_call(session, clean=False), _SESSION) for session in reading.sessions]
    wanted += [(face.cancel_call(grant.nonce), _GRANT) for grant in grants]
    calls: list[AccountCall] = []
    gas = 0
    for call, each in wanted:
        if calls and gas + each > _MOST_GAS:
            yield calls, gas
            calls, gas = [], 0
        calls.append(call)
        gas += each
    if calls:
        yield calls, gas


def _operations(account: Account, calls: Sequence[AccountCall], gas: int, levels: Sequence[Fee]) -> Iterable[UserOperation]:
    face = system(account.system)
    data, nonce = face.together(account.address, calls), face.owner_nonce_key(secrets.randbits(NONCE_BITS)) << 64
    declared = own_gas(gas + 50_000, data)
    for fee in levels:
        yield UserOperation(
            sender=account.address,
            nonce=nonce,
            call_data=data,
            call_gas_limit=declared.call,
            verification_gas_limit=declared.verification,
            pre_verification_gas=declared.pre_verification + _SPARE,
            max_fee_per_gas=fee.max_fee,
            max_priority_fee_per_gas=fee.priority_fee,
        )


def _levels(urgent: Fee, most: int) -> tuple[Fee, ...]:
    wanted = ladder(tuple(Fee(urgent.max_fee * times, urgent.priority_fee * min(times, 4)) for times in _TIMES))
    return tuple(dict.fromkeys(fee.at_most(most) for fee in wanted))
