"""The closed list of what the owner's key signs beside grants: what ends, cancels and tightens, and nothing else.

A step that would give a session more than it has is refused where that can be known without a chain. Setting a limit or an end is
let through with the amount in words: whether it is lower than before, the chain alone knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.deferred import signer_of
from latchkey.accounts.modular_account.rebuild import packed
from latchkey.accounts.modular_account.userop import operation_signature, signed_message, user_op_hash
from latchkey.core.account import Account
from latchkey.core.reading import (
    Bundle,
    Call,
    Cancel,
    Clean,
    Install,
    Lower,
    Operation,
    Shorten,
    Step,
    Transaction,
    Uninstall,
    unknown_in,
)
from latchkey.core.types import Address
from latchkey.errors import Refused
from latchkey.language import tr

MAX_STEPS = 512
MAX_GAS = 100_000_000  # units; more than any block that counts
_HUGE = 2**255
_DIRECT_CALL = 0xFFFFFFFF
_OWNER_OPTIONS = 1  # the nonce of an owner's operation: entity 0, global


def judge_operation(op: Operation, account: Account) -> None:
    """Raises Refused unless it is an operation of the account by its owner, paid by the account, of steps on the list."""
    _known(op)
    if op.sender != account.address:
        raise _refused("OtherAccount", tr("The operation is for another account."), "operation.sender")
    if (op.entity_id, op.options) != (0, _OWNER_OPTIONS):
        raise _refused("NotOwners", tr("The operation is not one of the owner: its nonce belongs to a session."), "operation.nonce")
    if op.paymaster_and_data:
        raise _refused("Paymaster", tr("The operation lets a paymaster pay; Latchkey signs only what the account pays itself."))
    if op.init_code not in (b"", account.init_code):
        raise _refused("OtherInitCode", tr("The operation would deploy something else than this account."), "operation.initCode")
    _gas(op.gas, op.max_fee_per_gas, op.max_priority_fee_per_gas)
    judge_steps(op.steps)


def judge_transaction(t: Transaction, account: Account, sender: Address) -> None:
    """Raises Refused unless it asks the account for steps on the list, in the name of its owner `sender`, or carries such operations
    that the owner signed already. No money is sent along."""
    _known(t)
    if t.chain_id != account.chain_id:
        raise _refused("OtherChain", tr("The transaction is for another network."), "transaction.chainId")
    if t.value:
        raise _refused("SendsMoney", tr("The transaction sends money along."), "transaction.value")
    _gas(t.gas, t.max_fee_per_gas, t.max_priority_fee_per_gas)
    if t.bundle is not None:
        _judge_bundle(t.bundle, account, sender)
        return
    own = t.to == ENTRY_POINT and sender == account.address and len(t.steps) == 1 and isinstance(t.steps[0], Cancel)
    if t.to != account.address and not own:
        raise _refused("OtherReceiver", tr("The transaction goes to somebody else than the account."), "transaction.to")
    judge_steps(t.steps)


def _judge_bundle(bundle: Bundle, account: Account, sender: Address) -> None:
    if not bundle.operations or bundle.beneficiary != sender:
        raise _refused("OtherBeneficiary", tr("What the account pays for gas would go to somebody else than the sender."))
    for op, signature in zip(bundle.operations, bundle.signatures, strict=True):
        judge_operation(op, account)
        if signature != operation_signature(signature[2:]):
            raise _refused("NotSigned", tr("One of the operations is not signed by a key."))
        signer = signer_of(operation_digest(op, account.chain_id), signature[2:])
        if account.owner not in (None, signer):
            raise _refused("NotOwners", tr("One of the operations is not signed by the account's owner."))


def operation_digest(op: Operation, chain_id: int) -> bytes:
    """The 32 bytes that the owner's key signs."""
    return signed_message(user_op_hash(packed(op), chain_id))


def judge_steps(steps: Sequence[Step]) -> None:
    if not 0 < len(steps) <= MAX_STEPS:
        raise _refused("NoSteps", tr("Latchkey signs 1 to {max_steps} steps at once.", max_steps=MAX_STEPS))
    ended: set[int] = set()
    for step in steps:
        _judge_step(step, ended)


def _judge_step(step: Step, ended: set[int]) -> None:
    """`ended`: sessions that this batch has ended so far."""
    match step:
        case Uninstall(0):
            raise _refused("OwnerTakenOut", tr("This would take out the owner's own key (entity 0); Latchkey never signs that."))
        case Uninstall(entity_id) if entity_id == _DIRECT_CALL:
            raise _refused(
                "DirectCall", tr("This would end a contract's direct access, which is no session; Latchkey does not sign that.")
            )
        case Uninstall(entity_id):
            ended.add(entity_id)
        case Lower(entity_id=0) | Shorten(0) | Clean(storage_id=0):
            raise _refused("OwnersLimits", tr("This would change limits of the owner's own key (entity 0)."))
        case Lower(amount=amount) if amount >= _HUGE:
            raise _refused("NoLimit", tr("This would set a limit so large that it is none."))
        case Shorten(_, until, after) if until <= after:
            raise _refused("NoTime", tr("The end must lie after the session's beginning."))
        case Clean(entity_id=entity_id) if entity_id not in ended:
            text = tr("This would clear what holds a session in its limits, without ending the session first.")
            raise _refused("LiftsLimits", text)
        case Install():
            raise _refused("Grant", tr("This lets a key in. Grants are signed as grants, after their own review."))
        case Call():
            raise _refused(
                "OtherCall", tr("This does something else than ending, cancelling or tightening; Latchkey does not sign that.")
            )


def _known(reading: Operation | Transaction) -> None:
    if unknown := unknown_in(reading):
        text = tr("These bytes hold something Latchkey does not know: {where}. {why}", where=unknown[0].where, why=unknown[0].why)
        raise _refused("UnknownBytes", text, unknown[0].where)


def _gas(gas: int, fee: int, priority_fee: int) -> None:
    if gas > MAX_GAS:
        raise _refused(
            "TooMuchGas", tr("It declares {gas} units of gas; Latchkey signs at most {max_gas}.", gas=gas, max_gas=MAX_GAS)
        )
    if priority_fee > fee:
        raise _refused("FeesCrossed", tr("Its priority fee is above its highest fee."))


def _refused(code: str, text: str, path: str = "") -> Refused:
    return Refused(text, code=code, path=path)
