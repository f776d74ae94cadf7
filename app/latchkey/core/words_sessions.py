"""Words for what is on the chain: a session that may act now, and what is left of it.

The sentences are those of a grant (`words`), said of what is left. Nothing is promised that was not read: where the list of contracts
may be longer than what the logs showed, the words say so instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from latchkey.core.contracts import MODULES, WEBAUTHN
from latchkey.core.moments import span, until, utc
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.permissions import ContractAccess, FunctionsOnContract
from latchkey.core.phrases import Part, Phrase, Words
from latchkey.core.powers import PLAIN_PAYMENT, Powers, powers_of
from latchkey.core.reading import Install, Unknown
from latchkey.core.request import Claims
from latchkey.core.session import Hook, Leftover, Limit, LimitKind, Session
from latchkey.core.types import Address, to_hex
from latchkey.core.words import NO_CLAIMS, describe_left
from latchkey.core.words_pieces import Names, address_part, phrase, strong

_NAMED = 2  # contracts and tokens that a line names; more are counted
_UNLISTED = Unknown("logs", b"", "the logs that list its contracts and functions were not read completely")


def has_ended(session: Session, now: int) -> bool:
    """Its last second has passed: the account lets nothing through for it any more."""
    return bool(session.valid_until) and now > session.valid_until


def describe_session(session: Session, *, now: int, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> Words:
    """What a session on the chain may do at chain time `now`. `claims`: names its sender chose, where it was granted here; `notes`: the
    person's own. `signed` has what stands on the chain about it, label and value.
    """
    names, stands = Names(session.account, claims, notes), fields(session)
    if has_ended(session, now):
        headline = phrase(strong(f"Ended {utc(session.valid_until)}"), f" ({span(now - session.valid_until)} ago): ", who(session))
        headline = phrase(headline.parts, " can do nothing any more for your account ", names.whose(), ".")
        again = phrase("act again, unless the owner gives it a later end")
        lose = phrase("Nothing more through this key, beyond what it did or approved before")
        return Words(headline, (phrase("nothing: its time is over"),), (again,), (lose,), stands)
    words = describe_left(_worst(session), names, now)
    lose_too = _still_approved(session, names)
    return Words(_headline(session, names, now), words.can, words.cannot, (*words.most_you_can_lose, *lose_too), stands)


def summary(session: Session, *, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> Phrase:
    """What it may do, in one line for a list: coins, tokens, contracts. Gas is left to the bars."""
    names = Names(session.account, claims, notes)
    powers = powers_of(session.install.permissions, is_global=session.install.is_global)
    if powers.is_root:
        return phrase("everything you can do with this account")
    pieces = [*_spends(powers, names), *_calls(powers, names), *_beside(session)]
    if not pieces:
        return phrase("nothing more: its limits are used up" if powers.may_act else "nothing: no call is allowed")
    joined = list(pieces[0])
    for piece in pieces[1:]:
        joined += [Part("; "), *piece]
    return phrase(joined)


def limit_line(limit: Limit, names: Names) -> Phrase:
    """ "0.03 ETH left for gas, of 0.1 ETH granted", or "... left, granted amount unknown"."""
    amount = [names.coins(limit.left)] if limit.token is None else _amount(limit.left, limit.token, names)
    granted = "granted amount unknown"
    if limit.granted is not None:
        total = names.coins(limit.granted).text if limit.token is None else names.amount(limit.granted, limit.token)
        granted = f"of {total} granted"
    return phrase(amount, f" left{' for gas' if limit.kind is LimitKind.GAS else ''}, {granted}")


def who(session: Session) -> list[Part]:
    """Whoever acts through it."""
    if session.signer is not None:
        return [Part("key "), address_part(session.signer)]
    if session.module == WEBAUTHN:
        return [Part("a passkey")]
    return [Part("whoever module "), address_part(session.module), Part(" lets in")]


def _headline(session: Session, names: Names, now: int) -> Phrase:
    install = session.install
    when = strong(f"Until {until(install.expiry, now)}") if install.expiry else strong("For ever, until you revoke it")
    start = [Part(", from "), strong(until(install.valid_after, now))] if install.valid_after > now else []
    what = "do everything you can do with your account" if install.is_global else "act for your account"
    return phrase(when, start, ", ", who(session), f" can {what} ", names.whose(), ", without asking you.")


def _worst(session: Session) -> Install:
    """What is installed; a list that may be longer than what was read counts as a part that cannot be read."""
    install = session.install
    return install if session.targets_complete else replace(install, unknown=(*install.unknown, _UNLISTED))


def _still_approved(session: Session, names: Names) -> Iterator[Phrase]:
    """A token limit that is used up may have been used for approvals, which outlive the session. (With something left, `words` says so.)"""
    for limit in session.limits:
        if limit.token is not None and limit.left == 0 and limit.granted != 0:
            yield phrase("What it has approved of token ", names.named(limit.token), " so far; that can be taken after it ends too")


# --- the one line


def _spends(powers: Powers, names: Names) -> Iterator[list[Part]]:
    if powers.eth_unlimited:
        yield [strong(f"any amount of {names.coin}")]
    elif powers.native and powers.may_call:
        yield [Part("up to "), names.coins(powers.native)]
    tokens = [token for token in powers.tokens if token.allowance]
    for token in tokens[:_NAMED]:
        yield [Part("up to "), *_amount(token.allowance, token.address, names)]
    if more := tokens[_NAMED:]:
        yield [Part(f"{len(more)} more token{'s' if len(more) > 1 else ''} with limits")]


def _amount(amount: int, token: Address, names: Names) -> list[Part]:
    """In units alone where our own list knows the token; its address stands in the words."""
    return [strong(names.amount(amount, token))] if names.known(token) else names.tokens(amount, token)


def _calls(powers: Powers, names: Names) -> Iterator[list[Part]]:
    for contract in powers.contracts[:_NAMED]:
        yield [*_on(contract, names), *names.named(contract.address)]
    if more := powers.contracts[_NAMED:]:
        yield [Part(f"calls on {len(more)} more contract{'s' if len(more) > 1 else ''}")]
    if PLAIN_PAYMENT in powers.anywhere:
        yield [strong("payments to anyone")]
    if others := [s for s in powers.anywhere if s != PLAIN_PAYMENT]:
        yield [Part(f"{_count(len(others))} on "), strong("any contract")]
    if powers.account_functions_work:
        yield [Part(f"{_count(len(powers.account_functions))} of "), strong("the account itself")]


def _on(contract: ContractAccess | FunctionsOnContract, names: Names) -> list[Part]:
    if isinstance(contract, ContractAccess):
        return [strong("any function"), Part(" of ")]
    if len(contract.functions) == 1:
        return [*names.functions(contract.functions), Part(" on ")]
    return [Part(f"{_count(len(contract.functions))} on ")]


def _beside(session: Session) -> Iterator[list[Part]]:
    if session.install.signs_messages:
        yield [strong("messages in your name")]
    if session.install.unknown or not session.targets_complete:
        yield [strong("more that cannot be read")]


def _count(number: int) -> str:
    return f"{number} function{'s' if number != 1 else ''}"


# --- what stands on the chain


def fields(session: Session) -> tuple[tuple[str, str], ...]:
    """Everything that was read about it, label and value."""
    return tuple(_fields(session))


def _fields(session: Session) -> Iterator[tuple[str, str]]:
    install = session.install
    yield "Entity id", str(session.entity_id)
    yield "Validation module", _module(str(session.module), MODULES.get(session.module, "not known to Latchkey"))
    yield "Key", str(session.signer) if session.signer else "not readable"
    rights = {
        "operations": install.is_user_op,
        "messages (ERC-1271)": install.signs_messages,
        "everything (global)": install.is_global,
    }
    yield "May validate", ", ".join(name for name, given in rights.items() if given) or "nothing"
    yield "Functions of the account", " ".join(session.selectors) or "none of its own"
    yield "Not before", utc(session.valid_after) if session.valid_after else "at once"
    yield "Not after", utc(session.valid_until) if session.valid_until else "no end"
    for hook in session.hooks:
        yield "Hook before every operation", _hook(hook)
    for hook in session.execution_hooks:
        yield "Hook around every call", _hook(hook)
    for left in session.leftovers:
        yield "Left behind by an earlier session", _leftover(left)
    for unknown in install.unknown:
        yield f"Not understood: {unknown.where}", f"{to_hex(unknown.data)} ({unknown.why})"
    if session.installed_block is not None:
        yield "Installed in block", str(session.installed_block)
    if session.installed_in is not None:
        yield "Installed by transaction", to_hex(session.installed_in)


def _module(address: str, name: str) -> str:
    return f"{address} ({name})"


def _hook(hook: Hook) -> str:
    name = MODULES.get(hook.module, hook.name or "not known to Latchkey")
    return f"{_module(str(hook.module), name)}, entity {hook.entity_id}, flags {hook.flags}"


def _leftover(left: Leftover) -> str:
    what = "amount" if left.amount is not None else "entry"
    place = f" for {left.target}" if left.target else ""
    function = f" {left.selector}" if left.selector else ""
    amount = f" {left.amount}" if left.amount is not None else ""
    return f"{what}{amount}{function}{place} in {left.module}, entity {left.entity_id}"
