"""Words: complete, true to what the chain enforces, and equal only where the powers are equal."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

import pytest

from latchkey.accounts.modular_account.addresses import NATIVE_TOKEN_LIMIT
from latchkey.accounts.modular_account.build import build
from latchkey.accounts.modular_account.decode import decode_call
from latchkey.accounts.modular_account.ending import uninstall_call
from latchkey.accounts.review import review
from latchkey.accounts.system import Policy, system
from latchkey.core import words as words_module
from latchkey.core import words_pieces
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
from latchkey.core.phrases import Level, Part, Style, Words
from latchkey.core.reading import Reading, Unknown
from latchkey.core.request import NO_CLAIMS, Claims
from latchkey.core.types import Address, Selector
from latchkey.core.words import describe
from latchkey.core.words_pieces import Names
from tests.core.golden_cases import batch, execute, fn, runtime
from tests.counts import count
from tests.drafts import ACCOUNT, NOW, random_address, random_draft

GAME = Address.parse("0x" + "11" * 20)
TOKEN = Address.parse("0x" + "44" * 20)  # on no list
KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
MOVE = selector_of("wiggle(uint8,uint8)")
# Alike at both ends, as somebody can search for.
NEAR_GAME = Address.from_bytes(bytes([0x11] * 9 + [0x12] + [0x11] * 10))
NEAR_KEY = Address.from_bytes(KEY.raw[:9] + bytes([KEY.raw[9] ^ 1]) + KEY.raw[10:])


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
        f"call wiggle(uint8,uint8) [{MOVE}] (named by the sender) on {GAME}",
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
        "0.01 ETH, in gas; also tokens you approved to paymasters, if any",
        f"What these functions do in {GAME}, with anything you approved to it",
    ]
    assert ids(CAREFUL) == {}


def test_without_a_limit_any_amount_of_eth_can_leave() -> None:
    words = words_of(plain(ContractAccess(GAME)))
    assert any("attach any amount of ETH" in p.plain for p in words.can)
    assert words.most_you_can_lose[0].plain == (
        "All ETH in the account, with its calls or in gas, and its gas deposit; also tokens you approved to paymasters, if any"
    )
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
    assert ids(plain(Root())) == {"root": Level.DANGER}  # no advice about limits that root cannot have


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
    plain(FunctionsOnContract(NEAR_GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(10**16)),
    replace(CAREFUL, session_key=NEAR_KEY),
    plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(10**16), PaymasterGuard(NEAR_GAME)),
    plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), GasLimit(10**16), PaymasterGuard(GAME)),
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


# --- every field that was decoded shows

_OTHER_UNKNOWN = (Unknown("somewhere", b"\x01", "Why."),)


def _changed(value: object) -> object:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case Address():
            return Address.from_bytes(bytes(19) + b"\x07") if value != GAME else TOKEN
        case bytes():
            return value + b"\x01"
        case str():
            return f"{value}x"
        case None:
            return None
    return (*value, *value[:1]) if isinstance(value, tuple) and value else _OTHER_UNKNOWN


def _one_field_changed(reading: Reading) -> Iterator[tuple[str, Reading]]:
    for field in fields(reading):
        value = getattr(reading, field.name)
        if field.name in ("action", "inner") and value is not None:
            yield from ((f"{field.name}.{name}", replace(reading, **{field.name: one})) for name, one in _one_field_changed(value))
        elif field.name == "permissions":
            for index in range(len(value)):
                yield f"permissions without {index}", replace(reading, permissions=value[:index] + value[index + 1 :])
        elif field.name == "calls":
            for index, call in enumerate(value):
                for name, one in _one_field_changed(call):
                    yield f"calls[{index}].{name}", replace(reading, calls=(*value[:index], one, *value[index + 1 :]))
        elif _changed(value) != value and (value != () or field.name == "unknown"):
            yield field.name, replace(reading, **{field.name: _changed(value)})


def _everything(reading: Reading, account: Account | None) -> tuple[object, ...]:
    words = describe(reading, account=account, now=NOW)
    return (*text(words), words.signed)


def _readings(rng: random.Random) -> Iterator[tuple[Reading, Account | None]]:
    face = system("modular_account")
    for _ in range(count(15, 400)):
        draft = random_draft(rng)
        grant = face.build(draft)
        yield face.decode_unsigned(grant.unsigned), account_of(draft)
        yield face.decode_typed_data(face.typed_data(grant)), None
        yield face.decode_call(uninstall_call(draft), account=draft.account), account_of(draft)
        yield face.decode_signed(face.assemble(grant, bytes(63) + b"\x01\x1b").blob), account_of(draft)
    transfer, limit = fn("transfer(address,uint256)", GAME, 7), fn("updateLimits(uint32,uint256)", 5, 10)
    several = batch((TOKEN, 1, transfer), (ACCOUNT, 0, uninstall_call(CAREFUL)), (NATIVE_TOKEN_LIMIT, 0, limit), (GAME, 3, b""))
    for data in (
        several,
        execute(GAME, 5, b"1234"),
        runtime(several, 0),
        fn("updateFallbackSignerData(address,bool)", GAME, False),
    ):
        yield face.decode_call(data, account=ACCOUNT), account_of(CAREFUL)
        yield face.decode_call(data), None


def test_one_changed_field_of_a_reading_changes_what_is_shown() -> None:
    seen = set()
    for reading, account in _readings(random.Random(3)):
        shown = _everything(reading, account)
        for name, other in _one_field_changed(reading):
            seen.add(name)
            assert _everything(other, account) != shown, name
    assert {"deadline", "signature", "action.session_key", "action.has_execution_hooks", "hook_data", "calls[0].value"} <= seen


def test_account_and_network_change_what_is_shown() -> None:
    reading = decode_call(execute(GAME, 5, b""), account=ACCOUNT)
    ways = {_everything(reading, account) for account in (None, account_of(CAREFUL), replace(account_of(CAREFUL), chain_id=1))}
    assert len(ways) == 3


# --- what others say


@pytest.mark.parametrize("name", ["a”) and nothing else (“", "USDC\u202e", "x\u200by", "\x00\x1b[2J", "“", "n" * 100_000])
def test_a_claim_cannot_leave_its_quotation_marks(name: str) -> None:
    words = words_of(
        plain(Erc20TokenTransfer(TOKEN, 5), ContractAccess(GAME)), Claims(names=((GAME, name, "", None), (TOKEN, "", name, 2)))
    )
    claims = [part.text for phrase in words.can for part in phrase.parts if part.style is Style.CLAIM]
    assert all(claim.isprintable() and len(claim) < 120 and claim.count("“") == claim.count("”") == 1 for claim in claims)
    around = [part.text for phrase in words.can for part in phrase.parts if part.style is not Style.CLAIM]
    assert not any(name in piece for piece in around)


def test_our_own_contracts_keep_our_name_for_them() -> None:
    claims = Claims(names=((NATIVE_TOKEN_LIMIT, "Harmless", "", None),))
    assert "Harmless" not in " ".join(text(words_of(plain(ContractAccess(NATIVE_TOKEN_LIMIT)), claims)))


def test_a_name_that_only_the_sender_gives_keeps_its_selector() -> None:
    words = words_of(CAREFUL, Claims(functions=("wiggle(uint8,uint8)",)))
    assert f"wiggle(uint8,uint8) [{MOVE}]" in words.can[0].plain


# --- the properties can fail


def _shortened(address: Address) -> Part:
    return Part(f"{str(address)[:12]}…{str(address)[-10:]}")


@pytest.mark.parametrize(
    "forget",
    [
        lambda patch: patch.setattr(Names, "coins", lambda self, wei: Part(f"some {self.coin}")),
        lambda patch: patch.setattr(Names, "functions", lambda self, selectors: [Part(f"{len(selectors)} functions")]),
        lambda patch: [patch.setattr(m, "address_part", _shortened) for m in (words_module, words_pieces)],
        lambda patch: [patch.setattr(words_module, name, lambda *_: "later") for name in ("utc", "until")],
    ],
    ids=["amounts", "functions", "addresses", "times"],
)
def test_words_that_leave_something_out_are_noticed(
    forget: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sentences with a detail less than the powers have: at least one of the two properties does not hold any more."""
    forget(monkeypatch)
    fallen = 0
    for holds in (test_equal_words_mean_equal_powers, test_every_detail_of_a_careful_grant_is_read):
        try:
            holds()
        except AssertionError:
            fallen += 1
    assert fallen


def test_every_detail_of_a_careful_grant_is_read() -> None:
    texts = [text(words_of(draft)) for draft in (CAREFUL, *ONE_FIELD)]
    assert len(set(texts)) == len(texts)


def test_a_field_that_is_not_shown_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = words_module.signed_fields
    monkeypatch.setattr(words_module, "signed_fields", lambda *what: (row for row in shown(*what) if row[0] != "Nonce"))
    with pytest.raises(AssertionError):
        test_one_changed_field_of_a_reading_changes_what_is_shown()
