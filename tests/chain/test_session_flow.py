"""Sessions as a person is told of them, on the practice chain: granted, used, spent, expired, revoked; grants that wait; the watch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.ending import uninstall_call
from latchkey.chain.node import Node
from latchkey.codec.hand_over import Envelope, Kind, encode
from latchkey.core.account import Account
from latchkey.core.draft import Draft
from latchkey.core.grant import SignedGrant
from latchkey.core.permissions import Erc20TokenTransfer, FunctionsOnContract, GasLimit, NativeTokenTransfer, Permission
from latchkey.core.session import LimitKind, SessionState
from latchkey.errors import ChainError, LatchkeyError, Refused
from latchkey.flow.chains import Chains
from latchkey.flow.checking import Checks
from latchkey.flow.pending import PendingState
from latchkey.flow.session_rows import Origin, Row, View
from latchkey.flow.sessions import Sessions
from latchkey.flow.watch import NoticeKind, Watch
from latchkey.store.book import Book
from latchkey.store.records import GrantRecord, GrantState
from latchkey.store.settings import NetworkSettings, Settings
from tests.chain import abi
from tests.chain.cases import DAY, MOVE, functions
from tests.chain.stage import ETHER, FACE, GAS, OTHER_OWNER, OTHER_SESSION, OWNER, RECEIVER, STRANGER, Key, Stage
from tests.devnet.devnet import Devnet
from tests.devnet.places import COUNTER, DOLLAR, GAME

PLAY = FunctionsOnContract(GAME, functions(MOVE))
GAS_FOR_FOUR = 4 * GAS.promised
MOVES = abi.execute(GAME, 0, MOVE)


class OneChain(Chains):
    """What Settings hold: an RPC for the practice chain alone."""

    def __init__(self, url: str, second: str = "") -> None:
        super().__init__(lambda: Settings(networks=(NetworkSettings(31337, rpc=url, second_rpc=second),)))


@dataclass
class Desk:
    """A book with one account, and all that reads it."""

    stage: Stage
    book: Book
    chains: OneChain
    account: Account

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.book, self.chains, self.stage.now)  # type: ignore[arg-type]

    @property
    def checks(self) -> Checks:
        return Checks(self.book, self.chains, self.stage.now)  # type: ignore[arg-type]

    def watch(self) -> Watch:
        return Watch(self.sessions, self.book, lambda: 0)

    def draft(self, *permissions: Permission, entity_id: int = 5, **other: object) -> Draft:
        fields = {"expiry": self.stage.now() + DAY} | other
        return self.stage.draft(self.account, *permissions, entity_id=entity_id, **fields)  # type: ignore[arg-type]

    def granted(self, draft: Draft, *, label: str = "Castle", owner: Key = OWNER) -> tuple[SignedGrant, GrantRecord]:
        """Signed by the owner and kept, as the wizard does it."""
        signed = self.stage.grant(draft, self.account, owner=owner, checked=False)
        envelope = Envelope(
            kind=Kind.SIGNED_GRANT,
            permissions=draft.permissions,
            account=replace(self.account, owner=owner.address, label="", mode="address", salt=None, init_code=b""),  # type: ignore[arg-type]
            expiry=draft.expiry,
            session_key=draft.session_key,
            key_type="secp256k1",
            entity_id=draft.entity_id,
            nonce=signed.grant.nonce,
            blob=signed.blob,
        )
        record = GrantRecord(
            draft, signed.grant.nonce, signed.grant.unsigned, 1, label, envelope=encode(envelope), state=GrantState.HANDED_OVER
        )
        return signed, self.book.add_grant(record)

    def view(self) -> View:
        return self.sessions.refresh(self.account)

    def row(self) -> Row:
        [row] = self.view().rows
        return row

    def state(self) -> PendingState:
        [pending] = self.view().pending
        return pending.state

    def as_owner(self, call: bytes, *, owner: Key = OWNER) -> None:
        assert self.stage.owner_tx(self.account, call, owner=owner).text == "done"


@pytest.fixture
def desk(stage: Stage, net: Devnet, tmp_path: Path) -> Iterator[Desk]:
    account = replace(stage.account(), label="Games")
    with Book.open(tmp_path / "book.sqlite") as book, closing(OneChain(net.url)) as chains:
        book.add_account(account)
        yield Desk(stage, book, chains, account)


def left(row: Row, kind: LimitKind) -> tuple[int, int | None]:
    [limit] = [limit for limit in row.session.limits if limit.kind is kind]
    return limit.left, limit.granted


# --- the life of a grant


def test_a_grant_from_the_first_look_to_its_end(desk: Desk) -> None:
    draft = desk.draft(PLAY, NativeTokenTransfer(0), GasLimit(GAS_FOR_FOUR), Erc20TokenTransfer(DOLLAR, 1000))
    signed, _ = desk.granted(draft)

    view = desk.view()
    block = desk.stage.rpc("eth_blockNumber")
    assert view.rows == ()
    assert view.empty.plain == (
        f"No sessions on {desk.account.address} on Practice chain at block {int(block, 16)}. "
        f"Logs of blocks 0 to {int(block, 16)} were read, all of them."
    )
    assert [p.state for p in view.pending] == [PendingState.USABLE]
    assert desk.sessions.cached(desk.account) == view

    session = desk.stage.session(signed, desk.account)
    assert session.first(MOVES).text == "done"
    row = desk.row()
    assert (row.title.plain, row.origin, row.state, row.findings, row.more) == ("Castle", Origin.HERE, SessionState.ACTIVE, (), ())
    assert left(row, LimitKind.GAS) == (GAS_FOR_FOUR - GAS.promised, GAS_FOR_FOUR)
    assert left(row, LimitKind.ERC20) == (1000, 1000)
    assert desk.state() is PendingState.USED
    assert row.complete

    assert session.later(abi.execute(DOLLAR, 0, abi.transfer(RECEIVER, 900))).text == "done"
    row = desk.row()
    assert left(row, LimitKind.ERC20) == (100, 1000)
    assert row.state is SessionState.NEARLY_USED_UP
    assert row.line.plain.startswith("up to 0.0001 TUSD; ")
    assert session.later(abi.execute(DOLLAR, 0, abi.approve(RECEIVER, 100))).text == "done"
    row = desk.row()
    assert row.state is SessionState.USED_UP
    assert any("so far" in phrase.plain for phrase in row.words.most_you_can_lose)

    desk.stage.next_block_at(draft.expiry - 10)
    desk.stage.transact(STRANGER, RECEIVER)
    assert desk.row().state is SessionState.USED_UP
    desk.stage.next_block_at(draft.expiry + 1)
    desk.stage.transact(STRANGER, RECEIVER)
    assert desk.row().state is SessionState.EXPIRED
    assert session.later(MOVES).text.startswith("refused: AA22")

    desk.as_owner(uninstall_call(draft))
    view = desk.view()
    assert view.rows == ()
    assert [p.state for p in view.pending] == [PendingState.USED]
    assert view.pending[0].sentence == "Used: its session, number 5, was on the chain and has ended."
    assert view.reading.leftovers == ()


def test_a_session_of_others_is_told_from_the_chain_alone(desk: Desk) -> None:
    draft = desk.draft(PLAY, NativeTokenTransfer(70), GasLimit(GAS_FOR_FOUR), entity_id=9, session=OTHER_SESSION.address)
    desk.as_owner(FACE.build(draft).call)
    row = desk.row()
    assert (row.title.plain, row.origin, row.label) == ("Not made here", Origin.ELSEWHERE, "")
    assert left(row, LimitKind.NATIVE) == (70, 70)
    assert left(row, LimitKind.GAS) == (GAS_FOR_FOUR, GAS_FOR_FOUR)
    assert [f.id for f in row.findings] == ["not-made-here"]
    spender = desk.stage.session(desk.stage.grant(draft, desk.account), desk.account)
    assert spender.later(MOVES).text == "done"
    assert left(desk.row(), LimitKind.GAS) == (GAS_FOR_FOUR - GAS.promised, GAS_FOR_FOUR)  # remembered from the reading before
    assert left(Desk(desk.stage, desk.book, desk.chains, desk.account).row(), LimitKind.NATIVE) == (70, 70)


def test_what_appears_after_a_look_is_said_to_have_appeared(desk: Desk) -> None:
    desk.sessions.looked(desk.view())
    desk.as_owner(FACE.build(desk.draft(PLAY, NativeTokenTransfer(0), GasLimit(1), entity_id=9)).call)
    view = desk.view()
    assert [f.id for f in view.rows[0].findings][:1] == ["appeared"]
    assert view.rows[0].since_last_look
    desk.sessions.looked(view)
    assert not desk.row().since_last_look


def test_more_than_was_granted_is_said(desk: Desk) -> None:
    draft = desk.draft(PLAY, NativeTokenTransfer(0), GasLimit(GAS_FOR_FOUR))
    signed, _ = desk.granted(draft)
    assert desk.stage.session(signed, desk.account).first(MOVES).text == "done"
    assert desk.row().more == ()
    entry = [(COUNTER, False, False, 0, [])]
    update = abi.call("updateAllowlist(uint32,(address,bool,bool,uint256,bytes4[])[])", 5, entry)
    desk.as_owner(abi.execute(desk.row().session.hooks[-1].module, 0, update))
    row = desk.row()
    assert [phrase.plain for phrase in row.more] == [f"more: any function of {COUNTER}"]
    assert "more-than-granted" in [f.id for f in row.findings]


def test_without_a_network_the_last_reading_is_there(desk: Desk) -> None:
    desk.as_owner(FACE.build(desk.draft(PLAY, GasLimit(5), entity_id=9)).call)
    seen = desk.view()
    offline = Sessions(desk.book, OneChain("http://127.0.0.1:9"), desk.stage.now)
    with pytest.raises(ChainError):
        offline.refresh(desk.account)
    assert offline.cached(desk.account) == seen


def test_an_account_that_is_not_in_the_book_is_read_and_not_kept(desk: Desk) -> None:
    desk.book.remove_account(desk.account)
    desk.as_owner(FACE.build(desk.draft(PLAY, GasLimit(5), entity_id=9)).call)
    view = desk.view()
    assert len(view.rows) == 1
    desk.sessions.looked(view)
    assert desk.sessions.cached(desk.account) is None
    assert not desk.row().since_last_look


def test_several_accounts_arrive_as_they_are_read(desk: Desk) -> None:
    other = desk.stage.account(salt=7)
    elsewhere = replace(other, chain_id=1)
    desk.book.add_account(other)
    arrived: dict[Account, View | LatchkeyError] = {}
    desk.sessions.refresh_all([desk.account, other, elsewhere], lambda account, result: arrived.update({account: result}))
    assert isinstance(arrived[desk.account], View)
    assert isinstance(arrived[other], View)
    assert getattr(arrived[elsewhere], "code", "") == "NotSet"


def test_a_stop_ends_it(desk: Desk) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(ChainError):
        desk.sessions.refresh(desk.account, stop=stop)


# --- grants that wait


def cancel(nonce: int) -> bytes:
    return abi.execute(ENTRY_POINT, 0, abi.call("incrementNonce(uint192)", nonce >> 64))


def test_cancelled_is_only_what_the_chain_has_passed(desk: Desk) -> None:
    signed, record = desk.granted(desk.draft(PLAY, GasLimit(GAS_FOR_FOUR)))
    assert desk.state() is PendingState.USABLE
    desk.as_owner(cancel(record.nonce))
    assert desk.state() is PendingState.CANCELLED
    assert desk.stage.session(signed, desk.account).first(MOVES).text.startswith("refused: ")
    assert desk.view().rows == ()


def test_a_grant_that_sleeps_can_be_woken(desk: Desk) -> None:
    signed, record = desk.granted(desk.draft(PLAY, GasLimit(GAS_FOR_FOUR), sequence=1))
    assert desk.state() is PendingState.DORMANT
    desk.as_owner(cancel(record.nonce))
    assert desk.state() is PendingState.USABLE
    assert desk.stage.session(signed, desk.account).first(MOVES).text == "done"
    assert desk.state() is PendingState.USED


def test_another_owner_makes_a_grant_void_until_the_old_one_comes_back(desk: Desk) -> None:
    signed, _ = desk.granted(desk.draft(PLAY, GasLimit(GAS_FOR_FOUR)))
    desk.as_owner(abi.call("updateFallbackSignerData(address,bool)", OTHER_OWNER.address, False))
    assert desk.state() is PendingState.VOID
    assert desk.stage.session(signed, desk.account).first(MOVES).text.startswith("refused: ")
    desk.as_owner(abi.call("updateFallbackSignerData(address,bool)", OWNER.address, False), owner=OTHER_OWNER)
    assert desk.state() is PendingState.USABLE
    assert desk.stage.session(signed, desk.account).first(MOVES).text == "done"


def test_a_grant_ends_unused(desk: Desk) -> None:
    draft = desk.draft(PLAY, GasLimit(GAS_FOR_FOUR))
    desk.granted(draft)
    desk.stage.next_block_at(draft.expiry + 1)
    desk.stage.transact(STRANGER, RECEIVER)
    assert desk.state() is PendingState.EXPIRED


def test_of_two_grants_with_one_nonce_the_other_was_used(desk: Desk) -> None:
    """Somebody's other grant took the nonce: ours is dead, and was not used."""
    ours, theirs = (desk.draft(PLAY, GasLimit(GAS_FOR_FOUR), entity_id=5, nonce_key_=77) for _ in range(2))
    theirs = replace(theirs, permissions=(PLAY, GasLimit(2 * GAS_FOR_FOUR)))
    desk.granted(ours)
    signed = desk.stage.grant(theirs, desk.account)
    assert desk.stage.session(signed, desk.account).first(MOVES).text == "done"
    row = desk.row()
    assert [phrase.plain.split(":")[0] for phrase in row.more] == ["more ETH for gas"]


# --- before a grant is signed


def test_the_chain_has_nothing_against_a_fitting_grant(desk: Desk) -> None:
    before = desk.chains.node(31337).requests
    assert desk.checks.check(replace(desk.account, owner=OWNER.address), desk.draft(PLAY)) == ()
    assert desk.chains.node(31337).requests - before <= 4


def test_the_owner_of_the_chain_has_to_sign(desk: Desk) -> None:
    desk.as_owner(abi.call("updateFallbackSignerData(address,bool)", OTHER_OWNER.address, False))
    with pytest.raises(Refused) as refused:
        desk.checks.check(replace(desk.account, owner=OWNER.address), desk.draft(PLAY))
    assert refused.value.code == "OwnerDiffers"
    assert desk.checks.check(replace(desk.account, owner=OTHER_OWNER.address), desk.draft(PLAY)) == ()


def test_an_id_that_is_installed_or_was_seen_is_refused(desk: Desk) -> None:
    draft = desk.draft(PLAY, GasLimit(1), entity_id=3)
    desk.as_owner(FACE.build(draft).call)
    with pytest.raises(Refused) as refused:
        desk.checks.check(desk.account, desk.draft(PLAY, entity_id=3))
    assert refused.value.code == "EntityIdUsed"
    desk.view()
    desk.as_owner(uninstall_call(draft))
    with pytest.raises(Refused):
        desk.checks.check(desk.account, desk.draft(PLAY, entity_id=3))
    assert desk.checks.check(desk.account, desk.draft(PLAY, entity_id=4)) == ()


def test_the_smallest_free_id_is_chosen_when_the_chain_was_just_read(desk: Desk) -> None:
    for entity_id in (1, 2, 4):
        desk.as_owner(FACE.build(desk.draft(PLAY, GasLimit(1), entity_id=entity_id)).call)
    assert desk.checks.choose(desk.book, desk.account).entity_id >= 2**20
    desk.view()
    assert desk.checks.choose(desk.book, desk.account).entity_id == 3
    desk.granted(desk.draft(PLAY, entity_id=3))
    assert desk.checks.choose(desk.book, desk.account).entity_id == 5


def test_hooks_on_the_owner_refuse_every_signed_grant(desk: Desk) -> None:
    limit = desk.draft(GasLimit(10 * ETHER), PLAY)
    hook = next(h for h in _hooks_of(limit) if h[24] == 5 and h[:20] != FACE_ALLOWLIST)
    install = abi.call(
        "installValidation(bytes25,bytes4[],bytes,bytes[])", bytes(20) + (0).to_bytes(4, "big") + b"\x07", [], b"", [hook]
    )
    assert desk.stage.owner_tx(desk.account, install).text == "done"
    with pytest.raises(Refused) as refused:
        desk.checks.check(replace(desk.account, owner=OWNER.address), desk.draft(PLAY))
    assert refused.value.code == "OwnerHasHooks"
    desk.granted(desk.draft(PLAY, entity_id=8))
    assert desk.state() is PendingState.DORMANT


def _hooks_of(draft: Draft) -> list[bytes]:
    from eth_abi.abi import decode

    hooks: list[bytes] = list(decode(["bytes25", "bytes4[]", "bytes", "bytes[]"], FACE.build(draft).call[4:])[3])
    return hooks


FACE_ALLOWLIST = bytes.fromhex("00000000003e826473a313e600b5b9b791f5a59a")


def test_another_network_behind_the_rpc_refuses(desk: Desk) -> None:
    class Wrong(OneChain):
        def node(self, chain_id: int) -> Node:
            return super().node(31337)

    account = replace(desk.account, chain_id=1)
    checks = Checks(desk.book, Wrong(desk.stage.net.url), desk.stage.now)
    with pytest.raises(Refused) as refused:
        checks.check(account, replace(desk.draft(PLAY), chain_id=1))
    assert refused.value.code == "WrongChain"


def test_an_rpc_that_does_not_answer_refuses_nothing_and_says_so(desk: Desk) -> None:
    checks = Checks(desk.book, OneChain("http://127.0.0.1:9"), desk.stage.now)
    [finding] = checks.check(desk.account, desk.draft(PLAY))
    assert finding.id == "not-checked"


# --- the watch


def test_the_watch_says_each_thing_once(desk: Desk) -> None:
    def heard() -> list[NoticeKind]:
        return [notice.kind for notice in desk.watch().look()]

    assert heard() == []
    draft = desk.draft(PLAY, NativeTokenTransfer(0), GasLimit(GAS_FOR_FOUR), Erc20TokenTransfer(DOLLAR, 1000))
    signed, _ = desk.granted(draft)
    assert heard() == []
    session = desk.stage.session(signed, desk.account)
    assert session.first(MOVES).text == "done"
    assert (heard(), heard()) == ([NoticeKind.USED], [])
    assert session.later(abi.execute(DOLLAR, 0, abi.transfer(RECEIVER, 800))).text == "done"
    assert (heard(), heard()) == ([NoticeKind.NEARLY_USED_UP], [])
    desk.as_owner(FACE.build(desk.draft(PLAY, GasLimit(5), entity_id=9, expiry=draft.expiry + DAY)).call)
    assert (heard(), heard()) == ([NoticeKind.APPEARED], [])
    desk.stage.next_block_at(draft.expiry - 3_000)
    desk.stage.transact(STRANGER, RECEIVER)
    assert (heard(), heard()) == ([NoticeKind.ENDING], [])
    desk.as_owner(uninstall_call(draft))
    assert heard() == []


# --- what it costs


def test_a_refresh_without_change_takes_three_requests(desk: Desk) -> None:
    """Four while a grant waits, or its session is so young that it may still be replaced."""
    signed, _ = desk.granted(desk.draft(PLAY, GasLimit(GAS_FOR_FOUR)))
    node = desk.chains.node(31337)

    def requests() -> int:
        before = node.requests
        desk.view()
        return node.requests - before

    desk.view()
    assert requests() <= 4
    assert desk.stage.session(signed, desk.account).first(MOVES).text == "done"
    desk.view()
    assert requests() <= 4
    desk.stage.rpc("anvil_mine", "0x50")
    desk.view()
    assert requests() <= 3
