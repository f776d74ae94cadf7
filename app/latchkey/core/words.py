"""The only place that words a power. Words are a function of the decoded bytes, never of what a form or a request said.

Equal words mean equal powers: every address and every amount is written out in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from latchkey.core.account import Account
from latchkey.core.amounts import Unit, format_amount
from latchkey.core.functions import known_signature, offered_signature
from latchkey.core.moments import until, utc
from latchkey.core.networks import Network, network
from latchkey.core.permissions import ContractAccess, Erc20TokenTransfer, FunctionsOnContract
from latchkey.core.phrases import Part, Phrase, Style, Words
from latchkey.core.powers import NESTING_FUNCTIONS, PLAIN_PAYMENT, TOKEN_FUNCTIONS, Powers, powers_of
from latchkey.core.reading import Action, Batch, Call, Deferred, Install, Reading, Uninstall, unknown_in
from latchkey.core.request import Claims
from latchkey.core.types import Address, Selector, keccak, to_hex

NO_CLAIMS = Claims()


def describe(reading: Reading, *, account: Account | None, now: int, claims: Claims = NO_CLAIMS) -> Words:
    """What the bytes mean. `account`: whose account and chain, None when the bytes alone do not say. `now`: chain seconds."""
    action = reading.action if isinstance(reading, Deferred) else reading
    words = _Writer(account, now, claims).action(action)
    signed = tuple(_signed(reading, account))
    return Words(words.headline, words.can, words.cannot, words.most_you_can_lose, signed)


def _phrase(*parts: str | Part | Sequence[Part]) -> Phrase:
    flat: list[Part] = []
    for part in parts:
        if isinstance(part, str):
            flat.append(Part(part))
        elif isinstance(part, Part):
            flat.append(part)
        else:
            flat.extend(part)
    return Phrase(tuple(flat))


def _address(address: Address) -> Part:
    return Part(str(address), Style.ADDRESS)


def _strong(text: str) -> Part:
    return Part(text, Style.STRONG)


class _Writer:
    """Holds what every sentence needs: the account, the clock, the sender's claims."""

    def __init__(self, account: Account | None, now: int, claims: Claims) -> None:
        self.account, self.now, self.claims = account, now, claims
        self.network: Network = network(account.chain_id) if account else Network(0, "", coin="native coin")

    def action(self, action: Action) -> Words:
        match action:
            case Install():
                return self.install(action)
            case Uninstall():
                return self.uninstall(action)
            case Call():
                return self.calls((action,))
            case Batch():
                return self.calls(action.calls)

    # --- a session key

    def install(self, install: Install) -> Words:
        powers = powers_of(install.permissions, is_global=install.is_global)
        return Words(
            headline=self._headline(install, powers),
            can=tuple(self._can(install, powers)),
            cannot=tuple(self._cannot(install, powers)),
            most_you_can_lose=tuple(self._lose(powers, install)),
        )

    def _headline(self, install: Install, powers: Powers) -> Phrase:
        when = _strong(f"Until {until(install.expiry, self.now)}") if install.expiry else _strong("For ever, until you revoke it")
        start = [Part(", from "), _strong(until(install.valid_after, self.now))] if install.valid_after else []
        key = [Part("key "), _address(install.session_key)] if install.session_key else [Part("a key of an unknown kind")]
        what = "do everything you can do with your account" if powers.is_root else "act for your account"
        return _phrase(when, start, ", ", key, f" can {what} ", self._whose(), ", without asking you.")

    def _whose(self) -> list[Part]:
        if self.account is None:
            return [Part("(these bytes do not say which account or network)")]
        return [_address(self.account.address), Part(" on "), _strong(self.network.name)]

    def _can(self, install: Install, powers: Powers) -> Iterator[Phrase]:
        if powers.is_root:
            yield _phrase("send all ETH and all tokens anywhere")
            yield _phrase("let in other keys, replace the owner, and replace the account's code")
            if install.expiry:
                yield _phrase("remove its own expiry, by letting in another key before it ends")
        if powers.account_functions:
            yield _phrase(
                "call these functions of ", _strong("your account itself"), ": ", self._functions(powers.account_functions)
            )
        for contract in powers.contracts:
            yield self._contract(contract)
        if payments := [s for s in powers.anywhere if s == PLAIN_PAYMENT]:
            yield _phrase("send plain payments (calls without data, ", self._functions(payments), ") to ", _strong("anyone"))
        if others := [s for s in powers.anywhere if s != PLAIN_PAYMENT]:
            yield _phrase("call ", self._functions(others), " on ", _strong("any contract"), self._except_listed(powers))
        for token in powers.tokens:
            yield _phrase("transfer or approve up to ", self._token_amount(token), " in total")
        yield from self._can_spend(powers)
        if install.signs_messages:
            yield _phrase("sign messages and permits in your account's name")
        for unknown in unknown_in(install):
            yield _phrase("do something Latchkey cannot read (", Part(unknown.where, Style.CODE), "): ", unknown.why)

    def _can_spend(self, powers: Powers) -> Iterator[Phrase]:
        coin = self.network.coin
        if powers.eth_unlimited and not powers.is_root:
            yield _phrase("attach ", _strong(f"any amount of {coin}"), " to these calls, up to all the account holds")
        elif powers.native:
            calls = "these calls" if powers.may_call else "what it calls"
            yield _phrase("send or attach up to ", self._coins(powers.native), f" in total with {calls}")
        if powers.gas:
            yield _phrase("spend up to ", self._coins(powers.gas), " on gas in total, when nobody else pays for it")
        elif powers.gas_unlimited and not powers.is_root:
            yield _phrase("spend ", _strong(f"any amount of {coin}"), " on gas, up to all the account holds")

    def _contract(self, contract: ContractAccess | FunctionsOnContract) -> Phrase:
        if isinstance(contract, ContractAccess):
            return _phrase("call ", _strong("any function"), " of ", self._named(contract.address))
        return _phrase("call ", self._functions(contract.functions), " on ", self._named(contract.address))

    def _except_listed(self, powers: Powers) -> str:
        return " not listed here" if powers.contracts or powers.tokens else ""

    def _cannot(self, install: Install, powers: Powers) -> Iterator[Phrase]:
        coin = self.network.coin
        if powers.is_root:
            yield _phrase("be held back by any limit")
        if powers.native == 0:
            yield _phrase(f"send or attach any {coin} (limit 0)")
        if powers.gas == 0:
            yield _phrase(f"pay for gas from your account (limit 0): somebody else has to pay for every call")
        if powers.paymaster:
            yield _phrase("act unless the paymaster ", _address(powers.paymaster), " pays for its gas")
        if not powers.is_root:
            yield from self._cannot_reach(install, powers)
        ending = (
            f"do anything after {utc(install.expiry)}, or after you revoke it"
            if install.expiry
            else "do anything after you revoke it"
        )
        yield _phrase(ending + (", unless it has let in another key by then" if powers.is_root else ""))

    def _cannot_reach(self, install: Install, powers: Powers) -> Iterator[Phrase]:
        if not _may_move_tokens(powers) and not powers.account_functions:
            yield _phrase("move or approve any other token by itself" if powers.tokens else "move or approve any token by itself")
        if powers.anywhere:
            yield _phrase("call any other function")
        else:
            yield _phrase("call any other contract")
        if powers.account_functions:
            yield _phrase("call any other function of your account")
        else:
            yield _phrase("change this account, its owner or its other keys")
        if not install.signs_messages:
            yield _phrase("sign messages or permits in your name")

    def _lose(self, powers: Powers, install: Install) -> Iterator[Phrase]:
        coin = self.network.coin
        if powers.is_root:
            yield _phrase(_strong("Everything in this account, and the account itself"))
            return
        if powers.eth_unlimited:
            yield _phrase(_strong(f"All {coin} in the account"), ", with its calls")
        elif powers.native:
            yield _phrase(self._coins(powers.native), ", with its calls")
        if powers.gas_unlimited:
            yield _phrase(_strong(f"All {coin} in the account"), ", in gas")
        elif powers.gas:
            yield _phrase(self._coins(powers.gas), ", in gas")
        for token in powers.tokens:
            yield _phrase(self._token_amount(token), "; what it approved can still be taken after the session ends")
        yield from self._lose_in_calls(powers)
        if unknown_in(install):
            yield _phrase(_strong("Unknown"), ": a part of this grant cannot be read")

    def _lose_in_calls(self, powers: Powers) -> Iterator[Phrase]:
        if any(s in TOKEN_FUNCTIONS for s in powers.anywhere):
            yield _phrase(_strong("Tokens and NFTs of any kind"), " in the account, through the functions it may call anywhere")
        elif [s for s in powers.anywhere if s != PLAIN_PAYMENT]:
            yield _phrase("What the functions it may call do in any contract, with anything you approved there")
        for contract in powers.contracts:
            if isinstance(contract, ContractAccess):
                yield _phrase(
                    "What ",
                    self._named(contract.address),
                    " does when called, with anything you approved to it; ",
                    "if it is a token, all of it",
                )
            elif any(s in TOKEN_FUNCTIONS for s in contract.functions):
                yield _phrase(_strong("All you hold"), " of ", self._named(contract.address), ", if it is a token or NFT")
            else:
                yield _phrase("What these functions do by themselves in ", self._named(contract.address))
        if powers.account_functions:
            yield _phrase("What the named functions of your account do")
        nested = [s for c in powers.contracts if isinstance(c, FunctionsOnContract) for s in c.functions] + list(powers.anywhere)
        if any(s in NESTING_FUNCTIONS for s in nested):
            yield _phrase("What is done by calls packed inside other calls; the list of contracts does not reach into them")

    # --- other actions

    def uninstall(self, uninstall: Uninstall) -> Words:
        headline = _phrase(
            "This ", _strong("ends"), f" the access of session {uninstall.entity_id} to your account ", self._whose(), "."
        )
        can = [_phrase("nothing any more, from the moment this is on chain")]
        cannot = [_phrase("be undone; a new session has to be granted instead")]
        if not uninstall.hook_data:
            can.append(_phrase("leave its limits and allowlist stored on chain: they come back if the same id is granted again"))
        return Words(headline, tuple(can), tuple(cannot), (_phrase("Only the gas of this call"),))

    def calls(self, calls: Sequence[Call]) -> Words:
        many = f"These {len(calls)} calls are" if len(calls) != 1 else "This call is"
        headline = _phrase(f"{many} made by your account ", self._whose(), ".")
        lines = tuple(line for call in calls for line in self._call(call))
        return Words(headline, lines, (), (_phrase(_strong("Whatever these calls do")),))

    def _call(self, call: Call) -> Iterator[Phrase]:
        name = Part(call.signature or to_hex(call.data[:4]), Style.CODE)
        target = [Part(" on "), self._named(call.target)[0]] if call.target else [Part(" on your account itself")]
        value = [Part(" with "), self._coins(call.value)] if call.value else []
        arguments = ", ".join(f"{k} = {v}" for k, v in call.arguments)
        yield _phrase("call ", name, target, value, f" ({arguments})" if arguments else "")
        if call.inner is not None:
            inner = self.action(call.inner)
            yield inner.headline
            yield from inner.can
        for unknown in call.unknown:
            yield _phrase("something Latchkey cannot read (", Part(unknown.where, Style.CODE), "): ", unknown.why)

    # --- pieces

    def _coins(self, wei: int) -> Part:
        return _strong(f"{format_amount(wei, Unit(self.network.coin, 18))} {self.network.coin}")

    def _token_amount(self, token: Erc20TokenTransfer) -> list[Part]:
        name, symbol, decimals = self._claim(token.address)
        amount = [_strong(f"{token.allowance} base units"), Part(" of token "), _address(token.address)]
        if decimals is not None and symbol:
            shown = f" (calls itself {symbol}: {format_amount(token.allowance, Unit(symbol, decimals))} {symbol})"
            return [*amount, Part(shown, Style.CLAIM)]
        return [*amount, Part(f" (calls itself {symbol or name})", Style.CLAIM)] if symbol or name else amount

    def _named(self, address: Address) -> list[Part]:
        name, symbol, _ = self._claim(address)
        said = name or symbol
        return [_address(address), Part(f" (calls itself {said})", Style.CLAIM)] if said else [_address(address)]

    def _claim(self, address: Address) -> tuple[str, str, int | None]:
        return next(((n, s, d) for a, n, s, d in self.claims.names if a == address), ("", "", None))

    def _functions(self, selectors: Sequence[Selector]) -> list[Part]:
        parts: list[Part] = []
        for index, selector in enumerate(selectors):
            if index:
                parts.append(Part(" and " if index == len(selectors) - 1 else ", "))
            parts.append(Part(self._function(selector), Style.CODE))
        return parts

    def _function(self, selector: Selector) -> str:
        if selector == PLAIN_PAYMENT:
            return str(selector)
        return known_signature(selector) or offered_signature(selector, self.claims.functions) or str(selector)


def _may_move_tokens(powers: Powers) -> bool:
    """Whether a call to a token's own moving functions is possible beyond the token limits."""
    if any(isinstance(c, ContractAccess) for c in powers.contracts):
        return True
    named = [s for c in powers.contracts if isinstance(c, FunctionsOnContract) for s in c.functions]
    return any(s in TOKEN_FUNCTIONS or s in NESTING_FUNCTIONS for s in (*named, *powers.anywhere))


def _signed(reading: Reading, account: Account | None) -> Iterator[tuple[str, str]]:
    """Every field, as it stands in the bytes."""
    if account is not None:
        yield "Network", f"{network(account.chain_id).name} (chain id {account.chain_id})"
        yield "Account", str(account.address)
    if isinstance(reading, Deferred):
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
            yield f"Call {index + 1}", f"{call.target or 'the account itself'}, value {call.value} wei, {to_hex(call.data)}"


def _permission(permission: object) -> str:
    from latchkey.core.permissions import permission_to_json

    value = permission_to_json(permission)  # type: ignore[arg-type]
    data = value.get("data", {})
    fields = ", ".join(f"{k} {' '.join(v) if isinstance(v, list) else v}" for k, v in data.items())
    return f"{value['type']}: {fields}" if fields else str(value["type"])


def _options(options: int) -> str:
    names = [name for bit, name in ((1, "global"), (2, "deferred action"), (4, "direct call")) if options & bit]
    return ", ".join(names) or "none"


def _time(seconds: int) -> str:
    return f"{seconds} ({utc(seconds)})" if seconds else "0 (none)"
