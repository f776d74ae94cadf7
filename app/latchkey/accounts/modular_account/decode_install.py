"""What installValidation and uninstallValidation mean: hooks and selectors turned back into the vocabulary of permissions."""

from __future__ import annotations

from typing import Any, Final

from latchkey.accounts.modular_account import decode_functions as known
from latchkey.accounts.modular_account.decode_abi import Reader, Work, function, types
from latchkey.accounts.modular_account.decode_hooks import SHIFT, Entry, Powers, read_hook
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    PaymasterGuard,
    Permission,
    Root,
)
from latchkey.core.reading import Install, Uninstall, Unknown
from latchkey.core.types import ZERO_ADDRESS, Address, Selector
from latchkey.errors import CannotDecode
from latchkey.language import tr

_DIRECT_CALL: Final = 0xFFFFFFFF
_TOKEN_SELECTORS: Final = [known.APPROVE, known.TRANSFER]
_USER_OP, _SIGNATURES, _GLOBAL = 1, 2, 4  # flags of a validation


def read_install(data: bytes, work: Work, where: str) -> Install:
    """The meaning of an installValidation call. Raises CannotDecode where the account would refuse the bytes outright."""
    notes: list[Unknown] = []
    arguments = function(known.ACCOUNT_FUNCTIONS[known.INSTALL_VALIDATION]).arguments
    config, selectors, install_data, hooks = Reader(data, work, notes, start=4, where=where).values(arguments)
    prefix = f"{where}." if where else ""
    module, entity_id, flags = config[:20], int.from_bytes(config[20:24], "big"), config[24]
    powers = Powers(entity_id, work, notes)
    key = _session_key(powers, module, install_data, prefix)
    for index, hook in enumerate(hooks):
        read_hook(powers, hook, f"{prefix}hooks[{index}]")
    permissions = _permissions(powers, selectors, bool(flags & _GLOBAL), prefix)
    _check_flags(powers, flags, permissions, prefix)
    return Install(
        entity_id=entity_id,
        module=Address.from_bytes(module),
        session_key=key,
        is_user_op=bool(flags & _USER_OP),
        signs_messages=bool(flags & _SIGNATURES),
        is_global=bool(flags & _GLOBAL),
        permissions=permissions,
        expiry=powers.valid_until,
        valid_after=powers.valid_after,
        has_execution_hooks=powers.has_execution_hooks,
        unknown=tuple(notes),
    )


def _check_flags(powers: Powers, flags: int, permissions: tuple[Permission, ...], prefix: str) -> None:
    where, raw = f"{prefix}validationConfig.flags", bytes([flags])
    if flags & ~(_USER_OP | _SIGNATURES | _GLOBAL):
        powers.note(where, raw, tr("Flags without a known meaning are set."))
    if not flags & _USER_OP:
        powers.note(where, raw, tr("The key cannot sign operations; it can only call the account directly."))
    if flags & _SIGNATURES:
        powers.note(where, raw, tr("The key may also sign messages as the account (ERC-1271), which no permission describes."))
    if flags & _GLOBAL and any(not isinstance(p, (Root, PaymasterGuard)) for p in permissions):
        powers.note(where, raw, tr("The key may do everything, so it can lift the limits and permissions that stand beside this."))
    if powers.entity_id == _DIRECT_CALL:
        powers.note(
            f"{prefix}validationConfig.entityId",
            powers.entity_id.to_bytes(4, "big"),
            tr("This lets the contract in the module's place call the account directly; it is no session key."),
        )


def _session_key(powers: Powers, module: bytes, install_data: bytes, prefix: str) -> Address | None:
    """The key that installData stores for this session, None when it stores none there."""
    where = f"{prefix}installData"
    if module != known.SINGLE_SIGNER:
        passkey = module == known.WEBAUTHN
        why = tr("This lets in a passkey, which Latchkey does not serve.") if passkey else tr("Latchkey does not know this module.")
        powers.note(f"{prefix}validationConfig.module", module, why)
        if install_data:
            powers.note(where, install_data, tr("These bytes are for that module."))
        return None
    if not install_data:
        powers.note(where, b"", tr("No key is stored; a key stored earlier under this entity id comes into force again."))
        return None
    entity_id, key = powers.read(install_data, types("uint32 entityId,address signer"), where)
    if entity_id != powers.entity_id:
        powers.note(
            f"{where}.entityId",
            install_data[:32],
            tr("The key is stored under another entity id, {entity_id}.", entity_id=entity_id),
        )
        return None
    return Address.parse(key)


# Permissions


def _permissions(powers: Powers, selectors: list[bytes], is_global: bool, prefix: str) -> tuple[Permission, ...]:
    """In the canonical order of `Install.permissions`; root stands where account functions would."""
    own = _account_functions(powers, selectors, prefix)
    singles: list[Any] = [powers.paymaster, Root() if is_global else None, own, powers.native, powers.gas]
    return (*(p for p in singles if p is not None), *_listed(powers))


def _account_functions(powers: Powers, selectors: list[bytes], prefix: str) -> AccountFunctions | None:
    """The selectors that are the key's own; execute and executeBatch belong to the allowlist and must be there with it only."""
    pair = (known.EXECUTE, known.EXECUTE_BATCH)
    found = [s for s in selectors if s in pair]
    if powers.has_allowlist and sorted(found) != sorted(pair):
        powers.note(
            f"{prefix}selectors",
            b"".join(selectors),
            tr("With an allowlist, execute and executeBatch each stand once in this list; here one is missing or doubled."),
        )
    elif found and not powers.has_allowlist:
        powers.note(
            f"{prefix}selectors", b"".join(found), tr("The key may call any contract: no allowlist restricts what it calls.")
        )
    own = tuple(Selector.from_bytes(s) for s in selectors if s not in pair)
    return AccountFunctions(own) if own else None


def _listed(powers: Powers) -> list[Permission]:
    """The allowlist's entries as permissions, in their order; a token limit takes the place of the entry that belongs to it."""
    limits = _paired_limits(powers)
    return [limits.get(index) or _listed_entry(powers, entry) for index, entry in enumerate(powers.allowlist)]


def _paired_limits(powers: Powers) -> dict[int, Permission]:
    """Allowlist index -> token permission: each limit goes to the first entry for its token that is still free."""
    free: dict[Address, list[int]] = {}
    for index, entry in enumerate(powers.allowlist):
        if entry.has_selectors and not entry.has_limit and not entry.limit and entry.selectors == _TOKEN_SELECTORS:
            free.setdefault(entry.target, []).append(index)
    paired: dict[int, Permission] = {}
    for limit in powers.token_limits:
        if limit.target == ZERO_ADDRESS or not limit.has_limit:
            powers.note(limit.where, limit.raw, tr("This entry of the token limit limits nothing."))
            continue
        if limit.has_selectors or limit.selectors:
            powers.note(limit.where, b"".join(limit.selectors), tr("This token limit names functions, which nothing looks at."))
        if free.get(limit.target):
            paired[free[limit.target].pop(0)] = Erc20TokenTransfer(limit.target, limit.limit)
        else:
            powers.note(
                limit.where,
                limit.raw,
                tr("A limit of {limit} for a token without the allowlist entry that belongs to it.", limit=limit.limit),
            )
    return paired


def _listed_entry(powers: Powers, entry: Entry) -> Permission:
    if entry.has_limit or entry.limit:
        powers.note(entry.where, entry.raw, tr("A token limit ({limit}) inside the allowlist is never checked.", limit=entry.limit))
    functions = tuple(Selector.from_bytes(s) for s in entry.selectors)
    if entry.target == ZERO_ADDRESS:
        if entry.has_selectors:
            powers.note(
                entry.where, entry.raw, tr("An entry for all contracts has the mark of an entry for one; the chain ignores it.")
            )
        return FunctionsOnAllContracts(functions)
    if entry.has_selectors:
        return FunctionsOnContract(entry.target, functions)
    if functions:
        powers.note(
            entry.where, b"".join(entry.selectors), tr("Functions are named, but every function of this contract is allowed.")
        )
    return ContractAccess(entry.target)


# Uninstalling


def read_uninstall(data: bytes, work: Work, where: str) -> Uninstall:
    """The meaning of an uninstallValidation call; which hook an element is for is known to the chain alone."""
    notes: list[Unknown] = []
    arguments = function(known.ACCOUNT_FUNCTIONS[known.UNINSTALL_VALIDATION]).arguments
    validation, uninstall_data, hook_data = Reader(data, work, notes, start=4, where=where).values(arguments)
    prefix = f"{where}." if where else ""
    module, entity_id = validation[:20], int.from_bytes(validation[20:], "big")
    powers = Powers(entity_id, work, notes)
    if uninstall_data and module not in (known.SINGLE_SIGNER, known.WEBAUTHN):  # without data the account does not call it
        powers.note(f"{prefix}validationFunction.module", module, tr("Latchkey does not know this module."))
    _read_cleanup(powers, uninstall_data, f"{prefix}uninstallData", (entity_id,))
    for index, element in enumerate(hook_data):
        _read_cleanup(powers, element, f"{prefix}hookUninstallData[{index}]", (entity_id, entity_id + SHIFT))
    return Uninstall(entity_id, Address.from_bytes(module), uninstall_data, tuple(hook_data), tuple(notes))


def _read_cleanup(powers: Powers, data: bytes, where: str, own: tuple[int, ...]) -> None:
    """One module's uninstall data: an entity id, for the allowlist with the entries to delete. Empty skips the module."""
    if not data:
        return
    form = "uint32 entityId" if len(data) == 32 or len(own) == 1 else f"uint32 entityId,{known.ALLOWLIST_INPUTS}"
    try:
        entity_id = powers.read(data, types(form), where)[0]
    except CannotDecode as error:
        powers.note(where, data, tr("These bytes cannot be read ({error_text})", error_text=error.text))
        return
    if entity_id not in own:
        powers.note(
            where,
            data,
            tr("These bytes clear what belongs to entity id {entity_id}, not what belongs to this session.", entity_id=entity_id),
        )
