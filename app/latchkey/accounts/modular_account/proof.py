"""What the chain must answer once something was ended, cancelled or tightened: views and what they have to return.

Written down before anything is sent, so that they can be asked by whoever sees it mined, after a restart too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from latchkey.accounts.modular_account import abi
from latchkey.accounts.modular_account.addresses import (
    ALLOWLIST,
    ALLOWLIST_V200,
    ENTRY_POINT,
    NATIVE_TOKEN_LIMIT,
    PAYMASTER_GUARD,
    SINGLE_SIGNER,
    TIME_RANGE,
)
from latchkey.accounts.modular_account.build import HALF
from latchkey.accounts.modular_account.ending import EXECUTE_WITH_RUNTIME_VALIDATION
from latchkey.core.session import Leftover, Limit, LimitKind, Session
from latchkey.core.types import ZERO_ADDRESS, Address, hex_bytes
from latchkey.errors import BadInput

_VALIDATION_DATA = bytes.fromhex("d31b575b")  # getValidationData(bytes24)
_SIGNERS = bytes.fromhex("217178fb")  # signers(uint32,address)
_LIMITS = bytes.fromhex("e19500ba")  # limits(uint256,address)
_ALLOWED = bytes.fromhex("bd945668")  # addressAllowlist(uint32,address,address)
_TOKENS = bytes.fromhex("b33b322c")  # erc20SpendLimits(uint32,address,address)
_FUNCTIONS = bytes.fromhex("28f60c17")  # selectorAllowlist(uint32,bytes4,address,address)
_RANGES = bytes.fromhex("cb81b9bc")  # timeRanges(uint32,address)
_PAYMASTERS = bytes.fromhex("24795c26")  # paymasters(uint32,address)
_GET_NONCE = bytes.fromhex("35567e1a")  # getNonce(address,uint192)
_UNINSTALLED = bytes.fromhex("43f7309d11ba6b2e180e9ab8a6da09d2fa1f585d7daed4b26c1c7f2a90b867a2")
_MISSING = bytes.fromhex("cf7b49f6")  # ValidationFunctionMissing(bytes4)
_NOTHING = b"".join(map(abi.word, (32, 0, 128, 160, 192, 0, 0, 0)))  # getValidationData of an id that is not installed
_MASK = 2**64 - 1
_MOST_VIEWS = 1000


class Rule(StrEnum):
    ZERO = "zero"  # nothing but zero bytes
    IS = "is"  # exactly these bytes
    AT_MOST = "at-most"  # a number no larger
    ABOVE = "above"  # a number whose low 64 bits are larger: a nonce's sequence
    REFUSED = "refused"  # reverts, with these bytes in front


@dataclass(frozen=True, slots=True)
class Check:
    """One eth_call and what it must come to. `sender`: who calls, for REFUSED."""

    to: Address
    data: bytes
    rule: Rule
    value: bytes = b""
    sender: Address | None = None

    def holds(self, answer: bytes | None, revert: bytes = b"") -> bool:
        """`answer`: what the call returned, None when it reverted with `revert`."""
        if self.rule is Rule.REFUSED:
            return answer is None and revert.startswith(self.value)
        if answer is None:
            return False
        number, limit = int.from_bytes(answer, "big"), int.from_bytes(self.value, "big")
        match self.rule:
            case Rule.ZERO:
                return not any(answer)
            case Rule.IS:
                return answer == self.value
            case Rule.AT_MOST:
                return number <= limit
        return number & _MASK > limit


def gone(account: Address, entity_id: int) -> tuple[Check, ...]:
    """Nothing is installed under this id."""
    located = abi.left(SINGLE_SIGNER.raw + entity_id.to_bytes(4, "big"))
    return (Check(account, _VALIDATION_DATA + located, Rule.IS, _NOTHING),)


def ended(session: Session) -> tuple[Check, ...]:
    """The key is not installed any more, and refused when it knocks by itself."""
    account, entity = session.account.address, session.entity_id
    if session.signer is None:
        return gone(account, entity)
    options = bytes([int(session.install.is_global)])
    call = session.selectors[0].raw if session.selectors else _VALIDATION_DATA
    tails = [abi.dynamic(call), abi.dynamic(options + entity.to_bytes(4, "big") + b"\xff")]
    knock = EXECUTE_WITH_RUNTIME_VALIDATION + b"".join(abi.tail_offsets(2, tails)) + b"".join(tails)
    return *gone(account, entity), Check(account, knock, Rule.REFUSED, _MISSING, session.signer)


def forgotten(session: Session) -> tuple[Check, ...]:
    """Nothing of it is stored in the modules known here."""
    account, entity = session.account.address, session.entity_id
    own = [_view(SINGLE_SIGNER, _SIGNERS, entity, account)] if session.module == SINGLE_SIGNER else []
    return tuple(dict.fromkeys((*own, *cleaned(account, session.stored))))


def cleaned(account: Address, leftovers: Iterable[Leftover]) -> tuple[Check, ...]:
    """These leftovers are gone."""
    views = dict.fromkeys(view for leftover in leftovers for view in _views(account, leftover))
    return tuple(views)[:_MOST_VIEWS]


def cancelled(account: Address, nonce: int) -> tuple[Check, ...]:
    """The nonce (uint256) of a grant has passed."""
    data = _GET_NONCE + abi.address(account) + abi.word(nonce >> 64)
    return (Check(ENTRY_POINT, data, Rule.ABOVE, abi.word(nonce & _MASK)),)


def lowered(session: Session, limit: Limit, to: int) -> tuple[Check, ...]:
    return (Check(*_limit_view(session, limit), Rule.AT_MOST, abi.word(to)),)


def shortened(session: Session, until: int) -> tuple[Check, ...]:
    view = _view(TIME_RANGE, _RANGES, session.entity_id, session.account.address)
    return (Check(view.to, view.data, Rule.IS, abi.word(until) + abi.word(session.valid_after)),)


def uninstalled(logs: Iterable[Mapping[str, Any]], account: Address) -> dict[int, bool]:
    """By entity id: whether every module was told to forget, as ValidationUninstalled says. Logs as JSON-RPC has them."""
    found: dict[int, bool] = {}
    for log in logs:
        try:
            topics = [hex_bytes(topic, size=32) for topic in log["topics"]]
            if hex_bytes(log["address"]) == account.raw and len(topics) == 3 and topics[0] == _UNINSTALLED:
                entity_id = int.from_bytes(topics[2], "big")
                found[entity_id] = found.get(entity_id, True) and any(hex_bytes(log["data"]))
        except (BadInput, KeyError, TypeError):
            continue
    return found


def _views(account: Address, leftover: Leftover) -> Iterator[Check]:
    module, entity = leftover.module, leftover.entity_id
    if module in (ALLOWLIST, ALLOWLIST_V200):
        target = leftover.target or ZERO_ADDRESS
        at = abi.word(entity)
        yield Check(module, _ALLOWED + at + abi.address(target) + abi.address(account), Rule.ZERO)
        if leftover.selector is not None:
            data = _FUNCTIONS + at + abi.left(leftover.selector.raw) + abi.address(target) + abi.address(account)
            yield Check(module, data, Rule.ZERO)
        if leftover.amount is not None:
            yield Check(module, _TOKENS + at + abi.address(target) + abi.address(account), Rule.ZERO)
    for known, selector in (
        (NATIVE_TOKEN_LIMIT, _LIMITS),
        (TIME_RANGE, _RANGES),
        (PAYMASTER_GUARD, _PAYMASTERS),
        (SINGLE_SIGNER, _SIGNERS),
    ):
        if module == known:
            yield _view(module, selector, entity, account)


def _view(module: Address, selector: bytes, entity_id: int, account: Address) -> Check:
    return Check(module, selector + abi.word(entity_id) + abi.address(account), Rule.ZERO)


def _limit_view(session: Session, limit: Limit) -> tuple[Address, bytes]:
    entity, account = session.entity_id, session.account.address
    if limit.kind is LimitKind.ERC20:
        assert limit.token is not None
        module = next((h.module for h in session.execution_hooks if h.module in (ALLOWLIST, ALLOWLIST_V200)), ALLOWLIST)
        return module, _TOKENS + abi.word(entity + HALF) + abi.address(limit.token) + abi.address(account)
    storage = entity + HALF if limit.kind is LimitKind.GAS else entity
    return NATIVE_TOKEN_LIMIT, _LIMITS + abi.word(storage) + abi.address(account)
