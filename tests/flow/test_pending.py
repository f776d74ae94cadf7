"""What became of a grant: dead only when the chain says so or its time is over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.codec.hand_over import Envelope, Kind, encode
from latchkey.core.account import Mode
from latchkey.core.permissions import ContractAccess
from latchkey.core.session import AccountReading, Hook, LogRange, Owner
from latchkey.core.types import Address
from latchkey.flow.pending import PendingState, nonce_key, pending_of, signer_of
from latchkey.store.records import GrantRecord, GrantState
from tests.drafts import NOW
from tests.sessions import BASE, OWNER, draft, reading_of, session_of

GAME, OTHER = Address.parse("0x" + "11" * 20), Address.parse("0x" + "0d" * 20)
MADE = draft(ContractAccess(GAME))
END = MADE.expiry
USABLE, DORMANT, USED, VOID, EXPIRED, CANCELLED, UNKNOWN = PendingState


def record(owner: Address | None = OWNER, *, sequence: int = 0, signed: bool = True, expiry: int = END) -> GrantRecord:
    made = replace(MADE, sequence=sequence, expiry=expiry)
    account = replace(BASE, mode=Mode.ADDRESS, owner=owner, label="")
    envelope = Envelope(
        kind=Kind.SIGNED_GRANT,
        permissions=made.permissions,
        account=account,
        expiry=made.expiry,
        session_key=made.session_key,
        key_type="secp256k1",
        entity_id=made.entity_id,
        nonce=7,
        blob=b"\0",
    )
    state = GrantState.SIGNED if signed else GrantState.UNSIGNED
    return GrantRecord(made, (3 << 64) + sequence, b"", NOW, envelope=encode(envelope) if signed else None, state=state, id=1)


def owned(by: Address, **changes: object) -> AccountReading:
    owner = Owner("fallback-signer", 0, address=by)
    return reading_of(owners=(replace(owner, **changes),))  # type: ignore[arg-type]


IDLE = reading_of()
INSTALLED = reading_of(session_of(MADE))
ENDED = reading_of(used_entity_ids=frozenset({MADE.entity_id}))
PART = reading_of(logs=LogRange(0, 9, ((1, 1),)))


@pytest.mark.parametrize(
    ("grant", "reading", "sequence", "now", "state"),
    [
        (record(), IDLE, 0, NOW, USABLE),
        (record(), IDLE, 0, END, USABLE),
        (record(), IDLE, 0, END + 1, EXPIRED),
        (record(expiry=0), IDLE, 0, 2**40, USABLE),
        (record(), None, None, NOW, UNKNOWN),
        (record(), None, None, END + 1, EXPIRED),
        (record(), IDLE, None, NOW, UNKNOWN),
        (record(), INSTALLED, 1, NOW, USED),
        (record(), INSTALLED, 1, END + 1, USED),
        (record(), ENDED, 1, NOW, USED),
        (record(), ENDED, 0, NOW, USABLE),  # an id alone proves nothing: the nonce has not moved
        (record(), IDLE, 1, NOW, CANCELLED),
        (record(), IDLE, 1, END + 1, CANCELLED),
        (record(), PART, 1, NOW, UNKNOWN),
        (record(), replace(INSTALLED, logs=PART.logs), 1, NOW, USED),
        (record(sequence=2), IDLE, 1, NOW, DORMANT),
        (record(sequence=2), IDLE, 2, NOW, USABLE),
        (record(sequence=2), IDLE, 3, NOW, CANCELLED),
        (record(), owned(OTHER), 0, NOW, VOID),
        (record(), owned(OTHER), 1, NOW, CANCELLED),
        (record(), owned(OTHER), 0, END + 1, EXPIRED),
        (record(owner=None), owned(OTHER), 0, NOW, USABLE),  # nobody says who signed: not called void
        (record(), reading_of(owners=()), 0, NOW, USABLE),  # not deployed yet
        (record(), reading_of(owners=(Owner("passkey", 0),)), 0, NOW, USABLE),
        (record(), owned(OWNER, disabled=True), 0, NOW, DORMANT),
        (record(), owned(OWNER, hooks=(Hook(OTHER, 0, 1),)), 0, NOW, DORMANT),
        (record(signed=False), IDLE, 0, NOW, USABLE),
        (record(signed=False), owned(OTHER), 0, NOW, USABLE),
    ],
)
def test_every_state(
    grant: GrantRecord, reading: AccountReading | None, sequence: int | None, now: int, state: PendingState
) -> None:
    found = pending_of(grant, reading, sequence, now)
    assert found.state is state
    assert found.sentence.endswith(".")
    assert found.is_open is (state in (USABLE, DORMANT, VOID, UNKNOWN))


@given(
    own=st.integers(0, 3),
    chain=st.integers(0, 5),
    now=st.integers(NOW, END + 10),
    owner=st.sampled_from([OWNER, OTHER]),
    seen=st.booleans(),
    complete=st.booleans(),
    disabled=st.booleans(),
)
def test_it_is_dead_only_when_the_nonce_moved_or_its_time_is_over(
    own: int, chain: int, now: int, owner: Address, seen: bool, complete: bool, disabled: bool
) -> None:
    reading = replace(
        owned(owner, disabled=disabled),
        used_entity_ids=frozenset({MADE.entity_id} if seen else ()),
        logs=LogRange(0, 9, () if complete else ((3, 4),)),
    )
    state = pending_of(record(sequence=own), reading, chain, now).state
    assert (state is CANCELLED) == (chain > own and not seen and complete)
    assert (state is USED) == (chain > own and seen)
    assert (state is EXPIRED) == (chain <= own and now > END)
    assert (state is USABLE) == (chain == own and now <= END and owner == OWNER and not disabled)


def test_the_key_and_the_signer_come_from_what_was_signed() -> None:
    assert nonce_key(record(sequence=5)) == 3
    assert signer_of(record()) == OWNER
    assert signer_of(record(signed=False)) is None
    assert signer_of(replace(record(), envelope=b"rubbish")) is None
