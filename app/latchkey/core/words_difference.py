"""Words for a second grant compared with a first: what it gives or takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latchkey.core.account import Account, Mode
from latchkey.core.draft import Draft
from latchkey.core.moments import utc
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.networks import network
from latchkey.core.permissions import ContractAccess
from latchkey.core.phrases import Part, Phrase
from latchkey.core.powers import Powers, powers_of
from latchkey.core.request import NO_CLAIMS, Claims
from latchkey.core.types import Address, Selector
from latchkey.core.words_pieces import Names, address_part, say, strong
from latchkey.language import tr


def difference(old: Draft, new: Draft, *, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> tuple[Phrase, ...]:
    """What `new` gives or takes compared with `old`; empty exactly when both give one key the same powers for the same time.

    Each phrase begins with "more", "less" or "other". Entity ids and nonces are no power and are not compared.
    """
    names = Names(Account(new.chain_id, new.account, new.system, Mode.ADDRESS), claims, notes)
    return (*_other(old, new), *_other_end(old.expiry, new.expiry), *_other_powers(old, new, names))


def _other(old: Draft, new: Draft) -> Iterator[Phrase]:
    if old.system != new.system:
        yield say("other account system: {system} instead of {system2}", system=new.system, system2=old.system)
    if old.chain_id != new.chain_id:
        yield say("other network: {chain} instead of {chain2}", chain=strong(_chain(new.chain_id)), chain2=_chain(old.chain_id))
    if old.account != new.account:
        yield say(
            "other account: {account} instead of {account2}", account=address_part(new.account), account2=address_part(old.account)
        )
    if old.session_key != new.session_key:
        yield say(
            "other key: {session_key} instead of {session_key2}",
            session_key=address_part(new.session_key),
            session_key2=address_part(old.session_key),
        )


def _chain(chain_id: int) -> str:
    return tr("{name} (chain id {chain_id})", name=network(chain_id).name, chain_id=chain_id)


def _other_end(old: int, new: int) -> Iterator[Phrase]:
    if old != new:
        kind = tr("less") if new and (not old or new < old) else tr("more")
        yield say("{kind} time: {end} instead of {end2}", kind=kind, end=strong(_end(new)), end2=_end(old))


def _end(expiry: int) -> str:
    return tr("until {time}", time=utc(expiry)) if expiry else tr("for ever")


def _other_powers(old: Draft, new: Draft, names: Names) -> Iterator[Phrase]:
    before, after = powers_of(old.permissions), powers_of(new.permissions)
    if after.is_root and not before.is_root:
        yield say("more: {everything_you}", everything_you=strong(tr("everything you can do with your account")))
    if before.is_root and not after.is_root:
        yield say("less: only what is listed, no longer everything you can do with your account")
    if before.is_root or after.is_root:
        return
    yield from _other_amount(tr("{coin} with its calls", coin=names.coin), before.native, after.native, names)
    yield from _other_amount(tr("{coin} for gas", coin=names.coin), before.gas, after.gas, names)
    if before.paymaster != after.paymaster:
        kind = tr("other") if before.paymaster and after.paymaster else tr("less") if after.paymaster else tr("more")
        yield say("{kind}: gas paid by {payer}, no longer by {payer2}", kind=kind, payer=_payer(after), payer2=_payer(before))
    yield from _other_functions(tr("functions of your account itself"), before.account_functions, after.account_functions, names)
    yield from _other_functions(tr("selectors of the account"), old.selectors, new.selectors, names)
    yield from _other_functions(tr("functions on any contract"), before.anywhere, after.anywhere, names)
    yield from _other_tokens(before, after, names)
    yield from _other_contracts(before, after, names)


def _other_amount(what: str, old: int | None, new: int | None, names: Names) -> Iterator[Phrase]:
    if old != new:
        kind = tr("more") if new is None or (old is not None and new > old) else tr("less")
        amounts = [Part(tr("no limit")) if wei is None else names.coins(wei) for wei in (new, old)]
        yield say("{kind} {what}: {amounts} instead of {amounts2}", kind=kind, what=what, amounts=amounts[0], amounts2=amounts[1])


def _other_functions(what: str, old: Sequence[Selector], new: Sequence[Selector], names: Names) -> Iterator[Phrase]:
    if added := [s for s in new if s not in old]:
        yield say("more {what}: {added}", what=what, added=names.functions(added))
    if taken := [s for s in old if s not in new]:
        yield say("less {what}: {taken}", what=what, taken=names.functions(taken))


def _other_tokens(old: Powers, new: Powers, names: Names) -> Iterator[Phrase]:
    before, after = ({t.address: t for t in powers.tokens} for powers in (old, new))
    for address in dict.fromkeys((*after, *before)):
        had, has = before.get(address), after.get(address)
        if has is not None and had is None:
            yield say("more: transfer or approve up to {has}", has=names.token(has))
        elif had is not None and has is None:
            yield say("less: no longer transfer or approve token {address}", address=names.named(address))
        elif had is not None and has is not None and had.allowance != has.allowance:
            kind = tr("more") if has.allowance > had.allowance else tr("less")
            yield say(
                "{kind}: transfer or approve up to {has} instead of {amount}",
                kind=kind,
                has=names.token(has),
                amount=names.amount(had.allowance, address),
            )


def _other_contracts(old: Powers, new: Powers, names: Names) -> Iterator[Phrase]:
    before, after = _by_address(old), _by_address(new)
    for address in dict.fromkeys((*after, *before)):
        had, has = before.get(address, frozenset()), after.get(address, frozenset())
        if has is None and had is not None:
            yield say("more: {any_function} of {address}", any_function=strong(tr("any function")), address=names.named(address))
        elif had is None and has:
            yield say(
                "less: only {sorted} of {address} instead of any", sorted=names.functions(sorted(has)), address=names.named(address)
            )
        elif had is None and has is not None:
            yield say("less: no longer any function of {address}", address=names.named(address))
        elif had is not None and has is not None:
            if added := sorted(has - had):
                yield say("more: {added} on {address}", added=names.functions(added), address=names.named(address))
            if taken := sorted(had - has):
                yield say("less: {taken} on {address}", taken=names.functions(taken), address=names.named(address))
    for address in sorted(set(new.shut) - set(old.shut)):
        yield say("less: {address} may not be called at all", address=names.named(address))
    for address in sorted(set(old.shut) - set(new.shut)):
        yield say("more: {address} may be called where a function is allowed on any contract", address=names.named(address))


def _payer(powers: Powers) -> Part:
    return address_part(powers.paymaster) if powers.paymaster else Part(tr("the account or anybody"))


def _by_address(powers: Powers) -> dict[Address, frozenset[Selector] | None]:
    """Contract -> functions that may be called on it, None for all."""
    return {c.address: None if isinstance(c, ContractAccess) else frozenset(c.functions) for c in powers.contracts}
