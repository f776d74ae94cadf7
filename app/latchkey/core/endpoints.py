"""Addresses of RPCs and proxies. They may hold keys and passwords: a person is shown `place_of` and never the address itself."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from latchkey.errors import BadInput
from latchkey.language import tr

MAX_URL = 1_000
_LABEL = 20  # characters: a part of a host name this long is a key, not a name
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1", re.IGNORECASE)
_SOCKS = ("socks5", "socks5h")


def check_rpc(url: str, path: str = "") -> str:
    """The address of an RPC or a bundler, as it is. Raises BadInput."""
    if url.lower().startswith(("ws://", "wss://")):
        raise BadInput(tr("WebSocket addresses are not used here: give the address that begins with https://."), path=path)
    return _check(url, ("http", "https"), tr("The RPC address has to begin with http:// or https://."), path)


def check_proxy(url: str, path: str = "") -> str:
    """The address of a proxy, or "" for none. Raises BadInput."""
    if not url:
        return ""
    return _check(url, ("http", "https", *_SOCKS), tr("The proxy address has to begin with http://, https:// or socks5://."), path)


def place_of(url: str) -> str:
    """What of an address may be shown: host and port, without user, path, query, or parts of the host's name that look like a key."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "?"
    labels = ["…" if len(label) >= _LABEL else label for label in host.split(".")]
    shown = f"[{host}]" if ":" in host else ".".join(labels)
    return shown + (f":{port}" if port else "")


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own: nothing sent there leaves it."""
    return bool(_LOOPBACK.fullmatch(urlsplit(url).hostname or ""))


def is_open(url: str) -> bool:
    """Whether what is sent there can be read and changed by everybody on the way."""
    return urlsplit(url).scheme == "http" and not is_loopback(url)


def is_socks(proxy: str) -> bool:
    return urlsplit(proxy).scheme in _SOCKS


def _check(url: str, schemes: tuple[str, ...], scheme_fault: str, path: str) -> str:
    if len(url) > MAX_URL or not url.isascii() or any(c.isspace() or not c.isprintable() for c in url):
        raise BadInput(tr("The address holds spaces or characters that cannot stand in one."), path=path)
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadInput(tr("The address has a port or host that is none."), path=path) from None
    if parts.scheme not in schemes:
        raise BadInput(scheme_fault, path=path)
    if not parts.hostname or port == 0 or "\\" in url:
        raise BadInput(tr("The address names no host."), path=path)
    if parts.fragment:
        raise BadInput(tr("The address has a part behind # that an RPC never sees; leave it away."), path=path)
    return url
