"""Random grants and random calls: what `Powers` (from which the owner's words are made) says is allowed, and nothing else, succeeds.

The expectation is worked out here from the permissions alone; the account and its modules decide for themselves.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
)
from latchkey.core.powers import Powers, powers_of
from latchkey.core.types import Address, Selector
from tests.chain import abi
from tests.chain.cases import (
    BUY,
    CLAIM,
    DAY,
    MOVE,
    NO_FUNCTION,
    NOT_A_TRANSFER,
    NOT_ALLOWED,
    NOT_APPLICABLE,
    NOT_THIS_FUNCTION,
    SHORT_CALL,
    TOO_MANY_TOKENS,
    TOO_MUCH_ETH,
    TOO_MUCH_GAS,
)
from tests.chain.stage import GAS, INCREMENT, RECEIVER, Stage
from tests.chain.test_permissions import Way, by_operation
from tests.counts import count
from tests.devnet.places import COIN, COUNTER, DOLLAR, GAME, NFT

Call = tuple[Address, int, bytes]
TOKENS = (DOLLAR, COIN)
_NFT_MINT = abi.call("mint(address)", RECEIVER)
_SET_NUMBER = abi.call("setNumber(uint256)", 7)
#: Calls that succeed when nothing holds them back; the first may carry ETH.
PAYABLE: tuple[tuple[Address, bytes], ...] = ((GAME, BUY), (COUNTER, INCREMENT), (COUNTER, _SET_NUMBER), (RECEIVER, b""))
FREE: tuple[tuple[Address, bytes], ...] = ((GAME, MOVE), (GAME, CLAIM), (NFT, _NFT_MINT), (RECEIVER, MOVE), (RECEIVER, CLAIM[:3]))
SELECTORS = tuple(Selector.from_bytes(d[:4].ljust(4, b"\0")) for _, d in (*PAYABLE, *FREE[:3])) + tuple(
    Selector.from_bytes(abi.selector(s)) for s in ("transfer(address,uint256)", "approve(address,uint256)")
)


def random_permissions(rng: random.Random) -> list[Permission]:
    """At most one permission a target, as Latchkey grants them; always something to call."""
    found: list[Permission] = []
    for target in rng.sample([GAME, COUNTER, NFT, RECEIVER, *TOKENS], rng.randrange(1, 5)):
        kind = rng.randrange(3)
        if target in TOKENS and kind:
            found.append(Erc20TokenTransfer(target, rng.choice((0, 1, 50, 2**256 - 1))))
        elif kind == 1:
            found.append(FunctionsOnContract(target, some_selectors(rng)))
        else:
            found.append(ContractAccess(target))
    if rng.random() < 0.4:
        found.append(FunctionsOnAllContracts(some_selectors(rng)))
    if rng.random() < 0.5:
        found.append(NativeTokenTransfer(rng.choice((0, 1, 30, 2**256 - 1))))
    if rng.random() < 0.3:
        found.append(GasLimit(rng.choice((0, GAS.promised, 2 * GAS.promised, 10**20))))
    rng.shuffle(found)
    return found


def some_selectors(rng: random.Random) -> tuple[Selector, ...]:
    return tuple(rng.sample(SELECTORS, rng.randrange(1, 4)))


def random_call(rng: random.Random) -> Call:
    what = rng.randrange(5)
    if what < 2:
        target, data = rng.choice(PAYABLE)
        return target, rng.choice((0, 0, 1, 20, 31)), data
    if what == 2:
        target, data = rng.choice(FREE)
        return target, 0, data
    token = rng.choice(TOKENS)
    amount = rng.choice((0, 1, 25, 51))
    return token, 0, rng.choice((abi.transfer(RECEIVER, amount), abi.approve(RECEIVER, amount)))


@dataclass
class Expected:
    """What is left of the limits, and what each further operation should come to."""

    powers: Powers
    gas: int | None = None
    eth: int | None = None
    tokens: dict[Address, int] = field(default_factory=dict)

    @classmethod
    def of(cls, permissions: Sequence[Permission]) -> Expected:
        powers = powers_of(tuple(permissions))
        return cls(powers, powers.gas, powers.native, {t.address: t.allowance for t in powers.tokens})

    def outcome(self, calls: Sequence[Call]) -> str:
        """Of one operation, and takes it off the limits."""
        if self.gas is not None and GAS.promised > self.gas:
            return by_operation(TOO_MUCH_GAS)
        for call in calls:
            if no := self._not_listed(call):
                return by_operation(no)
        if self.gas is not None:
            self.gas -= GAS.promised
        eth, tokens = self.eth, dict(self.tokens)
        if eth is not None:
            eth -= sum(value for _, value, _ in calls)
            if eth < 0:
                return by_operation(TOO_MUCH_ETH)
        for target, _, data in calls:
            if target in tokens:
                if len(data) < 68:
                    return by_operation(SHORT_CALL)
                if data[:4] not in (abi.selector("transfer(address,uint256)"), abi.selector("approve(address,uint256)")):
                    return by_operation(NOT_A_TRANSFER)
                tokens[target] -= int.from_bytes(data[36:68], "big")
                if tokens[target] < 0:
                    return by_operation(TOO_MANY_TOKENS)
        self.eth, self.tokens = eth, tokens
        return "done"

    def _not_listed(self, call: Call) -> str:
        target, _, data = call
        allowed: set[bytes] | None = None
        listed = False
        for contract in self.powers.contracts:
            if contract.address == target:
                listed = True
                allowed = {s.raw for s in contract.functions} if isinstance(contract, FunctionsOnContract) else None
        if target in self.tokens:
            listed, allowed = True, {abi.selector("transfer(address,uint256)"), abi.selector("approve(address,uint256)")}
        if not listed:
            anywhere = {s.raw for s in self.powers.anywhere}
            return "" if data[:4].ljust(4, b"\0") in anywhere else NOT_ALLOWED
        if allowed is None:
            return ""
        if len(data) < 4:
            return NO_FUNCTION
        return "" if data[:4] in allowed else NOT_THIS_FUNCTION


@pytest.mark.parametrize("seed", range(count(24, 400)))
def test_powers_are_what_the_chain_enforces(stage: Stage, seed: int) -> None:
    rng = random.Random(seed)
    permissions = random_permissions(rng)
    account = stage.account()
    expiry = rng.choice((0, stage.now() + DAY))
    signed = stage.grant(stage.draft(account, *permissions, expiry=expiry), account)
    way = rng.choice((Way.DEFERRED, Way.OWNER_TRANSACTION))
    if way is Way.OWNER_TRANSACTION:
        assert stage.owner_tx(account, signed.grant.call).text == "done"
    session, expected = stage.session(signed, account), Expected.of(permissions)
    installed = way is Way.OWNER_TRANSACTION
    for _ in range(8):
        calls = [random_call(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
        data = abi.execute_batch(*calls) if len(calls) > 1 else abi.execute(*calls[0])
        seen = (session.later if installed else session.first)(data).text
        assert (seen, calls) == (expected.outcome(calls), calls)
        installed = installed or not seen.startswith("refused")


def test_nothing_to_call_cannot_be_called(stage: Stage) -> None:
    """Limits without contracts: aa-sdk and Latchkey refuse to make that; the chain lets it install and nothing more."""
    account = stage.account()
    session = stage.session(stage.grant(stage.draft(account, NativeTokenTransfer(5)), account, checked=False), account)
    assert session.first(abi.execute(RECEIVER, 1)).text == by_operation(NOT_APPLICABLE.format("0xb61d27f6"))
