"""What every sentence is put together from: addresses in full, amounts in full, names only with whose word they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from string import Formatter

from latchkey.core.account import Account
from latchkey.core.amounts import Unit, format_amount
from latchkey.core.contracts import MACHINERY
from latchkey.core.functions import known_signature, offered_signature
from latchkey.core.lookalikes import clean
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.networks import Network, network
from latchkey.core.permissions import Erc20TokenTransfer
from latchkey.core.phrases import Part, Phrase, Style
from latchkey.core.powers import PLAIN_PAYMENT
from latchkey.core.request import Claims
from latchkey.core.tokens import Token
from latchkey.core.tokens import token as reviewed_token
from latchkey.core.types import Address, Selector
from latchkey.language import tr, trn

_HUGE = 2**255  # more than there is of any coin, and of any honest token


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


def say(text: str, /, **values: str | int | Part | Sequence[Part]) -> Phrase:
    """A whole sentence in the person's language: `{name}`s stand for text, or for parts with a style of their own."""
    parts: list[Part] = []
    plain = ""
    for literal, name, spec in _pieces(tr(text)):
        plain += literal
        value = values[name] if name else ""
        if isinstance(value, str | int):
            plain += format(value, spec)
            continue
        if plain:
            parts.append(Part(plain))
            plain = ""
        if isinstance(value, Part):
            parts.append(value)
        else:
            parts.extend(value)
    return Phrase((*parts, Part(plain)) if plain else tuple(parts))


@lru_cache(maxsize=2048)
def _pieces(text: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((literal, name or "", spec or "") for literal, name, spec, _ in Formatter().parse(text))


def strong(text: str) -> Part:
    return Part(text, Style.STRONG)


def code(text: str) -> Part:
    return Part(text, Style.CODE)


def address_part(address: Address) -> Part:
    return Part(str(address), Style.ADDRESS)


class Names:
    """How things are called: the account and its network, contracts and tokens, functions by their selectors; see names.py for by whom.

    `account` None: the bytes do not say whose account, and then no token is known either.
    """

    def __init__(self, account: Account | None, claims: Claims, notes: Notes = NO_NOTES) -> None:
        self.account, self.claims, self.notes = account, claims, notes
        self.network: Network = network(account.chain_id) if account else Network(0, "", coin=tr("native coin"))
        self._claims = {a: (clean(n), clean(s), d) for a, n, s, d in reversed(claims.names)}
        self._notes = {address: clean(name) for address, name in reversed(notes.names)}

    @property
    def coin(self) -> str:
        return self.network.coin

    def whose(self) -> list[Part]:
        if self.account is None:
            return [Part(tr("(these bytes do not say which account or network)"))]
        return [*say("{address} on {name}", address=address_part(self.account.address), name=strong(self.network.name)).parts]

    def coins(self, wei: int) -> Part:
        return strong(f"{format_amount(wei, Unit(self.coin, 18))} {self.coin}{_in_effect(wei)}")

    def known(self, address: Address) -> Token | None:
        """The token at this address, where our own list has it."""
        return reviewed_token(self.account.chain_id, address) if self.account else None

    def token(self, token: Erc20TokenTransfer) -> list[Part]:
        """A limit and what it is of."""
        said, effect = self.tokens(token.allowance, token.address), _in_effect(token.allowance)
        return [*said, strong(effect)] if effect else said

    def tokens(self, amount: int, address: Address) -> list[Part]:
        """In units where our own list knows them; else base units first, for how many make one is only somebody's word."""
        if known := self.known(address):
            units = f"{format_amount(amount, known.unit)} {known.symbol}"
            return [
                *say(
                    "{units} ({base_units} of token {address}, {listed})",
                    units=strong(units),
                    base_units=_base_units(amount),
                    address=address_part(address),
                    listed=_listed(known),
                ).parts
            ]
        said = [
            *say("{base_units} of token {address}", base_units=strong(_base_units(amount)), address=address_part(address)).parts
        ]
        name, symbol, decimals = self._claims.get(address, ("", "", None))
        if decimals is not None and symbol:
            name = f"{format_amount(amount, Unit(symbol, decimals))} “{symbol}”"
            return [*said, *self._called(address, tr("the sender calls this {name}", name=name))]
        return [*said, *self._called(address, _sender_calls(symbol or name))]

    def amount(self, amount: int, address: Address) -> str:
        """Only how much, of a token that was named just before."""
        known = self.known(address)
        return f"{format_amount(amount, known.unit)} {known.symbol}" if known else str(amount)

    def named(self, address: Address) -> list[Part]:
        """A contract, token or payee: its address, and what it is called by whose word. Our own name for it leaves no room for others."""
        if address in MACHINERY:
            return [address_part(address), Part(f" ({MACHINERY[address]})")]
        if self.account is not None and address == self.account.address:
            return [address_part(address), Part(" ("), strong(tr("your account itself")), Part(")")]
        if known := self.known(address):
            return [address_part(address), Part(f" ({known.symbol}, {_listed(known)})")]
        name, symbol, _ = self._claims.get(address, ("", "", None))
        return [address_part(address), *self._called(address, _sender_calls(name or symbol))]

    def _called(self, address: Address, claim: str) -> list[Part]:
        """What others call it, in brackets; the person's own name first."""
        own = self._notes.get(address, "")
        who = tr("the window calls it") if self.notes.second_hand else tr("you call it")
        said = [text for text in (f"{who} “{own}”" if own else "", claim) if text]
        return [Part(f" ({'; '.join(said)})", Style.CLAIM)] if said else []

    def functions(self, selectors: Sequence[Selector]) -> list[Part]:
        parts: list[Part] = []
        for index, selector in enumerate(selectors):
            if index:
                parts.append(Part(tr(" and ") if index == len(selectors) - 1 else ", "))
            parts.extend(self.function(selector))
        return parts

    def function(self, selector: Selector) -> list[Part]:
        """A common function by its signature. Any other name is somebody's word, and such names can be made to fit: with its selector."""
        if selector == PLAIN_PAYMENT:
            return [code(str(selector))]
        if common := known_signature(selector):
            return [code(common)]
        for offered, whose in ((self.notes.functions, self._whose_functions()), (self.claims.functions, tr("the sender"))):
            if offered and (signature := offered_signature(selector, offered)):
                return [code(f"{signature} [{selector}]"), Part(tr(" (named by {whose})", whose=whose), Style.CLAIM)]
        return [code(str(selector))]

    def _whose_functions(self) -> str:
        return tr("the window") if self.notes.second_hand else tr("you")


def _in_effect(limit: int) -> str:
    """A number of 77 digits reads like a limit and is none."""
    return tr(" (in effect no limit)") if limit >= _HUGE else ""


def _base_units(amount: int) -> str:
    return trn("{count} base unit", "{count} base units", amount)


def _listed(token: Token) -> str:
    return tr("{token_name}, on Latchkey's list", token_name=token.name) if token.name != token.symbol else tr("on Latchkey's list")


def _sender_calls(claim: str) -> str:
    return tr("the sender calls it “{claim}”", claim=claim) if claim else ""
