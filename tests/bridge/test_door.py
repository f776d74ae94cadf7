"""Who is let to the door at all: Host, Origin, no Origin, and what a page may read of a refusal."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from latchkey.bridge.door import is_origin
from tests.bridge.house import PAGE, House

CALL = '{"jsonrpc":"2.0","id":1,"method":"eth_accounts"}'


@pytest.mark.parametrize(
    "origin",
    [
        "https://rooms.example", "https://rooms.example:8443", "https://a-b.xn--bcher-kva.example", "https://192.0.2.7",
        "https://[2001:db8::1]:8443", "http://localhost", "http://localhost:5173", "http://app.localhost:3000",
        "http://127.0.0.1:5173", "http://[::1]:5173", "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://0b1c2d3e-0b1c-2d3e-4f5a-0b1c2d3e4f5a",
    ],
)  # fmt: skip
def test_whom_it_answers(origin: str) -> None:
    assert is_origin(origin)


@pytest.mark.parametrize(
    "origin",
    [
        "", "null", "file://", "http://rooms.example", "http://192.168.1.4", "http://127.0.0.1.evil.example", "http://localhost.example",
        "https://rooms.example/", "https://rooms.example/x", "https://user@rooms.example", "https://Rooms.example",
        "https://rooms.example:0", "https://rooms.example:99999", "https://rooms.example:08", "https://-rooms.example",
        "https://rooms..example", "https://rooms.example ", "https://rooms.example,https://other.example", "https://b\u00fccher.example",
        "https://" + "a" * 400, "ws://localhost", "data:text/html", "about:blank", "chrome-extension://short",
        "https://rooms.example\u202e",
    ],
)  # fmt: skip
def test_whom_it_does_not(origin: str) -> None:
    assert not is_origin(origin)


@pytest.mark.parametrize(
    "host",
    ["evil.example:{port}", "localhost:{port}", "[::1]:{port}", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.:{port}", "0.0.0.0:{port}",
     "127.1:{port}", "2130706433:{port}", "127.0.0.1:{port}.evil.example", None],
)  # fmt: skip
def test_another_host_is_turned_away_without_a_word_for_pages(shared: House, host: str | None) -> None:
    """DNS rebinding: the page's own name leads here, and the browser says so."""
    named = host and host.format(port=shared.port)
    reply = shared.post(CALL, origin=PAGE, Host=named) if named else raw(shared, f"POST / HTTP/1.1\r\nOrigin: {PAGE}\r\n\r\n")
    assert (reply.status, reply.error["code"]) == ((403, 4100) if named else (400, -32600))
    assert "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.parametrize("origin", ["null", "http://rooms.example", "file://"])
def test_another_origin_is_turned_away_without_a_word_for_pages(shared: House, origin: str) -> None:
    for verb in ("POST", "OPTIONS", "GET"):
        reply = shared.post(CALL, origin=origin, verb=verb)
        assert reply.status == 403
        assert "Access-Control-Allow-Origin" not in reply.headers


def test_a_page_cannot_pass_for_a_program(shared: House) -> None:
    """A form or a navigation of a browser may come without an Origin, but not without Sec-Fetch."""
    for headers in ({"Sec_Fetch_Mode": "navigate"}, {"Sec_Fetch_Site": "cross-site"}):
        assert shared.post(CALL, **headers).status == 403
    assert (
        raw(shared, f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{shared.port}\r\nOrigin: {PAGE}\r\nOrigin: {PAGE}\r\n\r\n").status == 403
    )


def test_a_preflight_is_answered(shared: House) -> None:
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization,content-type"}
    reply = shared.post(b"", origin=PAGE, verb="OPTIONS", Access_Control_Request_Private_Network="true", **asked)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Access-Control-Allow-Origin"] == PAGE
    assert reply.headers["Access-Control-Allow-Private-Network"] == "true"
    assert reply.headers["Access-Control-Allow-Methods"] == "POST"
    assert reply.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in reply.headers
    plain = shared.post(b"", origin=PAGE, verb="OPTIONS", **asked)
    assert "Access-Control-Allow-Private-Network" not in plain.headers
    assert shared.post(b"", verb="OPTIONS").status == 405


def test_what_is_no_call_is_turned_away(shared: House) -> None:
    assert shared.post(b"", origin=PAGE, verb="GET").status == 405
    for kind in ("text/plain", "application/x-www-form-urlencoded", None):
        assert shared.post(CALL, origin=PAGE, Content_Type=kind).status == 415
    assert shared.post(CALL, origin=PAGE, Content_Encoding="gzip").status == 415
    assert shared.post(b"x" * (300 * 1024), origin=PAGE).status == 413
    reply = shared.post(CALL, origin=PAGE)
    assert (reply.status, reply.json["result"]) == (200, [])
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Access-Control-Allow-Origin"] == PAGE


def test_only_this_computer_is_answered(shared: House) -> None:
    """It listens at 127.0.0.1 and nowhere else."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    mine = [line[1] for line in lines if line[3] == "0A" and int(line[1].rpartition(":")[2], 16) == shared.port]
    assert mine == [f"0100007F:{shared.port:04X}"]


class Answer:
    """What came back on a bare connection."""

    def __init__(self, data: bytes) -> None:
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = dict(line.split(": ", 1) for line in lines)
        self.error = json.loads(self.body)["error"]


def raw(house: House, text: str) -> Answer:
    with socket.create_connection(("127.0.0.1", house.port), timeout=20) as line:
        line.sendall(text.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").encode("latin-1"))
        data = b""
        while piece := line.recv(65536):
            data += piece
    return Answer(data)
