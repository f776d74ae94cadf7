"""Signing what ends, cancels and tightens: operations of the owner and their own transactions. One yes shows and signs all of a set.

The closed list is the account system's judge's; what is shown is made here from the exact bytes. Kept beside the keys: a break-glass
set, signed ahead, for the day when nothing else is at hand. It holds no secret, but whoever has it can end sessions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from latchkey.accounts.endings import EndingReview, review_operations, review_transactions, signer_of
from latchkey.core.account import Account
from latchkey.core.ending import Known
from latchkey.core.networks import network
from latchkey.core.phrases import Level
from latchkey.core.reading import Cancel, Lower, Shorten, Step, Transaction, Uninstall
from latchkey.core.types import Address
from latchkey.core.words_endings import steps_of
from latchkey.errors import BadInput, Mismatch, Refused
from latchkey.language import tr, trn
from latchkey.vault import keys
from latchkey.vault.keeper import Keeper
from latchkey.vault.model import BreakGlass, EndingPreview
from latchkey.vault.previews import Previews
from latchkey.vault.questions import Confirmation
from latchkey.vault.signing import TYPED, check_owner, check_test_keys, is_one_line

MOST_KNOWN = 512
MOST_SETS = 32
MOST_SET_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Pending:
    """`key`: the master key that signs."""

    review: EndingReview
    account: Account
    key: Address


class Endings:
    def __init__(self, keeper: Keeper, clock: Callable[[], float] = time.monotonic) -> None:
        self._keeper = keeper
        self._previews: Previews[_Pending] = Previews(clock)

    def preview_operations(
        self, operations: Sequence[bytes], account: Account, owner: Address, known: Sequence[Known] = ()
    ) -> EndingPreview:
        """Unsigned operations of the account. Raises what `review_operations` raises, and Refused."""
        self._keeper.master(owner)
        check_owner(account, owner)
        _check_known(known)
        reviewed = review_operations(operations, replace(account, owner=owner), now=self._keeper.now(), known=known)
        return self._preview(reviewed, account, owner)

    def preview_transactions(
        self, transactions: Sequence[bytes], account: Account, key: Address, known: Sequence[Known] = ()
    ) -> EndingPreview:
        """Unsigned transactions of `key`: the account's owner, or any master key for those that only carry what the owner signed."""
        self._keeper.master(key)
        _check_known(known)
        reviewed = review_transactions(transactions, account, key, now=self._keeper.now(), known=known)
        if all(isinstance(ending.reading, Transaction) and ending.reading.bundle for ending in reviewed.endings):
            if account.owner is None:
                raise Refused(
                    tr("The account's owner is not known, so it cannot be checked who signed."), code="WrongOwner", path="account"
                )
            check_owner(account, account.owner)
        else:
            check_owner(account, key)
        return self._preview(reviewed, account, key)

    def _preview(self, reviewed: EndingReview, account: Account, key: Address) -> EndingPreview:
        check_test_keys(account.chain_id, key)
        token = self._previews.keep(_Pending(reviewed, account, key))
        return EndingPreview(token, reviewed.words, reviewed.findings, reviewed.digest, reviewed.digests)

    def sign_all(self, token: bytes) -> tuple[bytes, ...]:
        """Ask once, then sign everything of the preview: r||s||v, 65 bytes each, in its order. The token is spent whatever the answer."""
        pending = self._previews.take(token)
        master = self._keeper.master(pending.key)
        self._keeper.questions.confirm(_confirmation(pending))
        secret = keys.private_key(master.secret)
        signatures = tuple(keys.sign_digest(secret, digest) for digest in pending.review.digests)
        _check_signatures(pending.review.digests, signatures, pending.key)
        return signatures

    # --- break-glass

    def keep_break_glass(self, account: Account, owner: Address, operations: Sequence[bytes], signatures: Sequence[bytes]) -> str:
        """Keep a signed set; it takes the place of the account's earlier one. Returns its id. Raises Refused, Mismatch, BadInput."""
        check_owner(account, owner)
        if len(operations) != len(signatures):
            raise BadInput(tr("Each operation has one signature."), path="signatures")
        reviewed = review_operations(operations, replace(account, owner=owner), now=self._keeper.now())
        _check_signatures(reviewed.digests, signatures, owner)
        made = BreakGlass(account.chain_id, account.address, owner, self._keeper.now(), tuple(operations), tuple(signatures))
        others = tuple(one for one in self._keeper.contents.break_glass if _place(one) != _place(made))
        if len(others) >= MOST_SETS or sum(map(len, operations)) > MOST_SET_BYTES:
            raise Refused(tr("There is no room for this set; revoke fewer sessions with it, or forget another one."), code="NoRoom")
        self._keeper.change(replace(self._keeper.contents, break_glass=(*others, made)))
        return made.id

    def break_glass(self) -> tuple[BreakGlass, ...]:
        return self._keeper.contents.break_glass

    def forget_break_glass(self, id_: str) -> None:
        """Nothing is undone on the chain: whoever has a copy may still send it until its nonce is used or cancelled."""
        contents = self._keeper.contents
        kept = tuple(one for one in contents.break_glass if one.id != id_)
        if len(kept) == len(contents.break_glass):
            raise Refused(tr("There is no such set."), code="NoSet", path="id")
        self._keeper.change(replace(contents, break_glass=kept))


def _place(one: BreakGlass) -> tuple[int, Address]:
    return one.chain_id, one.account


def _check_signatures(digests: Sequence[bytes], signatures: Sequence[bytes], key: Address) -> None:
    if any(signer_of(digest, signature) != key for digest, signature in zip(digests, signatures, strict=True)):
        raise Mismatch(tr("A signature does not belong to the key; nothing was kept."), code="WrongSignature")


def _check_known(known: Sequence[Known]) -> None:
    if len(known) > MOST_KNOWN or not all(is_one_line(one.label, 80) for one in known):
        raise BadInput(tr("What is said of the sessions is too long, or not plain text."), path="known")


def _confirmation(pending: _Pending) -> Confirmation:
    chain = network(pending.account.chain_id)
    reviewed = pending.review
    steps = [step for ending in reviewed.endings for step in steps_of(ending.reading)]
    title, verb = _title(steps)
    return Confirmation(
        title=title,
        account=pending.account.address,
        network=tr("{chain_name}, chain {chain_id}", chain_name=chain.name, chain_id=chain.chain_id),
        words=reviewed.words,
        findings=reviewed.findings,
        digest=reviewed.digest,
        verb=verb,
        typed=TYPED if any(finding.level is Level.DANGER for finding in reviewed.findings) else "",
    )


def _title(steps: Sequence[Step]) -> tuple[str, str]:
    """What is asked, and what the yes is called; never as for a grant."""
    ended = {step.entity_id for step in steps if isinstance(step, Uninstall)}
    cancelled = {step.key for step in steps if isinstance(step, Cancel)}
    if ended:
        also = tr(" and cancel grants") if cancelled else ""
        return (trn("End this session{also}?", "End {count} sessions{also}?", len(ended), also=also)), tr("Sign the ending")
    if cancelled and not any(isinstance(step, Lower | Shorten) for step in steps):
        return (trn("Cancel this grant?", "Cancel {count} grants?", len(cancelled))), tr("Sign the cancellation")
    return tr("Set this session's limits?"), tr("Sign the limits")
