"""What must not be granted.

Three layers, in this order: what aa-sdk refuses (its names and its precedence), what a careful wallet refuses besides, and what
needs the expert switch. Compat stops after the first layer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from latchkey.accounts.modular_account.addresses import PROTECTED
from latchkey.accounts.modular_account.build import MAX_ENTITY_ID
from latchkey.accounts.system import Policy
from latchkey.core.contracts import ENTRY_POINT_FUNCTIONS, LIMIT_FUNCTIONS
from latchkey.core.draft import Draft
from latchkey.core.permissions import (
    AccountFunctions,
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
    Permission,
    Root,
)
from latchkey.core.types import MAX_UINT48, ZERO_ADDRESS, Address, Selector
from latchkey.errors import Refused
from latchkey.language import tr

#: What aa-sdk 4.88.5 blocks as account functions (the last two are stale values of installExecution and uninstallExecution).
SDK_BLOCKED: dict[str, str] = {
    "0xb61d27f6": "execute",
    "0x34fcd5be": "executeBatch",
    "0x5998db5c": "performCreate",
    "0xf2680c0f": "executeWithRuntimeValidation",
    "0x1bbf564c": "installValidation",
    "0xb6b1ccfe": "uninstallValidation",
    "0x4f1ef286": "upgradeToAndCall",
    "0x1d37e7d6": "installExecution",
    "0x0b7cad71": "uninstallExecution",
}

#: Native functions of the account that hand over control and that aa-sdk lets through.
BLOCKED_ACCOUNT_FUNCTIONS: dict[str, str] = {
    "0x001a63e9": "installExecution",
    "0x93b1dc61": "uninstallExecution",
    "0x30009d52": "updateFallbackSignerData",
    "0x8dd7712f": "executeUserOp",
    "0x19822f7c": "validateUserOp",
    "0x7d63d6e3": "invalidateDeferredValidationInstallNonce",
    "0xe919a623": "initializeWithValidation",
    "0xc4d66de8": "initialize",
}

#: State-changing functions of the modules and of the EntryPoint: allowed "on all contracts", they would reach those too.
BLOCKED_EVERYWHERE: dict[str, str] = LIMIT_FUNCTIONS | ENTRY_POINT_FUNCTIONS

_Rule = Callable[[Draft], None]


def judge(draft: Draft, *, now: int, policy: Policy) -> None:
    """Raise Refused for the first rule the draft breaks. `now`: seconds, for the expiry. Width of fields: uint32 entity id, see Draft."""
    _judge_as_sdk(draft, now)
    if policy is Policy.COMPAT:
        return
    for rule in _CAREFUL:
        rule(draft)
    if policy is Policy.STRICT:
        _without_expert_switch(draft)


# --- as aa-sdk does: constructor, each permission as it is added, deadline, translation in list order, configuration


def _judge_as_sdk(draft: Draft, now: int) -> None:
    if draft.entity_id > MAX_ENTITY_ID:
        raise Refused(
            tr("The entity id is at most {max_entity_id}.", max_entity_id=MAX_ENTITY_ID),
            code="InvalidEntityIdError",
            path="entityId",
        )
    for index, selector in enumerate(draft.selectors):
        _not_blocked(selector, SDK_BLOCKED, f"selectors[{index}]")
    targets: set[Address] = set()
    for index, permission in enumerate(draft.permissions):
        _add_as_sdk(draft, index, permission, targets)
    _deadline_as_sdk(draft, now)
    _translate_as_sdk(draft)
    if not draft.selectors and not any(_gives_selectors(p) for p in draft.permissions):
        raise Refused(
            tr("Nothing says which calls the key may make: add a contract, functions or a token."),
            code="ValidationConfigUnsetError",
            path="permissions",
        )
    if draft.entity_id == 0:
        raise Refused(tr("Entity id 0 is the owner's and cannot be given away."), code="EntityIdOverrideError", path="entityId")


def _add_as_sdk(draft: Draft, index: int, permission: Permission, targets: set[Address]) -> None:
    """`targets`: contracts that earlier permissions name; this one's is added."""
    path = f"permissions[{index}]"
    if index and (isinstance(permission, Root) or isinstance(draft.permissions[0], Root)):
        raise Refused(tr("Root cannot be combined with any other permission."), code="RootPermissionOnlyError", path=path)
    if isinstance(permission, ContractAccess | FunctionsOnContract):
        if permission.address == draft.account:
            raise _own_address(path)
        if permission.address in targets:
            raise Refused(
                tr("This contract already has a permission; put all its functions into one."),
                code="DuplicateTargetAddressError",
                path=f"{path}.data.address",
            )
        targets.add(permission.address)
    if isinstance(permission, AccountFunctions):
        if not permission.functions:
            raise _no_functions(path)
        for position, selector in enumerate(permission.functions):
            _not_blocked(selector, SDK_BLOCKED, f"{path}.data.functions[{position}]")


def _deadline_as_sdk(draft: Draft, now: int) -> None:
    if draft.expiry and draft.expiry < now:
        raise Refused(tr("The expiry is in the past."), code="ExpiredDeadlineError", path="expiry")
    if draft.expiry > MAX_UINT48:
        raise Refused(tr("The expiry is too far away: it has to fit into 48 bits."), code="DeadlineOverLimitError", path="expiry")


def _translate_as_sdk(draft: Draft) -> None:
    seen: set[type] = set()
    for index, permission in enumerate(draft.permissions):
        path = f"permissions[{index}]"
        match permission:
            case NativeTokenTransfer() if NativeTokenTransfer in seen:
                raise Refused(tr("There can be one ETH limit only."), code="MultipleNativeTokenTransferError", path=path)
            case GasLimit() if GasLimit in seen:
                raise Refused(tr("There can be one gas limit only."), code="MultipleGasLimitError", path=path)
            case FunctionsOnAllContracts() | FunctionsOnContract() if not permission.functions:
                raise _no_functions(path)
            case Erc20TokenTransfer() | ContractAccess() | FunctionsOnContract() if permission.address == ZERO_ADDRESS:
                raise Refused(tr("The zero address is not a contract."), code="ZeroAddressError", path=f"{path}.data.address")
        seen.add(type(permission))


def _gives_selectors(permission: Permission) -> bool:
    return not isinstance(permission, NativeTokenTransfer | GasLimit | PaymasterGuard)


# --- what a careful wallet refuses besides


def _accounts_and_keys(draft: Draft) -> None:
    if draft.account == ZERO_ADDRESS or draft.account in PROTECTED:
        raise Refused(tr("This address is not a person's account."), code="ForbiddenAccountError", path="account")
    if draft.session_key == ZERO_ADDRESS or draft.session_key in PROTECTED or draft.session_key == draft.account:
        raise Refused(tr("This address cannot be a session key."), code="ForbiddenSessionKeyError", path="sessionKey")


def _targets(draft: Draft) -> None:
    for path, address in _addresses(draft):
        if address == draft.account:
            raise _own_address(path)
        if address in PROTECTED:
            raise Refused(
                tr("This is {protected}: with access to it a session could lift its own limits.", protected=PROTECTED[address]),
                code="ForbiddenTargetError",
                path=f"{path}.data.address",
            )


def _selectors(draft: Draft) -> None:
    for index, selector in enumerate(draft.selectors):
        _not_blocked(selector, BLOCKED_ACCOUNT_FUNCTIONS, f"selectors[{index}]")
    for index, permission in enumerate(draft.permissions):
        path = f"permissions[{index}].data.functions"
        if isinstance(permission, AccountFunctions):
            for position, selector in enumerate(permission.functions):
                _not_blocked(selector, BLOCKED_ACCOUNT_FUNCTIONS, f"{path}[{position}]")
        if isinstance(permission, FunctionsOnAllContracts):
            for position, selector in enumerate(permission.functions):
                _not_blocked(selector, BLOCKED_EVERYWHERE, f"{path}[{position}]")


def _duplicates(draft: Draft) -> None:
    """A selector named twice: on chain the account's own list reverts, elsewhere it hides what is granted."""
    own = list(draft.selectors)
    anywhere: list[Selector] = []
    for index, permission in enumerate(draft.permissions):
        path = f"permissions[{index}].data.functions"
        match permission:
            case AccountFunctions():
                own += permission.functions
                _all_different(own, path)
            case FunctionsOnAllContracts():
                anywhere += permission.functions
                _all_different(anywhere, path)
            case FunctionsOnContract():
                _all_different(list(permission.functions), path)
    _all_different(list(draft.selectors), "selectors")


def _tokens(draft: Draft) -> None:
    named = Counter(p.address for _, p in _targeted(draft))
    with_account_functions = any(isinstance(p, AccountFunctions) for p in draft.permissions)
    for index, permission in enumerate(draft.permissions):
        if isinstance(permission, Erc20TokenTransfer):
            path = f"permissions[{index}]"
            if named[permission.address] > 1:
                raise Refused(
                    tr("Two permissions name this token: on chain the last one wins or the limit is void. Keep one."),
                    code="DuplicateTokenError",
                    path=f"{path}.data.address",
                )
            if with_account_functions:
                raise Refused(
                    tr("A token limit makes account functions unusable on chain; grant them to separate keys."),
                    code="TokenWithAccountFunctionsError",
                    path=path,
                )


def _one_paymaster(draft: Draft) -> None:
    guards = [i for i, p in enumerate(draft.permissions) if isinstance(p, PaymasterGuard)]
    if len(guards) > 1:
        raise Refused(tr("There can be one paymaster only."), code="MultiplePaymasterError", path=f"permissions[{guards[1]}]")
    for index in guards:
        guard = draft.permissions[index]
        if isinstance(guard, PaymasterGuard) and guard.paymaster == ZERO_ADDRESS:
            raise Refused(
                tr("The zero address is not a paymaster."), code="ZeroAddressError", path=f"permissions[{index}].data.paymaster"
            )
        if any(isinstance(p, Root) for p in draft.permissions):
            raise Refused(
                tr("Root cannot be combined with any other permission."),
                code="RootPermissionOnlyError",
                path=f"permissions[{index}]",
            )


_CAREFUL: tuple[_Rule, ...] = (_accounts_and_keys, _targets, _selectors, _duplicates, _tokens, _one_paymaster)


# --- what needs the expert switch


def _without_expert_switch(draft: Draft) -> None:
    for index, permission in enumerate(draft.permissions):
        path = f"permissions[{index}]"
        match permission:
            case Root():
                raise _expert(tr("Root gives the key everything you have, including taking the account from you."), path)
            case AccountFunctions():
                raise _expert(tr("Account functions change the account itself."), path)
            case PaymasterGuard():
                raise _expert(tr("A key bound to one paymaster stops working when that paymaster does."), path)
    if draft.selectors:
        raise _expert(tr("Extra selectors change what the account itself may be asked to do."), "selectors")
    if draft.expiry == 0:
        raise _expert(tr("A key that never expires stays dangerous for ever."), "expiry")


def _expert(what: str, path: str) -> Refused:
    return Refused(tr("{what} This needs the expert switch.", what=what), code="ExpertRequiredError", path=path)


# --- shared


def _targeted(draft: Draft) -> Iterator[tuple[str, Erc20TokenTransfer | ContractAccess | FunctionsOnContract]]:
    for index, permission in enumerate(draft.permissions):
        if isinstance(permission, Erc20TokenTransfer | ContractAccess | FunctionsOnContract):
            yield f"permissions[{index}]", permission


def _addresses(draft: Draft) -> Iterator[tuple[str, Address]]:
    for path, permission in _targeted(draft):
        yield path, permission.address


def _own_address(path: str) -> Refused:
    return Refused(
        tr("This is the account itself: a key that may call its own account can lift its own limits."),
        code="AccountAddressAsTargetError",
        path=f"{path}.data.address",
    )


def _no_functions(path: str) -> Refused:
    return Refused(tr("Name at least one function."), code="NoFunctionsProvidedError", path=f"{path}.data.functions")


def _not_blocked(selector: Selector, blocked: dict[str, str], path: str) -> None:
    if selector in blocked:
        raise Refused(
            tr(
                "{blocked} would let the key change its own limits or take the account; it is never granted.",
                blocked=blocked[selector],
            ),
            code="SelectorNotAllowed",
            path=path,
        )


def _all_different(selectors: list[Selector], path: str) -> None:
    if len(set(selectors)) != len(selectors):
        raise Refused(tr("A function stands twice in the list."), code="DuplicateSelectorError", path=path)
