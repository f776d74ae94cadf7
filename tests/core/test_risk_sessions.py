"""Every rule for sessions on both sides, and that the rules of the review speak for what is there already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from latchkey.core.contracts import ALLOWLIST, ALLOWLIST_V200, ENTRY_POINT, TIME_RANGE, WEBAUTHN
from latchkey.core.permissions import AccountFunctions, ContractAccess, FunctionsOnAllContracts, GasLimit, NativeTokenTransfer, Root
from latchkey.core.phrases import Finding, Level
from latchkey.core.reading import Unknown
from latchkey.core.risk import RULES as REVIEW_RULES
from latchkey.core.risk_sessions import (
    _NOT_FOR_SESSIONS,
    ACCOUNT_RULES,
    RULES,
    Known,
    account_findings,
    is_dangerous,
    session_findings,
    worst_first,
)
from latchkey.core.session import Hook, Leftover, Power, Session
from latchkey.core.types import Selector
from tests.core.session_cases import CAREFUL, GAME, GOLD, MOVE, ODD
from tests.drafts import ACCOUNT, NOW
from tests.sessions import draft, reading_of, session_of

HERE = Known(here=True)
EXECUTE, EXECUTE_BATCH, INSTALL = map(Selector.parse, ("0xb61d27f6", "0x34fcd5be", "0x1bbf564c"))
PLAIN = session_of(CAREFUL)
SUPERSEDED = Hook(ALLOWLIST_V200, 5, 5, "AllowlistModule v2.0.0")
WITHOUT_LIST = replace(PLAIN, hooks=tuple(hook for hook in PLAIN.hooks if hook.module != ALLOWLIST))
READ = replace(PLAIN.install, unknown=(Unknown("hooks[0]", b"\1", "?"),))


def ids(session: Session = PLAIN, known: Known = HERE, now: int = NOW) -> dict[str, Level]:
    return {finding.id: finding.level for finding in session_findings(session, known, now=now)}


BOTH_SIDES = [
    ("appeared", (PLAIN, Known(here=False, appeared=True)), (PLAIN, Known(here=True, appeared=True))),
    ("appeared", (PLAIN, Known(here=False, appeared=True)), (PLAIN, Known(here=False))),
    ("not-made-here", (PLAIN, Known(here=False)), (PLAIN, HERE)),
    ("not-made-here", (PLAIN, Known(here=False)), (PLAIN, Known(here=False, appeared=True))),
    ("more-than-granted", (PLAIN, Known(here=True, wider=True)), (PLAIN, HERE)),
    ("superseded-allowlist", (replace(WITHOUT_LIST, hooks=(SUPERSEDED,)), HERE), (PLAIN, HERE)),
    ("privileged-functions", (replace(PLAIN, selectors=(*PLAIN.selectors, INSTALL)), HERE), (PLAIN, HERE)),
    ("privileged-functions", (replace(PLAIN, selectors=(INSTALL,)), HERE), (session_of(draft(AccountFunctions((MOVE,)))), HERE)),
    ("any-call", (WITHOUT_LIST, HERE), (PLAIN, HERE)),
    ("any-call", (WITHOUT_LIST, HERE), (replace(WITHOUT_LIST, hooks=(SUPERSEDED,)), HERE)),
    ("any-call", (replace(WITHOUT_LIST, selectors=(EXECUTE_BATCH,)), HERE), (replace(WITHOUT_LIST, selectors=(MOVE,)), HERE)),
    ("passkey", (replace(PLAIN, signer=None, module=WEBAUTHN), HERE), (PLAIN, HERE)),
    ("unknown-module", (replace(PLAIN, signer=None, module=ODD), HERE), (replace(PLAIN, signer=None, module=WEBAUTHN), HERE)),
    ("unknown-hook", (replace(PLAIN, execution_hooks=(Hook(ODD, 5, 4),)), HERE), (PLAIN, HERE)),
    ("unknown-hook", (replace(PLAIN, hooks=(*PLAIN.hooks, Hook(ODD, 5, 1))), HERE), (PLAIN, HERE)),
    ("unreadable", (replace(PLAIN, install=READ), HERE), (PLAIN, HERE)),
    ("list-incomplete", (replace(PLAIN, targets_complete=False), HERE), (PLAIN, HERE)),
    ("leftovers", (replace(PLAIN, leftovers=(Leftover(ALLOWLIST, 5, GOLD),)), HERE), (PLAIN, HERE)),
    (
        "leftovers",
        (replace(PLAIN, leftovers=(Leftover(ALLOWLIST, 5, GOLD),)), HERE),
        (replace(PLAIN, leftovers=(Leftover(ALLOWLIST, 6, GOLD),)), HERE),
    ),
    ("leftovers-asleep", (replace(PLAIN, leftovers=(Leftover(ALLOWLIST, 6, GOLD),)), HERE), (PLAIN, HERE)),
    ("signs-messages", (replace(PLAIN, install=replace(PLAIN.install, signs_messages=True)), HERE), (PLAIN, HERE)),
]


@pytest.mark.parametrize(("rule", "holds", "not_so"), BOTH_SIDES, ids=[f"{row[0]}-{i}" for i, row in enumerate(BOTH_SIDES)])
def test_each_rule_on_both_sides(rule: str, holds: tuple[Session, Known], not_so: tuple[Session, Known]) -> None:
    assert rule in ids(*holds)
    assert rule not in ids(*not_so)


def test_every_rule_is_tested_and_has_an_id_of_its_own() -> None:
    own = [rule.id for rule in (*RULES, *ACCOUNT_RULES)]
    assert len(set(own)) == len(own)
    assert {rule.id for rule in RULES} <= {row[0] for row in BOTH_SIDES}
    assert all(rule.sentence.endswith(".") and rule.advice.endswith(".") for rule in (*RULES, *ACCOUNT_RULES))
    assert {rule.id for rule in REVIEW_RULES} >= _NOT_FOR_SESSIONS
    assert not {rule.id for rule in RULES} & {rule.id for rule in REVIEW_RULES}


def test_a_careful_session_granted_here_raises_nothing() -> None:
    assert ids() == {}


@pytest.mark.parametrize(
    ("made", "rule"),
    [
        (draft(ContractAccess(TIME_RANGE), NativeTokenTransfer(0), GasLimit(10**16)), "lifts-limits"),
        (draft(ContractAccess(ENTRY_POINT), NativeTokenTransfer(0), GasLimit(10**16)), "entry-point"),
        (draft(ContractAccess(ACCOUNT), NativeTokenTransfer(0), GasLimit(10**16)), "own-address"),
        (
            draft(FunctionsOnAllContracts((Selector.parse("0x095ea7b3"),)), NativeTokenTransfer(0), GasLimit(10**16)),
            "approve-anywhere",
        ),
        (draft(Root()), "root"),
    ],
)
def test_what_is_refused_or_dangerous_to_grant_is_dangerous_to_have(made: object, rule: str) -> None:
    found = {f.id: f for f in session_findings(session_of(made), HERE, now=NOW)}  # type: ignore[arg-type]
    assert found[rule].level is Level.DANGER
    assert "sign" not in found[rule].advice.lower().split()
    assert found[rule].advice.startswith("Revoke it")


def test_no_rule_about_signing_or_first_use_speaks_of_a_session() -> None:
    tiny = session_of(draft(ContractAccess(GAME), NativeTokenTransfer(0), GasLimit(0)))
    assert not ids(tiny).keys() & _NOT_FOR_SESSIONS


def test_what_has_ended_is_only_said_to_be_of_others() -> None:
    over = replace(session_of(draft(Root())), targets_complete=False)
    assert ids(over, Known(here=False), NOW + 86_401) == {"not-made-here": Level.WARNING}
    assert ids(over, HERE, NOW + 86_401) == {}
    assert "root" in ids(over, HERE, NOW + 86_400)


def test_the_worst_stands_first() -> None:
    made = replace(session_of(draft(Root())), leftovers=(Leftover(ALLOWLIST, 5, GOLD),))
    levels = [finding.level for finding in session_findings(made, Known(here=False), now=NOW)]
    assert levels == sorted(levels, key=list(Level).index, reverse=True)
    assert is_dangerous(session_findings(made, HERE, now=NOW))
    assert not is_dangerous(session_findings(PLAIN, Known(here=False), now=NOW))


@pytest.mark.parametrize(
    ("rule", "changes", "not_so"),
    [
        ("other-powers", {"powers": (Power("direct-call", ODD, "?"),)}, {"powers": (Power("delegation", ODD, "?"),)}),
        ("other-powers", {"powers": (Power("execution-function", ODD, "?"),)}, {}),
        ("left-behind", {"leftovers": (Leftover(ALLOWLIST, 5, GOLD),)}, {}),
    ],
)
def test_rules_for_the_account(rule: str, changes: dict[str, object], not_so: dict[str, object]) -> None:
    assert rule in {f.id for f in account_findings(reading_of(PLAIN, **changes))}
    assert rule not in {f.id for f in account_findings(reading_of(PLAIN, **not_so))}


def test_what_the_account_system_found_is_kept() -> None:
    found = Finding("code-unknown", Level.DANGER, "?", "?")
    changed = reading_of(PLAIN, findings=(found,), leftovers=(Leftover(ALLOWLIST, 5, GOLD),))
    assert account_findings(changed)[0] == found
    assert worst_first((Finding("a", Level.NOTICE, "", ""), found))[0] == found
