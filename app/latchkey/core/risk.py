"""The rules a grant is held against: a table, one line of judgement each. A careful grant raises none.

A rule looks at facts (what the decoded bytes add up to) and says how bad it is, what is so, and what to do. `refused` is not used
here: what must never be granted is refused by the account system's judge before anything is asked of the owner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from latchkey.core.account import Account
from latchkey.core.amounts import ETH, format_amount
from latchkey.core.networks import NETWORKS, Network, network
from latchkey.core.permissions import ContractAccess, FunctionsOnContract
from latchkey.core.phrases import Finding, Level
from latchkey.core.powers import NESTING_FUNCTIONS, TOKEN_FUNCTIONS, Powers, install_gas, powers_of
from latchkey.core.reading import Deferred, Install, Reading, unknown_in

DAY = 86_400
_GAS_UNITS_AT_MOST = 10**9  # wei; nobody means a billionth of a coin's billionth: these are gas units
_HUGE = 2**255


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules may look at. `account` None: the bytes do not say which account or chain."""

    install: Install
    powers: Powers
    account: Account | None
    network: Network
    now: int
    sequence: int
    unknown: int

    @property
    def gas_needed(self) -> int:
        """wei the first operation costs at the network's lowest usual fee."""
        return install_gas(self.powers, expires=bool(self.install.expiry)) * self.network.fee_floor

    @property
    def named(self) -> tuple[str, ...]:
        return tuple(s for c in self.powers.contracts if isinstance(c, FunctionsOnContract) for s in c.functions)


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    level: Level
    holds: Callable[[Facts], bool]
    sentence: str
    advice: str | Callable[[Facts], str]


def findings(reading: Reading, *, account: Account | None, now: int) -> tuple[Finding, ...]:
    """Every rule that holds, worst first. Readings that let nobody in have none but what is unknown in them."""
    facts = _facts(reading, account, now)
    if facts is None:
        return (_UNREADABLE,) if unknown_in(reading) else ()
    found = [
        Finding(rule.id, rule.level, rule.sentence, rule.advice if isinstance(rule.advice, str) else rule.advice(facts))
        for rule in RULES
        if rule.holds(facts)
    ]
    order = list(Level)[::-1]
    return tuple(sorted(found, key=lambda f: order.index(f.level)))


def _facts(reading: Reading, account: Account | None, now: int) -> Facts | None:
    install = reading.action if isinstance(reading, Deferred) else reading
    if not isinstance(install, Install):
        return None
    return Facts(
        install=install,
        powers=powers_of(install.permissions, is_global=install.is_global),
        account=account,
        network=network(account.chain_id) if account else Network(0, "", coin="native coin", fee_floor=10**7),
        now=now,
        sequence=reading.sequence if isinstance(reading, Deferred) else 0,
        unknown=len(unknown_in(reading)),
    )


def enough_gas(facts: Facts) -> str:
    """An amount that pays the first operation with room: twenty times the lowest, rounded up to one digit."""
    wei = 20 * facts.gas_needed
    digits = 10 ** (len(str(wei)) - 1)
    return f"{format_amount(-(-wei // digits) * digits, ETH)} {facts.network.coin}"


def _anywhere(selectors: dict[str, str]) -> Callable[[Facts], bool]:
    return lambda f: any(s in selectors for s in f.powers.anywhere)


def _with(selector: str) -> Callable[[Facts], bool]:
    return lambda f: selector in f.powers.anywhere


def _limited(f: Facts) -> bool:
    return f.powers.gas is not None and not f.powers.is_root


def _gas_like_units(f: Facts) -> bool:
    return _limited(f) and 0 < (f.powers.gas or 0) < _GAS_UNITS_AT_MOST


def _gas_too_small(f: Facts) -> bool:
    gas = f.powers.gas or 0
    return _limited(f) and not _gas_like_units(f) and 0 < gas < f.gas_needed


RULES: tuple[Rule, ...] = (
    Rule(
        "unknown-bytes",
        Level.DANGER,
        lambda f: f.unknown > 0,
        "A part of this grant cannot be read.",
        "Do not sign it. Ask the sender for a grant made of known permissions.",
    ),
    Rule(
        "root",
        Level.DANGER,
        lambda f: f.powers.is_root,
        "This key can do everything you can do, and no limit holds it.",
        "Choose the contracts and functions it really needs.",
    ),
    Rule(
        "eth-unlimited",
        Level.DANGER,
        lambda f: f.powers.eth_unlimited,
        "Nothing limits how much of the account's coins leave with its calls.",
        "Set a limit; 0 means none may leave.",
    ),
    Rule(
        "gas-unlimited",
        Level.WARNING,
        lambda f: f.powers.gas_unlimited,
        "Nothing limits what it may spend on gas; a dishonest key can burn all the account's coins as fees.",
        lambda f: f"Set a gas limit, for example {enough_gas(f)}.",
    ),
    Rule(
        "gas-limit-looks-like-gas-units",
        Level.WARNING,
        _gas_like_units,
        "The gas limit looks like a number of gas units; the account counts it in wei, so it pays for nothing.",
        lambda f: f"{enough_gas(f)} would do.",
    ),
    Rule(
        "gas-limit-below-install",
        Level.WARNING,
        _gas_too_small,
        "The gas limit cannot pay the first call, which also installs the key.",
        lambda f: f"{enough_gas(f)} would do.",
    ),
    Rule(
        "gas-limit-zero",
        Level.NOTICE,
        lambda f: _limited(f) and f.powers.gas == 0,
        "The key cannot pay for gas at all.",
        "Fine when the dApp pays; otherwise set an amount.",
    ),
    Rule(
        "account-functions",
        Level.WARNING,
        lambda f: bool(f.powers.account_functions),
        "It may call functions of the account itself.",
        "Grant this only when you know what each of them does.",
    ),
    Rule(
        "functions-anywhere",
        Level.WARNING,
        lambda f: bool(f.powers.anywhere) and not _anywhere(TOKEN_FUNCTIONS)(f),
        "It may call these functions on every contract there is.",
        "Name the contracts instead.",
    ),
    Rule(
        "transfer-anywhere",
        Level.DANGER,
        lambda f: _with("0xa9059cbb")(f) or _with("0x23b872dd")(f),
        "It may move tokens of every kind.",
        "Grant a token with a limit instead.",
    ),
    Rule(
        "approve-anywhere",
        Level.DANGER,
        lambda f: _with("0x095ea7b3")(f) or _with("0x39509351")(f),
        "It may let others take tokens of every kind, even after it is revoked.",
        "Grant a token with a limit instead.",
    ),
    Rule(
        "permit-anywhere",
        Level.DANGER,
        _with("0xd505accf"),
        "It may use permits on every token.",
        "Grant a token with a limit instead.",
    ),
    Rule(
        "set-approval-anywhere",
        Level.DANGER,
        _with("0xa22cb465"),
        "It may let others take all NFTs of any collection, even after it is revoked.",
        "Name the collection and its functions instead.",
    ),
    Rule(
        "token-functions-anywhere",
        Level.DANGER,
        lambda f: any(
            s in TOKEN_FUNCTIONS and s not in ("0xa9059cbb", "0x23b872dd", "0x095ea7b3", "0x39509351", "0xd505accf", "0xa22cb465")
            for s in f.powers.anywhere
        ),
        "It may move tokens or NFTs of every kind.",
        "Name the contracts and their functions instead.",
    ),
    Rule(
        "token-unlimited",
        Level.DANGER,
        lambda f: any(s in TOKEN_FUNCTIONS for s in f.named),
        "It may move or approve tokens on a contract without any limit.",
        "Use a token transfer with an allowance instead.",
    ),
    Rule(
        "contract-any-function",
        Level.NOTICE,
        lambda f: any(isinstance(c, ContractAccess) for c in f.powers.contracts),
        "It may call every function of a contract; if that is a token, it may move all of it.",
        "Name the functions it needs.",
    ),
    Rule(
        "nested-calls",
        Level.WARNING,
        lambda f: any(s in NESTING_FUNCTIONS for s in (*f.named, *f.powers.anywhere)),
        "One of its functions carries other calls inside; the list of contracts does not reach into them.",
        "Name the functions it needs instead of a multicall.",
    ),
    Rule(
        "token-allowance-maximal",
        Level.WARNING,
        lambda f: any(t.allowance >= _HUGE for t in f.powers.tokens),
        "A token's limit is so large that it is none.",
        "Set the amount it really needs.",
    ),
    Rule(
        "eth-limit-maximal",
        Level.WARNING,
        lambda f: (f.powers.native or 0) >= _HUGE,
        "The limit on the account's coins is so large that it is none.",
        "Set the amount it really needs.",
    ),
    Rule(
        "no-expiry",
        Level.DANGER,
        lambda f: f.install.expiry == 0,
        "It never expires.",
        "Choose a date; a new key is quickly granted.",
    ),
    Rule(
        "long-expiry",
        Level.WARNING,
        lambda f: bool(f.install.expiry) and f.install.expiry - f.now > 30 * DAY,
        "It lasts longer than 30 days.",
        "Choose a nearer date; a new key is quickly granted.",
    ),
    Rule(
        "expired",
        Level.NOTICE,
        lambda f: bool(f.install.expiry) and f.install.expiry < f.now,
        "It has expired.",
        "Check this computer's clock, or ask for a new grant.",
    ),
    Rule(
        "not-yet-valid",
        Level.NOTICE,
        lambda f: f.install.valid_after > f.now,
        "It begins in the future.",
        "Check that this is what you expect.",
    ),
    Rule(
        "signs-messages",
        Level.DANGER,
        lambda f: f.install.signs_messages,
        "It may sign messages in the account's name: permits and logins, without any limit.",
        "Do not sign it.",
    ),
    Rule(
        "paymaster-guard",
        Level.NOTICE,
        lambda f: f.powers.paymaster is not None,
        "It works only while one paymaster pays.",
        "Check that the paymaster is the dApp's.",
    ),
    Rule(
        "sequence-not-fresh",
        Level.WARNING,
        lambda f: f.sequence > 0,
        "Its nonce does not start at 0: it may sleep now and come alive later.",
        "Use a fresh nonce key with sequence 0.",
    ),
    Rule(
        "chain-unknown",
        Level.WARNING,
        lambda f: f.account is not None and f.account.chain_id not in NETWORKS,
        "Latchkey does not know this network.",
        "Check the chain id with the dApp.",
    ),
)

_UNREADABLE = Finding("unknown-bytes", Level.DANGER, "A part of this cannot be read.", "Do not sign it.")
