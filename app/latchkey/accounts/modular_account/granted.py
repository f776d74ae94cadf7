"""What a session's limits began with, from the transaction that installed it. The decoder reads it, as it reads a grant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.decode import decode_call
from latchkey.accounts.modular_account.decode_abi import Reader, Work, function
from latchkey.core.permissions import Erc20TokenTransfer, GasLimit, NativeTokenTransfer
from latchkey.core.reading import Action, Batch, Call, Install
from latchkey.core.session import Limit, LimitKind, Session
from latchkey.core.types import Address
from latchkey.errors import CannotDecode

_HANDLE_OPS: Final = bytes.fromhex("765e827f")
_ARGUMENTS: Final = (
    "handleOps((address sender,uint256 nonce,bytes initCode,bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,"
    "bytes32 gasFees,bytes paymasterAndData,bytes signature)[] ops,address beneficiary)"
)
_DEFERRED: Final = 2  # of the nonce's options: the operation carries an action of its own in front of its signature
_ACTION: Final = 27  # locator(21) || deadline(6), then the call


def granted(session: Session, to: Address, data: bytes) -> Session:
    """`to` and `data`: whom the transaction called, and its input. Unchanged where it says nothing, or says two things."""
    found = [i for call in _calls(session.account.address, to, data) for i in _installs(call, session.account.address)]
    mine = [i for i in found if (i.entity_id, i.module) == (session.entity_id, session.module)]
    if len(mine) != 1:
        return session
    return replace(session, limits=tuple(_with_beginning(limit, mine[0]) for limit in session.limits))


def _with_beginning(limit: Limit, install: Install) -> Limit:
    """A limit that is higher now was set anew since, and nobody knows what it began with then."""
    began = _beginning(limit, install)
    return limit if limit.granted is not None or began is None or began < limit.left else replace(limit, granted=began)


def _beginning(limit: Limit, install: Install) -> int | None:
    for permission in install.permissions:
        match permission:
            case NativeTokenTransfer(amount) if limit.kind is LimitKind.NATIVE:
                return amount
            case GasLimit(amount) if limit.kind is LimitKind.GAS:
                return amount
            case Erc20TokenTransfer(token, amount) if limit.kind is LimitKind.ERC20 and token == limit.token:
                return amount
    return None


def _calls(account: Address, to: Address, data: bytes) -> Iterator[bytes]:
    """What the account itself was told to do: by its owner, or by operations of its own in a bundle."""
    if to == account:
        yield data
    elif to == ENTRY_POINT and data[:4] == _HANDLE_OPS:
        for sender, nonce, _, call_data, *_, signature in _operations(data):
            if sender == account:
                yield call_data
                if nonce >> 64 & _DEFERRED:
                    yield signature[4 + _ACTION : 4 + int.from_bytes(signature[:4], "big")]


def _operations(data: bytes) -> list[list]:  # type: ignore[type-arg]
    try:
        operations, _ = Reader(data, Work(len(data)), [], start=4).values(function(_ARGUMENTS).arguments)
    except CannotDecode:
        return []
    return list(operations)


def _installs(call: bytes, account: Address) -> Iterator[Install]:
    try:
        yield from _within(decode_call(call, account=account))
    except CannotDecode:
        return


def _within(action: Action | None) -> Iterator[Install]:
    match action:
        case Install():
            yield action
        case Batch():
            for call in action.calls:
                yield from _within(call.inner)
        case Call():
            yield from _within(action.inner)
