"""A grant with 200 permissions: read, judged and put into words, against aa-sdk only building it; the same grants in one run, in turn."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from statistics import median
from typing import Any

from latchkey.accounts.review import Review, review
from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft, draft_to_json
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
)
from latchkey.core.risk import findings
from latchkey.core.types import Selector, to_hex
from latchkey.core.words import describe
from tests.bench.aa_sdk import AaSdk
from tests.bench.drafts import OWNER_KEY
from tests.bench.report import Row, Subject
from tests.devnet.node import version
from tests.drafts import NOW, random_address, random_draft

PERMISSIONS, ROUNDS = 200, 25
GOAL = 20  # ms
FACE = system("modular_account")

TEXT = f"""Grants of {PERMISSIONS} permissions (contracts with functions of their own, whole contracts, tokens with limits; about 60 KiB \
of calldata, nearly the most that Latchkey reads), each with new addresses; {ROUNDS} rounds, milliseconds for one grant; call and digest \
byte-equal.

aa-sdk: as in the first table, `PermissionBuilder.compileDeferred` and `hashTypedData` alone; it has no words and no warnings.

Latchkey, first row: judges the draft, and makes words and warnings of what was decoded. Second: everything before a signature, as the \
window and the signer both do it: decodes, judges, builds anew and compares, makes words and warnings.

Ratio: Latchkey / aa-sdk, less is better."""


def measure() -> Subject:
    """Raises NpmUnavailable when aa-sdk is not to be had, AssertionError when a result differs."""
    rng = random.Random(20261121)
    with AaSdk(NOW, OWNER_KEY) as aa_sdk:
        rounds = [_round(aa_sdk, large(rng)) for _ in range(ROUNDS + 3)][3:]
    words, whole, peer = (1000 * median(column) for column in zip(*rounds, strict=True))
    rows = (
        Row("judge and word", words, peer, "ms", words / peer, (f"{GOAL} ms or less", words <= GOAL)),
        Row("all before a signature", whole, peer, "ms", whole / peer),
    )
    text = f"{TEXT}\n\naa-sdk is npm `@account-kit/smart-contracts` {version('@account-kit/smart-contracts')}."
    return Subject("Large grants", text, "aa-sdk", rows)


def large(rng: random.Random) -> Draft:
    """A draft that Latchkey signs, with as many permissions as a grant has room for."""
    found: list[Permission] = [NativeTokenTransfer(10**17), GasLimit(10**16)]
    while len(found) < PERMISSIONS:
        what = len(found) % 8
        if what == 0:
            found.append(ContractAccess(random_address(rng)))
        elif what == 1:
            found.append(Erc20TokenTransfer(random_address(rng), rng.randrange(1, 10**20)))
        else:
            functions = tuple(Selector.from_bytes(rng.randbytes(4)) for _ in range(2))
            found.append(FunctionsOnContract(random_address(rng), functions))
    return replace(
        random_draft(rng),
        chain_id=8453,
        permissions=tuple(found),
        expiry=NOW + 3600,
        sequence=0,
        entity_id=rng.randrange(1, 2**31 - 1),
    )


def _round(aa_sdk: AaSdk, draft: Draft) -> tuple[float, float, float]:
    """Seconds: words and judgement, everything, aa-sdk."""
    account = Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)
    unsigned = FACE.build(draft).unsigned
    reading = FACE.decode_unsigned(unsigned)
    start = time.perf_counter()
    FACE.judge(draft, now=NOW, policy=Policy.EXPERT)
    words = describe(reading, account=account, now=NOW)
    found = findings(reading, account=account, now=NOW)
    worded = time.perf_counter()
    shown = review(unsigned, account, now=NOW, policy=Policy.EXPERT)
    reviewed = time.perf_counter()
    peer = _peer(aa_sdk, draft_to_json(draft), shown)
    assert (words, found) == (shown.words, shown.findings)
    return worded - start, reviewed - worded, peer


def _peer(aa_sdk: AaSdk, value: dict[str, Any], ours: Review) -> float:
    seconds, made = aa_sdk.make([value], sign=False)
    assert (to_hex(ours.grant.call), to_hex(ours.digest)) == (made[0]["call"].lower(), made[0]["digest"])
    return seconds
