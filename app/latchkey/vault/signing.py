"""Previewing and signing: the only way to a signature. What is signed is what was read here from the bytes, and a person said yes to it.

The closed list of what can be previewed: a deferred action that lets a key in, of an account system known here. Never a bare hash.
"""

from __future__ import annotations

import secrets
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from latchkey.accounts.review import Review, review
from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.networks import network
from latchkey.core.phrases import Level
from latchkey.core.request import Claims
from latchkey.core.types import Address
from latchkey.errors import BadInput, Mismatch, Refused
from latchkey.vault import keys
from latchkey.vault.keeper import Keeper
from latchkey.vault.model import Preview
from latchkey.vault.questions import Confirmation
from latchkey.vault.test_keys import CHAIN_ID, is_public_test_key

VALID_SECONDS = 300
MOST_PREVIEWS = 16
TYPED = "I understand"
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
_MOST_CLAIMS = 512


@dataclass(frozen=True, slots=True)
class _Pending:
    review: Review
    account: Account
    owner: Address
    until: float


class Signing:
    """Holds at most 16 previews; each is good for one signature within five minutes. `clock`: steady seconds."""

    def __init__(self, keeper: Keeper, clock: Callable[[], float] = time.monotonic) -> None:
        self._keeper, self._clock = keeper, clock
        self._pending: dict[bytes, _Pending] = {}

    def preview_grant(self, unsigned: bytes, account: Account, owner: Address, claims: Claims) -> Preview:
        """Read the bytes, judge them by the vault's own policy, and keep them for `sign`. Raises what `review` raises, and Refused."""
        self._keeper.master(owner)
        _check_owner(account, owner)
        _check_claims(claims)
        policy = Policy.EXPERT if self._keeper.contents.expert else Policy.STRICT
        reviewed = review(unsigned, account, now=self._keeper.now(), policy=policy, claims=claims)
        _check_test_keys(account.chain_id, owner, reviewed.draft.session_key)
        token = secrets.token_bytes(16)
        while len(self._pending) >= MOST_PREVIEWS:
            del self._pending[next(iter(self._pending))]
        self._pending[token] = _Pending(reviewed, account, owner, self._clock() + VALID_SECONDS)
        return Preview(token, reviewed.draft, reviewed.words, reviewed.findings, reviewed.digest)

    def sign(self, token: bytes) -> bytes:
        """Ask, then sign the previewed grant: r||s||v, 65 bytes. The token is spent whatever the answer."""
        pending = self._pending.pop(token, None)
        if pending is None or pending.until < self._clock():
            raise Refused("This preview is used up or too old; look at it again before you sign.", code="PreviewGone")
        master = self._keeper.master(pending.owner)
        self._keeper.questions.confirm(_confirmation(pending))
        signature = keys.sign_digest(keys.private_key(master.secret), pending.review.digest)
        if system(pending.account.system).signer_of(pending.review.grant, signature) != pending.owner:
            raise Mismatch("The signature does not belong to the owner; it was thrown away.", code="WrongSignature")
        return signature


def _confirmation(pending: _Pending) -> Confirmation:
    chain = network(pending.account.chain_id)
    found = pending.review.findings
    return Confirmation(
        title="Let this key in?",
        account=pending.account.address,
        network=f"{chain.name}, chain {chain.chain_id}",
        words=pending.review.words,
        findings=found,
        digest=pending.review.digest,
        verb="Sign",
        typed=TYPED if any(finding.level is Level.DANGER for finding in found) else "",
    )


def _check_owner(account: Account, owner: Address) -> None:
    """The account must be the owner's: by its own making where that is known, else by what the person said."""
    if account.owner not in (None, owner):
        raise Refused("Another key owns this account.", code="WrongOwner", path="account.owner")
    if account.mode is Mode.ADDRESS:
        return
    if account.mode is not Mode.EIP7702 and account.salt is None:
        raise Refused("The account's salt is missing, so its owner cannot be checked.", code="WrongOwner", path="account.salt")
    predicted = system(account.system).predict(account.chain_id, owner, account.salt or 0, account.mode)
    if predicted.address != account.address:
        raise Refused(
            "This address does not follow from the owner and salt; another key owns it.", code="WrongOwner", path="account"
        )


def _check_claims(claims: Claims) -> None:
    """They are shown beside what was read: one line each, nothing that moves other text about, no more than a request may carry."""
    texts = [(claims.dapp_name, 80), (claims.dapp_url, 256), *((function, 200) for function in claims.functions)]
    texts += [text for _, name, symbol, _ in claims.names for text in ((name, 80), (symbol, 20))]
    hidden = any(unicodedata.category(c) in _HIDDEN for text, _ in texts for c in text)
    if hidden or len(texts) > _MOST_CLAIMS or any(len(text) > limit for text, limit in texts):
        raise BadInput("The names that came with this request are too long, too many, or not plain text.", path="claims")


def _check_test_keys(chain_id: int, *addresses: Address) -> None:
    if chain_id != CHAIN_ID and any(map(is_public_test_key, addresses)):
        raise Refused(
            f"A public test key is known to everybody: it is used on the practice chain ({CHAIN_ID}) alone.", code="PublicTestKey"
        )
