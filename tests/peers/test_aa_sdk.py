"""The same drafts through aa-sdk itself: equal bytes for every grant, equal names for every refusal.

Latchkey judges with Policy.COMPAT here, which promises to refuse what aa-sdk refuses, as it does and in its order, and nothing more.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from latchkey.accounts.modular_account.compat import as_written
from latchkey.accounts.system import Policy, system
from latchkey.core.draft import draft_from_json, draft_to_json
from latchkey.core.types import hex_bytes, to_hex
from latchkey.errors import Refused
from latchkey.vault.keys import sign_digest
from latchkey.vault.secret import SecretBytes
from tests.bench.aa_sdk import AaSdk
from tests.bench.drafts import OWNER_KEY
from tests.counts import SOAK, count
from tests.devnet.needed import packages
from tests.drafts import ACCOUNT, NOW, random_address, random_draft
from tests.vectors import VECTORS, draft_json

pytestmark = [pytest.mark.soak, pytest.mark.xdist_group("aa-sdk"), pytest.mark.timeout(900)]

FACE = system("modular_account")
OWNER = SecretBytes(hex_bytes(OWNER_KEY))
BATCH = 50


@pytest.fixture(scope="module")
def aa_sdk() -> Iterator[AaSdk]:
    packages()
    with AaSdk(NOW, OWNER_KEY) as running:
        yield running


def ours(value: dict[str, Any]) -> dict[str, str]:
    draft = as_written(draft_from_json(value), value)
    try:
        FACE.judge(draft, now=NOW, policy=Policy.COMPAT)
    except Refused as error:
        return {"error": error.code}
    grant = FACE.build(draft)
    signed = FACE.assemble(grant, sign_digest(OWNER, grant.digest))
    return {"call": to_hex(grant.call), "digest": to_hex(grant.digest), "blob": to_hex(signed.blob)}


def theirs(aa_sdk: AaSdk, values: list[dict[str, Any]]) -> list[dict[str, str]]:
    made = []
    for start in range(0, len(values), BATCH):
        made += aa_sdk.make(values[start : start + BATCH])[1]
    # aa-sdk's hex keeps the letter case of the addresses in it
    return [{"error": m["error"]} if "error" in m else {name: text.lower() for name, text in m.items()} for m in made]


def compare(aa_sdk: AaSdk, values: list[dict[str, Any]]) -> Counter[str]:
    """Fails at the first difference; returns how often which outcome came."""
    outcomes: Counter[str] = Counter()
    for value, expected in zip(values, theirs(aa_sdk, values), strict=True):
        assert ours(value) == expected, value
        outcomes[expected.get("error", "granted")] += 1
    return outcomes


@pytest.mark.parametrize("kind", ["grants", "rejections", "acceptedQuirks"])
def test_published_vectors(aa_sdk: AaSdk, kind: str) -> None:
    outcomes = compare(aa_sdk, [draft_json(vector["input"]) for vector in VECTORS[kind]])
    assert (outcomes["granted"] == 0) is (kind == "rejections")


def test_random_drafts_that_may_be_granted(aa_sdk: AaSdk) -> None:
    rng = random.Random(20261121)
    values = [draft_to_json(random_draft(rng)) for _ in range(count(20, 2000))]
    assert set(compare(aa_sdk, values)) == {"granted"}


def test_random_drafts_with_faults(aa_sdk: AaSdk) -> None:
    """Several faults at once in most of them: which one is named first shows the precedence."""
    rng = random.Random(20261121)
    outcomes = compare(aa_sdk, [_faulty(rng) for _ in range(count(100, 3000))])
    if SOAK:
        assert outcomes.keys() == {vector["error"] for vector in VECTORS["rejections"]} | {"granted"}
    assert outcomes["granted"] > 0


_BLOCKED = [
    "0xb61d27f6",
    "0x34FCD5BE",
    "0x5998db5c",
    "0xF2680C0F",
    "0x1bbf564c",
    "0xb6b1ccfe",
    "0x4f1ef286",
    "0x1d37e7d6",
    "0x0b7cad71",
]


def _faulty(rng: random.Random) -> dict[str, Any]:
    """A draft from a small world where addresses and kinds collide often and every rule is broken now and then."""
    addresses = ["0x" + "00" * 20, str(ACCOUNT), ACCOUNT.lower(), str(random_address(rng)), str(random_address(rng))]
    addresses.append(addresses[3].lower())
    faults = rng.choice((0.02, 0.1, 0.3))

    def address() -> str:
        return addresses[rng.randrange(3, 6)] if rng.random() > faults else rng.choice(addresses)

    def functions() -> list[str]:
        if rng.random() < faults:
            return []
        return [
            rng.choice(_BLOCKED) if rng.random() < faults / 4 else "0x" + rng.randbytes(4).hex() for _ in range(rng.randrange(1, 4))
        ]

    def permission() -> dict[str, Any]:
        kind = rng.choices(list(makers), [3, 2, 2, 2, 1, 2, 2, 10 * faults * faults])[0]
        return {"type": kind, "data": makers[kind]()} if makers[kind] else {"type": kind}

    makers: dict[str, Any] = {
        "contract-access": lambda: {"address": address()},
        "functions-on-contract": lambda: {"address": address(), "functions": functions()},
        "functions-on-all-contracts": lambda: {"functions": functions()},
        "erc20-token-transfer": lambda: {"address": address(), "allowance": hex(rng.getrandbits(80))},
        "account-functions": lambda: {"functions": functions()},
        "native-token-transfer": lambda: {"allowance": hex(rng.getrandbits(80))},
        "gas-limit": lambda: {"limit": hex(rng.getrandbits(80))},
        "root": None,
    }
    good_expiry = rng.choice((0, NOW + 3600, 2**48 - 1))
    draft: dict[str, Any] = {
        "system": "modular_account",
        "chainId": 31337,
        "account": str(ACCOUNT),
        "entityId": rng.choice((0, 2**31 - 1, 2**32 - 1)) if rng.random() < faults else rng.randrange(1, 2**31 - 1),
        "nonceKey": hex(rng.getrandbits(152)),
        "sequence": rng.getrandbits(64),
        "expiry": rng.choice((1, NOW - 1, 2**48, 2**50)) if rng.random() < faults else good_expiry,
        "sessionKey": str(random_address(rng)),
        "permissions": [permission() for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4)))],
    }
    if rng.random() < 0.2:
        draft["selectors"] = functions()
    return draft
