"""What goes wrong is said: each sentence here was made by the real chain or the real bundler."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from latchkey.accounts.modular_account.addresses import ALLOWLIST, NATIVE_TOKEN_LIMIT, SINGLE_SIGNER
from latchkey.accounts.modular_account.build import hooks
from latchkey.chain.bundler import Bundler
from latchkey.chain.fees import Fee, Fees
from latchkey.chain.node import Node, RpcError
from latchkey.chain.refusals import SendError, refused
from latchkey.core.session import LimitKind
from latchkey.core.types import Address, to_hex
from latchkey.errors import BadInput, ChainError, Refused
from latchkey.flow import ending_ways
from latchkey.flow.ending import Cancel, Clean, ItemResult, Lower, Revoke, RevokeAll, Tighten, WayKind, chosen
from latchkey.store.endings import Endings, ItemKind, ItemState
from tests.chain import abi
from tests.chain.stage import COUNT, ETHER, GWEI, OTHER_OWNER, OWNER, STRANGER, Key
from tests.chain.state import token_limit
from tests.devnet.devnet import CHAIN_ID
from tests.ending.scene import EVERYTHING, Scene


@pytest.fixture(autouse=True)
def _mined_at_once(scene: Scene) -> Iterator[None]:
    yield
    scene.stage.rpc("evm_setAutomine", True)
    scene.stage.rpc("anvil_dropAllTransactions")
    scene.stage.rpc("evm_mine")


def priced(monkeypatch: pytest.MonkeyPatch, *levels: int) -> None:
    """Fees as somebody might have read them too low."""
    made = Fees(tuple(Fee(level, level) for level in levels))
    monkeypatch.setattr(ending_ways, "fees", lambda node, chain_id: made)


@contextmanager
def doing(act: Callable[[], Any]) -> Iterator[None]:
    """`act` on another thread meanwhile."""
    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def pending(scene: Scene) -> list[str]:
    """Hashes of what waits at the node."""
    pool = scene.stage.rpc("txpool_content")["pending"]
    return [str(t["hash"]) for by_nonce in pool.values() for t in by_nonce.values()]


def until(check: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


# --- before anything is sent


def test_an_account_without_money(scene: Scene) -> None:
    scene.install(1)
    scene.fund(scene.account.address, 0)
    plan = scene.plan(RevokeAll())
    found = {way.kind: way for way in scene.ending.ways(plan)}
    needs = found[WayKind.BUNDLER]
    assert not needs.possible
    assert needs.why_not.startswith(f"The account {scene.account.address} lacks 0.00")
    assert needs.why_not.endswith("Send the difference to it, or choose another way.")
    assert needs.most > 0
    assert not found[WayKind.SELF].possible
    assert found[WayKind.OWNER].possible
    assert found[WayKind.OWNER].payer == OWNER.address
    with pytest.raises(Refused, match="lacks"):
        chosen(scene.ending.ways(plan), WayKind.BUNDLER)
    [result] = scene.do(RevokeAll(), WayKind.OWNER)
    assert result.state is ItemState.DONE


def test_a_deposit_pays_too(scene: Scene) -> None:
    scene.install(1)
    scene.fund(scene.account.address, 0)
    deposit = abi.call("depositTo(address)", scene.account.address)
    assert scene.stage.transact(STRANGER, ending_ways.ENTRY_POINT, deposit, ETHER).text == "done"
    [result] = scene.do(RevokeAll(), WayKind.BUNDLER)
    assert result.state is ItemState.DONE, result.sentence


def test_an_owner_without_money(scene: Scene) -> None:
    scene.install(1)
    before = scene.stage.balance(OWNER.address)
    scene.fund(OWNER.address, 7)
    try:
        way = scene.way(scene.plan(RevokeAll()), WayKind.OWNER)
        assert not way.possible
        assert way.why_not.startswith(f"The key {OWNER.address} lacks ")
        assert "it has 0.000000000000000007 ETH" in way.why_not
        assert not scene.way(scene.plan(RevokeAll()), WayKind.SELF).possible
    finally:
        scene.fund(OWNER.address, before)


def test_an_account_that_is_not_deployed(scene: Scene) -> None:
    bare = scene.stage.account(salt=987_654, deployed=False)
    scene.account = bare
    with pytest.raises(Refused, match="There is nothing to end on this account"):
        scene.plan(RevokeAll())
    record, waiting = scene.grant(3)
    plan = scene.plan(Cancel((record.id,)))
    assert not plan.deployed
    assert scene.way(plan, WayKind.OWNER).why_not.startswith("The account has no code yet")
    [result] = scene.do(Cancel((record.id,)), WayKind.BUNDLER)
    assert result.state is ItemState.DONE, result.sentence
    assert scene.stage.code(bare.address)
    assert waiting.first(COUNT).text.startswith("refused: AA2")


def test_the_wrong_chain(scene: Scene) -> None:
    with closing(Node(scene.stage.net.bundler_url)) as node, pytest.raises(SendError) as error:
        Bundler(node, 1).check()
    assert (error.value.code, error.value.text) == (
        "WrongChain",
        "This endpoint serves chain 31337, not Ethereum (chain 1). Set the right one in Settings.",
    )
    scene.install(1)
    reading = scene.reading()
    with pytest.raises(ChainError, match="No RPC is set for Ethereum"):
        scene.ending.plan(replace(reading, account=replace(scene.account, chain_id=1)), RevokeAll())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"chainId": 1}, "WrongChain"),
        ({"key": Key(b"\x01" * 32)}, "LackingFunds"),
        ({"nonce": -1}, "NonceTaken"),
        ({"maxFeePerGas": 1, "maxPriorityFeePerGas": 1}, "Underpriced"),
        ({"gas": 20_000}, "NotTaken"),
    ],
)
def test_what_a_node_says(scene: Scene, changes: dict[str, Any], code: str) -> None:
    """The node's own words, read for what we know in them, and not shown."""
    from eth_account import Account as Signer

    key = changes.get("key", OWNER)
    nonce = int(scene.stage.rpc("eth_getTransactionCount", key.address, "latest"), 16) + changes.get("nonce", 0)
    fields = {
        "chainId": CHAIN_ID,
        "to": STRANGER.address,
        "gas": 21_000,
        "maxFeePerGas": 9 * GWEI,
        "maxPriorityFeePerGas": 1,
        "value": 1,
    }
    fields |= {name: value for name, value in changes.items() if name in fields} | {"nonce": nonce}
    raw = bytes(Signer.sign_transaction(fields, key.secret).raw_transaction)
    scene.stage.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    scene.stage.rpc("evm_mine")
    with closing(Node(scene.stage.net.url)) as node:
        with pytest.raises(RpcError) as said:
            node.call("eth_sendRawTransaction", to_hex(raw))
        error = refused(said.value)
    assert error.code == code
    assert said.value.message not in error.text


def test_a_bundler_that_is_none(scene: Scene) -> None:
    scene.install(1)
    plan = scene.plan(RevokeAll())
    scene.use(bundler=scene.stage.net.url)
    way = scene.way(plan, WayKind.BUNDLER)
    assert not way.possible
    assert way.why_not
    scene.use(bundler="http://127.0.0.1:9/")
    assert "reach" in scene.way(plan, WayKind.BUNDLER).why_not
    scene.use(bundler="")
    assert scene.way(plan, WayKind.BUNDLER).why_not.startswith("No bundler is set for this network.")
    assert scene.ending.ways(plan)[0].kind is WayKind.OWNER


def test_what_is_not_there(scene: Scene) -> None:
    scene.install(1)
    for what, sentence in [
        (Revoke((2,)), "No session 2 is installed on this account."),
        (Revoke((0,)), "Entity 0 is the owner; it is not revoked here."),
        (Cancel((12345,)), "This grant is not one of the account's."),
        (Tighten(1, (Lower(LimitKind.ERC20, 0, STRANGER.address),)), "This session has no such limit."),
        (Tighten(1, (Lower(LimitKind.NATIVE, ETHER + 1),)), "A limit can only be lowered: choose less than what is left of it."),
        (Tighten(1, until=scene.stage.now() + 10**7), "The end can only be moved forward: choose an earlier time."),
        (Tighten(1, until=0), "The end must lie after the session's beginning; to end it at once, revoke it."),
    ]:
        with pytest.raises((BadInput, Refused)) as error:
            scene.plan(what)
        assert error.value.text == sentence


# --- sent, and not taken


def test_underpriced_by_transaction(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ladder is climbed by itself; when its top is too low as well, that is said."""
    scene.install(1)
    scene.install(2)
    priced(monkeypatch, 1, 2, 20 * GWEI)
    [done] = scene.do(Revoke((1,)), WayKind.OWNER)
    assert done.state is ItemState.DONE, done.sentence
    scene.stage.rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    scene.stage.rpc("evm_mine")
    priced(monkeypatch, 1, 2, 3)
    [result] = scene.do(Revoke((2,)), WayKind.OWNER)
    assert (result.state, result.sentence) == (
        ItemState.FAILED,
        "The fee is too low for this network just now. Try again in a while.",
    )


def test_underpriced_by_bundler(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """alto's older interface takes any fee; its newer one does not."""
    scene.install(1)
    scene.use(bundler=scene.stage.net.bundler_url + "/v2/rpc")
    priced(monkeypatch, 1, 2, 3)
    [result] = scene.do(RevokeAll(), WayKind.BUNDLER)
    assert (result.state, result.sentence) == (
        ItemState.FAILED,
        "The fee is too low for this network just now. Try again in a while.",
    )


def test_dropped(scene: Scene) -> None:
    """Once: it is sent again. Twice: it is said."""
    scene.install(1)
    scene.stage.rpc("evm_setAutomine", False)

    def drop(times: int) -> None:
        gone: set[str] = set()
        for _ in range(times):
            [found] = until(lambda: pending(scene))
            scene.stage.rpc("anvil_dropTransaction", found)
            gone.add(found)
        if times == 1:
            until(lambda: pending(scene))
            scene.stage.rpc("evm_mine")

    with doing(lambda: drop(1)):
        [result] = scene.do(RevokeAll(), WayKind.OWNER)
    assert result.state is ItemState.DONE, result.sentence
    assert "It was dropped; sending it again." in scene.said

    scene.stage.rpc("evm_setAutomine", True)
    scene.install(2)
    scene.stage.rpc("evm_setAutomine", False)
    with doing(lambda: drop(2)):
        [result] = scene.do(RevokeAll(), WayKind.OWNER)
    assert (result.state, result.sentence) == (
        ItemState.FAILED,
        "The network dropped it before it was mined, twice. Nothing changed; try again, or choose another way.",
    )


def test_stuck_is_replaced(scene: Scene) -> None:
    """Same nonce, dearer; what is mined in the end is the replacement."""
    scene.install(1)
    scene.patience = 0.5
    scene.stage.rpc("evm_setAutomine", False)

    def mine_the_second() -> None:
        first = until(lambda: pending(scene))
        until(lambda: pending(scene) not in ([], first))
        scene.stage.rpc("evm_mine")

    with doing(mine_the_second):
        [result] = scene.do(RevokeAll(), WayKind.OWNER)
    assert result.state is ItemState.DONE, result.sentence
    assert "It is stuck; sending it again with a higher fee." in scene.said


def test_the_nonce_is_taken(scene: Scene) -> None:
    scene.install(1)
    scene.stage.rpc("evm_setAutomine", False)

    def overtake() -> None:
        until(lambda: pending(scene))
        scene.stage.rpc("anvil_dropAllTransactions")
        scene.stage.rpc(
            "eth_sendTransaction",
            {"from": OWNER.address, "to": STRANGER.address, "value": "0x1", "gas": hex(50_000), "gasPrice": hex(400 * GWEI)},
        )
        scene.stage.rpc("evm_mine")

    with doing(overtake):
        [result] = scene.do(RevokeAll(), WayKind.OWNER)
    assert (result.state, result.sentence) == (
        ItemState.FAILED,
        "Something else used this nonce first. Nothing of this was done; read the account again and try once more.",
    )


def raced(scene: Scene, kind: WayKind) -> ItemResult:
    """Signed, and before it is sent somebody changed what it is about, so the account undoes it."""
    draft = scene.install(1)
    plan, ending = scene.plan(RevokeAll()), scene.ending
    prepared = ending.prepare(plan, chosen(ending.ways(plan), kind))
    assert scene.stage.owner_op(scene.account, uninstalled_without_cleaning(draft.entity_id)).text == "done"
    [result] = ending.sign_and_send(prepared, scene.said.append)
    return result


def uninstalled_without_cleaning(entity_id: int) -> bytes:
    located = SINGLE_SIGNER.raw + entity_id.to_bytes(4, "big")
    return abi.call("uninstallValidation(bytes24,bytes,bytes[])", located, entity_id.to_bytes(32, "big"), [])


@pytest.mark.parametrize("kind", [WayKind.OWNER, WayKind.BUNDLER, WayKind.SELF])
def test_undone_but_over_all_the_same(scene: Scene, kind: WayKind) -> None:
    """ArrayLengthMismatch: the session was ended by another before. The chain's word counts, not the operation's."""
    result = raced(scene, kind)
    assert (result.state, result.sentence) == (ItemState.DONE, "The chain says it is over, though by something else than this.")


@pytest.mark.parametrize("kind", [WayKind.OWNER, WayKind.BUNDLER, WayKind.SELF])
def test_reverted(scene: Scene, kind: WayKind) -> None:
    """One of two was ended meanwhile: the whole batch is undone, and the other session is said to be there still."""
    scene.install(1)
    scene.install(2)
    plan, ending = scene.plan(RevokeAll()), scene.ending
    prepared = ending.prepare(plan, chosen(ending.ways(plan), kind))
    assert scene.stage.owner_op(scene.account, uninstalled_without_cleaning(1)).text == "done"
    first, second = ending.sign_and_send(prepared, scene.said.append)
    assert first.state is ItemState.DONE
    assert second.state is ItemState.FAILED
    assert "(ArrayLengthMismatch)" in second.sentence
    assert [s.entity_id for s in scene.reading().sessions] == [2]


@pytest.mark.parametrize("kind", [WayKind.BUNDLER, WayKind.SELF])
def test_refused_after_an_owner_change(scene: Scene, kind: WayKind) -> None:
    scene.install(1)
    plan, ending = scene.plan(RevokeAll()), scene.ending
    prepared = ending.prepare(plan, chosen(ending.ways(plan), kind))
    change = abi.call("updateFallbackSignerData(address,bool)", OTHER_OWNER.address, False)
    assert scene.stage.owner_tx(scene.account, change).text == "done"
    [result] = ending.sign_and_send(prepared, scene.said.append)
    assert (result.state, result.sentence) == (
        ItemState.FAILED,
        "The account does not take this signature: its owner was changed, or another key owns it.",
    )
    assert scene.way(scene.plan(RevokeAll()), WayKind.OWNER).why_not.startswith("The owner's key is not in this vault.")


def test_the_person_says_no_by_locking(scene: Scene) -> None:
    scene.install(1)
    plan, ending = scene.plan(RevokeAll()), scene.ending
    prepared = ending.prepare(plan, chosen(ending.ways(plan), WayKind.OWNER))
    stale = replace(prepared, preview=replace(prepared.preview, token=b"gone"))
    with pytest.raises(Refused):
        ending.sign_and_send(stale)
    assert Endings(scene.book).of(scene.account) == ()


# --- modules that would not let go


TRUE = "0x600160005260206000f3"  # says yes to everything
NEVER = "0x60006000fd"  # reverts on everything


@contextmanager
def out_of_order(scene: Scene, module: Address) -> Iterator[None]:
    """The module reverts on everything meanwhile."""
    code = scene.stage.rpc("eth_getCode", module, "latest")
    scene.stage.rpc("anvil_setCode", module, NEVER)
    try:
        yield
    finally:
        scene.stage.rpc("anvil_setCode", module, code)


@pytest.mark.parametrize("kind", [WayKind.OWNER, WayKind.BUNDLER])
def test_an_unknown_hook_that_reverts(scene: Scene, kind: WayKind) -> None:
    """It is passed over: the key dies, and what the known modules keep is cleaned."""
    draft = replace(scene.stage.draft(scene.account, *EVERYTHING, entity_id=6), expiry=scene.stage.now() + 1000)
    stubborn = Address.parse("0x00000000000000000000000000000000000BAd00")
    scene.stage.rpc("anvil_setCode", stubborn, TRUE)
    config = SINGLE_SIGNER.raw + (6).to_bytes(4, "big") + b"\x01"
    installed = [*hooks(draft), stubborn.raw + (6).to_bytes(4, "big") + b"\x01" + b"hello"]
    selectors = [COUNT[:4], bytes.fromhex("34fcd5be")]
    own = (6).to_bytes(32, "big") + bytes(12) + draft.session_key.raw
    install = abi.call("installValidation(bytes25,bytes4[],bytes,bytes[])", config, selectors, own, installed)
    assert scene.stage.owner_tx(scene.account, install).text == "done"
    scene.stage.rpc("anvil_setCode", stubborn, NEVER)
    assert stubborn in [hook.module for hook in scene.reading().sessions[0].hooks]
    [result] = scene.do(Revoke((6,)), kind)
    assert result.state is ItemState.DONE, result.sentence
    assert scene.left(draft) == {}
    assert scene.reading().sessions == ()


def test_a_module_that_would_not_let_go(scene: Scene) -> None:
    """The other form ends the key all the same; what stays is cleaned afterwards."""
    draft, ending = scene.install(3), scene.ending
    reading = scene.reading()
    with out_of_order(scene, NATIVE_TOKEN_LIMIT):
        plan = ending.plan(reading, RevokeAll())
        [item] = plan.items
        assert not item.clean
        assert (
            item.note
            == "One of its modules would not let go, so only its key is ended now; what stays stored can be cleaned afterwards."
        )
        prepared = ending.prepare(plan, chosen(ending.ways(plan), WayKind.BUNDLER))
        [result] = ending.sign_and_send(prepared)
    assert result.state is ItemState.DONE, result.sentence
    assert result.sentence.endswith("its key is refused. What its modules may still keep can be cleaned.")
    assert {"native", "gas", "range"} <= scene.left(draft).keys()
    assert scene.key_of(draft).later(COUNT).text == "refused: AA23 reverted, ValidationFunctionMissing(0xb61d27f6)"
    leftovers = scene.reading().leftovers
    assert leftovers
    results = scene.do(Clean(leftovers), WayKind.BUNDLER)
    assert {(r.kind, r.state) for r in results} == {(ItemKind.CLEAN, ItemState.DONE)}
    assert scene.left(draft) == {}


def test_a_module_that_changes_its_mind(scene: Scene) -> None:
    """It would have let go when it was tried, and does not when it counts: the flag of the event says so, and so do we."""
    draft, ending = scene.install(3), scene.ending
    plan = scene.plan(RevokeAll())
    prepared = ending.prepare(plan, chosen(ending.ways(plan), WayKind.BUNDLER))
    with out_of_order(scene, ALLOWLIST):
        [result] = ending.sign_and_send(prepared)
    assert result.state is ItemState.FAILED
    assert "a module would not forget what it keeps" in result.sentence
    assert scene.left(draft)
    assert scene.reading().sessions == ()


# --- the chain after


def test_lowering_and_shortening(scene: Scene) -> None:
    scene.install(4)
    soon = scene.stage.now() + 600
    limits = {limit.kind: limit for limit in scene.reading().sessions[0].limits}
    lower = (Lower(LimitKind.NATIVE, 5), Lower(LimitKind.ERC20, 6, limits[LimitKind.ERC20].token), Lower(LimitKind.GAS, 7))
    results = scene.do(Tighten(4, lower, soon), WayKind.BUNDLER)
    assert [r.state for r in results] == [ItemState.DONE] * 4, [r.sentence for r in results]
    [session] = scene.reading().sessions
    assert {limit.kind: limit.left for limit in session.limits} == {LimitKind.NATIVE: 5, LimitKind.ERC20: 6, LimitKind.GAS: 7}
    assert session.valid_until == soon
    assert token_limit(scene.stage, scene.account.address, 4) == 5


def test_a_limit_that_was_spent_meanwhile_is_said(scene: Scene) -> None:
    """The key spends between the reading and the block: lowering would give some back, and that is no success."""
    draft = scene.install(4)
    plan, ending = scene.plan(Tighten(4, (Lower(LimitKind.NATIVE, ETHER - 5),))), scene.ending
    prepared = ending.prepare(plan, chosen(ending.ways(plan), WayKind.OWNER))
    set_lower = abi.execute(NATIVE_TOKEN_LIMIT, 0, abi.call("updateLimits(uint32,uint256)", draft.entity_id, 9))
    assert scene.stage.owner_op(scene.account, set_lower).text == "done"
    [result] = ending.sign_and_send(prepared)
    assert result.state is ItemState.FAILED
    assert result.sentence.startswith("The key spent more of it before this was in a block")
