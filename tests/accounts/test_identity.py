"""build -> decode -> build is the identity: the builder and the independent decoder meet on every draft."""

from __future__ import annotations

import random

import pytest

from latchkey.accounts.review import exact, review
from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.draft import draft_from_json
from latchkey.core.types import Address
from latchkey.errors import NotServed
from tests.counts import count
from tests.drafts import NOW, random_draft
from tests.vectors import VECTORS, draft_json


def test_random_drafts() -> None:
    rng, face = random.Random(1), system("modular_account")
    for _ in range(count(500, 10_000)):
        draft = random_draft(rng)
        face.judge(draft, now=NOW, policy=Policy.EXPERT)
        grant = face.build(draft)
        account = Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS)
        found = review(grant.unsigned, account, now=NOW, policy=Policy.EXPERT)
        assert found.grant.unsigned == grant.unsigned
        assert found.digest == grant.digest
        assert face.build(found.draft) == found.grant
        assert sorted(map(str, found.draft.permissions)) == sorted(map(str, draft.permissions))


def test_every_vector() -> None:
    for vector in VECTORS["grants"]:
        draft = draft_from_json(draft_json(vector["input"]))
        grant = system("modular_account").build(draft)
        rebuilt, _ = exact(grant.unsigned, Account(draft.chain_id, draft.account, draft.system, Mode.ADDRESS))
        assert rebuilt.call == grant.call


def test_an_account_whose_owner_sits_in_a_module_is_not_served() -> None:
    """Its owner signs another digest (a replay-safe hash); a signature over ours would be useless on chain."""
    draft = draft_from_json(draft_json(VECTORS["grants"][4]["input"]))
    owner = Address.parse(VECTORS["meta"]["keys"][0]["address"])
    account = system("modular_account").predict(31337, owner, 0, Mode.MA)
    with pytest.raises(NotServed):
        exact(system("modular_account").build(draft).unsigned, account)
