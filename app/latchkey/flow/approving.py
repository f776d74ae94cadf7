"""Approving what was prepared elsewhere: on another machine of the owner's, in another wallet, behind somebody's web service.

    approvals = Approvals(book, lambda: client, chains, clock)
    one = approvals.read(found)              an unsigned hand-over or a wallet's signing request; raises with the reason why it is refused
    one.shown                                all that a person reads before saying yes
    goes_back = one.sign(client)             blocks: the desk shows the same words; the answer as QR code, file, link and text

Whoever else asks for signatures makes a `ToApprove` of their own; the page takes any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from latchkey.accounts.system import Policy
from latchkey.codec.eip4527 import EthSignRequest
from latchkey.codec.hand_over import ENDINGS, Envelope, Kind, decode
from latchkey.codec.wallet_api import CreatedSession
from latchkey.core.account import Account
from latchkey.core.ending import Known
from latchkey.core.moments import span
from latchkey.core.phrases import Finding, Level, Words
from latchkey.core.powers import powers_of
from latchkey.core.types import Address
from latchkey.errors import BadInput, Refused
from latchkey.flow import wallet_api
from latchkey.flow.accounts import recognise, same_place
from latchkey.flow.checking import Checks
from latchkey.flow.devices import vault_keys
from latchkey.flow.ending_envelopes import review_envelope, signed_envelope
from latchkey.flow.foreign import answer_to, asked, beside_others
from latchkey.flow.granting import Granting, Prepared
from latchkey.flow.handing import HandOver, of_envelope, of_session, of_signature
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.flow.chains import Chains
    from latchkey.store.book import Book
    from latchkey.store.records import GrantRecord
    from latchkey.vault.client import SignerClient

_SOON, _LONG = 120, 86_400  # seconds between two clocks that are nothing, and that are much


@dataclass(frozen=True, slots=True)
class Shown:
    """What a person reads before saying yes.

    `title`: what kind of thing it is. `account` names the key that signs as its owner. `digest`: 32 bytes, what both machines show.
    `unchecked`: what nobody has looked at, each a sentence. `asker`: what whoever asks calls itself, a claim. `made`: when it was
    prepared by the clock of the machine that did, seconds since 1970, None where it does not say. `next`: what becomes of the answer.
    """

    title: str
    account: Account
    words: Words
    findings: tuple[Finding, ...]
    digest: bytes
    unchecked: tuple[str, ...]
    asker: str = ""
    made: int | None = None
    next: str = ""


class ToApprove(Protocol):
    """Something that was prepared elsewhere, read and judged."""

    @property
    def shown(self) -> Shown: ...

    def sign(self, client: SignerClient) -> HandOver:
        """Ask at the desk and sign. Blocks. Raises Declined, Locked, Refused, Mismatch, StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class _Grant:
    """`answer`: what goes back for the signed grant."""

    shown: Shown
    prepared: Prepared
    granting: Granting
    answer: Callable[[GrantRecord], HandOver]

    def sign(self, client: SignerClient) -> HandOver:
        return self.answer(self.granting.keep(self.granting.sign(self.prepared)))


@dataclass(frozen=True, slots=True)
class _Ending:
    """`envelope` names the account with its owner."""

    shown: Shown
    envelope: Envelope
    known: tuple[Known, ...]
    clock: Callable[[], int]
    answer: Callable[[Envelope], HandOver]

    def sign(self, client: SignerClient) -> HandOver:
        envelope, account = self.envelope, self.shown.account
        assert account.owner is not None
        client.unlock()
        preview = client.preview_transactions if envelope.transactions else client.preview_operations
        read = preview(envelope.transactions or envelope.operations, account, account.owner, self.known)
        return self.answer(signed_envelope(envelope, client.sign_all(read.token), now=self.clock()))


class Approvals:
    """What this machine's keys can sign for others. `client` is asked for when the signer is first needed."""

    def __init__(self, book: Book, client: Callable[[], SignerClient], chains: Chains, clock: Callable[[], int]) -> None:
        self._book, self._chains, self._clock = book, chains, clock
        checks = Checks(book, chains, clock)
        self._granting = Granting(book, client, clock, check=checks.check)

    def owners(self, account: Account) -> tuple[Address, ...]:
        """Which keys of the vault could be the account's owner."""
        keys = vault_keys(self._book)
        return tuple(key for key in keys if account.owner in (None, key))

    def read(self, found: Envelope | EthSignRequest | CreatedSession, owner: Address | None = None) -> ToApprove:
        """`owner`: the key that is to sign, where `found` leaves it open. Raises BadInput, Refused, Mismatch, CannotDecode with the
        reason; Refused with the code "WhichOwner" when several keys could be meant."""
        if isinstance(found, EthSignRequest):
            return self._asked(found)
        if isinstance(found, CreatedSession):
            return self._created(found, owner)
        if found.account is None:
            raise BadInput(tr("account is missing from the envelope."), path="account")
        envelope = replace(found, account=self._owned(found.account, owner))
        if found.kind is Kind.UNSIGNED_GRANT:
            return self._grant_of(envelope)
        if found.kind not in ENDINGS or found.signatures:
            raise Refused(tr("This is not something to sign."), code="NotUnsigned")
        return self._ending(
            envelope,
            tr("Sign for another machine"),
            _signed_ending,
            tr("The signed answer goes back to the machine that prepared it, which sends it."),
        )

    # --- what another Latchkey prepared

    def _grant_of(self, envelope: Envelope) -> ToApprove:
        prepared = beside_others(self._granting.reopen(envelope, Policy.EXPERT), self._book)
        goes = tr("The signed grant goes back to the machine that prepared it.")
        shown = self._shown_grant(
            prepared, tr("Sign a grant for another machine"), envelope.claims.dapp_name, envelope.created, goes
        )
        return _Grant(shown, prepared, self._granting, _signed_grant)

    def _shown_grant(self, prepared: Prepared, title: str, asker: str, made: int | None, goes: str) -> Shown:
        read = prepared.review
        return Shown(
            title,
            prepared.account,
            read.words,
            (*self._clocks(made), *read.findings),
            read.digest,
            self._unchecked_grant(prepared),
            asker,
            made,
            goes,
        )

    def _ending(
        self, envelope: Envelope, title: str, answer: Callable[[Envelope], HandOver], goes: str, asker: str = ""
    ) -> ToApprove:
        assert envelope.account is not None
        known = tuple(Known(g.draft.entity_id, g.label[:80], g.draft.session_key) for g in self._book.grants(envelope.account))
        reviewed, _ = review_envelope(envelope, now=self._clock(), known=known)
        findings = (*self._clocks(envelope.created), *reviewed.findings)
        shown = Shown(
            title, envelope.account, reviewed.words, findings, reviewed.digest, _unchecked_ending(), asker, envelope.created, goes
        )
        return _Ending(shown, envelope, known, self._clock, answer)

    # --- what another wallet asks for

    def _asked(self, request: EthSignRequest) -> ToApprove:
        found = asked(request, self._book, now=self._clock())
        goes = tr("The signature goes back to the wallet that asked.")
        if isinstance(found, Prepared):
            prepared = replace(found, account=self._owned(found.account, request.address))

            def granted(record: GrantRecord) -> HandOver:
                return of_signature(answer_to(request, decode(record.envelope or b"")))

            shown = self._shown_grant(prepared, tr("Sign a grant for another wallet"), request.origin, None, goes)
            return _Grant(shown, prepared, self._granting, granted)
        assert found.account is not None
        envelope = replace(found, account=self._owned(found.account, request.address), created=None)
        title = tr("Sign a transaction for another wallet")
        return self._ending(envelope, title, lambda signed: of_signature(answer_to(request, signed)), goes, request.origin)

    # --- what Alchemy's service compiled for a dApp

    def _created(self, answer: CreatedSession, owner: Address | None) -> ToApprove:
        found = wallet_api.asked(answer, self._book, now=self._clock())
        prepared = replace(found, account=self._owned(found.account, owner))
        title, goes = (
            tr("Sign a session of Alchemy's Wallet APIs"),
            tr("The signed context goes back to the dApp that asked for the session."),
        )
        return _Grant(self._shown_grant(prepared, title, "", None, goes), prepared, self._granting, _signed_session)

    # --- the owner, the chain, the clocks

    def _owned(self, account: Account, wanted: Address | None) -> Account:
        """The account with the key of this vault that owns it. Raises Refused when there is none, or several could be meant."""
        keys = vault_keys(self._book)
        account = next((known for known in self._book.accounts() if same_place(known, account) and known.owner), account)
        if account.owner is None:
            account = recognise(account.chain_id, account.address, keys) or account
        owner = account.owner or wanted or (keys[0] if len(keys) == 1 else None)
        if owner is None and keys:
            raise Refused(tr("Which of your keys owns this account is not known; say which."), code="WhichOwner", path="owner")
        if owner is None or (
            keys and owner not in keys
        ):  # with none in the book, the vault has not been opened yet: the signer will say
            raise Refused(tr("The key that owns this account is not in this vault."), code="NoKey", path="owner")
        return replace(account, owner=owner)

    def _clocks(self, made: int | None) -> tuple[Finding, ...]:
        """What two clocks that do not agree mean."""
        if made is None:
            return ()
        ahead = made - self._clock()
        if ahead > _SOON:
            sentence = tr("By this machine's clock it was prepared in the future: one of the two is {span} off.", span=span(ahead))
            advice = tr("Set the clock that is wrong before you sign: what is said here of time is counted by this one.")
            return (Finding("clocks", Level.WARNING, sentence, advice),)
        if ahead < -_LONG:
            sentence = tr("It was prepared {span} ago, or one of the two clocks is wrong.", span=span(-ahead))
            return (Finding("clocks", Level.NOTICE, sentence, tr("Compare the two times below; ask for a new one when in doubt.")),)
        return ()

    def _unchecked_grant(self, prepared: Prepared) -> tuple[str, ...]:
        draft, chain = prepared.review.draft, prepared.account.chain_id
        powers = powers_of(draft.permissions)
        first = (
            (tr("What the network says is asked right before it is signed: the account's code, its owner, its number."),)
            if self._chains.is_set(chain)
            else (
                tr("Whether the account is there, runs the code it should, and still belongs to this key."),
                tr(
                    "Whether number {number} was used before: a session of that number would get these powers too.",
                    number=draft.entity_id,
                ),
            )
        )
        tokens = (
            (tr("Whether tokens and contracts are what their names say: compare the addresses."),)
            if powers.contracts or powers.tokens
            else ()
        )
        return (*first, *tokens, tr("What time it is on the network, which counts the end by its own clock."))


def _unchecked_ending() -> tuple[str, ...]:
    return (
        tr("Whether these sessions are still there, and what is left of them."),
        tr("Whether its turn in the account's nonces is still free: if not, it cannot be used."),
        tr("Whether the fees are enough, and whether the account or its owner can pay them."),
    )


def _signed_grant(record: GrantRecord) -> HandOver:
    return of_envelope(decode(record.envelope or b""), f"grant-{record.id}-signed", _COMPARES)


def _signed_session(record: GrantRecord) -> HandOver:
    return of_session(decode(record.envelope or b""))


def _signed_ending(signed: Envelope) -> HandOver:
    return of_envelope(signed, note=_COMPARES)


_COMPARES = tr("Show it to the camera of the machine that prepared it, or bring it the file. It checks the signature and goes on.")
