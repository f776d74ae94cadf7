"""Random drafts: ones that may be granted (possibly with the expert switch), from a seed, for the large property tests."""

from __future__ import annotations

import random

from latchkey.core.draft import Draft
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
from latchkey.core.types import Address, Selector

ACCOUNT = Address.parse("0x65b5DE0251f553B2208762a4724303E750294D96")
NOW = 1_790_000_000


def random_address(rng: random.Random) -> Address:
    return Address.from_bytes(rng.randbytes(20))


def _amount(rng: random.Random) -> int:
    return rng.choice((0, 1, rng.getrandbits(rng.randrange(1, 257)), 2**256 - 1, 10**18))


def _selectors(rng: random.Random, most: int = 4) -> tuple[Selector, ...]:
    return tuple(Selector.from_bytes(b) for b in {rng.randbytes(4) for _ in range(rng.randrange(1, most + 1))})


def random_draft(rng: random.Random) -> Draft:
    """A draft that Policy.EXPERT lets through; permissions in any order, several contracts and tokens."""
    return Draft(
        system="modular_account",
        chain_id=rng.choice((1, 8453, 31337, rng.randrange(1, 2**53))),
        account=ACCOUNT if rng.random() < 0.5 else random_address(rng),
        entity_id=rng.choice((1, 2**31 - 2, rng.randrange(1, 2**31 - 1))),
        nonce_key=rng.choice((0, rng.getrandbits(152), 2**152 - 1)),
        sequence=rng.choice((0, 0, rng.getrandbits(64))),
        expiry=rng.choice((0, NOW + rng.randrange(1, 10**9), 2**48 - 1)),
        session_key=random_address(rng),
        permissions=(Root(),) if rng.random() < 0.05 else tuple(_permissions(rng)),
    )


def _permissions(rng: random.Random) -> list[Permission]:
    found: list[Permission] = []
    with_account_functions = rng.random() < 0.3
    if with_account_functions:
        found.append(AccountFunctions(_selectors(rng)))
    else:
        found += [Erc20TokenTransfer(random_address(rng), _amount(rng)) for _ in range(rng.randrange(3))]
    found += [ContractAccess(random_address(rng)) for _ in range(rng.randrange(3))]
    found += [FunctionsOnContract(random_address(rng), _selectors(rng)) for _ in range(rng.randrange(3))]
    found += [FunctionsOnAllContracts(_selectors(rng)) for _ in range(rng.randrange(2))]
    if not found:
        found.append(ContractAccess(random_address(rng)))
    if rng.random() < 0.6:
        found.append(NativeTokenTransfer(_amount(rng)))
    if rng.random() < 0.6:
        found.append(GasLimit(_amount(rng)))
    if rng.random() < 0.2:
        found.append(PaymasterGuard(random_address(rng)))
    rng.shuffle(found)
    return found
