"""What the account would do with a session's call: a model of the hooks, worked out here without a chain.

It follows the order in which the contracts decide: does the validation apply to the call, the validation hooks in install order
(paymaster, time, gas, allowlist), then at execution the execution hooks (ETH, tokens). What a called contract does is beyond it.

Modelled are the installs the decoder knows whole; anything else raises CannotDecode. Of a global key it is not modelled which functions
modules have added to the account.
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
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    Permission,
)
from latchkey.core.powers import Powers, powers_of
from latchkey.core.reading import Install, unknown_in
from latchkey.core.types import MAX_UINT256, Address, Selector
from latchkey.errors import CannotDecode

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
    sentence: str
    remaining: Remaining
    call: int | None = None


Outcome: TypeAlias = Allowed | Denied

_ERRORS = {
    "UnrecognizedFunction": "0xfcfc5aad",
    "ValidationFunctionMissing": "0xcf7b49f6",
    "SelfCallRecursionDepthExceeded": "0x54ff929d",
    "NotEntryPoint": "0xd663742a",
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


def session_of_draft(draft: Draft) -> Session:
    """The session a draft's grant installs."""
    return _session(draft.account, powers_of(draft.permissions), draft.permissions, draft.selectors, draft.expiry, 0)


def session_of_install(install: Install, account: Address) -> Session:
    """The session that calldata installs. Raises CannotDecode when a part of it is unknown."""
    unknown = unknown_in(install)
    if unknown:
        raise CannotDecode(f"This session holds something Latchkey does not know: {unknown[0].where}.", path=unknown[0].where)
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


def attempt(session: Session, call_data: bytes, *, now: int, fees: Fees | None, remaining: Remaining | None = None) -> Outcome:
    """What becomes of `call_data` at chain second `now`.

    `fees` None: the key calls the account by itself, without an operation, and pays its own gas. `remaining` None: nothing spent yet.
    Raises CannotDecode when the arguments of execute or executeBatch cannot be read (the account then reverts, without a rule).
    """
    left = remaining or session.whole
    try:
        inner = _unwrapped(session, call_data, fees)
        calls = _calls(inner)
        _applies(session, inner, calls)
        if fees is not None and session.has_execution_hooks and call_data[:4] != EXECUTE_USER_OP.raw:
            raise _Stop(None, "RequireUserOperationContext", "The call has to be wrapped in executeUserOp.")
        left = _validate(session, calls, now, fees, left)
    except _Stop as stop:
        return stop.denied(Stage.VALIDATION, left)
    try:
        return Allowed(_execute(session, inner, calls, left))
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
        self, module: Address | None, error: str, sentence: str, call: int | None = None, selector: str | None = None
    ) -> None:
        super().__init__(error)
        self.module, self.error, self.sentence, self.call = module, error, sentence, call
        self.selector = _ERRORS[error] if selector is None else selector

    def denied(self, stage: Stage, remaining: Remaining) -> Denied:
        return Denied(stage, self.module, self.error, self.selector, self.sentence, remaining, self.call)


# --- does the validation apply


def _unwrapped(session: Session, call_data: bytes, fees: Fees | None) -> bytes:
    """The account's own call inside executeUserOp's raw prefix."""
    if call_data[:4] == EXECUTE_USER_OP.raw and fees is None:
        raise _Stop(None, "NotEntryPoint", "Only the EntryPoint calls executeUserOp.")
    inner = call_data[4:] if call_data[:4] == EXECUTE_USER_OP.raw else call_data
    if len(inner) < 4:
        raise _Stop(None, "UnrecognizedFunction", "A call of the account begins with a function selector of 4 bytes.")
    return inner


def _calls(inner: bytes) -> tuple[InnerCall, ...] | None:
    """The calls of execute and executeBatch; None for any other function of the account."""
    if inner[:4] == EXECUTE.raw:
        return (InnerCall(*_arguments(inner)),)
    if inner[:4] == EXECUTE_BATCH.raw:
        return tuple(InnerCall(*one) for one in _arguments(inner)[0])
    return None


def _arguments(inner: bytes) -> tuple:  # type: ignore[type-arg]
    notes: list = []  # type: ignore[type-arg]
    form = function(ACCOUNT_FUNCTIONS[inner[:4]]).arguments
    return tuple(Reader(inner, Work(len(inner)), notes, start=4, where="call").values(form))


def _applies(session: Session, inner: bytes, calls: tuple[InnerCall, ...] | None) -> None:
    _may_ask(session, Selector.from_bytes(inner[:4]), None)
    for index, call in enumerate(calls or ()):
        if call.target != session.account:
            continue
        if inner[:4] == EXECUTE.raw:
            raise _Stop(None, "SelfCallRecursionDepthExceeded", "A call to the account itself is not made through execute.", index)
        if len(call.data) < 4:
            raise _Stop(None, "", "A call to the account itself begins with a function selector of 4 bytes.", index, selector="")
        if call.data[:4] in (EXECUTE.raw, EXECUTE_BATCH.raw):
            raise _Stop(None, "SelfCallRecursionDepthExceeded", "A batch cannot carry another execute of the account.", index)
        _may_ask(session, Selector.from_bytes(call.data[:4]), index)


def _may_ask(session: Session, selector: Selector, index: int | None) -> None:
    if not session.powers.is_root and selector not in session.own:
        raise _Stop(None, "ValidationFunctionMissing", f"The key may not call the account's own function {selector}.", index)


# --- validation hooks, in install order


def _validate(session: Session, calls: tuple[InnerCall, ...] | None, now: int, fees: Fees | None, left: Remaining) -> Remaining:
    """An operation's time is looked at last, by the EntryPoint; the key's own transaction is checked by the module, in its place."""
    if fees is None:
        _in_time(session, now, TIME_RANGE)
        _allowlist(session, calls)
        return left
    _paymaster(session, fees)
    spent = _gas(fees, left)
    _allowlist(session, calls)
    _in_time(session, now, None)
    return spent


def _paymaster(session: Session, fees: Fees) -> None:
    wanted = session.powers.paymaster
    if wanted is None or fees.paymaster == wanted:
        return
    error = "BadPaymasterSpecified" if fees.paymaster is not None else ""
    raise _Stop(PAYMASTER_GUARD, error, f"Only paymaster {wanted} may pay.", selector=_ERRORS.get(error, ""))


def _in_time(session: Session, now: int, module: Address | None) -> None:
    if session.valid_until and not session.valid_after <= now <= session.valid_until:
        when = "has ended" if now > session.valid_until else "has not begun"
        error = "TimeRangeNotValid" if module else "AA22 expired or not due"
        raise _Stop(module, error, f"The session {when}.", selector=_ERRORS.get(error, ""))


def _gas(fees: Fees, left: Remaining) -> Remaining:
    if left.gas is None:
        return left
    if fees.charge > left.gas:
        sentence = f"The operation declares gas for {fees.charge} wei; {left.gas} wei are left of the gas limit."
        raise _Stop(NATIVE_TOKEN_LIMIT, "ExceededNativeTokenLimit", sentence)
    return replace(left, gas=left.gas - fees.charge)


def _allowlist(session: Session, calls: tuple[InnerCall, ...] | None) -> None:
    """It looks into execute and executeBatch only; a listed target answers to its own list alone, any other to the wildcards."""
    if calls is None or session.listed is None:
        return
    listed = dict(session.listed)
    for index, call in enumerate(calls):
        selector = Selector.from_bytes(call.data[:4].ljust(4, b"\0"))
        if call.target not in listed:
            if selector not in session.powers.anywhere:
                raise _Stop(ALLOWLIST, "AddressNotAllowed", f"The key may not call {call.target}.", index)
            continue
        functions = listed[call.target]
        if functions is None:
            continue
        if len(call.data) < 4:
            raise _Stop(ALLOWLIST, "NoSelectorSpecified", f"The key may only call named functions of {call.target}.", index)
        if selector not in functions:
            raise _Stop(ALLOWLIST, "SelectorNotAllowed", f"The key may not call {selector} on {call.target}.", index)


# --- execution hooks, in install order


def _execute(session: Session, inner: bytes, calls: tuple[InnerCall, ...] | None, left: Remaining) -> Remaining:
    if left.native is not None:
        left = replace(left, native=_spend_native(inner, calls, left.native))
    if session.powers.tokens:
        left = replace(left, tokens=tuple(_spend_tokens(inner, calls, left.tokens)))
    return left


def _spend_native(inner: bytes, calls: tuple[InnerCall, ...] | None, limit: int) -> int:
    values = [c.value for c in calls or ()]
    if inner[:4] == PERFORM_CREATE.raw:
        values = [int.from_bytes(inner[4:36], "big")]
    if sum(values) > MAX_UINT256:
        raise _Stop(NATIVE_TOKEN_LIMIT, "Panic", "The amounts add up to more than a number on the chain can hold.")
    if sum(values) > limit:
        sentence = f"The calls send {sum(values)} wei; {limit} wei are left of the limit."
        raise _Stop(NATIVE_TOKEN_LIMIT, "ExceededNativeTokenLimit", sentence)
    return limit - sum(values)


def _spend_tokens(
    inner: bytes, calls: tuple[InnerCall, ...] | None, limits: tuple[tuple[Address, int], ...]
) -> Iterator[tuple[Address, int]]:
    """transfer and approve count the same: in full, each time."""
    if calls is None:
        raise _Stop(ALLOWLIST, "SpendingRequestNotAllowed", "With a token limit, only execute and executeBatch are let through.")
    left = dict(limits)
    for index, call in enumerate(calls):
        if call.target in left:
            left[call.target] = _spend_token(call, left[call.target], index)
    yield from left.items()


def _spend_token(call: InnerCall, limit: int, index: int) -> int:
    if len(call.data) < 68:
        raise _Stop(ALLOWLIST, "InvalidCalldataLength", "A call to a limited token carries a receiver and an amount.", index)
    if call.data[:4] not in (TRANSFER.raw, APPROVE.raw):
        raise _Stop(ALLOWLIST, "SelectorNotAllowed", "Only transfer and approve may be called on a limited token.", index)
    amount = int.from_bytes(call.data[36:68], "big")
    if amount > limit:
        raise _Stop(ALLOWLIST, "ExceededTokenLimit", f"The call moves {amount} base units; {limit} are left of the limit.", index)
    return limit - amount
