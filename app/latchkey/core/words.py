"""Words for every power, and the only place that makes them. They are a function of the decoded bytes, never of what a form said.

Equal words mean equal powers: every address and every amount is written out in full. What is said is what the chain enforces: where a
promise would need more than the account checks, it is not made. `words_calls` has the sentences for single calls, `words_signed` every
field as it is signed, `words_difference` what a second grant changes, `words_pieces` what sentences are put together from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from latchkey.core.account import Account
from latchkey.core.contracts import MACHINERY
from latchkey.core.moments import until, utc
from latchkey.core.names import NO_NOTES, Notes
from latchkey.core.permissions import ContractAccess, FunctionsOnContract
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
from latchkey.core.request import NO_CLAIMS, Claims
from latchkey.core.types import Selector
from latchkey.core.words_calls import GAS_ONLY, describe_calls, unread
from latchkey.core.words_pieces import Names, address_part, code, phrase, say, strong
from latchkey.core.words_signed import signed_fields
from latchkey.language import tr


def describe(reading: Reading, *, account: Account | None, now: int, claims: Claims = NO_CLAIMS, notes: Notes = NO_NOTES) -> Words:
    """What the bytes mean. `account`: whose account and chain, None when the bytes alone do not say. `now`: chain seconds. `claims` and
    `notes` add names, each marked as whose word it is, and change nothing else."""
    action = reading.action if isinstance(reading, Deferred) else reading
    names = Names(account, claims, notes)
    words = _action(action, names, now, unknown_in(reading), deadline=reading.deadline if isinstance(reading, Deferred) else None)
    return Words(words.headline, words.can, words.cannot, words.most_you_can_lose, tuple(signed_fields(reading, account)))


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
        self.in_total, self.none = (tr("from now on"), tr("its limit is 0 now")) if left else (tr("in total"), tr("limit 0"))
        self.powers = powers_of(install.permissions, is_global=install.is_global)

    def words(self) -> Words:
        nothing = () if self.powers.may_act else (say("nothing: no call is allowed"),)
        can = (*nothing, *self._can())
        return Words(self._headline(), can, tuple(self._cannot()), self._lose())

    def _headline(self) -> Phrase:
        install = self.install
        when = (
            strong(tr("Until {until}", until=until(install.expiry, self.now)))
            if install.expiry
            else strong(tr("For ever, until you revoke it"))
        )
        start = [*say(", from {until}", until=strong(until(install.valid_after, self.now))).parts] if install.valid_after else []
        unnamed = tr("a key of an unknown kind") if self.unknown else tr("a key that is not named yet")
        key = (
            [*say("key {session_key}", session_key=address_part(install.session_key)).parts]
            if install.session_key
            else [Part(unnamed)]
        )
        what = tr("do everything you can do with your account") if self.powers.is_root else tr("act for your account")
        return say(
            "{when}{start}, {key} can {what} {whose}, without asking you.",
            when=when,
            start=start,
            key=key,
            what=what,
            whose=self.names.whose(),
        )

    # --- it can

    def _can(self) -> Iterator[Phrase]:
        powers, names = self.powers, self.names
        if powers.is_root:
            yield from self._can_as_root()
        elif powers.lifts_limits:
            yield say("{lift_its}: it reaches what they are kept in", lift_its=strong(tr("lift its own limits")))
        if powers.reaches_entry_point:
            yield say("take the account's gas deposit at the EntryPoint, and cancel or wake grants you signed")
        if powers.account_functions:
            works = "" if powers.account_functions_work else tr(" (the account refuses these while a token limit is set)")
            yield say(
                "call these functions of {your_account}: {account_functions}{works}",
                your_account=strong(tr("your account itself")),
                account_functions=names.functions(powers.account_functions),
                works=works,
            )
        for contract in powers.contracts:
            yield self._contract(contract)
        yield from self._anywhere()
        for token in powers.tokens:
            if token.allowance or not self.left:
                yield say("transfer or approve up to {token} {in_total}", token=names.token(token), in_total=self.in_total)
        yield from self._can_spend()
        if self.install.signs_messages:
            yield say("sign messages and permits in your account's name")
        yield from unread(self.unknown)

    def _can_as_root(self) -> Iterator[Phrase]:
        yield say("send all {coin} and all tokens anywhere", coin=self.names.coin)
        yield say("let in other keys, replace the owner, and replace the account's code")
        if self.install.expiry:
            yield say("remove its own expiry, by letting in another key before it ends")

    def _contract(self, contract: ContractAccess | FunctionsOnContract) -> Phrase:
        named = self.names.named(contract.address)
        if isinstance(contract, ContractAccess):
            return say("call {any_function} of {named}", any_function=strong(tr("any function")), named=named)
        if is_payment(contract):
            return say("send plain payments (calls of {plain_payment}) to {named}", plain_payment=code(PLAIN_PAYMENT), named=named)
        return say("call {functions} on {named}", functions=self.names.functions(contract.functions), named=named)

    def _anywhere(self) -> Iterator[Phrase]:
        powers, listed = self.powers, self.powers.contracts or self.powers.tokens
        beside = tr(" not listed here") if listed else ""
        if PLAIN_PAYMENT in powers.anywhere:
            yield say(
                "send plain payments (calls without data, or of {plain_payment}) to {anyone}{beside}",
                plain_payment=code(PLAIN_PAYMENT),
                anyone=strong(tr("anyone")),
                beside=beside,
            )
        if others := _calls_anywhere(powers):
            yield say(
                "call {others} on {any_contract}{beside}",
                others=self.names.functions(others),
                any_contract=strong(tr("any contract")),
                beside=beside,
            )

    def _can_spend(self) -> Iterator[Phrase]:
        powers, names = self.powers, self.names
        if powers.is_root:
            return
        if powers.eth_unlimited:
            yield say(
                "attach {any_amount} to these calls, up to all the account holds",
                any_amount=strong(tr("any amount of {coin}", coin=names.coin)),
            )
        elif powers.native and powers.may_call:
            calls = tr("its calls to contracts") if powers.account_functions else tr("these calls")
            yield say(
                "send or attach up to {native} {in_total} with {calls}",
                native=names.coins(powers.native),
                in_total=self.in_total,
                calls=calls,
            )
        if powers.gas and not powers.paymaster:
            yield say(
                "spend up to {gas} on gas {in_total}, when nobody else pays for it",
                gas=names.coins(powers.gas),
                in_total=self.in_total,
            )
        elif powers.gas_unlimited:
            yield say(
                "spend {any_amount} on gas, up to all the account and its gas deposit hold",
                any_amount=strong(tr("any amount of {coin}", coin=names.coin)),
            )

    # --- it cannot

    def _cannot(self) -> Iterator[Phrase]:
        powers = self.powers
        if self.unknown:
            yield say("be relied on to stay within this: a part of it cannot be read")
            return
        if powers.is_root:
            yield say("be held back by any limit")
        elif powers.lifts_limits:
            yield say("be held back by these limits: it can lift them")
        else:
            yield from self._cannot_spend()
            yield from self._cannot_call()
            if not self.install.signs_messages:
                yield say("sign messages or permits in your name")
        yield from self._cannot_outlive()

    def _cannot_spend(self) -> Iterator[Phrase]:
        powers, names = self.powers, self.names
        if powers.native == 0:
            calls = tr(" with its calls to contracts") if powers.account_functions else ""
            yield say("send or attach any {coin}{calls} ({none})", coin=names.coin, calls=calls, none=self.none)
        elif powers.native and not powers.may_call:
            yield say(
                "use its {coin} limit of {native}: it may call no contract to send it with",
                coin=names.coin,
                native=names.coins(powers.native),
            )
        for token in powers.tokens:
            if self.left and not token.allowance:
                yield say("transfer or approve any of token {address} ({none})", address=names.named(token.address), none=self.none)
        if powers.paymaster:
            limit = (
                [*say("; its gas limit of {gas} is not touched", gas=names.coins(powers.gas)).parts]
                if powers.gas is not None
                else []
            )
            yield say(
                "spend your {coin} on gas: paymaster {paymaster} or the key itself has to pay{limit}",
                coin=names.coin,
                paymaster=address_part(powers.paymaster),
                limit=limit,
            )
        elif powers.gas == 0:
            yield say(
                "pay for gas from your account ({none}): a paymaster or the key itself has to pay for every call", none=self.none
            )

    def _cannot_call(self) -> Iterator[Phrase]:
        powers = self.powers
        if not _may_move_tokens(powers) and not self.install.signs_messages:
            other = tr("other ") if powers.tokens else ""
            unless = tr(", unless these functions do so themselves") if len(powers.contracts) > len(powers.paid) else ""
            yield say("move or approve any {other}token{unless}", other=other, unless=unless)
        for address in powers.paid:
            yield say("call any function of {address}", address=self.names.named(address))
        for address in powers.shut:
            yield say("call {address} at all", address=self.names.named(address))
        if powers.may_call:
            yield phrase(tr("call any other function") if powers.anywhere else tr("call any other contract"))
        else:
            yield say("call any contract by itself")
        if powers.account_functions:
            yield say("call any other function of your account")
        elif not self._may_change_account():
            yield say("change this account, its owner or its other keys")

    def _may_change_account(self) -> bool:
        own = self.names.account and any(c.address == self.names.account.address for c in self.powers.contracts)
        return bool(own) or self.powers.reaches_entry_point

    def _cannot_outlive(self) -> Iterator[Phrase]:
        install, deadline = self.install, self.deadline
        if deadline and not install.expiry:
            yield say("be used for the first time after {time}; used by then, it goes on", time=utc(deadline))
        elif deadline and deadline < install.expiry:
            yield say("be used for the first time after {time}", time=utc(deadline))
        end = (
            tr("do anything after {time}, or after you revoke it", time=utc(install.expiry))
            if install.expiry
            else tr("do anything after you revoke it")
        )
        free = self.powers.is_root or self.powers.lifts_limits
        yield phrase(end + (tr(", unless it has let in another key or changed its end by then") if free else ""))

    # --- most you can lose

    def _lose(self) -> tuple[Phrase, ...]:
        if self.unknown or self.powers.is_root or self.powers.lifts_limits:
            why = tr(" (a part of this cannot be read)") if self.unknown else ""
            return (phrase(strong(tr("Everything in this account, and the account itself")), why),)
        return (*self._lose_coins(), *self._lose_in_calls()) or (say("Nothing: no call is allowed"),)

    def _lose_coins(self) -> Iterator[Phrase]:
        powers, names = self.powers, self.names
        if powers.eth_unlimited and powers.gas_unlimited:
            yield say(
                "{all}, with its calls or in gas, and its gas deposit{paymasters}",
                all=strong(tr("All {coin} in the account", coin=names.coin)),
                paymasters=_PAYMASTERS,
            )
        elif powers.eth_unlimited:
            yield say("{all}, with its calls", all=strong(tr("All {coin} in the account", coin=names.coin)))
        elif powers.native and powers.may_call:
            yield say("{native}, with its calls", native=names.coins(powers.native))
        if powers.gas_unlimited and not powers.eth_unlimited:
            yield say(
                "{all} and its gas deposit, in gas{paymasters}",
                all=strong(tr("All {coin} in the account", coin=names.coin)),
                paymasters=_PAYMASTERS,
            )
        elif powers.gas and not powers.paymaster:
            yield say("{gas}, in gas{paymasters}", gas=names.coins(powers.gas), paymasters=_PAYMASTERS)
        elif powers.paymaster and powers.may_act:
            yield say("Tokens you approved to paymaster {paymaster}, if any, in gas", paymaster=address_part(powers.paymaster))
        elif powers.gas == 0 and powers.may_act:
            yield say("Tokens you approved to paymasters, if any, in gas")
        for token in powers.tokens:
            if token.allowance:
                yield say("{token}; what it approved can still be taken after the session ends", token=names.token(token))
        if powers.reaches_entry_point:
            yield say("The account's gas deposit at the EntryPoint")
        if self.install.signs_messages:
            yield say(
                "{tokens_of} in the account, through messages and permits it signs", tokens_of=strong(tr("Tokens of any kind"))
            )

    def _lose_in_calls(self) -> Iterator[Phrase]:
        powers, others = self.powers, _calls_anywhere(self.powers)
        if any(s in TOKEN_FUNCTIONS for s in others):
            yield say(
                "{tokens_and} in the account, through the functions it may call anywhere{lasting}",
                tokens_and=strong(tr("Tokens and NFTs of any kind")),
                lasting=_lasting(others),
            )
        elif others:
            yield say(
                "What the functions it may call do in any contract, with anything you approved there{receiver}",
                receiver=_receiver(others),
            )
        for contract in powers.contracts:
            yield self._lose_in(contract)
        if powers.account_functions_work:
            yield say("What the named functions of your account do")
        if any(s in NESTING_FUNCTIONS for s in (*powers.named, *others)):
            yield say("What is done by calls packed inside other calls; the list of contracts does not reach into them")

    def _lose_in(self, contract: ContractAccess | FunctionsOnContract) -> Phrase:
        named, known = self.names.named(contract.address), self.names.known(contract.address)
        if known and isinstance(contract, ContractAccess):
            return say(
                "{all_you} of {named}{lasting}", all_you=strong(tr("All you hold")), named=named, lasting=_lasting(_APPROVING)
            )
        if isinstance(contract, ContractAccess):
            ours = contract.address in MACHINERY or (self.names.account and contract.address == self.names.account.address)
            beside = "" if ours else tr(", with anything you approved to it; if it is a token, all of it")
            return say("What {named} does when called{beside}", named=named, beside=beside)
        if is_payment(contract):
            return say("What {named} does when it is paid, if it is a contract", named=named)
        if any(s in TOKEN_FUNCTIONS for s in contract.functions):
            perhaps = "" if known else tr(", if it is a token or NFT")
            return say(
                "{all_you} of {named}{perhaps}{lasting}",
                all_you=strong(tr("All you hold")),
                named=named,
                perhaps=perhaps,
                lasting=_lasting(contract.functions),
            )
        return say(
            "What these functions do in {named}, with anything you approved to it{receiver}",
            named=named,
            receiver=_receiver(contract.functions),
        )


#: Gas that a paymaster pays for counts against no limit, and some take tokens for it.
_PAYMASTERS = tr("; also tokens you approved to paymasters, if any")
_APPROVING = {"0x095ea7b3", "0x39509351", "0xd505accf", "0xa22cb465", "0x959b8c3f", "0x87517c45", "0x2b67b570", "0x8fcbaf0c"}


def _lasting(selectors: Iterable[str]) -> str:
    return tr("; what it approved can still be taken after the session ends") if any(s in _APPROVING for s in selectors) else ""


def _receiver(selectors: Sequence[Selector]) -> str:
    return tr("; the key chooses who receives what they pay out") if any(s in RECEIVER_FUNCTIONS for s in selectors) else ""


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
        headline = say(
            "This {takes_out} (entity 0) from your account {whose}.",
            takes_out=strong(tr("takes out the owner's own key")),
            whose=names.whose(),
        )
        lose = say("{the_account}, unless another key can still act as its owner", the_account=strong(tr("The account itself")))
        return Words(headline, tuple(unread(unknown)), (say("be undone by the key it takes out"),), (lose,))
    headline = say(
        "This {ends} the access of session {entity_id} to your account {whose}.",
        ends=strong(tr("ends")),
        entity_id=uninstall.entity_id,
        whose=names.whose(),
    )
    session, later = tr("session {entity_id}", entity_id=uninstall.entity_id), tr("if the same id is granted again")
    can = [say("nothing any more, once this has succeeded on chain")]
    if not all(uninstall.hook_data) or not uninstall.hook_data:
        which = tr("some") if any(uninstall.hook_data) else tr("the")
        can.append(
            say(
                "leave {which} limits and lists of {session} stored on chain: they come back {later}",
                which=which,
                session=session,
                later=later,
            )
        )
    if not uninstall.uninstall_data:
        can.append(
            say("leave the key of {session} stored on chain: it comes back {later} without a key", session=session, later=later)
        )
    cannot = (
        say("be undone; a new session has to be granted instead"),
        say("take back what the session approved or signed before"),
        say("end other sessions, even those of the same key or those it let in"),
        say("stop a grant of this id that is signed but not used yet; that takes cancelling its nonce"),
    )
    lose = say("{unknown}: a part of this cannot be read", unknown=strong(tr("Unknown"))) if unknown else GAS_ONLY
    return Words(headline, (*can, *unread(unknown)), cannot, (lose,))
