"""Grants a second, against aa-sdk: the same drafts in one run, batch by batch in turn, every result compared byte by byte."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import Any

from coincurve import PrivateKey

from latchkey.accounts.review import review
from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft, draft_from_json
from latchkey.core.grant import Grant
from latchkey.core.types import hex_bytes, to_hex
from latchkey.vault.keys import sign_digest
from latchkey.vault.secret import SecretBytes
from tests.bench.aa_sdk import AaSdk
from tests.bench.drafts import OWNER_ADDRESS, OWNER_KEY, fresh, signable
from tests.bench.report import Row, Subject
from tests.devnet.node import version
from tests.drafts import NOW

Make = Callable[[Draft], tuple[Grant, bytes]]

ROUNDS, BATCH = 40, 80

FACE = system("modular_account")
OWNER = SecretBytes(hex_bytes(OWNER_KEY))
SIGNER = PrivateKey(OWNER.reveal())

TEXT = f"""The published grants' drafts ({{drafts}} of the 44: those that Latchkey's own rules allow), each time with a new session key, \
entity id, nonce key and expiry; {ROUNDS} rounds of {BATCH}; results byte-equal. Of each side the middle round.

aa-sdk: npm `@account-kit/smart-contracts` {{sdk}} with viem {{viem}} in one warm Node process: `PermissionBuilder.compileDeferred` and \
`hashTypedData`; with signature also `account.signTypedData` and `buildDeferredActionDigest`. Its questions to the network are answered \
within the process, at once.

Latchkey, first row: reads the draft's JSON, judges it, builds call and digest. Second: decodes the bytes again by the separate decoder, \
finds the draft in them, signs with a key at hand (as aa-sdk does) and assembles. Third: everything its signer does before and after a \
signature: decodes, judges what it read, builds that anew and compares, makes the words and warnings a person reads, takes the key from \
the vault's bytes, signs, recovers the signer and compares.

Ratio: Latchkey / aa-sdk, more is better."""


def measure() -> Subject:
    """Raises NpmUnavailable when aa-sdk is not to be had, AssertionError when a result differs."""
    rng = random.Random(20261121)
    kinds = {
        "build, digest": (_build, False, None),
        "build, decode, sign": (_sign, True, 3),
        "all that the signer does": (_review, True, None),
    }
    with AaSdk(NOW, OWNER_KEY) as aa_sdk:
        for make, sign, _ in kinds.values():  # both warm up
            _round(aa_sdk, make, fresh(rng, 5 * BATCH), sign=sign)
        rows = [_row(aa_sdk, rng, what, make, sign=sign, goal=goal) for what, (make, sign, goal) in kinds.items()]
    return Subject(
        "Grants",
        TEXT.format(drafts=len(signable()), sdk=version("@account-kit/smart-contracts"), viem=version("viem")),
        "aa-sdk",
        tuple(rows),
    )


def _row(aa_sdk: AaSdk, rng: random.Random, what: str, make: Make, *, sign: bool, goal: int | None) -> Row:
    rounds = [_round(aa_sdk, make, fresh(rng, BATCH), sign=sign) for _ in range(ROUNDS)]
    ours, peer = (BATCH / median(column) for column in zip(*rounds, strict=True))
    return Row(what, ours, peer, "/s", ours / peer, (f"{goal} or more", ours >= goal * peer) if goal else None)


def _round(aa_sdk: AaSdk, make: Make, values: list[dict[str, Any]], *, sign: bool) -> tuple[float, float]:
    """Seconds that Latchkey and aa-sdk took for the same drafts."""
    start = time.perf_counter()
    made = [make(draft_from_json(value)) for value in values]
    ours = time.perf_counter() - start
    peer, expected = aa_sdk.make(values, sign=sign)
    for (grant, blob), theirs in zip(made, expected, strict=True):
        assert (to_hex(grant.call), to_hex(grant.digest)) == (theirs["call"].lower(), theirs["digest"])
        assert to_hex(blob) == theirs.get("blob", "0x").lower()
    return ours, peer


def _judged(draft: Draft) -> Grant:
    FACE.judge(draft, now=NOW, policy=Policy.EXPERT)
    return FACE.build(draft)


def _build(draft: Draft) -> tuple[Grant, bytes]:
    return _judged(draft), b""


def _sign(draft: Draft) -> tuple[Grant, bytes]:
    grant = _judged(draft)
    read = FACE.draft_of(FACE.decode_unsigned(grant.unsigned), _account(draft))
    assert replace(read, permissions=draft.permissions) == draft
    assert set(read.permissions) == set(draft.permissions)
    made = SIGNER.sign_recoverable(grant.digest, hasher=None)
    return grant, FACE.assemble(grant, made[:64] + bytes([27 + made[64]])).blob


def _review(draft: Draft) -> tuple[Grant, bytes]:
    grant = review(_judged(draft).unsigned, _account(draft), now=NOW, policy=Policy.EXPERT).grant
    signature = sign_digest(OWNER, grant.digest)
    assert FACE.signer_of(grant, signature) == OWNER_ADDRESS
    return grant, FACE.assemble(grant, signature).blob


def _account(draft: Draft) -> Account:
    return Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)
