"""The bridge over HTTP and WebSocket: one address, any path, POST or an upgrade; what is not a call is turned away before its body.

A page needs CORS: its own Origin is named in every answer and a preflight is answered for it, with Chromium's private network
header. That is no permission to anything: answers need the pairing's token. Where nobody is admitted (another Host, no proper Origin), no
such header is sent either, so a page learns nothing from the refusal.

An answer that takes a person's time begins at once, with spaces that JSON allows, one every few seconds: so nobody between gives up on it,
and a page that is gone is noticed. It then ends: the question is withdrawn.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any, BinaryIO

from aiohttp import WSCloseCode, WSMsgType, hdrs, web
from aiohttp.web_protocol import RequestHandler

from latchkey.bridge import limits
from latchkey.bridge.bridge import Bridge
from latchkey.bridge.calls import Id, id_of, read_call
from latchkey.bridge.confine import confine
from latchkey.bridge.door import Visitor, bearer, greet
from latchkey.bridge.faults import Code, Fault
from latchkey.bridge.pipe import Pipe
from latchkey.vault.frames import read_frame

_INTERNAL = "Something unforeseen happened in Latchkey's bridge; nothing was granted."


async def serve(source: BinaryIO, sink: BinaryIO) -> int:
    """Answer until the window is gone. Its first frame says where."""
    opening = read_frame(source)
    if opening is None or opening.get("verb") != "open":
        return 1
    bridge = Bridge()
    bridge.set_pairings(opening["pairings"])
    port: int = opening["port"]
    listening = _listen(port)
    confine()
    bridge.pipe = Pipe(source, sink, bridge.told)
    if listening is None:
        bridge.pipe.say(verb="trouble", code="PortTaken")
    else:
        await asyncio.get_running_loop().create_server(Doorway(bridge, port), sock=listening, backlog=limits.CONNECTIONS)
        bridge.pipe.say(verb="listening")
    await asyncio.Event().wait()
    return 0


def _listen(port: int) -> socket.socket | None:
    """None when somebody else has the port."""
    try:
        return socket.create_server(("127.0.0.1", port), backlog=limits.CONNECTIONS)
    except OSError:
        return None


class Doorway(web.Server):
    """Makes a handler for each connection, and has room for so many."""

    def __init__(self, bridge: Bridge, port: int) -> None:
        self._house = House(bridge, port)
        super().__init__(
            self._house.handle,
            handler_cancellation=True,
            keepalive_timeout=limits.HEAD_SECONDS,
            lingering_time=limits.LINGER_SECONDS,
            access_log=None,
            max_line_size=limits.LINE,
            max_field_size=limits.FIELD,
            max_headers=limits.HEADERS,
            auto_decompress=False,
        )

    def __call__(self) -> RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        """When the house is full, the oldest connection that asks nothing goes, then the oldest of who was not let in: thousands that say
        nothing, or that a page opens under as many names, keep nobody out."""
        super().connection_made(handler, transport)
        if len(self._connections) > limits.CONNECTIONS:
            inside = [one for one in self._connections if isinstance(one, Connection) and one is not handler]
            idle = (one for one in inside if not one.is_asking)
            strangers = (one for one in inside if not one.is_known)
            oldest = next(idle, None) or next(strangers, handler)
            self._connections.pop(oldest).abort()


class Connection(RequestHandler):
    """aiohttp's, with errors as everywhere here: a code and a sentence. `is_known`: who speaks was let in."""

    is_known = False

    @property
    def is_asking(self) -> bool:
        return self._current_request is not None

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun")
        sentence = _INTERNAL if status >= 500 else "This is not HTTP as the bridge speaks it."
        response = _json(None, Fault(Code.INTERNAL if status >= 500 else Code.INVALID, sentence, status=status))
        response.force_close()
        return response


class House:
    """What is done with a request."""

    def __init__(self, bridge: Bridge, port: int) -> None:
        self._bridge, self._port = bridge, port

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        cors: dict[str, str] = {}
        try:
            visitor = greet(request.headers, self._port)
            cors = _cors(visitor)
            if request.method == hdrs.METH_OPTIONS:
                return _preflight(request, cors)
            if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
                return await self._socket(request, visitor)
            return await self._post(request, visitor, cors)
        except Fault as fault:
            return _json(None, fault, cors)

    # --- HTTP

    async def _post(self, request: web.BaseRequest, visitor: Visitor, cors: dict[str, str]) -> web.StreamResponse:
        if request.method != hdrs.METH_POST:
            raise Fault(Code.INVALID, "Send JSON-RPC calls with POST, or open a WebSocket.", status=405)
        if request.content_type != "application/json" or request.headers.get(hdrs.CONTENT_ENCODING):
            raise Fault(Code.INVALID, "Send the call as application/json, not compressed.", status=415)
        visitor = self._shown(visitor, bearer(request.headers))
        _know(request, visitor)
        self._bridge.check_rate(visitor)
        with self._bridge.present(visitor):
            text = await _body(request)
            try:
                call = read_call(text)
            except Fault as fault:
                return _json(id_of(text), fault, cors)
            answer = asyncio.ensure_future(self._bridge.answer(visitor, call))
            try:
                await asyncio.wait({answer}, timeout=limits.PATIENCE_SECONDS)
                if answer.done():
                    return _json(call.id, _outcome(answer), cors)
                return await _long(request, call.id, answer, cors)
            finally:
                answer.cancel()

    def _shown(self, visitor: Visitor, token: str) -> Visitor:
        return self._bridge.admit(visitor, token) if token else visitor

    # --- WebSocket

    async def _socket(self, request: web.BaseRequest, visitor: Visitor) -> web.StreamResponse:
        visitor = self._shown(visitor, bearer(request.headers))
        self._bridge.check_rate(visitor)
        if sum(one.visitor.key == visitor.key for one in self._bridge.sockets) >= limits.SOCKETS:
            raise Fault(Code.LIMIT, f"At most {limits.SOCKETS} sockets are open at once for one page or program.", status=429)
        with self._bridge.present(visitor):
            response = web.WebSocketResponse(
                max_msg_size=limits.BODY, heartbeat=limits.PULSE_SECONDS, autoping=False, compress=False, timeout=2
            )
            await response.prepare(request)
            opened = OpenSocket(self._bridge, visitor, request, response)
            self._bridge.listens(opened)
            try:
                await opened.run()
            finally:
                self._bridge.listens(opened, here=False)
            return response


class OpenSocket:
    """One WebSocket: every message a call, answered when it is, in whatever order."""

    def __init__(self, bridge: Bridge, visitor: Visitor, request: web.BaseRequest, response: web.WebSocketResponse) -> None:
        self.visitor = visitor
        self._bridge, self._request, self._response = bridge, request, response
        _know(request, visitor)
        self._calls: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()

    async def run(self) -> None:
        stranger = asyncio.get_running_loop().call_later(limits.STRANGER_SECONDS, self._end_stranger)
        over = 0
        try:
            async for message in self._response:
                is_call = message.type not in (WSMsgType.PING, WSMsgType.PONG)
                try:
                    self._bridge.check_rate(self.visitor)  # before a word of it is read
                except Fault as fault:
                    over += 1
                    if over > limits.OVER:
                        await self._close("Far too many calls.")
                    elif is_call:
                        await self._send(_error(None, fault))
                    continue
                over = 0
                if message.type is WSMsgType.PING:
                    await self._response.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    pass
                elif message.type is not WSMsgType.TEXT:
                    await self._send(_error(None, Fault(Code.INVALID, "Send calls as text.")))
                elif len(self._calls) >= limits.IN_FLIGHT:
                    sentence = f"At most {limits.IN_FLIGHT} calls of one socket are answered at once."
                    await self._send(_error(id_of(message.data), Fault(Code.LIMIT, sentence)))
                else:
                    self._begin(self._answer(message.data))
        finally:
            stranger.cancel()
            for call in self._calls:
                call.cancel()

    def tell(self, method: str, params: Any) -> None:
        self._begin(self._send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params})))

    def end(self) -> None:
        self._begin(self._close("This page or program is not paired any more."))

    def _end_stranger(self) -> None:
        if self.visitor.pairing is None:
            self._begin(self._close("Nobody paired in time."))

    async def _close(self, sentence: str) -> None:
        await self._response.close(code=WSCloseCode.POLICY_VIOLATION, message=sentence.encode())

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _answer(self, text: str) -> None:
        number: Id = None
        try:
            number = id_of(text)
            call = read_call(text)
            result = await self._bridge.answer(self.visitor, call, self._authenticate)
            await self._send(_result(number, result))
        except Fault as fault:
            await self._send(_error(number, fault))
        except Exception:  # noqa: BLE001 - the edge of the process
            await self._send(_error(number, Fault(Code.INTERNAL, _INTERNAL)))

    def _authenticate(self, token: str) -> None:
        self.visitor = self._bridge.admit(Visitor(self.visitor.origin), token)
        _know(self._request, self.visitor)
        self._bridge.listens(self)

    async def _send(self, text: str) -> None:
        async with self._sending:
            try:
                async with asyncio.timeout(limits.BODY_SECONDS):
                    await self._response.send_str(text)
            except (ConnectionError, TimeoutError):
                await self._response.close()


# parts ---------------------------------------------------------------------------------------------------------------------------


def _know(request: web.BaseRequest, visitor: Visitor) -> None:
    if isinstance(request.protocol, Connection):
        request.protocol.is_known = visitor.pairing is not None


def _cors(visitor: Visitor) -> dict[str, str]:
    if not visitor.origin:
        return {}
    return {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: visitor.origin, hdrs.VARY: "Origin"}


def _preflight(request: web.BaseRequest, cors: dict[str, str]) -> web.Response:
    """May this page send a call? Any page with a proper Origin may; what it gets for it is another question."""
    if not cors:
        raise Fault(Code.INVALID, "Send JSON-RPC calls with POST, or open a WebSocket.", status=405)
    headers = {
        **cors,
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: "POST",
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "authorization, content-type",
        hdrs.ACCESS_CONTROL_MAX_AGE: "600",
    }
    for name in ("Access-Control-Request-Private-Network", "Access-Control-Request-Local-Network"):
        if request.headers.get(name) == "true":
            headers[name.replace("Request", "Allow")] = "true"
    return web.Response(status=204, headers=headers)


async def _body(request: web.BaseRequest) -> bytes:
    """The whole of it, or a Fault as soon as it is known to be too much or too slow."""
    too_large = Fault(Code.INVALID, f"A call has at most {limits.BODY // 1024} KiB.", status=413)
    if (request.content_length or 0) > limits.BODY:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(limits.BODY_SECONDS):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > limits.BODY:
                    raise too_large
    except TimeoutError:
        raise Fault(Code.INVALID, "The call did not arrive in time.", status=408) from None
    return bytes(body)


async def _long(request: web.BaseRequest, number: Id, answer: asyncio.Future[Any], cors: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers={**cors, **_ALWAYS, hdrs.CONTENT_TYPE: "application/json"})
    await response.prepare(request)
    while not answer.done():
        await response.write(b" ")
        await asyncio.wait({answer}, timeout=limits.PULSE_SECONDS)
    await response.write(_text(number, _outcome(answer)).encode())
    await response.write_eof()
    return response


def _outcome(answer: asyncio.Future[Any]) -> Any:
    """What came of it: a result, or a Fault."""
    error = answer.exception()
    if error is None:
        return answer.result()
    return error if isinstance(error, Fault) else Fault(Code.INTERNAL, _INTERNAL)


_ALWAYS = {hdrs.CACHE_CONTROL: "no-store", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "cross-origin"}


def _json(number: Id, outcome: Any, headers: dict[str, str] | None = None) -> web.Response:
    status = outcome.status if isinstance(outcome, Fault) else 200
    extra = {"Retry-After": "1"} if status == 429 else {}
    return web.Response(
        text=_text(number, outcome), status=status, content_type="application/json", headers={**_ALWAYS, **extra, **(headers or {})}
    )


def _text(number: Id, outcome: Any) -> str:
    return _error(number, outcome) if isinstance(outcome, Fault) else _result(number, outcome)


def _result(number: Id, result: Any) -> str:
    text = json.dumps({"jsonrpc": "2.0", "id": number, "result": result})
    if len(text) > limits.ANSWER:
        return _error(number, Fault(Code.INTERNAL, "The answer is too long to be given."))
    return text


def _error(number: Id, fault: Fault) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "error": fault.to_json()})
