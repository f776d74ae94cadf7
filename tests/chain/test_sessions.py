"""What `read_account` finds on an account, case by case, and what it refuses to believe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ALLOWLIST_V200,
    FACTORY,
    MODULAR_ACCOUNT,
    NATIVE_TOKEN_LIMIT,
    SEMI_MODULAR_ACCOUNT_7702,
    SINGLE_SIGNER,
    TIME_RANGE,
    WEBAUTHN,
)
from latchkey.accounts.modular_account.build import HALF
from latchkey.accounts.modular_account.code import IMPLEMENTATION_SLOT
from latchkey.accounts.modular_account.decode import decode_call
from latchkey.chain import reading as reading_module
from latchkey.chain.logs import MemoryLogs, Scanned
from latchkey.chain.node import Node, RpcError
from latchkey.chain.reading import (
    Moved,
    NotAnswered,
    WrongChain,
    first_block,
    granted_from_installs,
    read_account,
)
from latchkey.chain.vouch import NotTrusted
from latchkey.core.account import Account, Mode
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
)
from latchkey.core.risk import findings
from latchkey.core.session import AccountReading, Leftover, Limit, LimitKind, LogRange
from latchkey.core.types import ZERO_ADDRESS, Address, to_hex
from latchkey.core.words import describe
from tests.chain import abi
from tests.chain.cases import CASES, MOVE, Case, functions
from tests.chain.stage import COUNT, ETHER, GAS, OTHER_OWNER, OTHER_SESSION, OWNER, SENDER, SESSION, Stage
from tests.chain.test_permissions import Way, opened
from tests.chain.test_revocation import SIGNER_DATA, uninstall
from tests.devnet.places import COIN, COUNTER, DOLLAR, GAME

PRACTICE_ONLY = {"stand-ins"}


@pytest.fixture
def node(stage: Stage) -> Node:
    return Node(stage.net.url)


def install(module: Address, entity_id: int, flags: int, selectors: Sequence[bytes], data: bytes, hooks: Sequence[bytes]) -> bytes:
    config = module.raw + entity_id.to_bytes(4, "big") + bytes([flags])
    return abi.call("installValidation(bytes25,bytes4[],bytes,bytes[])", config, list(selectors), data, list(hooks))


def key_data(entity_id: int, key: Address = SESSION.address) -> bytes:
    return abi.call("f(uint32,address)", entity_id, key)[4:]


def ids(reading: AccountReading) -> list[int]:
    return [s.entity_id for s in reading.sessions]


def said(reading: AccountReading) -> set[str]:
    return {f.id for f in reading.findings} - PRACTICE_ONLY


# --- sessions


@pytest.mark.parametrize("way", [Way.OWNER_OPERATION, Way.OWNER_TRANSACTION])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_an_unused_session_reads_as_its_grant(stage: Stage, node: Node, case: Case, way: Way) -> None:
    session = opened(stage, case, way)
    reading = read_account(node, session.account)
    [found] = reading.sessions
    assert found.install == decode_call(session.signed.grant.call)
    assert found.signer == session.key.address
    assert (found.leftovers, reading.leftovers, said(reading)) == ((), (), set())
    before = [limit.left for limit in found.limits]
    [found] = granted_from_installs(node, (found,))
    assert [limit.left for limit in found.limits] == [limit.granted for limit in found.limits] == before


@pytest.mark.parametrize("case", [c for c in CASES if c.name != "root"], ids=lambda c: c.name)
def test_what_is_left_after_its_calls(stage: Stage, node: Node, case: Case) -> None:
    """What was granted, as the permissions say; what is left, by what the calls of the case use up."""
    session = opened(stage, case, Way.DEFERRED)
    calls = case.allowed
    assert [session.first(calls[0]).text] + [session.later(c).text for c in calls[1:]] == ["done"] * len(calls)
    [found] = granted_from_installs(node, read_account(node, session.account).sessions)
    assert {(limit.kind, limit.token): limit.granted for limit in found.limits} == granted(session.draft.permissions)
    for limit in found.limits:
        if limit.kind is LimitKind.GAS:
            assert limit.granted is not None
            assert limit.left == limit.granted - len(calls) * GAS.promised
    left = decode_call(session.signed.grant.call)
    assert [type(p) for p in found.install.permissions] == [type(p) for p in left.permissions]  # type: ignore[union-attr]
    account = session.account
    assert describe(found.install, account=account, now=stage.now()).headline.plain
    assert {f.id for f in findings(found.install, account=account, now=stage.now())}


def granted(permissions: Sequence[Permission]) -> dict[tuple[LimitKind, Address | None], int]:
    found: dict[tuple[LimitKind, Address | None], int] = {}
    for permission in permissions:
        match permission:
            case NativeTokenTransfer(amount):
                found[LimitKind.NATIVE, None] = amount
            case GasLimit(amount):
                found[LimitKind.GAS, None] = amount
            case Erc20TokenTransfer(token, amount):
                found[LimitKind.ERC20, token] = amount
    return found


def test_the_gas_limit_of_older_sdks(stage: Stage, node: Node) -> None:
    """Under the session's own id: it shares the counter of the limit on coins."""
    account = stage.account()
    amount = abi.call("f(uint32,uint256)", 1, 7)[4:]
    hooks = [NATIVE_TOKEN_LIMIT.raw + (1).to_bytes(4, "big") + bytes([flags]) + amount for flags in (4, 5)]
    call = install(SINGLE_SIGNER, 1, 1, [abi.selector("practice()")], key_data(1), hooks)
    assert stage.owner_tx(account, call).text == "done"
    [found] = read_account(node, account).sessions
    assert found.limits == (Limit(LimitKind.GAS, 7), Limit(LimitKind.NATIVE, 7))
    assert any("shares its counter" in u.why for u in found.install.unknown)


def test_the_superseded_allowlist_restricts_nothing(stage: Stage, node: Node) -> None:
    account = stage.account()
    inputs = [(GAME, False, False, 0, [])]
    data = abi.call("f(uint32,(address,bool,bool,uint256,bytes4[])[])", 1, inputs)[4:]
    hooks = [ALLOWLIST_V200.raw + (1).to_bytes(4, "big") + b"\x05" + data]
    call = install(SINGLE_SIGNER, 1, 1, [COUNT[:4], abi.execute_batch()[:4]], key_data(1), hooks)
    assert stage.owner_tx(account, call).text == "done"
    [found] = read_account(node, account).sessions
    assert any("superseded" in u.why for u in found.install.unknown)
    assert any("no allowlist restricts" in u.why for u in found.install.unknown)
    assert found.install.permissions == ()
    assert found.stored[-1] == Leftover(ALLOWLIST_V200, 1, GAME)


def test_unknown_modules_and_hooks_stand_there_as_they_are(stage: Stage, node: Node) -> None:
    account = stage.account()
    hooks = [COIN.raw + (9).to_bytes(4, "big") + b"\x01", DOLLAR.raw + (8).to_bytes(4, "big") + b"\x06"]
    assert stage.owner_tx(account, install(COUNTER, 5, 3, [b"\x01\x02\x03\x04"], b"", hooks)).text == "done"
    [found] = read_account(node, account).sessions
    assert (found.module, found.signer, found.install.signs_messages) == (COUNTER, None, True)
    assert [h.raw for h in (*found.hooks, *found.execution_hooks)] == hooks
    assert [h.name for h in (*found.hooks, *found.execution_hooks)] == ["", ""]
    assert {u.where for u in found.install.unknown} >= {"validationConfig.module", "hooks[0]", "hooks[1]"}


def test_more_than_a_decoder_takes_is_still_listed(stage: Stage, node: Node) -> None:
    """Whoever may install validations cannot hide one by making it long."""
    account = stage.account()
    selectors = [number.to_bytes(4, "big") for number in range(1, 521)]
    for part in range(0, 520, 40):
        call = install(SINGLE_SIGNER, 3, 1, selectors[part : part + 40], key_data(3), [])
        assert stage.owner_tx(account, call).text == "done"
    [found] = read_account(node, account).sessions
    assert (len(found.selectors), found.install.permissions, len(found.install.unknown)) == (520, (), 1)


# --- leftovers


def test_leftovers_of_an_earlier_install_are_in_force_and_said_to_be_left(stage: Stage, node: Node) -> None:
    account = stage.account()
    wide = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER), ContractAccess(GAME)), account), account)
    assert wide.first(COUNT).text == "done"
    assert stage.owner_tx(account, uninstall(1, SIGNER_DATA, [])).text == "done"
    left = read_account(node, account)
    assert (ids(left), set(left.leftovers)) == ([], {Leftover(ALLOWLIST, 1, COUNTER), Leftover(ALLOWLIST, 1, GAME)})
    assert left.used_entity_ids == {1}
    narrow = stage.draft(account, FunctionsOnContract(GAME, functions(MOVE)), session=OTHER_SESSION.address)
    session = stage.session(stage.grant(narrow, account), account)
    assert session.first(abi.execute(GAME, 0, MOVE)).text == "done"
    [found] = read_account(node, account).sessions
    assert found.install.permissions == (ContractAccess(COUNTER), FunctionsOnContract(GAME, functions(MOVE)))
    assert found.leftovers == (Leftover(ALLOWLIST, 1, COUNTER),)


def test_limits_without_a_hook_are_left(stage: Stage, node: Node) -> None:
    account = stage.account()
    lower = abi.call("updateLimits(uint32,uint256)", 4 + HALF, 77)
    assert stage.owner_tx(account, abi.execute(NATIVE_TOKEN_LIMIT, 0, lower)).text == "done"
    reading = read_account(node, account)
    assert reading.leftovers == (Leftover(NATIVE_TOKEN_LIMIT, 4 + HALF, amount=77),)
    assert reading.used_entity_ids == {4}


def test_an_id_in_question_is_looked_at_without_any_logs(stage: Stage, node: Node) -> None:
    """Before a grant is signed: is the id free, and is nothing left under it?"""
    account = with_sessions(stage, 1)
    assert stage.owner_tx(account, uninstall(1, SIGNER_DATA, [])).text == "done"
    head = node.head().number
    reading = read_account(node, account, scanned=Scanned((), LogRange(head, head)), also={1, 2})
    assert {(e.module, e.entity_id) for e in reading.leftovers} >= {(NATIVE_TOKEN_LIMIT, 1), (TIME_RANGE, 1)}
    assert reading.used_entity_ids == {1}


# --- owners and other powers


def test_the_owner_of_a_modular_account(stage: Stage, node: Node) -> None:
    account = stage.account(mode=Mode.MA)
    reading = read_account(node, account)
    [owner] = reading.owners
    assert (owner.kind, owner.entity_id, owner.module, owner.address) == ("single-signer", 0, SINGLE_SIGNER, OWNER.address)
    assert (reading.sessions, said(reading)) == ((), set())


def test_an_owner_made_under_another_id_is_no_session(stage: Stage, node: Node) -> None:
    """The factory makes those too, and one could revoke it like any session, and be out."""
    address = stage.view(FACTORY, "(address)", "getAddress(address,uint256,uint32)", OWNER.address, 0, 9)
    made = abi.call("createAccount(address,uint256,uint32)", OWNER.address, 0, 9)
    assert stage.transact(SENDER, FACTORY, made).text == "done"
    account = Account(stage.rpc("eth_chainId") and 31337, Address.parse(address), "modular_account", Mode.ADDRESS)
    reading = read_account(node, account)
    assert reading.sessions == ()
    assert [(o.kind, o.entity_id, o.address) for o in reading.owners] == [("single-signer", 9, OWNER.address)]


def test_a_passkey_with_all_rights_is_an_owner(stage: Stage, node: Node) -> None:
    account = stage.account()
    assert stage.owner_tx(account, install(WEBAUTHN, 2, 7, [], b"", [])).text == "done"
    assert stage.owner_tx(account, install(WEBAUTHN, 3, 1, [MOVE[:4]], b"", [])).text == "done"
    reading = read_account(node, account)
    assert [(o.kind, o.entity_id) for o in reading.owners] == [("fallback-signer", 0), ("passkey", 2)]
    assert ids(reading) == [3]


def test_a_changed_owner_is_said(stage: Stage, node: Node) -> None:
    account = stage.account()
    change = abi.call("updateFallbackSignerData(address,bool)", OTHER_OWNER.address, True)
    assert stage.owner_tx(account, change).text == "done"
    reading = read_account(node, account)
    assert (reading.owners[0].address, reading.owners[0].disabled) == (OTHER_OWNER.address, True)
    assert said(reading) == {"owner-changed", "owner-disabled"}


def test_hooks_on_the_owner_are_said(stage: Stage, node: Node) -> None:
    account = stage.account()
    hook = NATIVE_TOKEN_LIMIT.raw + bytes(4) + b"\x05" + abi.call("f(uint32,uint256)", 0, ETHER)[4:]
    assert stage.owner_tx(account, install(ZERO_ADDRESS, 0, 7, [], b"", [hook])).text == "done"
    reading = read_account(node, account)
    assert [h.raw for h in reading.owners[0].hooks] == [hook[:25]]
    assert said(reading) == {"owner-hooks"}
    assert reading.sessions == ()


def test_direct_calls_and_functions_are_powers(stage: Stage, node: Node) -> None:
    account = stage.account()
    assert stage.owner_tx(account, install(COUNTER, 2**32 - 1, 4, [], b"", [])).text == "done"
    assert stage.owner_tx(account, install(GAME, 2**32 - 1, 0, [MOVE[:4]], b"", [])).text == "done"
    assert [(p.kind, p.address, p.selectors) for p in read_account(node, account).powers] == [
        ("direct-call", COUNTER, ()),
        ("direct-call", GAME, functions(MOVE)),
    ]
    assert stage.owner_tx(account, uninstall(2**32 - 1, b"", [], module=COUNTER)).text == "done"
    assert [p.address for p in read_account(node, account).powers] == [GAME]


def test_an_upgraded_account(stage: Stage, node: Node) -> None:
    account = stage.account()
    upgrade = abi.call("upgradeToAndCall(address,bytes)", MODULAR_ACCOUNT, b"")
    assert stage.owner_tx(account, upgrade).text == "done"
    reading = read_account(node, account)
    assert [(p.kind, p.address) for p in reading.powers] == [("implementation", MODULAR_ACCOUNT)]
    assert said(reading) == {"code-changed"}


def test_code_nobody_knows(stage: Stage, node: Node) -> None:
    account = stage.account()
    slot = to_hex(IMPLEMENTATION_SLOT)
    stage.rpc("anvil_setStorageAt", account.address, slot, to_hex(bytes(12) + COUNTER.raw))
    stage.rpc("evm_mine")
    reading = read_account(node, account)
    assert said(reading) == {"code-unknown"}
    assert [(p.kind, p.address) for p in reading.powers] == [("implementation", COUNTER)]


def test_a_delegated_address(stage: Stage, node: Node) -> None:
    account = stage.account(mode=Mode.EIP7702)
    session = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER)), account), account)
    assert session.first(COUNT).text == "done"
    reading = read_account(node, account)
    assert [(o.kind, o.address) for o in reading.owners] == [("fallback-signer", OWNER.address)]
    assert [(p.kind, p.address) for p in reading.powers] == [("delegation", SEMI_MODULAR_ACCOUNT_7702)]
    change = abi.call("updateFallbackSignerData(address,bool)", OTHER_OWNER.address, False)
    assert stage.owner_tx(account, change).text == "done"
    reading = read_account(node, account)
    assert [(o.kind, o.address) for o in reading.owners] == [
        ("fallback-signer", OTHER_OWNER.address),
        ("account-key", OWNER.address),
    ]
    stage.rpc("anvil_setCode", account.address, "0x")
    stage.rpc("evm_mine")
    reading = read_account(node, account)
    assert (reading.deployed, reading.sessions, said(reading)) == (False, (), {"delegation-gone"})


@pytest.mark.parametrize("mode", [Mode.SMA, Mode.MA, Mode.EIP7702])
def test_an_account_that_is_not_there_yet(stage: Stage, node: Node, mode: Mode) -> None:
    account = stage.account(mode=mode, deployed=False)
    reading = read_account(node, account)
    assert (reading.deployed, reading.sessions, reading.owners, said(reading)) == (False, (), (), {"not-deployed"})
    assert reading.balance == 10 * ETHER


# --- one block, one chain, known code


def with_sessions(stage: Stage, count: int) -> Account:
    """Sessions with every limit: coins, gas, a token, a contract, an end; five in a transaction."""
    account = stage.account()
    everything = [NativeTokenTransfer(9), GasLimit(9), Erc20TokenTransfer(DOLLAR, 9), ContractAccess(GAME)]
    for first in range(1, count + 1, 10):
        calls = []
        for entity_id in range(first, min(first + 10, count + 1)):
            draft = stage.draft(account, *everything, entity_id=entity_id, expiry=stage.now() + 10**6)
            calls.append((account.address, 0, stage.grant(draft, account, checked=False).grant.call))
        assert stage.owner_tx(account, abi.execute_batch(*calls)).text == "done"
    return account


def test_two_hundred_sessions_in_few_requests(stage: Stage, node: Node) -> None:
    account = with_sessions(stage, 200)
    reading = read_account(node, account)
    first = node.requests
    assert ids(reading) == list(range(1, 201))
    assert all(len(s.limits) == 3 and s.valid_until and s.targets_complete for s in reading.sessions)
    assert first <= 6
    again = read_account(node, account)
    assert replace(again, block=reading.block) == reading
    assert node.requests - first <= 3


def test_a_reading_of_an_older_block(stage: Stage, node: Node) -> None:
    account = with_sessions(stage, 2)
    before = read_account(node, account)
    assert stage.owner_tx(account, uninstall(1, SIGNER_DATA, [])).text == "done"
    assert ids(read_account(node, account)) == [2]
    assert read_account(node, account, at=before.block) == before


class Changed(Node):
    """A node whose answers are changed on their way, or between whose requests something happens."""

    change: Callable[[tuple[Any, ...], Any], Any] = staticmethod(lambda call, answer: answer)
    between: Callable[[int], None] = staticmethod(lambda request: None)
    asked = 0

    def many(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        self.asked += 1
        self.between(self.asked)
        return [self.change(call, answer) for call, answer in zip(calls, super().many(calls), strict=True)]


def test_a_reorganisation_while_reading(stage: Stage) -> None:
    account = with_sessions(stage, 1)
    before = stage.rpc("evm_snapshot")
    stage.rpc("anvil_mine", hex(5))

    def reorganise(request: int) -> None:
        if request == 3:
            stage.rpc("evm_revert", before)
            stage.rpc("anvil_mine", hex(5), hex(7))

    node = Changed(stage.net.url)
    node.between = reorganise
    with pytest.raises(Moved):
        read_account(node, account)


def test_another_chain(stage: Stage, node: Node) -> None:
    with pytest.raises(WrongChain):
        read_account(node, replace(stage.account(), chain_id=1))


def test_a_module_that_is_not_the_published_one(stage: Stage, node: Node) -> None:
    account = stage.account()
    code = stage.rpc("eth_getCode", TIME_RANGE, "latest")
    stage.rpc("anvil_setCode", TIME_RANGE, code[:-2] + "00")
    try:
        with pytest.raises(NotTrusted, match="TimeRangeModule"):
            read_account(node, account)
    finally:
        stage.rpc("anvil_setCode", TIME_RANGE, code)


def test_an_rpc_that_takes_block_numbers_only(stage: Stage) -> None:
    account = with_sessions(stage, 3)
    node = Changed(stage.net.url)
    node.change = lambda call, answer: RpcError("invalid argument 1", number=-32602) if _by_hash(call) else answer
    assert replace(read_account(node, account), findings=()) == replace(read_account(Node(stage.net.url), account), findings=())


def _by_hash(call: tuple[Any, ...]) -> bool:
    return any(isinstance(p, dict) and "blockHash" in p for p in call[1:])


@pytest.mark.parametrize("selector", ["0xd31b575b", "0x217178fb", "0xe19500ba", "0xbd945668"])
@pytest.mark.parametrize("answer", [RpcError("header not found", number=-32000), "0x", "0x01", None])
def test_what_is_not_answered_is_never_taken_for_nothing(stage: Stage, selector: str, answer: Any) -> None:
    account = with_sessions(stage, 2)
    node = Changed(stage.net.url)
    node.change = lambda call, real: answer if call[0] == "eth_call" and call[1]["data"].startswith(selector) else real
    with pytest.raises(NotAnswered):
        read_account(node, account)


def test_without_logs_probing_finds_what_has_a_small_id(stage: Stage, node: Node) -> None:
    account = with_sessions(stage, 2)
    draft = stage.draft(account, ContractAccess(GAME), entity_id=2**20)
    assert stage.owner_tx(account, stage.grant(draft, account).grant.call).text == "done"
    head = read_account(node, account).block
    nothing = Scanned((), LogRange(0, head.number, ((0, head.number),)))
    reading = read_account(node, account, scanned=nothing)
    assert (ids(reading), said(reading)) == ([1, 2], {"logs-incomplete"})
    assert not any(s.targets_complete or s.installed_in for s in reading.sessions)
    assert [s.signer for s in reading.sessions] == [SESSION.address if stage.net.cloned else None] * 2
    assert ids(read_account(node, account, scanned=nothing, also={2**20})) == [1, 2, 2**20]


def test_an_rpc_that_takes_one_call_at_a_time(stage: Stage, node: Node) -> None:
    account = with_sessions(stage, 3)
    slow = Changed(stage.net.url)
    slow.many = lambda calls: [_one(node, call) for call in calls]  # type: ignore[method-assign]
    assert read_account(slow, account) == read_account(node, account)


def _one(node: Node, call: tuple[Any, ...]) -> Any:
    try:
        return node.call(*call)
    except RpcError as error:
        return error


def test_logs_are_read_from_where_the_account_begins(stage: Stage, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.rpc("anvil_mine", hex(300))
    account = stage.account(salt=5)
    begun = read_account(node, account).block.number - 3
    stage.rpc("anvil_mine", hex(300))
    monkeypatch.setattr(reading_module, "_SHORT", 0)
    head = node.head()
    assert begun <= first_block(node, account, head) <= begun + 3
    forgetful = Changed(stage.net.url)
    forgetful.change = lambda call, real: (
        RpcError("missing trie node", number=-32000)
        if call[0] == "eth_getCode" and call[2] not in (hex(head.number), "latest")
        else real
    )
    assert first_block(forgetful, account, head) == 0
    store = MemoryLogs()
    first = read_account(node, account, store=store)
    assert store.covered() == ((0, head.number),)
    before = node.requests
    assert read_account(node, account, store=store) == first
    assert node.requests - before <= 3
    assert replace(read_account(forgetful, account), logs=first.logs) == first


# --- what was granted


def test_granted_amounts_are_the_accounts_own(stage: Stage, node: Node) -> None:
    """Two accounts install the same id in one bundle."""
    accounts = [stage.account(salt=salt) for salt in (1, 2)]
    signed = []
    for amount, account in enumerate(accounts, 5):
        draft = stage.draft(account, NativeTokenTransfer(amount), GasLimit(10**18 + amount), ContractAccess(COUNTER))
        signed.append(stage.session(stage.grant(draft, account), account).first_op(COUNT))
    assert [o.text for o in stage.send(*signed)] == ["done", "done"]
    for amount, account in enumerate(accounts, 5):
        [found] = granted_from_installs(node, read_account(node, account).sessions)
        assert [limit.granted for limit in found.limits] == [10**18 + amount, amount]


def test_granted_amounts_of_a_delegated_address(stage: Stage, node: Node) -> None:
    account = stage.account(mode=Mode.EIP7702, deployed=False)
    draft = stage.draft(account, NativeTokenTransfer(7), ContractAccess(COUNTER))
    session = stage.session(stage.grant(draft, account), account)
    assert [o.text for o in stage.send_7702(OWNER, session.first_op(COUNT))] == ["done"]
    [found] = read_account(node, account).sessions
    assert found.limits == (Limit(LimitKind.NATIVE, 7),)
    assert granted_from_installs(node, (found,))[0].limits == (Limit(LimitKind.NATIVE, 7, granted=7),)


def test_what_was_raised_since_has_no_beginning(stage: Stage, node: Node) -> None:
    account = stage.account()
    draft = stage.draft(account, NativeTokenTransfer(7), ContractAccess(COUNTER))
    call = stage.grant(draft, account).grant.call
    assert stage.owner_tx(account, call).text == "done"
    write = abi.call("onInstall(bytes)", abi.call("f(uint32,uint256)", 1, 8)[4:])
    assert stage.owner_tx(account, abi.execute(NATIVE_TOKEN_LIMIT, 0, write)).text == "done"
    [found] = granted_from_installs(node, read_account(node, account).sessions)
    assert found.limits == (Limit(LimitKind.NATIVE, 8),)


# --- a second RPC


def test_a_second_rpc_that_agrees(stage: Stage, node: Node) -> None:
    account = with_sessions(stage, 2)
    assert read_account(node, account, second=Node(stage.net.url)) == read_account(node, account)


def test_a_second_rpc_that_differs(stage: Stage, node: Node) -> None:
    account = with_sessions(stage, 2)
    second = Changed(stage.net.url)
    limit = f"0xe19500ba{2:064x}"
    second.change = lambda call, real: f"0x{5:064x}" if call[0] == "eth_call" and call[1]["data"].startswith(limit) else real
    reading = read_account(node, account, second=second)
    [finding] = [f for f in reading.findings if f.id == "second-differs"]
    assert finding.sentence == "The two RPCs do not agree about a limit of session 2."


def test_logs_that_one_rpc_leaves_out(stage: Stage) -> None:
    account = with_sessions(stage, 2)
    draft = stage.draft(account, ContractAccess(GAME), entity_id=2**20)
    assert stage.owner_tx(account, stage.grant(draft, account).grant.call).text == "done"
    poor = Changed(stage.net.url)
    poor.change = lambda call, real: real[:2] if call[0] == "eth_getLogs" else real
    assert 2**20 not in ids(read_account(poor, account))
    for first, second in ((poor, Node(stage.net.url)), (Node(stage.net.url), poor)):
        reading = read_account(first, account, second=second)
        assert (ids(reading), said(reading)) == ([1, 2, 2**20], {"second-logs"})


def test_a_second_rpc_that_is_silent_or_of_another_chain(stage: Stage, node: Node) -> None:
    account = with_sessions(stage, 1)
    silent = Changed(stage.net.url)
    silent.change = lambda call, real: RpcError("no", number=-32000)
    assert said(read_account(node, account, second=silent)) == {"second-silent"}
    other = Changed(stage.net.url)
    other.change = lambda call, real: "0x1" if call[0] == "eth_chainId" else real
    with pytest.raises(WrongChain):
        read_account(node, account, second=other)
