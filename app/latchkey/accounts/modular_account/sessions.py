"""From what was answered to the account as a person sees it: sessions, owners, other powers, what is left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from latchkey.accounts.modular_account import abi
from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ALLOWLIST_V200,
    NATIVE_TOKEN_LIMIT,
    PAYMASTER_GUARD,
    SINGLE_SIGNER,
    TIME_RANGE,
    WEBAUTHN,
)
from latchkey.accounts.modular_account.answers import Validation
from latchkey.accounts.modular_account.build import INSTALL_VALIDATION
from latchkey.accounts.modular_account.code import DELEGATIONS, IMPLEMENTATIONS, MADE_WITH, delegated_to
from latchkey.accounts.modular_account.decode import decode_call
from latchkey.accounts.modular_account.history import Installed, owners_of
from latchkey.accounts.modular_account.stored import ALLOWLISTS, Kept, Listed, kept, listed
from latchkey.accounts.modular_account.views import State
from latchkey.core.account import Mode
from latchkey.core.contracts import HALF
from latchkey.core.phrases import Finding, Level
from latchkey.core.reading import Install, Unknown
from latchkey.core.session import AccountReading, Block, Hook, Limit, LimitKind, LogRange, Owner, Power, Session
from latchkey.core.types import ZERO_ADDRESS, Address, Selector
from latchkey.errors import CannotDecode
from latchkey.language import tr

_VALIDATION_HOOK, _PRE = 1, 4
_USER_OP, _SIGNATURES, _GLOBAL = 1, 2, 4
_NAMES: Final = {
    ALLOWLIST: "AllowlistModule",
    ALLOWLIST_V200: "AllowlistModule v2.0.0",
    NATIVE_TOKEN_LIMIT: "NativeTokenLimitModule",
    TIME_RANGE: "TimeRangeModule",
    PAYMASTER_GUARD: "PaymasterGuardModule",
}


def reading_of(state: State, block: Block, read: LogRange) -> AccountReading:
    """Raises CannotDecode when the account's code is known and yet does not answer as it must."""
    code: bytes = state.known[("code",)]
    if state.implementation in state.contracts and any(v is None for key, v in state.known.items() if key[0] == "validation"):
        raise CannotDecode(tr("The RPC's answer is not what this account can have said."), code="OddAnswer")
    owners = tuple(_owners(state)) if code else ()
    keys = {o.entity_id for o in owners if o.kind in ("single-signer", "passkey", "unknown")}
    ids = [i for i in state.installed if i not in keys and i != 0]
    installed = tuple(_session(state, i, complete=read.complete) for i in ids)
    spoken_for = {e for s in installed for e in s.stored}
    left = tuple(e for e in dict.fromkeys(k.entry for k in _of_nobody(state, {0, *ids, *keys})) if e not in spoken_for)
    return AccountReading(
        account=state.account,
        block=block,
        logs=read,
        deployed=bool(code),
        sessions=installed,
        owners=owners,
        powers=tuple(_powers(state)) if code else (),
        leftovers=left,
        used_entity_ids=frozenset((*state.history.ids, *state.installed, *(owners_of(e.entity_id)[-1] for e in left))) - {0},
        findings=tuple(_findings(state, owners, read)),
        balance=state.known[("balance",)],
        deposit=state.known.get(("deposit",), 0),
    )


def hooks_of(raw: Sequence[bytes]) -> tuple[Hook, ...]:
    return tuple(_hook(hook) for hook in raw)


def _hook(raw: bytes) -> Hook:
    module = Address.from_bytes(raw[:20])
    return Hook(module, int.from_bytes(raw[20:24], "big"), raw[24], _NAMES.get(module, ""))


# --- sessions


def _session(state: State, entity_id: int, *, complete: bool) -> Session:
    validation, first = state.validation(entity_id), state.history.first_install(entity_id)
    module = _module(state, entity_id)
    hooks, execution_hooks = hooks_of(validation.hooks), hooks_of(validation.execution_hooks)
    found = kept(state, _under(entity_id), (*hooks, *execution_hooks))
    signer: Address | None = state.known.get(("signer", entity_id)) if module == SINGLE_SIGNER else None
    return Session(
        account=state.account,
        entity_id=entity_id,
        module=module,
        signer=signer,
        flags=validation.flags,
        selectors=validation.selectors,
        hooks=hooks,
        execution_hooks=execution_hooks,
        install=_install(state, entity_id, module, signer, validation),
        limits=tuple(_limits(state, (*hooks, *execution_hooks), first)),
        leftovers=tuple(k.entry for k in found if _is_leftover(k, module, entity_id)),
        stored=tuple(k.entry for k in found),
        targets_complete=complete,
        installed_block=first.place[0] if first else None,
        installed_in=first.transaction if first else None,
    )


def _module(state: State, entity_id: int) -> Address:
    """The zero address where neither the logs nor the account's storage name it."""
    first = state.history.first_install(entity_id)
    found: Address = first.module if first else state.known.get(("module", entity_id), ZERO_ADDRESS)
    return found


def _is_leftover(found: Kept, module: Address, entity_id: int) -> bool:
    if found.entry.module == SINGLE_SIGNER:
        return (module, entity_id) != (SINGLE_SIGNER, found.entry.entity_id)
    return found.earlier or not found.looked_at


def _install(state: State, entity_id: int, module: Address, signer: Address | None, validation: Validation) -> Install:
    """What the decoder reads from the grant that would install just this, with what is left for amounts."""
    call = _call(state, entity_id, module, signer, validation)
    try:
        install = decode_call(call)
    except CannotDecode as problem:
        install = _unread(entity_id, module, signer, validation, problem.text)
    assert isinstance(install, Install)
    if module == ZERO_ADDRESS:
        why = tr("The logs do not reach back to its install, so it is not known which module checks its signatures.")
        install = replace(install, unknown=(*install.unknown, Unknown("validationConfig.module", module.raw, why)))
    return install


def _unread(entity_id: int, module: Address, signer: Address | None, validation: Validation, why: str) -> Install:
    """More than the decoder takes in: nothing is claimed of what it may do."""
    flags = validation.flags
    return Install(
        entity_id=entity_id,
        module=module,
        session_key=signer,
        is_user_op=bool(flags & _USER_OP),
        signs_messages=bool(flags & _SIGNATURES),
        is_global=bool(flags & _GLOBAL),
        permissions=(),
        expiry=0,
        valid_after=0,
        has_execution_hooks=bool(validation.execution_hooks),
        unknown=(Unknown("hooks", b"".join((*validation.hooks, *validation.execution_hooks)), why),),
    )


def _call(state: State, entity_id: int, module: Address, signer: Address | None, validation: Validation) -> bytes:
    """installValidation calldata."""
    data = b"" if signer is None else abi.word(entity_id) + abi.address(signer)
    hooks = [raw + _init(state, _hook(raw)) for raw in (*validation.hooks, *validation.execution_hooks)]
    tails = [
        abi.selectors([s.raw for s in validation.selectors]),
        abi.dynamic(data),
        abi.array([abi.dynamic(hook) for hook in hooks]),
    ]
    config = abi.left(module.raw + entity_id.to_bytes(4, "big") + bytes([validation.flags]))
    return INSTALL_VALIDATION + config + b"".join((*abi.tail_offsets(4, tails), *tails))


def _init(state: State, hook: Hook) -> bytes:
    """initData that would bring a module to where it stands now; of a module nobody knows, nothing."""
    word = abi.word(hook.entity_id)
    if hook.module == NATIVE_TOKEN_LIMIT:
        return word + abi.word(state.coins(hook.entity_id))
    if hook.module == TIME_RANGE:
        until, after = state.known.get(("range", hook.entity_id), (0, 0))
        return word + abi.word(until) + abi.word(after)
    if hook.module == PAYMASTER_GUARD:
        return word + abi.address(state.known.get(("paymaster", hook.entity_id), ZERO_ADDRESS))
    if hook.module in ALLOWLISTS:
        found = listed(state, (hook.module, hook.entity_id))
        at_validation = bool(hook.flags & _VALIDATION_HOOK)
        return abi.allowlist(hook.entity_id, [_input(e, at_validation=at_validation) for e in found if _counts(e, at_validation)])
    return b""


def _counts(entry: Listed, at_validation: bool) -> bool:
    """A validation hook looks at what is allowed, an execution hook at limits alone."""
    if not at_validation:
        return entry.has_limit
    return bool(entry.functions) if entry.target == ZERO_ADDRESS else entry.allowed


def _input(entry: Listed, *, at_validation: bool) -> abi.AllowlistInput:
    if not at_validation:
        return entry.target, False, True, entry.limit, ()
    named = entry.has_functions or entry.target == ZERO_ADDRESS
    functions = [s.raw for s in entry.functions] if named else []
    return entry.target, entry.has_functions and entry.target != ZERO_ADDRESS, False, 0, functions


def _limits(state: State, hooks: Sequence[Hook], first: Installed | None) -> Iterator[Limit]:
    for hook in hooks:
        at_validation = bool(hook.flags & _VALIDATION_HOOK)
        if hook.module == NATIVE_TOKEN_LIMIT and (at_validation or hook.flags & _PRE):
            place, amount = state.history.coin_limits.get(hook.entity_id, ((-1, -1), 0))
            granted = amount if first and place >= first.place else None
            yield Limit(LimitKind.GAS if at_validation else LimitKind.NATIVE, state.coins(hook.entity_id), granted=granted)
        elif hook.module in ALLOWLISTS and not at_validation and hook.flags & _PRE:
            book = (hook.module, hook.entity_id)
            known = state.history.token_limits.get(book, {})
            for entry in listed(state, book):
                if entry.has_limit:
                    set_to = known[entry.target][1] if entry.target in known else None
                    yield Limit(LimitKind.ERC20, entry.limit, entry.target, set_to)


def _of_nobody(state: State, taken: set[int]) -> Iterator[Kept]:
    """What is kept under ids that are not installed."""
    for entity_id in sorted(state.ids - taken):
        yield from kept(state, _under(entity_id), ())


def _under(entity_id: int) -> tuple[int, ...]:
    """What modules keep a session's state under."""
    return (entity_id, entity_id + HALF) if entity_id <= HALF else (entity_id,)


# --- owners


def _owners(state: State) -> Iterator[Owner]:
    own = state.validation(0)
    hooks = hooks_of((*own.hooks, *own.execution_hooks))
    fallback = state.known.get(("owner",))
    if fallback is not None:
        yield Owner("fallback-signer", 0, address=fallback[0], disabled=fallback[1], hooks=hooks)
    delegated = delegated_to(state.known[("code",)])
    if delegated and (fallback is None or fallback[0] != state.account.address or fallback[1]):
        yield Owner("account-key", 0, address=state.account.address)
    born_with = 0 if own.is_installed else state.history.born_with
    if fallback is None and born_with in state.installed:
        yield _keyed(state, born_with, state.validation(born_with))
    for entity_id in state.installed:
        validation = state.validation(entity_id)
        is_passkey = entity_id and _module(state, entity_id) == WEBAUTHN and validation.flags & _GLOBAL
        if is_passkey and entity_id != born_with:
            yield _keyed(state, entity_id, validation)


def _keyed(state: State, entity_id: int, validation: Validation) -> Owner:
    module = _module(state, entity_id)
    kind = {SINGLE_SIGNER: "single-signer", WEBAUTHN: "passkey"}.get(module, "unknown")
    address = state.known.get(("signer", entity_id)) if module == SINGLE_SIGNER else None
    hooks = hooks_of((*validation.hooks, *validation.execution_hooks))
    signs = bool(validation.flags & _SIGNATURES)
    return Owner(kind, entity_id, None if module == ZERO_ADDRESS else module, address, signs_messages=signs, hooks=hooks)


# --- other powers


def _powers(state: State) -> Iterator[Power]:
    yield from _code_powers(state)
    yield from _direct_calls(state)
    yield from _functions(state)


def _code_powers(state: State) -> Iterator[Power]:
    implementation = state.implementation
    delegated = delegated_to(state.known[("code",)])
    if delegated:
        known = "Modular Account V2" if delegated in DELEGATIONS else tr("code that Latchkey does not know")
        yield Power(
            "delegation",
            delegated,
            tr("The address runs {known} (EIP-7702); its own key can change that at any time.", known=known),
        )
    elif implementation is None or implementation not in IMPLEMENTATIONS:
        sentence = tr("The account runs code that Latchkey does not know; that code decides everything.")
        yield Power("implementation", implementation or state.account.address, sentence)
    elif implementation not in MADE_WITH[state.account.mode] or state.history.upgraded:
        yield Power("implementation", implementation, tr("The account was upgraded to {title}.", title=_title(implementation)))


def _title(implementation: Address) -> str:
    index = IMPLEMENTATIONS.index(implementation)
    return (
        tr("a semi-modular account"),
        tr("a modular account"),
        tr("a semi-modular account that stores its owner"),
        *["7702 code"] * 2,
    )[index]


def _direct_calls(state: State) -> Iterator[Power]:
    for module in state.history.direct:
        found = state.known.get(("direct", module)) or Validation()
        if not found.is_installed:
            continue
        what = tr("may do everything with the account") if found.flags & _GLOBAL else tr("may call functions of the account")
        hooks = hooks_of((*found.hooks, *found.execution_hooks))
        yield Power("direct-call", module, tr("This address {what}, by calling it directly.", what=what), found.selectors, hooks)


def _functions(state: State) -> Iterator[Power]:
    """One for each module's functions that are open to all, one for its others; and one for each hook that no module's function has."""
    grouped: dict[tuple[Address, bool], list[tuple[Selector, tuple[bytes, ...]]]] = {}
    hooked: dict[bytes, list[Selector]] = {}
    for selector in state.history.own_functions:
        found = state.known.get(("execution", selector))
        if found is None:
            continue
        if found.module not in (ZERO_ADDRESS, state.account.address):
            grouped.setdefault((found.module, found.open), []).append((selector, found.hooks))
        for hook in found.hooks:
            hooked.setdefault(hook, []).append(selector)
    for (module, is_open), functions in grouped.items():
        who = tr("Anybody may call") if is_open else tr("The account has")
        hooks = hooks_of(list(dict.fromkeys(h for _, each in functions for h in each)))
        names = tuple(s for s, _ in functions)
        yield Power("execution-function", module, tr("{who} functions that this module added.", who=who), names, hooks)
    for raw, selectors in hooked.items():
        hook = _hook(raw)
        sentence = tr("This module runs whenever these functions of the account are called, and may stop them.")
        yield Power("execution-hook", hook.module, sentence, tuple(selectors), (hook,))


# --- findings


def _findings(state: State, owners: Sequence[Owner], read: LogRange) -> Iterator[Finding]:
    code, account = state.known[("code",)], state.account
    if not code:
        yield from _without_code(state)
    elif state.implementation not in IMPLEMENTATIONS:
        yield Finding(
            "code-unknown",
            Level.DANGER,
            tr("The account runs code that Latchkey does not know: it may do otherwise than it says here."),
            tr("Do not rely on this list; look into who changed the account's code."),
        )
    elif state.implementation not in MADE_WITH[account.mode]:
        yield Finding(
            "code-changed",
            Level.WARNING,
            tr("The account runs other code than it was made with."),
            tr("Check that you upgraded it yourself."),
        )
    owner = next((o for o in owners if o.kind != "account-key"), None)
    if owner and owner.hooks:
        yield Finding(
            "owner-hooks",
            Level.WARNING,
            tr("Something stands between the owner and the account: hooks on the owner's own validation."),
            tr("Grants that ride in a first operation do not work here; grant with a transaction of the owner."),
        )
    if owner and owner.disabled:
        yield Finding(
            "owner-disabled",
            Level.WARNING,
            tr("The owner's key is switched off: it cannot grant or revoke."),
            tr("Use another owner of the account."),
        )
    if owner and account.owner and owner.address != account.owner:
        yield Finding(
            "owner-changed",
            Level.WARNING,
            tr("The account's owner is not the one Latchkey knows."),
            tr("Grants the old owner signed and nobody used are void. Check that you changed the owner yourself."),
        )
    if not read.complete:
        yield Finding(
            "logs-incomplete",
            Level.WARNING,
            tr("Some blocks could not be read: there may be more sessions and permissions than are shown."),
            tr("Read again, or use another RPC."),
        )


def _without_code(state: State) -> Iterator[Finding]:
    if state.history.installs:
        yield Finding(
            "delegation-gone",
            Level.WARNING,
            tr("The address runs no code now, so its sessions sleep; they come back when the code is set again."),
            tr("Revoke them before you set the code again."),
        )
        return
    sentence = tr("is not delegated to account code yet") if state.account.mode is Mode.EIP7702 else tr("is not on the chain yet")
    yield Finding(
        "not-deployed",
        Level.NOTICE,
        tr("The account {sentence}, so there are no sessions.", sentence=sentence),
        tr("Nothing has to be done."),
    )
