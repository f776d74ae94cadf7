"""From a judged draft to the exact bytes: installValidation, nonce, deferred action, digest, blob.

Layout as in the protocol notes, sections 4, 6 and 8. `decode` reads these bytes without sharing a line with this file.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from latchkey.accounts.modular_account import abi
from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    NATIVE_TOKEN_LIMIT,
    PAYMASTER_GUARD,
    SINGLE_SIGNER,
    TIME_RANGE,
)
from latchkey.core.draft import Draft
from latchkey.core.grant import Grant
from latchkey.core.permissions import (
    AccountFunctions,
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
from latchkey.core.types import ZERO_ADDRESS, Address, keccak, to_hex

INSTALL_VALIDATION = bytes.fromhex("1bbf564c")  # installValidation(bytes25,bytes4[],bytes,bytes[])
HALF = 2**31 - 1  # added to an entity id to give token limits and gas limits a storage slot of their own
MAX_ENTITY_ID = HALF - 1
EXECUTE, EXECUTE_BATCH = bytes.fromhex("b61d27f6"), bytes.fromhex("34fcd5be")
APPROVE, TRANSFER = bytes.fromhex("095ea7b3"), bytes.fromhex("a9059cbb")

_USER_OP, _GLOBAL = 1, 4  # validation flags
_VALIDATION_HOOK, _EXECUTION_HOOK_PRE = 0x05, 0x04  # hook flags as aa-sdk writes them (validation 1, pre 4)
_TIME_RANGE_HOOK = 0x01
_OPTION_GLOBAL, _OPTION_DEFERRED = 1, 2

_DOMAIN_TYPE = keccak(b"EIP712Domain(uint256 chainId,address verifyingContract)")
_ACTION_TYPE = keccak(b"DeferredAction(uint256 nonce,uint48 deadline,bytes call)")
_OWNER_LOCATOR = bytes(20) + b"\x01"  # uint168: entity 0, global


def build(draft: Draft) -> Grant:
    """Make a draft exact. The draft must have been judged: nothing is checked here beyond the width of the fields."""
    call = install_call(draft)
    nonce = deferred_nonce(draft)
    wrapped = any(isinstance(p, NativeTokenTransfer | Erc20TokenTransfer) for p in draft.permissions)
    encoded = _OWNER_LOCATOR + draft.expiry.to_bytes(6, "big") + call
    return Grant(
        draft=draft,
        call=call,
        nonce=nonce,
        digest=deferred_digest(draft.chain_id, draft.account, nonce, draft.expiry, call),
        needs_execute_user_op=wrapped,
        unsigned=bytes([wrapped]) + nonce.to_bytes(32, "big") + len(encoded).to_bytes(4, "big") + encoded,
    )


def install_call(draft: Draft) -> bytes:
    """installValidation calldata; the hooks' order is fixed and does not follow the permissions' order."""
    entity = draft.entity_id.to_bytes(4, "big")
    flags = _USER_OP | (_GLOBAL if _is_root(draft.permissions) else 0)
    config = SINGLE_SIGNER.raw + entity + bytes([flags])
    tails = [
        abi.selectors(_selectors(draft)),
        abi.dynamic(abi.word(draft.entity_id) + abi.address(draft.session_key)),
        abi.array([abi.dynamic(hook) for hook in hooks(draft)]),
    ]
    return b"".join((INSTALL_VALIDATION, abi.left(config), *abi.tail_offsets(4, tails), *tails))


def nonce_key(parallel_key: int, entity_id: int, *, is_global: bool, is_deferred: bool) -> int:
    """The 192-bit key: parallel key (152 bits) << 40 | entity id << 8 | options."""
    options = (_OPTION_GLOBAL if is_global else 0) | (_OPTION_DEFERRED if is_deferred else 0)
    return parallel_key << 40 | entity_id << 8 | options


def deferred_nonce(draft: Draft) -> int:
    """uint256 nonce of the operation that carries the grant."""
    key = nonce_key(draft.nonce_key, draft.entity_id, is_global=_is_root(draft.permissions), is_deferred=True)
    return key << 64 | draft.sequence


def deferred_digest(chain_id: int, account: Address, nonce: int, deadline: int, call: bytes) -> bytes:
    """EIP-712 digest of DeferredAction; the owner of a semi-modular or 7702 account signs it directly."""
    action = keccak(_ACTION_TYPE + nonce.to_bytes(32, "big") + deadline.to_bytes(32, "big") + keccak(call))
    return keccak(b"\x19\x01" + _domain(chain_id, account) + action)


def typed_data(grant: Grant) -> dict[str, Any]:
    """The EIP-712 object for eth_signTypedData_v4; 256-bit numbers as hex strings, as aa-sdk writes them."""
    return {
        "types": {
            "EIP712Domain": [{"name": "chainId", "type": "uint256"}, {"name": "verifyingContract", "type": "address"}],
            "DeferredAction": [
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint48"},
                {"name": "call", "type": "bytes"},
            ],
        },
        "primaryType": "DeferredAction",
        "domain": {"chainId": grant.draft.chain_id, "verifyingContract": str(grant.draft.account)},
        "message": {"nonce": hex(grant.nonce), "deadline": grant.draft.expiry, "call": to_hex(grant.call)},
    }


@lru_cache(maxsize=256)
def _domain(chain_id: int, account: Address) -> bytes:
    return keccak(_DOMAIN_TYPE + chain_id.to_bytes(32, "big") + bytes(12) + account.raw)


def _is_root(permissions: Iterable[Permission]) -> bool:
    return any(isinstance(p, Root) for p in permissions)


def _selectors(draft: Draft) -> list[bytes]:
    """The validation's own selectors: the caller's, the account functions, then execute and executeBatch for an allowlist."""
    chosen = [s.raw for s in draft.selectors]
    for permission in draft.permissions:
        if isinstance(permission, AccountFunctions):
            chosen += [s.raw for s in permission.functions]
    if any(_allowlist_input(p) for p in draft.permissions):
        chosen += [s for s in (EXECUTE, EXECUTE_BATCH) if s not in chosen]
    return chosen


def hooks(draft: Draft) -> Iterable[bytes]:
    """Serialised hooks in install order: paymaster guard, time range, native, token limits, gas, allowlist."""
    entity, offset = draft.entity_id, draft.entity_id + HALF
    for permission in draft.permissions:
        if isinstance(permission, PaymasterGuard):
            yield _hook(PAYMASTER_GUARD, entity, _VALIDATION_HOOK, abi.word(entity) + abi.address(permission.paymaster))
    if draft.expiry:
        yield _hook(TIME_RANGE, entity, _TIME_RANGE_HOOK, abi.word(entity) + abi.word(draft.expiry) + abi.word(0))
    for permission in draft.permissions:
        if isinstance(permission, NativeTokenTransfer):
            yield _limit_hook(entity, _EXECUTION_HOOK_PRE, permission.allowance)
    token_limits = [_token_limit(p) for p in draft.permissions if isinstance(p, Erc20TokenTransfer)]
    if token_limits:
        yield _hook(ALLOWLIST, offset, _EXECUTION_HOOK_PRE, abi.allowlist(offset, token_limits))
    for permission in draft.permissions:
        if isinstance(permission, GasLimit):
            yield _limit_hook(offset, _VALIDATION_HOOK, permission.limit)
    allowed = [entry for p in draft.permissions if (entry := _allowlist_input(p))]
    if allowed:
        yield _hook(ALLOWLIST, entity, _VALIDATION_HOOK, abi.allowlist(entity, allowed))


def _hook(module: Address, entity_id: int, flags: int, init_data: bytes) -> bytes:
    return module.raw + entity_id.to_bytes(4, "big") + bytes([flags]) + init_data


def _limit_hook(entity_id: int, flags: int, limit: int) -> bytes:
    return _hook(NATIVE_TOKEN_LIMIT, entity_id, flags, abi.word(entity_id) + abi.word(limit))


def _token_limit(permission: Erc20TokenTransfer) -> abi.AllowlistInput:
    return (permission.address, False, True, permission.allowance, [])


def _allowlist_input(permission: Permission) -> abi.AllowlistInput | None:
    """(target, has selector allowlist, has token limit, limit, selectors), or None for a kind without a target."""
    match permission:
        case Erc20TokenTransfer():
            return (permission.address, True, False, 0, [APPROVE, TRANSFER])
        case ContractAccess():
            return (permission.address, False, False, 0, [])
        case FunctionsOnContract():
            return (permission.address, True, False, 0, [s.raw for s in permission.functions])
        case FunctionsOnAllContracts():
            return (ZERO_ADDRESS, False, False, 0, [s.raw for s in permission.functions])
    return None
