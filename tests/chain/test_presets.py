"""Every preset of the seeds' jobs, filled in carefully: no finding, granted, and doing its job on the chain - and no other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from latchkey.core.forms import Form
from latchkey.core.functions import function_of
from latchkey.core.presets import DAY, PRESETS
from latchkey.core.types import Address
from latchkey.flow import wizard
from latchkey.flow.presets import take
from latchkey.flow.wizard import WizardState
from tests.chain import abi
from tests.chain.cases import CLAIM, MOVE
from tests.chain.stage import ETHER, RECEIVER, Session, Stage
from tests.devnet.places import COIN, DOLLAR, EXCHANGE, GAME, NFT
from tests.flow.test_wizard import permissions

_FAR = 2**63
_SWAP = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"


@dataclass(frozen=True, slots=True)
class Job:
    """`contracts`: what the blank addresses of its cards are filled with, in order; `functions` where none are given."""

    preset: str
    contracts: tuple[Address, ...]
    functions: tuple[str, ...] = ()
    call: bytes = b""
    before: bytes = b""  # what the owner has done by then


JOBS = (
    Job("game", (GAME,), ("move(uint8,uint8)",), abi.execute(GAME, 0, MOVE)),
    Job("payment", (DOLLAR,), call=abi.execute(DOLLAR, 0, abi.transfer(RECEIVER, 10**6))),
    Job("pay-address", (RECEIVER,), call=abi.execute(RECEIVER, ETHER // 10, bytes(4))),
    Job("claim", (GAME,), call=abi.execute(GAME, 0, CLAIM)),
    Job("approvals", (DOLLAR,), call=abi.execute(DOLLAR, 0, abi.approve(EXCHANGE, 10**6))),
    Job(
        "watcher",
        (EXCHANGE,),
        ("closePosition()",),
        abi.execute(EXCHANGE, 0, abi.call("closePosition()")),
        abi.execute(EXCHANGE, 0, abi.call("openPosition(uint256)", 5)),
    ),
    Job(
        "trading",
        (EXCHANGE, DOLLAR),
        call=abi.execute_batch(
            (DOLLAR, 0, abi.approve(EXCHANGE, 10**6)),
            (EXCHANGE, 0, abi.call(_SWAP, 10**6, 1, [DOLLAR, COIN], RECEIVER, _FAR)),
        ),
    ),
    Job("mint", (NFT,), call=abi.execute(NFT, ETHER // 100, abi.call("mint(uint256)", 1))),
)


def test_every_job_of_the_seeds_is_tried() -> None:
    assert {job.preset for job in JOBS} >= {"game", "payment", "claim", "approvals", "watcher", "trading", "mint"}


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.preset)
def test_a_preset_does_its_job_and_no_other(stage: Stage, job: Job) -> None:
    session = granted(stage, job)
    if job.before:
        assert stage.owner_op(session.account, job.before).text == "done"
    assert session.first(job.call).text == "done"
    assert session.later(abi.execute(COIN, 0, abi.transfer(RECEIVER, 1))).text != "done"
    assert session.later(abi.execute(RECEIVER, 5 * ETHER, bytes(4))).text != "done"


def granted(stage: Stage, job: Job) -> Session:
    account = stage.account()
    state = take(WizardState(account=account), next(p for p in PRESETS if p.id == job.preset))
    contracts = list(job.contracts)
    for card in state.cards:
        state = wizard.edit_card(state, card.id, fill(card.form, job, contracts))
    assert not contracts
    draft = stage.draft(account, *permissions(state), expiry=stage.now() + DAY)
    assert [finding.id for finding in stage.review(draft, account).findings] == []
    return stage.session(stage.grant(draft, account), account)


def fill(form: Form, job: Job, contracts: list[Address]) -> Form:
    asks = form.kind in ("functions-on-contract", "erc20-token-transfer")
    address = form.address or (str(contracts.pop(0)) if asks else "")
    functions = form.functions or tuple(map(function_of, job.functions if asks else ()))
    units = str(2 * 10**6) if form.kind == "erc20-token-transfer" and not form.decimals else "2"
    return replace(form, address=address, functions=functions, amount=form.amount or units)
