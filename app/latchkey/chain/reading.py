"""Reading an account: every question at one block, the block's hash checked again with the last of them, a second RPC heard as well.

Which questions, and what the answers mean, the account system says (`AccountSystem.read`); here they are asked, in as few requests as
the RPC allows.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from latchkey.accounts.system import AccountSystem, Ask, Contracts, Question, system
from latchkey.chain.anvil import CHAIN_ID as PRACTICE
from latchkey.chain.logs import LogStore, Progress, Scanned, scan
from latchkey.chain.node import Node, RpcError, block_of
from latchkey.chain.vouch import ADDRESSES, vouched
from latchkey.core.account import Account
from latchkey.core.logs import Log, LogFilter
from latchkey.core.phrases import Finding, Level
from latchkey.core.session import AccountReading, Block, LogRange, Session
from latchkey.core.types import Address, hex_bytes, to_hex
from latchkey.errors import BadInput, CannotDecode, ChainError
from latchkey.language import tr

__all__ = ["Moved", "NotAnswered", "WrongChain", "first_block", "granted_from_installs", "read_account"]

_SHORT: Final = 5_000  # blocks: a chain this short is read from its beginning
_STEPS: Final = 16  # parts in which the block of the first code is looked for
_MOST: Final = 1024 * 1024  # bytes of one answer
_REVERTED: Final = re.compile(r"revert|opcode|out of gas|invalid jump|stack|evm error|vm execution", re.IGNORECASE)
_NAMED: Final = 5  # differences that are named


class WrongChain(ChainError):
    """The RPC belongs to another network than the account."""


class Moved(ChainError):
    """The block of the reading is no longer part of the chain; the reading is to be made again."""


class NotAnswered(ChainError):
    """The RPC refused a question that has an answer, so nothing can be said."""


def read_account(
    node: Node,
    account: Account,
    *,
    scanned: Scanned | None = None,
    store: LogStore | None = None,
    second: Node | None = None,
    second_store: LogStore | None = None,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    at: Block | None = None,
    also: Iterable[int] = (),
) -> AccountReading:
    """Everybody who has power over the account, at `at`, or where `scanned` ends, or else at the newest block.

    `scanned`: logs that were read before, up to the block; without, they are read here, from where `store` ends. `second`: another RPC,
    whose logs are added and whose answers are compared; `second_store` keeps its logs. `also`: entity ids to look for beside those of
    the logs. Raises WrongChain, NotTrusted, Moved, NotAnswered and what `Node` raises.
    """
    face, node = system(account.system), node.stoppable(stop)
    contracts, block = _begin(node, account.chain_id, at, hex(scanned.range.last) if scanned else "latest")
    read = scanned or _logs(node, face, account, block, store, progress, stop)
    if read.head is not None and read.range.last == block.number and read.head != block.hash:
        raise Moved(tr("The chain was reorganised while it was read; read again."))
    witness = _Witness(second.stoppable(stop)) if second else None
    if witness:
        read = witness.compare_logs(account, face, block, read, second_store, progress, stop)
    reading = _inquire(_Pinned(node, block), face, account, read, contracts, also, witness)
    findings = [*reading.findings, *(_stand_ins(contracts)), *(witness.findings if witness else ())]
    return replace(reading, findings=tuple(findings))


# --- the chain, its contracts, the block

_known: dict[tuple[str, int], Contracts] = {}


def _begin(node: Node, chain_id: int, at: Block | None, tag: str = "latest") -> tuple[Contracts, Block]:
    """In one request. The contracts' code cannot change, so it is looked at once for each RPC; on the practice chain it can."""
    known = _known.get((node.fingerprint, chain_id))
    calls: list[tuple[Any, ...]] = [("eth_chainId",), ("eth_getBlockByNumber", tag if at is None else hex(at.number), False)]
    calls += [] if known else [("eth_getCode", address, "latest") for address in ADDRESSES]
    chain, head, *codes = (_certain(answer) for answer in node.many(calls))
    if _number(chain) != chain_id:
        raise WrongChain(
            tr("The RPC belongs to network {number}, the account to network {chain_id}.", number=_number(chain), chain_id=chain_id)
        )
    block = block_of(head)
    if at is not None and block.hash != at.hash:
        raise Moved(tr("The block has been replaced by another; read again."))
    if known is None:
        known = vouched(chain_id, [_bytes(code) for code in codes])
        if chain_id != PRACTICE:
            _known[node.fingerprint, chain_id] = known
    return known, block


def _stand_ins(contracts: Contracts) -> Iterable[Finding]:
    if not all(contracts.values()):
        yield Finding(
            "stand-ins",
            Level.NOTICE,
            tr("This is the practice chain, with stand-ins for the published contracts."),
            tr("Nothing here is worth anything."),
        )


# --- logs


def _logs(
    node: Node,
    face: AccountSystem,
    account: Account,
    block: Block,
    store: LogStore | None,
    progress: Progress | None,
    stop: threading.Event | None,
) -> Scanned:
    filters = face.log_filters(account)
    first = 0 if store and _begins(store, filters) else first_block(node, account, block)
    if store and first:
        _skip(node, store, first)
        first = 0
    return scan(node, filters, first, block.number, progress=progress, stop=stop, known=store)


def _begins(store: LogStore, filters: Sequence[LogFilter]) -> bool:
    """Whether it holds the chain's beginning, which is so as soon as it is known where logs can begin."""
    store.begin(filters)
    covered = store.covered()
    return bool(covered) and covered[0][0] == 0


def _skip(node: Node, store: LogStore, first: int) -> None:
    """Blocks before the first that matters hold no logs; with a mark, for without one nothing is held to be sure."""
    before = block_of(_certain(node.call("eth_getBlockByNumber", hex(first - 1), False)))
    store.put(0, first - 1, ())
    store.mark(first - 1, before.hash)


def first_block(node: Node, account: Account, block: Block) -> int:
    """The block from which on logs can matter: where the code they need first stood. 0 when the RPC does not remember so far back."""
    if block.number <= _SHORT:
        return 0
    code = _bytes(_certain(node.call("eth_getCode", account.address, hex(block.number))))
    subject = system(account.system).first_code(account, code)
    if subject is None:
        return block.number
    without, having = -1, block.number
    while having - without > 1:
        step = max(1, (having - without) // _STEPS)
        places = range(without + step, having, step)
        answers = node.many([("eth_getCode", subject, hex(place)) for place in places])
        if any(not isinstance(answer, str) for answer in answers):
            return 0
        there = [place for place, answer in zip(places, answers, strict=True) if _bytes(answer)]
        having = min(there, default=having)
        without = max((p for p in places if p < having), default=without)
    return having


# --- the questions


@dataclass(slots=True)
class _Pinned:
    """An RPC asked about one block. By the block's hash, so that no other block can answer; an RPC that does not know that form is
    asked by number, which the hash, read again with every request, must confirm."""

    node: Node
    block: Block
    by_hash: bool = True

    def ask(self, questions: Sequence[Question]) -> tuple[bytes | None, ...]:
        answers = self._many(questions)
        if self.by_hash and any(isinstance(a, RpcError) and not _may_stand(q, a) for q, a in zip(questions, answers, strict=True)):
            self.by_hash = False
            answers = self._many(questions)
            self._check(self.node.call(*self._look))
        return tuple(_answer(q, a) for q, a in zip(questions, answers, strict=True))

    @property
    def _look(self) -> tuple[Any, ...]:
        return "eth_getBlockByNumber", hex(self.block.number), False

    def _many(self, questions: Sequence[Question]) -> list[Any]:
        pin: Any = {"blockHash": to_hex(self.block.hash)} if self.by_hash else hex(self.block.number)
        *answers, head = self.node.many([*(_call(q, pin) for q in questions), self._look])
        self._check(head)
        return answers

    def _check(self, head: Any) -> None:
        if not isinstance(head, dict) or block_of(head).hash != self.block.hash:
            raise Moved(tr("The chain was reorganised while it was read; read again."))


def _inquire(
    pinned: _Pinned,
    face: AccountSystem,
    account: Account,
    read: Scanned,
    contracts: Contracts,
    also: Iterable[int],
    witness: _Witness | None,
) -> AccountReading:
    inquiry = face.read(account, pinned.block, read.logs, read.range, contracts, also=also)
    try:
        questions = next(inquiry)
        while True:
            answers = pinned.ask(questions)
            if witness:
                witness.compare(pinned.block, questions, answers)
            questions = inquiry.send(answers)
    except StopIteration as end:
        reading: AccountReading = end.value
        return reading
    except CannotDecode as problem:
        raise NotAnswered(problem.text, code=problem.code) from None


def _call(question: Question, pin: Any) -> tuple[Any, ...]:
    match question.ask:
        case Ask.CALL:
            return "eth_call", {"to": question.address, "data": to_hex(question.data)}, pin
        case Ask.STORAGE:
            return "eth_getStorageAt", question.address, to_hex(question.data), pin
        case Ask.CODE:
            return "eth_getCode", question.address, pin
        case Ask.BALANCE:
            return "eth_getBalance", question.address, pin


def _may_stand(question: Question, error: RpcError) -> bool:
    """A revert, and of something that may revert."""
    return question.may_fail and (error.number == 3 or bool(_REVERTED.search(str(error))))


def _answer(question: Question, answer: Any) -> bytes | None:
    if isinstance(answer, RpcError):
        if _may_stand(question, answer):
            return None
        raise NotAnswered(tr("The RPC does not answer about {about}, so nothing is said about this account.", about=question.about))
    if question.ask in (Ask.STORAGE, Ask.BALANCE):
        return _number(answer).to_bytes(32, "big")
    return _bytes(answer)


# --- the second RPC


class _Witness:
    """A second RPC. It may know less (that is said), but it must not say anything else."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pinned: _Pinned | None = None
        self._silent = self._leaves_out = self._adds = False
        self._about: dict[str, None] = {}

    def compare_logs(
        self,
        account: Account,
        face: AccountSystem,
        block: Block,
        read: Scanned,
        store: LogStore | None,
        progress: Progress | None,
        stop: threading.Event | None,
    ) -> Scanned:
        """Both RPCs' logs together: what one leaves out, the other has."""
        try:
            _begin(self._node, account.chain_id, block)
            first = read.range.first
            theirs = scan(self._node, face.log_filters(account), first, block.number, progress=progress, stop=stop, known=store)
        except Moved:
            self._about["the chain itself"] = None
            return read
        except ChainError as problem:
            if isinstance(problem, WrongChain) or (stop and stop.is_set()):
                raise
            self._silent = True
            return read
        mine, others = _by_place(read.logs, theirs.range), _by_place(theirs.logs, read.range)
        self._leaves_out, self._adds = bool(mine.keys() - others.keys()), bool(others.keys() - mine.keys())
        logs = {log.place: log for log in (*theirs.logs, *read.logs)}
        missing = _both(read.range.missing, theirs.range.missing)
        both = LogRange(read.range.first, read.range.last, missing)
        return Scanned(tuple(logs[place] for place in sorted(logs)), both, read.head)

    def compare(self, block: Block, questions: Sequence[Question], answers: Sequence[bytes | None]) -> None:
        if self._silent:
            return
        self._pinned = self._pinned or _Pinned(self._node, block)
        try:
            theirs = self._pinned.ask(questions)
        except Moved:
            self._about["the chain itself"] = None
        except (ChainError, CannotDecode):
            self._silent = True
        else:
            different = (q.about for q, a, b in zip(questions, answers, theirs, strict=True) if a != b)
            self._about |= dict.fromkeys(different)

    @property
    def findings(self) -> Iterable[Finding]:
        if self._about:
            named = [*self._about][:_NAMED]
            more = tr(" and {count} more", count=len(self._about) - _NAMED) if len(self._about) > _NAMED else ""
            yield Finding(
                "second-differs",
                Level.DANGER,
                tr("The two RPCs do not agree about {named}{more}.", named=", ".join(named), more=more),
                tr("One of them is wrong or behind. Do not sign anything before they agree."),
            )
        if self._leaves_out or self._adds:
            who = tr("Each RPC leaves") if self._leaves_out and self._adds else tr("One RPC leaves")
            yield Finding(
                "second-logs",
                Level.WARNING,
                tr("{who} out events that the other has; both together are shown.", who=who),
                tr("Use another RPC instead of the one with fewer events."),
            )
        if self._silent:
            yield Finding(
                "second-silent",
                Level.WARNING,
                tr("The second RPC does not answer, so only one was heard."),
                tr("Read again later."),
            )


def _by_place(logs: Iterable[Log], other: LogRange) -> dict[tuple[int, int], Log]:
    """Without those in blocks that the other RPC says it could not read."""
    return {log.place: log for log in logs if not any(first <= log.block <= last for first, last in other.missing)}


def _both(mine: Iterable[tuple[int, int]], theirs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Blocks that are missing here and there."""
    pairs = ((max(a, c), min(b, d)) for a, b in mine for c, d in theirs)
    return tuple((first, last) for first, last in pairs if first <= last)


# --- what was granted


def granted_from_installs(node: Node, sessions: Sequence[Session]) -> tuple[Session, ...]:
    """The sessions with what their limits began with, as far as the transactions that installed them tell. All in one request, and none
    when nothing is open. A transaction the RPC does not have leaves its sessions as they are."""
    open_ = {s.installed_in for s in sessions if s.installed_in and any(limit.granted is None for limit in s.limits)}
    wanted = [transaction for transaction in sorted(open_) if transaction]
    answers = node.many([("eth_getTransactionByHash", to_hex(t)) for t in wanted]) if wanted else []
    found = dict(zip(wanted, answers, strict=True))
    return tuple(_with_granted(session, found.get(session.installed_in or b"")) for session in sessions)


def _with_granted(session: Session, transaction: Any) -> Session:
    if not isinstance(transaction, dict) or not isinstance(transaction.get("to"), str):
        return session
    try:
        to, data = Address.parse(transaction["to"].lower()), hex_bytes(transaction.get("input"), limit=_MOST)
    except BadInput:
        return session
    return system(session.account.system).granted(session, to, data)


# --- JSON-RPC's values


def _certain(answer: Any) -> Any:
    if isinstance(answer, RpcError):
        raise NotAnswered(tr("The RPC does not answer the simplest questions about this network."))
    return answer


def _number(value: Any) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value):
        raise NotAnswered(tr("The RPC's answer cannot be read."))
    return int(value, 16)


def _bytes(value: Any) -> bytes:
    """As `hex_bytes` does it, for thousands at a time."""
    if isinstance(value, str) and value[:2] == "0x" and len(value) <= 2 * _MOST + 2:
        try:
            raw = bytes.fromhex(value[2:])
        except ValueError:
            raw = b"?"
        if 2 * len(raw) == len(value) - 2:  # fromhex passes over blanks
            return raw
    raise NotAnswered(tr("The RPC's answer cannot be read."))
