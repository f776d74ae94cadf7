"""What is to be ended, as calls the account will make: each tried on the chain before anybody is asked to sign.

An uninstall is tried twice over. The account catches a module that fails while it forgets, so the call as a whole looks fine though
limits and targets stay behind; therefore each module is asked by itself too, in the account's name. When one of them would fail, the
form without hook data is taken: it ends the key whatever the modules do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.ending import ON_UNINSTALL
from latchkey.accounts.system import AccountSystem, system
from latchkey.chain.entry_point import nonce_call, number
from latchkey.chain.node import RpcError
from latchkey.chain.refusals import not_deployed, refused
from latchkey.core.account import Account
from latchkey.core.ending import AccountCall
from latchkey.core.reading import Uninstall
from latchkey.core.session import AccountReading, Leftover, Limit, LimitKind, Session
from latchkey.core.types import Address, to_hex
from latchkey.errors import BadInput, Refused
from latchkey.language import tr
from latchkey.store.endings import ItemKind

if TYPE_CHECKING:
    from latchkey.chain.node import Node
    from latchkey.store.records import GrantRecord

MOST_GAS = 5_000_000  # of the calls of one operation; bundlers take no larger ones for sure
_MOST_CLEAN = 2_500_000  # a clean uninstall that wants more is not worth its price, or a module burns gas to be kept
_UNINSTALL, _INCREMENT, _SET = 90_000, 60_000, 60_000  # gas, without the modules
_PLAIN = 21_000  # what every estimate of a transaction starts with
_MOST_STEPS = 20  # how far a nonce may be behind a grant's sequence
_MASK = 2**64 - 1


# What a person wants ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Revoke:
    entity_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RevokeAll:
    """Every session of the account, and every grant of the book that could still be used."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """`grants`: their numbers in the book."""

    grants: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lower:
    """`to`: wei or base units that shall be left. `token` for ERC20 alone."""

    kind: LimitKind
    to: int
    token: Address | None = None


@dataclass(frozen=True, slots=True)
class Tighten:
    """`until`: the new last second, chain time, None to leave it."""

    entity_id: int
    lower: tuple[Lower, ...] = ()
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Clean:
    """Remove what ended sessions left in the modules."""

    leftovers: tuple[Leftover, ...]


What = Revoke | RevokeAll | Cancel | Tighten | Clean


# A plan ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be done. `gas`: what its calls need. `note`: what a person should know before. `session`, `limit`, `to`: what is
    looked at afterwards; `nonce`: the grant's."""

    kind: ItemKind
    entity_id: int
    calls: tuple[AccountCall, ...]
    gas: int = 0
    grant_id: int = 0
    clean: bool = True
    note: str = ""
    session: Session | None = None
    limit: Limit | None = None
    to: int = 0
    nonce: int = 0
    leftovers: tuple[Leftover, ...] = ()


@dataclass(frozen=True, slots=True)
class Impossible:
    """Something asked for that is not done, and why. `over`: because it is over already."""

    kind: ItemKind
    entity_id: int
    grant_id: int
    sentence: str
    over: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one operation. `call_data`: what the account is called with. `gas`: for it, with a margin."""

    items: tuple[Item, ...]
    call_data: bytes
    gas: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`deployed`: whether the account has code; without it only grants can be cancelled, by an operation that deploys it."""

    account: Account
    reading: AccountReading
    batches: tuple[Batch, ...]
    impossible: tuple[Impossible, ...] = ()
    deployed: bool = True

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for batch in self.batches for item in batch.items)


def wanted(reading: AccountReading, what: What, grants: Sequence[GrantRecord]) -> list[Item]:
    """The items, not tried yet. `grants`: of the account, from the book. Raises BadInput, Refused."""
    sessions = {session.entity_id: session for session in reading.sessions}
    match what:
        case Revoke(entity_ids):
            return [_revoke(sessions, entity_id) for entity_id in dict.fromkeys(entity_ids)]
        case RevokeAll():
            return [
                *(_revoke(sessions, entity_id) for entity_id in sessions),
                *(_cancel(g) for g in grants if not _expired(g, reading)),
            ]
        case Cancel(numbers):
            known = {grant.id: grant for grant in grants}
            missing = [n for n in numbers if n not in known]
            if missing:
                raise BadInput(tr("This grant is not one of the account's."), code="UnknownGrant", path="grant")
            return [_cancel(known[n]) for n in dict.fromkeys(numbers)]
        case Tighten(entity_id, lower, until):
            return list(_tighten(_session(sessions, entity_id), lower, until))
        case Clean(leftovers):
            return list(_clean(reading, leftovers))


def _expired(grant: GrantRecord, reading: AccountReading) -> bool:
    return 0 < grant.draft.expiry < reading.block.time


def _session(sessions: dict[int, Session], entity_id: int) -> Session:
    if entity_id == 0:
        raise Refused(tr("Entity 0 is the owner; it is not revoked here."), code="Owner", path="entity")
    if entity_id not in sessions:
        raise BadInput(
            tr("No session {entity_id} is installed on this account.", entity_id=entity_id), code="NoSession", path="entity"
        )
    return sessions[entity_id]


def _revoke(sessions: dict[int, Session], entity_id: int) -> Item:
    session = _session(sessions, entity_id)
    call = system(session.account.system).end_call(session)
    return Item(ItemKind.REVOKE, entity_id, (call,), session=session)


def _cancel(grant: GrantRecord) -> Item:
    call = system(grant.draft.system).cancel_call(grant.nonce)
    return Item(ItemKind.CANCEL, grant.draft.entity_id, (call,), grant_id=grant.id, nonce=grant.nonce)


def _tighten(session: Session, lower: Iterable[Lower], until: int | None) -> Iterable[Item]:
    face = system(session.account.system)
    for one in lower:
        limit = next((x for x in session.limits if (x.kind, x.token) == (one.kind, one.token)), None)
        if limit is None:
            raise BadInput(tr("This session has no such limit."), code="NoLimit", path="limit")
        call = face.lower_call(session, limit, one.to)
        yield Item(ItemKind.LOWER, session.entity_id, (call,), session=session, limit=limit, to=one.to)
    if until is not None:
        call = face.shorten_call(session, until)
        yield Item(ItemKind.SHORTEN, session.entity_id, (call,), session=session, to=until)


def _clean(reading: AccountReading, leftovers: Sequence[Leftover]) -> Iterable[Item]:
    face = system(reading.account.system)
    by_id: dict[int, list[Leftover]] = {}
    for leftover in leftovers:
        by_id.setdefault(leftover.entity_id, []).append(leftover)
    for entity_id, found in by_id.items():
        calls = face.clean_calls(reading.account.address, found)
        if calls:
            yield Item(ItemKind.CLEAN, entity_id, calls, leftovers=tuple(found))


# Trying -----------------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Trial:
    """Answers to the questions of one item, in their order."""

    item: Item
    questions: list[tuple[Any, ...]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return any(isinstance(answer, RpcError) for answer in self.answers)


def plan(node: Node, reading: AccountReading, items: Sequence[Item]) -> Plan:
    """Try every item, take the other form where that is needed, and put them together by gas. Raises ChainError.

    All items are tried in two rounds of requests at most.
    """
    account = reading.account
    impossible: list[Impossible] = []
    cancels, others = [i for i in items if i.kind is ItemKind.CANCEL], [i for i in items if i.kind is not ItemKind.CANCEL]
    possible = list(_cancels(node, account.address, cancels, impossible))
    if not reading.deployed:
        if others or not (possible and account.init_code):
            raise not_deployed(account.address)
        ready = [replace(item, gas=_INCREMENT * len(item.calls)) for item in possible]
    else:
        ready = [*_tried(node, account, others, impossible), *_tried(node, account, possible, impossible)]
    return Plan(account, reading, tuple(_batches(account, ready)), tuple(impossible), reading.deployed)


def _cancels(node: Node, account: Address, items: Sequence[Item], impossible: list[Impossible]) -> Iterable[Item]:
    """As many steps as the nonce has to go until the grant's sequence has passed."""
    answers = node.many([nonce_call(account, item.nonce >> 64) for item in items]) if items else []
    for item, answer in zip(items, answers, strict=True):
        if isinstance(answer, RpcError):
            raise refused(answer)
        steps = (item.nonce & _MASK) + 1 - (number(answer) & _MASK)
        if steps <= 0:
            said = tr("This grant can no longer be used: its nonce has passed already, because it was used or cancelled.")
            impossible.append(replace(_not(item, said), over=True))
        elif steps > _MOST_STEPS:
            said = tr(
                "This grant's nonce is {steps} steps ahead, too many to pass; change the owner, or let it expire.", steps=steps
            )
            impossible.append(_not(item, said))
        else:
            yield replace(item, calls=item.calls * steps)


def _tried(node: Node, account: Account, items: Sequence[Item], impossible: list[Impossible]) -> Iterable[Item]:
    trials = _ask(node, account, items)
    again = [_without_cleaning(t.item) for t in trials if t.item.kind is ItemKind.REVOKE and _not_clean(t)]
    second = {t.item.entity_id: t for t in _ask(node, account, again)}
    for trial in trials:
        if trial.item.kind is ItemKind.REVOKE and trial.item.entity_id in second:
            trial = second[trial.item.entity_id]
        if trial.failed:
            impossible.append(_not(trial.item, _why(trial)))
        else:
            yield replace(trial.item, gas=_gas(trial))


def _not_clean(trial: Trial) -> bool:
    return trial.failed or _gas(trial) > _MOST_CLEAN


def _without_cleaning(item: Item) -> Item:
    assert item.session is not None
    call = system(item.session.account.system).end_call(item.session, clean=False)
    note = tr("One of its modules would not let go, so only its key is ended now; what stays stored can be cleaned afterwards.")
    return replace(item, calls=(call,), clean=False, note=note)


def _ask(node: Node, account: Account, items: Sequence[Item]) -> list[Trial]:
    trials = [Trial(item, list(_questions(account, item))) for item in items]
    asked = [q for trial in trials for q in trial.questions]
    answers = iter(node.many(asked) if asked else [])
    for trial in trials:
        trial.answers = [next(answers) for _ in trial.questions]
    return trials


def _questions(account: Account, item: Item) -> Iterable[tuple[Any, ...]]:
    """The item as a whole, called by the EntryPoint as it will be; and each module it uninstalls, called by the account."""
    data = system(account.system).together(account.address, item.calls)
    whole = {"from": ENTRY_POINT, "to": account.address, "data": to_hex(data)}
    yield "eth_call", whole, "latest"
    yield "eth_estimateGas", whole
    for module, forget in _forgets(account, item):
        yield "eth_estimateGas", {"from": account.address, "to": module, "data": to_hex(forget)}


def _forgets(account: Account, item: Item) -> Iterable[tuple[Address, bytes]]:
    """onUninstall of the validation and of every hook that is told to forget, as the account will call them."""
    session = item.session
    if item.kind is not ItemKind.REVOKE or session is None:
        return
    reading = system(account.system).decode_call(item.calls[0].data, account=account.address)
    if not isinstance(reading, Uninstall):
        return
    hooks = [*session.hooks[::-1], *session.execution_hooks[::-1]]
    told = [(session.module, reading.uninstall_data)]
    if reading.hook_data:
        told += [(hook.module, data) for hook, data in zip(hooks, reading.hook_data, strict=True)]
    for module, data in told:
        if data:
            yield module, ON_UNINSTALL + (32).to_bytes(32, "big") + len(data).to_bytes(32, "big") + data + bytes(-len(data) % 32)


def _gas(trial: Trial) -> int:
    """For the item's calls. An estimate of the whole may be too low, for a module that runs out of gas is passed over in silence;
    so what each module needs by itself is added up, and the larger number taken."""
    whole, *modules = (int(a, 16) for a in trial.answers[1:] if isinstance(a, str))
    base = {ItemKind.REVOKE: _UNINSTALL, ItemKind.CANCEL: _INCREMENT * len(trial.item.calls)}.get(trial.item.kind, _SET)
    return max(whole, base + sum(max(0, m - _PLAIN) for m in modules)) * 5 // 4


def _why(trial: Trial) -> str:
    error = next(answer for answer in trial.answers if isinstance(answer, RpcError))
    return refused(error).text


def _not(item: Item, sentence: str) -> Impossible:
    return Impossible(item.kind, item.entity_id, item.grant_id, sentence)


def _batches(account: Account, items: Sequence[Item]) -> Iterable[Batch]:
    """In their order, as many as fit into one operation."""
    face = system(account.system)
    taken: list[Item] = []
    gas = 0
    for item in items:
        if taken and gas + item.gas > MOST_GAS:
            yield _batch(face, account, taken)
            taken, gas = [], 0
        taken.append(item)
        gas += item.gas
    if taken:
        yield _batch(face, account, taken)


def _batch(face: AccountSystem, account: Account, items: Sequence[Item]) -> Batch:
    calls = [call for item in items for call in item.calls]
    return Batch(tuple(items), face.together(account.address, calls), sum(item.gas for item in items) + 30_000)
