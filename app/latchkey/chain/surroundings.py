"""What the chain tells about a grant before it is signed: what its contracts are, what the account holds, whether its id is fresh.

One batch of questions. What the node does not tell stays unknown, and then no rule speaks. Whether an id is fresh is told by what the
modules hold under it, for that is what would come back into force; the logs of the account, where they were read, tell it wholly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from latchkey.accounts.modular_account.addresses import NATIVE_TOKEN_LIMIT, PAYMASTER_GUARD, SINGLE_SIGNER, TIME_RANGE
from latchkey.accounts.modular_account.build import HALF
from latchkey.chain.anvil import CHAIN_ID as PRACTICE
from latchkey.chain.node import RpcError
from latchkey.core.account import Account
from latchkey.core.facts import Surroundings
from latchkey.core.tokens import token as reviewed
from latchkey.core.types import Address, hex_bytes, keccak, to_hex
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.chain.node import Node

#: Where proxies keep the address of their code (or of the beacon that knows it): EIP-1967, EIP-1822, and OpenZeppelin's older place.
_SLOTS = (
    "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc",
    "0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50",
    "0xc5f16f0fcc639fa48a6947836d9850f504798523bf8c9a3a87d5876cf622bcf7",
    "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3",
)
_DELEGATION = hex_bytes("0xef0100")  # EIP-7702: an account that lends itself code, and may take other code tomorrow
_CLONE = hex_bytes("0x363d3d373d3d3d363d73"), hex_bytes("0x5af43d82803e903d91602b57fd5bf3")  # EIP-1167: always the same code
_DELEGATECALL, _PUSH1, _PUSH32 = 0xF4, 0x60, 0x7F
_BALANCE_OF = keccak(b"balanceOf(address)")[:4]
_VALIDATION = keccak(b"getValidationData(bytes24)")[:4]
_UNDER_ID = (  # what each module holds for an entity id and an account
    (SINGLE_SIGNER, "signers(uint32,address)", 0),
    (NATIVE_TOKEN_LIMIT, "limits(uint256,address)", 0),
    (NATIVE_TOKEN_LIMIT, "limits(uint256,address)", HALF),
    (TIME_RANGE, "timeRanges(uint32,address)", 0),
    (PAYMASTER_GUARD, "paymasters(uint32,address)", 0),
)
_CODE_LIMIT = 64 * 1024
_Call: TypeAlias = "tuple[Any, ...]"


class WrongNetwork(ChainError):
    """The node serves another chain than the grant is for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`contracts`: every contract and token the grant names; `tokens`: those of them with a limit. `entity_id`: the grant's."""

    account: Account
    contracts: tuple[Address, ...]
    tokens: tuple[Address, ...]
    entity_id: int


def look(node: Node, wanted: Wanted) -> Surroundings:
    """Raises WrongNetwork and the ChainErrors of the node."""
    account = wanted.account
    parts = [list(_general(account)), list(_under_id(account, wanted.entity_id))]
    parts += [[call for address in wanted.contracts for call in _of_contract(address)]]
    parts += [[_view(token, _BALANCE_OF + _word(account.address.raw)) for token in wanted.tokens]]
    answers = iter(node.many([call for part in parts for call in part]))
    (chain_id, block, balance), (validation, *held), of_contracts, balances = (list(islice(answers, len(part))) for part in parts)
    if _number(chain_id) != account.chain_id:
        raise WrongNetwork(
            tr("The RPC that is set for this network serves another one; set the right one in Settings."), code="WrongNetwork"
        )
    step = 1 + len(_SLOTS)
    kinds = {
        address: _kind(account.chain_id, address, of_contracts[i * step : (i + 1) * step])
        for i, address in enumerate(wanted.contracts)
    }
    used = any(_data(validation)[32:64]) or any(any(_data(answer)) for answer in held)
    amounts = ((token, _number(answer)) for token, answer in zip(wanted.tokens, balances, strict=True))
    return Surroundings(
        without_code=_those(kinds, "none"),
        unknown_code=_those(kinds, "unknown"),
        proxies=_those(kinds, "proxy"),
        balance=_number(balance),
        token_balances=tuple((token, amount) for token, amount in amounts if amount is not None),
        used_entity_ids=frozenset({wanted.entity_id} if used else ()),
        chain_time=_number(block.get("timestamp")) if isinstance(block, dict) else None,
    )


def _general(account: Account) -> Iterator[_Call]:
    """The practice chain makes blocks only when something happens on it; the pending one knows the time."""
    yield ("eth_chainId",)
    yield ("eth_getBlockByNumber", "pending" if account.chain_id == PRACTICE else "latest", False)
    yield ("eth_getBalance", account.address, "latest")


def _under_id(account: Account, entity_id: int) -> Iterator[_Call]:
    located = SINGLE_SIGNER.raw + entity_id.to_bytes(4, "big")
    yield _view(account.address, _VALIDATION + located.ljust(32, b"\0"))
    for module, signature, offset in _UNDER_ID:
        key = _word((entity_id + offset).to_bytes(5, "big"))
        yield _view(module, keccak(signature.encode())[:4] + key + _word(account.address.raw))


def _of_contract(address: Address) -> Iterator[_Call]:
    yield ("eth_getCode", address, "latest")
    yield from (("eth_getStorageAt", address, slot, "latest") for slot in _SLOTS)


def _kind(chain_id: int, address: Address, answers: Sequence[Any]) -> str:
    """ "none", "proxy", "unknown" (it lends itself code of which cannot be told whose), "plain", or "" when the node does not tell.

    Tokens of the reviewed list are vouched for, whatever they are made of.
    """
    code, *slots = answers
    try:
        raw = hex_bytes(code, limit=_CODE_LIMIT)
    except BadInput:
        return ""
    if not raw:
        return "none"
    if reviewed(chain_id, address) is not None:
        return "plain"
    if raw.startswith(_DELEGATION) or any(any(_data(slot)) for slot in slots):
        return "proxy"
    return "unknown" if _delegates(raw) else "plain"


def _delegates(code: bytes) -> bool:
    """Whether DELEGATECALL is among its instructions, apart from clones that cannot change."""
    if code.startswith(_CLONE[0]) and code.endswith(_CLONE[1]):
        return False
    at = 0
    while at < len(code):
        if code[at] == _DELEGATECALL:
            return True
        at += 1 + max(0, code[at] - _PUSH1 + 1) if code[at] <= _PUSH32 else 1
    return False


def _those(kinds: dict[Address, str], kind: str) -> frozenset[Address]:
    return frozenset(address for address, found in kinds.items() if found == kind)


def _data(answer: Any) -> bytes:
    """Of eth_call or eth_getStorageAt; empty where the node does not tell."""
    try:
        return b"" if isinstance(answer, RpcError) else hex_bytes(answer)
    except BadInput:
        return b""


def _number(answer: Any) -> int | None:
    """Of a quantity or a word of data; None for anything else."""
    if isinstance(answer, RpcError) or not isinstance(answer, str) or not 3 <= len(answer) <= 66 or answer[:2] != "0x":
        return None
    try:
        return int(answer, 16)
    except ValueError:
        return None


def _view(to: Address, data: bytes) -> _Call:
    return ("eth_call", {"to": to, "data": to_hex(data)}, "latest")


def _word(raw: bytes) -> bytes:
    return raw.rjust(32, b"\0")
