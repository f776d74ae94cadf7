"""The Wallet APIs: their published schema and client against Latchkey's, one service for both. See wallet_api.mjs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from latchkey.accounts.review import exact
from latchkey.accounts.system import system
from latchkey.chain.wallet_api import WalletApi
from latchkey.codec.hand_over import Envelope, decode, encode, to_json
from latchkey.codec.inbox import open_as
from latchkey.codec.requests import request_to_json
from latchkey.codec.wallet_api import METHOD, CreatedSession, call_params
from latchkey.core.account import Account
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, FunctionsOnContract, GasLimit, NativeTokenTransfer, Root
from latchkey.core.request import SessionRequest
from latchkey.core.types import Address, Selector, to_hex
from latchkey.errors import ChainError, LatchkeyError, Mismatch, Refused
from latchkey.flow import wallet_api
from latchkey.flow.explain import explain
from latchkey.flow.granting import Granting
from latchkey.store.book import Book
from latchkey.store.paths import DataDir
from latchkey.vault.client import SignerClient
from tests.chain import abi
from tests.chain.stage import OWNER, SESSION, Stage
from tests.cli.run import latchkey, refusal, result
from tests.cli.test_vault_and_sign import with_passphrase
from tests.clients.dapp import Dapp
from tests.counts import count
from tests.devnet.devnet import CHAIN_ID
from tests.devnet.places import COUNTER, DOLLAR, GAME
from tests.devnet.program import Program

pytestmark = [pytest.mark.xdist_group("clients"), pytest.mark.timeout(300)]

KEY = "practice-key-0123"
SCOPES = {
    "everything narrow": (
        NativeTokenTransfer(10**15),
        Erc20TokenTransfer(DOLLAR, 5_000_000),
        ContractAccess(COUNTER),
        GasLimit(10**16),
    ),
    "root": (Root(),),
    "a game": (FunctionsOnContract(GAME, (Selector.parse("0x4e71d92d"),)), GasLimit(10**16)),
}


class Service(Program):
    """Alchemy's side on loopback."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(Path(__file__).with_name("wallet_api.mjs"))
        world = {"rpc": stage.net.url, "chainId": CHAIN_ID, "owner": to_hex(OWNER.secret), "key": KEY}
        self.url = str(self.do(serve=world)["url"])
        self._sessions = 0

    def do(self, **request: Any) -> dict[str, Any]:
        answer = self.ask(**request)
        assert "error" not in answer, answer
        return answer

    def will_make(self, entity_id: int = 0, nonce_key: int = 0, **spoil: Any) -> bytes:
        """The session id of what it makes from now on."""
        self._sessions += 1
        name = self._sessions.to_bytes(16, "big")
        ids = {"entityId": entity_id or 100 + self._sessions, "nonceKey": hex(nonce_key), "sessionId": to_hex(name)}
        self.do(next=ids | {"spoil": spoil})
        return name


@pytest.fixture(scope="module")
def service(stage: Stage) -> Iterator[Service]:
    with Service(stage) as service:
        yield service


@pytest.fixture
def api(service: Service) -> Iterator[WalletApi]:
    made = WalletApi(service.url, KEY)
    yield made
    made.close()


@pytest.fixture
def account(stage: Stage, book: Book, salt: int) -> Account:
    made = stage.account(salt=salt)
    book.add_account(made)
    return made


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Book.open(tmp_path / "book.sqlite") as book:
        yield book


@pytest.fixture
def granting(book: Book, signer: SignerClient) -> Granting:
    return Granting(book, lambda: signer, lambda: int(time.time()))


def request(account: Account, scope: str = "a game", **changes: Any) -> SessionRequest:
    end = int(time.time()) + 3600
    made = SessionRequest(SCOPES[scope], "r", account.address, account.chain_id, end, SESSION.address)
    return replace(made, **changes)


def signed(answer: CreatedSession, granting: Granting, book: Book, wanted: SessionRequest | None = None) -> Envelope:
    prepared = wallet_api.asked(answer, book, now=int(time.time()), wanted=wanted)
    return decode(granting.keep(granting.sign(prepared)).envelope or b"")


@pytest.mark.parametrize("scope", list(SCOPES)[: count(2, 3)])
def test_the_context_is_the_one_their_client_makes(
    scope: str, service: Service, api: WalletApi, account: Account, granting: Granting, book: Book
) -> None:
    session_id, wanted = service.will_make(), request(account, scope)
    service.do(seen=True)
    answer = api.create_session(wanted)
    context = signed(answer, granting, book, wanted).context
    assert to_hex(context) == service.do(grant=call_params(wanted))["context"]
    read = service.do(decode=to_hex(context))
    assert (read["contextVersion"], read["sessionId"]) == ("REMOTE_MODE_DEFERRED_ACTION", to_hex(session_id))
    assert context[17:] == bytes.fromhex(read["signature"][2:])
    theirs, ours = (json.dumps(call["params"], sort_keys=True).lower() for call in service.do(seen=True)["all"])
    assert theirs == ours


def test_what_it_made_is_used_on_the_chain(
    service: Service, api: WalletApi, stage: Stage, account: Account, granting: Granting, book: Book
) -> None:
    service.will_make()
    envelope = signed(api.create_session(request(account)), granting, book)
    with Dapp(stage.net) as dapp:
        dapp.take(to_json(envelope), SESSION)
        assert dapp.call(account.address, abi.execute(GAME, 0, abi.call("claim()")))[0] == "done"
    face = system("modular_account")
    grant, _ = exact(face.unsigned_of(envelope.blob), account)
    read = service.do(decode=to_hex(face.context(face.assemble(grant, envelope.context[17:]))))
    assert (read["contextVersion"], read["deferredAction"]) == ("LOCAL_MODE_DEFERRED_ACTION", to_hex(envelope.blob))
    explain(encode(envelope), now=int(time.time()))
    for wrong in (envelope.context[:-1] + b"\0", b"\0" + bytes(16) + envelope.context[17:]):
        with pytest.raises(Mismatch):
            explain(encode(replace(envelope, context=wrong)), now=int(time.time()))


def test_a_session_is_signed_once(service: Service, api: WalletApi, account: Account, granting: Granting, book: Book) -> None:
    service.will_make(entity_id=77, nonce_key=5)
    answer = api.create_session(request(account))
    signed(answer, granting, book)
    others = {"AlreadySigned": answer, "NonceTaken": api.create_session(request(account, expiry=2_000_000_000))}
    service.will_make(entity_id=77, nonce_key=6)
    others["EntityIdTaken"] = api.create_session(request(account))
    for code, other in others.items():
        with pytest.raises(Refused) as caught:
            wallet_api.asked(other, book, now=int(time.time()))
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"permissions": SCOPES["root"]}, "permissions"),
        ({"expiry": 2_000_000_000}, "expirySec"),
        ({"session_key": OWNER.address}, "key"),
    ],
)
def test_another_session_than_the_one_asked_for(
    changes: dict[str, Any], path: str, service: Service, api: WalletApi, account: Account, book: Book
) -> None:
    service.will_make()
    wanted = request(account)
    answer = api.create_session(wanted)
    with pytest.raises(Mismatch) as caught:
        wallet_api.asked(answer, book, now=int(time.time()), wanted=replace(wanted, **changes))
    assert (caught.value.code, caught.value.path) == ("OtherSession", path)


def test_a_digest_that_is_not_of_what_is_shown(service: Service, api: WalletApi, account: Account, book: Book) -> None:
    service.will_make(signatureRequest={"rawPayload": "0x" + "ab" * 32})
    with pytest.raises(Mismatch) as caught:
        wallet_api.asked(api.create_session(request(account)), book, now=int(time.time()))
    assert caught.value.code == "RawPayloadDiffers"


@pytest.mark.parametrize(
    ("spoil", "path"),
    [
        ({"sessionId": "0x00"}, "sessionId"),
        ({"chainId": "0x1"}, "chainId"),
        ({"signatureRequest": {"type": "personal_sign"}}, "signatureRequest.type"),
        ({"signatureRequest": {"data": "0x"}}, "signatureRequest.data"),
    ],
)
def test_an_answer_that_is_none(spoil: dict[str, Any], path: str, service: Service, api: WalletApi, account: Account) -> None:
    service.will_make(**spoil)
    with pytest.raises(ChainError) as caught:
        api.create_session(request(account))
    assert (caught.value.code, caught.value.path) == ("BadAnswer", path)


def test_refusals_are_told_without_the_services_words_and_without_the_key(service: Service, account: Account) -> None:
    service.will_make()
    cases = [
        (WalletApi(service.url, "another-key"), request(account), "BadKey"),
        (WalletApi(service.url, KEY), request(account, permissions=(ContractAccess(account.address),)), "ServiceRefused"),
        (WalletApi("http://127.0.0.1:9", KEY), request(account), "Unreachable"),
    ]
    for api, wanted, code in cases:
        with pytest.raises(ChainError) as caught:
            api.create_session(wanted)
        assert caught.value.code == code
        for text in (caught.value.text, repr(caught.value), repr(api)):
            assert "another-key" not in text
            assert KEY not in text
            assert "authenticated" not in text
        api.close()


@pytest.mark.parametrize("url", ["http://api.example/v2", "ftp://api.example", ""])
def test_an_address_over_which_the_key_could_be_read(url: str) -> None:
    with pytest.raises(LatchkeyError):
        WalletApi(url, KEY)


def test_text_that_was_pasted_is_the_same_answer(service: Service, account: Account, granting: Granting, book: Book) -> None:
    """As a dApp shows it: it asked for itself, and hands the whole JSON-RPC answer on."""
    service.will_make()
    call = json.dumps({"jsonrpc": "2.0", "id": 7, "method": METHOD, "params": [call_params(request(account))]}).encode()
    with urlopen(Request(service.url, call, {"Authorization": f"Bearer {KEY}"}), timeout=30) as reply:
        answer = open_as(reply.read(), CreatedSession)
    assert Address.parse(json.loads(answer.typed_data)["domain"]["verifyingContract"]) == account.address
    assert signed(answer, granting, book).context[:17] == b"\0" + answer.session_id


def test_the_command_line_does_all_of_it(service: Service, stage: Stage, salt: int, tmp_path: Path) -> None:
    """The key into the vault, a session from a request, its context: `latchkey wallet-apis`."""
    folder, account = str(tmp_path / "data"), stage.account(salt=salt)
    command = ("--data-dir", folder, "--json")
    with_passphrase(result, "vault", "import", "-", *command, stdin=to_hex(OWNER.secret))
    with Book.open(DataDir.open(tmp_path / "data").book) as book:
        book.add_account(account)
    asked = json.dumps(request_to_json(request(account)))
    session_id = service.will_make()

    def create(call: Any = result) -> Any:
        return with_passphrase(call, "wallet-apis", "create", "-", "--data-dir", folder, stdin=asked)

    assert json.loads(create(latchkey).stdout)["error"]["code"] == "NotSet"
    assert refusal("wallet-apis", "address", "http://service.example", *command)["path"] == "walletApi"
    assert result("wallet-apis", "address", service.url, *command) == {"address": service.url}
    assert with_passphrase(result, "wallet-apis", "key", "-", *command, stdin=KEY + "\n") == {"kept": True}
    service.do(seen=True)
    made = create()
    assert made["context"] == "0x00" + session_id.hex() + made["signature"][2:]
    assert [call["authorization"] for call in service.do(seen=True)["all"]] == [f"Bearer {KEY}"]
    for file in (tmp_path / "data").rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()
