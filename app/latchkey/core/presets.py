"""Common jobs as lists of permissions with blanks to fill. A preset is a start, never a default: every card stays editable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from latchkey.core.forms import Form, blank, named, no_eth
from latchkey.core.functions import selector_of


@dataclass(frozen=True, slots=True)
class Preset:
    """`sentence` says what the key is for. `expiry`: a fitting time in seconds."""

    id: str
    title: str
    sentence: str
    forms: Callable[[], tuple[Form, ...]]
    expiry: int


def game() -> tuple[Form, ...]:
    return _functions(), no_eth(), _gas("0.01")


def claim_rewards() -> tuple[Form, ...]:
    return _functions("claim()"), no_eth(), _gas("0.005")


def recurring_payment() -> tuple[Form, ...]:
    return blank("erc20-token-transfer"), no_eth(), _gas("0.01")


def pay_one_address() -> tuple[Form, ...]:
    """ETH to one address: access to it, and a total."""
    return blank("contract-access"), blank("native-token-transfer"), _gas("0.005")


def trading_bot() -> tuple[Form, ...]:
    """A router's swap and the token it may spend; what is bought stays in the account only if the swap names it as receiver."""
    swap = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    return _functions(swap), blank("erc20-token-transfer"), no_eth(), _gas("0.02")


def voting() -> tuple[Form, ...]:
    return _functions("castVote(uint256,uint8)", "castVoteWithReason(uint256,uint8,string)"), no_eth(), _gas("0.01")


def collect() -> tuple[Form, ...]:
    """Minting from one contract, at a price."""
    return _functions("mint(uint256)"), blank("native-token-transfer"), _gas("0.01")


DAY = 86_400
PRESETS: tuple[Preset, ...] = (
    Preset("game", "Game or app", "Calls a few functions of one contract, without ETH or tokens.", game, DAY),
    Preset("claim", "Claim rewards", "Calls the claim function of one contract.", claim_rewards, 30 * DAY),
    Preset("payment", "Recurring payment", "Sends one token, up to a total.", recurring_payment, 30 * DAY),
    Preset("pay-address", "Pay one address", "Sends ETH to one address, up to a total.", pay_one_address, 7 * DAY),
    Preset("trading", "Trading bot", "Swaps one token on one exchange, up to a total.", trading_bot, 7 * DAY),
    Preset("voting", "Vote", "Votes in one governance contract.", voting, 30 * DAY),
    Preset("collect", "Mint", "Mints from one contract, for up to a total in ETH.", collect, DAY),
)


def _functions(*signatures: str) -> Form:
    return replace(blank("functions-on-contract"), functions=named(tuple(selector_of(s) for s in signatures)))


def _gas(amount: str) -> Form:
    return replace(blank("gas-limit"), amount=amount)
