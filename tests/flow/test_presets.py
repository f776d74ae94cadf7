"""Presets: careful once their blanks are filled, on every network; own ones survive book and file; a file is looked at like a request."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.account import Account, Mode
from latchkey.core.forms import Form, blank, form_of, no_eth
from latchkey.core.functions import function_of, selector_of
from latchkey.core.networks import NETWORKS, network
from latchkey.core.own_presets import MAX_SECONDS, OwnPreset, preset_json, preset_name, read_preset
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
    Root,
)
from latchkey.core.presets import DAY, PRESETS, Preset
from latchkey.core.risk import findings
from latchkey.core.types import Address, Selector
from latchkey.errors import BadInput, LatchkeyError
from latchkey.flow import wizard
from latchkey.flow.presets import is_elsewhere, open_file, own_preset, take, take_own
from latchkey.flow.wizard import ExpiryInput, Step, Until, WizardState, World
from tests.flow.test_wizard import ACCOUNT, CONTRACT, GAS, NOW, SCOPE, TOKEN, WORLD, done, permissions, request, texts

SEVEN = {"game", "payment", "claim", "approvals", "watcher", "trading", "mint"}


def fill(form: Form, index: int) -> Form:
    """As a careful person would: an address of its own on each card, half a coin, seven base units, one function."""
    return replace(
        form,
        address=form.address or "0x" + f"{index + 1:02x}" * 20,
        amount=form.amount or "0.5" if form.decimals else form.amount or "7",
        functions=form.functions or (function_of("wiggle(uint8,uint8)"),),
    )


def filled(preset: Preset, chain_id: int) -> WizardState:
    state = take(WizardState(account=Account(chain_id, ACCOUNT.address, "modular_account", Mode.ADDRESS)), preset)
    for index, card in enumerate(state.cards):
        state = wizard.edit_card(state, card.id, fill(card.form, index))
    return state


def test_the_seven_jobs_are_there() -> None:
    assert {preset.id for preset in PRESETS} >= SEVEN
    assert len({preset.id for preset in PRESETS}) == len({preset.title for preset in PRESETS}) == len(PRESETS)
    assert all(preset.not_enforced for preset in PRESETS)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.id)
def test_a_preset_asks_only_for_what_it_needs(preset: Preset) -> None:
    state = take(WizardState(account=ACCOUNT), preset)
    found = wizard.problems(state, Step.SCOPE, WORLD)
    assert found
    assert all(p.blank for p in found)
    assert {c.form.kind for c in state.cards} >= {"gas-limit", "native-token-transfer"}
    gas = next(c.form for c in state.cards if c.form.kind == "gas-limit")
    assert gas.amount  # nobody has to know what installing costs


@pytest.mark.parametrize("chain_id", NETWORKS)
@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.id)
def test_a_careful_fill_in_raises_no_finding_on_any_network(preset: Preset, chain_id: int) -> None:
    state = filled(preset, chain_id)
    assert texts(state, Step.SCOPE) == []
    assert wizard.problems(state, Step.EXPIRY, WORLD) == ()
    reading = wizard.reading_so_far(state, WORLD)
    assert reading is not None
    assert findings(reading, account=state.account, now=NOW) == ()


def test_gas_pays_for_the_install_with_room_and_not_for_the_whole_account() -> None:
    for preset in PRESETS:
        for chain_id in NETWORKS:
            gas = next(p.limit for p in permissions(filled(preset, chain_id)) if isinstance(p, GasLimit))
            lowest = network(chain_id).fee_floor
            assert 10 * 700_000 * lowest <= gas <= 100 * 1_000_000 * lowest
            assert len(str(gas).rstrip("0")) == 1


def test_the_end_fits_the_job_unless_another_was_chosen() -> None:
    assert take(WizardState(account=ACCOUNT), by_id("payment")).expiry == ExpiryInput(Until.MONTH)
    assert take(WizardState(account=ACCOUNT), by_id("trading")).expiry == ExpiryInput(Until.WEEK)
    chosen = WizardState(account=ACCOUNT, expiry=ExpiryInput(Until.HOUR))
    assert take(chosen, by_id("payment")).expiry == ExpiryInput(Until.HOUR)
    assert take(wizard.start_from(request(), WORLD), by_id("payment")).expiry == ExpiryInput(Until.ASKED)


def by_id(name: str) -> Preset:
    return next(preset for preset in PRESETS if preset.id == name)


def test_what_is_not_enforced_is_said_while_cards_of_the_job_stand() -> None:
    state = take(WizardState(account=replace(ACCOUNT, chain_id=137)), by_id("watcher"))
    assert state.job is not None
    assert any("liquidation" in text for text in state.job.not_enforced)
    for card in state.cards:
        state = wizard.remove_card(state, card.id)
    assert state.job is None


def test_a_payment_names_its_address_and_no_function() -> None:
    state = filled(by_id("pay-address"), 8453)
    pay = permissions(state)[0]
    assert isinstance(pay, FunctionsOnContract)
    assert pay.functions == (Selector.parse("0x00000000"),)
    words = wizard.words_so_far(state, WORLD)
    assert words is not None
    assert words.can[0].plain.startswith("send plain payments (calls of 0x00000000) to 0x0101")


# --- one's own


def own(*permissions: Permission) -> OwnPreset:
    return own_preset(done(*permissions), WORLD, "Castle")


def test_what_stands_is_kept_whole_and_comes_back() -> None:
    kept = own()
    assert kept == OwnPreset("Castle", 31337, DAY, (SCOPE, GAS, NativeTokenTransfer(0)), ("move(uint8,uint8)", "claim()"))
    again = take_own(WizardState(account=ACCOUNT), kept, NOW)
    assert permissions(again) == permissions(done())
    assert again.expiry == ExpiryInput(Until.DAY)
    assert again.job is not None
    assert again.job.title == "Castle"
    assert not is_elsewhere(again)
    assert is_elsewhere(take_own(WizardState(account=replace(ACCOUNT, chain_id=1)), kept, NOW))


def test_an_unusual_length_comes_back_as_a_date() -> None:
    state = replace(done(), expiry=ExpiryInput(Until.DATE, at=NOW + 5000))
    kept = own_preset(state, WORLD, "Castle")
    assert kept.seconds == 5000
    assert take_own(WizardState(account=ACCOUNT), kept, NOW + 60).expiry == ExpiryInput(Until.DATE, at=NOW + 5060)


@pytest.mark.parametrize(
    "state",
    [
        WizardState(account=ACCOUNT),
        replace(done(), account=None),
        wizard.add_cards(done(), [blank("contract-access")]),
    ],
)
def test_half_a_scope_is_not_kept(state: WizardState) -> None:
    with pytest.raises(BadInput):
        own_preset(state, WORLD, "Castle")


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "two\nlines", "“quoted”", "turned\u202eround", "hid\u200bden"])
def test_names_are_plain(name: str) -> None:
    with pytest.raises(BadInput):
        preset_name(name)


def test_tokens_come_back_in_the_unit_of_the_chosen_network() -> None:
    usdc = Address.parse("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")
    kept = own(Erc20TokenTransfer(usdc, 2_500_000), GAS)
    on_base = take_own(WizardState(account=replace(ACCOUNT, chain_id=8453)), kept, NOW)
    assert (on_base.cards[0].form.amount, on_base.cards[0].form.decimals) == ("2.5", 6)
    assert take_own(WizardState(account=ACCOUNT), kept, NOW).cards[0].form.decimals == 0


# --- files

WIGGLE = FunctionsOnContract(CONTRACT, (selector_of("wiggle(uint8,uint8)"), selector_of("claim()")))
FILE: dict[str, Any] = json.loads(
    preset_json(OwnPreset("Castle", 8453, DAY, (WIGGLE, NativeTokenTransfer(0), GAS), ("wiggle(uint8,uint8)", "claim()")))
)
LOOK = World((), expert=True, now=NOW)


def file(**changes: Any) -> bytes:
    return json.dumps(FILE | changes).encode()


def test_a_file_holds_what_was_kept() -> None:
    kept = own()
    assert read_preset(preset_json(kept)) == kept


def test_a_file_is_worded_judged_and_marked_as_somebody_elses() -> None:
    found = open_file(file(), LOOK)
    assert found.against == ()
    assert found.findings == ()
    assert found.words is not None
    assert (
        found.words.can[0].plain
        == f"call wiggle(uint8,uint8) [{WIGGLE.functions[0]}] (named by the sender) and claim() on {CONTRACT}"
    )


def test_what_a_file_asks_too_much_is_said() -> None:
    root = open_file(file(permissions=[{"type": "root"}], functions=[]), LOOK)
    assert root.findings[0].id == "root"
    module = {"type": "contract-access", "data": {"address": "0x00000000003e826473a313e600b5b9b791f5a59a"}}
    assert "lift its own limits" in open_file(file(permissions=[module]), LOOK).against[0]
    assert any("Nothing says which calls" in t for t in open_file(file(permissions=FILE["permissions"][1:]), LOOK).against)


def test_a_name_with_hidden_characters_is_cleaned_and_flagged() -> None:
    found = open_file(file(name="Cas\u202etle\u200b"), LOOK)
    assert found.preset.name == "Castle"
    assert [f.id for f in found.findings] == ["name-odd"]
    assert open_file(file(name="<b>Castle</b>"), LOOK).preset.name == "<b>Castle</b>"
    assert open_file(file(name="C" * 100_000), LOOK).preset.name == "C" * 63 + "…"


def test_only_names_that_fit_are_taken() -> None:
    found = open_file(file(functions=["lying()", "claim()", "f(" * 40, "x" * 5000]), LOOK)
    assert found.preset.functions == ("claim()",)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "NotJson"),
        (b"[]", "NotPreset"),
        (b'{"latchkey": 1}', "NotPreset"),
        (b"{" * 100_000, "TooDeep"),
        (b" " * 300_000, "TooLarge"),
        (b'{"latchkey": "preset", "latchkey": "preset"}', "DuplicateField"),
        (file(version=2), "Newer"),
    ],
)
def test_other_files_are_refused_by_name(data: bytes, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        open_file(data, LOOK)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"permissions": []},
        {"permissions": "root"},
        {"permissions": [{"type": "root"}] * 129},
        {"permissions": [{"type": "transfer-everything"}]},
        {"chainId": "0x1"},
        {"chainId": 0},
        {"chainId": 2**63},
        {"expiresAfterSec": 0},
        {"expiresAfterSec": MAX_SECONDS + 1},
        {"expiresAfterSec": 1.5},
        {"functions": ["claim()"] * 257},
        {"functions": [7]},
        {"name": None},
        {"name": "\u202e"},
        {"key": "0x01"},
        {"version": True},
    ],
)
def test_a_file_is_read_whole_or_not_at_all(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        open_file(file(**changes), LOOK)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(FILE)), _JSON)
def test_one_field_replaced_by_anything(name: str, value: Any) -> None:
    try:
        found = open_file(json.dumps({**FILE, name: value}).encode(), LOOK)
    except LatchkeyError:
        return
    assert read_preset(preset_json(found.preset)) == found.preset


@given(st.binary(max_size=200))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        open_file(data, LOOK)


def test_every_kind_of_permission_survives_a_file() -> None:
    state = replace(done(), cards=())
    for permission in (ContractAccess(CONTRACT), Erc20TokenTransfer(TOKEN, 2**256 - 1), GasLimit(0), NativeTokenTransfer(10**18)):
        state = wizard.add_cards(state, [form_of(permission)])
    kept = own_preset(state, WORLD, "Everything")
    assert read_preset(preset_json(kept)) == kept
    root = own_preset(wizard.add_cards(replace(done(), cards=()), [form_of(Root())]), WORLD, "Root")
    assert read_preset(preset_json(root)) == root
    assert no_eth() in [card.form for card in done().cards]
