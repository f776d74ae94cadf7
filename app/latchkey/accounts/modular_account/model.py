"""What the account would do with a session's call: a model of the hooks, worked out here without a chain.

It follows the order in which the contracts decide: does the validation apply to the call, the validation hooks in install order
(paymaster, time, gas, allowlist), then at execution the execution hooks (ETH, tokens). What a called contract does is beyond it.

Modelled are the installs the decoder knows whole; anything else raises CannotDecode. Of a global key it is not modelled which functions
modules have added to the account. Of arguments that nobody can read it is said that the call is refused and when, not which of the
contracts stumbles over them first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from latchkey.accounts.modular_account import abi
from latchkey.accounts.modular_account.addresses import ALLOWLIST, NATIVE_TOKEN_LIMIT, PAYMASTER_GUARD, TIME_RANGE
from latchkey.accounts.modular_account.decode_abi import Reader, Work, function
from latchkey.accounts.modular_account.decode_functions import ACCOUNT_FUNCTIONS
from latchkey.core.draft import Draft
from latchkey.core.moments import utc
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    Permission,
)
from latchkey.core.phrases import Part, Phrase
from latchkey.core.powers import Powers, powers_of
from latchkey.core.reading import Install, unknown_in
from latchkey.core.request import NO_CLAIMS
from latchkey.core.types import MAX_UINT256, Address, Selector
from latchkey.core.words_pieces import Names, address_part, phrase, say, strong
from latchkey.errors import CannotDecode
from latchkey.language import tr, trn

EXECUTE, EXECUTE_BATCH = Selector.parse("0xb61d27f6"), Selector.parse("0x34fcd5be")
EXECUTE_USER_OP, PERFORM_CREATE = Selector.parse("0x8dd7712f"), Selector.parse("0x5998db5c")
TRANSFER, APPROVE = Selector.parse("0xa9059cbb"), Selector.parse("0x095ea7b3")


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left of each limit; None where there is none. wei; `tokens`: (token, base units), each token once."""

    native: int | None
    gas: int | None
    tokens: tuple[tuple[Address, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it is in force on an account.

    `own`: the validation's own selectors. `listed`: each contract on the allowlist with its functions, None for all; None without an
    allowlist. `valid_until` 0: no time range is installed. Both ends are the last and first second allowed.
    """

    account: Address
    powers: Powers
    own: frozenset[Selector]
    listed: tuple[tuple[Address, frozenset[Selector] | None], ...] | None
    valid_until: int
    valid_after: int

    @property
    def has_execution_hooks(self) -> bool:
        return self.powers.native is not None or bool(self.powers.tokens)

    @property
    def whole(self) -> Remaining:
        """What is left before anything was spent."""
        return Remaining(self.powers.native, self.powers.gas, tuple((t.address, t.allowance) for t in self.powers.tokens))


@dataclass(frozen=True, slots=True)
class InnerCall:
    """A call the account makes: `value` in wei."""

    target: Address
    value: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Fees:
    """What an operation declares: gas units, and wei per gas. `special`: the account has said that this paymaster's gas counts."""

    pre_verification_gas: int
    verification_gas_limit: int
    call_gas_limit: int
    max_fee_per_gas: int
    paymaster: Address | None = None
    paymaster_verification_gas_limit: int = 0
    paymaster_post_op_gas_limit: int = 0
    special: bool = False

    @property
    def charge(self) -> int:
        """wei, as the gas limit counts: the declared limits, not what is used; nothing while an ordinary paymaster pays."""
        if self.paymaster is not None and not self.special:
            return 0
        own = self.pre_verification_gas + self.verification_gas_limit + self.call_gas_limit
        paymasters = self.paymaster_verification_gas_limit + self.paymaster_post_op_gas_limit if self.paymaster else 0
        return (own + paymasters) * self.max_fee_per_gas


class Stage(StrEnum):
    VALIDATION = "validation"  # the operation is not included and costs nothing
    EXECUTION = "execution"  # the operation is included and its gas is paid, but its call does nothing


@dataclass(frozen=True, slots=True)
class Allowed:
    remaining: Remaining


@dataclass(frozen=True, slots=True)
class Denied:
    """`module`: whose error it is, None for the account (or, for the time of an operation, the EntryPoint). `selector`: the error's,
    empty where the chain gives none. `call`: which call of the batch, from 0. `remaining`: what is left afterwards."""

    stage: Stage
    module: Address | None
    error: str
    selector: str
    sentence: Phrase
    remaining: Remaining
    call: int | None = None


Outcome: TypeAlias = Allowed | Denied

_ERRORS = {
    "UnrecognizedFunction": "0xfcfc5aad",
    "ValidationFunctionMissing": "0xcf7b49f6",
    "SelfCallRecursionDepthExceeded": "0x54ff929d",
    "RequireUserOperationContext": "0x5f49f00a",
    "BadPaymasterSpecified": "0xbe179485",
    "TimeRangeNotValid": "0x22863066",
    "ExceededNativeTokenLimit": "0x94c58c94",
    "AddressNotAllowed": "0x2b53784e",
    "NoSelectorSpecified": "0x3aeca77f",
    "SelectorNotAllowed": "0xbdb518d2",
    "InvalidCalldataLength": "0xca0ad260",
    "ExceededTokenLimit": "0xa55ac877",
    "SpendingRequestNotAllowed": "0xf61c9d52",
    "Panic": "0x4e487b71",
}
_NOBODY = Names(None, NO_CLAIMS)


class _Unreadable:
    """Stands for calls that cannot be read, where the account only finds that out later."""


_UNREADABLE = _Unreadable()
_Calls: TypeAlias = "tuple[InnerCall, ...] | _Unreadable | None"  # None: a function of the account itself


def session_of_draft(draft: Draft) -> Session:
    """The session a draft's grant installs."""
    return _session(draft.account, powers_of(draft.permissions), draft.permissions, draft.selectors, draft.expiry, 0)


def session_of_install(install: Install, account: Address) -> Session:
    """The session that calldata installs. Raises CannotDecode when a part of it is unknown."""
    unknown = unknown_in(install)
    if unknown:
        raise CannotDecode(
            tr("This session holds something Latchkey does not know: {where}.", where=unknown[0].where), path=unknown[0].where
        )
    powers = powers_of(install.permissions, is_global=install.is_global)
    return _session(account, powers, install.permissions, (), install.expiry, install.valid_after)


def _session(
    account: Address, powers: Powers, permissions: Sequence[Permission], extra: Sequence[Selector], until: int, after: int
) -> Session:
    listed = _listed(permissions)
    calls = () if listed is None else (EXECUTE, EXECUTE_BATCH)
    own = frozenset((*extra, *powers.account_functions, *calls))
    return Session(account, powers, own, None if listed is None else tuple(listed.items()), until, after)


def _listed(permissions: Sequence[Permission]) -> dict[Address, frozenset[Selector] | None] | None:
    """The allowlist as its module stores it: functions of one contract add up, whether they count is as its last entry says."""
    entries = [
        p for p in permissions if isinstance(p, ContractAccess | FunctionsOnContract | FunctionsOnAllContracts | Erc20TokenTransfer)
    ]
    functions: dict[Address, frozenset[Selector]] = {}
    listed: dict[Address, frozenset[Selector] | None] = {}
    for entry in entries:
        match entry:
            case ContractAccess(address):
                listed[address] = None
            case FunctionsOnContract(address, selectors):
                listed[address] = functions[address] = functions.get(address, frozenset()) | set(selectors)
            case Erc20TokenTransfer(address, _):
                listed[address] = functions[address] = functions.get(address, frozenset()) | {APPROVE, TRANSFER}
    return listed if entries else None


def attempt(
    session: Session,
    call_data: bytes,
    *,
    now: int,
    fees: Fees | None,
    remaining: Remaining | None = None,
    names: Names = _NOBODY,
) -> Outcome:
    """What becomes of `call_data` at chain second `now`.

    `fees` None: the key calls the account by itself, without an operation, and pays its own gas. `remaining` None: nothing spent yet.
    `names`: how the sentence calls things. Raises CannotDecode for a call larger than Latchkey reads.
    """
    left = remaining or session.whole
    try:
        inner = _unwrapped(call_data)
        calls = _applies(session, inner, names)
        wrapped = call_data[:4] == EXECUTE_USER_OP.raw
        if fees is not None and session.has_execution_hooks and not wrapped:
            raise _Stop(None, "RequireUserOperationContext", tr("The call has to be wrapped in executeUserOp."))
        left = _validate(session, None if wrapped and fees is None else calls, now, fees, left, names)
    except _Stop as stop:
        return stop.denied(Stage.VALIDATION, left)
    try:
        if inner[:4] == EXECUTE_USER_OP.raw or (wrapped and fees is None):
            raise _Stop(None, "", tr("Only the EntryPoint calls executeUserOp."), selector="")
        return Allowed(_execute(session, inner, calls, left, names))
    except _Stop as stop:
        return stop.denied(Stage.EXECUTION, left)


def try_calls(
    session: Session, calls: Sequence[InnerCall], *, now: int, fees: Fees | None, remaining: Remaining | None = None
) -> Outcome:
    """The same for a list of calls, sent as a careful sender would: one by execute, several by executeBatch, wrapped where needed."""
    data = call_data_of(calls)
    if fees is not None and session.has_execution_hooks:
        data = EXECUTE_USER_OP.raw + data
    return attempt(session, data, now=now, fees=fees, remaining=remaining)


def call_data_of(calls: Sequence[InnerCall]) -> bytes:
    """execute for one call, executeBatch for any other number."""
    entries = [abi.address(c.target) + abi.word(c.value) + abi.word(96) + abi.dynamic(c.data) for c in calls]
    return EXECUTE.raw + entries[0] if len(entries) == 1 else EXECUTE_BATCH.raw + abi.word(32) + abi.array(entries)


class _Stop(Exception):
    """A rule decided. `call`: which call of the batch."""

    def __init__(
        self, module: Address | None, error: str, sentence: str | Phrase, call: int | None = None, selector: str | None = None
    ) -> None:
        super().__init__(error)
        self.module, self.error, self.call = module, error, call
        self.sentence = phrase(sentence) if isinstance(sentence, str) else sentence
        self.selector = _ERRORS[error] if selector is None else selector

    def denied(self, stage: Stage, remaining: Remaining) -> Denied:
        return Denied(stage, self.module, self.error, self.selector, self.sentence, remaining, self.call)


# --- does the validation apply


def _unwrapped(call_data: bytes) -> bytes:
    """The account's own call inside executeUserOp's raw prefix."""
    if len(call_data) < 4:
        raise _Stop(None, "UnrecognizedFunction", tr("A call of the account begins with a function selector of 4 bytes."))
    inner = call_data[4:] if call_data[:4] == EXECUTE_USER_OP.raw else call_data
    if len(inner) < 4:
        raise _Stop(None, "", tr("There is no call inside executeUserOp."), selector="")
    return inner


def _calls(inner: bytes) -> _Calls:
    """The calls of execute and executeBatch; None for any other function of the account.

    The account looks at a call's target alone, and at those of a batch; what follows is first read by a hook or when it is executed.
    """
    if inner[:4] not in (EXECUTE.raw, EXECUTE_BATCH.raw):
        return None
    try:
        arguments = _arguments(inner)
    except CannotDecode as error:
        if error.code != "CannotDecode":
            raise
        if inner[:4] == EXECUTE_BATCH.raw and not _targets_readable(inner[4:]):
            raise _Stop(None, "", _NO_ARGUMENTS, selector="") from None
        return _UNREADABLE
    batch = (arguments,) if inner[:4] == EXECUTE.raw else arguments[0]
    return tuple(InnerCall(*one) for one in batch)


def _targets_readable(batch: bytes) -> bool:
    """Whether every call of a batch has its three words, and an address in the first."""

    def number(at: int) -> int:
        return int.from_bytes(batch[at : at + 32], "big") if at + 32 <= len(batch) else len(batch)

    array = number(0)
    first, calls = array + 32, number(array)
    if first + 32 * calls > len(batch):
        return False
    places = [first + number(first + 32 * i) for i in range(calls)]
    return all(at + 96 <= len(batch) and not any(batch[at : at + 12]) for at in places)


_NO_ARGUMENTS = tr("The arguments of this call cannot be read.")


def _arguments(inner: bytes) -> tuple:  # type: ignore[type-arg]
    notes: list = []  # type: ignore[type-arg]
    form = function(ACCOUNT_FUNCTIONS[inner[:4]]).arguments
    return tuple(Reader(inner, Work(len(inner)), notes, start=4, where="call").values(form))


def _applies(session: Session, inner: bytes, names: Names) -> _Calls:
    """The calls, once it is clear that the key may ask for them at all."""
    _may_ask(session, Selector.from_bytes(inner[:4]), None, names)
    calls = _calls(inner)
    for index, call in enumerate(calls if isinstance(calls, tuple) else ()):
        if call.target != session.account:
            continue
        if inner[:4] == EXECUTE.raw:
            raise _Stop(
                None, "SelfCallRecursionDepthExceeded", tr("A call to the account itself is not made through execute."), index
            )
        if len(call.data) < 4:
            raise _Stop(
                None, "", tr("A call to the account itself begins with a function selector of 4 bytes."), index, selector=""
            )
        if call.data[:4] in (EXECUTE.raw, EXECUTE_BATCH.raw):
            raise _Stop(None, "SelfCallRecursionDepthExceeded", tr("A batch cannot carry another execute of the account."), index)
        _may_ask(session, Selector.from_bytes(call.data[:4]), index, names)
    return calls


def _may_ask(session: Session, selector: Selector, index: int | None, names: Names) -> None:
    if session.powers.is_root:
        if selector.raw not in ACCOUNT_FUNCTIONS:
            said = say("The account itself has no function {value}, unless a module added it.", value=names.functions([selector]))
            raise _Stop(None, "ValidationFunctionMissing", said, index)
    elif selector not in session.own:
        said = say("The key may not call the account's own function {value}.", value=names.functions([selector]))
        raise _Stop(None, "ValidationFunctionMissing", said, index)


# --- validation hooks, in install order


def _validate(session: Session, calls: _Calls, now: int, fees: Fees | None, left: Remaining, names: Names) -> Remaining:
    """An operation's time is looked at last, by the EntryPoint; the key's own transaction is checked by the module, in its place."""
    if fees is None:
        _in_time(session, now, TIME_RANGE)
        _allowlist(session, calls, names)
        return left
    _paymaster(session, fees)
    spent = _gas(fees, left, names)
    _allowlist(session, calls, names)
    _in_time(session, now, None)
    return spent


def _paymaster(session: Session, fees: Fees) -> None:
    wanted = session.powers.paymaster
    if wanted is None or fees.paymaster == wanted:
        return
    error = "BadPaymasterSpecified" if fees.paymaster is not None else ""
    sentence = say("Only paymaster {wanted} may pay for it.", wanted=address_part(wanted))
    raise _Stop(PAYMASTER_GUARD, error, sentence, selector=_ERRORS.get(error, ""))


def _in_time(session: Session, now: int, module: Address | None) -> None:
    if session.valid_until and not session.valid_after <= now <= session.valid_until:
        when = (
            tr("ended at {time}", time=utc(session.valid_until))
            if now > session.valid_until
            else tr("begins at {time}", time=utc(session.valid_after))
        )
        error = "TimeRangeNotValid" if module else "AA22 expired or not due"
        raise _Stop(module, error, tr("The session {when}.", when=when), selector=_ERRORS.get(error, ""))


def _gas(fees: Fees, left: Remaining, names: Names) -> Remaining:
    if left.gas is None:
        return left
    if fees.charge > left.gas:
        sentence = say(
            "The operation declares gas for {charge}; the gas limit has {gas} left.",
            charge=names.coins(fees.charge),
            gas=names.coins(left.gas),
        )
        raise _Stop(NATIVE_TOKEN_LIMIT, "ExceededNativeTokenLimit", sentence)
    return replace(left, gas=left.gas - fees.charge)


def _allowlist(session: Session, calls: _Calls, names: Names) -> None:
    """It looks into execute and executeBatch only; a listed target answers to its own list alone, any other to the wildcards."""
    if calls is None or session.listed is None:
        return
    if isinstance(calls, _Unreadable):
        raise _Stop(None, "", _NO_ARGUMENTS, selector="")
    listed = dict(session.listed)
    for index, call in enumerate(calls):
        selector = Selector.from_bytes(call.data[:4].ljust(4, b"\0"))
        if call.target not in listed:
            if selector not in session.powers.anywhere:
                said = say("The key may not call {target}: it is not on its list.", target=names.named(call.target))
                raise _Stop(ALLOWLIST, "AddressNotAllowed", said, index)
            continue
        functions = listed[call.target]
        if functions is None:
            continue
        if len(call.data) < 4:
            said = say(
                "The key may call only the functions listed for {target}, and this call names none.",
                target=names.named(call.target),
            )
            raise _Stop(ALLOWLIST, "NoSelectorSpecified", said, index)
        if selector not in functions:
            said = say(
                "The key may not call {value} of {target}.", value=names.functions([selector]), target=names.named(call.target)
            )
            raise _Stop(ALLOWLIST, "SelectorNotAllowed", said, index)


# --- execution hooks, in install order


def _execute(session: Session, inner: bytes, calls: _Calls, left: Remaining, names: Names) -> Remaining:
    if isinstance(calls, _Unreadable):
        raise _Stop(None, "", _NO_ARGUMENTS, selector="")
    if left.native is not None:
        left = replace(left, native=_spend_native(inner, calls, left.native, names))
    if session.powers.tokens:
        left = replace(left, tokens=tuple(_spend_tokens(calls, left.tokens, names)))
    return left


def _spend_native(inner: bytes, calls: tuple[InnerCall, ...] | None, limit: int, names: Names) -> int:
    values = [c.value for c in calls or ()]
    if inner[:4] == PERFORM_CREATE.raw:
        values = [int.from_bytes(inner[4:36], "big")]
    if sum(values) > MAX_UINT256:
        raise _Stop(NATIVE_TOKEN_LIMIT, "Panic", tr("The amounts add up to more than a number on the chain can hold."))
    if sum(values) > limit:
        verb = trn("The call sends ", "The calls send ", len(values))
        sentence = say(
            "{verb}{total}; the limit has {limit} left.", verb=verb, total=names.coins(sum(values)), limit=names.coins(limit)
        )
        raise _Stop(NATIVE_TOKEN_LIMIT, "ExceededNativeTokenLimit", sentence)
    return limit - sum(values)


def _spend_tokens(
    calls: tuple[InnerCall, ...] | None, limits: tuple[tuple[Address, int], ...], names: Names
) -> Iterator[tuple[Address, int]]:
    """transfer and approve count the same: in full, each time."""
    if calls is None:
        raise _Stop(
            ALLOWLIST, "SpendingRequestNotAllowed", tr("With a token limit, only execute and executeBatch are let through.")
        )
    left = dict(limits)
    for index, call in enumerate(calls):
        if call.target in left:
            left[call.target] = _spend_token(call, left[call.target], index, names)
    yield from left.items()


def _spend_token(call: InnerCall, limit: int, index: int, names: Names) -> int:
    if len(call.data) < 68:
        raise _Stop(ALLOWLIST, "InvalidCalldataLength", tr("A call to a limited token carries a receiver and an amount."), index)
    if call.data[:4] not in (TRANSFER.raw, APPROVE.raw):
        raise _Stop(ALLOWLIST, "SelectorNotAllowed", tr("Only transfer and approve may be called on a limited token."), index)
    amount = int.from_bytes(call.data[36:68], "big")
    if amount > limit:
        moves: list[Part] = names.tokens(amount, call.target)
        sentence = say(
            "The call moves {moves}; the limit has {amount} left.", moves=moves, amount=strong(names.amount(limit, call.target))
        )
        raise _Stop(ALLOWLIST, "ExceededTokenLimit", sentence, index)
    return limit - amount
