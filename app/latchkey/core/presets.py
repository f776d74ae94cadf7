"""Common jobs as lists of permissions with blanks to fill. A preset is a start, never a default: every card stays editable.

A careful fill-in raises no finding, on any network: gas is budgeted for the first operation, which also installs the key, and for the
uses the job is for. What the account does not check is said (`not_enforced`): people expect more of "recurring" than a total.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from latchkey.core.amounts import ETH, format_amount
from latchkey.core.forms import Form, blank, named, no_eth
from latchkey.core.functions import Function, selector_of
from latchkey.core.networks import Network
from latchkey.core.permissions import KINDS, Erc20TokenTransfer, FunctionsOnContract, GasLimit, Permission
from latchkey.core.powers import PLAIN_PAYMENT, install_gas, powers_of
from latchkey.core.types import Address, Selector
from latchkey.language import tr

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Preset:
    """`sentence` says what the key is for. `not_enforced`: what one might take for granted and the account does not check. `scope`: the
    cards but for gas. `uses`: operations that the gas is to last for. `expiry`: a fitting time in seconds."""

    id: str
    title: str
    sentence: str
    not_enforced: tuple[str, ...]
    scope: Callable[[], tuple[Form, ...]]
    uses: int
    expiry: int

    def forms(self, network: Network) -> tuple[Form, ...]:
        scope = self.scope()
        return *scope, gas_form(scope, self.uses, network)


OPERATION_GAS = 250_000  # gas units one later operation declares, roughly
FEE_ROOM = 10  # times the lowest usual fee: fees rise, and the limit counts the highest fee an operation allows


def gas_form(scope: Sequence[Form], uses: int, network: Network) -> Form:
    """A gas limit for installing a key with this scope and `uses` operations, rounded up to one digit."""
    permissions = (*(_example(form) for form in scope), GasLimit(1))
    units = install_gas(powers_of(permissions), expires=True) + uses * OPERATION_GAS
    wei = FEE_ROOM * units * network.fee_floor
    digit = 10 ** (len(str(wei)) - 1)
    return replace(blank(GasLimit.type), amount=format_amount(-(-wei // digit) * digit, ETH))


_SOME = Address.parse("0x" + "01" * 20)
_THREE = tuple(Selector.parse(f"0x0000000{n}") for n in (1, 2, 3))


def _example(form: Form) -> Permission:
    """The form with its blanks filled somehow: how much gas it takes to install depends on its shape alone."""
    selectors = tuple(function.selector for function in form.functions) or _THREE
    match form.kind:
        case FunctionsOnContract.type:
            return FunctionsOnContract(_SOME, selectors)
        case Erc20TokenTransfer.type:
            return Erc20TokenTransfer(_SOME, 1)
    permission: Permission = KINDS[form.kind](1)
    return permission


# --- what the keys are for

_EACH = tr("How much at a time and how often: the key may use the whole total at once.")


def _game() -> tuple[Form, ...]:
    return _functions(), no_eth()


def _token_payment() -> tuple[Form, ...]:
    return blank(Erc20TokenTransfer.type), no_eth()


def _coin_payment() -> tuple[Form, ...]:
    pay = replace(blank(FunctionsOnContract.type), functions=(Function(PLAIN_PAYMENT),))
    return pay, blank("native-token-transfer")


def _claim() -> tuple[Form, ...]:
    return _functions("claim()"), no_eth()


def _watch() -> tuple[Form, ...]:
    return _functions(), no_eth()


def _trade() -> tuple[Form, ...]:
    swap = "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)"
    return _functions(swap), blank(Erc20TokenTransfer.type), no_eth()


def _mint() -> tuple[Form, ...]:
    return _functions("mint(uint256)"), blank("native-token-transfer")


def _vote() -> tuple[Form, ...]:
    return _functions("castVote(uint256,uint8)", "castVoteWithReason(uint256,uint8,string)"), no_eth()


PRESETS: tuple[Preset, ...] = (
    Preset(
        "game",
        tr("Game session"),
        tr("Calls a few functions of one contract, without {coin} or tokens."),
        (tr("How often it plays, and with which moves."),),
        _game,
        uses=20,
        expiry=DAY,
    ),
    Preset(
        "payment",
        tr("Recurring payment"),
        tr("Sends one token, up to a total."),
        (tr("Who is paid: the key may send the token to anyone."), _EACH),
        _token_payment,
        uses=6,
        expiry=30 * DAY,
    ),
    Preset(
        "pay-address",
        tr("Pay one address"),
        tr("Sends {coin} to one address, up to a total."),
        (
            _EACH,
            tr(
                "The dApp has to pay with the data 0x00000000: a payment without any data is refused, and some contracts take none with it."
            ),
        ),
        _coin_payment,
        uses=6,
        expiry=30 * DAY,
    ),
    Preset(
        "claim",
        tr("Claim rewards"),
        tr("Calls the claim function of one contract."),
        (tr("Where rewards go: the contract decides, or the key, if the function takes a receiver."),),
        _claim,
        uses=10,
        expiry=30 * DAY,
    ),
    Preset(
        "approvals",
        tr("Token approvals"),
        tr("Approves one token for a dApp, up to a total."),
        (
            tr("Who may take the token: the key may approve anyone, or send the token itself."),
            tr("When it is taken: what was approved can be taken after the session has ended, until you set it back to 0."),
        ),
        _token_payment,
        uses=5,
        expiry=DAY,
    ),
    Preset(
        "watcher",
        tr("Close a position"),
        tr("Watches a position, and closes it by the functions you name."),
        (
            tr("The condition: no price, health or liquidation threshold is checked. The key may close the position at any time."),
            tr("At what price, and where the proceeds go: the contract decides, or the key, if the function takes a receiver."),
        ),
        _watch,
        uses=3,
        expiry=7 * DAY,
    ),
    Preset(
        "trading",
        tr("Trading within limits"),
        tr("Swaps one token on one exchange, up to a total."),
        (
            tr("The price: no price or slippage is checked. The key may make bad trades with the whole total."),
            tr("Who gets what is bought: the key names the receiver in each swap."),
        ),
        _trade,
        uses=20,
        expiry=7 * DAY,
    ),
    Preset(
        "mint",
        tr("NFT mint"),
        tr("Mints from one contract, for up to a total in {coin}."),
        (tr("How many it mints, and the price of each."), tr("Who gets them, if the function takes a receiver.")),
        _mint,
        uses=3,
        expiry=DAY,
    ),
    Preset(
        "voting",
        tr("Vote"),
        tr("Votes in one governance contract."),
        (tr("How it votes, and on what."),),
        _vote,
        uses=5,
        expiry=30 * DAY,
    ),
)


def _functions(*signatures: str) -> Form:
    return replace(blank(FunctionsOnContract.type), functions=named(tuple(selector_of(s) for s in signatures)))
