"""The drafts that are timed: those of the published grants that Latchkey signs, each time for a new session key, id, nonce and expiry."""

from __future__ import annotations

import random
from typing import Any

from latchkey.accounts.modular_account.judge import judge
from latchkey.accounts.system import Policy
from latchkey.core.draft import draft_from_json
from latchkey.errors import Refused
from tests.drafts import NOW, random_address
from tests.vectors import VECTORS, draft_json

OWNER_KEY: str = VECTORS["meta"]["keys"][0]["privateKey"]
OWNER_ADDRESS: str = VECTORS["meta"]["keys"][0]["address"]


def signable() -> list[dict[str, Any]]:
    """Published grants that pass Latchkey's own rules with the expert switch."""
    found = []
    for vector in VECTORS["grants"]:
        value = draft_json(vector["input"])
        try:
            judge(draft_from_json(value), now=NOW, policy=Policy.EXPERT)
        except Refused:
            continue
        found.append(value)
    return found


def fresh(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """`count` drafts, no two alike."""
    patterns = signable()
    return [
        patterns[i % len(patterns)]
        | {
            "sessionKey": str(random_address(rng)),
            "entityId": rng.randrange(1, 2**31 - 1),
            "nonceKey": hex(rng.getrandbits(152)),
            "sequence": 0,
            "expiry": NOW + rng.randrange(3600, 10**8),
        }
        for i in range(count)
    ]
