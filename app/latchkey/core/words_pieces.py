"""What every sentence is put together from: addresses in full, amounts in full, names only with whose word they are."""

from __future__ import annotations

from collections.abc import Sequence

from latchkey.core.account import Account
from latchkey.core.amounts import Unit, format_amount
from latchkey.core.contracts import MACHINERY
from latchkey.core.functions import known_signature, offered_signature
from latchkey.core.networks import Network, network
from latchkey.core.permissions import Erc20TokenTransfer
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.powers import PLAIN_PAYMENT
from latchkey.core.request import Claims
from latchkey.core.types import Address, Selector

_LONGEST_CLAIM = 64
_QUOTES = str.maketrans("", "", '“”"')


def phrase(*parts: str | Part | Sequence[Part]) -> Phrase:
    flat: list[Part] = []
    for part in parts:
        if isinstance(part, str):
            flat.append(Part(part))
        elif isinstance(part, Part):
            flat.append(part)
        else:
            flat.extend(part)
    return Phrase(tuple(flat))


def strong(text: str) -> Part:
    return Part(text, Style.STRONG)


def code(text: str) -> Part:
    return Part(text, Style.CODE)


def address_part(address: Address) -> Part:
    return Part(str(address), Style.ADDRESS)


class Names:
    """How things are called: the account and its network, contracts and tokens by the sender's claims, functions by their selectors.

    `account` None: the bytes do not say whose account.
    """

    def __init__(self, account: Account | None, claims: Claims) -> None:
        self.account, self.claims = account, claims
        self.network: Network = network(account.chain_id) if account else Network(0, "", coin="native coin")
        self._claims = {a: (_clean(n), _clean(s), d) for a, n, s, d in reversed(claims.names)}

    @property
    def coin(self) -> str:
        return self.network.coin

    def whose(self) -> list[Part]:
        if self.account is None:
            return [Part("(these bytes do not say which account or network)")]
        return [address_part(self.account.address), Part(" on "), strong(self.network.name)]

    def coins(self, wei: int) -> Part:
        return strong(f"{format_amount(wei, Unit(self.coin, 18))} {self.coin}")

    def token(self, token: Erc20TokenTransfer) -> list[Part]:
        return self.tokens(token.allowance, token.address)

    def tokens(self, amount: int, address: Address) -> list[Part]:
        """Base units first: how many make one is only somebody's word."""
        name, symbol, decimals = self._claims.get(address, ("", "", None))
        said = [strong(f"{amount} base unit{'' if amount == 1 else 's'}"), Part(" of token "), address_part(address)]
        if decimals is not None and symbol:
            counted = format_amount(amount, Unit(symbol, decimals))
            return [*said, Part(f" (the sender calls this {counted} “{symbol}”)", Style.CLAIM)]
        return [*said, *_called(symbol or name)]

    def named(self, address: Address) -> list[Part]:
        """A contract we know by our own name for it, any other by its address with what the sender calls it."""
        if address in MACHINERY:
            return [address_part(address), Part(f" ({MACHINERY[address]})")]
        if self.account is not None and address == self.account.address:
            return [address_part(address), Part(" ("), strong("your account itself"), Part(")")]
        name, symbol, _ = self._claims.get(address, ("", "", None))
        return [address_part(address), *_called(name or symbol)]

    def functions(self, selectors: Sequence[Selector]) -> list[Part]:
        parts: list[Part] = []
        for index, selector in enumerate(selectors):
            if index:
                parts.append(Part(" and " if index == len(selectors) - 1 else ", "))
            parts.append(code(self.function(selector)))
        return parts

    def function(self, selector: Selector) -> str:
        """A common function by its signature; one that only the sender names keeps its selector beside it, for such names can be made."""
        if selector == PLAIN_PAYMENT:
            return str(selector)
        if common := known_signature(selector):
            return common
        offered = offered_signature(selector, self.claims.functions) if self.claims.functions else None
        return f"{offered} [{selector}]" if offered else str(selector)


def _called(claim: str) -> list[Part]:
    return [Part(f" (the sender calls it “{claim}”)", Style.CLAIM)] if claim else []


def _clean(claim: str) -> str:
    """Nothing that could leave the quotation marks, hide, or turn the direction of what follows."""
    return "".join(c for c in claim.translate(_QUOTES) if c.isprintable())[:_LONGEST_CLAIM].strip()
