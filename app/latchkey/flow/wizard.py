"""The wizard without a toolkit: what was entered, what is wrong with it, what it would grant, and which step comes next.

All input of all steps lies in one immutable `WizardState`, replaced on each change: going back loses nothing, and any walk of back and
next ends where the direct path ends. Pages draw the state and hand changes in; they decide nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from latchkey.accounts.system import Policy, system
from latchkey.core import tokens
from latchkey.core.account import Account, Mode
from latchkey.core.amounts import BASE_UNITS, Unit, format_amount, parse_amount
from latchkey.core.draft import Draft
from latchkey.core.forms import EXPERT_KINDS, Form, form_of, is_scope, no_eth, read_form
from latchkey.core.functions import offered_signature
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.narrow import Asked, widenings
from latchkey.core.networks import network
from latchkey.core.permissions import Erc20TokenTransfer, NativeTokenTransfer, Permission
from latchkey.core.phrases import Words
from latchkey.core.presets import DAY
from latchkey.core.reading import Deferred
from latchkey.core.request import NO_CLAIMS, Claims, SessionRequest
from latchkey.core.types import MAX_UINT48, ZERO_ADDRESS, Address
from latchkey.core.words import describe
from latchkey.errors import BadInput, LatchkeyError, NotServed, Refused
from latchkey.flow.accounts import find, parse_address, parse_label
from latchkey.flow.naming import notes_of
from latchkey.language import tr
from latchkey.store.records import KeptContract

HOUR, LONG = 3600, 30 * DAY
_PLACEHOLDER_KEY = Address.parse("0x" + "5e" * 20)  # stands in for a key that is not named yet, in judging and in words
_PERMISSION_AT = re.compile(r"permissions\[(\d+)\]")


class Step(StrEnum):
    ACCOUNT = "account"
    KEY = "key"
    SCOPE = "scope"
    EXPIRY = "expiry"
    REVIEW = "review"
    SIGNED = "signed"


NEXT: dict[Step, Step] = {
    Step.ACCOUNT: Step.KEY,
    Step.KEY: Step.SCOPE,
    Step.SCOPE: Step.EXPIRY,
    Step.EXPIRY: Step.REVIEW,
    Step.REVIEW: Step.SIGNED,
}
BEFORE: dict[Step, Step] = {after: step for step, after in NEXT.items() if after is not Step.SIGNED}


class Origin(StrEnum):
    ASKED = "asked"  # stands in the request
    CHOSEN = "chosen"  # the person added it
    CAREFUL = "careful"  # Latchkey added it: no ETH


class KeySource(StrEnum):
    GIVEN = "given"  # somebody brought a public key; nothing secret leaves
    MADE = "made"  # Latchkey makes one; its secret is handed over sealed


class Until(StrEnum):
    HOUR = "hour"
    TODAY = "today"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    DATE = "date"
    ASKED = "asked"
    NEVER = "never"


SPANS = {Until.HOUR: HOUR, Until.DAY: DAY, Until.WEEK: 7 * DAY, Until.MONTH: 30 * DAY}


@dataclass(frozen=True, slots=True)
class Card:
    """One permission on the scope page. `id` stays while the card lives. `asked`: what the request has in its place."""

    id: int
    form: Form
    origin: Origin = Origin.CHOSEN
    asked: Permission | None = None


@dataclass(frozen=True, slots=True)
class KeyInput:
    """`address`: the public key as typed. `made`: the key Latchkey made for this session, kept when the person looks back."""

    source: KeySource = KeySource.GIVEN
    address: str = ""
    made: Address | None = None


@dataclass(frozen=True, slots=True)
class ExpiryInput:
    """`at`: seconds, for a date the person picked (0: none yet). `typed`: the word that confirms "never"."""

    until: Until = Until.DAY
    at: int = 0
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What a session is for, as a preset says. `not_enforced`: what its account does not check. `chain_id`: the network whose addresses
    an own preset names, None where it names none."""

    title: str
    not_enforced: tuple[str, ...] = ()
    chain_id: int | None = None


@dataclass(frozen=True, slots=True)
class WizardState:
    """Everything entered. `owner`: who signs, typed, where the account does not say. `label`: the person's name for the session.

    `own`: a draft of one's own that began with a request, see `as_own`; `borrowed`: that request's claims. `replaces`: entity ids of
    what the grant replaces (flow.similar), empty to keep all, None until it is decided. `job`: the preset it began with.
    """

    request: SessionRequest | None = None
    account: Account | None = None
    owner: str = ""
    key: KeyInput = KeyInput()
    label: str = ""
    cards: tuple[Card, ...] = ()
    expiry: ExpiryInput = ExpiryInput()
    own: bool = False
    borrowed: Claims = NO_CLAIMS
    replaces: tuple[int, ...] | None = None
    job: Job | None = None

    @property
    def claims(self) -> Claims:
        return self.request.claims if self.request else self.borrowed

    @property
    def asked(self) -> Asked | None:
        return Asked(self.request.permissions, self.request.expiry) if self.request else None


@dataclass(frozen=True, slots=True)
class World:
    """What the wizard looks at but does not own. `expert`: the vault's switch. `now`: seconds. `answered`: a sentence when the request
    was answered before, else empty. `kept`: contracts whose functions the person keeps by name."""

    accounts: tuple[Account, ...]
    expert: bool
    now: int
    answered: str = ""
    kept: tuple[KeptContract, ...] = ()

    @property
    def policy(self) -> Policy:
        return Policy.EXPERT if self.expert else Policy.STRICT


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a step is not done. `path`: the field in the draft's terms. `card`: the id of the card it belongs to, if any. `blank`: something
    is merely not filled in yet, which is no mistake. `wider`: it goes beyond the request, which only a draft of one's own may."""

    path: str
    text: str
    card: int | None = None
    blank: bool = False
    wider: bool = False


# --- starting


def start(world: World) -> WizardState:
    """An empty wizard; an only account is chosen already."""
    return WizardState(account=world.accounts[0] if len(world.accounts) == 1 else None)


def start_from(request: SessionRequest, world: World) -> WizardState:
    """A wizard filled in from a request, with the careful limits it left out."""
    account = _account_for(request, world.accounts)
    chain_id = account.chain_id if account else request.chain_id
    forms = (asked_form(request.claims, p, chain_id) for p in request.permissions)
    cards = tuple(Card(index, form, Origin.ASKED, request.permissions[index]) for index, form in enumerate(forms))
    source = KeySource.GIVEN if request.session_key or not request.hand_over_key else KeySource.MADE
    return WizardState(
        request=request,
        account=account,
        key=KeyInput(source, str(request.session_key or "")),
        cards=careful(cards),
        expiry=ExpiryInput(Until.ASKED if request.expiry else Until.DAY),
    )


def asked_form(claims: Claims, permission: Permission, chain_id: int | None = None) -> Form:
    """What the request asks, in units where our own list knows the token, in base units else, and with the names the sender offers."""
    token = permission.address if isinstance(permission, Erc20TokenTransfer) else None
    return form_of(permission, decimals=token_units(chain_id, token)[0].decimals, offered=claims.functions)


def token_units(chain_id: int | None, token: Address | None) -> tuple[Unit, ...]:
    """The units to count a token in: its own, if our list has it, and base units. What a sender claims is no unit."""
    known = tokens.token(chain_id, token) if chain_id is not None and token is not None else None
    return (known.unit, BASE_UNITS) if known else (BASE_UNITS,)


def _account_for(request: SessionRequest, accounts: Sequence[Account]) -> Account | None:
    if request.account is not None:
        return find(accounts, request.chain_id, request.account)
    fitting = [a for a in accounts if request.chain_id in (None, a.chain_id) and a.system == request.system]
    return fitting[0] if len(fitting) == 1 else None


# --- cards


def add_cards(state: WizardState, forms: Iterable[Form]) -> WizardState:
    """Add cards. A limit on ETH or gas that stands already is not added twice; the careful one gives way to a real one."""
    cards = list(state.cards)
    for form in forms:
        if form.kind == NativeTokenTransfer.type and form.amount == "0":
            continue  # stands beside every scope anyway
        same = [c for c in cards if c.form.kind == form.kind and form.kind in _ONE_OF_A_KIND]
        if same and same[0].origin is not Origin.CAREFUL:
            continue
        card = Card(same[0].id if same else _next_id(cards), form)
        cards = [card if c in same else c for c in cards] if same else [*cards, card]
    return replace(state, cards=careful(tuple(cards)))


def edit_card(state: WizardState, card_id: int, form: Form) -> WizardState:
    """Replace what one card says; a careful limit that is raised becomes the person's own. A token's amount is counted in its unit as
    soon as its address says which it is."""
    cards = tuple(_edited(c, _counted(c.form, form, chain_of(state))) if c.id == card_id else c for c in state.cards)
    return replace(state, cards=careful(cards))


def _counted(before: Form, form: Form, chain_id: int | None) -> Form:
    """The same amount of digits in the unit of the token that was just named."""
    address = _address_in(form)
    if form.kind != Erc20TokenTransfer.type or form.address == before.address or address is None:
        return form
    unit = token_units(chain_id, address)[0]
    in_units = form.decimals or not form.amount.strip()
    return replace(form, decimals=unit.decimals if in_units else 0)


def settled(state: WizardState) -> WizardState:
    """With amounts of tokens that are not known on the chosen network written in base units: a unit of another network's token is none."""
    return replace(state, cards=tuple(replace(c, form=_in_base_units(c.form, chain_of(state))) for c in state.cards))


def _in_base_units(form: Form, chain_id: int | None) -> Form:
    address = _address_in(form)
    fits = form.decimals in [unit.decimals for unit in token_units(chain_id, address)]
    if form.kind != Erc20TokenTransfer.type or address is None or fits:
        return form
    try:
        amount = format_amount(parse_amount(form.amount, Unit("", form.decimals)), BASE_UNITS)
    except BadInput:
        amount = form.amount
    return replace(form, amount=amount, decimals=0)


def _address_in(form: Form) -> Address | None:
    try:
        return Address.parse(form.address.strip())
    except BadInput:
        return None


def remove_card(state: WizardState, card_id: int) -> WizardState:
    """Take a card away. A limit on ETH goes back to the careful one while there is anything to limit."""
    cards = careful(tuple(c for c in state.cards if c.id != card_id))
    return replace(state, cards=cards, job=state.job if cards else None)


def left_out(state: WizardState) -> tuple[Permission, ...]:
    """What the request asks and no card stands for any more, in the request's order."""
    kept = [c.asked for c in state.cards if c.asked is not None]
    missing = []
    for permission in state.request.permissions if state.request else ():
        if permission in kept:
            kept.remove(permission)
        else:
            missing.append(permission)
    return tuple(missing)


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of asked beside given. `asked` None: the person or Latchkey added it. `given` None: left out, or (with a card) not read."""

    asked: Permission | None
    given: Permission | None
    card: Card | None = None


def pairs(state: WizardState) -> tuple[Pair, ...]:
    """Everything the request asks with what is given in its place, in the request's order, then what was added."""
    given, _ = read_cards(state.cards)
    cards, missing = list(state.cards), list(left_out(state))
    rows = []
    for permission in state.request.permissions if state.request else ():
        card = next((c for c in cards if c.asked == permission), None)
        if card is not None:
            cards.remove(card)
            rows.append(Pair(permission, given.get(card.id), card))
        elif permission in missing:
            missing.remove(permission)
            rows.append(Pair(permission, None))
    return (*rows, *(Pair(None, given.get(card.id), card) for card in cards))


def is_narrowed(state: WizardState, world: World) -> bool:
    """Whether less is given than was asked, as far as what stands here can be read."""
    if state.request is None:
        return False
    pairs_differ = any(pair.asked != pair.given for pair in pairs(state))
    try:
        return pairs_differ or state.request.expiry not in (None, expiry_of(state, world.now))
    except BadInput:
        return pairs_differ


def put_back(state: WizardState, permission: Permission) -> WizardState:
    """A permission that was left out is asked for again, as the request has it, in its old place."""
    if state.request is None or permission not in left_out(state):
        return state
    order = list(state.request.permissions)
    card = Card(_next_id(state.cards), asked_form(state.claims, permission, chain_of(state)), Origin.ASKED, permission)
    later = (i for i, c in enumerate(state.cards) if c.asked not in order or order.index(c.asked) > order.index(permission))
    at = next(later, len(state.cards))
    kept = tuple(c for c in state.cards if c.origin is not Origin.CAREFUL or c.form.kind != permission.type)
    at = min(at, len(kept))
    return replace(state, cards=careful((*kept[:at], card, *kept[at:])))


def as_own(state: WizardState) -> WizardState:
    """A draft of one's own that begins with what stands here: it may go beyond the request, and no longer answers it.

    The sender's names stay, as claims; its key too. What it asked is not held against the draft any more.
    """
    request = state.request
    if request is None:
        return state
    cards = tuple(replace(c, origin=Origin.CHOSEN if c.origin is Origin.ASKED else c.origin, asked=None) for c in state.cards)
    expiry = replace(state.expiry, until=Until.DATE, at=request.expiry or 0) if state.expiry.until is Until.ASKED else state.expiry
    return replace(state, request=None, own=True, borrowed=request.claims, cards=cards, expiry=expiry)


def careful(cards: tuple[Card, ...]) -> tuple[Card, ...]:
    """Cards with "no ETH" beside every scope that brings no limit of its own, and without it where there is no scope."""
    scoped = any(is_scope(c.form.kind) for c in cards)
    if not scoped:
        return tuple(c for c in cards if c.origin is not Origin.CAREFUL)
    if any(c.form.kind == NativeTokenTransfer.type for c in cards):
        return cards
    return (*cards, Card(_next_id(cards), no_eth(), Origin.CAREFUL))


def removable(card: Card) -> bool:
    """Limits that hold a key back stay: the careful one can be raised, the request's own can be lowered."""
    return card.origin is not Origin.CAREFUL and not (card.origin is Origin.ASKED and card.form.kind in _RESTRICTIONS)


_RESTRICTIONS = {"gas-limit", "paymaster-guard"}
#: What people ask for and Modular Account V2 has no module for; a promise nobody keeps is not offered.
NOT_ENFORCED = (tr("An amount per day or per call"), tr("A number of calls"), tr("Certain recipients or arguments only"))

_ONE_OF_A_KIND = {"native-token-transfer", "gas-limit", "paymaster-guard", "root"}


def _edited(card: Card, form: Form) -> Card:
    origin = card.origin
    if origin is not Origin.ASKED and form.kind == NativeTokenTransfer.type:
        origin = Origin.CAREFUL if form == no_eth() else Origin.CHOSEN
    return replace(card, form=form, origin=origin)


def _next_id(cards: Sequence[Card]) -> int:
    return max((c.id for c in cards), default=-1) + 1


# --- expiry


def expiry_of(state: WizardState, now: int) -> int:
    """Chain seconds the session ends at, 0 for never. Raises BadInput while it is not chosen or lies in the past."""
    chosen = state.expiry
    match chosen.until:
        case Until.NEVER:
            if chosen.typed.strip().lower() != "never":
                raise BadInput(tr('Type "never" to confirm that this key should not end by itself.'), code="Blank", path="expiry")
            return 0
        case Until.DATE:
            seconds = chosen.at
        case Until.ASKED:
            seconds = (state.request.expiry if state.request else None) or 0
        case Until.TODAY:
            seconds = end_of_day(now)
        case _:
            seconds = now + SPANS[chosen.until]
    if not seconds:
        raise BadInput(tr("Choose when this key ends."), code="Blank", path="expiry")
    if seconds <= now:
        raise BadInput(tr("This moment has passed."), path="expiry")
    if seconds > MAX_UINT48:
        raise BadInput(tr("This is too far away."), path="expiry")
    return seconds


def end_of_day(now: int) -> int:
    """The last second of the day that `now` falls into, in this computer's time zone."""
    return int(datetime.fromtimestamp(now).astimezone().replace(hour=23, minute=59, second=59).timestamp())


def until_choices(state: WizardState, world: World) -> tuple[Until, ...]:
    """The choices that make sense: none later than the request's own end, "never" for experts only."""
    limit = (state.request.expiry if state.request else None) or 0
    spans = [(u, world.now + s) for u, s in SPANS.items()]
    spans.insert(1, (Until.TODAY, end_of_day(world.now)))
    choices = [u for u, seconds in spans if not limit or seconds <= limit]
    if limit:
        choices.append(Until.ASKED)
    choices.append(Until.DATE)
    if world.expert and not limit:
        choices.append(Until.NEVER)
    return tuple(choices)


def is_long(state: WizardState, now: int) -> bool:
    """Whether the session would last more than 30 days, which deserves a second thought."""
    try:
        expiry = expiry_of(state, now)
    except BadInput:
        return False
    return expiry == 0 or expiry - now > LONG


# --- what is wrong


def problems(state: WizardState, step: Step, world: World) -> tuple[Problem, ...]:
    """Everything that keeps `step` from being done, first things first; empty when it is done."""
    return tuple(_CHECKS[step](state, world)) if step in _CHECKS else ()


def _account_problems(state: WizardState, world: World) -> Iterable[Problem]:
    if world.answered:
        yield Problem("requestId", world.answered)
    request = state.request
    if request is not None:
        try:
            system(request.system)
        except NotServed as error:
            yield Problem("system", error.text)
            return
    if state.account is None:
        yield Problem("account", _no_account(request), blank=True)
        return
    if request is not None and not fits_request(request, state.account):
        yield Problem("account", tr("The request is for another account or network."))
    if state.account.mode is Mode.MA:
        yield Problem("account", _OWNER_IN_MODULE)
    if state.account.owner is None and state.owner.strip():
        yield from _as_problem(lambda: parse_address(state.owner, "owner"))


_OWNER_IN_MODULE = tr(
    "This account keeps its owner in a module. Its grants need another form of signature, which Latchkey cannot make yet."
)


def fits_request(request: SessionRequest, account: Account) -> bool:
    """Whether the request leaves `account` open or names it."""
    right_place = request.account in (None, account.address) and request.chain_id in (None, account.chain_id)
    return right_place and request.system == account.system


def _no_account(request: SessionRequest | None) -> str:
    if request is not None and request.account is not None:
        return tr("The request is for an account that is not in your book. Add it to go on.")
    return tr("Choose the account this key will act for.")


def _key_problems(state: WizardState, world: World) -> Iterable[Problem]:
    key, request = state.key, state.request
    if request is not None and request.key_type == "contract" and not world.expert:
        yield Problem(
            "key",
            tr(
                "The request's key is a contract. Common dApp software cannot sign with one, and whoever controls the contract controls "
                "the key. This needs the expert switch."
            ),
        )
    if key.source is KeySource.GIVEN:
        yield from _as_problem(lambda: parse_address(key.address, "sessionKey"))
        if state.account is not None and key.address.strip().lower() in _own_addresses(state):
            yield Problem("sessionKey", tr("This is your account or its owner, not a session key. Ask the dApp for its own key."))
    yield from _as_problem(lambda: parse_label(state.label))


def _own_addresses(state: WizardState) -> set[str]:
    account = state.account
    named = (account.address, account.owner, state.owner.strip()) if account else ()
    return {str(address).lower() for address in named if address}


def needs_new_key(state: WizardState) -> bool:
    """Whether Latchkey still has to make the session key before the grant can be written."""
    return state.key.source is KeySource.MADE and state.key.made is None


def _scope_problems(state: WizardState, world: World) -> Iterable[Problem]:
    if not state.cards:
        yield Problem("permissions", tr("Add at least one thing this key may do."), blank=True)
        return
    permissions, faults = read_cards(state.cards)
    yield from faults
    if not faults:
        yield from _judged(state, permissions, world)
    yield from _widened(state, permissions)


def read_cards(cards: Sequence[Card]) -> tuple[dict[int, Permission], list[Problem]]:
    """Card id -> permission for every card that can be read, and what is wrong with the others."""
    permissions: dict[int, Permission] = {}
    faults: list[Problem] = []
    for index, card in enumerate(cards):
        try:
            permissions[card.id] = read_form(card.form, f"permissions[{index}]")
        except BadInput as error:
            faults.append(Problem(error.path, error.text, card.id, blank=error.code == "Blank"))
    return permissions, faults


def _judged(state: WizardState, permissions: dict[int, Permission], world: World) -> Iterable[Problem]:
    """What the account system refuses: one card after the other is set aside, so that every one of them gets its sentence."""
    left, found = dict(permissions), False
    while left:
        try:
            _judge(state, tuple(left.values()), world)
        except Refused as error:
            index = _card_index(error.path)
            card_id = list(left)[index] if index is not None and index < len(left) else None
            if card_id is None and found:
                return  # only follows from what was set aside
            yield Problem(error.path, error.text, card_id)
            if card_id is None:
                return
            found = True
            del left[card_id]
        else:
            return


def _judge(state: WizardState, permissions: tuple[Permission, ...], world: World) -> None:
    account = state.account
    if account is not None:
        draft = _draft(account, permissions, expiry=world.now + DAY)
        system(account.system).judge(draft, now=world.now, policy=world.policy)


def _widened(state: WizardState, permissions: dict[int, Permission]) -> Iterable[Problem]:
    if state.asked is not None:
        ids = list(permissions)
        for widening in widenings(replace(state.asked, expiry=None), tuple(permissions.values()), 1):
            index = _card_index(widening.path)
            yield Problem(widening.path, widening.sentence, None if index is None else ids[index], wider=True)


def _card_index(path: str) -> int | None:
    match = _PERMISSION_AT.match(path)
    return int(match[1]) if match else None


def _expiry_problems(state: WizardState, world: World) -> Iterable[Problem]:
    if state.expiry.until is Until.NEVER and not world.expert:
        yield Problem("expiry", tr("A key that never expires stays dangerous for ever. This needs the expert switch."))
        return
    try:
        expiry = expiry_of(state, world.now)
    except BadInput as error:
        gone = state.expiry.until is Until.ASKED and error.code != "Blank"
        text = tr("The request's own end has passed. Ask the dApp for a new request.") if gone else error.text
        yield Problem("expiry", text, blank=error.code == "Blank")
        return
    asked = state.request.expiry if state.request else None
    if asked and (not expiry or expiry > asked):
        yield Problem("expiry", tr("The key would live longer than the request asked for."), wider=True)


def _review_problems(state: WizardState, world: World) -> Iterable[Problem]:
    for step in (Step.ACCOUNT, Step.KEY, Step.SCOPE, Step.EXPIRY):
        yield from problems(state, step, world)
    if needs_new_key(state):
        yield Problem("sessionKey", tr("The session key is not made yet."), blank=True)


_CHECKS: dict[Step, Callable[[WizardState, World], Iterable[Problem]]] = {
    Step.ACCOUNT: _account_problems,
    Step.KEY: _key_problems,
    Step.SCOPE: _scope_problems,
    Step.EXPIRY: _expiry_problems,
    Step.REVIEW: _review_problems,
}


def _as_problem(parse: Callable[[], object]) -> Iterable[Problem]:
    try:
        parse()
    except BadInput as error:
        yield Problem(error.path, error.text, blank=error.code == "Blank")


# --- what it would grant


def account_of(state: WizardState) -> Account:
    """The chosen account, with the owner the person named where the account does not say. Raises BadInput."""
    if state.account is None:
        raise BadInput(tr("Choose the account this key will act for."), code="Blank", path="account")
    if state.account.owner is None and state.owner.strip():
        return replace(state.account, owner=parse_address(state.owner, "owner"))
    return state.account


def session_key_of(state: WizardState) -> Address:
    """The public key the grant is for. Raises BadInput while there is none."""
    if state.key.source is KeySource.GIVEN:
        return parse_address(state.key.address, "sessionKey")
    if state.key.made is None:
        raise BadInput(tr("The session key is not made yet."), code="Blank", path="sessionKey")
    return state.key.made


def draft_of(state: WizardState, world: World, *, entity_id: int, nonce_key: int) -> Draft:
    """The draft all steps together make. Raises BadInput or Refused for the first thing that is not done."""
    for problem in problems(state, Step.REVIEW, world):
        raise Refused(problem.text, code="NotDone", path=problem.path)
    account = account_of(state)
    permissions, _ = read_cards(state.cards)
    draft = _draft(account, tuple(permissions.values()), expiry=expiry_of(state, world.now))
    return replace(draft, session_key=session_key_of(state), entity_id=entity_id, nonce_key=nonce_key)


def words_so_far(state: WizardState, world: World) -> Words | None:
    """What the cards that are filled in would let the key do, read back from the bytes they make; None when that is nothing."""
    reading = reading_so_far(state, world)
    if reading is None:
        return None
    return describe(reading, account=state.account, now=world.now, claims=state.claims, notes=notes_for(state, world))


def reading_so_far(state: WizardState, world: World) -> Deferred | None:
    """What the bytes say that the cards make which are filled in; None when they let the key do nothing."""
    permissions, _ = read_cards(state.cards)
    account = state.account or Account(1, ZERO_ADDRESS, "modular_account", Mode.ADDRESS)
    if not any(is_scope(p.type) or p.type in EXPERT_KINDS for p in permissions.values()):
        return None
    try:
        expiry = expiry_of(state, world.now)
    except BadInput:
        expiry = world.now + DAY
    face = system(account.system)
    try:
        return face.decode_unsigned(face.build(_draft(account, tuple(permissions.values()), expiry=expiry)).unsigned)
    except LatchkeyError:
        return None


def notes_for(state: WizardState, world: World) -> Notes:
    """The person's own names, with what they typed here; signatures that the request brought stay the sender's."""
    functions = [f for c in state.cards for f in c.form.functions if f.signature]
    own = [f for f in functions if offered_signature(f.selector, state.claims.functions) != f.signature]
    here = {_address_in(c.form) for c in state.cards}
    chain_id = chain_of(state)
    named = (replace(one, functions=one.functions if one.address in here else ()) for one in world.kept)
    return notes_of(chain_id, world.accounts, named, own) if chain_id is not None else NO_NOTES


def chain_of(state: WizardState) -> int | None:
    """The network it is for, as far as that is known."""
    if state.account is not None:
        return state.account.chain_id
    return state.request.chain_id if state.request else None


def _draft(account: Account, permissions: tuple[Permission, ...], *, expiry: int) -> Draft:
    """A draft with stand-ins for what is chosen last: entity id, nonce key, session key."""
    return Draft(
        system=account.system,
        chain_id=account.chain_id,
        account=account.address,
        entity_id=1,
        nonce_key=0,
        sequence=0,
        expiry=expiry,
        session_key=_PLACEHOLDER_KEY,
        permissions=permissions,
    )


def coin_of(state: WizardState) -> str:
    """Symbol of the chosen network's own coin."""
    return network(state.account.chain_id).coin if state.account else "ETH"


# --- walking


class Wizard:
    """Where the person is, and all they entered. `world` is asked anew each time: the clock moves, accounts are added."""

    def __init__(self, state: WizardState, world: Callable[[], World]) -> None:
        self._world = world
        self._untouched = state
        self.state = state
        self.step = Step.ACCOUNT

    @property
    def world(self) -> World:
        return self._world()

    def problems(self, step: Step | None = None) -> tuple[Problem, ...]:
        """What is wrong with a step, this one unless named."""
        return problems(self.state, step or self.step, self.world)

    def next(self) -> tuple[Problem, ...]:
        """Go on when this step is done; otherwise stay and say why."""
        found = self.problems()
        if not found and NEXT.get(self.step, Step.SIGNED) is not Step.SIGNED:
            self.step = NEXT[self.step]
        return found

    def back(self) -> None:
        self.step = BEFORE.get(self.step, self.step)

    def reachable(self, step: Step) -> bool:
        """Whether one may jump to `step`: it lies behind, or everything before it is done. Never to or from the end."""
        if Step.SIGNED in (step, self.step):
            return False
        ahead = list(Step)[: list(Step).index(step)]
        return step == self.step or all(not self.problems(s) for s in ahead)

    def go(self, step: Step) -> None:
        """Jump to a reachable step; others are ignored."""
        if self.reachable(step):
            self.step = step

    def finish(self) -> None:
        """The grant is signed and kept: nothing can be changed any more."""
        self.step = Step.SIGNED

    @property
    def would_lose(self) -> bool:
        """Whether leaving now loses anything the person entered."""
        return self.step is not Step.SIGNED and self.state != self._untouched
