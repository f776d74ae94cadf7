"""The ways an ending can be sent, each with what it may cost, who pays, and, where it cannot be done, why not and what to do.

bundler   a user operation through a bundler; the account pays
owner     the owner's own transaction to the account; the owner pays, the account needs nothing
self      a user operation carried by a handleOps transaction of any key of the vault that has money; the account pays it back
export    for another machine that holds the owner's key; sent from here or from anywhere afterwards
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.userop import STUB_SIGNATURE, UserOperation
from latchkey.accounts.system import system
from latchkey.accounts.transaction import PlainTransaction
from latchkey.chain.bundler import Bundler, Gas
from latchkey.chain.entry_point import deposit_call, nonce_call, number
from latchkey.chain.fees import Fee, Fees, fees
from latchkey.chain.node import RpcError
from latchkey.chain.refusals import lacking, refused
from latchkey.core.account import Account, Mode
from latchkey.core.types import Address, keccak, to_hex
from latchkey.errors import ChainError, Refused
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.chain.node import Node
    from latchkey.core.session import Owner
    from latchkey.flow.ending_plan import Batch, Plan

#: The one lane of nonces for all endings: an operation that comes late can then never undo a later one.
LANE = int.from_bytes(keccak(b"latchkey: ending")[:8], "big")
_CHECK, _CHECK_BYTE, _DEPLOY = 120_000, 8, 700_000  # verification gas: the owner's signature, each byte, making the account before
_AROUND = 70_000  # gas for the EntryPoint's own work on an operation
_TRANSACTION = 21_000
_RUNTIME = 60_000  # executeWithRuntimeValidation around the account's calls
_BYTE = 40  # gas for one byte of calldata, at most (EIP-7623's floor)
_ENDS = ("fallback-signer", "single-signer", "account-key")


class WayKind(StrEnum):
    BUNDLER = "bundler"
    OWNER = "owner"
    SELF = "self"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the chain says that matters for sending. Amounts in wei. `keys`: those of the vault, with their money. `block`: the newest."""

    fees: Fees
    owner: Address | None
    balance: int
    deposit: int
    keys: dict[Address, int]
    operation_nonce: int
    block: int

    @property
    def funds(self) -> int:
        """What the account can pay for operations."""
        return self.balance + self.deposit


@dataclass(frozen=True, slots=True)
class Way:
    """`most`: the most it may cost `payer`, wei, all of it at the dearest fee. `why_not`: a sentence when it is not possible. `note`: what
    else a person should know. `gas`: of each batch's operation; `limits`: of each batch's transaction."""

    kind: WayKind
    possible: bool
    why_not: str = ""
    most: int = 0
    payer: Address | None = None
    note: str = ""
    gas: tuple[Gas, ...] = ()
    limits: tuple[int, ...] = ()


def owner_of(account: Account, owners: Sequence[Owner]) -> Address | None:
    """Who signs for the account now: what the chain says comes before how the account was made."""
    found = [o.address for o in owners if o.entity_id == 0 and o.kind in _ENDS and not o.disabled and o.address]
    if found:
        return found[0]
    return account.address if account.mode is Mode.EIP7702 else account.owner


def facts(node: Node, plan: Plan, keys: Sequence[Address]) -> Facts:
    """One request for the fees and one for the rest. Raises ChainError."""
    return facts_of(node, plan.account, owner_of(plan.account, plan.reading.owners), keys)


def facts_of(node: Node, account: Account, owner: Address | None, keys: Sequence[Address]) -> Facts:
    asked: list[tuple[Any, ...]] = [("eth_blockNumber",), ("eth_getBalance", account.address, "latest")]
    asked += [deposit_call(account.address), nonce_call(account.address, system(account.system).owner_nonce_key(LANE))]
    asked += [("eth_getBalance", key, "latest") for key in keys]
    answers = node.many(asked)
    for answer in answers:
        if isinstance(answer, RpcError):
            raise refused(answer)
    block, balance, *rest = (int(answer, 16) for answer in answers)
    return Facts(
        fees=fees(node, account.chain_id),
        owner=owner,
        balance=balance,
        deposit=number(answers[2]),
        keys=dict(zip(keys, rest[2:], strict=True)),
        operation_nonce=number(answers[3]),
        block=block,
    )


def ways(node: Node, bundler: Node | None, plan: Plan, known: Facts) -> tuple[Way, ...]:
    """In the order in which a person would try them: the possible ones first."""
    by_bundler, by_owner, by_self = _by_bundler(bundler, plan, known), _by_owner(node, plan, known), _by_self(plan, known)
    by_export = _by_export(node, plan, known, carried=by_bundler.possible or by_self.possible)
    return tuple(sorted((by_bundler, by_owner, by_self, by_export), key=lambda way: not way.possible))


# Operations -------------------------------------------------------------------------------------------------------------------------


def operation(plan: Plan, batch: Batch, nonce: int, gas: Gas, fee: Fee) -> UserOperation:
    return UserOperation(
        sender=plan.account.address,
        nonce=nonce,
        call_data=batch.call_data,
        call_gas_limit=gas.call,
        verification_gas_limit=gas.verification,
        pre_verification_gas=gas.pre_verification,
        max_fee_per_gas=fee.max_fee,
        max_priority_fee_per_gas=fee.priority_fee,
        init_code=b"" if plan.deployed else plan.account.init_code,
    )


def own_gas(call: int, data: bytes, *, deploys: bool = False) -> Gas:
    """Without a bundler to ask: generous, for what is not used is not paid."""
    checking = _CHECK + _CHECK_BYTE * len(data) + (_DEPLOY if deploys else 0)
    return Gas(call, checking, _AROUND + 16 * len(data) - 12 * data.count(0))


def carrying_gas(operations: Sequence[UserOperation], size: int) -> int:
    """Of a handleOps transaction with `size` bytes of calldata."""
    inside = sum(op.call_gas_limit + op.verification_gas_limit for op in operations)
    return (inside + _AROUND * len(operations)) * 65 // 64 + _TRANSACTION + _BYTE * size + 50_000


def _by_bundler(bundler: Node | None, plan: Plan, known: Facts) -> Way:
    if bundler is None:
        return Way(WayKind.BUNDLER, False, tr("No bundler is set for this network. Set one in Settings, under Networks."))
    served = Bundler(bundler, plan.account.chain_id)
    try:
        served.check()
        gas = tuple(_estimated(served, plan, batch, known.operation_nonce) for batch in plan.batches)
    except ChainError as error:
        return Way(WayKind.BUNDLER, False, error.text)
    return _paid_by_account(Way(WayKind.BUNDLER, True, gas=gas, note=known.fees.note), plan, known)


def _estimated(bundler: Bundler, plan: Plan, batch: Batch, nonce: int) -> Gas:
    """The bundler's, with a margin; of the call the larger of its estimate and ours (see Bundler.estimate)."""
    own = own_gas(batch.gas, batch.call_data, deploys=not plan.deployed)
    found = bundler.estimate(operation(plan, batch, nonce, own, Fee(0, 0)), STUB_SIGNATURE)
    return Gas(
        max(batch.gas, found.call * 6 // 5),
        max(_CHECK, found.verification * 6 // 5),
        found.pre_verification * 5 // 4,
    )


def _paid_by_account(way: Way, plan: Plan, known: Facts) -> Way:
    """Through a bundler it is possible where the account can pay at the calmest fee: dearer levels are only used when it is stuck.
    What is signed only once is signed at the dearest."""
    total = sum(gas.total for gas in way.gas)
    most = total * known.fees.most
    needs = total * known.fees.levels[0].max_fee if way.kind is WayKind.BUNDLER else most
    way = replace(way, most=most, payer=plan.account.address)
    if known.funds >= needs:
        return way
    return replace(
        way, possible=False, why_not=lacking(plan.account.chain_id, "account", plan.account.address, known.funds, needs).text
    )


def _by_self(plan: Plan, known: Facts) -> Way:
    gas = tuple(own_gas(batch.gas, batch.call_data, deploys=not plan.deployed) for batch in plan.batches)
    limits = tuple(_carrying(plan, batch, each, known) for batch, each in zip(plan.batches, gas, strict=True))
    way = _paid_by_account(Way(WayKind.SELF, True, gas=gas, limits=limits, note=known.fees.note), plan, known)
    if not way.possible:
        return way
    payer, why_not = carrier_of(known, sum(limits), plan.account.chain_id)
    note = " ".join(filter(None, (tr("The key that sends it is paid back by the account."), known.fees.note)))
    return replace(way, possible=payer is not None, why_not=why_not, payer=payer, note=note)


def _carrying(plan: Plan, batch: Batch, gas: Gas, known: Facts) -> int:
    op = operation(plan, batch, known.operation_nonce, gas, known.fees.levels[-1])
    return carrying_gas([op], len(op.call_data) + len(op.init_code) + 1_000)


def carrier_of(known: Facts, gas: int, chain_id: int) -> tuple[Address | None, str]:
    """The key of the vault with the most money, when that is enough at the calmest fee; else a sentence."""
    if not known.keys:
        return None, tr("The vault holds no key that could send it.")
    richest = max(known.keys, key=lambda key: known.keys[key])
    needs = gas * known.fees.levels[0].max_fee
    if known.keys[richest] < needs:
        return None, lacking(chain_id, "key", richest, known.keys[richest], needs).text
    return richest, ""


# The owner's own transaction --------------------------------------------------------------------------------------------------------


def transaction(chain_id: int, to: Address, data: bytes, nonce: int, gas: int, fee: Fee) -> PlainTransaction:
    return PlainTransaction(chain_id, nonce, to, data, gas, fee.max_fee, fee.priority_fee)


def handle_ops_to(chain_id: int, data: bytes, nonce: int, gas: int, fee: Fee) -> PlainTransaction:
    return transaction(chain_id, ENTRY_POINT, data, nonce, gas, fee)


def _by_owner(node: Node, plan: Plan, known: Facts) -> Way:
    way = Way(WayKind.OWNER, False, payer=known.owner, note=known.fees.note)
    if not plan.deployed:
        return replace(
            way, why_not="The account has no code yet, so its owner cannot call it. Choose an operation that deploys it."
        )
    if known.owner is None:
        return replace(way, why_not="Which key owns this account is not known.")
    if known.owner not in known.keys:
        return replace(way, why_not="The owner's key is not in this vault. Export it for the machine that has it.")
    try:
        limits = tuple(_owner_gas(node, plan, batch, known.owner) for batch in plan.batches)
    except ChainError as error:
        return replace(way, why_not=error.text)
    needs, most = sum(limits) * known.fees.levels[0].max_fee, sum(limits) * known.fees.most
    way = replace(way, possible=True, limits=limits, most=most)
    has = known.keys[known.owner]
    if has >= needs:
        return way
    return replace(way, possible=False, why_not=lacking(plan.account.chain_id, "key", known.owner, has, needs).text)


def _owner_gas(node: Node, plan: Plan, batch: Batch, owner: Address) -> int:
    """The larger of the node's estimate (see ending_plan._gas) and our own; asking for it tries the transaction too."""
    data = system(plan.account.system).owner_call(batch.call_data)
    try:
        found = int(node.call("eth_estimateGas", {"from": owner, "to": plan.account.address, "data": to_hex(data)}), 16)
    except RpcError as error:
        raise refused(error) from None
    except (TypeError, ValueError):
        found = 0
    return max(found * 6 // 5, (batch.gas + _RUNTIME) * 65 // 64 + _TRANSACTION + _BYTE * len(data))


# Export -----------------------------------------------------------------------------------------------------------------------------


def _by_export(node: Node, plan: Plan, known: Facts, *, carried: bool) -> Way:
    """An operation where the account can pay for one and somebody here can carry it, else the owner's transaction, which anybody can send
    once it is signed."""
    way = replace(_by_self(plan, known), kind=WayKind.EXPORT, payer=plan.account.address, note=known.fees.note)
    if known.owner is None:
        return replace(way, possible=False, why_not="Which key owns this account is not known.")
    pays = known.funds >= way.most
    operation = replace(way, possible=True, why_not="", limits=())
    if not plan.deployed or (pays and carried):
        return operation
    try:
        limits = tuple(_owner_gas(node, plan, batch, known.owner) for batch in plan.batches)
        has = _balance(node, known.owner)
    except ChainError as error:
        return operation if pays else replace(way, possible=False, why_not=error.text)
    most = sum(limits) * known.fees.most
    if pays and has < most:
        return operation
    return replace(way, possible=True, why_not="", gas=(), limits=limits, payer=known.owner, most=most)


def _balance(node: Node, address: Address) -> int:
    """Nothing where the answer is no number."""
    try:
        return int(node.call("eth_getBalance", address, "latest"), 16)
    except (TypeError, ValueError):
        return 0


def chosen(found: Sequence[Way], kind: WayKind | None) -> Way:
    """The way named, or the first possible one. Raises Refused with the reason why it is not possible."""
    way = next((w for w in found if (w.kind is kind if kind else w.possible and w.kind is not WayKind.EXPORT)), None)
    if way is None:
        reasons = " ".join(f"{w.kind.capitalize()}: {w.why_not}" for w in found if w.why_not)
        raise Refused(tr("There is no way to send it from here. {reasons}", reasons=reasons), code="NoWay")
    if not way.possible:
        raise Refused(way.why_not, code="NotPossible")
    return way
