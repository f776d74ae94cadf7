"""What tests of endings share: sessions as a reading of the chain would tell them, and the operations that end them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from latchkey.accounts.modular_account import ending
from latchkey.accounts.modular_account.addresses import ALLOWLIST, NATIVE_TOKEN_LIMIT, SINGLE_SIGNER, TIME_RANGE
from latchkey.accounts.modular_account.build import HALF, build, hooks
from latchkey.accounts.modular_account.decode import decode_call
from latchkey.accounts.modular_account.userop import UserOperation
from latchkey.accounts.transaction import PlainTransaction
from latchkey.core.account import Account
from latchkey.core.draft import Draft
from latchkey.core.ending import AccountCall
from latchkey.core.permissions import Erc20TokenTransfer, FunctionsOnContract, GasLimit, NativeTokenTransfer
from latchkey.core.session import Hook, Leftover, Limit, LimitKind, Session
from latchkey.core.types import Address, Selector

GWEI = 10**9


def session_of(draft: Draft, account: Account, **changes: Any) -> Session:
    """The session that a draft becomes, as a reading of the chain tells it."""
    parsed = [Hook(Address.from_bytes(h[:20]), int.from_bytes(h[20:24], "big"), h[24]) for h in hooks(draft)]
    stored: list[Leftover] = []
    limits: list[Limit] = []
    e, h = draft.entity_id, draft.entity_id + HALF
    for permission in draft.permissions:
        match permission:
            case FunctionsOnContract(address, functions):
                stored += [Leftover(ALLOWLIST, e, address), *(Leftover(ALLOWLIST, e, address, f) for f in functions)]
            case Erc20TokenTransfer(address, allowance):
                stored += [Leftover(ALLOWLIST, e, address)]
                stored += [Leftover(ALLOWLIST, e, address, Selector.parse(f)) for f in ("0x095ea7b3", "0xa9059cbb")]
                stored += [Leftover(ALLOWLIST, h, address), Leftover(ALLOWLIST, h, address, amount=allowance)]
                limits.append(Limit(LimitKind.ERC20, allowance, address, allowance))
            case NativeTokenTransfer(allowance):
                limits.append(Limit(LimitKind.NATIVE, allowance))
                stored.append(Leftover(NATIVE_TOKEN_LIMIT, e, amount=allowance))
            case GasLimit(limit):
                limits.append(Limit(LimitKind.GAS, limit))
                stored.append(Leftover(NATIVE_TOKEN_LIMIT, h, amount=limit))
    stored += [Leftover(TIME_RANGE, e, amount=draft.expiry)] if draft.expiry else []
    stored.append(Leftover(SINGLE_SIGNER, e, draft.session_key))
    install: Any = decode_call(build(draft).call)
    made = Session(
        account=account, entity_id=e, module=SINGLE_SIGNER, signer=draft.session_key, flags=1, selectors=(),
        hooks=tuple(x for x in parsed if x.flags & 1), execution_hooks=tuple(x for x in parsed if not x.flags & 1),
        install=install, limits=tuple(limits), stored=tuple(stored),
    )  # fmt: skip
    return replace(made, **changes)


def operation_of(account: Account, *calls: AccountCall, **changes: Any) -> UserOperation:
    """The owner's, not signed. `changes`: fields set otherwise."""
    op = UserOperation(
        sender=account.address,
        nonce=ending.owner_nonce_key(7) << 64 | 3,
        call_data=ending.together(account.address, calls),
        call_gas_limit=300_000,
        verification_gas_limit=200_000,
        pre_verification_gas=60_000,
        max_fee_per_gas=2 * GWEI,
        max_priority_fee_per_gas=GWEI,
    )
    return replace(op, **changes)


def transaction_of(account: Account, *calls: AccountCall, **changes: Any) -> PlainTransaction:
    data = ending.owner_call(ending.together(account.address, calls))
    return replace(PlainTransaction(account.chain_id, 4, account.address, data, 500_000, 2 * GWEI, GWEI), **changes)
