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
from latchkey.core.request import NO_CLAIMS, Claims
from latchkey.core.session import Hook, Leftover, Limit, LimitKind, Session
from latchkey.core.types import Address, to_hex
from latchkey.core.words import describe_left
from latchkey.core.words_pieces import Names, address_part, phrase, say, strong
from latchkey.language import tr, trn

_NAMED = 2  # contracts and tokens that a line names; more are counted
_UNLISTED = Unknown("logs", b"", tr("the logs that list its contracts and functions were not read completely"))


def has_ended(session: Session, now: int) -> bool:
    """Its last second has passed: the account lets nothing through for it any more."""
    return bool(session.valid_until) and now > session.valid_until


def describe_session(session: Session, *, now: int, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> Words:
    """What a session on the chain may do at chain time `now`. `claims`: names its sender chose, where it was granted here; `notes`: the
    person's own. `signed` has what stands on the chain about it, label and value.
    """
    names, stands = Names(session.account, claims, notes), fields(session)
    if has_ended(session, now):
        headline = say(
            "{ended} ({span} ago): {who}",
            ended=strong(tr("Ended {time}", time=utc(session.valid_until))),
            span=span(now - session.valid_until),
            who=who(session),
        )
        headline = say("{parts} can do nothing any more for your account {whose}.", parts=headline.parts, whose=names.whose())
        again = say("act again, unless the owner gives it a later end")
        lose = say("Nothing more through this key, beyond what it did or approved before")
        return Words(headline, (say("nothing: its time is over"),), (again,), (lose,), stands)
    words = describe_left(_worst(session), names, now)
    lose_too = _still_approved(session, names)
    return Words(_headline(session, names, now), words.can, words.cannot, (*words.most_you_can_lose, *lose_too), stands)


def summary(session: Session, *, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> Phrase:
    """What it may do, in one line for a list: coins, tokens, contracts. Gas is left to the bars."""
    names = Names(session.account, claims, notes)
    powers = powers_of(session.install.permissions, is_global=session.install.is_global)
    if powers.is_root:
        return say("everything you can do with this account")
    pieces = [*_spends(powers, names), *_calls(powers, names), *_beside(session)]
    if not pieces:
        return phrase(tr("nothing more: its limits are used up") if powers.may_act else tr("nothing: no call is allowed"))
    joined = list(pieces[0])
    for piece in pieces[1:]:
        joined += [Part("; "), *piece]
    return phrase(joined)


def limit_line(limit: Limit, names: Names) -> Phrase:
    """ "0.03 ETH left for gas, of 0.1 ETH granted", or "... left, granted amount unknown"."""
    amount = [names.coins(limit.left)] if limit.token is None else _amount(limit.left, limit.token, names)
    granted = tr("granted amount unknown")
    if limit.granted is not None:
        total = names.coins(limit.granted).text if limit.token is None else names.amount(limit.granted, limit.token)
        granted = tr("of {total} granted", total=total)
    return say(
        "{amount} left{for_gas}, {granted}",
        amount=amount,
        for_gas=tr(" for gas") if limit.kind is LimitKind.GAS else "",
        granted=granted,
    )


def who(session: Session) -> list[Part]:
    """Whoever acts through it."""
    if session.signer is not None:
        return [*say("key {signer}", signer=address_part(session.signer)).parts]
    if session.module == WEBAUTHN:
        return [Part(tr("a passkey"))]
    return [*say("whoever module {module} lets in", module=address_part(session.module)).parts]


def _headline(session: Session, names: Names, now: int) -> Phrase:
    install = session.install
    when = (
        strong(tr("Until {until}", until=until(install.expiry, now)))
        if install.expiry
        else strong(tr("For ever, until you revoke it"))
    )
    start = [*say(", from {until}", until=strong(until(install.valid_after, now))).parts] if install.valid_after > now else []
    what = tr("do everything you can do with your account") if install.is_global else tr("act for your account")
    return say(
        "{when}{start}, {who} can {what} {whose}, without asking you.",
        when=when,
        start=start,
        who=who(session),
        what=what,
        whose=names.whose(),
    )


def _worst(session: Session) -> Install:
    """What is installed; a list that may be longer than what was read counts as a part that cannot be read."""
    install = session.install
    return install if session.targets_complete else replace(install, unknown=(*install.unknown, _UNLISTED))


def _still_approved(session: Session, names: Names) -> Iterator[Phrase]:
    """A token limit that is used up may have been used for approvals, which outlive the session. (With something left, `words` says so.)"""
    for limit in session.limits:
        if limit.token is not None and limit.left == 0 and limit.granted != 0:
            yield say(
                "What it has approved of token {token} so far; that can be taken after it ends too", token=names.named(limit.token)
            )


# --- the one line


def _spends(powers: Powers, names: Names) -> Iterator[list[Part]]:
    if powers.eth_unlimited:
        yield [strong(tr("any amount of {coin}", coin=names.coin))]
    elif powers.native and powers.may_call:
        yield [*say("up to {native}", native=names.coins(powers.native)).parts]
    tokens = [token for token in powers.tokens if token.allowance]
    for token in tokens[:_NAMED]:
        yield [*say("up to {amount}", amount=_amount(token.allowance, token.address, names)).parts]
    if more := tokens[_NAMED:]:
        yield [Part(trn("{count} more token with limits", "{count} more tokens with limits", len(more)))]


def _amount(amount: int, token: Address, names: Names) -> list[Part]:
    """In units alone where our own list knows the token; its address stands in the words."""
    return [strong(names.amount(amount, token))] if names.known(token) else names.tokens(amount, token)


def _calls(powers: Powers, names: Names) -> Iterator[list[Part]]:
    for contract in powers.contracts[:_NAMED]:
        yield [*_on(contract, names), *names.named(contract.address)]
    if more := powers.contracts[_NAMED:]:
        yield [Part(trn("calls on {count} more contract", "calls on {count} more contracts", len(more)))]
    if PLAIN_PAYMENT in powers.anywhere:
        yield [strong(tr("payments to anyone"))]
    if others := [s for s in powers.anywhere if s != PLAIN_PAYMENT]:
        yield [*say("{count} on {any_contract}", count=_count(len(others)), any_contract=strong(tr("any contract"))).parts]
    if powers.account_functions_work:
        yield [
            *say(
                "{count} of {the_account}",
                count=_count(len(powers.account_functions)),
                the_account=strong(tr("the account itself")),
            ).parts
        ]


def _on(contract: ContractAccess | FunctionsOnContract, names: Names) -> list[Part]:
    if isinstance(contract, ContractAccess):
        return [*say("{any_function} of ", any_function=strong(tr("any function"))).parts]
    if len(contract.functions) == 1:
        return [*say("{functions} on ", functions=names.functions(contract.functions)).parts]
    return [Part(tr("{count} on ", count=_count(len(contract.functions))))]


def _beside(session: Session) -> Iterator[list[Part]]:
    if session.install.signs_messages:
        yield [strong(tr("messages in your name"))]
    if session.install.unknown or not session.targets_complete:
        yield [strong(tr("more that cannot be read"))]


def _count(number: int) -> str:
    return trn("{count} function", "{count} functions", number)


# --- what stands on the chain


def fields(session: Session) -> tuple[tuple[str, str], ...]:
    """Everything that was read about it, label and value."""
    return tuple(_fields(session))


def _fields(session: Session) -> Iterator[tuple[str, str]]:
    install = session.install
    yield tr("Entity id"), str(session.entity_id)
    yield tr("Validation module"), _module(str(session.module), MODULES.get(session.module, "not known to Latchkey"))
    yield tr("Key"), str(session.signer) if session.signer else tr("not readable")
    rights = {
        "operations": install.is_user_op,
        "messages (ERC-1271)": install.signs_messages,
        "everything (global)": install.is_global,
    }
    yield tr("May validate"), ", ".join(name for name, given in rights.items() if given) or tr("nothing")
    yield tr("Functions of the account"), " ".join(session.selectors) or tr("none of its own")
    yield tr("Not before"), utc(session.valid_after) if session.valid_after else tr("at once")
    yield tr("Not after"), utc(session.valid_until) if session.valid_until else tr("no end")
    for hook in session.hooks:
        yield tr("Hook before every operation"), _hook(hook)
    for hook in session.execution_hooks:
        yield tr("Hook around every call"), _hook(hook)
    for left in session.leftovers:
        yield tr("Left behind by an earlier session"), _leftover(left)
    for unknown in install.unknown:
        yield tr("Not understood: {where}", where=unknown.where), f"{to_hex(unknown.data)} ({unknown.why})"
    if session.installed_block is not None:
        yield tr("Installed in block"), str(session.installed_block)
    if session.installed_in is not None:
        yield tr("Installed by transaction"), to_hex(session.installed_in)


def _module(address: str, name: str) -> str:
    return f"{address} ({name})"


def _hook(hook: Hook) -> str:
    name = MODULES.get(hook.module, hook.name or "not known to Latchkey")
    return tr(
        "{module}, entity {entity_id}, flags {flags}",
        module=_module(str(hook.module), name),
        entity_id=hook.entity_id,
        flags=hook.flags,
    )


def _leftover(left: Leftover) -> str:
    what = tr("amount") if left.amount is not None else tr("entry")
    place = tr(" for {target}", target=left.target) if left.target else ""
    function = f" {left.selector}" if left.selector else ""
    amount = f" {left.amount}" if left.amount is not None else ""
    return tr(
        "{what}{amount}{function}{place} in {module}, entity {entity_id}",
        what=what,
        amount=amount,
        function=function,
        place=place,
        module=left.module,
        entity_id=left.entity_id,
    )
