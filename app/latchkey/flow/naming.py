"""What the person calls things, gathered from where they keep it: contracts with their functions, accounts, and what they just typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from latchkey.core.account import Account
from latchkey.core.functions import Function, known_signature, offered_signature
from latchkey.core.names import Notes, imitated, said
from latchkey.core.networks import network
from latchkey.core.own_presets import named_selectors
from latchkey.core.permissions import Permission
from latchkey.core.tokens import elsewhere
from latchkey.core.types import Address
from latchkey.core.words_pieces import Names
from latchkey.language import tr
from latchkey.store.records import KeptContract

if TYPE_CHECKING:
    from latchkey.store.book import Book


def kept_notes(book: Book, chain_id: int, permissions: Sequence[Permission] = ()) -> Notes:
    """The person's own names on this network, as they are kept in the book; with `permissions`, only those that these call for."""
    from latchkey.store.contracts import Contracts

    notes = notes_of(chain_id, book.accounts(), Contracts(book).on(chain_id))
    return relevant(notes, permissions) if permissions else notes


def notes_of(chain_id: int, accounts: Iterable[Account], kept: Iterable[KeptContract], typed: Iterable[Function] = ()) -> Notes:
    """`typed`: functions chosen by a signature; theirs come first."""
    contracts = [one for one in kept if one.chain_id == chain_id]
    names = {one.address: one.label for one in contracts if one.label}
    names |= {account.address: account.label for account in accounts if account.chain_id == chain_id and account.label}
    functions = [*typed, *(function for one in contracts for function in one.functions)]
    signatures = (f.signature for f in functions if f.signature and known_signature(f.selector) is None)
    return Notes(tuple(names.items()), tuple(dict.fromkeys(signatures)))


def relevant(notes: Notes, permissions: Sequence[Permission]) -> Notes:
    """Only what these permissions call for: nothing else has to leave the book."""
    addresses = addresses_in(permissions)
    names = tuple((address, name) for address, name in notes.names if address in addresses)
    found = (offered_signature(selector, notes.functions) for selector in named_selectors(tuple(permissions)))
    return Notes(names, tuple(signature for signature in found if signature), notes.second_hand)


def addresses_in(permissions: Iterable[Permission]) -> set[Address]:
    """Every contract, token, payee and paymaster."""
    return {a for p in permissions for a in (getattr(p, "address", None), getattr(p, "paymaster", None)) if a is not None}


def remark_on(names: Names, address: Address, *, is_token: bool = False) -> str:
    """What an address is called and by whose word, and what speaks against it: for beside a field it was typed into. "" for nothing."""
    chain_id = names.account.chain_id if names.account else 0
    called = "".join(part.text for part in names.named(address)[1:]).strip(" ()")
    texts = [called[:1].upper() + called[1:]] if called else []
    if other := elsewhere(chain_id, address):
        texts.append(
            tr(
                "On {name} this is {symbol}; on {name2} it is something else",
                name=network(other.chain_id).name,
                symbol=other.symbol,
                name2=network(chain_id).name,
            )
        )
    elif names.known(address) is None:
        here = (one for one in said(names.claims, names.notes) if one.address == address)
        false = next((token for one in here if (token := imitated(one, chain_id, is_token=is_token))), None)
        if false:
            texts.append(tr("This is not the {symbol} that Latchkey knows", symbol=false.symbol))
    return " ".join(f"{text}." for text in texts)
