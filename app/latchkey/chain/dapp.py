"""The demo dApp: takes a signed grant and lives with it on the practice chain, up to its limits, beyond them, and after its end.

It holds no key. Its session key is one of anvil's public test keys, so anvil signs for it; so does it for the owner, whose key is
public there too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from eth_abi.abi import encode

from latchkey.accounts.modular_account.build import nonce_key
from latchkey.accounts.modular_account.ending import uninstall_call
from latchkey.accounts.modular_account.userop import UserOperation, session_call, session_signature, user_op_hash
from latchkey.accounts.system import system
from latchkey.chain.operations import Outcome, next_nonce, send_operation, send_transaction
from latchkey.chain.places import COIN, GAME, NFT
from latchkey.chain.rpc import Rpc
from latchkey.codec.hand_over import Envelope, Kind
from latchkey.core.account import Account
from latchkey.core.amounts import Unit, format_amount
from latchkey.core.draft import Draft
from latchkey.core.permissions import Erc20TokenTransfer, FunctionsOnContract
from latchkey.core.types import Address, hex_bytes, keccak, to_hex
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

_SHOP = Address.parse("0x000000000000000000000000000000000000dEaD")
_COIN = Unit("SKR", 18)
_FEE = 10**9  # wei per gas
_INSTALLING, _CHECKING, _CALL, _OVERHEAD = 1_500_000, 250_000, 150_000, 60_000  # gas
_OWNER = bytes.fromhex("0100000000ff")  # global validation, entity 0, end of segments
_MOVE = keccak(b"move(uint8,uint8)")[:4]
_WORDS = {
    "ExceededTokenLimit": tr("the limit for this token is used up"),
    "AddressNotAllowed": tr("this contract is not on the list"),
    "SelectorNotAllowed": tr("this function is not on the list"),
    "ExceededNativeTokenLimit": tr("the limit for gas or ETH is used up"),
    "TimeRangeNotValid": tr("the session has ended"),
    "ValidationFunctionMissing": tr("the account does not know this key"),
    "AA23": tr("the account does not accept this key"),
    "AA24": tr("the account does not accept this signature"),
    "AA25": tr("this grant was used before"),
    "AA22": tr("the session has ended"),
    "AA33": tr("the paymaster does not pay"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """`tries`: what was tried. `expected`: whether the chain did what the grant's words say. `answer`: the chain's, see Outcome."""

    name: str
    tries: str
    says: str
    expected: bool
    answer: str
    transaction: str


class DemoDapp:
    """Raises BadInput for what is no signed grant of the demo dApp's request, ChainError when the keys are not public test keys."""

    def __init__(self, rpc: Rpc, envelope: Envelope) -> None:
        if envelope.kind is not Kind.SIGNED_GRANT or envelope.account is None:
            raise BadInput(tr("This is not a signed grant."), code="NotSigned")
        face = system(envelope.account.system)
        self._rpc, self._blob = rpc, envelope.blob
        self._account: Account = envelope.account
        self._draft: Draft = face.draft_of(face.decode_signed(envelope.blob), envelope.account)
        self._grant = face.build(self._draft)
        self._limit = self._demo_limit()
        self._test_keys = [Address.parse(a) for a in rpc("eth_accounts")]
        self._bundler = self._test_keys[2]
        if self._draft.session_key not in self._test_keys:
            raise ChainError(
                tr("The demo dApp does not have this grant's key: grant what its own request asks for."), code="OtherKey"
            )

    def steps(self) -> Iterator[Step]:
        """Use the grant, step by step; ends early when the first call is refused."""
        limit = format_amount(self._limit, _COIN)
        half = self._limit // 2
        first = _step(
            "grant", tr("First call, which carries the grant: a move in the game"), self._send(GAME, _move(3, 4), first=True), True
        )
        yield first
        if not first.expected:
            return
        tries = tr("Spends half of the {limit} SKR it may spend", limit=limit)
        yield _step("use", tries, self._send(COIN, _transfer(half)), True)
        tries = tr("Tries to spend {limit} SKR more, which is beyond the limit", limit=limit)
        yield _step("limit", tries, self._send(COIN, _transfer(self._limit)), False)
        yield _step(
            "refusal", tr("Calls a contract the grant does not name: mints an NFT"), self._send(NFT, _mint(self._account)), False
        )
        yield _step("revocation", tr("The owner ends the session, with a transaction of their own"), self._revoke(), True)
        yield _step("after", tr("The dApp tries one more move"), self._send(GAME, _move(4, 4)), False)

    def _demo_limit(self) -> int:
        """Of the token. Raises BadInput when the grant does not allow what the demo dApp does."""
        moves = any(isinstance(p, FunctionsOnContract) and p.address == GAME for p in self._draft.permissions)
        limits = [int(p.allowance) for p in self._draft.permissions if isinstance(p, Erc20TokenTransfer) and p.address == COIN]
        if not moves or not limits or not limits[0]:
            raise BadInput(tr("This grant is for another dApp: the demo dApp needs its game and its coin."), code="OtherDapp")
        return limits[0]

    def _send(self, to: Address, data: bytes, *, first: bool = False) -> Outcome:
        call = _EXECUTE + encode(["address", "uint256", "bytes"], [to, 0, data])
        key = nonce_key(0, self._draft.entity_id, is_global=False, is_deferred=False)
        op = UserOperation(
            sender=self._account.address,
            nonce=self._grant.nonce if first else next_nonce(self._rpc, self._account.address, key),
            call_data=session_call(call, needs_execute_user_op=self._grant.needs_execute_user_op),
            call_gas_limit=_CALL,
            verification_gas_limit=_INSTALLING if first else _CHECKING,
            pre_verification_gas=_OVERHEAD,
            max_fee_per_gas=_FEE,
            max_priority_fee_per_gas=_FEE,
        )
        chain_id = self._account.chain_id
        signature = hex_bytes(self._rpc("eth_sign", self._draft.session_key, to_hex(user_op_hash(op, chain_id))))
        field = session_signature(signature, self._blob[33:] if first else b"")
        return send_operation(self._rpc, self._bundler, op, field, chain_id)

    def _revoke(self) -> Outcome:
        if self._account.owner not in self._test_keys:
            raise ChainError(tr("The account's owner is not one of the practice chain's keys."), code="OtherKey")
        data = _WITH_RUNTIME_VALIDATION + encode(["bytes", "bytes"], [uninstall_call(self._draft), _OWNER])
        return send_transaction(self._rpc, self._account.owner, self._account.address, data)


_EXECUTE = keccak(b"execute(address,uint256,bytes)")[:4]
_WITH_RUNTIME_VALIDATION = keccak(b"executeWithRuntimeValidation(bytes,bytes)")[:4]


def _move(x: int, y: int) -> bytes:
    return _MOVE + encode(["uint8", "uint8"], [x, y])


def _transfer(amount: int) -> bytes:
    return keccak(b"transfer(address,uint256)")[:4] + encode(["address", "uint256"], [_SHOP, amount])


def _mint(account: Account) -> bytes:
    return keccak(b"mint(address)")[:4] + encode(["address"], [account.address])


def _step(name: str, tries: str, outcome: Outcome, should_work: bool) -> Step:
    return Step(name, tries, _says(outcome), outcome.done is should_work, outcome.answer, outcome.transaction)


def _says(outcome: Outcome) -> str:
    """In plain words; the innermost error says most."""
    if outcome.done:
        return tr("Done.")
    found = [_WORDS[name] for name in re.findall(r"[A-Za-z0-9]+", outcome.answer) if name in _WORDS]
    reason = found[-1] if found else tr("the chain does not say why in words we know")
    return tr("Refused: {reason}.", reason=reason)
