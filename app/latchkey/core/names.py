"""How things are called, and by whose word.

    network names           our registry alone (networks.py)
    tokens, in units        the reviewed list alone (tokens.py)
    contracts of accounts   compiled in (contracts.py)
    common functions        compiled in, checked against their selectors (known_functions.py)
    the person's own        labels and ABIs they kept, signatures they typed: `Notes`
    the sender's            `Claims`, in quotes, beside the address or selector that they are about, never in its place

The signer has the first four by itself. A person's own names reach it through the window, and the desk must not lie when the window
does: there they are marked as the window's word (`Notes.second_hand`), in quotes beside the full address or the selector, held against
the reviewed names like a sender's, and never give an amount a unit. So the worst a captured window can do is what a sender can do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from latchkey.core.lookalikes import skeleton
from latchkey.core.request import Claims
from latchkey.core.tokens import Token, every_token
from latchkey.core.types import Address

_WORD = re.compile(r"\w+")
_SHORTEST = 3  # letters of a symbol that is looked for among other words


@dataclass(frozen=True, slots=True)
class Notes:
    """Names the person keeps. `names`: address -> their name for it. `functions`: signatures from ABIs they kept or pasted, or typed;
    each counts only for the selector it really has. `second_hand`: they came from somebody who may have invented them."""

    names: tuple[tuple[Address, str], ...] = ()
    functions: tuple[str, ...] = ()
    second_hand: bool = False

    def __add__(self, other: Notes) -> Notes:
        """Both, these first."""
        functions = tuple(dict.fromkeys((*self.functions, *other.functions)))
        names = tuple(({**dict(other.names), **dict(self.names)}).items())
        return Notes(names, functions, self.second_hand or other.second_hand)


NO_NOTES = Notes()


@dataclass(frozen=True, slots=True)
class Said:
    """One name somebody gave an address. `symbol` and `decimals` only from a sender."""

    address: Address
    name: str
    symbol: str = ""
    decimals: int | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(text for text in (self.name, self.symbol) if text)


def said(claims: Claims, notes: Notes) -> Iterator[Said]:
    """Every name for an address that is only somebody's word."""
    yield from (Said(*name) for name in claims.names)
    yield from (Said(address, name) for address, name in notes.names)


def imitated(one: Said, chain_id: int, *, is_token: bool = False) -> Token | None:
    """The reviewed token whose name or symbol this carries, or one that looks like it, at another address; its own chain's first.

    `is_token`: it is moved as a token; then a symbol among other words counts too ("USDC Official").
    """
    ours = sorted(every_token(), key=lambda token: token.chain_id != chain_id)
    looks = {skeleton(text) for text in one.texts}
    words = {skeleton(word) for text in one.texts for word in _WORD.findall(text) if len(word) >= _SHORTEST} if is_token else set()
    return next(
        (t for t in ours if _place(t) != (chain_id, one.address) and (looks & _skeletons(t) or skeleton(t.symbol) in words)), None
    )


def _place(token: Token) -> tuple[int, Address]:
    return token.chain_id, token.address


@cache
def _skeletons(token: Token) -> frozenset[str]:
    return frozenset(skeleton(text) for text in (token.symbol, token.name, *token.also))


def in_disguise(one: Said, token: Token) -> bool:
    """It only looks like the token's name: other letters stand in it."""
    plain = {_letters(text) for text in (token.symbol, token.name, *token.also)}
    return any(skeleton(text) in _skeletons(token) and _letters(text) not in plain for text in one.texts)


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def contradicts(one: Said, token: Token) -> bool:
    """Another symbol or another number of decimals than the reviewed list has for this very address."""
    other = one.symbol and skeleton(one.symbol) not in _skeletons(token)
    return bool(other) or one.decimals not in (None, token.decimals)


def is_presumptuous(text: str) -> bool:
    """It passes for a name that only Latchkey gives."""
    return any(reserved in skeleton(text) for reserved in _RESERVED)


_RESERVED = {
    skeleton(text) for text in ("latchkey", "reviewed list", "your account", "entrypoint", "the sender", "you call it", "base unit")
}
