"""The truth about an account as a separate viem script works it out (tests/devnet/truth.mjs), and what Latchkey read, in its shape."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from latchkey.core.account import Account
from latchkey.core.permissions import (
    ContractAccess,
    Erc20TokenTransfer,
    FunctionsOnAllContracts,
    FunctionsOnContract,
    GasLimit,
    NativeTokenTransfer,
    PaymasterGuard,
)
from latchkey.core.reading import Install
from latchkey.core.session import AccountReading, Hook, Leftover, LimitKind, Owner, Power, Session
from latchkey.core.types import ZERO_ADDRESS, to_hex
from tests.devnet.program import Program

_SCRIPT = Path(__file__).parents[1] / "devnet" / "truth.mjs"
_PAIR = ["0x095ea7b3", "0xa9059cbb"]


class Truth:
    def __init__(self, url: str) -> None:
        self._url, self._program = url, Program(_SCRIPT)

    def of(self, account: Account, block: int) -> dict[str, Any]:
        return self._program.done(rpc=self._url, account=account.address, block=block)

    def __enter__(self) -> Self:
        self._program.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._program.__exit__(kind, error, trace)


def as_truth(reading: AccountReading, truth: dict[str, Any]) -> dict[str, Any]:
    """The reading in the script's words. `truth`: only to leave out what a reading has no place for."""
    owner = next((o for o in reading.owners if o.kind == "fallback-signer"), None)
    keyed = next((o for o in reading.owners if o.kind == "single-signer"), None)
    delegation = next((p for p in reading.powers if p.kind == "delegation"), None)
    own = owner or keyed
    return {
        "deployed": reading.deployed,
        "code": delegation.address.lower() if delegation else None,
        "implementation": truth["implementation"],
        "owner": [owner.address.lower(), owner.disabled] if owner and owner.address else None,
        "ownerKey": keyed.address.lower() if keyed and keyed.address else None,
        "ownerHooks": [to_hex(h.raw) for h in own.hooks] if own else [],
        "passkeys": sorted(o.entity_id for o in reading.owners if _is_passkey(o)),
        "sessions": [_session(s) for s in reading.sessions],
        "leftovers": sorted(_entry(e) for e in reading.leftovers),
        "direct": sorted((_direct(p) for p in reading.powers if p.kind == "direct-call"), key=lambda d: str(d["module"])),
        "functions": _functions(reading.powers),
        "usedIds": sorted(reading.used_entity_ids),
        "balance": str(reading.balance),
        "deposit": str(reading.deposit),
    }


def _is_passkey(owner: Owner) -> bool:
    return owner.kind == "passkey" and owner.entity_id != 0


def _session(session: Session) -> dict[str, Any]:
    leftovers = set(session.leftovers)
    return {
        "id": session.entity_id,
        "module": None if session.module == ZERO_ADDRESS else session.module.lower(),
        "signer": session.signer.lower() if session.signer else None,
        "selectors": list(session.selectors),
        "hooks": [to_hex(h.raw) for h in session.hooks],
        "executionHooks": [to_hex(h.raw) for h in session.execution_hooks],
        "installedIn": to_hex(session.installed_in) if session.installed_in else None,
        "may": _may(session),
        "stored": sorted(_entry(e) + (" leftover" if e in leftovers else "") for e in session.stored),
    }


def _may(session: Session) -> dict[str, Any]:
    """From the install that words and rules look at, and from the limits."""
    install = session.install
    kinds = {type(p): p for p in install.permissions}
    native, gas, guard = (kinds.get(k) for k in (NativeTokenTransfer, GasLimit, PaymasterGuard))
    tokens = {
        str(limit.token).lower(): {"left": str(limit.left), "granted": None if limit.granted is None else str(limit.granted)}
        for limit in session.limits
        if limit.kind is LimitKind.ERC20
    }
    return {
        "flags": session.flags,
        "until": str(install.expiry),
        "after": str(install.valid_after),
        "native": str(native.allowance) if isinstance(native, NativeTokenTransfer) else None,
        "gas": str(gas.limit) if isinstance(gas, GasLimit) else None,
        "paymaster": guard.paymaster.lower() if isinstance(guard, PaymasterGuard) else None,
        "listed": _listed(session.hooks, install),
        "tokens": tokens,
    }


def _listed(hooks: tuple[Hook, ...], install: Install) -> dict[str, Any] | None:
    if not any(h.name == "AllowlistModule" for h in hooks):
        return None
    found: dict[str, Any] = {}
    for permission in install.permissions:
        match permission:
            case ContractAccess(address):
                found[address.lower()] = "any"
            case FunctionsOnContract(address, functions):
                found[address.lower()] = sorted(functions)
            case FunctionsOnAllContracts(functions):
                found["anywhere"] = sorted(functions)
            case Erc20TokenTransfer(address, _):
                found[address.lower()] = _PAIR
    return found


def _entry(entry: Leftover) -> str:
    amount = None if entry.amount is None else str(entry.amount)
    target = entry.target.lower() if entry.target else None
    return " ".join(map(str, (entry.module.lower(), entry.entity_id, target or "-", entry.selector or "-", amount or "-")))


def _direct(power: Power) -> dict[str, Any]:
    return {
        "module": power.address.lower(),
        "global": "everything" in power.sentence,
        "selectors": list(power.selectors),
        "hooks": [to_hex(h.raw) for h in power.hooks],
    }


def _functions(powers: tuple[Power, ...]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for power in powers:
        if power.kind == "execution-function":
            for selector in power.selectors:
                is_open = power.sentence.startswith("Anybody")
                found[selector] = {"selector": selector, "module": power.address.lower(), "open": is_open, "hooks": []}
        elif power.kind == "execution-hook":
            for selector in power.selectors:
                entry = found.setdefault(selector, {"selector": selector, "module": None, "open": False, "hooks": []})
                entry["hooks"].append(to_hex(power.hooks[0].raw))
    return [found[selector] for selector in sorted(found)]
