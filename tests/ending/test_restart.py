"""The program is closed in the middle; another machine signs; many sessions at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from latchkey.codec.hand_over import Envelope, Kind, decode, encode
from latchkey.core.permissions import ContractAccess
from latchkey.errors import BadInput, Mismatch, Refused
from latchkey.flow.ending import Revoke, RevokeAll, WayKind
from latchkey.flow.sessions import Sessions
from latchkey.store.endings import Endings, ItemState
from tests.chain.stage import COUNT, FACE, OTHER_OWNER, OWNER, Key
from tests.counts import count
from tests.devnet.devnet import CHAIN_ID
from tests.devnet.places import COUNTER
from tests.ending.scene import Scene


@pytest.fixture(autouse=True)
def _mined_at_once(scene: Scene) -> Iterator[None]:
    yield
    scene.stage.rpc("evm_setAutomine", True)
    scene.stage.rpc("anvil_dropAllTransactions")
    scene.stage.rpc("evm_mine")


def interrupted(scene: Scene, kind: WayKind) -> None:
    """Sent, not mined, and the person closes the window."""
    stop = threading.Event()

    def say(sentence: str) -> None:
        if sentence.startswith("Sent"):
            stop.set()

    plan, ending = scene.plan(RevokeAll()), scene.ending
    prepared = ending.prepare(plan, next(w for w in ending.ways(plan) if w.kind is kind))
    scene.stage.rpc("evm_setAutomine", False)
    results = ending.sign_and_send(prepared, say, stop)
    assert {r.state for r in results} == {ItemState.PENDING}
    assert {r.sentence for r in results} == {"You stopped waiting. What was sent may still be mined; Latchkey looks again later."}


@pytest.mark.parametrize("kind", [WayKind.OWNER, WayKind.SELF, WayKind.BUNDLER])
def test_mined_while_the_program_was_closed(scene: Scene, kind: WayKind) -> None:
    draft = scene.install(1)
    interrupted(scene, kind)
    [view_row] = Sessions(scene.book, scene.chains, scene.stage.now).refresh(scene.account).rows
    assert view_row.state == "revoking"
    if kind is WayKind.BUNDLER:  # alto waits for its own transaction to be mined
        scene.stage.rpc("evm_setIntervalMining", 1)
    scene.stage.rpc("evm_mine")
    [result] = scene.ending.resume()
    assert result.state is ItemState.DONE, result.sentence
    assert scene.left(draft) == {}
    view = Sessions(scene.book, scene.chains, scene.stage.now).refresh(scene.account)
    assert [gone.block for gone in view.gone] == [result.block]
    assert Endings(scene.book).open() == ()
    scene.stage.rpc("evm_setIntervalMining", 0)


def test_dropped_while_the_program_was_closed(scene: Scene) -> None:
    """Nobody has it any more: what was signed is sent again, without another yes."""
    scene.install(1)
    interrupted(scene, WayKind.OWNER)
    scene.stage.rpc("anvil_dropAllTransactions")
    scene.stage.rpc("evm_setAutomine", True)
    [result] = scene.ending.resume()
    assert result.state is ItemState.DONE, result.sentence


def test_ended_by_somebody_else_while_the_program_was_closed(scene: Scene) -> None:
    scene.install(1)
    interrupted(scene, WayKind.OWNER)
    scene.stage.rpc("anvil_dropAllTransactions")
    scene.stage.rpc("evm_setAutomine", True)
    [session] = scene.reading().sessions
    assert scene.stage.owner_tx(scene.account, FACE.end_call(session).data).text == "done"
    [result] = scene.ending.resume()
    assert (result.state, result.sentence) == (ItemState.DONE, "The chain says it is over, though by something else than this.")


def test_the_network_is_gone_at_the_start(scene: Scene) -> None:
    scene.install(1)
    interrupted(scene, WayKind.OWNER)
    scene.use(rpc="http://127.0.0.1:9/")
    [result] = scene.ending.resume()
    assert result.state is ItemState.PENDING
    assert len(Endings(scene.book).open()) == 1


# --- another machine


def signed(envelope: Envelope, key: Key = OWNER) -> Envelope:
    """As a machine with the owner's key would."""
    assert envelope.account is not None
    from latchkey.accounts import transaction as transactions

    face = FACE
    digests = [face.operation_digest(face.decode_operation(data), CHAIN_ID) for data in envelope.operations]
    digests += [transactions.digest(data) for data in envelope.transactions]
    return replace(envelope, kind=envelope.kind.signed, signatures=tuple(key.sign(digest) for digest in digests))


def test_export_and_accept(scene: Scene) -> None:
    draft = scene.install(1)
    plan, ending = scene.plan(Revoke((1,))), scene.ending
    prepared = ending.prepare(plan, scene.way(plan, WayKind.EXPORT))
    with pytest.raises(Refused):
        ending.sign_and_send(prepared)
    [envelope] = ending.export(prepared)
    assert envelope.kind is Kind.UNSIGNED_REVOCATION
    back = decode(encode(signed(decode(encode(envelope)))))
    [result] = scene.ending.accept(back)
    assert result.state is ItemState.DONE, result.sentence
    assert scene.key_of(draft).later(COUNT).text.startswith("refused: AA23")
    with pytest.raises(BadInput):
        scene.ending.accept(envelope)


def test_accepted_without_a_bundler(scene: Scene) -> None:
    scene.install(1)
    plan = scene.plan(RevokeAll())
    [envelope] = scene.ending.export(scene.ending.prepare(plan, scene.way(plan, WayKind.EXPORT)))
    scene.use(bundler="")
    [result] = scene.ending.accept(signed(envelope))
    assert result.state is ItemState.DONE, result.sentence


def test_exported_as_a_transaction_when_the_account_is_empty(scene: Scene) -> None:
    scene.install(1)
    scene.fund(scene.account.address, 0)
    plan = scene.plan(RevokeAll())
    [envelope] = scene.ending.export(scene.ending.prepare(plan, scene.way(plan, WayKind.EXPORT)))
    assert envelope.kind is Kind.UNSIGNED_TRANSACTION
    [result] = scene.ending.accept(decode(encode(signed(envelope))))
    assert result.state is ItemState.DONE, result.sentence


def test_signed_by_somebody_else(scene: Scene) -> None:
    scene.install(1)
    plan = scene.plan(RevokeAll())
    [envelope] = scene.ending.export(scene.ending.prepare(plan, scene.way(plan, WayKind.EXPORT)))
    with pytest.raises(Mismatch, match="owner did not sign"):
        scene.ending.accept(signed(envelope, OTHER_OWNER))


# --- many


@pytest.mark.parametrize("kind", [WayKind.BUNDLER, WayKind.OWNER])
def test_more_than_fit_into_one_operation(scene: Scene, kind: WayKind) -> None:
    sessions = count(20, 300)
    for i in range(1, sessions + 1):
        scene.install(i, *(() if i % 2 else (ContractAccess(COUNTER),)))
    plan = scene.plan(RevokeAll())
    if sessions > 30:
        assert len(plan.batches) > 1
    results = scene.do(RevokeAll(), kind)
    assert {r.sentence for r in results if r.state is not ItemState.DONE} == set()
    assert scene.reading().sessions == ()
