"""Who is at the door, judged by what a page cannot forge: Host, Origin, and a token that the person's yes has given.

Host     must be 127.0.0.1:PORT, letter for letter. A page whose own name was pointed at this computer (DNS rebinding) sends its own name.
         `localhost` and [::1] are refused as well: browsers may ask another address for them than the one listened on, and one
         spelling is enough.
Origin   https pages; http pages of this computer alone (localhost, *.localhost, 127.0.0.1, [::1]: a developer's), because what is loaded
         over plain http anybody on the way could have written; browser extensions. "null" (sandboxed frames, files) is nobody in
         particular and refused. Several Origin headers, or one that is not spelled as browsers do, likewise.
none     a program of this computer. A browser's request without an Origin is told by its Sec-Fetch headers, which no page can remove.
         Node's fetch sends one of them as well, a mode for which every browser sends an Origin.
Token    32 random bytes that the bridge never keeps: it compares SHA-256 hashes. A page's token counts with its own Origin only, a
         program's without any.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latchkey.bridge.faults import Code, Fault
from latchkey.bridge.limits import ORIGIN, TOKEN

if TYPE_CHECKING:
    from multidict import MultiMapping

_ALWAYS_WITH_ORIGIN = ("", "cors", "websocket")
PROGRAM = ""  # the origin of whoever has none
_HOST = r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*"
_PORT = r"(?::[1-9][0-9]{0,4})?"
_HTTPS = re.compile(rf"https://(?:{_HOST}|\[[0-9a-f:.]+\]){_PORT}")
_HERE = re.compile(rf"http://(?:(?:[a-z0-9-]+\.)*localhost|127\.0\.0\.1|\[::1\]){_PORT}")
_EXTENSION = re.compile(r"chrome-extension://[a-p]{32}|moz-extension://[0-9a-f-]{36}")


@dataclass(frozen=True, slots=True)
class Pairing:
    """What the window told of one: `hash` is SHA-256 of its token."""

    id: int
    origin: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class Visitor:
    """`pairing`: None until a token was shown."""

    origin: str
    pairing: Pairing | None = None

    @property
    def key(self) -> str:
        """Whose caps these are: programs that are paired have their own."""
        return f"program {self.pairing.id}" if self.pairing and not self.origin else self.origin


def greet(headers: MultiMapping[str], port: int) -> Visitor:
    """Whoever sends these headers, no token looked at yet. Raises Fault, with a status of HTTP."""
    if headers.getall("Host", ()) != [f"127.0.0.1:{port}"]:
        raise _turned_away("Latchkey answers at http://127.0.0.1 and its port alone, not under another name.")
    origins = headers.getall("Origin", ())
    if not origins:
        if headers.get("Sec-Fetch-Site", "") or headers.get("Sec-Fetch-Mode", "") not in _ALWAYS_WITH_ORIGIN:
            raise _turned_away("A page has to be asked for with its Origin; use fetch with mode cors.")
        return Visitor(PROGRAM)
    if len(origins) > 1 or not is_origin(origins[0]):
        raise _turned_away("This Origin is not answered: it takes an https page, or a page of this computer.")
    return Visitor(origins[0])


def is_origin(text: str) -> bool:
    """Whether this is an origin as browsers spell them, of a kind that is answered."""
    if len(text) > ORIGIN:
        return False
    fits = any(pattern.fullmatch(text) for pattern in (_HTTPS, _HERE, _EXTENSION))
    port = text.rpartition(":")[2]
    return fits and not (port.isdigit() and int(port) > 65535)


def bearer(headers: MultiMapping[str]) -> str:
    """The token in the Authorization header, "" without one. Raises Fault for any other kind of authorization."""
    kind, _, token = headers.get("Authorization", "").partition(" ")
    if kind and kind.lower() != "bearer":
        raise Fault(Code.UNAUTHORIZED, "Authorization: expected Bearer and the token that latchkey_pair gave.", status=401)
    return token


def admit(visitor: Visitor, token: str, pairings: Iterable[Pairing]) -> Visitor:
    """The visitor with the pairing that the token proves. Raises Fault when it proves none; each is compared, so time tells nothing."""
    hashed = hashlib.sha256(token.encode("utf-8", "replace")).digest() if len(token) <= TOKEN else b""
    found = None
    for pairing in pairings:
        if hmac.compare_digest(pairing.hash, hashed) and pairing.origin == visitor.origin:
            found = pairing
    if found is None:
        raise Fault(Code.UNAUTHORIZED, "This token is not known here, or not for this page: pair again with latchkey_pair.")
    return Visitor(visitor.origin, found)


def _turned_away(sentence: str) -> Fault:
    return Fault(Code.UNAUTHORIZED, sentence, status=403)
