"""What ends, cancels and tightens sessions, as calls the owner makes. Built from what was read on the chain; nothing is guessed.

uninstallValidation wants one element per hook (validation hooks in reverse install order, then execution hooks in reverse install
order) or none at all. An element that a module cannot read leaves that module and all after it as they are, so a hook that is not
known here gets an empty one, which passes it over. Without any element the key dies in every case, and everything else stays stored:
`left_by` says what, `clean_calls` removes it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from latchkey.accounts.modular_account import abi
from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ALLOWLIST_V200,
    ENTRY_POINT,
    NATIVE_TOKEN_LIMIT,
    PAYMASTER_GUARD,
    SINGLE_SIGNER,
    TIME_RANGE,
    WEBAUTHN,
)
from latchkey.accounts.modular_account.build import EXECUTE, EXECUTE_BATCH, HALF, hooks, nonce_key
from latchkey.core.draft import Draft
from latchkey.core.ending import AccountCall as AccountCall
from latchkey.core.session import Hook, Leftover, Limit, LimitKind, Session
from latchkey.core.types import MAX_UINT48, ZERO_ADDRESS, Address
from latchkey.errors import Refused
from latchkey.language import tr

UNINSTALL_VALIDATION = bytes.fromhex("b6b1ccfe")  # uninstallValidation(bytes24,bytes,bytes[])
EXECUTE_WITH_RUNTIME_VALIDATION = bytes.fromhex("f2680c0f")  # executeWithRuntimeValidation(bytes,bytes)
INCREMENT_NONCE = bytes.fromhex("0bd28e3b")  # incrementNonce(uint192)
UPDATE_LIMITS = bytes.fromhex("71280be3")  # updateLimits(uint32,uint256), native token limit module
UPDATE_TOKEN_LIMITS = bytes.fromhex("4380c278")  # updateLimits(uint32,address,bool,uint256), allowlist module
DELETE_ALLOWLIST = bytes.fromhex("c67151f6")  # deleteAllowlist(uint32,(address,bool,bool,uint256,bytes4[])[])
SET_TIME_RANGE = bytes.fromhex("e762c77c")  # setTimeRange(uint32,uint48,uint48)
ON_UNINSTALL = bytes.fromhex("8a91b0e3")  # onUninstall(bytes)

_CONFIG = 25  # module(20) || entity id(4) || flags(1)
_OWNER_AUTHORIZATION = bytes.fromhex("0100000000ff")  # global, entity 0, end marker
_LISTS = (ALLOWLIST, ALLOWLIST_V200)
_COUNTERS = (NATIVE_TOKEN_LIMIT, TIME_RANGE, PAYMASTER_GUARD)


# --- ending


def end_call(session: Session, *, clean: bool = True) -> AccountCall:
    """End a session and make the modules forget what they keep for it. `clean` False: the form that always ends it and cleans nothing
    but the key."""
    ordered = (*session.hooks[::-1], *session.execution_hooks[::-1]) if clean else ()
    cleared = [_cleared(session, hook) for hook in ordered]
    known = session.module == SINGLE_SIGNER or (clean and session.module == WEBAUTHN)
    own = abi.word(session.entity_id) if known else b""
    data = uninstall(session.module, session.entity_id, own, cleared if any(cleared) else [])
    return AccountCall(session.account.address, data)


def end_id(account: Address, entity_id: int) -> AccountCall:
    """End whatever is installed under an id and forget its key; it does nothing harmful where nothing is installed."""
    return AccountCall(account, uninstall(SINGLE_SIGNER, entity_id, abi.word(entity_id), []))


def uninstall(module: Address, entity_id: int, own_data: bytes, hook_data: Sequence[bytes]) -> bytes:
    """uninstallValidation calldata. `own_data`: for the module; empty ones are passed over."""
    tails = [abi.dynamic(own_data), abi.array([abi.dynamic(data) for data in hook_data])]
    located = abi.left(module.raw + entity_id.to_bytes(4, "big"))
    return b"".join((UNINSTALL_VALIDATION, located, *abi.tail_offsets(3, tails), *tails))


def uninstall_call(draft: Draft) -> bytes:
    """Calldata that ends the session this draft installs and clears all it stored, known without looking at the chain."""
    installed = list(hooks(draft))
    ordered = [h for h in installed if h[24] & 1][::-1] + [h for h in installed if not h[24] & 1][::-1]
    cleared = [h[_CONFIG:] if h[:20] == ALLOWLIST.raw else abi.word(int.from_bytes(h[20:24], "big")) for h in ordered]
    return uninstall(SINGLE_SIGNER, draft.entity_id, abi.word(draft.entity_id), cleared)


def _cleared(session: Session, hook: Hook) -> bytes:
    """What a hook's module needs to forget; empty for one that is not known, or keeps its state under an id of somebody else."""
    if hook.entity_id not in (session.entity_id, session.entity_id + HALF):
        return b""
    if hook.module in _LISTS:
        found = [one for one in session.stored if (one.module, one.entity_id) == (hook.module, hook.entity_id)]
        inputs = list(_inputs(found))
        return abi.allowlist(hook.entity_id, inputs) if inputs else b""
    return abi.word(hook.entity_id) if hook.module in _COUNTERS else b""


# --- what stays, and removing it


def left_by(session: Session, *, clean: bool = False) -> tuple[Leftover, ...]:
    """What stays stored when the session ends by `end_call` of that form."""
    cleared = {(session.module, session.entity_id)} if session.module == SINGLE_SIGNER else set()
    if clean:
        cleared |= {(h.module, h.entity_id) for h in (*session.hooks, *session.execution_hooks) if _cleared(session, h)}
    return tuple(one for one in session.stored if (one.module, one.entity_id) not in cleared)


def clean_calls(account: Address, leftovers: Iterable[Leftover], *, ended: Container[int] = ()) -> tuple[AccountCall, ...]:
    """Calls that remove leftovers. For ids that are not installed only: to be sure, each id not in `ended` (ended by the same batch
    before) is ended first. Leftovers of modules that are not known stay."""
    places: dict[tuple[Address, int], list[Leftover]] = {}
    for leftover in leftovers:
        places.setdefault((leftover.module, leftover.entity_id), []).append(leftover)
    calls: dict[AccountCall, None] = {}
    for (module, storage_id), found in places.items():
        owner = storage_id - HALF if storage_id > HALF else storage_id
        if owner not in ended and (module == SINGLE_SIGNER or _forget(module, storage_id, found)):
            calls[end_id(account, owner)] = None
        if data := _forget(module, storage_id, found):
            calls[AccountCall(module, data)] = None
    return tuple(calls)


def _forget(module: Address, storage_id: int, found: Sequence[Leftover]) -> bytes:
    if module in _LISTS:
        return delete_list(storage_id, list(_inputs(found)))
    if module == NATIVE_TOKEN_LIMIT:
        return update_limit(storage_id, 0)
    return forget(storage_id) if module in _COUNTERS else b""


def delete_list(storage_id: int, inputs: Sequence[abi.AllowlistInput]) -> bytes:
    return DELETE_ALLOWLIST + abi.allowlist(storage_id, inputs)


def forget(storage_id: int) -> bytes:
    """onUninstall, called by the account: the module forgets what it keeps under that id."""
    return ON_UNINSTALL + abi.word(32) + abi.dynamic(abi.word(storage_id))


def _inputs(found: Iterable[Leftover]) -> Iterator[abi.AllowlistInput]:
    """As the module deletes them: selectors of a target only where its mark for selectors is set; target zero is every contract."""
    targets: dict[Address, dict[bytes, None]] = {}
    for one in found:
        selectors = targets.setdefault(one.target or ZERO_ADDRESS, {})
        if one.selector is not None:
            selectors[one.selector.raw] = None
    for target, selectors in targets.items():
        yield (target, bool(selectors) and target != ZERO_ADDRESS, False, 0, list(selectors))


# --- cancelling and tightening


def cancel_call(nonce: int) -> AccountCall:
    """Make a signed grant's nonce (uint256) pass, so that it can never be used. It works once its sequence is the next one."""
    return AccountCall(ENTRY_POINT, INCREMENT_NONCE + abi.word(nonce >> 64))


def lower_call(session: Session, limit: Limit, to: int) -> AccountCall:
    """Set what is left of a limit, below what was just read (wei or base units). Raises Refused."""
    if not 0 <= to < limit.left:
        raise Refused(tr("A limit can only be lowered: choose less than what is left of it."), code="NotLower", path="limit")
    hook = _limit_hook(session, limit.kind)
    if limit.kind is LimitKind.ERC20:
        assert limit.token is not None
        return AccountCall(hook.module, update_token_limit(hook.entity_id, limit.token, to))
    return AccountCall(hook.module, update_limit(hook.entity_id, to))


def update_limit(storage_id: int, amount: int) -> bytes:
    return UPDATE_LIMITS + abi.word(storage_id) + abi.word(amount)


def update_token_limit(storage_id: int, token: Address, amount: int) -> bytes:
    return UPDATE_TOKEN_LIMITS + abi.word(storage_id) + abi.address(token) + abi.word(1) + abi.word(amount)


def _limit_hook(session: Session, kind: LimitKind) -> Hook:
    where = session.hooks if kind is LimitKind.GAS else session.execution_hooks
    modules = _LISTS if kind is LimitKind.ERC20 else (NATIVE_TOKEN_LIMIT,)
    for hook in where:
        if hook.module in modules:
            return hook
    raise Refused(tr("This session has no such limit, so there is none to lower; revoke it instead."), code="NoLimit", path="limit")


def shorten_call(session: Session, until: int) -> AccountCall:
    """End a session earlier (last second, chain time); its beginning stays. Raises Refused."""
    if not any((hook.module, hook.entity_id) == (TIME_RANGE, session.entity_id) for hook in session.hooks):
        raise Refused(tr("This session has no end that could be set; revoke it instead."), code="NoExpiry", path="until")
    if until > MAX_UINT48 or (session.valid_until and until >= session.valid_until):
        raise Refused(tr("The end can only be moved forward: choose an earlier time."), code="NotEarlier", path="until")
    if until <= session.valid_after:
        raise Refused(
            tr("The end must lie after the session's beginning; to end it at once, revoke it."), code="NoTime", path="until"
        )
    return AccountCall(TIME_RANGE, set_time_range(session.entity_id, until, session.valid_after))


def set_time_range(entity_id: int, until: int, after: int) -> bytes:
    return SET_TIME_RANGE + abi.word(entity_id) + abi.word(until) + abi.word(after)


# --- how the owner sends them


def together(account: Address, calls: Sequence[AccountCall]) -> bytes:
    """The account's callData: bare for one of its own functions, execute for one call to somebody else, executeBatch for several."""
    if len(calls) == 1 and calls[0].target == account:
        return calls[0].data
    entries = [abi.address(call.target) + abi.word(0) + abi.word(96) + abi.dynamic(call.data) for call in calls]
    return EXECUTE + entries[0] if len(entries) == 1 else EXECUTE_BATCH + abi.word(32) + abi.array(entries)


def owner_call(call_data: bytes) -> bytes:
    """What the owner's own transaction calls the account with: no bundler, gas from the owner's own money."""
    tails = [abi.dynamic(call_data), abi.dynamic(_OWNER_AUTHORIZATION)]
    return EXECUTE_WITH_RUNTIME_VALIDATION + b"".join(abi.tail_offsets(2, tails)) + b"".join(tails)


def owner_nonce_key(parallel: int) -> int:
    """The 192-bit nonce key of an operation the owner signs. `parallel`: 152 bits."""
    return nonce_key(parallel, 0, is_global=True, is_deferred=False)
