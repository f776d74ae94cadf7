"""Who sits at Latchkey while a dApp asks over the bridge: lets it in, reads, narrows, signs with a real signer; without a window."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from latchkey.core.account import Account
from latchkey.core.request import SessionRequest
from latchkey.flow import wizard
from latchkey.flow.granting import Granting
from latchkey.flow.requests import OTHER, refusal
from latchkey.flow.wizard import World
from latchkey.store.records import GrantRecord
from latchkey.vault.client import SignerClient
from tests.bridge.house import House


class Person:
    def __init__(self, house: House, signer: SignerClient, account: Account) -> None:
        self._house, self._signer, self._account = house, signer, account
        house.book.add_account(account)

    def lets_in(self) -> str:
        """The digits the dApp showed."""
        asked = self._house.waiting()
        self._house.host.pair(asked, self._account)
        return asked.code

    def grants(self, **changes: Any) -> GrantRecord:
        """What the wizard does when the owner just goes on. `changes`: of what was asked, made in the wizard."""
        record, now = self._house.question(), int(time.time())
        assert isinstance(record.request, SessionRequest)
        self._house.requests.see(record.id)
        world = World((self._account,), expert=False, now=now)
        granting = Granting(self._house.book, lambda: self._signer, lambda: now)
        state = wizard.start_from(record.request, world)
        if state.key.source is wizard.KeySource.MADE:
            state = replace(state, key=replace(state.key, made=granting.make_key()))
        grant = granting.keep(granting.sign(granting.prepare(replace(state, **changes), world)))
        self._house.requests.meant(grant.id, record.id)
        self._house.requests.granted(grant)
        self._house.host.refresh()
        return grant

    def refuses(self, reason: str) -> None:
        self._house.requests.answer(self._house.question().id, refusal(OTHER, reason))
