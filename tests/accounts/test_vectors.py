"""Every published vector that needs no chain, through the code."""

from __future__ import annotations

from typing import Any

import pytest
from coincurve import PrivateKey

from latchkey.accounts.modular_account.addresses import predict
from latchkey.accounts.modular_account.build import build, nonce_key, typed_data
from latchkey.accounts.modular_account.compat import as_written
from latchkey.accounts.modular_account.deferred import assemble, signer_of
from latchkey.accounts.modular_account.ending import uninstall_call
from latchkey.accounts.modular_account.judge import judge
from latchkey.accounts.modular_account.userop import UserOperation, session_signature, signed_message, user_op_hash
from latchkey.accounts.system import Policy
from latchkey.core.account import Mode
from latchkey.core.draft import Draft, draft_from_json
from latchkey.core.types import Address, hex_bytes, to_hex
from latchkey.errors import Refused
from tests.vectors import VECTORS, draft_json

NOW = 1_790_000_000


def draft_of(vector_input: dict[str, Any]) -> Draft:
    value = draft_json(vector_input)
    return as_written(draft_from_json(value), value)


def sign(key: str, digest: bytes) -> bytes:
    signature = PrivateKey(hex_bytes(key)).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])


@pytest.mark.parametrize("vector", VECTORS["grants"], ids=lambda v: v["name"])
def test_grant_is_byte_identical(vector: dict[str, Any]) -> None:
    draft, expected = draft_of(vector["input"]), vector["expected"]
    judge(draft, now=NOW, policy=Policy.COMPAT)
    grant = build(draft)
    assert to_hex(grant.call) == expected["installValidationCalldata"]
    assert grant.nonce == int(vector["input"]["nonce"], 16)
    assert to_hex(grant.digest) == expected["deferredActionDigest"]
    assert to_hex(grant.unsigned) == expected["preSignaturePayload"]
    assert grant.needs_execute_user_op is expected["hasAssociatedExecHooks"]
    signature = sign(vector["input"]["ownerPrivateKey"], grant.digest)
    assert to_hex(signature) == expected["ownerSignature"]
    signed = assemble(grant, signature)
    assert to_hex(signed.blob) == expected["blob"]
    assert to_hex(signed.deferred_action_data) == expected["deferredActionData"]
    assert signer_of(grant.digest, signature) == VECTORS["meta"]["keys"][0]["address"]


@pytest.mark.parametrize("vector", VECTORS["grants"], ids=lambda v: v["name"])
def test_uninstall_calldata(vector: dict[str, Any]) -> None:
    assert to_hex(uninstall_call(draft_of(vector["input"]))) == vector["expected"]["uninstallValidationCalldata"]


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("vector", VECTORS["rejections"], ids=lambda v: v["name"])
def test_what_the_sdk_refuses_is_refused_with_its_name(vector: dict[str, Any], policy: Policy) -> None:
    with pytest.raises(Refused) as refusal:
        judge(draft_of(vector["input"]), now=NOW, policy=policy)
    assert refusal.value.code == vector["error"]


FINDING_ONLY = {"QUIRK functions-on-all with transferFrom", "QUIRK deadline 0 means none"}


@pytest.mark.parametrize("vector", VECTORS["acceptedQuirks"], ids=lambda v: v["name"])
def test_quirks_pass_as_the_sdk_and_eight_of_ten_are_refused_otherwise(vector: dict[str, Any]) -> None:
    judge(draft_of(vector["input"]), now=NOW, policy=Policy.COMPAT)
    draft = draft_from_json(draft_json(vector["input"]))
    if vector["name"] in FINDING_ONLY:
        judge(draft, now=NOW, policy=Policy.EXPERT)
        return
    for policy in (Policy.STRICT, Policy.EXPERT):
        with pytest.raises(Refused) as refusal:
            judge(draft, now=NOW, policy=policy)
        assert refusal.value.code != "ExpertRequiredError"


@pytest.mark.parametrize("vector", VECTORS["addressVectors"], ids=lambda v: f"{v['owner'][:8]}-{v['salt']}")
def test_predicted_addresses(vector: dict[str, Any]) -> None:
    owner, salt = Address.parse(vector["owner"]), int(vector["salt"])
    semi = predict(1, owner, salt, Mode.SMA)
    assert semi.address == vector["sma"]
    assert to_hex(semi.init_code[20:]) == vector["factoryCalldataSMA"]
    assert predict(1, owner, salt, Mode.MA).address == vector["maEntity0"]
    assert predict(1, owner, salt, Mode.EIP7702).address == owner


@pytest.mark.parametrize("vector", VECTORS["nonceKeyVectors"], ids=lambda v: v["key192"])
def test_nonce_keys(vector: dict[str, Any]) -> None:
    key = nonce_key(
        int(vector["nonceKey"]), vector["entityId"], is_global=vector["isGlobalValidation"], is_deferred=vector["isDeferredAction"]
    )
    assert key == int(vector["key192"], 16)


@pytest.mark.parametrize("vector", VECTORS["userOps"], ids=lambda v: v["name"][:40])
def test_user_operation_hash_and_signature(vector: dict[str, Any]) -> None:
    op, packed = vector["userOp"], vector["packed"]
    number = {name: int(op[name], 16) for name in op if name.endswith(("Gas", "Limit")) or name in ("nonce",) or "Fee" in name}
    operation = UserOperation(
        Address.parse(op["sender"]),
        number["nonce"],
        hex_bytes(op["callData"]),
        number["callGasLimit"],
        number["verificationGasLimit"],
        number["preVerificationGas"],
        number["maxFeePerGas"],
        number["maxPriorityFeePerGas"],
        hex_bytes(packed["initCode"]),
        hex_bytes(packed["paymasterAndData"]),
    )
    op_hash = user_op_hash(operation, VECTORS["meta"]["chainId"])
    assert to_hex(op_hash) == vector["userOpHash"]
    field = hex_bytes(op["signature"])
    signatures = [sign(key["privateKey"], signed_message(op_hash)) for key in VECTORS["meta"]["keys"]]
    assert field in [session_signature(s, field[:-67]) for s in signatures]


def test_typed_data_hashes_to_the_digest() -> None:
    from eth_account.messages import encode_typed_data

    from latchkey.core.types import keccak

    grant = build(draft_of(VECTORS["grants"][4]["input"]))
    message = encode_typed_data(full_message=typed_data(grant))
    assert keccak(b"\x19" + message.version + message.header + message.body) == grant.digest
