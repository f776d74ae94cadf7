"""A hostile page or program, as a process of its own: `python -m tests.bridge.attacker PORT KIND COUNT TOKEN`.

Prints one line of JSON: what came of it. It does no more than a page or a program of this computer can do.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

PAGE, EVIL = "https://rooms.example", "https://evil.example"


class Attack:
    """`token`: of a page that is paired; `count`: how often, or how much."""

    def __init__(self, port: int, count: int, token: str) -> None:
        self.port, self.count, self.token = port, count, token
        self.seen: Counter[str] = Counter()

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    def request(self, body: bytes = b"", **headers: str) -> bytes:
        """One POST; `headers` replace the usual ones, "" takes one away."""
        usual = {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in {**usual, **headers}.items() if value]
        return "\r\n".join(["POST / HTTP/1.1", *lines, "", ""]).encode() + body

    async def answer(self, reader: asyncio.StreamReader) -> tuple[str, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = next(int(line.partition(":")[2]) for line in head.lower().split("\r\n") if line.startswith("content-length"))
        return head.split()[1], await reader.readexactly(size)

    async def once(self, data: bytes) -> str:
        """How a whole connection with this ended: the status and the error's code."""
        try:
            reader, writer = await self.open()
            writer.write(data)
            with suppress(ConnectionError):
                await writer.drain()
            async with asyncio.timeout(30):
                status, body = await self.answer(reader)
            writer.close()
            answer = json.loads(body)
            return f"{status} {answer.get('error', {}).get('code', 'result')}"
        except (ConnectionError, asyncio.IncompleteReadError):
            return "cut"

    # --- kinds

    async def rebinding(self) -> None:
        call = rpc("eth_accounts")
        for host in ("evil.example", f"evil.example:{self.port}", f"localhost:{self.port}", f"127.0.0.1.nip.io:{self.port}"):
            self.seen[await self.once(self.request(call, Host=host, Origin=EVIL, Authorization=f"Bearer {self.token}"))] += 1

    async def forged(self) -> None:
        """The origin of the paired page without its token; its token from elsewhere; guessed tokens; no Origin at all."""
        call = rpc("latchkey_getSessions")
        tries: list[dict[str, str]] = [
            {"Origin": PAGE}, {"Origin": EVIL, "Authorization": f"Bearer {self.token}"}, {"Authorization": f"Bearer {self.token}"},
            {"Origin": "null", "Authorization": f"Bearer {self.token}"}, {"Origin": PAGE, "Authorization": "Bearer "},
            *({"Origin": PAGE, "Authorization": f"Bearer {base64.urlsafe_b64encode(os.urandom(32)).decode()}"} for _ in range(5)),
        ]  # fmt: skip
        for headers in tries:
            self.seen[await self.once(self.request(call, **headers))] += 1

    async def flood(self) -> None:
        """`count` calls as fast as they go, some with the token, most without; sessions, pairings and nonsense."""
        bodies = [
            rpc("wallet_createSession", session(1)),
            rpc("eth_accounts"),
            rpc("latchkey_pair", {"code": "666666"}),
            b"{",
            b"[]",
        ]
        left = iter(range(self.count))

        async def line(number: int) -> None:
            reader = writer = None
            for turn in left:
                if writer is None or writer.is_closing():
                    reader, writer = await self.open()
                headers = {"Origin": f"https://evil-{number}.example"}
                if number == 0:
                    headers = {"Origin": PAGE, "Authorization": f"Bearer {self.token}"}
                try:
                    writer.write(self.request(bodies[turn % len(bodies)], **headers))
                    async with asyncio.timeout(0.5):
                        status, _ = await self.answer(reader)
                    self.seen[status] += 1
                except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, StopIteration) as error:
                    self.seen[type(error).__name__] += 1  # a question a person would answer: leave it
                    writer.close()

        await asyncio.gather(*(line(number) for number in range(8)))

    async def body(self) -> None:
        """`count` megabytes, told beforehand, and in pieces."""
        size = self.count << 20
        for headers in ({"Content_Length": str(size)}, {"Transfer_Encoding": "chunked", "Content_Length": ""}):
            reader, writer = await self.open()
            writer.write(self.request(Origin=EVIL, **headers))
            piece = b"[" * 65536
            try:
                for _ in range(size // len(piece)):
                    writer.write(b"10000\r\n" + piece + b"\r\n" if "Transfer_Encoding" in headers else piece)
                    await writer.drain()
                async with asyncio.timeout(30):
                    self.seen[(await self.answer(reader))[0]] += 1
            except (ConnectionError, asyncio.IncompleteReadError):
                self.seen["cut"] += 1
            writer.close()

    async def frames(self) -> None:
        """WebSocket frames that are none."""
        bad = [
            b"\x83\x80\0\0\0\0", b"\x81\x05hello", b"\x81\xff" + b"\xff" * 8 + b"\0" * 4, b"\xf1\x80\0\0\0\0", b"\x09\x80\0\0\0\0",
            b"\x89\xfe\x01\x00\0\0\0\0" + b"x" * 256, b"\x80\x80\0\0\0\0", b"\x81\x82\0\0\0\0\xff\xfe",
            b"\x81\xfe\xff\xff\0\0\0\0" + b"[" * 65535,
            b"\x01\x81\0\0\0\0a\x01\x81\0\0\0\0b", b"\x88\x81\0\0\0\0\x03", b"\x88\x82\0\0\0\0\x00\x01", b"\x82\x81\0\0\0\0x",
            os.urandom(4096),            b"\xc1\x85\0\0\0\0hello",
        ]  # fmt: skip
        for number in range(self.count):
            reader, writer = await self.open()
            try:
                writer.write(handshake(self.port, f"https://evil-{number % 50}.example"))
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(bad[number % len(bad)])
                writer.write_eof()
                async with asyncio.timeout(30):
                    rest = await reader.read()
                self.seen[
                    f"{head.split()[1].decode()} {'closed' if rest[:1] == bytes([0x88]) else 'answered' if rest else 'cut'}"
                ] += 1
            except (ConnectionError, asyncio.IncompleteReadError):
                self.seen["cut"] += 1
            writer.close()

    async def sockets(self) -> None:
        """`count` connections that say nothing, half a head, or a head and no body, all held open; one of the paired page beside them."""
        held = []
        parts = [b"", b"POST / HTTP/1.1\r\nHost: 127", self.request(b"{}", Origin=EVIL)[:-2], handshake(self.port, EVIL)]
        for number in range(self.count):
            with suppress(ConnectionError):
                reader, writer = await self.open()
                writer.write(parts[number % len(parts)])
                held.append((reader, writer))
        for _ in range(5):
            call = self.request(rpc("eth_accounts"), Origin=PAGE, Authorization=f"Bearer {self.token}")
            self.seen[f"the page: {await self.once(call)}"] += 1
        for _, writer in held:
            writer.close()
        self.seen["opened"] = len(held)


def rpc(method: str, *params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def session(number: int) -> dict[str, Any]:
    return {
        "key": {"publicKey": "0x" + "5e" * 20, "type": "secp256k1"},
        "permissions": [{"type": "root"}],
        "latchkey": {"name": "Free money", "requestId": f"evil-{number}"},
    }


def handshake(port: int, origin: str) -> bytes:
    lines = [
        "GET / HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade", f"Origin: {origin}",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def main() -> None:
    port, kind, count, token = sys.argv[1:]
    attack = Attack(int(port), int(count), token)
    kinds: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        name: getattr(attack, name) for name in ("rebinding", "forged", "flood", "body", "frames", "sockets")
    }
    asyncio.run(kinds[kind]())
    print(json.dumps(attack.seen))


if __name__ == "__main__":
    main()
