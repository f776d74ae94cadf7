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
from latchkey.core.words_pieces import Names, address_part, code, phrase, strong

Describe = Callable[[Action], Words]


def describe_calls(calls: Sequence[Call], names: Names, unknown: tuple[Unknown, ...], describe: Describe) -> Words:
    """`unknown`: everything unread in these calls. `describe` words what a call carries inside it."""
    told = [_tell(call, names, describe) for call in calls]
    cannot = tuple(dict.fromkeys(line for one in told for line in one.cannot))
    many = f"These {len(calls)} calls are" if len(calls) != 1 else "This call is"
    headline = phrase(f"{many} made by your account ", names.whose(), ".")
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
        yield phrase("do something Latchkey cannot read (", code(one.where), "): ", one.why)


def _losses(calls: Sequence[Call], told: Sequence[_Told], names: Names, unknown: tuple[Unknown, ...]) -> Iterator[Phrase]:
    value = sum(call.value for call in calls)
    if value:
        yield phrase(names.coins(value), ", sent along")
    lose = [line for one in told for line in one.lose or ()]
    yield from dict.fromkeys(lose)
    if unknown or any(one.lose is None for one in told):
        yield phrase(strong("Whatever these calls do"))
    elif not value and not lose:
        yield GAS_ONLY


GAS_ONLY = phrase("Only the gas of this call")


def _tell(call: Call, names: Names, describe: Describe) -> _Told:
    if call.inner is not None:
        return _carrying(call, names, describe)
    if not call.data and call.target is not None and not call.unknown:
        return _Told((phrase("send ", names.coins(call.value), " to ", names.named(call.target)),))
    contract = call.target if call.target in _ON_CONTRACT else None
    known = _ON_CONTRACT.get(contract, {}) if contract else _ON_ACCOUNT if _is_own(call, names) else _ON_TOKEN
    if call.signature in known:
        told = known[call.signature](names, _Arguments(call))
        return told if not call.value else _Told((*told.can, _along(call, names)), told.cannot, told.lose)
    return _Told((_as_it_stands(call, names),), lose=None)


def _is_own(call: Call, names: Names) -> bool:
    return call.target is None or (names.account is not None and call.target == names.account.address)


def _along(call: Call, names: Names) -> Phrase:
    return phrase("send ", names.coins(call.value), " along with that")


def _as_it_stands(call: Call, names: Names) -> Phrase:
    name = code(call.signature or to_hex(call.data[:4]))
    target = [Part(" on "), *names.named(call.target)] if call.target else [Part(" on your account itself")]
    value = [Part(" with "), names.coins(call.value)] if call.value else []
    arguments = ", ".join(f"{k} = {v}" for k, v in call.arguments)
    return phrase("call ", name, target, value, f" ({arguments})" if arguments else "")


def _carrying(call: Call, names: Names, describe: Describe) -> _Told:
    """What stands inside: of the account itself when it is surely the account that is called, else only if that is so."""
    assert call.inner is not None
    inner, sure = describe(call.inner), _is_own(call, names)
    sender = dict(call.arguments).get("entityId") if call.signature == "executeWithRuntimeValidation(bytes,bytes)" else None
    first: list[Phrase] = []
    if not sure and call.target is not None:
        first.append(phrase("call ", names.named(call.target), ", and, if that is the account itself:"))
    if sender is not None:
        by = "the owner" if sender == "0" else f"session {sender}"
        first.append(phrase(f"be checked as a call by {by} (entity {sender}), sent without an operation"))
    if call.value:
        first.append(_along(call, names))
    if isinstance(call.inner, Call | Batch):
        return _Told((*first, *inner.can), inner.cannot, _without_gas(inner.most_you_can_lose) if sure else None)
    lose = _without_gas(inner.most_you_can_lose) if sure else None
    if isinstance(call.inner, Uninstall) and call.inner.entity_id:
        ends = phrase(strong("end"), f" the access of session {call.inner.entity_id}")
        return _Told((*first, ends, *inner.can[1:]), inner.cannot, lose)
    return _Told((*first, inner.headline, *_each("it can ", inner.can), *_each("it cannot ", inner.cannot)), lose=lose)


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
        return f"session {own}" if own else "the owner (entity 0)"


def _update_coin_limit(names: Names, a: _Arguments) -> _Told:
    what = "gas limit" if a.number("entityId") > HALF else f"{names.coin} limit"
    return _more(phrase(f"set what is left of the {what} of {a.session} to ", names.coins(a.number("newLimit"))))


def _update_token_limit(names: Names, a: _Arguments) -> _Told:
    token, session = a.address("token"), a.session
    if not a.yes("hasERC20SpendLimit"):
        return _more(
            phrase(
                "take away the limit of ",
                session,
                " on token ",
                names.named(token),
                ": it may then move any amount it is allowed to move",
            )
        )
    return _more(phrase(f"set what is left of the limit of {session} to ", names.tokens(a.number("newLimit"), token)))


def _set_time_range(names: Names, a: _Arguments) -> _Told:
    last, first = a.number("validUntil"), a.number("validAfter")
    start = f"from {utc(first)} " if first else ""
    end = f"until {utc(last)}" if last else "without an end"
    return _more(phrase(f"let {a.session} work {start}", strong(end)))


def _transfer_signer(names: Names, a: _Arguments) -> _Told:
    if a.number("entityId") == 0:
        owner = phrase(strong("hand the account"), " to a new owner, ", address_part(a.address("newSigner")))
        return _Told((owner,), lose=(_ACCOUNT,))
    return _more(phrase(f"give the powers of {a.session} to key ", address_part(a.address("newSigner")), " instead"))


def _set_address(names: Names, a: _Arguments) -> _Told:
    target, session = names.named(a.address("target")), a.session
    if not a.yes("allowed"):
        return _more(
            phrase("take ", target, f" off the list of {session}: only functions it may call on any contract remain there")
        )
    if a.yes("hasSelectorAllowlist"):
        return _more(phrase(f"let {session} call the functions listed for ", target))
    return _more(phrase(f"let {session} call ", strong("any function"), " of ", target))


def _set_selector(names: Names, a: _Arguments) -> _Told:
    target, function = a.address("target"), names.functions([Selector.parse(a.text("selector"))])
    where = [strong("any contract that is not on its list")] if int(target, 16) == 0 else names.named(target)
    verb = "let" if a.yes("allowed") else "no longer let"
    return _more(phrase(f"{verb} {a.session} call ", function, " on ", where))


def _update_list(names: Names, a: _Arguments) -> _Told:
    return _more(phrase(f"add to the list of {a.session}: ", code(a.text("inputs"))))


def _delete_list(names: Names, a: _Arguments) -> _Told:
    return _Told((phrase(f"take off the list of {a.session}: ", code(a.text("inputs"))),))


def _special_paymaster(names: Names, a: _Arguments) -> _Told:
    counts = "count" if a.yes("allowed") else "no longer count"
    return _Told(
        (phrase(f"{counts} gas that paymaster ", address_part(a.address("paymaster")), " pays against the gas limits of sessions"),)
    )


def _increment_nonce(names: Names, a: _Arguments) -> _Told:
    key = a.number("key")
    entity_id, options = key >> 8 & 0xFFFFFFFF, key & 0xFF
    what = "cancel the grant" if options & 2 else "skip one operation"
    return _Told(
        (
            phrase(
                f"{what} of entity id {entity_id} with nonce key ",
                code(hex(key >> 40)),
                f" (options {options}), if it is next in line",
            ),
        ),
        (phrase("be undone; the same grant can never be used again"),) if options & 2 else (),
    )


def _deposit(names: Names, a: _Arguments) -> _Told:
    return _Told((phrase("pay into the gas deposit of ", names.named(a.address("account"))),))


def _withdraw_deposit(names: Names, a: _Arguments) -> _Told:
    amount = names.coins(a.number("withdrawAmount"))
    return _Told(
        (phrase("pay out ", amount, " of the account's gas deposit to ", names.named(a.address("withdrawAddress"))),),
        lose=(phrase(amount, " of the gas deposit"),),
    )


def _owner(names: Names, a: _Arguments) -> _Told:
    signer = address_part(a.address("fallbackSigner"))
    if a.yes("isDisabled"):
        line = phrase(strong("switch off the owner's key"), ", whoever it is set to (", signer, ")")
    else:
        line = phrase(strong("make "), signer, strong(" the owner"), " of this account")
    return _Told((line,), _STAYS if names.account and names.account.mode is Mode.EIP7702 else (), (_ACCOUNT,))


def _upgrade(names: Names, a: _Arguments) -> _Told:
    return _Told(
        (phrase(strong("replace the account's code"), " with ", names.named(a.address("newImplementation"))),), lose=(_ACCOUNT,)
    )


def _install_execution(names: Names, a: _Arguments) -> _Told:
    line = phrase(
        strong("add functions to your account"),
        ", done by module ",
        names.named(a.address("module")),
        ": ",
        code(a.text("manifest")),
    )
    return _Told((line,), lose=(_ACCOUNT,))


def _uninstall_execution(names: Names, a: _Arguments) -> _Told:
    return _Told(
        (
            phrase(
                "take the functions of module ", names.named(a.address("module")), " off your account: ", code(a.text("manifest"))
            ),
        ),
        lose=None,
    )


def _create(names: Names, a: _Arguments) -> _Told:
    wei = a.number("value")
    value = [Part(" with "), names.coins(wei)] if wei else []
    lose = (phrase(names.coins(wei), ", sent along"),) if wei else ()
    return _Told((phrase("create a contract", value, f" (isCreate2 = {a.text('isCreate2')}, salt = {a.text('salt')})"),), lose=lose)


def _transfer(names: Names, a: _Arguments) -> _Told:
    amount = names.tokens(a.number("amount"), _target(a))
    return _Told((phrase("transfer ", amount, " to ", names.named(a.address("to"))),), lose=(phrase(amount),))


def _approve(names: Names, a: _Arguments) -> _Told:
    spender, amount, token = names.named(a.address("spender")), a.number("amount"), _target(a)
    number = Part("" if names.known(token) else _number(amount))
    if not amount:
        return _Told((phrase("take back what ", spender, " may take of token ", names.named(token), number),))
    if amount == MAX_UINT256:
        line = phrase("let ", spender, " take ", strong("all"), " of token ", names.named(token), ", now and later (no limit)")
        return _Told((line,), lose=(phrase(strong("All you hold"), " of token ", names.named(token), ", now and later"),))
    approved = [*names.tokens(amount, token), number]
    return _Told((phrase("let ", spender, " take up to ", approved, ", at any time"),), lose=(phrase(approved, ", at any time"),))


def _transfer_from(names: Names, a: _Arguments) -> _Told:
    number = Part("" if names.known(_target(a)) else _number(a.number("amount")))
    amount = [*names.tokens(a.number("amount"), _target(a)), number]
    line = phrase("transfer ", amount, " from ", names.named(a.address("from")), " to ", names.named(a.address("to")))
    return _Told((line,), lose=(phrase(amount),))


def _number(amount: int) -> str:
    """The same function of an NFT collection takes the number of one, not an amount."""
    return f" (if these are NFTs: number {amount})"


def _increase(names: Names, a: _Arguments) -> _Told:
    amount = names.tokens(a.number("addedValue"), _target(a))
    return _Told(
        (phrase("let ", names.named(a.address("spender")), " take ", amount, " more, at any time"),),
        lose=(phrase(amount, " more, at any time"),),
    )


def _decrease(names: Names, a: _Arguments) -> _Told:
    amount = names.tokens(a.number("subtractedValue"), _target(a))
    return _Told((phrase("let ", names.named(a.address("spender")), " take ", amount, " less"),))


def _target(a: _Arguments) -> Address:
    assert a.call.target is not None
    return a.call.target


def _more(line: Phrase) -> _Told:
    """A change to what a session may do: what can be lost is what it may then do."""
    return _Told((line,), lose=(phrase("What that session may then do"),))


_STAYS = (phrase("take power from the key of the account's own address: with EIP-7702 that key stands above the account"),)
_ACCOUNT = phrase(strong("Everything in this account, and the account itself"))

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
