"""A bundler (ERC-4337 RPC): takes signed user operations and puts them into blocks, paid by the account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from latchkey.accounts.modular_account.addresses import ENTRY_POINT
from latchkey.accounts.modular_account.userop import UserOperation
from latchkey.chain.entry_point import to_json
from latchkey.chain.node import RpcError
from latchkey.chain.refusals import no_entry_point, refused, taken_already, wrong_chain
from latchkey.core.types import hex_bytes, to_hex
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.chain.node import Node


@dataclass(frozen=True, slots=True)
class Gas:
    """Of one operation, in gas units. `pre_verification`: what the bundler is paid for around it, its place in a block included."""

    call: int
    verification: int
    pre_verification: int

    @property
    def total(self) -> int:
        return self.call + self.verification + self.pre_verification


class Bundler:
    """`node`: the bundler's endpoint. What it answers is not believed where the chain itself can be asked."""

    def __init__(self, node: Node, chain_id: int) -> None:
        self._node, self._chain_id = node, chain_id

    def check(self) -> None:
        """It serves this chain and EntryPoint 0.7. Raises SendError, ChainError."""
        try:
            chain, points = self._node.call("eth_chainId"), self._node.call("eth_supportedEntryPoints")
        except RpcError as error:
            raise refused(error) from None
        found = _number(chain)
        if found != self._chain_id:
            raise wrong_chain(self._chain_id, found)
        if not isinstance(points, list) or str(ENTRY_POINT).lower() not in [str(p).lower() for p in points]:
            raise no_entry_point()

    def estimate(self, op: UserOperation, stub: bytes) -> Gas:
        """What the bundler thinks it takes. `stub`: a signature field of the right shape. Raises SendError.

        Its estimate of the call is a least: an account that carries on after a part of the call ran out of gas looks cheap. Take the
        larger of it and one's own.
        """
        # Fees of zero: what it costs is not the question here, and an account without money can be estimated too.
        free = replace(op, max_fee_per_gas=0, max_priority_fee_per_gas=0)
        answer = self._ask("eth_estimateUserOperationGas", to_json(free, stub), str(ENTRY_POINT))
        fields = answer if isinstance(answer, dict) else {}
        names = ("callGasLimit", "verificationGasLimit", "preVerificationGas")
        return Gas(*(_number(fields.get(name)) for name in names))

    def send(self, op: UserOperation, field: bytes) -> None:
        """Hand it over; one that it has already is as good. Raises SendError."""
        try:
            self._node.call("eth_sendUserOperation", to_json(op, field), str(ENTRY_POINT))
        except RpcError as error:
            if not taken_already(error):
                raise refused(error) from None

    def transaction_of(self, op_hash: bytes) -> bytes | None:
        """The hash of the transaction that carried the operation, None while there is none."""
        answer = self._ask("eth_getUserOperationReceipt", to_hex(op_hash))
        receipt = answer.get("receipt") if isinstance(answer, dict) else None
        try:
            return hex_bytes(receipt["transactionHash"], size=32) if isinstance(receipt, dict) else None
        except (BadInput, KeyError):
            return None

    def _ask(self, method: str, *params: Any) -> Any:
        try:
            return self._node.call(method, *params)
        except RpcError as error:
            raise refused(error) from None


def _number(value: Any) -> int:
    """A hexadecimal quantity. Raises ChainError."""
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise ChainError(tr("The bundler answers with something that makes no sense; use another one."), code="BadAnswer") from None
