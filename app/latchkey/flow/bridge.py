"""The window's side of the bridge: starts its process, and answers what it asks for those who call it.

    host = BridgeHost(book, sessions, requests, clock, changed)     `changed()`: look again, on any thread
    host.start(port)        the process; `host.state` says what became of it
    host.to_pair()          who waits to be let in; host.pair(question, account) does so, host.refuse(question) does not
    host.refresh()          grants, sessions or readings changed: whoever listens is told what is new to them
    host.stop()             and the process ends; it ends by itself with this program

What a page may learn and cause is decided here: the process in between is not believed but in who calls (SECURITY.md). Every ask names
a pairing that has to exist for that origin; a session request is read again from its text; questions become records of flow.requests,
which the person answers in the window, and are withdrawn when whoever asked is gone.
"""

from __future__ import annotations

import hashlib
import queue
import re
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from latchkey.codec.fields import MAX_NAME
from latchkey.codec.hand_over import decode, to_json
from latchkey.codec.inbox import open_as
from latchkey.codec.text import clean
from latchkey.core.account import Account
from latchkey.core.permissions import KINDS
from latchkey.core.request import Request, RevocationRequest, SessionRequest
from latchkey.core.types import Address
from latchkey.errors import BadInput, LatchkeyError, Refused, SignerError
from latchkey.flow.bridge_sessions import ENDED, told_sessions
from latchkey.flow.requests import Answer, RequestState, Source
from latchkey.language import tr
from latchkey.store.pairings import Pairing, Pairings
from latchkey.store.records import GrantState
from latchkey.vault.frames import Frame, read_frame, write_frame
from latchkey.vault.harden import clean_environment
from latchkey.vault.prompt import own_command

if TYPE_CHECKING:
    from latchkey.flow.requests import Requests
    from latchkey.flow.sessions import Sessions
    from latchkey.store.book import Book

REJECTED, UNAUTHORIZED, DISCONNECTED, OTHER_CHAIN = 4001, 4100, 4900, 4902
PARAMS, INTERNAL, BUSY = -32602, -32603, -32002
_END_SECONDS = 2
_QUIET_SECONDS = 600  # after a refusal, in which the same page or a program cannot ask to be let in
_ENOUGH = 3  # refusals in that time, after which nobody can: names cost nothing to who has many
_MAX_TO_PAIR = 3
_ORIGIN = re.compile(r"(?:[a-z-]+://[a-z0-9._:\[\]-]{1,290})?")  # of a page, "" of a program; no letter of it is markup anywhere
_CODE = re.compile("[0-9]{6}")
_MUTED = "Nothing is taken from this page or program, and nothing is told to it, until the person hears it again."
_NOT_PAIRED = "This page or program is not paired any more: pair again with latchkey_pair."


class BridgeState(StrEnum):
    OFF = "off"
    STARTING = "starting"
    LISTENING = "listening"
    PORT_TAKEN = "port taken"
    ENDED = "ended"  # by itself, which it should not


class Said(Exception):
    """What the caller is told instead of a result. The sentence is for its developer, in English."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom an ask is for. `number`: the ask's own."""

    number: int
    origin: str
    pairing: Pairing | None

    @property
    def known(self) -> Pairing:
        if self.pairing is None:
            raise Said(UNAUTHORIZED, _NOT_PAIRED)
        return self.pairing


@dataclass(frozen=True, slots=True)
class ToPair:
    """Somebody who waits to be let in. `name`: what they call themselves, a claim; `code`: six digits that they show too."""

    caller: Caller
    name: str
    code: str

    @property
    def origin(self) -> str:
        """Of a page; "" for a program of this computer."""
        return self.caller.origin


def shown_name(pairing: Pairing) -> str:
    """How the person knows them: a page by its address, a program by the name it was let in under, which never stands first: it may be
    spelled like a page's address."""
    return pairing.origin or tr("A program on this computer, “{name}”", name=pairing.name)


class BridgeHost:
    """Thread-safe. One process at a time."""

    def __init__(
        self, book: Book, sessions: Sessions, requests: Requests, clock: Callable[[], int], changed: Callable[[], object]
    ) -> None:
        self._book, self._sessions, self._requests, self._clock = book, sessions, requests, clock
        self._changed = changed
        self.pairings = Pairings(book)
        self.state, self.port = BridgeState.OFF, 0
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._work: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._open: dict[int, tuple[int, Pairing | None]] = {}  # number of an ask -> id of its record, and whose it is
        self._to_pair: dict[int, ToPair] = {}
        self._quiet: dict[str, int] = {}  # origin -> until when it cannot ask to be let in; until it is switched off and on
        self._endings: dict[int, tuple[Caller, Frame]] = {}  # asks that wait for a session's end
        self._listeners: dict[int, list[dict[str, Any]] | None] = {}  # pairings with a socket -> what they know
        self._asks: dict[str, Callable[[Caller, Frame], Any]] = {
            "pair": self._pair,
            "accounts": self._accounts_of,
            "chain": self._chain,
            "switch": self._switch,
            "capabilities": self._capabilities,
            "session": self._session,
            "sessions": self._told,
            "revoke": self._revoke,
        }

    # --- the process

    def start(self, port: int) -> None:
        """Run it on this port, instead of the one that runs."""
        self.stop()
        self._quiet = {}
        self._become(BridgeState.STARTING, port)
        work = self._work
        threading.Thread(target=self._worker, args=(work,), name="bridge", daemon=True).start()
        threading.Thread(target=self._live, args=(port, work), name="bridge process", daemon=True).start()

    def stop(self) -> None:
        with self._lock:
            for number in (*self._open, *self._to_pair):
                self._fail(number, DISCONNECTED, "Latchkey's bridge was switched off.")
            process, self._process = self._process, None
            self._hear_no_more()
        if process is not None:
            with suppress(OSError):
                cast(BinaryIO, process.stdin).close()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._withdraw_all()
        self._become(BridgeState.OFF)

    def _live(self, port: int, work: queue.SimpleQueue[Callable[[], object] | None]) -> None:
        """The life of one process, on the thread that starts it: on Linux it dies with that thread, too."""
        try:
            process = subprocess.Popen(
                own_command("bridge"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=clean_environment(),
                cwd="/" if sys.platform != "win32" else None,
            )
        except OSError:
            self._become(BridgeState.ENDED)
            return
        with self._lock:
            is_wanted = self._work is work  # not switched off while it started
            if is_wanted:
                self._process = process
        if not is_wanted:
            _end(process)
            return
        self._write(verb="open", port=port, pairings=self._hashes())
        try:
            while (frame := read_frame(cast(BinaryIO, process.stdout))) is not None:
                work.put(partial(self._take, frame))
        except (SignerError, OSError, ValueError):
            pass
        _end(process)
        with self._lock:
            by_itself = self._process is process
            if by_itself:
                self._process = None
                self._hear_no_more()
        if by_itself:
            self._withdraw_all()
            self._become(BridgeState.ENDED)

    def _hear_no_more(self) -> None:
        """What the process that ends still says is said to nobody."""
        self._work.put(None)
        self._work = queue.SimpleQueue()

    def _worker(self, work: queue.SimpleQueue[Callable[[], object] | None]) -> None:
        while (do := work.get()) is not None and work is self._work:
            try:
                do()
            except Exception:  # noqa: BLE001 - told where faults of the program are told; others still have to be answered
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))

    def _become(self, state: BridgeState, port: int | None = None) -> None:
        self.state, self.port = state, self.port if port is None else port
        self._changed()

    def _write(self, **frame: Any) -> None:
        with self._lock:
            process = self._process
            if process is None:
                return
            with suppress(OSError, ValueError):
                write_frame(cast(BinaryIO, process.stdin), frame)

    def _withdraw_all(self) -> None:
        with self._lock:
            records, self._open = [record for record, _ in self._open.values()], {}
            self._endings, self._listeners, self._to_pair = {}, {}, {}
        for record in records:
            with suppress(LatchkeyError):
                self._requests.withdraw(record)

    # --- frames

    def _take(self, frame: Frame) -> None:
        match frame:
            case {"verb": "listening"}:
                self._become(BridgeState.LISTENING)
            case {"verb": "trouble"}:
                self._become(BridgeState.PORT_TAKEN)
            case {"verb": "sockets", "pairings": list(numbers)}:
                self._listeners = {number: self._listeners.get(number) for number in numbers}
                self._tell_news()
            case {"id": int(number), "withdraw": True}:
                self._gone(number)
            case {"id": int(number), "ask": str(name)}:
                self._answer(number, name, frame)

    def _answer(self, number: int, name: str, frame: Frame) -> None:
        """Give an ask its answer; a question's comes later."""
        try:
            origin = str(frame.get("origin", ""))
            if not _ORIGIN.fullmatch(origin):
                raise Said(PARAMS, "origin: expected that of a page.")
            pairing = self._pairing(frame.get("pairing"), origin)
            if self._requests.is_muted(shown_name(pairing) if pairing else origin):
                raise Said(REJECTED, _MUTED)
            result = self._asks[name](Caller(number, origin, pairing), frame)
        except Said as said:
            self._fail(number, said.code, said.sentence)
        except Refused as error:
            self._fail(number, BUSY if error.code == "TooMany" else REJECTED, error.text)
        except BadInput as error:
            self._fail(number, PARAMS, error.text)
        except LatchkeyError as error:
            self._fail(number, INTERNAL, error.text)
        except Exception:
            self._fail(number, INTERNAL, "Something unforeseen happened in Latchkey; nothing was granted.")
            raise
        else:
            if result is not _LATER:
                self._give(number, result)

    def _give(self, number: int, result: Any) -> None:
        try:
            self._write(id=number, result=result)
        except SignerError:
            self._fail(number, INTERNAL, "The answer is too long to be given.")

    def _fail(self, number: int, code: int, sentence: str) -> None:
        self._write(id=number, error={"code": code, "message": sentence})

    def _pairing(self, number: object, origin: str) -> Pairing | None:
        for pairing in self.pairings.all():
            if pairing.id == number and pairing.origin == origin:
                self.pairings.saw(pairing, self._clock())
                return pairing
        return None

    def _hashes(self) -> list[dict[str, Any]]:
        return [{"id": one.id, "origin": one.origin, "hash": one.token_hash} for one in self.pairings.all()]

    # --- questions

    def _ask_person(self, caller: Caller, request: Request, origin: str, *, proven: bool, reply: Callable[[Answer], None]) -> Any:
        record = self._requests.arrived(request, Source.BRIDGE, origin=origin, proven=proven, reply=reply)
        with self._lock:
            self._open[caller.number] = record.id, caller.pairing
        return _LATER

    def _gone(self, number: int) -> None:
        """Whoever asked this is gone."""
        with self._lock:
            asked = self._open.pop(number, None)
            self._endings.pop(number, None)
            self._to_pair.pop(number, None)
        if asked is not None:
            with suppress(LatchkeyError):
                self._requests.withdraw(asked[0])
        self._changed()

    def _closed(self, number: int, answer: Answer) -> bool:
        """A question has its answer; whether it was a yes. A no is told here."""
        with self._lock:
            self._open.pop(number, None)
            self._endings.pop(number, None)
        if answer.state is RequestState.GRANTED:
            return True
        reason = f": {answer.reason}" if answer.reason else "."
        self._fail(
            number, REJECTED, f"The request was {'refused' if answer.state is RequestState.REFUSED else 'not answered'}{reason}"
        )
        return False

    # --- pairing

    def to_pair(self) -> tuple[ToPair, ...]:
        """Oldest first."""
        with self._lock:
            return tuple(self._to_pair.values())

    def pair(self, question: ToPair, account: Account | None) -> None:
        """Let it in; `account`: the one it may see. Nothing happens when it is gone. Raises StoreError."""
        if self._taken(question):
            token, now, caller = secrets.token_urlsafe(32), self._clock(), question.caller
            hashed = hashlib.sha256(token.encode()).digest()
            chain, address = (account.chain_id, account.address) if account else (None, None)
            try:
                self.pairings.add(Pairing(caller.origin, question.name, hashed, chain, address, now, now))
            except LatchkeyError as error:
                self._fail(caller.number, INTERNAL, error.text)
                raise
            self._write(verb="pairings", pairings=self._hashes())
            self._give(caller.number, {"token": token, "account": address and str(address), "chainId": chain and hex(chain)})
            self._changed()

    def refuse(self, question: ToPair) -> None:
        """Do not let it in; the same one cannot ask again for some minutes, nor anybody after the third."""
        if self._taken(question):
            self._quiet[question.origin] = self._clock() + _QUIET_SECONDS
            self._fail(question.caller.number, REJECTED, "The person did not let this page or program in.")
            self._changed()

    @property
    def is_quiet(self) -> bool:
        """Whether so many were refused lately that nobody is asked about now."""
        now = self._clock()
        return sum(until > now for until in self._quiet.values()) >= _ENOUGH

    def _taken(self, question: ToPair) -> bool:
        with self._lock:
            if self._to_pair.get(question.caller.number) != question:
                return False
            del self._to_pair[question.caller.number]
            return True

    def unpair(self, number: int) -> None:
        """It is not answered any more, from now on. Raises StoreError."""
        self.pairings.remove(number)
        self._listeners.pop(number, None)
        with self._lock:
            theirs = [ask for ask, (_, pairing) in self._open.items() if pairing is not None and pairing.id == number]
            theirs += [ask for ask, (caller, _) in self._endings.items() if caller.known.id == number and ask not in theirs]
        for ask in theirs:
            self._fail(ask, UNAUTHORIZED, _NOT_PAIRED)
            self._gone(ask)
        self._write(verb="pairings", pairings=self._hashes())
        self._changed()

    def _pair(self, caller: Caller, frame: Frame) -> Any:
        name, code = clean(str(frame["name"]), MAX_NAME), str(frame["code"])
        if not _CODE.fullmatch(code):
            raise Said(PARAMS, "code: expected six digits.")
        if not caller.origin and not name:
            raise Said(PARAMS, "name: a program says what it is called, for it has no address to be known by.")
        with self._lock:
            if self._quiet.get(caller.origin, 0) > self._clock() or self.is_quiet:
                raise Said(REJECTED, "The person lets nobody in just now; ask again in some minutes.")
            if len(self._to_pair) >= _MAX_TO_PAIR:
                raise Said(BUSY, "Others wait to be let in; try again in a moment.")
            self._to_pair[caller.number] = ToPair(caller, name, code)
        self._changed()
        return _LATER

    # --- what is known at once

    def _accounts_of(self, caller: Caller, _frame: Frame) -> Any:
        address = caller.known.account
        return [] if address is None else [str(address)]

    def _chain(self, caller: Caller, _frame: Frame) -> Any:
        return hex(_chain_of(caller.known))

    def _switch(self, caller: Caller, frame: Frame) -> Any:
        if frame["chain"] != _chain_of(caller.known):
            raise Said(OTHER_CHAIN, "The account this page sees is on another network.")

    def _capabilities(self, caller: Caller, frame: Frame) -> Any:
        pairing = caller.known
        chain = _chain_of(pairing)
        if "address" in frame and Address.parse(frame["address"]) != pairing.account:
            raise Said(UNAUTHORIZED, "This page was not given this account.")
        if "chains" in frame and chain not in frame["chains"]:
            return {}
        permissions = {"supported": True, "signerTypes": ["secp256k1", "contract"], "permissionTypes": list(KINDS)}
        return {hex(chain): {"atomic": {"status": "unsupported"}, "permissions": permissions}}

    # --- sessions

    def _session(self, caller: Caller, frame: Frame) -> Any:
        pairing = caller.known
        request = open_as(str(frame["request"]), SessionRequest)
        claims = replace(request.claims, dapp_url=pairing.origin) if pairing.origin else request.claims
        request = replace(request, claims=claims)
        if request.account is None and request.chain_id in (None, pairing.chain_id) and pairing.account is not None:
            request = replace(request, account=pairing.account, chain_id=pairing.chain_id)  # the one it was told of
        reply = partial(self._granted, caller, pairing)
        return self._ask_person(caller, request, shown_name(pairing), proven=True, reply=reply)

    def _granted(self, caller: Caller, pairing: Pairing, answer: Answer) -> None:
        if not self._closed(caller.number, answer):
            return
        try:
            record = self._book.grant(answer.grant_id or 0)
            if record.envelope is None:
                raise BadInput("The grant is not signed.")
            self.pairings.link(record.id, pairing.key)
            self._give(caller.number, to_json(decode(record.envelope)))
            if record.state is GrantState.SIGNED:
                self._book.set_state(record.id, GrantState.HANDED_OVER)
        except LatchkeyError as error:
            self._fail(caller.number, INTERNAL, error.text)
        self._changed()

    def sessions_of(self, pairing: Pairing) -> list[dict[str, Any]]:
        """What is told to them of their sessions. Raises StoreError."""
        return told_sessions(self._book, self._sessions, self.pairings.grants_of(pairing.key), self._clock())

    def _told(self, caller: Caller, _frame: Frame) -> Any:
        return self.sessions_of(caller.known)

    def _revoke(self, caller: Caller, frame: Frame) -> Any:
        state = self._state(caller.known, frame)
        if state in ENDED:
            return {"state": state}
        account, entity = Address.parse(frame["account"]), int(frame["entity"])
        request = RevocationRequest(f"revoke-{secrets.token_hex(8)}", int(frame["chain"]), account, (entity,))
        reply = partial(self._revoked, caller, frame)
        with self._lock:
            self._endings[caller.number] = (caller, frame)
        return self._ask_person(caller, request, shown_name(caller.known), proven=True, reply=reply)

    def _revoked(self, caller: Caller, frame: Frame, answer: Answer) -> None:
        """A yes means that it was sent; it is told when it has ended."""
        if answer.state is RequestState.GRANTED:
            with self._lock:
                self._open.pop(caller.number, None)
            self.refresh()
        else:
            self._closed(caller.number, answer)

    def _state(self, pairing: Pairing, frame: Frame) -> str:
        """Of the session that an ask names. Raises Said when it is none of theirs."""
        wanted = (hex(frame["chain"]), str(frame["account"]), frame["entity"])
        for one in self.sessions_of(pairing):
            if (one["chainId"], one["account"], one["entityId"]) == wanted:
                return str(one["state"])
        raise Said(PARAMS, "No session with this number was granted to this page over the bridge.")

    # --- news

    def refresh(self) -> None:
        """Something changed that sessions rest on."""
        if self._process is not None:
            self._work.put(self._look_again)

    def _look_again(self) -> None:
        with self._lock:
            endings = list(self._endings.items())
        for number, (caller, frame) in endings:
            with suppress(LatchkeyError, Said):
                if self._requests.is_muted(shown_name(caller.known)):
                    self._fail(number, REJECTED, _MUTED)
                    self._gone(number)
                elif (state := self._state(caller.known, frame)) in ENDED:
                    self._end(number, state)
        self._tell_news()

    def _end(self, number: int, state: str) -> None:
        """What was asked to end has ended, whoever did it."""
        with self._lock:
            asked = self._open.pop(number, None)
            waited = self._endings.pop(number, None) is not None
        if asked is not None:
            self._requests.answer(asked[0], Answer(RequestState.GRANTED))
        if waited:
            self._give(number, {"state": state})

    def _tell_news(self) -> None:
        known = {pairing.id: pairing for pairing in self.pairings.all()}
        for number, before in list(self._listeners.items()):
            if number not in known or self._requests.is_muted(shown_name(known[number])):
                continue
            with suppress(LatchkeyError, SignerError):
                now = self.sessions_of(known[number])
                if before is not None and _essence(before) != _essence(now):
                    self._write(verb="tell", pairing=number, method="latchkey_sessionsChanged", params=now)
                self._listeners[number] = now


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            cast(BinaryIO, pipe).close()


_LATER = object()  # the answer of a question comes when a person gives it


def _chain_of(pairing: Pairing) -> int:
    if pairing.chain_id is None:
        raise Said(DISCONNECTED, "This page was given no account, so it is connected to no network.")
    return pairing.chain_id


def _essence(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without when it was read: that alone is no news."""
    return [{name: value for name, value in one.items() if name != "asOf"} for one in told]
