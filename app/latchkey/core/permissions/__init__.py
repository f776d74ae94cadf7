"""The vocabulary of powers. To add a kind: one small file, one line in `KINDS`; words, rules and account systems refer to the class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from latchkey.core.permissions.account_functions import AccountFunctions
from latchkey.core.permissions.contract_access import ContractAccess
from latchkey.core.permissions.erc20_token_transfer import Erc20TokenTransfer
from latchkey.core.permissions.functions_on_all_contracts import FunctionsOnAllContracts
from latchkey.core.permissions.functions_on_contract import FunctionsOnContract
from latchkey.core.permissions.gas_limit import GasLimit
from latchkey.core.permissions.model import Permission
from latchkey.core.permissions.native_token_transfer import NativeTokenTransfer
from latchkey.core.permissions.paymaster_guard import PaymasterGuard
from latchkey.core.permissions.root import Root
from latchkey.core.untrusted import check, join
from latchkey.errors import BadInput
from latchkey.language import tr

__all__ = [
    "KINDS",
    "AccountFunctions",
    "ContractAccess",
    "Erc20TokenTransfer",
    "FunctionsOnAllContracts",
    "FunctionsOnContract",
    "GasLimit",
    "NativeTokenTransfer",
    "PaymasterGuard",
    "Permission",
    "Root",
    "permission_from_json",
    "permission_to_json",
    "permissions_from_json",
    "permissions_to_json",
]

KINDS: dict[str, type[Any]] = {
    kind.type: kind
    for kind in (
        NativeTokenTransfer,
        Erc20TokenTransfer,
        GasLimit,
        ContractAccess,
        AccountFunctions,
        FunctionsOnAllContracts,
        FunctionsOnContract,
        Root,
        PaymasterGuard,
    )
}
_READERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, kind in KINDS.items()}
MAX_PERMISSIONS = 128


def permission_from_json(value: Any, path: str = "") -> Permission:
    """Read `{"type": ..., "data": {...}}` as the Wallet APIs write it. Raises BadInput naming the field."""
    if not isinstance(value, dict):
        raise BadInput(tr("{path}: expected an object with type and data.", path=path or tr("A permission")), path=path)
    name = value.get("type")
    if not isinstance(name, str) or name not in KINDS:
        raise BadInput(
            tr("{path} is not a permission Latchkey knows ({kinds}).", path=join(path, ("type",)), kinds=", ".join(KINDS)),
            code="UnknownPermission",
            path=join(path, ("type",)),
        )
    for extra in value.keys() - {"type", "data"}:
        where = join(path, (extra,))
        raise BadInput(tr("{where} is not a field of a permission.", where=where), path=where)
    permission: Permission = check(_READERS[name], value.get("data", {}), join(path, ("data",)))
    return permission


def permissions_from_json(value: Any, path: str = "permissions") -> tuple[Permission, ...]:
    """Read the list; its order is kept because it decides the order of allowlist entries on chain."""
    if not isinstance(value, (list, tuple)):
        raise BadInput(tr("{path}: expected a list of permissions.", path=path), path=path)
    if len(value) > MAX_PERMISSIONS:
        raise BadInput(
            tr("{path} has too many entries: at most {max_permissions} are allowed.", path=path, max_permissions=MAX_PERMISSIONS),
            code="TooMany",
            path=path,
        )
    return tuple(permission_from_json(item, f"{path}[{index}]") for index, item in enumerate(value))


def permission_to_json(permission: Permission) -> dict[str, Any]:
    """The inverse of `permission_from_json`; root has no data."""
    data = _READERS[permission.type].dump_python(permission, mode="json")
    return {"type": permission.type, "data": data} if data else {"type": permission.type}


def permissions_to_json(permissions: Sequence[Permission]) -> list[dict[str, Any]]:
    return [permission_to_json(permission) for permission in permissions]
