"""What to ask the chain about an account at one block, in rounds, and what the answers are. No network here: whoever has one runs `read`.

Nearly everything is asked in the first round: what modules keep, they keep under ids that follow from the logs. The second round is for
what only the answers point to: hooks that look under other ids, and validations that were found by probing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from latchkey.accounts.modular_account import abi, answers
from latchkey.accounts.modular_account.addresses import (
    ENTRY_POINT,
    NATIVE_TOKEN_LIMIT,
    PAYMASTER_GUARD,
    SINGLE_SIGNER,
    TIME_RANGE,
)
from latchkey.accounts.modular_account.build import HALF
from latchkey.accounts.modular_account.code import IMPLEMENTATION_SLOT, VALIDATIONS_SLOT, runs
from latchkey.accounts.modular_account.history import DIRECT_CALL, History
from latchkey.accounts.system import Ask, Contracts, Question
from latchkey.core.account import Account
from latchkey.core.types import Address, Selector, keccak
from latchkey.language import tr

PROBED: Final = 16  # ids are asked for from 1 up to this, whatever the logs say

_VALIDATION: Final = bytes.fromhex("d31b575b")  # getValidationData(bytes24)
_EXECUTION: Final = keccak(b"getExecutionData(bytes4)")[:4]
_OWNER: Final = bytes.fromhex("a8b04729")  # getFallbackSignerData()
_SIGNER: Final = bytes.fromhex("217178fb")  # signers(uint32,address)
_COINS: Final = bytes.fromhex("e19500ba")  # limits(uint256,address)
_RANGE: Final = bytes.fromhex("cb81b9bc")  # timeRanges(uint32,address)
_PAYMASTER: Final = bytes.fromhex("24795c26")  # paymasters(uint32,address)
_ENTRY: Final = bytes.fromhex("bd945668")  # addressAllowlist(uint32,address,address)
_TOKEN: Final = bytes.fromhex("b33b322c")  # erc20SpendLimits(uint32,address,address)
_FUNCTION: Final = bytes.fromhex("28f60c17")  # selectorAllowlist(uint32,bytes4,address,address)
_DEPOSIT: Final = keccak(b"balanceOf(address)")[:4]

Key: TypeAlias = tuple[Any, ...]
Rounds: TypeAlias = Generator[tuple[Question, ...], tuple[bytes | None, ...], "State"]


@dataclass(slots=True)
class State:
    """Everything that was answered, by what was asked. `ids`: those whose state in the modules was asked for, installed or not."""

    account: Account
    history: History
    contracts: Contracts
    ids: frozenset[int]
    known: dict[Key, Any] = field(default_factory=dict)

    def validation(self, entity_id: int) -> answers.Validation:
        """An account without code, or with code that is no account's, has none."""
        return self.known.get(("validation", entity_id)) or answers.Validation()

    @property
    def installed(self) -> tuple[int, ...]:
        return tuple(sorted(key[1] for key, v in self.known.items() if key[0] == "validation" and v and v.is_installed))

    @property
    def implementation(self) -> Address | None:
        """The code the account runs, None when that cannot be told."""
        return runs(self.known[("code",)], self.known[("implementation",)])

    def coins(self, kept_under: int) -> int:
        return int(self.known.get(("coins", kept_under), 0))


def rounds(account: Account, history: History, contracts: Contracts, also: Iterable[int]) -> Rounds:
    """Ask until everything is known. `also`: entity ids to look for beside those of the history."""
    state = State(account, history, contracts, frozenset(history.ids) | frozenset(also))
    yield from _ask(state, _first(state))
    yield from _ask(state, _second(state))
    return state


def _ask(state: State, wanted: Iterable[Key]) -> Generator[tuple[Question, ...], tuple[bytes | None, ...], None]:
    """Asks what is not known yet, each thing once. A module that the chain does not have keeps nothing."""
    own = state.account.address
    questions = {key: _question(own, key) for key in wanted if key not in state.known}
    there = {key: q for key, q in questions.items() if q.may_fail or q.ask is not Ask.CALL or q.address in state.contracts}
    if there:
        found = yield tuple(there.values())
        state.known |= {key: _value(key, raw) for key, raw in zip(there, found, strict=True)}


# --- which questions


def _first(state: State) -> Iterator[Key]:
    history = state.history
    yield from ((name,) for name in ("code", "implementation", "owner", "balance", "deposit"))
    for entity_id in sorted(state.ids | set(range(PROBED + 1))):
        yield "validation", entity_id
    yield from (("direct", module) for module in history.direct)
    yield from (("execution", selector) for selector in history.own_functions)
    for entity_id in sorted(state.ids):
        yield from _kept_for(entity_id)
    for book, targets in history.entries.items():
        for target in targets:
            yield "entry", book, target
            if book[1] > HALF or history.last_limit(book, target):
                yield "token", book, target
    for book, listed in history.functions.items():
        yield from (("function", book, target, selector) for target, selector in listed)


def _second(state: State) -> Iterator[Key]:
    yield from (("token", *key[1:]) for key, entry in state.known.items() if key[0] == "entry" and entry[2])
    for entity_id in state.installed:
        if entity_id not in state.ids:
            yield from _kept_for(entity_id)
        published = state.implementation is not None and state.contracts.get(state.implementation)
        if entity_id not in state.history.installs and published:
            yield "module", entity_id
        validation = state.validation(entity_id)
        for hook in (*validation.hooks, *validation.execution_hooks):
            yield from _kept_by(Address.from_bytes(hook[:20]), int.from_bytes(hook[20:24], "big"))


def _kept_for(entity_id: int) -> Iterator[Key]:
    """What the modules keep for a session of this id when it is made as aa-sdk makes it."""
    yield from (("signer", entity_id), ("range", entity_id), ("paymaster", entity_id), ("coins", entity_id))
    if entity_id <= HALF:
        yield "coins", entity_id + HALF


def _kept_by(module: Address, entity_id: int) -> Iterator[Key]:
    if module == NATIVE_TOKEN_LIMIT:
        yield "coins", entity_id
    elif module == TIME_RANGE:
        yield "range", entity_id
    elif module == PAYMASTER_GUARD:
        yield "paymaster", entity_id


# --- the questions themselves


def _question(account: Address, key: Key) -> Question:
    """The account's own views may fail, for the account may be without code or have any; the others may not."""
    me = abi.address(account)
    match key:
        case ("code",):
            return Question(Ask.CODE, account, about=tr("the account's code"))
        case ("implementation",):
            return Question(Ask.STORAGE, account, IMPLEMENTATION_SLOT, tr("the account's code"))
        case ("balance",):
            return Question(Ask.BALANCE, account, about=tr("the balance"))
        case ("deposit",):
            return Question(Ask.CALL, ENTRY_POINT, _DEPOSIT + me, tr("the deposit"))
        case ("owner",):
            return Question(Ask.CALL, account, _OWNER, tr("the owner"), may_fail=True)
        case ("validation", int(entity_id)):
            data = _VALIDATION + abi.left(bytes(20) + entity_id.to_bytes(4, "big"))
            return Question(Ask.CALL, account, data, _named(entity_id), may_fail=True)
        case ("direct", Address() as module):
            data = _VALIDATION + abi.left(module.raw + DIRECT_CALL.to_bytes(4, "big"))
            return Question(Ask.CALL, account, data, tr("what {module} may call", module=module), may_fail=True)
        case ("execution", Selector() as selector):
            return Question(
                Ask.CALL,
                account,
                _EXECUTION + abi.left(selector.raw),
                tr("the function {selector}", selector=selector),
                may_fail=True,
            )
        case ("module", int(entity_id)):
            slot = keccak(abi.word(entity_id << 8) + VALIDATIONS_SLOT)
            return Question(Ask.STORAGE, account, slot, _named(entity_id))
        case ("signer", int(entity_id)):
            return Question(
                Ask.CALL, SINGLE_SIGNER, _SIGNER + abi.word(entity_id) + me, tr("the key of {named}", named=_named(entity_id))
            )
        case ("coins", int(under)):
            return Question(
                Ask.CALL, NATIVE_TOKEN_LIMIT, _COINS + abi.word(under) + me, tr("a limit of {named}", named=_named(under))
            )
        case ("range", int(under)):
            return Question(Ask.CALL, TIME_RANGE, _RANGE + abi.word(under) + me, tr("the time of {named}", named=_named(under)))
        case ("paymaster", int(under)):
            return Question(
                Ask.CALL, PAYMASTER_GUARD, _PAYMASTER + abi.word(under) + me, tr("the paymaster of {named}", named=_named(under))
            )
    return _listed(key, me)


def _listed(key: Key, me: bytes) -> Question:
    kind, (module, under), target, *selector = key
    place = abi.address(target) + me
    match kind:
        case "entry":
            return Question(Ask.CALL, module, _ENTRY + abi.word(under) + place, tr("the contracts of {named}", named=_named(under)))
        case "token":
            return Question(Ask.CALL, module, _TOKEN + abi.word(under) + place, tr("a token limit of {named}", named=_named(under)))
    data = _FUNCTION + abi.word(under) + abi.left(selector[0].raw) + place
    return Question(Ask.CALL, module, data, tr("the functions of {named}", named=_named(under)))


def _named(kept_under: int) -> str:
    own = kept_under - HALF if kept_under > HALF else kept_under
    return tr("session {own}", own=own) if own else tr("the owner")


def _value(key: Key, raw: bytes | None) -> Any:
    if not raw and key[0] in ("owner", "validation", "direct", "execution"):
        return None
    assert raw is not None  # only those above may fail
    return _READERS[key[0]](raw)


def _module_in(raw: bytes) -> Address:
    """A validation's first word of storage: its module's address in the low 20 bytes."""
    return Address.from_bytes(raw.rjust(32, b"\0")[12:])


_READERS: Final[dict[str, Callable[[bytes], Any]]] = {
    "code": bytes,
    "implementation": _module_in,
    "balance": lambda raw: int.from_bytes(raw, "big"),
    "deposit": answers.as_number,
    "owner": answers.as_owner,
    "validation": answers.as_validation,
    "direct": answers.as_validation,
    "execution": answers.as_execution,
    "module": _module_in,
    "signer": answers.as_address,
    "coins": answers.as_number,
    "range": lambda raw: answers.as_numbers(raw, 2),
    "paymaster": answers.as_address,
    "entry": answers.as_entry,
    "token": answers.as_number,
    "function": answers.as_yes,
}
