"""What is said of a session on the chain: golden texts, and that no sentence says less than what is left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latchkey.core.amounts import ETH, format_amount
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, GasLimit, NativeTokenTransfer
from latchkey.core.request import NO_CLAIMS
from latchkey.core.session import LimitKind
from latchkey.core.types import MAX_UINT256
from latchkey.core.words_pieces import Names
from latchkey.core.words_sessions import describe_session, limit_line, summary, who
from tests.core.golden_cases import Case
from tests.core.session_cases import CAREFUL, GAME, GOLD, SESSIONS
from tests.core.test_golden import golden
from tests.drafts import NOW
from tests.sessions import BASE, KEY, draft, session_of

AMOUNTS = st.integers(0, MAX_UINT256)


@pytest.mark.parametrize("case", SESSIONS, ids=[case.name for case in SESSIONS])
def test_the_text_is_as_it_was_read(case: Case) -> None:
    assert case.text().removesuffix("\n") == golden("sessions")[case.name].removesuffix("\n")


def test_none_is_left_over() -> None:
    assert list(golden("sessions")) == [case.name for case in SESSIONS]


@given(native=AMOUNTS, gas=AMOUNTS, token=AMOUNTS)
def test_every_amount_that_is_left_is_said_and_none_that_was_granted(native: int, gas: int, token: int) -> None:
    made = draft(
        ContractAccess(GAME), *(p(MAX_UINT256) for p in (NativeTokenTransfer, GasLimit)), Erc20TokenTransfer(GOLD, MAX_UINT256)
    )
    session = session_of(made, left={LimitKind.NATIVE: native, LimitKind.GAS: gas, LimitKind.ERC20: token})
    words = describe_session(session, now=NOW)
    said = "\n".join(p.plain for p in (*words.can, *words.most_you_can_lose))
    for amount, text in (
        (native, f"{format_amount(native, ETH)} ETH"),
        (gas, f"{format_amount(gas, ETH)} ETH"),
        (token, f"{token} base"),
    ):
        assert not amount or text in said
    if MAX_UINT256 not in (native, gas, token):
        assert str(MAX_UINT256) not in said
        assert format_amount(MAX_UINT256, ETH) not in said
    assert summary(session).plain


@given(left=AMOUNTS, granted=AMOUNTS)
def test_a_limit_says_both_amounts(left: int, granted: int) -> None:
    session = session_of(draft(ContractAccess(GAME), GasLimit(granted)), left={LimitKind.GAS: left})
    names = Names(BASE, NO_CLAIMS)
    text = limit_line(session.limits[0], names).plain
    assert text == f"{names.coins(left).text} left for gas, of {names.coins(granted).text} granted"
    assert f"{format_amount(left, ETH)} ETH" in text


def test_a_list_that_may_be_longer_promises_nothing() -> None:
    words = describe_session(replace(session_of(CAREFUL), targets_complete=False), now=NOW)
    assert [p.plain for p in words.cannot] == ["be relied on to stay within this: a part of it cannot be read"]


def test_what_has_ended_promises_only_that() -> None:
    now = NOW + 86_400
    assert "can act" in describe_session(session_of(CAREFUL), now=now).headline.plain
    words = describe_session(session_of(CAREFUL), now=now + 1)
    assert "can do nothing any more" in words.headline.plain
    assert [p.plain for p in words.can] == ["nothing: its time is over"]


def test_who_is_named_in_full() -> None:
    assert "".join(part.text for part in who(session_of(CAREFUL))) == f"key {KEY}"
    assert "module " + GOLD in "".join(part.text for part in who(replace(session_of(CAREFUL), signer=None, module=GOLD)))
