"""Random lives of accounts: installs, uses, changes and revocations by aa-sdk, by the owner, by Latchkey. After every step what Latchkey
reads equals exactly what a separate viem script works out (tests/devnet/truth.mjs).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ALLOWLIST_V200,
    NATIVE_TOKEN_LIMIT,
    PAYMASTER_GUARD,
    SINGLE_SIGNER,
    TIME_RANGE,
    WEBAUTHN,
)
from latchkey.accounts.modular_account.build import HALF, nonce_key
from latchkey.accounts.modular_account.ending import clean_calls, end_call, left_by, lower_call, shorten_call, together
from latchkey.chain.node import Node
from latchkey.chain.reading import read_account
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, FunctionsOnContract, Permission, Root
from latchkey.core.session import AccountReading, Session
from latchkey.core.types import Address, keccak
from tests.chain import abi
from tests.chain.stage import ETHER, KEYS, OTHER_OWNER, OTHER_SESSION, OWNER, RECEIVER, SESSION, STRANGER, Key, Outcome, Stage
from tests.chain.test_random import FREE, PAYABLE, Call, random_call, random_permissions
from tests.chain.test_revocation import succeeded, uninstall
from tests.chain.truth import Truth, as_truth
from tests.clients.sdk import Sdk, SdkRefused
from tests.counts import count
from tests.devnet.places import COIN, COUNTER, DOLLAR, GAME, MODULE, PAYMASTER

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

STEPS = count(25, 75)
SEEDS = range(count(1, 4))
OTHERS = [(Mode.MA, 0), (Mode.EIP7702, 0)] if STEPS == 25 else [(m, s) for m in (Mode.MA, Mode.EIP7702) for s in range(2)]
_INPUTS = "(address,bool,bool,uint256,bytes4[])[]"
_MANIFEST = "((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[])"


@pytest.fixture(scope="module")
def truth(net: Any) -> Iterator[Truth]:
    with Truth(net.url) as truth:
        yield truth


@pytest.fixture(scope="module")
def sdk(net: Any) -> Iterator[Sdk]:
    with Sdk(net.url) as sdk:
        yield sdk


@pytest.mark.parametrize("seed", SEEDS)
def test_the_list_is_the_truth(stage: Stage, truth: Truth, sdk: Sdk, seed: int) -> None:
    life = Life(stage, stage.account(salt=seed), random.Random(seed), truth, sdk)
    life.live(STEPS)
    assert {"install", "revoke", "use"} <= {kind for kind, times in life.done.items() if times}


@pytest.mark.parametrize(("mode", "seed"), OTHERS)
def test_the_list_is_the_truth_for_other_accounts(stage: Stage, truth: Truth, mode: Mode, seed: int) -> None:
    life = Life(stage, stage.account(mode=mode, salt=0 if mode is Mode.EIP7702 else seed), random.Random(seed), truth, None)
    life.live(count(10, 25))


@dataclass
class Life:
    """`done`: steps that had an effect, by kind."""

    stage: Stage
    account: Account
    rng: random.Random
    truth: Truth
    sdk: Sdk | None
    owner: Key = OWNER
    done: Counter[str] = field(default_factory=Counter)
    reading: AccountReading = field(init=False)

    def live(self, steps: int) -> None:
        if self.sdk:
            self.sdk.work_for(self.account, self.owner)
        self.look("nothing yet")
        kinds: list[tuple[int, str, Callable[[], Outcome | None]]] = [
            (8, "install", self.install_by_latchkey),
            (5, "install", self.install_by_sdk),
            (5, "install", self.install_by_owner),
            (4, "odd install", self.install_something_odd),
            (2, "direct call", self.install_direct_call),
            (2, "install again", self.install_again),
            (8, "use", self.use),
            (4, "use", self.use_by_sdk),
            (7, "revoke", self.revoke_by_latchkey),
            (3, "revoke", self.revoke_by_owner),
            (3, "revoke", self.revoke_by_sdk),
            (2, "signer", self.transfer_signer),
            (3, "tighten", self.tighten),
            (3, "module", self.call_a_module),
            (1, "owner", self.change_owner),
            (1, "functions", self.change_functions),
            (1, "clean", self.clean),
        ]
        for step in range(steps):
            _, kind, act = self.rng.choices(kinds, [weight for weight, _, _ in kinds])[0]
            outcome = act()
            text = str(outcome) if outcome else "nothing to do"
            self.done[kind] += text == "done"
            self.look(f"step {step}: {act.__name__}: {text}")

    def look(self, what: str) -> None:
        self.reading = read_account(Node(self.stage.net.url), self.account)
        expected = self.truth.of(self.account, self.reading.block.number)
        assert as_truth(self.reading, expected) == expected, what

    # --- choosing

    def an_id(self) -> int:
        """Few small ones, so that ids come back, and far ones."""
        small = self.rng.randrange(1, 5)
        return self.rng.choice((small, small, small, self.rng.randrange(20, 40), self.rng.randrange(1, HALF), HALF - 1, HALF + 7))

    def a_session(self) -> Session | None:
        return self.rng.choice(self.reading.sessions) if self.reading.sessions else None

    def a_usable(self) -> Session | None:
        """One whose key is at hand and signs operations; mostly one that has something to call."""
        found = [s for s in self.reading.sessions if s.signer in KEYS and s.install.is_user_op]
        able = [s for s in found if s.install.is_global or (s.install.permissions and not s.install.unknown)]
        return self.rng.choice(able if able and self.rng.random() < 0.8 else found) if found else None

    def a_key(self) -> Key:
        return self.rng.choice((SESSION, OTHER_SESSION, STRANGER))

    def by_owner(self, call: bytes) -> Outcome:
        if self.rng.random() < 0.5:
            return self.stage.owner_tx(self.account, call, owner=self.owner)
        return self.stage.owner_op(self.account, call, owner=self.owner)

    def permissions(self) -> list[Permission]:
        return [Root()] if self.rng.random() < 0.08 else random_permissions(self.rng)

    def expiry(self) -> int:
        return self.rng.choice((0, self.stage.now() + self.rng.randrange(100, 10**6)))

    # --- installing

    def _draft(self) -> Draft:
        key, entity_id = self.a_key(), self.an_id() % HALF
        return self.stage.draft(self.account, *self.permissions(), entity_id=entity_id, expiry=self.expiry(), session=key.address)

    def _named(self, permissions: Sequence[Permission]) -> Call:
        """A call, mostly one that the permissions name."""
        named = list(permissions)
        match self.rng.choice(named) if named and self.rng.random() < 0.8 else None:
            case ContractAccess(address):
                return self.rng.choice([(t, 0, data) for t, data in (*PAYABLE, *FREE) if t == address] or [(address, 0, b"")])
            case FunctionsOnContract(address, functions) if functions:
                chosen = self.rng.choice(functions).raw
                return self.rng.choice([(t, 1, d) for t, d in PAYABLE if (t, d[:4]) == (address, chosen)] or [(address, 0, chosen)])
            case Erc20TokenTransfer(token, left):
                return token, 0, abi.transfer(RECEIVER, min(left, self.rng.choice((0, 1, 25))))
        return random_call(self.rng)

    def install_by_latchkey(self) -> Outcome:
        draft = self._draft()
        if self.account.mode is Mode.MA or self.rng.random() < 0.3:
            return self.by_owner(self.stage.grant(draft, self.account, checked=False).grant.call)
        signed = self.stage.grant(draft, self.account, owner=self.owner, checked=False)
        return self.stage.session(signed, self.account).first(abi.execute(*self._named(draft.permissions)))

    def install_by_sdk(self) -> Outcome | None:
        if self.sdk is None:
            return self.install_by_latchkey()
        draft = self._draft()
        key = KEYS[draft.session_key]
        try:
            if self.rng.random() < 0.5:
                return self.stage.send(self.sdk.install(draft))[0]
            blob = self.sdk.grant(draft)
            return self.stage.send(self.sdk.use(key, draft.entity_id, [self._named(draft.permissions)], blob=blob))[0]
        except SdkRefused:
            return None

    def install_by_owner(self) -> Outcome:
        """Not as any SDK would: other flags, other orders, the gas limit of older SDKs, the superseded allowlist."""
        entity_id, key = self.an_id(), self.a_key()
        high = entity_id + HALF if entity_id <= HALF else entity_id
        allowlist = self.rng.choice((ALLOWLIST, ALLOWLIST, ALLOWLIST_V200))
        limit = self.rng.choice((0, 7, ETHER))
        hooks = [
            self._hook(NATIVE_TOKEN_LIMIT, self.rng.choice((entity_id, high)), 5, "(uint32,uint256)", limit),
            self._hook(NATIVE_TOKEN_LIMIT, entity_id, 4, "(uint32,uint256)", limit),
            self._hook(TIME_RANGE, entity_id, 1, "(uint32,uint48,uint48)", self.rng.choice((0, self.stage.now() + 999)), 5),
            self._hook(PAYMASTER_GUARD, entity_id, self.rng.choice((1, 5)), "(uint32,address)", PAYMASTER),
            self._hook(allowlist, entity_id, 5, f"(uint32,{_INPUTS})", self._inputs()),
            self._hook(allowlist, high, 4, f"(uint32,{_INPUTS})", self._inputs()),
        ]
        chosen = self.rng.sample(hooks, self.rng.randrange(len(hooks) + 1))
        flags = self.rng.choice((1, 1, 1, 3, 5, 0))
        selectors = self.rng.sample(
            [abi.selector(s) for s in ("execute(address,uint256,bytes)", "practice()")], self.rng.randrange(3)
        )
        return self.by_owner(_install(SINGLE_SIGNER, entity_id, flags, selectors, _signer(entity_id, key), chosen))

    def _hook(self, module: Address, entity_id: int, flags: int, types: str, *values: Any) -> bytes:
        """Sometimes without anything to set up: then what is stored already is in force."""
        data = abi.call("f" + types, entity_id, *values)[4:] if self.rng.random() < 0.85 else b""
        return module.raw + entity_id.to_bytes(4, "big") + bytes([flags]) + data

    def _inputs(self) -> list[tuple[Any, ...]]:
        targets = self.rng.sample([GAME, COUNTER, DOLLAR, COIN, Address("0x" + "00" * 20)], self.rng.randrange(4))
        selectors = [abi.selector(s) for s in ("transfer(address,uint256)", "approve(address,uint256)", "claim()")]
        return [
            (
                t,
                self.rng.random() < 0.5,
                self.rng.random() < 0.5,
                self.rng.choice((0, 5, 2**256 - 1)),
                self.rng.sample(selectors, 2),
            )
            for t in targets
        ]

    def install_something_odd(self) -> Outcome:
        """A validation module or hooks nobody knows."""
        entity_id = self.an_id()
        module = self.rng.choice((_somebody("module"), SINGLE_SIGNER, WEBAUTHN, TIME_RANGE))
        hooks = [
            _somebody("hook").raw + self.rng.randrange(2**32).to_bytes(4, "big") + bytes([self.rng.choice((1, 4, 5, 6))]),
            TIME_RANGE.raw + (entity_id + 1).to_bytes(4, "big") + b"\x01",
            NATIVE_TOKEN_LIMIT.raw + (3).to_bytes(4, "big") + b"\x04",
        ]
        chosen = self.rng.sample(hooks, self.rng.randrange(len(hooks) + 1))
        flags = self.rng.choice((0, 1, 2, 4, 7, 0x11))
        if module == WEBAUTHN:
            flags &= 3  # as an owner of its own it has a test of its own
        selectors = [self.rng.randbytes(4) for _ in range(self.rng.randrange(3))]
        return self.by_owner(_install(module, entity_id, flags, selectors, b"", chosen))

    def install_direct_call(self) -> Outcome:
        module = self.rng.choice((_somebody("caller"), _somebody("other caller"), GAME))
        if self.rng.random() < 0.4:
            return self.by_owner(uninstall(2**32 - 1, b"", [], module=module))
        hooks = [_somebody("hook").raw + bytes(4) + b"\x01"] if self.rng.random() < 0.3 else []
        selectors = [self.rng.randbytes(4) for _ in range(self.rng.randrange(3))]
        return self.by_owner(_install(module, 2**32 - 1, self.rng.choice((0, 4)), selectors, b"", hooks))

    def install_again(self) -> Outcome | None:
        session = self.a_session()
        if session is None:
            return None
        key = self.a_key()
        data = _signer(session.entity_id, key) if session.module == SINGLE_SIGNER and self.rng.random() < 0.7 else b""
        hooks = [self._hook(NATIVE_TOKEN_LIMIT, session.entity_id, 4, "(uint32,uint256)", 3)] if self.rng.random() < 0.6 else []
        call = _install(
            session.module, session.entity_id, self.rng.choice((1, 5, session.flags & 5)), [self.rng.randbytes(4)], data, hooks
        )
        return self.by_owner(call)

    # --- using

    def use(self) -> Outcome | None:
        """With the key it has on the chain, whatever the call may come to."""
        session = self.a_usable()
        if session is None:
            return None
        key = KEYS[session.signer or OWNER.address]
        call = abi.execute(*self._named(session.install.permissions))
        if self.rng.random() < 0.2:
            authorization = bytes([session.flags >> 2 & 1]) + session.entity_id.to_bytes(4, "big") + b"\xff"
            data = abi.call("executeWithRuntimeValidation(bytes,bytes)", call, authorization)
            return self.stage.transact(key, self.account.address, data)
        return self._operation(session, key, call)

    def _operation(self, session: Session, key: Key, call: bytes) -> Outcome:
        lane = nonce_key(0, session.entity_id, is_global=bool(session.flags & 4), is_deferred=False)
        data = bytes.fromhex("8dd7712f") + call if session.execution_hooks else call
        op = self.stage.operation(self.account.address, self.stage.nonce(self.account.address, lane), data)
        return self.stage.send(self.stage.signed_by(key, op))[0]

    def use_by_sdk(self) -> Outcome | None:
        session = self.a_usable()
        if self.sdk is None or session is None or session.entity_id >= HALF:
            return None
        key = KEYS[session.signer or OWNER.address]
        try:
            signed = self.sdk.use(
                key, session.entity_id, [self._named(session.install.permissions)], is_global=bool(session.flags & 4)
            )
        except SdkRefused:
            return None
        return self.stage.send(signed)[0]

    # --- ending

    def revoke_by_latchkey(self) -> Outcome | None:
        """Clean: nothing is left of it. Where that fails: the form that always ends it, and what is left is cleaned after."""
        session = self.a_session()
        if session is None:
            return None
        clean = together(self.account.address, [end_call(session)])
        outcome = self.by_owner(clean)
        if outcome.text != "done" or succeeded(outcome) != [True]:
            left = left_by(session)
            calls = [end_call(session, clean=False), *clean_calls(self.account.address, left, ended={session.entity_id})]
            outcome = self.by_owner(together(self.account.address, calls))
        assert outcome.text == "done", (outcome, session)
        self.look("ended by Latchkey")
        assert all(s.entity_id != session.entity_id for s in self.reading.sessions)
        own = (session.entity_id, session.entity_id + HALF)
        known = {e for e in session.stored if e.entity_id in own}
        hooked = {(h.module, h.entity_id) for h in (*session.hooks, *session.execution_hooks)}
        kept = {e for e in self.reading.leftovers if e in known and (e.module, e.entity_id) in hooked}
        assert not kept, (session, kept)
        self._refused(session)
        return outcome

    def revoke_by_owner(self) -> Outcome | None:
        """Carelessly: with nothing, with garbage, with the wrong module."""
        session = self.a_session()
        if session is None:
            return None
        hooks = len(session.hooks) + len(session.execution_hooks)
        data = self.rng.choice(([], [b""] * hooks, [b"\x01"] * hooks))
        own = self.rng.choice((b"", session.entity_id.to_bytes(32, "big"), b"\x01"))
        module = self.rng.choice((session.module, SINGLE_SIGNER, TIME_RANGE))
        return self._ended(session, self.by_owner(uninstall(session.entity_id, own, data, module=module)))

    def revoke_by_sdk(self) -> Outcome | None:
        session = self.a_session()
        if self.sdk is None or session is None:
            return None
        own = session.entity_id.to_bytes(32, "big")
        return self._ended(session, self.stage.send(self.sdk.uninstall(session.module, session.entity_id, own, []))[0])

    def _ended(self, session: Session, outcome: Outcome) -> Outcome:
        if outcome.text == "done":
            self.look("ended")
            assert all(s.entity_id != session.entity_id for s in self.reading.sessions)
            self._refused(session)
        return outcome

    def _refused(self, session: Session) -> None:
        key = KEYS.get(session.signer) if session.signer else None
        if key:
            call = abi.execute(COUNTER, 0, abi.call("increment()"))
            assert self._operation(session, key, call).text.startswith("refused: AA23 reverted"), session

    def clean(self) -> Outcome | None:
        calls = clean_calls(self.account.address, self.reading.leftovers)
        if not calls:
            return None
        outcome = self.by_owner(together(self.account.address, calls))
        assert outcome.text == "done"
        self.look("cleaned")
        assert self.reading.leftovers == ()
        return outcome

    # --- changing

    def transfer_signer(self) -> Outcome:
        session = self.a_session()
        entity_id = session.entity_id if session and self.rng.random() < 0.7 else self.an_id()
        change = abi.call("transferSigner(uint32,address)", entity_id, self.a_key().address)
        return self.by_owner(abi.execute(SINGLE_SIGNER, 0, change))

    def tighten(self) -> Outcome | None:
        session = self.a_session()
        if session is None:
            return None
        open_ = [limit for limit in session.limits if limit.left]
        if open_ and self.rng.random() < 0.7:
            limit = self.rng.choice(open_)
            call = lower_call(session, limit, limit.left // 2)
        elif session.valid_until > self.stage.now() + 50:
            call = shorten_call(session, session.valid_until - 20)
        else:
            return None
        return self.by_owner(together(self.account.address, [call]))

    def call_a_module(self) -> Outcome:
        """The owner writes into the modules by hand, for ids installed or not."""
        entity_id = self.an_id()
        high = entity_id + HALF if entity_id <= HALF else entity_id
        target = self.rng.choice((GAME, DOLLAR, COIN))
        yes, no = self.rng.random() < 0.5, self.rng.random() < 0.5
        calls = [
            (ALLOWLIST, abi.call("setAddressAllowlist(uint32,address,bool,bool,bool)", entity_id, target, yes, no, yes)),
            (
                ALLOWLIST,
                abi.call("setSelectorAllowlist(uint32,address,bytes4,bool)", entity_id, target, self.rng.randbytes(4), True),
            ),
            (ALLOWLIST, abi.call("updateLimits(uint32,address,bool,uint256)", high, target, yes, self.rng.choice((0, 9)))),
            (NATIVE_TOKEN_LIMIT, abi.call("updateLimits(uint32,uint256)", self.rng.choice((entity_id, high)), 77)),
            (TIME_RANGE, abi.call("setTimeRange(uint32,uint48,uint48)", entity_id, 0, 5)),
        ]
        module, data = self.rng.choice(calls)
        return self.by_owner(abi.execute(module, 0, data))

    def change_owner(self) -> Outcome | None:
        new = OTHER_OWNER if self.owner == OWNER else OWNER
        if self.account.mode is Mode.MA:
            change = abi.execute(SINGLE_SIGNER, 0, abi.call("transferSigner(uint32,address)", 0, new.address))
        else:
            change = abi.call("updateFallbackSignerData(address,bool)", new.address, False)
        outcome = self.by_owner(change)
        if outcome.text == "done":
            self.owner = new
            if self.sdk:
                self.sdk.work_for(self.account, new)
        return outcome

    def change_functions(self) -> Outcome:
        manifest = ([(abi.selector("practice()"), self.rng.random() < 0.5, False)], [], [])
        name = "uninstallExecution" if any(p.kind == "execution-function" for p in self.reading.powers) else "installExecution"
        if name == "uninstallExecution":
            manifest = ([(abi.selector("practice()"), False, False)], [], [])
        return self.by_owner(abi.call(f"{name}(address,{_MANIFEST},bytes)", MODULE, manifest, b""))


def _install(module: Address, entity_id: int, flags: int, selectors: list[bytes], data: bytes, hooks: list[bytes]) -> bytes:
    config = module.raw + entity_id.to_bytes(4, "big") + bytes([flags])
    return abi.call("installValidation(bytes25,bytes4[],bytes,bytes[])", config, selectors, data, hooks)


def _signer(entity_id: int, key: Key) -> bytes:
    return abi.call("f(uint32,address)", entity_id, key.address)[4:]


def _somebody(name: str) -> Address:
    return Address.from_bytes(keccak(name.encode())[12:])
