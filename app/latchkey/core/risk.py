"""The rules a grant is held against: a table, one line of judgement each. A careful grant raises none.

A rule looks at facts (what the decoded bytes add up to, and what is known around them) and says how bad it is, what is so, and what to
do. `refused` marks what the account system's judge never lets be signed; it shows where bytes of others are explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from latchkey.core.account import Account
from latchkey.core.amounts import ETH, format_amount
from latchkey.core.contracts import ENTRY_POINT, MACHINERY, MODULES
from latchkey.core.facts import NO_CLAIMS, NOTHING_KNOWN, Facts, Surroundings, facts_of
from latchkey.core.functions import colliding
from latchkey.core.lookalikes import is_odd
from latchkey.core.names import NO_NOTES, Notes, contradicts, in_disguise, is_presumptuous
from latchkey.core.networks import NETWORKS
from latchkey.core.permissions import ContractAccess
from latchkey.core.phrases import Finding, Level
from latchkey.core.powers import NESTING_FUNCTIONS, PLAIN_PAYMENT, TOKEN_FUNCTIONS
from latchkey.core.reading import Reading, unknown_in
from latchkey.core.request import Claims
from latchkey.core.tokens import elsewhere
from latchkey.language import tr

DAY = 86_400
_GAS_UNITS_AT_MOST = 10**9  # wei; nobody means a billionth of a coin's billionth: these are gas units
_HUGE = 2**255
_CLOCK = 600  # seconds by which this computer and the chain may differ before it matters
_ORDER = list(Level)[::-1]


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    level: Level
    holds: Callable[[Facts], bool]
    sentence: str
    advice: str | Callable[[Facts], str]


def findings(
    reading: Reading,
    *,
    account: Account | None,
    now: int,
    surroundings: Surroundings = NOTHING_KNOWN,
    claims: Claims = NO_CLAIMS,
    notes: Notes = NO_NOTES,
) -> tuple[Finding, ...]:
    """Every rule that holds, worst first. Readings that let nobody in have none but what is unknown in them. `claims` and `notes`: the
    names that are shown beside what was read, which may be false."""
    facts = facts_of(reading, account, now, surroundings, claims, notes)
    if facts is None:
        return (_UNREADABLE,) if unknown_in(reading) else ()
    found = [
        Finding(rule.id, rule.level, rule.sentence, rule.advice if isinstance(rule.advice, str) else rule.advice(facts))
        for rule in RULES
        if rule.holds(facts)
    ]
    return tuple(sorted(found, key=lambda f: _ORDER.index(f.level)))


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


def _texts(f: Facts) -> Iterator[str]:
    """Every name of somebody's that is shown."""
    yield from (text for one in f.said for text in one.texts)
    yield f.claims.dapp_name


RULES: tuple[Rule, ...] = (
    Rule(
        "unknown-bytes",
        Level.DANGER,
        lambda f: f.unknown > 0,
        tr("A part of this grant cannot be read."),
        tr("Do not sign it. Ask the sender for a grant made of known permissions."),
    ),
    Rule(
        "root",
        Level.DANGER,
        lambda f: f.powers.is_root,
        tr("This key can do everything you can do, and no limit holds it."),
        tr("Choose the contracts and functions it really needs."),
    ),
    Rule(
        "lifts-limits",
        Level.REFUSED,
        lambda f: f.powers.lifts_limits and not f.powers.is_root,
        tr("It reaches what its own limits are kept in, so it can lift them."),
        tr("Do not sign it; Latchkey never grants this."),
    ),
    Rule(
        "entry-point",
        Level.REFUSED,
        lambda f: f.powers.reaches_entry_point,
        tr("It reaches the EntryPoint: it can take the gas deposit and change which grants are alive."),
        tr("Do not sign it; Latchkey never grants this."),
    ),
    Rule(
        "own-address",
        Level.REFUSED,
        lambda f: f.account is not None and f.account.address in f.addresses,
        tr("It names the account itself as a contract."),
        tr("Do not sign it; Latchkey never grants this."),
    ),
    Rule(
        "account-machinery",
        Level.REFUSED,
        lambda f: any(a in MACHINERY and a not in MODULES and a != ENTRY_POINT for a in f.addresses),
        tr("It names a contract that the account itself is made of."),
        tr("Do not sign it; Latchkey never grants this."),
    ),
    Rule(
        "key-not-a-key",
        Level.REFUSED,
        lambda f: f.key_is_odd,
        tr("What it lets in is not a key: it is the account, one of its own contracts, or nobody."),
        tr("Do not sign it. Ask for the address of the dApp's key."),
    ),
    Rule(
        "key-unknown",
        Level.DANGER,
        lambda f: f.install.session_key is None,
        tr("It does not say which key it lets in."),
        tr("Do not sign it."),
    ),
    Rule(
        "named-twice",
        Level.REFUSED,
        lambda f: f.names_twice,
        tr("Two permissions name one contract or token: on chain the later one changes the earlier."),
        tr("Ask for one permission for each."),
    ),
    Rule(
        "token-stops-account-functions",
        Level.REFUSED,
        lambda f: bool(f.powers.account_functions) and bool(f.powers.tokens),
        tr("With a token limit, the account refuses the account functions it also grants."),
        tr("Grant them to separate keys."),
    ),
    Rule(
        "no-power",
        Level.WARNING,
        lambda f: not f.powers.may_act and not f.unknown,
        tr("It allows no call at all."),
        tr("Choose what the key may do."),
    ),
    Rule(
        "direct-calls-only",
        Level.WARNING,
        lambda f: not f.install.is_user_op,
        tr("The key cannot sign operations; it can only call the account with its own transactions."),
        tr("Ask the sender for an ordinary grant."),
    ),
    Rule(
        "eth-unlimited",
        Level.DANGER,
        lambda f: f.powers.eth_unlimited and not f.powers.is_root,
        tr("Nothing limits how much of the account's coins leave with its calls."),
        tr("Set a limit; 0 means none may leave."),
    ),
    Rule(
        "gas-unlimited",
        Level.WARNING,
        lambda f: f.powers.gas_unlimited and not f.powers.is_root,
        tr("Nothing limits what it may spend on gas; a dishonest key can burn all the account's coins as fees."),
        lambda f: tr("Set a gas limit, for example {enough_gas}.", enough_gas=enough_gas(f)),
    ),
    Rule(
        "gas-limit-looks-like-gas-units",
        Level.WARNING,
        _gas_like_units,
        tr("The gas limit looks like a number of gas units; the account counts it in wei, so it pays for nothing."),
        lambda f: tr("{enough_gas} would do.", enough_gas=enough_gas(f)),
    ),
    Rule(
        "gas-limit-below-install",
        Level.WARNING,
        _gas_too_small,
        tr("The gas limit cannot pay the first call, which also installs the key."),
        lambda f: tr("{enough_gas} would do.", enough_gas=enough_gas(f)),
    ),
    Rule(
        "gas-limit-zero",
        Level.NOTICE,
        lambda f: _limited(f) and f.powers.gas == 0,
        tr("The key cannot pay for gas at all."),
        tr("Fine when the dApp pays; otherwise set an amount."),
    ),
    Rule(
        "account-functions",
        Level.WARNING,
        lambda f: bool(f.powers.account_functions),
        tr("It may call functions of the account itself."),
        tr("Grant this only when you know what each of them does."),
    ),
    Rule(
        "functions-anywhere",
        Level.WARNING,
        lambda f: any(s != PLAIN_PAYMENT for s in f.powers.anywhere) and not _anywhere(TOKEN_FUNCTIONS)(f),
        tr("It may call these functions on every contract there is."),
        tr("Name the contracts instead."),
    ),
    Rule(
        "pay-anyone",
        Level.WARNING,
        lambda f: PLAIN_PAYMENT in f.powers.anywhere,
        tr("It may pay anyone."),
        tr("Name the addresses it has to pay."),
    ),
    Rule(
        "transfer-anywhere",
        Level.DANGER,
        lambda f: _with("0xa9059cbb")(f) or _with("0x23b872dd")(f),
        tr("It may move tokens of every kind."),
        tr("Grant a token with a limit instead."),
    ),
    Rule(
        "approve-anywhere",
        Level.DANGER,
        lambda f: _with("0x095ea7b3")(f) or _with("0x39509351")(f),
        tr("It may let others take tokens of every kind, even after it is revoked."),
        tr("Grant a token with a limit instead."),
    ),
    Rule(
        "permit-anywhere",
        Level.DANGER,
        _with("0xd505accf"),
        tr("It may use permits on every token."),
        tr("Grant a token with a limit instead."),
    ),
    Rule(
        "set-approval-anywhere",
        Level.DANGER,
        _with("0xa22cb465"),
        tr("It may let others take all NFTs of any collection, even after it is revoked."),
        tr("Name the collection and its functions instead."),
    ),
    Rule(
        "token-functions-anywhere",
        Level.DANGER,
        lambda f: any(
            s in TOKEN_FUNCTIONS and s not in ("0xa9059cbb", "0x23b872dd", "0x095ea7b3", "0x39509351", "0xd505accf", "0xa22cb465")
            for s in f.powers.anywhere
        ),
        tr("It may move tokens or NFTs of every kind."),
        tr("Name the contracts and their functions instead."),
    ),
    Rule(
        "token-unlimited",
        Level.DANGER,
        lambda f: any(s in TOKEN_FUNCTIONS for s in f.powers.named),
        tr("It may move or approve tokens on a contract without any limit."),
        tr("Use a token transfer with an allowance instead."),
    ),
    Rule(
        "contract-any-function",
        Level.NOTICE,
        lambda f: bool(f.open_contracts),
        tr("It may call every function of a contract; if that is a token, it may move all of it."),
        tr("Name the functions it needs."),
    ),
    Rule(
        "token-whole-contract",
        Level.DANGER,
        lambda f: any(isinstance(c, ContractAccess) and f.known(c.address) for c in f.powers.contracts),
        tr("It may call every function of a token: it may move and approve all of it."),
        tr("Use a token transfer with an allowance instead."),
    ),
    Rule(
        "token-of-another-network",
        Level.WARNING,
        lambda f: f.account is not None and any(elsewhere(f.account.chain_id, a) for a in f.addresses),
        tr("One of its addresses is a known token on another network; on this one it is something else."),
        tr("Check the network, and the address of the token you mean."),
    ),
    Rule(
        "name-disguised",
        Level.DANGER,
        lambda f: any(in_disguise(one, real) for one, real in f.imitations) or any(map(is_presumptuous, _texts(f))),
        tr("A name that came with this only looks like a known one: other letters or other words stand in it."),
        tr("Do not sign it. Go by the address, and ask who sent this."),
    ),
    Rule(
        "name-of-a-known-token",
        Level.WARNING,
        lambda f: any(not in_disguise(one, real) for one, real in f.imitations),
        tr("Something here carries the name of a known token, but stands at another address."),
        tr("Go by the address: anybody can give any name to a token."),
    ),
    Rule(
        "name-contradicts-list",
        Level.WARNING,
        lambda f: any((real := f.known(one.address)) and contradicts(one, real) for one in f.said),
        tr("The sender calls a known token by another name, or counts it otherwise."),
        tr("Latchkey goes by its own list; ask the sender what is meant."),
    ),
    Rule(
        "name-odd",
        Level.WARNING,
        lambda f: f.claims.altered or any(map(is_odd, _texts(f))),
        tr("A name that came with this holds hidden characters, markup, or letters of several alphabets."),
        tr("Go by the addresses. Honest names need no such thing."),
    ),
    Rule(
        "function-name-collides",
        Level.WARNING,
        lambda f: colliding(f.selectors, (*f.claims.functions, *f.notes.functions)),
        tr("A function is offered under a name that is not its only one; such names can be made to mislead."),
        tr("Go by the selector, and look the function up in the contract's own source."),
    ),
    Rule(
        "nested-calls",
        Level.WARNING,
        lambda f: any(s in NESTING_FUNCTIONS for s in (*f.powers.named, *f.powers.anywhere)),
        tr("One of its functions carries other calls inside; the list of contracts does not reach into them."),
        tr("Name the functions it needs instead of a multicall."),
    ),
    Rule(
        "token-allowance-maximal",
        Level.WARNING,
        lambda f: any(t.allowance >= _HUGE for t in f.powers.tokens),
        tr("A token's limit is so large that it is none."),
        tr("Set the amount it really needs."),
    ),
    Rule(
        "eth-limit-maximal",
        Level.WARNING,
        lambda f: (f.powers.native or 0) >= _HUGE,
        tr("The limit on the account's coins is so large that it is none."),
        tr("Set the amount it really needs."),
    ),
    Rule(
        "gas-limit-maximal",
        Level.WARNING,
        lambda f: (f.powers.gas or 0) >= _HUGE,
        tr("The limit on gas is so large that it is none."),
        lambda f: tr("Set what it needs, for example {enough_gas}.", enough_gas=enough_gas(f)),
    ),
    Rule(
        "deadline-apart",
        Level.WARNING,
        lambda f: f.deadline is not None and f.deadline != f.install.expiry,
        tr("The time to bring it to the chain and the end of the session are not the same."),
        tr("Check that you want both; Latchkey makes them the same."),
    ),
    Rule(
        "no-expiry",
        Level.DANGER,
        lambda f: f.install.expiry == 0,
        tr("It never expires."),
        tr("Choose a date; a new key is quickly granted."),
    ),
    Rule(
        "long-expiry",
        Level.WARNING,
        lambda f: bool(f.install.expiry) and f.install.expiry - f.now > 30 * DAY,
        tr("It lasts longer than 30 days."),
        tr("Choose a nearer date; a new key is quickly granted."),
    ),
    Rule(
        "expired",
        Level.NOTICE,
        lambda f: bool(f.install.expiry) and f.install.expiry < f.now,
        tr("It has expired."),
        tr("Check this computer's clock, or ask for a new grant."),
    ),
    Rule(
        "not-yet-valid",
        Level.NOTICE,
        lambda f: f.install.valid_after > f.now,
        tr("It begins in the future."),
        tr("Check that this is what you expect."),
    ),
    Rule(
        "signs-messages",
        Level.DANGER,
        lambda f: f.install.signs_messages,
        tr("It may sign messages in the account's name: permits and logins, without any limit."),
        tr("Do not sign it."),
    ),
    Rule(
        "paymaster-guard",
        Level.NOTICE,
        lambda f: f.powers.paymaster is not None,
        tr("Its operations need one paymaster; with transactions of its own, which it pays for itself, the key does without."),
        tr("Check that the paymaster is the dApp's."),
    ),
    Rule(
        "sequence-not-fresh",
        Level.WARNING,
        lambda f: f.sequence > 0,
        tr("Its nonce does not start at 0: it may sleep now and come alive later."),
        tr("Use a fresh nonce key with sequence 0."),
    ),
    Rule(
        "chain-unknown",
        Level.WARNING,
        lambda f: f.account is not None and f.account.chain_id not in NETWORKS,
        tr("Latchkey does not know this network."),
        tr("Check the chain id with the dApp."),
    ),
    Rule(
        "eoa-as-contract",
        Level.WARNING,
        lambda f: any(a in f.around.without_code for a in f.needing_code),
        tr("One of its contracts holds no code: it is a person's address, or not there yet."),
        tr("Check the address and the network. Whoever puts code there decides what these calls do."),
    ),
    Rule(
        "unknown-code",
        Level.NOTICE,
        lambda f: any(a in f.around.unknown_code for a in f.addresses),
        tr("One of its contracts lends itself code, and from where cannot be told: what its functions do may change."),
        tr("Look it up before you sign."),
    ),
    Rule(
        "proxy",
        Level.NOTICE,
        lambda f: any(a in f.around.proxies for a in f.addresses),
        tr("One of its contracts can exchange its code: what the functions do may change."),
        tr("Keep the time short."),
    ),
    Rule(
        "allowance-above-balance",
        Level.NOTICE,
        lambda f: f.beyond_balance,
        tr("A token's limit is more than you hold: it also covers what you receive later."),
        tr("Set the amount it really needs."),
    ),
    Rule(
        "eth-above-balance",
        Level.NOTICE,
        lambda f: f.around.balance is not None and (f.powers.native or 0) > f.around.balance,
        tr("The limit on the account's coins is more than it holds: it also covers what you receive later."),
        tr("Set the amount it really needs."),
    ),
    Rule(
        "same-dapp-holds-session",
        Level.NOTICE,
        lambda f: f.around.same_dapp > 0,
        tr("This dApp already holds a session of this account."),
        tr("Revoke the old one if this replaces it; otherwise their limits add up."),
    ),
    Rule(
        "session-key-used-elsewhere",
        Level.WARNING,
        lambda f: f.install.session_key in f.around.keys_elsewhere,
        tr("This key already acts for another session: who holds it can do both."),
        tr("Ask the dApp for a key of its own."),
    ),
    Rule(
        "entity-id-used",
        Level.DANGER,
        lambda f: f.install.entity_id in f.around.used_entity_ids,
        tr("This account has had a session with this id: limits and lists left behind come back into force."),
        tr("Choose an id that was never used."),
    ),
    Rule(
        "clock-apart",
        Level.WARNING,
        lambda f: f.around.chain_time is not None and abs(f.around.chain_time - f.now) > _CLOCK,
        tr("This computer's clock and the chain's time are apart, so the end shown here may be wrong."),
        tr("Set this computer's clock."),
    ),
    Rule(
        "sender-unproven",
        Level.NOTICE,
        lambda f: f.around.sender_proven is False,
        tr("Nothing proves who sent this request."),
        tr("Compare the key's address with what the dApp shows."),
    ),
)

_UNREADABLE = Finding("unknown-bytes", Level.DANGER, tr("A part of this cannot be read."), tr("Do not sign it."))
