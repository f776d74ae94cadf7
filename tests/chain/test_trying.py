"""Trying calls against the chain: the account's own word, without a signature, on every kind of account and through every kind of RPC."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.model import Allowed, Denied
from latchkey.chain.node import Node, RpcError
from latchkey.core.account import Account, Mode
from latchkey.core.draft import draft_to_json
from latchkey.core.permissions import (
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
from latchkey.flow.trying import Answer, Question, Subject, Verdict, of_grant, read_subject, try_call
from tests.chain import abi
from tests.chain.cases import BUY, DAY, MOVE, functions
from tests.chain.stage import COUNT, ETHER, INCREMENT, OTHER_OWNER, OTHER_SESSION, OWNER, RECEIVER, Session, Stage
from tests.cli.run import latchkey
from tests.devnet.devnet import Devnet
from tests.devnet.places import COIN, COUNTER, DOLLAR, GAME, NFT, PAYMASTER

EVERYTHING = (
    FunctionsOnContract(COUNTER, functions(INCREMENT)),
    ContractAccess(GAME),
    Erc20TokenTransfer(DOLLAR, 5),
    NativeTokenTransfer(3),
    GasLimit(ETHER),
)
OFF_THE_BOARD = abi.call("move(uint8,uint8)", 8, 0)


@pytest.fixture(scope="module")
def node(net: Devnet) -> Iterator[Node]:
    with closing(Node(net.url)) as node:
        yield node


def granted(stage: Stage, *permissions: Permission, account: Account | None = None, **more: Any) -> tuple[Subject, Session]:
    account = account or stage.account()
    draft = stage.draft(account, *permissions, expiry=more.pop("expiry", stage.now() + DAY), **more)
    signed = stage.grant(draft, account, checked=False)
    return of_grant(signed.grant.unsigned, account), stage.session(signed, account)


def tried(node: Any, subject: Subject, *what: Any, now: int, **more: Any) -> Answer:
    return try_call(subject, Question(*what, **more), now=now, node=node)


def told(answer: Answer) -> tuple[str, str, bool | None]:
    return answer.verdict, answer.chain.error if answer.chain else answer.chain_says.plain, answer.agree


# --- every kind of account


@pytest.mark.parametrize("by_key", [False, True])
@pytest.mark.parametrize(
    ("mode", "deployed"), [(Mode.SMA, True), (Mode.SMA, False), (Mode.EIP7702, True), (Mode.EIP7702, False), (Mode.MA, False)]
)
def test_a_pending_grant_on_any_account(stage: Stage, node: Node, mode: Mode, deployed: bool, by_key: bool) -> None:
    account = stage.account(owner=OTHER_OWNER, salt=9, mode=mode, deployed=deployed)
    subject, _ = granted(stage, *EVERYTHING, account=replace(account, mode=Mode.SMA) if mode is Mode.MA else account)
    subject = replace(subject, account=account)
    before, now = stage.rpc("eth_blockNumber"), stage.now()

    def asked(*what: Any, **more: Any) -> tuple[str, str, bool | None]:
        return told(tried(node, subject, *what, now=now, by_key=by_key, **more))

    assert asked(COUNTER, INCREMENT) == (Verdict.ALLOWED, "", True)
    assert asked(GAME, BUY, 3) == (Verdict.ALLOWED, "", True)
    assert asked(GAME, BUY, 4) == (Verdict.REFUSED, "ExceededNativeTokenLimit", True)
    assert asked(DOLLAR, abi.transfer(RECEIVER, 5)) == (Verdict.ALLOWED, "", True)
    assert asked(DOLLAR, abi.approve(RECEIVER, 6)) == (Verdict.REFUSED, "ExceededTokenLimit", True)
    assert asked(NFT, b"") == (Verdict.REFUSED, "AddressNotAllowed", True)
    assert asked(COUNTER, MOVE) == (Verdict.REFUSED, "SelectorNotAllowed", True)
    assert asked(GAME, OFF_THE_BOARD) == (Verdict.FAILS, "OffTheBoard", True)
    too_late = "TimeRangeNotValid" if by_key else "AA22 expired or not due"
    assert asked(COUNTER, INCREMENT, at=subject.install.expiry) == (Verdict.ALLOWED, "", True)
    assert asked(COUNTER, INCREMENT, at=subject.install.expiry + 1) == (Verdict.REFUSED, too_late, True)
    assert stage.rpc("eth_blockNumber") == before
    assert bool(stage.code(account.address)) is deployed


def test_root_and_its_own_functions(stage: Stage, node: Node) -> None:
    subject, session = granted(stage, Root())
    create = abi.call("performCreate(uint256,bytes,bool,bytes32)", 0, bytes.fromhex("600160005360016000f3"), False, bytes(32))
    assert told(tried(node, subject, None, create, now=stage.now())) == (Verdict.ALLOWED, "", True)
    assert told(tried(node, subject, session.account.address, create, now=stage.now())) == (Verdict.ALLOWED, "", True)
    unknown = tried(node, subject, session.account.address, MOVE, now=stage.now())
    assert told(unknown) == (Verdict.REFUSED, "ValidationFunctionMissing", True)


def test_raw_calldata_of_the_account(stage: Stage, node: Node) -> None:
    subject, _ = granted(stage, ContractAccess(COUNTER))
    assert told(tried(node, subject, None, COUNT, now=stage.now())) == (Verdict.ALLOWED, "", True)
    batch = abi.execute_batch((COUNTER, 0, INCREMENT), (NFT, 0, b""))
    answer = tried(node, subject, None, batch, now=stage.now())
    assert told(answer) == (Verdict.REFUSED, "AddressNotAllowed", True)
    assert isinstance(answer.model, Denied)
    assert answer.model.call == 1
    assert told(tried(node, subject, None, COUNT[:70], now=stage.now())) == (Verdict.REFUSED, "", True)
    assert told(tried(node, subject, None, b"\x01", now=stage.now())) == (Verdict.REFUSED, "UnrecognizedFunction", True)


def test_gas_and_who_pays_for_it(stage: Stage, node: Node) -> None:
    subject, _ = granted(stage, ContractAccess(COUNTER), GasLimit(10**9))
    answer = tried(node, subject, COUNTER, INCREMENT, now=stage.now())
    assert told(answer) == (Verdict.REFUSED, "ExceededNativeTokenLimit", True)
    assert "costs nothing" not in answer.headline.plain
    assert any("declared at" in remark.plain for remark in answer.remarks)
    assert told(tried(node, subject, COUNTER, INCREMENT, now=stage.now(), paymaster=PAYMASTER)) == (Verdict.ALLOWED, "", True)
    assert told(tried(node, subject, COUNTER, INCREMENT, now=stage.now(), by_key=True)) == (Verdict.ALLOWED, "", True)


def test_a_key_bound_to_a_paymaster(stage: Stage, node: Node) -> None:
    subject, _ = granted(stage, ContractAccess(COUNTER), PaymasterGuard(PAYMASTER))
    assert told(tried(node, subject, COUNTER, INCREMENT, now=stage.now())) == (Verdict.ALLOWED, "", True)
    other = tried(node, subject, COUNTER, INCREMENT, now=stage.now(), paymaster=RECEIVER)
    assert told(other) == (Verdict.REFUSED, "BadPaymasterSpecified", True)


def test_what_the_contract_says_is_a_claim(stage: Stage, node: Node) -> None:
    subject, _ = granted(stage, ContractAccess(COUNTER))
    text = "<b>no\u202e</b>"
    reason = abi.call("Error(string)", text)
    code = bytes([0x60, len(reason), 0x60, 0x0C, 0x60, 0, 0x39, 0x60, len(reason), 0x60, 0, 0xFD]) + reason
    stage.rpc("anvil_setCode", COUNTER, "0x" + code.hex())
    answer = tried(node, subject, COUNTER, INCREMENT, now=stage.now())
    assert told(answer) == (Verdict.FAILS, "Error", True)
    assert answer.chain_says.plain.endswith(": “<b>no</b>”")
    assert [p.style for p in answer.chain_says.parts][-1] == "claim" or any(p.style == "claim" for p in answer.chain_says.parts)


# --- sessions in use


def test_a_session_in_use_is_told_by_what_is_left(stage: Stage, node: Node) -> None:
    subject, session = granted(stage, Erc20TokenTransfer(DOLLAR, 5))
    spend = abi.execute(DOLLAR, 0, abi.transfer(RECEIVER, 3))
    assert session.first(spend).text == "done"
    answer = tried(node, subject, DOLLAR, abi.transfer(RECEIVER, 3), now=stage.now())
    assert told(answer) == (Verdict.REFUSED, "ExceededTokenLimit", None)
    assert any("on the account already" in remark.plain for remark in answer.remarks)
    left = replace(subject.install, permissions=(Erc20TokenTransfer(DOLLAR, 2),))
    now_known = replace(subject, install=left, call=b"")
    assert told(tried(node, now_known, DOLLAR, abi.transfer(RECEIVER, 3), now=stage.now())) == (
        Verdict.REFUSED,
        "ExceededTokenLimit",
        True,
    )


def test_a_session_that_was_ended(stage: Stage, node: Node) -> None:
    subject, _ = granted(stage, ContractAccess(COUNTER))
    answer = tried(node, replace(subject, call=b""), COUNTER, INCREMENT, now=stage.now())
    assert told(answer) == (Verdict.DIFFERENT, "ValidationFunctionMissing", False)


def test_an_id_that_another_key_has(stage: Stage, node: Node) -> None:
    subject, _ = granted(stage, ContractAccess(COUNTER))
    other, _ = granted(stage, ContractAccess(COUNTER), account=subject.account, session=OTHER_SESSION.address)
    assert stage.owner_tx(subject.account, other.call).text == "done"
    answer = tried(node, subject, COUNTER, INCREMENT, now=stage.now())
    assert (answer.verdict, answer.chain, answer.agree) == (Verdict.ALLOWED, None, None)
    assert answer.chain_says.plain.startswith("Another key is on the account")


def test_an_account_nobody_knows_how_to_deploy(stage: Stage, node: Node) -> None:
    account = replace(stage.account(owner=OTHER_OWNER, salt=2, deployed=False), init_code=b"")
    subject, _ = granted(stage, ContractAccess(COUNTER), account=account)
    answer = tried(node, subject, COUNTER, INCREMENT, now=stage.now())
    assert isinstance(answer.model, Allowed)
    assert answer.chain_says.plain.startswith("The account has no code on this network yet")


def test_a_grant_the_account_would_not_take(stage: Stage, node: Node) -> None:
    subject, _ = granted(stage, ContractAccess(COUNTER))
    answer = tried(node, replace(subject, call=subject.call[:80]), COUNTER, INCREMENT, now=stage.now())
    assert answer.chain_says.plain.startswith("The account would not take this grant now")


# --- every kind of RPC


class Rpc:
    """The node as another kind of RPC: `without` methods; `params`: how many parameters it heeds; `strict`: refuses more instead."""

    def __init__(self, node: Node, *, without: tuple[str, ...] = (), params: int = 9, strict: bool = False) -> None:
        self._node, self._without, self._params, self._strict = node, without, params, strict
        self.asked: list[str] = []

    def call(self, method: str, *params: Any) -> Any:
        self.asked.append(method)
        if method in self._without or (self._strict and len(params) > self._params):
            raise RpcError("not supported", number=-32601)
        return self._node.call(method, *params[: self._params])

    def many(self, calls: Any) -> list[Any]:
        return self._node.many(calls)


@pytest.mark.parametrize("strict", [False, True])
def test_without_state_overrides_it_is_simulated_in_another_way(stage: Stage, node: Node, strict: bool) -> None:
    subject, _ = granted(stage, *EVERYTHING, account=stage.account(owner=OTHER_OWNER, mode=Mode.EIP7702, deployed=False))
    rpc = Rpc(node, params=2, strict=strict)
    assert told(tried(rpc, subject, COUNTER, INCREMENT, now=stage.now())) == (Verdict.ALLOWED, "", True)
    assert rpc.asked == ["eth_call", "eth_simulateV1"]
    assert told(tried(rpc, subject, NFT, b"", now=stage.now())) == (Verdict.REFUSED, "AddressNotAllowed", True)
    assert told(tried(rpc, subject, GAME, BUY, 4, now=stage.now())) == (Verdict.REFUSED, "ExceededNativeTokenLimit", True)


@pytest.mark.parametrize("strict", [False, True])
def test_an_rpc_that_can_do_neither_is_told(stage: Stage, node: Node, strict: bool) -> None:
    subject, _ = granted(stage, ContractAccess(COUNTER))
    rpc = Rpc(node, without=("eth_simulateV1",), params=2, strict=strict)
    answer = tried(rpc, subject, COUNTER, INCREMENT, now=stage.now())
    assert (answer.verdict, answer.chain, answer.agree) == (Verdict.ALLOWED, None, None)
    assert answer.chain_says.plain.startswith("This RPC cannot try calls")


def test_an_rpc_that_cannot_pretend_another_time(stage: Stage, node: Node) -> None:
    """The account itself says until when; only what contracts see as the time is then as of now."""
    subject, _ = granted(stage, ContractAccess(COUNTER))
    rpc = Rpc(node, without=("eth_simulateV1",), params=3, strict=True)
    late = tried(rpc, subject, COUNTER, INCREMENT, now=stage.now(), at=subject.install.expiry + 1)
    assert told(late) == (Verdict.REFUSED, "AA22 expired or not due", True)
    assert any("another time" in remark.plain for remark in late.remarks)
    in_time = tried(rpc, subject, COUNTER, INCREMENT, now=stage.now(), at=subject.install.expiry)
    assert told(in_time) == (Verdict.ALLOWED, "", True)


def test_the_wrong_network_is_told(stage: Stage, node: Node) -> None:
    subject, _ = granted(stage, ContractAccess(COUNTER))
    elsewhere = replace(subject, account=replace(subject.account, chain_id=8453))
    answer = tried(node, elsewhere, COUNTER, INCREMENT, now=stage.now())
    assert answer.chain is None
    assert "serves another one" in answer.chain_says.plain


def test_calls_to_the_entry_point_meet_its_own_code(stage: Stage, node: Node) -> None:
    deposit = abi.call("depositTo(address)", RECEIVER)
    withdraw = abi.call("withdrawTo(address,uint256)", RECEIVER, 10**30)
    subject, _ = granted(stage, FunctionsOnAllContracts(functions(deposit, withdraw)))
    assert told(tried(node, subject, ENTRY_POINT, deposit, 1, now=stage.now())) == (Verdict.ALLOWED, "", True)
    assert told(tried(node, subject, ENTRY_POINT, withdraw, now=stage.now()))[0] == Verdict.FAILS


def test_a_node_that_lies_is_found_out_by_the_model(stage: Stage, node: Node) -> None:
    class Liar(Rpc):
        def call(self, method: str, *params: Any) -> Any:
            return "0x" + "0100000000" * 1 + "0100000020" + "00" * 32 + "0100000000"

    subject, _ = granted(stage, ContractAccess(COUNTER))
    answer = tried(Liar(node), subject, NFT, b"", now=stage.now())
    assert (answer.verdict, answer.agree) == (Verdict.DIFFERENT, False)


# --- the command line


def run(*arguments: str) -> tuple[int, str]:
    done = latchkey(*arguments)
    assert not done.stderr
    return done.returncode, done.stdout.decode()


def test_the_command(stage: Stage, net: Devnet, tmp_path: Path) -> None:
    account = stage.account(owner=OTHER_OWNER, salt=0, deployed=False)
    draft = stage.draft(account, *EVERYTHING, expiry=stage.now() + DAY)
    file = tmp_path / "draft.json"
    file.write_text(json.dumps(draft_to_json(draft)))
    common = ("try", str(file), "--rpc", net.url, "--owner", OTHER_OWNER.address, "--json")
    code, text = run(*common, "--to", COUNTER, "--function", "increment()")
    assert (code, json.loads(text)["verdict"], json.loads(text)["agree"]) == (0, "allowed", True)
    code, text = run(*common, "--to", GAME, "--function", "buy()", "--value", "0.5")
    found = json.loads(text)
    assert (code, found["verdict"], found["model"]["error"]) == (1, "refused", "ExceededNativeTokenLimit")
    assert found["chain"]["outcome"] == "execution"
    code, text = run("try", str(file), "--to", COIN, "--data", "0x")
    assert code == 1
    assert "It is asked to" in text


def test_explain_and_build_ask_the_chain_when_told_to(stage: Stage, net: Devnet, tmp_path: Path) -> None:
    account = stage.account()
    draft = stage.draft(account, ContractAccess(RECEIVER), NativeTokenTransfer(0), GasLimit(ETHER), expiry=stage.now() + DAY)
    file = tmp_path / "draft.json"
    file.write_text(json.dumps(draft_to_json(draft)))
    for command in (("grant", "build"), ("explain", "--json")):
        for rpc, expected in (((), False), (("--rpc", net.url), True)):
            code, text = run(*command, str(file), *rpc)
            assert code == 0
            found = {finding["id"] for finding in json.loads(text).get("findings", [])}
            assert ("eoa-as-contract" in found) is expected


def test_a_subject_in_any_form(stage: Stage) -> None:
    subject, session = granted(stage, *EVERYTHING)
    draft = json.dumps(draft_to_json(session.draft)).encode()
    now = stage.now()
    read = read_subject(draft, now=now, accounts=(subject.account,))
    assert read == subject
    call = ("0x" + subject.call.hex()).encode()
    place = Account(subject.account.chain_id, subject.account.address, "modular_account", Mode.ADDRESS)
    assert read_subject(call, now=now, account=place).call == subject.call
    assert OWNER.address == subject.account.owner
