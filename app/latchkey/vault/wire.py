"""Values on the pipe between client and signer: dataclasses as maps, errors by name, each checked again where it arrives."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

from latchkey import errors
from latchkey.core.account import Account
from latchkey.core.ending import Known
from latchkey.core.session import Limit, LimitKind
from latchkey.core.types import Address, parse_hex_amount
from latchkey.core.untrusted import check
from latchkey.errors import LatchkeyError, SignerError

T = TypeVar("T")
Fields = dict[str, Any]


def read(kind: type[T], value: Any) -> T:
    """The value of that dataclass from its map. Raises BadInput naming the field."""
    adapter: TypeAdapter[T] = _adapter(cast(Any, kind))
    return check(adapter, value)


def from_account(account: Account) -> Fields:
    """Salts are longer than the pipe's numbers."""
    return {**asdict(account), "salt": None if account.salt is None else hex(account.salt)}


def to_account(value: Any) -> Account:
    salt = value["salt"]
    return read(Account, {**value, "salt": None if salt is None else parse_hex_amount(salt, path="salt")})


def from_known(known: Known) -> Fields:
    """Limits are longer than the pipe's numbers too."""
    return {**asdict(known), "limits": [[str(limit.kind), hex(limit.left), limit.token] for limit in known.limits]}


def to_known(value: Any) -> Known:
    limits = tuple(
        Limit(
            LimitKind(kind), parse_hex_amount(left, path="limits"), None if token is None else Address.parse(token, path="limits")
        )
        for kind, left, token in value["limits"]
    )
    return replace(read(Known, {**value, "limits": ()}), limits=limits)


def from_error(error: LatchkeyError) -> Fields:
    kind = next(name for name in (c.__name__ for c in type(error).__mro__) if hasattr(errors, name))
    return {"kind": kind, "code": error.code, "text": error.text, "path": error.path}


def to_error(value: Fields) -> LatchkeyError:
    kind = getattr(errors, value["kind"], None)
    if not (isinstance(kind, type) and issubclass(kind, LatchkeyError)):
        kind = SignerError
    return kind(value["text"], code=value["code"], path=value["path"])


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
