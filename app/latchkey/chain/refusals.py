"""Why something was not taken, or came to nothing: one sentence each, with what to do next.

What nodes and bundlers answer is read for what we know in it and never shown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from latchkey.chain.reasons import named
from latchkey.core.amounts import Unit, format_amount
from latchkey.core.networks import network
from latchkey.core.types import Address, hex_bytes
from latchkey.errors import BadInput, ChainError
from latchkey.language import tr

if TYPE_CHECKING:
    from latchkey.chain.node import RpcError


class SendError(ChainError):
    """Nothing was done on the chain, or what was done came to nothing. `.code` names the kind:

    LackingFunds, NotDeployed, RefusedByAccount, Underpriced, Dropped, Reverted, NonceTaken, WrongChain, NoEntryPoint, NotTaken.
    `reason`: the contracts' own error by name, "" when there is none.
    """

    def __init__(self, text: str, *, code: str, reason: str = "") -> None:
        super().__init__(text, code=code)
        self.reason = reason


class Pending(ChainError):
    """Sent, and in no block yet. Not a failure: it may still be mined."""

    def __init__(self) -> None:
        super().__init__(
            tr("It was sent, but is in no block yet. Latchkey keeps looking; nothing has to be sent again."), code="StillPending"
        )


class StoppedWaiting(ChainError):
    """The person stopped waiting."""

    def __init__(self) -> None:
        super().__init__(
            tr("You stopped waiting. What was sent may still be mined; Latchkey looks again later."), code="StoppedWaiting"
        )


def coins(chain_id: int, amount: int) -> str:
    """wei in the network's coin: "0.0123 ETH"."""
    unit = Unit(network(chain_id).coin, 18)
    return f"{format_amount(amount, unit)} {unit.name}"


def lacking(chain_id: int, who: str, address: Address, has: int, needs: int) -> SendError:
    """`who`: "account" or "key"."""
    return SendError(
        tr(
            "The {who} {address} lacks {chain_id} on {name}: it has {chain_id2} and this "
            "may cost {chain_id3}. Send the difference to it, or choose another way.",
            who=who,
            address=address,
            chain_id=coins(chain_id, needs - has),
            name=network(chain_id).name,
            chain_id2=coins(chain_id, has),
            chain_id3=coins(chain_id, needs),
        ),
        code="LackingFunds",
    )


def not_deployed(account: Address) -> SendError:
    return SendError(
        tr(
            "The account {account} has no code on this network yet, so nothing is installed on it and there is nothing to end.",
            account=account,
        ),
        code="NotDeployed",
    )


def wrong_chain(expected: int, found: int) -> SendError:
    return SendError(
        tr(
            "This endpoint serves chain {found}, not {name} (chain {expected}). Set the right one in Settings.",
            found=found,
            name=network(expected).name,
            expected=expected,
        ),
        code="WrongChain",
    )


def no_entry_point() -> SendError:
    return SendError(
        tr("This bundler does not serve EntryPoint 0.7. Name another bundler, or choose another way."), code="NoEntryPoint"
    )


def reverted(reason: bytes) -> SendError:
    """Mined, paid for, and undone."""
    why = named(reason)
    return SendError(
        tr("It was mined, but the account undid it ({why}). Nothing changed; read the account again and try once more.", why=why),
        code="Reverted",
        reason=why,
    )


def dropped() -> SendError:
    return SendError(
        tr("The network dropped it before it was mined, twice. Nothing changed; try again, or choose another way."), code="Dropped"
    )


def nonce_taken() -> SendError:
    return SendError(
        tr("Something else used this nonce first. Nothing of this was done; read the account again and try once more."),
        code="NonceTaken",
    )


_CODE = re.compile(r"\bAA\d\d\b")
_FAILED_OP = (bytes.fromhex("220266b6"), bytes.fromhex("65c8fd4d"))
_REFUSALS: dict[str, tuple[str, str]] = {
    "AA10": ("RefusedByAccount", tr("The account is deployed already. Read it again and try once more.")),
    "AA13": (
        "RefusedByAccount",
        tr("The account could not be deployed by this operation. Deploy it first, or choose another way."),
    ),
    "AA14": (
        "RefusedByAccount",
        tr("The account could not be deployed by this operation. Deploy it first, or choose another way."),
    ),
    "AA20": ("NotDeployed", tr("The account has no code on this network yet. There is nothing installed on it to end.")),
    "AA21": (
        "LackingFunds",
        tr("The account lacks the money for its own gas. Send it some, or choose the owner's own transaction."),
    ),
    "AA22": ("RefusedByAccount", tr("The operation came too late or too early for the account. Try again.")),
    "AA23": ("RefusedByAccount", tr("The account refuses the operation{reason}. Check who owns it now.")),
    "AA24": ("RefusedByAccount", tr("The account does not take this signature: its owner was changed, or another key owns it.")),
    "AA25": ("NonceTaken", tr("Something else used this nonce first. Read the account again and try once more.")),
    "AA26": ("RefusedByAccount", tr("The check of the signature needs more gas than was allowed. Try again.")),
    "AA40": ("RefusedByAccount", tr("The check of the signature needs more gas than was allowed. Try again.")),
    "AA51": (
        "LackingFunds",
        tr("The account lacks the money for its own gas. Send it some, or choose the owner's own transaction."),
    ),
    "AA94": ("RefusedByAccount", tr("The operation's numbers are too large.")),
    "AA95": ("NotTaken", tr("The bundle ran out of gas. Try again.")),
}
_BEFORE_CODES = (("bump the gas price", "underpriced"), ("already being processed", "busy"))  # said beside a code that misleads
_WORDS: tuple[tuple[str, str], ...] = (  # pieces of what nodes say, and the code each stands for
    ("insufficient funds", "AA21-key"),
    ("insufficient balance", "AA21-key"),
    ("replacement", "underpriced"),
    ("underpriced", "underpriced"),
    ("less than block base fee", "underpriced"),
    ("max fee per gas less", "underpriced"),
    ("maxfeepergas", "underpriced"),
    ("maxpriorityfeepergas", "underpriced"),
    ("feecap", "underpriced"),
    ("fee too low", "underpriced"),
    ("gas price below", "underpriced"),
    ("nonce too low", "nonce"),
    ("nonce has already been used", "nonce"),
    ("invalid chain id", "chain"),
    ("invalid sender", "chain"),
    ("type not supported", "type"),
    ("unsupported transaction type", "type"),
)


def taken_already(error: RpcError) -> bool:
    """The endpoint has exactly this one already: as good as sent."""
    text = error.message.lower()
    return "already known" in text or "already imported" in text or "already in mempool" in text


def reverts(error: RpcError) -> bool:
    """The call itself failed, not the asking."""
    return bool(data_of(error)) or "revert" in error.message.lower()


def refused(error: RpcError) -> SendError:
    """What a node or a bundler answered to something that was sent or estimated."""
    text, data = error.message.lower(), data_of(error)
    for piece, kind in _BEFORE_CODES:
        if piece in text:
            return _worded(kind)
    named_in_text = _CODE.search(error.message)
    if code := named_in_text[0] if named_in_text else entry_point_code(data):
        return by_entry_point(code, data)
    for piece, kind in _WORDS:
        if piece in text:
            return _worded(kind)
    if reverts(error):
        return _would_revert(data)
    return SendError(
        tr("It was not taken, for a reason Latchkey does not know. Try again, or choose another way."), code="NotTaken"
    )


def by_entry_point(name: str, data: bytes = b"") -> SendError:
    """`name`: the EntryPoint's code, e.g. AA24. `data`: revert data that came with it."""
    code, text = _REFUSALS.get(name, ("NotTaken", "The EntryPoint refuses the operation. Try again, or choose another way."))
    reason = named(data) if data else ""
    return SendError(text.format(reason=f" ({reason})" if reason else ""), code=code, reason=reason or name)


def of_bundle(reason: bytes) -> SendError:
    """A handleOps transaction that the EntryPoint reverted."""
    found = entry_point_code(reason)
    return by_entry_point(found, reason) if found else reverted(reason)


def entry_point_code(data: bytes) -> str:
    """AA.. out of FailedOp(uint256,string) or FailedOpWithRevert(uint256,string,bytes), "" when it is neither."""
    found = _CODE.search(data.decode("latin-1")) if data[:4] in _FAILED_OP else None
    return found[0] if found else ""


def _worded(kind: str) -> SendError:
    match kind:
        case "underpriced":
            return SendError(tr("The fee is too low for this network just now. Try again in a while."), code="Underpriced")
        case "nonce":
            return nonce_taken()
        case "busy":
            text = tr("Another operation of this account is on its way. Wait until it is through, then try once more.")
            return SendError(text, code="NonceTaken")
        case "chain":
            return SendError(
                tr("The RPC serves another network than this was signed for. Set the right one in Settings."), code="WrongChain"
            )
        case "type":
            return SendError(tr("This network does not take such transactions. Choose the bundler instead."), code="NotTaken")
    return SendError(
        tr("The key that sends this lacks the money for gas. Send it some, or choose another way."), code="LackingFunds"
    )


def _would_revert(data: bytes) -> SendError:
    why = named(data)
    return SendError(
        tr("The account would undo it ({why}). Nothing was sent; read the account again and try once more.", why=why),
        code="Reverted",
        reason=why,
    )


def data_of(error: RpcError) -> bytes:
    """Revert data, wherever the endpoint put it: as text, or in an object's data or revertData."""
    value: Any = error.data
    for _ in range(3):
        if isinstance(value, dict):
            value = value.get("data") or value.get("revertData") or value.get("reason")
    try:
        return hex_bytes(value)
    except BadInput:
        return b""
