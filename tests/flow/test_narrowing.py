"""Asked beside given: what is left out can be put back, going beyond starts a draft of one's own, and the reply says what was changed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from latchkey.accounts.modular_account.build import build
from latchkey.codec.hand_over import Envelope, Kind, encode
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.narrow import Asked, is_narrower
from latchkey.core.permissions import ContractAccess, FunctionsOnContract, GasLimit, NativeTokenTransfer, Permission
from latchkey.core.request import Claims, SessionRequest
from latchkey.core.types import Address, Selector
from latchkey.errors import Mismatch
from latchkey.flow import wizard
from latchkey.flow.accounts import from_owner
from latchkey.flow.explain import explain
from latchkey.flow.narrowing import changes, check_told, told
from latchkey.flow.wizard import Origin, Step, Until, World
from tests.core.test_words import canonical
from tests.counts import count
from tests.drafts import NOW, random_draft
from tests.flow.signer import OWNER

KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
CONTRACT, OTHER = Address.parse("0x" + "c0" * 20), Address.parse("0x" + "c1" * 20)
CLAIM, MOVE = Selector.parse("0x4e71d92d"), Selector.parse("0x6679bbf4")
ACCOUNT = from_owner(31337, OWNER)
WORLD = World((ACCOUNT,), expert=False, now=NOW)
SCOPE: tuple[Permission, ...] = (
    FunctionsOnContract(CONTRACT, (CLAIM, MOVE)),
    ContractAccess(OTHER),
    GasLimit(10**16),
    NativeTokenTransfer(0),
)


def request(*permissions: Permission, **fields: Any) -> SessionRequest:
    values = {"session_key": KEY, "expiry": NOW + 86_400, "claims": Claims("Rooms")} | fields
    return SessionRequest(permissions or SCOPE, "r-1", **values)


def drafted(state: wizard.WizardState) -> Draft:
    return wizard.draft_of(state, WORLD, entity_id=7, nonce_key=9)


def test_all_that_was_asked_is_no_narrowing() -> None:
    state = wizard.start_from(request(), WORLD)
    assert [(p.asked, p.given) for p in wizard.pairs(state)] == [(p, p) for p in SCOPE]
    assert told(state.request, drafted(state)) is None


def test_what_is_left_out_stays_in_sight_and_comes_back_to_its_place() -> None:
    start = state = wizard.start_from(request(), WORLD)
    for card in (state.cards[0], state.cards[1]):
        state = wizard.remove_card(state, card.id)
    assert wizard.left_out(state) == SCOPE[:2]
    assert [p.given for p in wizard.pairs(state)] == [None, None, *SCOPE[2:]]
    for permission in (SCOPE[1], SCOPE[0]):
        state = wizard.put_back(state, permission)
    assert [p.given for p in wizard.pairs(state)] == list(SCOPE)
    assert drafted(state) == drafted(start)
    assert wizard.put_back(state, SCOPE[0]) == state  # nothing is put back twice


def test_the_reply_says_what_was_asked_when_less_is_given() -> None:
    state = wizard.start_from(request(), WORLD)
    state = wizard.remove_card(state, state.cards[1].id)
    draft = drafted(state)
    assert told(state.request, draft) == Asked(SCOPE, NOW + 86_400)
    assert [p.plain for p in changes(Asked(SCOPE, None), draft)] == [f"less: no longer any function of {OTHER}"]
    sooner = drafted(replace(state, expiry=wizard.ExpiryInput(Until.HOUR)))
    assert [p.plain.split(":")[0] for p in changes(Asked(SCOPE, NOW + 86_400), sooner)] == ["less time", "less"]


def test_a_limit_that_latchkey_adds_is_told_too() -> None:
    state = wizard.start_from(request(*SCOPE[:3]), WORLD)
    assert [p.plain for p in changes(Asked(SCOPE[:3], None), drafted(state))] == [
        "less ETH with its calls: 0 ETH instead of no limit"
    ]


def test_a_whole_contract_is_narrowed_to_functions() -> None:
    state = wizard.start_from(request(), WORLD)
    card = state.cards[1]
    form = replace(card.form, kind="functions-on-contract", functions=(wizard.asked_form(Claims(), SCOPE[0]).functions[0],))
    state = wizard.edit_card(state, card.id, form)
    assert wizard.problems(state, Step.SCOPE, WORLD) == ()
    assert wizard.pairs(state)[1].asked == ContractAccess(OTHER)
    assert wizard.pairs(state)[1].given == FunctionsOnContract(OTHER, (CLAIM,))


def test_going_beyond_is_refused_and_starts_a_draft_of_ones_own() -> None:
    state = wizard.start_from(request(), WORLD)
    gas = next(c for c in state.cards if c.form.kind == "gas-limit")
    state = wizard.edit_card(state, gas.id, replace(gas.form, amount="0.02"))
    [problem] = wizard.problems(state, Step.SCOPE, WORLD)
    assert problem.wider
    assert problem.card == gas.id
    own = wizard.as_own(state)
    assert own.request is None
    assert own.own
    assert own.claims == Claims("Rooms")
    assert {c.origin for c in own.cards} == {Origin.CHOSEN}
    assert all(c.asked is None for c in own.cards)
    assert wizard.problems(own, Step.REVIEW, WORLD) == ()
    assert drafted(own).expiry == NOW + 86_400
    assert all(wizard.removable(c) for c in own.cards if c.form.kind == "gas-limit")
    assert told(own.request, drafted(own)) is None


def test_a_later_end_counts_as_going_beyond() -> None:
    state = replace(wizard.start_from(request(), WORLD), expiry=wizard.ExpiryInput(Until.DATE, NOW + 90_000))
    assert [p.wider for p in wizard.problems(state, Step.EXPIRY, WORLD)] == [True]


# --- what a reader checks


def envelope(draft: Draft, asked: Asked | None) -> bytes:
    grant = build(draft)
    account = Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)
    return encode(
        Envelope(
            Kind.UNSIGNED_GRANT,
            draft.permissions,
            account,
            draft.expiry,
            draft.session_key,
            entity_id=draft.entity_id,
            nonce=grant.nonce,
            unsigned=grant.unsigned,
            request_id="r-1",
            asked=asked,
        )
    )


def test_a_statement_that_does_not_fit_the_bytes_is_refused() -> None:
    draft = drafted(wizard.start_from(request(), WORLD))
    found = explain(envelope(draft, Asked((*SCOPE[:3], NativeTokenTransfer(5)), NOW + 86_400)), now=NOW)
    assert [p.plain for p in found.less] == ["less ETH with its calls: 0 ETH instead of 0.000000000000000005 ETH"]
    assert found.digest == build(draft).digest
    for lie in (Asked(SCOPE[1:], NOW + 86_400), Asked(SCOPE, NOW + 10), Asked(SCOPE, None), Asked(SCOPE, draft.expiry)):
        with pytest.raises(Mismatch) as caught:
            explain(envelope(draft, lie), now=NOW)
        assert caught.value.path == "asked"
    assert explain(envelope(draft, None), now=NOW).less == ()


def test_whatever_is_told_is_true() -> None:
    """Any part of a request given instead of it: the statement is there exactly when something is missing, and readers take it."""
    rng = random.Random(5)
    seen = 0
    for _ in range(count(150, 3_000)):
        draft = random_draft(rng)
        kept = tuple(p for p in draft.permissions if rng.random() < 0.8 or p.type in ("native-token-transfer", "gas-limit"))
        if not kept:
            continue
        given = replace(draft, permissions=kept)
        wanted = SessionRequest(draft.permissions, "r-1", expiry=draft.expiry)
        asked = told(wanted, given)
        if asked is not None and is_narrower(asked, given.permissions, given.expiry):
            seen += 1
            check_told(asked, given)
            assert not any(line.plain.startswith("more") for line in changes(asked, given))
        elif asked is None:
            assert canonical(draft) == canonical(given)
    assert seen > 20
