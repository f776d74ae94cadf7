"""What is answered to whom. No HTTP here: `http.py` brings visitors and the texts of their calls, this gives the answers' values."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Protocol

from latchkey.bridge import limits
from latchkey.bridge.calls import AUTHENTICATE, Ask, Call, ask_of
from latchkey.bridge.door import Pairing, Visitor, admit
from latchkey.bridge.faults import Code, Fault
from latchkey.bridge.pipe import Pipe
from latchkey.bridge.rates import Rates
from latchkey.vault.frames import Frame


class Socket(Protocol):
    """A WebSocket that is paired, as far as telling it something goes."""

    visitor: Visitor

    def tell(self, method: str, params: Any) -> None: ...

    def end(self) -> None: ...


class Bridge:
    def __init__(self) -> None:
        self.pipe: Pipe | None = None
        self.sockets: set[Socket] = set()
        self._pairings: dict[int, Pairing] = {}
        self._questions: set[str] = set()
        self._calls: Counter[str] = Counter()
        self._known = Rates(limits.RATE, limits.BURST)
        self._strangers = Rates(limits.STRANGER_RATE, limits.STRANGER_BURST)
        self._pairs = Rates(limits.PAIR_RATE, limits.PAIR_BURST)

    # --- the window's word

    def told(self, frame: Frame) -> None:
        match frame:
            case {"verb": "pairings", "pairings": list(pairings)}:
                self.set_pairings(pairings)
            case {"verb": "tell", "pairing": int(number), "method": str(method), "params": params}:
                for socket in [one for one in self.sockets if one.visitor.pairing and one.visitor.pairing.id == number]:
                    socket.tell(method, params)

    def set_pairings(self, pairings: list[dict[str, Any]]) -> None:
        """Those that count from now on; a socket whose pairing is gone is closed."""
        self._pairings = {one["id"]: Pairing(one["id"], one["origin"], one["hash"]) for one in pairings}
        for socket in [one for one in self.sockets if one.visitor.pairing and one.visitor.pairing.id not in self._pairings]:
            socket.end()

    def listens(self, socket: Socket, *, here: bool = True) -> None:
        """A socket came, was paired, or went: the window is told who listens."""
        (self.sockets.add if here else self.sockets.discard)(socket)
        if socket.visitor.pairing is not None and self.pipe is not None:
            numbers = {one.visitor.pairing.id for one in self.sockets if one.visitor.pairing is not None}
            self.pipe.say(verb="sockets", pairings=sorted(numbers))

    # --- who may

    def admit(self, visitor: Visitor, token: str) -> Visitor:
        """Raises Fault when the token proves nothing."""
        return admit(visitor, token, self._pairings.values())

    def is_paired(self, visitor: Visitor) -> bool:
        return visitor.pairing is not None and visitor.pairing.id in self._pairings

    def check_rate(self, visitor: Visitor) -> None:
        """Counts one call. Raises Fault."""
        rates = self._known if self.is_paired(visitor) else self._strangers
        if not rates.take(visitor.key):
            raise Fault(Code.LIMIT, "These are too many calls; try again in a moment.", status=429)

    @contextmanager
    def present(self, visitor: Visitor) -> Iterator[None]:
        """While a call or a socket of theirs is there. Raises Fault when there are too many."""
        key = visitor.key
        if self._calls[key] >= limits.PER_VISITOR:
            sentence = f"At most {limits.PER_VISITOR} calls and sockets are open at once for one page or program."
            raise Fault(Code.LIMIT, sentence, status=429)
        self._calls[key] += 1
        try:
            yield
        finally:
            self._calls[key] -= 1
            if not self._calls[key]:
                del self._calls[key]

    # --- answers

    async def answer(self, visitor: Visitor, call: Call, authenticate: Callable[[str], None] | None = None) -> Any:
        """The result of a call. Raises Fault. `authenticate(token)`: what a socket does with one."""
        ask = ask_of(call)
        if ask.name == AUTHENTICATE:
            if authenticate is None:
                raise Fault(Code.UNSUPPORTED, "Over HTTP the token stands in the header: Authorization: Bearer.")
            authenticate(ask.fields["token"])
            return True
        if not self.is_paired(visitor):
            if not ask.is_open:
                raise Fault(Code.UNAUTHORIZED, "This page or program is not paired: call latchkey_pair first.")
            if ask.name == "accounts":
                return []
        if not ask.is_question:
            return await self._ask(visitor, ask, limits.ASK_SECONDS)
        async with self._question(visitor, ask):
            result = await self._ask(visitor, ask, limits.QUESTION_SECONDS)
        if ask.name == "pair" and authenticate is not None:
            authenticate(result["token"])
        return result

    async def _ask(self, visitor: Visitor, ask: Ask, seconds: float) -> Any:
        assert self.pipe is not None
        pairing = visitor.pairing.id if visitor.pairing else 0
        return await self.pipe.ask(ask.name, seconds, origin=visitor.origin, pairing=pairing, **ask.fields)

    @asynccontextmanager
    async def _question(self, visitor: Visitor, ask: Ask) -> AsyncIterator[None]:
        """One at a time is put to the person for each visitor, and pairing is not asked for again and again."""
        if visitor.key in self._questions:
            raise Fault(Code.BUSY, "A question of yours is open in Latchkey already; wait until it is answered.")
        if ask.name == "pair" and not self._pairs.take(visitor.key):
            raise Fault(Code.LIMIT, "Pairing was asked for too often; try again in a minute.", status=429)
        self._questions.add(visitor.key)
        try:
            yield
        finally:
            self._questions.discard(visitor.key)
