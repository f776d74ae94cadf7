"""Network names by chain id, and nothing else names a network.

A table in code: `core` reads no files, and a name must not be editable.

Source: the chains that hold the Modular Account V2 deployment, plus the local practice chain.
"""

from __future__ import annotations

from dataclasses import dataclass

from latchkey.language import tr

GWEI = 10**9


@dataclass(frozen=True, slots=True)
class Network:
    """`coin`: symbol of the native token (18 decimals). `fee_floor`: wei per gas below which operations are rarely included."""

    chain_id: int
    name: str
    coin: str = "ETH"
    is_test: bool = False
    fee_floor: int = GWEI // 100


NETWORKS: dict[int, Network] = {
    network.chain_id: network
    for network in (
        Network(1, "Ethereum", fee_floor=GWEI // 2),
        Network(42161, "Arbitrum One"),
        Network(10, "OP Mainnet", fee_floor=GWEI // 200),
        Network(8453, "Base", fee_floor=GWEI // 200),
        Network(137, "Polygon", coin="POL", fee_floor=30 * GWEI),
        Network(11155111, tr("{name} (test network)", name="Sepolia"), is_test=True, fee_floor=GWEI // 10),
        Network(421614, tr("{name} (test network)", name="Arbitrum Sepolia"), is_test=True),
        Network(11155420, tr("{name} (test network)", name="OP Sepolia"), is_test=True),
        Network(84532, tr("{name} (test network)", name="Base Sepolia"), is_test=True),
        Network(80002, tr("{name} (test network)", name="Polygon Amoy"), coin="POL", is_test=True, fee_floor=GWEI),
        Network(31337, tr("Practice chain"), is_test=True, fee_floor=GWEI),
    )
}


def network(chain_id: int) -> Network:
    """The network's entry; one we do not know is named by its number only and its coin is called "native coin"."""
    return NETWORKS.get(chain_id) or Network(
        chain_id, tr("unknown network {chain_id}", chain_id=chain_id), coin=tr("native coin"), fee_floor=GWEI // 100
    )
