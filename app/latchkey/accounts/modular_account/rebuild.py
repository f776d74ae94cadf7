"""From what was read back to bytes, by the builder: what is signed has to be what the builder makes of its own meaning."""

from __future__ import annotations

from collections.abc import Sequence

from latchkey.accounts.modular_account import ending, userop
from latchkey.accounts.modular_account.addresses import ENTRY_POINT, TIME_RANGE
from latchkey.accounts.modular_account.ending import AccountCall, together
from latchkey.accounts.modular_account.userop import UserOperation
from latchkey.accounts.transaction import PlainTransaction, to_bytes
from latchkey.core.contracts import ALLOWLIST, ALLOWLIST_V200
from latchkey.core.reading import Cancel, Clean, Lower, Operation, Shorten, Step, Transaction, Uninstall
from latchkey.core.types import Address
from latchkey.errors import Refused
from latchkey.language import tr


def operation_bytes(op: Operation) -> bytes:
    """The unsigned operation's bytes. Raises Refused where it does something Latchkey never builds."""
    return userop.to_bytes(packed(op))


def packed(op: Operation) -> UserOperation:
    return UserOperation(
        sender=op.sender,
        nonce=op.nonce,
        call_data=call_data(op.steps, op.sender),
        call_gas_limit=op.call_gas_limit,
        verification_gas_limit=op.verification_gas_limit,
        pre_verification_gas=op.pre_verification_gas,
        max_fee_per_gas=op.max_fee_per_gas,
        max_priority_fee_per_gas=op.max_priority_fee_per_gas,
        init_code=op.init_code,
        paymaster_and_data=op.paymaster_and_data,
    )


def transaction_bytes(t: Transaction, account: Address) -> bytes:
    """The unsigned transaction's bytes. Raises Refused where it does something Latchkey never builds."""
    made = PlainTransaction(t.chain_id, t.nonce, t.to, _data(t, account), t.gas, t.max_fee_per_gas, t.max_priority_fee_per_gas)
    return to_bytes(made)


def _data(t: Transaction, account: Address) -> bytes:
    if t.bundle is not None:
        pairs = zip(map(packed, t.bundle.operations), t.bundle.signatures, strict=True)
        return userop.handle_ops(list(pairs), t.bundle.beneficiary)
    if t.to == account:
        return ending.owner_call(call_data(t.steps, account))
    (call,) = (_call(step, account) for step in t.steps)
    return call.data


def call_data(steps: Sequence[Step], account: Address) -> bytes:
    """What the account receives for these steps."""
    return together(account, [_call(step, account) for step in steps])


def _call(step: Step, account: Address) -> AccountCall:
    match step:
        case Uninstall():
            return AccountCall(account, ending.uninstall(step.module, step.entity_id, step.uninstall_data, step.hook_data))
        case Cancel(key):
            return AccountCall(ENTRY_POINT, ending.cancel_call(key << 64).data)
        case Lower(module, storage_id, None, amount):
            return AccountCall(module, ending.update_limit(storage_id, amount))
        case Lower(module, storage_id, Address() as token, amount):
            return AccountCall(module, ending.update_token_limit(storage_id, token, amount))
        case Shorten(entity_id, until, after):
            return AccountCall(TIME_RANGE, ending.set_time_range(entity_id, until, after))
        case Clean(module, storage_id, entries) if module in (ALLOWLIST, ALLOWLIST_V200):
            inputs = [(e.target, e.has_selectors, e.has_limit, e.limit, [s.raw for s in e.selectors]) for e in entries]
            return AccountCall(module, ending.delete_list(storage_id, inputs))
        case Clean(module, storage_id):
            return AccountCall(module, ending.forget(storage_id))
    raise Refused(tr("Latchkey never builds such a call."), code="OtherCall")
