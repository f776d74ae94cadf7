"""What the chain and the book know around a grant, each thing on both sides, and the rules that speak because of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from latchkey.chain.node import Node, RpcError
from latchkey.chain.surroundings import WrongNetwork
from latchkey.core.account import Account
from latchkey.core.facts import Surroundings
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, GasLimit, NativeTokenTransfer, Permission
from latchkey.core.request import Claims
from latchkey.core.risk import findings
from latchkey.core.types import Address
from latchkey.flow.surroundings import surroundings
from latchkey.store.book import Book
from latchkey.store.records import GrantRecord, GrantState
from tests.chain import abi
from tests.chain.cases import DAY
from tests.chain.stage import ETHER, FACE, OTHER_OWNER, OTHER_SESSION, RECEIVER, SESSION, Stage
from tests.devnet.devnet import Devnet
from tests.devnet.places import COIN, COUNTER, DOLLAR, GAME

CAREFUL = (NativeTokenTransfer(0), GasLimit(ETHER))
ELSEWHERE = Address.parse("0x00000000000000000000000000000000000c0de5")
_1967 = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
_BEACON = "0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50"
_OLDER = "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3"
_CLONE = "0x363d3d373d3d3d363d73" + GAME[2:].lower() + "5af43d82803e903d91602b57fd5bf3"


@pytest.fixture
def node(net: Devnet) -> Iterator[Node]:
    with closing(Node(net.url)) as node:
        yield node


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.open(tmp_path / "book.sqlite") as book:
        yield book


class Look:
    """A grant that is to be signed, and what is known around it."""

    def __init__(
        self, stage: Stage, node: Node, *permissions: Permission, account: Account | None = None, entity_id: int = 5
    ) -> None:
        self.stage, self.node = stage, node
        self.account = account or stage.account()
        draft = stage.draft(self.account, *CAREFUL, *permissions, entity_id=entity_id, expiry=stage.now() + DAY)
        self.unsigned = FACE.build(draft).unsigned
        self.draft, self.reading = draft, FACE.decode_unsigned(self.unsigned)

    def around(self, book: Book | None = None, *, now: int | None = None, claims: Claims = Claims()) -> Surroundings:  # noqa: B008
        return surroundings(
            self.reading,
            self.account,
            now=now or self.stage.now(),
            book=book,
            node=self.node,
            claims=claims,
            unsigned=self.unsigned,
        )

    def rules(self, book: Book | None = None, *, now: int | None = None, claims: Claims = Claims()) -> Sequence[str]:  # noqa: B008
        now = now or self.stage.now()
        around = self.around(book, now=now, claims=claims)
        found = findings(self.reading, account=self.account, now=now, surroundings=around)
        return [f.id for f in found if f.id != "contract-any-function"]


def test_a_careful_grant_of_contracts_that_are_there_raises_nothing(stage: Stage, node: Node) -> None:
    look = Look(stage, node, ContractAccess(GAME), Erc20TokenTransfer(DOLLAR, 1000 * 10**6))
    before = node.requests
    assert look.rules() == []
    assert node.requests - before == 1
    assert look.around().balance == 10 * ETHER
    assert look.around().token_balances == ((DOLLAR, 1000 * 10**6),)


@pytest.mark.parametrize(("there", "expected"), [(True, []), (False, ["eoa-as-contract"])])
def test_a_contract_without_code(stage: Stage, node: Node, there: bool, expected: list[str]) -> None:
    assert Look(stage, node, ContractAccess(GAME if there else RECEIVER)).rules() == expected


@pytest.mark.parametrize(
    ("slot", "expected"), [(_1967, ["proxy"]), (_BEACON, ["proxy"]), (_OLDER, ["proxy"]), ("0x" + "00" * 31 + "07", [])]
)
def test_proxies_by_where_they_keep_their_code(stage: Stage, node: Node, slot: str, expected: list[str]) -> None:
    stage.rpc("anvil_setStorageAt", COUNTER, slot, "0x" + "00" * 12 + GAME[2:].lower())
    assert Look(stage, node, ContractAccess(COUNTER)).rules() == expected


def test_a_reviewed_token_is_vouched_for_even_when_it_is_a_proxy(stage: Stage, node: Node) -> None:
    stage.rpc("anvil_setStorageAt", DOLLAR, _1967, "0x" + "00" * 12 + GAME[2:].lower())
    assert Look(stage, node, Erc20TokenTransfer(DOLLAR, 1)).rules() == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("0x600060006000600060006000f400", ["unknown-code"]),
        ("0x61f4f400", []),  # those bytes are a number here
        (_CLONE, []),
        ("0xef0100" + GAME[2:].lower(), ["proxy"]),
    ],
)
def test_code_that_is_lent(stage: Stage, node: Node, code: str, expected: list[str]) -> None:
    stage.rpc("anvil_setCode", ELSEWHERE, code)
    assert Look(stage, node, ContractAccess(ELSEWHERE)).rules() == expected


@pytest.mark.parametrize(("more", "expected"), [(0, []), (1, ["allowance-above-balance"])])
def test_a_token_limit_above_what_is_there(stage: Stage, node: Node, more: int, expected: list[str]) -> None:
    assert Look(stage, node, Erc20TokenTransfer(COIN, 1000 * ETHER + more)).rules() == expected


@pytest.mark.parametrize(("more", "expected"), [(0, []), (1, ["eth-above-balance"])])
def test_a_coin_limit_above_what_is_there(stage: Stage, node: Node, more: int, expected: list[str]) -> None:
    look = Look(stage, node, ContractAccess(GAME))
    draft = replace(look.draft, permissions=(NativeTokenTransfer(10 * ETHER + more), GasLimit(ETHER), ContractAccess(GAME)))
    look.reading = FACE.decode_unsigned(FACE.build(draft).unsigned)
    assert look.rules() == expected


@pytest.mark.parametrize(("apart", "expected"), [(590, []), (-590, []), (700, ["clock-apart"]), (-700, ["clock-apart"])])
def test_the_clock_and_the_chain(stage: Stage, node: Node, apart: int, expected: list[str]) -> None:
    look = Look(stage, node, ContractAccess(GAME))
    chain_time = look.around().chain_time
    assert chain_time is not None
    assert abs(chain_time - stage.now()) < 60
    assert look.rules(now=chain_time + apart) == expected


def test_an_id_that_is_used_and_one_that_was(stage: Stage, node: Node) -> None:
    look = Look(stage, node, ContractAccess(GAME))
    assert look.rules() == []
    other = stage.grant(stage.draft(look.account, ContractAccess(COUNTER), NativeTokenTransfer(3), entity_id=5), look.account)
    assert stage.owner_tx(look.account, other.grant.call).text == "done"
    assert look.rules() == ["entity-id-used"]
    assert Look(stage, node, ContractAccess(GAME), account=look.account, entity_id=6).rules() == []
    located = bytes.fromhex("00000000000099DE0BF6fA90dEB851E2A2df7d83") + (5).to_bytes(4, "big")
    bare = abi.call("uninstallValidation(bytes24,bytes,bytes[])", located, b"", [])
    assert stage.owner_tx(look.account, bare).text == "done"
    assert look.rules() == ["entity-id-used"]  # its limit is still there


def test_an_account_that_is_not_deployed_yet(stage: Stage, node: Node) -> None:
    account = stage.account(owner=OTHER_OWNER, salt=3, deployed=False)
    assert Look(stage, node, ContractAccess(GAME), account=account).rules() == []


def test_the_wrong_network(stage: Stage, node: Node) -> None:
    look = Look(stage, node, ContractAccess(GAME))
    look.account = replace(look.account, chain_id=1)
    with pytest.raises(WrongNetwork):
        look.around()


def kept(book: Book, look: Look, *, key: Address, dapp: str = "", entity_id: int = 77, signed: bool = True) -> GrantRecord:
    draft = replace(look.draft, session_key=key, entity_id=entity_id)
    grant = FACE.build(draft)
    record = GrantRecord(draft, grant.nonce, grant.unsigned, look.stage.now(), claims=Claims(dapp_name=dapp))
    if signed:
        record = replace(record, envelope=b"\x01", state=GrantState.SIGNED)
    return book.add_grant(record)


def test_a_key_that_acts_already(stage: Stage, node: Node, book: Book) -> None:
    look = Look(stage, node, ContractAccess(GAME))
    kept(book, look, key=OTHER_SESSION.address)
    assert look.rules(book) == []
    kept(book, look, key=SESSION.address, entity_id=78)
    assert look.rules(book) == ["session-key-used-elsewhere"]
    assert look.rules(book, now=look.draft.expiry + 1)[0] != "session-key-used-elsewhere"


def test_a_dapp_that_holds_a_session(stage: Stage, node: Node, book: Book) -> None:
    look = Look(stage, node, ContractAccess(GAME))
    kept(book, look, key=OTHER_SESSION.address, dapp="Skirmish Rooms")
    assert look.rules(book, claims=Claims(dapp_name="Another dApp")) == []
    assert look.rules(book, claims=Claims(dapp_name="skirmish rooms")) == ["same-dapp-holds-session"]


def test_an_id_of_the_book(stage: Stage, node: Node, book: Book) -> None:
    look = Look(stage, node, ContractAccess(GAME))
    kept(book, look, key=OTHER_SESSION.address, entity_id=4)
    assert look.rules(book) == []
    kept(book, look, key=OTHER_SESSION.address, entity_id=5, signed=False)
    assert look.rules(book) == ["entity-id-used"]


def test_the_grants_own_record_does_not_count(stage: Stage, node: Node, book: Book) -> None:
    look = Look(stage, node, ContractAccess(GAME))
    grant = FACE.build(look.draft)
    book.add_grant(GrantRecord(look.draft, grant.nonce, grant.unsigned, stage.now(), envelope=b"\x01", state=GrantState.SIGNED))
    assert look.rules(book) == []


def test_without_a_node_the_book_alone_speaks(stage: Stage, node: Node, book: Book) -> None:
    look = Look(stage, node, ContractAccess(RECEIVER))
    kept(book, look, key=OTHER_SESSION.address, entity_id=5)
    around = surroundings(look.reading, look.account, now=stage.now(), book=book)
    assert around.used_entity_ids == {5}
    assert (around.balance, around.chain_time, around.without_code) == (None, None, frozenset())


def test_a_node_that_tells_little_leaves_it_unknown(stage: Stage, node: Node) -> None:
    """Where a node refuses a question, no rule speaks."""
    look = Look(stage, node, ContractAccess(RECEIVER), Erc20TokenTransfer(COIN, 2**200))
    look.node = _Silent(node)  # type: ignore[assignment]
    assert look.rules() == []


class _Silent:
    """Answers what chain it is, and nothing else."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def many(self, calls: Sequence[tuple[object, ...]]) -> list[object]:
        known = self._node.many([("eth_chainId",)])[0]
        return [known if call[0] == "eth_chainId" else RpcError("not now") for call in calls]
