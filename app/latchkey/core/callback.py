"""The web address that a request wants its answer brought back to. Only the person opens it, after reading it whole.

https and ASCII alone, so that what is read is what is opened: a name in other scripts has to come in its xn-- form. The answer stands
behind `#`, which browsers keep from servers and from the next page.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from latchkey.errors import BadInput
from latchkey.language import tr

MAX_CALLBACK = 512
_CALLBACK = re.compile(r"https://[A-Za-z0-9.\[\]:-]+(/[!$-;=?-Z_a-z~]*|\?[!$-;=?-Z_a-z~]*)?")
_NAME = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?", re.IGNORECASE
)
_NUMBERS = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)\.?", re.IGNORECASE)
_FOUR = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")


def check_callback(text: object, path: str = "") -> str:
    """The address as it is. Raises BadInput: only https, at most 512 characters, no user, no fragment, no name that browsers would
    read as another one."""
    if not isinstance(text, str) or len(text) > MAX_CALLBACK or not _CALLBACK.fullmatch(text):
        raise _fault(path)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _fault(path) from None
    if "@" in parts.netloc or parts.netloc.endswith(":") or port == 0 or not _is_host(host):
        raise _fault(path)
    return text


def host_of(callback: str) -> str:
    """Host and port, as a person is to read them."""
    return urlsplit(callback).netloc.lower()


def with_answer(callback: str, payload: str) -> str:
    """Where a signed hand-over is returned; `payload` is base64url, as in a latchkey: link."""
    return f"{callback}#latchkey={payload}"


def with_refusal(callback: str, request_id: str, code: str, reason: str) -> str:
    """Where a refusal is returned."""
    texts = {"latchkey-refused": code, "requestId": request_id, "reason": reason}
    return f"{callback}#" + "&".join(f"{name}={quote(text, safe='')}" for name, text in texts.items())


def _is_host(host: str) -> bool:
    """A name, or four numbers; what looks like other numbers would be rewritten, and IPv6 has no name a person could know."""
    if _FOUR.fullmatch(host):
        return all(str(int(part)) == part and int(part) < 256 for part in host.split("."))
    return bool(_NAME.fullmatch(host)) and not _NUMBERS.fullmatch(host)


def _fault(path: str) -> BadInput:
    text = tr("Expected an https address of at most 512 ASCII characters, without a user and without a fragment.")
    return BadInput(text, path=path)
