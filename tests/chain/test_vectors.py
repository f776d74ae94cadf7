"""The published vectors that need a chain: nine operations, all 44 grants, a read-back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from latchkey.accounts.modular_account.addresses import ENTRY_POINT, FACTORY, predict
from latchkey.accounts.modular_account.build import HALF
from latchkey.core.account import Mode
from latchkey.core.draft import Draft, draft_from_json
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    NativeTokenTransfer,
)
from latchkey.core.types import Address, hex_bytes, to_hex
from tests.chain import abi
from tests.chain.stage import ETHER, HANDLE_OPS, OWNER, RECEIVER, SENDER, Key, Outcome, Stage, outcomes_of
from tests.chain.state import stored
from tests.devnet.devnet import CHAIN_ID
from tests.devnet.places import COUNTER, DOLLAR, runtime
from tests.vectors import VECTORS, draft_json

ACCOUNT = Address.parse(VECTORS["meta"]["account"])
CONTRACTS = VECTORS["userOpSetup"]["contracts"]


def recorded(vector: dict[str, Any]) -> str:
    """A vector's result in this suite's words."""
    if vector["result"] == "accepted+success":
        return "done"
    text = re.sub(r"\[0x[0-9a-f]{8}\]|[{}]|raw:", "", vector["error"])
    text = re.sub(r"0x00000000003e826473a313e600b5b9b791f5a59a([0-9a-f]{8})", lambda m: f"AllowlistModule:{int(m[1], 16)}", text)
    if vector["result"] == "rejected":
        return "refused: " + re.sub(r"^FailedOp(WithRevert)?\(0, (.*)\)$", r"\2", text)
    return f"failed: {text}"


def test_nine_operations_give_exactly_their_recorded_results(stage: Stage) -> None:
    for name, artifact in (("usdc", "TestDollar"), ("dai", "TestCoin"), ("target", "TestCounter"), ("target2", "TestCounter")):
        stage.rpc("anvil_setCode", CONTRACTS[name], to_hex(runtime(artifact)))
    token = Address.parse(CONTRACTS["usdc"])
    stage.rpc("anvil_setBalance", ACCOUNT, hex(100 * ETHER))
    stage.transact(SENDER, token, abi.call("mint(address,uint256)", ACCOUNT, 1_000_000))
    stage.outcomes.clear()
    seen = [str(send(stage, vector)) for vector in VECTORS["userOps"]]
    assert seen == [recorded(vector) for vector in VECTORS["userOps"]]
    assert len(seen) == 9
    assert stage.tokens(token, RECEIVER) == 100
    assert stage.view(Address.parse(CONTRACTS["target"]), "(uint256)", "number()") == 2


def send(stage: Stage, vector: dict[str, Any]) -> Outcome:
    """The packed operation as it stands in the vector, signature and all."""
    packed = vector["packed"]
    fields = (
        packed["sender"],
        int(packed["nonce"], 16),
        *(hex_bytes(packed[n]) for n in ("initCode", "callData", "accountGasLimits")),
        int(packed["preVerificationGas"], 16),
        *(hex_bytes(packed[n]) for n in ("gasFees", "paymasterAndData", "signature")),
    )
    data = abi.call(HANDLE_OPS, [fields], SENDER.address)
    outcome = stage.transact(SENDER, ENTRY_POINT, data)
    stage.outcomes[-1] = outcomes_of(outcome, [hex_bytes(vector["userOpHash"])])[0]
    return stage.outcomes[-1]


def probe(draft: Draft) -> bytes:
    """A call the grant allows, which needs nothing of the contracts it names."""
    for permission in draft.permissions:
        match permission:
            case AccountFunctions() if permission.functions[0] == "0x30009d52":
                return abi.call("updateFallbackSignerData(address,bool)", OWNER.address, False)
            case AccountFunctions() if not any(isinstance(p, ContractAccess) for p in draft.permissions):
                return permission.functions[0].raw
            case Erc20TokenTransfer():
                return abi.execute(permission.address, 0, abi.transfer(RECEIVER, 0))
            case FunctionsOnContract():
                return abi.execute(permission.address, 0, permission.functions[0].raw)
            case FunctionsOnAllContracts():
                chosen = permission.functions[0].raw
                return abi.execute(RECEIVER, 0, chosen if any(chosen) else b"")
            case ContractAccess():
                return abi.execute(permission.address)
    return abi.execute(RECEIVER)


@pytest.mark.parametrize("vector", VECTORS["grants"], ids=lambda v: v["name"])
def test_grant_is_accepted_used_and_revoked_without_leftovers(stage: Stage, vector: dict[str, Any]) -> None:
    draft = draft_from_json(draft_json(vector["input"]))
    account = stage.account()
    assert account.address == draft.account
    session = stage.session(
        stage.grant(draft, account, owner=Key(hex_bytes(vector["input"]["ownerPrivateKey"])), checked=False), account
    )
    skip = abi.call("incrementNonce(uint192)", int(vector["input"]["nonce"], 16) >> 64)
    for _ in range(draft.sequence):
        assert str(stage.owner_tx(account, abi.execute(ENTRY_POINT, 0, skip))) == "done"
    recorded = vector["onChain"]["probe"]
    expected = "done" if recorded == "ok" else "failed: " + re.sub(r"\[.*|raw:", "", recorded.removeprefix("execution: "))
    assert str(session.first(probe(draft))) == expected
    assert stored(stage, draft)
    revoked = stage.owner_tx(account, hex_bytes(vector["expected"]["uninstallValidationCalldata"]))
    assert str(revoked) == "done"
    assert int(revoked.logs[-1]["data"], 16) == 1  # onUninstallSucceeded
    assert stored(stage, draft) == {}


def test_read_back(stage: Stage) -> None:
    """getValidationData answers byte for byte what the vector holds."""
    readback = VECTORS["readback"]
    account = stage.account()
    draft = stage.draft(account, Erc20TokenTransfer(DOLLAR, 5), NativeTokenTransfer(7), ContractAccess(COUNTER))
    assert stage.owner_tx(account, stage.grant(draft, account).grant.call).text == "done"
    answer = stage.rpc("eth_call", {"to": account.address, "data": readback["call"]}, "latest")
    assert answer == readback["returnData"]
    assert f"{HALF + 1:08x}" in answer


@pytest.mark.parametrize("vector", VECTORS["addressVectors"], ids=lambda v: f"{v['owner'][:8]}-{v['salt']}")
def test_the_factory_makes_the_predicted_addresses(stage: Stage, vector: dict[str, Any]) -> None:
    owner, salt = Address.parse(vector["owner"]), int(vector["salt"])
    for mode, signature, more in (
        (Mode.SMA, "getAddressSemiModular(address,uint256)", ()),
        (Mode.MA, "getAddress(address,uint256,uint32)", (0,)),
    ):
        account = predict(CHAIN_ID, owner, salt, mode)
        assert Address.parse(stage.view(FACTORY, "(address)", signature, owner, salt, *more)) == account.address
        assert not stage.code(account.address)
        assert stage.transact(SENDER, FACTORY, account.init_code[20:]).text == "done"
        assert stage.code(account.address)
