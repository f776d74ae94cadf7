"""Signed ahead, kept in the vault, and used when the usual way is gone."""

from __future__ import annotations

from typing import Any

import pytest

from latchkey.core.session import LimitKind
from latchkey.errors import BadInput, ChainError, Refused
from latchkey.flow.break_glass import BreakGlass, Glass
from latchkey.flow.ending import Lower, RevokeAll, Tighten, WayKind
from latchkey.store.endings import ItemKind, ItemState
from tests.chain import abi
from tests.chain.stage import COUNT, GWEI, OTHER_OWNER
from tests.ending.scene import Scene

GONE = "refused: AA23 reverted, ValidationFunctionMissing(0xb61d27f6)"
DEAD = "http://127.0.0.1:9/"


def glass_of(scene: Scene) -> BreakGlass:
    return BreakGlass(scene.book, lambda: scene.signer, scene.chains, scene.stage.now)


def made(scene: Scene) -> Glass:
    glass = glass_of(scene)
    return glass.sign_and_keep(glass.prepare(scene.reading()))


def filled(scene: Scene) -> tuple[Any, Any, Any]:
    """Two sessions and a grant that waits."""
    drafts = scene.install(1), scene.install(2)
    _, waiting = scene.grant(3)
    return *drafts, waiting


def all_gone(scene: Scene, first: Any, second: Any, waiting: Any) -> bool:
    texts = [scene.key_of(draft).later(COUNT).text for draft in (first, second)]
    return texts == [GONE, GONE] and waiting.first(COUNT).text.startswith("refused: AA2") and scene.reading().sessions == ()


def test_through_the_bundler(scene: Scene) -> None:
    things = filled(scene)
    kept = made(scene)
    assert set(kept.covers.entity_ids) == {1, 2}
    assert len(kept.covers.nonce_keys) == 1
    assert kept.sentences[0].startswith("It ends 2 sessions and 1 grant that waited: all that was known on ")
    assert kept.sentences[1].startswith("The account must hold 0.0")
    results = glass_of(scene).use(kept.id)
    assert sorted((r.kind, r.state) for r in results) == [
        (ItemKind.CANCEL, ItemState.DONE), (ItemKind.REVOKE, ItemState.DONE), (ItemKind.REVOKE, ItemState.DONE)
    ]  # fmt: skip
    assert all_gone(scene, *things)


@pytest.mark.parametrize("via", [WayKind.SELF, WayKind.BUNDLER])
def test_with_the_first_rpc_dead(scene: Scene, via: WayKind) -> None:
    """The second one is asked instead; carried by a key of the vault, or by the bundler."""
    things = filled(scene)
    kept = made(scene)
    scene.use(rpc=DEAD, second_rpc=scene.stage.net.url)
    results = glass_of(scene).use(kept.id, via=via)
    assert [r.state for r in results] == [ItemState.DONE] * 3, [r.sentence for r in results]
    scene.use(rpc=scene.stage.net.url, second_rpc="")
    assert all_gone(scene, *things)


def test_with_a_bundler_and_no_rpc_at_all(scene: Scene) -> None:
    """Handed over blindly, and found when an RPC answers again."""
    things = filled(scene)
    kept = made(scene)
    scene.use(rpc=DEAD)
    results = glass_of(scene).use(kept.id)
    assert {r.state for r in results} == {ItemState.PENDING}
    assert {r.sentence for r in results} == {
        "The bundler took it. No RPC answers, so nobody has looked whether it is in a block yet; Latchkey looks later."
    }
    scene.use(rpc=scene.stage.net.url)
    assert {r.state for r in scene.ending.resume()} == {ItemState.DONE}
    assert all_gone(scene, *things)


def test_without_anything(scene: Scene) -> None:
    filled(scene)
    kept = made(scene)
    scene.use(rpc=DEAD, bundler="")
    with pytest.raises(ChainError, match="reach"):
        glass_of(scene).use(kept.id)


def test_other_endings_do_not_spoil_it(scene: Scene) -> None:
    """Its nonces are its own: the owner went on signing in between. A session revoked meanwhile does not stop it either."""
    first, second, waiting = filled(scene)
    kept = made(scene)
    assert scene.do(Tighten(1, (Lower(LimitKind.NATIVE, 1),)), WayKind.BUNDLER)[0].state is ItemState.DONE
    results = glass_of(scene).use(kept.id)
    assert {r.state for r in results} == {ItemState.DONE}
    assert all_gone(scene, first, second, waiting)


def test_it_still_works_after_some_were_revoked(scene: Scene) -> None:
    filled(scene)
    kept = made(scene)
    scene.do(RevokeAll(), WayKind.OWNER)
    scene.install(4)
    results = glass_of(scene).use(kept.id)
    assert {r.state for r in results} == {ItemState.DONE}
    assert [s.entity_id for s in scene.reading().sessions] == [4]


def test_it_needs_money_in_the_account(scene: Scene) -> None:
    filled(scene)
    kept = made(scene)
    scene.fund(scene.account.address, 0)
    with pytest.raises(ChainError, match="lacks 0\\.") as error:
        glass_of(scene).use(kept.id)
    assert error.value.code == "LackingFunds"


def test_it_dies_with_an_owner_change(scene: Scene) -> None:
    filled(scene)
    kept = made(scene)
    change = abi.call("updateFallbackSignerData(address,bool)", OTHER_OWNER.address, False)
    assert scene.stage.owner_tx(scene.account, change).text == "done"
    results = glass_of(scene).use(kept.id, via=WayKind.SELF)
    assert {(r.state, r.sentence) for r in results} == {
        (ItemState.FAILED, "The account does not take this signature: its owner was changed, or another key owns it.")
    }


def test_a_dear_day(scene: Scene) -> None:
    """The calmest level is too low for the network; a dearer one of the same nonce is taken."""
    things = filled(scene)
    kept = made(scene)
    scene.use(bundler=scene.stage.net.bundler_url + "/v2/rpc")
    scene.stage.rpc("anvil_setNextBlockBaseFeePerGas", hex(12 * GWEI))
    scene.stage.rpc("evm_mine")
    results = glass_of(scene).use(kept.id, via=WayKind.SELF)
    assert {r.state for r in results} == {ItemState.DONE}, [r.sentence for r in results]
    assert all_gone(scene, *things)


def test_a_new_one_is_offered_after_each_grant(scene: Scene) -> None:
    glass = glass_of(scene)
    with pytest.raises(Refused, match="nothing to end"):
        glass.prepare(scene.reading())
    filled(scene)
    assert glass.is_offered(scene.account, (1, 2))
    first = made(scene)
    assert not glass.is_offered(scene.account, (1, 2))
    scene.grant(9)
    assert glass.is_offered(scene.account, (1, 2))
    second = made(scene)
    assert not glass.is_offered(scene.account, (1, 2))
    mine = [one.id for one in glass.sets() if one.account.address == scene.account.address]
    assert mine == [second.id] != [first.id]
    glass.forget(second.id)
    assert glass.is_offered(scene.account, (1, 2))
    with pytest.raises(BadInput, match="no such set"):
        glass.use(second.id)
