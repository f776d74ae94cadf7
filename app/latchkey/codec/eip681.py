"""Addresses, plain or in a payment link (`ethereum:`, EIP-681), as wallets show them to be paid."""

from __future__ import annotations

import re
from dataclasses import dataclass

from latchkey.codec.fields import MAX_CHAIN_ID
from latchkey.core.types import MAX_UINT256, Address
from latchkey.errors import BadInput
from latchkey.language import tr

MAX_LINK = 1000
_LINK = re.compile(
    r"ethereum:(?:pay-)?(0x[0-9a-f]{40})(?:@([0-9]{1,20}))?(?:/([a-z0-9_]{1,64}))?(?:\?(.*))?", re.IGNORECASE | re.ASCII
)
_NUMBER = re.compile(r"\+?([0-9]{1,78})(?:\.([0-9]{1,78}))?(?:e\+?([0-9]{1,2}))?", re.IGNORECASE | re.ASCII)
_GAS = {"gas", "gasLimit", "gasPrice"}


@dataclass(frozen=True, slots=True)
class PayTo:
    """Who is to be paid. `chain_id`: None where it is not said; `token`: None for the chain's own coin; `amount`: wei, or base units of
    the token, None where it is left open. `is_link`: it came as a payment link, not as a bare address."""

    address: Address
    chain_id: int | None = None
    token: Address | None = None
    amount: int | None = None
    is_link: bool = False


def read_address(text: str) -> PayTo:
    """A bare address. Raises BadInput, also when its letters' case does not fit (EIP-55)."""
    return PayTo(Address.parse(text))


def read_link(text: str) -> PayTo:
    """A payment, or an ERC-20 `transfer`. Raises BadInput for calls of other functions and for names instead of addresses."""
    match = _LINK.fullmatch(text[: MAX_LINK + 1])
    if match is None or len(text) > MAX_LINK:
        raise BadInput(
            tr("This payment link cannot be read: it names no address, or holds what does not belong in it."), code="NotLink"
        )
    target, chain, function, query = match.groups()
    address, chain_id, fields = Address.parse(target), int(chain) if chain else None, _query(query)
    if chain_id is not None and not 1 <= chain_id <= MAX_CHAIN_ID:
        raise BadInput(tr("The payment link's chain id is out of its range."), code="NotLink", path="chainId")
    if function is None and fields.keys() <= _GAS | {"value"}:
        return PayTo(address, chain_id, None, _number(fields.get("value")), is_link=True)
    if function == "transfer" and {"address"} <= fields.keys() <= _GAS | {"address", "uint256"}:
        return PayTo(Address.parse(fields["address"]), chain_id, address, _number(fields.get("uint256")), is_link=True)
    raise BadInput(tr("This payment link calls a contract, which Latchkey does not do for links."), code="OtherCall")


def _query(text: str | None) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split("&")] if text else []
    fields = {name: value for name, _, value in pairs}
    if len(fields) != len(pairs):
        raise BadInput(tr("A field stands twice in this payment link; it is not clear which one counts."), code="DuplicateField")
    return fields


def _number(text: str | None) -> int | None:
    """EIP-681's numbers: whole once the power of ten is applied."""
    if text is None:
        return None
    match = _NUMBER.fullmatch(text)
    whole, part, power = match.groups("") if match else ("", "", "")
    shift = int(power or 0) - len(part)
    amount = int(whole + part) * 10 ** max(shift, 0) if match else -1
    if shift < 0 and amount > 0:
        amount, rest = divmod(amount, 10**-shift)
        amount = -1 if rest else amount
    if not 0 <= amount <= MAX_UINT256:
        raise BadInput(tr("The amount in this payment link is no whole number of the smallest unit."), code="NotLink", path="value")
    return amount
