"""Differences between grants: empty only where the powers are equal, and right about more and less."""

from __future__ import annotations

import random
from dataclasses import replace

from latchkey.core.narrow import Asked, is_narrower
from latchkey.core.permissions import ContractAccess, FunctionsOnContract, GasLimit, NativeTokenTransfer, Root
from latchkey.core.words_difference import difference
from tests.core.golden_cases import CAREFUL, GAME, MOVE, NOW, ROUTER, plain
from tests.core.test_words import canonical, mutated
from tests.counts import count
from tests.drafts import random_draft


def test_ids_and_nonces_are_no_difference() -> None:
    assert difference(CAREFUL, replace(CAREFUL, entity_id=9, nonce_key=7, sequence=1)) == ()


def test_order_is_no_difference() -> None:
    assert difference(CAREFUL, replace(CAREFUL, permissions=CAREFUL.permissions[::-1])) == ()


def test_every_difference_says_more_less_or_other() -> None:
    new = plain(ContractAccess(ROUTER), FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(5), expiry=NOW + 9)
    lines = [p.plain for p in difference(CAREFUL, new)]
    assert len(lines) == 4
    assert all(line.startswith(("more", "less", "other")) for line in lines)


def test_two_roots_differ_in_their_end_only() -> None:
    assert difference(plain(Root()), plain(Root())) == ()
    assert [p.plain for p in difference(plain(Root()), plain(Root(), expiry=0))] == [
        "more time: for ever instead of until 22 September 2026, 14:13:20 UTC"
    ]


def test_different_powers_have_a_difference_and_the_same_have_none() -> None:
    rng = random.Random(20261121)
    for _ in range(count(300, 5_000)):
        draft = random_draft(rng)
        other = mutated(rng, draft)
        assert difference(draft, draft) == ()
        assert bool(difference(draft, other)) == (canonical(draft) != canonical(other))
        assert len(difference(draft, other)) == len(difference(other, draft))


def test_what_the_narrowing_calls_narrower_never_says_more() -> None:
    """Two separate pieces of code judge the same pair."""
    rng = random.Random(7)
    narrower = 0
    for _ in range(count(300, 5_000)):
        draft = random_draft(rng)
        other = mutated(rng, draft)
        if is_narrower(Asked(draft.permissions, draft.expiry), other.permissions, other.expiry):
            narrower += 1
            assert not any(p.plain.startswith("more") for p in difference(draft, other))
    assert narrower > 20


def test_limits_of_another_network_are_counted_in_its_coin() -> None:
    old, new = plain(ContractAccess(GAME), GasLimit(1), chain_id=137), plain(ContractAccess(GAME), GasLimit(2), chain_id=137)
    assert "POL" in difference(old, new)[0].plain
