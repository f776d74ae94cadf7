"""Letting somebody in, asking, being answered: over HTTP and over a WebSocket, with the real process and a real book."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from latchkey.bridge.limits import CONNECTIONS, SOCKETS
from latchkey.codec.hand_over import decode, to_json
from latchkey.core.request import RevocationRequest, SessionRequest
from latchkey.flow.bridge import BridgeState
from latchkey.flow.requests import Answer, RequestKind, RequestState, refusal
from latchkey.store.records import GrantState
from tests.bridge.grants import signed
from tests.bridge.house import PAGE, REQUEST, House, free_port, until
from tests.processes import started
from tests.store.grants import ACCOUNT

_entities = itertools.count(7)


def grant(house: House, state: GrantState = GrantState.SIGNED) -> Any:
    """The person says yes to the question that is open, and the owner's key signs."""
    question = house.question()
    assert isinstance(question.request, SessionRequest)
    record = signed(house.book, question.request, next(_entities), state)
    house.requests.meant(record.id, question.id)
    house.requests.granted(record)
    return record


# --- being let in


def test_nothing_without_a_pairing(house: House, page: str, request_: dict[str, Any]) -> None:
    assert house.call("eth_accounts", origin=page) == []
    for method, params in (
        ("eth_requestAccounts", ()), ("eth_chainId", ()), ("wallet_getCapabilities", ()), ("wallet_createSession", (request_,)),
        ("latchkey_getSessions", ()), ("latchkey_revokeSession", ({"chainId": "0x1", "account": str(ACCOUNT.address), "entityId": 1},)),
    ):  # fmt: skip
        assert house.call(method, *params, origin=page)["code"] == 4100
    assert house.requests.open() == ()


def test_a_page_is_let_in(house: House, page: str) -> None:
    answer = house.later("latchkey_pair", {"code": "042917", "name": "Rooms\u202e"}, origin=page)
    question = house.waiting()
    assert (question.origin, question.name, question.code) == (page, "Rooms", "042917")
    house.host.pair(question, ACCOUNT)
    told = answer.result(20)
    assert told.keys() == {"token", "account", "chainId"}
    assert (told["account"], told["chainId"]) == (ACCOUNT.address, "0x7a69")
    for method in ("eth_accounts", "eth_requestAccounts"):
        assert house.call(method, origin=page, token=told["token"]) == [ACCOUNT.address]
    assert house.call("eth_chainId", origin=page, token=told["token"]) == "0x7a69"
    (kept,) = house.host.pairings.all()
    assert told["token"].encode() not in (house.book._connection.serialize())
    assert (kept.origin, kept.name, kept.account) == (page, "Rooms", ACCOUNT.address)


def test_a_token_is_its_pages_own(house: House, page: str, other: str) -> None:
    token, program = house.pair(page), house.pair("", name="Bot")
    assert house.call("eth_accounts", token=program) == [ACCOUNT.address]
    for origin, wrong in ((other, token), ("", token), (page, program), (page, token[:-1]), (page, "x" * 3000)):
        assert house.call("eth_accounts", origin=origin, token=wrong)["code"] == 4100
    assert house.post("{}", origin=page, Authorization="Basic eDp5").status == 401


def test_who_is_refused_cannot_ask_again_at_once(house: House, page: str, other: str) -> None:
    answer = house.later("latchkey_pair", {"code": "111111"}, origin=page)
    house.host.refuse(house.waiting())
    assert answer.result(20) == {"code": 4001, "message": "The person did not let this page or program in."}
    assert house.call("latchkey_pair", {"code": "111112"}, origin=page)["code"] == 4001
    assert house.host.to_pair() == ()
    assert house.pair(other)


def test_who_comes_under_many_names_is_not_asked_about_for_ever(house: House, page: str, other: str) -> None:
    for origin in (page, other, "https://third.example"):
        answer = house.later("latchkey_pair", {"code": "111111"}, origin=origin)
        house.host.refuse(house.waiting())
        assert answer.result(20)["code"] == 4001
    assert house.host.is_quiet
    assert house.call("latchkey_pair", {"code": "111111"}, origin="https://fourth.example")["code"] == 4001
    assert house.host.to_pair() == ()


def test_a_program_says_what_it_is_called(house: House, request_: dict[str, Any]) -> None:
    assert house.call("latchkey_pair", {"code": "111111"})["code"] == -32602
    token = house.pair("", name="https://bank.example")
    assert house.call("eth_chainId", token=token) == "0x7a69"
    house.later("wallet_createSession", request_, token=token)
    assert house.question().origin == "A program on this computer, “https://bank.example”"


def test_whoever_leaves_is_not_asked_about_any_more(house: House, page: str) -> None:
    async def leave() -> None:
        async with caller(house, page) as socket:
            await send(socket, "latchkey_pair", {"code": "111111"})
            while not house.host.to_pair():
                await asyncio.sleep(0.01)

    asyncio.run(leave())
    until(lambda: not house.host.to_pair())


def test_a_page_without_an_account(house: House, page: str) -> None:
    token = house.pair(page, account=None)
    assert house.call("eth_accounts", origin=page, token=token) == []
    assert house.call("eth_chainId", origin=page, token=token)["code"] == 4900


def test_a_removed_pairing_ends_at_once(house: House, page: str) -> None:
    token = house.pair(page)

    async def listen() -> int | None:
        async with caller(house, page) as socket:
            assert await ask(socket, "latchkey_authenticate", {"token": token}) is True
            assert await ask(socket, "eth_accounts") == [ACCOUNT.address]
            house.host.unpair(house.host.pairings.all()[0].id)
            async with asyncio.timeout(20):
                assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            return socket.close_code

    assert asyncio.run(listen()) == 1008
    assert house.call("eth_accounts", origin=page, token=token)["code"] == 4100


# --- what is known


def test_a_removed_pairing_takes_its_questions_along(house: House, page: str, request_: dict[str, Any]) -> None:
    token = house.pair(page)
    answer = house.later("wallet_createSession", request_, origin=page, token=token)
    question = house.question()
    (pairing,) = [one for one in house.host.pairings.all() if one.origin == page]
    house.host.unpair(pairing.id)
    assert answer.result(20)["code"] == 4100
    assert house.requests.open() == ()
    assert house.requests.get(question.id).state is RequestState.WITHDRAWN


def test_capabilities(house: House, page: str) -> None:
    token = house.pair(page)
    told = house.call("wallet_getCapabilities", origin=page, token=token)
    assert told == house.call("wallet_getCapabilities", ACCOUNT.address, ["0x1", "0x7a69"], origin=page, token=token)
    assert told["0x7a69"]["permissions"]["supported"] is True
    assert "functions-on-contract" in told["0x7a69"]["permissions"]["permissionTypes"]
    assert house.call("wallet_getCapabilities", ACCOUNT.address, ["0x1"], origin=page, token=token) == {}
    assert house.call("wallet_getCapabilities", "0x" + "11" * 20, origin=page, token=token)["code"] == 4100


def test_other_networks(house: House, page: str) -> None:
    token = house.pair(page)
    assert house.call("wallet_switchEthereumChain", {"chainId": "0x7a69"}, origin=page, token=token) is None
    assert house.call("wallet_switchEthereumChain", {"chainId": "0x1"}, origin=page, token=token)["code"] == 4902


@pytest.mark.parametrize(
    ("method", "code", "word"),
    [
        ("eth_sign", 4200, "signs no messages"), ("personal_sign", 4200, "signs no messages"),
        ("eth_signTypedData_v4", 4200, "signs no messages"), ("eth_sendTransaction", 4200, "signs no messages"),
        ("wallet_sendCalls", 4200, "signs no messages"), ("wallet_prepareCalls", 4200, "signs no messages"),
        ("wallet_requestExecutionPermissions", 4200, "No account here can redeem it yet"),
        ("wallet_grantPermissions", 4200, "No account here can redeem it yet"),
        ("wallet_getSupportedExecutionPermissions", 4200, "No account here can redeem it yet"),
        ("wallet_getGrantedExecutionPermissions", 4200, "No account here can redeem it yet"),
        ("wallet_revokeExecutionPermission", 4200, "No account here can redeem it yet"),
        ("eth_call", 4200, "your own RPC"), ("latchkey_everything", -32601, "no such method"), ("", -32601, "no such method"),
    ],
)  # fmt: skip
def test_what_is_not_served_says_so(house: House, page: str, method: str, code: int, word: str) -> None:
    error = until(lambda: (said := house.call(method, {"any": "thing"}, origin=page))["code"] != -32005 and said)
    assert error["code"] == code
    assert word in error["message"]


# --- sessions


def test_a_session_is_granted(house: House, page: str, request_: dict[str, Any]) -> None:
    token = house.pair(page)
    answer = house.later("wallet_createSession", request_, origin=page, token=token)
    question = house.question()
    assert (question.kind, question.origin, question.proven) == (RequestKind.SESSION, page, True)
    assert isinstance(question.request, SessionRequest)
    assert question.request.claims.dapp_url == page  # where it really comes from, whatever it claims
    assert question.request.account == ACCOUNT.address  # the one it was told of
    record = grant(house)
    told = answer.result(20)
    assert told == to_json(decode(record.envelope))
    assert told["context"].startswith("0x01")
    assert until(lambda: house.book.grant(record.id).state is GrantState.HANDED_OVER)
    (session,) = house.call("latchkey_getSessions", origin=page, token=token)
    assert (session["entityId"], session["state"], session["requestId"]) == (
        record.draft.entity_id,
        "unused",
        request_["latchkey"]["requestId"],
    )
    assert (session["chainId"], session["account"]) == ("0x7a69", ACCOUNT.address)
    assert session["permissions"] == request_["permissions"]


def test_a_page_sees_its_own_sessions_only(house: House, page: str, other: str, request_: dict[str, Any]) -> None:
    token, others, again = house.pair(page), house.pair(other), house.pair(page)
    answer = house.later("wallet_createSession", request_, origin=page, token=token)
    record = grant(house)
    assert answer.result(20)["entityId"] == record.draft.entity_id
    assert house.call("latchkey_getSessions", origin=other, token=others) == []
    (session,) = house.call("latchkey_getSessions", origin=page, token=again)  # the same page in another browser
    theirs = {name: session[name] for name in ("chainId", "account", "entityId")}
    assert house.call("latchkey_revokeSession", theirs, origin=other, token=others)["code"] == -32602
    assert house.requests.open() == ()


def test_a_refusal_reaches_the_page_with_its_reason(house: House, page: str, request_: dict[str, Any]) -> None:
    token = house.pair(page)
    answer = house.later("wallet_createSession", request_, origin=page, token=token)
    house.requests.answer(house.question().id, refusal("too-much"))
    error = answer.result(20)
    assert error["code"] == 4001
    assert "It asks for more than I want to give." in error["message"]
    assert "refused" in house.call("wallet_createSession", request_, origin=page, token=token)["message"]  # a replay
    assert house.requests.open() == ()


def test_a_muted_page_is_told_no_and_nothing_else(
    house: House, page: str, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = house.pair(page)
    answer = house.later("wallet_createSession", request_, origin=page, token=token)
    grant(house)
    which = {"chainId": "0x7a69", "account": ACCOUNT.address, "entityId": answer.result(20)["entityId"]}
    calls = (
        ("eth_accounts",),
        ("eth_chainId",),
        ("latchkey_getSessions",),
        ("wallet_getCapabilities",),
        ("wallet_createSession", request_),
    )

    async def muted() -> list[Any]:
        async with caller(house, page) as socket:
            assert await ask(socket, "latchkey_authenticate", {"token": token}) is True
            await ask(socket, "latchkey_getSessions")
            await send(socket, "latchkey_revokeSession", which)
            while not house.requests.open():
                await asyncio.sleep(0.01)
            house.requests.answer(house.question().id, Answer(RequestState.GRANTED))  # sent
            house.requests.mute(page)
            monkeypatch.setattr("latchkey.flow.bridge_sessions.state_of", lambda *_: "revoked")  # and mined
            house.host.refresh()
            async with asyncio.timeout(20):
                ended = await socket.receive_json()
            told = [await ask(socket, *call) for call in calls]  # what came in between would be none of these answers
            house.requests.unmute(page)
            house.host.refresh()
            async with asyncio.timeout(20):
                news = await socket.receive_json()
            assert (news["method"], news["params"][0]["state"]) == ("latchkey_sessionsChanged", "revoked")
            return [ended["error"], *told]

    assert {(one["code"], "hears it again" in one["message"]) for one in asyncio.run(muted())} == {(4001, True)}
    assert house.call("eth_accounts", origin=page, token=token) == [ACCOUNT.address]  # its pairing was kept
    house.requests.mute(page)
    assert house.call("latchkey_pair", {"code": "111111"}, origin=page)["code"] == 4001
    assert (house.requests.open(), house.host.to_pair()) == ((), ())


def test_one_question_at_a_time(house: House, page: str, other: str, request_: dict[str, Any]) -> None:
    token, others = house.pair(page), house.pair(other)
    first = house.later("wallet_createSession", request_, origin=page, token=token)
    until(house.requests.open)
    assert house.call("wallet_createSession", request_, origin=page, token=token)["code"] == -32002
    assert house.call("latchkey_pair", {"code": "111111"}, origin=page, token=token)["code"] == -32002
    second = house.later(
        "wallet_createSession", {**request_, "latchkey": {"requestId": f"{page}-2"[8:]}}, origin=other, token=others
    )
    until(lambda: len(house.requests.open()) == 2)
    for record in house.requests.open():
        house.requests.answer(record.id, refusal("not-now"))
    assert {first.result(20)["code"], second.result(20)["code"]} == {4001}


def test_a_request_ends_with_its_connection(house: House, page: str, request_: dict[str, Any]) -> None:
    token = house.pair(page)

    async def leave() -> None:
        async with aiohttp.ClientSession() as session:
            body = {"jsonrpc": "2.0", "id": 1, "method": "wallet_createSession", "params": [request_]}
            headers = {"Origin": page, "Authorization": f"Bearer {token}"}
            async with session.post(f"http://127.0.0.1:{house.port}/", json=body, headers=headers) as answer:
                assert await answer.content.read(1) == b" "  # a sign of life, long before the answer
                assert answer.status == 200

    asyncio.run(leave())
    until(lambda: not house.requests.open())
    assert house.requests.all()[0].state is RequestState.WITHDRAWN
    answer = house.later("wallet_createSession", request_, origin=page, token=token)  # it may ask again
    house.requests.answer(house.question().id, refusal("not-now"))
    assert answer.result(20)["code"] == 4001


def test_a_grant_that_waits_is_handed_over_later(house: House, page: str, request_: dict[str, Any]) -> None:
    token = house.pair(page)
    answer = house.later("wallet_createSession", request_, origin=page, token=token)
    record = grant(house, state=GrantState.WAITING)
    assert not answer.done()
    house.book.set_state(record.id, GrantState.SIGNED)
    house.requests.granted(house.book.grant(record.id))
    assert answer.result(20)["entityId"] == record.draft.entity_id


# --- ending them


def test_a_revocation_is_the_persons_to_make(house: House, page: str, request_: dict[str, Any]) -> None:
    token = house.pair(page)
    answer = house.later("wallet_createSession", request_, origin=page, token=token)
    grant(house)
    told = answer.result(20)
    which = {"chainId": "0x7a69", "account": told["account"], "entityId": told["entityId"]}
    ending = house.later("latchkey_revokeSession", which, origin=page, token=token)
    question = house.question()
    assert isinstance(question.request, RevocationRequest)
    assert (question.kind, question.request.entity_ids, question.origin) == (RequestKind.REVOCATION, (told["entityId"],), page)
    house.requests.answer(question.id, refusal("not-now"))
    assert ending.result(20)["code"] == 4001


def test_whoever_listens_is_told_what_became_of_it(
    house: House, page: str, request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = house.pair(page)
    answer = house.later("wallet_createSession", request_, origin=page, token=token)
    record = grant(house)
    told = answer.result(20)
    which = {"chainId": "0x7a69", "account": told["account"], "entityId": told["entityId"]}

    async def listen() -> tuple[Any, Any]:
        async with caller(house, page) as socket:
            assert await ask(socket, "latchkey_authenticate", {"token": token}) is True
            await ask(socket, "latchkey_getSessions")
            await send(socket, "latchkey_revokeSession", which)
            while not house.requests.open():
                await asyncio.sleep(0.01)
            house.requests.answer(house.question().id, Answer(RequestState.GRANTED))  # sent
            monkeypatch.setattr("latchkey.flow.bridge_sessions.state_of", lambda *_: "revoked")  # and mined
            house.host.refresh()
            async with asyncio.timeout(20):
                return await socket.receive_json(), await socket.receive_json()

    first, second = sorted(asyncio.run(listen()), key=lambda one: "method" in one)
    assert first["result"] == {"state": "revoked"}
    assert (second["method"], second["params"][0]["state"]) == ("latchkey_sessionsChanged", "revoked")
    assert house.book.grant(record.id).state is GrantState.HANDED_OVER
    assert house.call("latchkey_revokeSession", which, origin=page, token=token) == {"state": "revoked"}  # nothing is left to ask


# --- the process


def test_a_bridge_that_was_taken_over_puts_nothing_odd_before_the_person(house: House, page: str) -> None:
    """What it checks is checked again: who asks stands in a dialog and in notifications."""
    good = {"origin": page, "pairing": 0, "name": "Rooms", "code": "123456"}
    for odd in (
        {"origin": "<img src='file:///etc/motd'>"},
        {"origin": f"{page}\n"},
        {"code": "1"},
        {"code": "1" * 10_000},
        {"code": "<b>12"},
    ):
        house.host._answer(1, "pair", good | odd)
        assert house.host.to_pair() == ()
    house.host._answer(1, "pair", good | {"name": "Rooms\u202e\n" * 10_000})
    (question,) = house.host.to_pair()
    assert len(question.name) <= 80
    assert question.name.isprintable()


def test_who_goes_on_over_the_rate_is_cut_off(house: House, page: str, other: str) -> None:
    """With pings too, which nobody answers by hand."""

    async def flood(origin: str, message: Callable[[aiohttp.ClientWebSocketResponse], Any]) -> int | None:
        async with caller(house, origin) as socket:
            with suppress(ConnectionError):
                for _ in range(1000):
                    await message(socket)
            async with asyncio.timeout(30):
                async for _ in socket:
                    pass
            return socket.close_code

    async def beats() -> Any:
        async with caller(house, "https://beats.example") as socket:
            await socket.ping()
            return await ask(socket, "eth_accounts")

    assert asyncio.run(flood(page, lambda socket: socket.ping())) == aiohttp.WSCloseCode.POLICY_VIOLATION
    assert asyncio.run(flood(other, lambda socket: send(socket, "eth_accounts"))) == aiohttp.WSCloseCode.POLICY_VIOLATION
    assert asyncio.run(beats()) == []


def test_what_is_over_the_rate_is_not_read(house: House, page: str) -> None:
    """Reading takes the time of everybody: then not even the id is looked for, over a socket neither."""
    many = 100

    async def flood() -> list[Any]:
        async with caller(house, page) as socket:
            for _ in range(many):
                await send(socket, "eth_accounts")
            async with asyncio.timeout(30):
                return [await socket.receive_json() for _ in range(many)]

    answers = asyncio.run(flood())
    assert {one["error"]["code"] for one in answers if one["id"] is None} == {-32005}
    assert sum(one["id"] is not None for one in answers) < many / 2  # 20 at a stretch, 4 a second


def test_it_holds_nothing_worth_taking() -> None:
    """No vault, no book, no window, no network library but its own is loaded in it."""
    script = "import sys; import latchkey.bridge.http, latchkey.codec.inbox, latchkey.vault.harden; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split())
    rooms = {name for name in loaded if name.startswith("latchkey.")}
    assert {name for name in rooms if name.startswith("latchkey.vault.")} == {
        "latchkey.vault.cbor", "latchkey.vault.frames", "latchkey.vault.harden",
    }  # fmt: skip
    assert not {name for name in rooms if name.split(".")[1] in ("store", "flow", "ui", "cli", "chain", "accounts")}
    assert not loaded & {"PySide6", "sqlite3", "cryptography", "coincurve", "web3", "eth_account", "keyring"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_hardened_and_dies_with_the_window(fresh: House) -> None:
    process = fresh.host._process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "NoNewPrivs:\t1\n" in status
    assert "Seccomp:\t2\n" in status
    assert re.search("Max file size +0 +0 ", Path(f"/proc/{process.pid}/limits").read_text())
    assert os.getuid() == 0 or not os.access(f"/proc/{process.pid}/mem", os.R_OK)
    fresh.host.stop()
    assert process.wait(60) is not None
    assert fresh.host.state is BridgeState.OFF


@pytest.mark.skipif(sys.platform != "linux", reason="there is no seccomp")
def test_whoever_takes_it_over_can_call_nobody() -> None:
    script = """
import os, socket, subprocess, threading
from latchkey.bridge.confine import confine
from latchkey.vault.harden import harden
listening, other = socket.create_server(("127.0.0.1", 0)), socket.socket()
harden()
assert confine()
def tries():
    for what in (
        lambda: socket.socket(), lambda: other.connect(listening.getsockname()), lambda: other.bind(("127.0.0.1", 0)),
        lambda: os.execv("/bin/true", ["true"]), lambda: subprocess.run(["true"]),
    ):
        try:
            what()
        except PermissionError:
            continue
        print("went through")
    print("done")
thread = threading.Thread(target=tries)
thread.start()
thread.join()
listening.settimeout(0)
try:
    listening.accept()
except BlockingIOError:
    print("listens")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split("\n") == ["done", "listens", ""], done


@pytest.mark.skipif(sys.platform != "linux", reason="kills a window without a word")
def test_a_killed_window_leaves_no_bridge() -> None:
    script = """
import pathlib, sys, tempfile, time
from tests.bridge.house import house
with house(pathlib.Path(tempfile.mkdtemp())) as made:
    print(made.host._process.pid, made.port, flush=True)
    time.sleep(60)
"""
    with started([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as window:
        assert window.stdout is not None
        pid, _port = map(int, window.stdout.readline().split())
        window.kill()
    until(lambda: not _is_alive(pid))


def _is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except OSError:
        return False


def test_a_taken_port_is_said(fresh: House) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        fresh.host.start(taken.getsockname()[1])
        until(lambda: fresh.host.state is BridgeState.PORT_TAKEN)


def test_a_page_of_many_names_keeps_nobody_out(fresh: House) -> None:
    """Sockets of strangers fill the house, each of another origin; who was let in comes in all the same, and stays."""
    token = fresh.pair()

    async def siege() -> Any:
        url = f"http://127.0.0.1:{fresh.port}/"
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as strangers:
            for number in range(CONNECTIONS + 10):
                await strangers.ws_connect(url, headers={"Origin": f"https://a{number // SOCKETS}.evil.example"})
            known = {"Origin": PAGE, "Authorization": f"Bearer {token}"}
            async with aiohttp.ClientSession() as page, page.ws_connect(url, headers=known) as line:
                for number in range(CONNECTIONS, 2 * CONNECTIONS):
                    await strangers.ws_connect(url, headers={"Origin": f"https://a{number}.evil.example"})
                await line.send_json({"jsonrpc": "2.0", "id": 1, "method": "eth_accounts"})
                return (await line.receive_json(timeout=10))["result"]

    assert asyncio.run(siege()) == [str(ACCOUNT.address)]
    assert fresh.call("eth_accounts", origin=PAGE, token=token) == [str(ACCOUNT.address)]


def test_what_is_switched_off_while_it_starts_stays_off(fresh: House) -> None:
    port, before = free_port(), threading.active_count()
    fresh.host.start(port)
    fresh.host.stop()
    until(lambda: threading.active_count() <= before - 2)  # neither it nor the one before lives on: two threads each
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", port)) != 0
    assert fresh.host.state is BridgeState.OFF


def test_a_bridge_that_ends_by_itself_is_noticed(fresh: House) -> None:
    token = fresh.pair()
    answer = fresh.later("wallet_createSession", REQUEST, origin=PAGE, token=token)
    until(fresh.requests.open)
    assert fresh.host._process is not None
    fresh.host._process.kill()
    until(lambda: fresh.host.state is BridgeState.ENDED)
    assert not fresh.requests.open()
    assert answer.exception(20)


def test_an_offline_latchkey_has_none() -> None:
    done = subprocess.run([sys.executable, "-m", "latchkey", "--offline", "bridge"], input=b"", capture_output=True, check=False)
    assert done.returncode != 0
    assert b"No module named" in done.stderr or b"not part of an offline" in done.stderr


# --- callers by WebSocket


@asynccontextmanager
async def caller(house: House, origin: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{house.port}/", headers={"Origin": origin}) as socket,
    ):
        yield socket


async def send(socket: aiohttp.ClientWebSocketResponse, method: str, *params: Any) -> None:
    await socket.send_str(json.dumps({"jsonrpc": "2.0", "id": method, "method": method, "params": params}))


async def ask(socket: aiohttp.ClientWebSocketResponse, method: str, *params: Any) -> Any:
    await send(socket, method, *params)
    async with asyncio.timeout(20):
        answer = await socket.receive_json()
    assert answer["id"] == method
    return answer.get("result", answer.get("error"))


def test_a_socket_that_pairs_is_let_in_at_once(house: House, page: str) -> None:
    async def pair() -> Any:
        async with caller(house, page) as socket:
            assert (await ask(socket, "eth_requestAccounts"))["code"] == 4100
            await send(socket, "latchkey_pair", {"code": "042917"})
            while not house.host.to_pair():
                await asyncio.sleep(0.01)
            house.host.pair(house.host.to_pair()[0], ACCOUNT)
            assert (await socket.receive_json())["result"]["token"]
            return await ask(socket, "eth_requestAccounts")

    assert asyncio.run(pair()) == [ACCOUNT.address]
