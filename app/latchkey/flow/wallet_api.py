"""Sessions that Alchemy's Wallet APIs compile: the owner signs what their service made, after it was read here like everything else.

    prepared = asked(answer, book, now=now)      a grant as the wizard would have prepared it; refused when the service says one thing
                                                 and its bytes another, or when its nonce or entity id is taken
                                                 (signed like every grant; its hand-over's `context` is what the dApp passes on)
    created = Service(...).create(request)       the same session asked for from here instead of by the dApp

The contexts: 0x00, the service keeps the session and the dApp brings the owner's signature; 0x01, the whole signed grant, which no
service has to know; 0x02, a session that is installed on the chain already.

The key of the service is no key of an account: it says who asks and costs a quota. It is kept in the vault so that no file holds it
in the clear, and the signer, which talks to no network, gives it to this process for one call while the vault is open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from latchkey.accounts.modular_account.deferred import installed_context
from latchkey.accounts.system import Policy
from latchkey.codec.eip4527 import DataType, EthSignRequest
from latchkey.codec.hdkeys import KeyPath
from latchkey.codec.wallet_api import CreatedSession
from latchkey.core.request import SessionRequest
from latchkey.core.session import Session
from latchkey.errors import ChainError, Mismatch
from latchkey.flow import foreign
from latchkey.flow.granting import Prepared
from latchkey.language import tr
from latchkey.offline import is_offline

if TYPE_CHECKING:
    from latchkey.store.book import Book
    from latchkey.store.settings import Settings
    from latchkey.vault.client import SignerClient

_NO_PATH = KeyPath(())


def asked(
    answer: CreatedSession, book: Book, *, now: int, wanted: SessionRequest | None = None, policy: Policy = Policy.EXPERT
) -> Prepared:
    """What the service asks the owner to sign. `wanted`: what it was asked for, where that is known.

    Raises Mismatch when its digest is not that of its own typed data, or it made something else than was wanted; Refused for an account
    that is not ours and for a nonce or an entity id that is taken; CannotDecode, Mismatch and Refused as any review does.
    """
    question = EthSignRequest(answer.typed_data, DataType.TYPED_DATA, _NO_PATH, chain_id=answer.chain_id)
    prepared = foreign.asked(question, book, now=now, policy=policy)
    assert isinstance(prepared, Prepared)
    answer.check_digest(prepared.review.digest)
    draft = prepared.review.draft
    made = SessionRequest(
        draft.permissions, answer.request_id, draft.account, draft.chain_id, draft.expiry, draft.session_key, claims=prepared.claims
    )
    if wanted is not None:
        _check_same(made, wanted)
    return replace(prepared, request=made, session_id=answer.session_id)


def _check_same(made: SessionRequest, wanted: SessionRequest) -> None:
    """The service compiles; it has no say in what is granted. The order of permissions is its own."""
    pairs = {
        "account": (made.account, wanted.account),
        "chainId": (made.chain_id, wanted.chain_id),
        "expirySec": (made.expiry, wanted.expiry or 0),
        "key": (made.session_key, wanted.session_key),
        "permissions": (sorted(map(repr, made.permissions)), sorted(map(repr, wanted.permissions))),
    }
    for name, (found, meant) in pairs.items():
        if found != meant:
            raise Mismatch(
                tr("{name}: the Wallet APIs made another session than the one asked for. Nothing was signed.", name=name),
                code="OtherSession",
                path=name,
            )


def installed(session: Session) -> bytes:
    """The context 0x02 of a session that is on the chain; it holds nothing secret and proves nothing."""
    return installed_context(session.entity_id, is_global=session.install.is_global)


class Service:
    """The Wallet APIs at the address that Settings name. Blocks."""

    def __init__(self, client: SignerClient, settings: Callable[[], Settings]) -> None:
        self._client, self._settings = client, settings

    def create(self, request: SessionRequest) -> CreatedSession:
        """Ask for a session. `request` names account, network and key. Raises ChainError, BadInput, Locked."""
        if is_offline():
            raise ChainError(tr("This Latchkey is offline and asks no network."), code="Offline")
        settings = self._settings()
        if not settings.wallet_api:
            raise ChainError(tr("Where the Wallet APIs are is not set. Set it in Settings, under Wallet APIs."), code="NotSet")
        from latchkey.chain.wallet_api import WalletApi  # not there at all in the offline profile

        self._client.unlock()
        api = WalletApi(settings.wallet_api, self._client.api_key(), proxy=settings.proxy)
        try:
            return api.create_session(request)
        finally:
            api.close()
