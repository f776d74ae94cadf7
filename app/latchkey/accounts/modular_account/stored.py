"""What the modules keep for an account, entry by entry, and which of it a validation's hooks look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ALLOWLIST_V200,
    NATIVE_TOKEN_LIMIT,
    PAYMASTER_GUARD,
    SINGLE_SIGNER,
    TIME_RANGE,
)
from latchkey.accounts.modular_account.build import APPROVE, TRANSFER
from latchkey.accounts.modular_account.history import Book
from latchkey.accounts.modular_account.views import State
from latchkey.core.session import Hook, Leftover
from latchkey.core.types import ZERO_ADDRESS, Address, Selector

ALLOWLISTS: Final = (ALLOWLIST, ALLOWLIST_V200)
_TOKEN_FUNCTIONS: Final = [Selector.from_bytes(APPROVE), Selector.from_bytes(TRANSFER)]
_NEVER: Final = (-1, -1)
_VALIDATION_HOOK: Final = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A contract in an allowlist. `functions` in the order they were set; with those of a token limit's pair as aa-sdk writes them,
    for their order means nothing on the chain. `limit`: stored, whether or not anything looks at it."""

    target: Address
    allowed: bool
    has_functions: bool
    has_limit: bool
    limit: int
    functions: tuple[Selector, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.allowed or self.has_functions or self.has_limit or self.limit or self.functions)


def listed(state: State, book: Book) -> Iterator[Listed]:
    """Everything an allowlist keeps under an id, in the order it was set; functions for all contracts under the zero address."""
    entries, functions = state.history.entries.get(book, {}), state.history.functions.get(book, {})
    chosen: dict[Address, list[Selector]] = {}
    places = dict(entries)
    for (target, selector), place in sorted(functions.items(), key=lambda item: item[1]):
        if state.known.get(("function", book, target, selector)):
            chosen.setdefault(target, []).append(selector)
            places.setdefault(target, place)
    for target in sorted(places, key=lambda t: places[t]):
        allowed, has_functions, has_limit = state.known.get(("entry", book, target)) or (False, False, False)
        limit = state.known.get(("token", book, target), 0)
        found = chosen.get(target, [])
        pair = tuple(_TOKEN_FUNCTIONS if sorted(found) == sorted(_TOKEN_FUNCTIONS) else found)
        entry = Listed(target, allowed, has_functions, has_limit, limit, pair)
        if not entry.is_empty:
            yield entry


@dataclass(frozen=True, slots=True)
class Kept:
    """`looked_at`: whether one of the hooks in question goes by it. `earlier`: whether it was set before the id's last uninstall."""

    entry: Leftover
    looked_at: bool
    earlier: bool

    @property
    def book(self) -> Book:
        return self.entry.module, self.entry.entity_id


def kept(state: State, under: Iterable[int], hooks: Iterable[Hook]) -> tuple[Kept, ...]:
    """Everything under these entity ids, and what the hooks look at under others. `hooks`: of an installed validation, or none."""
    wanted = [(h.module, h.entity_id, not h.flags & _VALIDATION_HOOK) for h in hooks]
    own = dict.fromkeys(under)
    others = [(m, i) for m, i, _ in wanted if i not in own]
    looked_at = {(m, i) for m, i, _ in wanted}
    found = [entry for entity_id in own for entry in _singles(state, entity_id, looked_at)]
    found += [e for entity_id in {i: None for _, i in others} for e in _singles(state, entity_id, looked_at) if e.book in others]
    for book in dict.fromkeys([*((m, i) for i in own for m in ALLOWLISTS), *(b for b in others if b[0] in ALLOWLISTS)]):
        at = {when for m, i, when in wanted if (m, i) == book}
        found += _lists(state, book, False in at, True in at)
    return tuple(found)


def _singles(state: State, entity_id: int, looked_at: set[Book]) -> Iterator[Kept]:
    signer = state.known.get(("signer", entity_id), ZERO_ADDRESS)
    until, after = state.known.get(("range", entity_id), (0, 0))
    paymaster = state.known.get(("paymaster", entity_id), ZERO_ADDRESS)
    found = (
        Leftover(SINGLE_SIGNER, entity_id, signer) if signer != ZERO_ADDRESS else None,
        Leftover(NATIVE_TOKEN_LIMIT, entity_id, amount=state.coins(entity_id)) if state.coins(entity_id) else None,
        Leftover(TIME_RANGE, entity_id, amount=until) if until or after else None,
        Leftover(PAYMASTER_GUARD, entity_id, paymaster) if paymaster != ZERO_ADDRESS else None,
    )
    for entry in found:
        if entry:
            yield Kept(entry, (entry.module, entry.entity_id) in looked_at, earlier=False)


def _lists(state: State, book: Book, at_validation: bool, at_execution: bool) -> Iterator[Kept]:
    """A validation hook goes by what is allowed; an execution hook by the limits."""
    module, entity_id = book
    history = state.history
    set_at, set_for = history.entries.get(book, {}), history.functions.get(book, {})

    def earlier(place: tuple[int, int]) -> bool:
        return history.is_left(entity_id, place)

    for entry in listed(state, book):
        everywhere = entry.target == ZERO_ADDRESS
        for_lists, for_limits = at_validation and (entry.allowed or everywhere), at_execution and entry.has_limit
        if entry.allowed or entry.has_functions or entry.has_limit:
            was = earlier(set_at.get(entry.target, _NEVER))
            yield Kept(Leftover(module, entity_id, entry.target), for_lists or for_limits, was)
        if entry.limit:
            was = earlier(history.token_limits.get(book, {}).get(entry.target, (_NEVER, 0))[0])
            yield Kept(Leftover(module, entity_id, entry.target, amount=entry.limit), for_limits, was)
        for selector in entry.functions:
            target = None if everywhere else entry.target
            looked_at = for_lists and (everywhere or entry.has_functions)
            was = earlier(set_for.get((entry.target, selector), _NEVER))
            yield Kept(Leftover(module, entity_id, target, selector), looked_at, was)
