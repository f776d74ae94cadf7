"""Sessions as a reading would hold them, made from drafts: as if each had been installed and some of it spent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eth_abi.abi import decode

from latchkey.accounts.modular_account.build import build
from latchkey.accounts.modular_account.decode import decode_call
from latchkey.core.account import Account, Mode
from latchkey.core.contracts import MODULES
from latchkey.core.draft import Draft
from latchkey.core.permissions import Erc20TokenTransfer, GasLimit, NativeTokenTransfer, Permission
from latchkey.core.reading import Install
from latchkey.core.session import AccountReading, Block, Hook, Limit, LimitKind, LogRange, Owner, Session
from latchkey.core.types import Address, Selector
from tests.drafts import ACCOUNT, NOW

KEY = Address.parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")
OWNER = Address.parse("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
BASE = Account(8453, ACCOUNT, "modular_account", Mode.ADDRESS, label="Games")
BLOCK = Block(1_000, b"\x0b" * 32, NOW)


def draft(*permissions: Permission, entity_id: int = 5, expiry: int = NOW + 86_400, account: Account = BASE, **other: Any) -> Draft:
    fields = {"nonce_key": entity_id, "sequence": 0, "session_key": KEY} | other
    return Draft(account.system, account.chain_id, account.address, entity_id, expiry=expiry, permissions=permissions, **fields)


def session_of(made: Draft, *, left: dict[LimitKind, int] | None = None, granted: bool = True, **changes: Any) -> Session:
    """`left`: what is left where it is less than granted; of ERC20, of every token. `granted`: whether what it began with is known."""
    call = build(made).call
    config, selectors, _, raw_hooks = decode(["bytes25", "bytes4[]", "bytes", "bytes[]"], call[4:])
    hooks = [Hook(a, int.from_bytes(h[20:24], "big"), h[24], MODULES.get(a, "")) for h in raw_hooks for a in [_address(h)]]
    install = decode_call(call)
    assert isinstance(install, Install)
    now = tuple(_spent(permission, left or {}) for permission in install.permissions)
    session = Session(
        account=Account(made.chain_id, made.account, made.system, Mode.ADDRESS),
        entity_id=made.entity_id,
        module=_address(config),
        signer=made.session_key,
        flags=config[24],
        selectors=tuple(Selector.from_bytes(s) for s in selectors),
        hooks=tuple(h for h in hooks if h.flags & 1),
        execution_hooks=tuple(h for h in hooks if not h.flags & 1),
        install=replace(install, permissions=now),
        limits=tuple(_limits(now, install.permissions if granted else ())),
        installed_block=900,
        installed_in=made.entity_id.to_bytes(32, "big"),
    )
    return replace(session, **changes)


def reading_of(*sessions: Session, account: Account = BASE, **changes: Any) -> AccountReading:
    reading = AccountReading(
        account=account,
        block=BLOCK,
        logs=LogRange(0, BLOCK.number),
        deployed=True,
        sessions=sessions,
        owners=(Owner("fallback-signer", 0, address=OWNER),),
        used_entity_ids=frozenset(session.entity_id for session in sessions),
        balance=10**18,
    )
    return replace(reading, **changes)


def _address(raw: bytes) -> Address:
    return Address.from_bytes(raw[:20])


def _spent(permission: Permission, left: dict[LimitKind, int]) -> Permission:
    match permission:
        case NativeTokenTransfer(amount):
            return NativeTokenTransfer(left.get(LimitKind.NATIVE, amount))
        case GasLimit(amount):
            return GasLimit(left.get(LimitKind.GAS, amount))
        case Erc20TokenTransfer(token, amount):
            return Erc20TokenTransfer(token, left.get(LimitKind.ERC20, amount))
    return permission


def _limits(now: tuple[Permission, ...], begun: tuple[Permission, ...]) -> list[Limit]:
    found = []
    for index, permission in enumerate(now):
        first: Any = begun[index] if begun else None
        match permission:
            case NativeTokenTransfer(amount):
                found.append(Limit(LimitKind.NATIVE, amount, None, first and first.allowance))
            case GasLimit(amount):
                found.append(Limit(LimitKind.GAS, amount, None, first and first.limit))
            case Erc20TokenTransfer(token, amount):
                found.append(Limit(LimitKind.ERC20, amount, token, first and first.allowance))
    return found
