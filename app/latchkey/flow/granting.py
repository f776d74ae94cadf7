"""Granting, from a finished wizard to a signed grant in the book.

    granting = Granting(book, lambda: client, clock)
    prepared = granting.prepare(state, world)      entity id and nonce chosen, built, read back: what the review page shows
    signed = granting.sign(prepared)               blocks: the signer previews the same bytes, the person says yes at the desk
    record = granting.keep(signed)                 one entry in the book; only now may it be handed over

Nothing is kept before the owner's signature was checked, and the book takes a grant whole or not at all: when any step fails, nothing
has been handed over and nothing is half done.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from latchkey.accounts.review import Review, review
from latchkey.accounts.system import Policy, system
from latchkey.codec.fields import MAX_FUNCTION, MAX_FUNCTIONS
from latchkey.codec.hand_over import Envelope, Kind, decode, encode
from latchkey.core.account import Account
from latchkey.core.amounts import ETH, format_amount
from latchkey.core.draft import Draft
from latchkey.core.moments import span
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.narrow import Asked
from latchkey.core.networks import network
from latchkey.core.phrases import Finding
from latchkey.core.powers import powers_of
from latchkey.core.presets import DAY
from latchkey.core.request import NO_CLAIMS, Claims, SessionRequest
from latchkey.core.types import Address
from latchkey.errors import Mismatch, Refused
from latchkey.flow.accounts import same_place
from latchkey.flow.explain import explain, verify_signature
from latchkey.flow.naming import kept_notes, relevant
from latchkey.flow.narrowing import told
from latchkey.flow.requests import answered, digest_of
from latchkey.flow.wizard import KeySource, WizardState, World, account_of, draft_of, notes_for
from latchkey.language import tr
from latchkey.store.carried import Carried
from latchkey.store.records import GrantRecord, GrantState, KeyOrigin, Outcome, RequestMark
from latchkey.store.replacing import Replacements

if TYPE_CHECKING:
    from latchkey.store.book import Book
    from latchkey.vault.client import SignerClient

NONCE_BITS = 128
FIRST_ENTITY_ID, LAST_ENTITY_ID = 2**20, 2**31 - 2  # offline, smaller ids may be in use without our knowing


@dataclass(frozen=True, slots=True)
class Ids:
    """What no two grants of an account may share. `nonce_key`: the 152-bit parallel key; its sequence is always 0."""

    entity_id: int
    nonce_key: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A grant as it would be signed, read back from its bytes. `account` names the owner when that is known. `replaces`: entity ids of
    sessions that have to be gone before it is handed over. `notes`: the person's own names for what it names. `session_id`: the Wallet
    APIs' name of the session, of what their service made alone: no request's id makes a grant one of theirs."""

    account: Account
    review: Review
    label: str = ""
    claims: Claims = NO_CLAIMS
    request: SessionRequest | None = None
    key_origin: KeyOrigin = KeyOrigin.GIVEN
    key_type: str = "secp256k1"
    replaces: tuple[int, ...] = ()
    notes: Notes = NO_NOTES
    session_id: bytes | None = None

    @property
    def request_id(self) -> str:
        return self.request.request_id if self.request else ""


@dataclass(frozen=True, slots=True)
class Signed:
    """Signed and checked, not yet in the book. `envelope`: the hand-over's bytes. `remarks`: what `check` had to say."""

    prepared: Prepared
    envelope: bytes
    remarks: tuple[Finding, ...] = ()


Choose = Callable[["Book", Account], Ids]
Check = Callable[[Account, Draft], tuple[Finding, ...]]


def choose_ids(book: Book, account: Account, seen: frozenset[int] | None = None) -> Ids:
    """Unlike those of every grant in the book. `seen`: every id the account has ever had, when the chain was just read to the end:
    then the smallest free one. Otherwise random, for without the chain nothing else says which are free.
    """
    entities = book.entity_ids(account)
    keys = {
        nonce >> 104 for nonce in book.pending_nonces(account)
    }  # nonce = key (152) || entity (32) || options (8) || sequence (64)
    while True:
        ids = Ids(_random_entity_id() if seen is None else _lowest(seen | entities), secrets.randbits(NONCE_BITS))
        if ids.entity_id not in entities and ids.nonce_key not in keys:
            return ids


def _random_entity_id() -> int:
    return FIRST_ENTITY_ID + secrets.randbelow(LAST_ENTITY_ID - FIRST_ENTITY_ID + 1)


def _lowest(taken: frozenset[int]) -> int:
    return next(entity_id for entity_id in count(1) if entity_id not in taken)


class Granting:
    """The use cases of granting. `client` is asked for when the signer is first needed; `choose` is replaced to reproduce a grant;
    `check` asks the chain before anything is signed (flow.checking), None when there is no chain to ask."""

    def __init__(
        self,
        book: Book,
        client: Callable[[], SignerClient],
        clock: Callable[[], int],
        choose: Choose = choose_ids,
        check: Check | None = None,
    ) -> None:
        self._book, self._client, self._clock = book, client, clock
        self.choose = choose
        self._check = check

    # --- requests

    def answered(self, request: SessionRequest) -> str:
        """A sentence when a request with this id was answered already, "" when it is new: one request, one grant."""
        return answered(self._book, request)

    # --- preparing

    def make_key(self) -> Address:
        """A new session key, made and kept in the vault. Blocks; asks for the passphrase when the vault is locked."""
        client = self._client()
        client.unlock()
        return client.make_session_key()

    def prepare(self, state: WizardState, world: World) -> Prepared:
        """Choose ids, build, read back. Raises Refused or BadInput with the first thing that is not done, Mismatch, CannotDecode."""
        account = account_of(state)
        ids = self.choose(self._book, account)
        draft = draft_of(state, world, entity_id=ids.entity_id, nonce_key=ids.nonce_key)
        grant = system(account.system).build(draft)
        notes = relevant(notes_for(state, world), draft.permissions)
        shown = review(grant.unsigned, account, now=world.now, policy=world.policy, claims=state.claims, notes=notes)
        made = state.key.source is KeySource.MADE
        return Prepared(
            account=account,
            review=shown,
            label=state.label.strip(),
            claims=state.claims,
            request=state.request,
            key_origin=KeyOrigin.MADE if made else KeyOrigin.GIVEN,
            key_type=state.request.key_type if state.request else "secp256k1",
            replaces=state.replaces or (),
            notes=notes,
        )

    def reopen(self, envelope: Envelope, policy: Policy) -> Prepared:
        """An unsigned grant that another machine prepared, to be reviewed and signed here; its claims stay claims.

        Raises what `review` raises, and Mismatch when the envelope says something else than its bytes.
        """
        if envelope.kind is not Kind.UNSIGNED_GRANT or envelope.account is None:
            raise Refused(tr("This is not an unsigned grant."), code="NotUnsigned")
        now = self._clock()
        explain(encode(envelope), now=now)
        account = envelope.account
        notes = kept_notes(self._book, account.chain_id, envelope.permissions)
        shown = review(envelope.unsigned, account, now=now, policy=policy, claims=envelope.claims, notes=notes)
        request = None
        if envelope.request_id:
            asked = envelope.asked or Asked(envelope.permissions, envelope.expiry)
            request = SessionRequest(asked.permissions, envelope.request_id, expiry=asked.expiry, claims=envelope.claims)
        return Prepared(account, shown, "", envelope.claims, request, KeyOrigin.GIVEN, envelope.key_type, notes=notes)

    # --- signing

    def check(self, prepared: Prepared) -> tuple[Finding, ...]:
        """Ask the chain, where one is set, whether the grant fits the account; before it is signed (`sign` does so itself) or exported.
        Blocks. Raises Refused when it does not."""
        return self._check(prepared.account, prepared.review.draft) if self._check else ()

    def sign(self, prepared: Prepared) -> Signed:
        """Have the owner's key sign after the person's yes at the desk. Blocks. Raises Refused when another grant of
        the account has its nonce or its entity id, or when the chain says that it does not fit, SignerError (Declined, Locked), Mismatch.
        """
        earlier(prepared, self._book)
        owner = self._owner(prepared.account)
        account = replace(prepared.account, owner=owner)
        remarks = self.check(replace(prepared, account=account))
        client, face, shown = self._client(), system(prepared.account.system), prepared.review
        client.unlock()  # nothing is asked when it is open already
        preview = client.preview_grant(shown.grant.unsigned, account, owner, prepared.claims, prepared.notes)
        if preview.digest != shown.digest or preview.draft != shown.draft:
            raise Mismatch(tr("The signer reads this grant differently; it was not signed."), code="SignerDiffers")
        signature = client.sign(preview.token)
        if face.signer_of(shown.grant, signature) != owner:
            raise Mismatch(tr("The signature is not the owner's; it was thrown away."), code="WrongSigner")
        signed = face.assemble(shown.grant, signature)
        envelope = replace(
            self._envelope(prepared, account, Kind.SIGNED_GRANT),
            blob=signed.blob,
            context=face.context(signed, prepared.session_id),
            sealed_session_key=self._sealed(prepared, client),
        )
        return Signed(replace(prepared, account=account), encode(envelope), remarks)

    def keep(self, signed: Signed) -> GrantRecord:
        """Put a signed grant into the book and mark its request as answered. Raises StoreError; then nothing may be handed over.

        One that replaces others waits: its state is "waiting", and it is handed over when they are gone (flow.similar).
        """
        prepared = signed.prepared
        unsigned = earlier(prepared, self._book)  # the same bytes, prepared here before and not signed yet
        if unsigned is None:
            state = GrantState.WAITING if prepared.replaces else GrantState.SIGNED
            record = self._book.add_grant(replace(self._record(prepared), envelope=signed.envelope, state=state))
        else:
            self._book.put_envelope(unsigned.id, signed.envelope)
            record = self._book.grant(unsigned.id)
        record = self._held(record, prepared.replaces)
        if prepared.request is not None:
            mark = RequestMark(prepared.request.request_id, digest_of(prepared.request), self._clock(), Outcome.GRANTED)
            self._book.mark_request(mark)
        return record

    def keep_unsigned(self, prepared: Prepared) -> tuple[GrantRecord, bytes]:
        """Keep a grant that another machine is to sign, so that its nonce and entity id are taken; and its hand-over's bytes.

        The other machine is told the functions' names, as this one's claims; the person's names for addresses stay here.
        """
        envelope = self._envelope(prepared, prepared.account, Kind.UNSIGNED_GRANT)
        functions = tuple(dict.fromkeys((*envelope.claims.functions, *prepared.notes.functions)))[:MAX_FUNCTIONS]
        claims = replace(envelope.claims, functions=tuple(f for f in functions if len(f) <= MAX_FUNCTION))
        envelope = replace(envelope, unsigned=prepared.review.grant.unsigned, claims=claims, created=self._clock())
        raw = encode(envelope)
        record = self._book.add_grant(self._record(prepared))
        Carried(self._book).put(record.id, raw)
        Replacements(self._book).plan(record.id, prepared.replaces)
        return record, raw

    def accept_signed(self, envelope: Envelope) -> GrantRecord:
        """A grant that comes back signed from another machine, held against the one that went out; blocks, and asks for the passphrase
        where a session key made here has to be sealed to the dApp. Raises as `waiting_for` does, StoreError, Declined."""
        record, signer = self._verified(envelope)
        self._book.put_envelope(record.id, encode(self._as_carried(record, envelope, signer)))
        return self._held(self._book.grant(record.id), Replacements(self._book).waits_for(record.id))

    def waiting_for(self, envelope: Envelope) -> GrantRecord:
        """The grant of the book that waits for this signature. Raises Refused when none does, Mismatch when it is not the one or its owner
        did not sign it."""
        return self._verified(envelope)[0]

    def _verified(self, envelope: Envelope) -> tuple[GrantRecord, Address]:
        account = envelope.account
        if envelope.kind is not Kind.SIGNED_GRANT or account is None:
            raise Refused(tr("This is not a signed grant."), code="NotSigned")
        record = self._waiting(account, envelope.nonce)
        signer = verify_signature(envelope, system(account.system).build(record.draft))
        known = next((a.owner for a in self._book.accounts() if same_place(a, account)), None)
        if known is not None and signer != known:
            raise Mismatch(tr("The signature is not the owner's."), code="WrongSigner", path="deferredAction")
        return record, signer

    def _as_carried(self, record: GrantRecord, envelope: Envelope, signer: Address) -> Envelope:
        """What went out, with nothing of what came back but the signature; and the session key's secret sealed, if it is ours."""
        carried = Carried(self._book).get(record.id)
        if carried is None:
            return envelope
        sent = decode(carried)
        assert sent.account is not None
        account = replace(sent.account, owner=signer)
        signed = replace(
            sent, kind=Kind.SIGNED_GRANT, account=account, unsigned=b"", created=None, blob=envelope.blob, context=envelope.context
        )
        if record.key_origin is not KeyOrigin.MADE or sent.hand_over_key is None:
            return replace(signed, hand_over_key=None)
        client = self._client()
        client.unlock()
        sealed = client.seal_session_key(record.draft.session_key, sent.hand_over_key, sent.request_id, account)
        return replace(signed, sealed_session_key=sealed)

    def _held(self, record: GrantRecord, entity_ids: tuple[int, ...]) -> GrantRecord:
        if not entity_ids:
            return record
        Replacements(self._book).hold(record.id, entity_ids)
        return self._book.grant(record.id)

    def _waiting(self, account: Account, nonce: int | None) -> GrantRecord:
        for record in self._book.grants():
            if (record.draft.chain_id, record.draft.account, record.nonce) == (account.chain_id, account.address, nonce):
                if record.envelope is not None:
                    raise Refused(tr("This grant is signed already; it is under Grants."), code="AlreadySigned")
                return record
        raise Refused(tr("No grant of this machine waits for this signature."), code="NotExpected")

    # --- parts

    def _owner(self, account: Account) -> Address:
        if account.owner is not None:
            return account.owner
        keys = self._book.keys()
        if len(keys) != 1:
            raise Refused(
                tr("Which key owns this account is not known: name the owner on the Account page."), code="NoOwner", path="owner"
            )
        return keys[0].address

    def _sealed(self, prepared: Prepared, client: SignerClient) -> bytes:
        """The session key's secret for the request's sender; empty when no secret is ours or it goes by keystore and code instead."""
        request = prepared.request
        if prepared.key_origin is not KeyOrigin.MADE or request is None or request.hand_over_key is None:
            return b""
        key = prepared.review.draft.session_key
        sealed: bytes = client.seal_session_key(key, request.hand_over_key, request.request_id, prepared.account)
        return sealed

    def _envelope(self, prepared: Prepared, account: Account, kind: Kind) -> Envelope:
        draft, request = prepared.review.draft, prepared.request
        sealed = prepared.key_origin is KeyOrigin.MADE and request is not None
        return Envelope(
            kind=kind,
            permissions=draft.permissions,
            account=replace(account, label=""),
            expiry=draft.expiry,
            session_key=draft.session_key,
            key_type=prepared.key_type,
            entity_id=draft.entity_id,
            nonce=prepared.review.grant.nonce,
            request_id=prepared.request_id,
            hand_over_key=request.hand_over_key if sealed and request else None,
            claims=prepared.claims,
            asked=told(request, draft),
        )

    def _record(self, prepared: Prepared) -> GrantRecord:
        shown = prepared.review
        return GrantRecord(
            draft=shown.draft,
            nonce=shown.grant.nonce,
            unsigned=shown.grant.unsigned,
            created=self._clock(),
            label=prepared.label,
            claims=prepared.claims,
            key_origin=prepared.key_origin,
            request_id=prepared.request_id,
        )


def earlier(prepared: Prepared, book: Book) -> GrantRecord | None:
    """The book's own record of exactly these bytes; raises Refused when another grant has the nonce or the entity id.

    Of two grants with one nonce either can be swapped for the other; two with one entity id merge into one with both their powers.
    """
    draft, place = prepared.review.draft, prepared.account
    for record in book.grants():
        theirs = record.draft
        if (theirs.chain_id, theirs.account) != (place.chain_id, place.address):
            continue
        if record.unsigned == prepared.review.grant.unsigned:
            return record
        if record.nonce == prepared.review.grant.nonce:
            raise Refused(
                tr("Another grant with this nonce was made; one could be swapped for the other."),
                code="NonceTaken",
                path="nonceKey",
            )
        if theirs.entity_id == draft.entity_id:
            raise Refused(
                tr("Another grant with this entity id was made; the two would merge."), code="EntityIdTaken", path="entityId"
            )
    return None


def good_signs(shown: Review, now: int) -> tuple[str, ...]:
    """What is well about a grant, beside its findings: each a short sentence for the review's checks."""
    powers, account, signs = powers_of(shown.draft.permissions), shown.draft, [tr("What will be signed says exactly this")]
    coin = network(account.chain_id).coin
    if powers.gas is not None and not powers.is_root:
        signs.append(tr("Gas is limited to {amount} {coin}", amount=format_amount(powers.gas, ETH), coin=coin))
    if account.expiry and account.expiry - now <= 30 * DAY:
        signs.append(
            tr("Expires within a day") if account.expiry - now <= DAY else tr("Expires in {span}", span=span(account.expiry - now))
        )
    if powers.native == 0:
        signs.append(tr("No {coin} can leave with its calls", coin=coin))
    return tuple(signs)
