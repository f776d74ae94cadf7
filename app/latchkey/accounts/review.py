"""From the exact bytes to what a person reads before signing. The signer, the review page and the command line all call this.

Decode, judge, rebuild, compare: what is shown is what the bytes say, and only bytes that the builder would make again are shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.grant import Grant
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.phrases import Finding, Words
from latchkey.core.reading import Deferred
from latchkey.core.request import NO_CLAIMS, Claims
from latchkey.core.risk import findings
from latchkey.core.words import describe
from latchkey.errors import Mismatch, NotServed
from latchkey.language import tr


@dataclass(frozen=True, slots=True)
class Review:
    """`digest`: the 32 bytes that signing this would sign."""

    draft: Draft
    grant: Grant
    reading: Deferred
    words: Words
    findings: tuple[Finding, ...]
    digest: bytes


def exact(unsigned: bytes, account: Account) -> tuple[Grant, Deferred]:
    """Decode a grant and build it again; raises Mismatch unless the bytes are equal, CannotDecode when they hold anything unknown."""
    if account.mode is Mode.MA:
        raise NotServed(
            tr("This account keeps its owner in a module, which signs grants in another way; Latchkey does not serve that yet."),
            code="OwnerInModule",
            path="account",
        )
    face = system(account.system)
    reading = face.decode_unsigned(unsigned)
    grant = face.build(face.draft_of(reading, account))
    if grant.unsigned != unsigned:
        raise Mismatch(
            tr("These bytes are not what Latchkey would make of their own meaning; they are not signed."), code="NotCanonical"
        )
    return grant, reading


def review(
    unsigned: bytes, account: Account, *, now: int, policy: Policy, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES
) -> Review:
    """What `unsigned` means for `account`. Raises CannotDecode, Mismatch or Refused; `claims` and `notes` only ever add names, marked as
    whose word they are."""
    grant, reading = exact(unsigned, account)
    system(account.system).judge(grant.draft, now=now, policy=policy)
    return Review(
        draft=grant.draft,
        grant=grant,
        reading=reading,
        words=describe(reading, account=account, now=now, claims=claims, notes=notes),
        findings=findings(reading, account=account, now=now, claims=claims, notes=notes),
        digest=grant.digest,
    )
