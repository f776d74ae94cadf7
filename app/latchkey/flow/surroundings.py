"""What is known around a grant that is to be signed: by the chain, where there is a node, and by the own book.

around = surroundings(reading, account, now=now, book=book, node=node)       blocks while the node is asked
prepared = with_surroundings(prepared, around, now)                          its findings again, now that more is known
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from latchkey.accounts.review import exact
from latchkey.core.account import Account
from latchkey.core.facts import NOTHING_KNOWN, Surroundings, facts_of
from latchkey.core.phrases import Finding
from latchkey.core.reading import Reading
from latchkey.core.request import NO_CLAIMS, Claims
from latchkey.core.risk import findings
from latchkey.core.types import Address
from latchkey.flow.similar import find
from latchkey.store.readings import Readings

if TYPE_CHECKING:
    from latchkey.chain.node import Node
    from latchkey.flow.granting import Prepared
    from latchkey.store.book import Book


def surroundings(
    reading: Reading,
    account: Account,
    *,
    now: int,
    book: Book | None = None,
    node: Node | None = None,
    claims: Claims = NO_CLAIMS,
    unsigned: bytes = b"",
) -> Surroundings:
    """`unsigned`: the grant's own bytes, whose record in the book does not count. Raises ChainError, StoreError."""
    facts = facts_of(reading, account, now)
    if facts is None:
        return NOTHING_KNOWN
    found = NOTHING_KNOWN
    if node is not None:
        from latchkey.chain.surroundings import Wanted, look

        tokens = tuple(token.address for token in facts.powers.tokens)
        found = look(node, Wanted(account, tuple(dict.fromkeys(facts.addresses)), tokens, facts.install.entity_id))
    return found if book is None else _with_book(found, account, now, book, claims, unsigned)


def with_surroundings(prepared: Prepared, around: Surroundings, now: int) -> Prepared:
    """The same grant, judged with what is around it."""
    shown = prepared.review
    account, claims, notes = prepared.account, prepared.claims, prepared.notes
    found = findings(shown.reading, account=account, now=now, surroundings=around, claims=claims, notes=notes)
    return replace(prepared, review=replace(shown, findings=found))


def findings_online(unsigned: bytes, account: Account, node: Node | None, *, now: int, signed: bool = False) -> tuple[Finding, ...]:
    """The findings of a grant with what the chain tells. `signed`: it may be in use; that its id is, is then no surprise."""
    _, reading = exact(unsigned, account)
    around = surroundings(reading, account, now=now, node=node)
    around = replace(around, used_entity_ids=frozenset()) if signed else around
    return findings(reading, account=account, now=now, surroundings=around)


def _with_book(found: Surroundings, account: Account, now: int, book: Book, claims: Claims, unsigned: bytes) -> Surroundings:
    similar = find(book, account, None, claims, lambda: now, besides=unsigned)
    return replace(
        found,
        same_dapp=len(similar),
        keys_elsewhere=frozenset(key for key in _keys(book, now, unsigned) if key is not None),
        used_entity_ids=found.used_entity_ids | frozenset(_ids(book, account, unsigned)),
    )


def _keys(book: Book, now: int, unsigned: bytes) -> Iterator[Address | None]:
    """Keys that act, or may begin to: of signed grants, and of sessions as they were last read."""
    for record in book.grants():
        ended = bool(record.draft.expiry) and record.draft.expiry < now
        if record.envelope is not None and record.unsigned != unsigned and not ended:
            yield record.draft.session_key
    for account in book.accounts():
        kept = Readings(book).get(account)
        for session in kept.reading.sessions if kept else ():
            yield session.signer


def _ids(book: Book, account: Account, unsigned: bytes) -> Iterator[int]:
    """Ids of the account that were granted or seen before."""
    place = (account.chain_id, account.address)
    for record in book.grants():
        if (record.draft.chain_id, record.draft.account) == place and record.unsigned != unsigned:
            yield record.draft.entity_id
    kept = Readings(book).get(account)
    if kept is not None:
        yield from kept.reading.used_entity_ids
