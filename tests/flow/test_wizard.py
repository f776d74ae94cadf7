"""The wizard's state machine: every step's rules, careful defaults, requests that can only shrink, and walks that lose nothing."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latchkey.accounts.review import review
from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.forms import Form, blank, form_of, is_scope, named, no_eth, read_form
from latchkey.core.functions import function_of, read_functions, selector_of
from latchkey.core.narrow import Asked, is_narrower
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Permission,
    Root,
    permissions_from_json,
)
from latchkey.core.presets import DAY, PRESETS
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Address
from latchkey.errors import BadInput, Refused
from latchkey.flow import wizard
from latchkey.flow.presets import take
from latchkey.flow.wizard import Card, ExpiryInput, KeyInput, KeySource, Origin, Step, Until, Wizard, WizardState, World
from latchkey.store.records import KeptContract

NOW = 1_795_000_000
OWNER = Address.parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
ACCOUNT = Account(31337, Address.parse("0x65b5DE0251f553B2208762a4724303E750294D96"), "modular_account", Mode.SMA, OWNER, 0)
OTHER = Account(8453, Address.parse("0x" + "77" * 20), "modular_account", Mode.ADDRESS)
CONTRACT, TOKEN = Address.parse("0x" + "c0" * 20), Address.parse("0x" + "d0" * 20)
MOVE, CLAIM = selector_of("move(uint8,uint8)"), selector_of("claim()")
WORLD = World((ACCOUNT, OTHER), expert=False, now=NOW)
EXPERT = replace(WORLD, expert=True)
SCOPE = FunctionsOnContract(CONTRACT, (MOVE, CLAIM))
GAS = GasLimit(10**16)


def request(*permissions: Permission, **fields: Any) -> SessionRequest:
    values: dict[str, Any] = {"account": ACCOUNT.address, "chain_id": 31337, "expiry": NOW + 3 * DAY, "session_key": KEY}
    return SessionRequest(permissions or (SCOPE, GAS), "request-1", **(values | fields))


def done(*permissions: Permission) -> WizardState:
    """An empty wizard in which everything is chosen."""
    state = replace(wizard.start(WORLD), account=ACCOUNT, key=KeyInput(address=str(KEY)))
    return wizard.add_cards(state, [form_of(p) for p in permissions or (SCOPE, GAS)])


def texts(state: WizardState, step: Step, world: World = WORLD) -> list[str]:
    return [p.text for p in wizard.problems(state, step, world)]


def permissions(state: WizardState) -> list[Permission]:
    return [read_form(c.form) for c in state.cards]


# --- account


def test_an_only_account_is_chosen_already() -> None:
    assert wizard.start(replace(WORLD, accounts=(OTHER,))).account == OTHER
    assert wizard.start(WORLD).account is None


def test_an_account_has_to_be_chosen() -> None:
    problem = wizard.problems(wizard.start(WORLD), Step.ACCOUNT, WORLD)[0]
    assert (problem.path, problem.blank) == ("account", True)


def test_the_requests_account_is_found_in_the_book() -> None:
    state = wizard.start_from(request(), WORLD)
    assert state.account == ACCOUNT
    assert texts(state, Step.ACCOUNT) == []


@pytest.mark.parametrize("fields", [{"account": TOKEN}, {"chain_id": 1}])
def test_an_unknown_account_is_said(fields: dict[str, Any]) -> None:
    state = wizard.start_from(request(**fields), WORLD)
    assert state.account is None
    assert texts(state, Step.ACCOUNT) == ["The request is for an account that is not in your book. Add it to go on."]


def test_a_request_that_leaves_the_account_open() -> None:
    open_request = request(account=None, chain_id=None)
    assert wizard.start_from(open_request, WORLD).account is None
    assert wizard.start_from(open_request, replace(WORLD, accounts=(OTHER,))).account == OTHER
    assert wizard.start_from(request(account=None, chain_id=8453), WORLD).account == OTHER


def test_another_account_than_the_requests_is_refused() -> None:
    state = replace(wizard.start_from(request(), WORLD), account=OTHER)
    assert texts(state, Step.ACCOUNT) == ["The request is for another account or network."]


def test_an_unserved_system_is_said() -> None:
    assert "ZeroDev" in texts(wizard.start_from(request(system="kernel"), WORLD), Step.ACCOUNT)[0]


def test_an_answered_request_stays_answered() -> None:
    world = replace(WORLD, answered="You have answered this request already.")
    assert texts(wizard.start_from(request(), world), Step.ACCOUNT, world) == ["You have answered this request already."]


def test_the_owner_may_be_named_where_the_account_does_not_say() -> None:
    state = replace(wizard.start(WORLD), account=OTHER, owner=str(OWNER).lower())
    assert wizard.account_of(state) == replace(OTHER, owner=OWNER)
    assert texts(replace(state, owner="0x12"), Step.ACCOUNT) == ["An address is 0x and 40 hexadecimal digits."]
    assert wizard.account_of(replace(state, account=ACCOUNT)) == ACCOUNT


def test_an_owner_in_a_module_cannot_sign_grants_yet() -> None:
    state = replace(done(), account=replace(ACCOUNT, mode=Mode.MA))
    assert "another form of signature" in texts(state, Step.ACCOUNT)[0]


def test_coins_have_the_networks_name() -> None:
    assert wizard.coin_of(replace(done(), account=replace(ACCOUNT, chain_id=137))) == "POL"
    assert wizard.coin_of(WizardState()) == "ETH"


# --- key


def test_the_dapps_own_key() -> None:
    state = wizard.start_from(request(), WORLD)
    assert state.key == KeyInput(KeySource.GIVEN, str(KEY))
    assert wizard.session_key_of(state) == KEY
    assert texts(state, Step.KEY) == []


def test_a_key_made_here_where_the_request_can_take_it_sealed() -> None:
    state = wizard.start_from(request(session_key=None, hand_over_key=bytes(32)), WORLD)
    assert state.key.source is KeySource.MADE
    assert wizard.needs_new_key(state)
    assert texts(state, Step.KEY) == []
    assert "not made yet" in texts(state, Step.REVIEW)[-1]
    made = replace(state, key=replace(state.key, made=KEY))
    assert not wizard.needs_new_key(made)
    assert wizard.session_key_of(made) == KEY


@pytest.mark.parametrize("typed", ["", "0x12", str(ACCOUNT.address), str(OWNER).lower(), "0x" + "00" * 20])
def test_bad_keys(typed: str) -> None:
    assert texts(replace(done(), key=KeyInput(address=typed)), Step.KEY)


def test_a_contract_key_needs_the_expert_switch() -> None:
    state = wizard.start_from(request(key_type="contract"), WORLD)
    assert "expert switch" in texts(state, Step.KEY)[0]
    assert texts(state, Step.KEY, EXPERT) == []


def test_a_label_is_checked() -> None:
    assert texts(replace(done(), label="x" * 65), Step.KEY)


# --- scope: careful by default


SCOPES = [SCOPE, ContractAccess(CONTRACT), FunctionsOnAllContracts((CLAIM,)), Erc20TokenTransfer(TOKEN, 5)]


@pytest.mark.parametrize("scope", SCOPES)
def test_every_scope_comes_with_no_eth(scope: Permission) -> None:
    for state in (done(scope), wizard.start_from(request(scope), WORLD)):
        assert permissions(state) == [scope, NativeTokenTransfer(0)]
        assert state.cards[-1].origin is Origin.CAREFUL
        assert not wizard.removable(state.cards[-1])


def test_a_request_with_its_own_eth_limit_keeps_it() -> None:
    state = wizard.start_from(request(SCOPE, NativeTokenTransfer(7)), WORLD)
    assert permissions(state) == [SCOPE, NativeTokenTransfer(7)]
    lowered = wizard.remove_card(state, 1)
    assert permissions(lowered) == [SCOPE, NativeTokenTransfer(0)]


def test_the_careful_limit_can_be_raised_and_comes_back() -> None:
    state = done(SCOPE)
    raised = wizard.edit_card(state, 1, replace(no_eth(), amount="0.5"))
    assert permissions(raised) == [SCOPE, NativeTokenTransfer(5 * 10**17)]
    assert raised.cards[1].origin is Origin.CHOSEN
    assert wizard.edit_card(raised, 1, no_eth()) == state
    assert permissions(wizard.remove_card(raised, 1)) == permissions(state)


def test_without_a_scope_there_is_nothing_to_be_careful_about() -> None:
    assert wizard.remove_card(done(SCOPE), 0).cards == ()
    assert permissions(done(GAS)) == [GAS]
    assert permissions(done(Root())) == [Root()]


def test_one_limit_of_a_kind() -> None:
    state = wizard.add_cards(done(), [form_of(GasLimit(5)), form_of(NativeTokenTransfer(9))])
    assert permissions(state) == [SCOPE, GAS, NativeTokenTransfer(9)]


def test_limits_of_the_request_cannot_be_removed() -> None:
    state = wizard.start_from(request(SCOPE, GAS, PaymasterGuard(TOKEN)), WORLD)
    assert [wizard.removable(c) for c in state.cards] == [True, False, False, False]
    assert any("limit on gas is missing" in text for text in texts(wizard.remove_card(state, 1), Step.SCOPE))


# --- scope: problems find their card


def test_nothing_to_do_is_said() -> None:
    assert texts(replace(done(), cards=()), Step.SCOPE) == ["Add at least one thing this key may do."]


def test_a_limit_alone_lets_the_key_do_nothing() -> None:
    problem = wizard.problems(done(GAS), Step.SCOPE, WORLD)[0]
    assert problem.card is None
    assert "which calls" in problem.text


def test_unread_cards_are_named() -> None:
    state = wizard.add_cards(done(), [Form("erc20-token-transfer", address="0x12", amount="5"), blank("contract-access")])
    found = wizard.problems(state, Step.SCOPE, WORLD)
    assert [(p.path, p.card, p.blank) for p in found] == [
        ("permissions[3].data.address", 3, False),
        ("permissions[4].data.address", 4, True),
    ]


def test_text_left_in_the_function_field_is_not_dropped() -> None:
    state = done()
    state = wizard.edit_card(state, 0, replace(state.cards[0].form, pasted="claim(uint256)"))
    assert texts(state, Step.SCOPE) == ["Add the functions you typed, or clear the field."]


def test_every_refused_card_gets_its_sentence() -> None:
    state = done(SCOPE, ContractAccess(ACCOUNT.address), Erc20TokenTransfer(CONTRACT, 5), GAS, AccountFunctions((MOVE,)))
    found = wizard.problems(state, Step.SCOPE, WORLD)
    ids = {type(read_form(c.form)): c.id for c in state.cards}
    assert {p.card for p in found} >= {ids[ContractAccess], ids[Erc20TokenTransfer]}
    assert all(p.text and not p.blank for p in found)


@pytest.mark.parametrize("permission", [Root(), AccountFunctions((MOVE,)), PaymasterGuard(TOKEN)], ids=lambda p: str(p.type))
def test_what_only_experts_may_grant(permission: Permission) -> None:
    state = done(permission) if isinstance(permission, Root) else done(SCOPE, permission)
    found = wizard.problems(state, Step.SCOPE, WORLD)
    assert [p.card for p in found] == [next(c.id for c in state.cards if c.form.kind == permission.type)]
    assert "expert switch" in found[0].text
    assert texts(state, Step.SCOPE, EXPERT) == []


def test_never_needs_the_switch_and_the_word() -> None:
    state = replace(done(), expiry=ExpiryInput(Until.NEVER, typed="never"))
    assert "expert switch" in texts(state, Step.EXPIRY)[0]
    assert texts(state, Step.EXPIRY, EXPERT) == []
    unsaid = replace(state, expiry=ExpiryInput(Until.NEVER, typed="nev"))
    assert wizard.problems(unsaid, Step.EXPIRY, EXPERT)[0].blank
    assert wizard.expiry_of(state, NOW) == 0
    assert wizard.is_long(state, NOW)


# --- a request can only be narrowed


def test_a_request_as_it_is_fits_itself() -> None:
    state = wizard.start_from(request(SCOPE, GAS, NativeTokenTransfer(5)), WORLD)
    assert texts(state, Step.REVIEW) == []
    assert wizard.expiry_of(state, NOW) == NOW + 3 * DAY


@pytest.mark.parametrize(
    ("kind", "amount", "fits"),
    [("gas-limit", "0.01", True), ("gas-limit", "0.009", True), ("gas-limit", "0.02", False), ("native-token-transfer", "1", True)],
)
def test_limits_of_a_request(kind: str, amount: str, fits: bool) -> None:
    state = wizard.start_from(request(), WORLD)
    card = next(c for c in state.cards if c.form.kind == kind)
    found = wizard.problems(wizard.edit_card(state, card.id, replace(card.form, amount=amount)), Step.SCOPE, WORLD)
    assert not found if fits else [p.card for p in found] == [card.id]


def test_functions_may_be_removed_and_not_added() -> None:
    state = wizard.start_from(request(), WORLD)
    form = state.cards[0].form
    fewer = wizard.edit_card(state, 0, replace(form, functions=form.functions[:1]))
    assert texts(fewer, Step.SCOPE) == []
    more = wizard.edit_card(state, 0, replace(form, functions=(*form.functions, function_of("attack()"))))
    assert [p.card for p in wizard.problems(more, Step.SCOPE, WORLD)] == [0]


def test_a_card_the_request_does_not_have_is_refused_and_limits_are_welcome() -> None:
    state = wizard.start_from(request(SCOPE), WORLD)
    assert texts(wizard.add_cards(state, [form_of(GAS)]), Step.SCOPE) == []
    wider = wizard.add_cards(state, [form_of(ContractAccess(TOKEN))])
    assert texts(wider, Step.SCOPE) == ["The request does not ask for every function of this contract."]


@pytest.mark.parametrize(
    ("asked", "chosen", "fits"),
    [
        (NOW + 3 * DAY, ExpiryInput(Until.DAY), True),
        (NOW + 3 * DAY, ExpiryInput(Until.WEEK), False),
        (NOW + 3 * DAY, ExpiryInput(Until.DATE, at=NOW + 3 * DAY), True),
        (NOW + 3 * DAY, ExpiryInput(Until.DATE, at=NOW + 3 * DAY + 1), False),
        (NOW - 1, ExpiryInput(Until.ASKED), False),
        (None, ExpiryInput(Until.WEEK), True),
        (0, ExpiryInput(Until.WEEK), True),
        (0, ExpiryInput(Until.ASKED), False),
        (NOW + DAY, ExpiryInput(Until.DATE), False),
        (NOW + DAY, ExpiryInput(Until.DATE, at=2**48), False),
    ],
)
def test_expiry_of_a_request(asked: int | None, chosen: ExpiryInput, fits: bool) -> None:
    state = replace(wizard.start_from(request(expiry=asked), WORLD), expiry=chosen)
    assert (texts(state, Step.EXPIRY) == []) is fits


def test_choices_never_go_beyond_the_request() -> None:
    short = wizard.start_from(request(expiry=NOW + 2 * DAY), WORLD)
    assert Until.WEEK not in wizard.until_choices(short, EXPERT)
    assert Until.NEVER not in wizard.until_choices(short, EXPERT)
    assert Until.ASKED in wizard.until_choices(short, WORLD)
    assert wizard.until_choices(done(), WORLD) == (Until.HOUR, Until.TODAY, Until.DAY, Until.WEEK, Until.MONTH, Until.DATE)
    assert wizard.until_choices(done(), EXPERT)[-1] is Until.NEVER


def test_more_than_thirty_days_is_long() -> None:
    for at, long in ((NOW + 30 * DAY, False), (NOW + 30 * DAY + 1, True)):
        assert wizard.is_long(replace(done(), expiry=ExpiryInput(Until.DATE, at=at)), NOW) is long


def test_today_is_a_choice() -> None:
    state = replace(done(), expiry=ExpiryInput(Until.TODAY))
    assert wizard.expiry_of(state, NOW) == wizard.end_of_day(NOW)
    assert texts(state, Step.EXPIRY) == []
    assert not wizard.is_long(replace(done(), expiry=ExpiryInput(Until.DATE)), NOW)


def test_today_ends_with_the_day() -> None:
    end = wizard.end_of_day(NOW)
    assert 0 < end - NOW <= 90_000
    assert wizard.end_of_day(end) == end
    assert wizard.end_of_day(end + 1) > end + 1


# --- what it would grant


def test_the_draft_says_what_the_steps_say() -> None:
    draft = wizard.draft_of(done(), WORLD, entity_id=2**20, nonce_key=5)
    assert draft == Draft(
        "modular_account", 31337, ACCOUNT.address, 2**20, 5, 0, NOW + DAY, KEY, (SCOPE, GAS, NativeTokenTransfer(0))
    )


def test_an_unfinished_wizard_makes_no_draft() -> None:
    with pytest.raises(Refused) as caught:
        wizard.draft_of(replace(done(), key=KeyInput()), WORLD, entity_id=2**20, nonce_key=5)
    assert caught.value.path == "sessionKey"


def test_words_so_far_are_the_words_of_the_review() -> None:
    state = done()
    face = system("modular_account")
    grant = face.build(wizard.draft_of(state, WORLD, entity_id=9, nonce_key=1))
    final = review(grant.unsigned, ACCOUNT, now=NOW, policy=Policy.STRICT)
    so_far = wizard.words_so_far(state, WORLD)
    assert so_far is not None
    assert (so_far.can, so_far.cannot, so_far.most_you_can_lose) == (
        final.words.can,
        final.words.cannot,
        final.words.most_you_can_lose,
    )


def test_words_so_far_wait_for_something_to_say() -> None:
    assert wizard.words_so_far(replace(done(), cards=()), WORLD) is None
    assert wizard.words_so_far(done(GAS), WORLD) is None
    half = wizard.add_cards(done(), [blank("erc20-token-transfer")])
    assert wizard.words_so_far(half, WORLD) == wizard.words_so_far(done(), WORLD)
    assert wizard.words_so_far(replace(done(), account=None), WORLD) is not None


def test_words_so_far_need_neither_key_nor_expiry() -> None:
    state = replace(done(), key=KeyInput(KeySource.MADE), expiry=ExpiryInput(Until.DATE))
    so_far = wizard.words_so_far(state, WORLD)
    assert so_far is not None
    with pytest.raises(BadInput):
        wizard.session_key_of(state)


def test_what_a_sender_claims_is_no_unit() -> None:
    claims = Claims(names=((TOKEN, "Gold", "GLD", 6),))
    state = wizard.start_from(request(Erc20TokenTransfer(TOKEN, 2_500_000), claims=claims), WORLD)
    assert (state.cards[0].form.amount, state.cards[0].form.decimals) == ("2500000", 0)
    assert permissions(state)[0] == Erc20TokenTransfer(TOKEN, 2_500_000)
    assert [unit.name for unit in wizard.token_units(8453, TOKEN)] == ["base units"]


USDC, DAI = (Address.parse(a) for a in ("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", "0x50c5725949A6F0c72E6C4a641F24049A917DB0Cb"))
ON_BASE = replace(OTHER, chain_id=8453)


def test_known_tokens_are_counted_in_their_unit() -> None:
    state = wizard.start_from(
        request(Erc20TokenTransfer(USDC, 2_500_000), account=None, chain_id=8453), replace(WORLD, accounts=(ON_BASE,))
    )
    assert (state.cards[0].form.amount, state.cards[0].form.decimals) == ("2.5", 6)
    assert [(u.name, u.decimals) for u in wizard.token_units(8453, USDC)] == [("USDC", 6), ("base units", 0)]
    assert [u.name for u in wizard.token_units(1, USDC)] == ["base units"]


def naming(state: WizardState, address: str, **fields: Any) -> WizardState:
    card = next(c for c in state.cards if c.form.kind == "erc20-token-transfer")
    return wizard.edit_card(state, card.id, replace(card.form, address=address, **fields))


def token_form(state: WizardState) -> tuple[str, int]:
    form = next(c.form for c in state.cards if c.form.kind == "erc20-token-transfer")
    return form.amount, form.decimals


def test_naming_a_known_token_chooses_its_unit_and_naming_another_drops_it() -> None:
    blank_state = wizard.add_cards(WizardState(account=ON_BASE), [blank("erc20-token-transfer")])
    state = naming(blank_state, str(USDC))
    assert token_form(state) == ("", 6)
    state = naming(state, str(USDC), amount="5")
    assert token_form(naming(state, str(USDC)[:-1])) == ("5", 6)  # while it is being typed
    assert token_form(naming(naming(state, str(USDC)[:-1]), str(DAI))) == ("5", 18)
    assert token_form(naming(state, str(TOKEN))) == ("5", 0)
    in_base_units = naming(state, str(USDC), decimals=0, amount="5000000")
    assert token_form(naming(in_base_units, str(DAI))) == ("5000000", 0)


def test_a_unit_does_not_follow_to_another_network() -> None:
    state = wizard.add_cards(WizardState(account=ON_BASE), [form_of(Erc20TokenTransfer(USDC, 2_500_000), decimals=6)])
    assert wizard.settled(state) == state
    moved = wizard.settled(replace(state, account=replace(ON_BASE, chain_id=1)))
    assert token_form(moved) == ("2500000", 0)
    assert permissions(moved) == permissions(state)
    unread = naming(state, str(USDC), amount="2.5 dollars")
    assert token_form(wizard.settled(replace(unread, account=ACCOUNT))) == ("2.5 dollars", 0)


CASTLE = KeptContract(ACCOUNT.chain_id, CONTRACT, "Castle", read_functions("wiggle(uint8,uint8)"), NOW)


def test_the_persons_own_names_stand_in_the_words_as_theirs() -> None:
    world = replace(WORLD, kept=(CASTLE, replace(CASTLE, chain_id=10, label="Elsewhere")))
    wiggle = FunctionsOnContract(CONTRACT, (CASTLE.functions[0].selector,))
    words = wizard.words_so_far(done(wiggle, GAS), world)
    assert words is not None
    selector = CASTLE.functions[0].selector
    assert words.can[0].plain == f"call wiggle(uint8,uint8) [{selector}] (named by you) on {CONTRACT} (you call it “Castle”)"
    typed = wizard.add_cards(WizardState(account=ACCOUNT), [replace(form_of(wiggle), functions=CASTLE.functions), form_of(GAS)])
    assert f"[{selector}] (named by you)" in wizard.words_so_far(typed, WORLD).can[0].plain  # type: ignore[union-attr]


def test_names_that_the_request_brought_stay_the_senders() -> None:
    wiggle = FunctionsOnContract(CONTRACT, (CASTLE.functions[0].selector,))
    state = wizard.start_from(request(wiggle, GAS, claims=Claims(functions=("wiggle(uint8,uint8)",))), WORLD)
    assert state.cards[0].form.functions[0].signature == "wiggle(uint8,uint8)"
    assert wizard.notes_for(state, WORLD).functions == ()
    assert "(named by the sender)" in wizard.words_so_far(state, WORLD).can[0].plain  # type: ignore[union-attr]


def test_the_published_permissions_survive_the_forms(ma_vectors: dict[str, Any]) -> None:
    for vector in ma_vectors["grants"]:
        for permission in permissions_from_json(vector["input"]["permissions"]):
            assert read_form(form_of(permission)) == permission


# --- walking


def test_the_steps_come_one_after_the_other() -> None:
    walk = Wizard(done(), lambda: WORLD)
    seen = [walk.step]
    while walk.step is not Step.REVIEW:
        assert walk.next() == ()
        seen.append(walk.step)
    assert seen == [Step.ACCOUNT, Step.KEY, Step.SCOPE, Step.EXPIRY, Step.REVIEW]
    assert walk.next() == ()
    assert walk.step is Step.REVIEW  # only a signature ends it
    walk.finish()
    walk.back()
    assert walk.step is Step.SIGNED
    assert not walk.would_lose


def test_next_stays_and_says_why() -> None:
    walk = Wizard(wizard.start(WORLD), lambda: WORLD)
    assert [p.path for p in walk.next()] == ["account"]
    assert walk.step is Step.ACCOUNT


def test_jumping() -> None:
    walk = Wizard(done(), lambda: WORLD)
    walk.go(Step.REVIEW)
    assert walk.step is Step.REVIEW
    walk.go(Step.SIGNED)
    assert walk.step is Step.REVIEW
    walk.state = replace(walk.state, cards=())
    walk.go(Step.KEY)
    walk.go(Step.EXPIRY)
    assert walk.step is Step.KEY


def test_leaving_loses_only_what_was_entered() -> None:
    walk = Wizard(wizard.start_from(request(), WORLD), lambda: WORLD)
    walk.next()
    assert not walk.would_lose
    walk.state = replace(walk.state, label="Chess")
    assert walk.would_lose


EDITS: dict[Step, list[Any]] = {
    Step.ACCOUNT: [
        lambda s: replace(s, account=OTHER),
        lambda s: replace(s, account=ACCOUNT),
        lambda s: replace(s, owner=str(OWNER)),
    ],
    Step.KEY: [
        lambda s: replace(s, key=KeyInput(address=str(KEY))),
        lambda s: replace(s, key=replace(s.key, source=KeySource.MADE, made=KEY)),
        lambda s: replace(s, label="Chess"),
    ],
    Step.SCOPE: [
        lambda s: take(s, PRESETS[0]),
        lambda s: wizard.add_cards(s, [form_of(SCOPE), form_of(GAS)]),
        lambda s: wizard.add_cards(s, [form_of(Erc20TokenTransfer(TOKEN, 7))]),
        lambda s: wizard.remove_card(s, 0),
        lambda s: wizard.edit_card(s, 1, replace(no_eth(), amount="0.5")),
        lambda s: wizard.edit_card(s, 1, no_eth()) if s.cards[1:2] and s.cards[1].form.kind == no_eth().kind else s,
    ],
    Step.EXPIRY: [
        lambda s: replace(s, expiry=ExpiryInput(Until.WEEK)),
        lambda s: replace(s, expiry=ExpiryInput(Until.DATE, at=NOW + 90)),
        lambda s: replace(s, expiry=replace(s.expiry, typed="never")),
    ],
    Step.REVIEW: [],
}
MOVES = st.lists(st.one_of(st.sampled_from(["back", "next", *Step]), st.integers(0, 5)), max_size=60)


@settings(max_examples=300)
@given(MOVES, st.booleans())
def test_any_walk_ends_where_the_direct_path_ends(moves: list[Any], from_request: bool) -> None:
    begin = wizard.start_from(request(), WORLD) if from_request else done()
    walk, direct = Wizard(begin, lambda: WORLD), begin
    for move in moves:
        before = walk.state
        if isinstance(move, int):
            choices = EDITS[walk.step]
            if choices:
                edit = choices[move % len(choices)]
                walk.state, direct = edit(walk.state), edit(direct)
                continue
        elif move == "back":
            walk.back()
        elif move == "next":
            walk.next()
        else:
            walk.go(move)
        assert walk.state == before  # walking changes nothing
    assert walk.state == direct
    assert wizard.problems(walk.state, Step.REVIEW, WORLD) == wizard.problems(direct, Step.REVIEW, WORLD)


@settings(max_examples=300)
@given(MOVES)
def test_cards_keep_their_promises(moves: list[Any]) -> None:
    """Whatever is done on the scope page: "no ETH" stands beside every scope, ids are unique, one limit of a kind."""
    state = done()
    for move in moves:
        if isinstance(move, int):
            state = EDITS[Step.SCOPE][move](state)
        kinds = [c.form.kind for c in state.cards]
        assert len({c.id for c in state.cards}) == len(state.cards)
        assert kinds.count("gas-limit") <= 2
        if any(map(is_scope, kinds)):
            assert "native-token-transfer" in kinds
        assert all(c.form == no_eth() for c in state.cards if c.origin is Origin.CAREFUL)


ASKED_LISTS = st.lists(
    st.sampled_from(
        [
            SCOPE,
            ContractAccess(TOKEN),
            Erc20TokenTransfer(TOKEN, 9),
            FunctionsOnAllContracts((CLAIM, MOVE)),
            GAS,
            NativeTokenTransfer(4),
        ]
    ),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(ASKED_LISTS, MOVES)
def test_what_passes_the_scope_page_is_never_wider_than_asked(asked: list[Permission], moves: list[Any]) -> None:
    state = wizard.start_from(request(*asked), WORLD)
    for move in moves:
        if isinstance(move, int):
            state = EDITS[Step.SCOPE][move](state)
        if not wizard.problems(state, Step.SCOPE, WORLD):
            chosen = permissions(state)
            assert is_narrower(Asked(tuple(asked)), chosen, 1)


def test_expiry_without_a_choice_is_a_blank() -> None:
    with pytest.raises(BadInput) as caught:
        wizard.expiry_of(replace(done(), expiry=ExpiryInput(Until.DATE)), NOW)
    assert caught.value.code == "Blank"


def test_functions_are_named_where_they_are_known() -> None:
    assert named((CLAIM,))[0].signature == "claim()"


def test_cards_are_values() -> None:
    assert Card(0, no_eth()) == Card(0, no_eth(), Origin.CHOSEN, None)
