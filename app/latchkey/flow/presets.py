"""Beginning a session from a preset, and keeping the scope that stands as one of one's own.

state = take(state, preset)                   a common job: cards with blanks, gas for the network, a fitting end
own = own_preset(state, world, "Castle")      what stands on the scope page, under a name
state = take_own(state, own, world)           its cards, filled in
found = open_file(data, world)                a file: what it holds, what it would let a key do, what speaks against it
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from latchkey.core.account import Account, Mode
from latchkey.core.forms import form_of
from latchkey.core.networks import network
from latchkey.core.own_presets import OwnPreset, has_odd_name, preset_name, read_preset
from latchkey.core.permissions import Erc20TokenTransfer
from latchkey.core.phrases import Finding, Words
from latchkey.core.presets import DAY, Preset
from latchkey.core.request import Claims
from latchkey.core.risk import findings
from latchkey.core.types import Address
from latchkey.core.words import describe
from latchkey.errors import BadInput
from latchkey.flow.accounts import DEFAULT_SYSTEM
from latchkey.flow.wizard import (
    SPANS,
    ExpiryInput,
    Job,
    Step,
    Until,
    WizardState,
    World,
    add_cards,
    chain_of,
    expiry_of,
    problems,
    read_cards,
    reading_so_far,
    token_units,
)
from latchkey.language import tr

_SOMEBODY = Address.parse("0x" + "ac" * 20)  # stands in for an account, where a file is only looked at


def take(state: WizardState, preset: Preset) -> WizardState:
    """Its cards beside those that stand, and its end unless another was chosen."""
    where = network(chain_of(state) or 1)
    job = Job(preset.title, tuple(text.format(coin=where.coin) for text in preset.not_enforced))
    return _begun(add_cards(state, preset.forms(where)), job, preset.expiry)


def take_own(state: WizardState, preset: OwnPreset, now: int) -> WizardState:
    """The same with an own preset, whose blanks are filled."""
    chain_id = chain_of(state)
    forms = []
    for permission in preset.permissions:
        token = permission.address if isinstance(permission, Erc20TokenTransfer) else None
        forms.append(form_of(permission, decimals=token_units(chain_id, token)[0].decimals, offered=preset.functions))
    return _begun(add_cards(state, forms), Job(preset.name, chain_id=preset.chain_id), preset.seconds, now)


def _begun(state: WizardState, job: Job, seconds: int, now: int = 0) -> WizardState:
    """`now`: 0 where the length is one of those on the expiry page."""
    until = next((until for until, span in SPANS.items() if span == seconds), Until.DATE)
    at = now + seconds if until is Until.DATE else 0
    expiry = ExpiryInput(until, at) if state.expiry == ExpiryInput() and state.request is None else state.expiry
    return replace(state, job=job, expiry=expiry)


def is_elsewhere(state: WizardState) -> bool:
    """Whether the preset it began with names addresses of another network than the chosen one."""
    return state.job is not None and state.job.chain_id not in (None, chain_of(state))


def own_preset(state: WizardState, world: World, name: str) -> OwnPreset:
    """What stands on the scope page, under a name. Raises BadInput while a blank is not filled in."""
    permissions, faults = read_cards(state.cards)
    chain_id = chain_of(state)
    if faults or not permissions or chain_id is None:
        raise BadInput(tr("Fill in every card first: a preset is kept whole."), code="Blank", path="permissions")
    try:
        seconds = expiry_of(state, world.now) - world.now
    except BadInput:
        seconds = DAY
    signatures = (f.signature for card in state.cards for f in card.form.functions)
    functions = tuple(dict.fromkeys(signature for signature in signatures if signature))
    return OwnPreset(preset_name(name), chain_id, max(seconds, 0) or DAY, tuple(permissions.values()), functions)


@dataclass(frozen=True, slots=True)
class Found:
    """What a file holds. `words`: what a key would be let do, None when nothing. `against`: why it cannot be granted as it stands."""

    preset: OwnPreset
    words: Words | None
    findings: tuple[Finding, ...]
    against: tuple[str, ...]


def open_file(data: bytes, world: World) -> Found:
    """Read a preset from a file and look at it as at a request: nothing is kept yet. Raises BadInput.

    The names in it are the file's word: they are marked as the sender's.
    """
    preset = read_preset(data)
    account = Account(preset.chain_id, _SOMEBODY, DEFAULT_SYSTEM, Mode.ADDRESS)
    state = take_own(WizardState(account=account), preset, world.now)
    reading = reading_so_far(state, world)
    claims = Claims(functions=preset.functions, altered=has_odd_name(data))
    return Found(
        preset,
        describe(reading, account=account, now=world.now, claims=claims) if reading else None,
        findings(reading, account=account, now=world.now, claims=claims) if reading else (),
        tuple(problem.text for problem in problems(state, Step.SCOPE, world)),
    )
