"""Every way ends every session, on every kind of account; afterwards nothing is stored and the key is refused."""

from __future__ import annotations

import time

import pytest

from latchkey.core.account import Mode
from latchkey.flow.ending import Cancel, Revoke, RevokeAll, WayKind
from latchkey.store.endings import Endings, ItemKind, ItemState
from tests.chain.stage import COUNT, OTHER_SESSION, SESSION
from tests.ending.scene import Scene

SENT = [WayKind.BUNDLER, WayKind.OWNER, WayKind.SELF]
GONE = "refused: AA23 reverted, ValidationFunctionMissing(0xb61d27f6)"


@pytest.mark.parametrize("kind", SENT)
@pytest.mark.parametrize("mode", [Mode.SMA, Mode.MA, Mode.EIP7702])
def test_one_session(scene: Scene, mode: Mode, kind: WayKind) -> None:
    if mode is not Mode.SMA:
        scene.as_mode(mode, salt=SENT.index(kind) + 70)
    drafts = [scene.install(41 + SENT.index(kind)), scene.install(51 + SENT.index(kind), key=OTHER_SESSION)]
    assert scene.key_of(drafts[0]).later(COUNT).text == "done"
    [result] = scene.do(Revoke((drafts[0].entity_id,)), kind)
    assert (result.state, result.kind) == (ItemState.DONE, ItemKind.REVOKE), result.sentence
    assert result.sentence == f"Ended in block {result.block}: its key is refused, and nothing of it is stored any more."
    assert scene.left(drafts[0]) == {}
    assert scene.key_of(drafts[0]).later(COUNT).text == GONE
    assert scene.key_of(drafts[1]).later(COUNT).text == "done"
    assert [s.entity_id for s in scene.reading().sessions if s.entity_id in (drafts[0].entity_id, drafts[1].entity_id)] == [
        drafts[1].entity_id
    ]
    [kept] = Endings(scene.book).of(scene.account)
    assert (kept.items[0].state, kept.items[0].block, kept.signed, kept.way) == (ItemState.DONE, result.block, (), kind)


@pytest.mark.parametrize("kind", SENT)
def test_all_at_once(scene: Scene, kind: WayKind) -> None:
    """Ten sessions and a grant that waits, from the reading to the last view in ten seconds."""
    drafts = [scene.install(i, key=SESSION if i % 2 else OTHER_SESSION) for i in range(1, 11)]
    record, waiting = scene.grant(99)
    began = time.monotonic()
    results = scene.do(RevokeAll(), kind)
    took = time.monotonic() - began
    print(f"{kind}: 10 sessions and a grant in {took:.1f} s, {len({r.transaction for r in results})} transactions")
    assert [r.state for r in results] == [ItemState.DONE] * 11, [r.sentence for r in results]
    assert all(scene.left(draft) == {} for draft in drafts)
    assert waiting.first(COUNT).text.startswith("refused: AA2")
    assert scene.reading().sessions == ()
    assert results[-1].grant_id == record.id
    assert took < 60  # ten on a machine that does nothing else


@pytest.mark.parametrize("kind", SENT)
def test_a_grant_is_cancelled(scene: Scene, kind: WayKind) -> None:
    record, waiting = scene.grant(7)
    [result] = scene.do(Cancel((record.id,)), kind)
    assert result.state is ItemState.DONE, result.sentence
    assert result.sentence == f"Cancelled in block {result.block}."
    assert waiting.first(COUNT).text.startswith("refused: AA2")
    [impossible] = scene.plan(Cancel((record.id,))).impossible
    assert (
        impossible.sentence == "This grant can no longer be used: its nonce has passed already, because it was used or cancelled."
    )
