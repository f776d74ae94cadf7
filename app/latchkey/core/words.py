"""Words for every power, and the only place that makes them. They are a function of the decoded bytes, never of what a form said.

Equal words mean equal powers: every address and every amount is written out in full. What is said is what the chain enforces: where a
promise would need more than the account checks, it is not made. `words_calls` has the sentences for single calls, `words_pieces` what
sentences are put together from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from latchkey.core.account import Account, Mode
from latchkey.core.contracts import MACHINERY
from latchkey.core.draft import Draft
from latchkey.core.moments import until, utc
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.networks import network
from latchkey.core.permissions import ContractAccess, FunctionsOnContract, Permission, permission_to_json
from latchkey.core.phrases import Part, Phrase, Words
from latchkey.core.powers import (
    NESTING_FUNCTIONS,
    PLAIN_PAYMENT,
    RECEIVER_FUNCTIONS,
    TOKEN_FUNCTIONS,
    Powers,
    is_payment,
    powers_of,
)
from latchkey.core.reading import Action, Batch, Call, Deferred, Install, Reading, Uninstall, Unknown, unknown_in
from latchkey.core.request import Claims
from latchkey.core.types import Address, Selector, keccak, to_hex
from latchkey.core.words_calls import GAS_ONLY, describe_calls, unread
from latchkey.core.words_pieces import Names, address_part, code, phrase, strong

NO_CLAIMS = Claims()


def describe(reading: Reading, *, account: Account | None, now: int, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> Words:
    """What the bytes mean. `account`: whose account and chain, None when the bytes alone do not say. `now`: chain seconds. `claims` and
    `notes` add names, each marked as whose word it is, and change nothing else."""
    action = reading.action if isinstance(reading, Deferred) else reading
    names = Names(account, claims, notes)
    words = _action(action, names, now, unknown_in(reading), deadline=reading.deadline if isinstance(reading, Deferred) else None)
    return Words(words.headline, words.can, words.cannot, words.most_you_can_lose, tuple(_signed(reading, account)))


def _action(action: Action, names: Names, now: int, unknown: tuple[Unknown, ...], *, deadline: int | None = None) -> Words:
    match action:
        case Install():
            return _Grant(action, names, now, unknown, deadline).words()
        case Uninstall():
            return _uninstall(action, names, unknown)
        case Call():
            return describe_calls((action,), names, unknown, lambda inner: _action(inner, names, now, unknown_in(inner)))
        case Batch():
            return describe_calls(action.calls, names, unknown, lambda inner: _action(inner, names, now, unknown_in(inner)))


def describe_left(install: Install, names: Names, now: int) -> Words:
    """What a session that is on the chain may still do: the amounts in `install` are what is left."""
    return _Grant(install, names, now, unknown_in(install), None, left=True).words()


class _Grant:
    """A session key let in. `deadline`: until when a signed grant may be brought to the chain; None when the owner does so directly.
    `left`: the amounts are what is left of it, not what it began with."""

    def __init__(
        self,
        install: Install,
        names: Names,
        now: int,
        unknown: tuple[Unknown, ...],
        deadline: int | None,
        *,
        left: bool = False,
    ) -> None:
        self.install, self.names, self.now, self.unknown, self.deadline = install, names, now, unknown, deadline
        self.left = left
        self.in_total, self.none = ("from now on", "its limit is 0 now") if left else ("in total", "limit 0")
        self.powers = powers_of(install.permissions, is_global=install.is_global)

    def words(self) -> Words:
        nothing = () if self.powers.may_act else (phrase("nothing: no call is allowed"),)
        can = (*nothing, *self._can())
        return Words(self._headline(), can, tuple(self._cannot()), self._lose())

    def _headline(self) -> Phrase:
        install = self.install
        when = strong(f"Until {until(install.expiry, self.now)}") if install.expiry else strong("For ever, until you revoke it")
        start = [Part(", from "), strong(until(install.valid_after, self.now))] if install.valid_after else []
        unnamed = "a key of an unknown kind" if self.unknown else "a key that is not named yet"
        key = [Part("key "), address_part(install.session_key)] if install.session_key else [Part(unnamed)]
        what = "do everything you can do with your account" if self.powers.is_root else "act for your account"
        return phrase(when, start, ", ", key, f" can {what} ", self.names.whose(), ", without asking you.")

    # --- it can

    def _can(self) -> Iterator[Phrase]:
        powers, names = self.powers, self.names
        if powers.is_root:
            yield from self._can_as_root()
        elif powers.lifts_limits:
            yield phrase(strong("lift its own limits"), ": it reaches what they are kept in")
        if powers.reaches_entry_point:
            yield phrase("take the account's gas deposit at the EntryPoint, and cancel or wake grants you signed")
        if powers.account_functions:
            works = "" if powers.account_functions_work else " (the account refuses these while a token limit is set)"
            yield phrase(
                "call these functions of ", strong("your account itself"), ": ", names.functions(powers.account_functions), works
            )
        for contract in powers.contracts:
            yield self._contract(contract)
        yield from self._anywhere()
        for token in powers.tokens:
            if token.allowance or not self.left:
                yield phrase("transfer or approve up to ", names.token(token), f" {self.in_total}")
        yield from self._can_spend()
        if self.install.signs_messages:
            yield phrase("sign messages and permits in your account's name")
        yield from unread(self.unknown)

    def _can_as_root(self) -> Iterator[Phrase]:
        yield phrase(f"send all {self.names.coin} and all tokens anywhere")
        yield phrase("let in other keys, replace the owner, and replace the account's code")
        if self.install.expiry:
            yield phrase("remove its own expiry, by letting in another key before it ends")

    def _contract(self, contract: ContractAccess | FunctionsOnContract) -> Phrase:
        named = self.names.named(contract.address)
        if isinstance(contract, ContractAccess):
            return phrase("call ", strong("any function"), " of ", named)
        if is_payment(contract):
            return phrase("send plain payments (calls of ", code(PLAIN_PAYMENT), ") to ", named)
        return phrase("call ", self.names.functions(contract.functions), " on ", named)

    def _anywhere(self) -> Iterator[Phrase]:
        powers, listed = self.powers, self.powers.contracts or self.powers.tokens
        beside = " not listed here" if listed else ""
        if PLAIN_PAYMENT in powers.anywhere:
            yield phrase("send plain payments (calls without data, or of ", code(PLAIN_PAYMENT), ") to ", strong("anyone"), beside)
        if others := _calls_anywhere(powers):
            yield phrase("call ", self.names.functions(others), " on ", strong("any contract"), beside)

    def _can_spend(self) -> Iterator[Phrase]:
        powers, names = self.powers, self.names
        if powers.is_root:
            return
        if powers.eth_unlimited:
            yield phrase("attach ", strong(f"any amount of {names.coin}"), " to these calls, up to all the account holds")
        elif powers.native and powers.may_call:
            calls = "its calls to contracts" if powers.account_functions else "these calls"
            yield phrase("send or attach up to ", names.coins(powers.native), f" {self.in_total} with {calls}")
        if powers.gas and not powers.paymaster:
            yield phrase("spend up to ", names.coins(powers.gas), f" on gas {self.in_total}, when nobody else pays for it")
        elif powers.gas_unlimited:
            yield phrase("spend ", strong(f"any amount of {names.coin}"), " on gas, up to all the account and its gas deposit hold")

    # --- it cannot

    def _cannot(self) -> Iterator[Phrase]:
        powers = self.powers
        if self.unknown:
            yield phrase("be relied on to stay within this: a part of it cannot be read")
            return
        if powers.is_root:
            yield phrase("be held back by any limit")
        elif powers.lifts_limits:
            yield phrase("be held back by these limits: it can lift them")
        else:
            yield from self._cannot_spend()
            yield from self._cannot_call()
            if not self.install.signs_messages:
                yield phrase("sign messages or permits in your name")
        yield from self._cannot_outlive()

    def _cannot_spend(self) -> Iterator[Phrase]:
        powers, names = self.powers, self.names
        if powers.native == 0:
            calls = " with its calls to contracts" if powers.account_functions else ""
            yield phrase(f"send or attach any {names.coin}{calls} ({self.none})")
        elif powers.native and not powers.may_call:
            yield phrase(f"use its {names.coin} limit of ", names.coins(powers.native), ": it may call no contract to send it with")
        for token in powers.tokens:
            if self.left and not token.allowance:
                yield phrase("transfer or approve any of token ", names.named(token.address), f" ({self.none})")
        if powers.paymaster:
            limit = (
                [Part("; its gas limit of "), names.coins(powers.gas), Part(" is not touched")] if powers.gas is not None else []
            )
            yield phrase(
                f"spend your {names.coin} on gas: paymaster ",
                address_part(powers.paymaster),
                " or the key itself has to pay",
                limit,
            )
        elif powers.gas == 0:
            yield phrase(f"pay for gas from your account ({self.none}): a paymaster or the key itself has to pay for every call")

    def _cannot_call(self) -> Iterator[Phrase]:
        powers = self.powers
        if not _may_move_tokens(powers) and not self.install.signs_messages:
            other = "other " if powers.tokens else ""
            unless = ", unless these functions do so themselves" if len(powers.contracts) > len(powers.paid) else ""
            yield phrase(f"move or approve any {other}token{unless}")
        for address in powers.paid:
            yield phrase("call any function of ", self.names.named(address))
        for address in powers.shut:
            yield phrase("call ", self.names.named(address), " at all")
        if powers.may_call:
            yield phrase("call any other function" if powers.anywhere else "call any other contract")
        else:
            yield phrase("call any contract by itself")
        if powers.account_functions:
            yield phrase("call any other function of your account")
        elif not self._may_change_account():
            yield phrase("change this account, its owner or its other keys")

    def _may_change_account(self) -> bool:
        own = self.names.account and any(c.address == self.names.account.address for c in self.powers.contracts)
        return bool(own) or self.powers.reaches_entry_point

    def _cannot_outlive(self) -> Iterator[Phrase]:
        install, deadline = self.install, self.deadline
        if deadline and not install.expiry:
            yield phrase(f"be used for the first time after {utc(deadline)}; used by then, it goes on")
        elif deadline and deadline < install.expiry:
            yield phrase(f"be used for the first time after {utc(deadline)}")
        end = (
            f"do anything after {utc(install.expiry)}, or after you revoke it"
            if install.expiry
            else "do anything after you revoke it"
        )
        free = self.powers.is_root or self.powers.lifts_limits
        yield phrase(end + (", unless it has let in another key or changed its end by then" if free else ""))

    # --- most you can lose

    def _lose(self) -> tuple[Phrase, ...]:
        if self.unknown or self.powers.is_root or self.powers.lifts_limits:
            why = " (a part of this cannot be read)" if self.unknown else ""
            return (phrase(strong("Everything in this account, and the account itself"), why),)
        return (*self._lose_coins(), *self._lose_in_calls()) or (phrase("Nothing: no call is allowed"),)

    def _lose_coins(self) -> Iterator[Phrase]:
        powers, names = self.powers, self.names
        if powers.eth_unlimited and powers.gas_unlimited:
            yield phrase(strong(f"All {names.coin} in the account"), ", with its calls or in gas, and its gas deposit", _PAYMASTERS)
        elif powers.eth_unlimited:
            yield phrase(strong(f"All {names.coin} in the account"), ", with its calls")
        elif powers.native and powers.may_call:
            yield phrase(names.coins(powers.native), ", with its calls")
        if powers.gas_unlimited and not powers.eth_unlimited:
            yield phrase(strong(f"All {names.coin} in the account"), " and its gas deposit, in gas", _PAYMASTERS)
        elif powers.gas and not powers.paymaster:
            yield phrase(names.coins(powers.gas), ", in gas", _PAYMASTERS)
        elif powers.paymaster and powers.may_act:
            yield phrase("Tokens you approved to paymaster ", address_part(powers.paymaster), ", if any, in gas")
        elif powers.gas == 0 and powers.may_act:
            yield phrase("Tokens you approved to paymasters, if any, in gas")
        for token in powers.tokens:
            if token.allowance:
                yield phrase(names.token(token), "; what it approved can still be taken after the session ends")
        if powers.reaches_entry_point:
            yield phrase("The account's gas deposit at the EntryPoint")
        if self.install.signs_messages:
            yield phrase(strong("Tokens of any kind"), " in the account, through messages and permits it signs")

    def _lose_in_calls(self) -> Iterator[Phrase]:
        powers, others = self.powers, _calls_anywhere(self.powers)
        if any(s in TOKEN_FUNCTIONS for s in others):
            yield phrase(
                strong("Tokens and NFTs of any kind"),
                " in the account, through the functions it may call anywhere",
                _lasting(others),
            )
        elif others:
            yield phrase("What the functions it may call do in any contract, with anything you approved there", _receiver(others))
        for contract in powers.contracts:
            yield self._lose_in(contract)
        if powers.account_functions_work:
            yield phrase("What the named functions of your account do")
        if any(s in NESTING_FUNCTIONS for s in (*powers.named, *others)):
            yield phrase("What is done by calls packed inside other calls; the list of contracts does not reach into them")

    def _lose_in(self, contract: ContractAccess | FunctionsOnContract) -> Phrase:
        named, known = self.names.named(contract.address), self.names.known(contract.address)
        if known and isinstance(contract, ContractAccess):
            return phrase(strong("All you hold"), " of ", named, _lasting(_APPROVING))
        if isinstance(contract, ContractAccess):
            ours = contract.address in MACHINERY or (self.names.account and contract.address == self.names.account.address)
            beside = "" if ours else ", with anything you approved to it; if it is a token, all of it"
            return phrase("What ", named, " does when called", beside)
        if is_payment(contract):
            return phrase("What ", named, " does when it is paid, if it is a contract")
        if any(s in TOKEN_FUNCTIONS for s in contract.functions):
            perhaps = "" if known else ", if it is a token or NFT"
            return phrase(strong("All you hold"), " of ", named, perhaps, _lasting(contract.functions))
        return phrase("What these functions do in ", named, ", with anything you approved to it", _receiver(contract.functions))


#: Gas that a paymaster pays for counts against no limit, and some take tokens for it.
_PAYMASTERS = "; also tokens you approved to paymasters, if any"
_APPROVING = {"0x095ea7b3", "0x39509351", "0xd505accf", "0xa22cb465", "0x959b8c3f", "0x87517c45", "0x2b67b570", "0x8fcbaf0c"}


def _lasting(selectors: Iterable[str]) -> str:
    return "; what it approved can still be taken after the session ends" if any(s in _APPROVING for s in selectors) else ""


def _receiver(selectors: Sequence[Selector]) -> str:
    return "; the key chooses who receives what they pay out" if any(s in RECEIVER_FUNCTIONS for s in selectors) else ""


def _calls_anywhere(powers: Powers) -> list[Selector]:
    return [s for s in powers.anywhere if s != PLAIN_PAYMENT]


def _may_move_tokens(powers: Powers) -> bool:
    """Whether tokens beyond the token limits may be reached, as far as can be told: then nothing is promised about them."""
    if _calls_anywhere(powers) or powers.account_functions_work:
        return True
    if any(isinstance(c, ContractAccess) for c in powers.contracts):
        return True
    return any(s in TOKEN_FUNCTIONS or s in NESTING_FUNCTIONS for s in powers.named)


def _uninstall(uninstall: Uninstall, names: Names, unknown: tuple[Unknown, ...]) -> Words:
    if uninstall.entity_id == 0:
        headline = phrase("This ", strong("takes out the owner's own key"), " (entity 0) from your account ", names.whose(), ".")
        lose = phrase(strong("The account itself"), ", unless another key can still act as its owner")
        return Words(headline, tuple(unread(unknown)), (phrase("be undone by the key it takes out"),), (lose,))
    headline = phrase("This ", strong("ends"), f" the access of session {uninstall.entity_id} to your account ", names.whose(), ".")
    session, later = f"session {uninstall.entity_id}", "if the same id is granted again"
    can = [phrase("nothing any more, once this has succeeded on chain")]
    if not all(uninstall.hook_data) or not uninstall.hook_data:
        which = "some" if any(uninstall.hook_data) else "the"
        can.append(phrase(f"leave {which} limits and lists of {session} stored on chain: they come back {later}"))
    if not uninstall.uninstall_data:
        can.append(phrase(f"leave the key of {session} stored on chain: it comes back {later} without a key"))
    cannot = (
        phrase("be undone; a new session has to be granted instead"),
        phrase("take back what the session approved or signed before"),
        phrase("end other sessions, even those of the same key or those it let in"),
        phrase("stop a grant of this id that is signed but not used yet; that takes cancelling its nonce"),
    )
    lose = phrase(strong("Unknown"), ": a part of this cannot be read") if unknown else GAS_ONLY
    return Words(headline, (*can, *unread(unknown)), cannot, (lose,))


# --- a second grant compared with a first


def difference(old: Draft, new: Draft, *, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> tuple[Phrase, ...]:
    """What `new` gives or takes compared with `old`; empty exactly when both give one key the same powers for the same time.

    Each phrase begins with "more", "less" or "other". Entity ids and nonces are no power and are not compared.
    """
    names = Names(Account(new.chain_id, new.account, new.system, Mode.ADDRESS), claims, notes)
    return (*_other(old, new), *_other_end(old.expiry, new.expiry), *_other_powers(old, new, names))


def _other(old: Draft, new: Draft) -> Iterator[Phrase]:
    if old.system != new.system:
        yield phrase("other account system: ", new.system, " instead of ", old.system)
    if old.chain_id != new.chain_id:
        yield phrase("other network: ", strong(_chain(new.chain_id)), " instead of ", _chain(old.chain_id))
    if old.account != new.account:
        yield phrase("other account: ", address_part(new.account), " instead of ", address_part(old.account))
    if old.session_key != new.session_key:
        yield phrase("other key: ", address_part(new.session_key), " instead of ", address_part(old.session_key))


def _chain(chain_id: int) -> str:
    return f"{network(chain_id).name} (chain id {chain_id})"


def _other_end(old: int, new: int) -> Iterator[Phrase]:
    if old != new:
        kind = "less" if new and (not old or new < old) else "more"
        yield phrase(f"{kind} time: ", strong(_end(new)), " instead of ", _end(old))


def _end(expiry: int) -> str:
    return f"until {utc(expiry)}" if expiry else "for ever"


def _other_powers(old: Draft, new: Draft, names: Names) -> Iterator[Phrase]:
    before, after = powers_of(old.permissions), powers_of(new.permissions)
    if after.is_root and not before.is_root:
        yield phrase("more: ", strong("everything you can do with your account"))
    if before.is_root and not after.is_root:
        yield phrase("less: only what is listed, no longer everything you can do with your account")
    if before.is_root or after.is_root:
        return
    yield from _other_amount(f"{names.coin} with its calls", before.native, after.native, names)
    yield from _other_amount(f"{names.coin} for gas", before.gas, after.gas, names)
    if before.paymaster != after.paymaster:
        kind = "other" if before.paymaster and after.paymaster else "less" if after.paymaster else "more"
        yield phrase(f"{kind}: gas paid by ", _payer(after), ", no longer by ", _payer(before))
    yield from _other_functions("functions of your account itself", before.account_functions, after.account_functions, names)
    yield from _other_functions("selectors of the account", old.selectors, new.selectors, names)
    yield from _other_functions("functions on any contract", before.anywhere, after.anywhere, names)
    yield from _other_tokens(before, after, names)
    yield from _other_contracts(before, after, names)


def _other_amount(what: str, old: int | None, new: int | None, names: Names) -> Iterator[Phrase]:
    if old != new:
        kind = "more" if new is None or (old is not None and new > old) else "less"
        amounts = [Part("no limit") if wei is None else names.coins(wei) for wei in (new, old)]
        yield phrase(f"{kind} {what}: ", amounts[0], " instead of ", amounts[1])


def _other_functions(what: str, old: Sequence[Selector], new: Sequence[Selector], names: Names) -> Iterator[Phrase]:
    if added := [s for s in new if s not in old]:
        yield phrase(f"more {what}: ", names.functions(added))
    if taken := [s for s in old if s not in new]:
        yield phrase(f"less {what}: ", names.functions(taken))


def _other_tokens(old: Powers, new: Powers, names: Names) -> Iterator[Phrase]:
    before, after = ({t.address: t for t in powers.tokens} for powers in (old, new))
    for address in dict.fromkeys((*after, *before)):
        had, has = before.get(address), after.get(address)
        if has is not None and had is None:
            yield phrase("more: transfer or approve up to ", names.token(has))
        elif had is not None and has is None:
            yield phrase("less: no longer transfer or approve token ", names.named(address))
        elif had is not None and has is not None and had.allowance != has.allowance:
            kind = "more" if has.allowance > had.allowance else "less"
            yield phrase(
                f"{kind}: transfer or approve up to ", names.token(has), f" instead of {names.amount(had.allowance, address)}"
            )


def _other_contracts(old: Powers, new: Powers, names: Names) -> Iterator[Phrase]:
    before, after = _by_address(old), _by_address(new)
    for address in dict.fromkeys((*after, *before)):
        had, has = before.get(address, frozenset()), after.get(address, frozenset())
        if has is None and had is not None:
            yield phrase("more: ", strong("any function"), " of ", names.named(address))
        elif had is None and has:
            yield phrase("less: only ", names.functions(sorted(has)), " of ", names.named(address), " instead of any")
        elif had is None and has is not None:
            yield phrase("less: no longer any function of ", names.named(address))
        elif had is not None and has is not None:
            if added := sorted(has - had):
                yield phrase("more: ", names.functions(added), " on ", names.named(address))
            if taken := sorted(had - has):
                yield phrase("less: ", names.functions(taken), " on ", names.named(address))
    for address in sorted(set(new.shut) - set(old.shut)):
        yield phrase("less: ", names.named(address), " may not be called at all")
    for address in sorted(set(old.shut) - set(new.shut)):
        yield phrase("more: ", names.named(address), " may be called where a function is allowed on any contract")


def _payer(powers: Powers) -> Part:
    return address_part(powers.paymaster) if powers.paymaster else Part("the account or anybody")


def _by_address(powers: Powers) -> dict[Address, frozenset[Selector] | None]:
    """Contract -> functions that may be called on it, None for all."""
    return {c.address: None if isinstance(c, ContractAccess) else frozenset(c.functions) for c in powers.contracts}


# --- what is signed


def _signed(reading: Reading, account: Account | None) -> Iterator[tuple[str, str]]:
    """Every field, as it stands in the bytes."""
    if account is not None:
        yield "Network", f"{network(account.chain_id).name} (chain id {account.chain_id})"
        yield "Account", str(account.address)
    if isinstance(reading, Deferred):
        if reading.account is not None and (account is None or account.address != reading.account):
            yield "Account named in the data", str(reading.account)
        if reading.chain_id is not None and (account is None or account.chain_id != reading.chain_id):
            yield "Chain id named in the data", str(reading.chain_id)
        yield "Kind", "DeferredAction: an action you sign now and the session key carries in its first call"
        yield "Nonce", f"0x{reading.nonce:064x}"
        yield "Nonce key", hex(reading.nonce_key)
        yield "Nonce sequence", str(reading.sequence)
        yield "Nonce entity id", str(reading.entity_id)
        yield "Nonce options", f"{reading.options} ({_options(reading.options)})"
        yield "Deadline", _time(reading.deadline)
        if reading.signer_entity_id is not None:
            yield "Signed by", "the owner (entity 0)" if reading.signer_entity_id == 0 else f"entity {reading.signer_entity_id}"
        if reading.needs_execute_user_op is not None:
            yield "Calls wrapped in executeUserOp", "yes" if reading.needs_execute_user_op else "no"
        if reading.signature is not None:
            yield "Signature", to_hex(reading.signature)
        yield "Call", f"{to_hex(reading.call[:4])}, {len(reading.call)} bytes, hash {to_hex(keccak(reading.call))}"
        yield from _signed_action(reading.action)
    else:
        yield from _signed_action(reading)
    for unknown in unknown_in(reading):
        yield f"Not understood: {unknown.where}", f"{to_hex(unknown.data)} ({unknown.why})"


def _signed_action(action: Action) -> Iterator[tuple[str, str]]:
    if isinstance(action, Install):
        yield "Function", "installValidation"
        yield "Entity id", str(action.entity_id)
        yield "Validation module", str(action.module)
        yield "Session key", str(action.session_key) if action.session_key else "not readable"
        rights = {
            "operations": action.is_user_op,
            "messages (ERC-1271)": action.signs_messages,
            "everything (global)": action.is_global,
        }
        yield "May validate", ", ".join(name for name, given in rights.items() if given) or "nothing"
        yield "Expiry", _time(action.expiry)
        if action.valid_after:
            yield "Not before", _time(action.valid_after)
        yield "Limits at execution", "yes" if action.has_execution_hooks else "no"
        for index, permission in enumerate(action.permissions):
            yield f"Permission {index + 1}", _permission(permission)
    elif isinstance(action, Uninstall):
        yield "Function", "uninstallValidation"
        yield "Entity id", str(action.entity_id)
        yield "Validation module", str(action.module)
        yield "Data for the module", to_hex(action.uninstall_data)
        for index, data in enumerate(action.hook_data):
            yield f"Data for hook {index + 1}", to_hex(data)
    else:
        for index, call in enumerate(action.calls if isinstance(action, Batch) else (action,)):
            yield from _signed_call(f"Call {index + 1}", call)


def _signed_call(label: str, call: Call) -> Iterator[tuple[str, str]]:
    yield label, f"{call.target or 'the account itself'}, value {call.value} wei, {to_hex(call.data)}"
    if call.signature is not None:
        yield f"{label} reads as", f"{call.signature} {', '.join(f'{k} = {v}' for k, v in call.arguments)}".rstrip()
    if call.inner is not None:
        yield from ((f"{label}, inside: {name}", value) for name, value in _signed_action(call.inner))


def _permission(permission: Permission) -> str:
    value = permission_to_json(permission)
    data = value.get("data", {})
    fields = ", ".join(f"{k} {' '.join(v) if isinstance(v, list) else v}" for k, v in data.items())
    return f"{value['type']}: {fields}" if fields else str(value["type"])


def _options(options: int) -> str:
    names = [name for bit, name in ((1, "global"), (2, "deferred action"), (4, "direct call")) if options & bit]
    return ", ".join(names) or "none"


def _time(seconds: int) -> str:
    return f"{seconds} ({utc(seconds)})" if seconds else "0 (none)"
