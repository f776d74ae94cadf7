"""Sentences for calls an account makes: managing its sessions, keys and grants, tokens and payments; all else as it stands.

A sentence is plain only when the contract is one we know by its address and the function fits; on an ERC-20 the function's usual meaning
is said as such, for only the token decides what it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from latchkey.core.account import Mode
from latchkey.core.contracts import ALLOWLIST, ALLOWLIST_V200, ENTRY_POINT, HALF, NATIVE_TOKEN_LIMIT, SINGLE_SIGNER, TIME_RANGE
from latchkey.core.moments import utc
from latchkey.core.phrases import Part, Phrase, Words
from latchkey.core.reading import Action, Batch, Call, Uninstall, Unknown
from latchkey.core.types import MAX_UINT256, Address, Selector, to_hex
from latchkey.core.words_pieces import Names, address_part, code, phrase, say, strong
from latchkey.language import tr, trn

Describe = Callable[[Action], Words]


def describe_calls(calls: Sequence[Call], names: Names, unknown: tuple[Unknown, ...], describe: Describe) -> Words:
    """`unknown`: everything unread in these calls. `describe` words what a call carries inside it."""
    told = [_tell(call, names, describe) for call in calls]
    cannot = tuple(dict.fromkeys(line for one in told for line in one.cannot))
    many = trn("This call is", "These {count} calls are", len(calls))
    headline = say("{many} made by your account {whose}.", many=many, whose=names.whose())
    lines = (*(line for one in told for line in one.can), *unread(unknown))
    return Words(headline, lines, cannot, tuple(_losses(calls, told, names, unknown)))


@dataclass(frozen=True, slots=True)
class _Told:
    """One call in words. `lose` None: whatever the call does."""

    can: tuple[Phrase, ...]
    cannot: tuple[Phrase, ...] = ()
    lose: tuple[Phrase, ...] | None = ()


def unread(unknown: tuple[Unknown, ...]) -> Iterator[Phrase]:
    for one in unknown:
        yield say("do something Latchkey cannot read ({where}): {why}", where=code(one.where), why=one.why)


def _losses(calls: Sequence[Call], told: Sequence[_Told], names: Names, unknown: tuple[Unknown, ...]) -> Iterator[Phrase]:
    value = sum(call.value for call in calls)
    if value:
        yield say("{value}, sent along", value=names.coins(value))
    lose = [line for one in told for line in one.lose or ()]
    yield from dict.fromkeys(lose)
    if unknown or any(one.lose is None for one in told):
        yield phrase(strong(tr("Whatever these calls do")))
    elif not value and not lose:
        yield GAS_ONLY


GAS_ONLY = say("Only the gas of this call")


def _tell(call: Call, names: Names, describe: Describe) -> _Told:
    if call.inner is not None:
        return _carrying(call, names, describe)
    if not call.data and call.target is not None and not call.unknown:
        return _Told((say("send {call} to {target}", call=names.coins(call.value), target=names.named(call.target)),))
    contract = call.target if call.target in _ON_CONTRACT else None
    known = _ON_CONTRACT.get(contract, {}) if contract else _ON_ACCOUNT if _is_own(call, names) else _ON_TOKEN
    if call.signature in known:
        told = known[call.signature](names, _Arguments(call))
        return told if not call.value else _Told((*told.can, _along(call, names)), told.cannot, told.lose)
    return _Told((_as_it_stands(call, names),), lose=None)


def _is_own(call: Call, names: Names) -> bool:
    return call.target is None or (names.account is not None and call.target == names.account.address)


def _along(call: Call, names: Names) -> Phrase:
    return say("send {call} along with that", call=names.coins(call.value))


def _as_it_stands(call: Call, names: Names) -> Phrase:
    name = code(call.signature or to_hex(call.data[:4]))
    target = [*say(" on {target}", target=names.named(call.target)).parts] if call.target else [Part(tr(" on your account itself"))]
    value = [*say(" with {call}", call=names.coins(call.value)).parts] if call.value else []
    arguments = ", ".join(f"{k} = {v}" for k, v in call.arguments)
    return say(
        "call {name}{target}{value}{arguments}",
        name=name,
        target=target,
        value=value,
        arguments=f" ({arguments})" if arguments else "",
    )


def _carrying(call: Call, names: Names, describe: Describe) -> _Told:
    """What stands inside: of the account itself when it is surely the account that is called, else only if that is so."""
    assert call.inner is not None
    inner, sure = describe(call.inner), _is_own(call, names)
    sender = dict(call.arguments).get("entityId") if call.signature == "executeWithRuntimeValidation(bytes,bytes)" else None
    first: list[Phrase] = []
    if not sure and call.target is not None:
        first.append(say("call {target}, and, if that is the account itself:", target=names.named(call.target)))
    if sender is not None:
        by = tr("the owner") if sender == "0" else tr("session {sender}", sender=sender)
        first.append(say("be checked as a call by {by} (entity {sender}), sent without an operation", by=by, sender=sender))
    if call.value:
        first.append(_along(call, names))
    if isinstance(call.inner, Call | Batch):
        return _Told((*first, *inner.can), inner.cannot, _without_gas(inner.most_you_can_lose) if sure else None)
    lose = _without_gas(inner.most_you_can_lose) if sure else None
    if isinstance(call.inner, Uninstall) and call.inner.entity_id:
        ends = say("{end} the access of session {entity_id}", end=strong("end"), entity_id=call.inner.entity_id)
        return _Told((*first, ends, *inner.can[1:]), inner.cannot, lose)
    return _Told((*first, inner.headline, *_each(tr("it can "), inner.can), *_each(tr("it cannot "), inner.cannot)), lose=lose)


def _without_gas(lose: tuple[Phrase, ...]) -> tuple[Phrase, ...]:
    return tuple(line for line in lose if line != GAS_ONLY)


def _each(start: str, lines: Sequence[Phrase]) -> Iterator[Phrase]:
    for line in lines:
        yield Phrase((Part(start), *line.parts))


# --- functions we know


class _Arguments:
    """A call's arguments by name, as the decoder wrote them."""

    def __init__(self, call: Call) -> None:
        self._values = dict(call.arguments)
        self.call = call

    def text(self, name: str) -> str:
        return self._values[name]

    def number(self, name: str) -> int:
        return int(self._values[name])

    def yes(self, name: str) -> bool:
        return self._values[name] == "true"

    def address(self, name: str) -> Address:
        return Address.parse(self._values[name])

    @property
    def session(self) -> str:
        entity_id = self.number("entityId")
        own = entity_id - HALF if entity_id > HALF else entity_id
        return tr("session {own}", own=own) if own else tr("the owner (entity 0)")


def _update_coin_limit(names: Names, a: _Arguments) -> _Told:
    what = tr("gas limit") if a.number("entityId") > HALF else tr("{coin} limit", coin=names.coin)
    return _more(
        say(
            "set what is left of the {what} of {session} to {number}",
            what=what,
            session=a.session,
            number=names.coins(a.number("newLimit")),
        )
    )


def _update_token_limit(names: Names, a: _Arguments) -> _Told:
    token, session = a.address("token"), a.session
    if not a.yes("hasERC20SpendLimit"):
        return _more(
            say(
                "take away the limit of {session} on token {token}: it may then move any amount it is allowed to move",
                session=session,
                token=names.named(token),
            )
        )
    return _more(
        say(
            "set what is left of the limit of {session} to {number}",
            session=session,
            number=names.tokens(a.number("newLimit"), token),
        )
    )


def _set_time_range(names: Names, a: _Arguments) -> _Told:
    last, first = a.number("validUntil"), a.number("validAfter")
    start = tr("from {time} ", time=utc(first)) if first else ""
    end = tr("until {time}", time=utc(last)) if last else tr("without an end")
    return _more(say("let {session} work {start}{end}", session=a.session, start=start, end=strong(end)))


def _transfer_signer(names: Names, a: _Arguments) -> _Told:
    if a.number("entityId") == 0:
        owner = say(
            "{hand_the} to a new owner, {address}",
            hand_the=strong(tr("hand the account")),
            address=address_part(a.address("newSigner")),
        )
        return _Told((owner,), lose=(_ACCOUNT,))
    return _more(
        say(
            "give the powers of {session} to key {address} instead", session=a.session, address=address_part(a.address("newSigner"))
        )
    )


def _set_address(names: Names, a: _Arguments) -> _Told:
    target, session = names.named(a.address("target")), a.session
    if not a.yes("allowed"):
        return _more(
            say(
                "take {target} off the list of {session}: only functions it may call on any contract remain there",
                target=target,
                session=session,
            )
        )
    if a.yes("hasSelectorAllowlist"):
        return _more(say("let {session} call the functions listed for {target}", session=session, target=target))
    return _more(
        say(
            "let {session} call {any_function} of {target}", session=session, any_function=strong(tr("any function")), target=target
        )
    )


def _set_selector(names: Names, a: _Arguments) -> _Told:
    target, function = a.address("target"), names.functions([Selector.parse(a.text("selector"))])
    where = [strong(tr("any contract that is not on its list"))] if int(target, 16) == 0 else names.named(target)
    verb = tr("let") if a.yes("allowed") else tr("no longer let")
    return _more(say("{verb} {session} call {function} on {where}", verb=verb, session=a.session, function=function, where=where))


def _update_list(names: Names, a: _Arguments) -> _Told:
    return _more(say("add to the list of {session}: {text}", session=a.session, text=code(a.text("inputs"))))


def _delete_list(names: Names, a: _Arguments) -> _Told:
    return _Told((say("take off the list of {session}: {text}", session=a.session, text=code(a.text("inputs"))),))


def _special_paymaster(names: Names, a: _Arguments) -> _Told:
    counts = tr("count") if a.yes("allowed") else tr("no longer count")
    return _Told(
        (
            say(
                "{counts} gas that paymaster {address} pays against the gas limits of sessions",
                counts=counts,
                address=address_part(a.address("paymaster")),
            ),
        )
    )


def _increment_nonce(names: Names, a: _Arguments) -> _Told:
    key = a.number("key")
    entity_id, options = key >> 8 & 0xFFFFFFFF, key & 0xFF
    what = tr("cancel the grant") if options & 2 else tr("skip one operation")
    return _Told(
        (
            say(
                "{what} of entity id {entity_id} with nonce key {key} (options {options}), if it is next in line",
                what=what,
                entity_id=entity_id,
                key=code(hex(key >> 40)),
                options=options,
            ),
        ),
        (say("be undone; the same grant can never be used again"),) if options & 2 else (),
    )


def _deposit(names: Names, a: _Arguments) -> _Told:
    return _Told((say("pay into the gas deposit of {address}", address=names.named(a.address("account"))),))


def _withdraw_deposit(names: Names, a: _Arguments) -> _Told:
    amount = names.coins(a.number("withdrawAmount"))
    return _Told(
        (
            say(
                "pay out {amount} of the account's gas deposit to {address}",
                amount=amount,
                address=names.named(a.address("withdrawAddress")),
            ),
        ),
        lose=(say("{amount} of the gas deposit", amount=amount),),
    )


def _owner(names: Names, a: _Arguments) -> _Told:
    signer = address_part(a.address("fallbackSigner"))
    if a.yes("isDisabled"):
        line = say(
            "{switch_off}, whoever it is set to ({signer})", switch_off=strong(tr("switch off the owner's key")), signer=signer
        )
    else:
        line = say(
            "{make}{signer}{the_owner} of this account", make=strong(tr("make ")), signer=signer, the_owner=strong(tr(" the owner"))
        )
    return _Told((line,), _STAYS if names.account and names.account.mode is Mode.EIP7702 else (), (_ACCOUNT,))


def _upgrade(names: Names, a: _Arguments) -> _Told:
    return _Told(
        (
            say(
                "{replace_the} with {address}",
                replace_the=strong(tr("replace the account's code")),
                address=names.named(a.address("newImplementation")),
            ),
        ),
        lose=(_ACCOUNT,),
    )


def _install_execution(names: Names, a: _Arguments) -> _Told:
    line = say(
        "{add_functions}, done by module {address}: {text}",
        add_functions=strong(tr("add functions to your account")),
        address=names.named(a.address("module")),
        text=code(a.text("manifest")),
    )
    return _Told((line,), lose=(_ACCOUNT,))


def _uninstall_execution(names: Names, a: _Arguments) -> _Told:
    return _Told(
        (
            say(
                "take the functions of module {address} off your account: {text}",
                address=names.named(a.address("module")),
                text=code(a.text("manifest")),
            ),
        ),
        lose=None,
    )


def _create(names: Names, a: _Arguments) -> _Told:
    wei = a.number("value")
    value = [*say(" with {wei}", wei=names.coins(wei)).parts] if wei else []
    lose = (say("{wei}, sent along", wei=names.coins(wei)),) if wei else ()
    return _Told(
        (
            say(
                "create a contract{value} (isCreate2 = {text}, salt = {text2})",
                value=value,
                text=a.text("isCreate2"),
                text2=a.text("salt"),
            ),
        ),
        lose=lose,
    )


def _transfer(names: Names, a: _Arguments) -> _Told:
    amount = names.tokens(a.number("amount"), _target(a))
    return _Told(
        (say("transfer {amount} to {address}", amount=amount, address=names.named(a.address("to"))),), lose=(phrase(amount),)
    )


def _approve(names: Names, a: _Arguments) -> _Told:
    spender, amount, token = names.named(a.address("spender")), a.number("amount"), _target(a)
    number = Part("" if names.known(token) else _number(amount))
    if not amount:
        return _Told(
            (
                say(
                    "take back what {spender} may take of token {token}{number}",
                    spender=spender,
                    token=names.named(token),
                    number=number,
                ),
            )
        )
    if amount == MAX_UINT256:
        line = say(
            "let {spender} take {all} of token {token}, now and later (no limit)",
            spender=spender,
            all=strong(tr("all")),
            token=names.named(token),
        )
        return _Told(
            (line,),
            lose=(say("{all_you} of token {token}, now and later", all_you=strong(tr("All you hold")), token=names.named(token)),),
        )
    approved = [*names.tokens(amount, token), number]
    return _Told(
        (say("let {spender} take up to {approved}, at any time", spender=spender, approved=approved),),
        lose=(say("{approved}, at any time", approved=approved),),
    )


def _transfer_from(names: Names, a: _Arguments) -> _Told:
    number = Part("" if names.known(_target(a)) else _number(a.number("amount")))
    amount = [*names.tokens(a.number("amount"), _target(a)), number]
    line = say(
        "transfer {amount} from {address} to {address2}",
        amount=amount,
        address=names.named(a.address("from")),
        address2=names.named(a.address("to")),
    )
    return _Told((line,), lose=(phrase(amount),))


def _number(amount: int) -> str:
    """The same function of an NFT collection takes the number of one, not an amount."""
    return tr(" (if these are NFTs: number {amount})", amount=amount)


def _increase(names: Names, a: _Arguments) -> _Told:
    amount = names.tokens(a.number("addedValue"), _target(a))
    return _Told(
        (say("let {address} take {amount} more, at any time", address=names.named(a.address("spender")), amount=amount),),
        lose=(say("{amount} more, at any time", amount=amount),),
    )


def _decrease(names: Names, a: _Arguments) -> _Told:
    amount = names.tokens(a.number("subtractedValue"), _target(a))
    return _Told((say("let {address} take {amount} less", address=names.named(a.address("spender")), amount=amount),))


def _target(a: _Arguments) -> Address:
    assert a.call.target is not None
    return a.call.target


def _more(line: Phrase) -> _Told:
    """A change to what a session may do: what can be lost is what it may then do."""
    return _Told((line,), lose=(say("What that session may then do"),))


_STAYS = (say("take power from the key of the account's own address: with EIP-7702 that key stands above the account"),)
_ACCOUNT = phrase(strong(tr("Everything in this account, and the account itself")))

_Sentence = Callable[[Names, _Arguments], _Told]
_LISTS: dict[str | None, _Sentence] = {
    "updateLimits(uint32,address,bool,uint256)": _update_token_limit,
    "updateAllowlist(uint32,(address,bool,bool,uint256,bytes4[])[])": _update_list,
    "deleteAllowlist(uint32,(address,bool,bool,uint256,bytes4[])[])": _delete_list,
    "setAddressAllowlist(uint32,address,bool,bool,bool)": _set_address,
    "setSelectorAllowlist(uint32,address,bytes4,bool)": _set_selector,
}
_ON_CONTRACT: dict[Address | None, dict[str | None, _Sentence]] = {
    ALLOWLIST: _LISTS,
    ALLOWLIST_V200: _LISTS,
    NATIVE_TOKEN_LIMIT: {
        "updateLimits(uint32,uint256)": _update_coin_limit,
        "updateSpecialPaymaster(address,bool)": _special_paymaster,
    },
    TIME_RANGE: {"setTimeRange(uint32,uint48,uint48)": _set_time_range},
    SINGLE_SIGNER: {"transferSigner(uint32,address)": _transfer_signer},
    ENTRY_POINT: {
        "incrementNonce(uint192)": _increment_nonce,
        "depositTo(address)": _deposit,
        "withdrawTo(address,uint256)": _withdraw_deposit,
    },
}
_ON_ACCOUNT: dict[str | None, _Sentence] = {
    "updateFallbackSignerData(address,bool)": _owner,
    "upgradeToAndCall(address,bytes)": _upgrade,
    "installExecution(address,((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[]),bytes)": _install_execution,
    "uninstallExecution(address,((bytes4,bool,bool)[],(bytes4,uint32,bool,bool)[],bytes4[]),bytes)": _uninstall_execution,
    "performCreate(uint256,bytes,bool,bytes32)": _create,
}
_ON_TOKEN: dict[str | None, _Sentence] = {
    "transfer(address,uint256)": _transfer,
    "approve(address,uint256)": _approve,
    "transferFrom(address,address,uint256)": _transfer_from,
    "increaseAllowance(address,uint256)": _increase,
    "decreaseAllowance(address,uint256)": _decrease,
}
