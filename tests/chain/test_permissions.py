"""Every permission, granted in every way there is: what Latchkey's words allow succeeds, everything else is refused, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

import pytest

from latchkey.core.account import Account, Mode
from latchkey.core.permissions import AccountFunctions
from latchkey.core.types import to_hex
from tests.chain import abi
from tests.chain.cases import CASES, Case
from tests.chain.stage import OWNER, Outcome, Session, Stage
from tests.devnet.places import MODULE


class Way(StrEnum):
    """How a grant reaches the account."""

    DEFERRED = "deferred action"  # in the session's first operation
    DEPLOYING = "deferred action with deployment"  # and that operation deploys the account
    OWNER_OPERATION = "the owner's direct operation"
    OWNER_TRANSACTION = "the owner's own transaction"


def opened(stage: Stage, case: Case, way: Way, *, mode: Mode = Mode.SMA) -> Session:
    """A session with the case's permissions on an account of its own; installed unless its first operation does that."""
    deploying = way is Way.DEPLOYING
    account = stage.account(salt=1 if deploying else 0, mode=mode, deployed=not deploying)
    if needs_module(case) and not deploying:
        install_module(stage, account)
    expiry = stage.now() + case.expires_in if case.expires_in else 0
    signed = stage.grant(stage.draft(account, *case.permissions, expiry=expiry), account)
    if way is Way.OWNER_OPERATION:
        assert stage.owner_op(account, signed.grant.call).text == "done"
    elif way is Way.OWNER_TRANSACTION:
        assert stage.owner_tx(account, signed.grant.call).text == "done"
    session = stage.session(signed, account)
    session.paymaster = case.paymaster
    return session


def install_module(stage: Stage, account: Account) -> None:
    """The account gets a function of its own, practice(), from an execution module."""
    manifest = ([(abi.selector("practice()"), False, False)], [], [])
    types = "((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[])"
    install = abi.call(f"installExecution(address,{types},bytes)", MODULE, manifest, b"")
    assert stage.owner_tx(account, install).text == "done"


def by_operation(no: str) -> str:
    """A refusal of cases.py, as an operation meets it."""
    what, _, rest = no.partition(": ")
    return {
        "hook": f"refused: AA23 reverted, PreUserOpValidationHookReverted({rest})",
        "limit": f"failed: PreExecHookReverted({rest})",
        "account": f"refused: AA23 reverted, {rest}",
        "call": f"failed: {rest}",
    }[what]


def by_transaction(no: str) -> str:
    """The same, as the key's own transaction meets it."""
    what, _, rest = no.partition(": ")
    return {
        "hook": f"reverted: PreRuntimeValidationHookReverted({rest})",
        "limit": f"reverted: PreExecHookReverted({rest})",
        "account": f"reverted: {rest}",
    }[what]


def play(session: Session, case: Case, first: Callable[[bytes], Outcome]) -> tuple[list[str], list[str]]:
    """What came of all calls of the case in order, and what should have."""
    calls = [*case.allowed, *(call for call, _ in case.forbidden)]
    seen = [first(calls[0]).text] + [session.later(call).text for call in calls[1:]]
    return seen, ["done"] * len(case.allowed) + [by_operation(no) for _, no in case.forbidden]


def needs_module(case: Case) -> bool:
    return any(isinstance(p, AccountFunctions) for p in case.permissions)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
@pytest.mark.parametrize("way", list(Way), ids=str)
def test_what_was_granted_and_nothing_else(stage: Stage, way: Way, case: Case) -> None:
    if way is Way.DEPLOYING and needs_module(case):
        case = without_module(case)
    session = opened(stage, case, way)
    assert bool(stage.code(session.account.address)) is (way is not Way.DEPLOYING)
    first = {
        Way.DEFERRED: session.first,
        Way.DEPLOYING: lambda call: session.first(call, deploy=True),
    }.get(way, session.later)
    seen, expected = play(session, case, first)
    assert seen == expected


def without_module(case: Case) -> Case:
    """An account that is only being deployed has no module yet: its function is granted but not there."""
    own = abi.selector("practice()")
    missing = (own, f"call: UnrecognizedFunction({to_hex(own)})")
    return replace(case, allowed=[call for call in case.allowed if call != own], forbidden=[missing, *case.forbidden])


@pytest.mark.parametrize("case", [c for c in CASES if not c.paymaster and "gas-limit" not in c.name], ids=lambda c: c.name)
def test_the_key_without_the_entry_point(stage: Stage, case: Case) -> None:
    """The key may call the account by itself. Everything but the gas limit still holds."""
    session = opened(stage, case, Way.OWNER_TRANSACTION)
    seen = [session.runtime(call).text for call in (*case.allowed, *(call for call, _ in case.forbidden))]
    assert seen == ["done"] * len(case.allowed) + [by_transaction(no) for _, no in case.forbidden]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_on_a_7702_account(stage: Stage, case: Case) -> None:
    session = opened(stage, case, Way.DEFERRED, mode=Mode.EIP7702)
    assert session.account.address == OWNER.address
    seen, expected = play(session, case, session.first)
    assert seen == expected
