"""aa-sdk, unmodified, takes what Latchkey hands over and works with it through a bundler: the grant is installed by the first call,
later calls run plain, and what was not granted comes back as the bundler's refusal.

The grants are made as `latchkey grant sign` makes them, with a book and a real signer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from latchkey.accounts.modular_account.build import nonce_key
from latchkey.codec.hand_over import decode, to_json
from latchkey.core.account import Account
from latchkey.core.draft import Draft, draft_to_json
from latchkey.core.permissions import KINDS, PaymasterGuard, Permission
from latchkey.flow.granting import Granting
from latchkey.flow.signing import owned, to_sign
from latchkey.store.book import Book
from latchkey.vault.client import SignerClient
from tests.chain import abi
from tests.chain.cases import CASES, NOT_ALLOWED, Case
from tests.chain.stage import COUNT, GAS, OWNER, SESSION, Stage
from tests.chain.test_permissions import install_module, needs_module
from tests.clients.dapp import Dapp
from tests.counts import count
from tests.devnet.places import GAME

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("clients"), pytest.mark.timeout(300)]

# The ninth kind, paymaster-guard, is Latchkey's own: aa-sdk has no name for it.
PLAYED = [case for case in CASES if not case.paymaster]
DEPLOYING = [case for case in PLAYED if not needs_module(case)][:: count(4, 1)]
CONTRACT_ACCESS = next(case for case in CASES if case.name == "contract-access")


@pytest.fixture(scope="module")
def dapp(stage: Stage) -> Iterator[Dapp]:
    with Dapp(stage.net) as dapp:
        yield dapp


@pytest.fixture
def grant(stage: Stage, signer: SignerClient, tmp_path: Path, salt: int) -> Iterator[Grant]:
    with Book.open(tmp_path / "book.sqlite") as book:
        yield Grant(stage, signer, book, salt)


class Grant:
    """Makes an account, grants a case's permissions on it, hands over the JSON twin."""

    def __init__(self, stage: Stage, signer: SignerClient, book: Book, salt: int) -> None:
        self._stage, self._signer, self._book, self._salt = stage, signer, book, salt

    def __call__(self, case: Case, *, deployed: bool = True) -> tuple[Account, Draft, dict[str, Any]]:
        account = self._stage.account(salt=self._salt, deployed=deployed)
        if needs_module(case):
            install_module(self._stage, account)
        self._book.add_account(account)
        expiry = self._stage.now() + case.expires_in if case.expires_in else 0
        draft = self._stage.draft(account, *case.permissions, expiry=expiry)
        return account, draft, self._handed_over(draft)

    def _handed_over(self, draft: Draft) -> dict[str, Any]:
        now = int(time.time())
        granting = Granting(self._book, lambda: self._signer, lambda: now)
        prepared = to_sign(json.dumps(draft_to_json(draft)).encode(), granting, self._book, now=now)
        signed = granting.sign(owned(prepared, self._signer.status().keys, None))
        return to_json(decode(granting.keep(signed).envelope or b""))


def as_seen(no: str) -> str:
    """A refusal of cases.py as it comes back from the bundler."""
    what, _, rest = no.partition(": ")
    wrapped = {
        "hook": f"AA23 reverted PreUserOpValidationHookReverted({rest})",
        "limit": f"PreExecHookReverted({rest})",
        "account": f"AA23 reverted {rest}",
    }[what]
    return f"UserOperation reverted during simulation with reason: {wrapped}"


def test_all_eight_kinds_are_played() -> None:
    kinds: set[type[Permission]] = {type(p) for case in PLAYED for p in case.permissions}
    assert kinds == set(KINDS.values()) - {PaymasterGuard}


@pytest.mark.parametrize("case", PLAYED, ids=lambda c: c.name)
def test_a_deployed_account(dapp: Dapp, grant: Grant, case: Case) -> None:
    play(dapp, *grant(case), case)


@pytest.mark.parametrize("case", DEPLOYING, ids=lambda c: c.name)
def test_an_account_that_the_first_call_deploys(dapp: Dapp, grant: Grant, case: Case) -> None:
    play(dapp, *grant(case, deployed=False), case)


def play(dapp: Dapp, account: Account, draft: Draft, hand_over: dict[str, Any], case: Case) -> None:
    """Allowed calls one after the other, the first with the grant's own nonce, the later ones with the session's; then the rest."""
    dapp.take(hand_over, SESSION)
    gas = GAS if "gas-limit" in case.name else None  # counted in declared gas, so that has to be known
    seen = [dapp.call(account.address, call, gas) for call in case.allowed]
    own = nonce_key(0, draft.entity_id, is_global=case.name == "root", is_deferred=False) << 64
    nonces = [int(hand_over["nonce"], 16), *(own + index for index in range(len(seen) - 1))]
    assert seen == [("done", nonce) for nonce in nonces]
    for call, no in case.forbidden:
        assert dapp.call(account.address, call, gas)[0] == as_seen(no)


def test_a_refused_first_call_uses_nothing_up(dapp: Dapp, grant: Grant) -> None:
    """The SDK's client is one-shot as to the grant: after a refusal the dApp makes a new one with the same hand-over."""
    account, _, hand_over = grant(CONTRACT_ACCESS)
    dapp.take(hand_over, SESSION)
    assert dapp.call(account.address, COUNT)[0] == as_seen(NOT_ALLOWED)
    dapp.take(hand_over, SESSION)
    assert dapp.call(account.address, CONTRACT_ACCESS.allowed[0])[0] == "done"


def test_a_restarted_dapp_goes_on_with_the_same_hand_over(dapp: Dapp, grant: Grant) -> None:
    account, _, hand_over = grant(CONTRACT_ACCESS)
    for _ in range(2):
        dapp.take(hand_over, SESSION)
        assert dapp.call(account.address, CONTRACT_ACCESS.allowed[0])[0] == "done"
    assert account.address in hand_over["account"]


def test_without_the_init_code_the_sdk_would_make_another_account(dapp: Dapp, grant: Grant) -> None:
    account, _, hand_over = grant(CONTRACT_ACCESS, deployed=False)
    dapp.take({name: value for name, value in hand_over.items() if name != "initCode"}, SESSION)
    assert "AA14" in dapp.call(account.address, CONTRACT_ACCESS.allowed[0])[0]


def test_somebody_elses_key_is_no_use(dapp: Dapp, grant: Grant) -> None:
    account, _, hand_over = grant(CONTRACT_ACCESS)
    dapp.take(hand_over, OWNER)
    assert "AA24" in dapp.call(account.address, abi.execute(GAME, 0, abi.call("claim()")))[0]
