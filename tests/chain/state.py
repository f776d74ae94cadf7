"""What an account and the modules have stored about one session, by the views of the published contracts."""

from __future__ import annotations

from typing import Any

from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    NATIVE_TOKEN_LIMIT,
    PAYMASTER_GUARD,
    SINGLE_SIGNER,
    TIME_RANGE,
)
from latchkey.accounts.modular_account.build import HALF
from latchkey.core.draft import Draft
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, FunctionsOnAllContracts, FunctionsOnContract
from latchkey.core.types import ZERO_ADDRESS, Address, Selector
from tests.chain.abi import selector
from tests.chain.stage import Stage

_TOKEN_FUNCTIONS = tuple(Selector.from_bytes(selector(s)) for s in ("approve(address,uint256)", "transfer(address,uint256)"))
VALIDATION = "((uint8,bytes25[],bytes25[],bytes4[]))"


def validation(
    stage: Stage, account: Address, entity_id: int
) -> tuple[int, tuple[bytes, ...], tuple[bytes, ...], tuple[bytes, ...]]:
    """(flags, validation hooks, execution hooks, selectors), in install order."""
    located = SINGLE_SIGNER.raw + entity_id.to_bytes(4, "big")
    return stage.view(account, VALIDATION, "getValidationData(bytes24)", located)  # type: ignore[no-any-return]


def stored(stage: Stage, draft: Draft) -> dict[str, Any]:
    """Every view that is not empty or zero, for all addresses and selectors that the draft names. {}: nothing is left."""
    entity, offset, account = draft.entity_id, draft.entity_id + HALF, draft.account
    found: dict[str, Any] = {
        "validation": validation(stage, account, entity),
        "signer": stage.view(SINGLE_SIGNER, "(address)", "signers(uint32,address)", entity, account),
        "native": token_limit(stage, account, entity),
        "gas": token_limit(stage, account, offset),
        "range": stage.view(TIME_RANGE, "(uint48,uint48)", "timeRanges(uint32,address)", entity, account),
        "paymaster": stage.view(PAYMASTER_GUARD, "(address)", "paymasters(uint32,address)", entity, account),
    }
    for target, selectors in _targets(draft):
        for entity_id in (entity, offset):
            entry = stage.view(
                ALLOWLIST, "(bool,bool,bool)", "addressAllowlist(uint32,address,address)", entity_id, target, account
            )
            found[f"allowed {target} {entity_id}"] = entry
        found[f"token {target}"] = tokens_left(stage, draft, target)
        for chosen in selectors:
            found[f"function {target} {chosen}"] = stage.view(
                ALLOWLIST,
                "(bool)",
                "selectorAllowlist(uint32,bytes4,address,address)",
                entity,
                chosen.raw,
                target,
                account,
            )
    return {name: value for name, value in found.items() if not _empty(value)}


def token_limit(stage: Stage, account: Address, entity_id: int) -> int:
    """wei left of an ETH limit (entity id) or a gas limit (entity id + HALF)."""
    return int(stage.view(NATIVE_TOKEN_LIMIT, "(uint256)", "limits(uint256,address)", entity_id, account))


def tokens_left(stage: Stage, draft: Draft, token: Address) -> int:
    signature = "erc20SpendLimits(uint32,address,address)"
    return int(stage.view(ALLOWLIST, "(uint256)", signature, draft.entity_id + HALF, token, draft.account))


def _targets(draft: Draft) -> list[tuple[Address, tuple[Selector, ...]]]:
    found: list[tuple[Address, tuple[Selector, ...]]] = []
    for permission in draft.permissions:
        match permission:
            case Erc20TokenTransfer():
                found.append((permission.address, _TOKEN_FUNCTIONS))
            case ContractAccess():
                found.append((permission.address, ()))
            case FunctionsOnContract():
                found.append((permission.address, permission.functions))
            case FunctionsOnAllContracts():
                found.append((ZERO_ADDRESS, permission.functions))
    return found


def _empty(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_empty(v) for v in value)
    return not value or value == ZERO_ADDRESS
