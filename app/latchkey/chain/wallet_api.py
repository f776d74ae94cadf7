"""Alchemy's Wallet APIs: asked for one thing, to make a session. What they answer is read like everything from outside.

The key goes in a header, never in the address, and stands in no error, no log and no repr.
"""

from __future__ import annotations

import re
import threading
from typing import Final

from latchkey.chain.node import TIMEOUT, Node, NotAllowed, RpcError, Unreachable
from latchkey.codec.wallet_api import METHOD, CreatedSession, call_params, read_answer
from latchkey.core.endpoints import is_open
from latchkey.core.request import SessionRequest
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

PUBLISHED: Final = "https://api.g.alchemy.com/v2"
_INVALID: Final = -32602
_ABOUT_KEY: Final = re.compile(r"authenticat|unauthori[sz]ed|api.?key", re.I)


class ServiceRefused(ChainError):
    """The service would not make this session. `.message` and `str()`: its own words, never shown."""

    def __init__(self, text: str, message: str) -> None:
        super().__init__(text, code="ServiceRefused")
        self.message = message


class WalletApi:
    """Raises Unreachable (code "BadAddress") for an address that is none or over which everybody could read the key."""

    def __init__(
        self, url: str, key: str, *, proxy: str = "", timeout: float = TIMEOUT, stop: threading.Event | None = None
    ) -> None:
        if is_open(url):
            raise ChainError(tr("The Wallet APIs' address has to begin with https://."), code="BadAddress")
        self._node = Node(url, proxy=proxy, bearer=key, timeout=timeout, stop=stop)

    def __repr__(self) -> str:
        return f"WalletApi({self._node.place})"

    def create_session(self, request: SessionRequest) -> CreatedSession:
        """Have a session compiled; asked once, for each time makes another. Raises BadInput, ServiceRefused and the other ChainErrors."""
        try:
            answer = self._node.call(METHOD, call_params(request))
        except RpcError as error:
            raise _refused(error) from None
        except NotAllowed as fault:
            raise _bad_key() if fault.code == "NotAllowed" else fault from None
        except Unreachable as fault:
            raise Unreachable(tr("The Wallet APIs cannot be reached."), code=fault.code) from None
        try:
            created = read_answer(answer)
        except BadInput as fault:
            raise ChainError(
                tr("The Wallet APIs' answer is not one: {fault}", fault=fault.text), code="BadAnswer", path=fault.path
            ) from None
        if created.chain_id != request.chain_id:
            raise ChainError(tr("The Wallet APIs answered for another network."), code="BadAnswer", path="chainId")
        return created

    def close(self) -> None:
        self._node.close()


def _refused(error: RpcError) -> ChainError:
    if _ABOUT_KEY.search(error.message):
        return _bad_key()
    if error.number == _INVALID:
        text = tr("The Wallet APIs do not take this request: its account, its network or its permissions.")
    else:
        text = tr("The Wallet APIs refuse to make this session.")
    return ServiceRefused(text, error.message)


def _bad_key() -> ChainError:
    return NotAllowed(tr("The Wallet APIs do not accept this key. Check it in Settings."), code="BadKey")
