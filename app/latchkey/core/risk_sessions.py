"""The rules a session on the chain is held against, and those for the account as a whole: tables, as `risk` has for grants.

What is dangerous to grant is dangerous to have granted, so the rules of the review speak here too, with advice for what is there
already. Beside them stand rules for what only the chain can show: sessions that others made, modules that do not hold what they
promise, what an earlier session left behind, and what could not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from latchkey.core.contracts import ALLOWLIST, ALLOWLIST_V200, TAKEOVER_FUNCTIONS, WEBAUTHN
from latchkey.core.facts import NOTHING_KNOWN, Facts, Surroundings, facts_of
from latchkey.core.phrases import Finding, Level
from latchkey.core.risk import RULES as REVIEW_RULES
from latchkey.core.session import AccountReading, Leftover, Session
from latchkey.core.words_sessions import has_ended
from latchkey.language import tr

_EXECUTE: Final = ("0xb61d27f6", "0x34fcd5be")  # execute, executeBatch: harmless exactly when an allowlist looks into them
_ORDER: Final = list(Level)[::-1]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a session beside what the chain says.

    `here`: granted here, with this key under this id. `wider`: it may do more than that grant says. `appeared`: it was not there, or
    was another one, when the person last looked.
    """

    here: bool
    wider: bool = False
    appeared: bool = False
    around: Surroundings = NOTHING_KNOWN


@dataclass(frozen=True, slots=True)
class Seen:
    session: Session
    facts: Facts
    known: Known

    @property
    def modules(self) -> frozenset[str]:
        """Those whose hooks look at its operations before they are accepted."""
        return frozenset(hook.module for hook in self.session.hooks)

    def looks_at(self, left: Leftover) -> bool:
        """Whether one of its hooks reads what was left there."""
        hooks = (*self.session.hooks, *self.session.execution_hooks)
        return any((hook.module, hook.entity_id) == (left.module, left.entity_id) for hook in hooks)


@dataclass(frozen=True, slots=True)
class SessionRule:
    """`ended`: whether it also speaks of a session whose time is over."""

    id: str
    level: Level
    holds: Callable[[Seen], bool]
    sentence: str
    advice: str
    ended: bool = False


@dataclass(frozen=True, slots=True)
class AccountRule:
    id: str
    level: Level
    holds: Callable[[AccountReading], bool]
    sentence: str
    advice: str


def session_findings(session: Session, known: Known, *, now: int) -> tuple[Finding, ...]:
    """Every rule that holds for a session at chain time `now`, worst first."""
    facts = facts_of(session.install, session.account, now, known.around)
    assert facts is not None  # an install always lets somebody in
    seen, over = Seen(session, facts, known), has_ended(session, now)
    found = [_finding(rule) for rule in RULES if (rule.ended or not over) and rule.holds(seen)]
    return worst_first(found if over else (*found, *_reviewed(facts)))


def account_findings(reading: AccountReading) -> tuple[Finding, ...]:
    """What is so of the account as a whole: what its system found in the reading (code not known, hooks on the owner, blocks that
    could not be read), and the rules; worst first."""
    return worst_first((*reading.findings, *(_finding(rule) for rule in ACCOUNT_RULES if rule.holds(reading))))


def worst_first(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.level)))


def is_dangerous(found: Iterable[Finding]) -> bool:
    return any(finding.level in (Level.DANGER, Level.REFUSED) for finding in found)


def _finding(rule: SessionRule | AccountRule) -> Finding:
    return Finding(rule.id, rule.level, rule.sentence, rule.advice)


# --- the rules of the review, for what is there already

#: They are about signing and first use, are told by the session's state or words, or have a rule of their own below.
_NOT_FOR_SESSIONS: Final = frozenset(
    {
        "unknown-bytes",
        "key-unknown",
        "expired",
        "gas-limit-zero",
        "gas-limit-looks-like-gas-units",
        "gas-limit-below-install",
        "deadline-apart",
        "sequence-not-fresh",
        "sender-unproven",
        "same-dapp-holds-session",
        "entity-id-used",
        "clock-apart",
        "chain-unknown",
    }
)
_ADVICE: Final = {
    Level.REFUSED: tr("Revoke it."),
    Level.DANGER: tr("Revoke it unless you need exactly this."),
    Level.WARNING: tr("Revoke it if you do not need this."),
    Level.NOTICE: tr("Nothing to do if this is what you want."),
}


def _reviewed(facts: Facts) -> Iterable[Finding]:
    for rule in REVIEW_RULES:
        if rule.id not in _NOT_FOR_SESSIONS and rule.holds(facts):
            level = Level.DANGER if rule.level is Level.REFUSED else rule.level  # nothing is left to refuse
            yield Finding(rule.id, level, rule.sentence, _ADVICE[rule.level])


# --- rules for sessions alone


def _appeared(s: Seen) -> bool:
    return s.known.appeared and not s.known.here


def _privileged(s: Seen) -> bool:
    return not s.session.install.is_global and any(
        selector in TAKEOVER_FUNCTIONS and selector not in _EXECUTE for selector in s.session.selectors
    )


def _any_call(s: Seen) -> bool:
    unlisted = not s.modules & {ALLOWLIST, ALLOWLIST_V200}
    return unlisted and not s.session.install.is_global and any(selector in _EXECUTE for selector in s.session.selectors)


RULES: Final[tuple[SessionRule, ...]] = (
    SessionRule(
        "appeared",
        Level.DANGER,
        _appeared,
        tr("It appeared since you last looked, and it was not granted here."),
        tr("If nobody you trust made it, revoke it now."),
        ended=True,
    ),
    SessionRule(
        "not-made-here",
        Level.WARNING,
        lambda s: not s.known.here and not s.known.appeared,
        tr("It was not granted here."),
        tr("If you do not know where it comes from, revoke it."),
        ended=True,
    ),
    SessionRule(
        "more-than-granted",
        Level.DANGER,
        lambda s: s.known.wider,
        tr("It may do more than what was granted here under its id."),
        tr("If you did not change it yourself, revoke it."),
    ),
    SessionRule(
        "superseded-allowlist",
        Level.DANGER,
        lambda s: ALLOWLIST_V200 in s.modules,
        tr("Its list of contracts is kept by a superseded module that does not hold: it may call anything."),
        tr("Revoke it, and grant a new session here."),
    ),
    SessionRule(
        "privileged-functions",
        Level.DANGER,
        _privileged,
        tr("It may call functions of the account that let in keys, change the owner or exchange the code."),
        tr("Revoke it."),
    ),
    SessionRule(
        "any-call",
        Level.DANGER,
        _any_call,
        tr("It may call any contract with anything: no list holds it."),
        tr("Revoke it unless you need exactly this."),
    ),
    SessionRule(
        "passkey",
        Level.NOTICE,
        lambda s: s.session.signer is None and s.session.module == WEBAUTHN,
        tr("A passkey uses it, not a key that Latchkey can name."),
        tr("Nothing to do if the passkey is yours."),
    ),
    SessionRule(
        "unknown-module",
        Level.DANGER,
        lambda s: s.session.signer is None and s.session.module != WEBAUTHN,
        tr("Who may use it is decided by a module that Latchkey cannot read."),
        tr("Revoke it unless you know this module."),
    ),
    SessionRule(
        "unknown-hook",
        Level.WARNING,
        lambda s: any(not hook.name for hook in (*s.session.hooks, *s.session.execution_hooks)),
        tr("A module that Latchkey does not know takes part in what it may do."),
        tr("Look the module up; revoke the session if you cannot."),
    ),
    SessionRule(
        "unreadable",
        Level.DANGER,
        lambda s: s.facts.unknown > 0,
        tr("A part of it is not like any grant that Latchkey knows."),
        tr("Revoke it unless you know what it is for."),
    ),
    SessionRule(
        "list-incomplete",
        Level.WARNING,
        lambda s: not s.session.targets_complete,
        tr("Some logs could not be read: it may reach more contracts than are listed."),
        tr("Refresh, or use an RPC that has all logs of this account."),
    ),
    SessionRule(
        "leftovers",
        Level.WARNING,
        lambda s: any(s.looks_at(left) for left in s.session.leftovers),
        tr("An earlier session under the same id left limits or entries behind, and they are in force for it."),
        tr("Compare them with what was granted; revoke it cleanly if they are too much."),
    ),
    SessionRule(
        "leftovers-asleep",
        Level.NOTICE,
        lambda s: any(not s.looks_at(left) for left in s.session.leftovers),
        tr("Limits or entries that it does not use are stored under its id."),
        tr("They are cleaned up when it is revoked."),
    ),
)

ACCOUNT_RULES: Final[tuple[AccountRule, ...]] = (
    AccountRule(
        "other-powers",
        Level.WARNING,
        lambda r: any(power.kind in ("direct-call", "execution-function", "execution-hook") for power in r.powers),
        tr("Contracts take part in this account beside its keys."),
        tr("See what each may do, under the account's other powers."),
    ),
    AccountRule(
        "left-behind",
        Level.NOTICE,
        lambda r: bool(r.leftovers),
        tr("Ended sessions left limits or lists on the chain; they come back if their ids are granted again."),
        tr("Clean them up. Latchkey never grants a used id again."),
    ),
)
