"""Trying calls without a network: what is offered, how it is read, what the model says about it, in words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from latchkey.accounts.modular_account.build import build
from latchkey.accounts.modular_account.decode import decode_unsigned
from latchkey.accounts.modular_account.model import Denied, Stage, attempt, session_of_install
from latchkey.accounts.modular_account.rules import sentence
from latchkey.chain.simulate import OUT_OF_TIME, Simulated
from latchkey.core.account import Account, Mode
from latchkey.core.draft import draft_to_json
from latchkey.core.functions import Function, function_of
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    Permission,
    Root,
)
from latchkey.core.reading import Install, Unknown
from latchkey.core.request import Claims
from latchkey.core.types import Address, to_hex
from latchkey.errors import BadInput
from latchkey.flow.trying import (
    Answer,
    Choice,
    Question,
    Subject,
    TryForm,
    Verdict,
    choices,
    of_grant,
    parse_moment,
    read_form,
    read_subject,
    same,
    try_call,
)
from tests.core.golden_cases import ACCOUNT, CLAIM, GAME, MOVE, NOW, OTHER, PAY, ROUTER, USDC, fn, plain

PLACE = Account(8453, ACCOUNT, "modular_account", Mode.ADDRESS)


def subject(*permissions: Permission, claims: Claims = Claims(), expiry: int = NOW + 3600) -> Subject:  # noqa: B008
    draft = replace(plain(*permissions, expiry=expiry), chain_id=8453)
    return of_grant(build(draft).unsigned, PLACE, claims=claims)


def tried(on: Subject, *what: Any, **more: Any) -> Answer:
    return try_call(on, Question(*what, **more), now=NOW)


# --- what is offered


def test_choices_are_what_the_grant_names() -> None:
    claims = Claims(functions=("wiggle(uint8 x, uint8 y)", "lie(uint256)"))
    on = subject(
        FunctionsOnContract(GAME, (MOVE, CLAIM)),
        ContractAccess(ROUTER),
        Erc20TokenTransfer(USDC, 5),
        FunctionsOnAllContracts((CLAIM, PAY)),
        claims=claims,
    )
    assert choices(on) == (
        Choice(GAME, Function(MOVE, "wiggle(uint8,uint8)")),
        Choice(GAME, Function(CLAIM, "claim()")),
        Choice(ROUTER),
        Choice(USDC, function_of("transfer(address,uint256)")),
        Choice(USDC, function_of("approve(address,uint256)")),
        Choice(None, Function(CLAIM, "claim()")),
        Choice(None),
    )


def test_root_may_be_tried_with_anything() -> None:
    assert choices(subject(Root())) == (Choice(None),)


# --- how it is read


def test_a_function_with_arguments() -> None:
    form = TryForm(
        target=f" {GAME} ", signature="function move(uint8 x, uint8 y) external", arguments=("3", "4"), amount="0.5", at="5"
    )
    question = read_form(form)
    assert question == Question(
        GAME, fn("move(uint8,uint8)", 3, 4), 5 * 10**17, 5, signature="move(uint8,uint8)", arguments=("3", "4")
    )


def test_pasted_calldata_with_and_without_a_contract() -> None:
    assert read_form(TryForm(pasted=True, calldata=" 0x12\n34 ", target=str(GAME))) == Question(GAME, b"\x12\x34")
    assert read_form(TryForm(pasted=True, calldata="0x1234", signature="left over")) == Question(None, b"\x12\x34")
    assert read_form(TryForm(target=str(OTHER), amount="1")) == Question(OTHER, b"", 10**18)


@pytest.mark.parametrize(
    ("form", "path"),
    [
        (TryForm(), "target"),
        (TryForm(target="0x1"), "target"),
        (TryForm(pasted=True), "calldata"),
        (TryForm(pasted=True, calldata="12"), "calldata"),
        (TryForm(target=str(GAME), signature="0xa9059cbb"), "signature"),
        (TryForm(target=str(GAME), signature="move(struct"), "signature"),
        (TryForm(target=str(GAME), signature="move(uint8)", arguments=("900",)), "arguments[0]"),
        (TryForm(target=str(GAME), amount="much"), "amount"),
        (TryForm(target=str(GAME), at="tomorrow"), "at"),
        (TryForm(target=str(GAME), at="9" * 20), "at"),
    ],
)
def test_a_form_that_is_none_says_where(form: TryForm, path: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_form(form)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1790000000", 1_790_000_000),
        (" 2026-12-01 10:00 ", 1_796_119_200),
        ("2026-12-01T10:00:01", 1_796_119_201),
        ("2026-12-01T12:00+02:00", 1_796_119_200),
    ],
)
def test_moments(text: str, seconds: int) -> None:
    assert parse_moment(text) == seconds


def test_subjects_from_drafts_and_calldata() -> None:
    on = subject(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0))
    draft = replace(plain(FunctionsOnContract(GAME, (MOVE,)), NativeTokenTransfer(0), expiry=NOW + 3600), chain_id=8453)
    assert read_subject(json.dumps(draft_to_json(draft)).encode(), now=NOW) == on
    assert read_subject(to_hex(on.call).encode(), now=NOW, account=PLACE).call == on.call
    with pytest.raises(BadInput):
        read_subject(to_hex(on.call).encode(), now=NOW)


def test_an_owner_tells_how_the_account_is_deployed() -> None:
    on = subject(ContractAccess(GAME))
    assert on.owned_by(OTHER) == on


# --- what is said


def said(answer: Answer) -> tuple[str, str]:
    assert answer.chain is None
    assert answer.agree is None
    return answer.verdict, answer.model_says.plain


def test_what_the_model_says() -> None:
    on = subject(FunctionsOnContract(GAME, (MOVE,)), Erc20TokenTransfer(USDC, 5_000_000), NativeTokenTransfer(10**17))
    assert said(tried(on, GAME, MOVE.raw)) == (Verdict.ALLOWED, "No rule of this key stands against it.")
    assert "only the chain can tell" in tried(on, GAME, MOVE.raw).headline.plain
    assert said(tried(on, GAME, MOVE.raw, 2 * 10**17)) == (
        Verdict.REFUSED,
        "The call sends 0.2 ETH; the limit has 0.1 ETH left.",
    )
    verdict, words = said(tried(on, USDC, fn("transfer(address,uint256)", OTHER, 6_000_000)))
    assert verdict == Verdict.REFUSED
    assert words.startswith("The call moves 6")
    assert words.endswith("left.")
    assert said(tried(on, OTHER))[1] == f"The key may not call {OTHER}: it is not on its list."
    assert said(tried(on, GAME, MOVE.raw, at=NOW + 3601))[1].startswith("The session ended at ")


def test_stages_are_told_apart() -> None:
    on = subject(ContractAccess(GAME), NativeTokenTransfer(0))
    assert "nothing is paid" in tried(on, OTHER).headline.plain
    assert "gas is paid all the same" in tried(on, GAME, b"", 1).headline.plain
    assert "the key pays" in tried(on, OTHER, by_key=True).headline.plain


def test_what_is_asked_is_told() -> None:
    on = subject(ContractAccess(GAME))
    answer = tried(on, GAME, fn("move(uint8,uint8)", 3, 4), 1, signature="move(uint8,uint8)", arguments=("3", "4\u202e"))
    assert [p.plain for p in answer.asked] == [f"call move(uint8,uint8) on {GAME} with 3, 4, sending 0.000000000000000001 ETH"]
    assert [p.plain for p in tried(on, OTHER, b"", 10**18).asked] == [f"send 1 ETH to {OTHER}"]
    assert tried(on, None, b"\x01").asked[0].plain.startswith("do something that cannot be read")


def test_gas_is_only_mentioned_where_it_is_limited() -> None:
    assert tried(subject(ContractAccess(GAME)), GAME).remarks == ()
    assert "declared at" in tried(subject(ContractAccess(GAME), GasLimit(10**18)), GAME).remarks[0].plain


def test_the_account_itself_is_asked_bare() -> None:
    on = subject(ContractAccess(GAME), NativeTokenTransfer(5))
    answer = tried(on, ACCOUNT, MOVE.raw)
    assert isinstance(answer.model, Denied)
    assert answer.model.error == "ValidationFunctionMissing"
    with pytest.raises(BadInput):
        tried(on, ACCOUNT, MOVE.raw, 1)


def test_an_install_that_is_not_known_whole_is_left_to_the_chain() -> None:
    on = subject(ContractAccess(GAME))
    odd = replace(on, install=replace(on.install, unknown=(Unknown("hooks[0]", b"", "?"),)))
    answer = tried(odd, GAME)
    assert (answer.verdict, answer.model) == (Verdict.UNKNOWN, None)
    assert answer.model_says.plain.startswith("It cannot tell: ")
    assert answer.headline.plain == "Nobody can tell what the account would do."


# --- model and chain


def simulated(stage: Stage | None, error: str = "", selector: str = "", module: Address | None = None, **more: Any) -> Simulated:
    return Simulated(stage, module, error, selector, 1, NOW, False, **more)


def test_when_model_and_chain_say_the_same() -> None:
    on = subject(ContractAccess(GAME), NativeTokenTransfer(0))
    session = session_of_install(on.install, ACCOUNT)
    fine, sends, other, late, cut = (
        try_call(on, q, now=NOW).model
        for q in (
            Question(GAME),
            Question(GAME, b"", 1),
            Question(OTHER),
            Question(GAME, at=NOW + 3601),
            Question(None, b"\x8d\xd7\x71\x2f\xb6\x1d\x27\xf6"),
        )
    )
    assert isinstance(sends, Denied)
    assert isinstance(other, Denied)
    V, X = Stage.VALIDATION, Stage.EXECUTION
    assert fine is not None
    assert late is not None
    assert cut is not None
    assert same(fine, simulated(None))
    assert same(fine, simulated(X, "Nope", "0x12345678", of_target=True))
    assert not same(fine, simulated(V, other.error, other.selector, other.module))
    assert same(sends, simulated(X, sends.error, sends.selector, sends.module))
    assert not same(sends, simulated(V, sends.error, sends.selector, sends.module))
    assert not same(sends, simulated(X, sends.error, sends.selector, of_target=True))
    assert not same(sends, simulated(None))
    assert not same(other, simulated(V, "SelectorNotAllowed", "0xbdb518d2", other.module))
    assert same(late, simulated(V, OUT_OF_TIME))
    assert not same(late, simulated(V))
    assert same(cut, simulated(V))
    assert not same(cut, simulated(X))
    assert not same(cut, simulated(V, "Panic", "0x4e487b71"))
    assert same(cut, simulated(X), by_key=True)
    assert attempt(session, b"", now=NOW, fees=None) != fine


def test_every_error_the_model_knows_has_a_sentence() -> None:
    from latchkey.accounts.modular_account.model import _ERRORS

    unknown = sentence("Nope", Stage.EXECUTION)
    for error in (*_ERRORS, OUT_OF_TIME, "", "PreExecHookReverted, ExceededTokenLimit"):
        assert sentence(error, Stage.VALIDATION) != unknown, error
    assert sentence("ExceededNativeTokenLimit", Stage.VALIDATION) != sentence("ExceededNativeTokenLimit", Stage.EXECUTION)
    assert isinstance(decode_unsigned(subject(Root()).unsigned).action, Install)
