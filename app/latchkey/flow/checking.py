"""What the chain has to say before a grant is signed or leaves this machine.

    checks = Checks(book, chains, clock)
    granting = Granting(book, client, clock, choose=checks.choose, check=checks.check)

Where an RPC is set for the account's network it is asked whether it is that network, whether the account and its modules run the
published code, whether the owner is who signs, whether hooks on the owner would refuse the grant, and whether its id is free. What
contradicts the grant refuses it. An RPC that does not answer refuses nothing: a grant is data, and signing works offline; that nobody
was asked is said.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from latchkey.core.account import Account
from latchkey.core.draft import Draft
from latchkey.core.phrases import Finding, Level
from latchkey.core.reading import owner_of_storage
from latchkey.core.session import AccountReading, LogRange, Owner
from latchkey.core.types import Address
from latchkey.errors import ChainError, Refused
from latchkey.flow.granting import Ids, choose_ids
from latchkey.language import tr
from latchkey.store.readings import Readings

if TYPE_CHECKING:
    from latchkey.chain.node import Node
    from latchkey.flow.chains import Chains
    from latchkey.store.book import Book

JUST = 600  # seconds for which a reading counts as just made
_AT_VALIDATION = 1  # flag of a hook that the owner's signature has to pass
_UNFIT = {"code-unknown": "CodeUnknown", "second-differs": "RpcsDiffer"}  # findings of a reading that no grant is signed against


class Checks:
    """`clock`: now, seconds since 1970."""

    def __init__(self, book: Book, chains: Chains, clock: Callable[[], int]) -> None:
        self._book, self._chains, self._clock = book, chains, clock
        self._readings = Readings(book)

    def choose(self, book: Book, account: Account) -> Ids:
        """The smallest id that was never seen, when the chain was just read to the end; a random one otherwise. Asks no network."""
        return choose_ids(book, account, self._just_seen(account))

    def check(self, account: Account, draft: Draft, stop: threading.Event | None = None) -> tuple[Finding, ...]:
        """What is worth knowing before `draft` is signed by `account.owner` (None: not known yet); blocks for a few requests.

        Raises Refused when the chain contradicts the grant, or the RPC is not to be believed.
        """
        try:
            node = self._chains.node(account.chain_id)
        except ChainError:
            return ()  # none is set
        from latchkey.chain.reading import WrongChain
        from latchkey.chain.vouch import NotTrusted

        try:
            reading = _brief(node.stoppable(stop), self._chains.second(account.chain_id), account, draft.entity_id, stop)
        except (WrongChain, NotTrusted) as error:
            raise Refused(
                tr("{error_text} Nothing was signed: set another RPC in Settings, or none.", error_text=error.text), code=error.code
            ) from None
        except ChainError as error:
            return (_unasked(error),)
        for problem in _contradictions(reading, account.owner, draft, self._ever_seen(account)):
            raise problem
        return ()

    def _just_seen(self, account: Account) -> frozenset[int] | None:
        kept = self._readings.get(account)
        if kept is None or not kept.reading.logs.complete or not 0 <= self._clock() - kept.taken <= JUST:
            return None
        return kept.reading.used_entity_ids

    def _ever_seen(self, account: Account) -> frozenset[int]:
        kept = self._readings.get(account)
        return kept.reading.used_entity_ids if kept else frozenset()


def _brief(node: Node, second: Node | None, account: Account, entity_id: int, stop: threading.Event | None) -> AccountReading:
    """The account without its history: code, owner, and whether the id is free."""
    from latchkey.chain.logs import Scanned
    from latchkey.chain.reading import read_account

    block = node.head()
    no_logs = Scanned((), LogRange(block.number, block.number))
    return read_account(node, account, scanned=no_logs, second=second, stop=stop, at=block, also={entity_id})


def _contradictions(reading: AccountReading, signer: Address | None, draft: Draft, seen: frozenset[int]) -> Iterator[Refused]:
    for finding in reading.findings:
        if finding.id in _UNFIT:
            yield Refused(tr("{sentence} Nothing was signed.", sentence=finding.sentence), code=_UNFIT[finding.id], path="account")
    owner = next((owner for owner in reading.owners if owner.entity_id == 0 and owner.kind == "fallback-signer"), None)
    if owner is not None:
        yield from _about_owner(owner, signer)
    stored = {owner_of_storage(left.entity_id) for left in reading.leftovers}
    if draft.entity_id in reading.used_entity_ids | seen | stored:
        yield Refused(
            tr(
                "The account has had a session with this id, so limits of then would count again. Go back and review the grant anew."
            ),
            code="EntityIdUsed",
            path="entityId",
        )


def _about_owner(owner: Owner, signer: Address | None) -> Iterator[Refused]:
    if owner.disabled:
        yield Refused(tr("The account's owner is switched off: it would take no grant."), code="OwnerDisabled", path="owner")
    if signer is not None and owner.address != signer:
        yield Refused(
            tr("On the chain, {address} owns this account, not the key that would sign.", address=owner.address),
            code="OwnerDiffers",
            path="owner",
        )
    if any(hook.flags & _AT_VALIDATION for hook in owner.hooks):
        yield Refused(
            tr("Hooks stand on the owner's own key; while they do, the account refuses every signed grant."),
            code="OwnerHasHooks",
            path="owner",
        )


def _unasked(error: ChainError) -> Finding:
    return Finding(
        "not-checked",
        Level.NOTICE,
        tr("The chain could not be asked whether this grant fits the account."),
        tr("{error_text} It can be signed without that.", error_text=error.text),
    )
