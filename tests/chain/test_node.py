"""One node: batches, pauses, faults, proxies, certificates, and that its address is never shown."""

from __future__ import annotations

import logging
import select
import socket
import socketserver
import ssl
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from latchkey.chain.node import (
    BadAnswer,
    Node,
    NotAllowed,
    RpcError,
    Stopped,
    TooLarge,
    TooManyRequests,
    TooSlow,
    Unreachable,
    in_parallel,
    is_busy,
)
from latchkey.core.session import Block
from latchkey.errors import ChainError
from tests import fault_proxy as fault
from tests.certificate import certificate
from tests.devnet.devnet import CHAIN_ID, Devnet
from tests.fault_proxy import Proxy, fault_proxy

SECRET = "a-secret-key"  # in every proxy's address


@pytest.fixture
def proxy(net: Devnet) -> Iterator[Proxy]:
    with fault_proxy(net.url) as proxy:
        yield proxy


def balances(number: int) -> list[tuple[Any, ...]]:
    return [("eth_getBalance", f"0x{i:040x}", "latest") for i in range(number)]


# --- asking


def test_a_call_and_its_error(net: Devnet) -> None:
    node = Node(net.url)
    assert node.chain_id() == CHAIN_ID
    with pytest.raises(RpcError) as refusal:
        node.call("eth_nothing")
    assert refusal.value.number == -32601
    assert refusal.value.message == str(refusal.value)
    assert "eth_nothing" not in refusal.value.text
    assert node.requests == 2


def test_the_head(net: Devnet) -> None:
    node = Node(net.url)
    head = node.head()
    assert isinstance(head, Block)
    assert len(head.hash) == 32
    assert node.head(head.number) == head
    with pytest.raises(BadAnswer):
        node.head(10**9)


def test_nothing_is_asked_before_the_first_call(proxy: Proxy) -> None:
    Node(proxy.url)
    assert proxy.seen == []


def test_thousands_of_calls_are_one_request(proxy: Proxy) -> None:
    node = Node(proxy.url)
    answers = node.many([*balances(2_500), ("eth_nothing",)])
    assert all(isinstance(answer, str) for answer in answers[:-1])
    assert isinstance(answers[-1], RpcError)
    assert node.requests == 1
    assert node.many([]) == []
    assert node.requests == 1


@pytest.mark.parametrize("style", ["object", "status", "each", "first"])
def test_a_node_without_batches(proxy: Proxy, style: str) -> None:
    proxy.faults = [fault.no_batches(style)]
    node = Node(proxy.url)
    assert node.many([("eth_chainId",), ("eth_nothing",), ("eth_blockNumber",)])[0] == hex(CHAIN_ID)
    assert node.batch_size == 1
    proxy.seen.clear()
    node.many(balances(30))
    assert len(proxy.seen) == 30  # it is known by now
    assert proxy.largest == 1


@pytest.mark.parametrize("most", [2, 7, 50, 1_000])
def test_a_limit_of_batches_is_found_and_remembered(proxy: Proxy, most: int) -> None:
    proxy.faults = [fault.batch_limit(most)]
    node = Node(proxy.url)
    expected = Node(proxy.url).many(balances(120))
    assert node.many(balances(120)) == expected
    proxy.seen.clear()
    node.many(balances(120))
    assert proxy.largest <= most


def test_a_busy_moment_does_not_count_as_a_limit(proxy: Proxy) -> None:
    proxy.faults = [fault.first(2, fault.too_many())]
    node = Node(proxy.url)
    node.many(balances(500))
    assert node.batch_size >= 2_500


def test_calls_of_a_batch_that_were_refused_are_asked_again(proxy: Proxy) -> None:
    proxy.faults = [fault.first(1, fault.busy_calls(lambda call: call["id"] % 2 == 0))]
    node = Node(proxy.url)
    assert not any(isinstance(answer, RpcError) for answer in node.many(balances(20)))
    assert node.requests == 2
    assert len(proxy.seen[1]) == 10


def test_answers_of_another_request_are_not_taken(proxy: Proxy) -> None:
    proxy.faults = [fault.on_calls(lambda call, answer: {**answer, "id": call["id"] + 1})]
    node = Node(proxy.url)
    with pytest.raises(BadAnswer):
        node.call("eth_chainId")
    with pytest.raises(BadAnswer):
        node.many(balances(3))


def test_from_many_threads(proxy: Proxy) -> None:
    node = Node(proxy.url)
    expected = node.many(balances(40))
    found = in_parallel([lambda: node.many(balances(40))] * 24)
    assert found == [expected] * 24
    assert node.requests == 25
    with pytest.raises(ZeroDivisionError):
        in_parallel([lambda: 1, lambda: 1 // 0, lambda: 1])


# --- pauses


def test_a_pause_is_kept(proxy: Proxy) -> None:
    proxy.faults = [fault.first(1, fault.too_many("1"))]
    node, began = Node(proxy.url), time.monotonic()
    assert node.chain_id() == CHAIN_ID
    assert 1 <= time.monotonic() - began < 60


def test_a_pause_is_kept_by_all(proxy: Proxy) -> None:
    """While the node wants to be left alone, no other thread asks it."""
    proxy.faults = [fault.first(1, fault.too_many("1"))]
    node = Node(proxy.url)
    with pytest.raises(TooManyRequests):
        Node(proxy.url, timeout=0.2).chain_id()
    proxy.faults = [fault.first(1, fault.too_many("1"))]
    times: list[float] = []
    began = time.monotonic()

    def ask() -> None:
        node.chain_id()
        times.append(time.monotonic() - began)

    threading.Timer(0.3, lambda: in_parallel([ask] * 4)).start()
    ask()
    time.sleep(0.5)
    assert min(times) >= 1


def test_a_long_pause_is_said(proxy: Proxy) -> None:
    proxy.faults = [fault.too_many("600")]
    with pytest.raises(TooManyRequests) as refusal:
        Node(proxy.url).chain_id()
    assert "600 seconds" in refusal.value.text
    assert len(proxy.seen) == 1


@pytest.mark.parametrize(
    ("number", "message", "busy"),
    [
        (429, "whatever", True),
        (-32005, "limit exceeded", True),
        (-32000, "project ID request rate exceeded", True),
        (-32007, "15/second request limit reached", True),
        (-32005, "query returned more than 10000 results", False),
        (-32602, "block range limit exceeded", False),
        (3, "execution reverted: too many requests", False),
        (-32000, "execution reverted: rate limit", False),
        (-32000, "missing trie node", False),
    ],
)
def test_what_counts_as_busy(number: int, message: str, busy: bool) -> None:
    assert is_busy(RpcError(message, number=number)) is busy


# --- faults

FAULTS: dict[str, tuple[fault.Fault, type[ChainError]]] = {
    "dropped": (fault.drops(), Unreachable),
    "cut": (fault.cuts(), Unreachable),
    "hanging": (fault.hangs(10), TooSlow),
    "dripping": (fault.drips(0.01), TooSlow),
    "huge": (fault.huge(), TooLarge),
    "half": (fault.truncates(), BadAnswer),
    "html": (fault.says(b"<html>"), BadAnswer),
    "deep": (fault.says(b'{"result":' * 500_000), BadAnswer),
    "no result": (fault.says(b'{"id": 1}'), BadAnswer),
    "an odd error": (fault.says(b'{"id": 1, "error": 7}'), BadAnswer),
    "no key": (fault.status(401), NotAllowed),
    "no path": (fault.status(404), NotAllowed),
    "broken": (fault.status(500), Unreachable),
    "elsewhere": (lambda _r, _f: fault.Answer(b"", 302, (("Location", "http://127.0.0.1:1/"),)), BadAnswer),
    "packed wrong": (lambda _r, _f: fault.Answer(b"nonsense", 200, (("Content-Encoding", "gzip"),)), BadAnswer),
    "too many": (fault.too_many("9999"), TooManyRequests),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_sentence_in_good_time(proxy: Proxy, name: str, caplog: pytest.LogCaptureFixture) -> None:
    proxy.faults, kind = [FAULTS[name][0]], FAULTS[name][1]
    node = Node(proxy.url, timeout=1 if kind in (TooSlow, TooManyRequests) else 30)
    began = time.monotonic()
    with caplog.at_level(logging.DEBUG), pytest.raises(ChainError) as refusal:
        node.call("eth_chainId")
    assert time.monotonic() - began < 25
    error = refusal.value
    assert type(error) is kind
    shown = "\n".join(
        [error.text, str(error), repr(error), repr(node), node.place, caplog.text, *traceback.format_exception(error)]
    )
    assert SECRET not in shown
    cause: BaseException | None = error
    while cause is not None:
        assert SECRET not in repr(cause)
        cause = cause.__cause__ or cause.__context__


def test_a_bomb_is_not_unpacked(net: Devnet) -> None:
    import gzip

    bomb = gzip.compress(b" " * 300_000_000, 9)
    answer = fault.Answer(bomb, 200, (("Content-Encoding", "gzip"),))
    with fault_proxy(net.url, lambda _r, _f: answer) as proxy, pytest.raises(TooLarge):
        Node(proxy.url).call("eth_chainId")


def test_what_is_sent_is_not_sent_twice(proxy: Proxy) -> None:
    proxy.faults = [fault.drops()]
    node = Node(proxy.url)
    for method in ("eth_sendRawTransaction", "eth_sendUserOperation"):
        proxy.seen.clear()
        with pytest.raises(Unreachable):
            node.call(method, "0x00")
        assert len(proxy.seen) == 1
        with pytest.raises(Unreachable):
            node.many([("eth_chainId",), (method, "0x00")])
        assert len(proxy.seen) == 2


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(Unreachable):
        Node("http://nobody.invalid/", timeout=1).chain_id()


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a.b", "ws://a.b", "http://", "http://a b", "http://a.b:x", "http://a.b:99999", "http://a.b/#x", "http://ä.b"],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(Unreachable) as refusal:
        Node(url)
    assert refusal.value.code == "BadAddress"


def test_stopping(proxy: Proxy) -> None:
    proxy.faults = [fault.hangs(30)]
    for many in (False, True):
        stop = threading.Event()
        node = Node(proxy.url).stoppable(stop)
        threading.Timer(0.2, stop.set).start()
        began = time.monotonic()
        with pytest.raises(Stopped):
            node.many(balances(9)) if many else node.chain_id()
        assert time.monotonic() - began < 15  # and not as long as it hangs


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://eth.example.org/v2/abcdef", "eth.example.org"),
        ("https://user:word@eth.example.org:8443/x?key=y", "eth.example.org:8443"),
        ("https://0123456789abcdef0123456789.rpc.example.org/", "….rpc.example.org"),
        ("http://127.0.0.1:8545", "127.0.0.1:8545"),
        ("http://[::1]:8545", "[::1]:8545"),
    ],
)
def test_what_is_shown_of_an_address(url: str, place: str) -> None:
    node = Node(url)
    assert node.place == place
    assert repr(node) == f"Node({place})"
    assert Node(url).fingerprint == node.fingerprint != Node(url + "/x").fingerprint


# --- on the way


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[misc]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Pipe(socketserver.ThreadingTCPServer):
    """A proxy that takes whatever host it is asked for to `target`. `asked`: hosts and logins it was given."""

    daemon_threads, block_on_close = True, False

    def __init__(self, target: tuple[str, int], handler: Any) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.target, self.asked = target, []  # type: ignore[var-annotated]

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are part of the tests."""


def pump(one: socket.socket, other: socket.socket) -> None:
    with one, other:
        while True:
            ready, _, _ = select.select([one, other], [], [], 10)
            for source in ready:
                data = source.recv(65_536)
                if not data:
                    return
                (other if source is one else one).sendall(data)
            if not ready:
                return


class Socks(socketserver.BaseRequestHandler):
    server: Pipe

    def handle(self) -> None:
        line = self.request
        methods = line.recv(2)[1]
        offered = line.recv(methods)
        if 2 in offered:
            line.sendall(b"\5\2")
            line.recv(1)
            user = line.recv(line.recv(1)[0])
            self.server.asked.append((user, line.recv(line.recv(1)[0])))
            line.sendall(b"\1\0")
        else:
            line.sendall(b"\5\0")
        kind = line.recv(4)[3]
        host = line.recv(line.recv(1)[0]) if kind == 3 else line.recv(4)
        self.server.asked.append((kind, host, int.from_bytes(line.recv(2), "big")))
        line.sendall(b"\5\0\0\1\0\0\0\0\0\0")
        pump(line, socket.create_connection(self.server.target))


class Http(socketserver.StreamRequestHandler):
    """Plain requests and CONNECT."""

    server: Pipe

    def handle(self) -> None:
        first = self.rfile.readline().decode().split()
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        self.server.asked.append((first[0], first[1], headers.get("proxy-authorization")))
        far = socket.create_connection(self.server.target)
        if first[0] == "CONNECT":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            body = self.rfile.read(int(headers["content-length"]))
            head = (
                "POST / HTTP/1.1",
                "Host: x",
                "Content-Type: application/json",
                f"Content-Length: {len(body)}",
                "Connection: close",
            )
            far.sendall("\r\n".join((*head, "", "")).encode() + body)
        pump(self.connection, far)


def place(url: str) -> tuple[str, int]:
    return "127.0.0.1", int(url.rsplit(":", 1)[1])


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_gets_the_name_too(net: Devnet, scheme: str) -> None:
    """So nobody on the way learns from name look-ups which RPC is asked."""
    with Pipe(place(net.url), Socks) as pipe, serving(pipe) as port:
        assert Node("http://rpc.invalid/", proxy=f"{scheme}://127.0.0.1:{port}").chain_id() == CHAIN_ID
        assert pipe.asked == [(3, b"rpc.invalid", 80)]
        pipe.asked.clear()
        assert Node("http://rpc.invalid/", proxy=f"{scheme}://ann:word@127.0.0.1:{port}").chain_id() == CHAIN_ID
        assert pipe.asked[0] == (b"ann", b"word")


def test_an_http_proxy(net: Devnet) -> None:
    with Pipe(place(net.url), Http) as pipe, serving(pipe) as port:
        assert Node("http://rpc.invalid/", proxy=f"http://ann:word@127.0.0.1:{port}").chain_id() == CHAIN_ID
        assert pipe.asked == [("POST", "http://rpc.invalid/", "Basic YW5uOndvcmQ=")]


def test_this_machine_is_asked_without_the_proxy(net: Devnet) -> None:
    assert Node(net.url, proxy="socks5://127.0.0.1:1").chain_id() == CHAIN_ID


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_without_the_proxy_nothing_is_asked(scheme: str) -> None:
    with pytest.raises(Unreachable) as refusal:
        Node("http://rpc.invalid/", proxy=f"{scheme}://127.0.0.1:1", timeout=2).chain_id()
    assert refusal.value.code == "BadProxy"


def test_the_surroundings_are_not_heard(net: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert Node(net.url).chain_id() == CHAIN_ID


class Fixed(BaseHTTPRequestHandler):
    """Knows its chain id."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"jsonrpc": "2.0", "id": 1, "result": "0x7a69"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Quiet(HTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up; that is what is tested."""


@contextmanager
def tls_server(folder: Path) -> Iterator[tuple[int, Path]]:
    """With a certificate of its own for localhost; its file."""
    own = certificate(folder, "localhost")
    server = Quiet(("127.0.0.1", 0), Fixed)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with serving(server) as port:
        yield port, own


def test_certificates_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from latchkey.chain import wire

    with tls_server(tmp_path) as (port, own):
        with pytest.raises(Unreachable) as refusal:
            Node(f"https://localhost:{port}/").chain_id()
        assert refusal.value.code == "BadCertificate"
        monkeypatch.setattr(wire, "_tls", lambda: ssl.create_default_context(cafile=str(own)))
        assert Node(f"https://localhost:{port}/").chain_id() == CHAIN_ID
        with pytest.raises(Unreachable) as refusal:
            Node(f"https://127.0.0.1:{port}/").chain_id()  # the name is checked as well
        assert refusal.value.code == "BadCertificate"
        with Pipe(("127.0.0.1", port), Http) as pipe, serving(pipe) as door:
            proxied = Node("https://localhost.invalid/", proxy=f"http://127.0.0.1:{door}", timeout=2)
            with pytest.raises(Unreachable) as refusal:
                proxied.chain_id()
            assert refusal.value.code == "BadCertificate"
            assert pipe.asked[0][:2] == ("CONNECT", "localhost.invalid:443")
