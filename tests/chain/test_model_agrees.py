"""The local model of the hooks against the contracts themselves: random grants, random calls, honest and hostile, one after the other.
Before each call the chain is also asked what it would do (`chain.simulate`), and has to do just that.

What the account does and the error that decides have to be equal. Where the model lets a call through, the called contract may still
fail: that is beyond the model, and takes nothing off the limits.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest

from latchkey.accounts.modular_account import addresses
from latchkey.accounts.modular_account.model import (
    _ERRORS,
    Allowed,
    Denied,
    Fees,
    Outcome,
    Remaining,
    attempt,
    session_of_draft,
)
from latchkey.accounts.modular_account.model import Session as Model
from latchkey.accounts.modular_account.model import Stage as At
from latchkey.accounts.modular_account.userop import EXECUTE_USER_OP
from latchkey.chain.node import Node
from latchkey.chain.simulate import Trial, simulate
from latchkey.core.account import Account
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    FunctionsOnContract,
    PaymasterGuard,
    Permission,
    Root,
)
from latchkey.core.reading import Install
from latchkey.core.types import MAX_UINT256, Address, Selector
from latchkey.flow.trying import same
from tests.chain import abi
from tests.chain.cases import CLAIM, MOVE, PRACTICE
from tests.chain.errors import module_name
from tests.chain.stage import FACE, GAS, INCREMENT, OWNER, RECEIVER, STRANGER, Session, Stage
from tests.chain.test_permissions import install_module
from tests.chain.test_random import PAYABLE, random_call, random_permissions
from tests.counts import SOAK, count
from tests.devnet.devnet import Devnet
from tests.devnet.places import COIN, COUNTER, DOLLAR, GAME, NFT, PAYMASTER

CALLS = 20
_EXECUTE, _EXECUTE_BATCH = abi.selector("execute(address,uint256,bytes)"), abi.selector("executeBatch((address,uint256,bytes)[])")
_PRACTICE = Selector.from_bytes(PRACTICE[:4])
_TAKEOVER = abi.call("updateFallbackSignerData(address,bool)", STRANGER.address, False)
_CREATE = abi.call("performCreate(uint256,bytes,bool,bytes32)", 0, bytes.fromhex("600160005360016000f3"), False, bytes(32))
_TARGETS = (GAME, COUNTER, NFT, RECEIVER, DOLLAR, COIN)
Call = tuple[Address, int, bytes]


@pytest.fixture(scope="module")
def node(net: Devnet) -> Iterator[Node]:
    with closing(Node(net.url)) as node:
        yield node


@pytest.mark.parametrize("seed", range(count(8, 250)))
def test_the_model_says_what_the_contracts_do(stage: Stage, node: Node, seed: int) -> None:
    rng = random.Random(seed)
    play = _play(stage, rng)
    for _ in range(CALLS):
        tried = _random_try(rng, play)
        expected = attempt(play.model, tried.data, now=tried.now, fees=tried.fees, remaining=play.left)
        foretold = simulate(node, Trial(play.session.account, play.install, play.session.signed.grant.call, *tried))
        assert same(expected, foretold, by_key=tried.fees is None), (tried, foretold, expected)
        seen = play.send(tried)
        assert (foretold.stage is None) is (seen == "done"), (tried, foretold, seen)
        assert (_told(seen, expected), tried) == (_said(expected, tried), tried), (play.permissions, seen)
        play.settle(expected, seen)
        _decided[_said(expected, tried)[2] or ("allowed" if isinstance(expected, Allowed) else "no reason")] += 1


def test_every_rule_had_its_say() -> None:
    """Runs after the others of this file, on the same worker."""
    print(sum(_decided.values()), "calls:", dict(_decided.most_common()))
    assert sum(_decided.values()) == count(8, 250) * CALLS
    assert {"allowed", "no reason", *_often()} <= set(_decided)


def _often() -> set[str]:
    """Errors that a small run meets, and those only a large one does."""
    few = {"AddressNotAllowed", "SelectorNotAllowed", "ValidationFunctionMissing", "ExceededNativeTokenLimit"}
    return {*_ERRORS, "AA22 expired or not due"} if SOAK else few


_decided: Counter[str] = Counter()


# --- one grant and what is left of it


@dataclass
class _Play:
    stage: Stage
    session: Session
    install: Install
    model: Model
    permissions: list[Permission]
    left: Remaining
    installed: bool
    special: bool  # the account has said that the paymaster's gas counts

    def send(self, tried: _Try) -> str:
        """What the chain did, in words."""
        self.stage.next_block_at(tried.now)
        if tried.fees is None:
            return self.session.runtime(tried.data).text
        self.session.paymaster = tried.fees.paymaster is not None
        send = self.session.later if self.installed else self.session.first
        return send(tried.data, wrapped=False).text

    def settle(self, expected: Outcome, seen: str) -> None:
        self.installed = self.installed or not seen.startswith("refused")
        undone = isinstance(expected, Allowed) and seen != "done"
        self.left = replace(expected.remaining, native=self.left.native, tokens=self.left.tokens) if undone else expected.remaining


class _Try(NamedTuple):
    data: bytes
    fees: Fees | None
    now: int


def _play(stage: Stage, rng: random.Random) -> _Play:
    account = stage.account()
    install_module(stage, account)
    permissions = _random_grant(rng, account)
    draft = stage.draft(account, *permissions, expiry=stage.now() + 5_000 if rng.random() < 0.6 else 0)
    signed = stage.grant(draft, account, checked=False)
    installed = rng.random() < 0.5
    if installed:
        assert stage.owner_tx(account, signed.grant.call).text == "done"
    model = session_of_draft(draft)
    special = model.powers.gas is not None and rng.random() < 0.3
    if special:
        register = abi.call("updateSpecialPaymaster(address,bool)", PAYMASTER, True)
        assert stage.owner_tx(account, abi.execute(addresses.NATIVE_TOKEN_LIMIT, 0, register)).text == "done"
    install = FACE.decode_unsigned(signed.grant.unsigned).action
    assert isinstance(install, Install)
    return _Play(stage, stage.session(signed, account), install, model, permissions, model.whole, installed, special)


def _random_grant(rng: random.Random, account: Account) -> list[Permission]:
    """Every kind, alone and together, also such as Latchkey never signs: the account itself as a contract, one contract twice."""
    what = rng.random()
    if what < 0.1:
        return [Root()]
    found: list[Permission] = [AccountFunctions((_PRACTICE,))] if what < 0.3 else []
    if what > 0.15:
        found += random_permissions(rng)
    if rng.random() < 0.2:
        found.append(PaymasterGuard(rng.choice((PAYMASTER, PAYMASTER, RECEIVER))))
    if rng.random() < 0.1:
        found.append(ContractAccess(account.address))
    if rng.random() < 0.1:
        twice = rng.choice((GAME, COIN, COUNTER))
        found.append(rng.choice((ContractAccess(twice), FunctionsOnContract(twice, (Selector.from_bytes(CLAIM[:4]),)))))
    return found


# --- calls


def _random_try(rng: random.Random, play: _Play) -> _Try:
    now = play.stage.now() + rng.choice((1, 1, 1, 30, 400))
    end = play.model.valid_until
    if end and rng.random() < 0.08:
        now = max(play.stage.now() + 1, end + rng.choice((-1, 0, 1)))
    fees = None if play.installed and rng.random() < 0.15 else _random_fees(rng, play)
    data = _random_data(rng, play, fees)
    return _Try(data, fees, now)


def _random_fees(rng: random.Random, play: _Play) -> Fees:
    """A guard of another paymaster than ours stops the operation before that paymaster is asked."""
    fees = Fees(GAS.pre_verification, GAS.verification, GAS.call, GAS.max_fee)
    if rng.random() < 0.25:
        fees = replace(
            fees,
            paymaster=PAYMASTER,
            paymaster_verification_gas_limit=300_000,
            paymaster_post_op_gas_limit=100_000,
            special=play.special,
        )
    return fees


def _random_data(rng: random.Random, play: _Play, fees: Fees | None) -> bytes:
    """What the account is asked to do: mostly an honest sender's call, wrapped where the session needs it."""
    needs = play.model.has_execution_hooks and fees is not None
    what = rng.random()
    if what < 0.12:
        return _own_function(rng, play) if rng.random() < 0.5 or not needs else EXECUTE_USER_OP + _own_function(rng, play)
    calls = [_random_inner(rng, play) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    if what < 0.2:
        calls.insert(rng.randrange(len(calls) + 1), _to_itself(rng, play))
    data = abi.execute(*calls[0]) if len(calls) == 1 else abi.execute_batch(*calls)
    if what > 0.97:
        needs = not needs
    elif what > 0.93 and _readers_agree(play):
        data = _damaged(rng, data)
    if 0.2 < what < 0.23:
        return EXECUTE_USER_OP + EXECUTE_USER_OP + data
    return EXECUTE_USER_OP + data if needs else data


def _readers_agree(play: _Play) -> bool:
    """The stand-ins read a call's arguments at once, the published account when it needs them: with nothing in between, it is the same."""
    powers = play.model.powers
    return play.stage.net.cloned or not (powers.is_root or powers.gas is not None or powers.paymaster or play.model.valid_until)


def _damaged(rng: random.Random, data: bytes) -> bytes:
    """Cut short, or with a byte in front of an address."""
    if rng.random() < 0.6:
        return data[: rng.randrange(4, len(data))]
    at = 4 + rng.randrange(12)
    return data[:at] + b"\x01" + data[at + 1 :]


def _random_inner(rng: random.Random, play: _Play) -> Call:
    what = rng.random()
    if what < 0.4:
        return random_call(rng)
    if what < 0.7:
        return _near_the_limit(rng, play)
    return _hostile(rng, [a for a, _ in play.model.listed or ()] or [GAME])


def _near_the_limit(rng: random.Random, play: _Play) -> Call:
    """To the last unit of what is left, and one more."""
    over = rng.choice((-1, 0, 0, 1))
    if play.left.tokens and rng.random() < 0.6:
        token, left = rng.choice(play.left.tokens)
        amount = min(max(left + over, 0), MAX_UINT256)
        return token, 0, rng.choice((abi.transfer(RECEIVER, amount), abi.approve(RECEIVER, amount)))
    target, data = rng.choice(PAYABLE)
    return target, min(max((play.left.native or 0) + over, 0), MAX_UINT256), data


def _hostile(rng: random.Random, listed: Sequence[Address]) -> Call:
    """Mostly on contracts the key may call."""
    elsewhere = (*_TARGETS, addresses.ENTRY_POINT, addresses.ALLOWLIST, STRANGER.address)
    data = rng.choice(
        (
            abi.transfer(STRANGER.address, MAX_UINT256),
            abi.transfer(RECEIVER, 1)[: rng.randrange(68)],
            abi.approve(RECEIVER, 1)[: rng.randrange(4, 68)],
            abi.transfer(RECEIVER, 1) + b"\x01",
            abi.call("transferFrom(address,address,uint256)", OWNER.address, STRANGER.address, 1),
            abi.call("setApprovalForAll(address,bool)", STRANGER.address, True),
            INCREMENT,
            MOVE,
            b"",
            rng.randbytes(4),
        )
    )
    return rng.choice(listed if rng.random() < 0.8 else elsewhere), rng.choice((0, 0, 0, 1, MAX_UINT256)), data


def _to_itself(rng: random.Random, play: _Play) -> Call:
    """Root is not given the means to end the game."""
    root = play.model.powers.is_root
    data = rng.choice((PRACTICE, abi.execute(GAME, 0, MOVE), abi.execute_batch(), b"\x01", _CREATE if root else _TAKEOVER))
    return play.session.account.address, 0, data


def _own_function(rng: random.Random, play: _Play) -> bytes:
    if play.model.powers.is_root:
        return rng.choice((_CREATE, PRACTICE, b"", b"\x01\x02", rng.randbytes(4)))
    return rng.choice((PRACTICE, PRACTICE, _CREATE, _TAKEOVER, b"", _EXECUTE[:3], rng.randbytes(4), EXECUTE_USER_OP))


# --- two ways to say the same


def _said(outcome: Outcome, tried: _Try) -> tuple[str, str, str]:
    """(when, whose error, its name) as the model says it; a transaction does not tell when."""
    if isinstance(outcome, Allowed):
        return "allowed", "", ""
    when = "reverted" if tried.fees is None else "refused" if outcome.stage is At.VALIDATION else "failed"
    return when, module_name(outcome.module) if outcome.module else "", outcome.error


_HOOK = re.compile(r"(?:PreUserOpValidationHookReverted|PreRuntimeValidationHookReverted|PreExecHookReverted)\((\w+):\d+, (.*)\)")
_NAMED = {
    "UnrecognizedFunction",
    "ValidationFunctionMissing",
    "SelfCallRecursionDepthExceeded",
    "RequireUserOperationContext",
}


def _told(seen: str, expected: Outcome) -> tuple[str, str, str]:
    """The same of what the chain told. A failure that is not the account's is the called contract's: then the account let it through."""
    when, _, reason = seen.partition(": ")
    reason = reason.removeprefix("AA23 reverted, ")
    hook = _HOOK.fullmatch(reason)
    name = re.split(r"\(", hook[2] if hook else reason)[0]
    module = hook[1] if hook else ""
    error = "" if name == "no reason" else name
    if not error and module in ("AllowlistModule", "NativeTokenLimitModule"):
        module = ""  # whoever stumbles first over arguments that cannot be read
    of_the_account = hook or when == "refused" or name in _NAMED
    unread = isinstance(expected, Denied) and not expected.error and not expected.module and name == "no reason"
    return (when, module, error) if of_the_account or unread else ("allowed", "", "")
