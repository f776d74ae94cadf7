"""One HTTP request and its answer: through the proxy that is set, never longer than it may take, never larger than it may be.

The request is made on a thread of its own that the caller stops waiting for when its time is up. So a host name that does not
resolve, or a server that sends a byte now and then, holds nobody up: timeouts of sockets count from byte to byte.

Redirects are not followed and nothing of the surroundings (proxy variables, .netrc) is heard. The address stays in here: it may
hold a key.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from latchkey.core.endpoints import check_proxy, check_rpc, is_loopback, is_socks, place_of
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

if TYPE_CHECKING:
    import ssl

    import urllib3

MOST: Final = 16 * 1024 * 1024  # bytes of an answer, unpacked
_CONNECT: Final = 10.0  # seconds
_LOOK: Final = 0.2  # seconds between two looks at the stop events
_PART: Final = 65_536
_KEPT: Final = 8  # connections


class Unreachable(ChainError):
    """Nobody answers there, or not to us. `.code`: Unreachable, BadCertificate, BadProxy, BadAddress."""


class BadAnswer(ChainError):
    """What comes back is no answer to what was asked."""


class TooSlow(ChainError):
    """The answer did not come in time."""


class TooLarge(ChainError):
    """The answer is larger than is read."""


class Stopped(ChainError):
    """The person stopped it."""

    def __init__(self) -> None:
        super().__init__(tr("You stopped this."), code="Stopped")


@dataclass(frozen=True, slots=True)
class Reply:
    """`retry_after`: seconds the server asks us to wait, None when it does not say."""

    status: int
    retry_after: float | None
    data: bytes


class Wire:
    """To one address. Thread-safe; keeps its connections. `bearer`: a key that goes along in a header. Raises Unreachable (code
    "BadAddress") for addresses that are none."""

    def __init__(self, url: str, *, proxy: str = "", bearer: str = "") -> None:
        try:
            parts = urlsplit(check_rpc(url))
            check_proxy(proxy)
        except BadInput as fault:
            raise Unreachable(fault.text, code="BadAddress") from None
        host = parts.netloc.rpartition("@")[2]
        self._url = urlunsplit((parts.scheme, host, parts.path or "/", parts.query, ""))
        self._proxy = "" if is_loopback(url) else proxy  # what stays on this machine needs no way out
        self._headers = {"Content-Type": "application/json", "User-Agent": "Latchkey"}
        if bearer:
            self._headers["Authorization"] = f"Bearer {bearer}"
        self._login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}" if "@" in parts.netloc else ""
        self.place = place_of(url)
        self.fingerprint = hashlib.sha256(f"latchkey rpc {url}".encode()).hexdigest()[:32]
        self._manager: urllib3.PoolManager | None = None
        self._turn = threading.Lock()

    def __repr__(self) -> str:
        return f"Wire({self.place})"

    def post(self, body: bytes, *, timeout: float, stops: Sequence[threading.Event] = ()) -> Reply:
        """Raises Unreachable, TooSlow, TooLarge, Stopped. `timeout`: seconds for everything."""
        exchange = _Exchange()
        end = time.monotonic() + timeout
        work = threading.Thread(target=self._exchange, args=(exchange, body, timeout), name="rpc", daemon=True)
        work.start()
        while not exchange.done.wait(max(0.0, min(_LOOK, end - time.monotonic()))):
            if any(stop.is_set() for stop in stops):
                exchange.unwanted = True
                raise Stopped
            if time.monotonic() >= end:
                exchange.unwanted = True
                raise _too_slow()
        if exchange.reply is None:
            raise (exchange.fault or _unreachable)()
        return exchange.reply

    def close(self) -> None:
        with self._turn:
            manager, self._manager = self._manager, None
        if manager is not None:
            manager.clear()

    def _exchange(self, exchange: _Exchange, body: bytes, timeout: float) -> None:
        """On its own thread. Only sentences leave it: urllib3's errors quote the address."""
        try:
            exchange.reply = self._request(exchange, body, timeout)
        except ChainError as known:
            text, code, kind = known.text, known.code, type(known)
            exchange.fault = lambda: kind(text, code=code)
        except Exception as error:  # noqa: BLE001  whatever a library raises here quotes the address
            exchange.fault = _fault(error, proxied=bool(self._proxy))
        finally:
            exchange.done.set()

    def _request(self, exchange: _Exchange, body: bytes, timeout: float) -> Reply:
        import urllib3

        response = self._open().urlopen(
            "POST",
            self._url,
            body=body,
            headers=self._headers,
            redirect=False,
            retries=False,
            preload_content=False,
            timeout=urllib3.Timeout(connect=min(_CONNECT, timeout), read=timeout),
        )
        try:
            data = bytearray()
            while part := response.read1(_PART, decode_content=True):
                data += part
                if exchange.unwanted:
                    raise _too_slow()
                if len(data) > MOST:
                    raise TooLarge(
                        tr("The RPC's answer is larger than the {most} MiB that are read.", most=MOST >> 20), code="TooLarge"
                    )
            reply = Reply(response.status, _seconds(response.headers.get("Retry-After")), bytes(data))
        except BaseException:
            response.close()  # not to be used again: there is more in it
            raise
        response.release_conn()
        return reply

    def _open(self) -> urllib3.PoolManager:
        with self._turn:
            if self._manager is None:
                self._manager = self._make()
            return self._manager

    def _make(self) -> urllib3.PoolManager:
        import urllib3

        logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its lines hold the address
        if self._login:
            self._headers |= urllib3.make_headers(basic_auth=self._login)
        common: dict[str, Any] = {"num_pools": 2, "maxsize": _KEPT, "ssl_context": _tls()}
        self._headers |= urllib3.make_headers(accept_encoding="gzip")
        if not self._proxy:
            return urllib3.PoolManager(**common)
        if is_socks(self._proxy):
            from urllib3.contrib.socks import SOCKSProxyManager

            # Always the form that leaves names to the proxy: who asks for them is nobody's business on the way.
            return SOCKSProxyManager("socks5h" + self._proxy[self._proxy.index(":") :], **common)
        parts = urlsplit(self._proxy)
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}" if parts.username else None
        bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))
        return urllib3.ProxyManager(
            bare, proxy_headers=urllib3.make_headers(proxy_basic_auth=login), proxy_ssl_context=_tls(), **common
        )


@dataclass(slots=True)
class _Exchange:
    """One request on its way, shared by the thread that makes it and the one that waits."""

    done: threading.Event = field(default_factory=threading.Event)
    unwanted: bool = False
    reply: Reply | None = None
    fault: Callable[[], ChainError] | None = None


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are checked against the system's store and, for systems whose store Python cannot find, certifi's."""
    import ssl

    context = ssl.create_default_context()
    with contextlib.suppress(ImportError, OSError):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def authorities() -> int:
    """How many certificate authorities are trusted; for the self-test, for a bundle may come without any."""
    return len(_tls().get_ca_certs())


def _fault(error: Exception, *, proxied: bool) -> Callable[[], ChainError]:
    import ssl

    from urllib3 import exceptions as of

    match error:
        case of.NewConnectionError():
            return _bad_proxy if proxied else _unreachable
        case of.TimeoutError():
            return _too_slow
        case of.SSLError():
            return _bad_certificate if isinstance(error.args[0], ssl.SSLCertVerificationError) else _no_tls
        case of.ProxyError():
            inner = error.original_error
            return _bad_certificate if isinstance(inner, of.SSLError) else _bad_proxy
        case of.DecodeError():
            return lambda: BadAnswer(tr("The RPC's answer cannot be unpacked."))
    return _unreachable


def _unreachable() -> ChainError:
    return Unreachable(tr("The RPC cannot be reached."))


def _too_slow() -> ChainError:
    return TooSlow(tr("The RPC takes too long to answer."))


def _bad_certificate() -> ChainError:
    return Unreachable(tr("The RPC's certificate is not valid, so nothing was asked of it."), code="BadCertificate")


def _no_tls() -> ChainError:
    return Unreachable(tr("The RPC does not speak https at this address."), code="NoTls")


def _bad_proxy() -> ChainError:
    return Unreachable(tr("The RPC cannot be reached through the proxy that is set in Settings."), code="BadProxy")


def _seconds(value: str | None) -> float | None:
    """Retry-After; the form with a date is not heard."""
    return float(value) if value and value.isascii() and value.isdigit() and len(value) < 7 else None
