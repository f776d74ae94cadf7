"""Everything a scenario needs: accounts, grants made by Latchkey's own code, operations sent through the EntryPoint, outcomes.

No bundler: a plain account calls EntryPoint.handleOps, so what is seen is what the EntryPoint and the account decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from coincurve import PrivateKey

from latchkey.accounts.modular_account.addresses import ENTRY_POINT, SEMI_MODULAR_ACCOUNT_7702, predict
from latchkey.accounts.modular_account.build import nonce_key
from latchkey.accounts.modular_account.userop import (
    UserOperation,
    session_call,
    session_signature,
    signed_message,
    user_op_hash,
)
from latchkey.accounts.review import Review, review
from latchkey.accounts.system import Policy, system
from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.grant import SignedGrant
from latchkey.core.permissions import Permission, Root
from latchkey.core.types import Address, Selector, hex_bytes, keccak, to_hex
from tests.chain import abi
from tests.chain.errors import explain
from tests.devnet.devnet import CHAIN_ID, Devnet
from tests.devnet.places import COIN, COUNTER, DOLLAR, PAYMASTER
from tests.devnet.rpc import Rpc

ETHER = 10**18
GWEI = 10**9
FACE = system("modular_account")
HANDLE_OPS = "handleOps((address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)[],address)"
_USER_OPERATION_EVENT = to_hex(keccak(b"UserOperationEvent(bytes32,address,address,uint256,bool,uint256,uint256)"))
_REVERT_REASON = to_hex(keccak(b"UserOperationRevertReason(bytes32,address,uint256,bytes)"))
_TRANSACTION_GAS = 15_000_000
_OWNER_AUTHORIZATION = bytes.fromhex("0100000000ff")  # global, entity 0, end marker


@dataclass(frozen=True, slots=True)
class Key:
    secret: bytes = field(repr=False)

    @property
    def address(self) -> Address:
        return Address.from_bytes(keccak(PrivateKey(self.secret).public_key.format(compressed=False)[1:])[12:])

    def sign(self, digest: bytes) -> bytes:
        signature = PrivateKey(self.secret).sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])


def _keys(*secrets: str) -> list[Key]:
    return [Key(hex_bytes(s)) for s in secrets]


# Accounts 0 to 5 of anvil's public test mnemonic.
OWNER, SESSION, OTHER_OWNER, OTHER_SESSION, STRANGER, SENDER = _keys(
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
    "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
)
KEYS = {k.address: k for k in (OWNER, SESSION, OTHER_OWNER, OTHER_SESSION, STRANGER, SENDER)}
RECEIVER = Address.parse("0x000000000000000000000000000000000000dEaD")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one operation or transaction, in words.

    "done" · "failed: REASON" (an operation that was paid for but whose call reverted) · "refused: REASON" (not includable) ·
    "reverted: REASON" (a transaction). `gas_cost`: wei the account or paymaster paid for an operation.
    """

    text: str
    transaction: str
    logs: tuple[dict[str, Any], ...] = ()
    gas_cost: int = 0
    gas_used: int = 0

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Gas:
    call: int = 1_000_000
    verification: int = 3_000_000
    pre_verification: int = 60_000
    max_fee: int = 2 * GWEI
    priority_fee: int = 1 * GWEI

    @property
    def promised(self) -> int:
        """wei, as the gas hook counts it: the declared limits at the highest fee."""
        return (self.call + self.verification + self.pre_verification) * self.max_fee


GAS = Gas()


@dataclass
class Stage:
    """One scenario's view of the chain. `outcomes`: everything sent, in order, for the report."""

    net: Devnet
    outcomes: list[Outcome] = field(default_factory=list)
    _used_keys: int = 0

    @property
    def rpc(self) -> Rpc:
        return self.net.rpc

    # --- the chain

    def now(self) -> int:
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def next_block_at(self, timestamp: int) -> None:
        self.rpc("evm_setNextBlockTimestamp", hex(timestamp))

    def balance(self, address: Address) -> int:
        return int(self.rpc("eth_getBalance", address, "latest"), 16)

    def code(self, address: Address) -> bytes:
        return hex_bytes(self.rpc("eth_getCode", address, "latest"))

    def view(self, to: Address, types: str, signature: str, *values: Any) -> Any:
        """One value, or a tuple of several."""
        data = hex_bytes(self.rpc("eth_call", {"to": to, "data": to_hex(abi.call(signature, *values))}, "latest"))
        values = abi.result(types, data)
        return values[0] if len(values) == 1 else values

    def tokens(self, token: Address, holder: Address) -> int:
        return int(self.view(token, "(uint256)", "balanceOf(address)", holder))

    def transact(self, sender: Key, to: Address, data: bytes = b"", value: int = 0) -> Outcome:
        """A plain transaction; all keys here are unlocked in anvil."""
        request = {"from": sender.address, "to": to, "data": to_hex(data), "value": hex(value), "gas": hex(_TRANSACTION_GAS)}
        return self._record(self._mined(self.rpc.transact(request)))

    def _mined(self, receipt: dict[str, Any]) -> Outcome:
        transaction = str(receipt["transactionHash"])
        logs, gas = tuple(receipt["logs"]), int(receipt["gasUsed"], 16)
        if int(receipt["status"], 16):
            return Outcome("done", transaction, logs, gas_used=gas)
        trace = self.rpc("debug_traceTransaction", transaction, {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}})
        return Outcome(f"reverted: {explain(hex_bytes(trace.get('output', '0x')))}", transaction, logs, gas_used=gas)

    def _record(self, outcome: Outcome) -> Outcome:
        self.outcomes.append(outcome)
        return outcome

    # --- accounts

    def account(self, *, owner: Key = OWNER, salt: int = 0, mode: Mode = Mode.SMA, deployed: bool = True) -> Account:
        """An account with 10 ETH, 1,000 dollars and 1,000 coins, deployed by the factory unless it is to be deployed later."""
        account = predict(CHAIN_ID, owner.address, salt, mode)
        if mode is Mode.EIP7702:
            if deployed:
                self.transact_7702(owner, SENDER, owner.address)
        elif deployed and not self.code(account.address):
            self.transact(SENDER, Address.from_bytes(account.init_code[:20]), account.init_code[20:])
        self.rpc("anvil_setBalance", account.address, hex(10 * ETHER))
        self.transact(SENDER, DOLLAR, abi.call("mint(address,uint256)", account.address, 1000 * 10**6))
        self.transact(SENDER, COIN, abi.call("mint(address,uint256)", account.address, 1000 * ETHER))
        self.outcomes.clear()
        return account

    def transact_7702(self, owner: Key, sender: Key, to: Address, data: bytes = b"") -> Outcome:
        """A type-4 transaction that carries the owner's authorization of the 7702 account code."""
        from eth_account import Account as Signer

        nonces = [int(self.rpc("eth_getTransactionCount", k.address, "latest"), 16) for k in (sender, owner)]
        authorization = Signer.sign_authorization(
            {"chainId": CHAIN_ID, "address": str(SEMI_MODULAR_ACCOUNT_7702), "nonce": nonces[1]}, owner.secret
        )
        fields = {
            "type": 4,
            "chainId": CHAIN_ID,
            "nonce": nonces[0],
            "to": str(to),
            "value": 0,
            "gas": _TRANSACTION_GAS,
            "maxFeePerGas": 10 * GWEI,
            "maxPriorityFeePerGas": GWEI,
            "data": to_hex(data),
            "authorizationList": [authorization],
        }
        signed = Signer.sign_transaction(fields, sender.secret)
        return self._record(
            self._mined(self.rpc.receipt(self.rpc("eth_sendRawTransaction", to_hex(bytes(signed.raw_transaction)))))
        )

    # --- grants

    def draft(
        self,
        account: Account,
        *permissions: Permission,
        entity_id: int = 1,
        expiry: int = 0,
        nonce_key_: int | None = None,
        sequence: int = 0,
        session: Address = SESSION.address,
        selectors: Sequence[str] = (),
    ) -> Draft:
        """`nonce_key_`: by default one that no grant of this scenario had before."""
        if nonce_key_ is None:
            self._used_keys += 1
            nonce_key_ = int.from_bytes(keccak(self._used_keys.to_bytes(4, "big"))[:12], "big")
        return Draft(
            system=account.system,
            chain_id=account.chain_id,
            account=account.address,
            entity_id=entity_id,
            nonce_key=nonce_key_,
            sequence=sequence,
            expiry=expiry,
            session_key=session,
            permissions=permissions,
            selectors=tuple(Selector.parse(s) for s in selectors),
        )

    def review(self, draft: Draft, account: Account, *, policy: Policy = Policy.EXPERT) -> Review:
        """What the owner would read and Latchkey would check before signing."""
        return review(FACE.build(draft).unsigned, account, now=self.now(), policy=policy)

    def grant(self, draft: Draft, account: Account, *, owner: Key = OWNER, checked: bool = True) -> SignedGrant:
        """Reviewed as before a signing, then signed. `checked=False`: something Latchkey would refuse, to see what the chain does."""
        grant = self.review(draft, account).grant if checked else FACE.build(draft)
        return FACE.assemble(grant, owner.sign(grant.digest))

    # --- operations

    def nonce(self, account: Address, key: int) -> int:
        """The next full nonce of a 192-bit key."""
        return int(self.view(ENTRY_POINT, "(uint256)", "getNonce(address,uint192)", account, key))

    def operation(self, sender: Address, nonce: int, call_data: bytes, *, gas: Gas = GAS, paymaster: bool = False) -> UserOperation:
        paymaster_data = PAYMASTER.raw + (300_000).to_bytes(16, "big") + (100_000).to_bytes(16, "big")
        return UserOperation(
            sender=sender,
            nonce=nonce,
            call_data=call_data,
            call_gas_limit=gas.call,
            verification_gas_limit=gas.verification,
            pre_verification_gas=gas.pre_verification,
            max_fee_per_gas=gas.max_fee,
            max_priority_fee_per_gas=gas.priority_fee,
            paymaster_and_data=paymaster_data if paymaster else b"",
        )

    def send(self, *signed: tuple[UserOperation, bytes]) -> list[Outcome]:
        """One handleOps with all of them; one outcome each, or a single one when the EntryPoint refused the bundle."""
        outcome = self._mined(self.rpc.transact(self._bundle(signed)))
        return [self._record(o) for o in outcomes_of(outcome, [user_op_hash(op, CHAIN_ID) for op, _ in signed])]

    def send_7702(self, owner: Key, *signed: tuple[UserOperation, bytes]) -> list[Outcome]:
        """The same in the transaction that also carries the owner's authorization."""
        outcome = self.transact_7702(owner, SENDER, ENTRY_POINT, hex_bytes(self._bundle(signed)["data"]))
        self.outcomes.pop()
        return [self._record(o) for o in outcomes_of(outcome, [user_op_hash(op, CHAIN_ID) for op, _ in signed])]

    def _bundle(self, signed: Sequence[tuple[UserOperation, bytes]]) -> dict[str, str]:
        packed = [_packed(op, signature) for op, signature in signed]
        data = to_hex(abi.call(HANDLE_OPS, packed, SENDER.address))
        return {"from": SENDER.address, "to": ENTRY_POINT, "data": data, "gas": hex(_TRANSACTION_GAS)}

    def signed_by(self, key: Key, op: UserOperation, deferred: bytes = b"") -> tuple[UserOperation, bytes]:
        return op, session_signature(key.sign(signed_message(user_op_hash(op, CHAIN_ID))), deferred)

    # --- the owner

    def owner_op(self, account: Account, call_data: bytes, *, owner: Key = OWNER) -> Outcome:
        """An operation validated by entity 0."""
        nonce = self.nonce(account.address, nonce_key(0, 0, is_global=True, is_deferred=False))
        return self.send(self.signed_by(owner, self.operation(account.address, nonce, call_data)))[0]

    def owner_tx(self, account: Account, call: bytes, *, owner: Key = OWNER) -> Outcome:
        """The owner's own transaction: no bundler, gas from the owner's own money."""
        data = abi.call("executeWithRuntimeValidation(bytes,bytes)", call, _OWNER_AUTHORIZATION)
        return self.transact(owner, account.address, data)

    def session(self, signed: SignedGrant, account: Account, *, key: Key | None = None) -> Session:
        return Session(self, signed, account, key or KEYS[signed.grant.draft.session_key])


@dataclass
class Session:
    """A session key at work. The first operation carries the grant unless the owner installed it; later ones run plain."""

    stage: Stage
    signed: SignedGrant
    account: Account
    key: Key
    gas: Gas = GAS
    paymaster: bool = False

    @property
    def draft(self) -> Draft:
        return self.signed.grant.draft

    @property
    def is_root(self) -> bool:
        return any(isinstance(p, Root) for p in self.draft.permissions)

    def first(self, call: bytes, **changes: Any) -> Outcome:
        return self.stage.send(self.first_op(call, **changes))[0]

    def later(self, call: bytes, **changes: Any) -> Outcome:
        return self.stage.send(self.later_op(call, **changes))[0]

    def first_op(
        self, call: bytes, *, wrapped: bool | None = None, deploy: bool = False, **changes: Any
    ) -> tuple[UserOperation, bytes]:
        """`deploy`: the operation also deploys the account. `changes`: fields of the operation set otherwise."""
        op = self._operation(self.signed.grant.nonce, call, wrapped)
        op = replace(op, init_code=self.account.init_code if deploy else b"", **changes)
        return self.stage.signed_by(self.key, op, self.signed.deferred_action_data)

    def later_op(
        self, call: bytes, *, wrapped: bool | None = None, parallel: int = 0, **changes: Any
    ) -> tuple[UserOperation, bytes]:
        key = nonce_key(parallel, self.draft.entity_id, is_global=self.is_root, is_deferred=False)
        nonce = self.stage.nonce(self.account.address, key)
        return self.stage.signed_by(self.key, replace(self._operation(nonce, call, wrapped), **changes))

    def runtime(self, call: bytes, *, sender: Key | None = None) -> Outcome:
        """The key calls the account by itself, without the EntryPoint, paying its own gas."""
        authorization = bytes([int(self.is_root)]) + self.draft.entity_id.to_bytes(4, "big") + b"\xff"
        data = abi.call("executeWithRuntimeValidation(bytes,bytes)", call, authorization)
        return self.stage.transact(sender or self.key, self.account.address, data)

    def _operation(self, nonce: int, call: bytes, wrapped: bool | None) -> UserOperation:
        needs = self.signed.grant.needs_execute_user_op if wrapped is None else wrapped
        data = session_call(call, needs_execute_user_op=needs)
        return self.stage.operation(self.account.address, nonce, data, gas=self.gas, paymaster=self.paymaster)


def _packed(op: UserOperation, signature: bytes) -> tuple[Any, ...]:
    return (
        op.sender,
        op.nonce,
        op.init_code,
        op.call_data,
        op.verification_gas_limit.to_bytes(16, "big") + op.call_gas_limit.to_bytes(16, "big"),
        op.pre_verification_gas,
        op.max_priority_fee_per_gas.to_bytes(16, "big") + op.max_fee_per_gas.to_bytes(16, "big"),
        op.paymaster_and_data,
        signature,
    )


def outcomes_of(bundle: Outcome, hashes: Sequence[bytes]) -> list[Outcome]:
    """Of a handleOps transaction: what became of each operation in it, by its hash."""
    if bundle.text != "done":
        return [replace(bundle, text=_refusal(bundle.text))]
    return [_outcome_of(bundle, to_hex(h)) for h in hashes]


def _refusal(text: str) -> str:
    """`reverted: FailedOpWithRevert(0, AA23 reverted, X())` is told as `refused: AA23 reverted, X()`."""
    for wrapper in ("reverted: FailedOp(", "reverted: FailedOpWithRevert("):
        if text.startswith(wrapper):
            return "refused: " + text[len(wrapper) : -1].partition(", ")[2]
    return text


def _outcome_of(bundle: Outcome, op_hash: str) -> Outcome:
    mine = {
        log["topics"][0]: hex_bytes(log["data"]) for log in bundle.logs if len(log["topics"]) > 1 and log["topics"][1] == op_hash
    }
    _, succeeded, cost, used = abi.result("(uint256,bool,uint256,uint256)", mine[_USER_OPERATION_EVENT])
    text = "done"
    if not succeeded:
        reason = abi.result("(uint256,bytes)", mine[_REVERT_REASON])[1] if _REVERT_REASON in mine else b""
        text = f"failed: {explain(reason)}"
    return Outcome(text, bundle.transaction, bundle.logs, gas_cost=cost, gas_used=used)


INCREMENT = abi.call("increment()")
#: The plainest call there is: a counter goes up by one.
COUNT = abi.execute(COUNTER, 0, INCREMENT)
