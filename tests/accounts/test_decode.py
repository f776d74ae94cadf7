"""The decoder against the published vectors, against an independent ABI encoder, and against hostile bytes."""

import dataclasses
import json
import time
from typing import Any

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from latchkey.accounts.modular_account import decode_functions as known
from latchkey.accounts.modular_account.decode import (
    MAX_CALL,
    decode_blob,
    decode_call,
    decode_typed_data,
    decode_unsigned,
)
from latchkey.accounts.modular_account.decode_abi import Reader, Work, function, types
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Root,
    permissions_from_json,
)
from latchkey.core.reading import Batch, Call, Deferred, Install, Uninstall, unknown_in
from latchkey.core.types import Address, Selector, keccak
from latchkey.errors import CannotDecode
from tests.conftest import VECTORS
from tests.counts import count

FILE = json.loads((VECTORS / "modular-account-v2.json").read_text())
GRANTS = FILE["grants"]
NAMES = [g["name"] for g in GRANTS]
ACCOUNT = Address.parse(FILE["meta"]["account"])
RICH = next(g for g in GRANTS if g["name"] == "native + erc20 + gas-limit + contract-access + expiry")

E = 5
H = 2147483647 + E
KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
TOKEN = Address.parse("0x1111111111111111111111111111111111111111")
OTHER = Address.parse("0x2222222222222222222222222222222222222222")
SS = "00000000000099DE0BF6fA90dEB851E2A2df7d83"
AL = "00000000003e826473a313e600b5b9b791f5a59a"
AL_OLD = "0000000000002311EEE9A2B887af1F144dbb4F6e"
NT = "00000000000001e541f0D090868FBe24b59Fbe06"
TR = "00000000000082B8e2012be914dFA4f62A0573eA"
PG = "0000000000001aA7A7F7E29abe0be06c72FD42A1"
ENTRY_POINT = Address.parse("0x0000000071727De22E5E9d8BAf0edAc6f37da032")
EXECUTE, BATCH = bytes.fromhex("b61d27f6"), bytes.fromhex("34fcd5be")
APPROVE, TRANSFER = bytes.fromhex("095ea7b3"), bytes.fromhex("a9059cbb")
INPUTS = "(address,bool,bool,uint256,bytes4[])[]"


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def why(reading: Any) -> str:
    return "\n".join(f"{u.where}: {u.why}" for u in unknown_in(reading))


# Builders of our own for calls the SDK would not make


def hook(module: str, entity: int, flags: int, form: list[str], values: list[Any]) -> bytes:
    return bytes.fromhex(module) + entity.to_bytes(4, "big") + bytes([flags]) + encode(form, values)


def allowlist(entries: list[Any], entity: int = E, module: str = AL, flags: int = 5) -> bytes:
    return hook(module, entity, flags, ["uint32", INPUTS], [entity, entries])


def token_limit(entries: list[Any], entity: int = H, flags: int = 4) -> bytes:
    return hook(AL, entity, flags, ["uint32", INPUTS], [entity, entries])


def install(
    hooks: list[bytes] | None = None,
    selectors: list[bytes] | None = None,
    *,
    flags: int = 1,
    module: str = SS,
    entity: int = E,
    install_data: bytes | None = None,
) -> bytes:
    config = bytes.fromhex(module) + entity.to_bytes(4, "big") + bytes([flags])
    data = encode(["uint32", "address"], [entity, KEY]) if install_data is None else install_data
    listed = [EXECUTE, BATCH] if selectors is None else selectors
    return bytes.fromhex("1bbf564c") + encode(["bytes25", "bytes4[]", "bytes", "bytes[]"], [config, listed, data, hooks or []])


def execute(target: str, value: int, data: bytes) -> bytes:
    return EXECUTE + encode(["address", "uint256", "bytes"], [target, value, data])


def batch(calls: list[tuple[str, int, bytes]]) -> bytes:
    return BATCH + encode(["(address,uint256,bytes)[]"], [calls])


def read(data: bytes) -> Install:
    reading = decode_call(data)
    assert isinstance(reading, Install)
    return reading


ANY = (TOKEN, False, False, 0, [])  # an allowlist entry: any function of one contract


# The published vectors


def canonical(listed: list[Any]) -> tuple[Any, ...]:
    """The order `Install.permissions` promises, from the order in which they were asked for."""
    permissions = permissions_from_json(listed)
    selectors = tuple(s for p in permissions if isinstance(p, AccountFunctions) for s in p.functions)
    listed_kinds = (Erc20TokenTransfer, ContractAccess, FunctionsOnContract, FunctionsOnAllContracts)
    return (
        *(p for p in permissions if isinstance(p, Root)),
        *((AccountFunctions(selectors),) if selectors else ()),
        *(p for p in permissions if isinstance(p, NativeTokenTransfer)),
        *(p for p in permissions if isinstance(p, GasLimit)),
        *(p for p in permissions if isinstance(p, listed_kinds)),
    )


def check_install(reading: Any, grant: dict[str, Any]) -> None:
    given_, expected = grant["input"], grant["expected"]
    assert isinstance(reading, Install)
    assert reading.permissions == canonical(given_["permissions"])
    assert (reading.entity_id, reading.expiry, reading.valid_after) == (given_["entityId"], given_["deadline"], 0)
    assert reading.session_key == Address.parse(given_["sessionKey"])
    assert reading.module == Address.parse("0x" + SS)
    assert reading.is_user_op
    assert not reading.signs_messages
    assert reading.is_global == expected["isGlobal"]
    assert reading.has_execution_hooks == expected["hasAssociatedExecHooks"]
    assert reading.unknown == ()


@pytest.mark.parametrize("grant", GRANTS, ids=NAMES)
def test_grant_call(grant: dict[str, Any]) -> None:
    check_install(decode_call(raw(grant["expected"]["installValidationCalldata"])), grant)


@pytest.mark.parametrize("grant", GRANTS, ids=NAMES)
def test_grant_unsigned_and_blob(grant: dict[str, Any]) -> None:
    given_, expected = grant["input"], grant["expected"]
    unsigned = decode_unsigned(raw(expected["preSignaturePayload"]))
    signed = decode_blob(raw(expected["blob"]))
    check_install(unsigned.action, grant)
    assert unsigned.unknown == ()
    assert unsigned.call == raw(expected["installValidationCalldata"])
    assert unsigned.nonce == int(given_["nonce"], 16)
    assert (unsigned.nonce_key, unsigned.entity_id, unsigned.sequence) == (
        int(given_["nonceKey"]),
        given_["entityId"],
        int(given_["nonceSequence"]),
    )
    assert unsigned.options == (3 if expected["isGlobal"] else 2)
    assert unsigned.deadline == given_["deadline"]
    assert unsigned.signer_entity_id == 0
    assert unsigned.needs_execute_user_op == expected["hasAssociatedExecHooks"]
    assert (unsigned.account, unsigned.chain_id, unsigned.signature) == (None, None, None)
    assert signed == dataclasses.replace(unsigned, signature=raw(expected["deferredSignatureField"]))


@pytest.mark.parametrize("grant", GRANTS, ids=NAMES)
def test_grant_uninstall(grant: dict[str, Any]) -> None:
    reading = decode_call(raw(grant["expected"]["uninstallValidationCalldata"]))
    assert isinstance(reading, Uninstall)
    assert (reading.entity_id, reading.module) == (grant["input"]["entityId"], Address.parse("0x" + SS))
    assert reading.uninstall_data == grant["input"]["entityId"].to_bytes(32, "big")
    assert len(reading.hook_data) == len(grant["expected"]["hooks"])
    assert reading.unknown == ()


def test_uninstall_vector() -> None:
    reading = decode_call(raw(FILE["uninstallVector"]["calldata"]))
    assert isinstance(reading, Uninstall)
    assert (reading.entity_id, len(reading.hook_data), reading.unknown) == (1, 3, ())


def test_user_operations() -> None:
    contracts = FILE["userOpSetup"]["contracts"]
    for op in (o["userOp"] for o in FILE["userOps"]):
        call = raw(op["callData"])
        reading = decode_call(call, account=ACCOUNT)
        inner = reading
        if call[:4] == bytes.fromhex("8dd7712f"):
            assert isinstance(reading, Call)
            assert (reading.target, reading.data) == (ACCOUNT, call)
            inner = reading.inner
        calls = inner.calls if isinstance(inner, Batch) else (inner,)
        for one in calls:
            if isinstance(one, Uninstall):
                assert one.unknown == ()
                continue
            assert isinstance(one, Call)
            if one.target == Address.parse(contracts["usdc"]):
                assert one.signature == "transfer(address,uint256)"
                assert [name for name, _ in one.arguments] == ["to", "amount"]
                assert one.unknown == ()
            else:
                assert one.signature is None
                assert [u.data for u in one.unknown] == [one.data]


def test_first_operation_carries_its_grant() -> None:
    op = FILE["userOps"][0]["userOp"]
    signature = raw(op["signature"])
    end = 4 + int.from_bytes(signature[:4], "big")
    end += 4 + int.from_bytes(signature[end : end + 4], "big")
    assert signature[end : end + 2] == b"\xff\x00"
    reading = decode_blob(b"\x01" + int(op["nonce"], 16).to_bytes(32, "big") + signature[:end])
    assert reading.unknown == ()
    assert isinstance(reading.action, Install)
    contracts = FILE["userOpSetup"]["contracts"]
    assert reading.action.permissions == (
        Erc20TokenTransfer(Address.parse(contracts["usdc"]), 100),
        ContractAccess(Address.parse(contracts["target"])),
    )
    assert reading.deadline == reading.action.expiry == 1893456000


def test_cursor_reads_what_the_chain_returned() -> None:
    readback = FILE["readback"]
    form = types("(uint8 validationFlags,bytes25[] validationHooks,bytes25[] executionHooks,bytes4[] selectors) data")
    data, notes = raw(readback["returnData"]), []
    ((flags, validation, execution, selectors),) = Reader(data, Work(len(data)), notes).values(form)
    decoded = readback["decoded"]
    assert flags == decoded["validationFlags"]
    assert [["0x" + h.hex() for h in part] for part in (validation, execution, selectors)] == [
        [h.lower() for h in decoded[name]] for name in ("validationHooks", "executionHooks", "selectors")
    ]
    assert notes == []


@pytest.mark.parametrize(
    ("table", "name"),
    [(known.ACCOUNT_FUNCTIONS, "account"), (known.TOKEN_FUNCTIONS, "token")]
    + [(table, contract.hex()) for contract, table in known.KNOWN_CONTRACTS.items()],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_selectors(table: dict[bytes, str], name: str) -> None:
    for selector, declaration in table.items():
        assert keccak(function(declaration).signature.encode())[:4] == selector, declaration


# Typed data


def typed_data(grant: dict[str, Any]) -> dict[str, Any]:
    given_ = grant["input"]
    return {
        "types": {
            "EIP712Domain": [{"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
            "DeferredAction": [
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint48"},
                {"name": "call", "type": "bytes"},
            ],
        },
        "domain": {"chainId": given_["chainId"], "verifyingContract": given_["account"]},
        "primaryType": "DeferredAction",
        "message": {
            "nonce": given_["nonce"],
            "deadline": given_["deadline"],
            "call": grant["expected"]["installValidationCalldata"],
        },
    }


@pytest.mark.parametrize("grant", GRANTS, ids=NAMES)
def test_typed_data(grant: dict[str, Any]) -> None:
    reading = decode_typed_data(typed_data(grant))
    unsigned = decode_unsigned(raw(grant["expected"]["preSignaturePayload"]))
    expected = dataclasses.replace(unsigned, account=ACCOUNT, chain_id=31337, signer_entity_id=None, needs_execute_user_op=None)
    assert reading == expected


@pytest.mark.parametrize("write", [int, str, hex])
def test_typed_data_numbers(write: Any) -> None:
    value = typed_data(RICH)
    value["domain"]["chainId"] = write(31337)
    value["message"]["nonce"] = write(int(RICH["input"]["nonce"], 16))
    value["message"]["deadline"] = write(RICH["input"]["deadline"])
    del value["types"]["EIP712Domain"]
    assert decode_typed_data(value) == decode_typed_data(typed_data(RICH))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("domain", "name"), "x"),
        (("domain", "version"), "1"),
        (("domain", "salt"), "0x" + "00" * 32),
        (("domain", "verifyingContract"), "0x65b5DE0251f553B2208762a4724303E750294D9"),
        (("domain", "chainId"), True),
        (("domain", "chainId"), -1),
        (("domain", "chainId"), 2**63),
        (("domain", "chainId"), 1.0),
        (("domain", "chainId"), "٣"),
        (("domain", "chainId"), "1_0"),
        (("message", "nonce"), 2**256),
        (("message", "nonce"), None),
        (("message", "deadline"), 2**48),
        (("message", "call"), "0x1"),
        (("message", "call"), b"\x00"),
        (("message", "call"), "0x" + "00" * (MAX_CALL + 1)),
        (("message", "call"), "0x"),
        (("message", "more"), 1),
        (("primaryType",), "EIP712Domain"),
        (("types", "Other"), []),
        (("types", "DeferredAction"), []),
        (("types", "EIP712Domain"), [{"name": "chainId", "type": "uint256"}]),
        (("types",), None),
        (("domain",), []),
        (("message",), "x"),
        (("extra",), 1),
    ],
)
def test_typed_data_is_read_whole_or_not_at_all(path: tuple[str, ...], value: Any) -> None:
    data = typed_data(RICH)
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(CannotDecode):
        decode_typed_data(data)


def test_typed_data_of_another_shape() -> None:
    for value in (None, [], "x", {}, {"types": {}, "domain": {}, "primaryType": "", "message": {}}, {1: 2}):
        with pytest.raises(CannotDecode):
            decode_typed_data(value)


def test_error_names_the_place() -> None:
    call = bytearray(raw(RICH["expected"]["installValidationCalldata"]))
    call[4 + 25] = 1
    data = typed_data(RICH)
    data["message"]["call"] = "0x" + call.hex()
    with pytest.raises(CannotDecode, match="behind this value") as error:
        decode_typed_data(data)
    assert error.value.path == "call.validationConfig"


# Irregular installs: known, but a person must be told


def test_regular_forms_have_nothing_unknown() -> None:
    hooks = [
        hook(PG, E, 1, ["uint32", "address"], [E, OTHER]),
        hook(TR, E, 1, ["uint32", "uint48", "uint48"], [E, 2000, 1000]),
        hook(NT, E, 4, ["uint32", "uint256"], [E, 1]),
        token_limit([(TOKEN, False, True, 7, [])]),
        hook(NT, H, 5, ["uint32", "uint256"], [H, 2]),
        allowlist([(TOKEN, True, False, 0, [APPROVE, TRANSFER]), (OTHER, True, False, 0, [b"\1\2\3\4"])]),
    ]
    reading = read(install(hooks, [b"\5\6\7\x08", EXECUTE, BATCH]))
    assert reading == Install(
        entity_id=E,
        module=Address.parse("0x" + SS),
        session_key=KEY,
        is_user_op=True,
        signs_messages=False,
        is_global=False,
        permissions=(
            PaymasterGuard(OTHER),
            AccountFunctions((Selector.parse("0x05060708"),)),
            NativeTokenTransfer(1),
            GasLimit(2),
            Erc20TokenTransfer(TOKEN, 7),
            FunctionsOnContract(OTHER, (Selector.parse("0x01020304"),)),
        ),
        expiry=2000,
        valid_after=1000,
        has_execution_hooks=True,
    )


NATIVE = ["uint32", "uint256"]
IRREGULAR: list[tuple[str, bytes, str]] = [
    ("old gas limit", install([hook(NT, E, 5, NATIVE, [E, 9]), allowlist([ANY])]), "shares its counter with the ETH limit"),
    ("gas limit elsewhere", install([hook(NT, 77, 5, NATIVE, [77, 9]), allowlist([ANY])]), "unusual entity id, 77"),
    ("old allowlist", install([allowlist([ANY], module=AL_OLD)]), "superseded"),
    ("no allowlist", install([]), "may call any contract"),
    ("no executeBatch", install([allowlist([ANY])], [EXECUTE]), "each stand once"),
    ("execute twice", install([allowlist([ANY])], [EXECUTE, EXECUTE, BATCH]), "each stand once"),
    ("unknown flag", install([allowlist([ANY])], flags=9), "without a known meaning"),
    ("signs messages", install([allowlist([ANY])], flags=3), "ERC-1271"),
    ("no operations", install([allowlist([ANY])], flags=0), "cannot sign operations"),
    ("root and more", install([allowlist([ANY])], flags=5), "may do everything"),
    ("unknown validation", install([allowlist([ANY])], module="33" * 20), "does not know this module"),
    ("unknown validation without data", install([allowlist([ANY])], module="33" * 20, install_data=b""), "does not know this"),
    ("passkey", install([allowlist([ANY])], module="0000000000001D9d34E07D9834274dF9ae575217"), "passkey"),
    ("direct call", install([allowlist([ANY])], entity=0xFFFFFFFF), "call the account directly"),
    ("no key", install([allowlist([ANY])], install_data=b""), "No key is stored"),
    ("other key entity", install([allowlist([ANY])], install_data=encode(["uint32", "address"], [6, KEY])), "another entity id, 6"),
    ("unknown hook", install([bytes.fromhex("33" * 20) + bytes(5), allowlist([ANY])]), "does not know this module"),
    ("time as execution hook", install([hook(TR, E, 4, NATIVE, [E, 9]), allowlist([ANY])]), "this kind of hook"),
    ("hook flags", install([allowlist([ANY], flags=1)]), "the account ignores them"),
    ("hook flag bits", install([allowlist([ANY], flags=0x85)]), "without a known meaning"),
    ("limit never runs", install([hook(NT, E, 0, NATIVE, [E, 9]), allowlist([ANY])]), "never checked"),
    ("limit runs after", install([hook(NT, E, 6, NATIVE, [E, 9]), allowlist([ANY])]), "makes every call fail"),
    ("empty hook", install([bytes.fromhex(NT) + E.to_bytes(4, "big") + b"\4", allowlist([ANY])]), "sets nothing"),
    ("limit set elsewhere", install([hook(NT, E, 4, NATIVE, [6, 9]), allowlist([ANY])]), "looked up under another"),
    ("hook twice", install([allowlist([ANY]), allowlist([ANY])]), "stands here twice"),
    (
        "no end",
        install([hook(TR, E, 1, ["uint32", "uint48", "uint48"], [E, 0, 0]), allowlist([ANY])]),
        "time range has no end",
    ),
    (
        "time elsewhere",
        install([hook(TR, 6, 1, ["uint32", "uint48", "uint48"], [6, 9, 0]), allowlist([ANY])]),
        "unusual entity id, 6",
    ),
    ("token limit alone", install([token_limit([(TOKEN, False, True, 7, [])]), allowlist([ANY])]), "limit of 7 for a token"),
    ("token limit off", install([token_limit([(TOKEN, False, False, 7, [])]), allowlist([ANY])]), "limits nothing"),
    ("token limit for all", install([token_limit([("0x" + "00" * 20, False, True, 7, [])]), allowlist([ANY])]), "limits nothing"),
    (
        "token limit with functions",
        install([token_limit([(TOKEN, True, True, 7, [TRANSFER])]), allowlist([(TOKEN, True, False, 0, [APPROVE, TRANSFER])])]),
        "nothing looks at",
    ),
    ("limit in allowlist", install([allowlist([(TOKEN, False, True, 7, [])])]), "never checked"),
    ("functions ignored", install([allowlist([(TOKEN, False, False, 0, [TRANSFER])])]), "every function of this contract"),
    ("mark ignored", install([allowlist([("0x" + "00" * 20, True, False, 0, [TRANSFER])])]), "the chain ignores it"),
    ("empty allowlist", install([allowlist([])]), "no entries"),
]


@pytest.mark.parametrize(("data", "sentence"), [(d, s) for _, d, s in IRREGULAR], ids=[n for n, _, _ in IRREGULAR])
def test_irregular_installs_say_so(data: bytes, sentence: str) -> None:
    assert sentence in why(decode_call(data))


def test_only_what_the_chain_enforces_is_a_permission() -> None:
    never_runs = read(install([hook(NT, E, 0, NATIVE, [E, 9]), allowlist([ANY])]))
    elsewhere = read(install([hook(NT, E, 4, NATIVE, [6, 9]), allowlist([ANY])]))
    old = read(install([allowlist([ANY], module=AL_OLD)]))
    assert never_runs.permissions == elsewhere.permissions == (ContractAccess(TOKEN),)
    assert never_runs.has_execution_hooks
    assert old.permissions == ()
    assert read(install(install_data=encode(["uint32", "address"], [6, KEY]))).session_key is None


def test_token_limits_pair_with_their_entries_in_order() -> None:
    pair = [APPROVE, TRANSFER]
    entries = [(TOKEN, True, False, 0, pair), ANY, (OTHER, True, False, 0, pair), (TOKEN, True, False, 0, pair)]
    limits = [(TOKEN, False, True, 1, []), (OTHER, False, True, 2, [])]
    reading = read(install([token_limit(limits), allowlist(entries)]))
    assert reading.unknown == ()
    assert reading.permissions == (
        Erc20TokenTransfer(TOKEN, 1),
        ContractAccess(TOKEN),
        Erc20TokenTransfer(OTHER, 2),
        FunctionsOnContract(TOKEN, (Selector.from_bytes(APPROVE), Selector.from_bytes(TRANSFER))),
    )


def test_token_entry_in_another_order_is_no_pair() -> None:
    entry = (TOKEN, True, False, 0, [TRANSFER, APPROVE])
    reading = read(install([token_limit([(TOKEN, False, True, 7, [])]), allowlist([entry])]))
    assert [p.type for p in reading.permissions] == ["functions-on-contract"]
    assert "limit of 7 for a token" in why(reading)


def test_a_hook_shorter_than_its_head_is_refused() -> None:
    with pytest.raises(CannotDecode) as error:
        decode_call(install([b"\0" * 24]))
    assert error.value.path == "hooks[0]"


# Calls


def selector_of(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


@pytest.mark.parametrize(
    ("target", "signature", "values", "shown"),
    [
        (AL, "updateLimits(uint32,address,bool,uint256)", [H, TOKEN, True, 5], ["2147483652", TOKEN, "true", "5"]),
        (NT, "updateLimits(uint32,uint256)", [E, 5], ["5", "5"]),
        (NT, "updateSpecialPaymaster(address,bool)", [TOKEN, False], [TOKEN, "false"]),
        (TR, "setTimeRange(uint32,uint48,uint48)", [E, 2, 1], ["5", "2", "1"]),
        (SS, "transferSigner(uint32,address)", [E, KEY], ["5", KEY]),
        (AL, "setSelectorAllowlist(uint32,address,bytes4,bool)", [E, TOKEN, APPROVE, True], ["5", TOKEN, "0x095ea7b3", "true"]),
        (
            AL,
            "setAddressAllowlist(uint32,address,bool,bool,bool)",
            [E, TOKEN, True, False, False],
            ["5", TOKEN, "true", "false", "false"],
        ),
        (
            AL,
            f"updateAllowlist(uint32,{INPUTS})",
            [E, [(TOKEN, True, False, 0, [APPROVE])]],
            ["5", f"[({TOKEN}, true, false, 0, [0x095ea7b3])]"],
        ),
        (AL, f"deleteAllowlist(uint32,{INPUTS})", [E, []], ["5", "[]"]),
        (ENTRY_POINT[2:], "incrementNonce(uint192)", [7], ["7"]),
        (ENTRY_POINT[2:], "withdrawTo(address,uint256)", [TOKEN, 1], [TOKEN, "1"]),
        (ENTRY_POINT[2:], "depositTo(address)", [TOKEN], [TOKEN]),
        (TOKEN[2:], "transfer(address,uint256)", [KEY, 1], [KEY, "1"]),
        (TOKEN[2:], "approve(address,uint256)", [KEY, 1], [KEY, "1"]),
        (TOKEN[2:], "transferFrom(address,address,uint256)", [KEY, OTHER, 1], [KEY, OTHER, "1"]),
    ],
)
def test_calls_of_the_account(target: str, signature: str, values: list[Any], shown: list[str]) -> None:
    forms = function_forms(signature)
    data = selector_of(signature) + encode(forms, values)
    address = Address.parse("0x" + target.lower())
    expected = [("execute", decode_call(execute(address, 3, data), account=ACCOUNT))]
    expected.append(("direct", decode_call(data, account=ACCOUNT, target=address, value=3)))
    (batched,) = decode_call(batch([(address, 3, data)]), account=ACCOUNT).calls
    expected.append(("batch", batched))
    for _, call in expected:
        assert isinstance(call, Call)
        assert (call.target, call.value, call.signature, call.data) == (address, 3, signature, data)
        assert [text for _, text in call.arguments] == shown
        assert unknown_in(call) == ()


def function_forms(signature: str) -> list[str]:
    inside = signature[signature.index("(") + 1 : -1]
    forms, depth, start = [], 0, 0
    for i, c in enumerate(inside):
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and not depth:
            forms.append(inside[start:i])
            start = i + 1
    return [*forms, inside[start:]]


def test_own_functions() -> None:
    call = decode_call(selector_of("updateFallbackSignerData(address,bool)") + encode(["address", "bool"], [KEY, False]))
    assert isinstance(call, Call)
    assert (call.target, call.signature) == (None, "updateFallbackSignerData(address,bool)")
    assert call.arguments == (("fallbackSigner", KEY), ("isDisabled", "false"))
    assert call.unknown == ()
    upgrade = decode_call(bytes.fromhex("4f1ef286") + encode(["address", "bytes"], [OTHER, b"\1\2"]), account=ACCOUNT)
    assert isinstance(upgrade, Call)
    assert (upgrade.target, upgrade.arguments) == (ACCOUNT, (("newImplementation", OTHER), ("data", "0x0102")))
    assert [(u.where, u.data) for u in upgrade.unknown] == [("data", b"\1\2")]
    manifest = ([(APPROVE, True, False)], [(TRANSFER, 1, True, False)], [b"\1\2\3\4"])
    form = "((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[])"
    execution = decode_call(bytes.fromhex("001a63e9") + encode(["address", form, "bytes"], [OTHER, manifest, b""]))
    assert isinstance(execution, Call)
    assert dict(execution.arguments)["manifest"] == ("([(0x095ea7b3, true, false)], [(0xa9059cbb, 1, true, false)], [0x01020304])")
    assert execution.unknown == ()


def test_unknown_function_of_the_account() -> None:
    data = b"\1\2\3\4more"
    call = decode_call(data, account=ACCOUNT)
    assert isinstance(call, Call)
    assert (call.signature, [(u.where, u.data) for u in call.unknown]) == (None, [("call", data)])


def test_install_sent_to_a_module_is_no_install() -> None:
    call = decode_call(execute("0x" + AL, 0, CALL))
    assert isinstance(call, Call)
    assert (call.signature, call.inner, [u.data for u in call.unknown]) == (None, None, [CALL])


def test_execute_user_op_stands_outermost_only() -> None:
    prefix = bytes.fromhex("8dd7712f")
    once = decode_call(prefix + execute(OTHER, 0, b""), account=ACCOUNT)
    assert isinstance(once, Call)
    assert (once.target, once.inner) == (ACCOUNT, Call(OTHER, 0, None, (), b""))
    for data in (prefix + prefix + execute(OTHER, 0, b""), batch([(ACCOUNT, 0, prefix + execute(OTHER, 0, b""))]), prefix):
        with pytest.raises(CannotDecode):
            decode_call(data, account=ACCOUNT)


def test_payment_without_data_is_no_riddle() -> None:
    call = decode_call(execute(OTHER, 10, b""), account=ACCOUNT)
    assert call == Call(OTHER, 10, None, (), b"")


def test_token_call_that_cannot_be_read_is_unknown() -> None:
    data = TRANSFER + b"\1" * 40
    call = decode_call(execute(TOKEN, 0, data), account=ACCOUNT)
    assert isinstance(call, Call)
    assert (call.signature, call.unknown[0].data) == (None, data)
    assert "begins like transfer(address,uint256)" in call.unknown[0].why


@pytest.mark.parametrize("account", [None, ACCOUNT])
def test_batch_to_the_account_itself(account: Address | None) -> None:
    inner = raw(RICH["expected"]["uninstallValidationCalldata"])
    nonce = bytes.fromhex("0bd28e3b") + encode(["uint192"], [9])
    reading = decode_call(batch([(ACCOUNT, 0, inner), (ENTRY_POINT, 0, nonce)]), account=account)
    assert isinstance(reading, Batch)
    first, second = reading.calls
    assert isinstance(first.inner, Uninstall)
    assert first.signature == "uninstallValidation(bytes24,bytes,bytes[])"
    assert (second.signature, second.arguments, second.inner) == ("incrementNonce(uint192)", (("key", "9"),), None)
    assert unknown_in(reading) == ()


def test_owners_own_transaction() -> None:
    inner = raw(RICH["expected"]["installValidationCalldata"])
    data = bytes.fromhex("f2680c0f") + encode(["bytes", "bytes"], [inner, bytes.fromhex("0100000000ff")])
    call = decode_call(data, account=ACCOUNT, target=ACCOUNT)
    assert isinstance(call, Call)
    check_install(call.inner, RICH)
    assert (call.arguments, call.unknown) == ((("entityId", "0"), ("options", "1")), ())
    odd = bytes.fromhex("f2680c0f") + encode(["bytes", "bytes"], [inner, bytes.fromhex("0500000000ff")])
    assert "usual authorization" in why(decode_call(odd))


def test_value_on_an_install_is_not_lost() -> None:
    call = decode_call(raw(RICH["expected"]["installValidationCalldata"]), account=ACCOUNT, value=5)
    assert isinstance(call, Call)
    assert (call.target, call.value) == (ACCOUNT, 5)
    check_install(call.inner, RICH)


def test_uninstall_of_something_else_says_so() -> None:
    def uninstall(module: str, own: bytes, hooks: list[bytes]) -> str:
        config = bytes.fromhex(module) + E.to_bytes(4, "big")
        return why(decode_call(bytes.fromhex("b6b1ccfe") + encode(["bytes24", "bytes", "bytes[]"], [config, own, hooks])))

    own, other = encode(["uint32"], [E]), encode(["uint32"], [6])
    deleted = encode(["uint32", INPUTS], [H, [ANY]])
    assert uninstall(SS, own, [own, deleted]) == ""
    assert uninstall(SS, b"", []) == ""
    assert "entity id 6" in uninstall(SS, other, [])
    assert "hookUninstallData[1]: These bytes clear what belongs to entity id 6" in uninstall(SS, own, [own, other])
    assert "hookUninstallData[0]: These bytes cannot be read" in uninstall(SS, own, [b"\1" * 40])
    assert "does not know this module" in uninstall("33" * 20, own, [])


# Caps


def nest(levels: int) -> bytes:
    data = batch([(ACCOUNT, 0, b"")])
    for _ in range(levels - 1):
        data = batch([(ACCOUNT, 0, data)])
    return data


def test_nesting() -> None:
    decode_call(nest(4), account=ACCOUNT)
    with pytest.raises(CannotDecode, match="nested too deeply"):
        decode_call(nest(5), account=ACCOUNT)


def test_size() -> None:
    with pytest.raises(CannotDecode, match="64 KiB"):
        decode_call(bytes(MAX_CALL + 1))
    with pytest.raises(CannotDecode, match="too long"):
        decode_unsigned(bytes(2 * MAX_CALL))
    with pytest.raises(CannotDecode, match="more than 512"):
        decode_call(install([], [bytes(4)] * 513))
    assert isinstance(decode_call(install([], [bytes(4)] * 512)), Install)


def test_frame() -> None:
    unsigned, blob = (raw(RICH["expected"][name]) for name in ("preSignaturePayload", "blob"))
    nonce = unsigned[:33]
    for data, path in (
        (nonce + (26).to_bytes(4, "big") + bytes(26), "encodedData"),
        (nonce + (27).to_bytes(4, "big") + bytes(27), "call"),
    ):
        with pytest.raises(CannotDecode) as error:
            decode_unsigned(data)
        assert error.value.path == path
    with pytest.raises(CannotDecode, match="another kind of input"):
        decode_unsigned(blob)
    with pytest.raises(CannotDecode, match="length of the signature"):
        decode_blob(unsigned)
    with pytest.raises(CannotDecode, match="length of the signature"):
        decode_blob(blob + b"\0")


@pytest.mark.parametrize(
    ("signature", "good"),
    [
        (b"\0" + bytes(64) + b"\x1b", True),
        (b"\0" + bytes(64) + b"\x1c", True),
        (b"\0" + bytes(64) + b"\x01", False),
        (b"\0" + bytes(63) + b"\x1b", False),
        (b"\1", True),
        (b"\1" + bytes(200), True),
        (b"\2" + bytes(65), False),
        (b"\xff\0" + bytes(64) + b"\x1b", False),
        (b"", False),
    ],
)
def test_owner_signature_types(signature: bytes, good: bool) -> None:
    data = raw(RICH["expected"]["preSignaturePayload"]) + len(signature).to_bytes(4, "big") + signature
    if good:
        assert decode_blob(data).signature == signature
    else:
        with pytest.raises(CannotDecode) as error:
            decode_blob(data)
        assert error.value.path == "signature"


@pytest.mark.parametrize(
    ("position", "value", "sentence"),
    [
        (0, 0, "wrapped in executeUserOp"),
        (0, 2, "is 0 or 1"),
        (24, 3, "another scope"),
        (24, 0, "carries no grant"),
        (24, 6, "does not use"),
        (23, 9, "nonce is for entity id"),
        (37, 1, "should be zero"),
        (57, 0, "global option"),
        (57, 5, "global option"),
    ],
)
def test_irregular_frames_say_so(position: int, value: int, sentence: str) -> None:
    data = bytearray(raw(RICH["expected"]["preSignaturePayload"]))
    data[position] = value
    assert sentence in why(decode_unsigned(bytes(data)))


def shared_batch(entries: int, data: bytes) -> bytes:
    """A batch of calls to the account itself, all of which point at the same bytes."""
    words = [32, entries, *[entries * 32] * entries, int(ACCOUNT, 16), 0, 96, len(data)]
    return BATCH + b"".join(w.to_bytes(32, "big") for w in words) + data.ljust((len(data) + 31) // 32 * 32, b"\0")


def test_overlapping_parts_end_soon() -> None:
    """A short input that would be read many million times over."""
    wide = shared_batch(500, install([], [bytes(4)] * 500))
    deep = nest(1)
    for _ in range(3):
        deep = shared_batch(400, deep)
    for data in (wide, deep):
        assert len(data) <= MAX_CALL
        start = time.process_time()
        with pytest.raises(CannotDecode, match="overlap so often"):
            decode_call(data, account=ACCOUNT)
        assert time.process_time() - start < 5


def test_a_little_overlap_is_read_and_named() -> None:
    words = [64, 128, 128, 9, 1, 5 << 248, 7]  # a begins at 64 and is 128 bytes long; b is one byte long, inside a
    data = b"".join(w.to_bytes(32, "big") for w in words)
    notes: list[Any] = []
    assert Reader(data, Work(len(data)), notes).values(types("bytes a,bytes b")) == [data[96:], b"\5"]
    assert [(u.where, u.data) for u in notes] == [("b", data[32:64])]


def test_long_input_is_read_quickly() -> None:
    start = time.process_time()
    for data in (execute(TOKEN, 0, bytes(60_000)), batch([(TOKEN, 1, TRANSFER + bytes(64))] * 240)):
        decode_call(data, account=ACCOUNT)
    assert time.process_time() - start < 5


# Irregular encodings: read as the chain reads them, every deviation named

CALL = raw(RICH["expected"]["installValidationCalldata"])


def test_bytes_behind_the_end() -> None:
    reading = read(CALL + b"\1\2\3")
    assert reading.permissions == read(CALL).permissions
    assert [(u.where, u.data) for u in reading.unknown] == [(f"call[{len(CALL)}:{len(CALL) + 3}]", b"\1\2\3")]


def test_dirty_padding() -> None:
    data = bytearray(execute(OTHER, 0, b"\1\2\3\4\5"))
    data[-1] = 9
    assert "nobody reads" in why(decode_call(bytes(data)))


def test_missing_padding() -> None:
    assert "are missing" in why(decode_call(execute(OTHER, 0, TRANSFER + bytes(64) + b"\5")[:-1]))


def test_moved_part_and_gap() -> None:
    """The offset points 32 bytes further than an encoder would, over a word nobody reads."""
    data = execute(OTHER, 0, b"")
    moved = data[:68] + (128).to_bytes(32, "big") + b"\7" * 32 + data[100:]
    reading = decode_call(moved)
    assert isinstance(reading, Call)
    assert (reading.target, reading.data) == (OTHER, b"")
    assert [(u.where, u.data) for u in reading.unknown] == [
        ("data", (128).to_bytes(32, "big")),
        ("call[100:132]", b"\7" * 32),
    ]


@pytest.mark.parametrize(
    ("data", "position"),
    [
        (execute(OTHER, 0, b""), 4),  # in front of an address
        (selector_of("updateFallbackSignerData(address,bool)") + encode(["address", "bool"], [KEY, True]), 4 + 32 + 30),
        (CALL, 4 + 25),  # behind bytes25
        (install([allowlist([ANY])]), 4 + 5 * 32 + 4),  # behind bytes4
        (install([hook(TR, E, 1, ["uint32", "uint48", "uint48"], [E, 9, 0])], []), -64),  # in front of a uint48
    ],
)
def test_dirt_the_chain_refuses(data: bytes, position: int) -> None:
    decode_call(data)
    changed = bytearray(data)
    changed[position] ^= 0x80
    with pytest.raises(CannotDecode):
        decode_call(bytes(changed))


INPUT_FORMS = ["uint32", INPUTS]


@given(st.data())
def test_nothing_unknown_means_the_one_canonical_encoding(data: st.DataObject) -> None:
    """Whatever is done to an encoding: if the cursor names nothing, encoding its values again gives the same bytes."""
    address = st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex())
    entry = st.tuples(
        address, st.booleans(), st.booleans(), st.integers(0, 2**256 - 1), st.lists(st.binary(min_size=4, max_size=4), max_size=3)
    )
    values = [data.draw(st.integers(0, 2**32 - 1)), data.draw(st.lists(entry, max_size=3))]
    changed = mutate(data, encode(INPUT_FORMS, values))
    notes: list[Any] = []
    try:
        found = Reader(changed, Work(len(changed)), notes).values(types(f"uint32 entityId,{known.ALLOWLIST_INPUTS}"))
    except CannotDecode:
        return
    if not notes:
        assert encode(INPUT_FORMS, found) == changed


def mutate(data: st.DataObject, start: bytes) -> bytes:
    """Change bytes, words, cut or add: what a careless or hostile encoder might do."""
    changed = bytearray(start)
    for _ in range(data.draw(st.integers(0, 4))):
        kind = data.draw(st.sampled_from(["byte", "word", "cut", "insert", "append"]))
        at = data.draw(st.integers(0, max(len(changed) - 1, 0)))
        if kind == "byte" and changed:
            changed[at] = data.draw(st.integers(0, 255))
        elif kind == "word" and changed:
            at -= at % 32
            small = st.integers(0, len(changed)).map(lambda n: n.to_bytes(32, "big"))
            changed[at : at + 32] = data.draw(st.one_of(small, st.binary(min_size=32, max_size=32)))
        elif kind == "cut":
            del changed[at : at + data.draw(st.integers(0, 64))]
        else:
            place = at if kind == "insert" else len(changed)
            changed[place:place] = data.draw(st.binary(max_size=40))
    return bytes(changed)


# Hostile bytes


def attempt(reader: Any, *arguments: Any, **options: Any) -> Any:
    """The reading, or None where it is refused. Any other exception fails the test."""
    try:
        return reader(*arguments, **options)
    except CannotDecode:
        return None


@given(
    st.one_of(
        st.binary(max_size=600), st.tuples(st.sampled_from(sorted(known.ACCOUNT_FUNCTIONS)), st.binary(max_size=600)).map(b"".join)
    )
)
def test_random_bytes(data: bytes) -> None:
    for reader in (decode_call, decode_unsigned, decode_blob):
        attempt(reader, data)
    attempt(decode_call, data, account=ACCOUNT, target=TOKEN)


@given(st.data())
def test_mutated_vectors(data: st.DataObject) -> None:
    grant = data.draw(st.sampled_from(GRANTS))
    reader, name = data.draw(
        st.sampled_from(
            [
                (decode_call, "installValidationCalldata"),
                (decode_call, "uninstallValidationCalldata"),
                (decode_unsigned, "preSignaturePayload"),
                (decode_blob, "blob"),
            ]
        )
    )
    original = raw(grant["expected"][name])
    changed = mutate(data, original)
    reading = attempt(reader, changed)
    if changed != original and reading is not None:
        assert reading != reader(original) or unknown_in(reading)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(
                st.sampled_from(["types", "domain", "primaryType", "message", "chainId", "nonce", "call"]), inner, max_size=4
            ),
        ),
        max_leaves=12,
    )
)
def test_random_typed_data(value: Any) -> None:
    attempt(decode_typed_data, value)
    data = typed_data(RICH)
    for part in (data, data["domain"], data["message"], data["types"]):
        for name in list(part):
            kept, part[name] = part[name], value
            attempt(decode_typed_data, data)
            part[name] = kept


READERS = [
    (decode_call, "installValidationCalldata"),
    (decode_call, "uninstallValidationCalldata"),
    (decode_unsigned, "preSignaturePayload"),
    (decode_blob, "blob"),
]


@pytest.mark.parametrize(("reader", "name"), READERS, ids=[f"{r.__name__}-{n}" for r, n in READERS])
def test_truncated_vectors(reader: Any, name: str) -> None:
    for grant in [*GRANTS[:: count(11, 1)], RICH]:
        data = raw(grant["expected"][name])
        for size in range(len(data)):
            reading = attempt(reader, data[:size])
            assert reading is None or unknown_in(reading), size


@pytest.mark.parametrize(("reader", "name"), READERS, ids=[f"{r.__name__}-{n}" for r, n in READERS])
def test_no_flipped_byte_goes_unseen(reader: Any, name: str) -> None:
    for grant in [*GRANTS[:: count(44, 1)], RICH]:
        data = raw(grant["expected"][name])
        original = without_bytes(reader(data))
        for position in range(len(data)):
            for mask in (0x01, 0x04, 0x80, 0xFF):
                changed = bytearray(data)
                changed[position] ^= mask
                reading = attempt(reader, bytes(changed))
                if reading is not None:
                    assert without_bytes(reading) != original or unknown_in(reading), (position, mask)


def without_bytes(reading: Any) -> Any:
    """A reading without its copy of the bytes: what is left must differ by itself."""
    return dataclasses.replace(reading, call=b"") if isinstance(reading, Deferred) else reading
