"""What the rules may look at: what the decoded bytes add up to, and what is known of the world around them."""

from __future__ import annotations

from dataclasses import dataclass

from latchkey.core.account import Account
from latchkey.core.contracts import MACHINERY
from latchkey.core.names import NO_NOTES, Notes, Said, imitated, said
from latchkey.core.networks import Network, network
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, FunctionsOnContract
from latchkey.core.powers import Powers, install_gas, powers_of
from latchkey.core.reading import Deferred, Install, Reading, unknown_in
from latchkey.core.request import Claims
from latchkey.core.tokens import Token, token
from latchkey.core.types import ZERO_ADDRESS, Address, Selector
from latchkey.language import tr

NO_CLAIMS = Claims()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the chain and the own records say. Everything may be unknown, as it is offline: None or empty, and then no rule speaks.

    `without_code`, `unknown_code`, `proxies`: those of the grant's contracts and tokens of which it is known that they hold no code,
    code lent from where cannot be told, code that can be exchanged. `balance`: wei; `token_balances`: (token, base units).
    `same_dapp`: live sessions that the asking dApp holds already. `keys_elsewhere`: session keys in use for other sessions.
    `used_entity_ids`: ids the account has seen. `chain_time`: the newest block's seconds. `sender_proven`: whether it is proven who
    asks; None without a request.
    """

    without_code: frozenset[Address] = frozenset()
    unknown_code: frozenset[Address] = frozenset()
    proxies: frozenset[Address] = frozenset()
    balance: int | None = None
    token_balances: tuple[tuple[Address, int], ...] = ()
    same_dapp: int = 0
    keys_elsewhere: frozenset[Address] = frozenset()
    used_entity_ids: frozenset[int] = frozenset()
    chain_time: int | None = None
    sender_proven: bool | None = None


NOTHING_KNOWN = Surroundings()


@dataclass(frozen=True, slots=True)
class Facts:
    """`account` None: the bytes do not say which account or chain. `deadline`: until when a signed grant may be brought to the chain,
    None when there is nothing signed ahead. `unknown`: how many parts cannot be read."""

    install: Install
    powers: Powers
    account: Account | None
    network: Network
    now: int
    sequence: int
    deadline: int | None
    unknown: int
    around: Surroundings = NOTHING_KNOWN
    claims: Claims = NO_CLAIMS
    notes: Notes = NO_NOTES

    @property
    def gas_needed(self) -> int:
        """wei the first operation costs at the network's lowest usual fee."""
        return install_gas(self.powers, expires=bool(self.install.expiry)) * self.network.fee_floor

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every contract and token named."""
        return (*(c.address for c in self.powers.contracts), *(t.address for t in self.powers.tokens), *self.powers.shut)

    @property
    def needing_code(self) -> tuple[Address, ...]:
        """Those that must be contracts: an address that is only paid, or paid up to a limit, may be a person's."""
        paid = {c.address for c in self.powers.contracts if isinstance(c, ContractAccess)} if self.powers.native else set()
        paid |= {*self.powers.paid}
        return tuple(a for a in self.addresses if a not in paid)

    @property
    def open_contracts(self) -> tuple[Address, ...]:
        """Those of which every function may be called, but for known tokens and for persons who are paid up to a limit."""
        persons = self.around.without_code if self.powers.native else frozenset()
        open_ = [c.address for c in self.powers.contracts if isinstance(c, ContractAccess)]
        return tuple(a for a in open_ if a not in persons and self.known(a) is None)

    def known(self, address: Address) -> Token | None:
        """The token at this address on our own list."""
        return token(self.account.chain_id, address) if self.account else None

    @property
    def said(self) -> tuple[Said, ...]:
        """Names that are only somebody's word, for what this grant names."""
        here = set(self.addresses)
        return tuple(one for one in said(self.claims, self.notes) if one.address in here)

    @property
    def imitations(self) -> tuple[tuple[Said, Token], ...]:
        """Those that carry a known token's name at another address, or one that looks like it."""
        chain = self.account.chain_id if self.account else 0
        tokens = {t.address for t in self.powers.tokens}
        unknown = (one for one in self.said if self.known(one.address) is None)
        found = ((one, imitated(one, chain, is_token=one.address in tokens)) for one in unknown)
        return tuple((one, real) for one, real in found if real is not None)

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """Every function named, wherever it may be called."""
        return (*self.powers.named, *self.powers.anywhere, *self.powers.account_functions)

    @property
    def names_twice(self) -> bool:
        """Two permissions for one contract or token: on chain they are not what each says alone."""
        kinds = (ContractAccess, FunctionsOnContract, Erc20TokenTransfer)
        named = [p.address for p in self.install.permissions if isinstance(p, kinds)]
        return len(set(named)) != len(named)

    @property
    def key_is_odd(self) -> bool:
        """The key is no key of a person or program: the account itself, one of the system's contracts, or nobody."""
        own = self.account.address if self.account else None
        key = self.install.session_key
        return key is not None and (key in (own, ZERO_ADDRESS, *MACHINERY))

    @property
    def beyond_balance(self) -> bool:
        have = dict(self.around.token_balances)
        return any(t.address in have and t.allowance > have[t.address] for t in self.powers.tokens)


def facts_of(
    reading: Reading,
    account: Account | None,
    now: int,
    around: Surroundings = NOTHING_KNOWN,
    claims: Claims = NO_CLAIMS,
    notes: Notes = NO_NOTES,
) -> Facts | None:
    """None when the reading lets nobody in."""
    deferred = reading if isinstance(reading, Deferred) else None
    install = reading.action if isinstance(reading, Deferred) else reading
    if not isinstance(install, Install):
        return None
    return Facts(
        install=install,
        powers=powers_of(install.permissions, is_global=install.is_global),
        account=account,
        network=network(account.chain_id) if account else Network(0, "", coin=tr("native coin"), fee_floor=10**7),
        now=now,
        sequence=deferred.sequence if deferred else 0,
        deadline=deferred.deadline if deferred else None,
        unknown=len(unknown_in(reading)),
        around=around,
        claims=claims,
        notes=notes,
    )
