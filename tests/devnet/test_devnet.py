"""The practice chain starts quickly, listens to nobody else, stops, and copies published code only from chains that have it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from platformdirs import user_cache_path

from latchkey.accounts.modular_account.addresses import ALLOWLIST, ENTRY_POINT, FACTORY, PAYMASTER_GUARD
from latchkey.core.permissions import ContractAccess
from latchkey.core.types import Address
from tests.chain.stage import COUNT, Stage
from tests.devnet.clone import CannotClone, clone_code
from tests.devnet.devnet import CHAIN_ID, Devnet, Source, devnet
from tests.devnet.needed import packages
from tests.devnet.places import COIN, COUNTER, DOLLAR, PUBLISHED
from tests.devnet.rpc import Rpc, Unreachable

Answers = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module", autouse=True)
def _packages() -> None:
    packages()


@pytest.fixture(scope="module")
def chain() -> Iterator[Devnet]:
    with devnet() as running:
        yield running


def listening(port: int) -> set[str]:
    """Local addresses (as the kernel writes them) of everything that listens on the port."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == "0A" and int(address.rpartition(":")[2], 16) == port:
                found.add(address.partition(":")[0])
    return found


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def cached() -> list[Path]:
    return list((user_cache_path("latchkey", appauthor=False) / "published-code").glob("*"))


# --- a chain by itself


def test_it_starts_in_under_three_seconds_on_loopback_and_stops() -> None:
    for patience in (3, 3, 60):  # on a machine that may have other things to do
        start = time.monotonic()
        with devnet() as running:
            took = time.monotonic() - start
            port = port_of(running.url)
            assert listening(port) == {"0100007F"}
            assert int(running.rpc("eth_chainId"), 16) == CHAIN_ID
        if took < patience:
            break
    assert took < patience
    assert listening(port) == set()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_two_at_once_do_not_meet(chain: Devnet) -> None:
    with devnet() as other:
        assert other.url != chain.url
        other.rpc("anvil_setBalance", DOLLAR, "0x7")
        assert int(chain.rpc("eth_getBalance", DOLLAR, "latest"), 16) == 0


def test_an_exception_inside_stops_it_too() -> None:
    port = 0

    def fail() -> None:
        nonlocal port
        with devnet() as running:
            port = port_of(running.url)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert listening(port) == set()


def test_what_stands_there(chain: Devnet) -> None:
    sources = {p.name: p.source for p in chain.placed}
    assert sources["EntryPoint"] is Source.NPM
    assert sources["AllowlistModule"] is Source.STAND_IN
    assert not chain.cloned
    assert {p.name for p in PUBLISHED if p.needed} <= sources.keys()
    line = str(next(p for p in chain.placed if p.address == ENTRY_POINT))
    assert line.startswith(f"{ENTRY_POINT} 0x8db5ff695839d655407cc8490bb7a5d82337a86a6b39c3f0258aa6c3b582fc58 source=")
    stage = Stage(chain)
    assert [stage.view(t, "(string)", "symbol()") for t in (DOLLAR, COIN)] == ["TUSD", "TCN"]
    assert [stage.view(t, "(uint8)", "decimals()") for t in (DOLLAR, COIN)] == [6, 18]


def test_with_a_bundler_on_loopback(chain: Devnet) -> None:
    with devnet(bundler=True) as running:
        port = port_of(running.bundler_url)
        assert listening(port) == {"0100007F"}
        bundler = Rpc(running.bundler_url)
        assert bundler("eth_supportedEntryPoints") == [str(ENTRY_POINT)]
        bundler.close()
    assert listening(port) == set()


# --- copied code


def hashes(chain: Devnet) -> dict[Address, str]:
    """What a copy of this chain's stand-ins is held against."""
    return {p.address: p.code_hash for p in chain.placed}


def test_copied_from_another_chain(chain: Devnet) -> None:
    with devnet(clone_from=chain.url, known=hashes(chain)) as copy:
        assert copy.cloned
        assert {p.source for p in copy.placed} == {Source.CLONE}
        assert hashes(copy) == hashes(chain)
        stage = Stage(copy)
        account = stage.account(salt=4, deployed=False)
        session = stage.session(stage.grant(stage.draft(account, ContractAccess(COUNTER)), account), account)
        assert session.first(COUNT, deploy=True).text == "done"
    assert cached()


def test_copied_code_is_kept_for_next_time(chain: Devnet) -> None:
    """The second time only the genesis block is asked for."""
    asked: list[str] = []

    def answers(request: dict[str, Any]) -> Any:
        asked.append(request["method"])
        return chain.rpc(request["method"], *request["params"])

    with rpc_server(answers) as url:
        first_code = clone_code(url, known=hashes(chain))
        first = list(asked)
        assert clone_code(url, known=hashes(chain)) == first_code
    assert first.count("eth_getCode") == len(PUBLISHED)
    assert asked == [*first, "eth_getBlockByNumber"]
    assert first_code.keys() == hashes(chain).keys()


# --- chains that cannot be copied from


@contextmanager
def rpc_server(answer: Answers) -> Iterator[str]:
    """A JSON-RPC server whose results `answer` makes up; it may return bytes to answer something that is not JSON-RPC."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            results = [answer(r) for r in (asked if isinstance(asked, list) else [asked])]
            ids = [r["id"] for r in (asked if isinstance(asked, list) else [asked])]
            body: Any = [{"jsonrpc": "2.0", "id": i, "result": r} for i, r in zip(ids, results, strict=True)]
            raw = next((r for r in results if isinstance(r, bytes)), None)
            data = raw if raw is not None else json.dumps(body if isinstance(asked, list) else body[0]).encode()
            try:
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except BrokenPipeError:
                pass  # the asker lost patience, which is what some tests are about

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def liar(chain: Devnet, address: str, code: str) -> Answers:
    """The real chain, but for one contract's code."""

    def answer(request: dict[str, Any]) -> Any:
        if request["method"] == "eth_getCode" and request["params"][0] == address:
            return code
        return chain.rpc(request["method"], *request["params"])

    return answer


def start_from(url: str, **options: Any) -> None:
    with devnet(clone_from=url, **options):
        pass


def said_by(url: str, attempt: Callable[[str], object] = start_from) -> str:
    """The sentence for the person; nothing was kept."""
    before = cached()
    with pytest.raises(CannotClone) as refusal:
        attempt(url)
    assert cached() == before
    return str(refusal.value)


def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert said_by(f"http://127.0.0.1:{port}") == "Nothing was copied. The RPC cannot be reached."


def test_not_an_address() -> None:
    assert said_by("file:///etc/passwd") == "Nothing was copied. The RPC address has to begin with http:// or https://."


def test_slow() -> None:
    waiting = threading.Event()
    with rpc_server(lambda _: waiting.wait(30)) as url:
        start = time.monotonic()
        assert said_by(url, partial(clone_code, timeout=0.2)) == "Nothing was copied. The RPC takes too long to answer."
        assert time.monotonic() - start < 15
        waiting.set()


@pytest.mark.parametrize("answer", [b"<html>", b"7", b"[]", b"{", b"\xff\xfe"])
def test_not_json_rpc(answer: bytes) -> None:
    with rpc_server(lambda _: answer) as url:
        assert said_by(url) == "Nothing was copied. The RPC does not answer in JSON-RPC."


def test_a_chain_without_the_contracts(chain: Devnet) -> None:
    with rpc_server(liar(chain, ALLOWLIST, "0x")) as url:
        assert said_by(url) == "Nothing was copied. This chain has no AllowlistModule."
    with rpc_server(lambda r: {"hash": "0x00"} if r["method"] == "eth_getBlockByNumber" else "0x") as url:
        assert said_by(url).startswith("Nothing was copied. This chain has no EntryPoint, SenderCreator, AccountFactory, ")


@pytest.mark.parametrize("code", [None, 7, "zz", "0x123", "0x" + "00" * 24_577])
def test_no_code_at_all(chain: Devnet, code: Any) -> None:
    with rpc_server(liar(chain, ALLOWLIST, code)) as url:
        assert said_by(url) == "Nothing was copied. The RPC answers with something that is no contract's code."


@pytest.mark.parametrize(
    ("address", "name"),
    [(ENTRY_POINT, "EntryPoint"), (FACTORY, "AccountFactory"), (PAYMASTER_GUARD, "PaymasterGuardModule")],
)
def test_code_that_is_not_what_belongs_there(chain: Devnet, address: Address, name: str) -> None:
    right = chain.rpc("eth_getCode", address, "latest")
    for code in ("0x00", right + "00", right[:-2]):
        with rpc_server(liar(chain, address, code)) as url:
            said = said_by(url, partial(start_from, known=hashes(chain)))
            assert said == f"Nothing was copied. What this RPC shows as {name} is not the published {name}."


def test_stand_ins_are_not_taken_for_the_published_contracts(chain: Devnet) -> None:
    assert said_by(chain.url) == "Nothing was copied. What this RPC shows as AccountFactory is not the published AccountFactory."


def test_an_unreachable_rpc_says_so_in_one_sentence() -> None:
    with pytest.raises(Unreachable) as problem:
        Rpc("http://127.0.0.1:1")("eth_chainId")
    assert str(problem.value) == "The RPC cannot be reached."
