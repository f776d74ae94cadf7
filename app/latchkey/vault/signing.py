"""Previewing and signing: the only way to a signature. What is signed is what was read here from the bytes, and a person said yes to it.

The closed list of what can be previewed: a deferred action that lets a key in, of an account system known here, and what endings.py
has. Never a bare hash.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from latchkey.accounts.review import Review, review
from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.functions import MAX_SIGNATURE
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.networks import network
from latchkey.core.phrases import Level
from latchkey.core.request import Claims
from latchkey.core.types import Address
from latchkey.errors import BadInput, Mismatch, Refused
from latchkey.language import tr
from latchkey.vault import keys
from latchkey.vault.keeper import Keeper
from latchkey.vault.model import Preview
from latchkey.vault.previews import Previews
from latchkey.vault.questions import Confirmation
from latchkey.vault.test_keys import CHAIN_ID, is_public_test_key

TYPED = tr("I understand")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_MOST_CLAIMS = 512
MAX_LABEL = 100


@dataclass(frozen=True, slots=True)
class _Pending:
    review: Review
    account: Account
    owner: Address


class Signing:
    """`clock`: steady seconds, for how long previews are good."""

    def __init__(self, keeper: Keeper, clock: Callable[[], float] = time.monotonic) -> None:
        self._keeper = keeper
        self._previews: Previews[_Pending] = Previews(clock)

    def preview_grant(self, unsigned: bytes, account: Account, owner: Address, claims: Claims, notes: Notes = NO_NOTES) -> Preview:
        """Read the bytes, judge them by the vault's own policy, and keep them for `sign`. Raises what `review` raises, and Refused.

        `notes`: names of the person's own, as the window says. Whoever holds the window could invent them, so they are worded as the
        window's, whatever they say of themselves.
        """
        self._keeper.master(owner)
        check_owner(account, owner)
        _check_names(claims, notes)
        policy = Policy.EXPERT if self._keeper.contents.expert else Policy.STRICT
        reviewed = review(
            unsigned, account, now=self._keeper.now(), policy=policy, claims=claims, notes=replace(notes, second_hand=True)
        )
        check_test_keys(account.chain_id, owner, reviewed.draft.session_key)
        token = self._previews.keep(_Pending(reviewed, account, owner))
        return Preview(token, reviewed.draft, reviewed.words, reviewed.findings, reviewed.digest)

    def sign(self, token: bytes) -> bytes:
        """Ask, then sign the previewed grant: r||s||v, 65 bytes. The token is spent whatever the answer."""
        pending = self._previews.take(token)
        master = self._keeper.master(pending.owner)
        self._keeper.questions.confirm(_confirmation(pending))
        signature = keys.sign_digest(keys.private_key(master.secret), pending.review.digest)
        if system(pending.account.system).signer_of(pending.review.grant, signature) != pending.owner:
            raise Mismatch(tr("The signature does not belong to the owner; it was thrown away."), code="WrongSignature")
        return signature


def _confirmation(pending: _Pending) -> Confirmation:
    chain = network(pending.account.chain_id)
    found = pending.review.findings
    return Confirmation(
        title=tr("Let this key in?"),
        account=pending.account.address,
        network=tr("{chain_name}, chain {chain_id}", chain_name=chain.name, chain_id=chain.chain_id),
        words=pending.review.words,
        findings=found,
        digest=pending.review.digest,
        verb=tr("Sign"),
        typed=TYPED if any(finding.level is Level.DANGER for finding in found) else "",
    )


def check_owner(account: Account, owner: Address) -> None:
    """The account must be the owner's: by its own making where that is known, else by what the person said."""
    if account.owner not in (None, owner):
        raise Refused(tr("Another key owns this account."), code="WrongOwner", path="account.owner")
    if account.mode is Mode.ADDRESS:
        return
    if account.mode is not Mode.EIP7702 and account.salt is None:
        raise Refused(tr("The account's salt is missing, so its owner cannot be checked."), code="WrongOwner", path="account.salt")
    predicted = system(account.system).predict(account.chain_id, owner, account.salt or 0, account.mode)
    if predicted.address != account.address:
        raise Refused(
            tr("This address does not follow from the owner and salt; another key owns it."), code="WrongOwner", path="account"
        )


def _check_names(claims: Claims, notes: Notes) -> None:
    """They are shown beside what was read: one line each, nothing that moves other text about, no more than a request may carry."""
    texts = [(claims.dapp_name, 80), (claims.dapp_url, 256), *((function, 200) for function in claims.functions)]
    texts += [text for _, name, symbol, _ in claims.names for text in ((name, 80), (symbol, 20))]
    texts += [*((name, MAX_LABEL) for _, name in notes.names), *((function, MAX_SIGNATURE) for function in notes.functions)]
    if len(texts) > _MOST_CLAIMS or not all(is_one_line(text, limit) for text, limit in texts):
        raise BadInput(tr("The names that came with this are too long, too many, or not plain text."), path="claims")


def is_one_line(text: str, limit: int) -> bool:
    """Nothing in it breaks the line, hides, or moves other text about."""
    return len(text) <= limit and not any(unicodedata.category(c) in _HIDDEN for c in text)


def check_test_keys(chain_id: int, *addresses: Address) -> None:
    if chain_id != CHAIN_ID and any(map(is_public_test_key, addresses)):
        raise Refused(
            tr("A public test key is known to everybody: it is used on the practice chain ({chain_id}) alone.", chain_id=CHAIN_ID),
            code="PublicTestKey",
        )
