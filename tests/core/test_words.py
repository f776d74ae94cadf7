"""Words: complete, true to what the chain enforces, and equal only where the powers are equal."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from latchkey.accounts.modular_account.build import build
from latchkey.accounts.review import review
from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.functions import selector_of
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Permission,
    Root,
)
from latchkey.core.phrases import Level, Words
from latchkey.core.request import Claims
from latchkey.core.types import Address, Selector
from latchkey.core.words import NO_CLAIMS
from tests.counts import count
from tests.drafts import ACCOUNT, NOW, random_address, random_draft

GAME = Address.parse("0x" + "11" * 20)
TOKEN = Address.parse("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48")
KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
MOVE = selector_of("wiggle(uint8,uint8)")


def plain(*permissions: Permission, chain_id: int = 8453, expiry: int = NOW + 86_400) -> Draft:
    return Draft("modular_account", chain_id, ACCOUNT, 1, 0, 0, expiry, KEY, permissions)


def account_of(draft: Draft) -> Account:
    return Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)


def words_of(draft: Draft, claims: Claims = NO_CLAIMS) -> Words:
    return review(build(draft).unsigned, account_of(draft), now=NOW, policy=Policy.COMPAT, claims=claims).words


def text(words: Words) -> tuple[str, ...]:
    return tuple(p.plain for p in (words.headline, *words.can, *words.cannot, *words.most_you_can_lose))


def ids(draft: Draft) -> dict[str, Level]:
    found = review(build(draft).unsigned, account_of(draft), now=NOW, policy=Policy.COMPAT).findings
    return {f.id: f.level for f in found}


CAREFUL = plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(10**16))


def test_a_careful_grant_reads_short_and_raises_nothing() -> None:
    words = words_of(CAREFUL, Claims(functions=("wiggle(uint8,uint8)",)))
    assert [p.plain for p in words.can] == [
        f"call wiggle(uint8,uint8) [{MOVE}] on {GAME}",
        "spend up to 0.01 ETH on gas in total, when nobody else pays for it",
    ]
    assert [p.plain for p in words.cannot] == [
        "send or attach any ETH (limit 0)",
        "move or approve any token, unless these functions do so themselves",
        "call any other contract",
        "change this account, its owner or its other keys",
        "sign messages or permits in your name",
        "do anything after 22 September 2026, 14:13:20 UTC, or after you revoke it",
    ]
    assert [p.plain for p in words.most_you_can_lose] == [
        "0.01 ETH, in gas",
        f"What these functions do in {GAME}, with anything you approved to it",
    ]
    assert ids(CAREFUL) == {}


def test_without_a_limit_any_amount_of_eth_can_leave() -> None:
    words = words_of(plain(ContractAccess(GAME)))
    assert any("attach any amount of ETH" in p.plain for p in words.can)
    assert words.most_you_can_lose[0].plain == "All ETH in the account, with its calls or in gas"
    assert ids(plain(ContractAccess(GAME)))["eth-unlimited"] is Level.DANGER


def test_the_networks_own_coin_is_named() -> None:
    assert any("1 POL" in p.plain for p in words_of(plain(ContractAccess(GAME), NativeTokenTransfer(10**18), chain_id=137)).can)


def test_tokens_count_in_base_units_and_approvals_outlive_the_session() -> None:
    claims = Claims(names=((TOKEN, "USD Coin", "USDC", 6),))
    words = words_of(plain(Erc20TokenTransfer(TOKEN, 2_500_000), NativeTokenTransfer(0)), claims)
    assert words.can[0].plain == (
        f"transfer or approve up to 2500000 base units of token {TOKEN} (the sender calls this 2.5 “USDC”) in total"
    )
    assert "what it approved can still be taken after the session ends" in words.most_you_can_lose[-1].plain


def test_a_claimed_function_name_counts_only_when_its_hash_fits() -> None:
    lying = words_of(CAREFUL, Claims(functions=("harmless()",)))
    assert lying.can[0].plain == f"call {MOVE} on {GAME}"


def test_root_says_everything() -> None:
    words = words_of(plain(Root()))
    assert "do everything you can do" in words.headline.plain
    assert any("remove its own expiry" in p.plain for p in words.can)
    assert [p.plain for p in words.most_you_can_lose] == ["Everything in this account, and the account itself"]
    assert {"root", "eth-unlimited"} <= ids(plain(Root())).keys()


def test_markup_in_claims_stays_text() -> None:
    claims = Claims(names=((GAME, "<b>bank</b>", "", None),))
    assert any("<b>bank</b>" in p.plain for p in words_of(CAREFUL, claims).can)


ONE_FIELD = [
    replace(CAREFUL, session_key=GAME),
    replace(CAREFUL, expiry=CAREFUL.expiry + 1),
    replace(CAREFUL, account=TOKEN),
    replace(CAREFUL, chain_id=1),
    replace(CAREFUL, chain_id=999_999),
    plain(FunctionsOnContract(TOKEN, (MOVE,)), NativeTokenTransfer(0), GasLimit(10**16)),
    plain(FunctionsOnContract(GAME, (Selector.parse("0x00000001"),)), NativeTokenTransfer(0), GasLimit(10**16)),
    plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(1), GasLimit(10**16)),
    plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(10**16 + 1)),
    plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0)),
    plain(FunctionsOnContract(GAME, (MOVE,)), GasLimit(10**16)),
    plain(ContractAccess(GAME), NativeTokenTransfer(0), GasLimit(10**16)),
    plain(FunctionsOnAllContracts((MOVE,)), NativeTokenTransfer(0), GasLimit(10**16)),
    plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(10**16), PaymasterGuard(TOKEN)),
    plain(AccountFunctions((MOVE,)), NativeTokenTransfer(0), GasLimit(10**16)),
]


@pytest.mark.parametrize("changed", ONE_FIELD, ids=range(len(ONE_FIELD)))
def test_one_changed_field_changes_the_text(changed: Draft) -> None:
    assert text(words_of(changed)) != text(words_of(CAREFUL))


@pytest.mark.parametrize("field", ["entity_id", "nonce_key", "sequence"])
def test_what_is_no_power_changes_what_is_signed(field: str) -> None:
    changed = words_of(replace(CAREFUL, **{field: 7}))
    assert text(changed) == text(words_of(CAREFUL))
    assert changed.signed != words_of(CAREFUL).signed


def canonical(draft: Draft) -> Draft:
    """The draft as the bytes say it, without what is no power."""
    face = system(draft.system)
    grant = face.build(draft)
    return replace(face.draft_of(face.decode_unsigned(grant.unsigned), account_of(draft)), entity_id=1, nonce_key=0, sequence=0)


def mutated(rng: random.Random, draft: Draft) -> Draft:
    """A small change: an amount, an address, a function, a permission less or more, the expiry."""
    permissions = list(draft.permissions)
    index = rng.randrange(len(permissions))
    match permissions[index]:
        case NativeTokenTransfer(amount):
            permissions[index] = NativeTokenTransfer(amount ^ 1)
        case GasLimit(amount):
            permissions[index] = GasLimit(amount ^ (1 << rng.randrange(256)))
        case Erc20TokenTransfer(address, amount):
            permissions[index] = Erc20TokenTransfer(address, amount ^ (1 << rng.randrange(256)))
        case ContractAccess(address):
            permissions[index] = FunctionsOnContract(address, (MOVE,))
        case FunctionsOnContract(address, functions) if len(functions) > 1:
            permissions[index] = FunctionsOnContract(address, functions[1:])
        case FunctionsOnContract(address, _):
            permissions[index] = ContractAccess(address)
        case PaymasterGuard():
            permissions[index] = PaymasterGuard(random_address(rng))
        case _:
            return replace(draft, expiry=draft.expiry ^ 1 if draft.expiry else NOW + 5)
    return replace(draft, permissions=tuple(permissions))


def test_equal_words_mean_equal_powers() -> None:
    """For near pairs (one small change) and over all drafts seen: the same text never stands for two different powers."""
    rng = random.Random(20261121)
    seen: dict[tuple[str, ...], Draft] = {}
    for _ in range(count(400, 10_000)):
        draft = random_draft(rng)
        for one in (draft, mutated(rng, draft)):
            powers = canonical(one)
            before = seen.setdefault(text(words_of(one)), powers)
            assert before == powers
    assert len(seen) > count(400, 10_000)
