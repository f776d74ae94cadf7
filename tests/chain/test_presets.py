"""Every preset as a careful person fills it in: no finding, granted as a deferred action, used to its end, and held to its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from latchkey.accounts.system import Policy
from latchkey.core.account import Account
from latchkey.core.functions import Function, selector_of
from latchkey.core.permissions import GasLimit, Permission
from latchkey.core.presets import PRESETS, Preset
from latchkey.core.types import Address
from latchkey.flow import wizard
from latchkey.flow.presets import own_preset, take, take_own
from latchkey.flow.wizard import KeyInput, Step, WizardState, World
from tests.chain import abi
from tests.chain.cases import (
    CLAIM,
    MOVE,
    NO_FUNCTION,
    NOT_ALLOWED,
    NOT_THIS_FUNCTION,
    TOO_MANY_TOKENS,
    TOO_MUCH_ETH,
    TOO_MUCH_GAS,
    dollars,
)
from tests.chain.stage import COUNT, ETHER, GWEI, RECEIVER, SESSION, STRANGER, Gas, Session, Stage
from tests.chain.test_permissions import by_operation
from tests.devnet.places import COIN, COUNTER, DOLLAR, EXCHANGE, GAME, NFT

PERSON = Address.parse("0x" + "00" * 18 + "beef")  # holds no code
DOLLARS = 10**6
FIRST = Gas(call=300_000, verification=1_200_000)  # installs the key
LATER = Gas(call=300_000, verification=150_000)
SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
TILL = 2**47


def pay(to: Address, value: int, data: bytes = bytes(4)) -> bytes:
    return abi.execute(to, value, data)


def swap(amount: int, to: Address) -> bytes:
    return abi.execute(EXCHANGE, 0, abi.call(SWAP, amount, 0, [DOLLAR, COIN], to, TILL))


@dataclass(frozen=True, slots=True)
class Job:
    """`blanks`: what goes into each card, in the cards' order, as typed. `used`: calls that succeed one after the other. `refused`:
    calls and how each is refused, tried after those. `before`: calls of the owner that make the stage."""

    blanks: Sequence[dict[str, object]]
    used: Sequence[bytes]
    refused: Sequence[tuple[bytes, str]]
    before: Sequence[bytes] = ()


def functions(*signatures: str) -> tuple[Function, ...]:
    return tuple(Function(selector_of(s), s) for s in signatures)


MINT = abi.execute(NFT, ETHER // 50, abi.call("mint(uint256)", 2))
CLOSE = abi.execute(EXCHANGE, 0, abi.call("closePosition()"))
OPEN = abi.execute(EXCHANGE, 0, abi.call("openPosition(uint256)", 7))
APPROVE_30 = abi.execute(DOLLAR, 0, abi.approve(EXCHANGE, 30 * DOLLARS))
FOREIGN = (COUNT, NOT_ALLOWED)
SPEND_ETH = (abi.execute(GAME, 1, MOVE), TOO_MUCH_ETH)
VOTE = "castVote(uint256,uint8)"

JOBS: dict[str, Job] = {
    "game": Job(
        [{"address": GAME, "functions": functions("move(uint8,uint8)", "claim()")}],
        [abi.execute(GAME, 0, MOVE), abi.execute_batch((GAME, 0, MOVE), (GAME, 0, CLAIM)), abi.execute(GAME, 0, CLAIM)],
        [(abi.execute(GAME, 0, abi.call("buy()")), NOT_THIS_FUNCTION), FOREIGN, SPEND_ETH],
    ),
    "payment": Job(
        [{"address": DOLLAR, "amount": "50"}],
        [dollars(20 * DOLLARS), dollars(20 * DOLLARS)],
        [(dollars(11 * DOLLARS), TOO_MANY_TOKENS), FOREIGN, (abi.execute(RECEIVER, 1), NOT_ALLOWED)],
    ),
    "pay-address": Job(
        [{"address": PERSON}, {"amount": "0.5"}],
        [pay(PERSON, ETHER // 5), pay(PERSON, ETHER // 5)],
        [
            (pay(PERSON, ETHER // 5), TOO_MUCH_ETH),
            (pay(PERSON, 1, b""), NO_FUNCTION),
            (pay(PERSON, 1, abi.transfer(STRANGER.address, 1)), NOT_THIS_FUNCTION),
            (pay(STRANGER.address, 1), NOT_ALLOWED),
            FOREIGN,
        ],
    ),
    "claim": Job(
        [{"address": GAME}],
        [abi.execute(GAME, 0, CLAIM), abi.execute(GAME, 0, CLAIM)],
        [(abi.execute(GAME, 0, MOVE), NOT_THIS_FUNCTION), FOREIGN, (abi.execute(GAME, 1, CLAIM), TOO_MUCH_ETH)],
    ),
    "approvals": Job(
        [{"address": DOLLAR, "amount": "50"}],
        [APPROVE_30, abi.execute(DOLLAR, 0, abi.approve(EXCHANGE, 0)), abi.execute(DOLLAR, 0, abi.approve(EXCHANGE, 20 * DOLLARS))],
        [
            (abi.execute(DOLLAR, 0, abi.approve(EXCHANGE, 1)), TOO_MANY_TOKENS),
            (abi.execute(DOLLAR, 0, abi.call("increaseAllowance(address,uint256)", EXCHANGE, 1)), NOT_THIS_FUNCTION),
            FOREIGN,
        ],
    ),
    "watcher": Job(
        [{"address": EXCHANGE, "functions": functions("closePosition()")}],
        [CLOSE],
        [(OPEN, NOT_THIS_FUNCTION), FOREIGN],
        before=[OPEN],
    ),
    "trading": Job(
        [{"address": EXCHANGE}, {"address": DOLLAR, "amount": "50"}],
        [APPROVE_30, swap(20 * DOLLARS, RECEIVER), swap(10 * DOLLARS, RECEIVER)],
        [
            (abi.execute(DOLLAR, 0, abi.approve(EXCHANGE, 21 * DOLLARS)), TOO_MANY_TOKENS),
            (abi.execute(EXCHANGE, 0, abi.call("closePosition()")), NOT_THIS_FUNCTION),
            (abi.execute(COIN, 0, abi.transfer(RECEIVER, 1)), NOT_ALLOWED),
        ],
    ),
    "mint": Job(
        [{"address": NFT}, {"amount": "0.03"}],
        [MINT, abi.execute(NFT, ETHER // 100, abi.call("mint(uint256)", 1))],
        [
            (abi.execute(NFT, ETHER // 100, abi.call("mint(uint256)", 1)), TOO_MUCH_ETH),
            (abi.execute(NFT, 0, abi.call("setApprovalForAll(address,bool)", STRANGER.address, True)), NOT_THIS_FUNCTION),
            FOREIGN,
        ],
    ),
    "voting": Job(
        [{"address": GAME}],
        [],  # nothing on the practice chain is governed: that the call is let through is seen by the contract itself refusing it
        [(abi.execute(GAME, 0, abi.call(VOTE, 1, 1)), "call: no reason"), (abi.execute(GAME, 0, MOVE), NOT_THIS_FUNCTION), FOREIGN],
    ),
}


def filled(preset: Preset, account: Account, job: Job) -> WizardState:
    """The blanks filled in as on the scope page; what the job brings is left alone."""
    state = take(WizardState(account=account, key=KeyInput(address=str(SESSION.address))), preset)
    for card, blank in zip(state.cards, job.blanks, strict=False):
        form = replace(card.form, address=str(blank["address"])) if "address" in blank else card.form
        state = wizard.edit_card(state, card.id, form)
        rest = {name: value for name, value in blank.items() if name != "address"}
        now = next(c.form for c in state.cards if c.id == card.id)
        state = wizard.edit_card(state, card.id, replace(now, **rest))  # type: ignore[arg-type]
    return state


def granted(stage: Stage, preset: Preset, account: Account, job: Job) -> tuple[Session, WizardState]:
    world = World((account,), expert=False, now=stage.now())
    state = filled(preset, account, job)
    assert wizard.problems(state, Step.REVIEW, world) == ()
    draft = wizard.draft_of(state, world, entity_id=1, nonce_key=7)
    review = stage.review(draft, account, policy=Policy.STRICT)
    assert review.findings == ()
    return stage.session(stage.grant(draft, account), account), state


def gas(session: Session, gas: Gas) -> Session:
    session.gas = gas
    return session


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p.id)
def test_a_preset_granted_and_used_to_its_end(stage: Stage, preset: Preset) -> None:
    account, job = stage.account(), JOBS[preset.id]
    for call in job.before:
        assert stage.owner_op(account, call).text == "done"
    session, _ = granted(stage, preset, account, job)
    seen = []
    for number, call in enumerate((*job.used, *(call for call, _ in job.refused))):
        outcome = gas(session, FIRST).first(call) if number == 0 else gas(session, LATER).later(call)
        seen.append(outcome.text)
    expected = ["done"] * len(job.used) + [by_operation(no) for _, no in job.refused]
    assert seen == expected
    assert not any("NativeTokenLimitModule:2147483648" in text for text in seen)  # gas was enough throughout


def test_what_the_job_left_behind_is_there(stage: Stage) -> None:
    account = stage.account()
    session, _ = granted(stage, next(p for p in PRESETS if p.id == "pay-address"), account, JOBS["pay-address"])
    assert gas(session, FIRST).first(pay(PERSON, ETHER // 2)).text == "done"
    assert stage.balance(PERSON) == ETHER // 2


def test_what_is_said_not_to_be_enforced_is_not(stage: Stage) -> None:
    """The sentences are no excuses: a watcher closes at any time, a trader names any receiver, a payment goes to anyone at once."""
    account = stage.account()
    trading, _ = granted(stage, next(p for p in PRESETS if p.id == "trading"), account, JOBS["trading"])
    assert gas(trading, FIRST).first(APPROVE_30).text == "done"
    assert gas(trading, LATER).later(swap(30 * DOLLARS, STRANGER.address)).text == "done"
    assert stage.tokens(COIN, STRANGER.address) == 30 * DOLLARS


def test_a_token_contract_that_is_only_paid_gives_nothing_away(stage: Stage) -> None:
    """Why a payment is granted by the function 0x00000000 and not by access to the whole address."""
    account = stage.account()
    job = replace(JOBS["pay-address"], blanks=[{"address": COIN}, {"amount": "0.5"}])
    session, _ = granted(stage, next(p for p in PRESETS if p.id == "pay-address"), account, job)
    outcome = gas(session, FIRST).first(abi.execute(COIN, 0, abi.transfer(STRANGER.address, 1)))
    assert outcome.text == by_operation(NOT_THIS_FUNCTION)
    assert stage.tokens(COIN, STRANGER.address) == 0


def test_the_budget_pays_for_all_the_uses_of_the_job(stage: Stage) -> None:
    """At ten times the lowest usual fee, declared generously: the install, every use, and then it is spent."""
    account = stage.account()
    preset = next(p for p in PRESETS if p.id == "watcher")
    session, state = granted(stage, preset, account, JOBS["game"])
    fee = Gas(call=80_000, verification=120_000, pre_verification=50_000, max_fee=10 * GWEI, priority_fee=GWEI)
    install = replace(fee, verification=700_000)
    assert gas(session, install).first(abi.execute(GAME, 0, MOVE)).text == "done"
    for _ in range(preset.uses):
        assert gas(session, fee).later(abi.execute(GAME, 0, MOVE)).text == "done"
    limit = next(p.limit for p in session.draft.permissions if isinstance(p, GasLimit))
    spent = install.promised + preset.uses * fee.promised
    greedy = replace(fee, call=(limit - spent) // fee.max_fee)
    assert gas(session, greedy).later(abi.execute(GAME, 0, MOVE)).text == by_operation(TOO_MUCH_GAS)
    assert state.job is not None


def test_an_own_preset_is_granted_and_used_again(stage: Stage) -> None:
    account = stage.account()
    world = World((account,), expert=False, now=stage.now())
    kept = own_preset(filled(next(p for p in PRESETS if p.id == "game"), account, JOBS["game"]), world, "Castle")
    state = take_own(WizardState(account=account, key=KeyInput(address=str(SESSION.address))), kept, stage.now())
    draft = wizard.draft_of(state, world, entity_id=1, nonce_key=7)
    session = stage.session(stage.grant(draft, account), account)
    assert gas(session, FIRST).first(abi.execute(GAME, 0, MOVE)).text == "done"
    assert gas(session, LATER).later(abi.execute(COUNTER, 0, MOVE)).text == by_operation(NOT_ALLOWED)
    permissions: tuple[Permission, ...] = kept.permissions
    assert draft.permissions == permissions
