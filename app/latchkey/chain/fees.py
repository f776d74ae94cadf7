"""What a network asks for gas just now, at three levels, with a cap.

The levels form a ladder: each is dear enough to replace the one below it under the same nonce, so all three can be signed at once and
the next one sent when the one before is stuck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latchkey.chain.node import RpcError
from latchkey.core.networks import GWEI, network
from latchkey.errors import ChainError
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.chain.node import Node

LEVELS = 3
_BLOCKS = 20
_REWARDS = (50, 75, 95)  # percentiles of what others paid, one a level
_BASE = (2, 3, 5)  # times the coming base fee; it grows by an eighth a block at most, so the first level holds for six full blocks
_CAP = 500 * GWEI  # wei per gas
_CAP_FLOORS = 300  # the cap of a network whose ordinary fees are high, in its own fee floors
NO_HISTORY = tr("This network tells no fee history, so its gas price was used.")
CAPPED = tr("The network asks for more than Latchkey offers; this may wait until its fees fall.")


@dataclass(frozen=True, slots=True)
class Fee:
    """EIP-1559, wei per gas."""

    max_fee: int
    priority_fee: int

    def raised(self) -> Fee:
        """The least that replaces this one everywhere: an eighth more of both."""
        return Fee(_eighth_more(self.max_fee), _eighth_more(self.priority_fee))

    def at_most(self, limit: int) -> Fee:
        return Fee(min(self.max_fee, limit), min(self.priority_fee, limit))


@dataclass(frozen=True, slots=True)
class Fees:
    """`levels`: from calm to urgent, LEVELS of them, fewer where the cap makes them equal. `note`: what a person should know about
    them, "" for nothing."""

    levels: tuple[Fee, ...]
    note: str = ""

    @property
    def most(self) -> int:
        """wei per gas at the dearest."""
        return self.levels[-1].max_fee


def cap(chain_id: int) -> int:
    """The most Latchkey offers for one gas on this network, wei: an RPC that lies about fees must not empty an account."""
    return max(_CAP, _CAP_FLOORS * network(chain_id).fee_floor)


def fees(node: Node, chain_id: int) -> Fees:
    """From eth_feeHistory; from eth_gasPrice, said in `note`, where there is none. Raises ChainError."""
    floor, limit = network(chain_id).fee_floor, cap(chain_id)
    found = _from_history(node, floor)
    note = "" if found else NO_HISTORY
    wanted = ladder(found or _from_price(node))
    if wanted[0].max_fee > limit:
        note = CAPPED
    return Fees(tuple(dict.fromkeys(fee.at_most(limit) for fee in wanted)), note)


def ladder(wanted: tuple[Fee, ...]) -> tuple[Fee, ...]:
    """The same with every step at least as high as replacing the one below it takes."""
    steps: list[Fee] = []
    for fee in wanted:
        least = steps[-1].raised() if steps else fee
        steps.append(Fee(max(fee.max_fee, least.max_fee), max(fee.priority_fee, least.priority_fee)))
    return tuple(steps)


def _from_history(node: Node, floor: int) -> tuple[Fee, ...]:
    try:
        history = node.call("eth_feeHistory", hex(_BLOCKS), "latest", list(_REWARDS))
    except RpcError:
        return ()
    bases = _numbers(history.get("baseFeePerGas") if isinstance(history, dict) else None)
    if not bases or not any(bases):
        return ()
    rewards = [row for row in map(_numbers, history.get("reward") or []) if len(row) == LEVELS and any(row)]
    levels = []
    for level, times in enumerate(_BASE):
        paid = sorted(row[level] for row in rewards)
        priority = max(floor, paid[len(paid) // 2] if paid else 0)
        levels.append(Fee(times * bases[-1] + priority, priority))
    return tuple(levels)


def _from_price(node: Node) -> tuple[Fee, ...]:
    try:
        price = _numbers([node.call("eth_gasPrice")])
    except RpcError:
        price = []
    if not price:
        raise ChainError(tr("The RPC does not tell what gas costs; use another one."), code="NoFees")
    return tuple(Fee(price[0] * quarters // 4, price[0] * quarters // 4) for quarters in (5, 6, 8))


def _numbers(values: Any) -> list[int]:
    """Hexadecimal quantities; [] when anything in it is none."""
    try:
        return [int(v, 16) for v in values]
    except (TypeError, ValueError):
        return []


def _eighth_more(amount: int) -> int:
    return amount + amount // 8 + 1
