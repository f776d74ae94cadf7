"""The rules that what ends, cancels and tightens is held against before it is signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latchkey.core.account import Account
from latchkey.core.ending import Ending, Known
from latchkey.core.networks import GWEI, NETWORKS
from latchkey.core.phrases import Finding, Level
from latchkey.core.reading import Lower, Shorten, Step, Transaction, Uninstall
from latchkey.core.session import Limit, LimitKind
from latchkey.core.words_endings import steps_of
from latchkey.language import tr

DAY = 86_400
_ORDER = list(Level)[::-1]

_USUAL_GAS, _STEP_GAS = 1_000_000, 300_000  # generous; what is declared, not what is used
#: How many times the cost at the network's lowest usual fee is much, very much, and never signed.
_TIMES = ((10_000, Level.REFUSED), (1_000, Level.DANGER), (100, Level.WARNING))
_COST = {
    Level.REFUSED: (
        tr("It may cost far more than any fee there is."),
        tr("Latchkey does not sign it. Make it again with fees as they are now."),
    ),
    Level.DANGER: (
        tr("It may cost very much."),
        tr("Look at the amount. If fees are not that high right now, say no and make it again."),
    ),
    Level.WARNING: (tr("It may cost much."), tr("Look at the amount; fees may be lower later.")),
}


def ending_findings(endings: Sequence[Ending], *, account: Account, now: int, known: Sequence[Known] = ()) -> tuple[Finding, ...]:
    """Every rule that holds, worst first. `known`: what is said of the sessions, as in the words."""
    found = [*_cost(endings, account), *_steps(endings, now, {one.entity_id: one for one in known})]
    if account.chain_id not in NETWORKS:
        found.append(
            Finding(
                "chain-unknown", Level.WARNING, tr("Latchkey does not know this network."), tr("Check that it is the one you mean.")
            )
        )
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.level)))


def _cost(endings: Sequence[Ending], account: Account) -> Iterator[Finding]:
    """A signed operation pays whoever carries it: the fee it declares is money, not a formality."""
    floor = NETWORKS[account.chain_id].fee_floor if account.chain_id in NETWORKS else GWEI
    usual = sum(_USUAL_GAS * _operations(e) + _STEP_GAS * len(steps_of(e.reading)) for e in endings) * floor
    most = sum(ending.reading.most for ending in endings)
    for times, level in _TIMES:
        if most > times * usual:
            yield Finding("fee-absurd" if level is Level.REFUSED else "costs-much", level, *_COST[level])
            return


def _operations(ending: Ending) -> int:
    reading = ending.reading
    return len(reading.bundle.operations) if isinstance(reading, Transaction) and reading.bundle else 1


def _steps(endings: Sequence[Ending], now: int, known: dict[int, Known]) -> Iterator[Finding]:
    steps = [step for ending in endings for step in steps_of(ending.reading)]
    ended = {step.entity_id for step in steps if isinstance(step, Uninstall)}
    changed = [s for s in steps if isinstance(s, Lower | Shorten) and s.entity_id not in ended]
    if any(_raises(step, known.get(step.entity_id)) for step in changed):
        yield Finding(
            "gives-more",
            Level.DANGER,
            tr("It would give a session more than it has now: a higher limit, or a later end."),
            tr("Say no, read the sessions again, and choose less."),
        )
    elif any(isinstance(step, Shorten) or step.amount for step in changed):
        yield Finding(
            "set-not-lowered",
            Level.NOTICE,
            tr("It sets a limit or an end. Whether that is less than now is not part of what is signed."),
            tr("Check the values: they are what the session has from then on."),
        )
    if any(isinstance(step, Shorten) and step.until - now > 30 * DAY for step in changed):
        yield Finding(
            "end-far",
            Level.WARNING,
            tr("The new end is more than 30 days away."),
            tr("Choose a nearer one, or revoke the session."),
        )


def _raises(step: Step, known: Known | None) -> bool:
    if known is None:
        return False
    if isinstance(step, Shorten):
        return 0 < known.until < step.until
    return isinstance(step, Lower) and any(limit.left < step.amount for limit in known.limits if _same(limit, step))


def _same(limit: Limit, step: Lower) -> bool:
    kind = LimitKind.ERC20 if step.token else LimitKind.GAS if step.is_gas else LimitKind.NATIVE
    return (limit.kind, limit.token) == (kind, step.token)
