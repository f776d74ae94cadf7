"""The module's provider against the real bridge process, over HTTP and over a WebSocket, from Node."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from latchkey.core.types import Address
from latchkey.vault.client import SignerClient
from tests.bridge.house import House, free_port, house, until
from tests.dapp.module import FOLDER, Thrown
from tests.dapp.person import Person
from tests.devnet.program import Program
from tests.flow.conftest import signer
from tests.flow.test_foreign import ACCOUNT

__all__ = ["signer"]

KEY = "0x" + "5e" * 20
REQUEST: dict[str, Any] = {
    "chainId": "0x7a69",
    "key": {"publicKey": KEY, "type": "secp256k1"},
    "permissions": [{"type": "contract-access", "data": {"address": "0x" + "c0" * 20}}],
}
_numbers = itertools.count()


class Page(Program):
    """A dApp in Node."""

    def __init__(self, port: int, *, socket: bool) -> None:
        super().__init__(Path(__file__).with_name("provider.mjs"))
        self.socket = socket
        self.ask(module=(FOLDER / "latchkey.mjs").as_uri(), connect={"port": port, "name": "Rooms", "socket": socket})

    def start(self, method: str, *args: Any) -> int:
        return int(self.ask(start=method, args=args)["value"])

    def end(self, number: int) -> Any:
        answer = self.ask(end=number)
        if "error" in answer:
            raise Thrown(answer["error"]["code"], answer["error"]["message"])
        return answer.get("value")

    def do(self, method: str, *args: Any) -> Any:
        return self.end(self.start(method, *args))

    def heard(self) -> list[tuple[str, Any]]:
        return [(name, value) for name, value in self.ask(heard=True)["value"]]

    def pair(self, person: Person) -> None:
        """Once: nobody may ask for it again and again."""
        if not self.ask(**{"is": True})["value"]:
            asked = self.start("pair")
            code = person.lets_in()
            told = self.end(asked)
            assert (Address.parse(told["account"]), told["chainId"]) == (ACCOUNT.address, "0x7a69")
            assert self.heard() == [("code", code), ("connect", {"chainId": "0x7a69"}), ("accountsChanged", [told["account"]])]
        self.heard()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("provider")) as made:
        yield made


@pytest.fixture
def asks() -> dict[str, Any]:
    """A request that nobody made before."""
    return REQUEST | {"latchkey": {"requestId": f"r-{next(_numbers)}"}}


@pytest.fixture(scope="module")
def person(home: House, signer: SignerClient) -> Person:
    return Person(home, signer, ACCOUNT)


@pytest.fixture(scope="module", params=[False, True], ids=["http", "socket"])
def page(request: pytest.FixtureRequest, home: House) -> Iterator[Page]:
    with Page(home.port, socket=request.param) as page:
        yield page


def test_pair_ask_list(page: Page, home: House, person: Person, asks: dict[str, Any]) -> None:
    with pytest.raises(Thrown) as caught:
        page.do("createSession", asks)
    assert caught.value.code == 4100
    page.pair(person)
    assert [Address.parse(one) for one in page.do("request", {"method": "eth_accounts"})] == [ACCOUNT.address]

    waits = page.start("createSession", asks)
    grant = person.grants()
    given = page.end(waits)
    assert (given["entityId"], given["requestId"]) == (grant.draft.entity_id, asks["latchkey"]["requestId"])
    session = page.do("sessions")[0]
    assert (session["entityId"], session["key"].lower()) == (grant.draft.entity_id, KEY)


def test_a_no_and_its_reason(page: Page, person: Person, asks: dict[str, Any]) -> None:
    page.pair(person)
    waits = page.start("createSession", asks)
    person.refuses("Not this month")
    with pytest.raises(Thrown) as caught:
        page.end(waits)
    assert caught.value.code == 4001
    assert "Not this month" in caught.value.message


def test_a_question_that_is_taken_back_is_gone(page: Page, home: House, person: Person, asks: dict[str, Any]) -> None:
    page.pair(person)
    waits = page.start("createSession", asks)
    home.question()
    page.ask(abort=waits)
    with pytest.raises(Thrown) as caught:
        page.end(waits)
    assert caught.value.code in ("AbortError", 20)
    until(lambda: not home.requests.open())
    assert page.do("request", {"method": "eth_chainId"}) == "0x7a69"  # a new connection, the same pairing


def test_one_question_at_a_time(page: Page, home: House, person: Person, asks: dict[str, Any]) -> None:
    page.pair(person)
    waits = page.start("createSession", asks)
    home.question()
    with pytest.raises(Thrown) as caught:
        page.do("createSession", asks | {"latchkey": {"requestId": "another"}})
    assert caught.value.code == -32002
    person.refuses("No")
    with pytest.raises(Thrown):
        page.end(waits)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (REQUEST | {"permissions": []}, -32602),
        (REQUEST | {"chainId": "one"}, -32602),
        ({"permissions": REQUEST["permissions"]}, -32602),
        (REQUEST | {"key": {"publicKey": "0x12"}}, -32602),
    ],
)
def test_a_wrong_request_names_its_field(request_: dict[str, Any], code: int, page: Page, person: Person) -> None:
    page.pair(person)
    answer = page.ask(end=page.start("createSession", request_))
    assert answer["error"]["code"] == code
    assert answer["error"]["data"]["path"]


@pytest.mark.parametrize("method", ["personal_sign", "eth_sendTransaction", "wallet_grantPermissions", "wallet_nothing"])
def test_what_it_does_not_do(method: str, page: Page, person: Person) -> None:
    page.pair(person)
    with pytest.raises(Thrown) as caught:
        page.do("request", {"method": method})
    assert caught.value.code == (-32601 if method == "wallet_nothing" else 4200)


def test_sockets_are_told(page: Page, person: Person, asks: dict[str, Any]) -> None:
    page.pair(person)
    waits = page.start("createSession", asks)
    grant = person.grants()
    page.end(waits)
    if page.socket:
        news = until(lambda: [value for name, value in page.heard() if name == "sessionsChanged"])
        assert news[-1][0]["entityId"] == grant.draft.entity_id


def test_a_pairing_that_was_taken_back_is_forgotten(page: Page, home: House, person: Person, asks: dict[str, Any]) -> None:
    page.pair(person)
    home.host.unpair(home.host.pairings.all()[-1].id)
    with pytest.raises(Thrown) as caught:
        page.do("createSession", asks)
    assert caught.value.code in (4100, 4900)
    with pytest.raises(Thrown) as caught:
        page.do("createSession", asks)
    assert caught.value.code == 4100
    assert page.ask(**{"is": True})["value"] is False
    assert ("accountsChanged", []) in page.heard()


def test_nobody_is_there() -> None:
    for socket in (False, True):
        with Page(free_port(), socket=socket) as page:
            with pytest.raises(Thrown) as caught:
                page.do("sessions")
            assert (caught.value.code, "is it running" in caught.value.message) == (4900, True)
